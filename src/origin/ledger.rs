//! When a response counts as completed: the ledger of one connection.
//!
//! A response is completed when three things have happened, in this order:
//!
//! * handed: hyper has taken the last byte of the body and dropped it;
//! * flushed: a poll of the connection that began after that has ended with everything written to the socket;
//! * confirmed: after that the connection was seen in good order once more: its next request came, or it ended
//!   without an error of the socket.
//!
//! Handing alone would not do: hyper and the kernel buffer megabytes, and a client that goes away in the middle of a
//! segment would be counted as served. A client that leaves with unread data makes the kernel send a reset, so the
//! error is seen before the confirmation and the response is incomplete. With HTTP/1.1 the next request tells even that
//! the client has read all of the last response, unless it pipelines.
//!
//! What an origin cannot know: whether a client that closed in good order has *looked at* what its kernel received;
//! with HTTP/2, whether a client gave up on one stream after its last byte was on the way, while others went on; and
//! whether bytes that were flushed when the origin itself was stopped have arrived.
//!
//! The list of a connection has a mutex, because hyper runs the streams of an HTTP/2 connection as tasks of their
//! own; it is one connection's, held for a few instructions, and no counter stands behind it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::counts::{Counters, Settled};
use crate::vocabulary::Kind;

/// How far a response on the list has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// hyper has taken it all.
    Handed,
    /// The connection is being polled since.
    Polled,
    /// Everything was written to the socket since.
    Flushed,
}

#[derive(Debug, Default)]
struct Entries {
    waiting: Vec<(Stage, Settled)>,
    /// The connection has ended: nothing that comes later can be confirmed.
    ended: bool,
}

/// What one connection still has to account for, and what is known about its socket.
#[derive(Debug)]
pub struct Ledger {
    counters: Arc<Counters>,
    entries: Mutex<Entries>,
    /// Everything that was written has left for the socket.
    flushed: AtomicBool,
    /// The socket has failed.
    failed: AtomicBool,
    /// A fault rule asks for a reset.
    reset: AtomicBool,
}

impl Ledger {
    /// The ledger of a new connection.
    pub fn new(counters: Arc<Counters>) -> Arc<Self> {
        Arc::new(Self {
            counters,
            entries: Mutex::default(),
            flushed: AtomicBool::new(true),
            failed: AtomicBool::new(false),
            reset: AtomicBool::new(false),
        })
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        // A poisoned list is still a list: nothing in here leaves it half changed.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request came: counts it, and confirms what was flushed before. When the client takes its turns (HTTP/1.1
    /// without pipelining) its next request is the proof by itself: a fast client sends it while the poll that
    /// flushed the response before it still goes on.
    pub fn received(self: &Arc<Self>, kind: Kind, takes_turns: bool) -> Ticket {
        self.counters.received(kind);
        self.entries().waiting.retain(|(stage, settled)| {
            let confirmed = takes_turns || *stage == Stage::Flushed;
            if confirmed {
                self.counters.completed(*settled);
            }
            !confirmed
        });
        Ticket { ledger: Arc::clone(self), settled: Settled { kind, status: 0, bytes: 0 }, length: None }
    }

    /// The connection is about to be polled.
    pub fn poll_begins(&self) {
        for (stage, _) in &mut self.entries().waiting {
            if *stage == Stage::Handed {
                *stage = Stage::Polled;
            }
        }
    }

    /// The connection was polled. True when it should be polled again for a response that was handed meanwhile.
    pub fn poll_ended(&self) -> bool {
        if !self.is_flushed() {
            return false;
        }
        let mut again = false;
        for (stage, _) in &mut self.entries().waiting {
            match stage {
                Stage::Handed => again = true,
                Stage::Polled | Stage::Flushed => *stage = Stage::Flushed,
            }
        }
        again
    }

    /// The connection has ended: everything on the list is settled now.
    pub fn end(&self) {
        let good = self.is_flushed() && !self.failed.load(Ordering::Acquire);
        let mut entries = self.entries();
        entries.ended = true;
        for (_, settled) in entries.waiting.drain(..) {
            if good {
                self.counters.completed(settled);
            } else {
                self.counters.incomplete(settled);
            }
        }
    }

    /// Bytes were written towards the socket.
    pub fn wrote(&self) {
        self.flushed.store(false, Ordering::Release);
    }

    /// All bytes were handed to the socket.
    pub fn flushed(&self) {
        self.flushed.store(true, Ordering::Release);
    }

    /// Whether nothing waits to be handed to the socket.
    pub fn is_flushed(&self) -> bool {
        self.flushed.load(Ordering::Acquire)
    }

    /// The socket gave an error.
    pub fn failed(&self) {
        self.failed.store(true, Ordering::Release);
    }

    /// The connection has to be reset.
    pub fn ask_reset(&self) {
        if !self.reset.swap(true, Ordering::AcqRel) {
            self.counters.reset.fetch_add(1, Ordering::Relaxed);
        }
        self.failed();
    }

    /// Whether the connection has to be reset.
    pub fn must_reset(&self) -> bool {
        self.reset.load(Ordering::Acquire)
    }
}

/// One request, from its arrival until its response is handed or lost. Dropping it is what accounts for it.
#[derive(Debug)]
pub struct Ticket {
    ledger: Arc<Ledger>,
    settled: Settled,
    length: Option<u64>,
}

impl Ticket {
    /// The answer begins: `length` body bytes are announced.
    pub fn answer(&mut self, status: http::StatusCode, length: u64) {
        self.settled.status = status.as_u16();
        self.length = Some(length);
    }

