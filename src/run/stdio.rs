//! The only place that writes to standard output and standard error. Callers decide how long they wait for a reader.
//!
//! * Each stream has a thread that writes. A full pipe, or a terminal under Ctrl-S, blocks only that thread, and the
//!   process ends without joining it.
//! * The queue is bounded. Progress lines are dropped, and counted, once a few of them wait; messages have more room.
//! * A closed pipe does not stop the work: messages are dropped, and the caller that prints the summary gets an
//!   error.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use crate::vocabulary::untrusted::harmless_lines;

/// Maximum number of texts that wait for one stream.
const QUEUE: usize = 256;
/// Number of waiting texts at which a progress line is dropped: it would be out of date when it is read.
const PROGRESS_QUEUE: u64 = 4;
/// Maximum time that a summary on standard output waits for messages on standard error to go first.
const ORDER_LIMIT: Duration = Duration::from_millis(250);
/// Maximum time that a stream without a thread waits for a reader that takes nothing.
const DIRECT_LIMIT: Duration = Duration::from_millis(250);
/// Bytes that a ready pipe takes without blocking: the smallest `PIPE_BUF` that POSIX allows.
const PIECE: usize = 512;

static STDOUT: OnceLock<Stdio> = OnceLock::new();
static STDERR: OnceLock<Stdio> = OnceLock::new();
/// Takes a copy of each message, if there is a log.
static COPY: OnceLock<fn(&str)> = OnceLock::new();

/// Queues a line for standard error, and for the log.
pub fn say(line: &str) {
    if let Some(copy) = COPY.get() {
        copy(line);
    }
    show(line);
}

/// Queues a line for standard error that the log has in words of its own.
pub fn show(line: &str) {
    stderr().say(&harmless_lines(line));
}

/// Also gives each message to `copy` from now on.
pub(super) fn copy_messages_to(copy: fn(&str)) {
    // Set once: a process has one log.
    _ = COPY.set(copy);
}

/// Queues a line for standard error that may be dropped: the next line has newer numbers.
pub fn progress(line: &str) {
    stderr().progress(line);
}

/// Prints text on standard output and waits at most `limit` for its reader; `None` means as long as the reader takes.
///
/// # Errors
/// Standard output is closed, cannot be written, or takes nothing.
pub fn print(text: &str, limit: Option<Duration>) -> io::Result<()> {
    flush(ORDER_LIMIT);
    STDOUT.get_or_init(|| Stdio::start("stdout", Arc::new(rustix::stdio::stdout()))).print(text, limit)
}

/// Waits at most `limit` until standard error has taken all queued lines.
pub fn flush(limit: Duration) {
    if let Some(stream) = STDERR.get().filter(|stream| stream.state.waiting.load(Ordering::Acquire) > 0) {
        // If nothing reads the stream, an error does not matter.
        _ = stream.print("", Some(limit));
    }
}

fn stderr() -> &'static Stdio {
    STDERR.get_or_init(|| Stdio::start("stderr", Arc::new(rustix::stdio::stderr())))
}

type Output = Arc<dyn AsFd + Send + Sync>;

/// A stream and its queue.
pub(super) struct Stdio {
    output: Output,
    /// Queue of the thread that writes; `None` if it could not be started.
    queue: Option<SyncSender<Text>>,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    /// Texts that are queued or being written.
    waiting: AtomicU64,
    /// Lines that found no room and have not been reported yet.
    dropped: AtomicU64,
}

struct Text {
    text: String,
    /// Channel for the result, if the caller waits for it.
    written: Option<SyncSender<io::Result<()>>>,
}

impl Stdio {
    /// Starts the thread that writes to `output`.
    pub(super) fn start(name: &str, output: Output) -> Self {
        let (queue, texts) = sync_channel(QUEUE);
        let state = Arc::new(State::default());
        let (own_output, own_state) = (Arc::clone(&output), Arc::clone(&state));
        let write = move || {
            for text in texts {
                own_state.write(own_output.as_fd(), text);
            }
        };
        let thread = thread::Builder::new().name(name.to_owned()).spawn(write);
        Self { output, queue: thread.ok().map(|_| queue), state }
    }

    /// Queues a line.
    pub(super) fn say(&self, line: &str) {
        // One write, so that lines of several threads do not mix.
        let text = Text { text: format!("{line}\n"), written: None };
        match &self.queue {
            Some(queue) if self.state.offer(queue, text).is_err() => self.state.drop_one(),
            Some(_) => {}
            None => _ = write_what_fits(self.output.as_fd(), format!("{line}\n").as_bytes()),
        }
    }

    fn progress(&self, line: &str) {
        if self.state.waiting.load(Ordering::Acquire) >= PROGRESS_QUEUE {
            self.state.drop_one();
        } else {
            self.say(line);
        }
    }

    /// Writes a text and waits at most `limit` for its result.
    pub(super) fn print(&self, text: &str, limit: Option<Duration>) -> io::Result<()> {
        let Some(queue) = &self.queue else { return write_what_fits(self.output.as_fd(), text.as_bytes()) };
        let (sender, written) = sync_channel(1);
        let text = Text { text: text.to_owned(), written: Some(sender) };
        self.state.offer(queue, text)?;
        match limit {
            Some(limit) => {
                written.recv_timeout(limit).unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
            }
            None => written.recv().unwrap_or_else(|_| Err(io::ErrorKind::BrokenPipe.into())),
        }
    }
}

