//! The cookies of one client, with the scopes of RFC 6265: host or domain, path, `Secure`, lifetime.
//!
//! * Browsers and ffmpeg keep cookies, so every client has a jar of its own; a new viewer begins with an
//!   empty one, or with the cookies of `--cookie-jar`. A
//!   client that never receives a cookie only pays for an empty `Vec`.
//! * A cookie goes to the host that set it or, with `Domain`, to that domain and the hosts below it, and nowhere
//!   else. In place of the public suffix list, a domain must contain a dot, and the usual second levels (`co.uk`) are
//!   refused.
//! * A `Set-Cookie` line with a control character is ignored, so a cookie cannot add a header to a request.
//! * Values are secrets: no type here implements `Debug` or `Display`.
//!
//! The parser ([`mod@line`]) is our own: crates that offer a jar depend on a date library and the whole suffix list.

mod date;
mod file;
mod line;

use std::cell::RefCell;
use std::net::IpAddr;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::vocabulary::secret_url::Endpoint;
use crate::vocabulary::{KnownSecrets, limits};

pub use file::{CookieFileError, InitialCookies};

/// Cookies that a jar remembers after they were replaced or deleted.
const GONE: usize = 8;

/// A cookie in a jar.
#[derive(Clone)]
struct Cookie {
    /// `name=value`, as it is sent.
    pair: Box<[u8]>,
    name_length: usize,
    domain: Box<str>,
    host_only: bool,
    path: Box<str>,
    secure: bool,
    /// `None`: kept as long as the client lives.
    expires: Option<Instant>,
    /// Age rank: higher for newer cookies. A replacement inherits it.
    number: u64,
}

impl Cookie {
    fn name(&self) -> &[u8] {
        self.pair.get(..self.name_length).unwrap_or_default()
    }

    fn is_expired(&self, now: Instant) -> bool {
        self.expires.is_some_and(|at| at <= now)
    }

    /// Reports whether the cookie belongs in a request for `path` at `endpoint` (RFC 6265 section 5.4).
    fn goes_to(&self, endpoint: &Endpoint, path: &str, now: Instant) -> bool {
        let host = endpoint.host.as_str();
        let in_domain = if self.host_only { *self.domain == *host } else { is_within(host, &self.domain) };
        in_domain && (endpoint.tls || !self.secure) && path_matches(path, &self.path) && !self.is_expired(now)
    }

    /// Reports whether the new cookie `other` replaces this one.
    fn is_same(&self, other: &Self) -> bool {
        self.name() == other.name() && self.domain == other.domain && self.path == other.path
    }

    fn is_secure_above(&self, other: &Self) -> bool {
        self.secure && self.name() == other.name() && is_within(&other.domain, &self.domain)
    }

    fn bytes(&self) -> usize {
        self.pair.len() + self.domain.len() + self.path.len()
    }
}

/// The cookies of one client.
#[derive(Default)]
pub(super) struct Jar {
    /// Sorted in the order of sending: longer paths first, then older cookies first.
    cookies: RefCell<Vec<Cookie>>,
    /// Pairs that were replaced or deleted last: the response that did so, and those of other lanes, may still echo them.
    gone: RefCell<Vec<Box<[u8]>>>,
    /// Reused buffer for the header line.
    line: RefCell<Vec<u8>>,
}

/// Arrival time of a response by both clocks. Lifetimes are measured on the monotonic one, which cannot be set.
#[derive(Clone, Copy)]
pub(super) struct Received {
    pub(super) at: Instant,
    /// Seconds since 1970, to compare with the date in `Expires`.
    pub(super) unix_s: i64,
}

impl Received {
    pub(super) fn now() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { at: Instant::now(), unix_s: i64::try_from(since.as_secs()).unwrap_or(i64::MAX) }
    }
}

impl Jar {
    /// Creates the jar of a client.
    pub(super) fn new(initial: &InitialCookies) -> Self {
        Self { cookies: RefCell::new(initial.to_vec()), ..Self::default() }
    }

    /// Stores the cookies from the `Set-Cookie` values of a response to a request for `path` at `endpoint`.
    pub(super) fn take(&self, endpoint: &Endpoint, path: &str, lines: &[Box<[u8]>], received: Received) {
        let mut cookies = self.cookies.borrow_mut();
        for line in lines {
            let Some((cookie, is_alive)) = line::read(line, endpoint, path, received) else { continue };
            // RFC 6265bis section 5.7: a plain connection cannot replace a secure cookie.
            if endpoint.tls || !cookies.iter().any(|kept| kept.is_secure_above(&cookie)) {
                let before = put(&mut cookies, cookie, is_alive, received.at);
                self.gone.borrow_mut().extend(before.map(|before| before.pair));
            }
        }
        let mut gone = self.gone.borrow_mut();
        let surplus = gone.len().saturating_sub(GONE);
        gone.drain(..surplus);
    }

