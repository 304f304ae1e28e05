//! Proxies between the clients and the hosts of a stream.
//!
//! * An `http://` proxy gets the whole URL of a request without TLS, and opens a tunnel (`CONNECT`) for all others. A
//!   SOCKS proxy opens a tunnel for each.
//! * The address of the proxy is the operator's own choice, so no rule of the scope applies to it. The addresses behind
//!   a proxy that resolves names are unknown here: only the hosts are judged.
//! * User and password are secrets: no `Debug`, `Display` or error shows them.

mod environment;
mod socks;
mod tunnel;

#[cfg(any(test, fuzzing))]
pub(super) use tunnel::fuzz;

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;
use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use tokio::net::TcpStream;
use url::{Host, Url};

use super::io_fault::fault;
use crate::vocabulary::outcome::Fault;
use crate::vocabulary::percent::percent_decoded;
use crate::vocabulary::secret_url::Endpoint;
use crate::vocabulary::{KnownSecrets, limits};

use environment::Exceptions;

/// Port of a proxy whose URL has none, as in curl.
const DEFAULT_PORT: u16 = 1_080;
/// Longest user name and password of SOCKS (RFC 1929).
const SOCKS_TEXT: usize = 255;

/// Protocol of a proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Protocol {
    Http,
    /// SOCKS 5, with names resolved by this machine.
    Socks,
    /// SOCKS 5, with names resolved by the proxy.
    SocksByName,
}

impl Protocol {
    const ALL: [(&'static str, Self); 3] =
        [("http", Self::Http), ("socks5", Self::Socks), ("socks5h", Self::SocksByName)];

    fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, protocol)| *protocol == self).map_or("", |(name, _)| name)
    }
}

/// A proxy.
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    protocol: Protocol,
    endpoint: Endpoint,
    /// User and password.
    login: Option<(String, String)>,
    /// Value of `Proxy-Authorization`.
    authorization: Option<String>,
}

/// Error for a text that is not the URL of a proxy. Shows nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected http://HOST:PORT, socks5://HOST:PORT or socks5h://HOST:PORT, or env for the variables that curl reads"
)]
pub struct ProxyError;

impl FromStr for Proxy {
    type Err = ProxyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
        let known = Protocol::ALL.iter().find(|(name, _)| name.eq_ignore_ascii_case(scheme));
        let (_, protocol) = *known.ok_or(ProxyError)?;
        let is_sound = rest.len() <= limits::URL_BYTES && !rest.chars().any(char::is_control);
        // With the scheme `http` the parser would take port 80 for none.
        let url = Url::parse(&format!("socks5://{rest}")).ok().filter(|_| is_sound).ok_or(ProxyError)?;
        let is_bare = matches!(url.path(), "" | "/") && url.query().is_none() && url.fragment().is_none();
        let host = Host::parse(url.host_str().filter(|_| is_bare).ok_or(ProxyError)?);
        let host = match host.map_err(|_| ProxyError)? {
            Host::Domain(name) => name,
            Host::Ipv4(address) => address.to_string(),
            Host::Ipv6(address) => address.to_string(),
        };
        let has_login = !url.username().is_empty() || url.password().is_some();
        let login = has_login
            .then(|| (percent_decoded(url.username()), percent_decoded(url.password().unwrap_or_default())));
        let is_long = |(user, password): &(String, String)| user.len().max(password.len()) > SOCKS_TEXT;
        if login.as_ref().is_some_and(is_long) {
            return Err(ProxyError);
        }
        let authorization = login.as_ref().map(|(user, password)| {
            format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}")))
        });
        let endpoint = Endpoint { tls: false, host, port: url.port().unwrap_or(DEFAULT_PORT) };
        Ok(Self { protocol, endpoint, login, authorization })
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Endpoint { host, port, .. } = &self.endpoint;
        match host.contains(':') {
            true => write!(f, "{}://[{host}]:{port}", self.protocol.name()),
            false => write!(f, "{}://{host}:{port}", self.protocol.name()),
        }
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({self})")
    }
}

/// Destination of a tunnel.
#[derive(Clone, Copy, Debug)]
pub(super) enum Destination<'a> {
    /// A host, which the proxy resolves.
    Host(&'a Endpoint),
    /// An address.
    Address(SocketAddr),
}

/// Failure of a proxy: the fault of the request, and what the proxy said in our words.
pub(super) type Refused = (Fault, String);

impl Proxy {
    /// Returns the endpoint of the proxy itself.
    pub(super) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Reports whether the proxy asks for a password.
    pub fn has_login(&self) -> bool {
        self.login.is_some()
    }

    /// Reports whether the proxy resolves the names of hosts.
    pub(super) fn resolves_names(&self) -> bool {
        self.protocol != Protocol::Socks
    }

    /// Reports whether the proxy takes whole URLs.
    fn is_http(&self) -> bool {
        self.protocol == Protocol::Http
    }

    /// Returns the value of `Proxy-Authorization`.
    pub(super) fn authorization(&self) -> Option<&str> {
        self.authorization.as_deref()
    }

    /// Opens a tunnel to `destination` over a connection to this proxy.
    ///
    /// # Errors
    /// The fault, and a reason that holds nothing that the proxy has sent.
    pub(super) async fn open(
        &self,
        stream: &mut TcpStream,
        destination: Destination<'_>,
    ) -> Result<(), Refused> {
        match self.protocol {
            Protocol::Http => tunnel::open(stream, self.authorization(), destination).await,
            Protocol::Socks | Protocol::SocksByName => {
                socks::open(stream, self.login.as_ref(), destination).await
            }
        }
    }
}

