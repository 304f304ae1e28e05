//! Health of the generator itself: the resources that this process uses and how promptly its workers run.
//!
//! * Gauges only: `verdict::trust` says from which values on they make a result doubtful.
//! * A value that the host does not offer is `None`, never 0.

mod delays;
mod host;
mod host_gauges;
mod host_limits;
mod host_reader;
mod kernel_files;
mod kernel_texts;
mod machine;
mod network;
mod process;
mod usage;
mod worker;
mod yardstick;

#[cfg(test)]
pub(crate) use delays::delays_of;
pub use delays::{DELAY_BUCKETS, DelaySummary, Delays};
pub use host::HostWatch;
pub use host_gauges::{Fact, HostGauges};
#[cfg(test)]
pub(crate) use host_gauges::{host_reads, host_with};
pub use machine::{HostLimits, machine};
pub use process::Process;
pub use usage::{Generator, Meter, Worker, own_delays};
pub use worker::{Lag, WorkerGauge};
pub use yardstick::{SpeedBeside, speed_ns};
