//! The generator's part of a sample: the resources of this process, how promptly it runs, and the cost of the
//! samples.
//!
//! A value that the host does not offer, or that is not known yet, is `None`.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::{DelaySummary, Delays, Lag, Process, WorkerGauge};
use crate::sync::image::Walk;
use crate::vocabulary::clock::micros;

/// Time over which CPU and workers are measured, in seconds.
const WINDOW: usize = 10;

/// The load tester itself at one moment.
#[derive(Clone, Debug, Default)]
pub struct Generator {
    /// CPU used over the last ten seconds by all threads, in cores.
    pub cpu_cores: Option<f64>,
    /// CPU time of the process so far.
    pub cpu_time: Duration,
    /// Number of cores that the process may use, by affinity and quota.
    pub cores_allowed: Option<f64>,
    /// Resident memory in bytes.
    pub resident_bytes: Option<u64>,
    /// Largest resident memory of the measurements, one a second.
    pub resident_bytes_peak: Option<u64>,
    /// Open file descriptors.
    pub open_files: Option<u64>,
    /// Most open file descriptors of the measurements, one a second.
    pub open_files_peak: Option<u64>,
    /// Maximum number of open file descriptors; `None` if there is no limit.
    pub files_limit: Option<u64>,
    /// Number of threads.
    pub threads: Option<u64>,
    /// Worker threads, by number.
    pub workers: Vec<Worker>,
    /// Microseconds that it took to read all counters for this sample.
    pub snapshot_us: u64,
    /// Longest such time of the run.
    pub snapshot_us_max: u64,
    /// Microseconds that it took to make the previous sample, including the reading.
    pub frame_us: Option<u64>,
    /// Longest such time of the run.
    pub frame_us_max: Option<u64>,
    /// Largest delay of a client's start so far against its place in the plan, in microseconds.
    pub start_lateness_us_max: u64,
    /// Lateness of all workers over the whole run; `None` before the first turn.
    pub own_delay: Option<DelaySummary>,
}

/// One worker thread.
#[derive(Clone, Copy, Debug, Default)]
pub struct Worker {
    /// Clients that live on the thread.
    pub clients: u64,
    /// Share of the last ten seconds in which the thread was not waiting.
    pub busy: Option<f64>,
    /// Delay with which the thread ran what was due.
    pub lag: Option<Lag>,
}

impl Generator {
    /// Returns the share of the allowed CPU that was used over the last ten seconds.
    pub fn cpu_share(&self) -> Option<f64> {
        let allowed = self.cores_allowed.filter(|allowed| *allowed > 0.0)?;
        self.cpu_cores.map(|cores| cores / allowed)
    }
}

/// Measurements of the generator, taken once a second, and of every sample.
#[derive(Debug, Default)]
pub struct Meter {
    /// Values to show, without the workers.
    shown: Generator,
    workers: Vec<Worker>,
    moments: VecDeque<Moment>,
    scratch: Vec<u32>,
}

/// Resources used up to a moment.
#[derive(Debug)]
struct Moment {
    at: Duration,
    cpu: Duration,
    busy: Vec<Option<Duration>>,
}

impl Meter {
    /// Records that the counters were read, which began at `begun`.
    pub fn snapshot_taken(&mut self, begun: Instant) {
        self.shown.snapshot_us = micros(begun.elapsed());
        self.shown.snapshot_us_max = self.shown.snapshot_us_max.max(self.shown.snapshot_us);
    }

    /// Records that a sample was made, which began at `begun`.
    pub fn sample_made(&mut self, begun: Instant) {
        let took = micros(begun.elapsed());
        self.shown.frame_us = Some(took);
        self.shown.frame_us_max = self.shown.frame_us_max.max(Some(took));
    }

    /// Measures only what the process has used so far: the last sample of a run is no new second.
    pub fn measure_use(&mut self) {
        self.process_measured(&Process::now());
    }

    fn process_measured(&mut self, process: &Process) {
        let shown = &mut self.shown;
        shown.cpu_time = process.cpu;
        shown.open_files_peak = shown.open_files_peak.max(process.open_files);
        shown.resident_bytes_peak = shown.resident_bytes_peak.max(process.resident_bytes);
    }

