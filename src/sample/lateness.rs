//! Lateness of playlists: their age compared with the target duration, now and in the last minute.

use std::time::Duration;

use super::history::History;
use super::stream::{RungSample, StreamSample};

/// Time over which a rung counts as having been late: a playlist that comes too late again and again is on time between
/// two delays.
const LATELY: Duration = Duration::from_secs(60);

impl StreamSample {
    /// Returns the age from which a live playlist is late: one and a half target durations, as for the finding
    /// `playlist_stale` (RFC 8216bis section 6.2.1). `None` for a stream that is not live.
    pub fn late_from(&self) -> Option<Duration> {
        let target = self.target_duration.filter(|target| !target.is_zero())?;
        (self.is_live == Some(true)).then(|| target * 3 / 2)
    }

    /// Reports whether the playlist of a rung is late now.
    pub fn is_late(&self, rung: &RungSample) -> bool {
        rung.age.zip(self.late_from()).is_some_and(|(age, limit)| age > limit)
    }

    /// Returns the rungs whose playlist is late now, in the order of their places.
    pub fn late(&self) -> impl Iterator<Item = &RungSample> {
        self.rungs.iter().filter(|rung| self.is_late(rung))
    }

    /// Returns the rung whose playlist was the latest one in the minute before `now`; `None` if none was late. Ages over
    /// time are known for the first [`AGED_RUNGS`](super::stream::AGED_RUNGS) places only; all others count as they are now.
    pub fn lately_late(&self, history: &History, now: Duration) -> Option<&RungSample> {
        let limit = self.late_from()?;
        let moments = history.since(now.saturating_sub(LATELY));
        let oldest = |rung: &RungSample| {
            moments.iter().filter_map(|moment| moment.playlist_age(rung.place)).chain(rung.age).max()
        };
        let ages = self.rungs.iter().filter_map(|rung| Some((oldest(rung)?, rung)));
        // Of equals, the first: the highest variant.
        let latest = ages.filter(|(age, _)| *age > limit).min_by_key(|(age, _)| Duration::MAX - *age);
        latest.map(|(_, rung)| rung)
    }

    /// Returns the distance from the live edge of the oldest listed segment: a viewer beyond it asks for what is gone.
    pub fn window_begin(&self) -> Option<Duration> {
        self.rungs.iter().filter_map(|rung| Some(rung.window?.1)).max()
    }
}

#[cfg(test)]
mod tests {
    use super::super::bins::Addable as _;
    use super::super::stream::PLAYHEADS;
    use super::*;
    use crate::sample::{Moment, Point};

    fn rung(place: usize, age_s: Option<u64>) -> RungSample {
        RungSample {
            place,
            name: None,
            clients: 1,
            stalled: 0,
            share: None,
            stalled_share: None,
            age: age_s.map(Duration::from_secs),
            newest: None,
            window: None,
            playheads: [0; PLAYHEADS],
        }
    }

    fn stream(is_live: bool, ages_s: &[Option<u64>]) -> StreamSample {
        StreamSample {
            is_live: Some(is_live),
            target_duration: Some(Duration::from_secs(4)),
            rungs: ages_s.iter().enumerate().map(|(place, age_s)| rung(place, *age_s)).collect(),
            ..StreamSample::default()
        }
    }

    fn late(stream: &StreamSample) -> Vec<usize> {
        stream.late().map(|rung| rung.place).collect()
    }

    #[test]
    fn a_playlist_is_late_after_one_and_a_half_target_durations() {
        let ages = [Some(6), Some(7), None, Some(9)];
        let live = stream(true, &ages);
        assert_eq!(late(&live), [1, 3]);
        assert_eq!(live.oldest().map(|rung| rung.place), Some(3));
        assert_eq!(late(&stream(false, &ages)), [0; 0], "a playlist with an end never changes");
        let without_target = StreamSample { target_duration: Some(Duration::ZERO), ..stream(true, &ages) };
        assert_eq!(late(&without_target), [0; 0]);
    }

    #[test]
    fn a_rung_that_is_late_again_and_again_stays_the_late_one_for_a_minute() {
        let mut history = History::default();
        for second in 1..=200 {
            let mut point = Point { ends: Duration::from_secs(second), ..Point::default() };
            point.peaks.playlist_age_ms[1] = if second == 100 { 9_000 } else { 2_000 };
            point.peaks.playlist_age_ms[0] = 6_000;
            history.push(point);
        }
        let live = stream(true, &[Some(3), Some(2), None]);
        let place = |now| live.lately_late(&history, Duration::from_secs(now)).map(|rung| rung.place);
        assert_eq!((place(120), place(161)), (Some(1), None));
        let now = stream(true, &[Some(3), Some(2), Some(7)]);
        let latest = now.lately_late(&history, Duration::from_secs(161)).map(|rung| rung.place);
        assert_eq!(latest, Some(2), "the age of now counts as well");
    }

    #[test]
    fn a_bin_keeps_the_largest_age_of_its_seconds() {
        let second = |ages: [u32; 3]| {
            let mut point = Point::default();
            point.peaks.playlist_age_ms[..3].copy_from_slice(&ages);
            point
        };
        let mut bin = second([9_000, 400, 0]);
        bin.add(&second([1_000, 1_400, 0]));
        let moment = Moment { ends: Duration::ZERO, width: Duration::ZERO, bin: &bin };
        let ages = [0, 1, 2, 99].map(|place| moment.playlist_age(place).map(|age| age.as_millis()));
        assert_eq!(ages, [Some(9_000), Some(1_400), None, None]);
    }
}
