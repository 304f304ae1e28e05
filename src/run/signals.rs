//! Signals: those that would kill the process stop the run instead, so that every end restores the terminal and
//! writes the reports.
//!
//! * The first one asks for a stop, the next one for a stop at once.
//! * SIGHUP stays ignored where it was when the process began (`nohup`).
//! * Not caught: SIGKILL and SIGSTOP, which cannot be; SIGILL, SIGFPE and SIGSEGV, after which a process cannot go on;
//!   SIGPIPE, which the Rust runtime ignores.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::process::Signal as Number;
use tokio::runtime::Builder;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::Instant;

use super::exit::{self, ExitStatus};
use super::{end, threads};
use crate::tui::Remote;
use crate::vocabulary::{Command, OnHangup, StopCause, limits};

/// A closing terminal brings up to three hang-ups within milliseconds: the kernel's, the shell's, and its own end.
const ONE_HANG_UP: Duration = Duration::from_millis(500);

/// Signals that end a process by default and have no other meaning here. A process that is broken still dies of
/// them: `abort` and a fault that repeats itself restore the default.
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

/// The real-time signals of Linux, those included that a C library keeps for itself and does not let anybody catch.
const REAL_TIME: std::ops::RangeInclusive<u8> = 34..=64;

/// Commands that may wait for the controller; more keys than this within its 50 ms are dropped.
const COMMANDS: usize = 256;

/// The signals of this process, heard on a thread of their own: one that hangs elsewhere must not keep the process.
#[derive(Debug)]
pub(super) struct Signals {
    /// Where keys and signals put what they ask of the run.
    pub(super) commands: flume::Sender<Command>,
    /// Where the run takes it.
    pub(super) orders: flume::Receiver<Command>,
    /// A word for each time that reports were asked for.
    pub(super) report: flume::Receiver<()>,
    hang_up: HangUp,
}

/// What a hang-up means.
#[derive(Clone, Debug, Default)]
struct HangUp {
    continues: Arc<AtomicBool>,
}

impl Signals {
    /// Catches signals from now on. Those that come before the run takes its orders wait for it.
    ///
    /// # Errors
    /// The thread or a handler could not be started.
    pub(super) fn catch() -> io::Result<Self> {
        let (commands, orders) = flume::bounded(COMMANDS);
        let (asked, report) = flume::bounded(1);
        let hang_up = HangUp::default();
        let told = Told { commands: commands.clone(), asked, hang_up: hang_up.clone() };
        let mut runtime = Builder::new_current_thread();
        runtime.enable_all();
        // Until the process ends.
        threads::start("signals", runtime, move || told.listen().map(|()| std::future::pending()))?;
        Ok(Self { commands, orders, report, hang_up })
    }

    /// Says what a hang-up means to this run and returns it: one that was ignored when the process began stays ignored.
    pub(super) fn on_hangup(&self, asked: OnHangup) -> OnHangup {
        if asked == OnHangup::Continue {
            self.hang_up.continues.store(true, Ordering::Release);
        }
        if self.hang_up.continues.load(Ordering::Acquire) { OnHangup::Continue } else { OnHangup::Stop }
    }

    /// Waits for the first that asks for a stop.
    pub(super) async fn stopped(self) {
        // The senders live as long as the process.
        _ = self.orders.recv_async().await;
    }
}

/// Whom signals are told.
#[derive(Clone)]
struct Told {
    commands: flume::Sender<Command>,
    asked: flume::Sender<()>,
    hang_up: HangUp,
}

impl Told {
    /// Installs the handlers, within a runtime, and listens for as long as it lives.
    fn listen(self) -> io::Result<()> {
        // A file that reaches its size limit is an error of writing it.
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
            self.tell(cause);
        }
    }

    async fn hang_up(self, mut signals: Signal) {
        let mut last: Option<Instant> = None;
        while signals.recv().await.is_some() {
            let same = last.is_some_and(|last| last.elapsed() < ONE_HANG_UP);
            last = Some(Instant::now());
            if !same && !self.hang_up.continues.load(Ordering::Acquire) {
                self.tell(StopCause::HangUp);
            }
        }
    }

    fn tell(&self, cause: StopCause) {
        // Where the channel is full the run is hung, or full of stops; either way the process has an end.
        _ = self.commands.try_send(Command::Stop(cause));
        let code = exit::of_signal(cause).map_or(exit::INTERNAL, |(code, _)| code);
        end::within(limits::DRAIN_GRACE + end::LIMIT, ExitStatus::from(code));
    }
}

fn caught(number: u8) -> io::Result<Signal> {
    signal(SignalKind::from_raw(number.into()))
}

async fn report(mut signals: Signal, asked: flume::Sender<()>) {
    while signals.recv().await.is_some() {
        // One that waits is enough.
        _ = asked.try_send(());
    }
}

/// Puts the terminal back before the process is stopped by SIGTSTP, and takes it over when the process goes on
/// (SIGCONT). Without a console both do what they always do.
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

/// Whether a signal is ignored. Nothing changes that before the handlers are installed, so it was so from the start.
fn is_ignored(number: Number) -> bool {
    // Only Linux says so without unsafe code.
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    ignored_signals(&status).is_some_and(|mask| mask >> (number.as_raw() - 1) & 1 == 1)
}

/// The bit mask of ignored signals in a `/proc/PID/status`: see proc_pid_status(5).
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
        // The Rust runtime ignores it before `main`.
        assert!(!cfg!(target_os = "linux") || is_ignored(Number::PIPE));
    }
}
