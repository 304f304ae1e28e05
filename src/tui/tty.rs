//! The terminal: a file opened for the console alone, raw while the console is up, and restored on every path.
//!
//! * It is opened by its name, so that non-blocking mode holds for this file alone and not for stdout or the shell.
//! * Only [`Tty::wait`] and [`Tty::restore`] wait, and both have a limit: a terminal that takes nothing (Ctrl-S
//!   elsewhere, a dead connection) costs the console frames and costs the load nothing.
//! * A terminal that has gone has a result of its own, [`Wake::Gone`], and is never a reason to retry.

use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use crossterm::cursor::{Hide, Show};
use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::queue;
use crossterm::style::{Attribute, Print, SetAttribute};
use crossterm::terminal::{
    Clear, ClearType, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen, SetTitle,
};
use ratatui::layout::Size;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{self, OptionalActions, QueueSelector, Termios};

/// Maximum time for the terminal to accept the bytes that restore it.
const RESTORE_LIMIT: Duration = Duration::from_millis(500);
/// Bytes read at once.
const READ_BYTES: usize = 4096;
/// The byte that cancels an escape sequence written in part.
const CANCEL: &[u8] = b"\x18";
/// Sequences that push the window's title on the terminal's stack and pop it (XTWINOPS).
const PUSH_TITLE: &str = "\x1b[22;0t";
const POP_TITLE: &str = "\x1b[23;0t";

/// Reason for the end of a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wake {
    /// The time limit has passed, or there is room to write again.
    Time,
    /// There is something to read.
    Input,
    /// The other end of the waker has sent a byte or has gone.
    Instruction,
    /// The terminal has gone.
    Gone,
}

/// The terminal of this process.
#[derive(Debug)]
pub(super) struct Tty {
    file: File,
    cooked: Termios,
    /// Bytes that have not been written yet: at most the rest of one frame.
    pending: Vec<u8>,
    raw: bool,
}

/// Reports whether this process has a terminal that it may draw on.
pub(super) fn available() -> bool {
    let stdout = io::stdout();
    let dumb = std::env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb");
    stdout.is_terminal() && !dumb && is_in_foreground(&stdout)
}

/// Reports whether this process is in the terminal's foreground. Changing the terminal from the background would stop
/// this process and every client in it.
fn is_in_foreground(terminal: impl AsFd) -> bool {
    termios::tcgetpgrp(terminal).is_ok_and(|group| group == rustix::process::getpgrp())
}

impl Tty {
    /// Opens the terminal that stdout writes to.
    ///
    /// # Errors
    /// Fails without a terminal, or if the terminal cannot be opened.
    pub(super) fn open() -> io::Result<Self> {
        let name = termios::ttyname(io::stdout(), Vec::new()).map_err(io::Error::from);
        let own = name.and_then(|name| open(name.to_string_lossy().as_ref()));
        // Stdout can be a terminal whose name does not exist in this file system, for instance in a container.
        Self::on(own.or_else(|_| open("/dev/tty"))?)
    }

    fn on(file: File) -> io::Result<Self> {
        rustix::io::ioctl_fionbio(&file, true)?;
        let cooked = termios::tcgetattr(&file)?;
        Ok(Self { file, cooked, pending: Vec::new(), raw: false })
    }

    /// Takes over the terminal: raw mode, alternate screen, no cursor. A second call does it once more, for a
    /// terminal that another process has used in the meantime.
    ///
    /// # Errors
    /// Fails if the terminal refuses raw mode.
    pub(super) fn enter(&mut self) -> io::Result<()> {
        let mut raw = self.cooked.clone();
        raw.make_raw();
        termios::tcsetattr(&self.file, OptionalActions::Now, &raw)?;
        // The title goes on the stack once, however often the terminal is taken over.
        if !std::mem::replace(&mut self.raw, true) {
            queue!(self.pending, Print(PUSH_TITLE))?;
        }
        queue!(
            self.pending,
            EnterAlternateScreen,
            SetTitle("hlswarm"),
            EnableBracketedPaste,
            Hide,
            Clear(ClearType::All)
        )
    }

    /// Reports whether this process may change the terminal.
    pub(super) fn is_in_foreground(&self) -> bool {
        is_in_foreground(&self.file)
    }

    /// Restores the terminal; a second call does nothing.
    pub(super) fn restore(&mut self) {
        if !std::mem::take(&mut self.raw) {
            return;
        }
        self.queue_leaving();
        self.flush_until(Instant::now() + RESTORE_LIMIT);
        if !self.pending.is_empty() {
            // The terminal takes nothing: discard the output that it has not shown, to make room for the restoring
            // bytes.
            _ = termios::tcflush(&self.file, QueueSelector::OFlush);
            self.pending.clear();
            self.pending.extend_from_slice(CANCEL);
            self.queue_leaving();
            self.flush_until(Instant::now() + RESTORE_LIMIT);
        }
        // An error does not matter: a terminal that has gone cannot be restored.
        _ = termios::tcsetattr(&self.file, OptionalActions::Now, &self.cooked);
    }

