//! Previous design of the counters, kept for comparison: one mutex and a map of errors for each client, a registry
//! behind a read-write lock, and totals that each reader sums over the clients.
//!
//! It keeps the same numbers, returns the same rows, and is as good as that design can be: everything but the errors
//! lies in arrays, all clients share their histograms, and a reader reuses its memory.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, RwLock};

use histogram::Histogram;
use hlswarm::testing::stats::{ClientRow, Metric, Placement, Timings};
use hlswarm::testing::vocabulary::HttpFailure;
use hlswarm::testing::vocabulary::Playback;
use hlswarm::testing::vocabulary::{ClientState, Kind, Outcome};

/// Counters of one client, all under one lock.
#[derive(Debug)]
pub struct Numbers {
    scalars: [u64; Metric::COUNT],
    playback: Playback,
    http_errors: HashMap<u16, u64>,
    last: Option<(Outcome, u64)>,
    recent_sizes: Vec<u32>,
    next_size: usize,
}

const RECENT_SIZES: usize = 100;

impl Default for Numbers {
    fn default() -> Self {
        let playback = Playback {
            state: ClientState::at(0),
            joined_us: 0,
            offset_us: 0,
            dry_at_us: 0,
            max_drift_us: 0,
            bandwidth: 0,
            live_offset_us: None,
        };
        Self {
            scalars: [0; Metric::COUNT],
            playback,
            http_errors: HashMap::new(),
            last: None,
            recent_sizes: Vec::new(),
            next_size: 0,
        }
    }
}

/// Times of all requests, under one lock.
#[derive(Debug)]
pub struct Times {
    first_byte: Histogram,
    body: Histogram,
    total: Histogram,
    failed: Histogram,
}

impl Default for Times {
    fn default() -> Self {
        let histogram = || Histogram::new(7, 32).expect("valid parameters");
        Self { first_byte: histogram(), body: histogram(), total: histogram(), failed: histogram() }
    }
}

/// One client.
#[derive(Debug, Default)]
pub struct Client {
    numbers: Mutex<Numbers>,
    times: Arc<Mutex<Times>>,
}

/// Rows of all clients at one time, and their sums.
#[derive(Debug)]
pub struct Snapshot {
    pub rows: Vec<ClientRow>,
    pub states: [u64; ClientState::COUNT],
    pub totals: [u64; Metric::COUNT],
    pub http_errors: HashMap<u16, u64>,
}

impl Default for Snapshot {
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            states: [0; ClientState::COUNT],
            totals: [0; Metric::COUNT],
            http_errors: HashMap::new(),
        }
    }
}

impl Snapshot {
    fn clear(&mut self) {
        self.rows.clear();
        self.http_errors.clear();
        (self.states, self.totals) = ([0; ClientState::COUNT], [0; Metric::COUNT]);
    }
}

/// The clients of a run.
#[derive(Debug, Default)]
pub struct Registry {
    clients: RwLock<HashMap<u64, Arc<Client>>>,
    times: Arc<Mutex<Times>>,
}

impl Client {
    /// Counts a request that starts.
    pub fn start(&self, kind: Kind) {
        self.numbers.lock().expect("no panic").add(Metric::started(kind), 1);
    }

    /// Counts body bytes.
    pub fn received(&self, kind: Kind, bytes: u64) {
        self.numbers.lock().expect("no panic").add(Metric::bytes(kind), bytes);
    }

    /// Counts a request that succeeded.
    pub fn finish_ok(&self, kind: Kind, bytes: u64, timings: Timings, total_us: u64, now_us: u64) {
        {
            let mut numbers = self.numbers.lock().expect("no panic");
            numbers.add(Metric::finished(kind), 1);
            numbers.add(Metric::Ok, 1);
            numbers.last = Some((Outcome::Ok, now_us));
            numbers.remember(bytes as u32);
        }
        let mut times = self.times.lock().expect("no panic");
        _ = times.first_byte.increment(timings.first_byte_us);
        _ = times.body.increment(timings.body_us);
        _ = times.total.increment(total_us);
    }

    /// Counts a request that ended with a failed status.
    pub fn finish_failed(&self, kind: Kind, status: u16, total_us: u64, now_us: u64) {
        {
            let mut numbers = self.numbers.lock().expect("no panic");
            numbers.add(Metric::finished(kind), 1);
            numbers.add(Metric::HttpErrors, 1);
            *numbers.http_errors.entry(status).or_default() += 1;
            numbers.last = Some((Outcome::Http(HttpFailure::new(status)), now_us));
        }
        _ = self.times.lock().expect("no panic").failed.increment(total_us);
    }

    /// Writes the failed statuses and their counts into `kept`, whose memory it reuses.
    pub fn http_errors(&self, kept: &mut Vec<(u16, u64)>) {
        kept.clear();
        let numbers = self.numbers.lock().expect("no panic");
        kept.extend(numbers.http_errors.iter().map(|(code, count)| (*code, *count)));
    }
}

impl Numbers {
    fn add(&mut self, metric: Metric, amount: u64) {
        self.scalars[metric.index()] += amount;
    }

    fn get(&self, metric: Metric) -> u64 {
        self.scalars[metric.index()]
    }

    fn remember(&mut self, bytes: u32) {
        if self.recent_sizes.len() < RECENT_SIZES {
            self.recent_sizes.push(bytes);
        } else {
            self.recent_sizes[self.next_size] = bytes;
        }
        self.next_size = (self.next_size + 1) % RECENT_SIZES;
    }

    fn row(&self, id: u64, at_us: u64) -> ClientRow {
        let sum = |of: fn(Kind) -> Metric| Kind::ALL.into_iter().map(|kind| self.get(of(kind))).sum();
        ClientRow {
            id,
            slot: 0,
            placement: Placement::default(),
            state: self.playback.state_at(at_us),
            playback: self.playback,
            requests: sum(Metric::started),
            segments: self.get(Metric::SegmentStarted),
            http_errors: self.get(Metric::HttpErrors),
            faults: self.get(Metric::Faults),
            bytes: sum(Metric::bytes),
            stalls: self.get(Metric::Stalls),
            reconnections: self.get(Metric::Reconnections),
            pipeline_offered: self.get(Metric::ProgressOffered) + self.get(Metric::EventsOffered),
            pipeline_dropped: self.get(Metric::ProgressDropped) + self.get(Metric::EventsDropped),
            last: self.last,
            speed: None,
            slow: false,
            open_since_us: None,
            last_states: 0,
            had: 0,
        }
    }
}

impl Registry {
    /// Adds a client with this id.
    pub fn add(&self, id: u64) -> Arc<Client> {
        let client = Arc::new(Client { times: Arc::clone(&self.times), ..Client::default() });
        self.clients.write().expect("no panic").insert(id, Arc::clone(&client));
        client
    }

    /// Reads and sums all clients into `snapshot`, whose memory it reuses.
    pub fn snapshot(&self, at_us: u64, snapshot: &mut Snapshot) {
        snapshot.clear();
        let clients = self.clients.read().expect("no panic");
        for (id, client) in clients.iter() {
            let numbers = client.numbers.lock().expect("no panic");
            for (total, count) in snapshot.totals.iter_mut().zip(&numbers.scalars) {
                *total += count;
            }
            for (status, count) in &numbers.http_errors {
                *snapshot.http_errors.entry(*status).or_default() += count;
            }
            let row = numbers.row(*id, at_us);
            snapshot.states[row.state.index()] += 1;
            snapshot.rows.push(row);
        }
    }
}
