//! Report of `hlswarm selftest`, as text and as JSON.

use serde::Serialize;

use super::page::Page;
use crate::capacity::{
    BodyPoint, Calibration, FloorLatency, Machine, Measured, Round, TestLoad, TransportCosts,
};
use crate::vocabulary::units;

/// The version of the JSON report.
const SCHEMA: &str = "hlswarm.selftest/2";

/// Result of a selftest. Names carry their units; JSON keeps the order of the fields.
#[derive(Clone, Debug, Serialize)]
pub struct SelftestReport {
    /// Always `hlswarm.selftest/2`.
    pub schema: &'static str,
    /// The version of hlswarm.
    pub version: &'static str,
    /// Identifier of the executable.
    pub build: String,
    /// The machine.
    pub machine: Machine,
    /// File that keeps the calibration for later runs; `null`: none was kept.
    pub file: Option<String>,
    /// Reasons not to believe the result, so that it is not kept; empty if there are none.
    pub reasons: Vec<String>,
    /// The calibration; `null`: the loads gave none.
    pub calibration: Option<Calibration>,
    /// Numbers of the loads in each round.
    pub loads: Vec<LoadReport>,
}

/// Numbers of one load in one round.
#[derive(Clone, Debug, Serialize)]
pub struct LoadReport {
    /// Number of the round, from 1.
    pub round: usize,
    /// Name of the load.
    pub load: TestLoad,
    /// True over TLS.
    pub secure: bool,
    /// Its numbers.
    #[serde(flatten)]
    pub measured: Measured,
}

impl LoadReport {
    /// Returns the numbers of all loads in all rounds.
    pub fn all(rounds: &[Round]) -> Vec<Self> {
        let each = (1..).zip(rounds).flat_map(|(number, round)| round.iter().map(move |load| (number, load)));
        let each = each.map(|(round, ((load, secure), measured))| Self {
            round,
            load: *load,
            secure: *secure,
            measured: measured.clone(),
        });
        each.collect()
    }
}

impl SelftestReport {
    /// Creates the report of a measurement on this machine; it has no calibration yet.
    pub fn new(machine: Machine, build: String, loads: Vec<LoadReport>) -> Self {
        Self {
            schema: SCHEMA,
            version: env!("CARGO_PKG_VERSION"),
            build,
            machine,
            file: None,
            reasons: Vec::new(),
            calibration: None,
            loads,
        }
    }

    /// Returns the report as JSON, pretty-printed, with a newline at its end.
    ///
    /// # Errors
    /// Never fails for a report that was built here; the signature is serde's.
    pub fn json(&self) -> serde_json::Result<String> {
        serde_json::to_string_pretty(self).map(|text| text + "\n")
    }
}

/// Returns the report as text, 80 columns wide, with a newline at its end.
pub fn text(report: &SelftestReport) -> String {
    let mut page = Page::default();
    let machine = &report.machine;
    page.line(format!("hlswarm {} selftest", report.version));
    // Kernels for ARM name no model.
    let model = if machine.cpu_model.is_empty() { "of an unknown model" } else { &machine.cpu_model };
    page.line(format!(
        "machine {model}, {} processors allowed, kernel {}",
        // Whole processors as "2", a quota as "1.5".
        machine.cpus_allowed,
        machine.kernel
    ));
    page.rule();
    if let Some(calibration) = &report.calibration {
        prices(calibration, &mut page);
        page.rule();
    }
    match &report.file {
        Some(file) => page.line(format!("saved   to {file}; later runs are compared with it")),
        None => page.line("saved   nothing"),
    }
    for reason in &report.reasons {
        page.line(format!("!!      {reason}"));
    }
    if !report.reasons.is_empty() {
        page.line("        run it again while nothing else works on this machine");
    }
    page.0
}

