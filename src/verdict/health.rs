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

use crate::vocabulary::units;

/// Share of failed requests or stalled clients from which on a stream is degraded ...
pub const DEGRADED_SHARE: f64 = 0.01;
/// ... and failing.
pub const FAILING_SHARE: f64 = 0.05;
/// How long a worse verdict must hold before it is entered.
const ENTER_AFTER: Duration = Duration::from_secs(2);
/// How long a better verdict must hold before the worse one is left.
const LEAVE_AFTER: Duration = Duration::from_secs(5);

/// All requests of a run so far, as far as its health follows from them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RunNumbers {
    /// Share of requests that failed; `None` when none finished.
    pub error_share: Option<f64>,
    /// Whether a client has ever played.
    pub has_played: bool,
}

/// One moment of a run, as far as the health of its stream follows from it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct HealthNumbers {
    /// Time of the run.
    pub at: Duration,
    /// Clients that are active.
    pub clients: u64,
    /// Share of them that are stalled; `None` without clients.
    pub stalled_share: Option<f64>,
    /// Share of requests that failed over the last ten seconds; `None` when none finished.
    pub error_share: Option<f64>,
    /// Requests of these seconds that this machine could not make.
    pub local_faults: u64,
    /// Bits that arrived in each of these seconds; `None`: not known yet.
    pub bits_per_second: Option<f64>,
    /// The run as a whole.
    pub run: RunNumbers,
}

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

/// Judges moment after moment.
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

    /// Returns the result of the run so far. All its requests decide with the verdicts that held: no result contradicts
    /// its own count of failures.
    pub fn result(&self, run: RunNumbers) -> RunResult {
        let mut held = VERDICTS.into_iter().zip(self.held).filter(|(_, length)| !length.is_zero());
        let (worst, held) = held.next_back().unwrap_or_default();
        let RunNumbers { error_share, has_played } = run;
        let of_all = error_share.map_or(Verdict::Unknown, |share| match Verdict::of(share) {
            Verdict::Ok => Verdict::Unknown,
            Verdict::Failing if !has_played => Verdict::NothingPlays,
            verdict => verdict,
        });
        let (worst, held) = if of_all > worst { (of_all, Duration::ZERO) } else { (worst, held) };
        RunResult { worst, held, error_share, stalled_share_max: self.stalled_share_max }
    }

    /// Takes the numbers of a moment and says what holds.
    pub fn judge(&mut self, numbers: &HealthNumbers) -> (Health, Knees) {
        let HealthNumbers { at, clients, stalled_share, error_share, bits_per_second, .. } = *numbers;
        (self.health.error_share, self.health.stalled_share) = (error_share, stalled_share);
        let errors = error_share.map(Verdict::of);
        // While this machine lacks something, stalls may be its own.
        let stalled_share = stalled_share.filter(|_| numbers.local_faults == 0);
        self.stalled_share_max = stalled_share.into_iter().chain(self.stalled_share_max).reduce(f64::max);
        let stalls = stalled_share.map(Verdict::of);
        self.hold(at);
        if !numbers.run.has_played {
            // Nothing can be well, and nothing can break under load, before something has worked.
            let fails = errors == Some(Verdict::Failing);
            self.settle(at, fails.then_some(Verdict::NothingPlays));
            return self.last();
        }
        // That nobody stalls before anything was asked for says nothing: it begins with the share of errors.
        let has_begun = errors.is_some() || self.health.verdict != Verdict::Unknown;
        self.settle(at, errors.into_iter().chain(stalls).max().filter(|_| has_begun));

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

#[cfg(test)]
mod tests;
