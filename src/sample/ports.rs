//! Local ports in use towards one address of the origin, as a share of all. Each source address has ports of its own.
//!
//! * A port is in use while its connection is open, and for a minute in TIME_WAIT if this side closed it first.
//! * The kernel counts the sockets in TIME_WAIT of the whole host. Those of this run are at most the connections that
//!   it has opened in that minute and before, so other programs' sockets do not count for it without end.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use crate::generator::{Fact, HostGauges};
use crate::stats::Audience;
use crate::vocabulary::share;

/// Time that Linux keeps a socket in TIME_WAIT (`TCP_TIMEWAIT_LEN`).
const WAITING: Duration = Duration::from_secs(60);
/// Share of the local ports from which on the addresses of the origin are counted: one address alone could then be
/// near the limit.
const SCARCE: f64 = 0.5;
/// Share from which on the addresses are watched, so that it is known in time which of them are in use.
const WATCHED: f64 = 0.25;

/// Meter of the local ports.
#[derive(Debug, Default)]
pub(super) struct PortsMeter {
    /// Connections opened so far, at the moments of the last minute.
    opened: VecDeque<(Duration, u64)>,
    addresses: BTreeMap<SocketAddr, Address>,
    /// Addresses of this machine that connections come from.
    sources: usize,
}

/// An address of the origin.
#[derive(Clone, Copy, Debug, Default)]
struct Address {
    responses: u64,
    /// Last moment at which it had answered since the moment before.
    answered: Duration,
}

impl PortsMeter {
    /// Returns the share of the local ports in use towards one address, on average over the addresses that answer: at
    /// least one has that many. `opened` is the number of connections so far; `binds_sources` reports whether the
    /// operator gave their source addresses.
    pub(super) fn measure(
        &mut self,
        at: Duration,
        opened: u64,
        host: &HostGauges,
        binds_sources: bool,
        audience: impl FnOnce() -> Audience,
    ) -> Option<f64> {
        let opened = self.opened_lately(at, opened);
        let fact = |fact| host.fact(fact, at).map(|count| count as u64);
        let waiting = fact(Fact::SocketsWaiting)?.min(opened);
        let all = share(fact(Fact::SocketsInUse)?.saturating_add(waiting), fact(Fact::LocalPorts)?)?;
        if all >= WATCHED {
            self.watch(at, &audience());
        }
        if all < SCARCE {
            return Some(all);
        }
        // A given source gets its port before the peer is known: its ports are shared by all addresses of the origin.
        let addresses = if binds_sources { 1 } else { self.addresses_in_use(at) };
        Some(all / addresses.max(self.sources).max(1) as f64)
    }

    /// Returns the number of connections that were opened in the last minute.
    fn opened_lately(&mut self, at: Duration, opened: u64) -> u64 {
        let horizon = at.saturating_sub(WAITING);
        // The newest moment before the horizon stays: what was opened since is what counts.
        while self.opened.get(1).is_some_and(|(moment, _)| *moment <= horizon) {
            self.opened.pop_front();
        }
        let before =
            self.opened.front().filter(|(moment, _)| *moment <= horizon).map_or(0, |(_, count)| *count);
        self.opened.push_back((at, opened));
        opened.saturating_sub(before)
    }

    fn watch(&mut self, at: Duration, audience: &Audience) {
        self.sources = audience.sources.len();
        for (address, totals) in &audience.edges {
            let known = self.addresses.entry(*address).or_default();
            if totals.requests > known.responses {
                *known = Address { responses: totals.requests, answered: at };
            }
        }
    }

    fn addresses_in_use(&self, at: Duration) -> usize {
        let horizon = at.saturating_sub(WAITING);
        self.addresses.values().filter(|address| address.answered >= horizon).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generator::host_with;
    use crate::stats::EdgeTotals;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn host(in_use: u64, waiting: u64, now: u64) -> HostGauges {
        let facts =
            [(Fact::SocketsInUse, in_use), (Fact::SocketsWaiting, waiting), (Fact::LocalPorts, 1_000)];
        host_with(at(now), &facts.map(|(fact, count)| (fact, count as f64)))
    }

    fn audience(edges: &[(u16, u64)]) -> Audience {
        let edge = |(port, requests): &(u16, u64)| {
            (
                SocketAddr::from(([10, 0, 0, 1], *port)),
                EdgeTotals { requests: *requests, ..EdgeTotals::default() },
            )
        };
        Audience { edges: edges.iter().map(edge).collect(), ..Audience::default() }
    }

    #[test]
    fn sockets_of_others_in_time_wait_do_not_count() {
        let mut meter = PortsMeter::default();
        let mut share = |seconds, opened, waiting| {
            meter.measure(at(seconds), opened, &host(100, waiting, seconds), false, Audience::default)
        };
        assert_eq!(share(1, 0, 900), Some(0.1));
        assert_eq!(share(2, 50, 900), Some(0.15));
        assert_eq!(share(30, 70, 20), Some(0.12));
        // A minute later only what was opened since can be waiting.
        assert_eq!(share(62, 80, 900), Some(0.13));
        assert_eq!(share(92, 80, 900), Some(0.11));
        assert_eq!(share(153, 80, 900), Some(0.1));
    }

    #[test]
    fn ports_are_shared_by_the_addresses_that_answer_now() {
        let mut meter = PortsMeter::default();
        let mut share = |seconds, edges: &[(u16, u64)]| {
            meter.measure(at(seconds), 0, &host(800, 0, seconds), false, || audience(edges))
        };
        assert_eq!(share(1, &[]), Some(0.8));
        assert_eq!(share(2, &[(1, 5)]), Some(0.8));
        assert_eq!(share(3, &[(1, 6), (2, 1)]), Some(0.4));
        // The second address has answered nothing for more than a minute.
        assert_eq!(share(63, &[(1, 7), (2, 1)]), Some(0.4));
        assert_eq!(share(64, &[(1, 8), (2, 1)]), Some(0.8));
    }

    #[test]
    fn each_source_has_ports_of_its_own_and_a_given_one_shares_them_among_all_addresses() {
        let sources = ["10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5"].map(|text| text.parse().expect(text));
        let from = |count, edges: &[(u16, u64)]| Audience {
            sources: sources.into_iter().take(count).collect(),
            ..audience(edges)
        };
        let (one, four) = (&[(1, 5)][..], &[(1, 5), (2, 5), (3, 5), (4, 5)][..]);
        for (given, count, edges, expected) in [
            (false, 0, one, 0.8),
            (false, 1, one, 0.8),
            (false, 2, one, 0.4),
            (false, 4, one, 0.2),
            (false, 1, four, 0.2),
            (true, 1, four, 0.8),
            (true, 2, four, 0.4),
        ] {
            let share =
                PortsMeter::default().measure(at(1), 0, &host(800, 0, 1), given, || from(count, edges));
            assert_eq!(share, Some(expected), "{count} sources, given: {given}, {} edges", edges.len());
        }
    }

    #[test]
    fn what_the_host_does_not_offer_or_has_not_read_lately_is_unknown() {
        let mut meter = PortsMeter::default();
        let mut share = |host: &HostGauges| meter.measure(at(9), 0, host, false, Audience::default);
        assert_eq!(share(&HostGauges::default()), None);
        assert_eq!(share(&host_with(at(9), &[(Fact::LocalPorts, 1_000.0)])), None);
        assert_eq!(share(&host(100, 0, 1)), None);
    }
}
