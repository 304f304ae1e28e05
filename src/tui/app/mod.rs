//! State of the console. `update` is the only way to change it; it waits for nothing and reads no clock.
//!
//! * Time is the time of the newest sample: replaying samples and keys gives the same screen.
//! * Freezing keeps a sample on the screen and never holds the run: requests made while frozen act on the live run.
//! * Only the keys of [`keys::Group::Load`] change the load, and a read-only console accepts none of them.

mod chosen;
mod clients;
mod filter;
mod generator;
mod load;
mod log;
mod look;
mod prompt;
mod replay;
mod report;
mod scope;
mod stream;
#[cfg(test)]
mod tests;
mod time;
mod title;
mod trouble;
mod view;
mod who;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ratatui::layout::Size;

use super::input::{Input, Key};
use super::keys::{self, Action};
use crate::report::Doc;
use crate::sample::RunSample;
use crate::vocabulary::steering::ENDING;
use crate::vocabulary::{Command, Mark, Outcome, ReplaySpeed, StopCause, Untrusted, units};

pub(super) use clients::ClientList;
pub(super) use filter::Filter;
pub(super) use log::LogGroup;
use prompt::Typed;
pub(super) use prompt::{Prompt, PromptKind};
pub(super) use report::ShownReport;
pub(super) use scope::Scope;
pub(super) use stream::rung_label;
pub use title::Title;
pub(super) use view::{ChartWindow, Panel, View};

/// The steps by which clients are added and removed.
pub(super) const STEPS: [i64; 6] = [1, 10, 50, 100, 500, 1000];
/// Index in [`STEPS`] of the initial step.
const FIRST_STEP: usize = 1;
/// Time that a notice about the last key stays.
const NOTICE: Duration = Duration::from_secs(4);

/// Permissions of the console's keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Access {
    /// Everything.
    #[default]
    Full,
    /// Looking and marking only; this console cannot change the load.
    ReadOnly,
    /// Looking at a record: there is no run to change, and the report stays on screen.
    Replay,
}

/// Message to the app.
#[derive(Clone, Debug)]
pub(super) enum Msg {
    /// A new sample of the run.
    Sample(Arc<RunSample>),
    /// A key or a paste.
    Input(Input),
    /// The size of the screen.
    Screen(Size),
    /// A screen frame was late.
    LatePicture,
    /// Words for the text that was sent to the terminal's clipboard.
    Copied(String),
    /// The screen or a report was written to these files; or the reason why it was not.
    Saved(Result<String, String>),
    /// The report of the run, which has ended.
    Report(Arc<Doc>),
}

/// Action that the caller must carry out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// Nothing.
    None,
    /// Send a command to the run.
    Ask(Command),
    /// Draw the whole screen again.
    Redraw,
    /// Write the screen to files.
    Save,
    /// Write the report, or that of the run so far, as a page.
    SavePage,
    /// Copy what is selected, or else what the view shows, to the terminal's clipboard.
    Copy,
    /// Leave the screen: the run has ended and its report need not stay.
    Leave,
}

/// Mode that decides how keys are handled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Mode {
    /// Keys act as in the table of keys.
    #[default]
    Normal,
    /// The help overlay, from this line on.
    Help(usize),
    /// A question: set the target to this many clients?
    Confirm(i64),
    /// A line that is being typed.
    Prompt(Prompt),
}

/// Everything from which the screen is made.
#[derive(Debug)]
pub(super) struct App {
    pub(super) title: Title,
    pub(super) access: Access,
    /// The newest sample, also while the display is frozen.
    pub(super) live: Arc<RunSample>,
    /// The sample that is shown.
    pub(super) shown: Arc<RunSample>,
    /// The sample whose digits are shown. It changes once a second and with the run's state, so that they can be
    /// read.
    pub(super) steady: Arc<RunSample>,
    pub(super) frozen_since: Option<Duration>,
    /// Speed of a replay.
    pub(super) speed: ReplaySpeed,
    pub(super) view: View,
    pub(super) mode: Mode,
    /// Number of the panel that has the focus, in the order of its view.
    pub(super) focus: usize,
    /// Set to show that panel alone.
    pub(super) zoomed: bool,
    pub(super) window: ChartWindow,
    /// Moment that is looked at; `None` for the newest.
    pub(in crate::tui) cursor: Option<Duration>,
    pub(super) scope: Scope,
    pub(super) clients: ClientList,
    /// The first visible line of the other lists; for both lists of the log, counted from their ends.
    pub(super) scroll: usize,
    /// Outcome that is chosen in the view of failures.
    pub(super) chosen: Option<Outcome>,
    /// Place of the rung that is chosen in the view of the stream; `None` for the one that needs a look.
    pub(super) rung: Option<usize>,
    /// Address that is chosen in the view of the stream; `None` for the first.
    pub(super) edge: Option<SocketAddr>,
    /// Place of the cursor among the groups of clients that are shown.
    group: usize,
    /// Line of the map at its cursor.
    map_line: usize,
    pub(super) log_filter: Option<Filter>,
    /// Set to show each event of the log on a line of its own.
    pub(super) log_each: bool,
    /// The report of the run, once it has ended.
    pub(super) report: Option<Box<ShownReport>>,
    pub(super) late_pictures: u64,
    /// The room of the view on the screen.
    pub(super) room: Size,
    screen: Size,
    step: usize,
    /// Set when the operator has ended the run with a key after which the report stays on screen.
    stays: bool,
    stop_asked: bool,
    /// The sample whose note is being typed.
    marked: Arc<RunSample>,
    /// The requested target, and the time until which it stands in for the target of the samples.
    asked_target: Option<(i64, Duration)>,
    notice: Option<(String, Duration)>,
}

