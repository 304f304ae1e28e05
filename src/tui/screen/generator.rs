//! The load tester itself: its gauges with their limits, channels as bars with their high-water marks, workers, and
//! the resources that the process uses.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::frame::{FRAME, framed};
use super::layout::take_bottom;
use super::line::Row;
use super::table;
use crate::tui::model::{Fill, GeneratorView, Text};
use crate::tui::theme::{Role, Theme};

/// Widths of the columns of the channels.
const NAME: u16 = 22;
const VALUE: u16 = 8;
const DROPPED: u16 = 10;
/// Heading and three streams.
const STREAMS: u16 = 4 + FRAME;
/// Facts about the process.
const MACHINE: u16 = 4 + FRAME;
/// Heading and two workers.
const WORKERS: u16 = 3 + FRAME;
/// Heading, a reason with its advice, and the gauges beyond their limits.
const GAUGES: u16 = 6 + FRAME;
/// Maximum lines of the channels; a machine with many cores shows only the first.
const LANES: u16 = 8;

pub(super) fn draw(view: &GeneratorView, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let mut rest = area;
    let lanes = u16::try_from(view.lanes.len()).unwrap_or(LANES).clamp(1, LANES) + 1 + FRAME;
    // The evidence for the trust verdict always stays; channels and streams matter less and make room for it.
    let has_room = |rest: Rect, height: u16| rest.height >= height + GAUGES + WORKERS + MACHINE;
    if has_room(rest, lanes) {
        channels(view, theme, take_bottom(&mut rest, lanes), buffer);
    }
    if has_room(rest, STREAMS) {
        table::draw(&view.streams, theme, take_bottom(&mut rest, STREAMS), buffer);
    }
    let for_machine = take_bottom(&mut rest, MACHINE);
    table::draw(&view.machine, theme, for_machine, buffer);
    let workers = u16::try_from(view.workers.lines.len()).unwrap_or(u16::MAX).saturating_add(1 + FRAME);
    let room = rest.height.saturating_sub(GAUGES).max(WORKERS);
    let for_workers = take_bottom(&mut rest, workers.clamp(WORKERS, room));
    table::draw(&view.workers, theme, for_workers, buffer);
    table::draw(&view.gauges, theme, rest, buffer);
}

fn channels(view: &GeneratorView, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let inner = framed("Pipeline: fill now, | = high-water mark", &view.degraded, theme, area, buffer);
    let bar = inner.width.saturating_sub(NAME + 3 * VALUE + 2 * DROPPED).min(60);
    let mut lines = inner.rows();
    if let Some(line) = lines.next() {
        let mut row = Row::at(line, buffer, theme).column(&Text::label("CHANNEL"), NAME).gap(bar);
        for name in ["NOW", "PEAK", "CAP"] {
            row = row.column_right(&Text::label(name), VALUE);
        }
        row.column_right(&Text::label("DROPPED"), DROPPED).column_right(&Text::label("/s"), DROPPED);
    }
    for (line, lane) in lines.zip(&view.lanes) {
        channel(lane, bar, theme, line, buffer);
    }
}

fn channel(lane: &Fill, bar: u16, theme: Theme, line: Rect, buffer: &mut Buffer) {
    let row = Row::at(line, buffer, theme).column(&Text::plain(lane.name.as_str()), NAME);
    let x = row.end();
    let mut row = row.bar(lane.now, bar, "░");
    for (text, width) in lane.texts.iter().zip([VALUE, VALUE, VALUE, DROPPED, DROPPED]) {
        row = row.column_right(text, width);
    }
    if bar > 0 && lane.peak > 0.0 {
        let at = (lane.peak.clamp(0.0, 1.0) * f64::from(bar - 1)).round() as u16;
        buffer.set_string(x + at, line.y, "|", theme.style(Role::Mark));
    }
}
