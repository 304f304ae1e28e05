//! Models of the lock-free protocols, run by loom under every interleaving and with every value that a load may
//! return: `tests/loom.sh`. Each protocol is modelled by the code of the product itself, on as few cells as it needs.

use loom::sync::Arc;
use loom::thread;

use super::failures::Failures;
use super::few::FewFailures;
use super::metric::Metric;
use super::registry::Registry;
use super::slot::Slot;
use super::snapshot::Totals;
use super::worker::{self, WorkerStats};
use crate::base::cell::Cell;
use crate::base::outcome::{Fault, HttpFailure};
use crate::base::{Kind, Outcome};

/// One request on a worker, as an exchange counts it.
fn request(worker: &WorkerStats, outcome: Outcome) {
    worker.start(Kind::Segment);
    worker.add(Metric::SegmentBytes, 7);
    worker.add(if outcome.is_ok() { Metric::Ok } else { Metric::HttpErrors }, 1);
    worker.finish(Kind::Segment, outcome, 7);
}

fn totals(workers: &[Arc<WorkerStats>]) -> Totals {
    let mut totals = Totals::default();
    assert_eq!(worker::read_totals(workers, &mut totals), 0, "a law that holds at every moment is broken");
    totals
}

#[test]
fn whoever_sees_a_request_finished_sees_all_of_it() {
    loom::model(|| {
        let worker = Arc::new(WorkerStats::default());
        let writer = {
            let worker = Arc::clone(&worker);
            thread::spawn(move || request(&worker, Outcome::Ok))
        };
        let seen = totals(&[Arc::clone(&worker)]);
        if seen.finished() == 1 {
            let segments = seen.kind(Kind::Segment);
            assert_eq!((seen.started(), segments.ok.requests, segments.ok.bytes), (1, 1, 7));
            assert_eq!((seen.bytes(), seen.get(Metric::Ok), seen.in_flight), (7, 1, 0));
        }
        writer.join().unwrap();
        assert_eq!(totals(&[worker]).contradictions(), 0);
    });
}

#[test]
fn a_failure_is_seen_whole_though_its_table_is_made_for_it() {
    loom::model(|| {
        let failures = Arc::new(Failures::default());
        let writer = {
            let failures = Arc::clone(&failures);
            thread::spawn(move || (0..2).for_each(|_| failures.add(104, 1)))
        };
        failures.for_each(|slot, count| {
            assert_eq!(slot, 104);
            assert!((1..=2).contains(&count), "a slot that was used has a count");
        });
        writer.join().unwrap();
    });
}

#[test]
fn a_slot_and_its_count_are_never_apart() {
    loom::model(|| {
        let few = Arc::new(FewFailures::default());
        let writer = {
            let few = Arc::clone(&few);
            thread::spawn(move || assert!([104, 7, 104].into_iter().all(|slot| few.count(slot))))
        };
        few.for_each(|slot, count| {
            assert!(matches!((slot, count), (104, 1..=2) | (7, 1)), "{count} for slot {slot}");
        });
        writer.join().unwrap();
    });
}

#[test]
fn no_request_is_seen_finished_that_is_not_seen_started_over_two_workers() {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(2);
    builder.check(|| {
        let workers = [Arc::new(WorkerStats::default()), Arc::new(WorkerStats::default())];
        let writers: Vec<_> = workers
            .iter()
            .cloned()
            .map(|worker| {
                thread::spawn(move || {
                    worker.start(Kind::Key);
                    worker.add(Metric::HttpErrors, 1);
                    worker.finish(Kind::Key, Outcome::Http(HttpFailure::OTHER), 0);
                })
            })
            .collect();
        let seen = totals(&workers);
        assert!(seen.started() >= seen.finished());
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        let last = totals(&workers);
        assert_eq!((last.started(), last.finished(), last.in_flight), (2, 2, 0));
    });
}

/// Two numbers that their holder always keeps equal to twice its own.
type Pair = [Cell; 2];

fn fill(slot: &Slot<Pair>, holder: u64) {
    let [left, right] = slot.writer();
    left.set(2 * holder);
    right.set(2 * holder);
}

/// Holder 1 was there and had written before anybody looked; the place is empty until holder 2 writes.
fn check(slot: &Slot<Pair>) {
    let seen = slot.read(|holder, [left, right]| (holder, left.get(), right.get()));
    if let Some((holder, left, right)) = seen {
        for value in [left, right] {
            let is_empty = holder == 2 && value == 0;
            assert!(is_empty || value == 2 * holder, "{value} is not of holder {holder}");
        }
    }
}

#[test]
fn no_row_mixes_two_holders_when_one_thread_retires_admits_and_writes() {
    loom::model(|| {
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
        check(&slot);
        writer.join().unwrap();
        assert_eq!(slot.read(|holder, [left, _]| (holder, left.get())), Some((2, 4)));
    });
}

#[test]
fn no_row_mixes_two_holders_when_another_thread_writes_for_the_next() {
    loom::model(|| {
        let slot = Arc::new(Slot::<Pair>::default());
        slot.open(1, |_| ());
        fill(&slot, 1);
        let writer = {
            let slot = Arc::clone(&slot);
            thread::spawn(move || {
                slot.close();
                slot.open(2, |pair| pair.iter().for_each(|cell| cell.set(0)));
                // The client is dealt to its worker, and writes there.
                thread::spawn(move || fill(&slot, 2)).join().unwrap();
            })
        };
        check(&slot);
        writer.join().unwrap();
    });
}

#[test]
fn clients_that_leave_are_never_more_than_clients_that_came() {
    loom::model(|| {
        let registry = Registry::new(0);
        let stays = registry.add();
        let comes_and_goes = {
            let registry = std::sync::Arc::clone(&registry);
            thread::spawn(move || drop(registry.add()))
        };
        assert!((1..=2).contains(&registry.count()));
        comes_and_goes.join().unwrap();
        assert_eq!(registry.count(), 1);
        drop(stays);
        assert_eq!((registry.count(), registry.created()), (0, 2));
    });
}

#[test]
fn a_request_that_another_thread_watches_being_cut_is_counted_once() {
    loom::model(|| {
        let worker = Arc::new(WorkerStats::default());
        let writer = {
            let worker = Arc::clone(&worker);
            thread::spawn(move || {
                worker.start(Kind::Init);
                worker.add(Metric::Faults, 1);
                worker.finish(Kind::Init, Fault::Cut.into(), 0);
            })
        };
        let seen = totals(&[Arc::clone(&worker)]);
        assert!(seen.ended(Fault::Cut.into()) <= 1);
        assert!(seen.finished() <= seen.ended(Fault::Cut.into()));
        writer.join().unwrap();
        assert_eq!(totals(&[worker]).contradictions(), 0);
    });
}
