//! Status that the controller publishes for all readers: the state of the run, its target and its actions.

use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::Journal;
use crate::load::{Bound, ClientLimit, StartCounts};
use crate::sync::image::{LARGEST, Walk};
use crate::vocabulary::RunState;
use crate::vocabulary::clock::micros;

/// Status of a run. The controller writes it and the sampler reads it; worker threads add the panics they caught.
#[derive(Debug, Default)]
pub struct Status {
    state: AtomicU8,
    target: AtomicU32,
    /// A lock is cheap enough: the controller writes it once or twice in a run, the sampler reads it at 4 Hz.
    limit: Mutex<ClientLimit>,
    admitted: AtomicU64,
    late_starts: AtomicU64,
    start_lateness_us_max: AtomicU64,
    starts: [AtomicU64; 4],
    /// End of the load plus a microsecond; 0 while it lasts.
    load_end_us: AtomicU64,
    /// Time of the stages plus a microsecond; 0 without any, and after the operator has set a target.
    plan_time_us: AtomicU64,
    panics: AtomicU64,
    address_space_stops: AtomicU64,
    journal: Arc<Journal>,
}

impl Status {
    /// Sets the largest delay of a client's start so far.
    pub fn set_start_lateness_max(&self, lateness: Duration) {
        self.start_lateness_us_max.store(micros(lateness), Ordering::Relaxed);
    }

    /// Returns the largest delay of a client's start so far, in microseconds.
    pub fn start_lateness_us_max(&self) -> u64 {
        self.start_lateness_us_max.load(Ordering::Relaxed)
    }

    /// Sets the counts of the starts so far.
    pub fn set_starts(&self, counts: StartCounts) {
        let StartCounts { made, missed, late, very_late } = counts;
        for (cell, count) in self.starts.iter().zip([made, missed, late, very_late]) {
            cell.store(count, Ordering::Relaxed);
        }
    }

    /// Returns the counts of the starts so far. They may be skewed by the starts during the call.
    pub fn starts(&self) -> StartCounts {
        let [made, missed, late, very_late] = self.starts.each_ref().map(|cell| cell.load(Ordering::Relaxed));
        StartCounts { made, missed, late, very_late }
    }

    /// Visits everything but the journal.
    pub fn walk(&self, walk: &mut Walk<'_>) {
        if let Some(state) = walk.visit(self.state.load(Ordering::Relaxed).into()) {
            self.state.store(state as u8, Ordering::Relaxed);
        }
        if let Some(target) = walk.visit(self.target().into()) {
            self.set_target(target as u32);
        }
        let [late, panics, stops] = [&self.late_starts, &self.panics, &self.address_space_stops];
        let times = [&self.start_lateness_us_max, &self.load_end_us, &self.plan_time_us];
        let cells = [&self.admitted, late, panics, stops].into_iter().chain(times);
        for cell in cells.chain(&self.starts) {
            if let Some(value) = walk.visit(cell.load(Ordering::Relaxed)) {
                cell.store(value.min(LARGEST), Ordering::Relaxed);
            }
        }
        self.walk_limit(walk);
    }

    fn walk_limit(&self, walk: &mut Walk<'_>) {
        let before = self.limit();
        let (mut clients, (mut bound, mut files)) = (u64::from(before.clients), bound_numbers(before.bound));
        [&mut clients, &mut bound, &mut files].into_iter().for_each(|number| walk.number(number));
        let after = ClientLimit { clients: clients as u32, bound: bound_of(bound, files) };
        if after != before {
            self.set_limit(after);
        }
    }

    /// Sets the state of the run.
    pub fn set_state(&self, state: RunState) {
        self.state.store(state as u8, Ordering::Relaxed);
    }

    /// Returns the state of the run.
    pub fn state(&self) -> RunState {
        RunState::ALL.get(usize::from(self.state.load(Ordering::Relaxed))).copied().unwrap_or_default()
    }

