//! The connections and cookies of one client, shared by all of its concurrent requests.
//!
//! * An HTTP/1.1 connection is taken out while a request uses it and put back only after a complete response, so
//!   cancelling a request at any await closes its connection. An HTTP/2 connection stays and carries several
//!   requests; it is taken out when a request on it fails, unless only the stream was reset.
//! * As in browsers, a client keeps a connection to each host. Beyond [`limits::CONNECTIONS_PER_CLIENT`] the one that
//!   has been idle longest is closed.
//! * A connection is a reconnection only if it replaces one that was lost: see [`Place`].
//! * Nothing here is borrowed across an await.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;

use rustls::ClientConfig;
use tokio::io::{AsyncRead, ReadBuf};

use super::ConnectionInfo;
use super::connect::Stream;
use super::cookies::{InitialCookies, Jar};
use super::http2::Http2;
use crate::vocabulary::secret_url::Endpoint;
use crate::vocabulary::{SecretUrl, limits};

/// Endpoints whose connections a client remembers: twice as many as it can have connections.
const PLACES: usize = 2 * limits::CONNECTIONS_PER_CLIENT;

/// A connection that a request uses, or that is idle.
pub(super) struct Connection {
    pub(super) endpoint: Endpoint,
    /// Value of `Host` in an HTTP/1.1 request.
    pub(super) host: Box<str>,
    pub(super) protocol: Protocol,
    /// True if it has carried a complete response before.
    pub(super) used: bool,
    /// Timings and endpoints of the connection.
    pub(super) opening: Rc<ConnectionInfo>,
    /// Lane whose requests may use it over HTTP/1.1; see [`Pool::lane_of`].
    lane: usize,
    /// Shared by all requests on an HTTP/2 connection: the connection ends with the last of them.
    open: Rc<Open>,
}

/// An endpoint that a client has been connected to.
struct Place {
    endpoint: Endpoint,
    /// Number of open connections.
    open: Cell<usize>,
    /// Maximum number of connections that were open at a time. A connection that does not raise it replaces a lost
    /// one; a second lane that opens a connection beside the first has lost nothing.
    most: Cell<usize>,
}

/// Guard that counts an open connection at its endpoint until it is dropped.
struct Open(Rc<Place>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.set(self.0.open.get().saturating_sub(1));
    }
}

pub(super) enum Protocol {
    Http1(Stream),
    Http2(Http2),
}

/// The connections and cookies of one client.
pub(super) struct Pool {
    /// Idle connections; the most recently used one is last.
    idle: RefCell<Vec<Connection>>,
    /// Endpoints that the client has been connected to, in the order of the first connection.
    places: RefCell<Vec<Rc<Place>>>,
    pub(super) cookies: Jar,
    /// Created with the first `https` URL: a client of a plain stream carries no TLS.
    pub(super) tls: RefCell<Option<Arc<ClientConfig>>>,
    /// Number of the client.
    pub(super) number: u64,
    /// Requests that got a parameter of their own.
    unique: Cell<u64>,
    apart: bool,
}

impl Pool {
    /// Creates a pool without connections. If `apart` is true, each lane has HTTP/1.1 connections of its own.
    pub(super) fn new(apart: bool, number: u64, cookies: &InitialCookies) -> Self {
        Self {
            idle: RefCell::default(),
            places: RefCell::default(),
            cookies: Jar::new(cookies),
            tls: RefCell::default(),
            number,
            unique: Cell::default(),
            apart,
        }
    }

    /// Returns a parameter that begins with `prefix` and that no other request has.
    pub(super) fn unique(&self, prefix: &str) -> String {
        self.unique.set(self.unique.get() + 1);
        format!("{prefix}{}-{}", self.number, self.unique.get())
    }

    /// Returns the lane that connections of `lane` are kept for: the same for all, unless lanes are apart.
    fn lane_of(&self, lane: usize) -> usize {
        if self.apart { lane } else { 0 }
    }

    /// Takes an idle connection to the endpoint of `url`, unless its peer has closed it.
    pub(super) async fn take(&self, url: &SecretUrl, lane: usize) -> Option<Connection> {
        let mut connection = self.take_idle(url, self.lane_of(lane))?;
        let closed = match &mut connection.protocol {
            Protocol::Http1(stream) => is_readable(stream).await,
            Protocol::Http2(http2) => http2.is_closed(),
        };
        if closed {
            self.lose(connection);
            return None;
        }
        Some(connection)
    }