    /// Adds the cookies that requests carry or have carried just now to the secrets of a run.
    pub(super) fn add_to(&self, secrets: &mut KnownSecrets) {
        self.cookies.borrow().iter().for_each(|cookie| add_pair(secrets, &cookie.pair));
        self.gone.borrow().iter().for_each(|pair| add_pair(secrets, pair));
    }

    /// Calls `visit` with the value of the `Cookie` header of a request, if it has one: first the operator's cookies
    /// in `given`, then those of the jar. A cookie of the jar replaces a given one of the same name.
    pub(super) fn line(
        &self,
        endpoint: &Endpoint,
        path: &str,
        given: Option<&[u8]>,
        visit: &mut impl FnMut(&[u8]),
    ) {
        let cookies = self.cookies.borrow();
        if cookies.is_empty() {
            given.into_iter().for_each(visit);
            return;
        }
        let now = Instant::now();
        let own = || cookies.iter().filter(|cookie| cookie.goes_to(endpoint, path, now));
        let given =
            given.into_iter().flat_map(|line| line.split(|byte| *byte == b';')).map(<[u8]>::trim_ascii);
        let given =
            given.filter(|pair| !pair.is_empty() && !own().any(|cookie| cookie.name() == name_of(pair)));
        let mut line = self.line.borrow_mut();
        line.clear();
        for pair in given.chain(own().map(|cookie| &*cookie.pair)) {
            if !line.is_empty() {
                line.extend_from_slice(b"; ");
            }
            line.extend_from_slice(pair);
        }
        if !line.is_empty() {
            visit(&line);
        }
    }
}

/// Inserts a cookie, or only removes the one that it replaces if `is_alive` is false; returns that one. Evicts the oldest
/// cookies if the jar is full.
fn put(cookies: &mut Vec<Cookie>, mut cookie: Cookie, is_alive: bool, now: Instant) -> Option<Cookie> {
    cookies.retain(|kept| !kept.is_expired(now));
    let same = cookies.iter().position(|kept| kept.is_same(&cookie));
    let before = same.map(|at| cookies.remove(at));
    if !is_alive {
        return before;
    }
    let newest = cookies.iter().map(|kept| kept.number).max().unwrap_or_default();
    cookie.number = before.as_ref().map_or(newest + 1, |before| before.number);
    while cookies.len() >= limits::COOKIES_PER_CLIENT
        || cookies.iter().map(Cookie::bytes).sum::<usize>() + cookie.bytes() > limits::COOKIE_JAR_BYTES
    {
        let Some(oldest) = (0..cookies.len()).min_by_key(|at| cookies.get(*at).map(|kept| kept.number))
        else {
            break;
        };
        cookies.remove(oldest);
    }
    let key = |cookie: &Cookie| (std::cmp::Reverse(cookie.path.len()), cookie.number);
    let at = cookies.partition_point(|kept| key(kept) < key(&cookie));
    cookies.insert(at, cookie);
    before
}

/// Adds `name=value` and its value to the secrets of a run.
fn add_pair(secrets: &mut KnownSecrets, pair: &[u8]) {
    secrets.add_header(pair);
    let value = pair.iter().position(|byte| *byte == b'=').and_then(|at| pair.get(at + 1..));
    value.into_iter().for_each(|value| secrets.add_header(value));
}

/// Matches a host against a domain (RFC 6265 section 5.1.3).
fn is_within(host: &str, domain: &str) -> bool {
    let below = || host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'));
    host == domain || (below() && host.parse::<IpAddr>().is_err())
}

/// Matches the path of a request against the path of a cookie (RFC 6265 section 5.1.4).
fn path_matches(path: &str, scope: &str) -> bool {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    path.strip_prefix(scope)
        .is_some_and(|rest| rest.is_empty() || scope.ends_with('/') || rest.starts_with('/'))
}

fn name_of(pair: &[u8]) -> &[u8] {
    pair.split(|byte| *byte == b'=').next().unwrap_or_default().trim_ascii()
}

#[cfg(test)]
mod tests;
