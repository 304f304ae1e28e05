//! What a sample is taken from: written by clients, workers and the controller.

use std::sync::Arc;

use crate::generator::WorkerGauge;
use crate::run_state::Status;
use crate::stats::Registry;
use crate::vocabulary::Clock;

/// The sources of a run's numbers.
#[derive(Clone, Debug)]
pub struct Sources {
    /// What clients count.
    pub registry: Arc<Registry>,
    /// What the controller says.
    pub status: Arc<Status>,
    /// The gauges of the worker threads, by number.
    pub workers: Arc<[WorkerGauge]>,
    /// The clock of the run.
    pub clock: Clock,
}

impl Sources {
    /// Of a run with so many worker threads, which begins now.
    pub fn new(workers: usize) -> Self {
        Self {
            registry: Registry::new(workers),
            status: Arc::default(),
            workers: (0..workers).map(|_| WorkerGauge::default()).collect(),
            clock: Clock::start(),
        }
    }
}
