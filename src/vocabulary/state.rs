//! The states that a client and a run can be in, and what an operator can ask for: the words of every screen and
//! report.

use std::time::Duration;

/// What one client is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ClientState {
    /// Before its first media was played.
    Starting,
    /// Media is being played.
    Playing,
    /// Playback stopped because the buffer ran dry.
    Stalled,
    /// Waiting after a failure before it tries again.
    Waiting,
    /// The stream ended and was played to its end.
    Finished,
    /// Gave up.
    Dead,
    /// Finishing its last request before it leaves.
    Leaving,
}

impl ClientState {
    /// How many states there are.
    pub const COUNT: usize = 7;

    /// All states, in the order of every table and report.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Starting,
        Self::Playing,
        Self::Stalled,
        Self::Waiting,
        Self::Finished,
        Self::Dead,
        Self::Leaving,
    ];

    /// The place in a table of [`ClientState::COUNT`].
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The state with this index; what is no index of a state is a client that has not begun.
    pub const fn at(index: u8) -> Self {
        match index {
            1 => Self::Playing,
            2 => Self::Stalled,
            3 => Self::Waiting,
            4 => Self::Finished,
            5 => Self::Dead,
            6 => Self::Leaving,
            _ => Self::Starting,
        }
    }

    /// The word on the screen and in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Playing => "playing",
            Self::Stalled => "stalled",
            Self::Waiting => "waiting",
            Self::Finished => "finished",
            Self::Dead => "dead",
            Self::Leaving => "leaving",
        }
    }
}

/// What the whole run is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum RunState {
    /// Nothing has been sent yet.
    #[default]
    Starting,
    /// Clients are being added towards the target.
    Ramping,
    /// The target is reached.
    Running,
    /// The operator holds the ramp: no client is added until it goes on.
    Hold,
    /// No new request starts; those in flight finish.
    Draining,
    /// The last numbers are in.
    Finished,
}

impl RunState {
    /// Whether clients are leaving for good.
    pub const fn is_ending(self) -> bool {
        matches!(self, Self::Draining | Self::Finished)
    }

    /// The word on the screen.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Starting => "STARTING",
            Self::Ramping => "RAMPING",
            Self::Running => "RUNNING",
            Self::Hold => "HOLD",
            Self::Draining => "DRAINING",
            Self::Finished => "FINISHED",
        }
    }
}

/// Who ended a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StopCause {
    /// The operator pressed `q`.
    Operator,
    /// Ctrl-C, as a key or as SIGINT.
    Interrupt,
    /// SIGHUP.
    HangUp,
    /// The terminal of the screen went away. SIGHUP tells the same, before or after it.
    TerminalGone,
    /// Another signal that ends a process: its number and its name.
    Signal(u8, &'static str),
    /// The address space of the process is nearly used up.
    AddressSpace,
    /// A part of the program that the operator needs has panicked.
    Fault,
}

/// What a run does when its terminal goes away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnHangup {
    /// It stops and writes its reports.
    #[default]
    Stop,
    /// It goes on without a screen.
    Continue,
}

/// What the operator asks of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Adds (or, negative, removes) clients relative to the target.
    AdjustTarget(i64),
    /// Goes to this many clients.
    SetTarget(u32),
    /// Adds no client until [`Command::Resume`]; clients are still removed.
    Hold,
    /// Lets the ramp go on.
    Resume,
    /// Marks a moment of the run, with a note that may be empty.
    Mark(Mark),
    /// Stops admitting and drains; a second one cuts what is in flight.
    Stop(StopCause),
    /// Cuts what is in flight at once.
    StopNow(StopCause),
}

/// A moment that the operator marked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Time of the run.
    pub at: Duration,
    /// What was typed, made safe to print; may be empty.
    pub note: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_found_again_by_its_index() {
        for state in ClientState::ALL {
            assert_eq!(ClientState::at(state.index() as u8), state);
        }
    }
}
