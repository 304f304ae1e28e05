//! Compressed columns of evenly growing numbers, such as the dates and byte ranges of segments: one to three bytes
//! per number instead of eight.

use integer_encoding::{VarInt, VarIntWriter};

/// Numbers per block. Reading a number decodes those before it in its block.
const BLOCK: usize = 32;

/// Numbers in insertion order. Stored is the change of the distance from one pair of neighbours to the next.
#[derive(Clone, Debug, Default)]
pub(super) struct Numbers {
    /// The first number of each block, and the offset in `changes` at which its others begin.
    blocks: Vec<(i64, u32)>,
    /// Changes of distance, as variable-length numbers.
    changes: Vec<u8>,
    len: usize,
    last: i64,
    distance: i64,
}

impl Numbers {
    /// Appends a number.
    pub(super) fn push(&mut self, number: i64) {
        if self.len.is_multiple_of(BLOCK) {
            self.blocks.push((number, u32::try_from(self.changes.len()).unwrap_or(u32::MAX)));
            self.distance = 0;
        } else {
            let distance = number.wrapping_sub(self.last);
            // Writing to a vector cannot fail.
            _ = self.changes.write_varint(distance.wrapping_sub(self.distance));
            self.distance = distance;
        }
        self.last = number;
        self.len += 1;
    }

    /// Returns the number at `place`.
    pub(super) fn get(&self, place: usize) -> Option<i64> {
        if place >= self.len {
            return None;
        }
        let (mut number, start) = *self.blocks.get(place / BLOCK)?;
        let mut changes = self.changes.get(start as usize..)?;
        let mut distance = 0_i64;
        for _ in 0..place % BLOCK {
            let (change, size) = i64::decode_var(changes)?;
            changes = changes.get(size..)?;
            distance = distance.wrapping_add(change);
            number = number.wrapping_add(distance);
        }
        Some(number)
    }

    /// Releases spare capacity.
    pub(super) fn shrink(&mut self) {
        self.blocks.shrink_to_fit();
        self.changes.shrink_to_fit();
    }

    /// Returns the bytes on the heap.
    pub(super) fn heap_bytes(&self) -> usize {
        self.blocks.capacity() * size_of::<(i64, u32)>() + self.changes.capacity()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn kept(numbers: impl IntoIterator<Item = i64>) -> Numbers {
        let mut kept = Numbers::default();
        numbers.into_iter().for_each(|number| kept.push(number));
        kept.shrink();
        kept
    }

    #[test]
    fn numbers_that_grow_evenly_cost_a_byte_or_two_and_uneven_ones_a_few() {
        let bytes = |numbers: Numbers| numbers.heap_bytes() as f64 / numbers.len as f64;
        let even = bytes(kept((0..10_000).map(|n| 1_767_323_045_000_000_000 + n * 4_000_000_000)));
        assert!(even < 1.8, "{even} bytes for each");
        let rounded = bytes(kept((0..10_000).map(|n| n * 4_004_333_333 / 1_000_000 * 1_000_000)));
        assert!(rounded < 4.0, "{rounded} bytes for each");
    }

    proptest! {
        #[test]
        fn any_numbers_come_back(numbers in proptest::collection::vec(any::<i64>(), 0..100)) {
            let kept = kept(numbers.iter().copied());
            for (place, number) in numbers.iter().enumerate() {
                prop_assert_eq!(kept.get(place), Some(*number));
            }
            prop_assert_eq!(kept.get(numbers.len()), None);
        }
    }
}
