//! Failures before anything is sent: the reasons why there is no run.

use std::io;

use color_eyre::eyre;

use crate::config::ConfigError;

/// Reason why there was no run. It decides the exit code.
#[derive(Debug)]
pub enum Failure {
    /// Bad arguments or configuration.
    Config(ConfigError),
    /// This machine cannot carry the load that was asked for; nothing was sent.
    Preflight(String),
    /// A report cannot be written; nothing was sent.
    Unwritten(String),
    /// The system refused something that a run needs: a thread, a port, a signal handler, the terminal. Nothing was
    /// sent, and the program itself is not at fault.
    Unable(eyre::Report),
}

impl Failure {
    /// Creates the failure for a thread, or a resource of a thread, that this machine does not provide; `what` is its
    /// name.
    pub fn no_thread(what: &str, error: &io::Error) -> Self {
        Self::Preflight(format!("{what} could not be started: {error}"))
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

impl From<eyre::Report> for Failure {
    fn from(error: eyre::Report) -> Self {
        Self::Unable(error)
    }
}
