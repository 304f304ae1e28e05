//! What the console knows, and how it changes: `update` is the one way, it waits for nothing and reads no clock.
//!
//! * Time is the time of the newest frame: whoever replays frames and keys gets the same screen.
//! * Freezing keeps a frame, it never keeps the run: what is asked for while frozen acts on the live run.
//! * Only the keys of [`keys::Group::Load`] make a [`Command`].

use std::sync::Arc;
use std::time::Duration;

use super::input::{Input, Key};
use super::keys::{self, Action};
use crate::base::limits::CLIENTS;
use crate::base::{Command, RunState, StopCause, Untrusted, units};
use crate::frame::Frame;

/// The steps by which clients are added and removed.
pub(super) const STEPS: [i64; 6] = [1, 10, 50, 100, 500, 1000];
/// The step at the beginning: its place in [`STEPS`].
const FIRST_STEP: usize = 1;
/// A change by more clients than this is asked about first.
const ASK_ABOVE: i64 = 100;
/// How long a word about the last key stays.
const NOTICE: Duration = Duration::from_secs(4);
/// So long a change that was asked for may take to show in the frames.
const SETTLES: Duration = Duration::from_secs(1);

/// What the run shows of itself. Texts may come from outside: they are made safe when they are taken.
#[derive(Clone, Debug, Default)]
pub struct Title {
    /// Program and version.
    pub program: String,
    /// The address of the stream without its secrets.
    pub target: String,
    /// Which variant is played.
    pub variant: String,
    /// The seed of the run.
    pub seed: u64,
    /// When the run ends by itself; `None` is until it is stopped.
    pub duration: Option<Duration>,
}

impl Title {
    fn made_safe(self) -> Self {
        let safe = |text: &str| Untrusted::new(text).shown();
        Self {
            program: safe(&self.program),
            target: safe(&self.target),
            variant: safe(&self.variant),
            ..self
        }
    }
}

/// What happened.
#[derive(Clone, Debug)]
pub(super) enum Msg {
    /// A new moment of the run.
    Frame(Arc<Frame>),
    /// A key or a paste.
    Input(Input),
    /// A picture came later than its time.
    LatePicture,
}

/// What is to be done now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// Nothing.
    None,
    /// Ask the run.
    Ask(Command),
    /// Draw the whole screen again.
    Redraw,
}

/// A picture of the run from one side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum View {
    /// Everything that decides.
    #[default]
    Overview,
    /// One line per client.
    Clients,
}

/// Who has the keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Mode {
    /// The table of keys.
    #[default]
    Normal,
    /// The help overlay.
    Help,
    /// A question: change by so many clients?
    Confirm(i64),
}

/// Everything that the screen is made of.
#[derive(Debug)]
pub(super) struct App {
    pub(super) title: Title,
    /// The newest frame, also while the display is frozen.
    pub(super) live: Arc<Frame>,
    /// The frame that is shown.
    pub(super) shown: Arc<Frame>,
    /// The frame whose digits are shown: changes once a second, so that they can be read.
    pub(super) steady: Arc<Frame>,
    pub(super) frozen_since: Option<Duration>,
    pub(super) view: View,
    pub(super) mode: Mode,
    pub(super) late_pictures: u64,
    step: usize,
    stop_asked: bool,
    /// The target as asked for, until the frames show it.
    asked_target: Option<(i64, Duration)>,
    notice: Option<(String, Duration)>,
}

impl App {
    pub(super) fn new(title: Title) -> Self {
        let none: Arc<Frame> = Arc::default();
        Self {
            title: title.made_safe(),
            live: Arc::clone(&none),
            shown: Arc::clone(&none),
            steady: none,
            frozen_since: None,
            view: View::default(),
            mode: Mode::default(),
            late_pictures: 0,
            step: FIRST_STEP,
            stop_asked: false,
            asked_target: None,
            notice: None,
        }
    }

    /// Takes what happened and says what is to be done.
    pub(super) fn update(&mut self, msg: Msg) -> Effect {
        match msg {
            Msg::Frame(frame) => self.take(frame),
            Msg::LatePicture => self.late_pictures += 1,
            Msg::Input(Input::Paste(_)) => {}
            Msg::Input(Input::Key(key)) => return self.press(key),
        }
        Effect::None
    }

    /// The clients that one press of a key adds.
    pub(super) fn step(&self) -> i64 {
        STEPS.get(self.step).copied().unwrap_or(1)
    }

    /// Whether the run is on its way to its end.
    pub(super) fn is_ending(&self) -> bool {
        self.stop_asked || matches!(self.live.state, RunState::Draining | RunState::Finished)
    }

    /// The word about the last key, while it is fresh.
    pub(super) fn notice(&self) -> Option<&str> {
        self.notice.as_ref().filter(|(_, until)| self.live.at < *until).map(|(text, _)| text.as_str())
    }

