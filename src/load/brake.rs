//! Brake: holds the ramp while the origin turns requests away, because more clients would only add to an overload.
//!
//! * A storm begins when more than half of the requests of [`STORM_WINDOW`] ended with 429 or 503. It is over when at
//!   most a tenth of those of the last ten seconds did. The gap between the two keeps the ramp from stopping and going.
//! * The ramp also waits for the latest time that a `Retry-After` named during the storm. Silence before that time is
//!   no calm: all clients may have been asked to wait.
//! * After a storm the next one needs a whole window of its own: until then the window holds requests of the last one.
//! * The operator overrules the brake: it then does nothing until this storm is over.
//! * The brake starts no client later than the plan says and removes none: it only holds back those that are missing.

use std::time::Duration;

use crate::vocabulary::share;

/// Period in which a storm is seen: longer than the restart of a server takes.
pub const STORM_WINDOW: Duration = Duration::from_secs(30);
/// Share of requests turned away above which a period is a storm.
const STORM_SHARE: f64 = 0.5;
/// Share of requests turned away up to which a storm is over: far below [`STORM_SHARE`], and above the few that a
/// limited service turns away all the time.
pub const CALM_SHARE: f64 = 0.1;

/// Requests that ended in a period, and those among them that a busy server turned away with 429 or 503.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TurnedAway {
    /// Requests that ended.
    pub finished: u64,
    /// Those that ended with 429 or 503.
    pub busy: u64,
}

impl TurnedAway {
    fn share(self) -> Option<f64> {
        share(self.busy, self.finished)
    }
}

/// Numbers of one moment of a run from which the brake decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StormNumbers {
    /// Time of the run.
    pub at: Duration,
    /// True while clients are missing and the ramp adds them.
    pub is_ramping: bool,
    /// Requests of the last [`STORM_WINDOW`]; `None` while the run is shorter.
    pub window: Option<TurnedAway>,
    /// Requests of the last ten seconds.
    pub recent: TurnedAway,
    /// Latest time until which a 429 or 503 asked a client to wait; zero: none has.
    pub retry_at: Duration,
}

impl StormNumbers {
    /// Reports whether a storm rages, if the window began after `since`.
    fn is_storm(&self, since: Duration) -> bool {
        let window = self.window.filter(|_| self.at >= since + STORM_WINDOW);
        window.and_then(TurnedAway::share).is_some_and(|share| share > STORM_SHARE)
    }

    fn is_calm(&self) -> bool {
        match self.recent.share() {
            Some(share) => share <= CALM_SHARE,
            // Clients may be waiting before they retry, as long as the server asked them to. A whole window without a
            // request after that is no storm.
            None => {
                self.at >= self.retry_at + STORM_WINDOW
                    && self.window.is_some_and(|window| window.finished == 0)
            }
        }
    }
}

/// Decision about the ramp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BrakeAction {
    /// Hold it.
    Hold,
    /// Resume it.
    Resume,
}

/// State of the brake.
#[derive(Debug, Default)]
pub struct Brake {
    state: State,
    /// True if a storm was seen at the last look.
    sees_storm: bool,
    /// Time before which the ramp is not resumed, because a `Retry-After` named it.
    retry_at: Duration,
    /// End of the last storm.
    calm_since: Duration,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Released,
    /// The ramp is held.
    Holding,
    /// The operator has overruled the brake for this storm.
    Overruled,
}

impl Brake {
    /// Takes the numbers of a moment, which must not be before the last, and decides about the ramp.
    pub fn observe(&mut self, numbers: &StormNumbers) -> Option<BrakeAction> {
        self.sees_storm = numbers.is_storm(self.calm_since);
        if self.state == State::Released {
            let holds = self.sees_storm && numbers.is_ramping;
            return holds.then(|| self.hold(numbers.retry_at));
        }
        let is_calm = numbers.is_calm();
        if !is_calm {
            // A service that turns a few clients away all the time must not put the end off forever.
            self.retry_at = numbers.retry_at;
        }
        if !is_calm || numbers.at < self.retry_at {
            return None;
        }
        self.calm_since = numbers.at;
        let was_held = std::mem::take(&mut self.state) == State::Holding;
        was_held.then_some(BrakeAction::Resume)
    }

    fn hold(&mut self, retry_at: Duration) -> BrakeAction {
        (self.state, self.retry_at) = (State::Holding, retry_at);
        BrakeAction::Hold
    }

    /// Lets a command of the operator win: the brake does nothing more about the current storm.
    pub fn overrule(&mut self) {
        if self.sees_storm || self.state == State::Holding {
            self.state = State::Overruled;
        }
    }
}

#[cfg(test)]
mod tests;
