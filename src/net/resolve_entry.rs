//! Parser and table for `--resolve`, as in curl: `[+]HOST:PORT:ADDR[,ADDR]...` and `-HOST:PORT`.
//!
//! * A later entry for the same host and port replaces an earlier one; `-` removes it. The host `*` matches every
//!   host at that port that has no entry of its own.
//! * An entry that could never match is refused, because the load would go to the real host. [`unused`] returns the
//!   entries that have not matched by the end of a run.

use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use url::Host;

use super::Family;
use crate::vocabulary::secret_url::Endpoint;

/// One `--resolve`.
#[derive(Clone, Debug)]
pub struct ResolveEntry {
    /// Host in the form of a parsed URL, without a trailing dot; `None` for any host.
    host: Option<String>,
    port: u16,
    /// Addresses to connect to; empty if the entry removes an earlier one.
    addresses: Vec<IpAddr>,
    /// Set by the first worker that needs the entry.
    used: Arc<AtomicBool>,
}

/// Error for a text that is not an entry, or for an entry that could never match.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected HOST:PORT:ADDR[,ADDR] such as cdn.example:443:127.0.0.1, *:443:[::1] for any host, or -HOST:PORT"
)]
pub struct ResolveEntryError;

impl FromStr for ResolveEntry {
    type Err = ResolveEntryError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let removes = text.starts_with('-');
        // `+` is ignored: in curl such an entry expires like the answer of a name server.
        let (host, rest) =
            host_and_rest(text.strip_prefix(['-', '+']).unwrap_or(text)).ok_or(ResolveEntryError)?;
        let (port, addresses) = if removes {
            (rest, None)
        } else {
            rest.split_once(':').map(|(p, a)| (p, Some(a))).ok_or(ResolveEntryError)?
        };
        let addresses = addresses.into_iter().flat_map(|list| list.split(',')).map(address);
        Ok(Self {
            host: if host == "*" { None } else { Some(normal(host).ok_or(ResolveEntryError)?) },
            port: port_of(port).ok_or(ResolveEntryError)?,
            addresses: addresses.collect::<Option<_>>().ok_or(ResolveEntryError)?,
            used: Arc::default(),
        })
    }
}

/// Splits a text into the host, including its brackets, and the text after its colon.
fn host_and_rest(text: &str) -> Option<(&str, &str)> {
    match text.strip_prefix('[').and_then(|inner| inner.find(']')) {
        Some(end) => {
            let (host, rest) = text.split_at_checked(end + 2)?;
            Some((host, rest.strip_prefix(':')?))
        }
        None => text.split_once(':'),
    }
}

/// Parses a port of digits only, except 0, which no URL can use.
fn port_of(text: &str) -> Option<u16> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|port| digits && *port > 0)
}

fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(text);
    bare.parse().ok()
}

/// Normalizes a host for comparison with URLs: lower case, an international name in its ASCII form, no trailing dot.
fn normal(host: &str) -> Option<String> {
    let host = match Host::parse(host).ok()? {
        Host::Domain(name) => without_dot(&name).to_owned(),
        Host::Ipv4(address) => address.to_string(),
        Host::Ipv6(address) => address.to_string(),
    };
    // URLs may contain other characters in a host, but no name server knows such hosts.
    let is_name = host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._:".contains(&byte));
    (is_name && !host.is_empty()).then_some(host)
}

fn without_dot(host: &str) -> &str {
    host.strip_suffix('.').unwrap_or(host)
}

impl ResolveEntry {
    /// Reports whether the entry is for `endpoint`.
    pub(super) fn is_for(&self, endpoint: &Endpoint) -> bool {
        let is_host = self.host.as_deref().is_none_or(|host| host == without_dot(&endpoint.host));
        is_host && self.port == endpoint.port
    }

    fn replaces(&self, other: &Self) -> bool {
        self.host == other.host && self.port == other.port
    }

    /// Returns the addresses to connect to.
    pub(super) fn addresses(&self) -> &[IpAddr] {
        &self.addresses
    }

    /// Reports whether none of its addresses is of this family.
    pub fn is_only_of_other(&self, family: Family) -> bool {
        !self.addresses.is_empty() && !self.addresses.iter().any(|address| family.has(*address))
    }

    /// Returns `host:port`.
    pub fn name(&self) -> String {
        let host = self.host.as_deref().unwrap_or("*");
        if host.contains(':') { format!("[{host}]:{}", self.port) } else { format!("{host}:{}", self.port) }
    }
}

