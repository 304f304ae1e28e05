//! Limits of this process and its machine, as a plan needs them before a run.

use super::Process;
use super::host_limits::{KIB, Limits, affinity};
use super::kernel_files::KernelFiles;
use super::kernel_texts as texts;
use crate::capacity::Machine;

/// Limits of this process, `None` where there is none or it is unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct HostLimits {
    /// Processors that it may use, by affinity and quota; a quota may be a fraction.
    pub processors: Option<f64>,
    /// Memory that it may use, its present memory included.
    pub memory_bytes: Option<u64>,
    /// Local ports towards one address and port.
    pub ports: Option<u64>,
}

impl HostLimits {
    /// Reads the limits that hold now.
    pub fn read() -> Self {
        let files = KernelFiles::default();
        let Limits { processors, memory_bytes, ports, .. } = Limits::read(&files, affinity());
        let own = Process::now().resident_bytes.unwrap_or_default();
        let meminfo = files.read("/proc/meminfo");
        let free = meminfo.and_then(|text| texts::number(&text, "MemAvailable"));
        let free = free.map(|kib| kib.saturating_mul(KIB).saturating_add(own));
        let reserved = files.read("/proc/sys/net/ipv4/ip_local_reserved_ports");
        let reserved = reserved.map_or(0, |text| texts::listed_ports(&text));
        Self {
            processors,
            memory_bytes: memory_bytes.into_iter().chain(free).min(),
            ports: ports.map(|ports| ports.saturating_sub(reserved)),
        }
    }
}

/// Returns what distinguishes this machine from others, as far as it affects the price of CPU.
pub fn machine() -> Option<Machine> {
    let files = KernelFiles::default();
    let model = files.read("/proc/cpuinfo")?;
    let model = model.lines().find(|line| line.starts_with("model name")).unwrap_or_default();
    Some(Machine {
        cpu_model: model.split_once(':').map_or("", |(_, name)| name).trim().to_owned(),
        cpus_allowed: HostLimits::read().processors?,
        kernel: files.read("/proc/sys/kernel/osrelease")?.trim().to_owned(),
    })
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn this_machine_has_processors_and_memory() {
        let limits = HostLimits::read();
        assert!(limits.processors.is_some_and(|processors| processors > 0.0), "{limits:?}");
        assert!(limits.memory_bytes.is_some_and(|bytes| bytes > 1 << 20), "{limits:?}");
        assert!(limits.ports.is_some_and(|ports| ports <= 65_536), "{limits:?}");
        assert!(machine().is_some_and(|machine| !machine.kernel.is_empty()));
    }
}
