//! Health verdict: whether the stream is served well, since when, and where it first was not.
//!
//! * The verdict is DEGRADED from 1 % errors over the last ten seconds or 1 % stalled clients, FAILING from 5 %. While
//!   one of the operator's thresholds is crossed, it is at least DEGRADED.
//! * A request that this machine could not make is not a fault of the stream and not an error. While such requests
//!   occur, stalls are not judged, because their cause is unknown.
//! * A worse verdict is entered after two seconds, a better one after five, so that the verdict does not flap.
//! * Before a client has played, no stream is judged to be well and there is no knee.
//! * While the numbers contradict the current verdict, [`Pending`] says which verdict follows and when. The result of
//!   a run is the worst verdict that held.
//! * The knee is the beginning of the trouble that first made the stream DEGRADED, separately for errors and for
//!   stalls: while clients are added, the load that the stream carried two seconds later would flatter it.

use std::fmt::Write as _;
use std::time::Duration;

use crate::vocabulary::{share, units};

/// Share of failed requests or stalled clients from which on a stream is degraded.
pub const DEGRADED_SHARE: f64 = 0.01;
/// Share of failed requests or stalled clients from which on a stream is failing.
pub const FAILING_SHARE: f64 = 0.05;
/// Time that a worse verdict must hold before it is entered.
const ENTER_AFTER: Duration = Duration::from_secs(2);
/// Time that a better verdict must hold before the worse one is left.
const LEAVE_AFTER: Duration = Duration::from_secs(5);

/// Numbers of the whole run so far from which its health follows.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RunNumbers {
    /// Share of requests that failed; `None` when none finished.
    pub error_share: Option<f64>,
    /// True once a client has played.
    pub has_played: bool,
}

/// Numbers of one moment of a run from which the health of its stream follows.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct HealthNumbers {
    /// Time of the run.
    pub at: Duration,
    /// Clients that are active.
    pub clients: u64,
    /// Those of them that play.
    pub playing: u64,
    /// Those of them that are stalled.
    pub stalled: u64,
    /// Share of them that are stalled; `None` without clients.
    pub stalled_share: Option<f64>,
    /// Share of requests that failed over the last ten seconds; `None` when none finished.
    pub error_share: Option<f64>,
    /// Requests of the last ten seconds that this machine could not make.
    pub local_faults: u64,
    /// Bits per second over the last ten seconds; `None` while unknown.
    pub bits_per_second: Option<f64>,
    /// Thresholds of the operator that are crossed now.
    pub thresholds_crossed: u64,
    /// The run as a whole.
    pub run: RunNumbers,
}

/// Verdict on how well the stream is served.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Nothing has been measured, or no client has played yet.
    #[default]
    Unknown,
    /// Less than 1 % of requests fail, and less than 1 % of clients are stalled.
    Ok,
    /// At least 1 % of either, or a threshold of the operator is crossed.
    Degraded,
    /// At least 5 % of either.
    Failing,
    /// Requests fail, and no client has ever played.
    NothingPlays,
}

impl Verdict {
    /// Number of verdicts.
    const COUNT: usize = 5;

    /// All verdicts, the worst last.
    pub const ALL: [Self; Self::COUNT] =
        [Self::Unknown, Self::Ok, Self::Degraded, Self::Failing, Self::NothingPlays];

    /// Returns the word on the screen.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "--",
            Self::Ok => "OK",
            Self::Degraded => "DEGRADED",
            Self::Failing => "FAILING",
            Self::NothingPlays => "NOTHING PLAYS",
        }
    }

    /// Returns the word for a run that has ended.
    pub const fn past(self) -> &'static str {
        match self {
            Self::Failing => "FAILED",
            Self::NothingPlays => "NOTHING PLAYED",
            other => other.name(),
        }
    }

    fn from_share(share: f64) -> Self {
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

/// A verdict that the current numbers call for. It is entered once they have called for it long enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pending {
    /// Verdict that is called for.
    pub verdict: Verdict,
    /// Time for which the numbers have contradicted the current verdict.
    pub lasted: Duration,
    /// Time until the verdict is entered, if the numbers stay as they are.
    pub left: Duration,
}

