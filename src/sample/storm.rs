//! Storms of 429 and 503 in a sample: the numbers that the brake reads, and the words for a ramp that it holds.

use std::time::Duration;

use super::RunSample;
use crate::load::{CALM_SHARE, STORM_WINDOW, StormNumbers, TurnedAway};
use crate::run_state::ChangeSource;
use crate::stats::{Rates, window};
use crate::vocabulary::{RunState, units};

impl RunSample {
    /// Returns the numbers from which the brake decides about the ramp.
    pub fn storm_numbers(&self) -> StormNumbers {
        let of = |rates: &Rates| TurnedAway { finished: rates.asked, busy: rates.busy };
        StormNumbers {
            at: self.at,
            is_ramping: self.state == RunState::Ramping,
            window: self.storm_window().map(of),
            recent: self.recent.as_ref().map(of).unwrap_or_default(),
            retry_at: Duration::from_micros(self.snapshot.retry_at_us),
        }
    }

    /// Returns the rates over the window in which a storm is seen; `None` while the run is shorter.
    fn storm_window(&self) -> Option<&Rates> {
        let mut windows = window::WINDOWS.iter().zip(&self.windows);
        windows.find(|(length, _)| **length == STORM_WINDOW).and_then(|(_, rates)| rates.as_ref())
    }

    /// Returns the source of the hold while the ramp is held.
    pub fn held_by(&self) -> Option<ChangeSource> {
        // The controller writes the journal before it changes the state.
        self.journal.last_hold().filter(|_| self.state == RunState::Hold)
    }

    /// Returns the name of the run's state, which says if the brake holds the ramp.
    pub fn state_name(&self) -> &'static str {
        if self.held_by() == Some(ChangeSource::Brake) { "HELD by the brake" } else { self.state.name() }
    }

    /// Describes the storm: `61.2% of requests over 30 s ended with 429 or 503`.
    pub fn storm(&self) -> String {
        let share = units::percent(self.storm_window().and_then(Rates::busy_share));
        let seconds = STORM_WINDOW.as_secs();
        format!("{share} of requests over {seconds} s ended with 429 or 503")
    }

    /// Describes the storm in a few words, and the share for which the ramp waits: the screen is narrow.
    pub fn storm_in_short(&self) -> String {
        let (now, awaited) = (units::percent(self.storm_window().and_then(Rates::busy_share)), calm_share());
        format!(
            "{now} of requests got 429 or 503 in the last {} s; resumes at {awaited}",
            STORM_WINDOW.as_secs()
        )
    }

    /// Says how bad a storm is, where there is little room: `62.5% got 429 or 503`.
    pub fn storm_in_few_words(&self) -> String {
        format!("{} got 429 or 503", units::percent(self.storm_window().and_then(Rates::busy_share)))
    }

    /// Describes the end of a storm, for which the ramp waits: `it resumes when at most 10% of requests over 10 s do`.
    pub fn calm() -> String {
        format!("it resumes when at most {} of requests over {} s do", calm_share(), window::RECENT.as_secs())
    }
}

/// Returns the share of requests turned away at which the ramp resumes: `10%`.
fn calm_share() -> String {
    format!("{:.0}%", 100.0 * CALM_SHARE)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::run_state::{ChangeKind, Journal, LoadChange};
    use crate::sample::{Sampler, Sources};
    use crate::stats::{Metric, Registry};
    use crate::vocabulary::{Clock, Kind, Outcome};

    fn requests(registry: &Arc<Registry>) {
        let client = registry.add();
        let meter = client.meter(0, Clock::start());
        for status in [429, 503, 500, 404, 504, 302] {
            meter.start(Kind::Segment).finish(Outcome::from_status(status, status == 302), None);
        }
        meter.count(Metric::Redirects, 1);
        drop(meter.start(Kind::Segment));
        for at in [5_000_000, 3_000_000] {
            meter.asked_to_wait(at);
        }
    }

    #[test]
    fn the_brake_reads_the_windows_of_the_sample() {
        let sources = Sources::new(2);
        sources.status.set_state(RunState::Ramping);
        let mut sampler = Sampler::new(sources.clone());
        assert_eq!(sampler.next_sample().storm_numbers().window, None, "the run has just begun");
        requests(&sources.registry);
        let mut sample = RunSample::clone(&sampler.next_sample());
        let seen = TurnedAway { finished: 5, busy: 2 };
        let numbers = sample.storm_numbers();
        assert_eq!((numbers.recent, numbers.window, numbers.is_ramping), (seen, None, true));
        assert_eq!(numbers.retry_at, Duration::from_secs(5));
        sample.windows[1] = sample.recent;
        assert_eq!(sample.storm_numbers().window, Some(seen));
        assert_eq!(sample.storm(), "40.0% of requests over 30 s ended with 429 or 503");
        assert_eq!(
            sample.storm_in_short(),
            "40.0% of requests got 429 or 503 in the last 30 s; resumes at 10%"
        );
        assert_eq!(RunSample::calm(), "it resumes when at most 10% of requests over 10 s do");
    }

    #[test]
    fn a_hold_names_its_source() {
        let journal = Journal::default();
        let change = |kind, by| journal.change(LoadChange { at: Duration::ZERO, kind, from: 5, to: 5, by });
        change(ChangeKind::Hold, ChangeSource::Operator);
        change(ChangeKind::Resume, ChangeSource::Operator);
        change(ChangeKind::Hold, ChangeSource::Brake);
        change(ChangeKind::Target, ChangeSource::Operator);
        let held = RunSample { state: RunState::Hold, journal: Arc::new(journal), ..RunSample::default() };
        assert_eq!((held.held_by(), held.state_name()), (Some(ChangeSource::Brake), "HELD by the brake"));
        let resumed = RunSample { state: RunState::Ramping, ..held };
        assert_eq!((resumed.held_by(), resumed.state_name()), (None, "RAMPING"));
        let operators = RunSample { state: RunState::Hold, ..RunSample::default() };
        assert_eq!((operators.held_by(), operators.state_name()), (None, "HOLD"));
    }
}
