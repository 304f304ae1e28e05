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
    /// Answer of the observer whether the words of a failed response are kept, once it was asked.
    keeps_words: Option<bool>,
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
            keeps_words: None,
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

    /// Keeps the beginning of the body of a failed response, if the observer wants it.
    #[cold]
    fn keep_words(&mut self, head: &Head, piece: &[u8]) {
        if head.status < FAILED
            || !*self.keeps_words.get_or_insert_with(|| self.observer.keeps_words(head.status))
        {
            return;
        }
        let room = limits::ERROR_WORDS_BYTES.saturating_sub(self.kept.len());
        let words = piece.get(..room.min(piece.len())).unwrap_or_default();
        if !words.is_empty() {
            // Without memory there are no words, but the response stays what it is.
            _ = self.bodies.extend(&mut self.kept, words);
        }
    }

    /// Reports whether the next bytes may be discarded unread: those of media, but not the first ones of a failure.
    pub(super) fn drops(&self, head: Option<&Head>) -> bool {
        let has_begun = !self.kept.is_empty() || self.keeps_words == Some(false);
        self.is_blind() && (has_begun || head.is_none_or(|head| head.status < FAILED))
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::vocabulary::budget::Budget;

    /// Observer that wants the words of one failure, and counts how often it is asked.
    struct Wants(u16, u32);

    impl Observer for Wants {
        fn received(&mut self, _bytes: u64) {}

        fn keeps_words(&mut self, status: u16) -> bool {
            self.1 += 1;
            status == self.0
        }

        fn body(&mut self, _piece: &[u8]) {}

        fn connected(&mut self, _opening: &ConnectionInfo, _replaces: bool) {}

        fn explained(&mut self, _fault: Fault, _reason: &str) {}

        fn retried(&mut self) {}
    }

    #[test]
    fn only_the_words_that_are_wanted_are_kept() {
        let budget = Arc::new(Budget::new(limits::KEPT_BYTES));
        let bodies = Bodies::new(Arc::clone(&budget));
        for (status, asked, is_kept) in [(503, 1, true), (404, 1, false), (302, 0, false)] {
            let mut observer = Wants(503, 0);
            let mut sink = Sink::new(Body::Media, &bodies, &mut observer);
            let head = Head { status, ..Head::default() };
            assert_eq!(sink.drops(Some(&head)), asked == 0, "{status}");
            for _ in 0..3 {
                sink.take(&head, b"busy ");
            }
            assert!(sink.drops(Some(&head)), "{status}");
            assert_eq!(
                (sink.kept.len(), budget.used() > 0),
                (if is_kept { 15 } else { 0 }, is_kept),
                "{status}"
            );
            drop(sink);
            assert_eq!(observer.1, asked, "{status}");
        }
    }
}
