//! Parser for a complete head: status line, fields, framing of the body.
//!
//! It accepts heads as curl, Node.js and browsers do, and refuses those on which they disagree about the end of the
//! body:
//! * a folded line continues the previous value (RFC 9112 section 5.2), white space before the colon is ignored
//!   (section 5.1), and so is a field with an invalid name;
//! * NUL, a CR without LF, a line without a colon and every ambiguity of framing are faults.

use memchr::{memchr, memchr2};

use crate::vocabulary::limits;
use crate::vocabulary::outcome::Fault;

use super::super::head::{Head, digits};
use super::Framing;
use super::chunked::Chunked;

/// Start of every HTTP/1 status line.
const VERSION: &[u8] = b"HTTP/1.";

/// Returns the length of the head that `bytes` begin with, including the empty line; `None` if it is not complete.
pub(super) fn length(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += memchr(b'\n', bytes.get(at..)?)? + 1;
        match bytes.get(at..)? {
            [b'\n', ..] => return Some(at + 1),
            [b'\r', b'\n', ..] => return Some(at + 2),
            _ => {}
        }
    }
}

/// Reports whether `bytes` may be the beginning of a head.
pub(super) fn may_begin(bytes: &[u8]) -> bool {
    bytes.iter().zip(VERSION).all(|(byte, expected)| byte == expected)
}

/// Parses a complete head.
///
/// # Errors
/// `conn.proto` when it is not HTTP/1, exceeds the limits, or leaves the end of the body ambiguous.
pub(super) fn parse(bytes: &[u8], used_once: bool) -> Result<(Box<Head>, Framing), Fault> {
    if bytes.len() > limits::HEAD_BYTES || !is_clean(bytes) {
        return Err(Fault::ConnProtocol);
    }
    let mut lines = Lines { rest: bytes };
    let mut head = status(lines.next().unwrap_or_default())?;
    head.used_once = used_once;
    let mut framing = FramingFields::default();
    let mut count = 0;
    let mut folded = Vec::new();
    // White space before the first field belongs to no field (RFC 9112 section 2.2).
    while lines.is_folded() {
        lines.next();
    }
    while let Some(line) = lines.next().filter(|line| !line.is_empty()) {
        count += 1;
        let (name, mut value) = field(line)?;
        // Only a folded value is copied: its lines must be joined.
        if lines.is_folded() {
            folded.clear();
            folded.extend_from_slice(value);
            while lines.is_folded() {
                folded.push(b' ');
                folded.extend_from_slice(lines.next().unwrap_or_default().trim_ascii());
                count += 1;
            }
            value = &folded;
        }
        if count > limits::HEADER_LINES {
            return Err(Fault::ConnProtocol);
        }
        // Framing fields are read strictly, all others leniently.
        if !framing.read(name, value, &mut head)? {
            head.field(name, value);
        }
    }
    let framing = framing.framing(head.status)?;
    head.keep_alive &= framing != Framing::Close;
    Ok((head, framing))
}

/// Reports whether there is neither a NUL nor a CR without LF: parsers disagree whether these end a line or a value.
fn is_clean(mut bytes: &[u8]) -> bool {
    while let Some(at) = memchr2(0, b'\r', bytes) {
        match bytes.get(at..) {
            Some([b'\r', b'\n', rest @ ..]) => bytes = rest,
            _ => return false,
        }
    }
    true
}

/// Iterator over the lines of a head, without their line ends.
struct Lines<'a> {
    rest: &'a [u8],
}

impl<'a> Lines<'a> {
    fn next(&mut self) -> Option<&'a [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        let end = memchr(b'\n', self.rest).unwrap_or(self.rest.len());
        let line = self.rest.get(..end)?;
        self.rest = self.rest.get(end + 1..).unwrap_or_default();
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    }

    /// Reports whether the next line continues the previous one.
    fn is_folded(&self) -> bool {
        matches!(self.rest.first(), Some(b' ' | b'\t'))
    }
}

/// Splits a field into name and value, without the white space around them. The name may be empty or invalid.
fn field(line: &[u8]) -> Result<(&[u8], &[u8]), Fault> {
    let colon = line.iter().position(|byte| *byte == b':').ok_or(Fault::ConnProtocol)?;
    let (name, value) = line.split_at(colon);
    let value = value.get(1..).unwrap_or_default();
    Ok((name.trim_ascii_end(), value.trim_ascii()))
}

/// Parses the status line: `HTTP/1.x`, three digits, a reason that is ignored.
fn status(line: &[u8]) -> Result<Box<Head>, Fault> {
    let rest = line.strip_prefix(VERSION).ok_or(Fault::ConnProtocol)?;
    let [minor @ (b'0' | b'1'), b' ', rest @ ..] = rest else { return Err(Fault::ConnProtocol) };
    let [hundreds @ b'1'..=b'9', tens @ b'0'..=b'9', ones @ b'0'..=b'9', reason @ ..] =
        rest.trim_ascii_start()
    else {
        return Err(Fault::ConnProtocol);
    };
    if !matches!(reason.first(), None | Some(b' ')) {
        return Err(Fault::ConnProtocol);
    }
    let status =
        [hundreds, tens, ones].into_iter().fold(0, |status, digit| status * 10 + u16::from(digit - b'0'));
    Ok(Box::new(Head { status, keep_alive: *minor == b'1', ..Head::default() }))
}

/// The fields that determine the end of the body.
#[derive(Debug, Default)]
struct FramingFields {
    length: Option<u64>,
    chunked: bool,
}

impl FramingFields {
    /// Reads a field. Returns false if it concerns neither framing nor the connection.
    fn read(&mut self, name: &[u8], value: &[u8], head: &mut Head) -> Result<bool, Fault> {
        if name.eq_ignore_ascii_case(b"content-length") {
            self.add_length(value).ok_or(Fault::ConnProtocol)?;
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            if self.chunked || !value.eq_ignore_ascii_case(b"chunked") {
                return Err(Fault::ConnProtocol);
            }
            self.chunked = true;
        } else if name.eq_ignore_ascii_case(b"connection") {
            for option in value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
                if option.eq_ignore_ascii_case(b"close") {
                    head.keep_alive = false;
                } else if option.eq_ignore_ascii_case(b"keep-alive") {
                    head.keep_alive = true;
                }
            }
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    /// Adds a length; `None` if it is invalid or differs from a previous one. Several proxies may repeat the same
    /// length (RFC 9112 section 6.3).
    fn add_length(&mut self, value: &[u8]) -> Option<()> {
        for length in std::str::from_utf8(value).ok()?.split(',') {
            let length = digits(length.trim())?;
            if self.length.replace(length).is_some_and(|earlier| earlier != length) {
                return None;
            }
        }
        Some(())
    }

    /// Determines the framing of the response to a GET (RFC 9112 section 6.3).
    fn framing(&self, status: u16) -> Result<Framing, Fault> {
        match (status, self.chunked, self.length) {
            (100..=199 | 204 | 304, ..) => Ok(Framing::Length(0)),
            (_, true, Some(_)) => Err(Fault::ConnProtocol),
            (_, true, None) => Ok(Framing::Chunked(Chunked::default())),
            (_, false, Some(length)) => Ok(Framing::Length(length)),
            (_, false, None) => Ok(Framing::Close),
        }
    }
}
