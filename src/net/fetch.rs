//! One GET over the connections that a client keeps: the path that every request of a run takes.
//!
//! * Before a kept connection is used again it is asked whether the peer has closed it; if it closes in that very
//!   moment, before a byte came back, the GET is sent once more on a new connection (RFC 9110 section 9.2.2).
//! * Bytes are told to the observer as they arrive; a playlist is kept up to its limit, everything else is dropped.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWriteExt as _, ReadBuf};
use tokio::time::Sleep;

use super::connect::{Connector, Stream, fault};
use super::cookies::Received;
use super::deadline::Deadline;
use super::http1::{Head, Progress, Reader};
use super::http2::{self, Http2};
use super::pool::{Connection, Pool, Protocol};
use super::resolve::Resolver;
use super::{HeaderLines, Observer, Opening, Settings, decode};
use crate::base::clock::micros;
use crate::base::outcome::Fault;
use crate::base::{CacheStatus, SecretUrl, limits};

/// The read buffer that all clients of a worker share. A quarter of a megabyte is where fewer system calls stop
/// paying for the cache that they miss.
const READ_BUFFER_BYTES: usize = 256 * 1024;
/// How much is read at once until the head of a response is known whose body nobody wants to see.
const HEAD_READ_BYTES: usize = 16 * 1024;

/// What is done with the body of a good response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// Kept and decoded: a playlist.
    Playlist,
    /// Kept as it is, up to [`limits::KEY_BYTES`]: a key.
    Key,
    /// Counted and dropped, up to [`limits::SEGMENT_BYTES`]. Nobody sees it.
    Media,
    /// The same, but the observer sees it.
    SeenMedia,
}

/// A GET.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// What is asked for.
    pub url: &'a SecretUrl,
    /// First and last byte, if only a part is wanted.
    pub range: Option<(u64, u64)>,
    /// The entity tag of what the client has: only something else is worth sending.
    pub unless: Option<&'a str>,
    /// What is done with the body.
    pub body: Body,
    /// The time in which the whole response must be there.
    pub total: Duration,
}

/// A complete response.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// `Content-Type` as it came.
    pub content_type: Option<String>,
    /// `Location` as it came.
    pub location: Option<String>,
    /// `ETag` as it came.
    pub etag: Option<String>,
    /// Whether a cache had it, where the response says so.
    pub cache: Option<CacheStatus>,
    /// `Age`: for how long a cache has had it.
    pub age: Option<Duration>,
    /// Whether `Cache-Control` or `Expires` says how long it may be kept.
    pub has_lifetime: bool,
    /// Whether the body came with a content coding.
    pub coded: bool,
    /// The connection that it came over.
    pub opening: Opening,
    /// The decoded body of a playlist or key, empty otherwise.
    pub body: Vec<u8>,
    /// Body bytes on the wire.
    pub wire_bytes: u64,
    /// From the request being sent to the first byte of the response, in microseconds.
    pub first_byte_us: u64,
    /// From the first byte to the last, in microseconds.
    pub body_us: u64,
}

/// What the clients of one worker thread share: settings, names, the read buffer.
pub struct Net {
    settings: Settings,
    resolver: Resolver,
    buffer: RefCell<Box<[u8]>>,
}

impl Net {
    /// The network of one worker thread.
    pub fn new(settings: Settings) -> Rc<Self> {
        let resolver = Resolver::new(&settings.resolve);
        Rc::new(Self {
            settings,
            resolver,
            buffer: RefCell::new(vec![0; READ_BUFFER_BYTES].into_boxed_slice()),
        })
    }
}

/// One lane of requests of a client, one after the other; the lanes of a client share its connections.
pub struct Wire {
    net: Rc<Net>,
    pool: Rc<Pool>,
    lane: usize,
    timer: Pin<Box<Sleep>>,
    outgoing: Vec<u8>,
}

/// The connections of one client, of which each lane of requests has a [`Wire`].
pub struct Lines {
    net: Rc<Net>,
    pool: Rc<Pool>,
}

impl Lines {
    /// A client without connections.
    pub fn new(net: Rc<Net>) -> Self {
        let pool = Rc::new(Pool::new(net.settings.manners.connections_apart));
        Self { net, pool }
    }

