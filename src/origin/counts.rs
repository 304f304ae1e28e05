//! Counts of the origin: atomics while it serves, plain values to read, print and compare.
//!
//! * No lock: each thread that accounts for an answer adds to the cells with `fetch_add`.
//! * requests = completed + incomplete + open in every [`Counts`], also in one taken while requests are in flight: a
//!   request is counted before it is settled, and a reader reads the settled counts first.
//! * Bytes are those of the content-coded body, without the framing of chunks, frames or TLS.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

use crate::vocabulary::Kind;

/// Slots of each kind. Statuses are 100..=999; slot 0 is for requests whose answer never began.
const STATUS_SLOTS: usize = 1_000;
/// The name of slot 0.
const NO_STATUS: &str = "none";

/// One response that has been settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settled {
    /// Kind of resource requested.
    pub kind: Kind,
    /// Status of the answer; 0 if none was begun.
    pub status: u16,
    /// Body bytes handed to the connection.
    pub bytes: u64,
}

/// Cells of all counts: 192 kB, allocated once.
#[derive(Debug)]
pub struct Counters {
    requests: [AtomicU64; Kind::COUNT],
    completed: Table,
    incomplete: Table,
    /// Connections accepted.
    pub accepted: AtomicU64,
    /// Connections that a fault rule has reset.
    pub reset: AtomicU64,
    /// TLS handshakes finished.
    pub tls: AtomicU64,
}

/// Responses and bytes by kind and status.
#[derive(Debug)]
struct Table(Vec<[AtomicU64; 2]>);

impl Table {
    fn new() -> Self {
        Self((0..Kind::COUNT * STATUS_SLOTS).map(|_| Default::default()).collect())
    }

    fn add(&self, settled: Settled) {
        let slot = settled.kind.index() * STATUS_SLOTS + usize::from(settled.status).min(STATUS_SLOTS - 1);
        if let Some([responses, bytes]) = self.0.get(slot) {
            bytes.fetch_add(settled.bytes, Ordering::Relaxed);
            responses.fetch_add(1, Ordering::Release);
        }
    }

    fn read(&self) -> BTreeMap<String, BTreeMap<String, Served>> {
        let of_kind = |kind: Kind| -> BTreeMap<String, Served> {
            let slots = self.0.iter().skip(kind.index() * STATUS_SLOTS).take(STATUS_SLOTS);
            let read = slots.enumerate().map(|(status, [responses, bytes])| {
                let responses = responses.load(Ordering::Acquire);
                (status, Served { responses, bytes: bytes.load(Ordering::Relaxed) })
            });
            read.filter(|(_, served)| served.responses > 0)
                .map(|(status, served)| (name(status), served))
                .collect()
        };
        let kinds = Kind::ALL.into_iter().map(|kind| (kind.name().to_owned(), of_kind(kind)));
        kinds.filter(|(_, statuses)| !statuses.is_empty()).collect()
    }
}

fn name(status: usize) -> String {
    if status == 0 { NO_STATUS.to_owned() } else { status.to_string() }
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            requests: Default::default(),
            completed: Table::new(),
            incomplete: Table::new(),
            accepted: AtomicU64::new(0),
            reset: AtomicU64::new(0),
            tls: AtomicU64::new(0),
        }
    }
}

