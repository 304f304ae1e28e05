//! The audience that a run represents to an origin or CDN: the edge addresses that answered, their cache hits, and
//! the protocols and source addresses in use. A valid run from one address against one edge is not an audience.
//!
//! * Each worker thread has one table and is its one writer; readers merge the tables. Their size is fixed: edges
//!   that do not fit are counted together, source addresses that do not fit are left out.
//! * An edge is identified by its address; a request is counted for it once its response is complete.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use super::HostTotals;
use crate::sync::atomics::OnceLock;
use crate::sync::image::Walk;
use crate::sync::single_writer_cell::SingleWriterCell;
use crate::vocabulary::{CacheStatus, ConnectionRoute, limits, share};

/// Number of edge addresses that one worker distinguishes.
const EDGES: usize = 64;

/// Responses of one edge address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EdgeTotals {
    /// Complete responses.
    pub requests: u64,
    /// Their body bytes.
    pub bytes: u64,
    /// Responses with a failed status (400 and above). A request without a response belongs to no edge.
    pub failed: u64,
    /// Responses that came from a cache, as far as they say so.
    pub hit: u64,
    /// Responses that did not come from a cache, as far as they say so.
    pub miss: u64,
}

impl EdgeTotals {
    /// Returns the share of responses from a cache among those that say where they came from; `None` if none does.
    pub fn hit_share(&self) -> Option<f64> {
        share(self.hit, self.hit + self.miss)
    }

    /// Returns the share of responses with a failed status; `None` without any response.
    pub fn failed_share(&self) -> Option<f64> {
        share(self.failed, self.requests)
    }
}

/// Audience of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Audience {
    /// Totals by the address that answered.
    pub edges: BTreeMap<SocketAddr, EdgeTotals>,
    /// Totals of the edges that did not fit into the tables.
    pub other_edges: EdgeTotals,
    /// Hosts other than the target's, by name.
    pub hosts: BTreeMap<String, HostTotals>,
    /// Totals of the hosts that did not fit into the tables.
    pub other_hosts: HostTotals,
    /// Addresses of this machine from which connections were opened, sorted.
    pub sources: Vec<IpAddr>,
    /// Complete responses over HTTP/1.1.
    pub http1: u64,
    /// Complete responses over HTTP/2.
    pub http2: u64,
    /// TLS handshakes.
    pub tls_handshakes: u64,
    /// TLS handshakes that resumed a session.
    pub tls_resumed: u64,
    /// Clients that were started, by the number of their target.
    pub targets: [u64; limits::TARGETS],
    /// The same by the number of their member of the mix.
    pub members: [u64; limits::MIX],
}

#[derive(Debug, Default)]
struct Edge {
    address: OnceLock<SocketAddr>,
    requests: SingleWriterCell,
    bytes: SingleWriterCell,
    failed: SingleWriterCell,
    hit: SingleWriterCell,
    miss: SingleWriterCell,
}

impl Edge {
    fn walk(&self, walk: &mut Walk<'_>) {
        let cells = [&self.requests, &self.bytes, &self.failed, &self.hit, &self.miss];
        cells.into_iter().for_each(|cell| walk.cell(cell));
        walk_address(&self.address, walk);
    }

    fn totals(&self) -> EdgeTotals {
        EdgeTotals {
            requests: self.requests.get(),
            bytes: self.bytes.get(),
            failed: self.failed.get(),
            hit: self.hit.get(),
            miss: self.miss.get(),
        }
    }
}

impl EdgeTotals {
    /// Adds the totals of another edge, or of the same one by another worker.
    pub fn add(&mut self, other: Self) {
        self.requests += other.requests;
        self.bytes += other.bytes;
        self.failed += other.failed;
        self.hit += other.hit;
        self.miss += other.miss;
    }
}

/// Visits an address as a text. A text that is none is left out.
fn walk_address<T: Copy + ToString + FromStr>(address: &OnceLock<T>, walk: &mut Walk<'_>) {
    let now = address.get().map(T::to_string);
    if let Some(new) = walk.text(now.as_deref()).and_then(|text| text.parse().ok()) {
        address.get_or_init(|| new);
    }
}

/// Table of one worker thread.
#[derive(Debug)]
pub(super) struct Routes {
    edges: Box<[Edge]>,
    other: Edge,
    sources: Box<[OnceLock<IpAddr>]>,
    /// Complete responses over HTTP/1.1 and over HTTP/2.
    protocols: [SingleWriterCell; 2],
    handshakes: SingleWriterCell,
    resumed: SingleWriterCell,
    targets: [SingleWriterCell; limits::TARGETS],
    members: [SingleWriterCell; limits::MIX],
}

impl Default for Routes {
    fn default() -> Self {
        Self {
            edges: (0..EDGES).map(|_| Edge::default()).collect(),
            other: Edge::default(),
            sources: (0..limits::SOURCES).map(|_| OnceLock::new()).collect(),
            protocols: Default::default(),
            handshakes: SingleWriterCell::default(),
            resumed: SingleWriterCell::default(),
            targets: Default::default(),
            members: Default::default(),
        }
    }
}

impl Routes {
    /// Counts a client that was started; by the one writer only.
    pub(super) fn joined(&self, target: usize, member: usize) {
        let cells = [self.targets.get(target), self.members.get(member)];
        cells.into_iter().flatten().for_each(|cell| cell.add(1));
    }

