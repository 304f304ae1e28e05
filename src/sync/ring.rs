//! A ring of the last N values, oldest first. Allocates once.

use std::collections::VecDeque;

/// Keeps the last `capacity` values that were pushed.
#[derive(Clone, Debug)]
pub struct Ring<T> {
    values: VecDeque<T>,
    capacity: usize,
}

impl<T> Ring<T> {
    /// Creates an empty ring for `capacity` values, at least one.
    pub fn new(capacity: usize) -> Self {
        let capacity = capacity.max(1);
        Self { values: VecDeque::with_capacity(capacity), capacity }
    }

    /// Adds a value and returns the oldest one if it had to make room.
    pub fn push(&mut self, value: T) -> Option<T> {
        let displaced = if self.values.len() == self.capacity { self.values.pop_front() } else { None };
        self.values.push_back(value);
        displaced
    }

    /// Iterates from the oldest value to the newest; the iterator is reversible.
    pub fn iter(&self) -> std::collections::vec_deque::Iter<'_, T> {
        self.values.iter()
    }

    /// Iterates like [`Ring::iter`], with values that can be changed.
    pub fn iter_mut(&mut self) -> std::collections::vec_deque::IterMut<'_, T> {
        self.values.iter_mut()
    }

    /// Returns the newest value.
    pub fn last(&self) -> Option<&T> {
        self.values.back()
    }

    /// Returns the number of values that the ring holds now.
    pub fn len(&self) -> usize {
        self.values.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_value_makes_room() {
        let mut ring = Ring::new(2);
        assert_eq!(ring.push(1), None);
        assert_eq!(ring.push(2), None);
        assert_eq!(ring.push(3), Some(1));
        assert_eq!(ring.iter().copied().collect::<Vec<_>>(), [2, 3]);
        assert_eq!(ring.last(), Some(&3));
        assert_eq!(ring.len(), 2);
        assert_ne!(ring.len(), 0);
    }
}
