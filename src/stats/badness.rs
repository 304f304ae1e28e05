//! Order of clients by how much trouble they are in.

use super::snapshot::ClientRow;
use crate::vocabulary::ClientState;

/// Order of clients, the worst first: by state, speed, number of failures and stalls, and buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Badness(u8, bool, u64, u64, u64);

/// Returns the rank of a state; a state that an operator looks for earlier has a smaller rank.
pub const fn severity(state: ClientState) -> u8 {
    match state {
        ClientState::Stalled => 0,
        ClientState::Waiting => 1,
        ClientState::Dead => 2,
        ClientState::Starting => 3,
        ClientState::Playing => 4,
        ClientState::Leaving => 5,
        ClientState::Finished => 6,
    }
}

impl ClientRow {
    /// Returns a key by which worse clients come first. The client's number breaks ties, so that equal clients keep
    /// their order.
    pub fn badness(&self, now_us: u64) -> Badness {
        let failures = u64::MAX - self.failures() - self.stalls;
        let buffer_us = self.playback.buffer_at(now_us);
        Badness(severity(self.state), !self.slow, failures, buffer_us, self.id)
    }
}
