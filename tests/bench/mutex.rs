//! The design that the counters replaced, to be measured beside them: one mutex and a map of errors for each client, a
//! registry behind a read-write lock, totals summed over the clients by whoever wants to know them.
//!
//! As good as that design can be: what there is of each kind lies in arrays, histograms are shared, and a reader uses its
//! memory again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, RwLock};

use histogram::Histogram;
use hlswarm::base::Kind;
use hlswarm::stats::Timings;

/// What one client counts, all under one lock.
#[derive(Debug, Default)]
pub struct Numbers {
    started: [u64; Kind::COUNT],
    finished: [u64; Kind::COUNT],
    bytes: [u64; Kind::COUNT],
    ok: u64,
    http_errors: HashMap<u16, u64>,
    last: Option<(u16, u64)>,
    recent_sizes: Vec<u64>,
    next_size: usize,
}

const RECENT_SIZES: usize = 100;

/// The times of all requests, under one lock.
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

/// One client as a reader sees it.
#[derive(Debug)]
#[expect(dead_code, reason = "the work is to gather the row; only the benchmark looks at it")]
pub struct Row {
    id: u64,
    requests: u64,
    segments: u64,
    http_errors: u64,
    bytes: u64,
    last: Option<(u16, u64)>,
}

/// All clients at one moment.
#[derive(Debug, Default)]
pub struct Snapshot {
    pub rows: Vec<Row>,
    pub started: u64,
    pub finished: u64,
    pub ok: u64,
    pub bytes: u64,
    pub http_errors: HashMap<u16, u64>,
}

impl Snapshot {
    fn clear(&mut self) {
        self.rows.clear();
        self.http_errors.clear();
        (self.started, self.finished, self.ok, self.bytes) = (0, 0, 0, 0);
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
        self.numbers.lock().expect("no panic").started[kind.index()] += 1;
    }

    /// Counts body bytes.
    pub fn received(&self, kind: Kind, bytes: u64) {
        self.numbers.lock().expect("no panic").bytes[kind.index()] += bytes;
    }

    /// Counts a request that ended ok.
    pub fn finish_ok(&self, kind: Kind, bytes: u64, timings: Timings, total_us: u64, now_us: u64) {
        {
            let mut numbers = self.numbers.lock().expect("no panic");
            numbers.finished[kind.index()] += 1;
            numbers.ok += 1;
            numbers.last = Some((200, now_us));
            numbers.remember(bytes);
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
            numbers.finished[kind.index()] += 1;
            *numbers.http_errors.entry(status).or_default() += 1;
            numbers.last = Some((status, now_us));
        }
        _ = self.times.lock().expect("no panic").failed.increment(total_us);
    }

    /// The failed statuses and their counts, into memory that is used again.
    pub fn http_errors(&self, kept: &mut Vec<(u16, u64)>) {
        kept.clear();
        kept.extend(
            self.numbers.lock().expect("no panic").http_errors.iter().map(|(code, count)| (*code, *count)),
        );
    }
}

impl Numbers {
    fn remember(&mut self, bytes: u64) {
        if self.recent_sizes.len() < RECENT_SIZES {
            self.recent_sizes.push(bytes);
        } else {
            self.recent_sizes[self.next_size] = bytes;
        }
        self.next_size = (self.next_size + 1) % RECENT_SIZES;
    }
}

impl Registry {
    /// Adds a client under a number.
    pub fn add(&self, id: u64) -> Arc<Client> {
        let client = Arc::new(Client { times: Arc::clone(&self.times), ..Client::default() });
        self.clients.write().expect("no panic").insert(id, Arc::clone(&client));
        client
    }

    /// Reads all clients and sums them up, into memory that is used again.
    pub fn snapshot(&self, snapshot: &mut Snapshot) {
        snapshot.clear();
        let clients = self.clients.read().expect("no panic");
        for (id, client) in clients.iter() {
            let numbers = client.numbers.lock().expect("no panic");
            let requests: u64 = numbers.started.iter().sum();
            let bytes: u64 = numbers.bytes.iter().sum();
            let http_errors: u64 = numbers.http_errors.values().sum();
            snapshot.started += requests;
            snapshot.finished += numbers.finished.iter().sum::<u64>();
            snapshot.ok += numbers.ok;
            snapshot.bytes += bytes;
            for (status, count) in &numbers.http_errors {
                *snapshot.http_errors.entry(*status).or_default() += count;
            }
            let segments = numbers.started[Kind::Segment.index()];
            snapshot.rows.push(Row { id: *id, requests, segments, http_errors, bytes, last: numbers.last });
        }
    }
}
