//! The verdict over time, and the ticks of the time axis below it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::axis::TimeAxis;
use super::cells::{put, width, write};
use crate::tui::theme::{Charset, Depth, Role, Theme};
use crate::vocabulary::Tone;

/// Draws a line in the colour of each column's verdict; an unknown one is a gap.
pub fn ribbon(tones: &[Option<Tone>], theme: Theme, area: Rect, buffer: &mut Buffer) {
    let has_blocks = theme.charset == Charset::Unicode && theme.depth() != Depth::None;
    for (x, tone) in (0..area.width).zip(tones) {
        let Some(tone) = *tone else { continue };
        let symbol = if has_blocks { "▄" } else { theme.fill(tone) };
        put(buffer, area, (x, 0), symbol, theme.colour(tone));
    }
}

/// Writes the ticks of a time axis and, at the column of the present, `now`. A tick gives way to it.
pub fn ticks(axis: &TimeAxis, now: &str, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let style = theme.style(Role::Label);
    let columns = area.width.min(axis.columns);
    let end = axis.column(axis.now).map_or(0, |column| column + 1);
    let begin = end.max(width(now)).min(columns).saturating_sub(width(now));
    let is_free = |x: u16, label: &str| {
        let after = x.saturating_add(width(label) + 2);
        now.is_empty() || after <= begin || x > begin.saturating_add(width(now))
    };
    for (x, label) in axis.ticks() {
        if is_free(x, &label) && x.saturating_add(width(&label)) < columns {
            put(buffer, area, (x, 0), "╵", style);
            write(buffer, area, (x + 1, 0), &label, style);
        }
    }
    write(buffer, area, (begin, 0), now, style);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::theme::Palette;
    use crate::tui::widget::tests::drawn;
    use std::time::Duration;

    #[test]
    fn the_verdict_is_told_apart_without_colour() {
        let tones = [Some(Tone::Ok), None, Some(Tone::Warn), Some(Tone::Fail), Some(Tone::Untrusted)];
        let draw = |theme| drawn((6, 1), |area, buffer| ribbon(&tones, theme, area, buffer)).0;
        assert_eq!(draw(Theme::default()), ["▄ ▄▄▄ "]);
        assert_eq!(draw(Theme { palette: Palette::Mono, charset: Charset::Ascii }), [". +#~ "]);
    }

    #[test]
    fn a_tick_gives_way_to_now() {
        let draw = |seconds| {
            let axis = TimeAxis::whole(Duration::from_secs(seconds), None, 40);
            drawn((40, 1), |area, buffer| ticks(&axis, "now", Theme::default(), area, buffer)).0
        };
        assert_eq!(draw(2), ["now                ╵0:30                "]);
        assert_eq!(draw(30), ["╵0:00            now                    "]);
        assert_eq!(draw(60), ["╵0:00              ╵0:30             now"]);
    }
}
