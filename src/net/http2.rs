//! HTTP/2 over hyper's low-level connection, its driver on the worker's own thread.
//!
//! Windows are fixed, not adaptive, so that what one client can make an origin send ahead does not depend on the
//! weather: a stream may be 1 MiB ahead, a connection 2 MiB. Nothing is kept: each frame is counted and dropped.

use std::error::Error as _;
use std::future::Future;
use std::rc::Rc;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, Version};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Incoming;
use hyper::client::conn::http2::{Builder, SendRequest};
use hyper::rt::Executor;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::task::AbortHandle;

use super::HeaderLines;
use super::connect::Stream;
use super::http1::{Head, age_of};
use crate::base::outcome::Fault;
use crate::base::{CacheStatus, limits};

const STREAM_WINDOW: u32 = 1 << 20;
const CONNECTION_WINDOW: u32 = 2 << 20;

/// An HTTP/2 connection, for one request at a time of as many as hold a clone; the last one closes it.
#[derive(Clone, Debug)]
pub(super) struct Http2 {
    sender: SendRequest<Empty<Bytes>>,
    driver: Rc<Driver>,
}

/// The task that reads and writes the connection.
#[derive(Debug)]
struct Driver(AbortHandle);

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Runs the connection's tasks where the client runs.
#[derive(Clone, Copy, Debug)]
struct Local;

impl<F: Future<Output = ()> + 'static> Executor<F> for Local {
    fn execute(&self, future: F) {
        tokio::task::spawn_local(future);
    }
}

impl Http2 {
    /// Begins HTTP/2 on a stream whose peer agreed to it.
    pub(super) async fn begin(stream: Stream) -> Result<Self, Fault> {
        let (sender, connection) = Builder::new(Local)
            .timer(TokioTimer::new())
            .adaptive_window(false)
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_header_list_size(limits::HEAD_BYTES as u32)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|error| fault(&error))?;
        let driver = tokio::task::spawn_local(async move { _ = connection.await }).abort_handle();
        Ok(Self { sender, driver: Rc::new(Driver(driver)) })
    }

    /// Whether the peer has closed the connection.
    pub(super) fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }

    /// Whether both are the same connection.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.driver, &other.driver)
    }

    /// Sends a request and waits for its head.
    pub(super) async fn send(
        &mut self,
        wanted: &super::Request<'_>,
        lines: &HeaderLines<'_>,
    ) -> Result<Response<Incoming>, Fault> {
        let builder = Request::builder().method("GET").version(Version::HTTP_2).uri(wanted.url.wire());
        let mut request = builder.body(Empty::new()).map_err(|_| Fault::LocalInternal)?;
        let headers = request.headers_mut();
        lines.for_each(wanted, &mut |name, value| {
            if let Ok(value) = HeaderValue::from_bytes(value) {
                headers.append(name, value);
            }
        });
        self.sender.ready().await.map_err(|error| fault(&error))?;
        self.sender.send_request(request).await.map_err(|error| fault(&error))
    }
}

/// What the head of an HTTP/2 response says.
pub(super) fn head(response: &Response<Incoming>) -> Head {
    let text = |name| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let coding = text(http::header::CONTENT_ENCODING).map(|coding| coding.to_ascii_lowercase());
    Head {
        status: response.status().as_u16(),
        content_type: text(http::header::CONTENT_TYPE),
        content_encoding: coding.filter(|coding| coding != "identity"),
        location: text(http::header::LOCATION),
        etag: text(http::header::ETAG),
        cache: cache_status(response.headers()),
        age: text(http::header::AGE).and_then(|value| age_of("age", value.as_bytes())),
        has_lifetime: [http::header::CACHE_CONTROL, http::header::EXPIRES]
            .iter()
            .any(|name| response.headers().contains_key(name)),
        keep_alive: true,
        cookies: response
            .headers()
            .get_all(http::header::SET_COOKIE)
            .iter()
            .map(|it| it.as_bytes().into())
            .collect(),
    }
}

fn cache_status(headers: &HeaderMap) -> Option<CacheStatus> {
    let read =
        |(name, value): (&HeaderName, &HeaderValue)| CacheStatus::read(name.as_str(), value.as_bytes());
    headers.iter().filter_map(read).reduce(CacheStatus::stronger)
}

/// The next piece of a body, `None` at its end.
pub(super) async fn next_piece(body: &mut Incoming) -> Result<Option<Bytes>, Fault> {
    loop {
        match body.frame().await {
            None => return Ok(None),
            Some(Err(error)) => return Err(fault(&error)),
            // Trailers say nothing to us.
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) => return Ok(Some(data)),
                Err(_) => continue,
            },
        }
    }
}

/// The fault behind an error of hyper.
fn fault(error: &hyper::Error) -> Fault {
    let mut cause = error.source();
    while let Some(inner) = cause {
        if let Some(io) = inner.downcast_ref::<std::io::Error>() {
            return super::connect::fault(io);
        }
        if let Some(h2) = inner.downcast_ref::<h2::Error>() {
            return h2_fault(h2);
        }
        cause = inner.source();
    }
    if error.is_incomplete_message() || error.is_closed() || error.is_canceled() {
        return Fault::ConnEof;
    }
    Fault::ConnProtocol
}

fn h2_fault(error: &h2::Error) -> Fault {
    if let Some(io) = error.get_io() {
        return super::connect::fault(io);
    }
    match error {
        _ if error.is_go_away() => Fault::H2GoAway,
        _ if error.is_reset() && error.is_remote() => Fault::H2Reset,
        _ => Fault::H2Flow,
    }
}
