//! Operations that allocate nothing once everything has happened once: recording, and every way to read.

use super::{request, snapshot};
use crate::stats::inline_failures::WAYS;
use crate::stats::{LatencySnapshot, Meter, RecentLatency, Registry, Snapshot, Speeds};
use crate::vocabulary::outcome::Fault;
use crate::vocabulary::{Clock, Finding, Kind, Outcome, Timed};

fn allocations(operation: impl FnOnce()) -> u64 {
    allocation_counter::measure(operation).count_total
}

/// Failed statuses that fill all words of a client: for any further failure it needs a table.
const STATUSES: [u16; WAYS] = [404, 429, 500, 502, 503, 599];

fn fail_with(meter: &Meter, status: u16) {
    request(meter, Kind::Segment, 70, Outcome::from_status(status, false));
}

/// Makes requests of each kind and with every sort of ending: more than a client has words for.
fn traffic(meter: &Meter) {
    STATUSES.into_iter().for_each(|status| fail_with(meter, status));
    for kind in Kind::ALL {
        request(meter, kind, 700, Outcome::Ok);
        request(meter, kind, 7, Fault::TimeoutIdle.into());
        drop(meter.start(kind));
    }
}

#[test]
fn recording_allocates_nothing_once_each_table_is_there() {
    let registry = Registry::new(1);
    let clients: Vec<_> = (0..50).map(|_| registry.add()).collect();
    let meters: Vec<_> = clients.iter().map(|client| client.meter(0, Clock::start())).collect();
    meters.iter().for_each(traffic);
    assert_eq!(allocations(|| meters.iter().for_each(traffic)), 0);
    assert_eq!(registry.audit(), 0);
}

#[test]
fn a_client_pays_for_a_table_only_when_it_has_failed_in_many_ways() {
    let registry = Registry::new(1);
    let clients: Vec<_> = (0..50).map(|_| registry.add()).collect();
    let meters: Vec<_> = clients.iter().map(|client| client.meter(0, Clock::start())).collect();
    let inline_failures = |meter: &Meter| {
        request(meter, Kind::Segment, 700, Outcome::Ok);
        STATUSES.into_iter().for_each(|status| fail_with(meter, status));
    };
    inline_failures(&meters[0]);
    fail_with(&meters[0], 504);
    assert_eq!(
        allocations(|| meters.iter().for_each(inline_failures)),
        0,
        "the worker has its table, and no client needs one"
    );
    assert_eq!(allocations(|| meters.iter().for_each(|meter| fail_with(meter, 504))), 49, "one table each");
}

#[test]
fn every_reader_uses_its_memory_again() {
    let registry = Registry::new(2);
    let clients: Vec<_> = (0..50).map(|_| registry.add()).collect();
    let meters: Vec<_> = clients.iter().map(|client| client.meter(0, Clock::start())).collect();
    meters.iter().for_each(traffic);
    let (mut seen, mut speeds, mut findings) = (Snapshot::default(), Speeds::default(), Vec::new());
    meters[0].find(Finding::PlaylistStale, || "detail".to_owned());
    let mut latency = LatencySnapshot::default();
    let mut recent = RecentLatency::new(Timed::Total(Kind::Segment));
    let mut read = || {
        registry.snapshot_states(0, &mut seen);
        registry.snapshot(0, &mut seen);
        registry.findings(&mut findings);
        speeds.observe(&mut seen);
        registry.compare(&seen.totals, &seen.totals);
        for row in &*seen.clients {
            registry.inspect(row, |stats| stats.for_each_failure(|_, count| assert!(count > 0)));
        }
        Timed::all().for_each(|timed| registry.latency(timed, &mut latency));
        registry.latency_of_all(Kind::Segment, &mut latency);
        recent.sample(&registry);
        assert!(recent.digest().run.is_some());
    };
    // Fill the ten seconds of recent latencies, so that no later sample adds a histogram.
    (0..12).for_each(|_| read());
    assert_eq!(allocations(&mut read), 0);
    assert_eq!(snapshot(&registry).invariant_violations, 0);
}

#[test]
fn a_slot_that_is_used_again_costs_nothing() {
    let registry = Registry::new(1);
    let clock = Clock::start();
    let come_and_go = || {
        let client = registry.add();
        traffic(&client.meter(0, clock));
    };
    come_and_go();
    // The free list itself allocates a block of entries now and then.
    let (rounds, blocks) = (100, 20);
    assert!(allocations(|| (0..rounds).for_each(|_| come_and_go())) <= blocks);
    assert_eq!((registry.audit(), registry.created()), (0, rounds + 1));
}
