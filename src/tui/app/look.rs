//! Actions that change only the screen: views, lists, what is open, and how much of it fits.

use ratatui::layout::Size;

use super::{Access, App, Effect, Mode, Panel, PromptKind, View};
use crate::tui::keys::{Action, Motion};
use crate::tui::layout;
use crate::tui::layout::stream::StreamPanel;

impl App {
    /// Takes the size of the screen: it decides how much of a view fits.
    pub(super) fn fit(&mut self, screen: Size) {
        self.screen = screen;
        self.room = layout::frame(layout::body(screen)).body.as_size();
        self.fit_clients();
        if self.focus >= self.panels() {
            self.focus = 0;
        }
        self.scroll = self.scroll.min(self.last_scroll());
        let is_replay = self.is_replay();
        if let Mode::Help(scroll) = &mut self.mode {
            *scroll = (*scroll).min(layout::help::layout(screen, is_replay).last_scroll());
        }
    }

    /// Gives the list of clients the lines that the open client leaves, which must not hide that client.
    fn fit_clients(&mut self) {
        self.clients.fit(layout::clients::lines(self.room, self.detail_lines()));
        if self.clients.open {
            self.clients.bring_into_sight(&self.steady.snapshot);
        }
    }

    /// Reports whether a record is shown, not a run.
    pub(in crate::tui) fn is_replay(&self) -> bool {
        self.access == Access::Replay
    }

    /// Returns the width of the screen.
    pub(in crate::tui) const fn screen_width(&self) -> u16 {
        self.screen.width
    }

    /// Returns the lines of a page of the help overlay, and its largest scroll offset.
    pub(super) fn help_lines(&self) -> (usize, usize) {
        let places = layout::help::layout(self.screen, self.is_replay());
        (layout::lines(places.overlay, 0), places.last_scroll())
    }

    /// Reports whether a panel of the shown view has the focus.
    pub(in crate::tui) fn has_focus(&self, panel: usize) -> bool {
        self.focus == panel
    }

    /// Returns the chart or table of the overview that has the focus.
    pub(in crate::tui) fn panel(&self) -> Option<Panel> {
        Panel::ALL.get(self.focus).copied()
    }

    /// Reports whether the shown view has charts over the time of the run.
    pub(in crate::tui) const fn has_charts(&self) -> bool {
        match self.view {
            View::Overview | View::Errors | View::Log | View::Latency | View::Stream => true,
            // The other pages are text.
            View::Report => self.scroll == 0,
            _ => false,
        }
    }

    /// Returns the number of panels of the shown view that can have the focus.
    fn panels(&self) -> usize {
        match self.view {
            View::Overview => layout::overview::PANELS + self.has_who(),
            View::Clients => layout::clients::PANELS + self.has_who(),
            View::Errors => layout::errors::PANELS,
            View::Generator => layout::generator::panels(self.room).len(),
            View::Log => layout::log::PANELS,
            View::Latency => layout::latency::PANELS,
            View::Stream => layout::stream::panels(self.room).len(),
            View::Report => 1,
        }
    }

    /// Returns 1 if the shown view has a panel of groups of clients, with groups in it.
    fn has_who(&self) -> usize {
        let is_shown = self.view != View::Overview || !self.zoomed;
        usize::from(is_shown && !self.groups().is_empty())
    }

    /// Shows a view with the focus on its list.
    pub(super) fn show(&mut self, view: View) {
        let focus = match view {
            View::Clients | View::Log => 1,
            _ => 0,
        };
        (self.view, self.zoomed, self.scroll, self.focus) = (view, false, 0, focus);
        self.arrange();
    }

    /// Returns the lines that the open client takes; 0 if none is open.
    pub(in crate::tui) fn detail_lines(&self) -> u16 {
        if self.clients.open { layout::clients::detail_lines(self.room) } else { 0 }
    }

    /// Returns the lines of the scrolled list of the shown view.
    fn list_lines(&self) -> usize {
        match self.view {
            View::Errors if self.has_focus(1) => layout::errors::layout(self.room).finding_lines(),
            View::Errors => layout::errors::lines(self.room),
            View::Log if self.has_focus(0) => layout::log::layout(self.room).story_lines(),
            View::Log => layout::log::lines(self.room),
            View::Stream => layout::stream::layout(self.room).lines(self.stream_panel()),
            // It scrolls by pages.
            View::Report => 1,
            View::Generator => layout::generator::layout(self.room).lines(self.generator_panel()),
            View::Overview | View::Clients | View::Latency => 0,
        }
    }

    /// Returns the number of lines of the text report; 0 before the end of the run.
    pub(in crate::tui) fn report_lines(&self) -> usize {
        self.report.as_ref().map_or(0, |report| report.text.len())
    }

