//! Hosts other than the target's that playlists and redirects lead to, with their requests. A host that the operator
//! did not think of belongs to the result of a run: its owner saw the load, too.
//!
//! Each worker thread has one table and is its one writer; readers merge the tables. Their size is fixed, because a
//! playlist can name any number of hosts: those that do not fit are counted together.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::sync::atomics::OnceLock;
use crate::sync::image::Walk;
use crate::sync::single_writer_cell::SingleWriterCell;
use crate::vocabulary::Untrusted;

/// Number of hosts that one worker distinguishes.
const HOSTS: usize = 64;
/// Maximum number of them to which no request was sent. A playlist can name any number of hosts that are refused, and
/// they must not take the places of those that were loaded.
const ONLY_REFUSED: usize = HOSTS / 2;
/// Longest name that is kept: that of DNS (RFC 1035 section 2.3.4).
const NAME_BYTES: usize = 253;

/// Requests for one host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HostTotals {
    /// Requests for the host.
    pub requests: u64,
    /// Times that the host or its address was out of scope, so that nothing was sent.
    pub refused: u64,
}

impl HostTotals {
    pub(super) fn add(&mut self, other: Self) {
        self.requests += other.requests;
        self.refused += other.refused;
    }
}

#[derive(Debug, Default)]
struct Host {
    name: OnceLock<Arc<str>>,
    requests: SingleWriterCell,
    refused: SingleWriterCell,
}

impl Host {
    fn is_only_refused(&self) -> bool {
        self.requests.get() == 0
    }

    fn totals(&self) -> HostTotals {
        HostTotals { requests: self.requests.get(), refused: self.refused.get() }
    }
}

/// Table of one worker thread.
#[derive(Debug)]
pub(super) struct Hosts {
    hosts: Box<[Host]>,
    other: Host,
}

impl Default for Hosts {
    fn default() -> Self {
        Self { hosts: (0..HOSTS).map(|_| Host::default()).collect(), other: Host::default() }
    }
}

impl Hosts {
    /// Counts a request for `name`; by the one writer only.
    pub(super) fn requested(&self, name: &str) {
        self.host(name, HOSTS).requests.add(1);
    }

    /// Counts that `name` was refused; by the one writer only.
    pub(super) fn refused(&self, name: &str) {
        self.host(name, ONLY_REFUSED).refused.add(1);
    }

    /// Returns the place of `name`. A new host takes the first free one, unless there are `only_refused` hosts already
    /// that were only refused.
    fn host(&self, name: &str, only_refused: usize) -> &Host {
        if name.len() > NAME_BYTES {
            return &self.other;
        }
        let mut refused = 0;
        for host in &self.hosts {
            let known = match host.name.get() {
                Some(known) => known,
                None if refused >= only_refused => break,
                // There is one writer, so the initialisation is never contended.
                None => host.name.get_or_init(|| name.into()),
            };
            if **known == *name {
                return host;
            }
            refused += usize::from(host.is_only_refused());
        }
        &self.other
    }

    /// Visits all hosts.
    pub(super) fn walk(&self, walk: &mut Walk<'_>) {
        for host in self.hosts.iter().chain([&self.other]) {
            walk.cell(&host.requests);
            walk.cell(&host.refused);
            let name = walk.text(host.name.get().map(|name| &**name));
            if let Some(name) = name.filter(|name| name.len() <= NAME_BYTES) {
                host.name.get_or_init(|| name.into());
            }
        }
    }

    /// Adds the counts so far to `hosts`, and those of hosts that did not fit to `other`.
    pub(super) fn add_to(&self, hosts: &mut BTreeMap<String, HostTotals>, other: &mut HostTotals) {
        for host in &self.hosts {
            let Some(name) = host.name.get() else { break };
            hosts.entry(Untrusted::new(name).shown_in(NAME_BYTES)).or_default().add(host.totals());
        }
        other.add(self.other.totals());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(workers: &[Hosts]) -> (BTreeMap<String, HostTotals>, HostTotals) {
        let (mut hosts, mut other) = (BTreeMap::new(), HostTotals::default());
        workers.iter().for_each(|worker| worker.add_to(&mut hosts, &mut other));
        (hosts, other)
    }

    #[test]
    fn hosts_are_told_apart_and_merged_over_workers() {
        let workers = [Hosts::default(), Hosts::default()];
        for worker in &workers {
            worker.requested("cdn.example");
            worker.requested("ads.example");
            worker.refused("ads.example");
        }
        workers[1].requested("cdn.example");
        let expected = [
            ("ads.example".to_owned(), HostTotals { requests: 2, refused: 2 }),
            ("cdn.example".to_owned(), HostTotals { requests: 3, refused: 0 }),
        ];
        assert_eq!(read(&workers), (BTreeMap::from(expected), HostTotals::default()));
    }

    #[test]
    fn what_does_not_fit_is_counted_together() {
        let worker = [Hosts::default()];
        (0..500).for_each(|number| worker[0].requested(&format!("{number}.example")));
        worker[0].refused(&"x".repeat(NAME_BYTES + 1));
        let (hosts, other) = read(&worker);
        assert_eq!(hosts.len(), HOSTS);
        assert_eq!(other, HostTotals { requests: 500 - HOSTS as u64, refused: 1 });
    }

    #[test]
    fn hosts_that_are_only_refused_leave_half_of_the_places_to_others() {
        let worker = [Hosts::default()];
        for number in 0..500 {
            worker[0].refused(&format!("{number}.junk.example"));
        }
        let half = HOSTS / 2;
        for number in 0..half {
            worker[0].requested(&format!("{number}.cdn.example"));
            worker[0].refused(&format!("{number}.cdn.example"));
        }
        worker[0].refused("0.junk.example");
        let (hosts, other) = read(&worker);
        assert_eq!(hosts.len(), HOSTS);
        assert!(hosts.iter().filter(|(name, _)| name.contains(".cdn.")).all(|(_, host)| host.requests == 1));
        assert_eq!(hosts["0.junk.example"], HostTotals { requests: 0, refused: 2 });
        assert_eq!(other, HostTotals { requests: 0, refused: 500 - half as u64 });
        // Hosts that were loaded leave the other places to those that are refused.
        let worker = [Hosts::default()];
        (0..40).for_each(|number| worker[0].requested(&format!("{number}.cdn.example")));
        (0..40).for_each(|number| worker[0].refused(&format!("{number}.junk.example")));
        assert_eq!(read(&worker).0.len(), HOSTS);
    }
}
