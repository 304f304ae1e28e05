//! Tests of all widgets together, and the canvas for the tests of each.

use std::time::Duration;

use proptest::prelude::*;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Color;

use super::*;
use crate::tui::painter::settle;
use crate::tui::theme::{Charset, Palette, Theme};
use crate::vocabulary::Tone;

/// Draws on an empty canvas of this size and returns its lines and the canvas.
pub(super) fn drawn(
    (columns, lines): (u16, u16),
    draw: impl FnOnce(Rect, &mut Buffer),
) -> (Vec<String>, Buffer) {
    let mut buffer = Buffer::empty(Rect::new(0, 0, columns, lines));
    draw(buffer.area, &mut buffer);
    let rows = buffer.content.chunks(usize::from(columns).max(1));
    (rows.map(|cells| cells.iter().map(|cell| cell.symbol()).collect()).collect(), buffer)
}

/// Returns the tones of a cell's glyph and ground in the dark theme.
pub(super) fn colours(buffer: &Buffer, place: (u16, u16)) -> (Tone, Option<Tone>) {
    let dark = Theme { palette: Palette::Dark, charset: Charset::Unicode };
    let tone = |colour: Color| Tone::ALL.into_iter().find(|tone| dark.colour(*tone).fg == Some(colour));
    (tone(buffer[place].fg).expect("a tone"), tone(buffer[place].bg))
}

/// Draws every widget with the same numbers.
fn all(values: &[Option<f64>], theme: Theme, area: Rect, buffer: &mut Buffer) {
    let bands =
        [Tone::Fail, Tone::Warn, Tone::Play].map(|tone| Band { values, tone, trouble: tone == Tone::Fail });
    stack(&bands, 0.9, theme, area, buffer);
    let counts: Vec<u32> = values.iter().map(|value| value.unwrap_or_default() as u32).collect();
    let grid = HeatGrid { columns: counts.len(), rows: 3, most: 7, counts };
    heat(&grid, theme, area, buffer);
    markers(&[(0.9, "p99"), (0.8, "p95"), (0.2, "p50")], theme, area, buffer);
    ramp_legend(theme, area, buffer);
    map(values, theme, area, buffer);
    trouble_legend(theme, area, buffer);
    strip(values, Tone::Other, theme, area, buffer);
    let tones: Vec<Option<Tone>> = values.iter().map(|value| value.map(|_| Tone::Ok)).collect();
    ribbon(&tones, theme, area, buffer);
    ticks(&TimeAxis::whole(Duration::from_secs(77), None, area.width), "now 1:17", theme, area, buffer);
    spark(values, None, Tone::Data, theme, area, buffer);
    for share in values.iter().flatten() {
        bar(*share, Some(*share), Tone::Data, theme, area, buffer);
        parts(&[(*share, Tone::Missing), (0.2, Tone::Start)], theme, area, buffer);
    }
    curve(values, 0.9, Some(0.4), theme, area, buffer);
    let columns: Vec<(f64, Tone)> = values.iter().flatten().map(|value| (*value, Tone::Warn)).collect();
    bars(&columns, 2, 0.9, theme, area, buffer);
    for share in values.iter().flatten() {
        ruler((*share - 0.5, *share), 4, Tone::Bright, theme, area, buffer);
    }
    let columns = RequestColumns { begin: 3, first_byte: Some(9), end: area.width };
    waterfall(columns, Some(Tone::Fail), theme, area, buffer);
    waterfall(RequestColumns { first_byte: None, ..columns }, Some(Tone::Fail), theme, area, buffer);
    let end = digits("31.2", Tone::Fail, theme, area, buffer);
    let moment = Labelled { column: end, label: "◆ errors 1%".to_owned() };
    moments(&[moment], true, theme, area, buffer);
    scale(["10,000", "5,000", "0"], theme, area, buffer);
    cursor(area.width / 2, theme, area, buffer);
}

fn value() -> impl Strategy<Value = Option<f64>> {
    proptest::option::of(prop_oneof![4 => 0.0..2.0, 1 => any::<f64>()])
}

fn theme() -> impl Strategy<Value = Theme> {
    let palettes = vec![Palette::Ansi, Palette::Dark, Palette::Light, Palette::ColourBlind, Palette::Mono];
    let charsets = vec![Charset::Unicode, Charset::Ascii];
    let both = (proptest::sample::select(palettes), proptest::sample::select(charsets));
    both.prop_map(|(palette, charset)| Theme { palette, charset })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_widget_leaves_its_area_and_none_shows_what_the_terminal_cannot(
        values in proptest::collection::vec(value(), 0..40),
        (x, y) in (0_u16..40, 0_u16..14),
        (width, height) in (0_u16..50, 0_u16..16),
        theme in theme(),
    ) {
        let area = Rect::new(x, y, width, height);
        let mut buffer = Buffer::empty(Rect::new(0, 0, 40, 12));
        all(&values, theme, area, &mut buffer);
        let untouched = Buffer::empty(buffer.area);
        for place in buffer.area.positions().filter(|place| !area.contains(*place)) {
            prop_assert_eq!(&buffer[place], &untouched[place], "{:?} outside of {:?}", place, area);
        }
        settle(&mut buffer, theme.charset);
        for cell in &buffer.content {
            prop_assert!(cell.symbol() != "?", "a glyph without a form in ASCII");
            prop_assert!(theme.charset == Charset::Unicode || cell.symbol().is_ascii());
            prop_assert!(theme.palette != Palette::Mono || (cell.fg, cell.bg) == (Color::Reset, Color::Reset));
            prop_assert!(theme.has_grounds() || cell.bg == Color::Reset);
        }
    }
}
