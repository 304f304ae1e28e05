//! Classes of network addresses: those that no run may use, and those that only runs on a private network may use.
//!
//! The ranges are those of the IANA registries of special-purpose addresses (RFC 6890). An IPv6 address that carries
//! an IPv4 address (mapped, compatible, NAT64, 6to4) has the class of the address within: a gateway may unpack it.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::vocabulary::outcome::Fault;

/// Addresses outside the link-local ranges at which clouds serve the credentials of a machine: Alibaba Cloud, Oracle
/// Cloud, Azure.
const METADATA_V4: [Ipv4Addr; 3] =
    [Ipv4Addr::new(100, 100, 100, 200), Ipv4Addr::new(192, 0, 0, 192), Ipv4Addr::new(168, 63, 129, 16)];
/// The same over IPv6: Google Cloud. Amazon Web Services has a network of its own for it, `fd00:ec2::/32`.
const METADATA_V6: [Ipv6Addr; 1] = [Ipv6Addr::new(0xfd20, 0x00ce, 0, 0, 0, 0, 0, 0x0254)];

/// Class of a network address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressClass {
    /// Reachable from everywhere, as far as the address says.
    Public,
    /// Of a private network, a network that carriers share, a benchmark (RFC 2544) or a tunnel whose other end is
    /// unknown. Addresses for documentation (RFC 5737) count as public: no host has them.
    Private,
    /// Of this machine.
    Loopback,
    /// Of one link, without a router: also the usual place of a cloud's metadata.
    LinkLocal,
    /// A cloud's metadata service, which hands out credentials.
    Metadata,
    /// No address of a host: `0.0.0.0/8` and `::`, which some systems connect to themselves.
    Unspecified,
    /// Of a group of hosts: multicast, broadcast, and the reserved range beside them.
    Group,
}

impl AddressClass {
    /// Returns the fault of a connection to an address of this class that the scope refuses. A public address is no
    /// danger by itself: its host lacks the confirmation.
    pub(in crate::net) const fn fault(self) -> Fault {
        match self {
            Self::Public => Fault::PolicyHost,
            _ => Fault::PolicyAddress,
        }
    }

    /// Returns the class of `address`.
    pub fn new(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => Self::from_v4(address),
            IpAddr::V6(address) => Self::from_v6(address),
        }
    }

    fn from_v4(address: Ipv4Addr) -> Self {
        match address.octets() {
            _ if METADATA_V4.contains(&address) => Self::Metadata,
            [0, ..] => Self::Unspecified,
            [127, ..] => Self::Loopback,
            [169, 254, ..] => Self::LinkLocal,
            [224..=255, ..] => Self::Group,
            // RFC 1918, carriers (RFC 6598), IETF protocols (RFC 6890), benchmarks (RFC 2544).
            [10, ..] | [172, 16..=31, ..] | [192, 168, ..] | [100, 64..=127, ..] => Self::Private,
            [192, 0, 0, _] | [198, 18 | 19, ..] => Self::Private,
            _ => Self::Public,
        }
    }

    fn from_v6(address: Ipv6Addr) -> Self {
        if let Some(within) = carried(address) {
            return Self::from_v4(within);
        }
        match address.segments() {
            [0xfd00, 0x0ec2, ..] => Self::Metadata,
            _ if METADATA_V6.contains(&address) => Self::Metadata,
            [0, 0, 0, 0, 0, 0, 0, 0] => Self::Unspecified,
            [0, 0, 0, 0, 0, 0, 0, 1] => Self::Loopback,
            [0xff00..=0xffff, ..] => Self::Group,
            [0xfe80..=0xfebf, ..] => Self::LinkLocal,
            // NAT64 of one network (RFC 8215). Its gateway mostly unpacks the last 32 bits; zeros there are the end of
            // a longer suffix.
            [0x0064, 0xff9b, 1, .., high, low] => match Self::from_v4(joined(high, low)) {
                class @ (Self::LinkLocal | Self::Metadata | Self::Group) => class,
                _ => Self::Private,
            },
            // Unique local (RFC 4193), site-local (RFC 3879), Teredo (RFC 4380), whose clients are behind a NAT.
            [0xfc00..=0xfdff | 0xfec0..=0xfeff, ..] | [0x2001, 0, ..] => Self::Private,
            _ => Self::Public,
        }
    }

    /// Reports whether no run may use such an address, whatever the operator says.
    pub fn is_never_used(self) -> bool {
        matches!(self, Self::LinkLocal | Self::Metadata | Self::Unspecified | Self::Group)
    }

    /// Reports whether such an address belongs to a network of its own: this machine, or a private one.
    pub fn is_private(self) -> bool {
        matches!(self, Self::Private | Self::Loopback)
    }
}

