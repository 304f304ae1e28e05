//! Sources of samples, written by clients, workers and the controller.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::forecast::Priced;
use crate::generator::{HostGauges, WorkerGauge};
use crate::origin_metrics::ExporterGauges;
use crate::run_state::Status;
use crate::stats::{Registry, Snapshot, Spending};
use crate::verdict::Criteria;
use crate::vocabulary::clock::micros;
use crate::vocabulary::{Clock, HardStops};

/// Sources of a run's numbers.
#[derive(Clone, Debug)]
pub struct Sources {
    /// Counters of the clients. An engine writes them; above this module only the functions below read them.
    pub registry: Arc<Registry>,
    /// Status that the controller sets.
    pub status: Arc<Status>,
    /// Gauges of the worker threads, by number.
    pub workers: Arc<[WorkerGauge]>,
    /// Gauges of the host and of the process as a whole; unknown unless a thread writes them.
    pub host: Arc<HostGauges>,
    /// Amounts used of the hard stops; `None` if the run has none.
    pub spending: Option<Arc<Spending>>,
    /// Gauges of the origin's exporters; empty without `--origin-metrics`.
    pub exporters: Arc<[ExporterGauges]>,
    /// Price of the plan, once it is known.
    pub priced: Arc<OnceLock<Arc<Priced>>>,
    /// Number of the client of which samples show more, set by the console; 0 for none.
    pub selected: Arc<AtomicU64>,
    /// Number of the worker that has the canary alone; `None` without one.
    pub canary: Option<usize>,
    /// True if the operator gave the addresses of this machine that connections come from.
    pub binds_sources: bool,
    /// Criteria that the operator gave.
    pub criteria: Arc<Criteria>,
    /// Clock of the run.
    pub clock: Clock,
}

impl Sources {
    /// Creates the sources of a run without hard stops that begins now, with `workers` threads.
    pub fn new(workers: usize) -> Self {
        Self::for_run(workers, HardStops::default())
    }

    /// Creates the sources of a run that begins now, with `workers` threads and these hard stops.
    pub fn for_run(workers: usize, stops: HardStops) -> Self {
        let spending = stops.is_set().then(|| Arc::new(Spending::new(stops)));
        Self {
            registry: Registry::with_spending(workers, spending.as_ref()),
            spending,
            priced: Arc::default(),
            selected: Arc::default(),
            status: Arc::default(),
            workers: (0..workers).map(|_| WorkerGauge::default()).collect(),
            host: Arc::default(),
            exporters: Arc::default(),
            canary: None,
            binds_sources: false,
            criteria: Arc::default(),
            clock: Clock::start(),
        }
    }

    /// Returns the bytes of bodies that have arrived so far.
    pub fn bytes(&self) -> u64 {
        self.registry.bytes()
    }

    /// Reads the totals and the number of clients in each state into `snapshot`, and leaves out the clients themselves.
    pub fn read_totals(&self, at: Duration, snapshot: &mut Snapshot) {
        self.registry.snapshot_states(micros(at), snapshot);
        snapshot.totals.expected = self.criteria.expected;
    }

    /// Checks the invariants of the counters after the last client has left, and counts those that are broken.
    pub fn audit(&self) {
        self.registry.audit();
    }
}
