//! One line of the screen, filled from the left. A text that does not fit is cut, and the cut is shown.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use unicode_width::UnicodeWidthStr;

use crate::tui::model::{Text, Weight};
use crate::tui::theme::{Role, Theme};

/// Sign in the last column of a text that was cut.
const CUT: &str = "~";

/// A line that is being filled.
pub(super) struct Row<'a> {
    area: Rect,
    buffer: &'a mut Buffer,
    theme: Theme,
    x: u16,
}

impl<'a> Row<'a> {
    /// Starts on the first line of an area.
    pub(super) fn at(area: Rect, buffer: &'a mut Buffer, theme: Theme) -> Self {
        let area = Rect { height: area.height.min(1), ..area }.intersection(buffer.area);
        Self { area, buffer, theme, x: area.x }
    }

    /// Returns the column at which the next text would begin.
    pub(super) fn end(&self) -> u16 {
        self.x
    }

    pub(super) fn indent(self) -> Self {
        self.gap(1)
    }

    pub(super) fn gap(mut self, columns: u16) -> Self {
        self.x = self.x.saturating_add(columns);
        self
    }

    pub(super) fn text(mut self, role: Role, text: &str) -> Self {
        let right = self.area.right();
        if self.area.is_empty() || self.x >= right {
            return self;
        }
        let room = right - self.x;
        let style = self.theme.style(role);
        let (x, _) = self.buffer.set_stringn(self.x, self.area.y, text, usize::from(room), style);
        if let Role::Legend(tone) | Role::LegendAlarm(tone) = role {
            self.buffer.set_string(self.x, self.area.y, self.theme.swatch(tone), self.theme.colour(tone));
        }
        if text.width() > usize::from(room) {
            self.buffer.set_stringn(right - 1, self.area.y, CUT, 1, style);
            self.x = right;
        } else {
            self.x = x;
        }
        self
    }

    /// Adds a text in its roles.
    pub(super) fn put(self, text: &Text) -> Self {
        let [(role, head), (rest, tail)] = text.parts();
        let row = self.text(role, head);
        if tail.is_empty() { row } else { row.text(rest, tail) }
    }

    pub(super) fn texts(mut self, texts: &[Text], gap: u16) -> Self {
        for (place, text) in texts.iter().enumerate() {
            self = self.gap(if place == 0 { 0 } else { gap }).put(text);
        }
        self
    }

    /// Adds texts with dots between them, but for the gap after the first; leaves out by weight what does not fit.
    pub(super) fn dotted(mut self, texts: &[Text]) -> Self {
        const DOT: &str = "  ·  ";
        let room = self.area.right().saturating_sub(self.x);
        let gap = u16::try_from(DOT.width()).unwrap_or(u16::MAX);
        let fitted = fitted(texts, gap, room);
        let has_first = fitted.first().map(|text| &text.text) == texts.first().map(|text| &text.text);
        for (place, text) in fitted.iter().enumerate() {
            let row = match place {
                0 => self,
                1 if has_first => self.gap(2),
                _ => self.text(Role::Label, DOT),
            };
            self = row.put(text);
        }
        self
    }

    /// Adds texts like [`Row::texts`], but leaves out by weight what does not fit.
    pub(super) fn fitting(self, texts: &[Text], gap: u16) -> Self {
        let room = self.area.right().saturating_sub(self.x);
        self.texts(&fitted(texts, gap, room), gap)
    }

    /// Adds a text at the right end. It begins no earlier than `from`; its end is cut if it does not fit.
    pub(super) fn right(mut self, text: &Text, from: u16) -> Self {
        let right = self.area.right();
        let width = u16::try_from(text.text.width()).unwrap_or(u16::MAX);
        self.x = right.saturating_sub(width.saturating_add(1)).max(from);
        self.area.width = self.area.width.saturating_sub(1);
        self.put(text)
    }

    /// Adds a text in a column of `width`, aligned to the column's end; nothing if the column does not fit.
    pub(super) fn column_right(self, text: &Text, width: u16) -> Self {
        let used = u16::try_from(text.text.width()).unwrap_or(u16::MAX).min(width);
        let end = self.x.saturating_add(width);
        if end > self.area.right() {
            return self.gap(width);
        }
        let row = self.gap(width - used).column(text, used);
        row.until(end)
    }

    /// Adds a text in a column of `width`: its shorter words if it does not fit and has any.
    pub(super) fn column(mut self, text: &Text, width: u16) -> Self {
        let end = self.x.saturating_add(width);
        let whole = self.area;
        let right = end.min(whole.right());
        self.area.width = right.saturating_sub(whole.x);
        let is_cut = text.short.is_some() && text.text.width() > usize::from(right.saturating_sub(self.x));
        let mut row = if is_cut { self.put(&text.clone().shortened()) } else { self.put(text) };
        row.area = whole;
        row.until(end)
    }

    fn until(mut self, x: u16) -> Self {
        self.x = x;
        self
    }
}

/// Returns the columns that texts take with `gap` columns between them.
pub(super) fn width(texts: &[Text], gap: u16) -> u16 {
    let gaps = texts.len().saturating_sub(1) * usize::from(gap);
    u16::try_from(texts.iter().map(|text| text.text.width()).sum::<usize>() + gaps).unwrap_or(u16::MAX)
}

