//! Plan of a run.

use std::time::Duration;

use super::{Ahead, OnShortage};
use crate::load::{ArrivalProfile, ClientLimit, LoadProfile, RampProfile, StagesProfile};
use crate::vocabulary::HardStops;

/// Load and length of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// Clients to reach and the schedule of their starts; with stages, that of starts that no stage plans.
    pub profile: RampProfile,
    /// Stages of the load; `None`: a ramp.
    pub stages: Option<StagesProfile>,
    /// Arrivals of an open load, whose most clients are those of `profile`; `None`: a ramp or stages.
    pub arrivals: Option<ArrivalProfile>,
    /// Maximum number of clients that the operator can request.
    pub limit: ClientLimit,
    /// Choice whether the first client goes ahead of the others.
    pub ahead: Ahead,
    /// Reaction if the plan needs more than there is.
    pub on_shortage: OnShortage,
    /// True if the brake holds the ramp during a storm of 429 and 503.
    pub brakes: bool,
    /// Time after which the run ends by itself; `None`: never.
    pub duration: Option<Duration>,
    /// True if the operator did not ask for this duration: ending the run earlier is then no interruption.
    pub has_default_end: bool,
    /// Amounts that end the run when they are reached.
    pub hard_stops: HardStops,
}

impl Plan {
    /// Returns the number of clients over time.
    pub fn shape(&self) -> Box<dyn LoadProfile> {
        match &self.stages {
            Some(stages) => Box::new(stages.clone()),
            None => Box::new(self.profile),
        }
    }

    /// Reports whether the run ends with its last stage.
    pub fn ends_with_stages(&self) -> bool {
        self.stages.as_ref().is_some_and(|stages| self.duration == Some(stages.length()))
    }

    /// Returns the duration that the operator asked for.
    pub fn asked_duration(&self) -> Option<Duration> {
        self.duration.filter(|_| !self.has_default_end)
    }
}
