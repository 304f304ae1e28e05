//! Names to addresses: literals, the `--resolve` table, then the system's name servers.
//!
//! * One lookup at a time for a name in each worker, its answer kept as long as it says (at least a second): a
//!   thousand clients that join at once are one question, not a thousand.
//! * "Does not exist" and "no answer" are different faults; the resolver of the C library cannot tell them apart.

use std::cell::RefCell;
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::str::FromStr;
use std::time::{Duration, Instant};

use hickory_resolver::TokioResolver;
use hickory_resolver::net::NetError;
use tokio::sync::Mutex;

use crate::base::outcome::Fault;
use crate::base::secret_url::Endpoint;

/// An answer is used at least this long.
const TTL_MIN: Duration = Duration::from_secs(1);
/// An answer is used at most this long, whatever it says.
const TTL_MAX: Duration = Duration::from_secs(300);
/// Names that are remembered; a stream names a handful.
const NAMES: usize = 1_000;

/// One `--resolve HOST:PORT:ADDR`, as in curl: connections to `host:port` go to `address`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolveEntry {
    host: String,
    port: u16,
    address: IpAddr,
}

/// A text that is not `HOST:PORT:ADDR`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("accepted: HOST:PORT:ADDR such as cdn.example:443:127.0.0.1")]
pub struct ResolveEntryError;

impl FromStr for ResolveEntry {
    type Err = ResolveEntryError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (host, rest) = text.split_once(':').ok_or(ResolveEntryError)?;
        let (port, address) = rest.split_once(':').ok_or(ResolveEntryError)?;
        let bare = address.strip_prefix('[').and_then(|a| a.strip_suffix(']')).unwrap_or(address);
        if host.is_empty() {
            return Err(ResolveEntryError);
        }
        Ok(Self {
            host: host.to_ascii_lowercase(),
            port: port.parse().map_err(|_| ResolveEntryError)?,
            address: bare.parse().map_err(|_| ResolveEntryError)?,
        })
    }
}

type Answer = Option<(Rc<[IpAddr]>, Instant)>;

/// The names that one worker knows.
pub(super) struct Resolver {
    table: Vec<ResolveEntry>,
    system: RefCell<Option<Rc<TokioResolver>>>,
    known: RefCell<HashMap<String, Rc<Mutex<Answer>>>>,
}

impl Resolver {
    pub(super) fn new(table: Vec<ResolveEntry>) -> Self {
        Self { table, system: RefCell::default(), known: RefCell::default() }
    }

    /// The addresses of an endpoint, and whether a name server or its cached answer was needed.
    pub(super) async fn resolve(&self, endpoint: &Endpoint) -> Result<(Vec<SocketAddr>, bool), Fault> {
        if let Some(address) = self.without_lookup(endpoint) {
            return Ok((vec![SocketAddr::new(address, endpoint.port)], false));
        }
        let entry = self.entry(&endpoint.host);
        let mut answer = entry.lock().await;
        if let Some((addresses, until)) = &*answer
            && Instant::now() < *until
        {
            return Ok((with_port(addresses, endpoint.port), true));
        }
        let found = self.system()?.lookup_ip(endpoint.host.as_str()).await.map_err(|error| fault(&error))?;
        let addresses: Rc<[IpAddr]> = found.iter().collect();
        if addresses.is_empty() {
            return Err(Fault::DnsNotFound);
        }
        let now = Instant::now();
        let until = found.as_lookup().valid_until().clamp(now + TTL_MIN, now + TTL_MAX);
        *answer = Some((Rc::clone(&addresses), until));
        Ok((with_port(&addresses, endpoint.port), true))
    }

    fn without_lookup(&self, endpoint: &Endpoint) -> Option<IpAddr> {
        let given = |entry: &&ResolveEntry| entry.host == endpoint.host && entry.port == endpoint.port;
        let listed = self.table.iter().find(given).map(|entry| entry.address);
        listed.or_else(|| endpoint.host.parse().ok())
    }

    fn entry(&self, host: &str) -> Rc<Mutex<Answer>> {
        let mut known = self.known.borrow_mut();
        if known.len() >= NAMES && !known.contains_key(host) {
            known.clear();
        }
        Rc::clone(known.entry(host.to_owned()).or_default())
    }

    /// The system's resolver, read from its configuration with the first name that needs it.
    fn system(&self) -> Result<Rc<TokioResolver>, Fault> {
        let mut system = self.system.borrow_mut();
        if let Some(resolver) = &*system {
            return Ok(Rc::clone(resolver));
        }
        let built = TokioResolver::builder_tokio().and_then(|builder| builder.build());
        let resolver = Rc::new(built.map_err(|_| Fault::DnsServerFailure)?);
        Ok(Rc::clone(system.insert(resolver)))
    }
}

fn with_port(addresses: &[IpAddr], port: u16) -> Vec<SocketAddr> {
    addresses.iter().map(|address| SocketAddr::new(*address, port)).collect()
}

fn fault(error: &NetError) -> Fault {
    if error.is_nx_domain() || error.is_no_records_found() {
        Fault::DnsNotFound
    } else {
        Fault::DnsServerFailure
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(host: &str, port: u16) -> Endpoint {
        Endpoint { tls: false, host: host.to_owned(), port }
    }

    #[tokio::test]
    async fn literals_and_the_table_need_no_lookup() {
        let table = vec!["cdn.invalid:443:127.0.0.9".parse().expect("valid")];
        let resolver = Resolver::new(table);
        for (host, port, expected) in [
            ("127.0.0.1", 80, "127.0.0.1:80"),
            ("::1", 81, "[::1]:81"),
            ("cdn.invalid", 443, "127.0.0.9:443"),
        ] {
            let (found, looked_up) = resolver.resolve(&endpoint(host, port)).await.expect(host);
            assert_eq!(found, [expected.parse().expect("valid")]);
            assert!(!looked_up);
        }
    }

    #[test]
    fn a_bad_entry_is_refused() {
        assert!("h:1:::1".parse::<ResolveEntry>().is_ok());
        assert!("h:1:[::1]".parse::<ResolveEntry>().is_ok());
        for text in ["", "h", "h:1", "h:x:127.0.0.1", "h:1:name", ":1:127.0.0.1"] {
            assert_eq!(text.parse::<ResolveEntry>(), Err(ResolveEntryError), "{text}");
        }
    }
}
