//! Content of the screen: texts and shares that pure functions make from the app. Screens only place them.
//!
//! * Every number has its text here; a screen neither divides nor formats.
//! * Only the shown view is made, and of long lists only the lines that fit: a view takes the room of its body and
//!   asks [`super::layout`] for the rest.

mod charts;
mod client_timeline;
mod client_words;
mod clients;
mod columns;
mod copied;
mod errors;
mod errors_view;
mod events_chart;
mod examples;
mod failures;
mod footer;
mod generator;
mod latency;
mod log;
mod nothing;
mod origin;
mod overview;
mod reason;
mod report;
mod stage;
mod stream;
mod stream_panels;
mod swarm_map;
mod table;
mod throughput_chart;
mod tiny;
mod top;
mod trust;
mod who;
mod zoom;

use ratatui::layout::Size;

use super::app::{App, Mode, View};
use super::theme::Role;
use crate::verdict::{DEGRADED_SHARE, FAILING_SHARE};
use crate::vocabulary::Tone;

pub(super) use charts::{Charts, Figure, LEGEND_ROOM, Stack};
pub(super) use client_timeline::{ClientTimeline, OUTCOMES, RequestBar};
pub(super) use client_words::second_tone;
pub(super) use clients::{BUFFER, ClientsView, LAST_STATES};
pub(super) use copied::Copied;
pub(super) use errors_view::{CodeLine, ErrorsView, FindingLine};
pub(super) use failures::{FailedLine, Failures};
pub(super) use generator::{Fill, GeneratorView};
pub(super) use latency::{AgeLine, Distribution, LatencyView};
pub(super) use log::LogView;
pub(super) use overview::{BigNumber, LatencyTable, Overview};
pub(super) use report::{EdgeLine, ReportPage, ReportView, SessionLine, TextPage};
pub(super) use stream::{AgeChart, BehindChart, EDGE_COLUMNS, Live, StreamView, Viewers};
pub(super) use stream_panels::{RungLine, WindowLine};
pub(super) use table::{Align, Column, Line, Table};
pub(super) use tiny::{Tiny, TinyLine};
pub(super) use top::Top;
pub(super) use trust::{BAR, GaugeBar};
pub(super) use who::WhoLine;
pub(super) use zoom::Zoom;

/// Importance of a text in a line that is too narrow for all its texts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Weight {
    /// Goes first.
    Decoration,
    /// Explains the subject.
    #[default]
    Context,
    /// Subject of the line.
    Subject,
    /// A value beyond a limit: never left out.
    OutOfBounds,
}

/// A text, its meaning and its importance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Text {
    pub(super) text: String,
    pub(super) role: Role,
    pub(super) weight: Weight,
    /// Shorter words for the same, used before a text of this weight is left out.
    pub(super) short: Option<String>,
    /// Byte from which on the text has another role: a value and its unit, or a label and its value.
    pub(super) tail: Option<(usize, Role)>,
}

impl Text {
    pub(super) fn new(role: Role, text: impl Into<String>) -> Self {
        Self { text: text.into(), role, weight: Weight::default(), short: None, tail: None }
    }

    pub(super) fn title(text: impl Into<String>) -> Self {
        Self::new(Role::Title, text)
    }

    /// Adds words of another role.
    pub(super) fn then(mut self, role: Role, text: &str) -> Self {
        self.tail = Some((self.text.len(), role));
        self.text.push_str(text);
        self
    }

    /// Replaces the text by its shorter words, if it has any. They keep the second role only if they begin as the text
    /// does.
    pub(super) fn shorten(&mut self) {
        let Some(short) = self.short.take() else { return };
        let head = self.tail.and_then(|(from, _)| self.text.get(..from));
        if head.is_some_and(|head| !short.starts_with(head)) {
            self.tail = None;
        }
        self.text = short;
    }

    /// Returns the text in its shorter words, if it has any.
    pub(super) fn shortened(mut self) -> Self {
        self.shorten();
        self
    }

