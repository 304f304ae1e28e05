//! The head of a response: the fields that a streaming client reads, the same over HTTP/1.1 and HTTP/2.
//!
//! * Values are bytes. Text that is shown or compared has invalid UTF-8 and control characters replaced, so that both
//!   protocols read a header in Latin-1 alike. A `Location` keeps bytes that are not UTF-8, percent-encoded, as
//!   browsers and curl do.
//! * Of a field that may occur once, the first line counts (`Location`, `ETag`, `Content-Range`), as in Node.js; the
//!   last `Content-Type` counts, as in browsers. Lists are combined (RFC 9110 section 5.3).

use std::time::Duration;

use super::{Freshness, RetryAfter};
use crate::vocabulary::outcome::HttpFailure;
use crate::vocabulary::{CacheStatus, limits};

/// Lowest status of a failed response.
pub(super) const FAILED: u16 = 400;
/// Headers that identify a response.
const IDS: [&str; 4] = ["x-request-id", "x-amz-cf-id", "cf-ray", "x-cache"];

/// The fields of a response that matter to a streaming client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// The status code, 100..=999.
    pub status: u16,
    /// `Content-Type`.
    pub content_type: Option<String>,
    /// All `Content-Encoding` lines.
    pub codings: Codings,
    /// `Location`.
    pub location: Option<String>,
    /// True if the response will not be reused: fields that only matter for reuse (`etag`, `freshness`) are not read.
    pub used_once: bool,
    /// `ETag`, if it is UTF-8: it is sent back unchanged.
    pub etag: Option<String>,
    /// Hit or miss of a cache, if a header reports it.
    pub cache: Option<CacheStatus>,
    /// `Age`: time that the response has spent in caches.
    pub age: Option<Duration>,
    /// Time for which the response may be reused.
    pub freshness: Freshness,
    /// Time for which a 429 or 503 asks its client to wait.
    pub retry_after: RetryAfter,
    /// `Content-Range`.
    pub content_range: Option<ContentRange>,
    /// True if the connection may be reused after the body.
    pub keep_alive: bool,
    /// Of a failed response, the headers by which an operator of the origin finds it. They may echo a secret.
    pub ids: Vec<(&'static str, Box<[u8]>)>,
    /// The values of all `Set-Cookie` lines: secrets.
    pub cookies: Vec<Box<[u8]>>,
}

/// A content coding that can be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// `gzip`, also `x-gzip`.
    Gzip,
    /// `deflate`.
    Deflate,
    /// `br`.
    Brotli,
    /// `zstd`.
    Zstd,
}

impl Coding {
    fn named(name: &[u8]) -> Option<Self> {
        let names: [(&[u8], Self); 5] = [
            (b"gzip", Self::Gzip),
            (b"x-gzip", Self::Gzip),
            (b"deflate", Self::Deflate),
            (b"br", Self::Brotli),
            (b"zstd", Self::Zstd),
        ];
        names.into_iter().find(|(known, _)| name.eq_ignore_ascii_case(known)).map(|(_, coding)| coding)
    }
}

/// The content codings of a body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Codings {
    /// The first one that can be decoded.
    first: Option<Coding>,
    /// True if there are further ones that can be decoded.
    nested: bool,
    /// True if there is an unknown word, for instance `aws-chunked`. Players ignore it, so the body is read as if the
    /// word were absent.
    unknown: bool,
}

impl Codings {
    /// Returns the coding to decode; `None` for a body that is not coded.
    ///
    /// # Errors
    /// [`Nested`] when there are several.
    pub fn single(self) -> Result<Option<Coding>, Nested> {
        if self.nested { Err(Nested) } else { Ok(self.first) }
    }

    /// Reports whether the header names any coding, known or unknown.
    pub fn are_any(self) -> bool {
        self.first.is_some() || self.unknown
    }

    /// Reports whether the body is compressed with a known coding.
    pub fn compress(self) -> bool {
        self.first.is_some()
    }

    fn add(&mut self, value: &[u8]) {
        for name in value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
            if name.is_empty() || name.eq_ignore_ascii_case(b"identity") {
                continue;
            }
            match Coding::named(name) {
                Some(_) if self.first.is_some() => self.nested = true,
                Some(coding) => self.first = Some(coding),
                None => self.unknown = true,
            }
        }
    }
}