impl State {
    fn offer(&self, queue: &SyncSender<Text>, text: Text) -> io::Result<()> {
        self.waiting.fetch_add(1, Ordering::AcqRel);
        queue.try_send(text).map_err(|_| {
            self.waiting.fetch_sub(1, Ordering::AcqRel);
            io::ErrorKind::TimedOut.into()
        })
    }

    fn drop_one(&self) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
    }

    /// Writes one text, after a note that counts the lines dropped while the reader took nothing.
    fn write(&self, output: BorrowedFd<'_>, Text { text, written }: Text) {
        let dropped = self.dropped.swap(0, Ordering::Relaxed);
        if dropped > 0 {
            // The text after the note meets the same error.
            let note = format!("hlswarm: {dropped} lines were dropped here: the reader did not take them\n");
            _ = write_all(output, note.as_bytes());
        }
        let result = write_all(output, text.as_bytes());
        self.waiting.fetch_sub(1, Ordering::AcqRel);
        if let Some(written) = written {
            // The receiver is gone if the caller's limit has passed.
            _ = written.try_send(result);
        }
    }
}

/// Writes everything, however long the reader takes.
fn write_all(output: BorrowedFd<'_>, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match rustix::io::write(output, bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
            Err(Errno::INTR) => {}
            // Another process that shares the stream has made it non-blocking.
            Err(Errno::AGAIN) => _ = poll(&mut [PollFd::new(&output, PollFlags::OUT)], None),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Writes on the caller's own thread as long as the reader takes each piece within `DIRECT_LIMIT`.
fn write_what_fits(output: BorrowedFd<'_>, bytes: &[u8]) -> io::Result<()> {
    let limit = Timespec::try_from(DIRECT_LIMIT).ok();
    for piece in bytes.chunks(PIECE) {
        if poll(&mut [PollFd::new(&output, PollFlags::OUT)], limit.as_ref())? == 0 {
            return Err(io::ErrorKind::TimedOut.into());
        }
        write_all(output, piece)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{PipeReader, Read as _};

    /// Returns a stream whose reader takes nothing, and the reader.
    fn blocked() -> (Stdio, PipeReader) {
        let (reader, writer) = io::pipe().expect("a pipe");
        fill(writer.as_fd());
        (Stdio::start("stream", Arc::new(writer)), reader)
    }

    fn fill(pipe: BorrowedFd<'_>) {
        rustix::io::ioctl_fionbio(pipe, true).expect("set");
        while rustix::io::write(pipe, &[b'.'; 512]).is_ok() {}
        while rustix::io::write(pipe, b".").is_ok() {}
        rustix::io::ioctl_fionbio(pipe, false).expect("set");
    }

    /// Returns the text that a stream wrote in the end, and the number of lines that it reports as dropped. Its
    /// thread may take the first line before or after others are dropped.
    fn read_all(mut reader: PipeReader) -> (String, u64) {
        let mut text = String::new();
        reader.read_to_string(&mut text).expect("the writer has ended");
        let text = text.trim_start_matches('.').to_owned();
        let notes = text.lines().filter_map(|line| line.strip_prefix("hlswarm: ")?.split(' ').next());
        let dropped = notes.map(|count| count.parse::<u64>().expect("a count")).sum();
        (text, dropped)
    }

    #[test]
    fn a_reader_that_takes_nothing_holds_nobody_up_and_lines_are_counted() {
        let (stream, reader) = blocked();
        for number in 0..QUEUE + 10 {
            stream.progress(&format!("line {number}"));
        }
        let printed = stream.print("summary\n", Some(Duration::from_millis(1)));
        assert_eq!(printed.expect_err("no reader").kind(), io::ErrorKind::TimedOut);
        stream.say("a message");
        drop(stream);
        let (text, dropped) = read_all(reader);
        assert_eq!(dropped, QUEUE as u64 + 10 - PROGRESS_QUEUE, "{text}");
        assert!(text.contains("line 0\n") && text.ends_with("summary\na message\n"), "{text}");
    }

    #[test]
    fn messages_have_more_room_than_progress_and_no_more_than_the_queue() {
        let (stream, reader) = blocked();
        (0..3 * QUEUE).for_each(|number| stream.say(&number.to_string()));
        assert!((QUEUE as u64..=QUEUE as u64 + 1).contains(&stream.state.waiting.load(Ordering::Acquire)));
        drop(stream);
        let (text, dropped) = read_all(reader);
        let said = text.lines().filter(|line| line.parse::<usize>().is_ok()).count();
        assert!((QUEUE..=QUEUE + 1).contains(&said), "{said}");
        assert_eq!(said as u64 + dropped, 3 * QUEUE as u64);
    }

    #[test]
    fn a_closed_pipe_is_an_error_for_the_one_who_prints() {
        let (reader, writer) = io::pipe().expect("a pipe");
        drop(reader);
        let stream = Stdio::start("stream", Arc::new(writer));
        stream.say("unheard");
        assert_eq!(stream.print("unheard", None).expect_err("closed").kind(), io::ErrorKind::BrokenPipe);
    }

    #[test]
    fn without_a_thread_a_blocked_reader_is_left_after_a_limit() {
        let (reader, writer) = io::pipe().expect("a pipe");
        let stream = |output| Stdio { output, queue: None, state: Arc::default() };
        let free = stream(Arc::new(writer.try_clone().expect("a clone")));
        free.print("text", None).expect("there is room");
        fill(writer.as_fd());
        let full = stream(Arc::new(writer));
        assert_eq!(full.print("text", None).expect_err("full").kind(), io::ErrorKind::TimedOut);
        drop(reader);
    }
}