/// The verdict at a moment, and the numbers that it follows from.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Health {
    /// Current verdict.
    pub verdict: Verdict,
    /// Time of the run since which the verdict holds.
    pub since: Duration,
    /// Verdict that follows, if the current numbers contradict this one.
    pub pending: Option<Pending>,
    /// Share of requests that failed over the last ten seconds; `None` when none finished.
    pub error_share: Option<f64>,
    /// Share of active clients that are stalled; `None` without clients.
    pub stalled_share: Option<f64>,
    /// Active clients.
    pub clients: u64,
    /// Those of them that play.
    pub playing: u64,
    /// Those of them that are stalled.
    pub stalled: u64,
    /// Thresholds of the operator that are crossed now.
    pub thresholds_crossed: u64,
}

impl Health {
    /// Returns the share of active clients that play; `None` without clients.
    pub fn playing_share(&self) -> Option<f64> {
        share(self.playing, self.clients)
    }

    /// Returns the reason as a sentence with numbers.
    pub fn reason(&self) -> String {
        if self.verdict == Verdict::Unknown {
            let waiting = if self.error_share.is_some() { "no client has played yet" } else { NOT_MEASURED };
            return waiting.to_owned();
        }
        let errors = units::percent(self.error_share);
        let stalled = units::percent(self.stalled_share);
        let mut numbers = format!("{errors} of requests fail, {stalled} of clients are stalled");
        if self.thresholds_crossed > 0 {
            _ = write!(numbers, ", {}", self.crossed());
        }
        match self.pending {
            Some(pending) => format!("{}: {numbers}; {}", self.trend(pending), pending.outlook()),
            None => numbers,
        }
    }

    /// Returns how many thresholds are crossed: `1 threshold crossed`.
    pub fn crossed(&self) -> String {
        format!("{} crossed", units::plural(self.thresholds_crossed, "threshold"))
    }

    /// Returns the direction in which the numbers have left the verdict, and how long ago: `better for 3 s`.
    pub fn trend(&self, pending: Pending) -> String {
        let direction = if pending.verdict > self.verdict { "worse" } else { "better" };
        format!("{direction} for {} s", pending.lasted.as_secs())
    }
}

impl Pending {
    /// Returns the verdict that follows, and when: `OK in 2 s`.
    pub fn outlook(&self) -> String {
        format!("{} in {} s", self.verdict.name(), self.left.as_secs_f64().ceil())
    }
}

const NOT_MEASURED: &str = "nothing has been measured yet";

/// Result of a run so far: its worst verdict, never that of its last ten seconds alone.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RunHealth {
    /// Worst verdict that held, or the one that all requests together call for if that is worse.
    pub worst: Verdict,
    /// Time for which that verdict held; zero if it follows only from all requests together.
    pub held: Duration,
    /// Time for which the verdict was DEGRADED or worse.
    pub degraded: Duration,
    /// Share of all requests that failed; `None` when none finished.
    pub error_share: Option<f64>,
    /// Largest share of clients that were stalled at once.
    pub stalled_share_max: Option<f64>,
    /// Largest number of clients that were stalled at once; `None`: there were no clients.
    pub stalled_clients_max: Option<u64>,
}

/// The point at which a stream was first not served well.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Knee {
    /// Clients that were active.
    pub clients: u64,
    /// Bits per second over the last ten seconds.
    pub bits_per_second: Option<f64>,
    /// Time of the run.
    pub at: Duration,
}

/// Knees of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Knees {
    /// Beginning of the first lasting share of errors of at least 1 %.
    pub errors: Option<Knee>,
    /// Beginning of the first lasting share of stalled clients of at least 1 %.
    pub stalls: Option<Knee>,
}

