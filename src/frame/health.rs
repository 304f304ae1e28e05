//! The health verdict: whether the stream is served well, since when, and where it first was not.
//!
//! * Judged over the last ten seconds: DEGRADED from 1 % errors or 1 % stalled clients, FAILING from 5 %.
//! * What this machine could not do is no fault of the stream: it is no error, and while it lasts stalls are not judged,
//!   because nobody can say whose they are.
//! * A worse verdict is entered after two seconds, a better one after five, so that it does not flap.
//! * Nothing is judged well, and there is no knee, before a client has played.
//! * While the numbers contradict the verdict that holds, [`Pending`] says what follows and when. The result of a run is the
//!   worst verdict that held.
//! * The knee is where what first made it DEGRADED began, for errors and for stalls apart: while clients are added, what
//!   the stream carried two seconds later would flatter it.

use std::time::Duration;

use crate::base::{ClientState, units};
use crate::stats::{Metric, Rates, Snapshot, Totals};

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
    /// Nothing has been measured, or no client has played yet.
    #[default]
    Unknown,
    /// Less than 1 % of requests fail and of clients stall.
    Ok,
    /// At least 1 %.
    Degraded,
    /// At least 5 %.
    Failing,
    /// Requests fail, and no client has ever played.
    NothingPlays,
}

impl Verdict {
    /// How many there are.
    const COUNT: usize = 5;

    /// The word on the screen.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "--",
            Self::Ok => "OK",
            Self::Degraded => "DEGRADED",
            Self::Failing => "FAILING",
            Self::NothingPlays => "NOTHING PLAYS",
        }
    }

    /// The word for a run that has ended.
    pub const fn past(self) -> &'static str {
        match self {
            Self::Failing => "FAILED",
            Self::NothingPlays => "NOTHING PLAYED",
            other => other.name(),
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

impl serde::Serialize for Verdict {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// A verdict that the numbers of now call for. It holds when they have called for it long enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pending {
    /// The verdict.
    pub verdict: Verdict,
    /// Since when the numbers differ from the verdict that holds.
    pub lasted: Duration,
    /// When it holds, if they stay.
    pub left: Duration,
}

/// The verdict at a moment, and the numbers behind it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Health {
    /// How well the stream is served.
    pub verdict: Verdict,
    /// Since when, as time of the run.
    pub since: Duration,
    /// The verdict that follows, where the numbers of now contradict the one that holds.
    pub pending: Option<Pending>,
    /// Share of requests that failed over the last ten seconds; `None` when none finished.
    pub error_share: Option<f64>,
    /// Share of active clients that are stalled; `None` without clients.
    pub stalled_share: Option<f64>,
}

impl Health {
    /// The reason as a sentence with numbers.
    pub fn reason(&self) -> String {
        if self.verdict == Verdict::Unknown {
            let waiting = if self.error_share.is_some() { "no client has played yet" } else { NOT_MEASURED };
            return waiting.to_owned();
        }
        let errors = units::percent(self.error_share);
        let stalled = units::percent(self.stalled_share);
        let numbers = format!("{errors} of requests fail, {stalled} of clients are stalled");
        match self.pending {
            Some(pending) => format!("{}: {numbers}; {}", self.trend(pending), pending.outlook()),
            None => numbers,
        }
    }

    /// In which direction the numbers have left the verdict, and how long ago: `better for 3 s`.
    pub fn trend(&self, pending: Pending) -> String {
        let direction = if pending.verdict > self.verdict { "worse" } else { "better" };
        format!("{direction} for {} s", pending.lasted.as_secs())
    }
}

impl Pending {
    /// What follows, and when: `OK in 2 s`.
    pub fn outlook(&self) -> String {
        format!("{} in {} s", self.verdict.name(), self.left.as_secs_f64().ceil())
    }
}

const NOT_MEASURED: &str = "nothing has been measured yet";