    /// Queues the bytes that restore the terminal.
    fn queue_leaving(&mut self) {
        // Writing into memory cannot fail.
        _ = queue!(
            self.pending,
            EndSynchronizedUpdate,
            SetAttribute(Attribute::Reset),
            DisableBracketedPaste,
            LeaveAlternateScreen,
            Show,
            // A terminal without a stack shows its own title again.
            SetTitle(""),
            Print(POP_TITLE)
        );
    }

    /// Returns columns and rows; zero if the terminal does not report them.
    pub(super) fn size(&self) -> Size {
        termios::tcgetwinsize(&self.file)
            .map_or(Size::ZERO, |size| Size { width: size.ws_col, height: size.ws_row })
    }

    /// Reports whether the terminal is taken over.
    pub(super) fn is_entered(&self) -> bool {
        self.raw
    }

    /// Reports whether all queued bytes have been written.
    pub(super) fn is_idle(&self) -> bool {
        self.pending.is_empty()
    }

    /// Writes one frame, as much of it as the terminal takes now; [`Tty::flush`] writes the rest.
    ///
    /// # Errors
    /// Fails if the terminal has gone.
    pub(super) fn write(&mut self, frame: &[u8]) -> io::Result<()> {
        self.pending.extend_from_slice(frame);
        self.flush()
    }

    /// Writes the queued bytes until none are left or the terminal takes no more.
    ///
    /// # Errors
    /// Fails if the terminal has gone.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        while !self.pending.is_empty() {
            match self.file.write(&self.pending) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => drop(self.pending.drain(..written)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn flush_until(&mut self, end: Instant) {
        while self.flush().is_ok() && !self.pending.is_empty() {
            let left = end.saturating_duration_since(Instant::now());
            let mut fds = [PollFd::new(&self.file, PollFlags::OUT)];
            if left.is_zero() || poll(&mut fds, timespec(left).as_ref()).is_err() {
                return;
            }
        }
    }

    /// Reads the available input, at most one buffer.
    ///
    /// # Errors
    /// Fails if the terminal has gone.
    pub(super) fn read(&mut self, bytes: &mut Vec<u8>) -> io::Result<()> {
        let mut buffer = [0; READ_BYTES];
        bytes.clear();
        match self.file.read(&mut buffer) {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(read) => {
                bytes.extend_from_slice(buffer.get(..read).unwrap_or_default());
                Ok(())
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Waits for input, for room to write when something is pending, for a byte through `waker`, or for the time
    /// limit. A terminal that is not taken over is only watched for its end.
    pub(super) fn wait(&self, waker: &UnixStream, limit: Duration) -> Wake {
        let interest = match (self.raw, self.is_idle()) {
            (false, _) => PollFlags::empty(),
            (true, true) => PollFlags::IN,
            (true, false) => PollFlags::IN | PollFlags::OUT,
        };
        wait(self.file.as_fd(), interest, waker.as_fd(), limit)
    }
}

impl Drop for Tty {
    fn drop(&mut self) {
        self.restore();
    }
}

fn open(path: &str) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).open(path)
}

fn timespec(duration: Duration) -> Option<Timespec> {
    Timespec::try_from(duration).ok()
}

fn wait(tty: BorrowedFd<'_>, interest: PollFlags, waker: BorrowedFd<'_>, limit: Duration) -> Wake {
    let mut fds = [PollFd::new(&waker, PollFlags::IN), PollFd::new(&tty, interest)];
    // A signal that interrupts the wait only causes an early look at the clock.
    if poll(&mut fds, timespec(limit).as_ref()).is_err() {
        return Wake::Time;
    }
    let [told, terminal] = fds.map(|fd| fd.revents());
    if !told.is_empty() {
        Wake::Instruction
    } else if terminal.intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) {
        Wake::Gone
    } else if terminal.contains(PollFlags::IN) {
        Wake::Input
    } else {
        Wake::Time
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_ends_by_input_by_a_word_by_time_and_when_the_other_end_has_gone() {
        let (near, mut far) = UnixStream::pair().expect("a pair");
        let (waker, speaker) = UnixStream::pair().expect("a pair");
        let look = |limit| wait(near.as_fd(), PollFlags::IN, waker.as_fd(), Duration::from_millis(limit));
        assert_eq!(look(1), Wake::Time);
        far.write_all(b"q").expect("written");
        assert_eq!(look(1000), Wake::Input);
        drop(far);
        assert_eq!(look(1000), Wake::Gone);
        drop(speaker);
        assert_eq!(look(1000), Wake::Instruction);
    }
}