/// Judge of a run, moment after moment.
#[derive(Clone, Copy, Debug, Default)]
pub struct HealthJudge {
    health: Health,
    /// Verdict that differs from the current one, and the time since which the numbers call for a change.
    candidate: Option<(Verdict, Duration)>,
    /// Time for which each verdict has held, in the order of [`Verdict`], up to `judged_at`.
    held: [Duration; Verdict::COUNT],
    judged_at: Duration,
    stalled_share_max: Option<f64>,
    stalled_clients_max: Option<u64>,
    errors: Trouble,
    stalls: Trouble,
}

/// Trouble of one sort: the point at which the present trouble began, and the first that lasted long enough to count.
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
    /// Returns the current verdict.
    pub fn verdict(&self) -> Verdict {
        self.health.verdict
    }

    /// Returns the last judgement. While a run ends its clients leave, and what the last of them meet says nothing
    /// about the stream.
    pub fn last(&self) -> (Health, Knees) {
        (self.health, Knees { errors: self.errors.knee, stalls: self.stalls.knee })
    }

    /// Returns the verdict on the whole run so far. All its requests decide along with the verdicts that held, so that
    /// it never contradicts the count of failures.
    pub fn run_health(&self, run: RunNumbers) -> RunHealth {
        let degraded =
            Verdict::ALL.into_iter().zip(self.held).filter(|(verdict, _)| *verdict >= Verdict::Degraded);
        let degraded = degraded.map(|(_, length)| length).sum();
        let mut held = Verdict::ALL.into_iter().zip(self.held).filter(|(_, length)| !length.is_zero());
        let (worst, held) = held.next_back().unwrap_or_default();
        let RunNumbers { error_share, has_played } = run;
        let of_all = error_share.map_or(Verdict::Unknown, |share| match Verdict::from_share(share) {
            Verdict::Ok => Verdict::Unknown,
            Verdict::Failing if !has_played => Verdict::NothingPlays,
            verdict => verdict,
        });
        let (worst, held) = if of_all > worst { (of_all, Duration::ZERO) } else { (worst, held) };
        let Self { stalled_share_max, stalled_clients_max, .. } = *self;
        RunHealth { worst, held, degraded, error_share, stalled_share_max, stalled_clients_max }
    }

    /// Judges the numbers of a moment. Returns the health and the knees.
    pub fn judge(&mut self, numbers: &HealthNumbers) -> (Health, Knees) {
        let HealthNumbers { at, clients, stalled_share, error_share, bits_per_second, .. } = *numbers;
        (self.health.error_share, self.health.stalled_share) = (error_share, stalled_share);
        self.health.thresholds_crossed = numbers.thresholds_crossed;
        let HealthNumbers { playing, stalled, .. } = *numbers;
        (self.health.clients, self.health.playing, self.health.stalled) = (clients, playing, stalled);
        let thresholds = (numbers.thresholds_crossed > 0).then_some(Verdict::Degraded);
        let errors = error_share.map(Verdict::from_share);
        // While this machine lacks something, it may cause the stalls itself.
        let stalled_share = stalled_share.filter(|_| numbers.local_faults == 0);
        self.stalled_share_max = stalled_share.into_iter().chain(self.stalled_share_max).reduce(f64::max);
        self.stalled_clients_max = self.stalled_clients_max.max(stalled_share.map(|_| numbers.stalled));
        let stalls = stalled_share.map(Verdict::from_share);
        self.hold(at);
        if !numbers.run.has_played {
            // Before a client has played, the stream cannot be judged to be well, nor to break under load.
            let fails = errors == Some(Verdict::Failing);
            self.settle(at, fails.then_some(Verdict::NothingPlays));
            return self.last();
        }
        // The absence of stalls says nothing before a request has ended: judging begins with the share of errors.
        let has_begun = errors.is_some() || self.health.verdict != Verdict::Unknown;
        self.settle(at, errors.into_iter().chain(stalls).chain(thresholds).max().filter(|_| has_begun));

        let knee = Knee { clients, bits_per_second, at };
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
            // Getting still worse, or still better, is a change in the same direction: the time goes on.
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

    /// Enters a verdict that the numbers have called for since `since`, `lasted` ago, and credits it with that time.
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

#[cfg(test)]
mod tests;
