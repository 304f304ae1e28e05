//! The console: the screen that an operator watches and the keys by which he steers the run.
//!
//! * It has a thread of its own and only reads frames and sends commands: a slow, blocked or lost terminal costs
//!   pictures, never load.
//! * What is on the screen is made in three steps: `app` (what is known, changed by messages alone), `model` (what is
//!   said: texts), `screen` (where it stands). None of them knows a terminal.
//! * The terminal is put back as it was on every path: the end, an error, a panic, a hang-up.

mod app;
mod console;
#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod golden_tests;
pub mod input;
pub mod keys;
mod model;
mod offscreen;
mod painter;
mod panics;
mod pending_commands;
mod render;
mod save;
mod screen;
mod svg;
pub mod theme;
mod tty;

use std::io::{self, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use tokio::sync::watch;

pub use app::{Access, Title};
pub use offscreen::Offscreen;
pub use theme::{Charset, Palette, Theme};

use crate::report::Report;
use crate::sample::RunSample;
use crate::vocabulary::{Command, OnHangup};

/// How long the console may take to end; a thread that takes longer is left behind.
const STOP_LIMIT: Duration = Duration::from_secs(2);

/// What the console is made of.
#[derive(Debug)]
pub struct Setup {
    /// Where the newest frame is found; the first may come later.
    pub frames: watch::Receiver<Arc<RunSample>>,
    /// Where the report comes, once the run has ended.
    pub report: watch::Receiver<Option<Arc<Report>>>,
    /// Where commands go.
    pub commands: flume::Sender<Command>,
    /// What the run shows of itself.
    pub title: Title,
    /// Colours and characters.
    pub theme: Theme,
    /// What keys may do.
    pub access: Access,
    /// Whether the run stops when the terminal goes away.
    pub on_hangup: OnHangup,
}

/// What is left of the console when it has ended.
#[derive(Clone, Debug, Default)]
pub struct Ended {
    /// Pictures that came later than their time.
    pub late_pictures: u64,
    /// What panicked while the screen was up, the console itself included.
    pub panics: Vec<String>,
}

/// A console that runs.
#[derive(Debug)]
pub struct Console {
    waker: Option<Arc<UnixStream>>,
    done: Receiver<Ended>,
    ended: Option<Ended>,
}

/// Takes the terminal from a console and gives it back, when the process is stopped and goes on.
#[derive(Clone, Debug)]
pub struct Remote(Weak<UnixStream>);

/// What a console is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    /// Put the terminal back and stop the process.
    Suspend,
    /// The process goes on: take the terminal over, if it is in its foreground, and draw everything.
    Resume,
    /// End.
    End,
}

impl Told {
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
    /// The console puts the terminal back and stops the process, as SIGTSTP would have. Without a console nothing
    /// happens.
    pub fn suspend(&self) {
        self.tell(Told::SUSPEND);
    }

    /// The console takes the terminal over again. Without a console nothing happens.
    pub fn resume(&self) {
        self.tell(Told::RESUME);
    }

    fn tell(&self, word: &[u8]) {
        if let Some(waker) = self.0.upgrade() {
            // A console that has ended reads no more.
            _ = (&*waker).write(word);
        }
    }
}

impl Console {
    /// Whether there is a terminal to draw on: stdout is one, it is not dumb, and this process is in its foreground.
    pub fn available() -> bool {
        tty::available()
    }

    /// Takes the terminal over and starts the console's thread.
    ///
    /// # Errors
    /// The terminal cannot be opened or made raw, or the thread cannot be started; the terminal is as it was.
    pub fn start(setup: Setup) -> io::Result<Self> {
        // The theme decides about colours; crossterm would take bold and reversed away with them.
        crossterm::style::force_color_output(true);
        let (waker, told) = UnixStream::pair()?;
        let (sender, done) = sync_channel(1);
        let mut tty = tty::Tty::open()?;
        tty.enter()?;
        let hold = panics::Hold::begin();
        let alarmed = setup.commands.clone();
        let console = console::Loop::new(setup, tty, told);
        thread::Builder::new().name("console".to_owned()).spawn(move || {
            // Dropped last, also by a panic: by then the terminal is as it was.
            let _hold = hold;
            let _alarm = panics::Alarm::new(alarmed);
            console.run(&sender);
        })?;
        Ok(Self { waker: Some(Arc::new(waker)), done, ended: None })
    }

    /// What takes the terminal from this console and gives it back.
    pub fn remote(&self) -> Option<Remote> {
        self.waker.as_ref().map(|waker| Remote(Arc::downgrade(waker)))
    }

    /// Whether the console has ended by itself: the report was read, the terminal has gone, or it panicked.
    pub fn has_left(&mut self) -> bool {
        match self.done.try_recv() {
            Ok(ended) => self.ended = Some(ended),
            Err(TryRecvError::Empty) => {}
            Err(TryRecvError::Disconnected) => _ = self.ended.get_or_insert_default(),
        }
        self.ended.is_some()
    }

    /// How many panics were met while the screen was up, those of clients included.
    pub fn panics(&self) -> u64 {
        panics::count()
    }

    /// Ends the console and puts the terminal back. Returns within two seconds, whatever the terminal does.
    pub fn stop(mut self) -> Ended {
        self.end()
    }

    fn end(&mut self) -> Ended {
        self.leave();
        Ended { panics: panics::take(), ..self.ended.take().unwrap_or_default() }
    }

    /// The thread sees the other end close; one that panicked or has lost its terminal has ended before.
    fn leave(&mut self) {
        self.waker = None;
        if self.ended.is_none() {
            self.ended = self.done.recv_timeout(STOP_LIMIT).ok();
        }
    }
}

impl Drop for Console {
    /// The way out of a run that failed: the terminal is put back.
    fn drop(&mut self) {
        if self.waker.is_some() {
            self.leave();
        }
    }
}

/// Hands out what panicked while a screen was up and was not reported yet.
pub fn unreported_panics() -> Vec<String> {
    panics::take()
}