/// Returns the effective entries of those given: later ones replace earlier ones.
pub(super) fn table(given: &[ResolveEntry]) -> Vec<ResolveEntry> {
    let holds = |(at, entry): (usize, &ResolveEntry)| {
        let replaced = given.iter().skip(at + 1).any(|later| later.replaces(entry));
        (!replaced && !entry.addresses.is_empty()).then(|| entry.clone())
    };
    given.iter().enumerate().filter_map(holds).collect()
}

/// Finds the index of the entry for `endpoint` and marks it as used. An entry with its host ranks before one for any
/// host.
pub(super) fn find(table: &[ResolveEntry], endpoint: &Endpoint) -> Option<usize> {
    let of = |any: bool| table.iter().position(|entry| entry.host.is_none() == any && entry.is_for(endpoint));
    let at = of(false).or_else(|| of(true))?;
    // Relaxed is enough: the flag is read after all workers have been joined.
    table.get(at)?.used.store(true, Ordering::Relaxed);
    Some(at)
}

/// Returns the `host:port` of each effective entry that no connection has needed.
pub fn unused(given: &[ResolveEntry]) -> Vec<String> {
    let holding = table(given).into_iter();
    holding.filter(|entry| !entry.used.load(Ordering::Relaxed)).map(|entry| entry.name()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(texts: &[&str]) -> Vec<ResolveEntry> {
        texts.iter().map(|text| text.parse().expect(text)).collect()
    }

    fn found(table: &[ResolveEntry], url: &str) -> Option<String> {
        let endpoint = crate::vocabulary::SecretUrl::parse(url).expect(url).endpoint();
        let addresses = table.get(find(table, &endpoint)?)?.addresses();
        Some(addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(","))
    }

    #[test]
    fn every_form_that_curl_takes_matches() {
        for (entry, url, expected) in [
            ("cdn.example:443:127.0.0.1", "https://cdn.example/", "127.0.0.1"),
            ("CDN.example.:443:127.0.0.1", "https://cdn.EXAMPLE/", "127.0.0.1"),
            ("cdn.example:443:127.0.0.1", "https://cdn.example./", "127.0.0.1"),
            ("+cdn.example:80:127.0.0.1,[::1],::2", "http://cdn.example/", "127.0.0.1,::1,::2"),
            ("*:8443:[::1]", "https://any.example:8443/", "::1"),
            ("[2001:DB8::1]:80:127.0.0.1", "http://[2001:db8::1]/", "127.0.0.1"),
            ("127.0.0.1:80:127.0.0.2", "http://127.0.0.1/", "127.0.0.2"),
            ("bücher.example:80:::1", "http://b%C3%BCcher.example/", "::1"),
            ("a_b.example:80:::1", "http://a_b.example/", "::1"),
        ] {
            assert_eq!(found(&table(&entries(&[entry])), url).as_deref(), Some(expected), "{entry}");
        }
    }

    #[test]
    fn what_could_never_match_is_refused() {
        for text in [
            "",
            "h",
            "h:1",
            "h:x:127.0.0.1",
            "h:0:127.0.0.1",
            "h:65536:127.0.0.1",
            "h:1:name",
            "h:1:",
            "h:1:::1,",
            ":1:127.0.0.1",
            "*.example:1:::1",
            "http://h:1:::1",
            " h:1:::1",
            "h:1: ::1",
            "::1:80:127.0.0.1",
            "[::1:80:::1",
            "h/x:1:::1",
            "-h",
            "-h:1:::1",
            "+",
            "-",
            "++h:1:::1",
            "u@h:1:::1",
            "h:+1:::1",
        ] {
            assert!(text.parse::<ResolveEntry>().is_err(), "{text}");
        }
    }

    #[test]
    fn later_entries_replace_earlier_ones_and_a_host_beats_any_host() {
        let given = entries(&["h:80:::1", "*:80:::9", "h:80:::2", "x:80:::3", "-x:80", "-never:80"]);
        let table = table(&given);
        assert_eq!(found(&table, "http://h/").as_deref(), Some("::2"));
        assert_eq!(found(&table, "http://x/").as_deref(), Some("::9"), "removed");
        assert_eq!(found(&table, "http://h:81/"), None);
    }

    #[test]
    fn an_entry_that_no_connection_needed_is_found_at_the_end() {
        let given = entries(&["h:80:::1", "h:443:::1", "*:81:::1", "[::2]:80:::1", "-h:82"]);
        let table = table(&given);
        assert!(found(&table, "http://h/").is_some());
        assert_eq!(unused(&given), ["h:443", "*:81", "[::2]:80"]);
    }
}
