//! The load tester itself: its gauges with their limits, channels as bars with their high-water marks, workers, and
//! the resources that the process uses.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::frame::{Head, panel};
use super::line::Row;
use super::table;
use crate::tui::layout::{generator, on_screen};
use crate::tui::model::{Fill, GeneratorView, Text};
use crate::tui::theme::{Role, Theme};

/// Widths of the columns of the channels.
const NAME: u16 = 22;
const VALUE: u16 = 8;
const DROPPED: u16 = 10;

pub(super) fn draw(view: &GeneratorView, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let places = generator::places(area.as_size());
    channels(view, theme, on_screen(places.channels, area), buffer);
    for (table, place) in [
        (&view.streams, places.streams),
        (&view.machine, places.machine),
        (&view.workers, places.workers),
        (&view.gauges, places.gauges),
    ] {
        table::draw(table, theme, on_screen(place, area), buffer);
    }
}

fn channels(view: &GeneratorView, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let title = Text::title("Pipeline: fill now, | = high-water mark").or_short("Pipeline");
    let head = Head { title: &title, aside: &[Text::label(view.degraded.as_str())], focused: false };
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
