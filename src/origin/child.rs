//! Runs the origin as a child process, so that its processor time, files and memory are not the load generator's.
//!
//! * The child writes one JSON line with its URLs ([`Hello`]), serves until its standard input ends, writes one JSON
//!   line with its [`Counts`], and exits. If the parent dies, that input ends and the child exits too.
//! * The child has its own process group. Ctrl-C in the terminal asks only the parent to stop, and the parent's
//!   clients still finish their requests in flight.
//! * The parent reads the child's output up to a limit, and every wait has a deadline.

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::process::Stdio;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, BufReader};
use tokio::process::{ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::OriginError;
use super::counts::Counts;
use super::server::{self, Origin};
use super::settings::Settings;

/// Time limit for the child's first line.
const START_LIMIT: Duration = Duration::from_secs(10);
/// Time limit for the child's end. Its clients have left, so it has nothing to wait for; a child that hangs must not
/// hold up the parent's reports.
const FINISH_LIMIT: Duration = Duration::from_secs(2);
/// Maximum length of a line from the child: its counts have at most 6 kinds x 1,000 statuses.
const LINE_BYTES: u64 = 1024 * 1024;
/// Bytes of the child's standard error that are kept to say why it ended; the rest is read and discarded.
const STDERR_BYTES: usize = 4 * 1024;

/// First line that the child writes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// `http://127.0.0.1:PORT`.
    pub plain: String,
    /// `https://127.0.0.1:PORT`, with TLS.
    pub tls: Option<String>,
    /// The certificate, with TLS.
    pub certificate_pem: Option<String>,
}

/// Serves in the child until standard input ends.
///
/// # Errors
/// The errors of [`super::serve_blocking`], and [`OriginError::Output`] if the parent does not read.
pub fn serve(settings: Settings) -> Result<(), OriginError> {
    let (ended, input_ended) = oneshot::channel();
    // Read on a thread, not with tokio's standard input: a read that never returns would keep the runtime from
    // ending.
    std::thread::Builder::new()
        .name("origin-stdin".to_owned())
        .spawn(move || {
            read_to_end(io::stdin().lock());
            // The receiver is gone if the origin has ended for another reason.
            let _ = ended.send(());
        })
        .map_err(OriginError::Runtime)?;
    let stop = async {
        // An error means that the thread is gone. Stop then too: no request to stop can arrive any more.
        let _ = input_ended.await;
    };
    let counts = server::serve_blocking(settings, |origin| write_line(&hello(origin)), stop)?;
    write_line(&counts)
}

fn read_to_end(mut input: impl io::Read) {
    let mut buffer = [0; 256];
    while input.read(&mut buffer).is_ok_and(|count| count > 0) {}
}

fn hello(origin: &Origin) -> Hello {
    let addresses = origin.addresses();
    Hello {
        plain: format!("http://{}", addresses.plain),
        tls: addresses.tls.map(|address| format!("https://{address}")),
        certificate_pem: origin.certificate_pem().map(str::to_owned),
    }
}

fn write_line(value: &impl Serialize) -> Result<(), OriginError> {
    let write = || {
        let mut line = serde_json::to_vec(value)?;
        line.push(b'\n');
        let mut output = io::stdout().lock();
        output.write_all(&line)?;
        output.flush()
    };
    write().map_err(OriginError::Output)
}