impl App {
    pub(super) fn new(title: Title, access: Access) -> Self {
        let none: Arc<RunSample> = Arc::default();
        Self {
            title: title.made_safe(),
            access,
            live: Arc::clone(&none),
            shown: Arc::clone(&none),
            steady: Arc::clone(&none),
            frozen_since: None,
            speed: ReplaySpeed::default(),
            view: View::default(),
            mode: Mode::default(),
            focus: 0,
            cursor: None,
            zoomed: false,
            window: ChartWindow::default(),
            scope: Scope::default(),
            clients: ClientList::default(),
            scroll: 0,
            chosen: None,
            rung: None,
            edge: None,
            group: 0,
            map_line: 0,
            log_filter: None,
            log_each: false,
            report: None,
            late_pictures: 0,
            room: Size::default(),
            screen: Size::default(),
            step: FIRST_STEP,
            stays: false,
            stop_asked: false,
            marked: none,
            asked_target: None,
            notice: None,
        }
    }

    /// Applies a message and returns the action for the caller.
    pub(super) fn update(&mut self, msg: Msg) -> Effect {
        match msg {
            Msg::Sample(sample) => self.take(sample),
            Msg::LatePicture => self.late_pictures += 1,
            Msg::Screen(size) => self.fit(size),
            Msg::Saved(Ok(name)) => return self.say(format!("written: {name}")),
            Msg::Saved(Err(why)) => return self.say(why),
            // The terminal does not say whether it allows this.
            Msg::Copied(what) => return self.say(format!("to the clipboard: {what}")),
            Msg::Report(report) => return self.end(report),
            Msg::Input(Input::Paste(text)) => {
                if let Mode::Prompt(prompt) = &mut self.mode {
                    prompt.paste(&text);
                }
            }
            Msg::Input(Input::Key(key)) => return self.press(key),
        }
        Effect::None
    }

    /// Returns the number of clients that one key press adds.
    pub(super) fn step(&self) -> i64 {
        STEPS.get(self.step).copied().unwrap_or(1)
    }

    /// Returns the notice about the last key while it is fresh.
    pub(super) fn notice(&self) -> Option<&str> {
        self.notice.as_ref().filter(|(_, until)| self.live.at < *until).map(|(text, _)| text.as_str())
    }

    fn take(&mut self, sample: Arc<RunSample>) {
        if self.asked_target.is_some_and(|(_, until)| sample.at >= until) {
            self.asked_target = None;
        }
        let held_by = self.live.held_by();
        self.live = sample;
        self.tell_brake(held_by);
        if self.frozen_since.is_some() {
            return;
        }
        let new_second = self.live.at.as_secs() != self.steady.at.as_secs();
        if new_second || self.live.state != self.steady.state {
            self.steady = Arc::clone(&self.live);
            self.arrange();
        }
        self.shown = Arc::clone(&self.live);
    }

    fn arrange(&mut self) {
        self.clients.arrange(&self.steady, self.view);
    }

    /// Shows the report of a run that has ended. It stays on screen if the operator pressed `q`; otherwise the
    /// console leaves at once.
    fn end(&mut self, report: Arc<Doc>) -> Effect {
        self.report = Some(Box::new(ShownReport::new(report)));
        self.show(View::Report);
        self.mode = Mode::Normal;
        // The clock of the run stands still from here on: a notice of before would never be outdated.
        self.notice = None;
        if self.stays || self.access == Access::Replay { Effect::None } else { Effect::Leave }
    }

    fn press(&mut self, key: Key) -> Effect {
        if self.access == Access::Replay {
            // While a replay is paused, its clock does not outdate a notice.
            self.notice = None;
        }
        // Ctrl-C keeps its usual meaning in every mode.
        if key == Key::Ctrl('c') {
            self.mode = Mode::Normal;
            return self.act(Action::Interrupt);
        }
        match std::mem::take(&mut self.mode) {
            Mode::Confirm(target) => match key {
                Key::Char('y' | 'Y') | Key::Enter => self.aim(target),
                _ => self.say("nothing changed".to_owned()),
            },
            Mode::Prompt(prompt) => self.type_into(prompt, key),
            Mode::Help(scroll) => self.press_in_help(scroll, keys::action(key)),
            Mode::Normal => keys::action(key).map_or(Effect::None, |action| self.act(action)),
        }
    }

