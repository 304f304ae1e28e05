//! HTTP/2 over `h2`, with one task on the worker's own thread for each connection.
//!
//! * Windows are fixed, not adaptive, so that the amount that an origin may send ahead does not depend on the
//!   network: 1 MiB for a stream, 2 MiB for a connection. Each frame is passed to the sink and released at once.
//! * This module drives `h2` itself, not hyper's client on top of it. Only `h2` shows whether the peer caused an
//!   error, whether it handled a request at all, and the number of interim responses.
//! * A connection that stopped responding is not reused: one on which no byte arrived before a request timed out or
//!   was cancelled, or one on which two requests in a row failed.

mod frames;
#[cfg(any(test, fuzzing))]
pub(super) mod fuzzing;
mod watched;

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::Bytes;
use h2::client::{Builder, Connection, ResponseFuture, SendRequest};
use h2::{Reason, RecvStream};
use http::{HeaderValue, Request, Response, Version};
use tokio::task::{AbortHandle, yield_now};
use tokio::time::Instant;

use super::connect::Stream;
use super::deadline::Deadline;
use super::head::Head;
use super::io_fault::transfer_fault;
use super::sink::{Sink, Times};
use super::{HeaderLines, Observer};
use crate::vocabulary::limits;
use crate::vocabulary::outcome::Fault;
use watched::{State, Watched};

const STREAM_WINDOW: u32 = 1 << 20;
const CONNECTION_WINDOW: u32 = 2 << 20;
/// Failed requests in a row after which a connection that is otherwise alive is not reused.
const STRIKES: u32 = 2;

/// An HTTP/2 connection. Each clone makes one request at a time; dropping the last clone closes the connection.
#[derive(Clone, Debug)]
pub(super) struct Http2 {
    sender: SendRequest<Bytes>,
    driver: Rc<Driver>,
}

/// Task that reads and writes the connection; aborted on drop.
#[derive(Debug)]
struct Driver {
    task: AbortHandle,
    state: Rc<State>,
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Failure of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Broken {
    pub(super) fault: Fault,
    /// True if the peer certainly did not process the request (RFC 9113 section 8.7).
    pub(super) unprocessed: bool,
}

impl From<Fault> for Broken {
    fn from(fault: Fault) -> Self {
        Self { fault, unprocessed: false }
    }
}

impl Http2 {
    /// Starts HTTP/2 on a stream whose peer agreed to it.
    pub(super) async fn begin(stream: Stream) -> Result<Self, Fault> {
        let state = Rc::new(State::default());
        let begun = Builder::new()
            .initial_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_header_list_size(limits::HEAD_BYTES as u32)
            .enable_push(false)
            .handshake(Watched::new(stream, Rc::clone(&state)))
            .await;
        let (sender, connection) = begun.map_err(|error| broken(&state, &error, None).fault)?;
        let task = tokio::task::spawn_local(drive(connection, Rc::clone(&state))).abort_handle();
        Ok(Self { sender, driver: Rc::new(Driver { task, state }) })
    }

    /// Reports whether the connection should carry no further request.
    pub(super) fn is_closed(&self) -> bool {
        let state = &self.driver.state;
        state.closed.get() || state.last_stream.get().is_some() || state.strikes.get() >= STRIKES
    }

    /// Reports whether both are clones of the same connection.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.driver, &other.driver)
    }

    /// Sends a request and reads its response to the end, or until the sink wants no more of it.
    pub(super) async fn exchange<O: Observer>(
        &mut self,
        wanted: &super::Request<'_>,
        lines: &HeaderLines<'_>,
        deadline: &Deadline,
        sink: &mut Sink<'_, O>,
    ) -> Result<(Box<Head>, Times), Broken> {
        let state = Rc::clone(&self.driver.state);
        let mut watch = Watch::new(&state);
        let sent = Instant::now();
        let request = request(wanted, lines)?;
        // Without a stream, an error is unprocessed if the peer has sent GOAWAY: see `broken`.
        let ready = poll_fn(|context| self.sender.poll_ready(context)).await;
        ready.map_err(|error| broken(&state, &error, None))?;
        let opened = self.sender.send_request(request, true);
        let (response, _) = opened.map_err(|error| broken(&state, &error, None))?;
        let stream = Some(response.stream_id().as_u32());
        let failed = |error: &h2::Error| broken(&state, error, stream);
        let response = final_response(response).await?.map_err(|error| failed(&error))?;
        let first_byte = Instant::now();
        sink.untouched = false;
        // From here on the limit is the idle time between frames, not the wait for a first byte.
        deadline.enter(Fault::TimeoutIdle, lines.settings.timeout);
        watch.restart();
        let head = head(&response)?;
        let mut body = response.into_body();
        while !sink.wants_no_more()
            && let Some(piece) = body.data().await
        {
            let piece = piece.map_err(|error| in_body(failed(&error)))?;
            watch.restart();
            sink.take(&head, &piece);
            sink.count(&head, piece.len() as u64);
            deadline.progress(Instant::now(), piece.len() as u64, lines.settings.timeout)?;
            // The piece has been counted: let the peer send as much again.
            body.flow_control().release_capacity(piece.len()).map_err(|error| failed(&error))?;
        }
        watch.complete();
        Ok((head, Times { sent, first_byte, last_byte: Instant::now() }))
    }
}

