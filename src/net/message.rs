//! A GET, and the response to it.

use std::rc::Rc;
use std::time::Duration;

use super::head::{Codings, ContentRange};
use super::kept::Kept;
use super::{ConnectionInfo, Freshness};
use crate::vocabulary::{CacheStatus, Reuse, SecretUrl};

/// What is done with the body of a good response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// Kept and decoded: a playlist.
    Playlist,
    /// Kept as it is, up to [`limits::KEY_BYTES`](crate::vocabulary::limits::KEY_BYTES): a key.
    Key,
    /// Counted and dropped, up to [`limits::SEGMENT_BYTES`](crate::vocabulary::limits::SEGMENT_BYTES); never kept.
    Media,
    /// The same, but the observer sees it.
    SeenMedia,
}

/// A GET.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// What is asked for.
    pub url: &'a SecretUrl,
    /// First and last byte, if only a part is wanted.
    pub range: Option<(u64, u64)>,
    /// The entity tag of what the client has: only something else is worth sending.
    pub unless: Option<&'a str>,
    /// What is done with the body.
    pub body: Body,
    /// The time in which the whole response must be there.
    pub total: Duration,
    /// The connection that it uses.
    pub reuse: Reuse,
}

/// A complete response.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// `Content-Type` as it came.
    pub content_type: Option<String>,
    /// `Location` as it came.
    pub location: Option<String>,
    /// `ETag` as it came.
    pub etag: Option<String>,
    /// Whether a cache had it, where the response says so.
    pub cache: Option<CacheStatus>,
    /// `Age`: for how long a cache has had it.
    pub age: Option<Duration>,
    /// How long it may be used again.
    pub freshness: Freshness,
    /// The content codings that the body came with.
    pub codings: Codings,
    /// The range that `Content-Range` names.
    pub content_range: Option<ContentRange>,
    /// Whether the request was conditional, so that 304 is an answer.
    pub conditional: bool,
    /// The connection that it came over.
    pub opening: Rc<ConnectionInfo>,
    /// The decoded body of a playlist or key, empty otherwise.
    pub body: Kept,
    /// Body bytes on the wire.
    pub wire_bytes: u64,
    /// From the request being sent to the first byte of the response, in microseconds.
    pub first_byte_us: u64,
    /// From the first byte to the last, in microseconds.
    pub body_us: u64,
}
