//! Counts of the first few ways in which a client fails, stored beside its other counters.
//!
//! * Hardly any client fails in more ways than these, so hardly any needs a table, and counting a failure touches
//!   only the client's own memory.
//! * The number of a slot and its count share a word so that they cannot tear.

use super::failure_table::SLOTS;
use crate::sync::image::Walk;
use crate::sync::single_writer_cell::SingleWriterCell;

/// Number of ways in which a client can fail before it needs a table.
pub(super) const WAYS: usize = 6;

/// Width of the count, which fills the low bits. The high bits hold the number of the slot, from 1; 0 is a word that
/// was never used. At a million a second, a count would overflow after two thousand years.
const COUNT_BITS: u32 = 56;
const _: () = assert!(SLOTS < 1 << (u64::BITS - COUNT_BITS), "the number of a slot must fit above its count");

/// Counts of failures for the slots that occurred first. One writer, any number of readers, no lock.
#[derive(Debug, Default)]
pub(super) struct InlineFailures([SingleWriterCell; WAYS]);

impl InlineFailures {
    /// Counts a failure and returns true; returns false if other slots have taken all the words. By the one writer
    /// only.
    #[inline]
    pub(super) fn count(&self, slot: usize) -> bool {
        let unused = (slot as u64 + 1) << COUNT_BITS;
        for word in &self.0 {
            let so_far = Some(word.own()).filter(|value| *value != 0).unwrap_or(unused);
            if so_far >> COUNT_BITS == unused >> COUNT_BITS {
                word.set(so_far + 1);
                return true;
            }
        }
        false
    }

    /// Visits all words. A word without a slot is none.
    pub(super) fn walk(&self, walk: &mut Walk<'_>) {
        for word in &self.0 {
            if let Some(value) = walk.visit(word.get()) {
                word.set(if value >> COUNT_BITS == 0 { 0 } else { value });
            }
        }
    }

    /// Clears all words; by the one writer only.
    pub(super) fn reset(&self) {
        self.0.iter().for_each(|word| word.set(0));
    }

    /// Calls `visit` with each slot that has a word and its current count, in the order in which the slots first
    /// occurred. Returns true if no word is free, so that the table may hold more.
    #[inline]
    pub(super) fn for_each(&self, mut visit: impl FnMut(usize, u64)) -> bool {
        for value in self.0.iter().map(SingleWriterCell::get) {
            if value == 0 {
                return false;
            }
            visit((value >> COUNT_BITS) as usize - 1, value & ((1 << COUNT_BITS) - 1));
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(inline_failures: &InlineFailures) -> Vec<(usize, u64)> {
        let mut found = Vec::new();
        let is_full = inline_failures.for_each(|slot, count| found.push((slot, count)));
        assert_eq!(is_full, found.len() == WAYS);
        found
    }

    #[test]
    fn the_first_slots_are_counted_and_later_ones_refused() {
        let inline_failures = InlineFailures::default();
        assert_eq!(read(&inline_failures), []);
        let first = [SLOTS - 1, 0, 104, 3, 200, 7];
        assert!(first.into_iter().all(|slot| inline_failures.count(slot)));
        assert!(!inline_failures.count(8), "all words are taken");
        assert!(inline_failures.count(104) && inline_failures.count(SLOTS - 1));
        assert_eq!(read(&inline_failures), [(SLOTS - 1, 2), (0, 1), (104, 2), (3, 1), (200, 1), (7, 1)]);
        inline_failures.reset();
        assert_eq!(read(&inline_failures), []);
        assert!(inline_failures.count(8));
        assert_eq!(read(&inline_failures), [(8, 1)]);
    }
}
