//! Parsers of the texts in which the kernel reports its counters. They are pure, and a text that they do not
//! understand is `None`: kernels differ, and a container may offer part of a file or none.

/// Processor times of the whole machine, in ticks of the kernel's clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct MachineTimes {
    /// Time that the hypervisor gave to other machines.
    pub(super) stolen: u64,
    /// Time of every kind.
    pub(super) total: u64,
}

impl MachineTimes {
    /// Reads the first line of `/proc/stat`: `cpu user nice system idle iowait irq softirq steal ...` (proc_stat(5)).
    /// Guest times are not added: user time includes them.
    pub(super) fn parse(stat: &str) -> Option<Self> {
        let line = stat.lines().next()?.strip_prefix("cpu ")?;
        let mut times = [0; 8];
        let mut fields = line.split_ascii_whitespace();
        for time in &mut times {
            *time = fields.next()?.parse().ok()?;
        }
        let total = times.iter().try_fold(0_u64, |sum, time| sum.checked_add(*time))?;
        let [.., stolen] = times;
        Some(Self { stolen, total })
    }
}

/// Returns the value of a line `name: value` or `name value`.
pub(super) fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| {
        let rest = line.strip_prefix(name)?;
        let rest = rest.strip_prefix(':').or_else(|| rest.strip_prefix([' ', '\t']))?;
        Some(rest.trim())
    })
}

/// Returns the first number of the value of a line: `MemTotal:  16303428 kB` is 16,303,428.
pub(super) fn number(text: &str, name: &str) -> Option<u64> {
    field(text, name)?.split_ascii_whitespace().next()?.parse().ok()
}

/// Returns the share of the last ten seconds in which some task waited, of a file with the pressure on a resource:
/// `some avg10=9.68 avg60=6.61 avg300=4.38 total=12142022123`.
pub(super) fn pressure(text: &str) -> Option<f64> {
    let average =
        field(text, "some")?.split_ascii_whitespace().find_map(|word| word.strip_prefix("avg10="))?;
    let percent: f64 = average.parse().ok()?;
    (0.0..=100.0).contains(&percent).then_some(percent / 100.0)
}

/// Returns the processors that a quota grants, of `cpu.max` (cgroup v2): `50000 100000` is half a processor, `max
/// 100000` no quota.
pub(super) fn quota_v2(text: &str) -> Option<f64> {
    let (quota, period) = text.trim().split_once(' ')?;
    quota_of(quota, period)
}

/// Returns the processors that a quota grants, of `cpu.cfs_quota_us` and `cpu.cfs_period_us` (cgroup v1); a quota of
/// -1 is none.
pub(super) fn quota_of(quota: &str, period: &str) -> Option<f64> {
    let [quota, period] = [quota, period].map(|number| number.trim().parse::<u64>().ok());
    let (quota, period) = (quota?, period?);
    (quota > 0 && period > 0).then(|| quota as f64 / period as f64)
}

/// Returns the microseconds in which a quota held tasks back so far, of `cpu.stat`: `throttled_usec` in cgroup v2,
/// `throttled_time` in nanoseconds in v1.
pub(super) fn throttled_us(text: &str) -> Option<u64> {
    number(text, "throttled_usec").or_else(|| number(text, "throttled_time").map(|ns| ns / 1_000))
}

/// Returns the TCP sockets in use, of `/proc/net/sockstat` (`TCP: inuse 27 orphan 0 tw 14 ...`), which has those of
/// IPv4, and `/proc/net/sockstat6` (`TCP6: inuse 4`), which a host without IPv6 does not have.
pub(super) fn sockets_in_use(sockstat: &str, sockstat6: &str) -> Option<u64> {
    let old = word_after(field(sockstat, "TCP")?, "inuse")?;
    let new = field(sockstat6, "TCP6").map_or(Some(0), |line| word_after(line, "inuse"));
    old.checked_add(new?)
}

/// Returns the TCP sockets of both versions in TIME_WAIT, of `/proc/net/sockstat`.
pub(super) fn sockets_waiting(sockstat: &str) -> Option<u64> {
    word_after(field(sockstat, "TCP")?, "tw")
}

/// Returns the number after a word.
fn word_after(line: &str, name: &str) -> Option<u64> {
    let mut words = line.split_ascii_whitespace();
    words.find(|word| *word == name)?;
    words.next()?.parse().ok()
}

