//! Choice of the clients that are watched, and their state and buffer in each of the last seconds.

use std::sync::Arc;

use crate::pipeline::WatchedRequest;
use crate::stats::{Badness, ClientRow, Snapshot};
use crate::sync::ring::Ring;
use crate::vocabulary::ClientState;
use crate::vocabulary::limits::WATCHED_CLIENTS;

/// Number of the worst clients. A client stays watched while it is one of them; without this margin the choice would
/// change with every reading.
const WORST: usize = 3 * WATCHED_CLIENTS;
/// Seconds that are kept of each client: as many as the screen shows.
const SECONDS: usize = 64;

/// A client at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WatchedSecond {
    /// The moment, in microseconds since the start of the run.
    pub at_us: u64,
    /// State of playback.
    pub state: ClientState,
    /// Media in the buffer, in microseconds.
    pub buffer_us: u64,
}

/// The last minute of a watched client.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WatchedClient {
    /// Number of the client.
    pub id: u64,
    /// Time from which it has been watched, in microseconds since the start of the run. Nothing is known of requests
    /// that began earlier.
    pub since_us: u64,
    /// State and buffer once a second, oldest first.
    pub seconds: Vec<WatchedSecond>,
    /// Its last requests, in the order in which the client made them.
    pub requests: Arc<[WatchedRequest]>,
}

#[derive(Debug)]
struct Entry {
    id: u64,
    since_us: u64,
    /// Last time at which it was the selected client or one of the worst.
    wanted_us: u64,
    seconds: Ring<WatchedSecond>,
}

/// The watched clients.
#[derive(Debug, Default)]
pub(super) struct WatchList {
    entries: Vec<Entry>,
    /// The worst clients of the last reading, the worst first.
    worst: Vec<(Badness, u64)>,
}

impl WatchList {
    /// Chooses the clients, and adds a second to each. `snapshot` must have been read whole; `selected` is the number of
    /// the client that is open on the screen, or 0.
    pub(super) fn observe(&mut self, snapshot: &Snapshot, selected: u64) {
        let now_us = snapshot.clients_at_us;
        self.find_worst(&snapshot.clients, now_us);
        let Self { entries, worst } = self;
        for entry in entries.iter_mut() {
            if entry.id == selected || worst.iter().any(|(_, id)| *id == entry.id) {
                entry.wanted_us = now_us;
            }
        }
        let is_listed = snapshot.clients.iter().any(|row| row.id == selected);
        let wanted = is_listed.then_some(selected).into_iter().chain(worst.iter().map(|(_, id)| *id));
        for (place, id) in wanted.take(WATCHED_CLIENTS).enumerate() {
            add(entries, id, now_us, is_listed && place == 0);
        }
        for row in snapshot.clients.iter() {
            if let Some(entry) = entries.iter_mut().find(|entry| entry.id == row.id) {
                let (state, buffer_us) = (row.state, row.playback.buffer_at(now_us));
                entry.seconds.push(WatchedSecond { at_us: now_us, state, buffer_us });
            }
        }
    }

    /// Returns the numbers of the watched clients.
    pub(super) fn ids(&self) -> impl Iterator<Item = u64> {
        self.entries.iter().map(|entry| entry.id)
    }

    /// Returns a client with these requests; `None` if it is not watched.
    pub(super) fn client(&self, id: u64, requests: Arc<[WatchedRequest]>) -> Option<WatchedClient> {
        let entry = self.entries.iter().find(|entry| entry.id == id)?;
        let seconds = entry.seconds.iter().copied().collect();
        Some(WatchedClient { id, since_us: entry.since_us, seconds, requests })
    }

    /// Finds the worst clients. Most rows cost one comparison.
    fn find_worst(&mut self, rows: &[ClientRow], now_us: u64) {
        self.worst.clear();
        for row in rows {
            let badness = row.badness(now_us);
            if self.worst.len() == WORST && self.worst.last().is_some_and(|(last, _)| *last <= badness) {
                continue;
            }
            self.worst.truncate(WORST - 1);
            let place = self.worst.partition_point(|(other, _)| *other < badness);
            self.worst.insert(place, (badness, row.id));
        }
    }
}