/// Reason why the parent has no origin, or no counts from it.
#[derive(Debug, thiserror::Error)]
pub enum ChildError {
    /// The process could not be started.
    #[error("the origin's process could not be started")]
    Spawn(#[source] io::Error),
    /// The child ended early. Holds the beginning of its standard error, which comes from this same program.
    #[error("the origin ended unexpectedly: {0}")]
    Ended(String),
    /// The child missed its deadline.
    #[error("the origin did not {doing} within {limit:?}")]
    Late {
        /// Step that the child should have completed.
        doing: &'static str,
        /// The deadline.
        limit: Duration,
    },
    /// The child's line could not be read or parsed.
    #[error("the origin's output could not be read")]
    Line(#[source] io::Error),
}

/// The parent's half: a running origin. Dropping it kills the child.
#[derive(Debug)]
pub struct Child {
    process: tokio::process::Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    complaints: JoinHandle<String>,
    hello: Hello,
}

impl Child {
    /// Starts this same program with `arguments`, which must lead to [`serve`], and waits until it serves.
    ///
    /// # Errors
    /// See [`ChildError`].
    pub async fn spawn(arguments: Vec<OsString>) -> Result<Self, ChildError> {
        let program = std::env::current_exe().map_err(ChildError::Spawn)?;
        let mut command = Command::new(program);
        command.args(arguments);
        Self::start(command).await
    }

    async fn start(mut command: Command) -> Result<Self, ChildError> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.process_group(0).kill_on_drop(true);
        let mut process = command.spawn().map_err(ChildError::Spawn)?;
        let missing = || ChildError::Spawn(io::Error::other("a pipe is missing"));
        let input = process.stdin.take();
        let mut output = BufReader::new(process.stdout.take().ok_or_else(missing)?);
        let complaints = tokio::spawn(complaints(process.stderr.take().ok_or_else(missing)?));
        let line = timeout(START_LIMIT, read_line(&mut output))
            .await
            .map_err(|_| ChildError::Late { doing: "start", limit: START_LIMIT })?;
        match line.and_then(|line| serde_json::from_str(&line).map_err(io::Error::from)) {
            Ok(hello) => Ok(Self { process, input, output, complaints, hello }),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(ended(complaints).await),
            Err(error) => Err(ChildError::Line(error)),
        }
    }

    /// Returns all URLs and the certificate.
    pub fn hello(&self) -> &Hello {
        &self.hello
    }

    /// Stops the child, waits for its end, and returns its counts.
    ///
    /// # Errors
    /// See [`ChildError`].
    pub async fn finish(mut self) -> Result<Counts, ChildError> {
        drop(self.input.take());
        let ending = async {
            let line = read_line(&mut self.output).await;
            match line.and_then(|line| serde_json::from_str(&line).map_err(io::Error::from)) {
                // A child that has written its counts but fails to end is late, and is killed on drop.
                Ok(counts) => self.process.wait().await.map(|_| counts).map_err(ChildError::Line),
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    Err(ended(self.complaints).await)
                }
                Err(error) => Err(ChildError::Line(error)),
            }
        };
        let late = |_| ChildError::Late { doing: "end", limit: FINISH_LIMIT };
        timeout(FINISH_LIMIT, ending).await.map_err(late)?
    }
}

/// Reads one line of at most [`LINE_BYTES`]. The end of the output is `UnexpectedEof`.
async fn read_line(output: &mut BufReader<impl AsyncRead + Unpin>) -> io::Result<String> {
    let mut line = String::new();
    output.take(LINE_BYTES).read_line(&mut line).await?;
    if line.ends_with('\n') { Ok(line) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

/// Reads all of the child's standard error and keeps its beginning.
async fn complaints(mut errors: ChildStderr) -> String {
    let mut kept = Vec::new();
    let mut buffer = [0; 1024];
    while let Ok(count @ 1..) = errors.read(&mut buffer).await {
        let room = STDERR_BYTES.saturating_sub(kept.len());
        kept.extend(buffer.iter().take(count.min(room)));
    }
    String::from_utf8_lossy(&kept).trim().to_owned()
}

async fn ended(complaints: JoinHandle<String>) -> ChildError {
    let said = timeout(START_LIMIT, complaints).await.ok().and_then(Result::ok).unwrap_or_default();
    ChildError::Ended(if said.is_empty() { "no reason given".to_owned() } else { said })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    const HELLO: &str = r#"{"plain":"http://127.0.0.1:1","tls":null,"certificate_pem":null}"#;

    #[tokio::test]
    async fn a_child_is_told_to_stop_by_the_end_of_its_input() {
        let counts = serde_json::to_string(&Counts { open: 7, ..Counts::default() }).unwrap();
        let child = Child::start(shell(&format!("echo '{HELLO}'; cat; echo '{counts}'"))).await.unwrap();
        assert_eq!(child.hello().plain, "http://127.0.0.1:1");
        assert_eq!(child.finish().await.unwrap().open, 7);
    }

    #[tokio::test]
    async fn a_child_that_ends_early_says_why() {
        let error = Child::start(shell("echo 'port in use' >&2; exit 1")).await.unwrap_err();
        assert_eq!(error.to_string(), "the origin ended unexpectedly: port in use");
        let child = Child::start(shell(&format!("echo '{HELLO}'; echo 'out of memory' >&2"))).await.unwrap();
        let error = child.finish().await.unwrap_err();
        assert_eq!(error.to_string(), "the origin ended unexpectedly: out of memory");
    }

    #[tokio::test]
    async fn a_line_that_is_not_ours_is_an_error() {
        let error = Child::start(shell("echo hello; cat")).await.unwrap_err();
        assert!(matches!(error, ChildError::Line(_)), "{error:?}");
    }

    #[tokio::test]
    async fn a_child_has_a_process_group_of_its_own() {
        let child = Child::start(shell(&format!("echo '{HELLO}'; cat"))).await.unwrap();
        let id = child.process.id().unwrap();
        let status = std::fs::read_to_string(format!("/proc/{id}/stat"));
        if let Ok(status) = status {
            let group = status.rsplit(')').next().unwrap().split_whitespace().nth(2).unwrap();
            assert_eq!(group, id.to_string());
        }
    }
}
