//! Reads the counters of the kernel and turns them into gauges, one reading after another.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use super::Process;
use super::host_gauges::{Fact, HostGauges};
use super::host_limits::{Limits, Quota, affinity};
use super::kernel_files::KernelFiles;
use super::kernel_texts::{self as texts, MachineTimes, grown};
use super::network::Network;
use crate::verdict::Gauge;

/// Readings between two looks at what changes rarely: affinity, quotas, memory limits, the range of ports.
const LIMITS_EVERY: u32 = 10;
/// Readings between two looks at what is only shown and costs the kernel most: the counters of its network.
const NETWORK_EVERY: u32 = 5;
/// Steps of the wall clock below this are the work of a daemon that slews it, or of two clocks read one after the
/// other.
const STEP_LEAST_US: f64 = 1_000.0;

/// Reader of the host's counters.
#[derive(Debug)]
pub(super) struct HostReader {
    files: KernelFiles,
    readings: u32,
    limits: Limits,
    last: Counters,
    network: Network,
}

/// Counters at one moment.
#[derive(Clone, Debug, Default)]
struct Counters {
    at: Duration,
    process: Process,
    machine: Option<MachineTimes>,
    throttled: Option<Throttled>,
    major_faults: Option<u64>,
    clocks: Clocks,
}

/// Microseconds so far in which each control group with a quota was throttled, by its file; empty if there is no
/// quota. Groups are nested and their counters as old as they are: the largest counter says nothing about this process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Throttled(Vec<(String, u64)>);

/// Wall clock and boot-time clock, each less the monotonic clock, in microseconds.
#[derive(Clone, Copy, Debug, Default)]
struct Clocks {
    wall_us: Option<f64>,
    boot_us: Option<f64>,
}

impl HostReader {
    /// Takes the first reading, with which the next one is compared.
    pub(super) fn new(at: Duration, gauges: &HostGauges) -> Self {
        let files = KernelFiles::default();
        let limits = Limits::read(&files, affinity());
        limits.publish(gauges);
        gauges.end_reading(at);
        let last = Counters::read(at, &files, &limits);
        let network = Network::read(at, &files);
        Self { files, readings: 0, limits, last, network }
    }

    /// Takes a reading and sets the gauges.
    pub(super) fn read(&mut self, at: Duration, gauges: &HostGauges) {
        self.readings += 1;
        if self.readings.is_multiple_of(LIMITS_EVERY) {
            self.limits = Limits::read(&self.files, affinity());
            self.limits.publish(gauges);
        }
        let now = Counters::read(at, &self.files, &self.limits);
        let last = std::mem::replace(&mut self.last, now.clone());
        let seconds = now.at.saturating_sub(last.at).as_secs_f64();
        if seconds <= 0.0 {
            return;
        }
        let cpu_s = now.process.cpu.saturating_sub(last.process.cpu).as_secs_f64();
        gauges.set(Gauge::Cpu, self.limits.processors.map(|allowed| cpu_s / seconds / allowed));
        let throttled_us = now.throttled.as_ref().zip(last.throttled.as_ref());
        let throttled_us = throttled_us.and_then(|(now, last)| now.growth(last));
        // The kernel adds up the time of all processors that a group was kept from.
        let processor_s = self.limits.affinity.map(|processors| processors * seconds);
        let throttled = throttled_us.zip(processor_s).map(|(us, all_s)| us as f64 / 1e6 / all_s);
        gauges.set(Gauge::CpuThrottled, throttled);
        gauges.set(Gauge::CpuSteal, stolen(now.machine, last.machine));
        let pressure = |file: &str| self.files.read(file).and_then(|text| texts::pressure(&text));
        gauges.set(Gauge::CpuPressure, self.limits.cpu_pressure.as_deref().and_then(pressure));
        gauges.set(Gauge::MemoryPressure, self.limits.memory_pressure.as_deref().and_then(pressure));
        gauges
            .set(Gauge::MajorFaults, grown(now.major_faults, last.major_faults).map(|count| count / seconds));
        gauges.set(Gauge::HostCpuPressure, pressure("/proc/pressure/cpu"));
        gauges.set(Gauge::Files, share(now.process.open_files, now.process.files_limit));
        gauges.set(Gauge::Memory, share(now.process.resident_bytes, self.limits.memory_bytes));
        self.read_sockets(now.process.open_files, gauges);
        let files = self.files.read("/proc/sys/fs/file-nr").and_then(|text| texts::machine_files(&text));
        gauges.set_fact(Fact::MachineFiles, files);
        if self.readings.is_multiple_of(NETWORK_EVERY) {
            let network = Network::read(at, &self.files);
            network.compare(&self.network, gauges);
            self.network = network;
        }
        gauges.set(Gauge::Tracked, self.tracked_share());
        now.clocks.compare(last.clocks, gauges);
        gauges.end_reading(at);
    }