/// Returns the failure of a connection to a proxy that broke.
fn broken(error: &std::io::Error) -> Refused {
    match fault(error) {
        local if local.is_local() => (local, String::new()),
        _ => (Fault::ConnProxy, "the proxy closed the connection".to_owned()),
    }
}

impl fmt::Display for Proxies {
    /// Formats the proxies without their passwords.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.http, &self.https) {
            (Some(http), Some(https)) if http != https => write!(f, "{http}, and {https} for https"),
            (Some(proxy), Some(_)) => proxy.fmt(f),
            (Some(http), None) => write!(f, "{http} for http"),
            (None, Some(https)) => write!(f, "{https} for https"),
            (None, None) => Ok(()),
        }
    }
}

/// The proxies of a run, by the scheme of URLs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proxies {
    http: Option<Arc<Proxy>>,
    https: Option<Arc<Proxy>>,
    /// Hosts that are loaded without a proxy.
    except: Exceptions,
}

impl Proxies {
    /// Uses one proxy for everything.
    pub fn all(proxy: Proxy) -> Self {
        let proxy = Some(Arc::new(proxy));
        Self { http: proxy.clone(), https: proxy, except: Exceptions::default() }
    }

    /// Reports whether a proxy has a password.
    pub fn have_login(&self) -> bool {
        [&self.http, &self.https].into_iter().flatten().any(|proxy| proxy.has_login())
    }

    /// Adds users and passwords, also as HTTP proxies get them, to the secrets of a run.
    pub(super) fn add_login(&self, secrets: &mut KnownSecrets) {
        for proxy in [&self.http, &self.https].into_iter().flatten() {
            let (user, password) = proxy.login.clone().unwrap_or_default();
            let authorization = proxy.authorization().unwrap_or_default();
            [&*user, &*password, authorization].iter().for_each(|text| secrets.add_header(text.as_bytes()));
        }
    }

    /// Returns the proxy for requests to `endpoint`.
    pub(super) fn of(&self, endpoint: &Endpoint) -> Option<&Proxy> {
        let proxy = if endpoint.tls { self.https.as_deref() } else { self.http.as_deref() }?;
        (!self.except.have(&endpoint.host)).then_some(proxy)
    }

    /// Returns the proxy that takes the whole URLs of requests to `endpoint`.
    pub(super) fn forward(&self, endpoint: &Endpoint) -> Option<&Proxy> {
        if endpoint.tls { None } else { self.of(endpoint).filter(|proxy| proxy.is_http()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxy(text: &str) -> Proxy {
        text.parse().expect(text)
    }

    #[test]
    fn a_proxy_has_the_form_that_it_has_in_curl() {
        for (text, expected, resolves) in [
            ("http://proxy.example:3128", "http://proxy.example:3128", true),
            ("http://proxy.example:80/", "http://proxy.example:80", true),
            ("proxy.example:8080", "http://proxy.example:8080", true),
            ("HTTP://Proxy.Example", "http://proxy.example:1080", true),
            ("socks5://127.0.0.1:9050", "socks5://127.0.0.1:9050", false),
            ("socks5h://[::1]", "socks5h://[::1]:1080", true),
            ("http://user:hunter2@proxy:1", "http://proxy:1", true),
        ] {
            let proxy = proxy(text);
            assert_eq!((proxy.to_string().as_str(), proxy.resolves_names()), (expected, resolves), "{text}");
            assert!(!format!("{proxy:?}").contains("hunter2"));
        }
        let login = proxy("socks5://us%40er:pass%3Aword@h:1");
        assert_eq!(login.login, Some(("us@er".to_owned(), "pass:word".to_owned())));
        assert_eq!(proxy("http://u:p@h").authorization(), Some("Basic dTpw"));
        assert!(!proxy("http://h").has_login());
        let long = format!("http://u:{}@h", "x".repeat(300));
        for text in [
            "",
            "https://h:1",
            "socks4://h:1",
            "ftp://h",
            "http://",
            "http://h:99999",
            "http://h/x",
            "http://h?x",
            "h h",
            &long,
        ] {
            assert_eq!(text.parse::<Proxy>(), Err(ProxyError), "{text}");
        }
    }

    #[test]
    fn only_an_http_proxy_takes_whole_urls_and_only_without_tls() {
        let endpoint = |tls| Endpoint { tls, host: "h".to_owned(), port: 1 };
        let of = |text: &str| Proxies::all(proxy(text));
        let http = of("http://p");
        assert!(http.forward(&endpoint(false)).is_some() && http.forward(&endpoint(true)).is_none());
        assert!(http.of(&endpoint(true)).is_some());
        let socks = of("socks5h://p");
        assert!(socks.forward(&endpoint(false)).is_none() && socks.of(&endpoint(false)).is_some());
        assert!(of("http://u:p@h").have_login() && !http.have_login());
        assert_eq!(of("http://u:hunter2@h").to_string(), "http://h:1080");
        let only = Proxies { http: None, ..of("socks5://s") };
        assert_eq!(only.to_string(), "socks5://s:1080 for https");
    }
}
