//! Commands of the operator on their way to the run. Sending never blocks, commands are kept until the run takes
//! them, and their number is bounded.

use std::collections::VecDeque;

use crate::vocabulary::Command;

/// Maximum number of waiting marks. Later ones are dropped: a run that takes none for that long has bigger problems.
const MARKS: usize = 64;

/// Commands that the run has not taken yet. Changes of the target are merged, so repeated keys need no room.
#[derive(Debug)]
pub(super) struct PendingCommands {
    run: flume::Sender<Command>,
    target: Option<Command>,
    ramp: Option<Command>,
    marks: VecDeque<Command>,
    stop: Option<Command>,
}

impl PendingCommands {
    pub(super) fn new(run: flume::Sender<Command>) -> Self {
        Self { run, target: None, ramp: None, marks: VecDeque::new(), stop: None }
    }

    /// Queues a command. A `StopNow` replaces a waiting stop; a `Stop` does not.
    pub(super) fn push(&mut self, command: Command) {
        match command {
            Command::AdjustTarget(_) | Command::SetTarget(_) | Command::Search(_) => {
                self.target = Some(together(self.target.take(), command));
            }
            Command::Hold | Command::Resume => self.ramp = Some(command),
            Command::Mark(_) if self.marks.len() < MARKS => self.marks.push_back(command),
            // Marks beyond that, and requests that only the control socket makes.
            Command::Mark(_) | Command::Steer(_) => {}
            Command::Stop(_) => self.stop = self.stop.take().or(Some(command)),
            Command::StopNow(_) => self.stop = Some(command),
        }
    }

    /// Sends the commands that the run takes now, a stop last. Returns true if nothing is left.
    pub(super) fn send(&mut self) -> bool {
        for place in [&mut self.target, &mut self.ramp] {
            *place = place.take().and_then(|command| offer(&self.run, command));
        }
        while let Some(mark) = self.marks.pop_front() {
            if let Some(refused) = offer(&self.run, mark) {
                self.marks.push_front(refused);
                break;
            }
        }
        self.stop = self.stop.take().and_then(|command| offer(&self.run, command));
        self.target.is_none() && self.ramp.is_none() && self.marks.is_empty() && self.stop.is_none()
    }
}

/// Merges two changes of the target into one.
fn together(earlier: Option<Command>, later: Command) -> Command {
    match (earlier, later) {
        (Some(Command::AdjustTarget(one)), Command::AdjustTarget(other)) => {
            Command::AdjustTarget(one.saturating_add(other))
        }
        (Some(Command::SetTarget(clients)), Command::AdjustTarget(by)) => {
            let clients = i64::from(clients).saturating_add(by).clamp(0, u32::MAX.into());
            Command::SetTarget(u32::try_from(clients).unwrap_or(u32::MAX))
        }
        (_, later) => later,
    }
}

/// Offers a command to the run and returns it if the run is too busy. A run that has ended needs no commands.
fn offer(run: &flume::Sender<Command>, command: Command) -> Option<Command> {
    match run.try_send(command) {
        Err(flume::TrySendError::Full(command)) => Some(command),
        Ok(()) | Err(flume::TrySendError::Disconnected(_)) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocabulary::StopCause::{Interrupt, Operator};

    #[test]
    fn a_run_that_is_busy_loses_nothing() {
        let (sender, receiver) = flume::bounded(1);
        let mut pending = PendingCommands::new(sender);
        pending.push(Command::AdjustTarget(10));
        assert!(pending.send());
        for by in [10, 10, -5] {
            pending.push(Command::AdjustTarget(by));
            assert!(!pending.send());
        }
        pending.push(Command::Stop(Operator));
        pending.push(Command::StopNow(Interrupt));
        pending.push(Command::Stop(Operator));
        let mut taken = Vec::new();
        while let Ok(command) = receiver.try_recv() {
            taken.push(command);
            pending.send();
        }
        assert_eq!(
            taken,
            [Command::AdjustTarget(10), Command::AdjustTarget(15), Command::StopNow(Interrupt)]
        );
    }

    #[test]
    fn a_target_that_was_typed_and_steps_after_it_are_one_change() {
        let set = together(Some(Command::AdjustTarget(-7)), Command::SetTarget(25));
        assert_eq!(set, Command::SetTarget(25));
        assert_eq!(together(Some(set), Command::AdjustTarget(-30)), Command::SetTarget(0));
    }

    #[test]
    fn a_run_that_has_ended_is_no_reason_to_keep_anything() {
        let (sender, receiver) = flume::bounded(1);
        drop(receiver);
        let mut pending = PendingCommands::new(sender);
        pending.push(Command::Stop(Operator));
        assert!(pending.send());
    }
}
