//! Roles of client states, and the text of times.

use crate::tui::theme::Role;
use crate::vocabulary::{ClientState, units};

/// Returns the role of a client's state.
pub(in crate::tui) const fn state_role(state: ClientState) -> Role {
    match state {
        ClientState::Stalled | ClientState::Dead => Role::Failing,
        ClientState::Waiting => Role::Warning,
        ClientState::Finished | ClientState::Leaving => Role::Label,
        ClientState::Starting | ClientState::Playing => Role::Plain,
    }
}

/// Formats microseconds as seconds.
pub(super) fn seconds(microseconds: u64) -> String {
    format!("{} s", units::number(microseconds as f64 / 1e6))
}
