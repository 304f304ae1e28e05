//! All operations of the registry at once: no thread waits for another, and no law is broken on the way.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::{request, snapshot};
use crate::stats::{LatencySnapshot, Registry, Snapshot, Speeds, Totals, Window};
use crate::vocabulary::outcome::HttpFailure;
use crate::vocabulary::{Clock, Kind, Outcome, Timed};

const WRITERS: usize = 2;
/// Clients that join and leave on each writer.
const CLIENTS: u64 = 8 * STATUSES;
/// Number of statuses with which their first requests end, in turn.
const STATUSES: u64 = 200;
const SNAPSHOTS: usize = 20;
/// Requests of each client.
const REQUESTS: u64 = 2;

/// A writer at work. The last one that ends, even by a panic, signals that there is nothing more to see.
struct Writing<'a> {
    left: &'a AtomicU64,
    done: &'a AtomicBool,
}

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        if self.left.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.done.store(true, Ordering::Release);
        }
    }
}

/// Adds clients that count and leave, on the thread of one worker, while one client stays and counts too. Returns the
/// number of the client that stays. All bodies of a client have as many bytes as its number says, so that counts of
/// other clients cannot pass for its own.
fn come_and_go(registry: &std::sync::Arc<Registry>, worker: usize) -> u64 {
    let clock = Clock::start();
    let stays = registry.add();
    let steady = stays.meter(worker, clock);
    for round in 0..CLIENTS {
        let client = registry.add();
        let meter = client.meter(worker, clock);
        let status = 400 + (round % STATUSES) as u16;
        request(&meter, Kind::Segment, client.id(), Outcome::Http(HttpFailure::new(status)));
        request(&meter, Kind::Playlist, client.id(), Outcome::Ok);
        request(&steady, Kind::Init, stays.id(), Outcome::Ok);
    }
    stays.id()
}

/// Takes snapshots until there is nothing more to see.
fn take_snapshots(registry: &Registry, done: &AtomicBool) {
    let (mut last, mut seen) = (Totals::default(), Snapshot::default());
    while !done.load(Ordering::Relaxed) {
        registry.snapshot(0, &mut seen);
        assert!(seen.totals.started() >= seen.totals.finished());
        assert!(seen.totals.never_fell_since(&last), "a total fell");
        for row in &*seen.clients {
            assert_eq!(row.bytes % row.id, 0, "counters of two clients in one row: {row:?}");
        }
        last.copy_from(&seen.totals);
    }
}

/// Uses each of the other ways to read once.
fn look(registry: &Registry) {
    let (count, created) = (registry.count(), registry.created());
    assert!(count <= created);
    let mut rows = Vec::new();
    registry.for_each(|row| rows.push(row));
    for row in rows.iter().take(3) {
        // A client that has left since is absent, never another client.
        assert!(registry.get(row.id).is_none_or(|again| again.id == row.id));
        registry.inspect(row, |stats| stats.for_each_failure(|_, count| assert_eq!(count, 1)));
    }
}

/// Computes the summaries that are made from one snapshot after another.
fn sum_up(registry: &Registry, done: &AtomicBool) {
    let (mut speeds, mut window, mut seen) = (Speeds::default(), Window::default(), Snapshot::default());
    let mut latency = LatencySnapshot::default();
    let clock = Clock::start();
    while !done.load(Ordering::Relaxed) {
        let at = clock.now();
        registry.snapshot(crate::vocabulary::clock::micros(at), &mut seen);
        speeds.observe(&mut seen);
        window.push(at, &seen.totals);
        registry.latency(Timed::Total(Kind::Playlist), &mut latency);
        assert!(latency.summary().is_none_or(|s| s.min <= s.p50 && s.p50 <= s.max));
    }
}

/// Begins phases in the middle of the run: their counts only grow and exclude everything before them.
fn begin_phases(registry: &Registry, done: &AtomicBool) {
    while !done.load(Ordering::Relaxed) {
        let before = registry.created();
        let phase = snapshot(registry).totals;
        let (first, second) =
            (snapshot(registry).totals.since(&phase), snapshot(registry).totals.since(&phase));
        assert!(second.never_fell_since(&first));
        let at_most = (registry.created() - before + WRITERS as u64) * (REQUESTS + 1);
        assert!(first.finished() <= at_most, "{} of at most {at_most}", first.finished());
    }
}

#[test]
fn clients_come_and_go_while_twenty_snapshots_and_every_other_reader_look_on() {
    let registry = Registry::new(WRITERS);
    let done = AtomicBool::new(false);
    let left = AtomicU64::new(WRITERS as u64);
    let stayed: u64 = std::thread::scope(|scope| {
        let start = |worker| {
            let (registry, writing) = (&registry, Writing { left: &left, done: &done });
            scope.spawn(move || {
                let _writing = writing;
                come_and_go(registry, worker)
            })
        };
        let writers: Vec<_> = (0..WRITERS).map(start).collect();
        for _ in 0..SNAPSHOTS {
            scope.spawn(|| take_snapshots(&registry, &done));
        }
        scope.spawn(|| sum_up(&registry, &done));
        scope.spawn(|| begin_phases(&registry, &done));
        while !done.load(Ordering::Acquire) {
            look(&registry);
        }
        writers.into_iter().map(|writer| writer.join().expect("no panic")).sum()
    });
    assert_eq!((registry.audit(), registry.violations(), registry.count()), (0, 0, 0));
    let totals = snapshot(&registry).totals;
    let clients = WRITERS as u64 * CLIENTS;
    assert_eq!((totals.started(), totals.finished(), totals.in_flight), (3 * clients, 3 * clients, 0));
    let numbers: u64 = (1..=registry.created()).sum();
    assert_eq!(totals.bytes(), REQUESTS * (numbers - stayed) + CLIENTS * stayed);
    assert_eq!(totals.http_errors().count() as u64, STATUSES);
    for code in totals.http_errors() {
        assert_eq!(code.count, clients / STATUSES, "{}", code.code);
    }
}
