//! Places a model on the screen: takes a model and a theme, and neither divides nor formats.
//!
//! * Any size down to nothing is drawn: a text that does not fit is left out, or cut at the right with `~`.
//! * The height of a panel does not depend on its content: `layout` decides it from the size of the screen.

mod charts;
mod clients;
mod errors;
mod frame;
mod generator;
mod help;
mod line;
mod log;
mod overview;
mod panels;
mod report;
mod small;
mod strip;
mod table;
mod zoom;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;

use super::layout;
use super::model::{Body, Model, Top};
use super::theme::{Role, Theme};

use line::Row;

/// Draws the screen.
pub(super) fn draw(model: &Model, theme: Theme, buffer: &mut Buffer) {
    let area = buffer.area;
    if area.is_empty() {
        return;
    }
    if small::is_small(area) {
        small::draw(model, theme, area, buffer);
    } else {
        let places = layout::frame(area);
        top(&model.top, theme, places.top, buffer);
        Row::at(places.tabs, buffer, theme).fitting(&model.tabs, 1);
        body(&model.body, theme, places.body, buffer);
        Row::at(places.footer, buffer, theme).indent().fitting(&model.footer, 2);
    }
    if model.help {
        help::draw(theme, area, buffer);
    }
}

fn body(body: &Body, theme: Theme, area: Rect, buffer: &mut Buffer) {
    match body {
        Body::Overview(view) => overview::draw(view, theme, area, buffer),
        Body::Zoom(view) => zoom::draw(view, theme, area, buffer),
        Body::Clients(view) => clients::draw(view, theme, area, buffer),
        Body::Errors(view) => errors::draw(view, theme, area, buffer),
        Body::Log(view) => log::draw(view, theme, area, buffer),
        Body::Report(view) => report::draw(view, theme, area, buffer),
        Body::Generator(view) => generator::draw(view, theme, area, buffer),
    }
}

/// Draws the four lines at the top, as many as there is room for.
fn top(top: &Top, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let mut lines = area.rows();
    if let Some(line) = lines.next() {
        let used = Row::at(line, buffer, theme).indent().fitting(&top.run, 2).end();
        Row::at(line, buffer, theme).right_fitting(&top.aside, used + 2);
    }
    if let Some(line) = lines.next() {
        verdict(top, theme, line, buffer);
    }
    if let Some(line) = lines.next() {
        Row::at(line, buffer, theme).indent().signed_first(&top.knee, 3);
    }
    if let Some(line) = lines.next() {
        let row = Row::at(line, buffer, theme).indent().text(Role::Label, "measurement: ");
        row.signed_first(&top.measurement, 3);
    }
}

/// Draws the line of the verdict, the only line on a screen without room for more. A failing verdict is reversed, so
/// that it stands out from afar.
fn verdict(top: &Top, theme: Theme, line: Rect, buffer: &mut Buffer) {
    let used = Row::at(line, buffer, theme).indent().signed(&top.verdict).end();
    if top.verdict.role == Role::Failing {
        let word = Rect { x: line.x + 1, width: used.saturating_sub(line.x + 1), height: 1, ..line };
        buffer.set_style(word.intersection(buffer.area), Modifier::REVERSED);
    }
    let rest = Rect { x: used, width: line.right().saturating_sub(used), ..line };
    Row::at(rest, buffer, theme).gap(2).fitting(&top.reason, 3);
}
