//! Choices of the operator about the way to a host: the version of HTTP and the addresses that are connected to.

use std::net::IpAddr;
use std::sync::Arc;

use super::{Family, Proxies, Proxy};
use crate::vocabulary::secret_url::Endpoint;
use crate::vocabulary::{SecretUrl, Untrusted};

/// Version of HTTP that clients speak.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HttpVersion {
    /// HTTP/2 if a server offers it over TLS, else HTTP/1.1.
    #[default]
    Agreed,
    /// HTTP/1.1 alone.
    Http1,
    /// HTTP/2 alone; without TLS with prior knowledge (RFC 9113 section 3.3).
    Http2,
}

impl HttpVersion {
    /// Returns the names by which TLS offers the accepted versions, the preferred one first.
    pub(super) fn offered(self) -> Vec<Vec<u8>> {
        let names: &[&[u8]] = match self {
            Self::Agreed => &[b"h2", b"http/1.1"],
            Self::Http1 => &[b"http/1.1"],
            Self::Http2 => &[b"h2"],
        };
        names.iter().map(|name| name.to_vec()).collect()
    }

    /// Returns the name and the option of the one version that is accepted.
    const fn only(self) -> (&'static str, &'static str) {
        match self {
            Self::Http2 => ("HTTP/2", "--http2"),
            Self::Http1 | Self::Agreed => ("HTTP/1.1", "--http1.1"),
        }
    }

    /// Explains a handshake in which the server did not agree to the one version that was offered.
    pub(super) fn disagreement(self) -> String {
        let (name, option) = self.only();
        format!("the server does not agree to {name} ({option})")
    }

    /// Explains a connection without TLS whose server does not speak the one version that was used.
    pub(super) fn misunderstanding(self) -> String {
        let (name, option) = self.only();
        format!("the server does not take {name} without TLS ({option})")
    }

    /// Returns the option without which the server would have answered, if `explanation` says that it speaks another
    /// version.
    pub fn option_of(explanation: &str) -> Option<&'static str> {
        let excludes = |version: &Self| {
            [version.disagreement(), version.misunderstanding()].contains(&explanation.to_owned())
        };
        [Self::Http1, Self::Http2].into_iter().find(excludes).map(|version| version.only().1)
    }
}

/// Error of a client that has no address of the family of its peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NoSource;

/// Choices of the operator about the way to a host.
#[derive(Clone, Debug, Default)]
pub struct Transport {
    /// Version of HTTP.
    pub version: HttpVersion,
    /// The only family of addresses that is connected to; `None`: both.
    pub family: Option<Family>,
    /// Addresses of this machine that connections come from, dealt out among the clients; empty: the system chooses.
    pub sources: Arc<[IpAddr]>,
    /// Proxies; `None`: every host is connected to directly.
    pub proxies: Option<Proxies>,
    /// Begin of a parameter that makes each request differ from all others for a cache (`--no-cache=query`).
    pub unique: Option<Arc<str>>,
}

impl Transport {
    /// Returns the address from which the client with this number connects to `peer`; `None` if the system chooses it.
    ///
    /// # Errors
    /// No given address is of the family of `peer`.
    pub(super) fn source(&self, peer: IpAddr, client: u64) -> Result<Option<IpAddr>, NoSource> {
        if self.sources.is_empty() {
            return Ok(None);
        }
        let fitting = || self.sources.iter().filter(|source| source.is_ipv4() == peer.is_ipv4());
        let at = client.checked_rem(fitting().count() as u64).ok_or(NoSource)?;
        fitting().nth(at as usize).copied().map(Some).ok_or(NoSource)
    }

    /// Says why no connection to `target` can come from the given sources, if it has these addresses; `None`: one can, or a
    /// proxy makes it.
    pub fn lacks_source(&self, target: &SecretUrl, addresses: &[IpAddr]) -> Option<String> {
        let endpoint = target.endpoint();
        let is_reached = |address: &IpAddr| self.source(*address, 0).is_ok();
        if addresses.is_empty() || self.proxy(&endpoint).is_some() || addresses.iter().any(is_reached) {
            return None;
        }
        let [given, source] = [self.sources.first(), addresses.first()]
            .map(|address| address.map_or("", |address| if address.is_ipv4() { "IPv4" } else { "IPv6" }));
        let sources = self.sources.iter().map(IpAddr::to_string).collect::<Vec<_>>().join(",");
        let host = Untrusted::new(&endpoint.host).shown();
        Some(format!(
            "--local-addr {sources}: an {given} address, but {host} has only {source} addresses; expected an {source} address of this machine"
        ))
    }

