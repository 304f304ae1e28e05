//! The console: the screen on which an operator watches the run, and the keys that control it.
//!
//! * It runs on its own thread, only reads samples and only sends commands: a slow, blocked or lost terminal costs
//!   screen updates, never load.
//! * Three steps make the screen: `app` holds the state, which only messages change; `model` turns the state into
//!   texts; `screen` draws the texts at the places of `layout`. None of them knows about a terminal.
//! * The terminal is restored on every path: a normal end, an error, a panic, a hang-up.

mod app;
mod console;
#[cfg(test)]
mod cost_tests;
#[cfg(test)]
mod fixtures;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
#[cfg(test)]
mod golden_kind_tests;
#[cfg(test)]
mod golden_report_tests;
#[cfg(test)]
mod golden_tests;
pub mod input;
pub mod keys;
mod layout;
#[cfg(test)]
mod lines_tests;
mod model;
mod offscreen;
mod painter;
mod panics;
mod pending_commands;
mod pending_page;
mod render;
mod replay_control;
#[cfg(test)]
mod replay_tests;
mod save;
mod screen;
mod svg;
mod svg_shapes;
pub mod theme;
mod tty;
pub mod widget;

use std::io::{self, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::sync::atomic::AtomicU64;
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use tokio::sync::watch;

pub use app::{Access, Title};
pub use offscreen::Offscreen;
pub use replay_control::ReplayControl;
pub use theme::{Charset, Palette, TerminalColours, Theme, ThemeName};

use crate::report::Doc;
use crate::sample::RunSample;
use crate::vocabulary::{Command, OnHangup};

/// Maximum time for the console to end; a thread that takes longer is abandoned.
const STOP_LIMIT: Duration = Duration::from_secs(2);

/// A request for the document of the run so far: the channel that takes it. It is closed without a document if the run
/// has ended meanwhile.
pub type DocRequest = flume::Sender<Arc<Doc>>;

/// Parts from which a [`Console`] is built.
#[derive(Debug)]
pub struct Setup {
    /// Receiver of the newest sample; the first one may arrive after the start.
    pub samples: watch::Receiver<Arc<RunSample>>,
    /// Receiver of the report, which arrives once the run has ended.
    pub report: watch::Receiver<Option<Arc<Doc>>>,
    /// Sender of commands to the run.
    pub commands: flume::Sender<Command>,
    /// Sender of requests for the document of the run so far.
    pub documents: flume::Sender<DocRequest>,
    /// Number of the client that is open, for the sampler to show more of it; 0 for none.
    pub selected: Arc<AtomicU64>,
    /// Orders to the replay that is shown; of a run, nothing reads them.
    pub replay: Arc<ReplayControl>,
    /// Facts of the run for the screen.
    pub title: Title,
    /// Colours and characters.
    pub theme: Theme,
    /// Permissions of the keys.
    pub access: Access,
    /// Reaction of the run to the loss of the terminal.
    pub on_hangup: OnHangup,
}

/// A running console.
#[derive(Debug)]
pub struct Console {
    waker: Option<Arc<UnixStream>>,
    done: Receiver<()>,
    has_ended: bool,
}

/// Handle that takes the terminal from a console and gives it back, for when the process is stopped and continued.
#[derive(Clone, Debug)]
pub struct Remote(Weak<UnixStream>);

/// Instruction to the console's thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Instruction {
    /// Restore the terminal and stop the process.
    Suspend,
    /// The process continues: take over the terminal, if the process is in its foreground, and redraw everything.
    Resume,
    /// End the thread.
    End,
}

impl Instruction {
    fn read(waker: &UnixStream) -> Self {
        let mut byte = [0];
        match (&*waker).read(&mut byte) {
            Ok(1) if byte == *Self::SUSPEND => Self::Suspend,
            Ok(1) => Self::Resume,
            _ => Self::End,
        }
    }

    const SUSPEND: &[u8; 1] = b"s";
    const RESUME: &[u8; 1] = b"r";
}

impl Remote {
    /// Makes the console restore the terminal and stop the process, as SIGTSTP would have. Does nothing without a
    /// console.
    pub fn suspend(&self) {
        self.tell(Instruction::SUSPEND);
    }

    /// Makes the console take over the terminal again. Does nothing without a console.
    pub fn resume(&self) {
        self.tell(Instruction::RESUME);
    }

    fn tell(&self, word: &[u8]) {
        if let Some(waker) = self.0.upgrade() {
            // An error does not matter: a console that has ended no longer reads.
            _ = (&*waker).write(word);
        }
    }
}

impl Console {
    /// Reports whether there is a terminal to draw on: stdout is one, `TERM` is set and not `dumb`, and this process
    /// is in its foreground.
    pub fn available() -> bool {
        tty::available()
    }

    /// Takes over the terminal and starts the console's thread.
    ///
    /// # Errors
    /// Fails if the terminal cannot be opened or made raw, or if the thread cannot be started. The terminal is then
    /// as it was.
    pub fn start(setup: Setup) -> io::Result<Self> {
        // The theme decides about colours; otherwise crossterm would drop bold and reversed along with them.
        crossterm::style::force_color_output(true);
        let (waker, told) = UnixStream::pair()?;
        let (sender, done) = sync_channel(1);
        let mut tty = tty::Tty::open()?;
        tty.enter()?;
        let hold = panics::Hold::begin();
        let alarmed = setup.commands.clone();
        let console = console::Loop::new(setup, tty, told);
        thread::Builder::new().name("console".to_owned()).spawn(move || {
            // Dropped last, also on a panic: by then the terminal has been restored.
            let _hold = hold;
            let _alarm = panics::Alarm::new(alarmed);
            console.run(&sender);
        })?;
        Ok(Self { waker: Some(Arc::new(waker)), done, has_ended: false })
    }

    /// Returns a handle that takes the terminal from this console and gives it back.
    pub fn remote(&self) -> Option<Remote> {
        self.waker.as_ref().map(|waker| Remote(Arc::downgrade(waker)))
    }

    /// Reports whether the console has ended by itself: the operator left the report, the terminal has gone, or the
    /// console panicked.
    pub fn has_left(&mut self) -> bool {
        // A thread that panicked sends nothing, but its sender is dropped.
        self.has_ended |= self.done.try_recv() != Err(TryRecvError::Empty);
        self.has_ended
    }

    /// Counts the kept messages of panics while the screen was up, those of clients included. At most eight are kept.
    pub fn panics(&self) -> u64 {
        panics::count()
    }

    /// Ends the console and restores the terminal. Returns the messages of panics that occurred while the screen was up,
    /// the console's own included. Returns within two seconds, whatever the terminal does.
    pub fn stop(mut self) -> Vec<String> {
        self.leave();
        panics::take()
    }

    /// Closes the waker, which ends the thread, and waits for its end. A thread that panicked or lost its terminal has
    /// already ended.
    fn leave(&mut self) {
        self.waker = None;
        self.has_ended = self.has_ended || self.done.recv_timeout(STOP_LIMIT).is_ok();
    }
}

impl Drop for Console {
    /// Restores the terminal when a failed run drops the console without [`Console::stop`].
    fn drop(&mut self) {
        if self.waker.is_some() {
            self.leave();
        }
    }
}

/// Takes the messages of panics that occurred while a screen was up and that have not been reported yet.
pub fn unreported_panics() -> Vec<String> {
    panics::take()
}