/// Adds a client in the place of the one that has been of no interest for longest. If all are of interest, only a client
/// that `must` be watched is added, in the place of the last.
fn add(entries: &mut Vec<Entry>, id: u64, now_us: u64, must: bool) {
    if entries.iter().any(|entry| entry.id == id) {
        return;
    }
    if entries.len() == WATCHED_CLIENTS {
        let stale = (0..).zip(&*entries).min_by_key(|(_, entry)| entry.wanted_us);
        let stale = stale.filter(|(_, entry)| entry.wanted_us < now_us).map(|(place, _)| place);
        let Some(place) = stale.or(must.then_some(WATCHED_CLIENTS - 1)) else { return };
        entries.remove(place);
    }
    entries.push(Entry { id, since_us: now_us, wanted_us: now_us, seconds: Ring::new(SECONDS) });
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the clients 1 to `count` in the state that `state` names for their number.
    fn snapshot(at_s: u64, count: u64, state: impl Fn(u64) -> ClientState) -> Snapshot {
        let row = |id| ClientRow { id, state: state(id), ..ClientRow::fresh() };
        let clients = (1..=count).map(row).collect::<Vec<_>>().into();
        Snapshot { clients, clients_at_us: at_s * 1_000_000, ..Snapshot::default() }
    }

    fn ids(list: &WatchList) -> Vec<u64> {
        let mut ids: Vec<u64> = list.ids().collect();
        ids.sort_unstable();
        ids
    }

    #[test]
    fn the_selected_client_and_the_worst_ones_are_watched() {
        let mut list = WatchList::default();
        let stalled =
            |id: u64| if id.is_multiple_of(20) { ClientState::Stalled } else { ClientState::Playing };
        list.observe(&snapshot(1, 200, stalled), 77);
        let worst = (1..=10).map(|number| 20 * number);
        let expected: Vec<u64> = [1, 2, 3, 4, 5, 20, 40, 60, 77].into_iter().chain(worst.skip(3)).collect();
        assert_eq!(ids(&list), expected);
        list.observe(&snapshot(2, 200, |_| ClientState::Stalled), 0);
        list.observe(&snapshot(3, 200, |_| ClientState::Stalled), 150);
        assert!(ids(&list).contains(&150), "also when all others are of interest");
        assert_eq!(list.ids().count(), WATCHED_CLIENTS);
    }

    #[test]
    fn the_choice_does_not_change_as_long_as_its_clients_are_among_the_worst() {
        let mut list = WatchList::default();
        list.observe(&snapshot(1, 100, |_| ClientState::Playing), 0);
        assert_eq!(ids(&list), (1..=16).collect::<Vec<_>>());
        // Thirty-two others become worse.
        let worse = |id: u64| if id > 68 { ClientState::Stalled } else { ClientState::Playing };
        list.observe(&snapshot(2, 100, worse), 0);
        assert_eq!(ids(&list), (1..=16).collect::<Vec<_>>());
        let worse = |id: u64| if id > 50 { ClientState::Stalled } else { ClientState::Playing };
        list.observe(&snapshot(3, 100, worse), 0);
        assert_eq!(ids(&list), (51..=66).collect::<Vec<_>>());
    }

    #[test]
    fn a_client_keeps_its_last_seconds_also_after_it_has_left() {
        let mut list = WatchList::default();
        for at_s in 1..=SECONDS as u64 + 5 {
            list.observe(&snapshot(at_s, 1, |_| ClientState::Playing), 1);
        }
        list.observe(&snapshot(100, 0, |_| ClientState::Playing), 1);
        let client = list.client(1, Arc::default()).expect("watched");
        assert_eq!((client.since_us, client.seconds.len()), (1_000_000, SECONDS));
        let last = WatchedSecond { at_us: 69_000_000, state: ClientState::Playing, buffer_us: 0 };
        assert_eq!(client.seconds.last(), Some(&last));
        assert_eq!(list.client(2, Arc::default()), None);
    }
}
