//! Failures over time, by outcome, with the findings about the stream, all on one time axis.
//!
//! ```text
//!  ─ Failures per second ──────────── 637/s now  31.2% of requests ─
//!          800        errors 1% ◆ ┊           ▂▅▇   503 Service Unavailable
//!            0                    ┊    ▁▂▄▆████████   segment ━━━━━━━━━╸ 96.0%
//!  ━ Every outcome over time ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━
//!  ▸■ 503 Service Unavailable ▁▁▁▁▁▁▁▁▁▄▄▄▄▄▄▄▄▄▄▄   606  29.7%  41,220
//!  ─ Last requests that ended as 503 Service Unavailable ──────────
//!  2:41   214   segment  10.0.0.2:443  miss  12.0   origin.example.com/live/v2/18420.ts
//!  ─ Findings: 3 ───────────────────────────────────────────────────
//!   error  playlist_stale     ─────────────━━━━━━━  312x  1080p: nothing new
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};

use super::frame::{Head, panel};
use super::line::Row;
use super::table;
use crate::tui::layout::{self, errors, on_screen};
use crate::tui::model::{CodeLine, ErrorsView, Figure, FindingLine, Text};
use crate::tui::theme::{Role, Theme};
use crate::tui::widget;
use crate::vocabulary::Tone;

/// Columns between the time axis and what stands beside it.
const GAP: u16 = 2;
/// Columns of the name and of the percentage of a kind of request.
const KIND: u16 = 10;
const PERCENT: u16 = 7;
/// Columns of a finding's severity and count.
const SEVERITY: u16 = 8;
const COUNT: u16 = 7;

pub(super) fn draw(view: &ErrorsView, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let room = area.as_size();
    let places = errors::layout(room);
    chart(view, room, theme, on_screen(places.chart, area), buffer);
    codes(view, room, theme, on_screen(places.codes, area), buffer);
    table::draw(&view.examples, theme, on_screen(places.examples, area), buffer);
    findings(view, room, theme, on_screen(places.findings, area), buffer);
    if let Some(column) = view.charts.cursor {
        for place in [places.chart, places.codes] {
            widget::cursor(column, theme, plot(layout::inside(on_screen(place, area)), view, room), buffer);
        }
    }
}

/// Returns the columns of the time axis within a panel.
fn plot(inner: Rect, view: &ErrorsView, room: Size) -> Rect {
    let names = errors::of(errors::NAMES, room);
    let width = view.charts.axis.columns.min(inner.width.saturating_sub(names));
    Rect { x: inner.x.saturating_add(names), width, ..inner }
}

/// Returns what is left of a panel beside the time axis.
fn beside(inner: Rect, plot: Rect) -> Rect {
    let x = plot.right().saturating_add(GAP);
    Rect { x, width: inner.right().saturating_sub(x), ..inner }
}

fn chart(view: &ErrorsView, room: Size, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let title = Text::title("Failures per second").or_short("Failures/s");
    let inner = panel(Head { title: &title, aside: &view.total, focused: false }, theme, area, buffer);
    if inner.is_empty() {
        return;
    }
    let plot = plot(inner, view, room);
    // A line for the words of the moments: what is drawn must not hide them.
    let below = Rect { y: plot.y + 1, height: plot.height.saturating_sub(1), ..plot };
    if let Some(Figure::Stack(stack)) = view.charts.charts.first().map(|chart| &chart.figure) {
        super::charts::draw_stack(stack, theme, below, buffer);
        let labels = Rect { width: plot.x.saturating_sub(inner.x + 1), x: inner.x, ..below };
        widget::scale(stack.scale.each_ref().map(String::as_str), theme, labels, buffer);
    }
    widget::moments(&view.charts.moments, true, theme, plot, buffer);
    kinds(view, theme, beside(inner, plot), buffer);
}

/// Draws where the chosen outcome happens.
fn kinds(view: &ErrorsView, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let mut lines = area.rows();
    if let Some(line) = lines.next() {
        let used = Row::at(line, buffer, theme).put(&view.chosen).end();
        Row::at(line, buffer, theme).right(&view.chosen_rate, used + 1);
    }
    for (line, kind) in lines.zip(&view.kinds) {
        Row::at(line, buffer, theme).column(&kind.name, KIND).put(&Text::default());
        let bar = Rect { x: line.x + KIND, width: line.width.saturating_sub(KIND + PERCENT + 1), ..line };
        widget::bar(kind.share, None, Tone::Fail, theme, bar, buffer);
        Row::at(Rect { x: bar.right(), width: PERCENT, ..line }, buffer, theme)
            .column_right(&kind.percent, PERCENT);
    }
}

