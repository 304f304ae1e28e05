//! HTTP GETs over the connections that a client keeps, and the faults that a GET can end with.
//!
//! * A reader of our own ([`http1`]) parses HTTP/1.1. All clients of a worker read into one shared buffer, so an idle
//!   connection costs no buffer. A body of which only the length matters is not even copied there: on plain TCP,
//!   Linux discards it in the kernel and returns its length. hyper's low-level connection is just as correct, but
//!   keeps a read buffer for each connection (16 KB and more). At ten thousand clients that is the difference between
//!   10 MB and half a gigabyte. `h2` handles HTTP/2.
//! * Both protocols share one parser of header fields ([`head`]) and one destination for bodies ([`sink`]).
//! * One poll of a worker does a bounded amount of work; longer work runs on helper threads ([`mod@offload`]).
//! * The [`scope`] of the run decides which URLs are requested and which addresses are connected to.
//! * Every network await has a deadline ([`deadline`], with one [`timer`] for each lane) and every size a limit
//!   ([`crate::vocabulary::limits`]).
//! * This module keeps no statistics: it reports events to an [`Observer`].

mod brotli;
mod client_identity;
mod connect;
mod cookies;
mod deadline;
mod decode;
mod exchange;
mod fetch;
mod freshness;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod given_roots;
mod head;
mod headers;
mod http1;
mod http2;
mod io_fault;
mod kept;
mod locate;
mod message;
mod name_servers;
mod offload;
mod pool;
#[cfg(feature = "otlp")]
mod post;
mod proxy;
mod race;
mod resolve;
mod resolve_entry;
mod retry_after;
pub mod scope;
mod shared;
mod sink;
mod through;
mod timer;
mod tls;
mod transport;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderName;

use crate::vocabulary::budget::Budget;
use crate::vocabulary::outcome::Fault;
use crate::vocabulary::secret_url::Endpoint;
use crate::vocabulary::{ConnectionRoute, HttpProfile, KnownSecrets, SecretUrl};
use cookies::Jar;
use scope::Scope;

pub use client_identity::ClientFiles;
pub use cookies::{CookieFileError, InitialCookies};
pub use fetch::{ClientConnections, RequestLane};
pub use freshness::Freshness;
pub use head::Head;
pub use headers::{HeaderError, Headers};
pub use kept::{Charged, Kept};
pub use locate::locate;
pub use message::{Body, Request, Response};
pub use name_servers::Family;
pub use offload::offload;
#[cfg(feature = "otlp")]
pub use post::post;
pub use proxy::{Proxies, Proxy, ProxyError};
pub use resolve_entry::{ResolveEntry, unused as unused_resolve_entries};
pub use retry_after::RetryAfter;
pub use shared::Net;
pub use timer::Timer;
pub use tls::{TlsError, TlsOptions, TlsSettings, TlsVersion};
pub use transport::{HttpVersion, Transport};

/// Durations of the phases of a new connection, in microseconds; `None` for a phase that was not needed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConnectTimings {
    /// Name resolution.
    pub dns_us: Option<u64>,
    /// TCP connect.
    pub connect_us: Option<u64>,
    /// TLS handshake.
    pub tls_us: Option<u64>,
}

/// Timings and route of a connection that was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionInfo {
    /// Durations of the phases of opening it.
    pub timings: ConnectTimings,
    /// Its endpoints and protocol.
    pub route: ConnectionRoute,
}

/// Receives events while they happen, so that a request that is cancelled has been counted up to that moment.
pub trait Observer {
    /// Counts body bytes that arrived on the wire.
    fn received(&mut self, bytes: u64);
    /// Returns whether the beginning of the body of a failed response is kept as its [`words`](Response::words). Called once,
    /// with the status, before the body is taken.
    fn keeps_words(&mut self, _status: u16) -> bool {
        false
    }
    /// Receives the same bytes if they belong to a good response to a request for [`Body::SeenMedia`].
    fn body(&mut self, piece: &[u8]);
    /// Records that a connection became usable. `replaces` is true if it replaces a lost one to the same endpoint.
    fn connected(&mut self, opening: &ConnectionInfo, replaces: bool);
    /// Receives details about the fault that the request will end with. The text of `reason` may come from the peer.
    fn explained(&mut self, fault: Fault, reason: &str);
    /// Counts a retry: the peer had closed a kept connection, or did not process the request.
    fn retried(&mut self);
}

/// Source of the header lines that a client sends to one endpoint.
struct HeaderLines<'a> {
    settings: &'a Settings,
    /// Parameter for the query that no other request has.
    unique: Option<String>,
    cookies: &'a Jar,
    endpoint: &'a Endpoint,
}

impl HeaderLines<'_> {
    /// Returns path and query of a request. Contains secrets: never print it.
    fn path<'a>(&self, url: &'a SecretUrl) -> Cow<'a, str> {
        let path = url.wire_path();
        match &self.unique {
            None => path.into(),
            Some(unique) => {
                let separator = if url.query().is_some() { '&' } else { '?' };
                format!("{path}{separator}{unique}").into()
            }
        }
    }

    /// Calls `visit` with each header of `request` except `Host`.
    fn for_each(&self, request: &Request<'_>, visit: &mut impl FnMut(&HeaderName, &[u8])) {
        let Settings { headers, http_profile, .. } = self.settings;
        headers.for_each(self.endpoint, request, http_profile, visit);
        headers.cookie(self.endpoint, request.url.wire_path(), self.cookies, visit);
    }
}

/// Connection settings of a run.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Verification of certificates.
    pub tls: TlsSettings,
    /// The way to a host.
    pub transport: Transport,
    /// Addresses for `host:port`, from `--resolve`.
    pub resolve: Vec<ResolveEntry>,
    /// Hosts, schemes and addresses that clients may use.
    pub scope: Arc<Scope>,
    /// Maximum wait for the first byte of a response, and for the next bytes of a body.
    pub timeout: Duration,
    /// Headers of every request.
    pub headers: Headers,
    /// Cookies that each client begins with.
    pub cookies: Arc<InitialCookies>,
    /// Keeps the cookies that servers set.
    pub keeps_cookies: bool,
    /// Player profile: the form of requests and the use of connections.
    pub http_profile: HttpProfile,
    /// Budget for all data that origins can make this process keep.
    pub budget: Arc<Budget>,
}

impl Settings {
    /// Reports whether the operator gave a secret: in a header, the key of a certificate, or the password of a proxy.
    pub fn have_secrets(&self) -> bool {
        self.headers.are_given()
            || self.tls.has_identity()
            || !self.cookies.is_empty()
            || self.transport.proxies.as_ref().is_some_and(Proxies::have_login)
    }

    /// Returns the secrets that the operator gave and that requests carry: values of headers and cookies, and the login of
    /// a proxy.
    pub fn secrets(&self) -> KnownSecrets {
        let mut secrets = self.headers.secrets();
        self.cookies.add_to(&mut secrets);
        self.transport.proxies.iter().for_each(|proxies| proxies.add_login(&mut secrets));
        secrets
    }

    /// Reports whether requests for playlists offer gzip.
    pub fn offers_gzip(&self) -> bool {
        let encoding = match self.headers.given_encoding() {
            Some(given) => given.to_str().ok(),
            None => self.http_profile.playlist_encoding,
        };
        encoding.is_some_and(|encoding| encoding.contains("gzip"))
    }
}