impl Counters {
    pub(super) fn received(&self, kind: Kind) {
        if let Some(cell) = self.requests.get(kind.index()) {
            cell.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn completed(&self, settled: Settled) {
        self.completed.add(settled);
    }

    pub(super) fn incomplete(&self, settled: Settled) {
        self.incomplete.add(settled);
    }

    /// Returns the current counts.
    pub fn counts(&self) -> Counts {
        // Read settled counts first: a request that settles between the two reads must not be missing from the
        // requests.
        let completed = self.completed.read();
        let incomplete = self.incomplete.read();
        let requests: BTreeMap<String, u64> = Kind::ALL
            .into_iter()
            .zip(&self.requests)
            .map(|(kind, cell)| (kind.name().to_owned(), cell.load(Ordering::Acquire)))
            .filter(|(_, count)| *count > 0)
            .collect();
        let (mut by_status, mut bytes) = (BTreeMap::new(), BTreeMap::new());
        for (kind, statuses) in completed.iter().chain(&incomplete) {
            for (status, served) in statuses {
                *by_status.entry(status.clone()).or_default() += served.responses;
                *bytes.entry(kind.clone()).or_default() += served.bytes;
            }
        }
        let settled: u64 = by_status.values().sum();
        let open = requests.values().sum::<u64>().saturating_sub(settled);
        let connections = Connections {
            accepted: self.accepted.load(Ordering::Relaxed),
            reset: self.reset.load(Ordering::Relaxed),
            tls: self.tls.load(Ordering::Relaxed),
        };
        Counts { requests, open, by_status, bytes, completed, incomplete, connections }
    }
}

/// Counts at one moment. The maps omit zero counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Requests received, by kind.
    pub requests: BTreeMap<String, u64>,
    /// Requests that are neither completed nor incomplete yet.
    pub open: u64,
    /// Completed and incomplete responses, by status; `none` where no answer was begun.
    pub by_status: BTreeMap<String, u64>,
    /// Body bytes of completed and incomplete responses, by kind.
    pub bytes: BTreeMap<String, u64>,
    /// Responses that arrived in full, as far as an origin can know; by kind and status.
    pub completed: BTreeMap<String, BTreeMap<String, Served>>,
    /// Responses that arrived in part, or may have; by kind and status.
    pub incomplete: BTreeMap<String, BTreeMap<String, Served>>,
    /// Connections.
    pub connections: Connections,
}

/// Responses and their body bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Served {
    /// Number of responses.
    pub responses: u64,
    /// Body bytes: all of them for completed responses, those handed to the connection for incomplete ones.
    pub bytes: u64,
}

/// Connections of an origin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connections {
    /// Accepted.
    pub accepted: u64,
    /// Reset by a fault rule.
    pub reset: u64,
    /// Accepted connections that finished a TLS handshake.
    pub tls: u64,
}

impl Counts {
    /// Returns the completed responses of a kind with a status.
    pub fn completed(&self, kind: Kind, status: u16) -> Served {
        served(&self.completed, kind, status)
    }

    /// Returns the responses of a kind with a status that were not completed; status 0 where no answer was begun.
    pub fn incomplete(&self, kind: Kind, status: u16) -> Served {
        served(&self.incomplete, kind, status)
    }
}

fn served(table: &BTreeMap<String, BTreeMap<String, Served>>, kind: Kind, status: u16) -> Served {
    let statuses = table.get(kind.name());
    statuses.and_then(|statuses| statuses.get(&name(usize::from(status)))).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn every_request_is_completed_incomplete_or_open() {
        let counters = Counters::default();
        for _ in 0..3 {
            counters.received(Kind::Segment);
        }
        counters.completed(Settled { kind: Kind::Segment, status: 200, bytes: 700 });
        counters.incomplete(Settled { kind: Kind::Segment, status: 0, bytes: 0 });
        let counts = counters.counts();
        assert_eq!(counts.requests, BTreeMap::from([("segment".to_owned(), 3)]));
        assert_eq!(counts.by_status, BTreeMap::from([("200".to_owned(), 1), ("none".to_owned(), 1)]));
        assert_eq!(counts.bytes, BTreeMap::from([("segment".to_owned(), 700)]));
        assert_eq!(counts.open, 1);
        assert_eq!(counts.completed(Kind::Segment, 200), Served { responses: 1, bytes: 700 });
        assert_eq!(counts.incomplete(Kind::Segment, 0).responses, 1);
    }

    #[test]
    fn counts_survive_json() {
        let counters = Counters::default();
        counters.received(Kind::Playlist);
        counters.completed(Settled { kind: Kind::Playlist, status: 999, bytes: 1 });
        let counts = counters.counts();
        let json = serde_json::to_string(&counts).unwrap();
        assert!(json.contains(r#""completed":{"playlist":{"999":{"responses":1,"bytes":1}}}"#), "{json}");
        assert_eq!(serde_json::from_str::<Counts>(&json).unwrap(), counts);
    }

    #[test]
    fn no_count_is_lost_between_threads_and_no_reading_shows_more_settled_than_received() {
        let counters = Arc::new(Counters::default());
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let counters = Arc::clone(&counters);
                std::thread::spawn(move || {
                    for _ in 0..2_000 {
                        counters.received(Kind::Init);
                        counters.completed(Settled { kind: Kind::Init, status: 200, bytes: 2 });
                    }
                })
            })
            .collect();
        for _ in 0..50 {
            let counts = counters.counts();
            let settled = counts.completed(Kind::Init, 200).responses;
            assert!(counts.requests.get("init").copied().unwrap_or(0) >= settled);
        }
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(counters.counts().completed(Kind::Init, 200), Served { responses: 8_000, bytes: 16_000 });
        assert_eq!(counters.counts().open, 0);
    }
}
