//! A table with one entry for each gauge.

use std::ops::{Index, IndexMut};

use super::Gauge;

/// One `T` for each gauge, in their order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PerGauge<T>([T; Gauge::COUNT]);

/// A value of each gauge, in its unit; `None` where it is unknown.
pub type Values = PerGauge<Option<f64>>;

impl<T: Default> Default for PerGauge<T> {
    fn default() -> Self {
        Self(std::array::from_fn(|_| T::default()))
    }
}

impl<T> PerGauge<T> {
    /// Returns the entries in the order of the gauges.
    pub fn iter(&self) -> std::slice::Iter<'_, T> {
        self.0.iter()
    }

    /// Returns the entries in the order of the gauges, to be changed.
    pub fn iter_mut(&mut self) -> std::slice::IterMut<'_, T> {
        self.0.iter_mut()
    }
}

#[expect(
    clippy::indexing_slicing,
    reason = "the table has a place for each gauge, in their order; a test checks this"
)]
impl<T> Index<Gauge> for PerGauge<T> {
    type Output = T;

    fn index(&self, gauge: Gauge) -> &T {
        &self.0[gauge.index()]
    }
}

#[expect(clippy::indexing_slicing, reason = "as above")]
impl<T> IndexMut<Gauge> for PerGauge<T> {
    fn index_mut(&mut self, gauge: Gauge) -> &mut T {
        &mut self.0[gauge.index()]
    }
}
