//! Endpoints and protocol of a connection: known to the network, counted by the statistics.

// `core::net` has addresses only; the sockets of `std::net` are for the layers above.
use core::net::{IpAddr, SocketAddr};

/// Endpoints and protocol of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionRoute {
    /// Address of the peer.
    pub edge: SocketAddr,
    /// Address of this machine.
    pub source: IpAddr,
    /// True for HTTP/2, false for HTTP/1.1.
    pub http2: bool,
    /// True if the TLS session was resumed; `None` without TLS.
    pub resumed: Option<bool>,
}
