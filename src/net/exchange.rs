//! Sends an HTTP/1.1 request and reads its response.
//!
//! * All clients of a worker read into one shared buffer, which is never borrowed across an await.
//! * One poll reads a bounded amount and then lets the other clients of its worker run: an origin that always has
//!   more to send cannot monopolize the worker.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::task::yield_now;
use tokio::time::Instant;

use super::Observer;
use super::connect::Stream;
use super::deadline::Deadline;
use super::head::Head;
use super::http1::{Progress, Reader};
use super::io_fault::transfer_fault;
use super::shared::Net;
use super::sink::{Sink, Times};
use crate::vocabulary::outcome::Fault;

/// Maximum bytes of the first read, and of each read of a body in small chunks.
const FIRST_READ_BYTES: usize = 16 * 1024;
/// Maximum bytes of the first read of media: room for most heads. What follows is discarded, which is cheaper than
/// copying it.
const FIRST_MEDIA_READ_BYTES: usize = 4 * 1024;
/// Bytes that one poll may read and parse ...
const PARSED_BYTES: usize = 256 * 1024;
/// ... and pieces of a body: the cost of small chunks is per piece, and this many take a tenth of a millisecond.
const PIECES: usize = 2_048;
/// Bytes that one poll may discard, which costs one system call for each buffer and no parsing.
const DROPPED_BYTES: usize = 4 * 1024 * 1024;

/// Sends `request` and reads the response, to its end or until the sink wants no more of it. The wait for the first
/// byte includes the time of the write: an origin that is slow to take a request is slow to answer it.
pub(super) async fn exchange<O: Observer>(
    stream: &mut (impl Source + AsyncWrite),
    request: &[u8],
    (net, deadline): (&Net, &Deadline),
    sink: &mut Sink<'_, O>,
) -> Result<(Box<Head>, Times), Fault> {
    let sent = deadline.enter(Fault::TimeoutFirstByte, net.settings.timeout);
    send(stream, request).await.map_err(|error| transfer_fault(&error))?;
    receive(stream, (net, deadline), sink, sent).await
}