/// The result of a run so far: its worst verdict, never that of its last ten seconds alone.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RunResult {
    /// The worst verdict, or the one that all requests together call for, where that is worse.
    pub worst: Verdict,
    /// For how long that verdict held; zero where it only follows from all requests together.
    pub held: Duration,
    /// Share of all requests that failed; `None` when none finished.
    pub error_share: Option<f64>,
    /// The largest share of clients that were stalled at once.
    pub stalled_share_max: Option<f64>,
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
    /// For how long each verdict has held, in the order of [`Verdict`], up to `judged_at`.
    held: [Duration; Verdict::COUNT],
    judged_at: Duration,
    stalled_share_max: Option<f64>,
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

    /// Returns what was said last. A run that ends takes its clients away: what the last of them see says nothing of the
    /// stream.
    pub fn last(&self) -> (Health, Knees) {
        (self.health, Knees { errors: self.errors.knee, stalls: self.stalls.knee })
    }

    /// Returns the result of the run so far. `totals` decide with the verdicts that held: no result contradicts its own
    /// count of failures.
    pub fn result(&self, totals: &Totals) -> RunResult {
        let mut held = VERDICTS.into_iter().zip(self.held).filter(|(_, length)| !length.is_zero());
        let (worst, held) = held.next_back().unwrap_or_default();
        let error_share = totals.error_share();
        let of_all = error_share.map_or(Verdict::Unknown, |share| match Verdict::of(share) {
            Verdict::Ok => Verdict::Unknown,
            Verdict::Failing if !has_played(totals) => Verdict::NothingPlays,
            verdict => verdict,
        });
        let (worst, held) = if of_all > worst { (of_all, Duration::ZERO) } else { (worst, held) };
        RunResult { worst, held, error_share, stalled_share_max: self.stalled_share_max }
    }

    /// Takes the numbers of a moment and says what holds.
    pub fn judge(&mut self, at: Duration, snapshot: &Snapshot, recent: Option<&Rates>) -> (Health, Knees) {
        let active = snapshot.active();
        let stalled = snapshot.in_state(ClientState::Stalled);
        self.health.error_share = recent.and_then(Rates::error_share);
        self.health.stalled_share = (active > 0).then(|| stalled as f64 / active as f64);
        self.stalled_share_max =
            self.health.stalled_share.into_iter().chain(self.stalled_share_max).reduce(f64::max);
        let errors = self.health.error_share.map(Verdict::of);
        let is_ours = recent.is_some_and(|rates| rates.local_faults > 0);
        let stalls = self.health.stalled_share.map(Verdict::of).filter(|_| !is_ours);
        self.hold(at);
        if !has_played(&snapshot.totals) {
            // Nothing can be well, and nothing can break under load, before something has worked.
            let fails = errors == Some(Verdict::Failing);
            self.settle(at, fails.then_some(Verdict::NothingPlays));
            return self.last();
        }
        // That nobody stalls before anything was asked for says nothing: it begins with the share of errors.
        let has_begun = errors.is_some() || self.health.verdict != Verdict::Unknown;
        self.settle(at, errors.into_iter().chain(stalls).max().filter(|_| has_begun));

        let knee = Knee { clients: active, bits_per_second: recent.map(|rates| rates.bits_per_second), at };
        self.errors.watch(errors, knee);
        self.stalls.watch(stalls, knee);
        self.last()
    }

    /// Adds the time since the last judgement to the verdict that held in it.
    fn hold(&mut self, at: Duration) {
        let passed = at.saturating_sub(std::mem::replace(&mut self.judged_at, at));
        if let Some(held) = self.held.get_mut(self.health.verdict as usize) {
            *held += passed;
        }
    }

    fn settle(&mut self, at: Duration, verdict: Option<Verdict>) {
        self.health.pending = None;
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
            Verdict::Unknown if verdict == Verdict::NothingPlays => ENTER_AFTER,
            Verdict::Unknown => Duration::ZERO,
            current if verdict > current => ENTER_AFTER,
            _ => LEAVE_AFTER,
        };
        let lasted = at.saturating_sub(since);
        if lasted >= patience {
            self.enter(verdict, since, lasted);
        } else {
            self.health.pending = Some(Pending { verdict, lasted, left: patience.saturating_sub(lasted) });
        }
    }

    /// Begins a verdict, which held already since `since`, `lasted` ago.
    fn enter(&mut self, verdict: Verdict, since: Duration, lasted: Duration) {
        if let Some(before) = self.held.get_mut(self.health.verdict as usize) {
            *before = before.saturating_sub(lasted);
        }
        if let Some(held) = self.held.get_mut(verdict as usize) {
            *held += lasted;
        }
        (self.health.verdict, self.health.since) = (verdict, since);
        self.candidate = None;
    }
}

/// All verdicts, the worst last.
const VERDICTS: [Verdict; Verdict::COUNT] =
    [Verdict::Unknown, Verdict::Ok, Verdict::Degraded, Verdict::Failing, Verdict::NothingPlays];

