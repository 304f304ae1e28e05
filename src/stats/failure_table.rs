//! Table of failures: 201 HTTP slots (400..=599 and "other") and one slot for every other failure.
//!
//! * One writer, any number of readers, no lock.
//! * A bitmap of the slots that were ever used lets a reader touch only those.
//! * The table is allocated with the first failure; before that there is only the bitmap.

use crate::sync::atomics::OnceLock;
use crate::sync::image::Walk;
use crate::sync::single_writer_cell::SingleWriterCell;
use crate::vocabulary::outcome::{Fault, HttpFailure, Outcome};

/// Number of slots in the table: HTTP failures first, then the other faults.
pub const SLOTS: usize = HttpFailure::SLOTS + Fault::COUNT;

/// Words of a bitmap with one bit for each slot.
pub(super) const WORDS: usize = SLOTS.div_ceil(64);

/// Returns the slots whose bits are set.
#[inline]
pub(super) fn slots(words: impl Iterator<Item = u64>) -> impl Iterator<Item = usize> {
    words.enumerate().flat_map(|(index, word)| {
        let rest = std::iter::successors(Some(word), |bits| Some(bits & bits.wrapping_sub(1)));
        rest.take_while(|bits| *bits != 0).map(move |bits| index * 64 + bits.trailing_zeros() as usize)
    })
}

/// Counts of failures by outcome.
#[derive(Debug, Default)]
pub struct Failures {
    seen: [SingleWriterCell; WORDS],
    counts: OnceLock<Box<[SingleWriterCell; SLOTS]>>,
}

/// Returns the slot of an outcome, `None` for ok.
pub const fn slot(outcome: Outcome) -> Option<usize> {
    match outcome {
        Outcome::Ok => None,
        Outcome::Http(failure) => Some(failure.index()),
        Outcome::Failed(fault) => Some(HttpFailure::SLOTS + fault as usize),
    }
}

/// Returns the outcome of a slot, `None` if there is no such slot.
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
        if let (Some(count), Some(word)) = (self.table().get(slot), self.seen.get(slot / 64)) {
            count.add(amount);
            let bit = 1 << (slot % 64);
            let seen = word.own();
            if seen & bit == 0 {
                // Release: a reader that sees the bit sees the table, and the count that set it.
                word.set_release(seen | bit);
            }
        }
    }

    fn table(&self) -> &[SingleWriterCell; SLOTS] {
        self.counts.get_or_init(|| Box::new(std::array::from_fn(|_| SingleWriterCell::default())))
    }

    /// Visits all counts.
    pub(super) fn walk(&self, walk: &mut Walk<'_>) {
        if self.counts.get().is_some() || walk.wants(SLOTS) {
            self.table().iter().for_each(|count| walk.cell(count));
        } else {
            walk.skip(SLOTS);
        }
        self.seen.iter().for_each(|word| walk.word(word));
    }

    /// Sets every count to zero and clears the bitmap; by the one writer only.
    pub fn reset(&self) {
        self.counts.get().into_iter().flat_map(|counts| counts.iter()).for_each(|count| count.set(0));
        self.seen.iter().for_each(|word| word.set(0));
    }

    /// Calls `visit` with each slot that was ever used and its current count.
    #[inline]
    pub fn for_each(&self, mut visit: impl FnMut(usize, u64)) {
        for slot in slots(self.seen.iter().map(SingleWriterCell::get_acquire)) {
            if let Some(count) = self.counts.get().and_then(|counts| counts.get(slot)) {
                visit(slot, count.get());
            }
        }
    }

    /// Reports whether the table has been allocated.
    #[cfg(test)]
    pub(super) fn has_table(&self) -> bool {
        self.counts.get().is_some()
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
            failures.add(slot(Outcome::Http(HttpFailure::new(status))).expect("a failure"), 1);
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
