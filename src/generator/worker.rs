//! Promptness of one worker thread, measured by a probe that asks for its turn every [`PROBE`].
//!
//! * The worker's thread is the one writer; readers copy the last ten seconds.
//! * A timer of the runtime counts in milliseconds and never fires early: the first [`GRANULARITY`] is no lag.
//! * A worker that is blocked misses turns. Each counts with the lag that it would have had: a worker that is blocked
//!   for 200 ms in each second is late for a fifth of its turns, not for one in eighty.
//! * A worker that is still blocked has recorded nothing yet. So it publishes when its next turn is due, and readers
//!   count the turns that it owes as if it had just run.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use tokio::runtime::RuntimeMetrics;
use tokio::time::{MissedTickBehavior, interval};

use super::delays::{DelayRecorder, Delays};
use crate::sync::atomics::{AtomicU32, Ordering};
use crate::sync::image::Walk;
use crate::sync::single_writer_cell::SingleWriterCell;
use crate::vocabulary::clock::micros;

/// Time between two turns of the probe. Twenty wake-ups a second fall together with those of the worker's own
/// schedule; a hundred cost an idle worker half a percent of a core, measured. A lag that is shorter than this may
/// fall between two turns of one second, but over a run the turns meet it as often as requests do.
const PROBE: Duration = Duration::from_millis(50);
/// Lateness that every timer of the runtime has.
const GRANULARITY: Duration = Duration::from_millis(1);
/// Number of turns that are kept: ten seconds.
const TURNS: usize = 200;
/// Number of turns in a second.
const TURNS_PER_SECOND: usize = 20;

/// Gauges of one worker thread.
#[derive(Debug)]
pub struct WorkerGauge {
    clients: SingleWriterCell,
    turns: SingleWriterCell,
    lags_us: Box<[AtomicU32]>,
    lag_max_us: SingleWriterCell,
    delays: DelayRecorder,
    /// Moment from which on [`Self::due_us`] counts.
    begun: OnceLock<Instant>,
    /// Due time of the next turn; 0 before the first turn and after the last.
    due_us: SingleWriterCell,
    runtime: OnceLock<RuntimeMetrics>,
}

impl Default for WorkerGauge {
    fn default() -> Self {
        Self {
            clients: SingleWriterCell::default(),
            turns: SingleWriterCell::default(),
            lags_us: (0..TURNS).map(|_| AtomicU32::new(0)).collect(),
            lag_max_us: SingleWriterCell::default(),
            delays: DelayRecorder::default(),
            begun: OnceLock::new(),
            due_us: SingleWriterCell::default(),
            runtime: OnceLock::new(),
        }
    }
}

/// Lateness of a worker, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lag {
    /// 99th percentile of the last second.
    pub second_p99_us: u64,
    /// 99th percentile of the last ten seconds.
    pub p99_us: u64,
    /// Maximum of the last ten seconds.
    pub max_us: u64,
    /// Maximum of the run.
    pub run_max_us: u64,
}

