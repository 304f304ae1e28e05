//! The console's thread: waits for keys and samples, updates the app and draws.
//!
//! * One thread owns the terminal. It never waits for the terminal or the run without a limit.
//! * The screen is drawn at 4 Hz, and at once after a key, but never more than [`PICTURES_PER_SECOND`] times a
//!   second. A terminal that has not taken the last frame gets no new one.
//! * When the terminal has gone, the thread ends. With [`OnHangup::Stop`] it first stops the run.

use std::io;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::SyncSender;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustix::process::{Signal, getpid, kill_process};
use tokio::sync::watch;

use super::app::{App, Effect, Msg, View};
use super::input::Decoder;
use super::model::Copied;
use super::painter::Painter;
use super::pending_commands::PendingCommands;
use super::pending_page::PendingPage;
use super::render::picture;
use super::theme::Theme;
use super::tty::{Tty, Wake};
use super::{Instruction, ReplayControl, Setup, save};
use crate::report::Doc;
use crate::sample::{RunSample, TICK};
use crate::sync::failpoint;
use crate::vocabulary::{Command, OnHangup, StopCause};

/// Maximum frames per second, however fast keys arrive.
const PICTURES_PER_SECOND: u32 = 20;
/// Minimum time between two frames.
const PICTURE: Duration = Duration::from_millis(1000 / PICTURES_PER_SECOND as u64);
/// Maximum number of extra looks for a late sample before the next tick.
const LOOKS: u32 = PICTURES_PER_SECOND / 4 - 1;
/// Time after which the console leaves if the terminal does not take the report: a report on a blocked terminal is
/// not being read.
const REPORT_LIMIT: Duration = Duration::from_secs(1);

/// State that the thread owns.
pub(super) struct Loop {
    tty: Tty,
    waker: UnixStream,
    on_hangup: OnHangup,
    samples: watch::Receiver<Arc<RunSample>>,
    report: watch::Receiver<Option<Arc<Doc>>>,
    pending: PendingCommands,
    page: PendingPage,
    selected: Arc<AtomicU64>,
    replay: Arc<ReplayControl>,
    app: App,
    theme: Theme,
    painter: Painter,
    decoder: Decoder,
    /// Time at which the decoder stops waiting for the rest of a sequence.
    silent_at: Option<Instant>,
    /// Set once the run has ended and its report is shown.
    has_report: bool,
    /// Start of the current period in which the terminal takes nothing.
    blocked_since: Option<Instant>,
    /// Time of the next look for a sample.
    due: Instant,
    /// Samples taken so far.
    ticks: u64,
    /// Looks since the last sample that found no new one.
    late_looks: u32,
    /// Time of the last frame.
    drawn: Option<Instant>,
    /// Set when something has changed since the last frame.
    stale: bool,
    /// Set when the run has ended and its report need not stay on screen.
    leaves: bool,
}

