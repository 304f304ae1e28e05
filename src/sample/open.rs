//! Requests that are open at a moment, by their age.
//!
//! Percentiles hold only what has ended. When an origin goes silent, these are the requests that they lack.

use crate::stats::Snapshot;

/// Ends of the age classes in seconds; the last class has none.
pub const AGES_S: [u64; 9] = [1, 2, 4, 6, 8, 10, 15, 30, 60];

/// Clients with an open request at the last reading of the clients. Of several open requests, the oldest counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OpenRequests {
    /// Number of clients by the age of their oldest open request, in the classes of [`AGES_S`].
    pub ages: [u32; AGES_S.len() + 1],
    /// Largest age in microseconds; `None` without an open request.
    pub oldest_us: Option<u64>,
}

impl OpenRequests {
    /// Counts the clients of a snapshot.
    pub fn new(snapshot: &Snapshot) -> Self {
        let mut open = Self::default();
        for since_us in snapshot.clients.iter().filter_map(|row| row.open_since_us) {
            let age_us = snapshot.clients_at_us.saturating_sub(since_us);
            let class = AGES_S.partition_point(|end| age_us >= end * 1_000_000);
            open.ages.get_mut(class).into_iter().for_each(|count| *count += 1);
            open.oldest_us = open.oldest_us.max(Some(age_us));
        }
        open
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Registry;
    use crate::vocabulary::{Clock, Kind, Outcome};

    #[test]
    fn clients_are_counted_by_the_age_of_their_oldest_open_request() {
        let (registry, mut snapshot) = (Registry::new(1), Snapshot::default());
        let clients: Vec<_> = (0..4).map(|_| registry.add()).collect();
        let meters: Vec<_> = clients.iter().map(|client| client.meter(0, Clock::start())).collect();
        let young = meters[0].start_at(Kind::Segment, 99_000_000);
        let old =
            [meters[1].start_at(Kind::Segment, 30_000_000), meters[1].start_at(Kind::Playlist, 95_000_000)];
        let border = meters[2].start_at(Kind::Playlist, 98_000_000);
        registry.snapshot(100_000_000, &mut snapshot);
        let open = OpenRequests::new(&snapshot);
        assert_eq!((open.ages, open.oldest_us), ([0, 1, 1, 0, 0, 0, 0, 0, 0, 1], Some(70_000_000)));
        for exchange in [young, border].into_iter().chain(old) {
            exchange.finish_at(Outcome::Ok, None, 100_000_000);
        }
        registry.snapshot(101_000_000, &mut snapshot);
        assert_eq!(OpenRequests::new(&snapshot), OpenRequests::default());
    }
}
