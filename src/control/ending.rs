//! End of a run: its cause, and whether it was cut short.

use crate::vocabulary::{Command, HardStop, Outcome, StopCause};

/// End of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ending {
    /// Cause; `None`: the duration was over, every client had finished, or the run was refused.
    pub cause: Option<StopCause>,
    /// True if requests in flight were cut, by a second stop, an immediate one or a hard stop.
    pub cut: bool,
    /// Reason why there was no load: only the first client was started.
    pub refused: Option<RefusedBy>,
}

/// Reason why a load was refused after the first client had gone ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusedBy {
    /// The first client could not load its playlist.
    Stream(Outcome),
    /// The plan needs more than there is.
    Price,
}

impl Ending {
    pub(super) fn refused(by: RefusedBy) -> Self {
        Self { refused: Some(by), ..Self::default() }
    }

    pub(super) fn by(cause: StopCause) -> Self {
        Self { cause: Some(cause), ..Self::default() }
    }

    /// Returns the ending at a hard stop. Requests that were sent before the last one was may finish. Of bytes and of
    /// bandwidth everything that still arrives is too much: open requests are cut.
    pub(super) fn at_limit(stop: HardStop) -> Self {
        Self { cut: stop != HardStop::Requests, ..Self::by(StopCause::Limit(stop)) }
    }

    /// Returns the ending after a command that arrives while the run drains: a second stop cuts. A terminal that
    /// closes sends two stops, its end and SIGHUP; they count as one.
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