/// Returns the texts that fit in `width` columns with `gap` columns between them, in their order.
///
/// * Decoration goes first. Then texts become shorter, those of the lowest weight first. Then whole texts go, the last
///   of the lowest weight first.
/// * `+2` at the end says how many of the others went.
/// * A text that is out of bounds stays, as does the last one of all: the line then is cut where it ends.
pub(in crate::tui) fn fitted(texts: &[Text], gap: u16, width: u16) -> Vec<Text> {
    let mut kept = Kept { texts: texts.to_vec(), gap, room: width, gone: 0 };
    kept.leave_out(Weight::Decoration);
    for weight in [Weight::Context, Weight::Subject, Weight::OutOfBounds] {
        kept.shorten(weight);
    }
    kept.leave_out(Weight::Context);
    kept.leave_out(Weight::Subject);
    kept.finish()
}

/// Texts of a line, and the number of those that had to go.
struct Kept {
    texts: Vec<Text>,
    gap: u16,
    room: u16,
    gone: usize,
}

impl Kept {
    fn fits(&self) -> bool {
        let note = if self.gone > 0 { self.note().text.width() + usize::from(self.gap) } else { 0 };
        usize::from(width(&self.texts, self.gap)) + note <= usize::from(self.room)
    }

    fn note(&self) -> Text {
        Text::label(format!("+{}", self.gone))
    }

    fn shorten(&mut self, weight: Weight) {
        for place in (0..self.texts.len()).rev() {
            if self.fits() {
                return;
            }
            if let Some(text) = self.texts.get_mut(place).filter(|text| text.weight == weight) {
                text.shorten();
            }
        }
    }

    fn leave_out(&mut self, weight: Weight) {
        while !self.fits() && self.texts.len() > 1 {
            let Some(place) = self.texts.iter().rposition(|text| text.weight == weight) else { return };
            self.texts.remove(place);
            // Decoration says nothing that would be missed.
            self.gone += usize::from(weight > Weight::Decoration);
        }
    }

    fn finish(mut self) -> Vec<Text> {
        if self.gone > 0 {
            self.texts.push(self.note());
        }
        self.texts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(texts: &[Text], width: u16) -> String {
        let fitted = fitted(texts, 1, width);
        fitted.iter().map(|text| text.text.as_str()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn shorter_words_keep_a_second_role_only_if_they_begin_alike() {
        let parts = |mut text: Text| {
            text.shorten();
            text.parts().map(|(role, part)| (role, part.to_owned()))
        };
        let value = Text::title("31.2%").then(Role::Label, " of requests").or_short("31.2% fail");
        assert_eq!(parts(value), [(Role::Title, "31.2%".to_owned()), (Role::Label, " fail".to_owned())]);
        let words =
            Text::plain("the origin gives ").then(Role::Title, "39%").or_short("gets 39% of its need");
        assert_eq!(parts(words)[0], (Role::Plain, "gets 39% of its need".to_owned()));
    }

    #[test]
    fn a_line_loses_by_weight_and_says_how_many_went() {
        let texts = [
            Text::plain("bytes").weighing(Weight::Decoration),
            Text::plain("segment first byte").or_short("first byte"),
            Text::plain("failing").weighing(Weight::Subject),
            Text::plain("lag"),
            Text::plain("stalled").weighing(Weight::OutOfBounds),
        ];
        let whole = "bytes segment first byte failing lag stalled";
        assert_eq!(joined(&texts, 44), whole);
        assert_eq!(joined(&texts, 43), "segment first byte failing lag stalled");
        assert_eq!(joined(&texts, 37), "first byte failing lag stalled");
        assert_eq!(joined(&texts, 29), "first byte failing stalled +1");
        assert_eq!(joined(&texts, 28), "failing stalled +2");
        assert_eq!(joined(&texts, 12), "stalled +3");
        for width in 0..60 {
            assert!(joined(&texts, width).contains("stalled"), "{width}");
        }
    }

    /// Discards the row, which is drawn and needs no further text.
    fn done(_row: Row<'_>) {}

    fn draw(width: u16, fill: impl FnOnce(Row<'_>)) -> String {
        let mut buffer = Buffer::empty(Rect::new(0, 0, width, 1));
        fill(Row::at(buffer.area, &mut buffer, Theme::default()));
        buffer.content.iter().map(|cell| cell.symbol()).collect()
    }

    #[test]
    fn what_does_not_fit_is_cut_and_says_so() {
        assert_eq!(draw(6, |row| done(row.text(Role::Plain, "abcdef"))), "abcdef");
        assert_eq!(draw(5, |row| done(row.text(Role::Plain, "abcdef"))), "abcd~");
        assert_eq!(
            draw(8, |row| done(row.column(&Text::plain("abcdef"), 4).text(Role::Plain, "x"))),
            "abc~x   "
        );
        assert_eq!(draw(8, |row| done(row.right(&Text::plain("abc"), 0))), "    abc ");
        assert_eq!(draw(8, |row| done(row.right(&Text::plain("abcdefghij"), 3))), "   abc~ ");
        assert_eq!(draw(8, |row| done(row.column_right(&Text::plain("12"), 5))), "   12   ");
    }
}
