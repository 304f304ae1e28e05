//! The view of the stream.
//!
//! ```text
//!  ━ Ladder ━━━━━━━━━━━ ✗ 1080p: nothing new for 9.2 s  live  target duration 4 s ━
//!  ▸✗ 1080p   6 Mb/s  ━━━━━━━╸────── 3,370  42.0%  ━━━━━━━┊━━──  9.2 s  18,423
//!     720p    3 Mb/s  ━━━━╸───────── 2,009  21.0%  ━━━────┊────  3.1 s  18,425
//!  ─ Behind live ─── p50 9.1 s  p95 24.0 s ─ ─ Playlist age ──────── 1080p 9.2 s ─
//!  ─ Edges ──────── responses  hit  fail ─── ─ Findings: 3 ────────────────────────
//!  ─ Windows and playheads ────────────────────────────────────────────────────────
//!   1080p  window             ┗━━━━━━┷━━━━━━┷━━━━━━┛  9.2 s old
//!          playheads        ▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::frame::{Head, panel};
use super::line::{Row, width};
use super::{stream_charts, table};
use crate::tui::layout::stream::{Layout, StreamPanel, layout};
use crate::tui::layout::{Breadth, on_screen, take_bottom};
use crate::tui::model::{EDGE_COLUMNS, Live, RungLine, StreamView, Text};
use crate::tui::theme::{Role, Theme};
use crate::tui::widget;
use crate::vocabulary::Tone;

/// Widths of the columns of the ladder; a column of 0 is left out. The bar of the clients has the rest.
struct Columns {
    label: u16,
    size: u16,
    bit_rate: u16,
    codecs: u16,
    clients: u16,
    share: u16,
    stalled: u16,
    age_bar: u16,
    age: u16,
    newest: u16,
}

const WIDE: Columns = Columns {
    label: 17,
    size: 17,
    bit_rate: 10,
    codecs: 14,
    clients: 9,
    share: 8,
    stalled: 9,
    age_bar: 24,
    age: 9,
    newest: 11,
};
const MEDIUM: Columns = Columns { size: 0, codecs: 0, age_bar: 20, newest: 10, ..WIDE };
const NARROW: Columns = Columns {
    label: 10,
    bit_rate: 10,
    clients: 8,
    share: 0,
    stalled: 8,
    age_bar: 11,
    age: 8,
    newest: 9,
    ..MEDIUM
};
/// Columns of the signs before a rung: the cursor, and that its playlist is late.
const SIGNS: u16 = 4;
/// Columns before a bar, and the fewest of a bar that says something.
const GAP: u16 = 2;
const LEAST_BAR: u16 = 6;
/// Most columns of the name of a finding, and those of its severity, count and time.
const SEVERITY: u16 = 8;
const FINDING: u16 = 32;
const COUNT: u16 = 7;
const TIME: u16 = 14;

pub(super) fn draw(view: &StreamView, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let room = area.as_size();
    let places = layout(room);
    let at = |place| on_screen(place, area);
    let columns = match Breadth::new(room) {
        Breadth::Wide => &WIDE,
        Breadth::Medium => &MEDIUM,
        Breadth::Narrow => &NARROW,
    };
    ladder(view, columns, theme, at(places.ladder), buffer);
    match &view.live {
        Live::Yes(viewers) => {
            stream_charts::behind(&viewers.behind, theme, at(places.behind), buffer);
            stream_charts::age(&viewers.age, theme, at(places.age), buffer);
            stream_charts::windows(viewers, theme, at(places.windows), buffer);
        }
        Live::No(why) => not_live(why, &places, theme, area, buffer),
    }
    edges(view, &places, theme, at(places.edges), buffer);
    findings(view, theme, at(places.findings), buffer);
}

/// Draws the empty panels of a stream that is not live.
fn not_live(why: &str, places: &Layout, theme: Theme, area: Rect, buffer: &mut Buffer) {
    for (title, place) in [
        (stream_charts::BEHIND, places.behind),
        (stream_charts::AGE, places.age),
        (stream_charts::WINDOWS, places.windows),
    ] {
        let title = Text::title(title);
        let head = Head { title: &title, aside: &[], focused: false };
        let inner = panel(head, theme, on_screen(place, area), buffer);
        Row::at(inner, buffer, theme).gap(1).text(Role::Label, why);
    }
}

fn ladder(view: &StreamView, columns: &Columns, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let title = Text::title("Ladder");
    let focused = view.panel == StreamPanel::Ladder;
    let inner = panel(Head { title: &title, aside: &view.aside, focused }, theme, area, buffer);
    let mut lines = inner.rows();
    if let Some(line) = lines.next() {
        headings(view, columns, theme, line, buffer);
    }
    if view.ladder.is_empty()
        && let Some(line) = lines.next()
    {
        Row::at(line, buffer, theme).gap(SIGNS).text(Role::Label, view.none);
        return;
    }
    for (line, rung) in lines.zip(&view.ladder) {
        draw_rung(rung, columns, theme, line, buffer);
    }
}

/// Returns the columns that the bar of the clients has.
fn bar_width(columns: &Columns, line: Rect) -> u16 {
    let Columns { label, size, bit_rate, codecs, clients, share, stalled, age_bar, age, newest } = columns;
    let used = label + size + bit_rate + codecs + clients + share + stalled + age_bar + age + newest;
    line.width.saturating_sub(SIGNS + used + 2 * GAP + codecs.min(&GAP) + 1)
}

