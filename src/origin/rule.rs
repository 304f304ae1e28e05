//! One fault rule as the operator writes it: `KIND:FAULT[:SHARE][@FROM+FOR]`.
//!
//! * KIND is `playlist`, `segment`, `init` or `any`.
//! * FAULT is a status code, `delay=300ms`, `bandwidth=500k`, `cut`, `reset`, `stall` or `stale`.
//! * SHARE is the share of the requests of that kind that the rule hits; the default is all of them.
//! * `@30s+10s` limits the rule to the time from 30 s to 40 s after the origin's start.
//! * Every error is one sentence that says what is accepted.

use std::str::FromStr;
use std::time::Duration;

use http::StatusCode;

use crate::vocabulary::{Kind, units};

/// Effect of a fault on a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Answers with this failure and a short body. Other statuses are not faults.
    Status(StatusCode),
    /// Delays the answer by this time.
    Delay(Duration),
    /// Limits the body to this rate in bits per second, as long as the rule is active.
    Bandwidth(u64),
    /// Announces the whole length, sends half of the body, then closes the connection (HTTP/2: resets the stream).
    Cut,
    /// Resets the connection (TCP RST) instead of answering, with everything else on it.
    Reset,
    /// Sends half of the body, then nothing, and leaves the connection open.
    Stall,
    /// Freezes the live playlist.
    Stale,
}

/// Time in which a rule is active, measured from the origin's start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Start of the window.
    pub from: Duration,
    /// Length of the window.
    pub length: Duration,
    /// Period with which the window repeats.
    pub every: Option<Duration>,
}

/// Interval in which a rule is active, as durations since the origin's start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Active {
    /// Start of the interval.
    pub since: Duration,
    /// End of the interval; `None` if the rule stays active.
    pub until: Option<Duration>,
}

/// A fault, the requests that it hits, and the time in which it does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FaultRule {
    /// Kind of request that the rule hits; `None` for all.
    pub kind: Option<Kind>,
    /// Effect on these requests.
    pub fault: Fault,
    /// Share of the requests of that kind, 0 to 1.
    pub share: f64,
    /// Window in which the rule is active; `None` for always.
    pub window: Option<Window>,
}

impl FaultRule {
    /// Returns the interval of activity that contains `elapsed`, if the rule is active then.
    pub fn active_at(&self, elapsed: Duration) -> Option<Active> {
        let Some(window) = self.window else {
            return Some(Active { since: Duration::ZERO, until: None });
        };
        let past_from = elapsed.checked_sub(window.from)?;
        let since = match window.every {
            Some(period) => window.from + duration_floor(past_from, period),
            None => window.from,
        };
        let until = since.saturating_add(window.length);
        (elapsed < until).then_some(Active { since, until: Some(until) })
    }

    /// Reports whether the rule can hit a request of this kind.
    pub fn concerns(&self, kind: Kind) -> bool {
        self.kind.is_none_or(|hit| hit == kind)
    }
}

/// Returns the largest multiple of `step` that is not above `value`; zero for a step of zero.
fn duration_floor(value: Duration, step: Duration) -> Duration {
    let past = value.as_nanos().checked_rem(step.as_nanos()).unwrap_or(value.as_nanos());
    value.saturating_sub(Duration::from_nanos(u64::try_from(past).unwrap_or(u64::MAX)))
}

impl FromStr for FaultRule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (what, window) = match text.trim().split_once('@') {
            Some((what, window)) => (what, Some(parse_window(window)?)),
            None => (text.trim(), None),
        };
        let mut fields = what.split(':');
        let kind = parse_kind(fields.next().unwrap_or_default())?;
        let fault = parse_fault(fields.next().unwrap_or_default())?;
        let share = fields.next().map_or(Ok(1.0), units::parse_share)?;
        if fields.next().is_some() {
            return Err("expected KIND:FAULT[:SHARE][@FROM+FOR], such as segment:404:5%@30s+10s".to_owned());
        }
        if fault == Fault::Stale && !matches!(kind, None | Some(Kind::Playlist)) {
            return Err("expected playlist or any before stale: only playlists can be stale".to_owned());
        }
        Ok(Self { kind, fault, share, window })
    }
}

fn parse_kind(text: &str) -> Result<Option<Kind>, String> {
    match text.trim() {
        "any" => Ok(None),
        "playlist" => Ok(Some(Kind::Playlist)),
        "segment" => Ok(Some(Kind::Segment)),
        "init" => Ok(Some(Kind::Init)),
        _ => Err("expected a fault that begins with playlist:, segment:, init: or any:".to_owned()),
    }
}

