//! Models of the lock-free protocols. Loom runs them under every interleaving and with every value that a load may
//! return: `tests/loom.sh`. Each model runs the code of the product itself, on as few cells as it needs.

use loom::sync::Arc;
use loom::thread;

use super::client::ClientStats;
use super::failure_table::Failures;
use super::inline_failures::InlineFailures;
use super::ladder::{Ladder, Listing, Progress};
use super::latency::LatencySnapshot;
use super::latency_cells::Latencies;
use super::meter::{Meter, Timings};
use super::metric::Metric;
use super::registry::{ClientHandle, Registry};
use super::slot::Slot;
use super::snapshot::Totals;
use crate::sync::loom_explore::explore;
use crate::sync::single_writer_cell::SingleWriterCell;
use crate::vocabulary::outcome::{Fault, HttpFailure};
use crate::vocabulary::{Clock, Kind, Outcome, Rung, Timed};

/// Maximum number of preemptions where a whole registry is read: to try them all would take days.
const PREEMPTIONS: Option<usize> = Some(2);

/// Runs a client's task on its worker. The thread returns the client, which stays listed.
fn on_worker(
    client: ClientHandle,
    worker: usize,
    task: impl FnOnce(&Meter) + Send + 'static,
) -> thread::JoinHandle<ClientHandle> {
    thread::spawn(move || {
        task(&client.meter(worker, Clock::start()));
        client
    })
}

/// Makes one request for a segment of seven bytes.
fn request(meter: &Meter, outcome: Outcome) {
    let mut exchange = meter.start_at(Kind::Segment, 1);
    exchange.received(7);
    exchange.finish_at(outcome, outcome.is_ok().then(Timings::default), 2);
}

/// Reads the totals as a snapshot does, and checks the laws that hold at every moment.
fn totals(registry: &Registry) -> Totals {
    let mut totals = Totals::default();
    registry.read_totals(&mut totals);
    assert_eq!(registry.violations(), 0, "a law that holds at every moment is broken");
    totals
}

#[test]
fn whoever_sees_a_request_finished_sees_all_of_it() {
    explore(PREEMPTIONS, || {
        let registry = Registry::new(1);
        let client = on_worker(registry.add(), 0, |meter| request(meter, Outcome::Ok));
        let seen = totals(&registry);
        let is_finished = seen.finished() == 1;
        if is_finished {
            let segments = seen.kind(Kind::Segment);
            assert_eq!((seen.started(), segments.ok.requests, segments.ok.bytes), (1, 1, 7));
            assert_eq!((seen.bytes(), seen.get(Metric::Ok), seen.in_flight), (7, 1, 0));
        }
        let _client = client.join().unwrap();
        assert_eq!(registry.audit(), 0);
        is_finished
    });
}

#[test]
fn whoever_sees_a_request_failed_sees_its_outcome() {
    explore(PREEMPTIONS, || {
        let registry = Registry::new(1);
        let not_found = Outcome::Http(HttpFailure::new(404));
        let client = on_worker(registry.add(), 0, move |meter| request(meter, not_found));
        let seen = totals(&registry);
        let is_finished = seen.finished() == 1;
        if is_finished {
            let failed = seen.kind(Kind::Segment).failed(not_found);
            assert_eq!((failed.requests, failed.bytes, seen.get(Metric::HttpErrors)), (1, 7, 1));
            assert_eq!((seen.errors(), seen.in_flight), (1, 0));
        }
        let _client = client.join().unwrap();
        assert_eq!(registry.audit(), 0);
        is_finished
    });
}

#[test]
fn a_request_that_is_abandoned_is_cut_once_whoever_looks_on() {
    explore(PREEMPTIONS, || {
        let registry = Registry::new(1);
        let client = on_worker(registry.add(), 0, |meter| drop(meter.start_at(Kind::Init, 1)));
        let seen = totals(&registry);
        let cut = seen.ended(Fault::Cut.into());
        assert!(seen.finished() <= cut && cut <= 1);
        assert_eq!(seen.errors(), 0, "what we cut is no error");
        let _client = client.join().unwrap();
        assert_eq!(registry.audit(), 0);
        seen.finished() == 1
    });
}

#[test]
fn no_request_is_seen_finished_that_is_not_seen_started_over_two_workers() {
    explore(PREEMPTIONS, || {
        let registry = Registry::new(2);
        let clients: Vec<_> = (0..2)
            .map(|worker| {
                on_worker(registry.add(), worker, |meter| request(meter, Outcome::Http(HttpFailure::OTHER)))
            })
            .collect();
        let seen = totals(&registry);
        assert!(seen.started() >= seen.finished());
        let _clients: Vec<_> = clients.into_iter().map(|client| client.join().unwrap()).collect();
        assert_eq!(registry.audit(), 0);
        seen.finished() == 1
    });
}

#[test]
fn a_failure_is_seen_whole_though_its_table_is_made_for_it() {
    explore(None, || {
        let failures = Arc::new(Failures::default());
        let writer = {
            let failures = Arc::clone(&failures);
            thread::spawn(move || (0..2).for_each(|_| failures.add(104, 1)))
        };
        let mut is_seen = false;
        failures.for_each(|slot, count| {
            assert_eq!(slot, 104);
            assert!((1..=2).contains(&count), "a slot that was used has a count");
            is_seen = true;
        });
        writer.join().unwrap();
        is_seen
    });
}

