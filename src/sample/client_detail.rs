//! More of one client than its row shows, read for the client that is open on the screen.

use std::net::SocketAddr;

use crate::stats::{PlacementIndex, Registry};
use crate::vocabulary::Outcome;

/// Numbers of one client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientDetail {
    /// Number of the client.
    pub id: u64,
    /// Address that answered it last; `None` before the first answer, or if it is not known.
    pub edge: Option<SocketAddr>,
    /// Size of its last segment in bytes; `None` before the first.
    pub last_segment: Option<u32>,
    /// Smallest, median and largest of its last 100 segments in bytes; `None` before the first.
    pub segments: Option<[u32; 3]>,
    /// Failures by outcome, most frequent first.
    pub failures: Vec<(Outcome, u64)>,
}

impl ClientDetail {
    /// Reads a client; `None` if it is not listed. `index` has its edge.
    pub(super) fn read(registry: &Registry, index: &PlacementIndex, id: u64) -> Option<Self> {
        let row = registry.get(id)?;
        let mut detail = registry.inspect(&row, |stats| {
            let mut failures = Vec::new();
            stats.for_each_failure(|outcome, count| failures.push((outcome, count)));
            let segments = spread(stats.recent_segment_bytes().collect());
            let last_segment = stats.last_segment_bytes();
            Self { id, edge: index.edge(row.placement), last_segment, segments, failures }
        })?;
        detail.failures.sort_unstable_by_key(|(outcome, count)| (u64::MAX - count, *outcome));
        Some(detail)
    }
}

/// Returns the smallest, the median and the largest value.
fn spread(mut values: Vec<u32>) -> Option<[u32; 3]> {
    values.sort_unstable();
    Some([*values.first()?, *values.get(values.len() / 2)?, *values.last()?])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocabulary::outcome::Fault;
    use crate::vocabulary::{Clock, Kind};

    #[test]
    fn a_client_is_read_with_its_segments_and_failures_while_it_is_listed() {
        let registry = Registry::new(1);
        let client = registry.add();
        let meter = client.meter(0, Clock::start());
        let id = meter.client_id();
        assert_eq!(
            ClientDetail::read(&registry, &PlacementIndex::default(), id),
            Some(ClientDetail { id, ..ClientDetail::default() })
        );
        for bytes in [300, 100, 200] {
            let mut exchange = meter.start(Kind::Segment);
            exchange.received(bytes);
            exchange.keep_segment_size();
            exchange.finish(Outcome::Ok, None);
        }
        let missing = Outcome::from_status(404, false);
        for outcome in [Fault::ConnReset.into(), missing, missing] {
            meter.start(Kind::Segment).finish(outcome, None);
        }
        let detail = ClientDetail::read(&registry, &PlacementIndex::default(), id).expect("a client");
        assert_eq!((detail.last_segment, detail.segments), (Some(200), Some([100, 200, 300])));
        assert_eq!(detail.failures, [(missing, 2), (Fault::ConnReset.into(), 1)]);
        drop((meter, client));
        assert_eq!(ClientDetail::read(&registry, &PlacementIndex::default(), id), None);
    }
}
