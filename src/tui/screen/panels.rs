//! The panels of the overview.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::charts;
use super::frame::{Head, panel};
use super::line::Row;
use super::table::indented;
use crate::tui::layout::RULE;
use crate::tui::layout::overview::Places;
use crate::tui::model::{Errors, Latency, Overview, Text};
use crate::tui::theme::{Role, Theme};

/// Columns of the latency table.
const NAME: u16 = 13;
const VALUE: u16 = 8;
/// Columns of the error histogram.
const ERROR_NAME: u16 = 30;
const ERROR_NAME_LEAST: u16 = 20;
const RATE: u16 = 9;
const COUNT: u16 = 9;
/// Columns of the list of states.
const STATE: u16 = 9;
/// Minimum width of a useful small chart.
const SPARK_LEAST: u16 = 8;

fn framed(title: &str, aside: &str, theme: Theme, area: Rect, buffer: &mut Buffer) -> Rect {
    let (title, aside) = (Text::title(title), Text::label(aside));
    let aside = if aside.text.is_empty() { &[][..] } else { std::slice::from_ref(&aside) };
    indented(panel(Head { title: &title, aside, focused: false }, theme, area, buffer))
}

pub(super) fn clients(overview: &Overview, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let ramp = &overview.ramp;
    let inner = framed("Clients", &ramp.pace, theme, area, buffer);
    let mut lines = inner.rows();
    if let Some(line) = lines.next() {
        let bar = line.width.saturating_sub(24).max(line.width / 2);
        Row::at(line, buffer, theme).bar(ramp.share, bar, "░").gap(2).text(Role::Plain, &ramp.text);
    }
    if inner.height <= RULE + 1 {
        if let Some(line) = lines.next() {
            Row::at(line, buffer, theme).fitting(&overview.states_in_a_line, 2);
        }
        return;
    }
    for (line, state) in lines.zip(&overview.states) {
        let row = Row::at(line, buffer, theme)
            .column(&state.name, STATE)
            .column_right(&state.count, COUNT)
            .column_right(&state.percent, RATE)
            .gap(1);
        let room = line.right().saturating_sub(row.end());
        row.bar(state.share, room, " ");
    }
}

pub(super) fn latency(latencies: &[Latency], theme: Theme, places: &Places, buffer: &mut Buffer) {
    let inner = framed("Latency ms", "last 10 s", theme, places.latency, buffer);
    let sparks = places.spark_columns();
    let mut lines = inner.rows();
    if let Some(line) = lines.next() {
        let mut row = Row::at(line, buffer, theme).gap(NAME);
        for name in ["p50", "p95", "p99", "max"] {
            row = row.column_right(&Text::label(name), VALUE);
        }
        if sparks > 0 {
            row.gap(2).text(Role::Label, "p95");
        }
    }
    for (line, latency) in lines.zip(latencies) {
        let mut row = Row::at(line, buffer, theme).column(&Text::plain(latency.name), NAME);
        for value in &latency.values {
            row = row.column_right(value, VALUE);
        }
        let x = row.end() + 2;
        let spark = Rect { x, width: sparks.min(line.right().saturating_sub(x)), ..line };
        charts::bars(&latency.spark, theme, spark, buffer);
    }
}

pub(super) fn traffic(overview: &Overview, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let inner = framed("Traffic", &overview.peak, theme, area, buffer);
    let mut lines = inner.rows();
    if let Some(line) = lines.next() {
        let used = Row::at(line, buffer, theme).fitting(&overview.traffic, 3).end() + 3;
        let room = line.right().saturating_sub(used);
        let width = room.min(u16::try_from(overview.traffic_spark.len()).unwrap_or(u16::MAX));
        if width >= SPARK_LEAST {
            let newest = overview.traffic_spark.len() - usize::from(width);
            let bars = overview.traffic_spark.get(newest..).unwrap_or_default();
            charts::bars(bars, theme, Rect { x: line.right() - width, width, ..line }, buffer);
        }
    }
    if let Some(line) = lines.next() {
        Row::at(line, buffer, theme).fitting(&overview.playback, 3);
    }
}

pub(super) fn errors(errors: &Errors, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let inner = framed("Errors", &errors.total, theme, area, buffer);
    if errors.lines.is_empty() {
        Row::at(inner, buffer, theme).text(Role::Label, &errors.none);
    }
    let name = ERROR_NAME.min(inner.width.saturating_sub(COUNT + RATE)).max(ERROR_NAME_LEAST);
    for (line, error) in inner.rows().zip(&errors.lines) {
        let row = Row::at(line, buffer, theme)
            .column(&Text::new(error.role, error.name.clone()), name)
            .column_right(&Text::plain(error.per_second.clone()), RATE)
            .column_right(&Text::plain(error.count.clone()), COUNT)
            .gap(1);
        let room = line.right().saturating_sub(row.end());
        row.bar(error.bar, room, " ");
    }
}