    /// Scrolls the help, or closes it; any other key acts as it always does.
    fn press_in_help(&mut self, scroll: usize, action: Option<Action>) -> Effect {
        match action {
            Some(Action::Move(motion)) => {
                let (page, last) = self.help_lines();
                self.mode = Mode::Help(look::scrolled(scroll, motion, page, last));
                Effect::None
            }
            None | Some(Action::Help | Action::Back) => Effect::None,
            Some(action) => self.act(action),
        }
    }

    fn type_into(&mut self, mut prompt: Prompt, key: Key) -> Effect {
        match (prompt.press(key), prompt.asked) {
            (Typed::On, _) => {
                self.mode = Mode::Prompt(prompt);
                Effect::None
            }
            (Typed::Cancelled, PromptKind::Note) => self.say("mark cancelled".to_owned()),
            (Typed::Cancelled, _) => Effect::None,
            (Typed::Done, PromptKind::Target) => {
                let now = u32::try_from(self.wanted()).unwrap_or_default();
                match prompt::target(&prompt.text, now) {
                    Ok(target) => self.want(target),
                    Err(wrong) => self.say(wrong),
                }
            }
            (Typed::Done, PromptKind::Filter) => self.filter(&prompt.text),
            (Typed::Done, PromptKind::Note) => {
                let (at, note) = (self.marked.at, Untrusted::new(prompt.text.trim()).shown());
                self.scope.remember(&self.marked);
                self.say(format!("marked {}", units::clock(at)));
                Effect::Ask(Command::Mark(Mark { at, note }))
            }
        }
    }

    fn act(&mut self, action: Action) -> Effect {
        // After the end of the run, the keys that stop it leave the screen.
        if self.report.is_some() && matches!(action, Action::Stop | Action::Interrupt | Action::StopNow) {
            return Effect::Leave;
        }
        let is_of_run = keys::is_load(action) || matches!(action, Action::Mark | Action::Suspend);
        if self.access == Access::Replay && is_of_run {
            return self.act_in_replay(action);
        }
        if self.access == Access::ReadOnly && keys::is_load(action) {
            return self.say("--read-only: keys do not change the load".to_owned());
        }
        match action {
            Action::More => return self.change(self.step()),
            Action::Fewer => return self.change(-self.step()),
            Action::StepUp => self.step = (self.step + 1).min(STEPS.len() - 1),
            Action::StepDown => self.step = self.step.saturating_sub(1),
            Action::Target => return self.ask(PromptKind::Target),
            Action::Hold => return self.hold(),
            Action::Stop => return self.stop(StopCause::Operator),
            Action::Interrupt => return self.stop(StopCause::Interrupt),
            Action::StopNow => return self.stop_now(StopCause::Operator),
            Action::Mark => return self.mark(),
            Action::Scope => return self.turn_scope(),
            Action::Save => return Effect::Save,
            Action::SavePage => {
                self.say("the report is being written".to_owned());
                return Effect::SavePage;
            }
            Action::Copy => return Effect::Copy,
            Action::Redraw => return Effect::Redraw,
            Action::Suspend => {
                return self.say(
                    "Ctrl-Z is disabled: it would stop every client at once; q ends the run".to_owned(),
                );
            }
            _ => return self.look(action),
        }
        Effect::None
    }

    fn filter(&mut self, text: &str) -> Effect {
        match Filter::new(text) {
            Err(wrong) => return self.say(wrong),
            Ok(Some(filter)) if self.view == View::Log && filter.is_for_clients() => {
                return self.say(format!("{} is for clients, not for the log", filter.text));
            }
            Ok(filter) if self.view == View::Log => self.log_filter = filter,
            Ok(filter) => self.clients.filter = filter,
        }
        self.arrange();
        Effect::None
    }

    fn freeze(&mut self) {
        if self.frozen_since.take().is_some() {
            self.shown = Arc::clone(&self.live);
            self.steady = Arc::clone(&self.live);
            self.arrange();
        } else {
            self.frozen_since = Some(self.live.at);
            // Hold one sample, not two: the sampler's pool is small.
            self.shown = Arc::clone(&self.steady);
        }
    }

    fn ask(&mut self, asked: PromptKind) -> Effect {
        if asked == PromptKind::Target && self.is_ending() {
            return self.say(ENDING.to_owned());
        }
        self.mode = Mode::Prompt(Prompt::new(asked));
        Effect::None
    }

    fn mark(&mut self) -> Effect {
        if self.report.is_some() {
            return self.say("the run has ended: marks can no longer be set".to_owned());
        }
        self.marked = Arc::clone(&self.live);
        self.ask(PromptKind::Note)
    }

    fn turn_scope(&mut self) -> Effect {
        if self.scope.turn() {
            return Effect::None;
        }
        self.say("no mark yet: m marks this moment".to_owned())
    }

    fn say(&mut self, text: String) -> Effect {
        self.notice = Some((text, self.live.at + NOTICE));
        Effect::None
    }
}
