//! The cookies of one client, in the scope of RFC 6265: host or domain, path, `Secure`, lifetime.
//!
//! * Browsers and ffmpeg keep cookies, so every client has a jar of its own; a new viewer begins with an empty one. A
//!   client that is never given a cookie pays for an empty list.
//! * A cookie goes to the host that set it or, with `Domain`, to the hosts below that domain, and nowhere else. Without
//!   the public suffix list, a domain must have a dot inside, and the usual second levels (`co.uk`) are refused.
//! * What is sent holds no control character: a line that has one is ignored, so a cookie cannot add a header.
//! * Values are secrets: nothing here can be printed.
//!
//! The reader ([`line`]) is our own: crates that offer a jar bring a date library and the whole suffix list with them.

mod date;
mod line;

use std::cell::RefCell;
use std::net::IpAddr;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::vocabulary::limits;
use crate::vocabulary::secret_url::Endpoint;

/// A cookie that is kept.
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
    /// Rises with each new cookie of the jar.
    number: u64,
}

impl Cookie {
    fn name(&self) -> &[u8] {
        self.pair.get(..self.name_length).unwrap_or_default()
    }

    fn is_expired(&self, now: Instant) -> bool {
        self.expires.is_some_and(|at| at <= now)
    }

    /// Whether it belongs into a request (RFC 6265 section 5.4).
    fn goes_to(&self, endpoint: &Endpoint, path: &str, now: Instant) -> bool {
        let host = endpoint.host.as_str();
        let in_domain = if self.host_only { *self.domain == *host } else { is_within(host, &self.domain) };
        in_domain && (endpoint.tls || !self.secure) && path_matches(path, &self.path) && !self.is_expired(now)
    }

    /// Whether a new cookie replaces it.
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
    /// Longer paths first, older ones first among equals: the order in which they are sent.
    cookies: RefCell<Vec<Cookie>>,
    /// The memory of the header line, used again.
    line: RefCell<Vec<u8>>,
}

/// When a response came, by both clocks: lifetimes are kept by the one that cannot be set.
#[derive(Clone, Copy)]
pub(super) struct Received {
    pub(super) at: Instant,
    /// Seconds since 1970: `Expires` is a date.
    pub(super) unix_s: i64,
}

impl Received {
    pub(super) fn now() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { at: Instant::now(), unix_s: i64::try_from(since.as_secs()).unwrap_or(i64::MAX) }
    }
}

impl Jar {
    /// Takes the values of the `Set-Cookie` lines of a response to a request for `path` at `endpoint`.
    pub(super) fn take(&self, endpoint: &Endpoint, path: &str, lines: &[Box<[u8]>], received: Received) {
        let mut cookies = self.cookies.borrow_mut();
        for line in lines {
            let Some((cookie, is_alive)) = line::read(line, endpoint, path, received) else { continue };
            // RFC 6265bis section 5.7: a plain connection cannot replace what a secure one has set.
            if endpoint.tls || !cookies.iter().any(|kept| kept.is_secure_above(&cookie)) {
                put(&mut cookies, cookie, is_alive, received.at);
            }
        }
    }

    /// Calls `visit` with the value of the `Cookie` header of a request, if it has one: `given` by the operator, then
    /// those of the jar. A name that the server has set replaces the one that was given.
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

/// Puts a cookie in its place, or removes the one that it replaces; the oldest ones make room.
fn put(cookies: &mut Vec<Cookie>, mut cookie: Cookie, is_alive: bool, now: Instant) {
    cookies.retain(|kept| !kept.is_expired(now));
    let same = cookies.iter().position(|kept| kept.is_same(&cookie));
    let before = same.map(|at| cookies.remove(at));
    if !is_alive {
        return;
    }
    let newest = cookies.iter().map(|kept| kept.number).max().unwrap_or_default();
    cookie.number = before.map_or(newest + 1, |before| before.number);
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
}

/// RFC 6265 section 5.1.3.
fn is_within(host: &str, domain: &str) -> bool {
    let below = || host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'));
    host == domain || (below() && host.parse::<IpAddr>().is_err())
}

/// RFC 6265 section 5.1.4.
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
