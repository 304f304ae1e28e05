//! Ledger of one connection: decides when a response counts as completed.
//!
//! A response is completed when three things have happened, in this order:
//!
//! * handed: hyper has taken the last byte of the body and dropped the body;
//! * flushed: a poll of the connection that began after that has ended with everything written to the socket;
//! * confirmed: after the flush the connection proved to be in good order once more: its next request came, or it
//!   ended without an error of the socket.
//!
//! Handing bytes over is not enough: hyper and the kernel buffer megabytes, so a client that leaves in the middle of
//! a segment would count as served. A client that leaves with unread data makes the kernel send a reset. The ledger
//! then sees the error before the confirmation, and the response is incomplete. With HTTP/1.1, unless the client
//! pipelines, the next request even proves that the client has read all of the previous response.
//!
//! An origin cannot know whether a client that closed in good order has *looked at* the data that its kernel
//! received. With HTTP/2, it cannot know whether a client cancelled one stream after its last byte was on the way,
//! while others went on. Nor can it know whether bytes that were flushed when the origin itself was stopped have
//! arrived.
//!
//! The list of a connection has a mutex because hyper runs the streams of an HTTP/2 connection as separate tasks. The
//! mutex belongs to one connection, is held for a few instructions, and guards no counter.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::counts::{Counters, Settled};
use crate::vocabulary::Kind;

/// Progress of a response on the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// hyper has taken the whole response.
    Handed,
    /// A poll of the connection has begun since.
    Polled,
    /// Everything has been written to the socket since.
    Flushed,
}

#[derive(Debug, Default)]
struct Entries {
    waiting: Vec<(Stage, Settled)>,
    /// Set once the connection has ended: nothing that comes later can be confirmed.
    ended: bool,
}

/// Responses that one connection still has to account for, and the known state of its socket.
#[derive(Debug)]
pub struct Ledger {
    counters: Arc<Counters>,
    entries: Mutex<Entries>,
    /// Set while all written bytes have reached the socket.
    flushed: AtomicBool,
    /// Set once the socket has failed.
    failed: AtomicBool,
    /// Set once a fault rule has asked for a reset.
    reset: AtomicBool,
}

impl Ledger {
    /// Creates the ledger of a new connection.
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
        // A poisoned list is still usable: no code here leaves it half changed.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a request and confirms the responses flushed before it. If the client takes turns (HTTP/1.1 without
    /// pipelining), its next request is proof by itself: a fast client sends it before the poll that flushed the
    /// previous response has ended.
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

    /// Notes that a poll of the connection begins.
    pub fn poll_begins(&self) {
        for (stage, _) in &mut self.entries().waiting {
            if *stage == Stage::Handed {
                *stage = Stage::Polled;
            }
        }
    }

    /// Notes that a poll of the connection has ended. Returns true if a response was handed over during the poll, so
    /// that the connection should be polled once more.
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

    /// Settles every response on the list: the connection has ended.
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

    /// Notes that bytes were written towards the socket.
    pub fn wrote(&self) {
        self.flushed.store(false, Ordering::Release);
    }

    /// Notes that all bytes were handed to the socket.
    pub fn flushed(&self) {
        self.flushed.store(true, Ordering::Release);
    }

    /// Reports whether no bytes wait for the socket.
    pub fn is_flushed(&self) -> bool {
        self.flushed.load(Ordering::Acquire)
    }

    /// Notes that the socket returned an error.
    pub fn failed(&self) {
        self.failed.store(true, Ordering::Release);
    }

    /// Requests a reset of the connection.
    pub fn ask_reset(&self) {
        if !self.reset.swap(true, Ordering::AcqRel) {
            self.counters.reset.fetch_add(1, Ordering::Relaxed);
        }
        self.failed();
    }

    /// Reports whether the connection must be reset.
    pub fn must_reset(&self) -> bool {
        self.reset.load(Ordering::Acquire)
    }
}

/// One request, from its arrival until its response is handed over or lost. Dropping the ticket accounts for it.
#[derive(Debug)]
pub struct Ticket {
    ledger: Arc<Ledger>,
    settled: Settled,
    length: Option<u64>,
}

impl Ticket {
    /// Notes that the answer begins and announces `length` body bytes.
    pub fn answer(&mut self, status: http::StatusCode, length: u64) {
        self.settled.status = status.as_u16();
        self.length = Some(length);
    }

    /// Counts body bytes handed to the connection.
    pub fn hand(&mut self, bytes: u64) {
        self.settled.bytes += bytes;
    }

    /// Returns the ledger of the connection that the request came on.
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

    /// Makes a response of `length` bytes and hands over `handed` of them.
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
