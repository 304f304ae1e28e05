//! The table of failures: 201 HTTP slots (400..=599 and "other") and one slot for every other outcome.
//!
//! * One writer, any number of readers, no lock.
//! * A bitmap of the slots that were ever used lets a reader touch only those.

use crate::base::atomics::{AtomicU64, Ordering};
use crate::base::cell::Cell;
use crate::base::outcome::{Fault, HttpFailure, Outcome};

/// Slots of the table: HTTP failures first, then the other faults.
pub const SLOTS: usize = HttpFailure::SLOTS + Fault::COUNT;

const WORDS: usize = SLOTS.div_ceil(64);

/// Counts of failures by outcome.
#[derive(Debug)]
pub struct Failures {
    seen: [AtomicU64; WORDS],
    counts: [Cell; SLOTS],
}

impl Default for Failures {
    fn default() -> Self {
        Self {
            seen: std::array::from_fn(|_| AtomicU64::new(0)),
            counts: std::array::from_fn(|_| Cell::default()),
        }
    }
}

/// The slot of an outcome, `None` for ok.
pub const fn slot(outcome: Outcome) -> Option<usize> {
    match outcome {
        Outcome::Ok => None,
        Outcome::Http(failure) => Some(failure.index()),
        Outcome::Failed(fault) => Some(HttpFailure::SLOTS + fault as usize),
    }
}

/// The outcome of a slot.
pub fn outcome(slot: usize) -> Option<Outcome> {
    match HttpFailure::at(slot) {
        Some(failure) => Some(Outcome::Http(failure)),
        None => Fault::ALL.get(slot.checked_sub(HttpFailure::SLOTS)?).map(|fault| Outcome::Failed(*fault)),
    }
}

impl Failures {
    /// Adds to the slot; by the one writer only. A slot outside the table is ignored.
    #[inline]
    pub fn add(&self, slot: usize, amount: u64) {
        if let (Some(count), Some(word)) = (self.counts.get(slot), self.seen.get(slot / 64)) {
            count.add(amount);
            let bit = 1 << (slot % 64);
            let seen = word.load(Ordering::Relaxed);
            if seen & bit == 0 {
                // Release: a reader that sees the bit sees the count that set it.
                word.store(seen | bit, Ordering::Release);
            }
        }
    }

    /// Sets every count to zero and forgets which slots were used; by the one writer only.
    pub fn reset(&self) {
        self.counts.iter().for_each(|count| count.set(0));
        self.seen.iter().for_each(|word| word.store(0, Ordering::Relaxed));
    }

    /// Calls `visit` with each slot that was ever used and its count now.
    #[inline]
    pub fn for_each(&self, mut visit: impl FnMut(usize, u64)) {
        for (index, word) in self.seen.iter().enumerate() {
            let mut bits = word.load(Ordering::Acquire);
            while bits != 0 {
                let slot = index * 64 + bits.trailing_zeros() as usize;
                bits &= bits - 1;
                if let Some(count) = self.counts.get(slot) {
                    visit(slot, count.get());
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn read(failures: &Failures) -> BTreeMap<usize, u64> {
        let mut found = BTreeMap::new();
        failures.for_each(|slot, count| _ = found.insert(slot, count));
        found
    }

    #[test]
    fn every_status_and_every_fault_has_its_own_slot() {
        let failures = Failures::default();
        for status in (100..=999).chain([0, 1000, u16::MAX]) {
            failures.add(slot(Outcome::Http(HttpFailure::of(status))).expect("a failure"), 1);
        }
        for fault in Fault::ALL {
            failures.add(slot(fault.into()).expect("a failure"), 1);
        }
        let found = read(&failures);
        assert_eq!(found.len(), SLOTS);
        for (slot, count) in found {
            let expected = if slot == HttpFailure::OTHER.index() { 300 + 400 + 3 } else { 1 };
            assert_eq!(count, expected, "{}", outcome(slot).expect("a slot"));
        }
    }

    #[test]
    fn slots_that_were_never_used_are_absent() {
        let failures = Failures::default();
        assert!(read(&failures).is_empty());
        failures.add(103, 2);
        failures.add(SLOTS, 1);
        assert_eq!(read(&failures), BTreeMap::from([(103, 2)]));
    }

    #[test]
    fn a_slot_names_its_outcome() {
        for index in 0..SLOTS {
            assert_eq!(slot(outcome(index).expect("a slot")), Some(index));
        }
        assert_eq!(outcome(SLOTS), None);
        assert_eq!(slot(Outcome::Ok), None);
    }
}