fn codes(view: &ErrorsView, room: Size, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let title = Text::title("Every outcome over time").or_short("Every outcome");
    let has_heading = errors::furniture(room) > 1;
    let shades = Text::label("brighter: more (log scale)");
    let names: Vec<Text> = view.headings.iter().map(|(name, width)| heading(name, *width)).collect();
    let aside = if has_heading { std::slice::from_ref(&shades) } else { &names[..] };
    let head = Head { title: &title, aside, focused: view.codes_focused };
    let mut inner = panel(head, theme, area, buffer);
    if inner.is_empty() {
        return;
    }
    let axis = layout::take_bottom(&mut inner, errors::furniture(room).saturating_sub(1).max(1));
    if has_heading {
        let line = layout::take(&mut inner, 1);
        cells(&names, view, theme, beside(line, plot(line, view, room)), buffer);
    }
    if view.codes.is_empty() {
        Row::at(inner, buffer, theme).gap(1).text(Role::Label, &view.none);
    }
    for (line, code) in inner.rows().zip(&view.codes) {
        self::code(code, view, room, theme, line, buffer);
    }
    time(view, room, has_heading, theme, axis, buffer);
}

fn heading(name: &str, width: u16) -> Text {
    let width = usize::from(width);
    Text::label(format!("{name:>width$}").split_off(1.min(width)))
}

/// Draws the verdict, where there is a line for it, and the ticks.
fn time(view: &ErrorsView, room: Size, has_ribbon: bool, theme: Theme, mut area: Rect, buffer: &mut Buffer) {
    if has_ribbon {
        let line = layout::take(&mut area, 1);
        let plot = plot(line, view, room);
        let labels = Rect { width: plot.x.saturating_sub(line.x + 1), ..line };
        widget::scale(["verdict", "", ""], theme, labels, buffer);
        widget::ribbon(&view.charts.verdicts, theme, plot, buffer);
    }
    widget::ticks(&view.charts.axis, &view.charts.now, theme, plot(area, view, room), buffer);
}

fn code(code: &CodeLine, view: &ErrorsView, room: Size, theme: Theme, line: Rect, buffer: &mut Buffer) {
    let plot = plot(line, view, room);
    let names = Rect { width: plot.x.saturating_sub(line.x + 1), ..line };
    let sign = if code.is_chosen { "▸" } else { " " };
    let row = Row::at(names, buffer, theme).text(Role::Mark, sign);
    row.text(Role::In(code.tone), theme.swatch(code.tone)).gap(1).put(&code.name);
    widget::strip(&code.strip, code.tone, theme, plot, buffer);
    cells(&code.cells, view, theme, beside(line, plot), buffer);
    if code.is_chosen {
        buffer.set_style(line.intersection(buffer.area), theme.style(Role::Selected));
    }
}

fn cells(texts: &[Text], view: &ErrorsView, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let mut row = Row::at(area, buffer, theme);
    for (text, (_, width)) in texts.iter().zip(view.headings) {
        row = row.column_right(text, *width);
    }
}

fn findings(view: &ErrorsView, room: Size, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let aside = [Text::label("problems in the stream itself")];
    let head = Head { title: &view.findings_title, aside: &aside, focused: view.findings_focused };
    let inner = panel(head, theme, area, buffer);
    if view.findings.is_empty() && !inner.is_empty() {
        Row::at(inner, buffer, theme).gap(1).text(Role::Label, "nothing found so far");
    }
    for (line, finding) in inner.rows().zip(&view.findings) {
        self::finding(finding, view, room, theme, line, buffer);
    }
}

fn finding(
    finding: &FindingLine,
    view: &ErrorsView,
    room: Size,
    theme: Theme,
    line: Rect,
    buffer: &mut Buffer,
) {
    let plot = plot(line, view, room);
    let names = Rect { width: plot.x.saturating_sub(line.x + 1), ..line };
    Row::at(names, buffer, theme).gap(1).column(&finding.severity, SEVERITY).put(&finding.name);
    let is_narrow = errors::furniture(room) == 1;
    let after = if is_narrow {
        Rect { x: plot.x, width: line.right().saturating_sub(plot.x), ..line }
    } else {
        beside(line, plot)
    };
    if !is_narrow {
        for x in 0..plot.width {
            let found = finding.span.is_some_and(|(first, last)| (first..=last).contains(&x));
            let (symbol, tone) = if found { ("━", finding.tone) } else { ("─", Tone::Idle) };
            buffer.set_string(plot.x + x, plot.y, symbol, theme.colour(tone));
        }
    }
    Row::at(after, buffer, theme).column_right(&finding.count, COUNT).gap(GAP).put(&finding.detail);
}
