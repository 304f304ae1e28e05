//! Sources of samples, written by clients, workers and the controller.

use std::sync::Arc;

use crate::generator::{HostGauges, WorkerGauge};
use crate::run_state::Status;
use crate::stats::Registry;
use crate::vocabulary::Clock;

/// Sources of a run's numbers.
#[derive(Clone, Debug)]
pub struct Sources {
    /// Counters of the clients.
    pub registry: Arc<Registry>,
    /// Status that the controller sets.
    pub status: Arc<Status>,
    /// Gauges of the worker threads, by number.
    pub workers: Arc<[WorkerGauge]>,
    /// Gauges of the host and of the process as a whole; unknown unless a thread writes them.
    pub host: Arc<HostGauges>,
    /// Clock of the run.
    pub clock: Clock,
}

impl Sources {
    /// Creates the sources of a run that begins now, with `workers` threads.
    pub fn new(workers: usize) -> Self {
        Self {
            registry: Registry::new(workers),
            status: Arc::default(),
            workers: (0..workers).map(|_| WorkerGauge::default()).collect(),
            host: Arc::default(),
            clock: Clock::start(),
        }
    }
}
