//! The health verdict: whether the stream is served well, since when, and where it first was not.
//!
//! * Judged over the last ten seconds: DEGRADED from 1 % errors or 1 % stalled clients, FAILING from 5 %.
//! * What this machine could not do is no fault of the stream: it is no error, and while it lasts stalls are not judged,
//!   because nobody can say whose they are.
//! * A worse verdict is entered after two seconds, a better one after five, so that it does not flap.
//! * The knee is where what first made it DEGRADED began, for errors and for stalls apart: while clients are added, what
//!   the stream carried two seconds later would flatter it.

use std::time::Duration;

use crate::base::{ClientState, units};
use crate::stats::{Rates, Snapshot};

/// Share of failed requests or stalled clients from which on a stream is degraded ...
pub const DEGRADED_SHARE: f64 = 0.01;
/// ... and failing.
pub const FAILING_SHARE: f64 = 0.05;
/// How long a worse verdict must hold before it is entered.
const ENTER_AFTER: Duration = Duration::from_secs(2);
/// How long a better verdict must hold before the worse one is left.
const LEAVE_AFTER: Duration = Duration::from_secs(5);

/// How well the stream is served.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Nothing has been measured.
    #[default]
    Unknown,
    /// Less than 1 % of requests fail and of clients stall.
    Ok,
    /// At least 1 %.
    Degraded,
    /// At least 5 %.
    Failing,
}

impl Verdict {
    /// The word on the screen.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "--",
            Self::Ok => "OK",
            Self::Degraded => "DEGRADED",
            Self::Failing => "FAILING",
        }
    }

    fn of(share: f64) -> Self {
        match share {
            _ if share >= FAILING_SHARE => Self::Failing,
            _ if share >= DEGRADED_SHARE => Self::Degraded,
            _ => Self::Ok,
        }
    }
}

/// The verdict at a moment, and the numbers behind it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Health {
    /// How well the stream is served.
    pub verdict: Verdict,
    /// Since when, as time of the run.
    pub since: Duration,
    /// Share of requests that failed over the last ten seconds; `None` when none finished.
    pub error_share: Option<f64>,
    /// Share of active clients that are stalled; `None` without clients.
    pub stalled_share: Option<f64>,
}

impl Health {
    /// The reason as a sentence with numbers.
    pub fn reason(&self) -> String {
        if self.verdict == Verdict::Unknown {
            return "nothing has been measured yet".to_owned();
        }
        let errors = units::percent(self.error_share);
        let stalled = units::percent(self.stalled_share);
        format!("{errors} of requests fail, {stalled} of clients are stalled")
    }
}

/// Where a stream first was not served well.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Knee {
    /// Clients that were active.
    pub clients: u64,
    /// Bits per second over the last ten seconds.
    pub bits_per_second: Option<f64>,
    /// Time of the run.
    pub at: Duration,
}

/// The knees of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Knees {
    /// Errors first at 1 %.
    pub errors: Option<Knee>,
    /// Stalls first at 1 %.
    pub stalls: Option<Knee>,
}

/// Judges frame after frame.
#[derive(Clone, Copy, Debug, Default)]
pub struct HealthJudge {
    health: Health,
    /// A verdict that differs from the one that holds, and since when it would.
    candidate: Option<(Verdict, Duration)>,
    errors: Trouble,
    stalls: Trouble,
}

/// Trouble of one sort: what was when it began, and the first that lasted long enough to count.
#[derive(Clone, Copy, Debug, Default)]
struct Trouble {
    began: Option<Knee>,
    knee: Option<Knee>,
}

impl Trouble {
    fn watch(&mut self, verdict: Option<Verdict>, now: Knee) {
        if verdict.is_none_or(|verdict| verdict < Verdict::Degraded) {
            self.began = None;
            return;
        }
        let began = *self.began.get_or_insert(now);
        if now.at.saturating_sub(began.at) >= ENTER_AFTER {
            self.knee.get_or_insert(began);
        }
    }
}

impl HealthJudge {
    /// The verdict that holds.
    pub fn verdict(&self) -> Verdict {
        self.health.verdict
    }

    /// What was said last. A run that ends takes its clients away: what the last of them see says nothing of the stream.
    pub fn last(&self) -> (Health, Knees) {
        (self.health, Knees { errors: self.errors.knee, stalls: self.stalls.knee })
    }

    /// Takes the numbers of a moment and says what holds.
    pub fn judge(&mut self, at: Duration, snapshot: &Snapshot, recent: Option<&Rates>) -> (Health, Knees) {
        let active = snapshot.active();
        let stalled = snapshot.in_state(ClientState::Stalled);
        self.health.error_share = recent.and_then(Rates::error_share);
        self.health.stalled_share = (active > 0).then(|| stalled as f64 / active as f64);
        let errors = self.health.error_share.map(Verdict::of);
        let is_ours = recent.is_some_and(|rates| rates.local_faults > 0);
        let stalls = self.health.stalled_share.map(Verdict::of).filter(|_| !is_ours);
        // That nobody stalls before anything was asked for says nothing: it begins with the share of errors.
        let has_begun = errors.is_some() || self.health.verdict != Verdict::Unknown;
        self.settle(at, errors.into_iter().chain(stalls).max().filter(|_| has_begun));

        let knee = Knee { clients: active, bits_per_second: recent.map(|rates| rates.bits_per_second), at };
        self.errors.watch(errors, knee);
        self.stalls.watch(stalls, knee);
        self.last()
    }

