//! Hosts of URLs, compared as the scope of a run needs it.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use url::Host;

use super::address::AddressClass;
use crate::vocabulary::SecretUrl;
use crate::vocabulary::secret_url::Endpoint;

/// Host of a URL: an address, or a name without a trailing dot.
///
/// Two ports of a host are the same host: operators think of a server, and a stream often has its playlists on one
/// port and its media on another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HostRef<'a> {
    Address(IpAddr),
    Name(&'a str),
}

impl<'a> HostRef<'a> {
    /// Returns the host of a URL; `None` if it has none.
    pub(super) fn from_url(url: &'a SecretUrl) -> Option<Self> {
        Some(match url.host()? {
            Host::Ipv4(address) => Self::Address(address.into()),
            // A mapped address is the IPv4 address in another spelling.
            Host::Ipv6(address) => Self::Address(IpAddr::V6(address).to_canonical()),
            Host::Domain(name) => Self::Name(without_dot(name)),
        })
    }

    /// Returns the host of an endpoint.
    pub(super) fn from_endpoint(endpoint: &'a Endpoint) -> Self {
        match endpoint.host.parse::<IpAddr>() {
            Ok(address) => Self::Address(address.to_canonical()),
            Err(_) => Self::Name(without_dot(&endpoint.host)),
        }
    }

    /// Reports whether the host itself says that it is on a private network, or this machine.
    pub(super) fn is_private(self) -> bool {
        match self {
            Self::Address(address) => AddressClass::new(address).is_private(),
            Self::Name(_) => self.is_loopback(),
        }
    }

    /// Reports whether the host is this machine by its address, or by the name reserved for it (RFC 6761 section 6.3).
    pub(super) fn is_loopback(self) -> bool {
        match self {
            Self::Address(address) => address.is_loopback(),
            Self::Name(name) => name == "localhost" || name.ends_with(".localhost"),
        }
    }
}

impl fmt::Display for HostRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Name(name) => f.write_str(name),
        }
    }
}

fn without_dot(name: &str) -> &str {
    name.strip_suffix('.').unwrap_or(name)
}

/// Returns the domain that one owner has registered, with everything below it: `example.co.uk` of
/// `a.b.example.co.uk`. `None` for a name that is not below a public suffix, such as `localhost` or `co.uk` itself.
///
/// The public suffix list includes hosters whose customers share a domain: two of them are not one owner.
pub(super) fn registrable_domain(name: &str) -> Option<&str> {
    psl2::lookup(name)?.registrable_domain()
}

/// A host that the operator adds to the scope: `cdn.example.net`, `192.0.2.7`, or `*.example.net` for every name below
/// `example.net`, but not that name itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedHost(Pattern);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Pattern {
    Address(IpAddr),
    Name(Box<str>),
    Below(Box<str>),
}

/// Error for a text that is not a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a host without scheme, port and path, such as cdn.example.net, *.example.net or 192.0.2.7")]
pub struct AllowedHostError;

impl FromStr for AllowedHost {
    type Err = AllowedHostError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (below, host) = match text.strip_prefix("*.") {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let bare_v6 = host.parse().ok().map(Host::Ipv6);
        let host = bare_v6.or_else(|| Host::parse(host).ok()).ok_or(AllowedHostError)?;
        Ok(Self(match host {
            Host::Domain(name) if is_name(without_dot(&name)) => {
                let name = without_dot(&name).into();
                if below { Pattern::Below(name) } else { Pattern::Name(name) }
            }
            Host::Ipv4(address) if !below => Pattern::Address(address.into()),
            Host::Ipv6(address) if !below => Pattern::Address(IpAddr::V6(address).to_canonical()),
            _ => return Err(AllowedHostError),
        }))
    }
}

/// Reports whether a name can be looked up. URLs may contain other characters in a host, such as a stray `*`.
fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
}

