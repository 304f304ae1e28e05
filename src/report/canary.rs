//! The canary in the report: one client on a thread of its own, beside all others.

use serde::Serialize;

use super::cells::plural;
use super::doc::Part;
use crate::sample::CanaryReading;
use crate::vocabulary::units;

/// One of the clients, on a worker thread of its own. If the others wait longer for the first byte, the difference is
/// the load tester's. It belongs to one machine, so it has percentiles only and cannot be added.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CanaryReport {
    /// Number of its worker.
    pub worker: usize,
    /// Kind of the requests that are compared: `segment`, or `playlist` if there were no segments.
    pub kind: &'static str,
    /// Its requests of this kind.
    pub requests: u64,
    /// Median of its times to the first byte, in microseconds.
    pub ttfb_us_p50: u64,
    /// 99th percentile of the canary's times.
    pub ttfb_us_p99: u64,
    /// Median of the times to the first byte of all other clients.
    pub crowd_ttfb_us_p50: u64,
}

impl From<CanaryReading> for CanaryReport {
    fn from(reading: CanaryReading) -> Self {
        Self {
            worker: reading.worker,
            kind: reading.kind.name(),
            requests: reading.canary.count,
            ttfb_us_p50: reading.canary.p50,
            ttfb_us_p99: reading.canary.p99,
            crowd_ttfb_us_p50: reading.crowd.p50,
        }
    }
}

/// Returns the line of the text report.
pub(super) fn line(canary: Part<'_>) -> String {
    let [own, crowd] =
        ["/ttfb_us_p50", "/crowd_ttfb_us_p50"].map(|path| units::milliseconds(canary.at(path).count()));
    let requests = plural(canary.at("/requests"), "request");
    format!("        canary  {} ttfb p50 {own} ms, crowd {crowd} ms, {requests}", canary.at("/kind").word())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_compares_both() {
        let report = CanaryReport {
            worker: 2,
            kind: "segment",
            requests: 512,
            ttfb_us_p50: 1_200,
            ttfb_us_p99: 9_000,
            crowd_ttfb_us_p50: 1_310,
        };
        let json = serde_json::to_value(report).expect("JSON");
        let line = line(Part::new(&json));
        assert_eq!(line.trim(), "canary  segment ttfb p50 1.20 ms, crowd 1.31 ms, 512 requests");
    }
}
