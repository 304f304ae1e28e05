//! The report of a run that has ended: big digits and charts at the left, numbers at the right; or a page of text.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::frame::{Head, panel};
use super::line::Row;
use super::table::indented;
use super::{charts, panels, table};
use crate::report::KeyNumber;
use crate::tui::layout::{on_screen, report, take};
use crate::tui::model::{EdgeLine, ReportPage, ReportView, SessionLine, Text, TextPage};
use crate::tui::theme::{Role, Theme};
use crate::tui::widget::{self, DIGITS_HEIGHT};
use crate::vocabulary::Tone;

/// Columns of the name of a session's value, and of its ends.
const LABEL: u16 = 15;
const END: u16 = 9;
/// Columns of an address, and of its three numbers.
const ADDRESS: u16 = 24;
const CELL: u16 = 11;

pub(super) fn draw(view: &ReportView, theme: Theme, area: Rect, buffer: &mut Buffer) {
    match view {
        ReportView::Screen(page) => first(page, theme, area, buffer),
        ReportView::Text(page) => text(page, theme, area, buffer),
    }
}

fn text(page: &TextPage, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let head = Head { title: &page.title, aside: &page.page, focused: true };
    panel(head, theme, area, buffer);
    for (place, lines) in report::text_columns(area.as_size()).into_iter().zip(&page.columns) {
        for (line, text) in on_screen(place, area).rows().zip(lines) {
            Row::at(line, buffer, theme).text(Role::Plain, text);
        }
    }
}

fn first(page: &ReportPage, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let at = |place| on_screen(place, area);
    let places = report::layout(area.as_size());
    panel(Head { title: &page.title, aside: &page.page, focused: true }, theme, at(places.title), buffer);
    numbers(page, theme, at(places.big), buffer);
    charts::draw(&page.charts, &places.charts.map(at), theme, buffer);
    charts::ribbon(&page.charts, theme, at(places.ribbon), buffer);
    table::draw(&page.story, theme, at(places.story), buffer);
    table::draw(&page.viewers, theme, at(places.viewers), buffer);
    sessions(&page.sessions, theme, at(places.sessions), buffer);
    if places.is_bare() {
        table::list(&page.latency, theme, indented(at(places.latency)), buffer);
    } else {
        table::draw(&page.latency, theme, at(places.latency), buffer);
    }
    panels::failures(&page.failures, theme, at(places.failures), buffer);
    table::draw(&page.findings, theme, at(places.findings), buffer);
    edges(page, theme, at(places.edges), buffer);
    table::draw(&page.trust, theme, at(places.trust), buffer);
    for (line, facts) in indented(at(places.facts)).rows().zip(&page.facts) {
        Row::at(line, buffer, theme).fitting(facts, 2);
    }
}

/// Draws the load and the rebuffer ratio, large enough to be read from across the room.
fn numbers(page: &ReportPage, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let inner = panel(Head { title: &page.load, aside: &page.page, focused: true }, theme, area, buffer);
    let area = indented(inner);
    let third = area.width / 3;
    let mut free = area.x;
    for (number, column) in page.numbers.iter().zip((area.x..).step_by(usize::from(third.max(1)))) {
        // A long number takes a part of the next column.
        let x = column.max(free).min(area.right());
        free = big(number, theme, Rect { x, width: area.right() - x, ..area }, buffer).saturating_add(2);
    }
}

/// Draws a number with its unit, and returns the column after it.
fn big(number: &KeyNumber, theme: Theme, area: Rect, buffer: &mut Buffer) -> u16 {
    let digits = Rect { height: area.height.min(DIGITS_HEIGHT), ..area };
    let end = widget::digits(&number.digits, number.tone, theme, digits, buffer);
    let mut below = area;
    take(&mut below, DIGITS_HEIGHT - 1);
    let unit = Rect { x: below.x.saturating_add(end), width: below.width.saturating_sub(end), ..below };
    Row::at(unit, buffer, theme).text(Role::Label, &number.unit).end()
}

fn sessions(lines: &[SessionLine], theme: Theme, area: Rect, buffer: &mut Buffer) {
    let title = Text::title("Sessions");
    let aside = [Text::label("number of clients from the smallest to the largest value")];
    let inner = indented(panel(Head { title: &title, aside: &aside, focused: false }, theme, area, buffer));
    if lines.is_empty() {
        Row::at(inner, buffer, theme).text(Role::Label, "no client played");
    }
    for (place, line) in inner.rows().zip(lines) {
        let row = Row::at(place, buffer, theme).column(&line.label, LABEL).column_right(&line.from, END);
        let x = row.end() + 1;
        let width = (line.counts.len() as u16).min(place.right().saturating_sub(x + END));
        row.gap(width + 2).column(&line.to, END);
        let chart = Rect { x, width, ..place }.intersection(place);
        widget::spark(&line.counts, None, line.tone, theme, chart, buffer);
    }
}

fn edges(page: &ReportPage, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let title = Text::title("Who asked");
    let head = Head { title: &title, aside: &page.addresses, focused: false };
    let inner = indented(panel(head, theme, area, buffer));
    for (place, line) in inner.rows().zip(&page.edges) {
        edge(line, theme, place, buffer);
    }
}

fn edge(line: &EdgeLine, theme: Theme, place: Rect, buffer: &mut Buffer) {
    let width = place.width.saturating_sub(ADDRESS + 3 * CELL);
    let mut row = Row::at(place, buffer, theme).column(&line.address, ADDRESS);
    let bar = Rect { x: row.end(), width, ..place }.intersection(place);
    row = row.gap(width);
    for cell in &line.cells {
        row = row.column_right(cell, CELL);
    }
    widget::bar(line.share, None, Tone::Data, theme, bar, buffer);
}