    /// Records that the load ends at `at`: from now on clients only leave. The first call counts.
    pub fn end_load(&self, at: Duration) {
        let at_us = micros(at).saturating_add(1);
        // Only the controller writes it, so the comparison never fails because of another writer.
        _ = self.load_end_us.compare_exchange(0, at_us, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// Returns the end of the load; `None` while it lasts.
    pub fn load_end(&self) -> Option<Duration> {
        self.load_end_us.load(Ordering::Relaxed).checked_sub(1).map(Duration::from_micros)
    }

    /// Sets the time of the stages that set the target; `None`: none do.
    pub fn set_plan_time(&self, at: Option<Duration>) {
        self.plan_time_us.store(at.map_or(0, |at| micros(at).saturating_add(1)), Ordering::Relaxed);
    }

    /// Returns the time of the stages that set the target; `None`: none do.
    pub fn plan_time(&self) -> Option<Duration> {
        self.plan_time_us.load(Ordering::Relaxed).checked_sub(1).map(Duration::from_micros)
    }

    /// Sets the number of clients wanted.
    pub fn set_target(&self, target: u32) {
        self.target.store(target, Ordering::Relaxed);
    }

    /// Returns the number of clients wanted.
    pub fn target(&self) -> u32 {
        self.target.load(Ordering::Relaxed)
    }

    /// Sets the maximum of the target and its reason.
    pub fn set_limit(&self, limit: ClientLimit) {
        *self.limit.lock().unwrap_or_else(PoisonError::into_inner) = limit;
    }

    /// Returns the maximum of the target and its reason.
    pub fn limit(&self) -> ClientLimit {
        *self.limit.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the number of clients admitted and of starts that came too late for the plan.
    pub fn set_admitted(&self, admitted: u64, late_starts: u64) {
        self.admitted.store(admitted, Ordering::Relaxed);
        self.late_starts.store(late_starts, Ordering::Relaxed);
    }

    /// Returns the number of clients admitted.
    pub fn admitted(&self) -> u64 {
        self.admitted.load(Ordering::Relaxed)
    }

    /// Returns the number of starts that came too late for the plan.
    pub fn late_starts(&self) -> u64 {
        self.late_starts.load(Ordering::Relaxed)
    }

    /// Counts a panic of a client's task that was caught.
    pub fn count_panic(&self) {
        self.panics.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a stop because the address space of the process was used up.
    pub fn count_address_space_stop(&self) {
        self.address_space_stops.fetch_add(1, Ordering::Relaxed);
    }

    /// Returns the number of such stops.
    pub fn address_space_stops(&self) -> u64 {
        self.address_space_stops.load(Ordering::Relaxed)
    }

    /// Returns the journal of the run.
    pub fn journal(&self) -> &Arc<Journal> {
        &self.journal
    }

    /// Returns the number of panics that were caught.
    pub fn panics(&self) -> u64 {
        self.panics.load(Ordering::Relaxed)
    }
}

/// Returns the numbers by which an image knows a bound.
const fn bound_numbers(bound: Bound) -> (u64, u64) {
    match bound {
        Bound::Program => (0, 0),
        Bound::OpenFiles(files) => (1, files),
        Bound::Price => (2, 0),
        Bound::Unconfirmed => (3, 0),
    }
}

const fn bound_of(number: u64, files: u64) -> Bound {
    match number {
        1 => Bound::OpenFiles(files),
        2 => Bound::Price,
        3 => Bound::Unconfirmed,
        _ => Bound::Program,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_is_read_as_it_was_written() {
        let status = Status::default();
        for state in RunState::ALL {
            status.set_state(state);
            assert_eq!(status.state(), state);
        }
    }

    #[test]
    fn the_load_ends_once() {
        let status = Status::default();
        assert_eq!(status.load_end(), None);
        for seconds in [0, 5] {
            status.end_load(Duration::from_secs(seconds));
            assert_eq!(status.load_end(), Some(Duration::ZERO));
        }
    }
}
