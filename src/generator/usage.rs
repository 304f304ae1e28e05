//! The generator in a sample: what this process uses, how promptly it runs, what the samples themselves cost.
//!
//! Shown only: no verdict follows from it yet. What the host does not offer, or is not known yet, is `None`.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::{Lag, Process, WorkerGauge};
use crate::vocabulary::clock::micros;
use crate::vocabulary::share;

/// The time over which CPU and workers are measured, in seconds.
const WINDOW: usize = 10;

/// The load tester itself at one moment.
#[derive(Clone, Debug, Default)]
pub struct Generator {
    /// Cores' worth of CPU used over the last ten seconds, all threads.
    pub cpu_cores: Option<f64>,
    /// Cores that may be used.
    pub cores_allowed: u64,
    /// Resident memory in bytes.
    pub resident_bytes: Option<u64>,
    /// Open file descriptors.
    pub open_files: Option<u64>,
    /// File descriptors that may be open; `None`: no limit.
    pub files_limit: Option<u64>,
    /// Threads.
    pub threads: Option<u64>,
    /// The worker threads, by number.
    pub workers: Vec<Worker>,
    /// Microseconds that reading all counters took for this sample.
    pub snapshot_us: u64,
    /// The longest of the run.
    pub snapshot_us_max: u64,
    /// Microseconds that making the sample before this one took, the reading included.
    pub frame_us: Option<u64>,
    /// The longest of the run.
    pub frame_us_max: Option<u64>,
    /// The latest start of a client so far, against its place in the plan, in microseconds.
    pub start_lateness_us_max: u64,
}

/// One worker thread.
#[derive(Clone, Copy, Debug, Default)]
pub struct Worker {
    /// Clients that live on it.
    pub clients: u64,
    /// Share of the last ten seconds in which it was not waiting.
    pub busy: Option<f64>,
    /// How late it ran what was due.
    pub lag: Option<Lag>,
}

impl Generator {
    /// Share of the files that may be open; `None`: there is no limit, or it is not known.
    pub fn files_share(&self) -> Option<f64> {
        share(self.open_files?, self.files_limit?)
    }

    /// Share of the allowed CPU that was used over the last ten seconds.
    pub fn cpu_share(&self) -> Option<f64> {
        let allowed = (self.cores_allowed > 0).then_some(self.cores_allowed as f64)?;
        self.cpu_cores.map(|cores| cores / allowed)
    }
}

/// Measures the generator, once a second, and samples, each time.
#[derive(Debug, Default)]
pub struct Meter {
    /// What is shown, its workers left out.
    shown: Generator,
    workers: Vec<Worker>,
    moments: VecDeque<Moment>,
    scratch: Vec<u32>,
}

/// What had been used at a moment.
#[derive(Debug)]
struct Moment {
    at: Duration,
    cpu: Duration,
    busy: Vec<Option<Duration>>,
}

impl Meter {
    /// The counters were read, which began at `begun`.
    pub fn snapshot_taken(&mut self, begun: Instant) {
        self.shown.snapshot_us = micros(begun.elapsed());
        self.shown.snapshot_us_max = self.shown.snapshot_us_max.max(self.shown.snapshot_us);
    }

    /// A sample was made, which began at `begun`.
    pub fn frame_made(&mut self, begun: Instant) {
        let took = micros(begun.elapsed());
        self.shown.frame_us = Some(took);
        self.shown.frame_us_max = self.shown.frame_us_max.max(Some(took));
    }

    /// Measures the process and the workers.
    pub fn measure(&mut self, at: Duration, workers: &[WorkerGauge]) {
        let process = Process::now();
        let busy = workers.iter().map(WorkerGauge::busy).collect();
        self.moments.push_back(Moment { at, cpu: process.cpu, busy });
        if self.moments.len() > WINDOW + 1 {
            self.moments.pop_front();
        }
        let shown = &mut self.shown;
        shown.cores_allowed = Process::cores() as u64;
        (shown.resident_bytes, shown.threads) = (process.resident_bytes, process.threads);
        (shown.open_files, shown.files_limit) = (process.open_files, process.files_limit);
        let (Some(first), Some(last)) = (self.moments.front(), self.moments.back()) else { return };
        let length = last.at.saturating_sub(first.at);
        shown.cpu_cores = share_of_time(last.cpu.saturating_sub(first.cpu), length);
        self.workers.clear();
        for (index, gauge) in workers.iter().enumerate() {
            let busy_at = |moment: &Moment| moment.busy.get(index).copied().flatten();
            let used = busy_at(last).zip(busy_at(first)).map(|(last, first)| last.saturating_sub(first));
            self.workers.push(Worker {
                clients: gauge.clients(),
                busy: used.and_then(|used| share_of_time(used, length)),
                lag: gauge.lag(&mut self.scratch),
            });
        }
    }

    /// Fills what a sample says of the generator.
    pub fn fill(&mut self, generator: &mut Generator, start_lateness_us_max: u64) {
        self.shown.start_lateness_us_max = start_lateness_us_max;
        // A sample is made four times a second, in memory that is used again.
        let mut workers = std::mem::take(&mut generator.workers);
        workers.clone_from(&self.workers);
        *generator = Generator { workers, ..self.shown.clone() };
    }
}

/// Part of a time that is not empty.
fn share_of_time(used: Duration, length: Duration) -> Option<f64> {
    (!length.is_zero()).then(|| used.as_secs_f64() / length.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_that_was_burnt_is_seen_and_nothing_is_known_of_the_first_moment() {
        let mut meter = Meter::default();
        let workers = [WorkerGauge::default()];
        let mut generator = Generator::default();
        meter.measure(Duration::from_secs(1), &workers);
        meter.fill(&mut generator, 0);
        assert_eq!((generator.cpu_cores, generator.cpu_share()), (None, None));
        assert_eq!(generator.workers.len(), 1);
        assert!(generator.workers[0].busy.is_none() && generator.workers[0].lag.is_none());
        let cpu = Process::now().cpu;
        while Process::now().cpu < cpu + Duration::from_millis(200) {
            std::hint::spin_loop();
        }
        // On the clock of the run a second has passed.
        meter.measure(Duration::from_secs(2), &workers);
        meter.fill(&mut generator, 0);
        assert!(generator.cpu_cores.is_some_and(|cores| cores >= 0.2), "{generator:?}");
    }
}
