//! Pace of a replay: the moment at which each sample is due, at a speed that changes and with pauses.

use std::time::{Duration, Instant};

use crate::vocabulary::ReplaySpeed;

/// Pace of a replay.
#[derive(Debug)]
pub(super) struct Pace {
    speed: ReplaySpeed,
    /// Moment at which the sample of this time of the run was due.
    zero: Option<(Instant, Duration)>,
}

impl Pace {
    /// Creates the pace of a replay that has shown nothing yet.
    pub(super) const fn new(speed: ReplaySpeed) -> Self {
        Self { speed, zero: None }
    }

    /// Returns the time until the sample of this time of the run is due, at this speed from now on.
    pub(super) fn wait(&mut self, at: Duration, speed: ReplaySpeed, now: Instant) -> Duration {
        self.turn(speed, now);
        let Some(times) = self.speed.times() else { return Duration::ZERO };
        let (zero, from) = *self.zero.get_or_insert((now, at));
        let after = at.saturating_sub(from).as_secs_f64() / times;
        let after = Duration::try_from_secs_f64(after).unwrap_or(Duration::MAX);
        after.saturating_sub(now.saturating_duration_since(zero))
    }

    /// Moves the following samples by a pause.
    pub(super) fn pause(&mut self, length: Duration) {
        self.zero.iter_mut().for_each(|(zero, _)| *zero += length);
    }

    /// Goes on at another speed from the time of the run that is reached. At full speed that is not known: the next
    /// sample is due at once.
    fn turn(&mut self, speed: ReplaySpeed, now: Instant) {
        if speed == self.speed {
            return;
        }
        self.zero = self.zero.zip(self.speed.times()).and_then(|((zero, from), times)| {
            let played = now.saturating_duration_since(zero).as_secs_f64() * times;
            Some((now, from.checked_add(Duration::try_from_secs_f64(played).ok()?)?))
        });
        self.speed = speed;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn samples_are_due_at_the_speed_of_the_moment() {
        let [one, ten] = [1.0, 10.0].map(ReplaySpeed::of);
        let begin = Instant::now();
        let mut pace = Pace::new(one);
        assert_eq!(pace.wait(s(60), one, begin), s(0), "the first one is due at once");
        assert_eq!(pace.wait(s(70), one, begin + s(4)), s(6));
        // Four seconds of the ten have been waited for: six are left, at ten times the speed.
        assert_eq!(pace.wait(s(70), ten, begin + s(4)), Duration::from_millis(600));
        assert_eq!(pace.wait(s(84), ten, begin + s(4)), s(2));
        pace.pause(s(100));
        assert_eq!(pace.wait(s(84), ten, begin + s(105)), s(1));
        assert_eq!(pace.wait(s(84), one, begin + s(105)), s(10));
        assert_eq!(pace.wait(s(500), ReplaySpeed::MAX, begin + s(105)), s(0));
        assert_eq!(pace.wait(s(501), one, begin + s(105)), s(0), "the place is not known after full speed");
        assert_eq!(pace.wait(s(502), one, begin + s(105)), s(1));
    }
}
