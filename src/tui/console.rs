//! The console's thread: waits for keys and frames, updates the app, draws.
//!
//! * One thread owns the terminal, and nothing that it does can wait for the terminal or the run without limit.
//! * A picture is drawn at 4 Hz, and after a key at once, but never more than [`PICTURES_PER_SECOND`]; a terminal that
//!   has not taken the last picture gets no new one.
//! * When the terminal has gone the run is told so, once, and the thread ends.

use std::io;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::{Duration, Instant};

use rustix::process::{Signal, getpid, kill_process};
use tokio::sync::watch;

use super::app::{App, Effect, Msg};
use super::input::Decoder;
use super::painter::Painter;
use super::pending_commands::PendingCommands;
use super::render::picture;
use super::theme::Theme;
use super::tty::{Tty, Wake};
use super::{Ended, Setup, Told, save};
use crate::report::Report;
use crate::sample::{RunSample, TICK};
use crate::sync::failpoint;
use crate::vocabulary::{Command, OnHangup, StopCause};

/// Pictures at the most, however fast keys come.
const PICTURES_PER_SECOND: u32 = 20;
/// Time between two pictures at the least.
const PICTURE: Duration = Duration::from_millis(1000 / PICTURES_PER_SECOND as u64);
/// How often a frame that is late is looked for before the next tick.
const LOOKS: u32 = PICTURES_PER_SECOND / 4 - 1;
/// A report that the terminal has not taken for so long is read by nobody.
const REPORT_LIMIT: Duration = Duration::from_secs(1);

/// What the thread owns.
pub(super) struct Loop {
    tty: Tty,
    waker: UnixStream,
    on_hangup: OnHangup,
    frames: watch::Receiver<Arc<RunSample>>,
    report: watch::Receiver<Option<Arc<Report>>>,
    pending: PendingCommands,
    app: App,
    theme: Theme,
    painter: Painter,
    decoder: Decoder,
    /// When a sequence that has begun is taken to have no more bytes.
    silent_at: Option<Instant>,
    /// The run has ended, and its report is shown.
    has_report: bool,
    /// Since when the terminal has taken nothing.
    blocked_since: Option<Instant>,
    /// When frames are looked at next.
    due: Instant,
    /// How often they were.
    ticks: u64,
    /// How often a frame was looked for since and not found.
    late_looks: u32,
    /// When the last picture was drawn.
    drawn: Option<Instant>,
    /// Something has changed since.
    stale: bool,
    /// The run has ended and nobody looks any more.
    leaves: bool,
}

impl Loop {
    pub(super) fn new(setup: Setup, tty: Tty, waker: UnixStream) -> Self {
        Self {
            tty,
            waker,
            on_hangup: setup.on_hangup,
            frames: setup.frames,
            report: setup.report,
            pending: PendingCommands::new(setup.commands),
            app: App::new(setup.title, setup.access),
            theme: setup.theme,
            painter: Painter::new(setup.theme.charset),
            decoder: Decoder::default(),
            silent_at: None,
            has_report: false,
            blocked_since: None,
            due: Instant::now(),
            ticks: 0,
            late_looks: 0,
            drawn: None,
            stale: true,
            leaves: false,
        }
    }

    /// Runs until it is told to end or the terminal has gone; `done` gets what is left of it.
    pub(super) fn run(mut self, done: &SyncSender<Ended>) {
        if self.turn().is_err() && self.on_hangup == OnHangup::Stop {
            self.pending.push(Command::Stop(StopCause::TerminalGone));
            self.hand_over();
        }
        self.tty.restore();
        // Whoever has stopped waiting does not need it.
        _ = done.try_send(Ended { late_pictures: self.app.late_pictures, panics: Vec::new() });
    }

    /// The loop. An error is a terminal that has gone.
    fn turn(&mut self) -> io::Result<()> {
        let mut bytes = Vec::new();
        let mut inputs = Vec::new();
        loop {
            match self.tty.wait(&self.waker, self.patience()) {
                Wake::Told => match Told::read(&self.waker) {
                    Told::Suspend => self.suspend(),
                    Told::Resume => self.resume()?,
                    Told::End => return Ok(()),
                },
                Wake::Gone => return Err(io::ErrorKind::BrokenPipe.into()),
                Wake::Input => {
                    self.tty.read(&mut bytes)?;
                    self.decoder.push(&bytes, &mut inputs);
                    self.expect_more();
                }
                Wake::Time => {}
            }
            if self.silent_at.is_some_and(|at| Instant::now() >= at) {
                self.decoder.silence(&mut inputs);
                self.expect_more();
            }
            for input in inputs.drain(..) {
                self.stale = true;
                self.tell(Msg::Input(input));
            }
            self.take_frame();
            self.take_report();
            self.leave_if_blocked();
            if self.leaves {
                return Ok(());
            }
            self.pending.send();
            self.tty.flush()?;
            self.draw()?;
        }
    }