/// Returns the IPv4 address that an IPv6 address carries for a gateway or the kernel to unpack.
fn carried(address: Ipv6Addr) -> Option<Ipv4Addr> {
    match address.segments() {
        // `::` and `::1` are addresses themselves.
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => None,
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] | [0x0064, 0xff9b, 0, 0, 0, 0, high, low] => {
            Some(joined(high, low))
        }
        [0x2002, high, low, ..] => Some(joined(high, low)),
        _ => None,
    }
}

/// Returns the IPv4 address in two segments of an IPv6 address.
fn joined(high: u16, low: u16) -> Ipv4Addr {
    let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
    Ipv4Addr::new(a, b, c, d)
}

impl fmt::Display for AddressClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Public => "a public address",
            Self::Private => "a private address",
            Self::Loopback => "a loopback address",
            Self::LinkLocal => "a link-local address",
            Self::Metadata => "the metadata service of a cloud",
            Self::Unspecified => "not the address of a host",
            Self::Group => "a multicast, broadcast or reserved address",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_has_its_class() {
        use AddressClass::{Group, LinkLocal, Loopback, Metadata, Private, Public, Unspecified};
        for (address, class) in [
            ("93.184.215.14", Public),
            ("9.255.255.255", Public),
            ("11.0.0.0", Public),
            ("172.15.255.255", Public),
            ("172.32.0.0", Public),
            ("100.63.255.255", Public),
            ("100.128.0.0", Public),
            ("223.255.255.255", Public),
            ("2606:4700::1", Public),
            ("10.0.0.0", Private),
            ("172.16.0.0", Private),
            ("172.31.255.255", Private),
            ("192.168.1.1", Private),
            ("100.64.0.0", Private),
            ("100.127.255.255", Private),
            ("198.18.0.1", Private),
            ("192.0.0.8", Private),
            ("fc00::", Private),
            ("fdff::1", Private),
            ("fec0::1", Private),
            ("192.0.2.1", Public),
            ("198.51.100.1", Public),
            ("127.0.0.1", Loopback),
            ("127.255.255.255", Loopback),
            ("::1", Loopback),
            ("169.254.0.0", LinkLocal),
            ("169.254.169.254", LinkLocal),
            ("fe80::1", LinkLocal),
            ("febf:ffff::1", LinkLocal),
            ("100.100.100.200", Metadata),
            ("192.0.0.192", Metadata),
            ("168.63.129.16", Metadata),
            ("fd00:ec2::254", Metadata),
            ("fd00:ec2::253", Metadata),
            ("fd00:ec2:1::", Metadata),
            ("fd00:ec1::254", Private),
            ("fd20:ce::254", Metadata),
            ("0.0.0.0", Unspecified),
            ("0.1.2.3", Unspecified),
            ("::", Unspecified),
            ("224.0.0.1", Group),
            ("239.255.255.255", Group),
            ("240.0.0.0", Group),
            ("255.255.255.255", Group),
            ("ff02::1", Group),
        ] {
            assert_eq!(AddressClass::new(address.parse().expect(address)), class, "{address}");
        }
    }

    #[test]
    fn an_address_within_another_has_the_class_that_its_gateway_would_reach() {
        use AddressClass::{Group, LinkLocal, Loopback, Metadata, Private, Public, Unspecified};
        for (address, class) in [
            // Mapped, compatible, NAT64, 6to4.
            ("::ffff:127.0.0.1", Loopback),
            ("::ffff:169.254.169.254", LinkLocal),
            ("::ffff:0.0.0.0", Unspecified),
            ("::ffff:93.184.215.14", Public),
            ("::10.0.0.1", Private),
            ("64:ff9b::10.0.0.1", Private),
            ("64:ff9b::a9fe:a9fe", LinkLocal),
            ("64:ff9b::808:808", Public),
            ("2002:a9fe:a9fe::1", LinkLocal),
            ("2002:7f00:1::", Loopback),
            // NAT64 of one network, Teredo.
            ("64:ff9b:1::a00:1", Private),
            ("64:ff9b:1::808:808", Private),
            ("64:ff9b:1:a00::", Private),
            ("2001::1", Private),
            ("2001:0:4136:e378:8000:63bf:3fff:fdd2", Private),
            ("2001:1::1", Public),
            ("64:ff9b:1::a9fe:a9fe", LinkLocal),
            ("64:ff9b:1:2:3:4:6464:64c8", Metadata),
            ("64:ff9b:1::ffff:ffff", Group),
        ] {
            assert_eq!(AddressClass::new(address.parse().expect(address)), class, "{address}");
        }
    }

    #[test]
    fn only_public_private_and_loopback_addresses_are_ever_used() {
        for (address, never, private) in [
            ("93.184.215.14", false, false),
            ("10.0.0.1", false, true),
            ("::1", false, true),
            ("169.254.169.254", true, false),
            ("fd00:ec2::254", true, false),
            ("0.0.0.0", true, false),
            ("255.255.255.255", true, false),
        ] {
            let class = AddressClass::new(address.parse().expect(address));
            assert_eq!((class.is_never_used(), class.is_private()), (never, private), "{address}");
        }
    }
}
