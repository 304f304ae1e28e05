//! Splits bytes into lines (RFC 8216bis section 4.1): encoding, byte order mark, line ends, limits.
//!
//! * A line is at most [`limits::PLAYLIST_LINE_BYTES`] long, a playlist [`limits::PLAYLIST_BYTES`].
//! * CR LF, LF, CR and white space at either end of a line do not affect the text that is read.

use std::borrow::Cow;

use crate::vocabulary::{Untrusted, limits, outcome::Fault};

use super::ParseError;

/// Number of bytes shown of a body that is not a playlist.
const SHOWN_BYTES: usize = 80;

/// Text of a playlist, checked and with bare CRs replaced.
pub(super) struct Source<'a> {
    text: Cow<'a, str>,
    /// True if the bytes began with a byte order mark.
    pub byte_order_mark: bool,
    /// True if some CR was not followed by LF.
    pub bare_carriage_return: bool,
}

/// Line without its end.
pub(super) struct Line<'a> {
    /// Line number, counted from 1.
    pub number: u32,
    /// Text without white space at either end.
    pub text: &'a str,
    /// True if there was white space at either end.
    pub has_space: bool,
}

impl<'a> Source<'a> {
    /// Checks the body as a whole: `#EXTM3U`, size, encoding.
    pub fn read(bytes: &'a [u8]) -> Result<Self, ParseError> {
        let without_mark = bytes.strip_prefix(b"\xef\xbb\xbf");
        let body = without_mark.unwrap_or(bytes);
        if !begins_with_header(body) {
            let shown = body.get(..SHOWN_BYTES.min(body.len())).unwrap_or_default();
            return Err(ParseError { fault: Fault::PlaylistNotM3u8, detail: Untrusted::from_bytes(shown) });
        }
        if bytes.len() > limits::PLAYLIST_BYTES {
            return Err(ParseError::new(Fault::PlaylistLimit, &format!("{} bytes", bytes.len())));
        }
        let text = std::str::from_utf8(body).map_err(|error| invalid_at(error.valid_up_to()))?;
        if let Some(at) = text.find('\0') {
            return Err(invalid_at(at));
        }
        let bare_carriage_return = has_bare_carriage_return(text);
        let text = if bare_carriage_return {
            Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n"))
        } else {
            Cow::Borrowed(text)
        };
        Ok(Self { text, byte_order_mark: without_mark.is_some(), bare_carriage_return })
    }

    /// Returns the whole text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Iterates over the lines from the first.
    pub fn lines(&self) -> Lines<'_> {
        Lines { rest: Some(&self.text), number: 0 }
    }
}

fn invalid_at(at: usize) -> ParseError {
    ParseError::new(Fault::PlaylistSyntax, &format!("invalid bytes at {at}"))
}

/// Reports whether a body begins with `#EXTM3U`. White space before it is tolerated, as before any line.
fn begins_with_header(body: &[u8]) -> bool {
    let behind = body.trim_ascii_start().strip_prefix(b"#EXTM3U");
    behind.is_some_and(|rest| rest.first().is_none_or(u8::is_ascii_whitespace))
}

fn has_bare_carriage_return(text: &str) -> bool {
    let mut rest = text;
    while let Some((_, behind)) = rest.split_once('\r') {
        if !behind.starts_with('\n') {
            return true;
        }
        rest = behind;
    }
    false
}

/// Iterator over the lines of a text.
pub(super) struct Lines<'a> {
    /// Text not read yet; `None` after the last line.
    rest: Option<&'a str>,
    number: u32,
}

