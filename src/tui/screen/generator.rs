//! The load tester itself: its gauges with their limits, channels as bars with their high-water marks, workers, and
//! the resources that the process uses.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::frame::{Head, panel};
use super::line::Row;
use super::table;
use crate::tui::layout::{generator, inside, on_screen, take};
use crate::tui::model::{BAR, Fill, GeneratorView, Text};
use crate::tui::theme::Theme;
use crate::tui::widget;
use crate::vocabulary::Tone;

/// Widths of the columns of the channels.
const NAME: u16 = 22;
const VALUE: u16 = 8;
const DROPPED: u16 = 10;

pub(super) fn draw(view: &GeneratorView, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let places = generator::layout(area.as_size());
    channels(view, theme, on_screen(places.channels, area), buffer);
    for (table, place) in [
        (&view.streams, places.streams),
        (&view.machine, places.machine),
        (&view.workers, places.workers),
        (&view.gauges, places.gauges),
    ] {
        table::draw(table, theme, on_screen(place, area), buffer);
    }
    bars(view, theme, on_screen(places.gauges, area), buffer);
}

/// Draws the bars of the gauges over their empty column.
fn bars(view: &GeneratorView, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let mut lines = table::indented(inside(area));
    take(&mut lines, 1);
    let before: u16 = view.gauges.columns.iter().take(BAR).map(|column| column.width + 1).sum();
    let width = view.gauges.columns.get(BAR).map_or(0, |column| column.width);
    for (line, bar) in lines.rows().zip(&view.bars) {
        let Some(bar) = bar else { continue };
        let place = Rect { x: line.x + before, width: width.min(line.width.saturating_sub(before)), ..line };
        widget::bar(bar.fill, Some(bar.mark), bar.tone, theme, place, buffer);
    }
}

fn channels(view: &GeneratorView, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let title = Text::title("Event channels: fill now, with the high-water mark").or_short("Event channels");
    let head = Head { title: &title, aside: &view.degraded, focused: view.channels_focused };
    let inner = table::indented(panel(head, theme, area, buffer));
    let bar = inner.width.saturating_sub(NAME + 3 * VALUE + 2 * DROPPED).min(60);
    let mut lines = inner.rows();
    if let Some(line) = lines.next() {
        let mut row = Row::at(line, buffer, theme).column(&Text::label("CHANNEL"), NAME).gap(bar);
        for name in ["NOW", "PEAK", "CAP"] {
            row = row.column_right(&Text::label(name), VALUE);
        }
        row.column_right(&Text::label("DROPPED"), DROPPED).column_right(&Text::label("/s"), DROPPED);
    }
    for (lane, line) in view.lanes.iter().zip(lines) {
        channel(lane, bar, theme, line, buffer);
    }
}

fn channel(lane: &Fill, bar: u16, theme: Theme, line: Rect, buffer: &mut Buffer) {
    let row = Row::at(line, buffer, theme).column(&Text::plain(lane.name.as_str()), NAME);
    let place = Rect { x: row.end(), width: bar, ..line };
    let mut row = row.gap(bar);
    for (text, width) in lane.texts.iter().zip([VALUE, VALUE, VALUE, DROPPED, DROPPED]) {
        row = row.column_right(text, width);
    }
    widget::bar(lane.now, Some(lane.peak).filter(|peak| *peak > 0.0), Tone::Data, theme, place, buffer);
}
