//! Gate in front of a bounded channel: reports without a lock whether there is room.
//!
//! The protocol, for one writer and one reader:
//!
//! 1. The writer reads `left` (acquire) and its own `entered`. With `entered - left < capacity` it stores
//!    `entered + 1` and puts its value into the channel; otherwise it goes on without touching the channel.
//! 2. The reader takes a value out of the channel and then stores `left + 1` (release).
//!
//! * A value is counted in before it is in the channel and counted out after it has been taken, so the channel never
//!   holds more than `entered - left` values as the writer sees them: a writer that is let in always finds room.
//! * The writer may see `left` too low, never too high: the gate may turn it away once too often, but never lets it
//!   in once too often.
//! * Both counters have one writer: load and store, no read-modify-write.

use crossbeam_utils::CachePadded;

use crate::sync::single_writer_cell::SingleWriterCell;

/// A gate that lets in as many values as the channel has room for.
#[derive(Debug)]
pub struct Gate {
    capacity: u64,
    entered: SingleWriterCell,
    high_water: SingleWriterCell,
    /// Written by the reader. On a cache line of its own, so that writer and reader do not invalidate each other's
    /// line.
    left: CachePadded<SingleWriterCell>,
}

impl Gate {
    /// Creates a gate in front of a channel for `capacity` values.
    pub fn new(capacity: u64) -> Self {
        Self {
            capacity,
            entered: SingleWriterCell::default(),
            high_water: SingleWriterCell::default(),
            left: CachePadded::default(),
        }
    }

    /// Asks to be let in. If it returns true, there is room for one value, which must follow. Only the one writer may
    /// call it.
    #[inline]
    pub fn enter(&self) -> bool {
        let fill = self.entered.own().saturating_sub(self.left.get_acquire());
        if fill >= self.capacity {
            return false;
        }
        self.entered.add(1);
        self.high_water.raise(fill + 1);
        true
    }

    /// Counts out a value that has been taken and handled. Only the one reader may call it.
    #[inline]
    pub fn leave(&self) {
        self.left.add_release(1);
    }

    /// Returns the number of values that may be in the channel at once.
    pub fn capacity(&self) -> u64 {
        self.capacity
    }

    /// Returns the number of values in the channel, including one that is just being added or handled.
    pub fn fill(&self) -> u64 {
        // Read `left` first: a value that enters and leaves between the two reads cannot make the difference
        // negative.
        let left = self.left.get_acquire();
        self.entered.get().saturating_sub(left)
    }

    /// Returns the most values that were in the channel at once.
    pub fn high_water(&self) -> u64 {
        self.high_water.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_enter_as_have_room_and_one_more_for_each_that_leaves() {
        let gate = Gate::new(2);
        assert_eq!([gate.enter(), gate.enter(), gate.enter()], [true, true, false]);
        assert_eq!((gate.fill(), gate.high_water()), (2, 2));
        gate.leave();
        assert_eq!(gate.fill(), 1);
        assert_eq!([gate.enter(), gate.enter()], [true, false]);
        assert_eq!((gate.fill(), gate.high_water(), gate.capacity()), (2, 2, 2));
    }

    #[test]
    fn whoever_is_let_in_finds_room_while_another_thread_takes_out() {
        let gate = Gate::new(3);
        let (sender, receiver) = flume::bounded(3);
        std::thread::scope(|scope| {
            let gate = &gate;
            scope.spawn(move || {
                while receiver.recv().is_ok() {
                    gate.leave();
                }
            });
            let mut sent = 0;
            while sent < 100_000 {
                if gate.enter() {
                    sender.try_send(sent).expect("room behind the gate");
                    sent += 1;
                }
            }
            drop(sender);
        });
        assert_eq!(gate.fill(), 0);
    }
}
