//! Handles signals: those that would kill the process stop the run instead, so that every end restores the terminal
//! and writes the reports.
//!
//! * The first signal asks for a stop, the next one for a stop at once.
//! * SIGHUP stays ignored if it was ignored when the process began (`nohup`).
//! * Not caught: SIGKILL and SIGSTOP, which cannot be caught; SIGILL, SIGFPE and SIGSEGV, after which a process
//!   cannot go on; SIGPIPE, which the Rust runtime ignores.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::process::Signal as Number;
use tokio::runtime::Builder;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::Instant;

use super::exit::{self, ExitStatus};
use super::{deadline, threads};
use crate::tui::Remote;
use crate::vocabulary::{Command, OnHangup, StopCause, exit_code, limits};

/// Time within which hang-ups count as one. A closing terminal causes up to three within milliseconds: the kernel's,
/// the shell's, and the end of the terminal itself.
const ONE_HANG_UP: Duration = Duration::from_millis(500);

/// Signals that end a process by default and have no other meaning here. They still kill a broken process: `abort`
/// and a fault that repeats itself restore the default.
const ENDING: &[(Number, &str)] = &[
    (Number::TERM, "SIGTERM"),
    (Number::QUIT, "SIGQUIT"),
    (Number::TRAP, "SIGTRAP"),
    (Number::ABORT, "SIGABRT"),
    (Number::BUS, "SIGBUS"),
    (Number::USR2, "SIGUSR2"),
    (Number::ALARM, "SIGALRM"),
    (Number::XCPU, "SIGXCPU"),
    (Number::VTALARM, "SIGVTALRM"),
    (Number::PROF, "SIGPROF"),
    (Number::IO, "SIGIO"),
    #[cfg(target_os = "linux")]
    (Number::STKFLT, "SIGSTKFLT"),
    #[cfg(target_os = "linux")]
    (Number::POWER, "SIGPWR"),
    (Number::SYS, "SIGSYS"),
];

/// Real-time signals of Linux, including those that a C library reserves and does not allow to be caught.
const REAL_TIME: std::ops::RangeInclusive<u8> = 34..=64;

/// Commands that may wait for the controller; more keys than this within its 50 ms are dropped.
const COMMANDS: usize = 256;

/// Signals of this process, received on a separate thread: a thread that hangs elsewhere must not keep the process
/// alive.
#[derive(Debug)]
pub(super) struct Signals {
    /// Sender of commands from keys and signals to the run.
    pub(super) commands: flume::Sender<Command>,
    /// Receiver of these commands for the run.
    pub(super) orders: flume::Receiver<Command>,
    /// Receiver of a message for each time that reports were asked for.
    pub(super) report: flume::Receiver<()>,
    hang_up: HangUp,
}

/// Effect of a hang-up on the run.
#[derive(Clone, Debug, Default)]
struct HangUp {
    continues: Arc<AtomicBool>,
}

impl Signals {
    /// Starts to catch signals. Commands that arrive before the run takes its orders wait for it.
    ///
    /// # Errors
    /// The thread or a handler could not be started.
    pub(super) fn catch() -> io::Result<Self> {
        let (commands, orders) = flume::bounded(COMMANDS);
        let (asked, report) = flume::bounded(1);
        let hang_up = HangUp::default();
        let senders = SignalSenders { commands: commands.clone(), asked, hang_up: hang_up.clone() };
        let mut runtime = Builder::new_current_thread();
        runtime.enable_all();
        // Runs until the process ends.
        threads::start("signals", runtime, move || senders.listen().map(|()| std::future::pending()))?;
        Ok(Self { commands, orders, report, hang_up })
    }

    /// Sets the effect of a hang-up on this run and returns it. A hang-up that was ignored when the process began
    /// stays ignored.
    pub(super) fn on_hangup(&self, asked: OnHangup) -> OnHangup {
        if asked == OnHangup::Continue {
            self.hang_up.continues.store(true, Ordering::Release);
        }
        if self.hang_up.continues.load(Ordering::Acquire) { OnHangup::Continue } else { OnHangup::Stop }
    }

    /// Waits for the first command to stop.
    pub(super) async fn stopped(self) {
        // The senders live as long as the process.
        _ = self.orders.recv_async().await;
    }
}

/// Channels that the handlers send signals to.
#[derive(Clone)]
struct SignalSenders {
    commands: flume::Sender<Command>,
    asked: flume::Sender<()>,
    hang_up: HangUp,
}

