//! A GET, and the response to it.

use std::rc::Rc;
use std::time::Duration;

use super::ConnectionInfo;
use super::head::Head;
use super::kept::Kept;
use crate::vocabulary::{Reuse, SecretUrl};

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
    /// Status and fields. Boxed: the response passes through the futures of its client, whose memory is in no cache,
    /// while the box of one request is the box of the next one.
    pub head: Box<Head>,
    /// True if the request was conditional, so that 304 is a valid response.
    pub conditional: bool,
    /// The connection of the response.
    pub opening: Rc<ConnectionInfo>,
    /// The decoded body of a playlist, or the body of a key; empty otherwise.
    pub body: Kept,
    /// First bytes of the body of a failed response, as it came; empty otherwise. They may echo a secret.
    pub words: Kept,
    /// Body bytes on the wire.
    pub wire_bytes: u64,
    /// Time from sending the request to the first byte of the response, in microseconds.
    pub first_byte_us: u64,
    /// Time from the first byte to the last, in microseconds.
    pub body_us: u64,
}
