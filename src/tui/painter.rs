//! Turns screen frames into bytes: the changes since the last frame, in one piece, in the terminal's characters.
//!
//! * A frame is one slice of bytes between the brackets of a synchronized update: one write, no half-drawn screen.
//! * The last step before the bytes checks every cell: it replaces characters that the terminal cannot show, and
//!   turns text that must never reach a terminal into `?`, wherever it came from.

use std::io;

use crossterm::queue;
use crossterm::terminal::{BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate};
use ratatui::backend::{Backend, CrosstermBackend};
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};

use super::theme::Charset;
use crate::vocabulary::Untrusted;

/// Room for one full frame of a large terminal.
const FRAME_BYTES: usize = 256 * 1024;
/// Replacement for a character that cannot be shown.
const REPLACEMENT: &str = "?";
/// Maximum size. Larger terminals do not exist; a larger size is wrong and would cost memory.
const MAX_SIZE: Size = Size { width: 1000, height: 500 };

/// Painter of the frames of one terminal.
#[derive(Debug)]
pub(super) struct Painter {
    charset: Charset,
    shown: Buffer,
    next: Buffer,
    bytes: Vec<u8>,
    /// Set while the content of the terminal is unknown.
    blank: bool,
}

impl Painter {
    pub(super) fn new(charset: Charset) -> Self {
        let bytes = Vec::with_capacity(FRAME_BYTES);
        Self { charset, shown: Buffer::default(), next: Buffer::default(), bytes, blank: true }
    }

    /// Makes the next frame draw everything.
    pub(super) fn forget(&mut self) {
        self.blank = true;
    }

    /// Returns the last frame.
    pub(super) fn shown(&self) -> &Buffer {
        &self.shown
    }

    /// Lets `draw` fill a frame and returns the bytes that turn the last frame into it.
    ///
    /// # Errors
    /// None in practice: the bytes go to memory.
    pub(super) fn paint(&mut self, size: Size, draw: impl FnOnce(&mut Buffer)) -> io::Result<&[u8]> {
        let area = Rect::new(0, 0, size.width.min(MAX_SIZE.width), size.height.min(MAX_SIZE.height));
        self.blank |= self.shown.area != area;
        self.next.resize(area);
        self.next.reset();
        draw(&mut self.next);
        settle(&mut self.next, self.charset);
        self.bytes.clear();
        queue!(self.bytes, BeginSynchronizedUpdate)?;
        if std::mem::take(&mut self.blank) {
            queue!(self.bytes, Clear(ClearType::All))?;
            self.shown.resize(area);
            self.shown.reset();
        }
        CrosstermBackend::new(&mut self.bytes).draw(self.shown.diff_iter(&self.next))?;
        queue!(self.bytes, EndSynchronizedUpdate)?;
        std::mem::swap(&mut self.shown, &mut self.next);
        Ok(&self.bytes)
    }
}

/// Replaces the text of every cell that cannot or must not be shown.
pub(super) fn settle(buffer: &mut Buffer, charset: Charset) {
    for cell in &mut buffer.content {
        let symbol = cell.symbol();
        if matches!(symbol.as_bytes(), [b' '..=b'~']) {
            continue;
        }
        match (charset, in_ascii(symbol)) {
            (Charset::Unicode, Some(_)) => {}
            (Charset::Ascii, Some(ascii)) => {
                cell.set_symbol(ascii);
            }
            (Charset::Unicode, None) if Untrusted::new(symbol).shown() == symbol => {}
            (_, None) => {
                cell.set_symbol(REPLACEMENT);
            }
        }
    }
}

/// Returns a character that our own widgets draw in ASCII; `None` for any other.
fn in_ascii(symbol: &str) -> Option<&'static str> {
    let mut characters = symbol.chars();
    let (Some(character), None) = (characters.next(), characters.next()) else {
        // The second cell of a wide character is empty.
        return symbol.is_empty().then_some(" ");
    };
    Some(match character {
        '─' | '╌' | '╶' | '╴' => "-",
        '━' | '═' | '╸' | '╺' => "=",
        '│' | '┃' | '║' => "|",
        '┌' | '┐' | '└' | '┘' | '┗' | '┛' | '┷' | '╭' | '╮' | '╰' | '╯' | '├' | '┤' | '┬' | '┴' | '┼' => {
            "+"
        }
        '┊' => ":",
        '╵' | '╹' => "'",
        '▁' => "_",
        '▂' | '▏' | '░' | '·' => ".",
        '▃' | '▎' | '▍' | '▒' => ":",
        '▄' | '▌' => "-",
        '▅' | '▋' => "=",
        '▆' | '▊' | '▓' => "+",
        '▇' | '▉' => "*",
        '█' | '■' => "#",
        '▀' => "=",
        '●' => "o",
        '◆' => "*",
        '▲' => "^",
        '▼' => "v",
        '✗' => "X",
        '≈' => "~",
        '»' | '▶' | '▸' | '→' => ">",
        '◂' | '←' => "<",
        '↑' => "^",
        '↓' => "v",
        '…' => "~",
        '\u{2800}'..='\u{28ff}' => braille(character),
        _ => return None,
    })
}

/// Returns a character at the height of the lowest set dots, or an upright line for dots in most of the four rows: a
/// curve stays one.
fn braille(character: char) -> &'static str {
    const ROWS: [(u32, &str); 4] = [(0xc0, "."), (0x24, "-"), (0x12, "="), (0x09, "'")];
    let dots = character as u32 & 0xff;
    let mut set = ROWS.into_iter().filter(|(row, _)| dots & row != 0);
    match (set.next(), set.count()) {
        (None, _) => " ",
        (Some(_), 2..) => "|",
        (Some((_, sign)), _) => sign,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::style::Style;

    fn paint(painter: &mut Painter, text: &str) -> String {
        let bytes = painter.paint(Size::new(20, 2), |buffer| {
            buffer.set_string(0, 0, text, Style::new());
        });
        String::from_utf8(bytes.expect("in memory").to_vec()).expect("UTF-8")
    }

    #[test]
    fn only_what_changed_is_written_and_always_within_brackets() {
        let mut painter = Painter::new(Charset::Unicode);
        let first = paint(&mut painter, "clients 10");
        assert!(first.starts_with("\x1b[?2026h\x1b[2J"), "{first:?}");
        assert!(first.ends_with("\x1b[?2026l"), "{first:?}");
        let second = paint(&mut painter, "clients 11");
        assert!(second.contains("\x1b[1;10H1") && !second.contains("clients"), "{second:?}");
        painter.forget();
        assert!(paint(&mut painter, "clients 11").contains("clients"));
    }

    #[test]
    fn ascii_holds_no_other_character() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 40, 1));
        buffer.set_string(0, 0, "┌─█▁⣿⠁● ü日✗▲≈", Style::new());
        settle(&mut buffer, Charset::Ascii);
        let text: String = buffer.content.iter().map(|cell| cell.symbol()).collect();
        assert!(text.is_ascii(), "{text}");
        assert!(text.starts_with("+-#_|'o ??"), "{text}");
    }

    #[test]
    fn what_must_not_reach_a_terminal_does_not_whoever_wrote_it() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 4, 1));
        for (cell, symbol) in buffer.content.iter_mut().zip(["\x1b", "\u{202e}", "\u{200b}a", "ü"]) {
            cell.set_symbol(symbol);
        }
        settle(&mut buffer, Charset::Unicode);
        let text: String = buffer.content.iter().map(|cell| cell.symbol()).collect();
        assert_eq!(text, "???ü");
    }
}