impl SignalSenders {
    /// Installs the handlers. Needs a runtime, and listens as long as that lives.
    fn listen(self) -> io::Result<()> {
        // With a handler, a file that reaches its size limit becomes an error of the write.
        _ = signal(SignalKind::from_raw(Number::XFSZ.as_raw()))?;
        tokio::spawn(report(signal(SignalKind::user_defined1())?, self.asked.clone()));
        tokio::spawn(self.clone().stop(signal(SignalKind::interrupt())?, StopCause::Interrupt));
        for &(number, name) in ENDING {
            let number = u8::try_from(number.as_raw()).unwrap_or_default();
            tokio::spawn(self.clone().stop(caught(number)?, StopCause::Signal(number, name)));
        }
        let real_time = REAL_TIME.filter(|_| cfg!(target_os = "linux"));
        for (number, caught) in real_time.filter_map(|number| Some((number, caught(number).ok()?))) {
            tokio::spawn(self.clone().stop(caught, StopCause::Signal(number, "a real-time signal")));
        }
        if is_ignored(Number::HUP) {
            self.hang_up.continues.store(true, Ordering::Release);
        } else {
            tokio::spawn(self.hang_up(signal(SignalKind::hangup())?));
        }
        Ok(())
    }

    async fn stop(self, mut signals: Signal, cause: StopCause) {
        while signals.recv().await.is_some() {
            self.send_stop(cause);
        }
    }

    async fn hang_up(self, mut signals: Signal) {
        let mut last: Option<Instant> = None;
        while signals.recv().await.is_some() {
            let same = last.is_some_and(|last| last.elapsed() < ONE_HANG_UP);
            last = Some(Instant::now());
            if !same && !self.hang_up.continues.load(Ordering::Acquire) {
                self.send_stop(StopCause::HangUp);
            }
        }
    }

    fn send_stop(&self, cause: StopCause) {
        // If the channel is full, the run hangs or has many stops waiting; either way the process has a deadline.
        _ = self.commands.try_send(Command::Stop(cause));
        let code = exit::of_signal(cause).map_or(exit_code::INTERNAL, |(code, _)| code);
        deadline::within(limits::DRAIN_GRACE + deadline::LIMIT, ExitStatus::from(code));
    }
}

fn caught(number: u8) -> io::Result<Signal> {
    signal(SignalKind::from_raw(number.into()))
}

async fn report(mut signals: Signal, asked: flume::Sender<()>) {
    while signals.recv().await.is_some() {
        // One waiting message is enough.
        _ = asked.try_send(());
    }
}

/// Restores the terminal before SIGTSTP stops the process, and takes it over when the process continues (SIGCONT).
/// Without a console both signals keep their default effect.
///
/// # Errors
/// A handler could not be installed.
pub(super) fn obey_job_control(console: Remote) -> io::Result<()> {
    let mut suspended = signal(SignalKind::from_raw(Number::TSTP.as_raw()))?;
    let mut continued = signal(SignalKind::from_raw(Number::CONT.as_raw()))?;
    tokio::spawn(async move {
        loop {
            tokio::select! {
                Some(()) = suspended.recv() => console.suspend(),
                Some(()) = continued.recv() => console.resume(),
                else => return,
            }
        }
    });
    Ok(())
}

/// Reports whether a signal is ignored. Nothing changes this before the handlers are installed, so the answer also
/// holds for the start of the process.
fn is_ignored(number: Number) -> bool {
    // Only Linux shows this without unsafe code.
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    ignored_signals(&status).is_some_and(|mask| mask >> (number.as_raw() - 1) & 1 == 1)
}

/// Parses the bit mask of ignored signals in a `/proc/PID/status`: see proc_pid_status(5).
fn ignored_signals(status: &str) -> Option<u64> {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"))?;
    u64::from_str_radix(mask.trim(), 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mask_of_ignored_signals_is_read_from_the_status() {
        let status =
            "Name:\tx\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000001001\nSigCgt:\t0000000000000001\n";
        assert_eq!(ignored_signals(status), Some(0x1001));
        assert_eq!(ignored_signals(""), None);
        // The Rust runtime ignores SIGPIPE before `main`.
        assert!(!cfg!(target_os = "linux") || is_ignored(Number::PIPE));
    }
}
