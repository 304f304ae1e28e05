//! Models of the gate and of the code around it, run by loom under every interleaving: `tests/loom.sh`.
//!
//! The channel is modelled by its places, each with the orderings of a mutex: a release puts a value in, an acquire
//! takes it out. The gate, the record's state and the cells are the real ones. The code that offers and takes values
//! is written here, in the order of `tap.rs` and `recorder.rs`.

use loom::sync::Arc;
use loom::thread;

use super::gate::Gate;
use super::tap::RecordState;
use crate::sync::atomics::{AtomicU64, Ordering};
use crate::sync::loom_explore::explore;
use crate::sync::single_writer_cell::SingleWriterCell;

/// A channel for one value: 0 stands for none.
#[derive(Debug, Default)]
struct Place(AtomicU64);

impl Place {
    /// Puts a value in. Returns false if the place is taken.
    fn put(&self, value: u64) -> bool {
        self.0.compare_exchange(0, value, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    fn take(&self) -> Option<u64> {
        let value = self.0.load(Ordering::Acquire);
        (value != 0).then(|| {
            self.0.store(0, Ordering::Release);
            value
        })
    }
}

struct Lane {
    gate: Gate,
    place: Place,
    dropped: SingleWriterCell,
}

/// Takes a waiting value as the reader does: frees its place at the gate only after that.
fn take(lane: &Lane) -> Option<u64> {
    let value = lane.place.take()?;
    lane.gate.leave();
    Some(value)
}

#[test]
fn whoever_is_let_in_finds_room_and_nothing_is_lost_on_the_way() {
    explore(None, || {
        let lane = Arc::new(Lane {
            gate: Gate::new(1),
            place: Place::default(),
            dropped: SingleWriterCell::default(),
        });
        let writer = {
            let lane = Arc::clone(&lane);
            thread::spawn(move || {
                for value in 1..=2 {
                    if lane.gate.enter() {
                        assert!(lane.place.put(value), "let in, and there is no room");
                    } else {
                        lane.dropped.add(1);
                    }
                }
            })
        };
        let early = take(&lane).is_some();
        assert!(lane.gate.fill() <= 2);
        writer.join().unwrap();
        let delivered = u64::from(early) + u64::from(take(&lane).is_some());
        assert_eq!(
            (delivered + lane.dropped.get(), lane.gate.fill()),
            (2, 0),
            "offered = delivered + dropped"
        );
        assert_eq!(lane.gate.high_water(), 1);
        early && delivered == 2
    });
}

#[test]
fn whoever_finds_the_record_sealed_sees_why() {
    explore(None, || {
        let stage = Arc::new((RecordState::default(), SingleWriterCell::default()));
        let recorder = {
            let stage = Arc::clone(&stage);
            thread::spawn(move || {
                stage.1.set(7);
                stage.0.close();
            })
        };
        let is_closed = stage.0.is_closed();
        if is_closed {
            assert_eq!(stage.1.get(), 7);
        }
        recorder.join().unwrap();
        is_closed
    });
}
