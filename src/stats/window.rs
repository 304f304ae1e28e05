//! Rates over the last 1, 10, 30, 60 and 300 seconds, from the snapshots of one sampler.
//!
//! * A rate divides by the real time between two snapshots, never by the nominal window.
//! * A window that the run has not filled yet has no rate: unknown is not zero.

use std::time::Duration;

use super::metric::Metric;
use super::snapshot::Totals;
use crate::sync::ring::Ring;
use crate::vocabulary::outcome::{Class, Fault, HttpFailure};
use crate::vocabulary::{Kind, Outcome, per_second, share};

/// Windows of the reports, shortest first.
pub const WINDOWS: [Duration; 4] =
    [Duration::from_secs(1), Duration::from_secs(30), Duration::from_secs(60), Duration::from_secs(300)];

/// Window over which health is judged and which the displayed numbers cover.
pub const RECENT: Duration = Duration::from_secs(10);

/// Maximum number of samples per second.
const SAMPLE_RATE: usize = 4;
/// Number of samples kept: the longest window, and one sample at each end.
const SAMPLES: usize = 300 * SAMPLE_RATE + 2;

/// Time by which a snapshot may be early and still close its window: the sampler's timer is not exact.
const SLACK: Duration = Duration::from_millis(30);

/// Totals at one moment, from which rates are computed.
#[derive(Clone, Copy, Debug, Default)]
struct Sample {
    at: Duration,
    bytes: u64,
    segment_bytes: u64,
    started: [u64; Kind::COUNT],
    finished: u64,
    asked: u64,
    errors: u64,
    busy: u64,
    local_faults: u64,
}

/// Rates and counts of one window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rates {
    /// Real length of the window.
    pub length: Duration,
    /// Body bits per second.
    pub bits_per_second: f64,
    /// Body bits of segments per second.
    pub segment_bits_per_second: f64,
    /// Requests started per second.
    pub requests_per_second: f64,
    /// Playlist requests started per second.
    pub playlists_per_second: f64,
    /// Segment requests started per second.
    pub segments_per_second: f64,
    /// Requests that reached their outcome, except those that hlswarm cut, those that this machine could not make and
    /// those whose status is expected.
    pub finished: u64,
    /// Requests that a server could have turned away, those with an expected status among them: without redirects, whose targets count for themselves,
    /// and without those that the scope of the run refused.
    pub asked: u64,
    /// Finished requests that failed.
    pub errors: u64,
    /// Requests that a busy server turned away, with 429 or 503.
    pub busy: u64,
    /// Requests that this machine could not make.
    pub local_faults: u64,
}

impl Rates {
    /// Returns the share of finished requests that failed; `None` if none finished.
    pub fn error_share(&self) -> Option<f64> {
        share(self.errors, self.finished)
    }

    /// Returns the share of requests that a busy server turned away, among those that it could; `None` if none ended.
    pub fn busy_share(&self) -> Option<f64> {
        share(self.busy, self.asked)
    }
}

/// Samples of the last five minutes.
#[derive(Clone, Debug)]
pub struct Window {
    samples: Ring<Sample>,
    peak_bits_per_second: Option<f64>,
    peak_requests_per_second: Option<f64>,
}

impl Default for Window {
    fn default() -> Self {
        Self { samples: Ring::new(SAMPLES), peak_bits_per_second: None, peak_requests_per_second: None }
    }
}

impl Window {
    /// Adds the totals at `at`, which must not be before the last sample.
    pub fn push(&mut self, at: Duration, totals: &Totals) {
        let local_faults = totals.local_faults();
        let not_the_origins = local_faults + totals.ended(Fault::Cut.into());
        let answered = totals.finished().saturating_sub(not_the_origins);
        let policy = Fault::ALL.into_iter().filter(|fault| fault.class() == Class::Policy);
        let not_asked =
            totals.get(Metric::Redirects) + policy.map(|fault| totals.ended(fault.into())).sum::<u64>();
        self.samples.push(Sample {
            at,
            bytes: totals.bytes(),
            segment_bytes: totals.bytes_of(Kind::Segment),
            started: Kind::ALL.map(|kind| totals.started_of(kind)),
            finished: answered.saturating_sub(totals.expected_responses()),
            asked: answered.saturating_sub(not_asked),
            errors: totals.errors().saturating_sub(local_faults),
            busy: HttpFailure::BUSY.into_iter().map(|status| totals.ended(Outcome::Http(status))).sum(),
            local_faults,
        });
        if let Some(rates) = WINDOWS.first().and_then(|second| self.rates(*second)) {
            let peak = self.peak_bits_per_second.get_or_insert(0.0);
            *peak = peak.max(rates.bits_per_second);
            let peak = self.peak_requests_per_second.get_or_insert(0.0);
            *peak = peak.max(rates.requests_per_second);
        }
    }

    /// Returns the rates over the last `length`, or `None` while the samples do not reach back that far.
    pub fn rates(&self, length: Duration) -> Option<Rates> {
        let newest = self.samples.last()?;
        let begin = newest.at.checked_sub(length)? + SLACK;
        let oldest = self.samples.iter().rev().find(|sample| sample.at <= begin)?;
        Self::between(oldest, newest)
    }

    /// Returns the rates over the last `length`, or over as much of it as there is.
    pub fn rates_so_far(&self, length: Duration) -> Option<Rates> {
        self.rates(length).or_else(|| Self::between(self.samples.iter().next()?, self.samples.last()?))
    }