fn headings(view: &StreamView, columns: &Columns, theme: Theme, line: Rect, buffer: &mut Buffer) {
    let bar = bar_width(columns, line);
    let name = |of: &'static str, width: u16| Text::label(if width > 0 { of } else { "" });
    let row = Row::at(line, buffer, theme)
        .gap(SIGNS)
        .column(&name("RUNG", columns.label), columns.label)
        .column(&name("SIZE", columns.size), columns.size)
        .column_right(&name("RATE", columns.bit_rate), columns.bit_rate)
        .gap(GAP)
        .column(&name("CODECS", columns.codecs), columns.codecs)
        .gap(columns.codecs.min(GAP))
        .column_right(&name("CLIENTS", columns.clients), bar + columns.clients)
        .gap(columns.share)
        .column_right(&name("STALLED", columns.stalled), columns.stalled)
        .gap(GAP);
    row.column(&view.ages, columns.age_bar + columns.age)
        .column_right(&name("NEWEST", columns.newest), columns.newest);
}

fn draw_rung(rung: &RungLine, columns: &Columns, theme: Theme, line: Rect, buffer: &mut Buffer) {
    let bar = bar_width(columns, line);
    let none = Text::default();
    let part = |x: u16, width: u16| Rect { x, width, ..line }.intersection(line);
    let cursor = if rung.is_chosen { "▸" } else { " " };
    let late = if rung.is_late { theme.sign(Role::Failing) } else { "" };
    Row::at(part(line.x, SIGNS), buffer, theme).text(Role::Mark, cursor).text(Role::Failing, late);
    let row = Row::at(line, buffer, theme)
        .gap(SIGNS)
        .column(&rung.label, columns.label)
        .column(&rung.size, columns.size)
        .column_right(&rung.bit_rate, columns.bit_rate)
        .gap(GAP)
        .column(&rung.codecs, columns.codecs)
        .gap(columns.codecs.min(GAP));
    let clients = part(row.end(), bar);
    let row = row
        .gap(bar)
        .column_right(&rung.clients, columns.clients)
        .column_right(if columns.share > 0 { &rung.share } else { &none }, columns.share)
        .column_right(&rung.stalled, columns.stalled)
        .gap(GAP);
    let age = part(row.end(), columns.age_bar);
    row.gap(columns.age_bar).column_right(&rung.age, columns.age).column_right(&rung.newest, columns.newest);
    widget::bar(rung.bar, None, Tone::Data, theme, clients, buffer);
    if let Some(share) = rung.age_bar {
        // The middle is the age from which a playlist is late.
        let tone = if rung.is_late { Tone::Fail } else { Tone::Ok };
        widget::bar(share, Some(0.5), tone, theme, age, buffer);
    }
    if rung.is_chosen {
        buffer.set_style(line.intersection(buffer.area), theme.style(Role::Selected));
    }
}

fn edges(view: &StreamView, places: &Layout, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let title = Text::title("Edges");
    let focused = view.panel == StreamPanel::Edges;
    let head = Head { title: &title, aside: std::slice::from_ref(&view.edge_headings), focused };
    let mut inner = table::indented(panel(head, theme, area, buffer));
    let facts = take_bottom(&mut inner, places.facts());
    Row::at(facts, buffer, theme).fitting(&view.edge_facts, 3);
    if view.edges.is_empty() {
        Row::at(inner, buffer, theme).text(Role::Label, "no response yet");
    }
    let numbers: u16 = EDGE_COLUMNS.iter().map(|(_, width)| width).sum();
    let longest = longest(view.edges.iter().map(|edge| &edge.address));
    for (line, edge) in inner.rows().zip(&view.edges) {
        let address = longest.min(line.width.saturating_sub(numbers));
        let bar = line.width.saturating_sub(address + GAP + numbers);
        let row = Row::at(line, buffer, theme).column(&edge.address, address);
        let row = row.gap(GAP.min(line.width.saturating_sub(address + numbers)));
        let place = Rect { x: row.end(), width: bar, ..line }.intersection(line);
        let mut row = row.gap(bar);
        for (text, (_, width)) in edge.cells.iter().zip(EDGE_COLUMNS) {
            row = row.column_right(text, width);
        }
        if bar >= LEAST_BAR {
            widget::bar(edge.bar, None, edge.tone, theme, place, buffer);
        }
        if edge.is_chosen {
            // The sign stands in the column before the address.
            let whole = Rect { x: line.x.saturating_sub(1), width: line.width + 1, ..line };
            Row::at(whole, buffer, theme).text(Role::Mark, "▸");
            buffer.set_style(whole.intersection(buffer.area), theme.style(Role::Selected));
        }
    }
}

/// Returns the width of the longest text.
fn longest<'a>(texts: impl Iterator<Item = &'a Text>) -> u16 {
    texts.map(|text| width(std::slice::from_ref(text), 0)).max().unwrap_or_default()
}

fn findings(view: &StreamView, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let aside = [Text::label("problems in the stream itself")];
    let focused = view.panel == StreamPanel::Findings;
    let head = Head { title: &view.findings_title, aside: &aside, focused };
    let inner = table::indented(panel(head, theme, area, buffer));
    if view.findings.is_empty() {
        Row::at(inner, buffer, theme).text(Role::Label, "nothing found so far");
    }
    let name = longest(view.findings.iter().map(|finding| &finding.name)).min(FINDING);
    for (line, finding) in inner.rows().zip(&view.findings) {
        Row::at(line, buffer, theme)
            .column(&finding.severity, SEVERITY)
            .column(&finding.name, name)
            .column_right(&finding.count, COUNT)
            .gap(GAP)
            .column(&finding.time, TIME)
            .gap(1)
            .put(&finding.detail);
    }
}
