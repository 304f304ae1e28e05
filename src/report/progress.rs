//! Progress line, which is printed once a second where there is no screen.

use crate::sample::{RunSample, glance_words};
use crate::vocabulary::{ClientState, Kind, RunState, Timed, units};

/// Returns the state of the run in one line:
/// `00:02:41 RUNNING clients 6,480/10,000 4.12 Gb/s req/s 1,620 segment p95 1,640 ms err 31.2% ...`.
pub fn progress_line(sample: &RunSample) -> String {
    let elapsed = units::clock(sample.at);
    let totals = &sample.snapshot.totals;
    if sample.state == RunState::Draining {
        let open = units::plural(totals.in_flight, "request");
        return format!("{elapsed} DRAINING {open} in flight");
    }
    let rates = sample.recent;
    let p95 = sample.latency(Timed::Total(Kind::Segment)).recent;
    let p95 = p95.map_or(units::UNKNOWN.to_owned(), |summary| units::milliseconds(summary.p95));
    let crossed = sample.crossed_thresholds().map(|judged| format!(" CROSSED {}", judged.threshold));
    let crossed: String = crossed.collect();
    let origin = glance_words(&sample.origin.together());
    let origin = if origin.is_empty() { origin } else { format!(" origin {origin}") };
    format!(
        "{elapsed} {} clients {}/{} {} req/s {} segment p95 {p95} ms err {} stalled {} total {} trust {}{origin}{crossed}",
        sample.state_name(),
        units::count(sample.active_clients()),
        units::count(u64::from(sample.target)),
        rates.map_or(units::UNKNOWN.to_owned(), |rates| units::bit_rate(rates.bits_per_second)),
        units::rate(rates.map(|rates| rates.requests_per_second)),
        units::percent(sample.health.error_share),
        units::count(sample.snapshot.in_state(ClientState::Stalled)),
        units::plural(totals.finished(), "request"),
        sample.trust.verdict.words(),
    )
}

/// Returns the trust verdict with the reason that weighs most and its advice, for a line of its own when it changes.
pub fn trust_line(sample: &RunSample) -> String {
    let trust = &sample.trust;
    let why = trust.main_reason().map(|reason| format!(": {}: {}", reason.sentence(), reason.advice));
    format!("trust {}{}", trust.verdict.words(), why.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_yet_is_not_zero() {
        let line = progress_line(&RunSample::default());
        assert_eq!(
            line,
            "00:00:00 STARTING clients 0/0 -- req/s -- segment p95 -- ms err -- stalled 0 total 0 requests \
             trust UNASSESSED"
        );
    }
}
