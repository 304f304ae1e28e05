//! The facts of a run that the console shows and that never change.

use std::time::Duration;

use crate::load::ClientLimit;
use crate::vocabulary::Untrusted;

/// The facts of a run. Texts may come from outside: the console makes them safe when it takes them.
#[derive(Clone, Debug, Default)]
pub struct Title {
    /// Program and version.
    pub program: String,
    /// The address of the stream without its secrets.
    pub target: String,
    /// Which variant is played.
    pub variant: String,
    /// The seed of the run.
    pub seed: u64,
    /// Clients that are started per second; `None`: all at once.
    pub ramp_rate: Option<f64>,
    /// When the run ends by itself; `None` is until it is stopped.
    pub duration: Option<Duration>,
    /// The most clients that can be asked for.
    pub limit: ClientLimit,
}

impl Title {
    pub(super) fn made_safe(self) -> Self {
        let safe = |text: &str| Untrusted::new(text).shown();
        Self {
            program: safe(&self.program),
            target: safe(&self.target),
            variant: safe(&self.variant),
            ..self
        }
    }
}