    /// Waits for the rest of what has begun, from now on.
    fn expect_more(&mut self) {
        self.silent_at = self.decoder.patience().map(|patience| Instant::now() + patience);
    }

    /// Hands the terminal to the shell and stops the process, as SIGTSTP would have without a handler.
    fn suspend(&mut self) {
        self.tty.restore();
        // A process can always stop itself. SIGCONT lets it go on here.
        _ = kill_process(getpid(), Signal::STOP);
    }

    /// Takes the terminal over again; from the background only a later SIGCONT, of the shell's `fg`, does.
    fn resume(&mut self) -> io::Result<()> {
        if self.tty.is_in_foreground() {
            self.tty.enter()?;
            self.painter.forget();
            self.stale = true;
        }
        Ok(())
    }

    /// How long there is nothing to do.
    fn patience(&self) -> Duration {
        let now = Instant::now();
        let left = |at: Instant| at.saturating_duration_since(now);
        let silence = self.silent_at.map_or(Duration::MAX, left);
        let picture = match self.drawn {
            Some(drawn) if self.stale && self.tty.is_entered() && self.tty.is_idle() => left(drawn + PICTURE),
            _ => Duration::MAX,
        };
        left(self.due).min(silence).min(picture)
    }

    /// A terminal that shows nothing any more shows no report either.
    fn leave_if_blocked(&mut self) {
        let now = Instant::now();
        if self.tty.is_idle() && self.tty.is_entered() {
            self.blocked_since = None;
        } else {
            let since = *self.blocked_since.get_or_insert(now);
            self.leaves |= self.has_report && now >= since + REPORT_LIMIT;
        }
    }

    /// Tells the app, and does what it says.
    fn tell(&mut self, msg: Msg) {
        match self.app.update(msg) {
            Effect::None => {}
            Effect::Redraw => self.painter.forget(),
            Effect::Ask(command) => self.pending.push(command),
            Effect::Save => {
                let saved = save::save(self.painter.shown(), self.app.shown.at);
                self.tell(Msg::Saved(saved.map_err(|error| error.to_string())));
            }
            Effect::Leave => self.leaves = true,
        }
    }

    /// The report of the run comes once, at its end.
    fn take_report(&mut self) {
        if !self.report.has_changed().unwrap_or(false) {
            return;
        }
        let report = self.report.borrow_and_update().clone();
        if let Some(report) = report {
            (self.stale, self.has_report) = (true, true);
            self.tell(Msg::Report(report));
        }
    }

    /// Takes the newest frame at its time; times that were missed are skipped.
    fn take_frame(&mut self) {
        let now = Instant::now();
        if now < self.due {
            return;
        }
        let missed = now.saturating_duration_since(self.due) > TICK;
        // Looks fall into step with the sampler: a frame that is not there yet is looked for soon, not a whole tick
        // later. Before the first tick and after the last there is none to wait for.
        if !missed && self.ticks > 0 && self.late_looks < LOOKS && !self.frames.has_changed().unwrap_or(true)
        {
            self.late_looks += 1;
            self.due += PICTURE;
            return;
        }
        self.late_looks = 0;
        self.due = if missed { now + TICK } else { self.due + TICK };
        if missed || !self.tty.is_idle() {
            self.app.update(Msg::LatePicture);
        }
        self.ticks += 1;
        failpoint::reach("console", self.ticks);
        let frame = Arc::clone(&self.frames.borrow_and_update());
        self.app.update(Msg::Sample(frame));
        self.stale = true;
    }

    fn draw(&mut self) -> io::Result<()> {
        let now = Instant::now();
        let too_early = self.drawn.is_some_and(|drawn| now < drawn + PICTURE);
        if !self.stale || too_early || !self.tty.is_entered() || !self.tty.is_idle() {
            return Ok(());
        }
        let size = self.tty.size();
        let picture = self.painter.paint(size, |buffer| picture(&mut self.app, self.theme, buffer))?;
        self.tty.write(picture)?;
        (self.drawn, self.stale) = (Some(now), false);
        Ok(())
    }

    /// Tells the run what it has not taken yet, before nobody can any more.
    fn hand_over(&mut self) {
        let end = Instant::now() + super::STOP_LIMIT;
        while !self.pending.send() && Instant::now() < end {
            std::thread::sleep(PICTURE);
        }
    }
}