/// Runs a connection to its end, with a bounded amount of work in each poll.
async fn drive(connection: Connection<Watched<Stream>>, state: Rc<State>) {
    let mut connection = pin!(connection);
    loop {
        state.begin_poll();
        let ended = poll_fn(|context| match connection.as_mut().poll(context) {
            Poll::Ready(_) => Poll::Ready(true),
            Poll::Pending if state.is_starved() => Poll::Ready(false),
            Poll::Pending => {
                state.begin_poll();
                Poll::Pending
            }
        });
        if ended.await {
            break;
        }
        yield_now().await;
    }
    state.closed.set(true);
}

/// Guard of one request. If it is dropped before the response is complete, that counts against the connection.
struct Watch<'a> {
    state: &'a State,
    /// Bytes of the connection that had arrived when the request began to wait.
    read: u64,
    complete: bool,
}

impl<'a> Watch<'a> {
    fn new(state: &'a State) -> Self {
        Self { state, read: state.read.get(), complete: false }
    }

    /// Restarts the wait, because bytes of the response arrived.
    fn restart(&mut self) {
        self.read = self.state.read.get();
    }

    fn complete(&mut self) {
        self.complete = true;
        self.state.strikes.set(0);
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        if self.complete {
            return;
        }
        let is_silent = self.state.read.get() == self.read;
        let strikes = if is_silent { STRIKES } else { self.state.strikes.get().saturating_add(1) };
        self.state.strikes.set(strikes);
    }
}

/// Builds the request.
fn request(wanted: &super::Request<'_>, lines: &HeaderLines<'_>) -> Result<Request<()>, Fault> {
    let uri = match &lines.unique {
        None => wanted.url.wire(),
        Some(_) => {
            let scheme = if lines.endpoint.tls { "https" } else { "http" };
            format!("{scheme}://{}{}", lines.endpoint.authority(), lines.path(wanted.url))
        }
    };
    let builder = Request::builder().method("GET").version(Version::HTTP_2).uri(uri);
    let mut request = builder.body(()).map_err(|_| Fault::LocalInternal)?;
    let headers = request.headers_mut();
    lines.for_each(wanted, &mut |name, value| {
        if let Ok(value) = HeaderValue::from_bytes(value) {
            headers.append(name, value);
        }
    });
    Ok(request)
}

/// Waits for the final response and skips as many interim ones as over HTTP/1.1.
async fn final_response(
    mut response: ResponseFuture,
) -> Result<Result<Response<RecvStream>, h2::Error>, Fault> {
    let mut interim = 0;
    poll_fn(|context: &mut Context<'_>| {
        while let Poll::Ready(Some(Ok(_))) = response.poll_informational(context) {
            interim += 1;
            if interim > limits::INTERIM_RESPONSES {
                return Poll::Ready(Err(Fault::ConnProtocol));
            }
        }
        Pin::new(&mut response).poll(context).map(Ok)
    })
    .await
}

/// Reads the head of a response, with the limit on header lines of [`super::http1`].
fn head(response: &Response<RecvStream>) -> Result<Box<Head>, Fault> {
    if response.headers().len() > limits::HEADER_LINES {
        return Err(Fault::ConnProtocol);
    }
    let mut head = Box::new(Head { status: response.status().as_u16(), keep_alive: true, ..Head::default() });
    response.headers().iter().for_each(|(name, value)| head.field(name.as_ref(), value.as_bytes()));
    Ok(head)
}

/// Returns the failure of a request that was made on `stream`; `None` if it had not been given a stream yet.
fn broken(state: &State, error: &h2::Error, stream: Option<u32>) -> Broken {
    let is_refused = error.is_reset() && error.is_remote() && error.reason() == Some(Reason::REFUSED_STREAM);
    let is_beyond = state.last_stream.get().is_some_and(|last| stream.is_none_or(|stream| stream > last));
    Broken { fault: fault(state, error), unprocessed: is_refused || is_beyond }
}

fn fault(state: &State, error: &h2::Error) -> Fault {
    if let Some(fault) = state.refused.get() {
        return fault;
    }
    match error.get_io() {
        Some(_) if state.ended.get() && state.last_stream.get().is_none() => Fault::ConnEof,
        Some(_) if state.ended.get() => Fault::H2GoAway,
        Some(io) => transfer_fault(io),
        None if error.is_reset() && error.is_remote() => Fault::H2Reset,
        None if error.is_go_away() && error.is_remote() => Fault::H2GoAway,
        None if error.reason() == Some(Reason::FLOW_CONTROL_ERROR) => Fault::H2Flow,
        None if error.reason().is_some() => Fault::H2Protocol,
        // The connection refuses further requests for a reason that arrived before.
        None if state.last_stream.get().is_some() => Fault::H2GoAway,
        None => Fault::ConnEof,
    }
}

/// Converts the failure of a request into that of its body: a connection that ended left the body short.
fn in_body(broken: Broken) -> Broken {
    let fault = if broken.fault == Fault::ConnEof { Fault::BodyShort } else { broken.fault };
    Broken { fault, unprocessed: false }
}

#[cfg(test)]
mod tests;