    /// Returns the proxy for connections to `endpoint`.
    pub(super) fn proxy(&self, endpoint: &Endpoint) -> Option<&Proxy> {
        self.proxies.as_ref()?.of(endpoint)
    }

    /// Returns the proxy to which requests for `endpoint` are sent, with whole URLs. HTTP/2 needs a tunnel.
    pub(super) fn forward_proxy(&self, endpoint: &Endpoint) -> Option<&Proxy> {
        self.proxies.as_ref()?.forward(endpoint).filter(|_| !self.knows_http2(endpoint))
    }

    /// Reports whether a proxy resolves the name of the host of `endpoint`, so that its addresses are unknown here.
    pub fn hides(&self, endpoint: &Endpoint) -> bool {
        self.proxy(endpoint).is_some_and(Proxy::resolves_names) && endpoint.host.parse::<IpAddr>().is_err()
    }

    /// Returns the turn of a client among the addresses of a host. Clients that have the same source take turns, so that
    /// every source is used with every address.
    pub(super) fn turn(&self, client: u64) -> u64 {
        client / self.sources.len().max(1) as u64
    }

    /// Returns the factor by which the given sources multiply the local ports of this machine.
    pub fn port_ranges(&self) -> u64 {
        let v4 = self.sources.iter().filter(|source| source.is_ipv4()).count();
        v4.max(self.sources.len() - v4).max(1) as u64
    }

    /// Reports whether requests to `endpoint` use HTTP/2 without asking: over TLS both sides agree on the version.
    pub(super) fn knows_http2(&self, endpoint: &Endpoint) -> bool {
        self.version == HttpVersion::Http2 && !endpoint.tls
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_dealt_out_among_clients_by_the_family_of_the_peer() {
        let addresses = ["127.0.0.2", "::1", "127.0.0.3"].map(|text| text.parse().expect(text));
        let transport = Transport { sources: addresses.into(), ..Transport::default() };
        let [v4, v6] = ["127.0.0.1", "::5"].map(|text| text.parse().expect(text));
        let sources = |peer| [0, 1, 2, 3].map(|client| transport.source(peer, client).expect("a source"));
        let [a, six, b] = addresses.map(Some);
        assert_eq!((sources(v4), sources(v6)), ([a, b, a, b], [six; 4]));
        assert_eq!(transport.port_ranges(), 2);
        let only = Transport { sources: [v4].into(), ..Transport::default() };
        assert_eq!((only.source(v6, 7), only.source(v4, 7)), (Err(NoSource), Ok(Some(v4))));
        let none = Transport::default();
        assert_eq!((none.source(v4, 7), none.port_ranges()), (Ok(None), 1));
    }

    #[test]
    fn a_target_without_an_address_of_the_family_of_the_sources_is_named() {
        let transport = |sources: &[&str]| {
            let sources = sources.iter().map(|text| text.parse().expect(text)).collect();
            Transport { sources, ..Transport::default() }
        };
        let url = SecretUrl::parse("http://u:hunter2@h/a?hunter2").expect("a URL");
        let [v4, v6]: [IpAddr; 2] = ["127.0.0.1", "::1"].map(|text| text.parse().expect(text));
        let said = transport(&["::1"]).lacks_source(&url, &[v4]).expect("no source");
        let expected = "--local-addr ::1: an IPv6 address, but h has only IPv4 addresses; expected an IPv4 address of this machine";
        assert_eq!(said, expected);
        for (sources, addresses) in
            [(&["::1"][..], &[v4, v6][..]), (&["::1", "127.0.0.1"], &[v4]), (&[], &[v4]), (&["::1"], &[])]
        {
            assert_eq!(transport(sources).lacks_source(&url, addresses), None);
        }
    }

    #[test]
    fn every_source_is_used_with_every_address_of_a_host() {
        let sources = ["127.0.0.2", "127.0.0.3"].map(|text| text.parse().expect(text));
        let transport = Transport { sources: sources.into(), ..Transport::default() };
        let peer = "127.0.0.1".parse().expect("an address");
        let pair = |client| (transport.source(peer, client).expect("a source"), transport.turn(client) % 2);
        let mut pairs: Vec<_> = (0..4).map(pair).collect();
        pairs.sort_unstable();
        pairs.dedup();
        assert_eq!(pairs.len(), 4, "two sources, two addresses: {pairs:?}");
    }
}
