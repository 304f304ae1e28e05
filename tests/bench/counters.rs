//! What counting and reading cost, beside the design that was replaced: `cargo bench --bench counters`.
//!
//! - Ids are `<group>/<design>/<clients>`; `atomic` is the product through its public API, `mutex` is `mutex.rs`.
//! - Recording goes round the clients, so with many of them their counters are cold, as in a run.
//! - Moments are given, not read from a clock: both designs would read it twice for a request.
//! - Before each measurement the allocations of one operation in the steady state are printed.

// Says once for both files what is true anyway: this crate is a benchmark, and may unwrap and index.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark, not the product"
)]

mod mutex;

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use criterion::{
    BenchmarkGroup, BenchmarkId, Criterion, criterion_group, criterion_main, measurement::WallTime,
};
use hlswarm::base::outcome::HttpFailure;
use hlswarm::base::{Clock, Kind, Outcome};
use hlswarm::stats::{ClientHandle, ClientRow, Meter, Registry, Snapshot, Timings};

const CLIENTS: [usize; 5] = [100, 500, 1_000, 10_000, 100_000];
/// The failed statuses of a client that has any.
const CODES: [u16; 5] = [404, 429, 500, 503, 599];
const TIMINGS: Timings = Timings { first_byte_us: 1_800, body_us: 41_000 };
const SEGMENT_BYTES: u64 = 210_000;
const TOTAL_US: u64 = 43_000;

/// Counts one thing in a design, for client number `client` (from 0), as its `round`-th.
trait Design: Sized {
    const NAME: &'static str;
    /// What a snapshot is kept in, where memory is used again.
    type Kept: Default;

    fn with_clients(count: usize) -> Self;
    fn segment(&self, client: usize, round: u64);
    fn http_error(&self, client: usize, round: u64);
    fn read_errors(&self, client: usize, kept: &mut Vec<(u16, u64)>);
    fn snapshot(&self, kept: &mut Self::Kept) -> usize;

    /// Gives each `every`-th client five kinds of errors.
    fn fail(&self, count: usize, every: usize) {
        for client in (0..count).step_by(every) {
            (0..CODES.len() as u64).for_each(|round| self.http_error(client, round));
        }
    }
}

/// The product. Its meters stay on the thread that made them.
struct Atomic {
    registry: Arc<Registry>,
    meters: Vec<Meter>,
    rows: Vec<ClientRow>,
    _clients: Vec<ClientHandle>,
}

impl Design for Atomic {
    const NAME: &'static str = "atomic";
    type Kept = Snapshot;

    fn with_clients(count: usize) -> Self {
        let registry = Registry::new(1);
        let clients: Vec<_> = (0..count).map(|_| registry.add()).collect();
        let meters = clients.iter().map(|client| client.meter(0, Clock::start())).collect();
        let mut rows = Vec::new();
        registry.for_each(|row| rows.push(row));
        Self { registry, meters, rows, _clients: clients }
    }

    #[inline]
    fn segment(&self, client: usize, round: u64) {
        let mut exchange = self.meters[client].start_at(Kind::Segment, round);
        exchange.received(SEGMENT_BYTES);
        exchange.finish_at(Outcome::Ok, Some(TIMINGS), round + TOTAL_US);
    }

    #[inline]
    fn http_error(&self, client: usize, round: u64) {
        let outcome = Outcome::Http(HttpFailure::of(code(round)));
        self.meters[client].start_at(Kind::Segment, round).finish_at(outcome, None, round + TOTAL_US);
    }

    fn read_errors(&self, client: usize, kept: &mut Vec<(u16, u64)>) {
        let read = self.registry.inspect(&self.rows[client], |stats| {
            kept.clear();
            stats.for_each_failure(|outcome, count| {
                if let Outcome::Http(code) = outcome {
                    kept.push((code.status().unwrap_or(0), count));
                }
            });
        });
        assert!(read.is_some());
    }

    fn snapshot(&self, kept: &mut Snapshot) -> usize {
        self.registry.snapshot(0, kept);
        kept.clients.len()
    }
}

/// The design that was replaced.
struct Mutex {
    registry: mutex::Registry,
    clients: Vec<Arc<mutex::Client>>,
}

impl Design for Mutex {
    const NAME: &'static str = "mutex";
    type Kept = ();

    fn with_clients(count: usize) -> Self {
        let registry = mutex::Registry::default();
        let clients = (0..count as u64).map(|id| registry.add(id)).collect();
        Self { registry, clients }
    }

    #[inline]
    fn segment(&self, client: usize, round: u64) {
        let client = &self.clients[client];
        client.start(Kind::Segment);
        client.received(Kind::Segment, SEGMENT_BYTES);
        client.finish_ok(Kind::Segment, SEGMENT_BYTES, TIMINGS, TOTAL_US, round + TOTAL_US);
    }

    #[inline]
    fn http_error(&self, client: usize, round: u64) {
        let client = &self.clients[client];
        client.start(Kind::Segment);
        client.finish_failed(Kind::Segment, code(round), TOTAL_US, round + TOTAL_US);
    }

    fn read_errors(&self, client: usize, kept: &mut Vec<(u16, u64)>) {
        let found = self.registry.get(client as u64).expect("listed").http_errors();
        kept.clear();
        kept.extend(found);
    }

