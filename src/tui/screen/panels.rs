//! The framed panels of the overview.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::frame::{FRAME, framed};
use super::line::Row;
use super::{charts, table};
use crate::tui::model::{Errors, Latency, Overview, Text};
use crate::tui::theme::{Role, Theme};

/// Columns of the latency table.
const NAME: u16 = 13;
const VALUE: u16 = 8;
const LATENCY: u16 = NAME + 4 * VALUE;
/// Columns of the error histogram.
const ERROR_NAME: u16 = 30;
const ERROR_NAME_LEAST: u16 = 20;
const RATE: u16 = 9;
const COUNT: u16 = 9;
/// Columns of the list of states.
const STATE: u16 = 9;
/// Minimum width of a useful small chart.
const SPARK_LEAST: u16 = 8;

/// Returns the number of columns of a chart's bars.
pub(super) fn chart_columns(area: Rect) -> usize {
    table::inside(area).0.saturating_sub(usize::from(charts::SCALE))
}

/// Returns the columns that the table of latencies leaves to small charts; 0 if they are too few.
pub(super) fn spark_columns(area: Rect) -> u16 {
    let inside = area.width.saturating_sub(LATENCY + 6);
    if inside >= SPARK_LEAST { inside } else { 0 }
}

pub(super) fn clients(overview: &Overview, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let ramp = &overview.ramp;
    let inner = framed("Clients", &ramp.pace, theme, area, buffer);
    let mut lines = inner.rows();
    if let Some(line) = lines.next() {
        let bar = line.width.saturating_sub(24).max(line.width / 2);
        Row::at(line, buffer, theme).bar(ramp.share, bar, "░").gap(2).text(Role::Plain, &ramp.text);
    }
    if inner.height <= FRAME {
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

pub(super) fn latency(latencies: &[Latency], theme: Theme, area: Rect, buffer: &mut Buffer) {
    let inner = framed("Latency ms", "last 10 s", theme, area, buffer);
    let sparks = spark_columns(area);
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
