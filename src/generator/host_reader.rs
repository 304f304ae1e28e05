//! Reads the counters of the kernel and turns them into gauges, one reading after another.

use std::fs::File;
use std::io::Read as _;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use super::Process;
use super::host_gauges::HostGauges;
use super::kernel_texts::{self as texts, Hierarchy, MachineTimes};
use crate::verdict::Gauge;

/// Maximum bytes read of one file. A host with a thousand mounts has a mountinfo of some 200 KB.
const FILE_BYTES: u64 = 1 << 20;
/// Readings between two looks at what changes rarely: affinity, quotas, memory limits, the range of ports.
const LIMITS_EVERY: u32 = 10;
/// Readings between two looks at what is only shown and costs the kernel most: the counters of its network.
const NETWORK_EVERY: u32 = 5;
/// Bytes of a unit in `/proc/meminfo`.
const KIB: u64 = 1024;
/// Steps of the wall clock below this are the work of a daemon that slews it, or of two clocks read one after the
/// other.
const STEP_LEAST_US: f64 = 1_000.0;

/// Counters of `/proc/net/netstat` that show that this machine read too slowly.
const RECEIVE_STALLS: [&str; 4] = ["TCPToZeroWindowAdv", "TCPRcvQDrop", "TCPBacklogDrop", "RcvPruned"];

/// Reader of the host's counters.
#[derive(Debug)]
pub(super) struct HostReader {
    readings: u32,
    limits: Limits,
    last: Counters,
    network: Network,
}

/// Limits of this process, as far as they are known.
#[derive(Debug, Default)]
struct Limits {
    /// Processors that it may use.
    processors: Option<f64>,
    memory_bytes: Option<u64>,
    ports: Option<u64>,
    /// Files with the throttled time of each control group that has a quota.
    throttled: Vec<String>,
}

/// Counters at one moment.
#[derive(Clone, Copy, Debug, Default)]
struct Counters {
    at: Duration,
    process: Process,
    machine: Option<MachineTimes>,
    throttled_us: Option<u64>,
    /// Wall clock and boot-time clock, each less the monotonic clock, in microseconds.
    wall_us: Option<f64>,
    boot_us: Option<f64>,
}

/// Counters of the network at one moment.
#[derive(Clone, Copy, Debug, Default)]
struct Network {
    at: Duration,
    receive_stalls: Option<u64>,
    packets_dropped: Option<u64>,
}

impl HostReader {
    /// Takes the first reading, with which the next one is compared.
    pub(super) fn new(at: Duration) -> Self {
        let limits = Limits::read();
        let last = Counters::read(at, &limits);
        Self { readings: 0, limits, last, network: Network::read(at) }
    }

    /// Takes a reading and sets the gauges.
    pub(super) fn read(&mut self, at: Duration, gauges: &HostGauges) {
        self.readings += 1;
        if self.readings.is_multiple_of(LIMITS_EVERY) {
            self.limits = Limits::read();
        }
        let (now, last) = (Counters::read(at, &self.limits), self.last);
        self.last = now;
        let seconds = now.at.saturating_sub(last.at).as_secs_f64();
        if seconds <= 0.0 {
            return;
        }
        let cpu_s = now.process.cpu.saturating_sub(last.process.cpu).as_secs_f64();
        gauges.set(Gauge::Cpu, self.limits.processors.map(|allowed| cpu_s / seconds / allowed));
        let throttled = grown(now.throttled_us, last.throttled_us);
        gauges.set(Gauge::CpuThrottled, throttled.map(|us| us / 1e6 / seconds));
        gauges.set(Gauge::CpuSteal, stolen(now.machine, last.machine));
        gauges.set(Gauge::CpuPressure, read("/proc/pressure/cpu").and_then(|text| texts::pressure(&text)));
        gauges.set(Gauge::Files, share(now.process.open_files, now.process.files_limit));
        gauges.set(Gauge::Memory, share(now.process.resident_bytes, self.limits.memory_bytes));
        gauges.set(Gauge::Ports, self.ports(now.process.open_files));
        if self.readings.is_multiple_of(NETWORK_EVERY) {
            self.read_network(at, gauges);
        }
        let moved = |now: Option<f64>, last: Option<f64>| now.zip(last).map(|(now, last)| now - last);
        let step = |moved: f64| if moved.abs() < STEP_LEAST_US { 0.0 } else { moved };
        let suspended = moved(now.boot_us, last.boot_us).map(|us| step(us).max(0.0));
        gauges.set(Gauge::Suspended, suspended);
        // The time of a suspension is no step of the wall clock.
        let wall = moved(now.wall_us, last.wall_us).map(|us| step(us - suspended.unwrap_or_default()).abs());
        gauges.set(Gauge::ClockStep, wall);
    }