/// Returns the open files of the machine as a share of its limit, of `/proc/sys/fs/file-nr`: `1184 0 65536`, where the
/// second number is always 0 (proc_sys_fs(5)).
pub(super) fn machine_files(text: &str) -> Option<f64> {
    let mut numbers = text.split_ascii_whitespace().map(|number| number.parse::<u64>().ok());
    let (open, _, limit) = (numbers.next()??, numbers.next()??, numbers.next()??);
    crate::vocabulary::share(open, limit)
}

/// Returns the number of local ports, of `ip_local_port_range`: `32768 60999`.
pub(super) fn local_ports(text: &str) -> Option<u64> {
    let mut ends = text.split_ascii_whitespace().map(|end| end.parse::<u16>().ok());
    let (first, last) = (ends.next()??, ends.next()??);
    Some(u64::from(last.checked_sub(first)?) + 1)
}

/// Returns the number of ports in a list such as `8080,9148-9150`, of `ip_local_reserved_ports`.
pub(super) fn listed_ports(text: &str) -> u64 {
    let count = |range: &str| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let [first, last] = [first, last].map(|end| end.trim().parse::<u16>().ok());
        Some(u64::from(last?.checked_sub(first?)?) + 1)
    };
    text.split(',').filter_map(count).sum()
}

/// Returns the sum of some counters of `/proc/net/netstat`, which has a line of names before each line of values.
pub(super) fn tcp_counters(text: &str, names: &[&str]) -> Option<u64> {
    let mut lines = text.lines().filter_map(|line| line.strip_prefix("TcpExt:"));
    let (heading, values) = (lines.next()?, lines.next()?);
    let pairs = heading.split_ascii_whitespace().zip(values.split_ascii_whitespace());
    let wanted = pairs.filter(|(name, _)| names.contains(name));
    let mut found = wanted.map(|(_, value)| value.parse::<u64>().ok()).peekable();
    found.peek()?;
    found.try_fold(0_u64, |sum, value| sum.checked_add(value?))
}

/// Returns the packets that were dropped before a socket saw them, of `/proc/net/softnet_stat`: the second column,
/// hexadecimal, one line for each processor.
pub(super) fn packets_dropped(text: &str) -> Option<u64> {
    let mut lines = text.lines().peekable();
    lines.peek()?;
    lines.try_fold(0_u64, |sum, line| {
        let column = line.split_ascii_whitespace().nth(1)?;
        sum.checked_add(u64::from_str_radix(column, 16).ok()?)
    })
}

/// Bytes that an interface has carried so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LinkBytes {
    pub(super) received: u64,
    pub(super) sent: u64,
}

/// Returns the interfaces of `/proc/net/dev`, by name: `eth0: 71 3 0 0 0 0 0 0 42 ...`, where the first number is the
/// bytes received and the ninth the bytes sent (proc_pid_net(5)). A line that is not understood is left out.
pub(super) fn links(text: &str) -> impl Iterator<Item = (&str, LinkBytes)> {
    text.lines().filter_map(|line| {
        let (name, numbers) = line.split_once(':')?;
        let mut numbers = numbers.split_ascii_whitespace().map(|number| number.parse().ok());
        let (received, sent) = (numbers.next()??, numbers.nth(7)??);
        Some((name.trim(), LinkBytes { received, sent })).filter(|(name, _)| is_interface(name))
    })
}

/// Reports whether a name can be that of an interface: it becomes part of a path.
fn is_interface(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('.') && !name.contains('/')
}

/// Returns the major page faults of this process so far, of `/proc/self/stat`: the tenth number after the name, which
/// may itself contain brackets and spaces (proc_pid_stat(5)).
pub(super) fn major_faults(stat: &str) -> Option<u64> {
    let (_, numbers) = stat.rsplit_once(')')?;
    numbers.split_ascii_whitespace().nth(9)?.parse().ok()
}

/// Returns the growth of a counter. One that fell, because its owner was replaced, is unknown.
pub(super) fn grown(now: Option<u64>, last: Option<u64>) -> Option<f64> {
    now?.checked_sub(last?).map(|grown| grown as f64)
}

/// A control group hierarchy that limits this process: the folder where it is mounted, and the folders of this
/// process below it, the innermost first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hierarchy {
    /// True for cgroup v2.
    pub(super) unified: bool,
    /// Folder of the process, its parents, and last the mount point.
    pub(super) folders: Vec<String>,
}

/// Maximum number of folders of a hierarchy that are looked at: containers nest a handful.
const FOLDERS: usize = 16;