#[test]
fn a_slot_and_its_count_are_never_apart() {
    explore(None, || {
        let inline_failures = Arc::new(InlineFailures::default());
        let writer = {
            let inline_failures = Arc::clone(&inline_failures);
            thread::spawn(move || assert!([104, 7, 104].into_iter().all(|slot| inline_failures.count(slot))))
        };
        let mut seen = 0;
        inline_failures.for_each(|slot, count| {
            assert!(matches!((slot, count), (104, 1..=2) | (7, 1)), "{count} for slot {slot}");
            seen += 1;
        });
        writer.join().unwrap();
        seen == 2
    });
}

#[test]
fn a_segment_that_is_counted_has_its_size() {
    explore(None, || {
        let stats = Arc::new(ClientStats::default());
        let writer = {
            let stats = Arc::clone(&stats);
            thread::spawn(move || stats.segment(9))
        };
        let last = stats.last_segment_bytes();
        assert!(last.is_none_or(|bytes| bytes == 9), "{last:?} belongs to no client");
        writer.join().unwrap();
        last.is_some()
    });
}

#[test]
fn a_time_that_is_counted_has_its_sum_and_its_extremes() {
    explore(None, || {
        let latencies = Arc::new(Latencies::default());
        let writer = {
            let latencies = Arc::clone(&latencies);
            thread::spawn(move || latencies.record(Timed::Dns, 5))
        };
        let mut seen = LatencySnapshot::default();
        latencies.add_to(Timed::Dns, &mut seen);
        let summary = seen.summary();
        if let Some(summary) = summary {
            assert_eq!((summary.count, summary.min, summary.max), (1, 5, 5));
            assert!((summary.mean - 5.0).abs() < f64::EPSILON);
        }
        writer.join().unwrap();
        summary.is_some()
    });
}

#[test]
fn a_playlist_is_never_seen_older_than_it_is() {
    explore(None, || {
        let ladder = Arc::new(Ladder::default());
        let writer = {
            let ladder = Arc::clone(&ladder);
            thread::spawn(move || {
                for newest in [5, 6] {
                    let progress = Progress { newest, ..Progress::default() };
                    ladder.list(Rung::Single, &Listing { progress, came_us: newest, ..Listing::default() });
                }
            })
        };
        let seen = ladder.newest(Rung::Single);
        // Each playlist came at the time that is its number.
        if let Some((newest, came_us)) = seen {
            assert!(came_us >= newest, "{newest} came at {came_us}");
        }
        writer.join().unwrap();
        seen.is_some_and(|(newest, _)| newest == 6)
    });
}

/// Two numbers that their holder always sets to twice its own number.
type Pair = [SingleWriterCell; 2];

fn fill(slot: &Slot<Pair>, holder: u64) {
    let [left, right] = slot.writer();
    left.set(2 * holder);
    right.set(2 * holder);
}

/// Checks that no read mixes two holders, and reports whether it met holder 2. Holder 1 has written before the first
/// read; the slot is empty until holder 2 writes.
fn check(slot: &Slot<Pair>) -> bool {
    let seen = slot.read(|holder, [left, right]| (holder, left.get(), right.get()));
    if let Some((holder, left, right)) = seen {
        for value in [left, right] {
            let is_empty = holder == 2 && value == 0;
            assert!(is_empty || value == 2 * holder, "{value} is not of holder {holder}");
        }
    }
    seen.is_some_and(|(holder, ..)| holder == 2)
}

#[test]
fn no_row_mixes_two_holders_when_one_thread_retires_admits_and_writes() {
    explore(None, || {
        let slot = Arc::new(Slot::<Pair>::default());
        slot.open(1, |_| ());
        fill(&slot, 1);
        let writer = {
            let slot = Arc::clone(&slot);
            thread::spawn(move || {
                slot.close();
                slot.open(2, |pair| pair.iter().for_each(|cell| cell.set(0)));
                fill(&slot, 2);
            })
        };
        let meets_the_next = check(&slot);
        writer.join().unwrap();
        assert_eq!(slot.read(|holder, [left, _]| (holder, left.get())), Some((2, 4)));
        meets_the_next
    });
}

#[test]
fn no_row_mixes_two_holders_when_another_thread_writes_for_the_next() {
    explore(None, || {
        let slot = Arc::new(Slot::<Pair>::default());
        slot.open(1, |_| ());
        fill(&slot, 1);
        let writer = {
            let slot = Arc::clone(&slot);
            thread::spawn(move || {
                slot.close();
                slot.open(2, |pair| pair.iter().for_each(|cell| cell.set(0)));
                // The client is assigned to its worker, and writes on that thread.
                thread::spawn(move || fill(&slot, 2)).join().unwrap();
            })
        };
        let meets_the_next = check(&slot);
        writer.join().unwrap();
        meets_the_next
    });
}

#[test]
fn clients_that_leave_are_never_more_than_clients_that_came() {
    explore(None, || {
        let registry = Registry::new(0);
        let stays = registry.add();
        let comes_and_goes = {
            let registry = std::sync::Arc::clone(&registry);
            thread::spawn(move || drop(registry.add()))
        };
        let count = registry.count();
        assert!((1..=2).contains(&count));
        comes_and_goes.join().unwrap();
        assert_eq!(registry.count(), 1);
        drop(stays);
        assert_eq!((registry.count(), registry.created()), (0, 2));
        count == 2
    });
}