    fn read_network(&mut self, at: Duration, gauges: &HostGauges) {
        let now = Network::read(at);
        let last = std::mem::replace(&mut self.network, now);
        let seconds = now.at.saturating_sub(last.at).as_secs_f64();
        let per_second = |now, last| grown(now, last).map(|count| count / seconds).filter(|_| seconds > 0.0);
        gauges.set(Gauge::ReceiveStalls, per_second(now.receive_stalls, last.receive_stalls));
        gauges.set(Gauge::PacketsDropped, per_second(now.packets_dropped, last.packets_dropped));
    }

    /// Returns the local ports in use, as a share of all, as if all connections went to one address. A port in
    /// TIME_WAIT stays in use for a minute. Other processes have sockets, too: no more than this process has files.
    fn ports(&self, open_files: Option<u64>) -> Option<f64> {
        let (in_use, waiting) = texts::tcp_sockets(&read("/proc/net/sockstat")?)?;
        share(Some(in_use.min(open_files?).saturating_add(waiting)), self.limits.ports)
    }
}

impl Limits {
    fn read() -> Self {
        let status = read("/proc/self/status").unwrap_or_default();
        let affinity = texts::field(&status, "Cpus_allowed_list").and_then(texts::processors);
        let affinity = affinity.map_or_else(|| Process::cores() as f64, |processors| processors as f64);
        let cgroup = read("/proc/self/cgroup").unwrap_or_default();
        let mounts = read("/proc/self/mountinfo").unwrap_or_default();
        let folders = |controller| {
            let found = Hierarchy::parse(controller, &cgroup, &mounts);
            found.into_iter().flat_map(|found| found.folders.into_iter().map(move |f| (found.unified, f)))
        };
        let mut processors = affinity;
        let mut throttled = Vec::new();
        for (unified, folder) in folders("cpu") {
            if let Some(quota) = quota(unified, &folder) {
                processors = processors.min(quota);
                throttled.push(format!("{folder}/cpu.stat"));
            }
        }
        let machine = read("/proc/meminfo").and_then(|text| texts::number(&text, "MemTotal"));
        let of_groups = folders("memory").filter_map(|(unified, folder)| {
            let file = if unified { "memory.max" } else { "memory.limit_in_bytes" };
            read(&format!("{folder}/{file}"))?.trim().parse().ok()
        });
        let memory_bytes = machine.map(|kib| kib.saturating_mul(KIB)).into_iter().chain(of_groups).min();
        let ports = read("/proc/sys/net/ipv4/ip_local_port_range").and_then(|text| texts::local_ports(&text));
        Self { processors: Some(processors).filter(|all| *all > 0.0), memory_bytes, ports, throttled }
    }
}

/// Returns the processors that the quota of a control group grants; `None` without a quota.
fn quota(unified: bool, folder: &str) -> Option<f64> {
    if unified {
        return texts::quota_v2(&read(&format!("{folder}/cpu.max"))?);
    }
    let quota = read(&format!("{folder}/cpu.cfs_quota_us"))?;
    texts::quota_of(&quota, &read(&format!("{folder}/cpu.cfs_period_us"))?)
}

