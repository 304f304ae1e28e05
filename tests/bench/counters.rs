//! Cost of counting and reading, compared with the previous design: `cargo bench --bench counters`.
//!
//! - Ids are `<group>/<design>/<clients>`; `atomic` is the product through its public API, `mutex` is `mutex.rs`.
//! - Recording cycles through the clients, so with many of them their counters are cold, as in a run.
//! - Times are arguments and not read from a clock: both designs would read it twice for a request.
//! - Before each measurement the benchmark prints the allocations of one operation in the steady state.
//! - The benchmark sets up only the measurements that are asked for:
//!   `cargo bench --bench counters -- record_request/atomic`.

// Applies to both files of this benchmark.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark, not the product"
)]

mod mutex;

use std::hint::black_box;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use hlswarm::testing::stats::{ClientHandle, ClientRow, Meter, Registry, Snapshot, Timings};
use hlswarm::testing::vocabulary::HttpFailure;
use hlswarm::testing::vocabulary::{Clock, Kind, Outcome};

const CLIENTS: [usize; 5] = [100, 500, 1_000, 10_000, 100_000];
/// Failed statuses of a client that has any.
const CODES: [u16; 5] = [404, 429, 500, 503, 599];
/// More statuses than a client has words for, so it needs a table.
const MANY_CODES: [u16; 8] = [403, 404, 410, 429, 500, 502, 503, 599];
const TIMINGS: Timings = Timings { first_byte_us: 1_800, body_us: 41_000 };
const SEGMENT_BYTES: u64 = 210_000;
const TOTAL_US: u64 = 43_000;
/// Snapshots before the measurement, so that all one-time work is done.
const WARM_UP: usize = 10;

/// Design under test. Its methods count one thing for client number `client` (from 0), as its `round`-th.
trait Design: Sized {
    const NAME: &'static str;
    /// Memory for a snapshot, which a design may reuse.
    type Kept: Default;

    fn with_clients(count: usize) -> Self;
    fn segment(&self, client: usize, round: u64);
    fn http_error(&self, client: usize, status: u16, round: u64);
    fn read_errors(&self, client: usize, kept: &mut Vec<(u16, u64)>);
    fn snapshot(&self, kept: &mut Self::Kept) -> usize;

