//! Evidence of one gauge: the seconds beyond its limits, until they are long enough to be reasons.
//!
//! * Each second counts for one level only, the worst that it reaches, so the times of two reasons never overlap.
//! * A second beyond the limit for INVALID waits until its streak is long enough. In the meantime it is doubtful, if
//!   the streak beyond the milder limit is; if its own streak breaks, doubtful it stays.
//! * An unknown value neither continues nor breaks a streak: a ramp that starts a client every two seconds is late
//!   as often as one that starts two a second.

use std::time::Duration;

use super::{Interval, Intervals, Reason, Rule, TrustVerdict};

/// Rounding of a streak: the seconds of the sampler are some milliseconds longer or shorter than a second.
const ROUNDING: Duration = Duration::from_millis(500);
/// Time for which a level holds on while the value is unknown: two readings that fall into one second leave the
/// next one without any.
const HOLD: Duration = Duration::from_secs(2);

/// Seconds beyond a limit that are not yet a reason.
#[derive(Clone, Debug, Default)]
struct Waiting {
    as_suspect: Option<Reason>,
    as_invalid: Option<Reason>,
    windows: Intervals,
}

impl Waiting {
    fn add(&mut self, crossing: Crossing, window: Interval) {
        merge(&mut self.as_suspect, crossing.as_suspect);
        merge(&mut self.as_invalid, crossing.as_invalid);
        self.windows.add(window);
    }
}

/// A second in which a gauge was beyond a limit, as a reason of each level that it reaches.
#[derive(Clone, Debug, Default)]
pub(super) struct Crossing {
    /// Reason of the milder level; `None` if the gauge has no such limit.
    pub(super) as_suspect: Option<Reason>,
    /// Reason of the worse level; `None` if that limit was not crossed.
    pub(super) as_invalid: Option<Reason>,
}

impl Crossing {
    fn is_empty(&self) -> bool {
        self.as_suspect.is_none() && self.as_invalid.is_none()
    }
}

/// A second as it counts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Second {
    /// The part of it that belongs to the load.
    pub(super) window: Interval,
    /// Its end.
    pub(super) to: Duration,
    /// Time that it adds to a streak.
    pub(super) counted: Duration,
}

/// Stretches of time that a second made doubtful or invalid.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) doubtful: Intervals,
    pub(super) masked: Intervals,
}

/// Evidence of one gauge.
#[derive(Clone, Debug, Default)]
pub(super) struct Evidence {
    /// Time in a row beyond the milder limit, and beyond the worse one.
    beyond: [Duration; 2],
    /// Seconds beyond the milder limit only.
    mild: Waiting,
    /// Seconds beyond both.
    severe: Waiting,
    suspect: Option<Reason>,
    invalid: Option<Reason>,
    /// Level of the last known second, and its end.
    now: (TrustVerdict, Duration),
}

impl Evidence {
    /// Counts a second whose value is known; `crossing` is empty if the value keeps all limits.
    pub(super) fn count(&mut self, rule: &Rule, crossing: Crossing, second: Second) -> Found {
        let mut found = Found::default();
        self.now = (TrustVerdict::Valid, second.to);
        let [suspect_for, invalid_for] = &mut self.beyond;
        if crossing.as_invalid.is_none() {
            *invalid_for = Duration::ZERO;
            let severe = std::mem::take(&mut self.severe);
            let into =
                if is_long(*suspect_for, rule) { &mut self.suspect } else { &mut self.mild.as_suspect };
            merge(into, severe.as_suspect);
            // Seconds that were doubtful in the meantime are known to be so already.
            self.mild.windows.merge(&severe.windows);
        }
        if crossing.is_empty() {
            *suspect_for = Duration::ZERO;
            self.mild = Waiting::default();
            return found;
        }
        *suspect_for += second.counted;
        if crossing.as_invalid.is_some() {
            *invalid_for += second.counted;
            self.severe.add(crossing, second.window);
        } else {
            self.mild.add(crossing, second.window);
        }
        if self.severe.as_invalid.is_some() && is_long(self.beyond[1], rule) {
            let severe = std::mem::take(&mut self.severe);
            merge(&mut self.invalid, severe.as_invalid);
            found.doubtful.merge(&severe.windows);
            found.masked = severe.windows;
            self.now.0 = TrustVerdict::Invalid;
        }
        if rule.suspect.is_some() && is_long(self.beyond[0], rule) {
            let mild = std::mem::take(&mut self.mild);
            merge(&mut self.suspect, mild.as_suspect);
            found.doubtful.merge(&mild.windows);
            found.doubtful.merge(&self.severe.windows);
            self.now.0 = self.now.0.max(TrustVerdict::Suspect);
        }
        found
    }

    /// Returns the level at `at`.
    pub(super) fn level(&self, at: Duration) -> TrustVerdict {
        let (level, to) = self.now;
        if at.saturating_sub(to) < HOLD { level } else { TrustVerdict::Valid }
    }

    /// Returns the reasons so far, the worse level first.
    pub(super) fn reasons(&self, rule: &Rule) -> impl Iterator<Item = Reason> {
        let mut suspect = self.suspect.clone();
        if is_long(self.beyond[0], rule) {
            merge(&mut suspect, self.severe.as_suspect.clone());
        }
        self.invalid.clone().into_iter().chain(suspect)
    }
}

/// Reports whether a streak is long enough. A gauge whose first second counts needs no whole second.
fn is_long(lasted: Duration, rule: &Rule) -> bool {
    rule.seconds <= 1 || lasted + ROUNDING >= Duration::from_secs(rule.seconds.into())
}

/// Adds a newer reason to a known one.
fn merge(into: &mut Option<Reason>, from: Option<Reason>) {
    match (into, from) {
        (_, None) => {}
        (Some(known), Some(more)) => {
            known.merge(&more);
            known.advice = more.advice;
        }
        (none, more) => *none = more,
    }
}
