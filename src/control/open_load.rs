//! Arrivals of an open load, for the controller: who comes now, and who is turned away because no more clients may be
//! there.

use std::time::Duration;

use crate::load::{ArrivalProfile, Arrivals, ClientLimit};
use crate::run_state::{Note, NoteKind};
use crate::vocabulary::units;

/// Arrivals of a run and what has become of them.
#[derive(Debug)]
pub(super) struct OpenLoad {
    arrivals: Arrivals,
    turned_away: u64,
}

impl OpenLoad {
    pub(super) fn new(profile: ArrivalProfile, seed: u64) -> Self {
        Self { arrivals: Arrivals::new(profile, seed), turned_away: 0 }
    }

    /// Returns the time of the next arrival.
    pub(super) fn next_at(&self) -> Duration {
        self.arrivals.next_at()
    }

    /// Takes the next arrival by this time of the plan, and returns the time at which it was due.
    pub(super) fn take(&mut self, at: Duration) -> Option<Duration> {
        self.arrivals.take(at)
    }

    /// Turns an arrival away at `now`, because `there` clients are the most. Returns a note about the first one.
    pub(super) fn turn_away(&mut self, now: Duration, there: u32, limit: ClientLimit) -> Option<Note> {
        self.turned_away += 1;
        let why = if there >= limit.clients { limit.bound.to_string() } else { "--clients".to_owned() };
        let there = units::plural(there.into(), "client");
        let text = format!("arrivals are turned away: no more than {there} at once: {why}");
        (self.turned_away == 1).then_some(Note { at: now, kind: NoteKind::Limited, text })
    }

    /// Returns a note about all that were turned away until the end of the load; `None` if none was.
    pub(super) fn at_end(&self, now: Duration) -> Option<Note> {
        let text = format!("{} turned away in all", units::plural(self.turned_away, "arrival"));
        (self.turned_away > 0).then_some(Note { at: now, kind: NoteKind::Limited, text })
    }
}
