//! The console: the screen that an operator watches and the keys by which he steers the run.
//!
//! * It has a thread of its own and only reads frames and sends commands: a slow, blocked or lost terminal costs
//!   pictures, never load.
//! * What is on the screen is made in three steps: `app` (what is known, changed by messages alone), `model` (what is
//!   said: texts), `screen` (where it stands). None of them knows a terminal.
//! * The terminal is put back as it was on every path: the end, an error, a panic, a hang-up.

mod app;
mod console;
pub mod input;
pub mod keys;
mod model;
mod offscreen;
mod outbox;
mod painter;
mod panics;
mod picture;
#[cfg(test)]
mod pictures;
mod save;
mod screen;
#[cfg(test)]
mod stage;
mod svg;
pub mod theme;
mod tty;

use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use tokio::sync::watch;

pub use app::{Access, Title};
pub use offscreen::Offscreen;
pub use theme::{Charset, Palette, Theme};

use crate::base::{Command, OnHangup};
use crate::frame::Frame;
use crate::report::Report;

/// How long the console may take to end; a thread that takes longer is left behind.
const STOP_LIMIT: Duration = Duration::from_secs(2);

/// What the console is made of.
#[derive(Debug)]
pub struct Setup {
    /// Where the newest frame is found; the first may come later.
    pub frames: watch::Receiver<Arc<Frame>>,
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

/// Tells a console that it has its terminal back, for instance after SIGCONT.
#[derive(Clone, Debug)]
pub struct Resumer(Weak<UnixStream>);

impl Resumer {
    /// The console takes the terminal over again and draws everything. Without a console nothing happens.
    pub fn resume(&self) {
        if let Some(waker) = self.0.upgrade() {
            // A console that has ended reads no more.
            _ = waker.as_ref().write(b"r");
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

    /// What tells this console that it has its terminal back.
    pub fn resumer(&self) -> Option<Resumer> {
        self.waker.as_ref().map(|waker| Resumer(Arc::downgrade(waker)))
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
        // The thread sees the other end close.
        self.waker = None;
        // A console that panicked or has lost its terminal has ended before.
        let ended = self.ended.take();
        let ended = ended.unwrap_or_else(|| self.done.recv_timeout(STOP_LIMIT).unwrap_or_default());
        Ended { panics: panics::take(), ..ended }
    }
}

impl Drop for Console {
    /// The way out of a run that failed: what was kept is told, for nobody else will.
    fn drop(&mut self) {
        if self.waker.is_none() {
            return;
        }
        for message in self.end().panics {
            // Where stderr has gone, too, nobody is left to tell.
            _ = writeln!(io::stderr(), "{message}");
        }
    }
}