    /// Handles the actions that change only the screen.
    pub(super) fn look(&mut self, action: Action) -> Effect {
        match action {
            Action::Freeze => self.freeze(),
            Action::View(number) => return self.go(number),
            Action::Help => self.mode = Mode::Help(0),
            Action::Panel(turn) => {
                let all: Vec<usize> = (0..self.panels()).collect();
                (self.focus, self.scroll) = (turn.in_round(&all, self.focus), 0);
            }
            Action::LookBack(columns) if self.has_charts() => self.look_back(columns),
            Action::Now if self.cursor.is_some() => self.cursor = None,
            Action::Now => self.move_in_list(Motion::Last),
            Action::Zoom if self.group_at().is_some() => {}
            Action::Zoom => self.zoomed = !self.zoomed && self.view == View::Overview,
            Action::Window(turn) => self.window = self.window.turned(turn),
            Action::Back => self.back(),
            Action::Move(motion) => self.move_in_list(motion),
            Action::Open if self.group_at().is_some() => {
                return self.show_clients_of_group(self.group_at().unwrap_or_default());
            }
            Action::Open if self.map_line().is_some() => {
                return self.show_clients_of_line(self.map_line().unwrap_or_default());
            }
            Action::Open if self.view == View::Clients => self.open(),
            Action::Open if self.view == View::Overview => self.zoomed = !self.zoomed,
            Action::Open if self.view == View::Errors => return self.show_clients_of_chosen(),
            Action::Open if self.view == View::Stream => {
                return match self.stream_panel() {
                    StreamPanel::Edges => self.show_clients_of_edge(),
                    _ => self.show_clients_of_rung(),
                };
            }
            Action::Open if self.view == View::Log => self.log_each = !self.log_each,
            Action::Trouble(turn) => return self.go_to_trouble(turn),
            Action::Sort(turn) => self.clients.turn_sort(turn),
            Action::Reverse => self.clients.reversed = !self.clients.reversed,
            Action::FaultsOnly => self.clients.faults_only = !self.clients.faults_only,
            Action::Follow => self.clients.following = !self.clients.following,
            Action::Filter if matches!(self.view, View::Clients | View::Log) => {
                return self.ask(PromptKind::Filter);
            }
            _ => {}
        }
        // These change the list: arrange it now and not with the next sample.
        if matches!(action, Action::Sort(_) | Action::Reverse | Action::FaultsOnly | Action::Follow) {
            self.arrange();
        }
        Effect::None
    }

    fn go(&mut self, number: u8) -> Effect {
        let view = View::ALL.get(usize::from(number).saturating_sub(1)).copied().unwrap_or_default();
        if view == View::Report && self.report.is_none() {
            return self.say("no report until the run has ended".to_owned());
        }
        self.show(view);
        Effect::None
    }

    /// Closes one open thing at a time; never ends the run.
    fn back(&mut self) {
        let filtered = self.clients.filter.is_some() || self.clients.faults_only;
        match self.view {
            _ if self.cursor.is_some() => self.cursor = None,
            View::Clients if self.clients.open => {
                self.clients.open = false;
                self.fit_clients();
            }
            View::Clients if filtered => {
                (self.clients.filter, self.clients.faults_only) = (None, false);
                self.arrange();
            }
            View::Log if self.log_filter.is_some() => self.log_filter = None,
            View::Report => {}
            View::Overview => self.zoomed = false,
            _ => self.show(View::Overview),
        }
    }

    fn open(&mut self) {
        if self.clients.selected.is_none() {
            self.clients.go(Motion::Down, &self.steady.snapshot);
        }
        self.clients.open = !self.clients.open && self.clients.selected.is_some();
        self.fit_clients();
    }

    fn move_in_list(&mut self, motion: Motion) {
        if let Some(at) = self.group_at() {
            return self.choose_group(at, motion);
        }
        if let Some(at) = self.map_line() {
            return self.choose_map_line(at, motion);
        }
        if self.view == View::Clients {
            return self.clients.go(motion, &self.steady.snapshot);
        }
        if self.view == View::Errors && self.has_focus(0) {
            return self.choose(motion, self.list_lines().max(1));
        }
        if self.view == View::Stream && self.stream_panel() == StreamPanel::Ladder {
            return self.choose_rung(motion, self.list_lines().max(1));
        }
        if self.view == View::Stream && self.stream_panel() == StreamPanel::Edges {
            return self.choose_edge(motion, self.list_lines().max(1));
        }
        let (page, last) = (self.list_lines().max(1), self.last_scroll());
        // The log scrolls from its end: moving up increases the offset.
        let motion = if self.view == View::Log { motion.reversed() } else { motion };
        self.scroll = scrolled(self.scroll, motion, page, last);
    }

    /// Returns the largest scroll offset of the shown view.
    pub(super) fn last_scroll(&self) -> usize {
        let lines = match self.view {
            View::Errors => self.steady.findings.len(),
            View::Stream => match self.stream_panel() {
                StreamPanel::Ladder | StreamPanel::Edges => 0,
                StreamPanel::Findings => self.steady.findings.len(),
            },
            View::Log if self.has_focus(0) => self.story_lines(),
            View::Log => self.log().len(),
            View::Report => layout::report::pages(self.room, self.report_lines()),
            View::Generator => self.generator_lines(),
            _ => 0,
        };
        lines.saturating_sub(self.list_lines())
    }
}

/// Returns a scroll offset after a movement, at most `last`.
pub(super) fn scrolled(scroll: usize, motion: Motion, page: usize, last: usize) -> usize {
    let moved = match motion {
        Motion::Down => scroll.saturating_add(1),
        Motion::Up => scroll.saturating_sub(1),
        Motion::PageDown => scroll.saturating_add(page),
        Motion::PageUp => scroll.saturating_sub(page),
        Motion::First => 0,
        Motion::Last => last,
    };
    moved.min(last)
}