fn has_played(totals: &Totals) -> bool {
    totals.get(Metric::PlaybackStarts) > 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Kind, Outcome};

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

    /// A moment of a run in which a client has played.
    fn played() -> Snapshot {
        let mut snapshot = Snapshot::default();
        snapshot.totals.scalars.add(Metric::PlaybackStarts, 1);
        snapshot
    }

    /// Judges at 4 Hz from `from` to `to` seconds and returns the verdict at the end.
    fn judge(judge: &mut HealthJudge, from: u64, to: u64, errors: u64) -> (Health, Knees) {
        let mut last = (Health::default(), Knees::default());
        for step in from * 4..=to * 4 {
            last = judge.judge(Duration::from_millis(step * 250), &played(), Some(&rates(1_000, errors)));
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
    fn a_verdict_that_its_numbers_contradict_says_what_follows_and_when() {
        let mut health = HealthJudge::default();
        judge(&mut health, 0, 1, 0);
        let (entering, _) = judge(&mut health, 2, 3, 47);
        assert_eq!(entering.verdict, Verdict::Ok);
        assert_eq!(
            entering.reason(),
            "worse for 1 s: 4.70% of requests fail, -- of clients are stalled; DEGRADED in 1 s"
        );
        let (failing, _) = judge(&mut health, 3, 6, 312);
        assert_eq!((failing.verdict, failing.pending), (Verdict::Failing, None));
        assert_eq!(failing.reason(), "31.2% of requests fail, -- of clients are stalled");
        let (leaving, _) = judge(&mut health, 7, 10, 0);
        assert_eq!(leaving.verdict, Verdict::Failing);
        assert_eq!(
            leaving.reason(),
            "better for 3 s: 0% of requests fail, -- of clients are stalled; OK in 2 s"
        );
    }

    #[test]
    fn the_result_of_a_run_is_its_worst_verdict_and_how_long_that_held() {
        let mut health = HealthJudge::default();
        assert_eq!(health.result(&Totals::default()), RunResult::default());
        judge(&mut health, 0, 9, 0);
        judge(&mut health, 10, 39, 100);
        judge(&mut health, 40, 99, 0);
        let result = health.result(&played().totals);
        assert_eq!((result.worst, result.held.as_secs()), (Verdict::Failing, 30), "from 10 s to 40 s");
        assert_eq!(health.verdict(), Verdict::Ok, "at the end");
    }

    #[test]
    fn a_result_never_contradicts_the_count_of_failures() {
        for (failed, worst) in [(0, Verdict::Ok), (1, Verdict::Degraded), (10, Verdict::Failing)] {
            let mut health = HealthJudge::default();
            judge(&mut health, 0, 1, 0);
            let registry = crate::stats::Registry::new(1);
            let client = registry.add();
            let meter = client.meter(0, crate::base::Clock::start());
            meter.count(Metric::PlaybackStarts, 1);
            for number in 0..100 {
                let outcome = if number < failed { Outcome::of_status(503, false) } else { Outcome::Ok };
                meter.start(Kind::Segment).finish(outcome, None);
            }
            let mut snapshot = Snapshot::default();
            registry.snapshot(0, &mut snapshot);
            let result = health.result(&snapshot.totals);
            assert_eq!((result.worst, result.error_share), (worst, Some(failed as f64 / 100.0)));
        }
    }

    #[test]
    fn nothing_plays_has_no_knee_and_is_no_overload() {
        let mut health = HealthJudge::default();
        let mut judge = |from: u64, to: u64, snapshot: &Snapshot, errors| {
            let mut last = Default::default();
            for step in from * 4..=to * 4 {
                last = health.judge(Duration::from_millis(step * 250), snapshot, Some(&rates(100, errors)));
            }
            last
        };
        let (early, _) = judge(0, 1, &Snapshot::default(), 100);
        assert_eq!((early.verdict, early.reason().as_str()), (Verdict::Unknown, "no client has played yet"));
        let (nothing, knees) = judge(2, 30, &Snapshot::default(), 100);
        assert_eq!((nothing.verdict, knees), (Verdict::NothingPlays, Knees::default()));
        let (well, knees) = judge(31, 40, &played(), 0);
        assert_eq!((well.verdict, knees), (Verdict::Ok, Knees::default()));
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
        let meter = client.meter(0, crate::base::Clock::start());
        meter.count(Metric::PlaybackStarts, 1);
        meter.set_state(ClientState::Stalled);
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
