//! A page of text, 80 columns wide: long lines continue below, indented.

use std::fmt::Write as _;

/// Width of the page in columns.
const WIDTH: usize = 80;

/// Lines that fit the page.
#[derive(Default)]
pub(super) struct Page(pub(super) String);

impl Page {
    /// Writes a line; the rest of a long one continues below, indented like the text after the label.
    pub(super) fn line(&mut self, text: impl AsRef<str>) {
        let (mut margin, mut rest) = (" ", text.as_ref().trim_end());
        loop {
            let (first, more) = split(rest, WIDTH - margin.len());
            _ = writeln!(self.0, "{margin}{first}");
            if more.is_empty() {
                return;
            }
            (margin, rest) = ("         ", more);
        }
    }

    /// Writes a text below a line of a list, indented by 12 columns.
    pub(super) fn block(&mut self, text: &str) {
        let mut rest = text.trim_end();
        while !rest.is_empty() {
            let (first, more) = split(rest, WIDTH - 12);
            _ = writeln!(self.0, "{:12}{first}", "");
            rest = more;
        }
    }

    pub(super) fn rule(&mut self) {
        _ = writeln!(self.0, "{}", "-".repeat(WIDTH));
    }
}

/// Splits a text at the last space that fits, or within a word that is too long.
fn split(text: &str, room: usize) -> (&str, &str) {
    let Some((limit, _)) = text.char_indices().nth(room) else { return (text, "") };
    let fitting = text.get(..limit).unwrap_or_default();
    let at = fitting.rfind(' ').filter(|at| *at > room / 2).unwrap_or(limit);
    let (first, more) = text.split_at(at);
    (first.trim_end(), more.trim_start())
}