impl Loop {
    pub(super) fn new(setup: Setup, tty: Tty, waker: UnixStream) -> Self {
        Self {
            tty,
            waker,
            on_hangup: setup.on_hangup,
            samples: setup.samples,
            report: setup.report,
            pending: PendingCommands::new(setup.commands),
            page: PendingPage::new(setup.documents),
            selected: setup.selected,
            app: App::new(setup.title, setup.access).at_speed(setup.replay.speed()),
            replay: setup.replay,
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

    /// Runs until the console is ended or the terminal has gone, restores the terminal and says so to
    /// `done`.
    pub(super) fn run(mut self, done: &SyncSender<()>) {
        if self.turn().is_err() && self.on_hangup == OnHangup::Stop {
            self.pending.push(Command::Stop(StopCause::TerminalGone));
            self.hand_over();
        }
        self.tty.restore();
        // This fails only if the other side has stopped waiting.
        _ = done.try_send(());
    }

    /// Runs the loop. An error means that the terminal has gone.
    fn turn(&mut self) -> io::Result<()> {
        let mut bytes = Vec::new();
        let mut inputs = Vec::new();
        loop {
            match self.tty.wait(&self.waker, self.patience()) {
                Wake::Instruction => match Instruction::read(&self.waker) {
                    Instruction::Suspend => self.suspend(),
                    Instruction::Resume => self.resume()?,
                    Instruction::End => return Ok(()),
                },
                Wake::Gone => return Err(io::ErrorKind::BrokenPipe.into()),
                Wake::Input => {
                    self.tty.read(&mut bytes)?;
                    self.decoder.push(&bytes, &mut inputs);
                    self.expect_more();
                }
                Wake::Time => {}
            }
            // Only a silence shows that an Escape was the key and not the start of a sequence.
            if self.silent_at.is_some_and(|at| Instant::now() >= at) {
                self.decoder.silence(&mut inputs);
                self.expect_more();
            }
            for input in inputs.drain(..) {
                self.stale = true;
                self.tell(Msg::Input(input));
            }
            self.take_sample();
            self.take_report();
            self.take_page();
            self.leave_if_blocked();
            if self.leaves {
                return Ok(());
            }
            self.pending.send();
            // Finish old output first: `draw` skips a terminal that has not taken the last frame.
            self.tty.flush()?;
            self.draw()?;
        }
    }

    /// Restarts the wait for the rest of a sequence that has begun.
    fn expect_more(&mut self) {
        self.silent_at = self.decoder.patience().map(|patience| Instant::now() + patience);
    }

    /// Hands the terminal to the shell and stops the process, as SIGTSTP would have without a handler.
    fn suspend(&mut self) {
        self.tty.restore();
        // A process can always stop itself. After SIGCONT it continues here.
        _ = kill_process(getpid(), Signal::STOP);
    }

    /// Takes over the terminal again. A process continued in the background leaves it alone until a later SIGCONT,
    /// from the shell's `fg`.
    fn resume(&mut self) -> io::Result<()> {
        if self.tty.is_in_foreground() {
            self.tty.enter()?;
            self.painter.forget();
            self.stale = true;
        }
        Ok(())
    }

    /// Returns the time until there is something to do.
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

    /// Leaves when the terminal has taken nothing for [`REPORT_LIMIT`] after the end of the run: it does not show the
    /// report either.
    fn leave_if_blocked(&mut self) {
        let now = Instant::now();
        if self.tty.is_idle() && self.tty.is_entered() {
            self.blocked_since = None;
        } else {
            let since = *self.blocked_since.get_or_insert(now);
            self.leaves |= self.has_report && now >= since + REPORT_LIMIT;
        }
    }

    /// Passes a message to the app and carries out its effect.
    fn tell(&mut self, msg: Msg) {
        match self.app.update(msg) {
            Effect::None => {}
            Effect::Redraw => self.painter.forget(),
            Effect::Ask(command) => self.pending.push(command),
            Effect::Save => {
                // The card travels alone: it says what the report says.
                let card = self.app.report.as_ref().filter(|_| self.app.view == View::Report);
                let card = card.map(|report| &*report.doc);
                let saved = save::screen(self.painter.shown(), self.theme, self.app.shown.at, card);
                self.tell(Msg::Saved(saved.map_err(|error| format!("screen not saved: {error}"))));
            }
            Effect::SavePage => match self.app.report.as_ref().map(|report| Arc::clone(&report.doc)) {
                Some(doc) => self.save_page(&doc),
                None => {
                    if let Err(why) = self.page.ask() {
                        self.tell(Msg::Saved(Err(why.to_owned())));
                    }
                }
            },
            Effect::Copy => {
                let copied = Copied::new(&self.app);
                if self.tty.is_entered() {
                    // An error means that the terminal has gone, which the next write reports.
                    _ = self.tty.write(clipboard(&copied.text).as_bytes());
                }
                self.tell(Msg::Copied(copied.what));
            }
            Effect::Leave => self.leaves = true,
        }
        self.selected.store(self.app.clients.opened().unwrap_or(0), Ordering::Relaxed);
        self.replay.order(self.app.frozen_since.is_some(), self.app.speed);
    }

    /// Writes a document as a page.
    fn save_page(&mut self, doc: &Doc) {
        let saved = save::page(doc, self.app.shown.at);
        self.tell(Msg::Saved(saved.map_err(|error| format!("report not saved: {error}"))));
    }

    /// Takes the document of the run so far, and writes it as a page.
    fn take_page(&mut self) {
        let Some(doc) = self.page.take() else { return };
        self.stale = true;
        match doc {
            Ok(doc) => self.save_page(&doc),
            Err(why) => self.tell(Msg::Saved(Err(why.to_owned()))),
        }
    }

    /// Takes the report, which arrives once, at the end of the run.
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

    /// Takes the newest sample when it is due; missed ticks are skipped.
    fn take_sample(&mut self) {
        let now = Instant::now();
        if now < self.due {
            return;
        }
        let missed = now.saturating_duration_since(self.due) > TICK;
        // Stay in step with the sampler: look again soon for a sample that has not arrived, not a whole tick later.
        // Before the first tick and after the last there is none to wait for.
        if !missed && self.ticks > 0 && self.late_looks < LOOKS && !self.samples.has_changed().unwrap_or(true)
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
        let sample = Arc::clone(&self.samples.borrow_and_update());
        self.app.update(Msg::Sample(sample));
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

    /// Sends the commands that the run has not taken yet, for at most two seconds, before the thread ends.
    fn hand_over(&mut self) {
        let end = Instant::now() + super::STOP_LIMIT;
        while !self.pending.send() && Instant::now() < end {
            std::thread::sleep(PICTURE);
        }
    }
}

/// Returns the sequence that copies a text to the terminal's clipboard (OSC 52), also through a remote shell. Terminals
/// that do not know it ignore it.
fn clipboard(text: &str) -> String {
    format!("\x1b]52;c;{}\x07", STANDARD.encode(text))
}
