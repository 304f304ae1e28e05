//! Charts of the view of the stream: viewers by their distance from the live edge, the age of a playlist over time, and
//! the windows of the playlists with the playheads of their viewers.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::charts;
use super::frame::{Head, panel};
use super::line::Row;
use crate::tui::layout::stream::{NAMES, SCALE, WINDOW, plot};
use crate::tui::layout::{inside, take, take_bottom};
use crate::tui::model::{AgeChart, BehindChart, Text, Viewers, WindowLine};
use crate::tui::theme::{Role, Theme};
use crate::tui::widget;

/// Titles of the panels.
pub(super) const BEHIND: &str = "How far behind live";
pub(super) const AGE: &str = "Age of the newest playlist";
pub(super) const WINDOWS: &str = "Windows and playheads";
/// Columns between a window and the words beside it.
const GAP: u16 = 2;

/// Draws the rule of a chart, and the labels of its values.
fn frame(head: Head<'_>, scale: &[String; 3], theme: Theme, area: Rect, buffer: &mut Buffer) -> Rect {
    panel(head, theme, area, buffer);
    let plot = plot(area);
    let labels = Rect { width: SCALE.min(plot.width), ..inside(area) };
    let labels = Rect { height: plot.height, ..labels };
    widget::scale(scale.each_ref().map(String::as_str), theme, labels, buffer);
    plot
}

/// Returns the line of the ticks below the columns of a chart.
const fn below(plot: Rect) -> Rect {
    Rect { y: plot.y.saturating_add(plot.height), height: 1, ..plot }
}

/// Draws the distribution of the viewers.
pub(super) fn behind(chart: &BehindChart, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let title = Text::title(BEHIND).or_short("Behind live");
    let head = Head { title: &title, aside: &chart.aside, focused: false };
    let plot = frame(head, &chart.scale, theme, area, buffer);
    if plot.is_empty() {
        return;
    }
    let mut columns = plot;
    // A line for the words of the hold-back: a bar must not hide them.
    take(&mut columns, 1);
    widget::bars(&chart.bars, chart.width, chart.top, theme, columns, buffer);
    widget::moments(chart.hold_back.as_slice(), true, theme, plot, buffer);
    ticks(&chart.ticks, theme, below(plot), buffer);
}

/// Writes labels at their columns, those that fit.
fn ticks(of: &[(u16, String)], theme: Theme, area: Rect, buffer: &mut Buffer) {
    for (column, label) in of {
        let width = u16::try_from(label.len()).unwrap_or(u16::MAX);
        if column.saturating_add(width) <= area.width {
            let place = Rect { x: area.x + column, width, ..area };
            Row::at(place, buffer, theme).text(Role::Label, label);
        }
    }
}

/// Draws the age of a playlist over time.
pub(super) fn age(chart: &AgeChart, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let title = Text::title(AGE).or_short("Playlist age");
    let head = Head { title: &title, aside: &chart.aside, focused: false };
    let plot = frame(head, &chart.scale, theme, area, buffer);
    if plot.is_empty() {
        return;
    }
    widget::curve(&chart.values, chart.top, chart.limit, theme, plot, buffer);
    if let Some(none) = chart.none {
        Row::at(plot, buffer, theme).text(Role::Label, none);
    }
    widget::moments(&chart.charts.moments, true, theme, plot, buffer);
    if let Some(column) = chart.charts.cursor {
        widget::cursor(column, theme, plot, buffer);
    }
    widget::ticks(&chart.charts.axis, &chart.charts.now, theme, below(plot), buffer);
}

/// Draws the windows of the playlists, each with its playheads below it, and the axis of all.
pub(super) fn windows(viewers: &Viewers, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let title = Text::title(WINDOWS).or_short("Windows");
    let head = Head { title: &title, aside: &viewers.windows_aside, focused: false };
    let mut inner = panel(head, theme, area, buffer);
    if inner.is_empty() {
        return;
    }
    charts::legend(&viewers.windows_aside, theme, area, buffer);
    let axis = take_bottom(&mut inner, 1);
    for line in &viewers.windows {
        draw_window(line, theme, take(&mut inner, WINDOW), buffer);
    }
    // The axis follows the last window: what is far below would be no axis.
    let axis = Rect { y: inner.y.min(axis.y), ..axis };
    ticks_of_windows(&viewers.windows_ticks, theme, columns(axis), buffer);
}

/// Returns the columns of the time axis of the windows.
fn columns(line: Rect) -> Rect {
    let names = NAMES.min(line.width);
    Rect { x: line.x + names, width: line.width - names, ..line }
}

fn draw_window(window: &WindowLine, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let mut lines = area.rows();
    let (Some(ruler), Some(playheads)) = (lines.next(), lines.next()) else { return };
    Row::at(ruler, buffer, theme).gap(1).column(&window.label, NAMES - 2);
    Row::at(playheads, buffer, theme).gap(3).text(Role::Label, "playheads");
    let plot = columns(ruler);
    match window.window {
        Some(of) => {
            let end = widget::ruler(of, window.parts, window.tone, theme, plot, buffer);
            let rest = Rect {
                x: plot.x + end.saturating_add(GAP).min(plot.width),
                width: plot.width.saturating_sub(end.saturating_add(GAP)),
                ..plot
            };
            Row::at(rest, buffer, theme).put(&window.note);
        }
        None => _ = Row::at(plot, buffer, theme).text(Role::Label, "--").end(),
    }
    widget::heat(&window.playheads, theme, columns(playheads), buffer);
}

/// Writes labels that end at their columns, so that the last one fits.
fn ticks_of_windows(of: &[(u16, String)], theme: Theme, area: Rect, buffer: &mut Buffer) {
    for (column, label) in of {
        let width = u16::try_from(label.len()).unwrap_or(u16::MAX);
        let Some(x) = (column + 1).checked_sub(width).filter(|_| *column < area.width) else { continue };
        Row::at(Rect { x: area.x + x, width, ..area }, buffer, theme).text(Role::Label, label);
    }
}
