//! Charts over time: columns of blocks with their scale at the left, and one time axis below all of them.
//!
//! ```text
//! ─ Clients ────────────────── 648 ─
//!   1,000            !                the value of the top line
//!             ▂▄▆████!███████████     ! = a mark, or the knee
//!       0 ▂▄▆████████!███████████
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::frame::{Head, panel};
use super::line::Row;
use crate::tui::layout::overview::SCALE;
use crate::tui::model::{Bar, Chart, Charts, Text};
use crate::tui::theme::{Role, Theme};

const EIGHTHS: [&str; 9] = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

pub(super) fn draw(charts: &Charts, places: &[Rect], axis: Rect, theme: Theme, buffer: &mut Buffer) {
    for (place, chart) in places.iter().zip(&charts.charts) {
        draw_one(chart, &charts.moments, theme, *place, buffer);
    }
    let [from, window, to] = &charts.axis;
    let inner = Rect { x: axis.x + 1 + SCALE, width: axis.width.saturating_sub(SCALE + 2), ..axis };
    let used = Row::at(inner, buffer, theme).text(Role::Label, from).gap(2).text(Role::Label, window).end();
    if axis.height > 0 {
        Row::at(inner, buffer, theme).right(&Text::label(to.as_str()), used + 2);
    }
}

fn draw_one(chart: &Chart, moments: &[usize], theme: Theme, area: Rect, buffer: &mut Buffer) {
    let (title, aside) = (Text::title(chart.title), [Text::label(chart.value.as_str())]);
    let head = Head { title: &title, aside: &aside, focused: false };
    let inner = panel(head, theme, area, buffer);
    if inner.height == 0 {
        return;
    }
    let scale = |line: u16| Rect { y: inner.y + line, height: 1, width: inner.width.min(SCALE), ..inner };
    let width = SCALE - 1;
    Row::at(scale(0), buffer, theme).column_right(&Text::label(chart.top.as_str()), width);
    if inner.height > 1 {
        Row::at(scale(inner.height - 1), buffer, theme).column_right(&Text::label("0"), width);
    }
    let room = Rect { x: inner.x + SCALE, width: inner.width.saturating_sub(SCALE), ..inner };
    bars(&chart.bars, theme, room, buffer);
    for moment in moments {
        let Some(x) = u16::try_from(*moment).ok().filter(|x| *x < room.width) else { continue };
        for y in room.y..room.bottom() {
            buffer.set_string(room.x + x, y, "!", theme.style(Role::Mark));
        }
    }
}

/// Draws columns that grow from the bottom of `area`, exact to an eighth; any value above zero shows at least an
/// eighth.
pub(super) fn bars(bars: &[Bar], theme: Theme, area: Rect, buffer: &mut Buffer) {
    let area = area.intersection(buffer.area);
    for (x, bar) in (area.x..area.right()).zip(bars) {
        let Some(share) = bar.share else { continue };
        let eighths = (share.clamp(0.0, 1.0) * f64::from(area.height) * 8.0).round() as usize;
        let eighths = if share > 0.0 { eighths.max(1) } else { 0 };
        for (below, y) in (area.y..area.bottom()).rev().enumerate() {
            let block = eighths.saturating_sub(below * 8).min(8);
            if let Some(symbol) = EIGHTHS.get(block).filter(|_| block > 0) {
                buffer.set_string(x, y, symbol, theme.bar(bar.role));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_exact_to_an_eighth_a_gap_is_empty_and_a_little_is_seen() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 5, 2));
        let column = |share| Bar { share, role: Role::Plain };
        let columns = [Some(1.0), Some(0.5), Some(0.6), None, Some(0.001)].map(column);
        bars(&columns, Theme::default(), buffer.area, &mut buffer);
        let text: Vec<&str> = buffer.content.iter().map(|cell| cell.symbol()).collect();
        assert_eq!(text.concat(), "█ ▂  ███ ▁");
    }
}
