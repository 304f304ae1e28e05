//! One GET over the connections that a client keeps: the path of every request of a run.
//!
//! * Before a kept connection is reused, it is checked for a close by the peer. If the peer closes it later, but
//!   before a byte of the response arrives, the GET is retried once on a new connection (RFC 9110 section 9.2.2). A
//!   GET that an HTTP/2 peer did not process is retried once as well.
//! * Bytes are reported to the observer as they arrive. Playlists and keys are kept up to their limits; all other
//!   bodies are discarded.

use std::cell::Cell;
use std::pin::pin;
use std::rc::Rc;

use super::connect::Connector;
use super::cookies::Received;
use super::deadline::Deadline;
use super::exchange::exchange;
use super::head::{Codings, Head};
use super::http2::{Broken, Http2};
use super::message::{Body, Request, Response};
use super::pool::{Connection, Pool, Protocol};
use super::shared::Net;
use super::sink::{Sink, Times};
use super::transport::HttpVersion;
use super::{HeaderLines, Observer, Proxy, Timer, decode};
use crate::vocabulary::outcome::Fault;
use crate::vocabulary::{KnownSecrets, SecretUrl};

/// A lane of a client, which makes one request at a time; the lanes of a client share its connections.
pub struct RequestLane {
    net: Rc<Net>,
    pool: Rc<Pool>,
    lane: usize,
    timer: Timer,
    outgoing: Vec<u8>,
}

/// The connections of one client, used through one [`RequestLane`] for each lane of requests.
pub struct ClientConnections {
    pub(super) net: Rc<Net>,
    pub(super) pool: Rc<Pool>,
}

impl ClientConnections {
    /// Creates a client without connections; its number chooses among several addresses.
    pub fn new(net: Rc<Net>, number: u64) -> Self {
        let pool =
            Rc::new(Pool::new(net.settings.http_profile.connections_apart, number, &net.settings.cookies));
        Self { net, pool }
    }

    /// Returns a lane of requests.
    pub fn wire(&self, lane: usize) -> RequestLane {
        let (net, pool) = (Rc::clone(&self.net), Rc::clone(&self.pool));
        RequestLane { net, pool, lane, timer: Timer::new(), outgoing: Vec::new() }
    }
}

impl RequestLane {
    /// Adds the cookies of the client to the secrets of a run.
    pub fn add_cookies(&self, secrets: &mut KnownSecrets) {
        self.pool.cookies.add_to(secrets);
    }

    /// Sends a GET, reads its response to the end and decodes a playlist. The caller follows redirects.
    ///
    /// # Errors
    /// The fault that prevented the response from completing, or its body from being decoded.
    pub async fn get(
        &mut self,
        request: &Request<'_>,
        observer: &mut impl Observer,
    ) -> Result<Response, Fault> {
        let response = self.receive(request, observer).await?;
        if request.body == Body::Playlist && !response.body.is_empty() {
            // Not under the deadline of the request: this time is spent by this machine, not by the origin.
            return decoded(&self.net, response).await;
        }
        Ok(response)
    }

    /// Sends a GET and reads its response to the end, without decoding the body.
    async fn receive(
        &mut self,
        request: &Request<'_>,
        observer: &mut impl Observer,
    ) -> Result<Response, Fault> {
        let deadline = Deadline::new(request.total);
        let Self { net, pool, lane, timer, outgoing } = self;
        let mut path = Path { net, pool, lane: *lane, deadline: &deadline, outgoing };
        let response = pin!(path.get(request, observer));
        deadline.watch(timer, response).await
    }
}

/// Decodes the content coding of a playlist; the coded and the decoded body are both charged meanwhile.
async fn decoded(net: &Net, mut response: Response) -> Result<Response, Fault> {
    let codings = response.head.codings;
    if codings != Codings::default() {
        let coded = std::mem::take(&mut response.body).into_charged()?;
        response.body = net.bodies.keep(decode::decode(codings, coded).await?)?;
    }
    Ok(response)
}

/// State that a request uses, apart from the timer that watches it.
struct Path<'a> {
    net: &'a Net,
    pool: &'a Pool,
    lane: usize,
    deadline: &'a Deadline,
    outgoing: &'a mut Vec<u8>,
}

