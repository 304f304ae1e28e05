//! Health of the generator itself: the resources that this process uses and how promptly its workers run.
//!
//! * Gauges only: their meaning for a result is not judged yet, so the trust verdict says `UNASSESSED`.
//! * A value that the host does not offer is `None`, never 0.

mod process;
mod usage;
mod worker;

pub use process::Process;
pub use usage::{Generator, Meter, Worker};
pub use worker::{Lag, WorkerGauge};
