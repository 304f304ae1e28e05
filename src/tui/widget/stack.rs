//! Bands on one another, exact to an eighth of a line.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::cells::{block, put};
use crate::tui::theme::Theme;
use crate::vocabulary::Tone;

/// Share of the top from which a band of trouble has at least an eighth of a line.
const SEEN_FROM: f64 = 0.003;

/// One band of a stack.
#[derive(Clone, Copy, Debug)]
pub struct Band<'a> {
    /// One value a column; `None` where nothing is known.
    pub values: &'a [Option<f64>],
    /// Its colour.
    pub tone: Tone,
    /// Set for a band that must be seen: it has at least an eighth of a line from 0.3 % of the top on.
    pub trouble: bool,
}

/// A band within one column, in eighths of a line from the bottom.
#[derive(Clone, Copy, Debug)]
struct Span {
    from: u16,
    to: u16,
    tone: Tone,
    trouble: bool,
}

impl Span {
    /// Returns how many eighths of the line that begins at `base` the band fills.
    fn within(&self, base: u16) -> u16 {
        self.to.min(base + 8).saturating_sub(self.from.max(base))
    }

    /// Returns the beginning of the line of which the band fills most; of equals, the lowest.
    fn best_line(&self) -> u16 {
        let first = self.from / 8 * 8;
        if self.within(first + 8) > self.within(first) { first + 8 } else { first }
    }
}

/// Draws bands on one another from the bottom up, the first one lowest, with `top` as the value of the whole height.
///
/// A line with two bands is a block of the lower on the ground of the upper. Where cells have no ground, the larger band
/// has the cell, except that trouble which would not be seen at all has the cell in which it is largest.
pub fn stack(bands: &[Band<'_>], top: f64, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let columns = bands.iter().map(|band| band.values.len()).max().unwrap_or_default();
    let columns = u16::try_from(columns).unwrap_or(u16::MAX).min(area.width);
    let mut spans = Vec::with_capacity(bands.len());
    // Taller areas than this do not exist, and the eighths must fit.
    let height = area.height.min(u16::MAX / 8);
    for x in 0..columns {
        let values = bands.iter().map(|band| (band, band.values.get(usize::from(x)).copied().flatten()));
        fill_spans(&mut spans, values.filter_map(|(band, value)| Some((band, value? / top))), height * 8);
        for y in 0..height {
            let base = (height - 1 - y) * 8;
            if let Some((symbol, style)) = cell(&spans, base, theme) {
                put(buffer, area, (x, y), symbol, style);
            }
        }
    }
}

/// Fills `spans` with the bands of one column, given as shares of the top, which is at `limit` eighths.
fn fill_spans<'a>(spans: &mut Vec<Span>, shares: impl Iterator<Item = (&'a Band<'a>, f64)>, limit: u16) {
    spans.clear();
    let (mut sum, mut from) = (0.0, 0);
    for (band, share) in shares.filter(|(_, share)| share.is_finite() && *share > 0.0) {
        sum += share;
        let least = u16::from(band.trouble && share >= SEEN_FROM);
        // A cast of a float saturates.
        let to = ((sum * f64::from(limit)).round() as u16).max(from + least).min(limit);
        if to > from {
            spans.push(Span { from, to, tone: band.tone, trouble: band.trouble });
            from = to;
        }
    }
}

/// Returns the glyph and the style of the line that begins at `base`; `None` if no band reaches it.
fn cell(spans: &[Span], base: u16, theme: Theme) -> Option<(&'static str, Style)> {
    let here = || spans.iter().filter(move |span| span.within(base) > 0);
    let larger = |one: &&Span, other: &&Span| one.within(base).cmp(&other.within(base));
    let must_be_seen = here().find(|span| span.trouble && span.best_line() == base);
    let owner = must_be_seen.or_else(|| here().max_by(larger))?;
    let filled: u16 = here().map(|span| span.within(base)).sum();
    if filled < 8 {
        return Some((block(filled), theme.colour(owner.tone)));
    }
    let is_other = |span: &&Span| span.from != owner.from;
    let other = here().filter(is_other).max_by(larger).filter(|_| theme.has_grounds());
    let Some(other) = other else {
        return Some((theme.fill(owner.tone), theme.colour(owner.tone)));
    };
    let (lower, upper) = if owner.from < other.from { (owner, other) } else { (other, owner) };
    let edge = upper.from.saturating_sub(base).clamp(1, 7);
    let ground = theme.colour(upper.tone).fg.unwrap_or_default();
    Some((block(edge), theme.colour(lower.tone).bg(ground)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::theme::{Charset, Palette};
    use crate::tui::widget::tests::{colours, drawn};

    const ANSI: Theme = Theme { palette: Palette::Ansi, charset: Charset::Unicode };
    const DARK: Theme = Theme { palette: Palette::Dark, charset: Charset::Unicode };

    fn band(values: &[Option<f64>], tone: Tone) -> Band<'_> {
        Band { values, tone, trouble: matches!(tone, Tone::Fail | Tone::Warn) }
    }

    #[test]
    fn two_bands_share_a_line_exactly() {
        let (stalled, playing) =
            ([Some(3.0), Some(0.0), None, Some(8.0)], [Some(8.0), Some(12.0), None, Some(8.0)]);
        let bands = [band(&stalled, Tone::Fail), band(&playing, Tone::Play)];
        let draw = |theme| drawn((4, 2), |area, buffer| stack(&bands, 16.0, theme, area, buffer));
        assert_eq!(draw(DARK).0, ["▃▄ █", "▃█ █"]);
        let (_, buffer) = draw(DARK);
        assert_eq!(
            colours(&buffer, (0, 1)),
            (Tone::Fail, Some(Tone::Play)),
            "a block on the ground of the other"
        );
        assert_eq!(colours(&buffer, (3, 0)), (Tone::Play, None));
        // Without grounds the trouble has the cell: it would not be seen otherwise.
        let (lines, buffer) = draw(ANSI);
        assert_eq!(lines, ["▃▄ █", "██ █"]);
        assert_eq!(buffer[(0, 1)].fg, ANSI.colour(Tone::Fail).fg.unwrap());
    }

    #[test]
    fn a_little_trouble_has_an_eighth_and_the_bands_never_exceed_the_top() {
        let (stalled, waiting, playing) = ([Some(3.0)], [Some(2.9)], [Some(2_000.0)]);
        let bands = [band(&stalled, Tone::Fail), band(&waiting, Tone::Warn), band(&playing, Tone::Play)];
        let (lines, buffer) = drawn((1, 3), |area, buffer| stack(&bands, 1_000.0, DARK, area, buffer));
        assert_eq!(lines, ["█", "█", "▁"]);
        assert_eq!(colours(&buffer, (0, 2)), (Tone::Fail, Some(Tone::Play)));
        let alone = [band(&waiting, Tone::Play)];
        let (lines, _) = drawn((1, 1), |area, buffer| stack(&alone, 1_000.0, DARK, area, buffer));
        assert_eq!(lines, [" "], "a little of what is fine is nothing");
    }

    #[test]
    fn without_a_top_or_with_a_value_that_is_no_number_nothing_is_drawn() {
        for (value, top) in [(1.0, 0.0), (f64::NAN, 1.0), (-1.0, 1.0), (f64::INFINITY, 1.0), (1.0, f64::NAN)]
        {
            let values = [Some(value)];
            let bands = [band(&values, Tone::Fail)];
            let (lines, _) = drawn((1, 2), |area, buffer| stack(&bands, top, DARK, area, buffer));
            assert_eq!(lines, [" ", " "], "{value} of {top}");
        }
    }
}