    /// Records one failure of each status in `codes` for every `every`-th client.
    fn fail(&self, count: usize, every: usize, codes: &[u16]) {
        for client in (0..count).step_by(every) {
            codes.iter().for_each(|status| self.http_error(client, *status, 0));
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

impl Atomic {
    fn over(registry: Arc<Registry>, clients: Vec<ClientHandle>) -> Self {
        let meters = clients.iter().map(|client| client.meter(0, Clock::start())).collect();
        let mut rows = Vec::new();
        registry.for_each(|row| rows.push(row));
        Self { registry, meters, rows, _clients: clients }
    }
}

impl Design for Atomic {
    const NAME: &'static str = "atomic";
    type Kept = Snapshot;

    fn with_clients(count: usize) -> Self {
        let registry = Registry::new(1);
        let clients = (0..count).map(|_| registry.add_at(0)).collect();
        Self::over(registry, clients)
    }

    #[inline]
    fn segment(&self, client: usize, round: u64) {
        let mut exchange = self.meters[client].start_at(Kind::Segment, round);
        exchange.received(SEGMENT_BYTES);
        exchange.keep_segment_size();
        exchange.finish_at(Outcome::Ok, Some(TIMINGS), round + TOTAL_US);
    }

    #[inline]
    fn http_error(&self, client: usize, status: u16, round: u64) {
        let outcome = Outcome::Http(HttpFailure::new(status));
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

/// The previous design.
struct Mutex {
    registry: mutex::Registry,
    clients: Vec<Arc<mutex::Client>>,
}

impl Design for Mutex {
    const NAME: &'static str = "mutex";
    type Kept = mutex::Snapshot;

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
    fn http_error(&self, client: usize, status: u16, round: u64) {
        let client = &self.clients[client];
        client.start(Kind::Segment);
        client.finish_failed(Kind::Segment, status, TOTAL_US, round + TOTAL_US);
    }

    fn read_errors(&self, client: usize, kept: &mut Vec<(u16, u64)>) {
        self.clients[client].http_errors(kept);
    }

    fn snapshot(&self, kept: &mut mutex::Snapshot) -> usize {
        self.registry.snapshot(0, kept);
        black_box(kept).rows.len()
    }
}

/// Endless cycle through the clients: the next client, and the number of the round.
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

/// Measures the operation that `make` returns. Prints first how much it allocates after `warm_up` calls.
fn measure<D: Design, O: FnMut()>(
    criterion: &mut Criterion,
    group: &str,
    clients: usize,
    warm_up: usize,
    make: impl Fn() -> O,
) {
    let mut made = None;
    let mut group = criterion.benchmark_group(group);
    group
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_millis(700));
    group.bench_function(BenchmarkId::new(D::NAME, clients), |bencher| {
        let operation = made.get_or_insert_with(|| warmed::<D, O>(clients, warm_up, make()));
        // Time a plain loop: the overhead around an operation of twenty nanoseconds must not cost as much again.
        bencher.iter_custom(|rounds| {
            let start = Instant::now();
            (0..rounds).for_each(|_| operation());
            start.elapsed()
        });
    });
    group.finish();
}

fn warmed<D: Design, O: FnMut()>(clients: usize, warm_up: usize, mut operation: O) -> O {
    (0..warm_up).for_each(|_| operation());
    let allocations = allocation_counter::measure(&mut operation).count_total;
    println!("allocations per operation, {}/{clients}: {allocations}", D::NAME);
    operation
}

fn recording<D: Design>(criterion: &mut Criterion) {
    for clients in CLIENTS {
        // The warm-up fills the rings of sizes.
        measure::<D, _>(criterion, "record_request", clients, 101 * clients, || {
            let (design, mut round) = (D::with_clients(clients), Round::over(clients));
            move || {
                let (client, round) = round.step();
                design.segment(client, round);
            }
        });
        for (group, codes) in [("record_http_error", &CODES[..]), ("record_many_errors", &MANY_CODES)] {
            measure::<D, _>(criterion, group, clients, 2 * clients, || {
                let (design, mut round) = (D::with_clients(clients), Round::over(clients));
                design.fail(clients, 1, codes);
                move || {
                    let (client, round) = round.step();
                    design.http_error(client, codes[round as usize % codes.len()], round);
                }
            });
        }
    }
}

fn reading<D: Design>(criterion: &mut Criterion) {
    for clients in CLIENTS {
        measure::<D, _>(criterion, "read_errors", clients, 2 * clients, || {
            let (design, mut round, mut kept) = (D::with_clients(clients), Round::over(clients), Vec::new());
            design.fail(clients, 1, &CODES);
            move || {
                design.read_errors(round.step().0, &mut kept);
                assert_eq!(kept.len(), CODES.len());
            }
        });
    }
}

fn snapshots<D: Design>(criterion: &mut Criterion) {
    for (group, every) in [("snapshot_none", usize::MAX), ("snapshot_tenth", 10), ("snapshot_all", 1)] {
        for clients in CLIENTS {
            measure::<D, _>(criterion, group, clients, WARM_UP, || {
                let (design, mut kept) = (D::with_clients(clients), D::Kept::default());
                (0..clients).for_each(|client| design.segment(client, 0));
                if every <= clients {
                    design.fail(clients, every, &CODES);
                }
                move || assert_eq!(design.snapshot(&mut kept), clients)
            });
        }
    }
}

/// Thread that counts until it is dropped.
struct Recording {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Recording {
    /// Starts the thread. `make` runs on it, because a client's meters cannot leave the thread that made them.
    fn start<D: Deref<Target: Design>>(clients: usize, make: impl FnOnce() -> D + Send + 'static) -> Self {
        let stop = Arc::<AtomicBool>::default();
        let stopped = Arc::clone(&stop);
        let thread = thread::spawn(move || record_until(&stopped, clients, &*make()));
        Self { stop, thread: Some(thread) }
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().map(JoinHandle::join);
    }
}

fn snapshots_while_recording(criterion: &mut Criterion) {
    for clients in CLIENTS {
        measure::<Atomic, _>(criterion, "snapshot_while_recording", clients, WARM_UP, || {
            let (registry, mut kept) = (Registry::new(1), Snapshot::default());
            let recorded = Arc::clone(&registry);
            let handles: Vec<_> = (0..clients).map(|_| registry.add_at(0)).collect();
            let recording = Recording::start(clients, move || Box::new(Atomic::over(recorded, handles)));
            move || {
                assert!(recording.thread.is_some());
                registry.snapshot(0, &mut kept);
                assert_eq!(kept.clients.len(), clients);
            }
        });
        measure::<Mutex, _>(criterion, "snapshot_while_recording", clients, WARM_UP, || {
            let (design, mut kept) = (Arc::new(Mutex::with_clients(clients)), mutex::Snapshot::default());
            let recorded = Arc::clone(&design);
            let recording = Recording::start(clients, move || recorded);
            move || {
                assert!(recording.thread.is_some());
                assert_eq!(design.snapshot(&mut kept), clients);
            }
        });
    }
}

/// Records nine segments, then an error, and repeats this until `stop` is set.
fn record_until<D: Design>(stop: &AtomicBool, clients: usize, design: &D) {
    let mut step = Round::over(clients);
    while !stop.load(Ordering::Relaxed) {
        match step.step() {
            (client, round) if client % 10 == 9 => {
                design.http_error(client, CODES[round as usize % CODES.len()], round);
            }
            (client, round) => design.segment(client, round),
        }
    }
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
