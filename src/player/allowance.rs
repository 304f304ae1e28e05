//! Limit on the requests that a client makes while requests fail.
//!
//! * A healthy stream paces its clients: by the reloads of its playlists and by the media that they have buffered. A
//!   failed request brings neither, so something else has to pace the requests that follow it.
//! * Credit grows at [`SHARE`] times the rate at which a client of a healthy stream makes requests. From the first
//!   failure on, every request draws on it, and a request that follows a failure waits until there is credit for it.
//!   Requests that follow a success never wait.
//! * At most [`RESERVE`] requests of credit are kept: the quick retries of real players, after which the rate holds.
//!   The reserve is full again after a time without a failure.
//! * If an origin serves only a part, clients request that part as if it were healthy, and the requests that fail
//!   come on top.
//! * Retries after which the viewer leaves do not wait: they are few, as measured, and the wait of the next viewer
//!   pays for them.
//! * A viewer that leaves after failures hands its allowance to its successor, which joins with a full reserve:
//!   viewers that leave and return make no more requests than one that stays.

use std::time::Duration;

use super::Backoff;
use crate::vocabulary::limits;

/// Requests to a failing origin for each request to a healthy one. The margin above 1 is for the first attempts on a
/// stream that fails now and then: they must not use up the credit that its retries need.
pub const SHARE: f64 = 1.1;
/// Requests that may follow failures at once, before the rate holds.
pub const RESERVE: f64 = 4.0;
/// Healthy requests per second of an unknown stream: a playlist and a segment every four seconds.
const UNKNOWN_RATE: f64 = 0.5;
/// Lowest credit that requests after a success leave: it pays for the requests of two target durations even if
/// failures have used up the credit.
const HEALTHY_DEBT: f64 = -4.0;
/// Lowest credit that redirects leave: they are requests as well.
const DEBT: f64 = -8.0;

/// Credit of one client.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Allowance {
    credit: f64,
    /// Time at which `credit` was computed.
    settled: Duration,
    /// Requests per second of a client that plays the same stream from a healthy origin.
    healthy_rate: f64,
    failed_at: Option<Duration>,
}

impl Default for Allowance {
    fn default() -> Self {
        Self { credit: RESERVE, settled: Duration::ZERO, healthy_rate: UNKNOWN_RATE, failed_at: None }
    }
}

impl Allowance {
    /// Sets the rate at which the client would ask a healthy origin, from `now` on.
    pub(super) fn set_healthy_rate(&mut self, per_second: f64, now: Duration) {
        self.settle(now);
        self.healthy_rate = per_second.max(f64::MIN_POSITIVE);
    }

    /// Notes that a request failed at `now`.
    pub(super) fn fail(&mut self, now: Duration) {
        self.settle(now);
        self.failed_at = Some(now);
    }

    /// Draws on the credit for a request. Requests that do not wait for credit leave little debt: media that was
    /// loaded fast must not delay a retry for long.
    pub(super) fn draw(&mut self, now: Duration) {
        self.settle(now);
        if self.remembers_failure(now) {
            self.credit = (self.credit - 1.0).max(self.credit.min(HEALTHY_DEBT));
        }
    }

    /// Draws on the credit for `redirects` further requests, to which one request led.
    pub(super) fn draw_redirects(&mut self, redirects: u32, now: Duration) {
        self.settle(now);
        if self.remembers_failure(now) {
            self.credit = (self.credit - f64::from(redirects)).max(DEBT);
        }
    }

    /// Reports whether the last failure still counts: for [`limits::BACKOFF_RESET`] at least, and for as long as the
    /// credit that healthy requests leave takes to fill the reserve.
    fn remembers_failure(&self, now: Duration) -> bool {
        let fills_in = Duration::try_from_secs_f64(RESERVE / (self.per_second() - self.healthy_rate))
            .unwrap_or(Duration::MAX);
        let memory = limits::BACKOFF_RESET.max(fills_in);
        self.failed_at.is_some_and(|at| now.saturating_sub(at) < memory)
    }

    fn per_second(&self) -> f64 {
        self.healthy_rate * SHARE
    }

    /// Returns the time at which a request that follows a failure may be made; `None`: now.
    pub(super) fn free_at(&self, now: Duration) -> Option<Duration> {
        let at = self.reaches(1.0, now);
        (at > now).then_some(at)
    }