    /// Body bytes were handed to the connection.
    pub fn hand(&mut self, bytes: u64) {
        self.settled.bytes += bytes;
    }

    /// The connection that it came on.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut entries = self.ledger.entries();
        if self.length == Some(self.settled.bytes) && !entries.ended {
            entries.waiting.push((Stage::Handed, self.settled));
        } else {
            self.ledger.counters.incomplete(self.settled);
        }
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;

    fn ledger() -> (Arc<Counters>, Arc<Ledger>) {
        let counters = Arc::new(Counters::default());
        (Arc::clone(&counters), Ledger::new(counters))
    }

    /// A response of `length` bytes of which `handed` were handed.
    fn respond(ledger: &Arc<Ledger>, length: u64, handed: u64) {
        let mut ticket = ledger.received(Kind::Segment, false);
        ticket.answer(StatusCode::OK, length);
        ticket.hand(handed);
    }

    fn completed(counters: &Counters) -> u64 {
        counters.counts().completed(Kind::Segment, 200).responses
    }

    fn incomplete(counters: &Counters) -> u64 {
        counters.counts().incomplete(Kind::Segment, 200).responses
    }

    #[test]
    fn the_next_request_of_a_client_that_takes_turns_is_proof_enough() {
        let (counters, ledger) = ledger();
        respond(&ledger, 10, 10);
        let _next = ledger.received(Kind::Segment, true);
        assert_eq!((completed(&counters), incomplete(&counters)), (1, 0));
    }

    #[test]
    fn a_response_is_completed_by_the_next_request_after_its_flush() {
        let (counters, ledger) = ledger();
        respond(&ledger, 10, 10);
        assert!(ledger.poll_ended(), "handed within the poll: it asks for another one");
        ledger.poll_begins();
        assert!(!ledger.poll_ended());
        assert_eq!((completed(&counters), counters.counts().open), (0, 1));
        let _next = ledger.received(Kind::Segment, false);
        assert_eq!((completed(&counters), counters.counts().open), (1, 1));
    }

    #[test]
    fn nothing_is_flushed_while_bytes_wait() {
        let (counters, ledger) = ledger();
        respond(&ledger, 10, 10);
        ledger.wrote();
        ledger.poll_begins();
        ledger.poll_ended();
        let next = ledger.received(Kind::Segment, false);
        assert_eq!(completed(&counters), 0);
        drop(next);
        ledger.end();
        assert_eq!((completed(&counters), incomplete(&counters)), (0, 1));
    }

    #[test]
    fn a_connection_that_fails_takes_its_last_response_with_it() {
        let (counters, ledger) = ledger();
        respond(&ledger, 10, 10);
        ledger.poll_begins();
        ledger.poll_ended();
        ledger.failed();
        ledger.end();
        assert_eq!((completed(&counters), incomplete(&counters)), (0, 1));
    }

    #[test]
    fn a_connection_that_ends_well_completes_its_last_response() {
        let (counters, ledger) = ledger();
        respond(&ledger, 10, 10);
        ledger.end();
        assert_eq!((completed(&counters), incomplete(&counters)), (1, 0));
    }

    #[test]
    fn a_response_that_lacks_a_byte_or_comes_after_the_end_is_incomplete() {
        let (counters, ledger) = ledger();
        respond(&ledger, 10, 9);
        drop(ledger.received(Kind::Segment, false));
        ledger.end();
        respond(&ledger, 10, 10);
        assert_eq!((completed(&counters), incomplete(&counters)), (0, 2));
        assert_eq!(counters.counts().incomplete(Kind::Segment, 0).responses, 1);
        assert_eq!(counters.counts().open, 0);
    }
}
