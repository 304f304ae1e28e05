//! What the screen says: texts and shares, made of the app by pure functions. Screens only place them.
//!
//! * Every number has its text here; a screen neither divides nor formats.
//! * Of long lists only what fits is made: [`Rooms`] says how much that is.

mod clients;
mod errors;
mod footer;
mod overview;
mod top;

use super::app::{App, Mode, View};
use super::theme::Role;

pub(super) use clients::{COLUMNS, ClientTable};
pub(super) use errors::Errors;
pub(super) use overview::Overview;
pub(super) use top::Top;

/// A text and what it means.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Text {
    pub(super) text: String,
    pub(super) role: Role,
}

impl Text {
    pub(super) fn new(role: Role, text: impl Into<String>) -> Self {
        Self { text: text.into(), role }
    }

    pub(super) fn plain(text: impl Into<String>) -> Self {
        Self::new(Role::Plain, text)
    }

    pub(super) fn label(text: impl Into<String>) -> Self {
        Self::new(Role::Label, text)
    }
}

/// How many lines of each list fit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Rooms {
    pub(super) errors: usize,
    pub(super) clients: usize,
}

/// The whole screen.
#[derive(Debug)]
pub(super) struct Model {
    pub(super) top: Top,
    pub(super) view: View,
    pub(super) overview: Overview,
    pub(super) errors: Errors,
    pub(super) clients: ClientTable,
    pub(super) footer: Vec<Text>,
    pub(super) help: bool,
}

impl Model {
    pub(super) fn of(app: &App, rooms: Rooms) -> Self {
        Self {
            top: Top::of(app),
            view: app.view,
            overview: Overview::of(app),
            errors: Errors::of(&app.steady.snapshot.totals, rooms.errors),
            clients: ClientTable::of(&app.steady.snapshot, rooms.clients),
            footer: footer::of(app),
            help: app.mode == Mode::Help,
        }
    }
}
