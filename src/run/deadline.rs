//! Last resort of a process that must end: work runs on its own thread, and `main` waits for it until a deadline that
//! [`within`] sets.
//!
//! The steps of a shutdown have limits of their own. This one covers those that cannot have any: a disk that hangs in
//! a system call, a thread that does not return. The process then exits without them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use super::address_space;
use super::exit::ExitStatus;
use crate::vocabulary::exit_code;

/// Maximum time from the end of a run's drain to the end of the process, without the time to read its report.
pub(super) const LIMIT: Duration = Duration::from_millis(4_500);

static CONTROL: OnceLock<Sender<Word>> = OnceLock::new();

/// Message from the work to `main`.
enum Word {
    /// Deadline at which the process ends with this status, whether or not the work is done; `None` lifts it.
    Limit(Option<(Instant, ExitStatus)>),
    /// The work is done; `None` if it panicked.
    Done(Option<ExitStatus>),
}

/// Finish of the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finish {
    /// The work was done.
    Done(ExitStatus),
    /// The work was not done in time, or it panicked.
    Abandoned(ExitStatus),
}

/// Runs `work` on its own thread and waits for it: without a limit, until the work sets one.
///
/// # Errors
/// The thread could not be started.
pub fn supervise(work: impl FnOnce() -> ExitStatus + Send + 'static) -> std::io::Result<Finish> {
    let (sender, words) = channel();
    _ = CONTROL.set(sender.clone());
    address_space::check_control_thread()?;
    thread::Builder::new().name("control".to_owned()).spawn(move || {
        let status = catch_unwind(AssertUnwindSafe(work)).ok();
        // The receiver is gone if the work took too long.
        _ = sender.send(Word::Done(status));
    })?;
    Ok(wait(&words))
}

/// Ends the process within `limit`: with the status of the work if it is done by then, otherwise with `status`.
pub(super) fn within(limit: Duration, status: ExitStatus) {
    send(Word::Limit(Some((Instant::now() + limit, status))));
}

/// Lifts the limit while the operator reads the report.
pub(super) fn unhurried() {
    send(Word::Limit(None));
}

fn send(word: Word) {
    if let Some(control) = CONTROL.get() {
        // The receiver lives as long as the process.
        _ = control.send(word);
    }
}

fn wait(words: &Receiver<Word>) -> Finish {
    let abandoned = ExitStatus::from(exit_code::INTERNAL);
    let mut limit: Option<(Instant, ExitStatus)> = None;
    loop {
        let word = match limit {
            Some((end, _)) => words.recv_timeout(end.saturating_duration_since(Instant::now())),
            None => words.recv().map_err(RecvTimeoutError::from),
        };
        match word {
            // A second limit never gives more time than the first.
            Ok(Word::Limit(next)) => {
                limit = next.map(|(end, status)| (limit.map_or(end, |(first, _)| first.min(end)), status));
            }
            Ok(Word::Done(status)) => {
                return status.map_or(Finish::Abandoned(abandoned), Finish::Done);
            }
            Err(_) => return Finish::Abandoned(limit.map_or(abandoned, |(_, status)| status)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODE: u8 = exit_code::SIGNALLED + 15;

    #[test]
    fn work_that_hangs_is_left_behind_with_the_status_that_was_judged_before() {
        let (sender, words) = channel();
        sender.send(Word::Limit(Some((Instant::now(), ExitStatus::from(CODE))))).expect("sent");
        assert_eq!(wait(&words), Finish::Abandoned(ExitStatus::from(CODE)));
        drop(sender);
    }

    #[test]
    fn a_limit_can_be_lifted_and_work_that_is_done_is_not_abandoned() {
        let (sender, words) = channel();
        let far = Instant::now() + Duration::from_secs(3_600);
        for word in [
            Word::Limit(Some((far, ExitStatus::from(exit_code::INTERNAL)))),
            Word::Limit(None),
            Word::Done(Some(ExitStatus::from(CODE))),
        ] {
            sender.send(word).expect("sent");
        }
        assert_eq!(wait(&words), Finish::Done(ExitStatus::from(CODE)));
    }

    #[test]
    fn work_that_panics_is_an_internal_fault() {
        let outcome = supervise(|| panic!("of the work")).expect("a thread");
        assert_eq!(outcome, Finish::Abandoned(ExitStatus::from(exit_code::INTERNAL)));
    }
}
