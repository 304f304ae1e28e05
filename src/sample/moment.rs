//! A point of the history and the time that it covers: every rate and share of the charts is computed here.

use std::time::Duration;

use super::point::{HeatOf, Point};
use crate::stats::Heat;
use crate::verdict::Verdict;
use crate::vocabulary::outcome::Class;
use crate::vocabulary::{ClientState, per_second, share};

/// Share of the need from which nothing counts as missing: a buffer evens out the rest.
pub const ENOUGH: f64 = 0.95;

/// Returns the bits that viewers needed and did not get: 0 from 95 % on, and as long as no client waits or is stalled.
/// A variant announces its peak, so a stream that plays well may take less than that.
pub fn missing_bits(need: f64, got: f64, suffers: bool) -> f64 {
    if suffers && got < ENOUGH * need { need - got } else { 0.0 }
}

/// A point of the history on the time axis of the run.
#[derive(Clone, Copy, Debug)]
pub struct Moment<'a> {
    /// Time of the run at which it ends.
    pub ends: Duration,
    /// Time of the run that it covers.
    pub width: Duration,
    /// Its values.
    pub bin: &'a Point,
}

impl Moment<'_> {
    /// Divides a count by the time that is covered; `None` if none is.
    fn per_second(&self, count: u64) -> Option<f64> {
        per_second(count as f64, self.width)
    }

    fn client_ms(&self, state: ClientState) -> u64 {
        self.bin.counts.client_ms.get(state.index()).copied().unwrap_or_default()
    }

    /// Returns the mean number of clients in a state.
    pub fn clients(&self, state: ClientState) -> Option<f64> {
        Some(self.per_second(self.client_ms(state))? / 1_000.0)
    }

    /// Returns the mean number of clients that are there: all but finished and dead ones.
    pub fn active(&self) -> Option<f64> {
        let states = ClientState::ALL.into_iter().filter(|state| state.is_active());
        Some(self.per_second(states.map(|state| self.client_ms(state)).sum())? / 1_000.0)
    }

    /// Returns the number of requests per second that failed, except those that hlswarm cut.
    pub fn failed_per_s(&self) -> Option<f64> {
        self.per_second(self.bin.failed())
    }

    /// Returns the number of requests per second that failed with a code of the history, or with any other code at
    /// the place after the last one.
    pub fn code_per_s(&self, code: usize) -> Option<f64> {
        self.per_second(self.bin.codes.get(code).copied()?.into())
    }

    /// Returns the number of clients that joined, per second.
    pub fn joined_per_s(&self) -> Option<f64> {
        self.per_second(self.bin.joined.into())
    }

    /// Returns the number of stalls that began, per second.
    pub fn stalls_per_s(&self) -> Option<f64> {
        self.per_second(self.bin.stalls.into())
    }

    /// Returns the body bits per second that arrived.
    pub fn got_bits_per_s(&self) -> Option<f64> {
        Some(8.0 * self.per_second(self.bin.counts.bytes)?)
    }

    /// Returns the bits per second that viewers needed; `None` if no variant announces its bit rate.
    pub fn need_bits_per_s(&self) -> Option<f64> {
        self.per_second(self.bin.need_bits).filter(|need| *need > 0.0)
    }

    /// Returns the bits per second that viewers needed and did not get; see [`missing_bits`].
    pub fn missing_bits_per_s(&self) -> Option<f64> {
        let (need, got) = (self.need_bits_per_s()?, self.got_bits_per_s()?);
        let suffers = self.client_ms(ClientState::Stalled) + self.client_ms(ClientState::Waiting) > 0;
        Some(missing_bits(need, got, suffers))
    }

    /// Returns the share of failed requests among those that failed or ended ok.
    pub fn failed_share(&self) -> Option<f64> {
        share(self.bin.failed(), self.bin.failed() + self.ended(Class::Ok))
    }

    /// Returns the requests that failed, except those that this machine could not make, and those and the ones that
    /// ended ok.
    pub(super) fn error_parts(&self) -> (u64, u64) {
        let errors = self.bin.failed().saturating_sub(self.ended(Class::Local));
        (errors, errors + self.ended(Class::Ok))
    }

    /// Returns the share of failed requests as the verdict counts them: without those that this machine could not
    /// make, which say nothing about the stream.
    pub fn error_share(&self) -> Option<f64> {
        let (errors, whole) = self.error_parts();
        share(errors, whole)
    }

    fn ended(&self, class: Class) -> u64 {
        self.bin.counts.ended.get(class.index()).copied().unwrap_or_default()
    }

    /// Returns the share of clients in trouble: stalled, waiting or dead ones, among all but finished ones.
    pub fn trouble_share(&self) -> Option<f64> {
        let sum = |of: fn(ClientState) -> bool| {
            ClientState::ALL.into_iter().filter(|state| of(*state)).map(|state| self.client_ms(state)).sum()
        };
        share(sum(ClientState::is_trouble), sum(|state| state != ClientState::Finished))
    }

    /// Returns the time of stalled clients and that of all active ones.
    pub(super) fn stalled_parts(&self) -> (u64, u64) {
        let active = ClientState::ALL.into_iter().filter(|state| state.is_active());
        (self.client_ms(ClientState::Stalled), active.map(|state| self.client_ms(state)).sum())
    }

    /// Returns the share of the active clients that is stalled.
    pub fn stalled_share(&self) -> Option<f64> {
        let (stalled, active) = self.stalled_parts();
        share(stalled, active)
    }

    /// Returns the share of all clients that is in a state.
    pub fn state_share(&self, state: ClientState) -> Option<f64> {
        share(self.client_ms(state), self.bin.counts.client_ms.iter().sum())
    }

    /// Returns the durations that ended.
    pub fn heat(&self, of: HeatOf) -> &Heat {
        #[expect(clippy::indexing_slicing, reason = "the table is as long as the enum")]
        &self.bin.heat[of.index()]
    }

    /// Returns the largest age of the playlist of a rung; `None` if it is unknown.
    pub fn playlist_age(&self, place: usize) -> Option<Duration> {
        let age_ms = self.bin.peaks.playlist_age_ms.get(place).copied().filter(|age_ms| *age_ms > 0)?;
        Some(Duration::from_millis(age_ms.into()))
    }

    /// Returns the worst verdict.
    pub fn verdict(&self) -> Verdict {
        self.bin.verdict
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::CODES;
    use crate::sample::bins::Addable;
    use crate::vocabulary::ClientState::{Dead, Finished, Playing, Stalled, Waiting};

    fn point(client_ms: &[(ClientState, u64)]) -> Point {
        let mut point = Point::default();
        client_ms.iter().for_each(|(state, ms)| point.counts.client_ms[state.index()] = *ms);
        point
    }

    fn two_seconds(bin: &Point) -> Moment<'_> {
        Moment { ends: Duration::from_secs(9), width: Duration::from_secs(2), bin }
    }

    #[test]
    fn rates_divide_by_the_time_that_the_bin_covers() {
        let mut point = point(&[(Playing, 6_000), (Stalled, 1_000), (Dead, 500), (Finished, 4_000)]);
        (point.codes[2], point.codes[CODES], point.counts.bytes) = (3, 1, 500);
        point.counts.ended[Class::Ok.index()] = 12;
        (point.joined, point.stalls) = (3, 1);
        let moment = two_seconds(&point);
        assert_eq!((moment.clients(Playing), moment.active()), (Some(3.0), Some(3.5)));
        assert_eq!(
            (moment.failed_per_s(), moment.code_per_s(2), moment.code_per_s(99)),
            (Some(2.0), Some(1.5), None)
        );
        assert_eq!((moment.joined_per_s(), moment.stalls_per_s()), (Some(1.5), Some(0.5)));
        assert_eq!((moment.failed_share(), moment.got_bits_per_s()), (Some(0.25), Some(2_000.0)));
        assert_eq!(moment.trouble_share(), Some(0.2));
        assert_eq!(moment.stalled_share(), Some(1.0 / 7.0));
        assert_eq!(moment.error_share(), Some(0.25));
        point.counts.ended[Class::Local.index()] = 4;
        let moment = two_seconds(&point);
        assert_eq!((moment.failed_share(), moment.error_share()), (Some(0.25), Some(0.0)));
        let nothing = Moment { width: Duration::ZERO, ..moment };
        assert_eq!((nothing.clients(Playing), nothing.failed_per_s()), (None, None));
    }

    #[test]
    fn a_wide_bin_has_the_largest_age_of_each_playlist() {
        let (mut point, mut other) = (Point::default(), Point::default());
        (point.peaks.playlist_age_ms[1], other.peaks.playlist_age_ms[1]) = (9_000, 2_000);
        other.peaks.playlist_age_ms[7] = 1;
        point.add(&other);
        let ages = [0, 1, 7, 8].map(|place| two_seconds(&point).playlist_age(place));
        assert_eq!(ages, [None, Some(Duration::from_secs(9)), Some(Duration::from_millis(1)), None]);
    }

    #[test]
    fn bits_are_missing_only_while_viewers_suffer() {
        let well = Point { need_bits: 20_000, ..point(&[(Playing, 2_000)]) };
        assert_eq!(two_seconds(&well).missing_bits_per_s(), Some(0.0));
        let mut ill = Point { need_bits: 20_000, ..point(&[(Playing, 2_000), (Waiting, 250)]) };
        ill.counts.bytes = 500;
        assert_eq!(two_seconds(&ill).missing_bits_per_s(), Some(8_000.0));
        ill.counts.bytes = 2_400;
        assert_eq!(two_seconds(&ill).missing_bits_per_s(), Some(0.0));
        ill.need_bits = 0;
        assert_eq!(two_seconds(&ill).missing_bits_per_s(), None);
    }
}