impl WorkerGauge {
    /// Measures the lag for as long as it is polled; to be run on the worker's own runtime.
    pub async fn probe(&self) {
        _ = self.runtime.set(tokio::runtime::Handle::current().metrics());
        _ = self.begun.set(Instant::now());
        // A runtime that ends owes no turn.
        let _end = ProbeEnd(self);
        let mut turns = interval(PROBE);
        // A turn that was missed is counted by the late one before it.
        turns.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            let due = turns.tick().await;
            self.record(due.elapsed().saturating_sub(GRANULARITY));
            self.expect(Instant::now());
        }
    }

    /// Publishes that the next turn is due a step after `now`.
    fn expect(&self, now: Instant) {
        let begun = *self.begun.get_or_init(|| now);
        self.due_us.set(micros(now.saturating_duration_since(begun) + PROBE));
    }

    /// Returns how late the next turn is at `now`; `None` if it is not due yet.
    fn owed(&self, now: Instant) -> Option<u64> {
        let due = *self.begun.get()? + Duration::from_micros(Some(self.due_us.get()).filter(|us| *us > 0)?);
        let late = now.checked_duration_since(due)?.saturating_sub(GRANULARITY);
        Some(micros(late)).filter(|us| *us > 0)
    }

    /// Records the lag of a turn, and those of the turns that were missed because of it.
    fn record(&self, lag: Duration) {
        lags_of_turns(micros(lag)).for_each(|lag_us| self.record_turn(lag_us));
    }

    fn record_turn(&self, lag_us: u64) {
        self.delays.record(lag_us);
        let turn = self.turns.get() as usize % TURNS;
        if let Some(slot) = self.lags_us.get(turn) {
            slot.store(saturated(lag_us), Ordering::Relaxed);
        }
        self.lag_max_us.raise(lag_us);
        self.turns.add(1);
    }

    /// Sets the number of clients that live on the worker; by its thread only.
    pub fn set_clients(&self, clients: u64) {
        self.clients.set(clients);
    }

    /// Returns the number of clients that live on the worker.
    pub fn clients(&self) -> u64 {
        self.clients.get()
    }

    /// Returns the time so far in which the worker was not waiting; `None` before it has begun.
    pub fn busy(&self) -> Option<Duration> {
        self.runtime.get().map(|runtime| runtime.worker_total_busy_duration(0))
    }

    /// Returns how late the worker is at `now`, with the turns that it owes; `None` before the first turn. `scratch` is
    /// memory that is reused.
    pub fn lag(&self, now: Instant, scratch: &mut Vec<u32>) -> Option<Lag> {
        // The turns owed are read first: a turn that is recorded in between counts twice, never not at all.
        let owed = self.owed(now);
        let turns = self.turns.get() as usize;
        scratch.clear();
        // The newest turn comes first, so that the last second is at the front.
        scratch.extend(owed.into_iter().flat_map(lags_of_turns).take(TURNS).map(saturated));
        let recorded = turns.min(TURNS.saturating_sub(scratch.len()));
        let newest_first = (0..recorded).map(|age| (turns - 1 - age) % TURNS);
        scratch.extend(newest_first.filter_map(|turn| Some(self.lags_us.get(turn)?.load(Ordering::Relaxed))));
        let max_us = scratch.iter().copied().max()?;
        let last_second = scratch.len().min(TURNS_PER_SECOND);
        let second_p99_us = p99(scratch.get_mut(..last_second)?)?;
        Some(Lag {
            second_p99_us,
            p99_us: p99(scratch)?,
            max_us: max_us.into(),
            run_max_us: self.lag_max_us.get().max(max_us.into()),
        })
    }

    /// Visits the lags of all turns so far. The other gauges belong to this process alone.
    pub fn walk_delays(&self, walk: &mut Walk<'_>) {
        self.delays.walk(walk);
    }

    /// Adds the lags of all turns so far to `delays`.
    pub fn add_delays(&self, delays: &mut Delays) {
        delays.add(&self.delays);
    }
}

/// Clears the due time of a probe that ends.
struct ProbeEnd<'a>(&'a WorkerGauge);

impl Drop for ProbeEnd<'_> {
    fn drop(&mut self) {
        self.0.due_us.set(0);
    }
}

/// Returns the lag of a late turn, and then those of the turns that it made the worker miss, as many as are kept.
fn lags_of_turns(lag_us: u64) -> impl Iterator<Item = u64> {
    let step = micros(PROBE);
    let missed = (lag_us / step).min(TURNS as u64);
    (0..=missed).map(move |turns| lag_us - turns * step)
}

fn saturated(lag_us: u64) -> u32 {
    u32::try_from(lag_us).unwrap_or(u32::MAX)
}

