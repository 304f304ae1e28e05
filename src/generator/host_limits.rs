//! Limits of this process: processors, memory, local ports, and the quota of its control groups.

use super::Process;
use super::kernel_files::KernelFiles;
use super::kernel_texts::{self as texts, Hierarchy};

/// Bytes of a unit in `/proc/meminfo`.
pub(super) const KIB: u64 = 1024;

/// Limits of this process, as far as they are known.
#[derive(Debug, Default)]
pub(super) struct Limits {
    /// Processors that its threads may run on.
    pub(super) affinity: Option<f64>,
    /// Processors that it may use: those of its affinity, or less if a quota grants less.
    pub(super) processors: Option<f64>,
    pub(super) memory_bytes: Option<u64>,
    pub(super) ports: Option<u64>,
    pub(super) quota: Quota,
    /// File with the pressure on the CPUs that the own control group feels; `None` if the host has none for it.
    pub(super) cpu_pressure: Option<String>,
    /// The same for memory.
    pub(super) memory_pressure: Option<String>,
}

/// CPU quota of the control groups of this process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Quota {
    /// No control group says whether there is one.
    #[default]
    Unknown,
    /// The control groups say that there is none.
    Unlimited,
    /// Files with the throttled time of each group that has a quota, the innermost first.
    Groups(Vec<String>),
}

impl Limits {
    /// Reads the limits of a process that may run on this number of processors.
    pub(super) fn read(files: &KernelFiles, affinity: Option<f64>) -> Self {
        let cgroup = files.read("/proc/self/cgroup").unwrap_or_default();
        let mounts = files.read("/proc/self/mountinfo").unwrap_or_default();
        let (quota, granted) = quota(files, &Hierarchy::parse("cpu", &cgroup, &mounts));
        let processors = affinity.into_iter().chain(granted).reduce(f64::min);
        let machine = files.read("/proc/meminfo").and_then(|text| texts::number(&text, "MemTotal"));
        let memory = Hierarchy::parse("memory", &cgroup, &mounts);
        let of_groups = memory.iter().flat_map(|found| memory_limits(files, found));
        let ports = files.read("/proc/sys/net/ipv4/ip_local_port_range");
        Self {
            affinity,
            processors: processors.filter(|all| *all > 0.0),
            memory_bytes: machine.map(|kib| kib.saturating_mul(KIB)).into_iter().chain(of_groups).min(),
            ports: ports.and_then(|text| texts::local_ports(&text)),
            quota,
            cpu_pressure: pressure(files, "cpu", &cgroup, &mounts),
            memory_pressure: pressure(files, "memory", &cgroup, &mounts),
        }
    }
}

/// Returns the number of processors that this process may run on now: the kernel leaves out those that are offline.
#[cfg(target_os = "linux")]
pub(super) fn affinity() -> Option<f64> {
    let allowed = rustix::thread::sched_getaffinity(None).map(|allowed| allowed.count() as usize);
    // A machine with more than 1,024 processors does not fit into this set.
    Some(allowed.unwrap_or_else(|_| Process::cores()) as f64)
}

/// Returns the number of processors of this machine: only Linux and few others have affinities.
#[cfg(not(target_os = "linux"))]
pub(super) fn affinity() -> Option<f64> {
    Some(Process::cores() as f64)
}

/// Returns the quota, and the processors that it grants at most.
fn quota(files: &KernelFiles, found: &[Hierarchy]) -> (Quota, Option<f64>) {
    // A v2 hierarchy may have any controller, but not one that a v1 hierarchy has.
    let is_old = found.iter().any(|found| !found.unified);
    let mut is_known = false;
    let (mut throttled, mut granted) = (Vec::new(), None::<f64>);
    for hierarchy in found.iter().filter(|found| found.unified != is_old) {
        is_known |= hierarchy.folders.last().is_some_and(|top| is_root(files, hierarchy.unified, top));
        for folder in &hierarchy.folders {
            let Some(quota) = quota_of_group(files, hierarchy.unified, folder) else { continue };
            is_known = true;
            if let Some(processors) = quota {
                granted = Some(granted.map_or(processors, |granted| granted.min(processors)));
                throttled.push(format!("{folder}/cpu.stat"));
            }
        }
    }
    let quota = match (throttled.is_empty(), is_known) {
        (false, _) => Quota::Groups(throttled),
        (true, true) => Quota::Unlimited,
        (true, false) => Quota::Unknown,
    };
    (quota, granted)
}

/// Returns the processors that a control group grants, `Some(None)` if it says that it has no quota; `None` if it says
/// nothing.
fn quota_of_group(files: &KernelFiles, unified: bool, folder: &str) -> Option<Option<f64>> {
    if unified {
        return Some(texts::quota_v2(&files.read(&format!("{folder}/cpu.max"))?));
    }
    let quota = files.read(&format!("{folder}/cpu.cfs_quota_us"))?;
    Some(texts::quota_of(&quota, &files.read(&format!("{folder}/cpu.cfs_period_us"))?))
}

/// Reports whether a folder is the root of the whole hierarchy, which never has a quota. A container sees the folder
/// of its own group at the same place; the root alone has no events in v2, and alone has a release agent in v1.
fn is_root(files: &KernelFiles, unified: bool, folder: &str) -> bool {
    let has = |file| files.has(&format!("{folder}/{file}"));
    if unified { has("cgroup.procs") && !has("cgroup.events") } else { has("release_agent") }
}

fn memory_limits(files: &KernelFiles, found: &Hierarchy) -> Vec<u64> {
    let file = if found.unified { "memory.max" } else { "memory.limit_in_bytes" };
    let limit = |folder| files.read(&format!("{folder}/{file}"))?.trim().parse().ok();
    found.folders.iter().filter_map(limit).collect()
}