    /// Returns the parts of the text that differ in their role.
    pub(super) fn parts(&self) -> [(Role, &str); 2] {
        let (from, role) = self.tail.unwrap_or((self.text.len(), self.role));
        // Shorter words may end before the tail begins.
        let (head, tail) = self.text.split_at_checked(from).unwrap_or((&self.text, ""));
        [(self.role, head), (role, tail)]
    }

    pub(super) fn weighing(self, weight: Weight) -> Self {
        Self { weight, ..self }
    }

    pub(super) fn or_short(self, text: impl Into<String>) -> Self {
        Self { short: Some(text.into()), ..self }
    }

    pub(super) fn plain(text: impl Into<String>) -> Self {
        Self::new(Role::Plain, text)
    }

    pub(super) fn label(text: impl Into<String>) -> Self {
        Self::new(Role::Label, text)
    }
}

/// Returns the role of a share of failed requests or stalled clients: the bounds are those of the health verdict.
pub(super) fn share_role(share: Option<f64>) -> Role {
    match share {
        Some(share) if share >= FAILING_SHARE => Role::Failing,
        Some(share) if share >= DEGRADED_SHARE => Role::Warning,
        _ => Role::Plain,
    }
}

/// The view that is shown.
#[derive(Debug)]
pub(super) enum Body {
    Overview(Box<Overview>),
    Zoom(Zoom),
    Clients(ClientsView),
    Errors(Box<ErrorsView>),
    Latency(Box<LatencyView>),
    Stream(Box<StreamView>),
    Log(LogView),
    Report(ReportView),
    /// One panel over the whole body.
    Page(Box<Table>),
    Generator(Box<GeneratorView>),
}

/// The help overlay: its scroll offset, and whether its keys are those of a replay.
#[derive(Clone, Copy, Debug)]
pub(super) struct Help {
    pub(super) scroll: usize,
    pub(super) is_replay: bool,
}

/// The whole screen.
#[derive(Debug)]
pub(super) struct Model {
    pub(super) top: Top,
    /// The views and their numbers, the shown one in brackets.
    pub(super) tabs: Vec<Text>,
    pub(super) body: Body,
    pub(super) footer: Vec<Text>,
    /// The help overlay, while it is open.
    pub(super) help: Option<Help>,
    /// The key numbers, for a screen without room for panels.
    pub(super) tiny: Tiny,
}

impl Model {
    pub(super) fn new(app: &App) -> Self {
        Self {
            top: Top::new(app),
            tabs: tabs(app),
            body: body(app, app.room),
            footer: footer::line(app),
            help: match app.mode {
                Mode::Help(scroll) => Some(Help { scroll, is_replay: app.is_replay() }),
                _ => None,
            },
            tiny: Tiny::new(app),
        }
    }
}

fn body(app: &App, room: Size) -> Body {
    if app.view == View::Overview
        && let Some(page) = nothing::page(app)
    {
        return Body::Page(Box::new(page));
    }
    match app.view {
        View::Overview if app.zoomed => Body::Zoom(Zoom::new(app, app.panel().unwrap_or_default(), room)),
        View::Overview => Body::Overview(Box::new(Overview::new(app, room))),
        View::Clients => Body::Clients(ClientsView::new(app, room)),
        View::Errors => Body::Errors(Box::new(ErrorsView::new(app, room))),
        View::Generator => Body::Generator(Box::new(GeneratorView::new(app, room))),
        View::Log => Body::Log(LogView::new(app, room)),
        View::Report => Body::Report(ReportView::new(app, room)),
        View::Latency => Body::Latency(Box::new(LatencyView::new(app, room))),
        View::Stream => Body::Stream(Box::new(StreamView::new(app, room))),
    }
}

/// Returns the views with their keys: the shown one stands out, one that has nothing to show yet is dim.
fn tabs(app: &App) -> Vec<Text> {
    let tabs = View::ALL.iter().map(|view| {
        let text = format!(" {} {} ", view.number(), view.name());
        match *view {
            view if view == app.view => Text::new(Role::Chip(Tone::Ground), text).weighing(Weight::Subject),
            View::Report if app.report.is_none() => Text::new(Role::In(Tone::Rule), text),
            _ => Text::label(text),
        }
    });
    tabs.collect()
}
