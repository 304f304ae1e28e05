//! Time that clients stayed, by the category of their departure, as distributions: their counts are the departures so
//! far.

use super::latency::LatencySnapshot;
use super::latency_cells::HistogramCells;
use crate::sync::atomics::OnceLock;
use crate::sync::image::Walk;
use crate::vocabulary::{Departure, ExitCategory};

/// Microseconds in one step of the distributions: in milliseconds a histogram holds 49 days.
const STEP_US: u64 = 1_000;

/// Distributions of the clients that left one worker thread, each allocated with its first value.
#[derive(Debug, Default)]
pub(super) struct Exits([OnceLock<Box<HistogramCells>>; ExitCategory::COUNT]);

impl Exits {
    /// Records a client that left after `stayed_us` microseconds; by the one writer only.
    pub(super) fn record(&self, departure: Departure, stayed_us: u64) {
        if let Some(cells) = self.0.get(departure.category() as usize) {
            cells.get_or_init(Box::default).record(stayed_us / STEP_US);
        }
    }

    /// Visits all distributions.
    pub(super) fn walk(&self, walk: &mut Walk<'_>) {
        self.0.iter().for_each(|cells| HistogramCells::walk_one(cells, walk));
    }

    /// Adds the values recorded so far to `snapshot`, in milliseconds.
    pub(super) fn add_to(&self, category: ExitCategory, snapshot: &mut LatencySnapshot) {
        if let Some(cells) = self.0.get(category as usize).and_then(OnceLock::get) {
            cells.add_to(snapshot);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocabulary::LeaveReason;

    #[test]
    fn a_departure_is_counted_once_in_its_category_with_the_time_that_the_client_stayed() {
        let exits = Exits::default();
        let second = 1_000_000;
        exits.record(Departure::Finished, 7_200 * second);
        exits.record(Departure::Left(LeaveReason::SessionOver), 5 * second);
        exits.record(Departure::Left(LeaveReason::GaveUp), 2 * second);
        exits.record(Departure::Removed, 0);
        let read = ExitCategory::ALL.map(|category| {
            let mut values = LatencySnapshot::default();
            exits.add_to(category, &mut values);
            (values.count(), values.sum())
        });
        assert_eq!(read, [(2, 7_205_000), (1, 2_000), (1, 0)]);
    }
}