impl Counters {
    fn read(at: Duration, limits: &Limits) -> Self {
        let throttled = limits.throttled.iter().filter_map(|file| texts::throttled_us(&read(file)?));
        // Without a quota nothing is throttled, where control groups are there at all.
        let groups = std::path::Path::new("/proc/self/cgroup").exists();
        let monotonic = seconds_of(ClockId::Monotonic);
        let less = |clock: Option<f64>| Some((clock? - monotonic?) * 1e6);
        Self {
            at,
            process: Process::without_threads(),
            machine: read("/proc/stat").and_then(|text| MachineTimes::parse(&text)),
            throttled_us: throttled.max().or(groups.then_some(0)),
            wall_us: less(seconds_of(ClockId::Realtime)),
            boot_us: less(boot_time()),
        }
    }
}

impl Network {
    fn read(at: Duration) -> Self {
        let netstat = read("/proc/net/netstat");
        Self {
            at,
            receive_stalls: netstat.and_then(|text| texts::tcp_counters(&text, &RECEIVE_STALLS)),
            packets_dropped: read("/proc/net/softnet_stat").and_then(|text| texts::packets_dropped(&text)),
        }
    }
}

#[cfg(target_os = "linux")]
fn boot_time() -> Option<f64> {
    seconds_of(ClockId::Boottime)
}

/// Returns nothing: only Linux has a clock that counts through a suspension and can be compared with one that does
/// not.
#[cfg(not(target_os = "linux"))]
fn boot_time() -> Option<f64> {
    None
}

fn seconds_of(clock: ClockId) -> Option<f64> {
    Duration::try_from(clock_gettime(clock)).ok().map(|time| time.as_secs_f64())
}

/// Returns the growth of a counter. One that fell, because its owner was replaced, is unknown.
fn grown(now: Option<u64>, last: Option<u64>) -> Option<f64> {
    now?.checked_sub(last?).map(|grown| grown as f64)
}

fn share(part: Option<u64>, whole: Option<u64>) -> Option<f64> {
    crate::vocabulary::share(part?, whole?)
}

/// Returns the share of the processor time that the hypervisor gave to others.
fn stolen(now: Option<MachineTimes>, last: Option<MachineTimes>) -> Option<f64> {
    let (now, last) = (now?, last?);
    crate::vocabulary::share(now.stolen.checked_sub(last.stolen)?, now.total.checked_sub(last.total)?)
}

/// Reads a file of the kernel; `None` if it is not there, too large or no text.
fn read(path: &str) -> Option<String> {
    let mut text = String::new();
    let length = File::open(path).ok()?.take(FILE_BYTES).read_to_string(&mut text).ok()?;
    (length < FILE_BYTES as usize).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_that_fell_or_is_missing_is_unknown() {
        assert_eq!(
            [grown(Some(7), Some(5)), grown(Some(5), Some(7)), grown(None, Some(1))],
            [Some(2.0), None, None]
        );
        let times = |stolen, total| Some(MachineTimes { stolen, total });
        assert_eq!(stolen(times(4, 300), times(0, 100)), Some(0.02));
        assert_eq!([stolen(times(4, 100), times(0, 100)), stolen(None, times(0, 1))], [None, None]);
    }

    #[test]
    fn a_file_that_is_not_there_or_no_text_is_unknown() {
        assert_eq!(read("/proc/self/none-such"), None);
        assert_eq!(read("/"), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_reading_sets_the_gauges_that_this_host_offers() {
        let gauges = HostGauges::default();
        let mut reader = HostReader::new(Duration::ZERO);
        reader.read(Duration::ZERO, &gauges);
        assert_eq!(gauges.get(Gauge::Cpu), None, "no time has passed");
        reader.read(Duration::from_secs(1), &gauges);
        for gauge in [Gauge::Cpu, Gauge::Memory, Gauge::Suspended, Gauge::ClockStep] {
            assert!(gauges.get(gauge).is_some_and(|value| value >= 0.0), "{gauge:?}");
        }
        assert!(reader.limits.processors.is_some_and(|processors| processors > 0.0));
    }
}
