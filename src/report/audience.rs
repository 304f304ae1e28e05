//! The `audience` block of the report: the audience that the run represents to the origin.

use std::collections::BTreeMap;

use serde::Serialize;

use super::RunOptions;
use crate::stats::{self, EdgeTotals, HostTotals};

/// The audience that the run represents to the origin.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AudienceReport {
    /// Local addresses that connections came from.
    pub source_addresses: Vec<String>,
    /// Complete responses by server address.
    pub edges: BTreeMap<String, EdgeReport>,
    /// Hosts other than the target's that playlists and redirects led to; those that did not fit are `(other)`.
    pub hosts: BTreeMap<String, HostReport>,
    /// Complete responses by protocol, `http/1.1` and `h2`.
    pub protocols: BTreeMap<&'static str, u64>,
    /// TLS handshakes.
    pub tls_handshakes: u64,
    /// TLS handshakes that resumed a session.
    pub tls_resumed: u64,
    /// Clients by their target, as in `run.targets`.
    pub targets: BTreeMap<String, u64>,
    /// Clients by the player that they imitate.
    pub players: BTreeMap<&'static str, u64>,
}

/// Responses of one server address.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct EdgeReport {
    /// Complete responses.
    pub requests: u64,
    /// Body bytes of these responses.
    pub bytes: u64,
    /// Responses served from a cache, by `X-Cache`, `CF-Cache-Status`, `Cache-Status`, `Age` and similar headers.
    pub hit: u64,
    /// Responses that a cache fetched from its origin, by the same headers.
    pub miss: u64,
    /// `hit` as a share of `hit` and `miss`; `null`: no response had such a header.
    pub hit_share: Option<f64>,
}

/// Requests for a host other than the target's.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct HostReport {
    /// Requests for the host.
    pub requests: u64,
    /// Times that the host or its address was out of scope, so that nothing was sent.
    pub refused: u64,
}

impl From<HostTotals> for HostReport {
    fn from(totals: HostTotals) -> Self {
        let HostTotals { requests, refused } = totals;
        Self { requests, refused }
    }
}

/// Adds the counts of equal names; all clients have a name that is the only one.
fn summed<K: Ord>(names: impl ExactSizeIterator<Item = K>, counts: &[u64], all: u64) -> BTreeMap<K, u64> {
    let counts = if names.len() == 1 { &[all] } else { counts };
    let mut sums = BTreeMap::new();
    names.zip(counts).for_each(|(name, count)| *sums.entry(name).or_default() += count);
    sums
}

/// Builds the block of a run with these options, in which so many clients were started.
pub(super) fn audience(audience: &stats::Audience, options: &RunOptions, started: u64) -> AudienceReport {
    let edge = |totals: &EdgeTotals| EdgeReport {
        requests: totals.requests,
        bytes: totals.bytes,
        hit: totals.hit,
        miss: totals.miss,
        hit_share: totals.hit_share(),
    };
    let mut edges: BTreeMap<_, _> =
        audience.edges.iter().map(|(address, totals)| (address.to_string(), edge(totals))).collect();
    if audience.other_edges != EdgeTotals::default() {
        edges.insert("other".to_owned(), edge(&audience.other_edges));
    }
    let mut hosts: BTreeMap<String, HostReport> =
        audience.hosts.iter().map(|(name, totals)| (name.clone(), (*totals).into())).collect();
    if audience.other_hosts != HostTotals::default() {
        hosts.insert("(other)".to_owned(), audience.other_hosts.into());
    }
    let protocols = [("http/1.1", audience.http1), ("h2", audience.http2)];
    AudienceReport {
        source_addresses: audience.sources.iter().map(ToString::to_string).collect(),
        edges,
        hosts,
        protocols: protocols.into_iter().filter(|(_, responses)| *responses > 0).collect(),
        tls_handshakes: audience.tls_handshakes,
        tls_resumed: audience.tls_resumed,
        targets: summed(options.targets.iter().map(|target| target.url.clone()), &audience.targets, started),
        players: summed(options.players.iter().copied(), &audience.members, started),
    }
}
