//! Where a body goes: counted always, kept when it is a playlist or a key, and what its limits say of it.

use std::rc::Rc;

use tokio::time::Instant;

use super::head::Head;
use super::kept::{Bodies, Kept};
use super::message::{Body, Response};
use super::{ConnectionInfo, Observer};
use crate::vocabulary::clock::micros;
use crate::vocabulary::limits;
use crate::vocabulary::outcome::Fault;

/// When the bytes of a response came.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    pub(super) sent: Instant,
    pub(super) first_byte: Instant,
    pub(super) last_byte: Instant,
}

/// Takes the body of one response.
pub(super) struct Sink<'a, O> {
    body: Body,
    pub(super) observer: &'a mut O,
    bodies: &'a Bodies,
    kept: Kept,
    taken: u64,
    /// No byte of a response has come yet.
    pub(super) untouched: bool,
    /// What a limit says of the body so far.
    pub(super) verdict: Result<(), Fault>,
    /// The body of an error is longer than it is worth reading.
    enough: bool,
}

impl<'a, O: Observer> Sink<'a, O> {
    pub(super) fn new(body: Body, bodies: &'a Bodies, observer: &'a mut O) -> Self {
        Self {
            body,
            observer,
            bodies,
            kept: Kept::default(),
            taken: 0,
            untouched: true,
            verdict: Ok(()),
            enough: false,
        }
    }

    /// Whether only the count of the body's bytes matters.
    pub(super) fn is_blind(&self) -> bool {
        self.body == Body::Media
    }

    /// Keeps or shows a piece of the body; [`count`](Self::count) counts it.
    pub(super) fn take(&mut self, head: &Head, piece: &[u8]) {
        if !is_good(head) {
            return;
        }
        match self.body {
            Body::Playlist | Body::Key if self.verdict.is_ok() => {
                self.verdict = self.bodies.extend(&mut self.kept, piece);
            }
            Body::SeenMedia => self.observer.body(piece),
            Body::Playlist | Body::Key | Body::Media => {}
        }
    }

    /// Counts bytes of the body, once for many pieces.
    pub(super) fn count(&mut self, head: &Head, bytes: u64) {
        self.taken += bytes;
        self.observer.received(bytes);
        if !is_good(head) {
            self.enough |= self.taken > limits::ERROR_BODY_BYTES;
            return;
        }
        let (limit, fault) = match self.body {
            Body::Playlist => (limits::PLAYLIST_BYTES as u64, Fault::PlaylistLimit),
            Body::Key => (limits::KEY_BYTES as u64, Fault::BodyTooBig),
            Body::Media | Body::SeenMedia => (limits::SEGMENT_BYTES, Fault::BodyTooBig),
        };
        if self.taken > limit {
            self.verdict = Err(fault);
        }
    }

    pub(super) fn wants_no_more(&self) -> bool {
        self.enough || self.verdict.is_err()
    }

    /// The complete response; the body of a playlist is as it came.
    pub(super) fn response(
        self,
        head: Head,
        times: Times,
        opening: Rc<ConnectionInfo>,
        conditional: bool,
    ) -> Response {
        Response {
            status: head.status,
            content_type: head.content_type,
            location: head.location,
            etag: head.etag,
            cache: head.cache,
            age: head.age,
            freshness: head.freshness,
            codings: head.codings,
            content_range: head.content_range,
            conditional,
            opening,
            body: self.kept,
            wire_bytes: self.taken,
            first_byte_us: micros(times.first_byte.saturating_duration_since(times.sent)),
            body_us: micros(times.last_byte.saturating_duration_since(times.first_byte)),
        }
    }
}

/// Whether the body is what was asked for.
fn is_good(head: &Head) -> bool {
    matches!(head.status, 200 | 206)
}
