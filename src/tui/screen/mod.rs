//! Where things stand on the screen: takes a model and a theme, and neither divides nor formats.
//!
//! * Any size down to nothing is drawn: what does not fit is left out or cut at the right with `~`.
//! * No panel's height depends on how much there is to say.

mod help;
mod line;
mod panels;
mod places;
mod small;
mod table;

use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};

use super::app::View;
use super::model::{Model, Rooms, Top};
use super::theme::{Role, Theme};

use line::Row;
use places::Places;

/// How many lines of each list fit a screen.
pub(super) fn rooms(size: Size, view: View) -> Rooms {
    let places = Places::of(Rect::new(0, 0, size.width, size.height), view);
    Rooms {
        errors: usize::from(places.errors.height.saturating_sub(panels::FRAME)),
        clients: usize::from(places.table.height.saturating_sub(table::FURNITURE)),
    }
}

/// Draws the screen.
pub(super) fn draw(model: &Model, theme: Theme, buffer: &mut Buffer) {
    let area = buffer.area;
    if area.is_empty() {
        return;
    }
    if small::is_small(area) {
        small::draw(model, theme, area, buffer);
    } else {
        let places = Places::of(area, model.view);
        top(&model.top, theme, places.top, buffer);
        panels::clients(model, theme, places.clients, buffer);
        panels::latency(model, theme, places.latency, buffer);
        panels::traffic(model, theme, places.traffic, buffer);
        panels::errors(&model.errors, theme, places.errors, buffer);
        table::draw(&model.clients, theme, places.table, buffer);
        Row::at(places.footer, buffer, theme).indent().texts(&model.footer, 2);
    }
    if model.help {
        help::draw(theme, area, buffer);
    }
}

/// The four lines that decide, as many as there is room for.
fn top(top: &Top, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let mut lines = area.rows();
    if let Some(line) = lines.next() {
        let used = Row::at(line, buffer, theme).indent().texts(&top.run, 2).end();
        Row::at(line, buffer, theme).right(&top.aside, used + 2);
    }
    if let Some(line) = lines.next() {
        verdict(top, theme, line, buffer);
    }
    if let Some(line) = lines.next() {
        Row::at(line, buffer, theme).indent().signed(&top.knee);
    }
    if let Some(line) = lines.next() {
        let row = Row::at(line, buffer, theme).indent().text(Role::Label, "measurement: ");
        row.signed_first(&top.measurement, 3);
    }
}

/// The one line that is left when there is room for nothing else.
fn verdict(top: &Top, theme: Theme, line: Rect, buffer: &mut Buffer) {
    Row::at(line, buffer, theme).indent().signed(&top.verdict).gap(2).text(Role::Plain, &top.reason);
}
