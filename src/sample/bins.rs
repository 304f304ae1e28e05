//! Bins of Unix time: whatever they hold can be added.
//!
//! * Bins are 1, 2, 4, ... seconds wide and begin at multiples of their width, so those of two machines coincide or
//!   nest. There are never more than a maximum: they grow wider, so memory does not grow with the run.
//! * So wider bins and the bins of several machines are exact sums, in whatever order they are made.

use super::blocks::Blocks;

/// Counts that can be added, in any order.
pub trait Addable: Clone + Default {
    /// Maximum number of bins.
    const BINS: usize;

    /// Adds the counts of `other`.
    fn add(&mut self, other: &Self);
}

/// Bins of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bins<B> {
    /// Number of seconds that a bin covers: a power of two.
    width_s: u64,
    /// Number of the first bin: Unix time divided by the width.
    first: u64,
    bins: Blocks<B>,
}

impl<B> Default for Bins<B> {
    fn default() -> Self {
        Self { width_s: 1, first: 0, bins: Blocks::default() }
    }
}

impl<B: Addable> Bins<B> {
    /// Returns the number of seconds that a bin covers.
    pub fn width_s(&self) -> u64 {
        self.width_s
    }

    /// Returns the begin of the first bin, in seconds of Unix time.
    pub fn begins_s(&self) -> u64 {
        self.first * self.width_s
    }

    /// Returns the bins, oldest first, without a gap.
    pub fn bins(&self) -> &Blocks<B> {
        &self.bins
    }

    /// Adds to the bin of a second of Unix time, which must not be before the first bin.
    pub(super) fn add_at(&mut self, unix_s: u64, bin: &B) {
        if self.bins.is_empty() {
            self.first = unix_s / self.width_s;
        }
        while unix_s / self.width_s >= self.first + B::BINS as u64 {
            self.widen();
        }
        self.add(unix_s / self.width_s, bin);
    }

    fn add(&mut self, number: u64, bin: &B) {
        let place = number.saturating_sub(self.first) as usize;
        while self.bins.len() < place {
            self.bins.push(B::default());
        }
        match self.bins.get_mut(place) {
            Some(into) => into.add(bin),
            None => self.bins.push(bin.clone()),
        }
    }

    /// Doubles the width of the bins.
    fn widen(&mut self) {
        let narrow = std::mem::take(&mut self.bins);
        let first = self.first;
        (self.width_s, self.first) = (self.width_s * 2, first / 2);
        for (number, bin) in (first..).zip(narrow.iter()) {
            self.add(number / 2, bin);
        }
    }
}