    fn settle(&mut self, at: Duration, verdict: Option<Verdict>) {
        let Some(verdict) = verdict.filter(|verdict| *verdict != self.health.verdict) else {
            self.candidate = None;
            return;
        };
        let since = match self.candidate {
            // Worse and worse, or better and better, is still a change in the same direction.
            Some((earlier, since)) if (earlier > self.health.verdict) == (verdict > self.health.verdict) => {
                since
            }
            _ => at,
        };
        self.candidate = Some((verdict, since));
        let patience = match self.health.verdict {
            Verdict::Unknown => Duration::ZERO,
            current if verdict > current => ENTER_AFTER,
            _ => LEAVE_AFTER,
        };
        if at.saturating_sub(since) >= patience {
            (self.health.verdict, self.health.since) = (verdict, since);
            self.candidate = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rates(finished: u64, errors: u64) -> Rates {
        Rates {
            length: Duration::from_secs(10),
            bits_per_second: 1e6,
            segment_bits_per_second: 1e6,
            requests_per_second: 0.0,
            playlists_per_second: 0.0,
            segments_per_second: 0.0,
            finished,
            errors,
            local_faults: 0,
        }
    }

    /// Judges at 4 Hz from `from` to `to` seconds and returns the verdict at the end.
    fn judge(judge: &mut HealthJudge, from: u64, to: u64, errors: u64) -> (Health, Knees) {
        let mut last = (Health::default(), Knees::default());
        for step in from * 4..=to * 4 {
            last = judge.judge(
                Duration::from_millis(step * 250),
                &Snapshot::default(),
                Some(&rates(1_000, errors)),
            );
        }
        last
    }

    #[test]
    fn a_worse_verdict_takes_two_seconds_and_a_better_one_five() {
        let mut health = HealthJudge::default();
        assert_eq!(judge(&mut health, 0, 1, 0).0.verdict, Verdict::Ok);
        assert_eq!(judge(&mut health, 10, 11, 60).0.verdict, Verdict::Ok);
        let (failing, knees) = judge(&mut health, 11, 12, 60);
        assert_eq!((failing.verdict, failing.since.as_secs()), (Verdict::Failing, 10));
        assert_eq!(knees.errors.map(|knee| knee.at.as_secs()), Some(10), "where it began");
        assert_eq!(knees.stalls, None);
        assert_eq!(judge(&mut health, 20, 24, 0).0.verdict, Verdict::Failing);
        assert_eq!(judge(&mut health, 24, 25, 0).0.verdict, Verdict::Ok);
    }

    #[test]
    fn a_short_burst_changes_nothing() {
        let mut health = HealthJudge::default();
        judge(&mut health, 0, 1, 0);
        judge(&mut health, 2, 3, 500);
        let (after, knees) = judge(&mut health, 4, 5, 0);
        assert_eq!((after.verdict, knees), (Verdict::Ok, Knees::default()));
        let (_, knees) = judge(&mut health, 6, 8, 500);
        assert_eq!(knees.errors.map(|knee| knee.at.as_secs()), Some(6), "not of the burst");
        let (_, knees) = judge(&mut health, 20, 30, 500);
        assert_eq!(knees.errors.map(|knee| knee.at.as_secs()), Some(6), "the first one stays");
    }

    #[test]
    fn one_per_cent_is_degraded() {
        let mut health = HealthJudge::default();
        assert_eq!(judge(&mut health, 0, 3, 9).0.verdict, Verdict::Ok);
        assert_eq!(judge(&mut health, 4, 7, 10).0.verdict, Verdict::Degraded);
    }

    #[test]
    fn what_this_machine_lacks_says_nothing_of_the_stream() {
        let (registry, mut snapshot) = (crate::stats::Registry::new(1), Snapshot::default());
        let client = registry.add();
        client.meter(0, crate::base::Clock::start()).set_state(ClientState::Stalled);
        registry.snapshot(0, &mut snapshot);
        let judged = |local_faults| {
            let (mut health, mut last) = (HealthJudge::default(), Default::default());
            for second in 0..10 {
                let rates = Rates { local_faults, ..rates(100, 0) };
                last = health.judge(Duration::from_secs(second), &snapshot, Some(&rates));
            }
            last
        };
        let (ours, knees) = judged(1);
        assert_eq!((ours.verdict, knees), (Verdict::Ok, Knees::default()));
        let (theirs, knees) = judged(0);
        assert_eq!((theirs.verdict, knees.stalls.is_some()), (Verdict::Failing, true));
    }

    #[test]
    fn nothing_is_well_before_a_request_has_ended() {
        let (mut health, mut joined) = (HealthJudge::default(), Snapshot::default());
        let registry = crate::stats::Registry::new(1);
        let _client = registry.add();
        registry.snapshot(0, &mut joined);
        let (unknown, _) = health.judge(Duration::from_secs(1), &joined, None);
        assert_eq!((unknown.verdict, unknown.stalled_share), (Verdict::Unknown, Some(0.0)));
        assert_eq!(unknown.reason(), "nothing has been measured yet");
    }

    #[test]
    fn without_numbers_nothing_is_said() {
        let mut health = HealthJudge::default();
        let (unknown, _) = health.judge(Duration::from_secs(9), &Snapshot::default(), None);
        assert_eq!(unknown.verdict, Verdict::Unknown);
        assert_eq!(unknown.reason(), "nothing has been measured yet");
    }
}
