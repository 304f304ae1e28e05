//! Content of the screen: texts and shares that pure functions make from the app. Screens only place them.
//!
//! * Every number has its text here; a screen neither divides nor formats.
//! * Only the shown view is made, and of long lists only the lines that fit: a view takes the room of its body and
//!   asks [`super::layout`] for the rest.

mod chart;
mod client_words;
mod clients;
mod errors;
mod footer;
mod generator;
mod log;
mod overview;
mod report;
mod table;
mod top;
mod trust;
mod zoom;

use ratatui::layout::Size;

use super::app::{App, Mode, View};
use super::theme::Role;

pub(super) use chart::{Bar, Chart, Charts};
pub(super) use clients::{ClientsView, LEGEND};
pub(super) use errors::{Errors, ErrorsView, STRIP_GROUP, Strip};
pub(super) use generator::{Fill, GeneratorView};
pub(super) use log::LogView;
pub(super) use overview::{Latency, Overview};
pub(super) use report::ReportView;
pub(super) use table::{Align, Column, Line, Table};
pub(super) use top::Top;
pub(super) use zoom::Zoom;

/// Importance of a text in a line that is too narrow for all its texts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Weight {
    /// Goes first.
    Decoration,
    /// Explains the subject.
    #[default]
    Context,
    /// What the line is about.
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
}

impl Text {
    pub(super) fn new(role: Role, text: impl Into<String>) -> Self {
        Self { text: text.into(), role, weight: Weight::default(), short: None }
    }

    pub(super) fn title(text: impl Into<String>) -> Self {
        Self::new(Role::Title, text)
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

/// The view that is shown.
#[derive(Debug)]
pub(super) enum Body {
    Overview(Box<Overview>),
    Zoom(Zoom),
    Clients(ClientsView),
    Errors(ErrorsView),
    Log(LogView),
    Report(ReportView),
    Generator(Box<GeneratorView>),
}

/// The whole screen.
#[derive(Debug)]
pub(super) struct Model {
    pub(super) top: Top,
    /// The views and their numbers, the shown one in brackets.
    pub(super) tabs: Vec<Text>,
    pub(super) body: Body,
    pub(super) footer: Vec<Text>,
    pub(super) help: bool,
    /// One line for each key number, for a screen without room for panels.
    pub(super) essence: Vec<(&'static str, Vec<Text>)>,
}

impl Model {
    pub(super) fn new(app: &App) -> Self {
        Self {
            top: Top::new(app),
            tabs: tabs(app),
            body: body(app, app.room),
            footer: footer::line(app),
            help: app.mode == Mode::Help,
            essence: overview::essence(app),
        }
    }
}

fn body(app: &App, room: Size) -> Body {
    match app.view {
        View::Overview if app.zoomed => Body::Zoom(Zoom::new(app, room)),
        View::Overview => Body::Overview(Box::new(Overview::new(app, room))),
        View::Clients => Body::Clients(ClientsView::new(app, room)),
        View::Errors => Body::Errors(ErrorsView::new(app, room)),
        View::Generator => Body::Generator(Box::new(GeneratorView::new(app))),
        View::Log => Body::Log(LogView::new(app, room)),
        View::Report => Body::Report(ReportView::new(app, room)),
    }
}

fn tabs(app: &App) -> Vec<Text> {
    let shown = View::ALL.iter().filter(|view| **view != View::Report || app.report.is_some());
    let tabs = shown.enumerate().map(|(place, view)| {
        let text = format!("{} {}", place + 1, view.name());
        if *view == app.view {
            Text::new(Role::Title, format!("[{text}]"))
        } else {
            Text::label(format!(" {text} "))
        }
    });
    tabs.collect()
}
