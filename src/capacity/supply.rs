//! Resources that a run may use: those of this machine, and the limits that the operator set.

use std::sync::Arc;

use super::Calibration;
use crate::vocabulary::HardStops;

/// Share of the allowed CPU beyond which the result of a run could not be trusted. It is the limit from which on the
/// trust verdict is INVALID.
pub const CPU_SHARE: f64 = 0.9;
/// Share of the allowed CPU from which on a plan is announced with a warning.
pub const WARN_CPU_SHARE: f64 = 0.6;
/// Share of the memory beyond which the kernel begins to take back what others need.
pub const MEMORY_SHARE: f64 = 0.85;

/// Resources that a run may use; `None`: without a limit, or unknown.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Supply {
    /// Open files of this process.
    pub open_files: Option<u64>,
    /// Files that are reserved for other uses than connections.
    pub files_reserved: u64,
    /// Local ports towards one address and port, of all source addresses together.
    pub ports: Option<u64>,
    /// True if connections to all hosts share the ports: those of a given source address, or those towards a proxy.
    pub ports_are_shared: bool,
    /// Memory that this process may use, its present memory included.
    pub memory_bytes: Option<u64>,
    /// Processors that this process may use.
    pub cpus: Option<f64>,
    /// Hard stops of the run.
    pub hard_stops: HardStops,
    /// Costs of this machine; `None`: not measured.
    pub calibration: Option<Arc<Calibration>>,
    /// Nanoseconds of CPU that one step of the speed measurement takes now.
    pub speed_ns: Option<f64>,
}