    fn take(&mut self, frame: Arc<Frame>) {
        if self.asked_target.is_some_and(|(_, until)| frame.at >= until) {
            self.asked_target = None;
        }
        self.live = frame;
        if self.frozen_since.is_some() {
            return;
        }
        let new_second = self.live.at.as_secs() != self.steady.at.as_secs();
        if new_second || self.live.state != self.steady.state {
            self.steady = Arc::clone(&self.live);
        }
        self.shown = Arc::clone(&self.live);
    }

    fn press(&mut self, key: Key) -> Effect {
        // Whatever is open, Ctrl-C means what it always means.
        if key == Key::Ctrl('c') {
            self.mode = Mode::Normal;
            return self.stop(StopCause::Interrupt);
        }
        match self.mode {
            Mode::Confirm(by) => {
                self.mode = Mode::Normal;
                match key {
                    Key::Char('y' | 'Y') | Key::Enter => self.adjust(by),
                    _ => self.say("nothing changed".to_owned()),
                }
            }
            Mode::Help if keys::action(key) != Some(Action::Stop) => {
                self.mode = Mode::Normal;
                Effect::None
            }
            Mode::Help | Mode::Normal => keys::action(key).map_or(Effect::None, |action| self.act(action)),
        }
    }

    fn act(&mut self, action: Action) -> Effect {
        match action {
            Action::More => return self.want(self.step()),
            Action::Fewer => return self.want(-self.step()),
            Action::StepUp => self.step = (self.step + 1).min(STEPS.len() - 1),
            Action::StepDown => self.step = self.step.saturating_sub(1),
            Action::Stop => return self.stop(StopCause::Operator),
            Action::Interrupt => return self.stop(StopCause::Interrupt),
            Action::StopNow => return self.stop_now(StopCause::Operator),
            Action::Freeze => self.freeze(),
            Action::View(1) => self.view = View::Overview,
            Action::View(_) => self.view = View::Clients,
            Action::Help => self.mode = Mode::Help,
            Action::Back => (self.mode, self.view) = (Mode::Normal, View::Overview),
            Action::Redraw => return Effect::Redraw,
            Action::Suspend => {
                return self.say("^Z is off: it would stop every client at once; q ends the run".to_owned());
            }
        }
        Effect::None
    }

    fn freeze(&mut self) {
        if self.frozen_since.take().is_some() {
            self.shown = Arc::clone(&self.live);
            self.steady = Arc::clone(&self.live);
        } else {
            self.frozen_since = Some(self.live.at);
            // One frame kept, not two: the sampler's pool is small.
            self.shown = Arc::clone(&self.steady);
        }
    }

    /// A change of clients, asked about first where it is large.
    fn want(&mut self, by: i64) -> Effect {
        if self.is_ending() {
            return self.say("the run is ending: clients cannot be changed any more".to_owned());
        }
        if by.abs() > ASK_ABOVE {
            self.mode = Mode::Confirm(by);
            return Effect::None;
        }
        self.adjust(by)
    }

    fn adjust(&mut self, by: i64) -> Effect {
        if self.is_ending() {
            return Effect::None;
        }
        let target = (self.wanted() + by).clamp(0, i64::from(CLIENTS));
        let by = target - self.wanted();
        self.asked_target = Some((target, self.live.at + SETTLES));
        self.say(format!("target {}", units::count(target.unsigned_abs())));
        Effect::Ask(Command::AdjustTarget(by))
    }

    /// The target, with what was asked for and does not show in the frames yet.
    fn wanted(&self) -> i64 {
        self.asked_target.map_or(i64::from(self.live.target), |(target, _)| target)
    }

    fn stop(&mut self, cause: StopCause) -> Effect {
        if self.is_ending() {
            return self.stop_now(cause);
        }
        self.stop_asked = true;
        Effect::Ask(Command::Stop(cause))
    }

    fn stop_now(&mut self, cause: StopCause) -> Effect {
        self.stop_asked = true;
        Effect::Ask(Command::StopNow(cause))
    }