/// Error for a body with more than one content coding, which no real streaming server uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nested;

/// The first and last byte of a `Content-Range`, and the total length if it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContentRange {
    /// Position of the first byte.
    pub first: u64,
    /// Position of the last byte.
    pub last: u64,
    /// Bytes of the whole resource; `None` for `*`.
    pub total: Option<u64>,
}

impl ContentRange {
    /// Parses `bytes FIRST-LAST/TOTAL` (RFC 9110 section 14.4).
    fn read(value: &[u8]) -> Option<Self> {
        let value = std::str::from_utf8(value).ok()?.trim();
        let (unit, range) = value.split_once(' ')?;
        let (range, total) = range.trim_start().split_once('/')?;
        let (first, last) = range.split_once('-')?;
        let total = total.trim();
        let total = if total == "*" { None } else { Some(digits(total)?) };
        let read = Self { first: digits(first)?, last: digits(last)?, total };
        (unit.eq_ignore_ascii_case("bytes") && read.first <= read.last).then_some(read)
    }

    /// Returns the number of bytes in the range.
    pub fn length(self) -> u64 {
        (self.last - self.first).saturating_add(1)
    }
}

impl Head {
    /// Reads one header field.
    pub(super) fn field(&mut self, name: &[u8], value: &[u8]) {
        let is = |wanted: &str| name.eq_ignore_ascii_case(wanted.as_bytes());
        if !self.used_once {
            self.freshness.read(name, value);
        }
        // The status line precedes the fields. Only a busy server asks for a wait.
        if HttpFailure::BUSY.contains(&HttpFailure::new(self.status)) {
            self.retry_after.read(name, value);
        }
        if self.status >= FAILED && self.ids.len() < IDS.len() && value.len() <= limits::ID_BYTES {
            let id = IDS.into_iter().find(|id| is(id));
            self.ids.extend(id.map(|id| (id, Box::from(value.trim_ascii()))));
        }
        if is("content-type") {
            self.content_type = Some(text(value));
        } else if is("content-encoding") {
            self.codings.add(value);
        } else if is("location") {
            self.location.get_or_insert_with(|| location(value));
        } else if is("set-cookie") {
            self.cookies.push(value.into());
        } else if is("etag") && !self.used_once {
            self.etag =
                self.etag.take().or_else(|| std::str::from_utf8(value).ok().map(|it| it.trim().to_owned()));
        } else if is("content-range") {
            self.content_range = self.content_range.or_else(|| ContentRange::read(value));
        } else if let Some(status) = CacheStatus::read(name, value) {
            self.age = self.age.or_else(|| age(name, value));
            self.cache = self.cache.into_iter().chain([status]).reduce(CacheStatus::stronger);
        }
    }
}

/// Converts a value to text; invalid UTF-8 and control characters become U+FFFD.
fn text(value: &[u8]) -> String {
    let value = value.trim_ascii();
    match std::str::from_utf8(value) {
        Ok(text) if !text.contains(char::is_control) => text.to_owned(),
        _ => String::from_utf8_lossy(value).replace(char::is_control, "\u{fffd}"),
    }
}

/// Returns the URL of a `Location`. If it is not UTF-8, all bytes beyond ASCII are percent-encoded.
fn location(value: &[u8]) -> String {
    let value = value.trim_ascii();
    if let Ok(text) = std::str::from_utf8(value) {
        return text.to_owned();
    }
    let mut address = String::with_capacity(value.len() * 3);
    for &byte in value {
        match char::from(byte) {
            plain if plain.is_ascii() => address.push(plain),
            _ => address.push_str(&format!("%{byte:02X}")),
        }
    }
    address
}

/// Parses the value of `Age` (RFC 9111 section 5.1), if the header is `Age`.
fn age(name: &[u8], value: &[u8]) -> Option<Duration> {
    let value = std::str::from_utf8(value).ok().filter(|_| name.eq_ignore_ascii_case(b"age"))?;
    value.trim().parse().ok().map(Duration::from_secs)
}

