//! The body of a response: content in slices, paced or broken off as a fault rule says, each byte counted.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Buf as _;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep};

use super::content::{Content, Part};
use super::ledger::Ticket;

/// A stalled response is held for this long unless the client goes first.
pub const STALL_LIMIT: Duration = Duration::from_secs(60);
/// How often a body that is to be cut looks whether its first half has left.
const CUT_POLL: Duration = Duration::from_millis(2);
/// This much is handed at a time: few calls, and what a client has given up on before it was handed is not counted as
/// served.
const FRAME_BYTES: u64 = 64 * 1024;
/// A paced body comes in steps of this length.
const PACE_STEP: Duration = Duration::from_millis(50);

/// How a body goes on after its first half.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ending {
    /// To the end.
    #[default]
    Whole,
    /// The connection is closed.
    Cut,
    /// Nothing comes any more.
    Stall,
}

/// A limit on the rate of a body.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Bits per second.
    pub bits_per_second: u64,
    /// When the limit is lifted, if ever.
    pub until: Option<Instant>,
}

/// What a fault rule makes of a body.
#[derive(Clone, Copy, Debug, Default)]
pub struct Manner {
    /// How it goes on after its first half.
    pub ending: Ending,
    /// Its rate.
    pub pace: Option<Pace>,
}

/// The body was broken off by a fault rule.
#[derive(Debug, thiserror::Error)]
#[error("broken off by a fault rule")]
pub struct BrokenOff;

/// A body on its way.
#[derive(Debug)]
pub struct Body {
    content: Content,
    at: u64,
    end: u64,
    /// Where it stops before its end, for a cut or a stall.
    stop: u64,
    manner: Manner,
    begun: Instant,
    paced_from: u64,
    waiting: Option<Pin<Box<Sleep>>>,
    ticket: Ticket,
}

impl Body {
    /// The bytes `range` of `content`; its length must be what `ticket` was told.
    pub fn new(content: Content, range: std::ops::Range<u64>, manner: Manner, ticket: Ticket) -> Self {
        let length = range.end.saturating_sub(range.start);
        let stop = match manner.ending {
            Ending::Whole => range.end,
            Ending::Cut | Ending::Stall => range.start + length / 2,
        };
        let (at, end) = (range.start, range.start + length);
        Self { content, at, end, stop, manner, begun: Instant::now(), paced_from: at, waiting: None, ticket }
    }

    /// Waits once for `time`; ready when it has passed, and then it can be called anew.
    fn poll_wait(&mut self, cx: &mut Context<'_>, time: Duration) -> Poll<()> {
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(sleep(time)));
        ready!(waiting.as_mut().poll(cx));
        self.waiting = None;
        Poll::Ready(())
    }

    /// How many bytes may go now: at least one.
    fn poll_allowance(&mut self, cx: &mut Context<'_>) -> Poll<u64> {
        let Some(pace) = self.manner.pace else { return Poll::Ready(FRAME_BYTES) };
        loop {
            let now = Instant::now();
            if pace.until.is_some_and(|until| now >= until) {
                self.manner.pace = None;
                return Poll::Ready(FRAME_BYTES);
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

    /// The first half has been handed: holds or breaks off.
    fn poll_break(&mut self, cx: &mut Context<'_>) -> Poll<BrokenOff> {
        if self.manner.ending == Ending::Stall {
            return self.poll_wait(cx, STALL_LIMIT).map(|()| BrokenOff);
        }
        // A body that fails makes hyper forget what it has not yet written, so the half is given time to leave. It
        // looks again and again instead of being woken: the only one who knows is the socket, far below.
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
