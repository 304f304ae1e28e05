//! Compresses playlists with the content coding gzip.
//!
//! * A small table keeps earlier results: hundreds of clients fetch the same text within two seconds, and compressing
//!   it costs fifty times as much as the rest of an answer.
//! * The table is bounded, and simply emptied when it is full: the live playlists in it go out of date anyway.

use std::collections::HashMap;
use std::io::Write as _;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::HeaderMap;
use http::header::ACCEPT_ENCODING;

/// Number of texts kept: a few versions of each playlist of each stream.
const KEPT: usize = 64;

/// Compresses texts and keeps some of the results.
#[derive(Debug, Default)]
pub struct Gzip(Mutex<HashMap<Bytes, Bytes>>);

impl Gzip {
    /// Returns the text in the coding gzip. `None` means that compression failed and the plain text has to do.
    pub fn encode(&self, text: Bytes) -> Option<Bytes> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&text).cloned();
        if known.is_some() {
            return known;
        }
        // Compress without the lock. A concurrent caller may compress the same text, and gets the same bytes.
        let coded = compress(&text)?;
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= KEPT {
            known.clear();
        }
        known.insert(text, coded.clone());
        Some(coded)
    }
}

fn compress(text: &[u8]) -> Option<Bytes> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text).ok()?;
    encoder.finish().ok().map(Bytes::from)
}

/// Reports whether `Accept-Encoding` names gzip with a weight above 0 (RFC 9110 section 12.5.3).
pub fn accepted(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    lines.flat_map(|line| line.split(',')).any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
        let weight = parts.find_map(|part| part.strip_prefix("q="));
        named && weight.is_none_or(|weight| weight.parse::<f64>().is_ok_and(|weight| weight > 0.0))
    })
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_text_is_compressed_alike_every_time_however_many_came_between() {
        let gzip = Gzip::default();
        let first = gzip.encode(Bytes::from_static(b"#EXTM3U")).unwrap();
        for other in 0..3 * KEPT {
            gzip.encode(Bytes::from(other.to_string())).unwrap();
            assert!(gzip.0.lock().unwrap().len() <= KEPT);
        }
        assert_eq!(gzip.encode(Bytes::from_static(b"#EXTM3U")).unwrap(), first);
        let mut text = String::new();
        flate2::read::GzDecoder::new(first.as_ref()).read_to_string(&mut text).unwrap();
        assert_eq!(text, "#EXTM3U");
    }

    #[test]
    fn gzip_is_accepted_when_it_is_named_with_a_weight() {
        for (header, expected) in [
            ("gzip", true),
            ("deflate, gzip", true),
            ("br;q=1.0, GZIP;q=0.5", true),
            ("gzip;q=0", false),
            ("gzip; q=0.0", false),
            ("identity", false),
            ("*", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(header));
            assert_eq!(accepted(&headers), expected, "{header}");
        }
        assert!(!accepted(&HeaderMap::new()));
    }
}
