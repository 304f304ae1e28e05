//! Medians of one load over the rounds.

use super::Misfit;
use crate::capacity::{FloorLatency, Measured, Round, TestLoad};

/// Load that was measured in several rounds, each number the median of them. Rates are per second.
#[derive(Clone, Debug)]
pub(super) struct Typical {
    /// Microseconds of CPU, on a machine of the typical speed.
    pub cpu_us: f64,
    pub requests: f64,
    pub bytes: f64,
    pub connections: f64,
    /// Requests for a second of CPU. It is a median of its own: a load without a pause has another rate in each round.
    pub requests_per_cpu_s: f64,
    pub bytes_per_cpu_s: f64,
    pub clients: f64,
    pub resident_bytes: Option<f64>,
    pub playlist_ttfb_us: Option<FloorLatency>,
    pub segment_ttfb_us: Option<FloorLatency>,
    pub segment_us: Option<FloorLatency>,
}

impl Typical {
    /// Returns the medians of a load, at the speed `beside_ns`.
    pub fn new(rounds: &[&Round], load: TestLoad, secure: bool, beside_ns: f64) -> Result<Self, Misfit> {
        let windows = windows(rounds, load, secure);
        let missing = Misfit::Missing(load);
        let of = |value: &dyn Fn(&Measured, f64) -> f64| {
            let each = windows.iter().filter_map(|window| {
                let slowness = window.speed_beside_ns? / beside_ns;
                Some(value(window, window.cpu_s / slowness)).filter(|value| value.is_finite())
            });
            median(each.collect())
        };
        let known = |value: &dyn Fn(&Measured, f64) -> f64| of(value).ok_or(missing);
        let latency = |value: fn(&Measured) -> Option<FloorLatency>| {
            let of = |part: fn(FloorLatency) -> f64| {
                median(windows.iter().filter_map(|window| value(window).map(part)).collect())
            };
            Some(FloorLatency { p50: of(|latency| latency.p50)?, p99: of(|latency| latency.p99)? })
        };
        let resident = windows.iter().filter_map(|window| window.resident_bytes);
        Ok(Self {
            cpu_us: known(&|window, cpu_s| cpu_s * 1e6 / window.seconds)?,
            requests: known(&|window, _| window.requests as f64 / window.seconds)?,
            bytes: known(&|window, _| window.bytes as f64 / window.seconds)?,
            connections: known(&|window, _| window.connections as f64 / window.seconds)?,
            requests_per_cpu_s: known(&|window, cpu_s| window.requests as f64 / cpu_s)?,
            bytes_per_cpu_s: known(&|window, cpu_s| window.bytes as f64 / cpu_s)?,
            clients: known(&|window, _| window.clients as f64)?,
            resident_bytes: median(resident.map(|bytes| bytes as f64).collect()),
            playlist_ttfb_us: latency(|window| window.playlist_ttfb_us),
            segment_ttfb_us: latency(|window| window.segment_ttfb_us),
            segment_us: latency(|window| window.segment_us),
        })
    }
}

/// Returns the measurements of a load that count: those that nothing disturbed, or all if there is no such one.
fn windows<'a>(rounds: &[&'a Round], load: TestLoad, secure: bool) -> Vec<&'a Measured> {
    let all = rounds.iter().filter_map(|round| round.get(&(load, secure)));
    let all: Vec<_> = all.filter(|window| has_numbers(window, load)).collect();
    let good: Vec<_> = all.iter().copied().filter(|window| !window.is_disturbed()).collect();
    if good.is_empty() { all } else { good }
}

/// Reports whether something was measured.
pub(super) fn has_numbers(window: &Measured, load: TestLoad) -> bool {
    let happened = window.requests > 0 || load == TestLoad::Idle;
    window.seconds > 0.0
        && window.cpu_s > 0.0
        && happened
        && window.speed_beside_ns.is_some_and(|ns| ns > 0.0)
}

/// Returns the median of a speed over all measurements of all rounds.
pub(super) fn speed(rounds: &[&Round], of: fn(&Measured) -> Option<f64>) -> Result<f64, Misfit> {
    let speeds = rounds.iter().flat_map(|round| round.values()).filter_map(of).collect();
    median(speeds)
        .filter(|ns| ns.is_finite() && *ns > 0.0)
        .ok_or(Misfit::NoPrice("a step of the speed measurement"))
}

/// Returns the median; that of an even number of values lies between the two in the middle.
pub(super) fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let upper = values.len() / 2;
    let high = *values.get(upper)?;
    match upper.checked_sub(1).and_then(|lower| values.get(lower)) {
        Some(low) if values.len().is_multiple_of(2) => Some(f64::midpoint(*low, high)),
        _ => Some(high),
    }
}
