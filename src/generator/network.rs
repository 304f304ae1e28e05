//! Reads the counters of the kernel's network and turns them into gauges.

use std::time::Duration;

use super::host_gauges::HostGauges;
use super::kernel_files::KernelFiles;
use super::kernel_texts::{self as texts, LinkBytes, grown};
use crate::verdict::Gauge;

/// Counters of `/proc/net/netstat` that show that this machine read too slowly.
const RECEIVE_STALLS: [&str; 4] = ["TCPToZeroWindowAdv", "TCPRcvQDrop", "TCPBacklogDrop", "RcvPruned"];
/// Interfaces that are looked at: a host of containers has one for each of them.
const LINKS: usize = 64;

/// Counters of the network at one moment.
#[derive(Clone, Debug, Default)]
pub(super) struct Network {
    at: Duration,
    receive_stalls: Option<u64>,
    packets_dropped: Option<u64>,
    links: Vec<Link>,
}

/// An interface whose speed is known. The loopback interface has none, and many virtual ones do not.
#[derive(Clone, Debug, PartialEq)]
struct Link {
    name: String,
    bytes: LinkBytes,
    bits_per_second: f64,
}

impl Network {
    /// Reads the counters.
    pub(super) fn read(at: Duration, files: &KernelFiles) -> Self {
        let netstat = files.read("/proc/net/netstat");
        let softnet = files.read("/proc/net/softnet_stat");
        let links = files.read("/proc/net/dev").unwrap_or_default();
        Self {
            at,
            receive_stalls: netstat.and_then(|text| texts::tcp_counters(&text, &RECEIVE_STALLS)),
            packets_dropped: softnet.and_then(|text| texts::packets_dropped(&text)),
            links: texts::links(&links).take(LINKS).filter_map(|link| Link::read(link, files)).collect(),
        }
    }

    /// Sets the gauges of what happened since `last`.
    pub(super) fn compare(&self, last: &Self, gauges: &HostGauges) {
        let seconds = self.at.saturating_sub(last.at).as_secs_f64();
        if seconds <= 0.0 {
            return;
        }
        let per_second = |now, last| grown(now, last).map(|count| count / seconds);
        gauges.set(Gauge::ReceiveStalls, per_second(self.receive_stalls, last.receive_stalls));
        gauges.set(Gauge::PacketsDropped, per_second(self.packets_dropped, last.packets_dropped));
        let loads = self.links.iter().filter_map(|link| {
            let before = last.links.iter().find(|before| before.name == link.name)?;
            link.load(before, seconds)
        });
        gauges.set(Gauge::LinkLoad, loads.reduce(f64::max));
    }
}

impl Link {
    fn read((name, bytes): (&str, LinkBytes), files: &KernelFiles) -> Option<Self> {
        // Megabits per second; -1 or an error where the interface does not know.
        let speed: f64 = files.read(&format!("/sys/class/net/{name}/speed"))?.trim().parse().ok()?;
        (speed > 0.0).then(|| Self { name: name.to_owned(), bytes, bits_per_second: speed * 1e6 })
    }

    /// Returns the used share of the link's busier direction; `None` if a counter fell, because the interface was
    /// replaced.
    fn load(&self, last: &Self, seconds: f64) -> Option<f64> {
        let received = self.bytes.received.checked_sub(last.bytes.received)?;
        let sent = self.bytes.sent.checked_sub(last.bytes.sent)?;
        Some(received.max(sent) as f64 * 8.0 / seconds / self.bits_per_second)
    }
}

#[cfg(test)]
mod tests {
    use super::super::kernel_files::made_up::Machine;
    use super::*;

    fn dev(received: u64, sent: u64) -> String {
        format!(
            "Inter-|   Receive  |  Transmit\n face |bytes packets\n    lo: 9999999999 1 0 0 0 0 0 0 9999999999 1\n\
             eth0:{received} 1 0 0 0 0 0 0 {sent} 1 0 0 0 0 0 0\n"
        )
    }

    #[test]
    fn the_busier_direction_of_a_link_is_its_load_and_loopback_has_no_limit() {
        let machine = Machine::new(&[
            ("/proc/net/dev", &dev(1_000, 0)),
            ("/sys/class/net/eth0/speed", "1000\n"),
            ("/sys/class/net/lo/speed", "-1\n"),
        ]);
        let gauges = HostGauges::default();
        let first = Network::read(Duration::ZERO, &machine.files);
        machine.write("/proc/net/dev", &dev(1_000 + 312_500_000, 5_000));
        let second = Network::read(Duration::from_secs(5), &machine.files);
        second.compare(&first, &gauges);
        assert_eq!(gauges.take(Gauge::LinkLoad), Some(0.5));
        // Its counters begin again if an interface is replaced: unknown, and never an enormous number.
        machine.write("/proc/net/dev", &dev(7, 7));
        Network::read(Duration::from_secs(10), &machine.files).compare(&second, &gauges);
        assert_eq!(gauges.take(Gauge::LinkLoad), None);
    }

    #[test]
    fn an_interface_that_does_not_say_its_speed_has_no_load() {
        let machine = Machine::new(&[("/proc/net/dev", &dev(0, 0))]);
        let gauges = HostGauges::default();
        let first = Network::read(Duration::ZERO, &machine.files);
        Network::read(Duration::from_secs(1), &machine.files).compare(&first, &gauges);
        let known =
            [Gauge::LinkLoad, Gauge::ReceiveStalls, Gauge::PacketsDropped].map(|gauge| gauges.take(gauge));
        assert_eq!(known, [None; 3]);
    }
}