impl<'a> Lines<'a> {
    /// Returns the next line, or `None` after the last.
    ///
    /// # Errors
    /// [`Fault::PlaylistLimit`] for a line that is too long.
    pub fn next_line(&mut self) -> Result<Option<Line<'a>>, ParseError> {
        let Some(rest) = self.rest else { return Ok(None) };
        let (line, rest) = match rest.split_once('\n') {
            Some((line, rest)) => (line, Some(rest)),
            None => (rest, None),
        };
        self.rest = rest;
        self.number = self.number.saturating_add(1);
        if line.len() > limits::PLAYLIST_LINE_BYTES {
            let detail = format!("line {} has {} bytes", self.number, line.len());
            return Err(ParseError::new(Fault::PlaylistLimit, &detail));
        }
        let line = line.strip_suffix('\r').unwrap_or(line);
        let text = line.trim_ascii();
        Ok(Some(Line { number: self.number, text, has_space: text.len() != line.len() }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(bytes: &[u8]) -> Fault {
        Source::read(bytes).err().expect("refused").fault
    }

    fn texts(bytes: &[u8]) -> Vec<(u32, String)> {
        let source = Source::read(bytes).expect("a playlist");
        let mut lines = source.lines();
        let mut texts = Vec::new();
        while let Some(line) = lines.next_line().expect("short lines") {
            texts.push((line.number, line.text.to_owned()));
        }
        texts
    }

    #[test]
    fn what_does_not_begin_with_the_header_is_no_playlist() {
        let utf_16: Vec<u8> = "\u{feff}#EXTM3U\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        for bytes in [b"".as_slice(), b"<html>", b"#EXTM3U8\n", b"\x00\x01", b"a\n#EXTM3U\n", &utf_16] {
            assert_eq!(fault(bytes), Fault::PlaylistNotM3u8, "{bytes:?}");
        }
    }

    #[test]
    fn the_detail_of_an_html_page_is_short_and_harmless() {
        let page = format!("<html>\x1b[2J{}", "x".repeat(1000));
        let shown = Source::read(page.as_bytes()).err().expect("refused").detail.shown();
        assert!(shown.starts_with("<html>^[[2J") && shown.len() < 100, "{shown}");
    }

    #[test]
    fn invalid_utf_8_and_nul_are_named_by_their_place() {
        for bytes in [b"#EXTM3U\n#\xff\n".as_slice(), b"#EXTM3U\n#\0\n"] {
            let error = Source::read(bytes).err().expect("refused");
            assert_eq!(error.fault, Fault::PlaylistSyntax);
            assert_eq!(error.detail.shown(), "invalid bytes at 9");
        }
    }

    #[test]
    fn all_line_ends_and_outer_white_space_read_the_same() {
        let expected = texts(b"#EXTM3U\na\nb");
        for bytes in [
            b"#EXTM3U\r\na\r\nb".as_slice(),
            b"#EXTM3U\ra\rb",
            b"#EXTM3U\ra\nb",
            b"#EXTM3U \n\ta\n b \t",
            b"\xef\xbb\xbf#EXTM3U\na\nb",
        ] {
            assert_eq!(texts(bytes), expected, "{bytes:?}");
        }
    }

    #[test]
    fn a_byte_order_mark_and_a_bare_cr_are_noticed() {
        let source = Source::read(b"\xef\xbb\xbf#EXTM3U\r\na\rb").expect("a playlist");
        assert!(source.byte_order_mark && source.bare_carriage_return);
        let source = Source::read(b"#EXTM3U\r\na\r\n").expect("a playlist");
        assert!(!source.byte_order_mark && !source.bare_carriage_return);
    }

    #[test]
    fn a_long_line_and_a_large_playlist_meet_their_limits() {
        let long = format!("#EXTM3U\n{}", "a".repeat(limits::PLAYLIST_LINE_BYTES + 1));
        let source = Source::read(long.as_bytes()).expect("small enough");
        let mut lines = source.lines();
        lines.next_line().expect("the header");
        assert_eq!(lines.next_line().err().expect("too long").fault, Fault::PlaylistLimit);
        let large = format!("#EXTM3U\n{}", "a".repeat(50 * 1024 * 1024));
        assert_eq!(fault(large.as_bytes()), Fault::PlaylistLimit);
    }
}
