//! Entry point for fuzzing the scope of a run; see [`crate::fuzzing`].

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{Lead, Network, Scope, ScopeOptions};
use crate::vocabulary::SecretUrl;

/// Address of a host on the Internet.
const PUBLIC: IpAddr = IpAddr::V4(Ipv4Addr::new(93, 184, 215, 14));

/// Reads any bytes as five lines: options (`c`: `--follow-cdn`, `d`: `--allow-downgrade`, `p`: stay private), the
/// target, a reference of its playlist, the address to which that resolves, and an allowed host. No options and no
/// URL may let a client use an address that no stream has, or one of a private network for a target on the Internet.
pub fn scope(data: &[u8]) {
    let mut lines = data.splitn(5, |byte| *byte == b'\n');
    let [letters, target, reference, address, host] = [(); 5].map(|()| lines.next().unwrap_or_default());
    let [target, reference, host] = [target, reference, host].map(String::from_utf8_lossy);
    let Ok(target) = SecretUrl::parse(&target) else { return };
    let options = ScopeOptions {
        hosts: host.parse().into_iter().collect(),
        follow_cdn: letters.contains(&b'c'),
        allow_downgrade: letters.contains(&b'd'),
    };
    let (allows_downgrade, has_hosts) = (options.allow_downgrade, !options.hosts.is_empty());
    let scope = Scope::new(&target, &[], options);
    if letters.contains(&b'p') {
        scope.stay_private(Vec::new());
    }
    let address = address_of(address);
    let unknown = scope.refuses(address);
    scope.learn(&[PUBLIC]);
    assert_eq!(scope.refuses(address), unknown, "an unknown network counts as public: {address}");
    // A later answer must not open what the first one has closed.
    scope.learn(&[Ipv4Addr::LOCALHOST.into()]);
    assert_eq!(scope.refuses(address), unknown, "only the first answer decides: {address}");
    let is_closed = scope.network() == Some(Network::Public) && !has_hosts;
    let must_refuse = is_never_used(address) || (is_closed && is_private(address));
    assert!(unknown.is_some() || !must_refuse, "{address} for {}", target.endpoint().authority());
    let Ok(url) = target.join(&reference) else { return };
    assert!(scope.refuses_at(&url.endpoint(), address).is_some() || unknown.is_none(), "{address}");
    for lead in [Lead::Given, Lead::SecurePlaylist, Lead::Redirect(&target)] {
        if scope.check(&url, lead).is_err() {
            continue;
        }
        let is_downgrade = lead.is_secure() && !url.is_secure();
        assert!(!is_downgrade || allows_downgrade, "http after https");
        let literal = url.endpoint().host.parse::<IpAddr>().ok().filter(|_| !scope.is_at_home(&url));
        assert!(literal.is_none_or(|address| scope.refuses(address).is_none()), "{literal:?} is requested");
    }
}

/// Reads an address as text, or else the first 16 bytes as one of IPv6.
fn address_of(bytes: &[u8]) -> IpAddr {
    let text = std::str::from_utf8(bytes).ok();
    text.and_then(|text| text.parse().ok()).unwrap_or_else(|| {
        let mut octets = [0; 16];
        octets.iter_mut().zip(bytes).for_each(|(octet, byte)| *octet = *byte);
        Ipv6Addr::from(octets).into()
    })
}

/// Reports whether no stream is at such an address, as the standard library sees it and not our own table.
fn is_never_used(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            address.is_link_local()
                || address.is_multicast()
                || address.is_broadcast()
                || address.is_unspecified()
        }
        IpAddr::V6(address) => {
            address.is_unicast_link_local() || address.is_multicast() || address.is_unspecified()
        }
    }
}

/// Reports the same of addresses of this machine and of private networks.
fn is_private(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => address.is_private() || address.is_loopback(),
        IpAddr::V6(address) => address.is_unique_local() || address.is_loopback(),
    }
}
