//! Result of `hlswarm plan`, as JSON and as text.

use serde::Serialize;

use super::doc::Part;
use super::page::Page;
use super::plan::PlanReport;
use super::{Report, Run};
use crate::forecast::Priced;
use crate::vocabulary::{exit_code, units};

/// The version of the JSON of `plan`.
pub const PLAN_SCHEMA: &str = "hlswarm.plan/1";

/// The result of `hlswarm plan`.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PlanPage {
    /// Always `hlswarm.plan/1`.
    pub schema: &'static str,
    /// The client that was sent, and the options of the plan.
    pub run: Run,
    /// The plan.
    pub plan: PlanReport,
    /// The exit code of the process: 0 if the plan fits, 5 if `run` would refuse it.
    pub exit_code: u8,
}

impl PlanPage {
    /// Creates the page from the report of the client that was sent.
    pub fn new(report: &Report, priced: &Priced) -> Self {
        let plan = PlanReport::planned(priced);
        let refused = priced.consequence == crate::forecast::PriceConsequence::Refused;
        Self {
            schema: PLAN_SCHEMA,
            run: report.run.clone(),
            plan,
            exit_code: if refused { exit_code::PREFLIGHT } else { 0 },
        }
    }

    /// Returns the page as JSON.
    ///
    /// # Errors
    /// A number that JSON cannot hold.
    pub fn json(&self) -> serde_json::Result<String> {
        serde_json::to_string_pretty(self).map(|text| text + "\n")
    }
}

/// Returns the page as text, 80 columns wide.
pub fn text(page: &PlanPage) -> String {
    let mut lines = Page::default();
    let (run, plan) = (&page.run, &page.plan);
    lines.line(format!("hlswarm {}  {}", run.identity.version, run.identity.target));
    run.options.arrivals.iter().for_each(|arrivals| lines.line(format!("arrivals  {arrivals}")));
    run.options.stages.iter().for_each(|stages| lines.line(format!("stages  {stages}")));
    if run.options.targets.len() > 1 {
        lines.line("targets all are priced as the stream of the first client");
    }
    let json: serde_json::Value =
        page.json().and_then(|text| serde_json::from_str(&text)).unwrap_or_default();
    super::plan::lines(Part::new(&json).at("/plan")).iter().for_each(|line| lines.line(line));
    let peak = plan.planned.bits_per_second_peak.map_or(units::UNKNOWN.to_owned(), units::bit_rate);
    lines.line(format!("peak    {peak} within a second"));
    let count = |amount: Option<u64>| amount.map_or(units::UNKNOWN.to_owned(), units::count);
    let ports = plan.planned.ports.map(|ports| ports.ceil() as u64);
    lines.line(format!(
        "ports   {} of {} towards one address; {} open files allowed",
        count(ports),
        count(plan.available.ports),
        count(plan.available.open_files),
    ));
    for destination in &plan.destinations {
        let protocol = if destination.http2 { "HTTP/2" } else { "HTTP/1.1" };
        let addresses = if destination.addresses.is_empty() {
            units::UNKNOWN.to_owned()
        } else {
            destination.addresses.join(", ")
        };
        lines.line(format!(
            "to      {}:{} {protocol}{}, {} for each client; {addresses}",
            destination.host,
            destination.port,
            if destination.secure { " TLS" } else { "" },
            units::plural(destination.connections_per_client.into(), "connection"),
        ));
    }
    match &plan.sentence {
        Some(sentence) => lines.line(format!("!!      {sentence}")),
        None => lines.line("fits    `hlswarm run` would start this load"),
    }
    lines.0
}
