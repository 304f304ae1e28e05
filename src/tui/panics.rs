//! Keeps panics that occur while the screen is up, so that they can be reported once it has gone.
//!
//! * The hook never touches the terminal: a client's panic that its runtime catches must not tear the screen down,
//!   and a panic of the console itself unwinds through the guard that restores the terminal.
//! * While no screen is up, the previous hook does its usual work.

use std::panic;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, Once, PoisonError};

use super::STOP_LIMIT;
use crate::vocabulary::{Command, StopCause, Untrusted};

/// Maximum number of kept messages; a panic that repeats itself adds nothing new.
const KEPT: usize = 8;

static SCREEN_IS_UP: AtomicBool = AtomicBool::new(false);
static MESSAGES: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Guard that keeps panics from being printed while it lives, and stores them.
#[derive(Debug)]
pub(super) struct Hold(());

impl Hold {
    /// Starts to keep panics.
    pub(super) fn begin() -> Self {
        static INSTALLED: Once = Once::new();
        INSTALLED.call_once(|| {
            let previous = panic::take_hook();
            panic::set_hook(Box::new(move |info| {
                if SCREEN_IS_UP.load(Ordering::Acquire) {
                    keep(info.to_string());
                } else {
                    previous(info);
                }
            }));
        });
        SCREEN_IS_UP.store(true, Ordering::Release);
        Self(())
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        SCREEN_IS_UP.store(false, Ordering::Release);
    }
}

/// Guard that stops the run when its thread panics: without a screen the operator could no longer control the run.
#[derive(Debug)]
pub(super) struct Alarm(flume::Sender<Command>);

impl Alarm {
    pub(super) fn new(run: flume::Sender<Command>) -> Self {
        Self(run)
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // An error does not matter: a run that has ended needs no stop.
            _ = self.0.send_timeout(Command::Stop(StopCause::Fault), STOP_LIMIT);
        }
    }
}

fn keep(message: String) {
    let mut messages = MESSAGES.lock().unwrap_or_else(PoisonError::into_inner);
    if messages.len() < KEPT {
        messages.push(Untrusted::new(&message).shown());
    }
}

/// Counts the kept messages.
pub(super) fn count() -> u64 {
    MESSAGES.lock().unwrap_or_else(PoisonError::into_inner).len() as u64
}

/// Takes the kept messages.
pub(super) fn take() -> Vec<String> {
    std::mem::take(&mut *MESSAGES.lock().unwrap_or_else(PoisonError::into_inner))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_under_the_screen_is_kept_and_told_later() {
        let hold = Hold::begin();
        let panicked = std::thread::spawn(|| panic!("of a client\x1b[2J")).join();
        drop(hold);
        assert!(panicked.is_err());
        let told = take();
        assert!(told.iter().any(|message| message.contains("of a client^[[2J")), "{told:?}");
    }
}