fn prices(calibration: &Calibration, page: &mut Page) {
    let both = [&calibration.plain, &calibration.tls];
    let mut row = |label: &str, value: &dyn Fn(&TransportCosts) -> String| {
        let [plain, tls] = both.map(value);
        page.line(format!("{label:<26}{plain:>24}{tls:>26}"));
    };
    row("at most", &|costs| format!("{} requests/s", units::number(costs.requests_per_s_max.round())));
    row("", &|costs| units::bit_rate(costs.bits_per_second_max));
    for (place, label) in ["CPU of a request", "", ""].into_iter().enumerate() {
        row(label, &|costs| {
            let point = costs.request_us.get(place);
            let shown = |us: f64, rate: f64| format!("{} us at {}/s", units::number(us), units::number(rate));
            point.map_or(units::UNKNOWN.to_owned(), |point| shown(point.us, point.requests_per_s))
        });
    }
    row("CPU of a connection", &|costs| format!("{} us", units::number(costs.connection_us)));
    for (place, label) in ["CPU of a body", ""].into_iter().enumerate() {
        row(label, &|costs| {
            let shown = |point: &BodyPoint| {
                format!("{} us of {}", units::number(point.us), units::bytes(point.bytes.round() as u64))
            };
            costs.body_us.get(place).map_or(units::UNKNOWN.to_owned(), shown)
        });
    }
    row("memory of a client", &|costs| units::bytes(costs.client_bytes.round() as u64));
    let latency = |floor: FloorLatency| {
        let [p50, p99] = [floor.p50, floor.p99].map(|us| units::milliseconds(us.round() as u64));
        format!("{p50} / {p99} ms")
    };
    row("floor p50 / p99, playlist", &|costs| latency(costs.floor.playlist_ttfb_us));
    row("  first byte of a segment", &|costs| latency(costs.floor.segment_ttfb_us));
    row("  whole segment", &|costs| latency(costs.floor.segment_us));
    page.line(format!(
        "idle CPU {} of a core; the prices mispredict a test load by {}, a single window of it by {} more",
        units::percent(Some(calibration.base_us_per_s / 1e6)),
        units::percent(Some(calibration.model_error_share)),
        units::percent(Some(calibration.spread_share)),
    ));
    page.line("left: HTTP, right: HTTPS; on the loopback interface: a network card costs more");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capacity::calibration_for_tests;

    fn report() -> SelftestReport {
        let calibration = calibration_for_tests();
        let quiet = Measured { requests: 300, ..Measured::default() };
        let round = Round::from([false, true].map(|secure| ((TestLoad::Quiet, secure), quiet.clone())));
        let loads = LoadReport::all(&[round.clone(), round]);
        let report = SelftestReport::new(calibration.machine.clone(), "b".to_owned(), loads);
        SelftestReport { calibration: Some(calibration), ..report }
    }

    #[test]
    fn the_text_gives_the_prices_and_says_whether_they_are_kept() {
        let kept = text(&SelftestReport { file: Some("/s/calibration.json".to_owned()), ..report() });
        for said in [
            "40,000 requests/s",
            "9 Gb/s",
            "100.0 us at 100.0/s",
            "200.0 us                  2,000 us",
            "0.30 / 0.60 ms",
            "saved   to /s/calibration.json",
        ] {
            assert!(kept.contains(said), "{said}: {kept}");
        }
        assert!(kept.lines().all(|line| line.chars().count() <= 80), "{kept}");
        let disturbed =
            text(&SelftestReport { reasons: vec!["the machine was busy".to_owned()], ..report() });
        assert!(disturbed.contains("saved   nothing\n !!      the machine was busy\n"), "{disturbed}");
        let none = text(&SelftestReport { calibration: None, ..report() });
        assert!(!none.contains("requests/s"), "{none}");
    }

    #[test]
    fn json_has_the_numbers_of_each_load_beside_its_name() {
        let json = serde_json::to_value(report()).expect("JSON");
        assert_eq!(json["schema"], SCHEMA);
        assert_eq!((&json["loads"][3]["round"], &json["loads"][3]["load"]), (&2.into(), &"quiet".into()));
        assert_eq!((&json["loads"][1]["secure"], &json["loads"][1]["requests"]), (&true.into(), &300.into()));
        assert_eq!(json["calibration"]["schema"], crate::capacity::SCHEMA);
        assert_eq!(json["file"], serde_json::Value::Null);
    }
}