impl Hierarchy {
    /// Returns the hierarchies with this controller, of `/proc/self/cgroup` (cgroups(7)) and `/proc/self/mountinfo`
    /// (proc_pid_mountinfo(5)). A v2 hierarchy may have any controller.
    pub(super) fn parse(controller: &str, cgroup: &str, mounts: &str) -> Vec<Self> {
        let of_line = |line: &str| {
            let mut parts = line.splitn(3, ':');
            let (number, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
            let unified = number == "0" && controllers.is_empty();
            if !unified && !controllers.split(',').any(|name| name == controller) {
                return None;
            }
            let mount = mounts.lines().find_map(|line| Mount::parse(line, unified, controller))?;
            Some(Self { unified, folders: mount.folders(path) })
        };
        cgroup.lines().filter_map(of_line).collect()
    }
}

/// A mounted hierarchy.
struct Mount<'a> {
    /// Part of the hierarchy that is mounted.
    root: &'a str,
    point: &'a str,
}

impl<'a> Mount<'a> {
    /// Reads a line of mountinfo, if it is a hierarchy of this kind:
    /// `32 31 0:29 /root /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu`.
    fn parse(line: &'a str, unified: bool, controller: &str) -> Option<Self> {
        let (before, after) = line.split_once(" - ")?;
        let mut after = after.split(' ');
        let (kind, _source, options) = (after.next()?, after.next()?, after.next()?);
        let is_wanted = if unified {
            kind == "cgroup2"
        } else {
            kind == "cgroup" && options.split(',').any(|option| option == controller)
        };
        let mut before = before.split(' ').skip(3);
        is_wanted.then_some(Self { root: before.next()?, point: before.next()? })
    }

