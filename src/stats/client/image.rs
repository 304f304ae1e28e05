//! Numbers of a client in an image.

use super::{ClientStats, NOT_LIVE, RECENT_SEGMENTS};
use crate::stats::failure_table;
use crate::stats::inline_failures::WAYS;
use crate::stats::metric::Metric;
use crate::sync::atomics::Ordering;
use crate::sync::image::Walk;

/// Counters on the first cache line of those that every request touches.
const FIRST_LINE: usize = 8;

impl ClientStats {
    /// Numbers that a walk visits.
    pub(in crate::stats) const NUMBERS: usize =
        9 + Metric::COUNT + WAYS + failure_table::SLOTS + failure_table::WORDS + RECENT_SEGMENTS;

    /// Visits all numbers. A light walk passes over a client whose requests and playback stand still.
    pub(in crate::stats) fn walk(&self, walk: &mut Walk<'_>) {
        let from = walk.place();
        [&self.state, &self.runs_dry, &self.open, &self.last].into_iter().for_each(|word| walk.word(word));
        let (first, rest) = self.scalars.split_at(FIRST_LINE);
        first.iter().for_each(|cell| walk.cell(cell));
        let numbers = Self::NUMBERS - 4 - FIRST_LINE;
        if walk.is_light() && walk.is_still(from, numbers) {
            return walk.skip(numbers);
        }
        let cells = [&self.joined_us, &self.max_drift_us, &self.bandwidth];
        cells.into_iter().chain(rest).for_each(|cell| walk.cell(cell));
        // An image begins with zeros.
        if let Some(offset) = walk.visit(self.live_offset_us.get() ^ NOT_LIVE.cast_unsigned()) {
            self.live_offset_us.set(offset ^ NOT_LIVE.cast_unsigned());
        }
        self.failures.walk(walk);
        self.further_failures.walk(walk);
        self.walk_segments(walk);
    }

    fn walk_segments(&self, walk: &mut Walk<'_>) {
        let from = walk.place();
        walk.cell(&self.segments);
        if walk.is_still(from, RECENT_SEGMENTS) {
            return walk.skip(RECENT_SEGMENTS);
        }
        for size in &self.segment_sizes {
            if let Some(bytes) = walk.visit(size.load(Ordering::Relaxed).into()) {
                size.store(bytes as u32, Ordering::Relaxed);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::image::{Depth, Image};
    use crate::vocabulary::{ClientState, Outcome};

    #[test]
    fn every_walk_has_the_same_places_and_a_light_one_sees_what_moved() {
        let (stats, mut image) = (ClientStats::default(), Image::default());
        let mut changes = |depth| {
            let changes = image.record(depth, |walk| {
                stats.walk(walk);
                assert_eq!(walk.place(), ClientStats::NUMBERS);
            });
            changes.numbers.len() / 2
        };
        assert_eq!([changes(Depth::Whole), changes(Depth::Light)], [0, 0]);
        // Without a request, only a whole walk sees it.
        stats.add(Metric::PlayMicros, 1);
        assert_eq!([changes(Depth::Light), changes(Depth::Whole)], [0, 1]);
        stats.add(Metric::PlayMicros, 1);
        stats.set_state(ClientState::Playing);
        stats.segment(400_000);
        stats.finish(Outcome::Ok, 7);
        assert_eq!([changes(Depth::Light), changes(Depth::Whole)], [5, 0]);
    }
}
