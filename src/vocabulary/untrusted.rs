//! Untrusted text, and the one sanitiser through which it reaches a screen, a file or a log.
//!
//! * [`Untrusted`] has no `Display`: to print it, call [`Untrusted::shown`].
//! * Sanitised text holds no control character (C0, DEL, C1), no line or paragraph separator, no bidi control, no
//!   zero-width, tag or private-use character, and at most four combining marks in a row.
//! * Sanitised text is at most [`limits::SHOWN_COLUMNS`] terminal columns wide, measured after the replacement.

use std::fmt::{self, Write as _};

use unicode_width::UnicodeWidthChar;

use super::limits;

/// Maximum number of consecutive combining marks. More would only deface the neighbouring lines.
const COMBINING_RUN: u32 = 4;

/// Maximum number of bytes kept of a text. More is never shown, so it is not worth the memory.
const KEPT_BYTES: usize = 1024;

/// Text from the network or the environment. Print it only with [`Untrusted::shown`].
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Untrusted(String);

impl Untrusted {
    /// Copies the first kilobyte of `text`, unchanged.
    pub fn new(text: &str) -> Self {
        let mut end = text.len().min(KEPT_BYTES);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        Self(text.get(..end).unwrap_or_default().to_owned())
    }

    /// Copies the first kilobyte of `bytes`; invalid UTF-8 becomes the replacement character.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let kept = bytes.get(..bytes.len().min(KEPT_BYTES)).unwrap_or_default();
        Self(String::from_utf8_lossy(kept).into_owned())
    }

    /// Returns the text sanitised, on one line, at most [`limits::SHOWN_COLUMNS`] wide.
    pub fn shown(&self) -> String {
        sanitise(&self.0, limits::SHOWN_COLUMNS)
    }

    /// Returns the text sanitised like [`Untrusted::shown`], at most `columns` wide.
    pub fn shown_in(&self, columns: usize) -> String {
        sanitise(&self.0, columns.min(limits::SHOWN_COLUMNS))
    }
}

/// Sanitises each line of a message without limiting its width, so no line is cut.
pub fn harmless_lines(text: &str) -> String {
    text.split('\n').map(|line| sanitise(line, usize::MAX)).collect::<Vec<_>>().join("\n")
}

impl fmt::Debug for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Untrusted({:?})", self.shown())
    }
}

impl From<&str> for Untrusted {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

/// Sanitises `text`. A text that is cut ends in `~`.
fn sanitise(text: &str, columns: usize) -> String {
    let mut safe = String::with_capacity(text.len().min(columns.saturating_mul(4)));
    let mut width = 0;
    let mut marks = 0;
    // The longest prefix that leaves a column for the `~`.
    let mut cut_at = 0;
    for character in text.chars() {
        let piece = Piece::new(character);
        marks = if piece == Piece::Mark { marks + 1 } else { 0 };
        if marks > COMBINING_RUN {
            continue;
        }
        width += piece.width(character);
        if width > columns {
            safe.truncate(cut_at);
            if columns > 0 {
                safe.push('~');
            }
            return safe;
        }
        piece.push(character, &mut safe);
        if width < columns {
            cut_at = safe.len();
        }
    }
    safe
}

/// The way one character is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Piece {
    Plain,
    Mark,
    Space,
    /// C0 and DEL in caret notation: `^[` for ESC.
    Caret,
    /// Everything else that must not reach a terminal, as `\u{..}`.
    Escaped,
}

impl Piece {
    fn new(character: char) -> Self {
        match character {
            '\n' | '\t' => Self::Space,
            '\0'..='\u{1f}' | '\u{7f}' => Self::Caret,
            '\u{80}'..='\u{9f}' // C1
            | '\u{ad}' // soft hyphen
            | '\u{61c}' // Arabic letter mark
            | '\u{115f}'..='\u{1160}' | '\u{3164}' | '\u{ffa0}' // fillers without a glyph
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}' // zero width, direction marks
            | '\u{2028}'..='\u{202e}' // separators, bidi embedding and override
            | '\u{2060}'..='\u{206f}' // joiners, bidi isolates
            | '\u{fe00}'..='\u{fe0f}' // variation selectors change the width
            | '\u{feff}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{e000}'..='\u{f8ff}' // private use
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{10ffff}' => Self::Escaped, // tags, selectors, private planes
            _ if character.width() == Some(0) => Self::Mark,
            _ => Self::Plain,
        }
    }

    fn width(self, character: char) -> usize {
        match self {
            Self::Plain => character.width().unwrap_or(1),
            Self::Mark => 0,
            Self::Space => 1,
            Self::Caret => 2,
            Self::Escaped => format!("{}", character.escape_unicode()).len(),
        }
    }

    fn push(self, character: char, safe: &mut String) {
        match self {
            Self::Plain | Self::Mark => safe.push(character),
            Self::Space => safe.push(' '),
            Self::Caret => {
                safe.push('^');
                safe.push(char::from((character as u8) ^ 0x40));
            }
            // Writing into a String cannot fail.
            Self::Escaped => _ = write!(safe, "{}", character.escape_unicode()),
        }
    }
}