    /// A lane of requests.
    pub fn wire(&self, lane: usize) -> Wire {
        let timer = Box::pin(tokio::time::sleep(Duration::ZERO));
        Wire { net: Rc::clone(&self.net), pool: Rc::clone(&self.pool), lane, timer, outgoing: Vec::new() }
    }
}

impl Wire {
    /// Sends a GET and reads its response to the end. Redirects are the caller's to follow.
    ///
    /// # Errors
    /// The fault that kept the response from being complete, or its body from being decoded.
    pub async fn get(
        &mut self,
        request: &Request<'_>,
        observer: &mut impl Observer,
    ) -> Result<Response, Fault> {
        let deadline = Deadline::new(request.total);
        let Self { net, pool, lane, timer, outgoing } = self;
        let mut path = Path { net, pool, lane: *lane, deadline: &deadline, outgoing };
        let request = pin!(path.get(request, observer));
        deadline.watch(timer.as_mut(), request).await
    }
}

/// What a request works on, apart from the timer that watches it.
struct Path<'a> {
    net: &'a Net,
    pool: &'a Pool,
    lane: usize,
    deadline: &'a Deadline,
    outgoing: &'a mut Vec<u8>,
}

impl Path<'_> {
    async fn get(&mut self, request: &Request<'_>, observer: &mut impl Observer) -> Result<Response, Fault> {
        let mut connection = match self.pool.take(request.url, self.lane).await {
            Some(connection) => connection,
            None => self.connect(request.url, observer).await?,
        };
        let mut sink = Sink::new(request.body, observer);
        let mut ended = self.exchange(&mut connection, request, &mut sink).await;
        if ended.as_ref().is_err_and(|fault| connection.used && sink.untouched && is_stale(*fault)) {
            sink.observer.retried();
            self.pool.lose(connection);
            connection = self.connect(request.url, sink.observer).await?;
            ended = self.exchange(&mut connection, request, &mut sink).await;
        }
        let (head, times) = match ended {
            Ok(ended) => ended,
            Err(fault) => {
                self.pool.lose(connection);
                return Err(fault);
            }
        };
        if !head.cookies.is_empty() {
            let (endpoint, path) = (&connection.endpoint, request.url.wire_path());
            self.pool.cookies.take(endpoint, path, &head.cookies, Received::now());
        }
        sink.verdict?;
        let opening = connection.opening;
        if head.keep_alive {
            self.pool.keep(connection);
        }
        sink.response(head, times, opening)
    }

    async fn connect(&mut self, url: &SecretUrl, observer: &mut impl Observer) -> Result<Connection, Fault> {
        let endpoint = url.endpoint();
        let connector =
            Connector { resolver: &self.net.resolver, tls: &self.pool.tls, settings: &self.net.settings.tls };
        // Boxed: connecting is seldom, and a client should not carry its future all the time.
        let connected = Box::pin(connector.connect(&endpoint, self.deadline)).await?;
        let opening = connected.opening;
        let protocol = if opening.http2 {
            Protocol::Http2(Box::pin(Http2::begin(connected.stream)).await?)
        } else {
            Protocol::Http1(connected.stream)
        };
        let (connection, replaces) = self.pool.open(endpoint, protocol, opening, self.lane);
        observer.connected(&opening, replaces);
        Ok(connection)
    }

    async fn exchange<O: Observer>(
        &mut self,
        connection: &mut Connection,
        request: &Request<'_>,
        sink: &mut Sink<'_, O>,
    ) -> Result<(Head, Times), Fault> {
        let (net, deadline) = (self.net, self.deadline);
        deadline.enter(Fault::TimeoutFirstByte, net.settings.timeout);
        let Connection { endpoint, host, protocol, .. } = connection;
        let lines = HeaderLines { settings: &net.settings, cookies: &self.pool.cookies, endpoint };
        match protocol {
            Protocol::Http1(stream) => {
                write_request(self.outgoing, &lines, host, request);
                send(stream, self.outgoing).await?;
                receive(stream, net, deadline, sink).await
            }
            Protocol::Http2(http2) => {
                // Boxed: hyper's response future is large.
                Box::pin(exchange_http2(http2, request, &lines, deadline, sink)).await
            }
        }
    }
}