    /// Returns the share of the kernel's table of connections that is in use; `None` if the kernel tracks none.
    fn tracked_share(&self) -> Option<f64> {
        let number = |name: &str| {
            self.files.read(&format!("/proc/sys/net/netfilter/nf_conntrack_{name}"))?.trim().parse().ok()
        };
        share(number("count"), number("max"))
    }

    /// Reads the sockets of the host. Other processes have some, too: this one has no more than it has files.
    fn read_sockets(&self, open_files: Option<u64>, gauges: &HostGauges) {
        let text = |file| self.files.read(file).unwrap_or_default();
        let (old, new) = (text("/proc/net/sockstat"), text("/proc/net/sockstat6"));
        let in_use =
            texts::sockets_in_use(&old, &new).zip(open_files).map(|(sockets, files)| sockets.min(files));
        gauges.set_fact(Fact::SocketsInUse, in_use.map(|sockets| sockets as f64));
        gauges.set_fact(Fact::SocketsWaiting, texts::sockets_waiting(&old).map(|sockets| sockets as f64));
    }
}

impl Limits {
    fn publish(&self, gauges: &HostGauges) {
        gauges.set_fact(Fact::Processors, self.processors);
        gauges.set_fact(Fact::LocalPorts, self.ports.map(|ports| ports as f64));
    }
}

impl Counters {
    fn read(at: Duration, files: &KernelFiles, limits: &Limits) -> Self {
        Self {
            at,
            process: Process::without_threads(),
            machine: files.read("/proc/stat").and_then(|text| MachineTimes::parse(&text)),
            throttled: Throttled::read(files, &limits.quota),
            major_faults: files.read("/proc/self/stat").and_then(|text| texts::major_faults(&text)),
            clocks: Clocks::read(),
        }
    }
}

impl Throttled {
    fn read(files: &KernelFiles, quota: &Quota) -> Option<Self> {
        let groups = match quota {
            Quota::Unknown => return None,
            Quota::Unlimited => return Some(Self::default()),
            Quota::Groups(groups) => groups,
        };
        let time_of = |file: &String| Some((file.clone(), texts::throttled_us(&files.read(file)?)?));
        let known: Vec<_> = groups.iter().filter_map(time_of).collect();
        (!known.is_empty()).then_some(Self(known))
    }

    /// Returns the largest growth of a group. That of a group that was not there before, or whose counter fell because
    /// it was replaced, is unknown.
    fn growth(&self, last: &Self) -> Option<u64> {
        if self.0.is_empty() {
            return Some(0);
        }
        let before = |file: &String| last.0.iter().find(|(known, _)| known == file).map(|(_, us)| *us);
        self.0.iter().filter_map(|(file, us)| us.checked_sub(before(file)?)).max()
    }
}

impl Clocks {
    fn read() -> Self {
        // One right after the other: time that passes in between looks like a step.
        let [wall, boot, monotonic] =
            [seconds_of(ClockId::Realtime), boot_time(), seconds_of(ClockId::Monotonic)];
        let less = |clock: Option<f64>| Some((clock? - monotonic?) * 1e6);
        Self { wall_us: less(wall), boot_us: less(boot) }
    }