impl AllowedHost {
    /// Reports whether `host` is meant.
    pub(super) fn is(&self, host: HostRef<'_>) -> bool {
        match (&self.0, host) {
            (Pattern::Address(meant), HostRef::Address(address)) => *meant == address,
            (Pattern::Name(meant), HostRef::Name(name)) => **meant == *name,
            (Pattern::Below(meant), HostRef::Name(name)) => {
                name.strip_suffix(&**meant).is_some_and(|before| before.ends_with('.'))
            }
            _ => false,
        }
    }

    /// Reports whether the host of `url`, and no other, is meant.
    pub fn is_exactly(&self, url: &SecretUrl) -> bool {
        HostRef::from_url(url).is_some_and(|host| self.names(host))
    }

    /// Reports whether `host`, and no other, is meant.
    pub(super) fn names(&self, host: HostRef<'_>) -> bool {
        !matches!(self.0, Pattern::Below(_)) && self.is(host)
    }

    /// Reports whether an option that is given `host` means exactly that host. A text that begins with `-` would be
    /// taken for another option.
    pub(super) fn accepts(host: &str) -> bool {
        let parsed = host.parse().ok().filter(|Self(pattern)| !matches!(pattern, Pattern::Below(_)));
        parsed.is_some() && !host.starts_with('-')
    }

    /// Returns the address that is meant, if it is one.
    pub(super) fn address(&self) -> Option<IpAddr> {
        if let Pattern::Address(address) = self.0 { Some(address) } else { None }
    }
}

impl fmt::Display for AllowedHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Pattern::Address(address) => address.fmt(f),
            Pattern::Name(name) => f.write_str(name),
            Pattern::Below(name) => write!(f, "*.{name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(pattern: &str, url: &str) -> bool {
        let pattern: AllowedHost = pattern.parse().expect(pattern);
        pattern.is(HostRef::from_url(&SecretUrl::parse(url).expect(url)).expect("a host"))
    }

    #[test]
    fn an_allowed_host_is_itself_at_every_port_and_in_every_spelling() {
        for (pattern, url) in [
            ("cdn.example.net", "http://CDN.example.net:8080/a"),
            ("CDN.Example.net.", "https://cdn.example.net./a"),
            ("bücher.example", "http://xn--bcher-kva.example/"),
            ("*.example.net", "http://a.b.example.net/"),
            ("192.0.2.7", "http://192.0.2.7:81/"),
            ("127.1", "http://0x7f000001/"),
            ("::1", "http://[::1]/"),
            ("[2001:DB8::7]", "http://[2001:db8::7]:443/"),
            ("10.0.0.1", "http://[::ffff:10.0.0.1]/"),
        ] {
            assert!(allows(pattern, url), "{pattern} {url}");
        }
        for (pattern, url) in [
            ("cdn.example.net", "http://a.cdn.example.net/"),
            ("*.example.net", "http://example.net/"),
            ("*.example.net", "http://badexample.net/"),
            ("192.0.2.7", "http://192.0.2.8/"),
        ] {
            assert!(!allows(pattern, url), "{pattern} {url}");
        }
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for text in [
            "",
            "*",
            "*.",
            "*.*.example.net",
            "a.*.net",
            "http://cdn.example.net",
            "cdn.example.net:443",
            "cdn.example.net/a",
            "user@cdn.example.net",
            "*.10.0.0.1",
            "a b",
            "[::1",
        ] {
            assert_eq!(text.parse::<AllowedHost>(), Err(AllowedHostError), "{text}");
        }
    }

    #[test]
    fn a_domain_belongs_to_one_owner() {
        for (name, domain) in [
            ("a.b.example.com", Some("example.com")),
            ("example.com", Some("example.com")),
            ("a.example.co.uk", Some("example.co.uk")),
            // Customers of one hoster are different owners.
            ("d111.cloudfront.net", Some("d111.cloudfront.net")),
            ("x.d111.cloudfront.net", Some("d111.cloudfront.net")),
            ("cdn.example", Some("cdn.example")),
            ("co.uk", None),
            ("com", None),
            ("localhost", None),
        ] {
            assert_eq!(registrable_domain(name), domain, "{name}");
        }
    }
}