fn parse_fault(text: &str) -> Result<Fault, String> {
    let (name, value) = match text.trim().split_once('=') {
        Some((name, value)) => (name.trim(), Some(value)),
        None => (text.trim(), None),
    };
    match (name, value) {
        ("delay", Some(value)) => units::parse_duration(value).map(Fault::Delay),
        ("bandwidth", Some(value)) => units::parse_bit_rate(value).map(Fault::Bandwidth),
        ("cut", None) => Ok(Fault::Cut),
        ("reset", None) => Ok(Fault::Reset),
        ("stall", None) => Ok(Fault::Stall),
        ("stale", None) => Ok(Fault::Stale),
        (code, None) => parse_status(code).map(Fault::Status),
        _ => Err(ACCEPTED_FAULTS.to_owned()),
    }
}

const ACCEPTED_FAULTS: &str =
    "expected a status from 400 to 599, delay=300ms, bandwidth=500k, cut, reset, stall or stale";

fn parse_status(text: &str) -> Result<StatusCode, String> {
    let status = text.parse::<StatusCode>().map_err(|_| ACCEPTED_FAULTS.to_owned())?;
    let is_failure = status.is_client_error() || status.is_server_error();
    if is_failure { Ok(status) } else { Err(ACCEPTED_FAULTS.to_owned()) }
}

fn parse_window(text: &str) -> Result<Window, String> {
    let accepted = || "expected a time window such as @30s+10s: from 30 s on, for 10 s".to_owned();
    let (from, length) = text.split_once('+').ok_or_else(accepted)?;
    let from = units::parse_duration(from).map_err(|_| accepted())?;
    let length = units::parse_duration(length).map_err(|_| accepted())?;
    if length.is_zero() { Err(accepted()) } else { Ok(Window { from, length, every: None }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    #[test]
    fn a_rule_has_a_kind_a_fault_a_share_and_a_window() {
        let rule: FaultRule = "segment:404:5%@30s+10s".parse().unwrap();
        assert_eq!(rule.kind, Some(Kind::Segment));
        assert_eq!(rule.fault, Fault::Status(StatusCode::NOT_FOUND));
        assert_eq!(rule.share, 0.05);
        assert_eq!(rule.window, Some(Window { from: seconds(30), length: seconds(10), every: None }));
    }

    #[test]
    fn every_fault_can_be_written() {
        for (text, fault) in [
            ("any:599", Fault::Status(StatusCode::from_u16(599).unwrap())),
            ("init:delay=300ms", Fault::Delay(Duration::from_millis(300))),
            ("segment:bandwidth=500k", Fault::Bandwidth(500_000)),
            ("segment:cut", Fault::Cut),
            ("any:reset", Fault::Reset),
            ("playlist:stall", Fault::Stall),
            ("playlist:stale", Fault::Stale),
        ] {
            let rule: FaultRule = text.parse().unwrap();
            assert_eq!((rule.fault, rule.share, rule.window), (fault, 1.0, None), "{text}");
        }
    }

    #[test]
    fn what_is_not_a_rule_is_answered_with_what_is_accepted() {
        for text in [
            "",
            "segment",
            "key:404",
            "segment:0404x",
            "segment:100",
            "segment:200",
            "segment:304",
            "segment:399",
            "segment:600",
            "segment:999",
            "segment:1000",
            "segment:delay",
            "segment:delay=soon",
            "segment:cut=1",
            "segment:stale",
            "segment:404:101%",
            "segment:404:5%:x",
            "segment:404@30s",
            "segment:404@30s+0s",
            "segment:404@a+b",
        ] {
            let sentence = text.parse::<FaultRule>().unwrap_err();
            assert!(sentence.starts_with("expected "), "{text}: {sentence}");
        }
    }

    #[test]
    fn a_rule_is_active_in_its_window_only() {
        let rule: FaultRule = "any:404@30s+10s".parse().unwrap();
        assert_eq!(rule.active_at(Duration::from_millis(29_999)), None);
        let active = Some(Active { since: seconds(30), until: Some(seconds(40)) });
        assert_eq!(rule.active_at(seconds(30)), active);
        assert_eq!(rule.active_at(Duration::from_millis(39_999)), active);
        assert_eq!(rule.active_at(seconds(40)), None);
    }

    #[test]
    fn a_repeating_window_comes_again() {
        let mut rule: FaultRule = "any:404@8s+5s".parse().unwrap();
        rule.window.as_mut().unwrap().every = Some(seconds(60));
        assert_eq!(rule.active_at(seconds(67)), None);
        assert_eq!(
            rule.active_at(seconds(69)),
            Some(Active { since: seconds(68), until: Some(seconds(73)) })
        );
    }
}
