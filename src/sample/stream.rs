//! State of the stream itself, as its viewers see it: the ladder with the age of each playlist, the distances of the
//! viewers from the live edge, and the addresses that answer.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::stats::{PlacementIndex, RungName};
use crate::verdict::{DEGRADED_SHARE, FAILING_SHARE};

/// Buckets of playheads over [`StreamSample::span`], newest (live edge) first.
pub const PLAYHEADS: usize = 96;
/// Rungs whose playlist age is kept over time.
pub const AGED_RUNGS: usize = 8;

/// State of the stream itself, as its viewers see it; once a second.
#[derive(Clone, Debug, Default)]
pub struct StreamSample {
    /// True if the playlists lack an end; `None` before the first media playlist.
    pub is_live: Option<bool>,
    /// Target duration of the playlists.
    pub target_duration: Option<Duration>,
    /// Segments in a playlist.
    pub window_segments: Option<u64>,
    /// Distance from the live edge at which players shall begin.
    pub hold_back: Option<Duration>,
    /// Rungs that have a name or a playlist, in the order of their places.
    pub rungs: Vec<RungSample>,
    /// Length of the time axis of all playheads and windows.
    pub span: Duration,
    /// Distances of all viewers from the live edge.
    pub behind: Behind,
    /// At most 16 addresses, most requests first.
    pub edges: Vec<EdgeSample>,
    /// Addresses that are not listed.
    pub more_edges: u64,
    /// Edges and rungs that the placements of clients refer to.
    pub placements: Arc<PlacementIndex>,
    /// Share of the responses over HTTP/2.
    pub http2_share: Option<f64>,
    /// Share of the TLS handshakes that resumed a session.
    pub resumed_share: Option<f64>,
    /// Share of the responses from a cache.
    pub hit_share: Option<f64>,
}

/// A rung of the ladder.
#[derive(Clone, Debug)]
pub struct RungSample {
    /// Place in the ladder: variants first, then renditions.
    pub place: usize,
    /// Description; `None` for a stream without a multivariant playlist.
    pub name: Option<Arc<RungName>>,
    /// Clients that play it.
    pub clients: u32,
    /// Clients among them that are stalled.
    pub stalled: u32,
    /// Share of all clients that play it.
    pub share: Option<f64>,
    /// Stalled share of its clients.
    pub stalled_share: Option<f64>,
    /// Time since the newest playlist of this rung that brought something new; `None` if nothing plays it or it is not
    /// live.
    pub age: Option<Duration>,
    /// Media sequence number of the newest segment.
    pub newest: Option<u64>,
    /// Distance from the live edge of the window's end and of its begin.
    pub window: Option<(Duration, Duration)>,
    /// Clients by their distance from the live edge.
    pub playheads: [u32; PLAYHEADS],
}

/// Distances of viewers from the live edge.
#[derive(Clone, Copy, Debug, Default)]
pub struct Behind {
    /// Clients whose distance is known.
    pub clients: u32,
    /// Median.
    pub p50: Option<Duration>,
    /// 95th percentile.
    pub p95: Option<Duration>,
    /// Largest distance.
    pub max: Option<Duration>,
}

/// Responses of one address.
#[derive(Clone, Copy, Debug)]
pub struct EdgeSample {
    /// The address.
    pub address: SocketAddr,
    /// Complete responses.
    pub requests: u64,
    /// Their body bytes.
    pub bytes: u64,
    /// Clients that it answered last.
    pub clients: u32,
    /// Share of all responses.
    pub share: Option<f64>,
    /// Share of its responses with a failed HTTP status.
    pub failed_share: Option<f64>,
    /// Share of its responses from a cache, among those that say where they came from.
    pub hit_share: Option<f64>,
}

impl StreamSample {
    /// Returns the clients of all rungs by their distance from the live edge.
    pub fn playheads(&self) -> [u32; PLAYHEADS] {
        let mut all = [0_u32; PLAYHEADS];
        for rung in &self.rungs {
            all.iter_mut().zip(rung.playheads).for_each(|(sum, count)| *sum = sum.saturating_add(count));
        }
        all
    }

    /// Returns the listed addresses: those that fail first, and else those with the most requests.
    pub fn edges_in_trouble_first(&self) -> Vec<&EdgeSample> {
        let mut edges: Vec<&EdgeSample> = self.edges.iter().collect();
        // The sort is stable, so lines move only when an address begins or ceases to fail.
        edges.sort_by_key(|edge| match edge.failed_share {
            Some(share) if share >= FAILING_SHARE => 0,
            Some(share) if share >= DEGRADED_SHARE => 1,
            _ => 2,
        });
        edges
    }

    /// Returns the rung whose playlist is the oldest; `None` if no age is known.
    pub fn oldest(&self) -> Option<&RungSample> {
        self.rungs.iter().filter(|rung| rung.age.is_some()).max_by_key(|rung| rung.age)
    }
}
