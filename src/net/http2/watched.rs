//! Byte stream under an HTTP/2 connection that records the bytes read and limits those of one poll.

use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::frames::Frames;
use crate::vocabulary::outcome::Fault;

/// Bytes that one poll of the connection may read before other clients of the worker run ...
const POLL_BYTES: usize = 256 * 1024;
/// ... and frames: the cost of large ones is per byte, of small ones per frame.
const POLL_FRAMES: usize = 256;

/// State of a connection apart from its streams.
#[derive(Debug, Default)]
pub(super) struct State {
    /// Bytes read so far.
    pub(super) read: Cell<u64>,
    /// True if the byte stream has ended, also without a `close_notify` of TLS, but not by a reset.
    pub(super) ended: Cell<bool>,
    /// The last stream that the peer handles, once it has sent GOAWAY.
    pub(super) last_stream: Cell<Option<u32>>,
    /// Fault for which this side stopped reading from the peer.
    pub(super) refused: Cell<Option<Fault>>,
    /// True if the connection's task has ended.
    pub(super) closed: Cell<bool>,
    /// Failed requests in a row: either the connection or the resource may be at fault.
    pub(super) strikes: Cell<u32>,
    /// Bytes that this poll may still read.
    budget: Cell<usize>,
    /// True if this poll stopped at its limit.
    starved: Cell<bool>,
}

impl State {
    /// Resets the limits for the next poll of the connection.
    pub(super) fn begin_poll(&self) {
        self.budget.set(POLL_BYTES);
        self.starved.set(false);
    }

    /// Reports whether the poll stopped at its limit.
    pub(super) fn is_starved(&self) -> bool {
        self.starved.get()
    }

    fn spend(&self, bytes: usize, frames: usize) {
        let cost = bytes.saturating_add(frames * (POLL_BYTES / POLL_FRAMES));
        self.budget.set(self.budget.get().saturating_sub(cost));
    }
}

/// Byte stream that records its reads in a [`State`].
#[derive(Debug)]
pub(super) struct Watched<S> {
    stream: S,
    frames: Frames,
    state: Rc<State>,
}

impl<S> Watched<S> {
    pub(super) fn new(stream: S, state: Rc<State>) -> Self {
        Self { stream, frames: Frames::new(), state }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Self { stream, frames, state } = self.get_mut();
        if state.budget.get() == 0 {
            // No waker is registered: the connection's task yields and then polls again.
            state.starved.set(true);
            return Poll::Pending;
        }
        let before = buffer.filled().len();
        ready!(Pin::new(stream).poll_read(context, buffer)).inspect_err(|error| {
            state.ended.set(error.kind() == io::ErrorKind::UnexpectedEof);
        })?;
        let came = buffer.filled().get(before..).unwrap_or_default();
        state.ended.set(came.is_empty());
        state.read.set(state.read.get() + came.len() as u64);
        let fed = frames.feed(came);
        state.last_stream.set(frames.last_stream());
        match fed {
            Ok(count) => {
                state.spend(came.len(), count);
                Poll::Ready(Ok(()))
            }
            Err(fault) => {
                state.refused.set(Some(fault));
                Poll::Ready(Err(io::ErrorKind::InvalidData.into()))
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads until the stream has nothing more for now, and returns the number of bytes.
    fn read_all(watched: &mut Watched<&[u8]>) -> usize {
        let mut context = Context::from_waker(std::task::Waker::noop());
        let mut total = 0;
        loop {
            let mut room = [0; 8 * 1024];
            let mut buffer = ReadBuf::new(&mut room);
            match Pin::new(&mut *watched).poll_read(&mut context, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => total += buffer.filled().len(),
                _ => return total,
            }
        }
    }

    #[test]
    fn one_poll_reads_a_bounded_number_of_bytes_and_of_frames() {
        let small = [0, 0, 1, 0, 0, 0, 0, 0, 1, b'x'].repeat(20_000);
        let large = [&[0, 0x40, 0, 0, 0, 0, 0, 0, 1], [7; 0x4000].as_slice()].concat().repeat(100);
        for (wire, most) in [(small, POLL_FRAMES * 10 + 8 * 1024), (large, POLL_BYTES + 8 * 1024)] {
            let state = Rc::new(State::default());
            let mut watched = Watched::new(wire.as_slice(), Rc::clone(&state));
            let mut total = 0;
            loop {
                state.begin_poll();
                let came = read_all(&mut watched);
                assert!(came <= most, "{came} bytes in one poll");
                total += came;
                if !state.is_starved() {
                    break;
                }
            }
            assert_eq!(total, wire.len());
            assert_eq!(state.read.get(), wire.len() as u64);
        }
    }
}
