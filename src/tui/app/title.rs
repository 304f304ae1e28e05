//! Facts of a run that the console shows and that never change.

use std::time::Duration;

use crate::capacity::TransportCosts;
use crate::load::{ArrivalProfile, RampProfile, StagesProfile};
use crate::vocabulary::{RunIdentity, Untrusted};

/// Facts of a run. The texts may come from outside: the console makes them safe when it takes them.
#[derive(Clone, Debug, Default)]
pub struct Title {
    /// Identity of the run.
    pub identity: RunIdentity,
    /// Variant that the clients play.
    pub variant: String,
    /// Planned load of the run.
    pub profile: RampProfile,
    /// Stages of the load; `None`: a ramp.
    pub stages: Option<StagesProfile>,
    /// Arrivals of an open load.
    pub arrivals: Option<ArrivalProfile>,
    /// True if the run searches for the capacity of the origin.
    pub is_search: bool,
    /// Time at which the run ends by itself; `None`: it runs until it is stopped.
    pub duration: Option<Duration>,
    /// Calibrated costs of this machine; `None` if it is not calibrated.
    pub costs: Option<TransportCosts>,
    /// Names of the report files.
    pub reports: Vec<String>,
}

impl Title {
    pub(super) fn made_safe(self) -> Self {
        let safe = |text: &str| Untrusted::new(text).shown();
        let identity = RunIdentity { target: safe(&self.identity.target), ..self.identity };
        let reports = self.reports.iter().map(|name| safe(name)).collect();
        Self { identity, variant: safe(&self.variant), reports, ..self }
    }
}