impl Path<'_> {
    async fn get(&mut self, request: &Request<'_>, observer: &mut impl Observer) -> Result<Response, Fault> {
        let mut connection = self.connection(request, observer).await?;
        let mut sink = Sink::new(request.body, &self.net.bodies, observer);
        let broken = match self.exchange(&mut connection, request, &mut sink).await {
            Ok(ended) => return self.complete(connection, request, sink, ended),
            Err(broken) => broken,
        };
        let is_stale = connection.used && sink.untouched && is_stale(broken.fault);
        if !(broken.unprocessed || is_stale) {
            return Err(self.fail(connection, broken.fault, sink.observer));
        }
        sink.observer.retried();
        // A reset concerns its stream alone, so the retry uses the same connection.
        if broken.fault != Fault::H2Reset {
            self.pool.lose(connection);
            connection = self.connect(request.url, sink.observer).await?;
        }
        match self.exchange(&mut connection, request, &mut sink).await {
            Ok(ended) => self.complete(connection, request, sink, ended),
            Err(broken) => Err(self.fail(connection, broken.fault, sink.observer)),
        }
    }

    /// Returns a kept connection if the request accepts one, else opens a new one.
    async fn connection(
        &mut self,
        request: &Request<'_>,
        observer: &mut impl Observer,
    ) -> Result<Connection, Fault> {
        if request.reuse.takes_idle()
            && let Some(idle) = self.pool.take(request.url, self.lane).await
        {
            return Ok(idle);
        }
        self.connect(request.url, observer).await
    }

    /// Ends the connection of a failed request, unless only its stream was reset; returns `fault`.
    fn fail(&self, connection: Connection, fault: Fault, observer: &mut impl Observer) -> Fault {
        let is_new = !connection.used && fault == Fault::H2Protocol;
        if is_new && self.net.settings.transport.knows_http2(&connection.endpoint) {
            observer.explained(fault, &HttpVersion::Http2.misunderstanding());
        }
        // The reset of a stream says nothing about its connection.
        if fault != Fault::H2Reset {
            self.pool.lose(connection);
        }
        fault
    }

    /// Stores the cookies of a response, keeps or closes its connection and returns the response.
    fn complete<O: Observer>(
        &self,
        connection: Connection,
        request: &Request<'_>,
        sink: Sink<'_, O>,
        (head, times): (Box<Head>, Times),
    ) -> Result<Response, Fault> {
        if !head.cookies.is_empty() && self.net.settings.keeps_cookies {
            let (endpoint, path) = (&connection.endpoint, request.url.wire_path());
            self.pool.cookies.take(endpoint, path, &head.cookies, Received::now());
        }
        sink.verdict?;
        let opening = Rc::clone(&connection.opening);
        if !request.reuse.keeps() {
            self.pool.close(connection);
        } else if head.keep_alive {
            self.pool.keep(connection);
        }
        let conditional = self.net.settings.headers.are_conditional(request, &self.net.settings.http_profile);
        Ok(sink.response(head, times, opening, conditional))
    }

    async fn connect(&mut self, url: &SecretUrl, observer: &mut impl Observer) -> Result<Connection, Fault> {
        let endpoint = url.endpoint();
        let reason = Cell::default();
        let connector = Connector {
            resolver: &self.net.resolver,
            scope: &self.net.settings.scope,
            transport: &self.net.settings.transport,
            client: self.pool.number,
            tls: &self.pool.tls,
            settings: &self.net.settings.tls,
            reason: &reason,
        };
        // Boxed: connecting is rare, and a client should not carry its future all the time.
        let connected = Box::pin(connector.connect(&endpoint, self.deadline)).await;
        if let (Err(fault), Some(reason)) = (&connected, reason.take()) {
            observer.explained(*fault, &reason);
        }
        let connected = connected?;
        let opening = connected.opening;
        let protocol = if opening.route.http2 {
            Protocol::Http2(Box::pin(Http2::begin(connected.stream)).await?)
        } else {
            Protocol::Http1(connected.stream)
        };
        let shared = Rc::new(opening);
        let (connection, replaces) = self.pool.open(endpoint, protocol, shared, self.lane);
        observer.connected(&opening, replaces);
        Ok(connection)
    }

    async fn exchange<O: Observer>(
        &mut self,
        connection: &mut Connection,
        request: &Request<'_>,
        sink: &mut Sink<'_, O>,
    ) -> Result<(Box<Head>, Times), Broken> {
        let (net, deadline) = (self.net, self.deadline);
        let Connection { endpoint, host, protocol, .. } = connection;
        let unique = net.settings.transport.unique.as_deref().map(|prefix| self.pool.unique(prefix));
        let lines = HeaderLines { settings: &net.settings, unique, cookies: &self.pool.cookies, endpoint };
        match protocol {
            Protocol::Http1(stream) => {
                let proxy = net.settings.transport.forward_proxy(endpoint);
                write_request(self.outgoing, &lines, (host, proxy), request);
                Ok(exchange(stream, self.outgoing, (net, deadline), sink).await?)
            }
            Protocol::Http2(http2) => {
                deadline.enter(Fault::TimeoutFirstByte, net.settings.timeout);
                // Boxed: the future is large, and a client over HTTP/1.1 should not carry it.
                Box::pin(http2.exchange(request, &lines, deadline, sink)).await
            }
        }
    }
}

/// Reports whether a reused connection that failed with `fault`, before any byte arrived, was closed by the peer.
fn is_stale(fault: Fault) -> bool {
    matches!(fault, Fault::ConnReset | Fault::ConnEof | Fault::H2GoAway)
}

/// Writes the request into `outgoing`, reusing its memory.
fn write_request(
    outgoing: &mut Vec<u8>,
    lines: &HeaderLines<'_>,
    (host, proxy): (&str, Option<&Proxy>),
    request: &Request<'_>,
) {
    outgoing.clear();
    let mut write = |pieces: &[&[u8]]| pieces.iter().for_each(|piece| outgoing.extend_from_slice(piece));
    write(&[b"GET "]);
    if proxy.is_some() {
        write(&[b"http://", host.as_bytes()]);
    }
    write(&[lines.path(request.url).as_bytes(), b" HTTP/1.1\r\nhost: ", host.as_bytes(), b"\r\n"]);
    if let Some(authorization) = proxy.and_then(Proxy::authorization) {
        write(&[b"proxy-authorization: ", authorization.as_bytes(), b"\r\n"]);
    }
    lines.for_each(request, &mut |name, value| {
        write(&[name.as_str().as_bytes(), b": ", value, b"\r\n"]);
    });
    write(&[b"\r\n"]);
}