    fn snapshot(&self, (): &mut ()) -> usize {
        black_box(self.registry.snapshot()).rows.len()
    }
}

fn code(round: u64) -> u16 {
    CODES[round as usize % CODES.len()]
}

/// Goes round the clients for ever: the next client, and the number of the round.
struct Round {
    clients: usize,
    next: usize,
    round: u64,
}

impl Round {
    fn over(clients: usize) -> Self {
        Self { clients, next: 0, round: 0 }
    }

    #[inline]
    fn step(&mut self) -> (usize, u64) {
        let now = (self.next, self.round);
        self.next += 1;
        if self.next == self.clients {
            (self.next, self.round) = (0, self.round + 1);
        }
        now
    }
}

/// Measures `operation`, having printed what it allocates once it has been warmed up.
fn measure<D: Design>(group: &mut BenchmarkGroup<'_, WallTime>, clients: usize, mut operation: impl FnMut()) {
    let id = BenchmarkId::new(D::NAME, clients);
    operation();
    operation();
    let allocations = allocation_counter::measure(&mut operation).count_total;
    println!("allocations per operation, {}/{clients}: {allocations}", D::NAME);
    group.bench_function(id, |bencher| bencher.iter(&mut operation));
}

fn recording<D: Design>(criterion: &mut Criterion) {
    for clients in CLIENTS {
        let design = D::with_clients(clients);
        let mut round = Round::over(clients);
        let mut group = group(criterion, "record_request");
        measure::<D>(&mut group, clients, || {
            let (client, round) = round.step();
            design.segment(client, round);
        });
        group.finish();
    }
    for clients in CLIENTS {
        let design = D::with_clients(clients);
        design.fail(clients, 1);
        let mut round = Round::over(clients);
        let mut group = self::group(criterion, "record_http_error");
        measure::<D>(&mut group, clients, || {
            let (client, round) = round.step();
            design.http_error(client, round);
        });
        group.finish();
    }
}

fn reading<D: Design>(criterion: &mut Criterion) {
    for clients in CLIENTS {
        let design = D::with_clients(clients);
        design.fail(clients, 1);
        let (mut round, mut kept) = (Round::over(clients), Vec::new());
        let mut group = group(criterion, "read_errors");
        measure::<D>(&mut group, clients, || {
            design.read_errors(round.step().0, &mut kept);
            assert_eq!(kept.len(), CODES.len());
        });
        group.finish();
    }
}

fn snapshots<D: Design>(criterion: &mut Criterion) {
    for (name, every) in [("snapshot_none", usize::MAX), ("snapshot_tenth", 10), ("snapshot_all", 1)] {
        for clients in CLIENTS {
            let design = D::with_clients(clients);
            (0..clients).for_each(|client| design.segment(client, 0));
            if every <= clients {
                design.fail(clients, every);
            }
            let mut kept = D::Kept::default();
            let mut group = group(criterion, name);
            measure::<D>(&mut group, clients, || assert_eq!(design.snapshot(&mut kept), clients));
            group.finish();
        }
    }
}

/// The reader is the thread that is measured; the writer makes the clients, because its meters cannot leave it.
fn snapshots_while_recording(criterion: &mut Criterion) {
    for clients in CLIENTS {
        let mut group = group(criterion, "snapshot_while_recording");
        let stop = AtomicBool::new(false);
        let registry = Registry::new(1);
        let handles: Vec<_> = (0..clients).map(|_| registry.add()).collect();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let meters = handles.iter().map(|client| client.meter(0, Clock::start())).collect();
                let registry = Arc::clone(&registry);
                let writer = Atomic { registry, meters, rows: Vec::new(), _clients: Vec::new() };
                record_until(&stop, clients, &writer);
            });
            let mut kept = Snapshot::default();
            measure::<Atomic>(&mut group, clients, || {
                registry.snapshot(0, &mut kept);
                assert_eq!(kept.clients.len(), clients);
            });
            stop.store(true, Ordering::Relaxed);
        });
        stop.store(false, Ordering::Relaxed);
        let design = Mutex::with_clients(clients);
        std::thread::scope(|scope| {
            scope.spawn(|| record_until(&stop, clients, &design));
            measure::<Mutex>(&mut group, clients, || assert_eq!(design.snapshot(&mut ()), clients));
            stop.store(true, Ordering::Relaxed);
        });
        group.finish();
    }
}

/// Nine segments, then an error, and so on.
fn record_until<D: Design>(stop: &AtomicBool, clients: usize, design: &D) {
    let mut step = Round::over(clients);
    while !stop.load(Ordering::Relaxed) {
        match step.step() {
            (client, round) if client % 10 == 9 => design.http_error(client, round),
            (client, round) => design.segment(client, round),
        }
    }
}

fn group<'a>(criterion: &'a mut Criterion, name: &str) -> BenchmarkGroup<'a, WallTime> {
    println!();
    let mut group = criterion.benchmark_group(name);
    group
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_millis(700));
    group
}

criterion_group!(
    counters,
    recording::<Atomic>,
    recording::<Mutex>,
    reading::<Atomic>,
    reading::<Mutex>,
    snapshots::<Atomic>,
    snapshots::<Mutex>,
    snapshots_while_recording
);
criterion_main!(counters);