async fn send(stream: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> io::Result<()> {
    stream.write_all(bytes).await?;
    stream.flush().await
}

/// Reads the response to a request that was sent at `sent`.
async fn receive<O: Observer>(
    stream: &mut impl Source,
    (net, deadline): (&Net, &Deadline),
    sink: &mut Sink<'_, O>,
    sent: Instant,
) -> Result<(Box<Head>, Times), Fault> {
    let (reader, room) = if sink.is_blind() {
        (Reader::for_media(), FIRST_MEDIA_READ_BYTES)
    } else {
        (Reader::default(), FIRST_READ_BYTES)
    };
    let mut receiver = Receiver { net, deadline, sink, reader, came: None, room };
    while !poll_fn(|context| receiver.poll(stream, context)).await? {
        yield_now().await;
    }
    let Receiver { sink, reader, came, .. } = receiver;
    let mut head = reader.into_head().ok_or(Fault::ConnProtocol)?;
    head.keep_alive &= !sink.wants_no_more();
    let (first_byte, last_byte) = came.unwrap_or((sent, sent));
    Ok((head, Times { sent, first_byte, last_byte }))
}

/// A response that is being read.
struct Receiver<'a, 'b, O> {
    net: &'a Net,
    deadline: &'a Deadline,
    sink: &'a mut Sink<'b, O>,
    reader: Reader,
    /// Times of the first bytes and of the last ones so far.
    came: Option<(Instant, Instant)>,
    /// Maximum bytes of the next read.
    room: usize,
}

impl<O: Observer> Receiver<'_, '_, O> {
    /// Reads the bytes that are available. Returns true when the response is complete or the sink wants no more of
    /// it, false when the limits of one poll are reached.
    fn poll(&mut self, stream: &mut impl Source, context: &mut Context<'_>) -> Poll<Result<bool, Fault>> {
        let [mut parsed, mut dropped, mut pieces] = [0; 3];
        while parsed < PARSED_BYTES && dropped < DROPPED_BYTES && pieces < PIECES {
            let mut shared = self.net.buffer.borrow_mut();
            let came = ready!(self.poll_next(stream, context, &mut shared));
            // Compared below: a further interim response restarts the idle phase.
            let interim = self.reader.interim();
            let (count, progress) = match came {
                Err(error) => return Poll::Ready(Err(broken(&self.reader, &error))),
                Ok(ReadStep::Read(0) | ReadStep::Dropped(0)) => {
                    return Poll::Ready(self.reader.end().map(|()| true));
                }
                Ok(ReadStep::Read(count)) => {
                    let (progress, pieces_now) = self.feed(shared.get(..count).unwrap_or_default());
                    parsed += count;
                    pieces += pieces_now;
                    // A full buffer of pieces this small would exceed the limit of one poll.
                    let are_small = pieces_now.saturating_mul(shared.len()) > PIECES.saturating_mul(count);
                    self.room = if are_small { FIRST_READ_BYTES } else { shared.len() };
                    (count, progress?)
                }
                Ok(ReadStep::Dropped(count)) => {
                    dropped += count;
                    (count, self.reader.skip(count, &mut |head, bytes| self.sink.count(head, bytes)))
                }
            };
            self.sink.untouched = false;
            let now = Instant::now();
            self.came = Some((self.came.map_or(now, |(first, _)| first), now));
            match progress {
                Progress::Done { used } if used == count => return Poll::Ready(Ok(true)),
                // Only one request is in flight, so bytes after the response belong to no other response.
                Progress::Done { .. } => return Poll::Ready(Err(Fault::BodyLong)),
                Progress::More if self.sink.wants_no_more() => return Poll::Ready(Ok(true)),
                Progress::More if self.reader.interim() > interim => {
                    self.deadline.enter(Fault::TimeoutIdle, self.net.settings.timeout);
                }
                Progress::More => self.deadline.progress(now, count as u64, self.net.settings.timeout)?,
            }
        }
        Poll::Ready(Ok(false))
    }

    /// Parses input and counts its body bytes; also returns the number of pieces that they came in.
    fn feed(&mut self, input: &[u8]) -> (Result<Progress, Fault>, usize) {
        let Self { reader, sink, .. } = self;
        let (mut in_body, mut pieces) = (0, 0);
        let progress = reader.feed(input, &mut |head, piece| {
            in_body += piece.len() as u64;
            pieces += 1;
            sink.take(head, piece);
        });
        if in_body > 0
            && let Some(head) = reader.head()
        {
            sink.count(head, in_body);
        }
        (progress, pieces)
    }

    /// Reads the next bytes into `buffer`, or discards them in the kernel when only their count matters.
    fn poll_next(
        &self,
        stream: &mut impl Source,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<ReadStep>> {
        let most = buffer.len();
        let droppable = self.reader.skippable().filter(|_| self.sink.drops(self.reader.head()));
        let room = match droppable {
            // One byte more than expected: bytes after the body must be noticed.
            Some(left) => usize::try_from(left.saturating_add(1)).unwrap_or(most),
            None => self.room,
        };
        let room = buffer.get_mut(..room.min(most)).unwrap_or_default();
        if droppable.is_some() {
            return stream.poll_drop(context, room).map_ok(ReadStep::Dropped);
        }
        let mut room = ReadBuf::new(room);
        ready!(Pin::new(stream).poll_read(context, &mut room))?;
        Poll::Ready(Ok(ReadStep::Read(room.filled().len())))
    }
}

/// Byte stream that a response is read from.
pub(super) trait Source: AsyncRead + Unpin {
    /// Discards at most `room.len()` bytes and returns their count.
    fn poll_drop(&mut self, context: &mut Context<'_>, room: &mut [u8]) -> Poll<io::Result<usize>>;
}

impl Source for Stream {
    fn poll_drop(&mut self, context: &mut Context<'_>, room: &mut [u8]) -> Poll<io::Result<usize>> {
        Self::poll_drop(self, context, room)
    }
}

/// Result of one read, with its count of bytes: 0 at the end of the stream.
enum ReadStep {
    /// The bytes are in the buffer.
    Read(usize),
    /// The bytes were part of the body and are discarded.
    Dropped(usize),
}

/// Returns the fault of a connection that broke. After the head, a short body is more informative than the end of the
/// stream.
fn broken(reader: &Reader, error: &io::Error) -> Fault {
    match transfer_fault(error) {
        Fault::ConnEof if reader.head().is_some() => Fault::BodyShort,
        fault => fault,
    }
}

#[cfg(test)]
mod tests {
    use super::super::message::Body;
    use super::super::scope::Scope;
    use super::super::{ConnectionInfo, Headers, Settings, TlsSettings, Transport};
    use super::*;
    use crate::vocabulary::{HttpProfile, SecretUrl};
    use std::rc::Rc;
    use std::time::Duration;
    use tokio::io::{AsyncReadExt as _, DuplexStream};

    impl Source for DuplexStream {
        fn poll_drop(&mut self, context: &mut Context<'_>, room: &mut [u8]) -> Poll<io::Result<usize>> {
            let mut room = ReadBuf::new(room);
            ready!(Pin::new(self).poll_read(context, &mut room))?;
            Poll::Ready(Ok(room.filled().len()))
        }
    }

    impl Source for &[u8] {
        fn poll_drop(&mut self, context: &mut Context<'_>, room: &mut [u8]) -> Poll<io::Result<usize>> {
            let mut room = ReadBuf::new(room);
            ready!(Pin::new(self).poll_read(context, &mut room))?;
            Poll::Ready(Ok(room.filled().len()))
        }
    }

    #[derive(Default)]
    struct Bytes(u64);

    impl Observer for Bytes {
        fn received(&mut self, bytes: u64) {
            self.0 += bytes;
        }

        fn body(&mut self, _piece: &[u8]) {}

        fn connected(&mut self, _opening: &ConnectionInfo, _replaces: bool) {}

        fn retried(&mut self) {}

        fn explained(&mut self, _fault: Fault, _reason: &str) {}
    }

    /// Returns the state of a worker whose requests have this limit for each wait.
    fn net(timeout: Duration) -> Rc<Net> {
        let url = SecretUrl::parse("http://a/x").expect("valid");
        let headers = Headers::new(&url, "hlswarm/test", "run 1", &[]).expect("valid");
        let tls = TlsSettings::for_test();
        Net::new(Settings {
            tls,
            transport: Transport::default(),
            resolve: Vec::new(),
            scope: Scope::for_test(&url),
            timeout,
            headers,
            cookies: std::sync::Arc::default(),
            keeps_cookies: true,
            http_profile: HttpProfile::default(),
            budget: std::sync::Arc::default(),
        })
    }

    /// Reads a response that is available as a whole. Returns the bytes of its body and the most that one poll took.
    fn read(mut wire: &[u8], body: Body) -> (u64, u64) {
        let timeout = Duration::from_secs(15);
        let net = net(timeout);
        let deadline = Deadline::new(timeout);
        let mut bytes = Bytes::default();
        let mut sink = Sink::new(body, &net.bodies, &mut bytes);
        let mut receiver = Receiver {
            net: &net,
            deadline: &deadline,
            sink: &mut sink,
            reader: Reader::default(),
            came: None,
            room: FIRST_READ_BYTES,
        };
        let mut context = Context::from_waker(std::task::Waker::noop());
        let [mut total, mut most] = [0; 2];
        loop {
            let ended = receiver.poll(&mut wire, &mut context);
            let now = receiver.sink.observer.0;
            (total, most) = (now, most.max(now - total));
            match ended {
                Poll::Ready(Ok(false)) => {}
                Poll::Ready(Ok(true)) => return (total, most),
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn one_poll_parses_and_discards_a_bounded_amount() {
        let chunks = b"1\r\nx\r\n".repeat(1_000_000);
        let chunked =
            [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", &chunks[..], b"0\r\n\r\n"].concat();
        for body in [Body::Media, Body::Playlist] {
            let (total, most) = read(&chunked, body);
            assert_eq!(total, 1_000_000);
            let once = FIRST_READ_BYTES as u64 / 6 + 1;
            assert!(most < PIECES as u64 + once, "{most} chunks in one poll");
        }
        let length = 3 * DROPPED_BYTES;
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n");
        let (total, most) = read(&[head.as_bytes(), &vec![7; length]].concat(), Body::Media);
        assert_eq!(total, length as u64);
        assert!(most <= (DROPPED_BYTES + PARSED_BYTES) as u64, "{most} bytes in one poll");
    }

    #[tokio::test(start_paused = true)]
    async fn the_wait_for_the_first_byte_begins_before_the_request_is_written() {
        const REQUEST: [u8; 1_000] = [b'x'; 1_000];
        // Smaller than the request: the rest can be written only after the peer has read.
        let (mut wire, mut peer) = tokio::io::duplex(100);
        let origin = async {
            tokio::time::sleep(Duration::from_secs(3)).await;
            peer.read_exact(&mut [0; REQUEST.len()]).await.expect("the request");
            tokio::time::sleep(Duration::from_secs(2)).await;
            peer.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na").await.expect("read");
            tokio::time::sleep(Duration::from_secs(1)).await;
            peer.write_all(b"b").await.expect("read");
        };
        let (net, deadline) = (net(Duration::from_secs(15)), Deadline::new(Duration::from_secs(60)));
        let (begun, mut bytes) = (Instant::now(), Bytes::default());
        let mut sink = Sink::new(Body::Playlist, &net.bodies, &mut bytes);
        let client = exchange(&mut wire, &REQUEST, (&*net, &deadline), &mut sink);
        let (response, ()) = tokio::join!(client, origin);
        let (_, times) = response.expect("a response");
        let seconds = [times.sent, times.first_byte, times.last_byte].map(|at| (at - begun).as_secs());
        assert_eq!(seconds, [0, 5, 6], "request, first byte and last byte");
    }
}
