//! How often one thing has failed, and what follows from that by the profile's rule.

use std::time::Duration;

use super::backoff::Backoff;
use super::profile::{Retry, Then};

/// The failures of one thing since it last came.
#[derive(Debug, Default)]
pub(super) struct Attempts {
    failures: u32,
    until: Duration,
    follows_failure: bool,
}

/// What follows from a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is tried again, see [`Attempts::until`].
    Again,
    /// It is left out.
    Skip,
    /// The viewer leaves.
    Leave,
}

impl Attempts {
    /// It failed at `now`.
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

    /// It failed at last, without a rule: it is left out. The failure counts for what is tried next.
    pub(super) fn pass(&mut self) -> Verdict {
        self.failures = self.failures.saturating_add(1);
        self.follows_failure = true;
        Verdict::Skip
    }

    /// How often it has failed in a row.
    pub(super) fn failures(&self) -> u32 {
        self.failures
    }

    /// It came.
    pub(super) fn succeed(&mut self) {
        *self = Self::default();
    }

    /// Another thing is wanted now, which has not been tried.
    pub(super) fn begin_another(&mut self) {
        self.follows_failure |= self.failures > 0;
        (self.failures, self.until) = (0, Duration::ZERO);
    }

    /// Something failed in its place.
    pub(super) fn follow(&mut self) {
        self.follows_failure = true;
    }

    /// Returns true when the next request follows a failure and waits for its allowance.
    pub(super) fn follow_failure(&self) -> bool {
        self.follows_failure
    }

    /// Until when it is not tried again, if it must wait.
    pub(super) fn until(&self, now: Duration) -> Option<Duration> {
        (now < self.until).then_some(self.until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::player::profile::Wait;

    const TARGET: Duration = Duration::from_secs(4);

    /// The verdicts and waits of failures that follow one another as soon as they may.
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
