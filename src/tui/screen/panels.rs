//! The panels of the overview beside its charts.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::frame::{Head, panel};
use super::line::Row;
use crate::tui::model::{BigNumber, FailedLine, Failures, LatencyTable, Text};
use crate::tui::theme::{Role, Theme};
use crate::tui::widget::{self, DIGITS_HEIGHT};
use crate::vocabulary::Tone;

/// Columns of the latency table.
const NAME: u16 = 13;
const VALUE: u16 = 8;
/// Number of ages of open requests.
const AGES: u16 = 10;
/// Columns of the list of failures: rate, share, number.
const RATE: u16 = 6;
const SHARE: u16 = 7;
const COUNT: u16 = 8;

/// Draws the numbers that viewers feel, large enough to be read from across the room.
pub(super) fn now(numbers: &[BigNumber; 3], theme: Theme, area: Rect, buffer: &mut Buffer) {
    let title = Text::title("Now");
    let head = Head { title: &title, aside: &[Text::label("last 10 s")], focused: false };
    let inner = panel(head, theme, area, buffer);
    let width = inner.width / 3;
    for (place, number) in (0..3).zip(numbers) {
        let column = Rect { x: inner.x + place * width, width, ..inner };
        big(number, theme, column, buffer);
    }
}

fn big(number: &BigNumber, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let line =
        |y: u16| Rect { y: area.y.saturating_add(y), height: area.height.saturating_sub(y).min(1), ..area };
    Row::at(line(0), buffer, theme).text(Role::Label, number.name);
    let digits = Rect { height: area.height.saturating_sub(1).min(DIGITS_HEIGHT), ..line(1) };
    let end = widget::digits(&number.digits, number.tone, theme, digits, buffer);
    let unit =
        Rect { x: area.x.saturating_add(end), width: area.width.saturating_sub(end), ..line(DIGITS_HEIGHT) };
    Row::at(unit, buffer, theme).text(Role::In(number.tone), number.unit);
    Row::at(line(DIGITS_HEIGHT + 1), buffer, theme).text(number.below.role, &number.below.text);
}

pub(super) fn latency(latency: &LatencyTable, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let title = Text::title("Latency");
    let head = Head { title: &title, aside: &[Text::label("ms, last 10 s")], focused: latency.focused };
    let mut lines = panel(head, theme, area, buffer).rows();
    if let Some(line) = lines.next() {
        let mut row = Row::at(line, buffer, theme).gap(NAME);
        for name in ["p50", "p95", "p99"] {
            row = row.column_right(&Text::label(name), VALUE);
        }
        row.gap(2).text(Role::Label, "p95, 2 min");
    }
    for shown in &latency.lines {
        let Some(line) = lines.next() else { return };
        let mut row = Row::at(line, buffer, theme).column(&Text::plain(shown.name), NAME);
        for value in &shown.values {
            row = row.column_right(value, VALUE);
        }
        let x = row.end() + 2;
        let spark = Rect { x, width: line.right().saturating_sub(x), ..line };
        widget::spark(&shown.spark, None, Tone::Data, theme, spark, buffer);
    }
    if let Some(line) = lines.next() {
        let used = Row::at(line, buffer, theme).fitting(&latency.open, 2).end();
        let x = (line.x + NAME + 3 * VALUE + 2).max(used + 1);
        let ages = Rect { x, width: line.right().saturating_sub(x).min(AGES), ..line };
        widget::spark(&latency.ages, None, Tone::Data, theme, ages, buffer);
    }
}

pub(super) fn failures(failures: &Failures, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let head = Head { title: &failures.title, aside: &failures.aside, focused: failures.focused };
    let inner = panel(head, theme, area, buffer);
    if failures.lines.is_empty() {
        Row::at(inner, buffer, theme).text(Role::Label, &failures.none);
    }
    for (line, failed) in inner.rows().zip(&failures.lines) {
        draw_failed(failed, theme, line, buffer);
    }
}

fn draw_failed(failed: &FailedLine, theme: Theme, line: Rect, buffer: &mut Buffer) {
    let numbers = RATE + SHARE + COUNT;
    let name = line.width.saturating_sub(numbers + failed.spark_columns + 3);
    let role = Role::Legend(failed.tone);
    let sign = Rect { width: line.width.min(2), ..line };
    Row::at(sign, buffer, theme).text(role, "■");
    let rest = Rect { x: line.x + 2, width: line.width.saturating_sub(2), ..line };
    let row = Row::at(rest, buffer, theme).column(&failed.name, name);
    let row = row.gap(1);
    let spark = Rect { x: row.end(), width: failed.spark_columns, ..line }.intersection(line);
    let [rate, share, count] = &failed.cells;
    row.gap(failed.spark_columns)
        .column_right(rate, RATE)
        .column_right(share, SHARE)
        .column_right(count, COUNT);
    widget::spark(&failed.spark, None, failed.tone, theme, spark, buffer);
}
