//! What the operator asked for, on its way to the run: never lost, never waited for, never more than one line.

use crate::base::Command;

/// Commands that the run has not taken yet. Changes of clients are added up, so hammered keys need no room.
#[derive(Debug)]
pub(super) struct Outbox {
    run: flume::Sender<Command>,
    adjust: i64,
    stop: Option<Command>,
}

impl Outbox {
    pub(super) fn new(run: flume::Sender<Command>) -> Self {
        Self { run, adjust: 0, stop: None }
    }

    /// Takes a command; a stop is replaced only by what is stronger.
    pub(super) fn push(&mut self, command: Command) {
        match command {
            Command::AdjustTarget(by) => self.adjust = self.adjust.saturating_add(by),
            Command::Stop(_) => self.stop = self.stop.or(Some(command)),
            Command::StopNow(_) => self.stop = Some(command),
        }
    }

    /// Sends what the run takes now. True: nothing is left.
    pub(super) fn send(&mut self) -> bool {
        if self.adjust != 0 && self.offer(Command::AdjustTarget(self.adjust)) {
            self.adjust = 0;
        }
        if self.stop.is_some_and(|stop| self.offer(stop)) {
            self.stop = None;
        }
        self.adjust == 0 && self.stop.is_none()
    }

    /// A run that has ended needs no command any more.
    fn offer(&self, command: Command) -> bool {
        !matches!(self.run.try_send(command), Err(flume::TrySendError::Full(_)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::StopCause::{Interrupt, Operator};

    #[test]
    fn a_run_that_is_busy_loses_nothing() {
        let (sender, receiver) = flume::bounded(1);
        let mut outbox = Outbox::new(sender);
        outbox.push(Command::AdjustTarget(10));
        assert!(outbox.send());
        for by in [10, 10, -5] {
            outbox.push(Command::AdjustTarget(by));
            assert!(!outbox.send());
        }
        outbox.push(Command::Stop(Operator));
        outbox.push(Command::StopNow(Interrupt));
        outbox.push(Command::Stop(Operator));
        let mut taken = Vec::new();
        while let Ok(command) = receiver.try_recv() {
            taken.push(command);
            outbox.send();
        }
        assert_eq!(
            taken,
            [Command::AdjustTarget(10), Command::AdjustTarget(15), Command::StopNow(Interrupt)]
        );
    }

    #[test]
    fn a_run_that_has_ended_is_no_reason_to_keep_anything() {
        let (sender, receiver) = flume::bounded(1);
        drop(receiver);
        let mut outbox = Outbox::new(sender);
        outbox.push(Command::Stop(Operator));
        assert!(outbox.send());
    }
}
