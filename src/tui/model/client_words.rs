//! Roles and tones of client states, and the text of times.

use crate::stats::SecondState;
use crate::tui::theme::Role;
use crate::vocabulary::{ClientState, Tone, units};

/// Returns the role of a client's state.
pub(in crate::tui) const fn state_role(state: ClientState) -> Role {
    match state {
        ClientState::Stalled | ClientState::Dead => Role::Failing,
        ClientState::Waiting => Role::Warning,
        ClientState::Finished | ClientState::Leaving => Role::Label,
        ClientState::Starting | ClientState::Playing => Role::Plain,
    }
}

/// Returns the tone of a client's state.
pub(super) const fn state_tone(state: ClientState) -> Tone {
    match state {
        ClientState::Dead => Tone::Fail2,
        ClientState::Stalled => Tone::Fail,
        ClientState::Waiting => Tone::Warn,
        ClientState::Starting => Tone::Start,
        ClientState::Playing => Tone::Play,
        ClientState::Leaving | ClientState::Finished => Tone::Label,
    }
}

/// Returns the tone of a client in one second.
pub(in crate::tui) const fn second_tone(state: SecondState) -> Option<Tone> {
    match state {
        SecondState::Absent => None,
        SecondState::Well => Some(Tone::Play),
        SecondState::Waiting => Some(Tone::Warn),
        SecondState::Stalled => Some(Tone::Fail),
    }
}

/// Formats microseconds as seconds.
pub(super) fn seconds(microseconds: u64) -> String {
    format!("{} s", units::number(microseconds as f64 / 1e6))
}
