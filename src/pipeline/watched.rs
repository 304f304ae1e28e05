//! Requests of watched clients: the last ones of each.

use std::sync::Arc;

use super::event::WatchedRequest;
use crate::sync::ring::Ring;
use crate::vocabulary::limits::WATCHED_CLIENTS;

/// Clients whose requests are kept. A client stays for a while after another one is watched in its place.
const CLIENTS: usize = 2 * WATCHED_CLIENTS;
/// Requests that are kept of each client: those of a minute, unless it retries more than once a second.
const OF_EACH: usize = 96;

/// The last requests of a watched client.
#[derive(Clone, Debug, PartialEq)]
pub struct ClientRequests {
    /// Number of the client.
    pub client: u64,
    /// Its requests, in the order in which it made them.
    pub requests: Arc<[WatchedRequest]>,
}

#[derive(Debug)]
struct Entry {
    /// Number and published requests.
    published: ClientRequests,
    requests: Ring<WatchedRequest>,
    has_changed: bool,
}

/// The last requests of all watched clients. They take at most 32 x 96 x 56 bytes, and published as much again.
#[derive(Debug, Default)]
pub(super) struct Requests {
    /// The client that was last heard of is the last.
    entries: Vec<Entry>,
}

impl Requests {
    /// Takes a report of a request.
    pub(super) fn take(&mut self, client: u64, request: WatchedRequest) {
        let known = self.entries.iter().position(|entry| entry.published.client == client);
        if known.is_none() && self.entries.len() >= CLIENTS {
            self.entries.remove(0);
        }
        let mut entry = known.map_or_else(|| Entry::new(client), |place| self.entries.remove(place));
        entry.take(request);
        self.entries.push(entry);
    }

    /// Returns the requests of all clients; `None` if nothing has changed since the last call.
    pub(super) fn news(&mut self) -> Option<Vec<ClientRequests>> {
        if !self.entries.iter().any(|entry| entry.has_changed) {
            return None;
        }
        Some(self.entries.iter_mut().map(Entry::publish).collect())
    }
}

impl Entry {
    fn new(client: u64) -> Self {
        let published = ClientRequests { client, requests: Arc::default() };
        Self { published, requests: Ring::new(OF_EACH), has_changed: false }
    }

    fn take(&mut self, request: WatchedRequest) {
        self.has_changed = true;
        // A later report takes the place of an earlier one, which may have been dropped on the way.
        match self.requests.iter_mut().rev().find(|known| request.continues(known)) {
            Some(known) => *known = request,
            None => _ = self.requests.push(request),
        }
    }

    fn publish(&mut self) -> ClientRequests {
        if std::mem::take(&mut self.has_changed) {
            self.published.requests = self.requests.iter().copied().collect();
        }
        self.published.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::RequestEnd;
    use crate::vocabulary::{Kind, Outcome};

    fn asked(asked_us: u64) -> WatchedRequest {
        WatchedRequest {
            asked_us,
            kind: Kind::Segment,
            sequence: Some(asked_us),
            first_byte_us: None,
            end: None,
        }
    }

    fn ended(asked_us: u64) -> WatchedRequest {
        let end = RequestEnd { took_us: 5, bytes: 9, outcome: Outcome::Ok };
        WatchedRequest { first_byte_us: Some(2), end: Some(end), ..asked(asked_us) }
    }

    #[test]
    fn a_later_report_takes_the_place_of_an_earlier_one() {
        let mut requests = Requests::default();
        requests.take(7, asked(10));
        requests.take(7, WatchedRequest { kind: Kind::Playlist, ..asked(10) });
        requests.take(7, asked(20));
        requests.take(7, WatchedRequest { first_byte_us: Some(2), ..asked(10) });
        requests.take(7, ended(10));
        // Its beginning was dropped on the way.
        requests.take(7, ended(30));
        let news = requests.news().expect("news");
        let playlist = WatchedRequest { kind: Kind::Playlist, ..asked(10) };
        assert_eq!(*news[0].requests, [ended(10), playlist, asked(20), ended(30)]);
        assert_eq!(requests.news(), None, "nothing new");
    }

    #[test]
    fn memory_is_bounded_however_many_requests_and_clients_there_are() {
        let mut requests = Requests::default();
        for number in 0..10_000 {
            requests.take(1 + number % 100, ended(number));
        }
        // The first client is heard of again and again.
        for client in 200..300 {
            requests.take(1, ended(client));
            requests.take(client, ended(client));
        }
        let news = requests.news().expect("news");
        assert_eq!(news.len(), CLIENTS);
        let first = news.iter().find(|of| of.client == 1).expect("the first client");
        assert_eq!(first.requests.len(), OF_EACH);
        let bytes = CLIENTS * OF_EACH * size_of::<WatchedRequest>();
        assert!(bytes < 200_000, "{bytes} bytes");
    }
}