    /// Returns the folders from the one of `path` up to the mount point. A path outside of what is mounted, as some
    /// containers have, leaves the mount point alone.
    fn folders(&self, path: &str) -> Vec<String> {
        let below = path.strip_prefix(self.root.trim_end_matches('/')).unwrap_or_default();
        let parts: Vec<_> = below.split('/').filter(|part| !part.is_empty()).collect();
        let is_inside = !parts.contains(&"..") && parts.len() < FOLDERS;
        let depth = if is_inside { parts.len() } else { 0 };
        let folder = |depth| {
            let parts = parts.iter().take(depth).copied();
            std::iter::once(self.point).chain(parts).collect::<Vec<_>>().join("/")
        };
        (0..=depth).rev().map(folder).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const STAT: &str =
        "cpu  5019025 328218 641834 3276587 29682 0 34868 54370 7 0\ncpu0 1 2 3 4 5 6 7 8 9 10\n";
    const NETSTAT: &str =
        "TcpExt: SyncookiesSent TCPRcvQDrop TCPToZeroWindowAdv\nTcpExt: 9 2 40\nIpExt: InOctets\nIpExt: 7\n";
    const MOUNTS: &str = "\
31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu
33 31 0:30 / /sys/fs/cgroup/cpuacct rw,relatime - cgroup cgroup rw,cpuacct
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime shared:9 - cgroup2 cgroup2 rw
";

    #[test]
    fn reserved_ports_are_counted() {
        assert_eq!(["", "\n", "8080", "8080,9148-9150\n", "9-1,x"].map(listed_ports), [0, 0, 1, 4, 0]);
    }

    #[test]
    fn counters_of_the_machine_are_read() {
        assert_eq!(MachineTimes::parse(STAT), Some(MachineTimes { stolen: 54_370, total: 9_384_584 }));
        assert_eq!(pressure("some avg10=9.68 avg60=6.61 total=12\nfull avg10=0.00\n"), Some(0.0968));
        let sockets = "sockets: used 17\nTCP: inuse 27 orphan 0 tw 14 alloc 1\n";
        assert_eq!(sockets_in_use(sockets, "TCP6: inuse 4\nUDP6: inuse 9\n"), Some(31));
        assert_eq!((sockets_in_use(sockets, ""), sockets_waiting(sockets)), (Some(27), Some(14)));
        assert_eq!(local_ports("32768\t60999\n"), Some(28_232));
        assert_eq!(machine_files("900\t0\t1000\n"), Some(0.9));
        assert_eq!(tcp_counters(NETSTAT, &["TCPRcvQDrop", "TCPToZeroWindowAdv", "Other"]), Some(42));
        assert_eq!(packets_dropped("0104f143 00000001 0000000e\n00ffb93a 0000000a 0000000c\n"), Some(11));
        assert_eq!(number("MemFree: 1 kB\nMemTotal:  16303428 kB\n", "MemTotal"), Some(16_303_428));
    }

    #[test]
    fn limits_of_the_process_are_read() {
        assert_eq!(["50000 100000\n", "max 100000\n"].map(quota_v2), [Some(0.5), None]);
        assert_eq!([quota_of("150000\n", "100000\n"), quota_of("-1\n", "100000\n")], [Some(1.5), None]);
        assert_eq!(throttled_us("nr_throttled 4\nthrottled_usec 1200\n"), Some(1_200));
        assert_eq!(throttled_us("nr_periods 9\nthrottled_time 5000000\n"), Some(5_000));
    }

    #[test]
    fn the_control_groups_of_both_versions_are_found_with_their_parents() {
        let cgroup = "9:name=systemd:/\n2:cpu,cpuacct:/pod/app\n0::/user.slice\n";
        let found = Hierarchy::parse("cpu", cgroup, MOUNTS);
        let v1 = ["/sys/fs/cgroup/cpu/pod/app", "/sys/fs/cgroup/cpu/pod", "/sys/fs/cgroup/cpu"];
        let v2 = ["/sys/fs/cgroup/unified/user.slice", "/sys/fs/cgroup/unified"];
        let folders: Vec<_> = found.iter().map(|found| (found.unified, found.folders.clone())).collect();
        assert_eq!(
            folders,
            [(false, v1.map(str::to_owned).to_vec()), (true, v2.map(str::to_owned).to_vec())]
        );
    }

    #[test]
    fn a_container_sees_its_own_part_of_the_hierarchy() {
        let mounts = "1 0 0:2 /pod/app /sys/fs/cgroup ro - cgroup2 cgroup rw\n";
        let folders = |cgroup: &str| Hierarchy::parse("cpu", cgroup, mounts).remove(0).folders;
        assert_eq!(folders("0::/pod/app/x\n"), ["/sys/fs/cgroup/x", "/sys/fs/cgroup"]);
        assert_eq!(folders("0::/pod/app\n"), ["/sys/fs/cgroup"]);
        assert_eq!(folders("0::/../other\n"), ["/sys/fs/cgroup"]);
        assert_eq!(folders("0::/elsewhere\n"), ["/sys/fs/cgroup"]);
    }

    #[test]
    fn odd_texts_are_unknown_and_never_zero() {
        for text in
            ["", "\n", "cpu", "cpu  1 2 3", "cpu  a b c d e f g h", ":", "TCP: inuse", "TcpExt:\nTcpExt:"]
        {
            assert_eq!(MachineTimes::parse(text), None, "{text}");
            assert_eq!((sockets_in_use(text, text), sockets_waiting(text)), (None, None), "{text}");
            assert_eq!(tcp_counters(text, &["TCPRcvQDrop"]), None, "{text}");
            assert_eq!((pressure(text), throttled_us(text), local_ports(text)), (None, None, None), "{text}");
            assert_eq!(machine_files(text), None, "{text}");
            assert!(Hierarchy::parse("cpu", text, text).is_empty(), "{text}");
        }
        let most = u64::MAX;
        assert_eq!(MachineTimes::parse(&format!("cpu  {most} 1 0 0 0 0 0 0")), None);
        assert_eq!(["1 0", "0 100000", "99999999999999999999 1"].map(quota_v2), [None; 3]);
        assert_eq!(["some avg10=nan", "some avg10=-1", "some avg10=101"].map(pressure), [None; 3]);
        assert_eq!(local_ports("60999 32768"), None);
        assert_eq!(packets_dropped("zz zz\n"), None);
    }

    proptest! {
        #[test]
        fn no_text_makes_a_parser_panic(text in any::<String>(), more in "[ -:/a-z0-9,.=\n]{0,200}") {
            for text in [text.as_str(), more.as_str(), &format!("cpu {more}"), &format!("0::{more}")] {
                let _ = (MachineTimes::parse(text), pressure(text), quota_v2(text));
                let _ = (major_faults(text), links(text).count());
                let _ = (throttled_us(text), sockets_in_use(text, text), local_ports(text), packets_dropped(text));
                let _ = (sockets_waiting(text), machine_files(text), tcp_counters(text, &["a"]), number(text, "a"), Hierarchy::parse("cpu", text, MOUNTS));
            }
        }
    }
}
