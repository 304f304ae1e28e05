//! Process that measures one load: the same program, with hidden arguments.

use std::io::{self, Read as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use flume::Receiver;
use tokio::time::timeout;

use super::loads::{Scale, Spec};
use crate::capacity::Measured;

/// Maximum length of the line with the numbers; it has some 500 bytes.
const LINE_BYTES: u64 = 64 * 1024;
/// Time that a measurement may take beyond its length: the starts of two processes and their ends, on a machine that
/// may be busy.
const SPARE: Duration = Duration::from_secs(60);

/// Reason why a load gave no numbers.
#[derive(Debug, thiserror::Error)]
pub(super) enum LoadError {
    /// The process could not be started, or its output could not be read.
    #[error("its process could not be started or read: {0}")]
    Process(#[from] io::Error),
    /// The process ended without numbers; it has said why on standard error.
    #[error("its process ended without a result")]
    Silent,
    /// The process took too long.
    #[error("its process did not end within {0:?}")]
    Late(Duration),
}

/// A running measurement; it is killed when it is dropped.
#[derive(Debug)]
pub(super) struct LoadProcess {
    child: Child,
    output: Receiver<io::Result<Vec<u8>>>,
    limit: Duration,
}

impl Drop for LoadProcess {
    fn drop(&mut self) {
        // Both fail only if the process has ended. Its origin ends with it.
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

impl LoadProcess {
    /// Starts the measurement of a load, of at most `fit` clients.
    pub(super) fn start(spec: Spec, fit: u32) -> Result<Self, LoadError> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["selftest", "--load", spec.load.name()]);
        command.args(spec.secure.then_some("--tls"));
        command.args((spec.scale == Scale::Quick).then_some("--quick"));
        // A group of its own: Ctrl-C in the terminal asks only the parent, which then ends this process.
        command.stdin(Stdio::null()).stdout(Stdio::piped()).process_group(0);
        let mut child = command.spawn()?;
        let output = child.stdout.take().ok_or_else(|| io::Error::other("a pipe is missing"))?;
        let (sender, lines) = flume::bounded(1);
        let process = Self { child, output: lines, limit: spec.window(fit).1 + SPARE };
        std::thread::Builder::new().name("selftest-output".to_owned()).spawn(move || {
            // The receiver is gone if the measurement was cancelled.
            _ = sender.send(read(output));
        })?;
        Ok(process)
    }

    /// Waits for the numbers.
    pub(super) async fn finish(self) -> Result<Measured, LoadError> {
        let bytes = timeout(self.limit, self.output.recv_async()).await;
        let bytes = bytes.map_err(|_| LoadError::Late(self.limit))?.map_err(|_| LoadError::Silent)??;
        serde_json::from_slice(&bytes).map_err(|_| LoadError::Silent)
    }
}

fn read(output: ChildStdout) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    output.take(LINE_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}