/// Hostile texts that all output code must survive; see [`Untrusted`].
#[cfg(test)]
pub(crate) const HOSTILE: &[&str] = &[
    "\x1b]52;c;ZXZpbA==\x07",
    "\x1b]8;;http://evil.invalid\x1b\\click\x1b]8;;\x1b\\",
    "\x1b[2J\x1b[H",
    "\x1b[6n",
    "\x1bP+q544e\x1b\\",
    "\u{9b}31m\u{9d}0;title\u{9c}",
    "\x1b]0;unterminated",
    "visible\roverwritten",
    "\u{202e}gnp.exe",
    "\u{2066}isolate\u{2069}",
    "\u{200b}\u{200b}\u{200d}zero width",
    "e\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}",
    "👩\u{200d}👩\u{200d}👧 family",
    "שלום abc مرحبا",
    "<script>alert(1)</script>",
    "\" onload=\"x",
    "]]><!ENTITY x>",
    "line\u{2028}separator\u{2029}",
    "{{7*7}}",
    "=cmd|' /C calc'!A0",
    "\",x=\"1\"} evil 1\n",
    "nul\0inside",
    "\u{feff}bom",
    "\u{e0041}\u{e0042}tags",
    "\x7f\x08\x08delete",
];

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use unicode_width::UnicodeWidthStr;

    fn assert_harmless(shown: &str) {
        for character in shown.chars() {
            assert!(
                matches!(Piece::new(character), Piece::Plain | Piece::Mark),
                "{character:?} in {shown:?}"
            );
        }
        assert!(shown.width() <= limits::SHOWN_COLUMNS, "{} columns", shown.width());
    }

    #[test]
    fn the_hostile_corpus_becomes_harmless() {
        for text in HOSTILE {
            assert_harmless(&Untrusted::new(text).shown());
        }
        for long in ["\u{200b}".repeat(10_000), "\u{301}".repeat(10_000), "a".repeat(1_000_000)] {
            assert_harmless(&Untrusted::new(&long).shown());
        }
        assert_harmless(&Untrusted::from_bytes(&[0xff, 0x1b, b'[', 0xc2, 0x9b, 0xed, 0xa0, 0x80]).shown());
    }

    #[test]
    fn a_message_keeps_its_lines_and_its_length() {
        assert_eq!(harmless_lines("a\x1b[2J\nb\u{9b}31m"), "a^[[2J\nb\\u{9b}31m");
        assert_eq!(harmless_lines(&"x".repeat(5_000)).len(), 5_000);
    }

    #[test]
    fn control_characters_stay_readable() {
        assert_eq!(Untrusted::new("a\x1b[2Jb\r\0").shown(), "a^[[2Jb^M^@");
        assert_eq!(Untrusted::new("x\u{202e}y").shown(), "x\\u{202e}y");
        assert_eq!(Untrusted::new("two\nlines").shown(), "two lines");
    }

    #[test]
    fn a_long_text_is_cut_with_a_sign_and_a_fitting_one_is_not() {
        assert_eq!(Untrusted::new("abcdef").shown_in(4), "abc~");
        assert_eq!(Untrusted::new("abcd").shown_in(4), "abcd");
        assert_eq!(Untrusted::new("日本語").shown_in(6), "日本語");
        assert_eq!(Untrusted::new("日本語").shown_in(5), "日本~");
    }

    proptest! {
        #[test]
        fn any_text_becomes_harmless(text in any::<String>(), columns in 0_usize..300) {
            let shown = Untrusted::new(&text).shown_in(columns);
            assert_harmless(&shown);
            prop_assert!(shown.width() <= columns);
        }

        #[test]
        fn any_bytes_become_harmless(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
            assert_harmless(&Untrusted::from_bytes(&bytes).shown());
        }
    }
}
