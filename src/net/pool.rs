//! The connections of one client, shared by all the requests that it has open at a time.
//!
//! * An HTTP/1.1 connection is taken out while a request uses it and put back only after a complete response, so a
//!   request that is abandoned at any await closes its connection with it. An HTTP/2 connection stays and carries
//!   several requests; one that a request failed on is taken out.
//! * Nothing here is borrowed across an await.

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use rustls::ClientConfig;
use tokio::io::{AsyncRead, ReadBuf};

use super::Opening;
use super::connect::Stream;
use super::http2::Http2;
use crate::base::secret_url::Endpoint;
use crate::base::{SecretUrl, limits};

/// A connection, while a request uses it or while it waits for one.
pub(super) struct Connection {
    pub(super) endpoint: Endpoint,
    /// What an HTTP/1.1 request gives as `Host`.
    pub(super) host: Box<str>,
    pub(super) protocol: Protocol,
    /// Has carried a complete response before.
    pub(super) used: bool,
    /// Where it leads to and how it was opened.
    pub(super) opening: Opening,
    /// Only requests of this lane may use it; see [`Pool::lane_of`].
    lane: usize,
}

pub(super) enum Protocol {
    Http1(Stream),
    Http2(Http2),
}

/// The connections of one client.
pub(super) struct Pool {
    idle: RefCell<Vec<Connection>>,
    /// Where the client has been connected before: a connection there is a reconnection.
    visited: RefCell<Vec<Endpoint>>,
    /// Made with the first `https` address: a client of a plain stream carries no TLS.
    pub(super) tls: RefCell<Option<Arc<ClientConfig>>>,
    apart: bool,
}

impl Pool {
    /// No connection yet. `apart`: each lane of requests has HTTP/1.1 connections of its own.
    pub(super) fn new(apart: bool) -> Self {
        Self { idle: RefCell::default(), visited: RefCell::default(), tls: RefCell::default(), apart }
    }

    /// The lane that connections of `lane` are kept for: all share, unless lanes are apart.
    fn lane_of(&self, lane: usize) -> usize {
        if self.apart { lane } else { 0 }
    }

    /// The idle connection to the endpoint of `url`, unless its peer has closed it.
    pub(super) async fn take(&self, url: &SecretUrl, lane: usize) -> Option<Connection> {
        let mut connection = self.take_idle(url, self.lane_of(lane))?;
        let closed = match &mut connection.protocol {
            Protocol::Http1(stream) => is_readable(stream).await,
            Protocol::Http2(http2) => http2.is_closed(),
        };
        if closed {
            self.forget(&connection);
        }
        (!closed).then_some(connection)
    }

    fn take_idle(&self, url: &SecretUrl, lane: usize) -> Option<Connection> {
        let mut idle = self.idle.borrow_mut();
        let shared = |connection: &Connection| matches!(connection.protocol, Protocol::Http2(_));
        let at = idle.iter().position(|connection| {
            url.is_at(&connection.endpoint) && (connection.lane == lane || shared(connection))
        })?;
        match idle.get(at)?.share() {
            Some(connection) => Some(connection),
            None => Some(idle.remove(at)),
        }
    }

    /// A connection that was just opened, and whether the client had been connected there before.
    pub(super) fn open(
        &self,
        endpoint: Endpoint,
        protocol: Protocol,
        opening: Opening,
        lane: usize,
    ) -> (Connection, bool) {
        let mut visited = self.visited.borrow_mut();
        let again = visited.contains(&endpoint);
        if !again && visited.len() < limits::CONNECTIONS_PER_CLIENT {
            visited.push(endpoint.clone());
        }
        let host = endpoint.authority().into();
        let lane = self.lane_of(lane);
        let connection = Connection { endpoint, host, protocol, used: false, opening, lane };
        if let Some(shared) = connection.share() {
            self.put(shared);
        }
        (connection, again)
    }

    /// Keeps a connection that has carried a complete response.
    pub(super) fn keep(&self, mut connection: Connection) {
        match &connection.protocol {
            Protocol::Http1(_) => {
                connection.used = true;
                self.put(connection);
            }
            Protocol::Http2(http2) => {
                let mut idle = self.idle.borrow_mut();
                if let Some(kept) = idle.iter_mut().find(|kept| kept.is_http2(http2)) {
                    kept.used = true;
                }
            }
        }
    }

    /// Takes out a connection that something failed on.
    pub(super) fn forget(&self, connection: &Connection) {
        if let Protocol::Http2(http2) = &connection.protocol {
            self.idle.borrow_mut().retain(|kept| !kept.is_http2(http2));
        }
    }

    fn put(&self, connection: Connection) {
        let mut idle = self.idle.borrow_mut();
        if idle.len() >= limits::CONNECTIONS_PER_CLIENT {
            idle.remove(0);
        }
        idle.push(connection);
    }
}

impl Connection {
    /// The same connection for one more request, if it can carry several.
    fn share(&self) -> Option<Self> {
        let Protocol::Http2(http2) = &self.protocol else { return None };
        Some(Self {
            endpoint: self.endpoint.clone(),
            host: self.host.clone(),
            protocol: Protocol::Http2(http2.clone()),
            used: self.used,
            opening: self.opening,
            lane: self.lane,
        })
    }

    fn is_http2(&self, other: &Http2) -> bool {
        matches!(&self.protocol, Protocol::Http2(http2) if http2.is_same(other))
    }
}

/// An idle connection has nothing to say: if something can be read, it is the end, or it is not HTTP.
async fn is_readable(stream: &mut Stream) -> bool {
    poll_fn(|context| {
        let mut byte = [0_u8; 1];
        let mut buffer = ReadBuf::new(&mut byte);
        Poll::Ready(Pin::new(&mut *stream).poll_read(context, &mut buffer).is_ready())
    })
    .await
}
