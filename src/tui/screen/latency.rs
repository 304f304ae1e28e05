//! The latency view: heat map and distributions, table and open requests.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::frame::{Head, panel};
use super::line::Row;
use super::{charts, table};
use crate::tui::layout::latency::layout;
use crate::tui::layout::on_screen;
use crate::tui::layout::overview::LABELS;
use crate::tui::model::{AgeLine, Distribution, LatencyView, Text};
use crate::tui::theme::{Role, Theme};
use crate::tui::widget;

/// Columns between the two distributions.
const GAP: u16 = 2;
/// Columns of an age and of a number.
const AGE: u16 = 11;
const COUNT: u16 = 9;

pub(super) fn draw(view: &LatencyView, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let at = |place| on_screen(place, area);
    let places = layout(area.as_size());
    charts::draw(&view.charts, &[at(places.heat)], theme, buffer);
    charts::ribbon(&view.charts, theme, at(places.ribbon), buffer);
    distributions(&view.distributions, theme, at(places.distribution), buffer);
    table::draw(&view.table, theme, at(places.table), buffer);
    open(view, theme, at(places.open), buffer);
}

/// Draws the distributions side by side, each line beside its line of the heat map.
fn distributions(of: &[Distribution; 2], theme: Theme, area: Rect, buffer: &mut Buffer) {
    let title = Text::title("Distribution");
    let inner = panel(Head { title: &title, aside: &[], focused: false }, theme, area, buffer);
    let width = inner.width.saturating_sub(GAP) / 2;
    for (distribution, place) in of.iter().zip(0..) {
        let column = Rect { x: inner.x.saturating_add(place * (width + GAP)), width, ..inner };
        Row::at(column, buffer, theme).text(Role::Label, &distribution.title.text);
        let below = column.rows().skip(usize::from(LABELS)).collect::<Vec<_>>();
        for (line, share) in below.into_iter().rev().zip(&distribution.lines) {
            widget::parts(&[(*share, distribution.tone)], theme, line, buffer);
        }
    }
}

fn open(view: &LatencyView, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let title = Text::title("Open now").or_short("Open");
    let head = Head { title: &title, aside: &view.open, focused: false };
    let mut lines = panel(head, theme, area, buffer).rows();
    if let Some(line) = lines.next() {
        Row::at(line, buffer, theme).text(Role::Label, "clients by their oldest open request");
    }
    for (line, age) in lines.zip(&view.ages) {
        draw_age(age, theme, line, buffer);
    }
}

fn draw_age(age: &AgeLine, theme: Theme, line: Rect, buffer: &mut Buffer) {
    let width = line.width.saturating_sub(AGE + COUNT);
    let row = Row::at(line, buffer, theme).column(&age.age, AGE);
    let bar = Rect { x: row.end(), width, ..line }.intersection(line);
    row.gap(width).column_right(&age.count, COUNT);
    widget::bar(age.share, None, age.tone, theme, bar, buffer);
}
