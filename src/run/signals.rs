//! Signals become commands: the first of them asks for a stop, the next one for a stop at once.

use tokio::signal::unix::{SignalKind, signal};

use crate::base::{Command, StopCause};

/// Listens for SIGINT, SIGTERM and SIGHUP for as long as the runtime lives.
///
/// # Errors
/// A handler could not be installed.
pub(super) fn listen(commands: flume::Sender<Command>) -> std::io::Result<()> {
    for (kind, cause) in [
        (SignalKind::interrupt(), StopCause::Interrupt),
        (SignalKind::terminate(), StopCause::Terminate),
        (SignalKind::hangup(), StopCause::HangUp),
    ] {
        let mut signals = signal(kind)?;
        let commands = commands.clone();
        tokio::spawn(async move {
            while signals.recv().await.is_some() {
                if commands.send_async(Command::Stop(cause)).await.is_err() {
                    return;
                }
            }
        });
    }
    Ok(())
}