/// Whether the failure of a reused connection, before any byte came, means that the peer had closed it.
fn is_stale(fault: Fault) -> bool {
    matches!(fault, Fault::ConnReset | Fault::ConnEof | Fault::H2GoAway)
}

/// Makes the request in `outgoing`, whose memory is used again.
fn write_request(outgoing: &mut Vec<u8>, lines: &HeaderLines<'_>, host: &str, request: &Request<'_>) {
    outgoing.clear();
    let mut write = |pieces: &[&[u8]]| pieces.iter().for_each(|piece| outgoing.extend_from_slice(piece));
    write(&[b"GET ", request.url.wire_path().as_bytes(), b" HTTP/1.1\r\nhost: ", host.as_bytes(), b"\r\n"]);
    lines.for_each(request, &mut |name, value| {
        write(&[name.as_str().as_bytes(), b": ", value, b"\r\n"]);
    });
    write(&[b"\r\n"]);
}

async fn send(stream: &mut Stream, bytes: &[u8]) -> Result<(), Fault> {
    let written = async {
        stream.write_all(bytes).await?;
        stream.flush().await
    };
    written.await.map_err(|error| transfer_fault(&error))
}

/// The fault behind an error of a connection that was usable before.
fn transfer_fault(error: &std::io::Error) -> Fault {
    match fault(error) {
        Fault::ConnUnreachable | Fault::ConnRefused | Fault::TimeoutConnect => Fault::ConnReset,
        fault => fault,
    }
}

/// When the bytes of a response came.
#[derive(Clone, Copy, Debug)]
struct Times {
    sent: Instant,
    first_byte: Instant,
    last_byte: Instant,
}

/// Reads a response into the shared buffer of the worker, which is borrowed only while nothing is awaited.
async fn receive<O: Observer>(
    stream: &mut Stream,
    net: &Net,
    deadline: &Deadline,
    sink: &mut Sink<'_, O>,
) -> Result<(Head, Times), Fault> {
    let sent = Instant::now();
    let mut first_byte = None;
    let mut reader = Reader::default();
    let complete = poll_fn(|context| {
        loop {
            let mut shared = net.buffer.borrow_mut();
            let came = ready!(poll_next(stream, context, &mut shared, &reader, sink.is_blind()));
            let (count, progress) = match came {
                Err(error) => return Poll::Ready(Err(broken(&reader, &error))),
                Ok(Came::Read(0) | Came::Dropped(0)) => return Poll::Ready(reader.end()),
                Ok(Came::Read(count)) => {
                    let input = shared.get(..count).unwrap_or_default();
                    (count, reader.feed(input, &mut |head, piece| sink.take(head, piece))?)
                }
                Ok(Came::Dropped(count)) => {
                    (count, reader.skip(count, &mut |head, bytes| sink.count(head, bytes)))
                }
            };
            sink.untouched = false;
            first_byte.get_or_insert_with(Instant::now);
            deadline.enter(Fault::TimeoutIdle, net.settings.timeout);
            match progress {
                Progress::Done { used } if used == count => return Poll::Ready(Ok(())),
                Progress::Done { .. } => return Poll::Ready(Err(Fault::BodyLong)),
                Progress::More if sink.wants_no_more() => return Poll::Ready(Ok(())),
                Progress::More => {}
            }
        }
    });
    complete.await?;
    let mut head = reader.into_head().ok_or(Fault::ConnProtocol)?;
    head.keep_alive &= !sink.wants_no_more();
    let last_byte = Instant::now();
    Ok((head, Times { sent, first_byte: first_byte.unwrap_or(last_byte), last_byte }))
}

/// How the next bytes of a response came, and how many: none at the end of the stream.
enum Came {
    /// They are in the buffer.
    Read(usize),
    /// They are a part of the body, and gone.
    Dropped(usize),
}

