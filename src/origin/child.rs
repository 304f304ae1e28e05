//! Runs the origin as a child process, so that its processor time, files and memory are not the load generator's.
//!
//! * The child writes one JSON line with its URLs ([`Hello`]), serves until its standard input ends, writes one JSON
//!   line with its [`Counts`], and exits. If the parent dies, that input ends and the child exits too.
//! * The child has its own process group. Ctrl-C in the terminal asks only the parent to stop, and the parent's
//!   clients still finish their requests in flight.
//! * The parent reads the child's output up to a limit, and every wait has a deadline.

use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Read as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{ChildStderr, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use flume::{Receiver, Sender};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;
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
const STDERR_BYTES: u64 = 4 * 1024;

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

/// The parent's half: a running origin.
#[derive(Debug)]
pub struct Child {
    process: Process,
    input: Option<ChildStdin>,
    lines: Receiver<io::Result<String>>,
    complaints: Receiver<String>,
    hello: Hello,
}

/// A process that is killed when it is dropped.
#[derive(Debug)]
struct Process(std::process::Child);

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only if the process has ended.
        _ = self.0.kill();
        _ = self.0.wait();
    }
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
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let mut process = Process(command.spawn().map_err(ChildError::Spawn)?);
        let missing = || ChildError::Spawn(io::Error::other("a pipe is missing"));
        let input = process.0.stdin.take();
        let output = process.0.stdout.take().ok_or_else(missing)?;
        let errors = process.0.stderr.take().ok_or_else(missing)?;
        let lines = read_on_thread("origin-output", move |lines| send_lines(output, lines))?;
        let complaints = read_on_thread("origin-errors", move |text| {
            // The receiver is gone if the child ended in good order.
            _ = text.send(beginning(errors));
        })?;
        let line = next_line(&lines, START_LIMIT, "start").await?;
        match parse(line) {
            Ok(hello) => Ok(Self { process, input, lines, complaints, hello }),
            Err(error) => Err(explained(error, &complaints).await),
        }
    }

    /// Returns all URLs and the certificate.
    pub fn hello(&self) -> &Hello {
        &self.hello
    }

    /// Asks the child to stop, waits for its counts and returns them. A child that then does not end is killed.
    ///
    /// # Errors
    /// See [`ChildError`].
    pub async fn finish(mut self) -> Result<Counts, ChildError> {
        drop(self.input.take());
        match parse(next_line(&self.lines, FINISH_LIMIT, "end").await?) {
            Ok(counts) => {
                drop(self.process);
                Ok(counts)
            }
            Err(error) => Err(explained(error, &self.complaints).await),
        }
    }
}

/// Starts a thread that reads a pipe of the child, and returns what it sends. A thread and not tokio's processes:
/// those would look for ended children each time that any worker waits.
fn read_on_thread<T: Send + 'static>(
    name: &str,
    read: impl FnOnce(Sender<T>) + Send + 'static,
) -> Result<Receiver<T>, ChildError> {
    let (sender, receiver) = flume::bounded(1);
    let thread = std::thread::Builder::new().name(name.to_owned());
    thread.spawn(move || read(sender)).map_err(ChildError::Spawn)?;
    Ok(receiver)
}

/// Sends the lines of the child, the last one being an error or the end.
fn send_lines(output: ChildStdout, lines: Sender<io::Result<String>>) {
    let mut output = BufReader::new(output);
    loop {
        let line = read_line(&mut output);
        let has_ended = line.is_err();
        if lines.send(line).is_err() || has_ended {
            return;
        }
    }
}

/// Reads one line of at most [`LINE_BYTES`]. The end of the output is `UnexpectedEof`.
fn read_line(output: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    output.take(LINE_BYTES).read_line(&mut line)?;
    if line.ends_with('\n') { Ok(line) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

/// Waits for the child's next line. The line is itself an error if the child ended without one.
async fn next_line(
    lines: &Receiver<io::Result<String>>,
    limit: Duration,
    doing: &'static str,
) -> Result<io::Result<String>, ChildError> {
    let line = timeout(limit, lines.recv_async()).await.map_err(|_| ChildError::Late { doing, limit })?;
    Ok(line.unwrap_or_else(|_| Err(io::ErrorKind::UnexpectedEof.into())))
}

fn parse<T: DeserializeOwned>(line: io::Result<String>) -> io::Result<T> {
    line.and_then(|line| serde_json::from_str(&line).map_err(io::Error::from))
}

/// Returns the error for a line that is missing or not understood; a child that ended says why.
async fn explained(error: io::Error, complaints: &Receiver<String>) -> ChildError {
    if error.kind() != io::ErrorKind::UnexpectedEof {
        return ChildError::Line(error);
    }
    let said = timeout(FINISH_LIMIT, complaints.recv_async()).await.ok().and_then(Result::ok);
    let said = said.filter(|said| !said.is_empty());
    ChildError::Ended(said.unwrap_or_else(|| "no reason given".to_owned()))
}

/// Reads all of the child's standard error and returns its beginning.
fn beginning(mut errors: ChildStderr) -> String {
    let mut kept = Vec::new();
    // An error is the end: what was read until then is all that there is.
    _ = errors.by_ref().take(STDERR_BYTES).read_to_end(&mut kept);
    read_to_end(errors);
    String::from_utf8_lossy(&kept).trim().to_owned()
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
    async fn the_counts_of_a_child_that_does_not_end_are_used_and_it_is_killed() {
        let counts = serde_json::to_string(&Counts::default()).unwrap();
        let script = format!("echo '{HELLO}'; cat; echo '{counts}'; exec sleep 600");
        let child = Child::start(shell(&script)).await.unwrap();
        let process = format!("/proc/{}/stat", child.process.0.id());
        assert_eq!(child.finish().await.unwrap().open, 0);
        assert!(std::fs::read_to_string(process).is_err());
    }

    #[tokio::test]
    async fn a_line_that_is_not_ours_is_an_error() {
        let error = Child::start(shell("echo hello; cat")).await.unwrap_err();
        assert!(matches!(error, ChildError::Line(_)), "{error:?}");
    }

    #[tokio::test]
    async fn a_child_has_a_process_group_of_its_own() {
        let child = Child::start(shell(&format!("echo '{HELLO}'; cat"))).await.unwrap();
        let id = child.process.0.id();
        let status = std::fs::read_to_string(format!("/proc/{id}/stat"));
        if let Ok(status) = status {
            let group = status.rsplit(')').next().unwrap().split_whitespace().nth(2).unwrap();
            assert_eq!(group, id.to_string());
        }
    }
}
