//! The states of a client and of a run, and the commands an operator can give, as every screen and report names them.

use std::time::Duration;

use super::{HardStop, SteerRequest};

/// Current activity of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ClientState {
    /// No media has been played yet.
    Starting,
    /// Media is being played.
    Playing,
    /// Playback stopped because the buffer ran dry.
    Stalled,
    /// Waiting after a failure before the next attempt.
    Waiting,
    /// The stream ended and was played to its end.
    Finished,
    /// The client's task panicked.
    Dead,
    /// Finishing its last request before leaving.
    Leaving,
}

impl ClientState {
    /// Reports whether a client in this state is in trouble: it waits after a failure, is stalled or dead.
    pub const fn is_trouble(self) -> bool {
        matches!(self, Self::Stalled | Self::Waiting | Self::Dead)
    }

    /// Reports whether a client in this state is active: it has not ended.
    pub const fn is_active(self) -> bool {
        !matches!(self, Self::Finished | Self::Dead)
    }

    /// Number of states.
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

    /// Returns the index into a table of [`ClientState::COUNT`] entries.
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Returns the state at `index`; out-of-range values map to `Starting`.
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

    /// Returns the state's name on the screen and in reports.
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

/// Current phase of the whole run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum RunState {
    /// Nothing has been sent yet.
    #[default]
    Starting,
    /// Clients are being added towards the target.
    Ramping,
    /// The target is reached.
    Running,
    /// The operator has paused the ramp: no client is added until it resumes.
    Hold,
    /// No new request starts; those in flight finish.
    Draining,
    /// The final numbers are complete.
    Finished,
}

impl RunState {
    /// All states, in the order of their indices.
    pub const ALL: [Self; 6] =
        [Self::Starting, Self::Ramping, Self::Running, Self::Hold, Self::Draining, Self::Finished];

    /// Reports whether the run is ending, so that its clients leave for good.
    pub const fn is_ending(self) -> bool {
        matches!(self, Self::Draining | Self::Finished)
    }

    /// Returns the state's name on the screen.
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

/// Reason why a run stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StopCause {
    /// The operator pressed `q`.
    Operator,
    /// `stop` through the control socket.
    Control,
    /// Ctrl-C, as a key or as SIGINT.
    Interrupt,
    /// SIGHUP.
    HangUp,
    /// The screen's terminal went away. A SIGHUP may report the same, before or after.
    TerminalGone,
    /// Another signal that ends a process: its number and its name.
    Signal(u8, &'static str),
    /// The address space of the process is nearly used up.
    AddressSpace,
    /// A hard stop was reached.
    Limit(HardStop),
    /// The search for the capacity of the origin has ended.
    Searched,
    /// A threshold stayed crossed for the grace of `--abort-on-fail`.
    Threshold,
    /// A part of the program that the operator needs has panicked.
    Fault,
}

/// Reaction of a run to the loss of its terminal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnHangup {
    /// Stop and write the reports.
    #[default]
    Stop,
    /// Continue without a screen.
    Continue,
}

/// Command from the operator to a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Adds clients to the target or, if negative, removes them.
    AdjustTarget(i64),
    /// Sets the target to this many clients.
    SetTarget(u32),
    /// Sets the target to the load that the search for a capacity decides.
    Search(u32),
    /// Adds no client until [`Command::Resume`]; clients are still removed.
    Hold,
    /// Resumes the ramp.
    Resume,
    /// Changes the load for the control socket, and answers it.
    Steer(SteerRequest),
    /// Marks a moment of the run; the note may be empty.
    Mark(Mark),
    /// Stops admitting clients and drains; a second one cancels the requests in flight.
    Stop(StopCause),
    /// Cancels the requests in flight at once.
    StopNow(StopCause),
}

/// Moment that the operator marked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark {
    /// Time since the start of the run.
    pub at: Duration,
    /// Note as typed, sanitised; may be empty.
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