/// Takes the next bytes off a stream: into the buffer, or out of the world, if they can be told without a look at them.
fn poll_next(
    stream: &mut Stream,
    context: &mut Context<'_>,
    buffer: &mut [u8],
    reader: &Reader,
    blind: bool,
) -> Poll<io::Result<Came>> {
    let most = buffer.len();
    let (droppable, room) = match reader.skippable().filter(|_| blind) {
        // One more than there should be: what comes after the body must be noticed.
        Some(left) => (true, usize::try_from(left.saturating_add(1)).unwrap_or(most)),
        None if blind && reader.head().is_none() => (false, HEAD_READ_BYTES),
        None => (false, most),
    };
    let room = buffer.get_mut(..room.min(most)).unwrap_or_default();
    if droppable {
        return stream.poll_drop(context, room).map_ok(Came::Dropped);
    }
    let mut room = ReadBuf::new(room);
    ready!(Pin::new(stream).poll_read(context, &mut room))?;
    Poll::Ready(Ok(Came::Read(room.filled().len())))
}

/// A connection that broke: after the head, what is missing of the body tells more than the error.
fn broken(reader: &Reader, error: &std::io::Error) -> Fault {
    match transfer_fault(error) {
        Fault::ConnEof if reader.head().is_some() => Fault::BodyShort,
        fault => fault,
    }
}

async fn exchange_http2<O: Observer>(
    http2: &mut Http2,
    request: &Request<'_>,
    lines: &HeaderLines<'_>,
    deadline: &Deadline,
    sink: &mut Sink<'_, O>,
) -> Result<(Head, Times), Fault> {
    let sent = Instant::now();
    let response = http2.send(request, lines).await?;
    let first_byte = Instant::now();
    sink.untouched = false;
    deadline.enter(Fault::TimeoutIdle, lines.settings.timeout);
    let head = http2::head(&response);
    let mut body = response.into_body();
    while !sink.wants_no_more()
        && let Some(piece) = http2::next_piece(&mut body).await?
    {
        deadline.enter(Fault::TimeoutIdle, lines.settings.timeout);
        sink.take(&head, &piece);
    }
    Ok((head, Times { sent, first_byte, last_byte: Instant::now() }))
}

/// Whether the body is what was asked for.
fn is_good(head: &Head) -> bool {
    matches!(head.status, 200 | 206)
}

/// Where a body goes: counted always, kept when it is a playlist or a key.
struct Sink<'a, O> {
    body: Body,
    observer: &'a mut O,
    kept: Vec<u8>,
    taken: u64,
    /// No byte of a response has come yet.
    untouched: bool,
    /// What a limit says of the body so far.
    verdict: Result<(), Fault>,
    /// The body of an error is longer than it is worth reading.
    enough: bool,
}

impl<'a, O: Observer> Sink<'a, O> {
    fn new(body: Body, observer: &'a mut O) -> Self {
        Self { body, observer, kept: Vec::new(), taken: 0, untouched: true, verdict: Ok(()), enough: false }
    }

    /// Whether nobody looks at the body.
    fn is_blind(&self) -> bool {
        self.body == Body::Media
    }

    /// Takes a piece of the body.
    fn take(&mut self, head: &Head, piece: &[u8]) {
        self.count(head, piece.len() as u64);
        if !is_good(head) {
            return;
        }
        match self.body {
            Body::Playlist | Body::Key if self.verdict.is_ok() => self.kept.extend_from_slice(piece),
            Body::SeenMedia => self.observer.body(piece),
            Body::Playlist | Body::Key | Body::Media => {}
        }
    }

    /// Counts bytes of the body.
    fn count(&mut self, head: &Head, bytes: u64) {
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

    fn wants_no_more(&self) -> bool {
        self.enough || self.verdict.is_err()
    }

    fn response(self, head: Head, times: Times, opening: Opening) -> Result<Response, Fault> {
        let body = match self.body {
            Body::Playlist => decode::decode(head.content_encoding.as_deref(), self.kept)?,
            _ => self.kept,
        };
        Ok(Response {
            status: head.status,
            content_type: head.content_type,
            location: head.location,
            etag: head.etag,
            cache: head.cache,
            age: head.age,
            has_lifetime: head.has_lifetime,
            coded: head.content_encoding.is_some(),
            opening,
            body,
            wire_bytes: self.taken,
            first_byte_us: micros(times.first_byte.saturating_duration_since(times.sent)),
            body_us: micros(times.last_byte.saturating_duration_since(times.first_byte)),
        })
    }
}
