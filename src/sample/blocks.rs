//! A row of points in blocks that are shared: a copy costs a pointer for each block, a change the block that it
//! touches.
//!
//! Samples hold the history of their moment, and the next second adds to it. With one vector, each second would copy
//! megabytes.

use std::sync::Arc;

/// Points in a block: adding one copies at most these.
pub(super) const BLOCK: usize = 32;

/// Points in their order. All blocks but the last are full.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocks<T>(Vec<Arc<Vec<T>>>);

impl<T> Default for Blocks<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Blocks<T> {
    /// Returns the number of points.
    pub fn len(&self) -> usize {
        self.0.last().map_or(0, |last| (self.0.len() - 1) * BLOCK + last.len())
    }

    /// Reports whether there is no point.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the points, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.0.iter().flat_map(|block| block.iter())
    }

    /// Returns the newest point.
    pub fn last(&self) -> Option<&T> {
        self.0.last()?.last()
    }

    /// Removes the oldest points, as many as a block has. Returns them; `None` if there is no full block.
    pub(super) fn pop_block(&mut self) -> Option<Arc<Vec<T>>> {
        let is_full = self.0.first().is_some_and(|block| block.len() == BLOCK);
        is_full.then(|| self.0.remove(0))
    }
}

impl<T: Clone> Blocks<T> {
    /// Adds a point.
    pub(super) fn push(&mut self, point: T) {
        match self.0.last_mut().filter(|block| block.len() < BLOCK) {
            Some(block) => match Arc::get_mut(block) {
                Some(own) => own.push(point),
                // A sample holds this block.
                None => *block = Arc::new(copy_with(block, point)),
            },
            None => {
                let mut block = Vec::with_capacity(BLOCK);
                block.push(point);
                self.0.push(Arc::new(block));
            }
        }
    }

    /// Returns a point to be changed. Copies its block if a sample holds it.
    pub(super) fn get_mut(&mut self, place: usize) -> Option<&mut T> {
        Arc::make_mut(self.0.get_mut(place / BLOCK)?).get_mut(place % BLOCK)
    }
}

/// Returns a copy of a block with one more point, with room for the rest.
fn copy_with<T: Clone>(block: &[T], point: T) -> Vec<T> {
    let mut copy = Vec::with_capacity(BLOCK);
    copy.extend_from_slice(block);
    copy.push(point);
    copy
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_shares_all_blocks_but_the_one_that_changes() {
        let mut blocks = Blocks::default();
        (0..100).for_each(|point| blocks.push(point));
        let before = blocks.clone();
        blocks.push(100);
        assert_eq!((before.len(), blocks.len(), blocks.last()), (100, 101, Some(&100)));
        assert!(blocks.iter().copied().eq(0..=100) && before.iter().copied().eq(0..100));
        let shared = |blocks: &Blocks<i32>| {
            let pairs = before.0.iter().zip(&blocks.0);
            pairs.map(|(one, other)| Arc::ptr_eq(one, other)).collect::<Vec<_>>()
        };
        assert_eq!(shared(&blocks), [true, true, true, false]);
        *blocks.get_mut(40).expect("a point") = 7;
        assert_eq!(shared(&blocks), [true, false, true, false]);
        assert_eq!(before.iter().nth(40), Some(&40));
    }

    #[test]
    fn the_oldest_block_goes_when_it_is_full() {
        let mut blocks = Blocks::default();
        (0..31).for_each(|point| blocks.push(point));
        assert!(blocks.pop_block().is_none());
        (31..40).for_each(|point| blocks.push(point));
        assert_eq!(blocks.pop_block().map(|block| block.len()), Some(BLOCK));
        assert!(blocks.iter().copied().eq(32..40) && blocks.pop_block().is_none());
    }
}
