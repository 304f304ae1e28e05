//! The operator's thresholds in the report: the block `thresholds`, their values in a document, and their lines.

use serde::Serialize;

use super::doc::{Doc, Part};
use super::page::Page;
use crate::sample::RunSample;
use crate::verdict::{Check, CheckResult, Portion, Quantity, RunNumber, Threshold};
use crate::vocabulary::units::UNKNOWN;
use crate::vocabulary::{Untrusted, per_second};

/// Maximum number of thresholds that are read from a document: more than a run accepts.
const THRESHOLDS: usize = 1_000;

/// A threshold of the operator. `checks` judges it too, with the same result.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ThresholdReport {
    /// The expression of `--threshold`.
    pub expr: String,
    /// Value that decides, in the unit of the report: of windows (`over`) the worst, otherwise that at the end of the run,
    /// or at the moment at which the threshold ended it; `null`: nothing was measured.
    pub value: Option<f64>,
    /// True if it was kept, false if it was crossed; `null`: inconclusive, or the run goes on.
    pub ok: Option<bool>,
    /// Seconds from the start to the first moment at which it was crossed; `null`: it never was.
    pub crossed_at_s: Option<f64>,
    /// True if it ended the run (`--abort-on-fail`).
    pub ended_the_run: bool,
}

/// Returns the block of a run; `checks` are those of the same thresholds, in the same order.
pub(super) fn block(sample: &RunSample, checks: &[Check]) -> Vec<ThresholdReport> {
    let row = |(judged, check): (&crate::verdict::JudgedThreshold, &Check)| ThresholdReport {
        expr: judged.threshold.to_string(),
        value: check.value,
        ok: match check.result {
            CheckResult::Pass => Some(true),
            CheckResult::Fail => Some(false),
            CheckResult::Unknown | CheckResult::Inconclusive => None,
        },
        crossed_at_s: judged.standing.crossed_at.map(|at| at.as_secs_f64()),
        ended_the_run: judged.standing.aborted_at.is_some(),
    };
    sample.thresholds.iter().zip(checks).map(row).collect()
}

/// Returns the value of a quantity for the whole run of a document; `None` if it has none.
pub(super) fn value_of(root: Part<'_>, quantity: Quantity) -> Option<f64> {
    let is_measured = root.at("/requests/finished").count() > 0;
    let requests = |count: u64| is_measured.then_some(count as f64);
    let counted = |name: &str, label: &str| root.at(name).member(label).count();
    match quantity {
        Quantity::Number(RunNumber::SuccessShare) => {
            root.at(RunNumber::SuccessShare.path()).number().map(|share| 1.0 - share)
        }
        Quantity::Number(RunNumber::RequestsPerSecond) => {
            let started = root.at(RunNumber::RequestsPerSecond.path()).number()?;
            per_second(started, root.at("/run/duration_s").seconds())
        }
        Quantity::Number(number @ (RunNumber::PlayingShare | RunNumber::StalledShare)) => {
            let [part, whole] = [number.path(), "/health/clients_at_end"].map(|path| root.at(path).count());
            Portion { part, whole }.share()
        }
        Quantity::Number(number) => root.at(number.path()).number(),
        Quantity::Duration(of, statistic) => {
            root.at("/latency_us").member(&of.name()).member(statistic.name()).number()
        }
        Quantity::Sessions(of, statistic) => {
            root.at("/playback/sessions").member(of.name()).member(statistic.name()).number()
        }
        Quantity::HttpErrors(Some(code)) => requests(counted("/http_errors", &code.to_string())),
        Quantity::HttpErrors(None) => {
            requests(root.at("/http_errors").table().fold(0, |sum, (_, it)| it.count().saturating_add(sum)))
        }
        Quantity::Outcomes(outcome) => requests(counted("/outcomes", &outcome.to_string())),
        Quantity::Findings(finding) => {
            let is_meant =
                |row: &Part<'_>| finding.is_none_or(|finding| finding.name() == row.at("/kind").text());
            let rows = root.at("/findings").list().filter(is_meant);
            requests(rows.fold(0, |sum, row| row.at("/count").count().saturating_add(sum)))
        }
    }
}

/// Returns value and limit of a check as people read them; `None` if it is no threshold, whose name is its expression.
pub(super) fn shown(check: Part<'_>) -> Option<(String, String)> {
    let threshold = Threshold::parse(check.at("/name").text()).ok()?;
    let value = check.at("/value").number().map_or(UNKNOWN.to_owned(), |value| threshold.shown(value));
    let limit = format!("{} {}", threshold.limit.sign(), threshold.shown(threshold.limit.number()));
    Some((value, limit))
}

/// Writes a line for each threshold: `PASS    error_rate<1%: 0.20%`.
pub(super) fn lines(doc: &Doc, page: &mut Page) {
    for row in doc.at("/thresholds").list().take(THRESHOLDS) {
        let word = match row.at("/ok").value().as_bool() {
            Some(true) => "PASS",
            Some(false) => "FAIL",
            None => "??",
        };
        let expr = row.at("/expr").text();
        let threshold = Threshold::parse(expr).ok();
        let value = threshold.zip(row.at("/value").number());
        let value = value.map_or(UNKNOWN.to_owned(), |(threshold, value)| threshold.shown(value));
        page.line(format!("{word:<8}{}: {value}", Untrusted::new(expr).shown()));
    }
}