/// Returns the file with the pressure on a resource that the own v2 group feels. The pressure at the root is that of all processes
/// of the machine, which may wait for each other while this one waits for nothing.
fn pressure(files: &KernelFiles, resource: &str, cgroup: &str, mounts: &str) -> Option<String> {
    let found = Hierarchy::parse(resource, cgroup, mounts).into_iter().find(|found| found.unified)?;
    let own = found.folders.first().filter(|own| !is_root(files, true, own))?;
    Some(format!("{own}/{resource}.pressure")).filter(|file| files.has(file))
}

#[cfg(test)]
mod tests {
    use super::super::kernel_files::made_up::Machine;
    use super::*;

    const V2: (&str, &str) = ("/proc/self/mountinfo", "1 0 0:2 / /cg rw - cgroup2 cgroup rw\n");
    const INNER: (&str, &str) = ("/proc/self/cgroup", "0::/pod/app\n");

    fn read(files: &[(&str, &str)]) -> Limits {
        Limits::read(&Machine::new(files).files, Some(4.0))
    }

    #[test]
    fn the_smallest_quota_of_nested_groups_holds_and_each_of_them_may_throttle() {
        let limits = read(&[
            V2,
            INNER,
            ("/cg/pod/app/cpu.max", "300000 100000\n"),
            ("/cg/pod/cpu.max", "150000 100000\n"),
            ("/cg/cpu.stat", "usage_usec 7\n"),
        ]);
        assert_eq!((limits.affinity, limits.processors), (Some(4.0), Some(1.5)));
        let files = ["/cg/pod/app/cpu.stat", "/cg/pod/cpu.stat"].map(str::to_owned);
        assert_eq!(limits.quota, Quota::Groups(files.to_vec()));
        // A quota of more processors than the affinity has grants no more of them.
        let wide = read(&[V2, INNER, ("/cg/pod/app/cpu.max", "900000 100000\n")]);
        assert_eq!(wide.processors, Some(4.0));
    }

    #[test]
    fn no_quota_is_known_only_where_a_group_or_the_root_says_so() {
        let unlimited = read(&[V2, INNER, ("/cg/pod/app/cpu.max", "max 100000\n")]);
        assert_eq!((unlimited.quota, unlimited.processors), (Quota::Unlimited, Some(4.0)));
        // A container whose group has no CPU controller may be throttled by a group that it cannot see.
        let container = [V2, ("/proc/self/cgroup", "0::/\n"), ("/cg/cgroup.procs", "1\n")];
        let events = [("/cg/cgroup.events", "populated 1\n")];
        assert_eq!(read(&[&container[..], &events[..]].concat()).quota, Quota::Unknown);
        assert_eq!(read(&container).quota, Quota::Unlimited);
        assert_eq!(read(&[]).quota, Quota::Unknown);
    }

    #[test]
    fn the_old_hierarchy_decides_about_a_controller_that_it_has() {
        let mounts =
            "32 31 0:29 / /cpu rw - cgroup cgroup rw,cpu\n41 31 0:38 / /cg rw - cgroup2 cgroup2 rw\n";
        let both = [("/proc/self/mountinfo", mounts), ("/proc/self/cgroup", "1:cpu:/pod\n0::/\n")];
        let root_of_v2 = [("/cg/cgroup.procs", "1\n")];
        assert_eq!(read(&[&both[..], &root_of_v2[..]].concat()).quota, Quota::Unknown);
        let quota = [("/cpu/pod/cpu.cfs_quota_us", "50000\n"), ("/cpu/pod/cpu.cfs_period_us", "100000\n")];
        let limits = read(&[&both[..], &quota[..]].concat());
        assert_eq!(limits.quota, Quota::Groups(vec!["/cpu/pod/cpu.stat".to_owned()]));
        assert_eq!(limits.processors, Some(0.5));
        let root = [("/cpu/release_agent", "\n")];
        assert_eq!(read(&[&both[..], &root[..]].concat()).quota, Quota::Unlimited);
    }

    #[test]
    fn memory_and_ports_are_the_smallest_limits_that_are_known() {
        let limits = read(&[
            V2,
            INNER,
            ("/proc/meminfo", "MemTotal:  1000 kB\n"),
            ("/cg/pod/app/memory.max", "max\n"),
            ("/cg/pod/memory.max", "500000\n"),
            ("/proc/sys/net/ipv4/ip_local_port_range", "32768\t60999\n"),
        ]);
        assert_eq!((limits.memory_bytes, limits.ports), (Some(500_000), Some(28_232)));
        assert_eq!(read(&[]).memory_bytes, None);
    }

    #[test]
    fn the_pressure_of_the_own_group_is_not_that_of_the_machine() {
        let own = [V2, INNER, ("/cg/pod/app/cgroup.procs", "1\n"), ("/cg/pod/app/cgroup.events", "\n")];
        let pressure = [("/cg/pod/app/cpu.pressure", "some avg10=0.00\n")];
        assert_eq!(read(&own).cpu_pressure, None);
        let limits = read(&[&own[..], &pressure[..]].concat());
        assert_eq!(limits.cpu_pressure.as_deref(), Some("/cg/pod/app/cpu.pressure"));
        let root = [("/cg/cgroup.procs", "1\n"), ("/cg/cpu.pressure", "some avg10=0.00\n")];
        let root = [&[V2, ("/proc/self/cgroup", "0::/\n")][..], &root[..]].concat();
        assert_eq!(read(&root).cpu_pressure, None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_process_may_run_on_some_processors() {
        assert!(affinity().is_some_and(|processors| processors >= 1.0));
    }
}