/// Parses a number of digits only, without sign or spaces.
pub(super) fn digits(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(fields: &[(&str, &[u8])]) -> Head {
        let mut head = Head::default();
        fields.iter().for_each(|(name, value)| head.field(name.as_bytes(), value));
        head
    }

    fn single(values: &[&str]) -> Result<Option<Coding>, Nested> {
        let mut codings = Codings::default();
        values.iter().for_each(|value| codings.add(value.as_bytes()));
        codings.single()
    }

    #[test]
    fn codings_of_all_lines_count_and_unknown_words_are_left_out() {
        for (values, expected) in [
            (["gzip"].as_slice(), Ok(Some(Coding::Gzip))),
            (&["X-GZip"], Ok(Some(Coding::Gzip))),
            (&["aws-chunked, gzip"], Ok(Some(Coding::Gzip))),
            (&["br, identity,"], Ok(Some(Coding::Brotli))),
            (&["aws-chunked"], Ok(None)),
            (&["none"], Ok(None)),
            (&["utf-8"], Ok(None)),
            (&[""], Ok(None)),
            (&["gzip, gzip"], Err(Nested)),
            (&["gzip", "gzip"], Err(Nested)),
            (&["br", "identity", "zstd"], Err(Nested)),
        ] {
            assert_eq!(single(values), expected, "{values:?}");
        }
        assert!(head(&[("Content-Encoding", b"aws-chunked")]).codings.are_any());
        assert!(!head(&[("Content-Encoding", b"identity")]).codings.are_any());
    }

    #[test]
    fn text_that_is_not_utf_8_is_replaced_and_an_address_keeps_its_bytes() {
        let head = head(&[
            ("Content-Type", b"text/\xe9\x1b[2J"),
            ("Location", b"/caf\xe9?a=%41"),
            ("ETag", b"\"\xe9\""),
            ("Age", b"12"),
        ]);
        assert_eq!(head.content_type.as_deref(), Some("text/\u{fffd}\u{fffd}[2J"));
        assert_eq!(head.location.as_deref(), Some("/caf%E9?a=%41"));
        assert_eq!(head.etag, None);
        assert_eq!(head.age, Some(Duration::from_secs(12)));
    }

    #[test]
    fn the_first_location_and_tag_count_and_the_last_type() {
        let head = head(&[
            ("location", b"/a"),
            ("LOCATION", b"/b"),
            ("etag", b" \"1\" "),
            ("etag", b"\"2\""),
            ("content-type", b"text/html"),
            ("content-type", b"video/mp2t"),
        ]);
        assert_eq!(head.location.as_deref(), Some("/a"));
        assert_eq!(head.etag.as_deref(), Some("\"1\""));
        assert_eq!(head.content_type.as_deref(), Some("video/mp2t"));
    }

    #[test]
    fn only_a_failed_response_is_identified() {
        let read = |status, value: &[u8]| {
            let mut head = Head { status, ..Head::default() };
            for name in ["X-Request-ID", "cf-ray", "x-cache", "server"] {
                head.field(name.as_bytes(), value);
            }
            head.ids.into_iter().map(|(name, _)| name).collect::<Vec<_>>()
        };
        assert_eq!(read(503, b"7f3a"), ["x-request-id", "cf-ray", "x-cache"]);
        assert!(read(200, b"7f3a").is_empty() && read(503, &[b'a'; limits::ID_BYTES + 1]).is_empty());
    }

    #[test]
    fn only_a_busy_server_asks_for_a_wait() {
        for (status, expected) in
            [(429, Some(5)), (503, Some(5)), (200, None), (404, None), (500, None), (302, None)]
        {
            let mut head = Head { status, ..Head::default() };
            head.field(b"Retry-After", b"5");
            let wait = head.retry_after.wait(jiff::Timestamp::UNIX_EPOCH);
            assert_eq!(wait.map(|wait| wait.as_secs()), expected, "{status}");
        }
    }

    #[test]
    fn a_content_range_is_read_or_left_out() {
        let read = |value: &str| ContentRange::read(value.as_bytes());
        let range = |first, last, total| Some(ContentRange { first, last, total });
        assert_eq!(read("bytes 0-999/8192"), range(0, 999, Some(8192)));
        assert_eq!(read("Bytes  7-7/*"), range(7, 7, None));
        assert_eq!(read("bytes 0-18446744073709551615/*").map(ContentRange::length), Some(u64::MAX));
        for odd in
            ["bytes */8192", "bytes 9-3/10", "items 0-1/2", "bytes 0-1", "bytes +0-1/2", "", "bytes 0-1/x"]
        {
            assert_eq!(read(odd), None, "{odd}");
        }
    }
}
