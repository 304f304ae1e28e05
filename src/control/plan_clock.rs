//! Clock of the stages: it stops while no client may be added, so that a hold never ends in a burst of all that the
//! plan asked for meanwhile.

use std::time::Duration;

/// Time of the plan as a function of the time of the run.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct PlanClock {
    /// Time for which it has stood still.
    behind: Duration,
    /// Time of the run at which it has stopped.
    stopped: Option<Duration>,
}

impl PlanClock {
    /// Stops or starts the clock at `now`, and returns the time of the plan.
    pub(super) fn read(&mut self, now: Duration, stops: bool) -> Duration {
        if stops {
            self.stopped.get_or_insert(now);
        } else if let Some(since) = self.stopped.take() {
            self.behind += now.saturating_sub(since);
        }
        self.stopped.unwrap_or(now).saturating_sub(self.behind)
    }

    /// Returns the time of the run at which the plan will reach this time; `None` while the clock stands still.
    pub(super) fn reaches(&self, at: Duration) -> Option<Duration> {
        self.stopped.is_none().then(|| at.saturating_add(self.behind))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stop_moves_everything_that_is_planned_after_it() {
        let (mut clock, seconds) = (PlanClock::default(), Duration::from_secs);
        assert_eq!(clock.read(seconds(5), false), seconds(5));
        assert_eq!(clock.reaches(seconds(9)), Some(seconds(9)));
        assert_eq!([6, 8].map(|now| clock.read(seconds(now), true)), [seconds(6); 2]);
        assert_eq!(clock.reaches(seconds(9)), None);
        assert_eq!(clock.read(seconds(10), false), seconds(6));
        assert_eq!(clock.reaches(seconds(9)), Some(seconds(13)));
    }
}