    /// Measures the process, which may use `cores_allowed` cores, and the workers.
    pub fn measure(&mut self, at: Duration, cores_allowed: Option<f64>, workers: &[WorkerGauge]) {
        let process = Process::now();
        self.process_measured(&process);
        let busy = workers.iter().map(WorkerGauge::busy).collect();
        self.moments.push_back(Moment { at, cpu: process.cpu, busy });
        if self.moments.len() > WINDOW + 1 {
            self.moments.pop_front();
        }
        let shown = &mut self.shown;
        shown.cores_allowed = cores_allowed;
        (shown.resident_bytes, shown.threads) = (process.resident_bytes, process.threads);
        (shown.open_files, shown.files_limit) = (process.open_files, process.files_limit);
        let (Some(first), Some(last)) = (self.moments.front(), self.moments.back()) else { return };
        let length = last.at.saturating_sub(first.at);
        shown.cpu_cores = share_of_time(last.cpu.saturating_sub(first.cpu), length);
        self.workers.clear();
        let now = Instant::now();
        for (index, gauge) in workers.iter().enumerate() {
            let busy_at = |moment: &Moment| moment.busy.get(index).copied().flatten();
            let used = busy_at(last).zip(busy_at(first)).map(|(last, first)| last.saturating_sub(first));
            self.workers.push(Worker {
                clients: gauge.clients(),
                busy: used.and_then(|used| share_of_time(used, length)),
                lag: gauge.lag(now, &mut self.scratch),
            });
        }
        shown.own_delay = own_delays(workers).summary();
    }

    /// Returns the workers as they were measured last.
    pub fn workers(&self) -> &[Worker] {
        &self.workers
    }

    /// Visits the measurements, with those of `workers` worker threads: a replay shows those of the recorded process
    /// instead of its own.
    pub fn walk(&mut self, workers: usize, walk: &mut Walk<'_>) {
        self.walk_workers(workers, walk);
        let shown = &mut self.shown;
        walk.fraction(&mut shown.cpu_cores);
        walk.fraction(&mut shown.cores_allowed);
        let mut cpu_us = micros(shown.cpu_time);
        walk.number(&mut cpu_us);
        shown.cpu_time = Duration::from_micros(cpu_us);
        for value in [
            &mut shown.resident_bytes,
            &mut shown.resident_bytes_peak,
            &mut shown.open_files,
            &mut shown.open_files_peak,
            &mut shown.files_limit,
            &mut shown.threads,
            &mut shown.frame_us,
            &mut shown.frame_us_max,
        ] {
            walk.option(value);
        }
        walk.number(&mut shown.snapshot_us);
        walk.number(&mut shown.snapshot_us_max);
        let mut own_delay = shown.own_delay.map(|DelaySummary { p50, p99, max }| [p50, p99, max]);
        walk_known(&mut own_delay, walk);
        shown.own_delay = own_delay.map(|[p50, p99, max]| DelaySummary { p50, p99, max });
    }

    fn walk_workers(&mut self, workers: usize, walk: &mut Walk<'_>) {
        self.workers.resize_with(workers, Worker::default);
        for worker in &mut self.workers {
            walk.number(&mut worker.clients);
            walk.fraction(&mut worker.busy);
            let mut lag = worker.lag.map(|lag| [lag.second_p99_us, lag.p99_us, lag.max_us, lag.run_max_us]);
            walk_known(&mut lag, walk);
            worker.lag = lag.map(|[second_p99_us, p99_us, max_us, run_max_us]| Lag {
                second_p99_us,
                p99_us,
                max_us,
                run_max_us,
            });
        }
    }

    /// Fills in the generator's part of a sample.
    pub fn fill(&mut self, generator: &mut Generator, start_lateness_us_max: u64) {
        self.shown.start_lateness_us_max = start_lateness_us_max;
        // Samples are made four times a second: the memory of the workers is reused.
        let mut workers = std::mem::take(&mut generator.workers);
        workers.clone_from(&self.workers);
        *generator = Generator { workers, ..self.shown.clone() };
    }
}

/// Visits numbers that are all known, or none of them.
fn walk_known<const N: usize>(values: &mut Option<[u64; N]>, walk: &mut Walk<'_>) {
    let mut is_known = u64::from(values.is_some());
    walk.number(&mut is_known);
    let mut numbers = values.unwrap_or([0; N]);
    numbers.iter_mut().for_each(|number| walk.number(number));
    *values = (is_known != 0).then_some(numbers);
}

/// Returns the lateness of all workers over the whole run.
pub fn own_delays(workers: &[WorkerGauge]) -> Delays {
    let mut delays = Delays::default();
    workers.iter().for_each(|worker| worker.add_delays(&mut delays));
    delays
}

/// Returns `used` as a share of `length`, `None` if `length` is zero.
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
        meter.measure(Duration::from_secs(1), Some(0.5), &workers);
        meter.fill(&mut generator, 0);
        assert_eq!((generator.cpu_cores, generator.cpu_share()), (None, None));
        assert_eq!(generator.workers.len(), 1);
        assert!(generator.workers[0].busy.is_none() && generator.workers[0].lag.is_none());
        let cpu = Process::now().cpu;
        while Process::now().cpu < cpu + Duration::from_millis(200) {
            std::hint::spin_loop();
        }
        // A second has passed on the clock of the run.
        meter.measure(Duration::from_secs(2), Some(0.5), &workers);
        meter.fill(&mut generator, 0);
        assert!(generator.cpu_cores.is_some_and(|cores| cores >= 0.2), "{generator:?}");
        // A quota of half a core makes it twice as large a share.
        assert_eq!(generator.cpu_share(), generator.cpu_cores.map(|cores| cores * 2.0));
    }
}