    /// Returns the highest rate over one second so far, in bits per second.
    pub fn peak_bits_per_second(&self) -> Option<f64> {
        self.peak_bits_per_second
    }

    /// Returns the highest number of requests started within one second so far, per second.
    pub fn peak_requests_per_second(&self) -> Option<f64> {
        self.peak_requests_per_second
    }

    fn between(from: &Sample, to: &Sample) -> Option<Rates> {
        let length = to.at.checked_sub(from.at).filter(|length| !length.is_zero())?;
        let per_second =
            |now: u64, then: u64| per_second(now.saturating_sub(then) as f64, length).unwrap_or_default();
        let started: [u64; Kind::COUNT] = std::array::from_fn(|kind| {
            let at = |sample: &Sample| sample.started.get(kind).copied().unwrap_or(0);
            at(to).saturating_sub(at(from))
        });
        let of = |kind: Kind| per_second(started.get(kind.index()).copied().unwrap_or(0), 0);
        Some(Rates {
            length,
            bits_per_second: 8.0 * per_second(to.bytes, from.bytes),
            segment_bits_per_second: 8.0 * per_second(to.segment_bytes, from.segment_bytes),
            requests_per_second: per_second(started.iter().sum(), 0),
            playlists_per_second: of(Kind::Playlist),
            segments_per_second: of(Kind::Segment),
            finished: to.finished.saturating_sub(from.finished),
            asked: to.asked.saturating_sub(from.asked),
            errors: to.errors.saturating_sub(from.errors),
            busy: to.busy.saturating_sub(from.busy),
            local_faults: to.local_faults.saturating_sub(from.local_faults),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::{Registry, Snapshot};
    use crate::vocabulary::Clock;

    fn totals(playlists: u64, bytes: u64) -> Totals {
        let mut totals = Totals::default();
        totals.scalars.add(Metric::PlaylistStarted, playlists);
        totals.scalars.add(Metric::PlaylistFinished, playlists);
        totals.scalars.add(Metric::SegmentBytes, bytes);
        totals.scalars.add(Metric::PlaylistBytes, bytes);
        totals
    }

    #[test]
    fn a_window_that_is_not_filled_has_no_rate() {
        let mut window = Window::default();
        assert_eq!(window.rates_so_far(RECENT), None);
        window.push(Duration::ZERO, &totals(0, 0));
        window.push(Duration::from_millis(750), &totals(3, 1_000));
        assert_eq!(window.rates(WINDOWS[0]), None);
        assert_eq!(window.peak_bits_per_second(), None);
        let so_far = window.rates_so_far(RECENT).expect("two samples");
        assert!((so_far.playlists_per_second - 4.0).abs() < 1e-9);
    }

    #[test]
    fn rates_divide_by_the_real_time_between_snapshots() {
        let mut window = Window::default();
        for step in 0..=20_u64 {
            window.push(Duration::from_millis(step * 260), &totals(step, step * 1_000));
        }
        let rates = window.rates(Duration::from_secs(1)).expect("filled");
        assert_eq!(rates.length, Duration::from_millis(1_040));
        assert!((rates.bits_per_second - 8.0 * 8_000.0 / 1.04).abs() < 1e-6);
        assert!((rates.segment_bits_per_second - 8.0 * 4_000.0 / 1.04).abs() < 1e-6);
        assert!((rates.requests_per_second - 4.0 / 1.04).abs() < 1e-9);
        assert_eq!(rates.error_share(), Some(0.0));
        assert!((window.peak_bits_per_second().expect("a second") - rates.bits_per_second).abs() < 1e-6);
        assert_eq!(window.peak_requests_per_second(), Some(rates.requests_per_second));
    }

    #[test]
    fn redirects_and_refusals_of_our_own_do_not_thin_out_a_storm() {
        let (registry, mut window) = (Registry::new(1), Window::default());
        let totals = || {
            let mut snapshot = Snapshot::default();
            registry.snapshot(0, &mut snapshot);
            snapshot.totals
        };
        window.push(Duration::ZERO, &totals());
        let client = registry.add();
        let meter = client.meter(0, Clock::start());
        let end = |outcome| meter.start(Kind::Segment).finish(outcome, None);
        // A redirector answers each request, and the server that it leads to turns it away.
        for _ in 0..4 {
            end(Outcome::from_status(302, true));
            meter.count(Metric::Redirects, 1);
            end(Outcome::from_status(503, false));
        }
        let refusals = [Fault::PolicyHost, Fault::PolicyAddress, Fault::PolicyScheme, Fault::PolicyRedirects];
        refusals.into_iter().for_each(|fault| end(fault.into()));
        end(Outcome::Ok);
        window.push(Duration::from_secs(1), &totals());
        let rates = window.rates(WINDOWS[0]).expect("a second");
        assert_eq!((rates.finished, rates.asked, rates.busy, rates.errors), (13, 5, 4, 8));
        assert_eq!(rates.busy_share(), Some(0.8));
    }

    #[test]
    fn the_longest_window_fits_into_the_ring() {
        let mut window = Window::default();
        for step in 0..=1_300_u64 {
            window.push(Duration::from_millis(step * 250), &totals(step, 0));
        }
        let rates = window.rates(WINDOWS[3]).expect("five minutes");
        assert_eq!(rates.length, Duration::from_secs(300));
    }
}
