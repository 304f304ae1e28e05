//! The generator's own health: what this process uses and how promptly its workers run.
//!
//! * Gauges only: what they mean for a result is not judged yet, so the trust verdict says `UNASSESSED`.
//! * What a host does not offer is `None`, never 0.

mod process;
mod usage;
mod worker;

pub use process::Process;
pub use usage::{Generator, Meter, Worker};
pub use worker::{Lag, WorkerGauge};
