//! The plan of a run, and its end.

use std::time::Duration;

use super::Ahead;
use crate::load::{ClientLimit, Ramp};
use crate::vocabulary::{Command, Outcome, StopCause};

/// The load and length of a run.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Clients to reach.
    pub clients: u32,
    /// The most clients that the operator can ask for.
    pub limit: ClientLimit,
    /// The ramp.
    pub ramp: Ramp,
    /// By how much single starts are moved.
    pub jitter: Duration,
    /// Lets the first client go ahead, or not.
    pub ahead: Ahead,
    /// When the run ends by itself; `None`: never.
    pub duration: Option<Duration>,
    /// Same seed, same schedule.
    pub seed: u64,
}

/// The end of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ending {
    /// The cause; `None`: its duration was over, or every client had finished.
    pub cause: Option<StopCause>,
    /// Requests in flight were cut by a second stop.
    pub cut: bool,
    /// The first client went ahead and could not load its playlist: there was no load.
    pub refused: Option<Outcome>,
}

impl Ending {
    pub(super) fn by(cause: StopCause) -> Self {
        Self { cause: Some(cause), ..Self::default() }
    }

    /// Takes a command that comes while the run drains: a second stop cuts. A terminal that closes says so
    /// twice, by its end and by SIGHUP: that is one stop.
    pub(super) fn after(self, command: &Command) -> Self {
        use StopCause::{HangUp, TerminalGone};
        match (self.cause, command) {
            (_, Command::Stop(TerminalGone)) => self,
            (Some(TerminalGone), Command::Stop(HangUp)) => Self { cause: Some(HangUp), ..self },
            (first, Command::Stop(cause) | Command::StopNow(cause)) => {
                Self { cause: first.or(Some(*cause)), cut: true, ..self }
            }
            _ => self,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use StopCause::{HangUp, Interrupt, Operator, TerminalGone};

    fn ended(causes: &[StopCause]) -> Ending {
        let first = Ending { cause: causes.first().copied(), ..Ending::default() };
        causes.iter().skip(1).fold(first, |ending, cause| ending.after(&Command::Stop(*cause)))
    }

    #[test]
    fn a_terminal_that_closes_is_one_stop_and_a_hang_up_after_it_is_another() {
        for once in [&[HangUp, TerminalGone][..], &[TerminalGone, HangUp], &[Operator, TerminalGone]] {
            assert!(!ended(once).cut, "{once:?}");
        }
        for twice in
            [&[HangUp, TerminalGone, HangUp][..], &[TerminalGone, HangUp, HangUp], &[Operator, HangUp]]
        {
            assert!(ended(twice).cut, "{twice:?}");
        }
        assert_eq!(ended(&[TerminalGone, HangUp]), Ending::by(HangUp));
    }

    #[test]
    fn a_stop_while_a_run_drains_at_its_end_cuts_it_and_other_commands_do_not() {
        let draining = Ending::default();
        assert_eq!(draining.after(&Command::AdjustTarget(5)), draining);
        let cut = Ending { cut: true, ..Ending::by(Interrupt) };
        assert_eq!(draining.after(&Command::Stop(Interrupt)), cut);
        assert_eq!(draining.after(&Command::StopNow(Interrupt)), cut);
    }
}
