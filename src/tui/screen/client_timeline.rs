//! The open client over the last minute.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::charts::draw_stack;
use super::frame::{Head, panel};
use super::line::{Row, width};
use super::table::cells;
use crate::tui::layout::{clients, on_screen};
use crate::tui::model::{ClientTimeline, OUTCOMES, RequestBar, Text};
use crate::tui::theme::{Role, Theme};
use crate::tui::widget;

/// Draws the panel at `place` of a body that is at `area`.
pub(super) fn draw(timeline: &ClientTimeline, theme: Theme, area: Rect, place: Rect, buffer: &mut Buffer) {
    let head = Head { title: &timeline.title, aside: &timeline.aside, focused: false };
    let inner = panel(head, theme, on_screen(place, area), buffer);
    let Some(axis) = &timeline.axis else {
        Row::at(inner, buffer, theme).indent().text(Role::Label, &timeline.none);
        return;
    };
    let places = clients::timeline(area.as_size(), place);
    let [states, plot, requests, outcomes, ticks, facts] =
        [places.states, places.buffer, places.requests, places.outcomes, places.ticks, places.facts]
            .map(|place| on_screen(place, area));
    label("state", inner, states, theme, buffer);
    widget::ribbon(&timeline.states, theme, states, buffer);
    if let Some(stack) = &timeline.buffer {
        draw_stack(stack, theme, plot, buffer);
        let [top, ..] = &stack.scale;
        for (word, line) in ["buffer", top].into_iter().zip(plot.rows()) {
            label(word, inner, line, theme, buffer);
        }
    }
    label("requests", inner, requests, theme, buffer);
    if timeline.requests.is_empty() {
        Row::at(requests, buffer, theme).text(Role::Label, &timeline.no_requests.text);
    }
    for (line, bar) in requests.rows().zip(&timeline.requests) {
        draw_bar(bar, theme, line, buffer);
    }
    draw_outcomes(&timeline.requests, theme, outcomes, buffer);
    widget::ticks(axis, &timeline.now, theme, ticks, buffer);
    Row::at(facts, buffer, theme).fitting(&timeline.facts, 2);
}

/// Writes a word before the first line of a plot.
fn label(word: &str, inner: Rect, plot: Rect, theme: Theme, buffer: &mut Buffer) {
    let before = Rect { x: inner.x, width: plot.x.saturating_sub(inner.x), ..plot };
    Row::at(before, buffer, theme).text(Role::Label, word);
}

/// Draws a request with its label before it or, where there is no room, after it.
fn draw_bar(bar: &RequestBar, theme: Theme, line: Rect, buffer: &mut Buffer) {
    widget::waterfall(bar.columns, bar.tone, theme, line, buffer);
    let wide = width(std::slice::from_ref(&bar.label), 0) + 1;
    let begin = bar.columns.begin.min(line.width);
    let after = bar.columns.end.saturating_add(2).min(line.width);
    let x = if wide <= begin { begin - wide } else { after };
    let room = Rect { x: line.x + x, width: line.width - x, ..line };
    Row::at(room, buffer, theme).put(&bar.label);
}

fn draw_outcomes(bars: &[RequestBar], theme: Theme, area: Rect, buffer: &mut Buffer) {
    let mut lines = area.rows();
    if let Some(line) = lines.next().filter(|_| !bars.is_empty()) {
        let headings: Vec<Text> = OUTCOMES.iter().map(|column| Text::label(column.name)).collect();
        cells(&headings, OUTCOMES, theme, line, buffer);
    }
    for (line, bar) in lines.zip(bars) {
        cells(&bar.cells, OUTCOMES, theme, line, buffer);
    }
}
