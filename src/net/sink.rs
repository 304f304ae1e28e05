//! Destination of a body: counts it always, keeps it if it is a playlist or a key, and checks its limits.

use std::rc::Rc;

use tokio::time::Instant;

use super::head::{FAILED, Head};
use super::kept::{Bodies, Kept};
use super::message::{Body, Response};
use super::{ConnectionInfo, Observer};
use crate::vocabulary::clock::micros;
use crate::vocabulary::limits;
use crate::vocabulary::outcome::Fault;

/// Times of sending a request and of receiving its response.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    pub(super) sent: Instant,
    pub(super) first_byte: Instant,
    pub(super) last_byte: Instant,
}

/// Destination of the body of one response.
pub(super) struct Sink<'a, O> {
    body: Body,
    pub(super) observer: &'a mut O,
    bodies: &'a Bodies,
    kept: Kept,
    taken: u64,
    /// True until a byte of a response arrives.
    pub(super) untouched: bool,
    /// Fault of the body so far: a limit that it exceeds, or missing memory.
    pub(super) verdict: Result<(), Fault>,
    /// True if the body of an error response is too long to be worth reading.
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

    /// Reports whether only the count of the body's bytes matters.
    pub(super) fn is_blind(&self) -> bool {
        self.body == Body::Media
    }

    /// Keeps a piece of the body or passes it to the observer; [`count`](Self::count) counts it.
    pub(super) fn take(&mut self, head: &Head, piece: &[u8]) {
        if !is_good(head) {
            return self.keep_words(head, piece);
        }
        match self.body {
            Body::Playlist | Body::Key if self.verdict.is_ok() => {
                self.verdict = self.bodies.extend(&mut self.kept, piece);
            }
            Body::SeenMedia => self.observer.body(piece),
            Body::Playlist | Body::Key | Body::Media => {}
        }
    }

    /// Keeps the beginning of the body of a failed response.
    #[cold]
    fn keep_words(&mut self, head: &Head, piece: &[u8]) {
        let room = limits::ERROR_WORDS_BYTES.saturating_sub(self.kept.len());
        let words = piece.get(..room.min(piece.len())).unwrap_or_default();
        if head.status >= FAILED && !words.is_empty() {
            // Without memory there are no words, but the response stays what it is.
            _ = self.bodies.extend(&mut self.kept, words);
        }
    }

    /// Reports whether the next bytes may be discarded unread: those of media, but not the first ones of a failure.
    pub(super) fn drops(&self, head: Option<&Head>) -> bool {
        self.is_blind() && (!self.kept.is_empty() || head.is_none_or(|head| head.status < FAILED))
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

    /// Builds the complete response; the body of a playlist is not decoded yet.
    pub(super) fn response(
        self,
        head: Box<Head>,
        times: Times,
        opening: Rc<ConnectionInfo>,
        conditional: bool,
    ) -> Response {
        let (body, words) =
            if is_good(&head) { (self.kept, Kept::default()) } else { (Kept::default(), self.kept) };
        Response {
            head,
            conditional,
            opening,
            body,
            words,
            wire_bytes: self.taken,
            first_byte_us: micros(times.first_byte.saturating_duration_since(times.sent)),
            body_us: micros(times.last_byte.saturating_duration_since(times.first_byte)),
        }
    }
}

/// Reports whether the body is the requested resource, not an error or a redirect.
fn is_good(head: &Head) -> bool {
    matches!(head.status, 200 | 206)
}