    /// Counts a connection that was opened; by the one writer only.
    pub(super) fn opened(&self, route: &ConnectionRoute) {
        if let Some(resumed) = route.resumed {
            self.handshakes.add(1);
            self.resumed.add(u64::from(resumed));
        }
        _ = self.sources.iter().find(|source| *source.get_or_init(|| route.source) == route.source);
    }

    /// Counts a complete response; by the one writer only. Returns the place of its edge, `None` if the table has none.
    #[inline]
    pub(super) fn answered(
        &self,
        route: &ConnectionRoute,
        status: u16,
        bytes: u64,
        cache: Option<CacheStatus>,
    ) -> Option<usize> {
        // A new edge takes the first free place. There is one writer, so the initialisation is never contended.
        let is_own = |edge: &Edge| *edge.address.get_or_init(|| route.edge) == route.edge;
        let place = self.edges.iter().position(is_own);
        let edge = place.and_then(|place| self.edges.get(place)).unwrap_or(&self.other);
        edge.requests.add(1);
        edge.bytes.add(bytes);
        if status >= 400 {
            edge.failed.add(1);
        }
        match cache.map(CacheStatus::is_hit) {
            Some(true) => edge.hit.add(1),
            Some(false) => edge.miss.add(1),
            None => {}
        }
        if let Some(protocol) = self.protocols.get(usize::from(route.http2)) {
            protocol.add(1);
        }
        place
    }

    /// Visits all counts and addresses.
    pub(super) fn walk(&self, walk: &mut Walk<'_>) {
        self.edges.iter().chain([&self.other]).for_each(|edge| edge.walk(walk));
        self.sources.iter().for_each(|source| walk_address(source, walk));
        let clients = self.targets.iter().chain(&self.members);
        let others = [&self.handshakes, &self.resumed];
        self.protocols.iter().chain(others).chain(clients).for_each(|cell| walk.cell(cell));
    }

    /// Returns the edges that are told apart, in the order of their places.
    pub(super) fn edges(&self) -> impl Iterator<Item = SocketAddr> {
        self.edges.iter().map_while(|edge| edge.address.get().copied())
    }

    /// Adds the counts so far to `audience`.
    pub(super) fn add_to(&self, audience: &mut Audience) {
        for edge in &self.edges {
            let Some(address) = edge.address.get() else { break };
            audience.edges.entry(*address).or_default().add(edge.totals());
        }
        audience.other_edges.add(self.other.totals());
        for source in self.sources.iter().map_while(OnceLock::get) {
            if !audience.sources.contains(source) {
                audience.sources.push(*source);
            }
        }
        let [http1, http2] = &self.protocols;
        audience.http1 += http1.get();
        audience.http2 += http2.get();
        audience.tls_handshakes += self.handshakes.get();
        audience.tls_resumed += self.resumed.get();
        let targets = audience.targets.iter_mut().zip(&self.targets);
        let members = audience.members.iter_mut().zip(&self.members);
        targets.chain(members).for_each(|(sum, cell)| *sum += cell.get());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(last: u16) -> ConnectionRoute {
        let [high, low] = last.to_be_bytes();
        let edge = SocketAddr::from(([10, 0, high, low], 443));
        ConnectionRoute {
            edge,
            source: IpAddr::from([10, 1, 0, 1]),
            http2: last == 1,
            resumed: Some(last == 2),
        }
    }

    #[test]
    fn edges_are_told_apart_and_merged_over_workers() {
        let workers = [Routes::default(), Routes::default()];
        for worker in &workers {
            worker.opened(&route(2));
            worker.opened(&route(3));
            assert_eq!(worker.answered(&route(1), 200, 100, Some(CacheStatus::Hit)), Some(0));
            assert_eq!(worker.answered(&route(2), 404, 10, Some(CacheStatus::Miss)), Some(1));
            assert_eq!(worker.answered(&route(2), 304, 1, None), Some(1));
        }
        let mut audience = Audience::default();
        workers.iter().for_each(|worker| worker.add_to(&mut audience));
        let expected = [
            (route(1).edge, EdgeTotals { requests: 2, bytes: 200, failed: 0, hit: 2, miss: 0 }),
            (route(2).edge, EdgeTotals { requests: 4, bytes: 22, failed: 2, hit: 0, miss: 2 }),
        ];
        assert_eq!(audience.edges, BTreeMap::from(expected));
        assert_eq!((audience.http1, audience.http2), (4, 2));
        assert_eq!((audience.tls_handshakes, audience.tls_resumed), (4, 2));
        assert_eq!(audience.sources, [route(1).source]);
        assert_eq!(audience.other_edges, EdgeTotals::default());
    }

    #[test]
    fn what_does_not_fit_is_counted_together() {
        let worker = Routes::default();
        for last in 0..500 {
            let place = usize::from(last);
            assert_eq!(
                worker.answered(&route(last), 200, 2, None),
                Some(place).filter(|place| *place < EDGES)
            );
        }
        let mut audience = Audience::default();
        worker.add_to(&mut audience);
        assert_eq!(audience.edges.len(), EDGES);
        let others = 500 - EDGES as u64;
        let expected = EdgeTotals { requests: others, bytes: 2 * others, ..EdgeTotals::default() };
        assert_eq!(audience.other_edges, expected);
    }
}
