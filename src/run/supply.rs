//! Resources that the plan of a run may use, read before it begins.

use std::sync::Arc;

use rustix::process::{Resource, getrlimit};

use super::calibration_file::NoCalibration;
use super::{calibration_file, preflight, stdio};
use crate::capacity::{Calibration, Supply};
use crate::config::RunConfig;
use crate::generator::{self, HostLimits};

/// Reads the resources. Preflight must have raised the limit of open files.
pub(super) fn read(config: &RunConfig) -> Supply {
    let HostLimits { processors, memory_bytes, ports } = HostLimits::read();
    let calibration = match calibration_file::read() {
        Ok(calibration) => Some(calibration),
        Err(NoCalibration::Missing) => None,
        Err(why) => {
            stdio::say(&format!("hlswarm: not calibrated: {why}"));
            None
        }
    };
    // What is decrypted costs CPU that no calibration has measured.
    let calibration = calibration.filter(|_| !config.clients.decrypt);
    let speed_ns = calibration.as_ref().and_then(speed_now);
    let transport = &config.clients.cast.first.net.transport;
    Supply {
        open_files: getrlimit(Resource::Nofile).current,
        files_reserved: preflight::files_reserved(),
        ports: ports.map(|ports| ports.saturating_mul(transport.port_ranges())),
        ports_are_shared: !transport.sources.is_empty() || transport.proxies.is_some(),
        memory_bytes,
        cpus: processors,
        hard_stops: config.plan.hard_stops,
        speed_ns,
        calibration: calibration.map(Arc::new),
    }
}

/// Measures the speed of the machine, and says so if the calibration does not hold at it.
fn speed_now(calibration: &Calibration) -> Option<f64> {
    let speed_ns = generator::speed_ns()?;
    if !calibration.holds_at(speed_ns) {
        stdio::say("hlswarm: not calibrated: this machine runs at another speed than when it was calibrated");
        return None;
    }
    Some(speed_ns)
}
