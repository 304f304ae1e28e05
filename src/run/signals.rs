//! Signals become commands: the first of them asks for a stop, the next one for a stop at once.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::base::{Command, OnHangup, StopCause};
use crate::tui::Resumer;

/// Listens for SIGINT, SIGTERM and SIGHUP for as long as the runtime lives. A run that goes on after a hang-up takes
/// SIGHUP and does nothing.
///
/// # Errors
/// A handler could not be installed.
pub(super) fn listen(commands: flume::Sender<Command>, on_hangup: OnHangup) -> std::io::Result<()> {
    for (kind, cause) in [
        (SignalKind::interrupt(), StopCause::Interrupt),
        (SignalKind::terminate(), StopCause::Terminate),
        (SignalKind::hangup(), StopCause::HangUp),
    ] {
        let signals = signal(kind)?;
        let ignored = cause == StopCause::HangUp && on_hangup == OnHangup::Continue;
        tokio::spawn(stop(signals, (!ignored).then(|| (commands.clone(), cause))));
    }
    Ok(())
}

async fn stop(mut signals: Signal, told: Option<(flume::Sender<Command>, StopCause)>) {
    while signals.recv().await.is_some() {
        if let Some((commands, cause)) = &told
            && commands.send_async(Command::Stop(*cause)).await.is_err()
        {
            return;
        }
    }
}

/// Gives the console its terminal back when the process goes on after it was stopped (SIGCONT).
///
/// # Errors
/// The handler could not be installed.
pub(super) fn listen_for_continue(console: Resumer) -> std::io::Result<()> {
    let mut signals = signal(SignalKind::from_raw(rustix::process::Signal::CONT.as_raw()))?;
    tokio::spawn(async move {
        while signals.recv().await.is_some() {
            console.resume();
        }
    });
    Ok(())
}
