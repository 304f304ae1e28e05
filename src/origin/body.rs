//! Body of a response: content in slices, paced or broken off by a fault rule, with every byte counted.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Buf as _;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep, sleep_until};

use super::content::{Content, Part};
use super::ledger::Ticket;
use super::uplink::{PIECE_BYTES, Uplink};

/// Time that a stalled response is held unless the client leaves first.
pub const STALL_LIMIT: Duration = Duration::from_secs(60);
/// Interval at which a body that is to be cut checks whether its first half has been sent.
const CUT_POLL: Duration = Duration::from_millis(2);
/// Bytes handed over at a time: few calls, and bytes that a client cancels before they are handed over do not count
/// as served.
const FRAME_BYTES: u64 = 64 * 1024;
/// Length of a step of a paced body.
const PACE_STEP: Duration = Duration::from_millis(50);

/// Continuation of a body after its first half.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ending {
    /// The rest follows.
    #[default]
    Whole,
    /// The connection is closed.
    Cut,
    /// Nothing more follows.
    Stall,
}

/// A limit on the rate of a body.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Bits per second.
    pub bits_per_second: u64,
    /// Time at which the limit is lifted, if ever.
    pub until: Option<Instant>,
}

/// Effect of the origin's capacity and of a fault rule on a body.
#[derive(Clone, Debug, Default)]
pub struct Manner {
    /// Continuation after the first half.
    pub ending: Ending,
    /// Limit on the rate.
    pub pace: Option<Pace>,
    /// Limit on the rate of all bodies together.
    pub uplink: Option<Arc<Uplink>>,
}

/// Error of a body that a fault rule broke off.
#[derive(Debug, thiserror::Error)]
#[error("broken off by a fault rule")]
pub struct BrokenOff;

/// A response body that is being sent.
#[derive(Debug)]
pub struct Body {
    content: Content,
    at: u64,
    end: u64,
    /// Position at which a cut or a stall stops the body.
    stop: u64,
    manner: Manner,
    begun: Instant,
    paced_from: u64,
    waiting: Option<Pin<Box<Sleep>>>,
    ticket: Ticket,
}

impl Body {
    /// Creates a body of the bytes `range` of `content`, whose length must be the one that `ticket` announced.
    pub fn new(content: Content, range: std::ops::Range<u64>, manner: Manner, ticket: Ticket) -> Self {
        let length = range.end.saturating_sub(range.start);
        let stop = match manner.ending {
            Ending::Whole => range.end,
            Ending::Cut | Ending::Stall => range.start + length / 2,
        };
        let (at, end) = (range.start, range.start + length);
        Self { content, at, end, stop, manner, begun: Instant::now(), paced_from: at, waiting: None, ticket }
    }

    /// Waits for `time`. Once it is ready, the next call starts a new wait.
    fn poll_wait(&mut self, cx: &mut Context<'_>, time: Duration) -> Poll<()> {
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(sleep(time)));
        ready!(waiting.as_mut().poll(cx));
        self.waiting = None;
        Poll::Ready(())
    }

    /// Returns the number of bytes that may be sent now: at least one.
    fn poll_allowance(&mut self, cx: &mut Context<'_>) -> Poll<u64> {
        let Some(pace) = self.manner.pace else { return self.poll_uplink(cx) };
        loop {
            let now = Instant::now();
            if pace.until.is_some_and(|until| now >= until) {
                self.manner.pace = None;
                return self.poll_uplink(cx);
            }
            let released = pace.bits_per_second as f64 / 8.0 * (now - self.begun).as_secs_f64();
            let allowed = (released as u64).saturating_sub(self.at - self.paced_from);
            if allowed > 0 && self.waiting.is_none() {
                self.waiting = Some(Box::pin(sleep(PACE_STEP)));
                return Poll::Ready(allowed);
            }
            ready!(self.poll_wait(cx, PACE_STEP));
        }
    }

    /// Returns the number of bytes that have passed the uplink.
    fn poll_uplink(&mut self, cx: &mut Context<'_>) -> Poll<u64> {
        let Some(uplink) = &self.manner.uplink else { return Poll::Ready(FRAME_BYTES) };
        let piece = PIECE_BYTES.min(self.stop.saturating_sub(self.at));
        let passing = self.waiting.get_or_insert_with(|| Box::pin(sleep_until(uplink.book(piece))));
        ready!(passing.as_mut().poll(cx));
        self.waiting = None;
        Poll::Ready(piece)
    }

    /// Holds or breaks off the body after its first half has been handed over.
    fn poll_break(&mut self, cx: &mut Context<'_>) -> Poll<BrokenOff> {
        if self.manner.ending == Ending::Stall {
            return self.poll_wait(cx, STALL_LIMIT).map(|()| BrokenOff);
        }
        // A body that fails makes hyper discard its unwritten bytes, so the first half gets time to leave. Polling
        // replaces a wake-up: only the socket, several layers below, knows when the bytes have left.
        loop {
            ready!(self.poll_wait(cx, CUT_POLL));
            if self.ticket.ledger().is_flushed() {
                return Poll::Ready(BrokenOff);
            }
        }
    }
}

impl HttpBody for Body {
    type Data = Part;
    type Error = BrokenOff;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Part>, BrokenOff>>> {
        let this = self.get_mut();
        if this.at >= this.end {
            return Poll::Ready(None);
        }
        if this.at >= this.stop {
            return this.poll_break(cx).map(|broken| Some(Err(broken)));
        }
        let allowance = ready!(this.poll_allowance(cx));
        let part = this.content.part(this.at, this.stop.min(this.at.saturating_add(allowance)));
        let length = part.remaining() as u64;
        this.at += length;
        this.ticket.hand(length);
        Poll::Ready(Some(Ok(Frame::data(part))))
    }

    fn is_end_stream(&self) -> bool {
        self.at >= self.end
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.end.saturating_sub(self.at))
    }
}