    fn take_idle(&self, url: &SecretUrl, lane: usize) -> Option<Connection> {
        let mut idle = self.idle.borrow_mut();
        let shared = |connection: &Connection| matches!(connection.protocol, Protocol::Http2(_));
        let at = idle.iter().position(|connection| {
            url.is_at(&connection.endpoint) && (connection.lane == lane || shared(connection))
        })?;
        let connection = idle.remove(at);
        idle.extend(connection.share());
        Some(connection)
    }

    /// Registers a connection that was just opened. Returns it, and true if it replaces a lost one.
    pub(super) fn open(
        &self,
        endpoint: Endpoint,
        protocol: Protocol,
        opening: Rc<ConnectionInfo>,
        lane: usize,
    ) -> (Connection, bool) {
        let place = self.place(&endpoint);
        let open = place.open.get() + 1;
        let replaces = open <= place.most.get();
        place.open.set(open);
        place.most.set(place.most.get().max(open));
        let host = endpoint.authority().into();
        let (lane, open) = (self.lane_of(lane), Rc::new(Open(place)));
        let connection = Connection { endpoint, host, protocol, used: false, opening, lane, open };
        if let Some(shared) = connection.share() {
            self.put(shared);
        }
        (connection, replaces)
    }

    /// Returns the entry of `endpoint`, created if there is none. When there are [`PLACES`] entries, it removes the
    /// oldest one without an open connection.
    fn place(&self, endpoint: &Endpoint) -> Rc<Place> {
        let mut places = self.places.borrow_mut();
        if let Some(known) = places.iter().find(|place| place.endpoint == *endpoint) {
            return Rc::clone(known);
        }
        if places.len() >= PLACES
            && let Some(oldest) = places.iter().position(|place| place.open.get() == 0)
        {
            places.remove(oldest);
        }
        let place =
            Rc::new(Place { endpoint: endpoint.clone(), open: Cell::default(), most: Cell::default() });
        places.push(Rc::clone(&place));
        place
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

    /// Closes an HTTP/1.1 connection that the player no longer needs, so that the next one does not count as a
    /// reconnection. An HTTP/2 connection stays open.
    pub(super) fn close(&self, connection: Connection) {
        if matches!(connection.protocol, Protocol::Http2(_)) {
            return self.keep(connection);
        }
        let Place { open, most, .. } = &*connection.open.0;
        most.set(most.get().min(open.get()).saturating_sub(1));
    }

    /// Closes a connection on which a request failed.
    pub(super) fn lose(&self, connection: Connection) {
        if let Protocol::Http2(http2) = &connection.protocol {
            self.idle.borrow_mut().retain(|kept| !kept.is_http2(http2));
        }
    }

    fn put(&self, connection: Connection) {
        let mut idle = self.idle.borrow_mut();
        if idle.len() >= limits::CONNECTIONS_PER_CLIENT {
            // The first one has been idle longest.
            idle.remove(0);
        }
        idle.push(connection);
    }
}

impl Connection {
    /// Returns a handle for one more request on the same connection, if it is HTTP/2.
    fn share(&self) -> Option<Self> {
        let Protocol::Http2(http2) = &self.protocol else { return None };
        Some(Self {
            endpoint: self.endpoint.clone(),
            host: self.host.clone(),
            protocol: Protocol::Http2(http2.clone()),
            used: self.used,
            opening: Rc::clone(&self.opening),
            lane: self.lane,
            open: Rc::clone(&self.open),
        })
    }

    fn is_http2(&self, other: &Http2) -> bool {
        matches!(&self.protocol, Protocol::Http2(http2) if http2.is_same(other))
    }
}

/// Reports whether an idle connection is readable: a peer may not send anything, so it has either closed the
/// connection or sent bytes that are not HTTP.
async fn is_readable(stream: &mut Stream) -> bool {
    poll_fn(|context| {
        let mut byte = [0_u8; 1];
        let mut buffer = ReadBuf::new(&mut byte);
        Poll::Ready(Pin::new(&mut *stream).poll_read(context, &mut buffer).is_ready())
    })
    .await
}
