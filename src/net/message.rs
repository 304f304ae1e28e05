//! A GET, and the response to it.

use std::rc::Rc;
use std::time::Duration;

use super::head::{Codings, ContentRange};
use super::kept::Kept;
use super::{ConnectionInfo, Freshness, RetryAfter};
use crate::vocabulary::{CacheStatus, Reuse, SecretUrl};

/// Treatment of the body of a good response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// A playlist: kept and decoded.
    Playlist,
    /// A key: kept as it is, up to [`limits::KEY_BYTES`](crate::vocabulary::limits::KEY_BYTES).
    Key,
    /// Media: counted and discarded, up to [`limits::SEGMENT_BYTES`](crate::vocabulary::limits::SEGMENT_BYTES).
    Media,
    /// Media whose bytes the observer also receives.
    SeenMedia,
}

/// A GET.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The requested URL.
    pub url: &'a SecretUrl,
    /// First and last byte, if only a part is wanted.
    pub range: Option<(u64, u64)>,
    /// Entity tag of the client's copy: the body is needed only if it differs (`If-None-Match`).
    pub unless: Option<&'a str>,
    /// Treatment of the body.
    pub body: Body,
    /// Maximum time until the response is complete.
    pub total: Duration,
    /// Choice of the connection.
    pub reuse: Reuse,
}

/// A complete response.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// `Content-Type`, with invalid UTF-8 and control characters replaced.
    pub content_type: Option<String>,
    /// `Location`, with bytes beyond ASCII percent-encoded if it is not UTF-8.
    pub location: Option<String>,
    /// `ETag`, unchanged.
    pub etag: Option<String>,
    /// Hit or miss of a cache, if the response reports it.
    pub cache: Option<CacheStatus>,
    /// `Age`: time that the response has spent in caches.
    pub age: Option<Duration>,
    /// Time for which the response may be reused.
    pub freshness: Freshness,
    /// Time for which a 429 or 503 asks its client to wait.
    pub retry_after: RetryAfter,
    /// Content codings of the body on the wire.
    pub codings: Codings,
    /// `Content-Range`.
    pub content_range: Option<ContentRange>,
    /// True if the request was conditional, so that 304 is a valid response.
    pub conditional: bool,
    /// The connection of the response.
    pub opening: Rc<ConnectionInfo>,
    /// The decoded body of a playlist, or the body of a key; empty otherwise.
    pub body: Kept,
    /// Body bytes on the wire.
    pub wire_bytes: u64,
    /// Time from sending the request to the first byte of the response, in microseconds.
    pub first_byte_us: u64,
    /// Time from the first byte to the last, in microseconds.
    pub body_us: u64,
}