/// Returns the 99th percentile, after reordering the values; `None` if there are none. Of fewer than a hundred values
/// it is the largest.
fn p99(values: &mut [u32]) -> Option<u64> {
    let place = (values.len() * 99).div_ceil(100).checked_sub(1)?;
    let (_, p99, _) = values.select_nth_unstable(place);
    Some(u64::from(*p99))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lag(gauge: &WorkerGauge) -> Option<Lag> {
        gauge.lag(Instant::now(), &mut Vec::new())
    }

    #[test]
    fn the_worst_of_a_hundred_is_the_99th_percentile_and_ten_seconds_forget() {
        let gauge = WorkerGauge::default();
        assert_eq!(lag(&gauge), None);
        for us in 1..=200 {
            gauge.record(Duration::from_micros(us));
        }
        assert_eq!(lag(&gauge), Some(Lag { second_p99_us: 200, p99_us: 198, max_us: 200, run_max_us: 200 }));
        for _ in 0..TURNS {
            gauge.record(Duration::from_micros(7));
        }
        assert_eq!(lag(&gauge), Some(Lag { second_p99_us: 7, p99_us: 7, max_us: 7, run_max_us: 200 }));
    }

    #[test]
    fn a_blocked_worker_is_late_for_every_turn_that_it_missed() {
        let gauge = WorkerGauge::default();
        // A second with 200 ms in which nothing ran: 16 turns in time, and one that was 190 ms late.
        for _ in 0..16 {
            gauge.record(Duration::ZERO);
        }
        gauge.record(Duration::from_millis(190));
        let late = lag(&gauge).expect("measured");
        assert_eq!((late.second_p99_us, late.max_us), (190_000, 190_000));
        let mut delays = Delays::default();
        gauge.add_delays(&mut delays);
        assert!(
            delays.summary().is_some_and(|delays| delays.p50 == 0 && delays.p99 == 190_000),
            "{delays:?}"
        );
        // Hours of silence fill the ten seconds that are kept, and end.
        gauge.record(Duration::from_hours(9));
        assert!(lag(&gauge).is_some_and(|lag| lag.p99_us == u64::from(u32::MAX)));
    }

    #[test]
    fn a_worker_that_is_kept_from_running_is_seen_as_late_and_busy() {
        let gauge = std::rc::Rc::new(WorkerGauge::default());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let busy = Duration::from_millis(200);
        tokio::task::LocalSet::new().block_on(&runtime, async {
            let own = std::rc::Rc::clone(&gauge);
            let probe = tokio::task::spawn_local(async move { own.probe().await });
            tokio::time::sleep(PROBE * 3).await;
            std::thread::sleep(busy);
            tokio::time::sleep(PROBE * 3).await;
            probe.abort();
        });
        let lag = lag(&gauge).expect("measured");
        assert!(lag.max_us >= 150_000, "{lag:?}");
        assert!(gauge.busy().expect("measured") >= busy);
    }

    #[test]
    fn a_worker_that_is_still_blocked_is_late_for_every_turn_that_it_owes() {
        let (gauge, begun) = (WorkerGauge::default(), Instant::now());
        let lag_at = |ms| gauge.lag(begun + Duration::from_millis(ms), &mut Vec::new()).expect("measured");
        for turn in 0..200 {
            gauge.record(Duration::ZERO);
            gauge.expect(begun + PROBE * turn);
        }
        // The next turn is due after 10 s. It comes in time, and nothing is known to be late yet.
        assert_eq!((lag_at(9_990).max_us, lag_at(10_001).max_us), (0, 0));
        // Each second of a block raises the lag of that second, although no turn has run.
        let lags = [10_051, 11_001, 15_001, 20_001].map(|ms| lag_at(ms).second_p99_us);
        assert_eq!(lags, [50_000, 1_000_000, 5_000_000, 10_000_000]);
        let blocked = lag_at(11_001);
        assert_eq!((blocked.p99_us, blocked.max_us, blocked.run_max_us), (900_000, 1_000_000, 1_000_000));
        // A runtime that has ended owes nothing.
        drop(ProbeEnd(&gauge));
        assert_eq!(lag_at(60_000).max_us, 0);
    }
}
