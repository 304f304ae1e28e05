//! Error for bytes that are not a usable playlist.

use std::fmt;

use crate::vocabulary::{Untrusted, outcome::Fault};

/// Reason why bytes are not a usable playlist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// Outcome: one of `Playlist*`.
    pub fault: Fault,
    /// Detail, possibly with text from the playlist.
    pub detail: Untrusted,
}

impl ParseError {
    pub(super) fn new(fault: Fault, detail: &str) -> Self {
        Self { fault, detail: detail.into() }
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.fault.meaning(), self.detail.shown())
    }
}

impl std::error::Error for ParseError {}
