//! Promptness of one worker thread, measured by a probe that asks for its turn every [`PROBE`].
//!
//! * The worker's thread is the one writer; readers copy the last ten seconds.
//! * A timer of the runtime counts in milliseconds and never fires early: a lag of up to one millisecond means none.

use std::sync::OnceLock;
use std::time::Duration;

use tokio::runtime::RuntimeMetrics;
use tokio::time::{Instant, sleep_until};

use crate::sync::atomics::{AtomicU32, Ordering};
use crate::sync::single_writer_cell::SingleWriterCell;
use crate::vocabulary::clock::micros;

/// Time between two turns of the probe. Each turn wakes the worker: at 10 ms the probes of two workers were a sixth of
/// all wake-ups under a thousand clients. A worker that is late for longer than this is always seen.
const PROBE: Duration = Duration::from_millis(50);
/// Number of turns that are kept: ten seconds.
const TURNS: usize = 200;

/// Gauges of one worker thread.
#[derive(Debug)]
pub struct WorkerGauge {
    clients: SingleWriterCell,
    turns: SingleWriterCell,
    lags_us: Box<[AtomicU32]>,
    lag_max_us: SingleWriterCell,
    runtime: OnceLock<RuntimeMetrics>,
}

impl Default for WorkerGauge {
    fn default() -> Self {
        Self {
            clients: SingleWriterCell::default(),
            turns: SingleWriterCell::default(),
            lags_us: (0..TURNS).map(|_| AtomicU32::new(0)).collect(),
            lag_max_us: SingleWriterCell::default(),
            runtime: OnceLock::new(),
        }
    }
}

/// Lateness of a worker, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lag {
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
        loop {
            let due = Instant::now() + PROBE;
            sleep_until(due).await;
            self.record(due.elapsed());
        }
    }

    fn record(&self, lag: Duration) {
        let lag_us = micros(lag);
        let turn = self.turns.get() as usize % TURNS;
        if let Some(slot) = self.lags_us.get(turn) {
            slot.store(u32::try_from(lag_us).unwrap_or(u32::MAX), Ordering::Relaxed);
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

    /// Returns how late the worker was; `None` before the first turn. `scratch` is memory that is reused.
    pub fn lag(&self, scratch: &mut Vec<u32>) -> Option<Lag> {
        let filled = (self.turns.get() as usize).min(TURNS);
        scratch.clear();
        scratch.extend(self.lags_us.iter().take(filled).map(|lag| lag.load(Ordering::Relaxed)));
        let max_us = scratch.iter().copied().max()?;
        let (_, p99_us, _) = scratch.select_nth_unstable((filled - 1) * 99 / 100);
        Some(Lag { p99_us: u64::from(*p99_us), max_us: u64::from(max_us), run_max_us: self.lag_max_us.get() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_of_a_hundred_is_the_99th_percentile_and_ten_seconds_forget() {
        let gauge = WorkerGauge::default();
        assert_eq!(gauge.lag(&mut Vec::new()), None);
        for us in 1..=200 {
            gauge.record(Duration::from_micros(us));
        }
        let lag = gauge.lag(&mut Vec::new());
        assert_eq!(lag, Some(Lag { p99_us: 198, max_us: 200, run_max_us: 200 }));
        for _ in 0..TURNS {
            gauge.record(Duration::from_micros(7));
        }
        assert_eq!(gauge.lag(&mut Vec::new()), Some(Lag { p99_us: 7, max_us: 7, run_max_us: 200 }));
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
        let lag = gauge.lag(&mut Vec::new()).expect("measured");
        assert!(lag.max_us >= 150_000, "{lag:?}");
        assert!(gauge.busy().expect("measured") >= busy);
    }
}