    /// Returns true when quick retries are left.
    pub(super) fn has_reserve(&self, now: Duration) -> bool {
        self.at(now) >= 2.0
    }

    /// Returns the time at which another viewer may replace one that left because of failures at `now`.
    pub fn successor_at(&self, now: Duration, backoff: &mut Backoff) -> Duration {
        backoff.fail(now).max(self.reaches(RESERVE, now))
    }

    /// Returns the time at which the credit reaches this much, if no request draws on it.
    fn reaches(&self, credit: f64, now: Duration) -> Duration {
        let missing = (credit - self.at(now)).max(0.0);
        let wait = missing / self.per_second();
        // Rounded up, so that the credit is there at that time.
        let wait = Duration::try_from_secs_f64(wait).unwrap_or(Duration::MAX);
        let microsecond = if wait.is_zero() { Duration::ZERO } else { Duration::from_micros(1) };
        now.saturating_add(wait).saturating_add(microsecond)
    }

    fn at(&self, now: Duration) -> f64 {
        let passed = now.saturating_sub(self.settled).as_secs_f64();
        if self.remembers_failure(now) {
            (self.credit + passed * self.per_second()).min(RESERVE)
        } else {
            RESERVE
        }
    }

    fn settle(&mut self, now: Duration) {
        self.credit = self.at(now);
        self.settled = self.settled.max(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// Creates the allowance of a stream with two healthy requests per second, after a failure.
    fn two_a_second() -> Allowance {
        let mut allowance = Allowance::default();
        allowance.set_healthy_rate(2.0, Duration::ZERO);
        allowance.fail(Duration::ZERO);
        allowance
    }

    /// Counts the requests that follow failures in this many seconds, each made as soon as allowed.
    fn made(allowance: &mut Allowance, seconds: u32) -> usize {
        let (mut now, mut made) = (Duration::ZERO, 0);
        while now < SECOND * seconds {
            if let Some(at) = allowance.free_at(now) {
                now = at;
                continue;
            }
            allowance.draw(now);
            allowance.fail(now);
            made += 1;
        }
        made
    }

    #[test]
    fn after_the_reserve_failures_are_paced_by_the_healthy_rate() {
        assert_eq!(made(&mut two_a_second(), 0), 0);
        assert_eq!(made(&mut two_a_second(), 1), 6);
        let made = made(&mut two_a_second(), 600);
        assert!((4 + 1_319..=4 + 1_320).contains(&made), "{made}");
    }

    #[test]
    fn healthy_requests_use_the_credit_and_leave_little_debt() {
        let mut allowance = two_a_second();
        for _ in 0..1_000 {
            allowance.draw(SECOND);
        }
        let at = allowance.free_at(SECOND).expect("a wait");
        assert!((at.as_secs_f64() - (1.0 + 5.0 / 2.2)).abs() < 1e-3, "{at:?}");
    }

    #[test]
    fn requests_count_from_the_first_failure_until_a_while_after_the_last() {
        let mut allowance = two_a_second();
        for second in [29, 30] {
            for _ in 0..10 {
                allowance.draw(SECOND * second);
            }
            assert_eq!(allowance.free_at(SECOND * second).is_none(), second == 30);
        }
    }

    #[test]
    fn redirects_are_paid_for_before_the_next_request_that_follows_a_failure() {
        let mut allowance = two_a_second();
        allowance.draw(SECOND);
        allowance.draw_redirects(5, SECOND);
        let at = allowance.free_at(SECOND).expect("a wait");
        assert!((at.as_secs_f64() - (1.0 + 3.0 / 2.2)).abs() < 1e-3, "{at:?}");
    }

    #[test]
    fn a_successor_waits_until_the_reserve_is_full_and_the_back_off_has_passed() {
        let full = two_a_second().successor_at(SECOND, &mut Backoff::new(1));
        assert!((full - SECOND).as_secs_f64() <= 0.3 + 1e-6, "only the back-off: {full:?}");
        let mut allowance = two_a_second();
        for _ in 0..4 {
            allowance.draw(SECOND);
        }
        let at = allowance.successor_at(SECOND, &mut Backoff::new(1));
        assert!((at.as_secs_f64() - (1.0 + 4.0 / 2.2)).abs() < 1e-3, "{at:?}");
    }
}