    /// Sets the gauges of what happened to the clocks since `last`.
    fn compare(self, last: Self, gauges: &HostGauges) {
        let moved = |now: Option<f64>, last: Option<f64>| now.zip(last).map(|(now, last)| now - last);
        let step = |moved: f64| if moved.abs() < STEP_LEAST_US { 0.0 } else { moved };
        let suspended = moved(self.boot_us, last.boot_us).map(|us| step(us).max(0.0));
        gauges.set(Gauge::Suspended, suspended);
        // The time of a suspension is no step of the wall clock.
        let wall = moved(self.wall_us, last.wall_us).map(|us| step(us - suspended.unwrap_or_default()).abs());
        gauges.set(Gauge::ClockStep, wall);
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

fn share(part: Option<u64>, whole: Option<u64>) -> Option<f64> {
    crate::vocabulary::share(part?, whole?)
}

/// Returns the share of the processor time that the hypervisor gave to others.
fn stolen(now: Option<MachineTimes>, last: Option<MachineTimes>) -> Option<f64> {
    let (now, last) = (now?, last?);
    crate::vocabulary::share(now.stolen.checked_sub(last.stolen)?, now.total.checked_sub(last.total)?)
}

#[cfg(test)]
mod tests {
    use super::super::kernel_files::made_up::Machine;
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
    fn throttled_time_grows_for_each_group_apart() {
        let machine = Machine::new(&[(
            "/in/cpu.stat",
            "throttled_usec 1000
",
        )]);
        let quota = Quota::Groups(["/in/cpu.stat", "/out/cpu.stat"].map(str::to_owned).to_vec());
        let read = || Throttled::read(&machine.files, &quota).expect("known");
        let first = read();
        // A group that appears brings the time of its whole life along.
        machine.write("/out/cpu.stat", "nr_throttled 9\nthrottled_usec 9000000\n");
        machine.write("/in/cpu.stat", "throttled_usec 41000\n");
        let second = read();
        assert_eq!(second.growth(&first), Some(40_000));
        // The inner group was throttled, and the outer one, whose counter is larger, was not.
        machine.write("/in/cpu.stat", "throttled_usec 91000\n");
        assert_eq!(read().growth(&second), Some(50_000));
        // Other groups than before, or one that was replaced: unknown, and not the difference of two strangers.
        machine.remove("/in/cpu.stat");
        assert_eq!(read().growth(&first), None);
        machine.write("/out/cpu.stat", "throttled_usec 5\n");
        assert_eq!(read().growth(&second), None);
    }

    #[test]
    fn without_a_quota_nothing_is_throttled_and_without_a_group_nothing_is_known() {
        let machine = Machine::new(&[]);
        let read = |quota| Throttled::read(&machine.files, &quota);
        let unlimited = read(Quota::Unlimited).expect("known");
        assert_eq!(unlimited.growth(&unlimited), Some(0));
        assert_eq!(read(Quota::Unknown), None);
        assert_eq!(read(Quota::Groups(vec!["/gone/cpu.stat".to_owned()])), None);
    }

    #[test]
    fn throttled_time_is_a_share_of_the_time_of_all_processors() {
        let mounts = "1 0 0:2 / /cg rw - cgroup2 cgroup rw\n";
        let machine = Machine::new(&[
            ("/proc/self/mountinfo", mounts),
            ("/proc/self/cgroup", "0::/app\n"),
            ("/cg/app/cpu.max", "200000 100000\n"),
            ("/cg/app/cpu.stat", "throttled_usec 0\n"),
            ("/proc/pressure/cpu", "some avg10=62.00 avg60=0.00 total=1\n"),
            ("/cg/app/memory.pressure", "some avg10=12.50 avg60=0.00 total=1\n"),
            ("/proc/self/stat", "7 (a) b) R 1 2 3 4 5 6 100 0 40 0 9\n"),
        ]);
        let (files, gauges) = (machine.files.clone(), HostGauges::default());
        let limits = Limits::read(&files, Some(4.0));
        let last = Counters::read(Duration::ZERO, &files, &limits);
        let mut reader = HostReader { files, readings: 0, limits, last, network: Network::default() };
        machine.write("/cg/app/cpu.stat", "throttled_usec 2000000\n");
        machine.write("/proc/self/stat", "7 (a) b) R 1 2 3 4 5 6 900 0 43 0 9\n");
        reader.read(Duration::from_secs(1), &gauges);
        assert_eq!(gauges.take(Gauge::CpuThrottled), Some(0.5));
        // The pressure on the whole machine is not the pressure that this process feels.
        assert_eq!(
            (gauges.take(Gauge::CpuPressure), gauges.take(Gauge::HostCpuPressure)),
            (None, Some(0.62))
        );
        assert_eq!(
            (gauges.take(Gauge::MemoryPressure), gauges.take(Gauge::MajorFaults)),
            (Some(0.125), Some(3.0))
        );
    }

    #[test]
    fn the_table_of_tracked_connections_is_read_where_there_is_one() {
        let machine = Machine::new(&[
            ("/proc/sys/net/netfilter/nf_conntrack_count", "61440\n"),
            ("/proc/sys/net/netfilter/nf_conntrack_max", "65536\n"),
        ]);
        let gauges = HostGauges::default();
        let files = machine.files.clone();
        let mut reader = HostReader { files, ..HostReader::new(Duration::ZERO, &gauges) };
        reader.read(Duration::from_secs(1), &gauges);
        assert_eq!(gauges.take(Gauge::Tracked), Some(61_440.0 / 65_536.0));
        machine.remove("/proc/sys/net/netfilter/nf_conntrack_count");
        reader.read(Duration::from_secs(2), &gauges);
        assert_eq!(gauges.take(Gauge::Tracked), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_reading_sets_the_gauges_that_this_host_offers() {
        let gauges = HostGauges::default();
        let mut reader = HostReader::new(Duration::ZERO, &gauges);
        reader.read(Duration::ZERO, &gauges);
        assert_eq!(gauges.take(Gauge::Cpu), None, "no time has passed");
        reader.read(Duration::from_secs(1), &gauges);
        for gauge in [Gauge::Cpu, Gauge::Memory, Gauge::Suspended, Gauge::ClockStep] {
            assert!(gauges.take(gauge).is_some_and(|value| value >= 0.0), "{gauge:?}");
        }
        assert!(reader.limits.processors.is_some_and(|processors| processors > 0.0));
    }
}
