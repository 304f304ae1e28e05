//! The `hard_stops` block of the report, and its lines of text.

use serde::Serialize;

use super::cells::percent;
use super::doc::Part;
use crate::sample::RunSample;
use crate::vocabulary::HardStop;

/// Hard stops of the run; `null` where none was asked for.
#[derive(Clone, Debug, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct HardStopsReport {
    /// Body bytes that may arrive (`--max-bytes`).
    pub max_bytes: Option<HardStopUse>,
    /// Requests that may be sent (`--max-requests`). Requests that hlswarm refused itself do not count, and repeats on
    /// a new connection (`connections.stale_retries`) are not counted twice.
    pub max_requests: Option<HardStopUse>,
    /// Body bits that may arrive within a second (`--max-bandwidth`).
    pub max_bits_per_second: Option<HardStopUse>,
}

/// A hard stop and the amount used of it.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct HardStopUse {
    /// The limit.
    pub limit: u64,
    /// Amount used; of bits per second, the most within a second.
    pub used: u64,
    /// Seconds since the start at which the limit ended the run; `null`: it did not.
    pub reached_at_s: Option<f64>,
    /// Used share of the limit.
    pub used_share: f64,
}

impl HardStopsReport {
    pub(super) fn new(sample: &RunSample) -> Self {
        let reached = sample.hard_stop();
        let used = |stop: HardStop| {
            let spent = sample.spent(stop)?;
            let at = reached.filter(|(reached, _)| *reached == stop).map(|(_, at)| at.as_secs_f64());
            Some(HardStopUse {
                limit: spent.limit,
                used: spent.used,
                reached_at_s: at,
                used_share: spent.share(),
            })
        };
        Self {
            max_bytes: used(HardStop::Bytes),
            max_requests: used(HardStop::Requests),
            max_bits_per_second: used(HardStop::Bandwidth),
        }
    }
}

/// Returns a line for each hard stop of the run.
pub(super) fn lines(stops: Part<'_>) -> Vec<String> {
    let places = ["/max_bytes", "/max_requests", "/max_bits_per_second"].map(|path| stops.at(path));
    let given = HardStop::ALL.into_iter().zip(places).filter(|(_, used)| used.is_known());
    let line = |(place, (stop, used)): (usize, (HardStop, Part<'_>))| {
        let [limit, amount] = ["/limit", "/used"].map(|path| stop.amount(used.at(path).count()));
        let label = if place == 0 { "limits" } else { "" };
        format!("{label:<8}{} {limit}: {amount}, {}", stop.option(), percent(used.at("/used_share")))
    };
    given.enumerate().map(line).collect()
}