    fn say(&mut self, text: String) -> Effect {
        self.notice = Some((text, self.live.at + NOTICE));
        Effect::None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app() -> App {
        let mut app = App::new(Title::default());
        app.update(Msg::Frame(frame(60_000, RunState::Running, 100)));
        app
    }

    fn frame(ms: u64, state: RunState, target: u32) -> Arc<Frame> {
        Arc::new(Frame { at: Duration::from_millis(ms), state, target, ..Frame::default() })
    }

    fn press(app: &mut App, key: Key) -> Effect {
        app.update(Msg::Input(Input::Key(key)))
    }

    fn asked_for(effect: Effect) -> i64 {
        match effect {
            Effect::Ask(Command::AdjustTarget(by)) => by,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn plus_minus_and_arrows_change_clients_by_the_step() {
        let mut app = app();
        for key in [Key::Char('+'), Key::Char('='), Key::Up] {
            assert_eq!(asked_for(press(&mut app, key)), 10);
        }
        assert_eq!(app.notice(), Some("target 130"));
        for key in [Key::Char('-'), Key::Char('_'), Key::Down] {
            assert_eq!(asked_for(press(&mut app, key)), -10);
        }
        press(&mut app, Key::Char(']'));
        assert_eq!(asked_for(press(&mut app, Key::Up)), 50);
        for _ in 0..9 {
            press(&mut app, Key::Char('['));
        }
        assert_eq!(asked_for(press(&mut app, Key::Up)), 1);
        for _ in 0..9 {
            press(&mut app, Key::Char(']'));
        }
        assert_eq!(app.step(), 1000);
    }

    #[test]
    fn the_target_never_falls_below_zero_or_rises_above_the_limit() {
        let mut app = app();
        app.update(Msg::Frame(frame(61_000, RunState::Running, 3)));
        assert_eq!(asked_for(press(&mut app, Key::Down)), -3);
        assert_eq!(asked_for(press(&mut app, Key::Down)), 0);
        app.update(Msg::Frame(frame(70_000, RunState::Running, CLIENTS)));
        assert_eq!(asked_for(press(&mut app, Key::Up)), 0);
    }

    #[test]
    fn more_than_a_hundred_clients_are_asked_about_first() {
        let mut app = app();
        (0..3).for_each(|_| _ = press(&mut app, Key::Char(']')));
        assert_eq!(press(&mut app, Key::Up), Effect::None);
        assert_eq!(app.mode, Mode::Confirm(500));
        assert_eq!(press(&mut app, Key::Char('n')), Effect::None);
        press(&mut app, Key::Up);
        assert_eq!(asked_for(press(&mut app, Key::Char('y'))), 500);
        press(&mut app, Key::Up);
        assert_eq!(press(&mut app, Key::Ctrl('c')), Effect::Ask(Command::Stop(StopCause::Interrupt)));
    }

    #[test]
    fn the_first_q_drains_and_the_second_stops_at_once() {
        let mut app = app();
        assert_eq!(press(&mut app, Key::Char('q')), Effect::Ask(Command::Stop(StopCause::Operator)));
        assert_eq!(press(&mut app, Key::Ctrl('c')), Effect::Ask(Command::StopNow(StopCause::Interrupt)));
        assert_eq!(press(&mut app, Key::Up), Effect::None);
    }

    #[test]
    fn a_drain_that_began_by_itself_is_cut_by_the_first_q() {
        let mut app = app();
        app.update(Msg::Frame(frame(61_000, RunState::Draining, 100)));
        assert_eq!(press(&mut app, Key::Char('q')), Effect::Ask(Command::StopNow(StopCause::Operator)));
    }

    #[test]
    fn escape_and_a_paste_never_end_a_run() {
        let mut app = app();
        assert_eq!(press(&mut app, Key::Escape), Effect::None);
        assert_eq!(app.update(Msg::Input(Input::Paste("qQ".to_owned()))), Effect::None);
        press(&mut app, Key::Char('?'));
        assert_eq!(app.mode, Mode::Help);
        assert_eq!(press(&mut app, Key::Escape), Effect::None);
        assert_eq!(app.mode, Mode::Normal);
    }

    #[test]
    fn freezing_keeps_the_picture_and_not_the_run() {
        let mut app = app();
        press(&mut app, Key::Char(' '));
        app.update(Msg::Frame(frame(75_000, RunState::Running, 500)));
        assert_eq!((app.shown.target, app.live.target), (100, 500));
        assert!(Arc::ptr_eq(&app.shown, &app.steady));
        assert_eq!(asked_for(press(&mut app, Key::Down)), -10);
        assert_eq!(app.notice(), Some("target 490"));
        press(&mut app, Key::Char(' '));
        assert_eq!(app.shown.target, 500);
    }

    #[test]
    fn digits_change_once_a_second_and_with_the_state() {
        let mut app = app();
        app.update(Msg::Frame(frame(60_250, RunState::Running, 101)));
        assert_eq!((app.shown.target, app.steady.target), (101, 100));
        app.update(Msg::Frame(frame(61_000, RunState::Running, 102)));
        assert_eq!(app.steady.target, 102);
        app.update(Msg::Frame(frame(61_250, RunState::Draining, 103)));
        assert_eq!(app.steady.target, 103);
    }

    #[test]
    fn a_notice_goes_away_and_an_asked_target_gives_way_to_the_real_one() {
        let mut app = app();
        press(&mut app, Key::Up);
        app.update(Msg::Frame(frame(60_500, RunState::Running, 100)));
        assert_eq!(app.wanted(), 110);
        app.update(Msg::Frame(frame(65_000, RunState::Running, 105)));
        assert_eq!((app.wanted(), app.notice()), (105, None));
    }
}
