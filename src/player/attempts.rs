//! Counts the failures of one resource in a row and applies the profile's rule to them.

use std::time::Duration;

use super::backoff::Backoff;
use super::profile::{Retry, Then};

/// Failures of one resource since it last arrived.
#[derive(Debug, Default)]
pub(super) struct Attempts {
    failures: u32,
    until: Duration,
    follows_failure: bool,
}

/// Consequence of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The request is retried, see [`Attempts::until`].
    Again,
    /// The resource is skipped.
    Skip,
    /// The viewer leaves.
    Leave,
}

impl Attempts {
    /// Counts a failure at `now` and returns its consequence.
    pub(super) fn fail(
        &mut self,
        rule: &Retry,
        target: Duration,
        now: Duration,
        backoff: &mut Backoff,
    ) -> Verdict {
        let retry = self.failures;
        self.failures = self.failures.saturating_add(1);
        self.follows_failure |= rule.times.is_none() || rule.then != Then::Leave;
        if rule.times.is_none_or(|times| retry < times) {
            self.until = now + rule.wait.before(retry, target);
            return Verdict::Again;
        }
        match rule.then {
            Then::Leave => Verdict::Leave,
            Then::Skip => {
                self.begin_another();
                Verdict::Skip
            }
            Then::SkipOn => Verdict::Skip,
            Then::BackOff => {
                self.until = backoff.fail(now);
                Verdict::Again
            }
        }
    }

    /// Counts a final failure, to which no rule applies, and skips the resource. The failure counts for the next
    /// resource, too.
    pub(super) fn pass(&mut self) -> Verdict {
        self.failures = self.failures.saturating_add(1);
        self.follows_failure = true;
        Verdict::Skip
    }

    /// Returns the number of failures in a row.
    pub(super) fn failures(&self) -> u32 {
        self.failures
    }

    /// Forgets the failures, because the resource arrived.
    pub(super) fn succeed(&mut self) {
        *self = Self::default();
    }

    /// Starts counting for another resource, which has not been tried yet.
    pub(super) fn begin_another(&mut self) {
        self.follows_failure |= self.failures > 0;
        (self.failures, self.until) = (0, Duration::ZERO);
    }

    /// Notes that another resource failed in its place, so that the next request follows a failure.
    pub(super) fn follow(&mut self) {
        self.follows_failure = true;
    }

    /// Returns true when the next request follows a failure and waits for its allowance.
    pub(super) fn follow_failure(&self) -> bool {
        self.follows_failure
    }

    /// Returns the time until which a retry must wait, if it must.
    pub(super) fn until(&self, now: Duration) -> Option<Duration> {
        (now < self.until).then_some(self.until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::player::retry_wait::Wait;

    const TARGET: Duration = Duration::from_secs(4);

    /// Returns the verdict and the wait of each failure, when the failures follow one another as soon as allowed.
    fn story(rule: &Retry, failures: usize) -> Vec<(Verdict, f64)> {
        let (mut attempts, mut backoff, mut now) = (Attempts::default(), Backoff::new(1), TARGET);
        (0..failures)
            .map(|_| {
                let verdict = attempts.fail(rule, TARGET, now, &mut backoff);
                let wait = attempts.until(now).map_or(Duration::ZERO, |until| until - now);
                now += wait;
                (verdict, wait.as_secs_f64())
            })
            .collect()
    }

    #[test]
    fn retries_are_counted_and_then_the_viewer_leaves_or_goes_on_without_it() {
        let rule = Retry { times: Some(2), wait: Wait::HalfTargets(1), then: Then::Leave };
        let again = (Verdict::Again, 2.0);
        assert_eq!(story(&rule, 3), [again, again, (Verdict::Leave, 0.0)]);
        let skip = Retry { then: Then::Skip, ..rule };
        assert_eq!(story(&skip, 6), [again, again, (Verdict::Skip, 0.0), again, again, (Verdict::Skip, 0.0)]);
        let skip_on = Retry { then: Then::SkipOn, ..rule };
        let skipped = (Verdict::Skip, 0.0);
        assert_eq!(story(&skip_on, 5), [again, again, skipped, skipped, skipped]);
        let for_ever = Retry { times: None, ..rule };
        assert_eq!(story(&for_ever, 100), vec![again; 100]);
    }

    #[test]
    fn what_backs_off_waits_longer_each_time_and_never_ends() {
        let rule = Retry { times: Some(0), wait: Wait::AtOnce, then: Then::BackOff };
        let story = story(&rule, 50);
        assert!(story.iter().all(|(verdict, _)| *verdict == Verdict::Again), "{story:?}");
        assert!(story[0].1 <= 0.31 && story[49].1 >= 3.9, "{story:?}");
    }
}
