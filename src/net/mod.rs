//! Sockets: one GET at a time over connections that a client keeps, and every way in which that can fail.
//!
//! * HTTP/1.1 is read by a reader of our own ([`http1`]): all clients of a worker read into one shared buffer, so an
//!   idle connection costs no buffer. A body that nobody looks at is not even copied there: Linux drops it in the kernel
//!   and says how long it was.
//!   hyper's low-level connection is right too, but keeps a read buffer for each connection (16 KB and more); at
//!   ten thousand clients that is the difference between 10 MB and half a gigabyte. HTTP/2 is `h2`.
//! * A response is read the same over both: one reading of headers ([`head`]), one place for bodies ([`sink`]).
//! * A worker's poll does a bounded amount of work; what takes longer is done beside it ([`offload`]).
//! * Every await is under a deadline ([`deadline`], with one [`timer`] for each lane), every size under a limit ([`crate::vocabulary::limits`]).
//! * Nothing here counts: what happens is told to an [`Observer`].

mod connect;
mod cookies;
mod deadline;
mod decode;
mod exchange;
mod fetch;
mod freshness;
mod given_roots;
mod head;
mod headers;
mod http1;
mod http2;
mod io_fault;
mod kept;
mod message;
mod name_servers;
mod offload;
mod pool;
mod race;
mod resolve;
mod resolve_entry;
mod shared;
mod sink;
mod timer;
mod tls;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use http::HeaderName;

use crate::vocabulary::HttpProfile;
use crate::vocabulary::budget::Budget;
use crate::vocabulary::outcome::Fault;
use crate::vocabulary::secret_url::Endpoint;
use cookies::Jar;

pub use fetch::{ClientConnections, RequestLane};
pub use freshness::Freshness;
pub use head::{Coding, Codings, ContentRange};
pub use headers::{HeaderError, Headers};
pub use kept::{Charged, Kept};
pub use message::{Body, Request, Response};
pub use offload::offload;
pub use resolve_entry::{ResolveEntry, ResolveEntryError, unused as unused_resolve_entries};
pub use shared::Net;
pub use timer::Timer;
pub use tls::{TlsError, TlsSettings};

/// How long the phases of a new connection took, in microseconds; a phase that was not needed is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConnectTimings {
    /// Resolving the name.
    pub dns_us: Option<u64>,
    /// TCP connect.
    pub connect_us: Option<u64>,
    /// The TLS handshake.
    pub tls_us: Option<u64>,
}

/// How a connection was opened and where it leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionInfo {
    /// How long it took.
    pub timings: ConnectTimings,
    /// The address of the peer.
    pub edge: SocketAddr,
    /// The address of this machine that it goes out from.
    pub source: IpAddr,
    /// HTTP/2; HTTP/1.1 otherwise.
    pub http2: bool,
    /// Whether the TLS session was resumed; `None` without TLS.
    pub resumed: Option<bool>,
}

/// Is told what happens while it happens, so that a request that is abandoned has been counted up to that moment.
pub trait Observer {
    /// Body bytes arrived on the wire.
    fn received(&mut self, bytes: u64);
    /// The same bytes, of a good response to a request for [`Body::SeenMedia`].
    fn body(&mut self, piece: &[u8]);
    /// A connection became usable; `replaces`: the client has lost one to the same endpoint before.
    fn connected(&mut self, opening: &ConnectionInfo, replaces: bool);
    /// Says more about a fault that the request will end with. What stands in `reason` may come from the peer.
    fn explained(&mut self, fault: Fault, reason: &str);
    /// A kept-alive connection had been closed by the peer; the request is sent again on a new one.
    fn retried(&mut self);
}

/// The header lines of the requests that a client makes of one endpoint.
struct HeaderLines<'a> {
    settings: &'a Settings,
    cookies: &'a Jar,
    endpoint: &'a Endpoint,
}

impl HeaderLines<'_> {
    /// Calls `visit` with each header of `request`, `Host` left out.
    fn for_each(&self, request: &Request<'_>, visit: &mut impl FnMut(&HeaderName, &[u8])) {
        let Settings { headers, http_profile, .. } = self.settings;
        headers.for_each(self.endpoint, request, http_profile, visit);
        headers.cookie(self.endpoint, request.url.wire_path(), self.cookies, visit);
    }
}

/// What a run says about its connections.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How certificates are checked.
    pub tls: TlsSettings,
    /// Addresses for `host:port`, as `--resolve` gives them.
    pub resolve: Vec<ResolveEntry>,
    /// First byte of a response, and idle while a body comes.
    pub timeout: Duration,
    /// What every request says of itself.
    pub headers: Headers,
    /// How requests are written and connections used.
    pub http_profile: HttpProfile,
    /// For all that origins can make this process keep.
    pub budget: Arc<Budget>,
}

impl Settings {
    /// Whether playlists may come compressed.
    pub fn offers_gzip(&self) -> bool {
        let encoding = match self.headers.given_encoding() {
            Some(given) => given.to_str().ok(),
            None => self.http_profile.playlist_encoding,
        };
        encoding.is_some_and(|encoding| encoding.contains("gzip"))
    }
}
