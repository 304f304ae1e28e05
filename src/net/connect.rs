//! Opens a connection: name resolution, TCP and TLS, each timed and under its own deadline.

use std::cell::{Cell, RefCell};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

#[cfg(target_os = "linux")]
use rustix::net::RecvFlags;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, HandshakeKind};
#[cfg(target_os = "linux")]
use tokio::io::Interest;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::deadline::Deadline;
use super::io_fault::fault;
use super::race::race;
use super::resolve::{Addresses, Resolver};
use super::scope::{AddressClass, Scope};
use super::transport::{HttpVersion, NoSource, Transport};
use super::{ConnectTimings, ConnectionInfo, tls};
use crate::vocabulary::clock::micros;
use crate::vocabulary::outcome::{Class, Fault};
use crate::vocabulary::secret_url::Endpoint;
use crate::vocabulary::{ConnectionRoute, limits};

/// A byte stream to an endpoint.
#[derive(Debug)]
pub(super) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Stream {
    /// Discards bytes of the stream, at most `room.len()`, and returns their count: 0 at the end of the stream. The
    /// content of `room` is unspecified afterwards.
    ///
    /// On plain TCP, Linux discards the bytes in the kernel (tcp(7), `MSG_TRUNC`): copying the body would be the
    /// largest part of the cost of a media request.
    pub(super) fn poll_drop(
        &mut self,
        context: &mut Context<'_>,
        room: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        match self {
            #[cfg(target_os = "linux")]
            Self::Plain(stream) => poll_truncated(stream, context, room),
            stream => {
                let mut buffer = ReadBuf::new(room);
                ready!(Pin::new(stream).poll_read(context, &mut buffer))?;
                Poll::Ready(Ok(buffer.filled().len()))
            }
        }
    }
}

#[cfg(target_os = "linux")]
fn poll_truncated(stream: &TcpStream, context: &mut Context<'_>, room: &mut [u8]) -> Poll<io::Result<usize>> {
    loop {
        ready!(stream.poll_read_ready(context))?;
        let mut dropped = None;
        let tried = stream.try_io(Interest::READABLE, || {
            let (count, _) = rustix::net::recv(stream, &mut *room, RecvFlags::TRUNC)?;
            dropped = Some(count);
            // A short count means that the socket is empty: clear its readiness, so that the next call waits at once.
            if count > 0 && count < room.len() { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(()) }
        });
        match (dropped, tried) {
            (Some(count), _) => return Poll::Ready(Ok(count)),
            (None, Err(error)) if error.kind() != io::ErrorKind::WouldBlock => {
                return Poll::Ready(Err(error));
            }
            (None, _) => {}
        }
    }
}

/// A connection that is ready for a request.
#[derive(Debug)]
pub(super) struct Connected {
    pub(super) stream: Stream,
    pub(super) opening: ConnectionInfo,
}

/// Opens connections for one client.
pub(super) struct Connector<'a> {
    pub(super) resolver: &'a Resolver,
    /// Decides which addresses may be connected to.
    pub(super) scope: &'a Scope,
    pub(super) transport: &'a Transport,
    /// Number of the client.
    pub(super) client: u64,
    /// Created with the first `https` URL: a client of a plain stream carries no TLS.
    pub(super) tls: &'a RefCell<Option<Arc<ClientConfig>>>,
    pub(super) settings: &'a tls::TlsSettings,
    /// Receives the reason of a failure where the fault alone does not say enough: why a certificate was refused, or
    /// an address.
    pub(super) reason: &'a Cell<Option<String>>,
}

impl Connector<'_> {
    /// Opens a connection to `endpoint` and moves `deadline` through the phases.
    pub(super) async fn connect(&self, endpoint: &Endpoint, deadline: &Deadline) -> Result<Connected, Fault> {
        let mut timings = ConnectTimings::default();
        let (edge, tcp) = match self.transport.proxy(endpoint) {
            None => self.reach(endpoint, deadline, &mut timings).await?,
            // Boxed: the future is not part of those of clients without a proxy.
            Some(proxy) => Box::pin(self.through(proxy, endpoint, deadline, &mut timings)).await?,
        };
        let source = tcp.local_addr().map_or(edge.ip(), |address| address.ip());
        let http2 = self.transport.knows_http2(endpoint);
        let plain = ConnectionRoute { edge, source, http2, resumed: None };
        if !endpoint.tls {
            let opening = ConnectionInfo { timings, route: plain };
            return Ok(Connected { stream: Stream::Plain(tcp), opening });
        }

        deadline.enter(Fault::TimeoutTls, limits::TLS_TIMEOUT);
        let begun = Instant::now();
        let stream = self.shake_hands(endpoint, tcp).await?;
        timings.tls_us = Some(micros(begun.elapsed()));
        let session = stream.get_ref().1;
        let http2 = session.alpn_protocol() == Some(b"h2");
        let resumed = Some(session.handshake_kind() == Some(HandshakeKind::Resumed));
        let opening = ConnectionInfo { timings, route: ConnectionRoute { http2, resumed, ..plain } };
        Ok(Connected { stream: Stream::Tls(Box::new(stream)), opening })
    }

    /// Resolves the host of `endpoint` and connects to one of its addresses.
    async fn reach(
        &self,
        endpoint: &Endpoint,
        deadline: &Deadline,
        timings: &mut ConnectTimings,
    ) -> Result<(SocketAddr, TcpStream), Fault> {
        let mut addresses = self.addresses(endpoint, deadline, timings).await?;
        deadline.enter(Fault::TimeoutConnect, limits::CONNECT_TIMEOUT);
        let begun = Instant::now();
        let reached = self.connect_first(endpoint, &mut addresses).await?;
        timings.connect_us = Some(micros(begun.elapsed()));
        Ok(reached)
    }

    /// Resolves the host of `endpoint`, and learns the network of the target.
    pub(super) async fn addresses(
        &self,
        endpoint: &Endpoint,
        deadline: &Deadline,
        timings: &mut ConnectTimings,
    ) -> Result<Addresses, Fault> {
        deadline.enter(Fault::TimeoutDns, limits::DNS_TIMEOUT);
        let begun = Instant::now();
        let turn = self.transport.turn(self.client);
        let mut addresses = self.resolver.resolve(endpoint, turn).await.inspect_err(|fault| {
            if *fault == Fault::PolicyAddress {
                self.reason.set(Some(format!("-4 or -6 leaves out {}", endpoint.host)));
            }
        })?;
        timings.dns_us = addresses.looked_up.then(|| micros(begun.elapsed()));
        if self.scope.is_home_of(endpoint) && self.scope.network().is_none() {
            // Half of an answer does not show whose network it is: the other family may be public.
            addresses.complete().await;
            self.scope.learn(&addresses.known_so_far());
        }
        Ok(addresses)
    }

    /// Begins TLS. Without the one version of HTTP that the operator asked for there is no connection: another would be
    /// another test.
    async fn shake_hands(&self, endpoint: &Endpoint, tcp: TcpStream) -> Result<TlsStream<TcpStream>, Fault> {
        let name = ServerName::try_from(endpoint.host.clone()).map_err(|_| Fault::TlsCert)?;
        let config = Arc::clone(self.tls.borrow_mut().get_or_insert_with(|| self.settings.for_client()));
        let is_stranger = self.settings.has_identity() && self.scope.is_only_followed(endpoint);
        let config = if is_stranger { self.settings.without_identity(&config) } else { config };
        let version = self.transport.version;
        // Boxed: the future of a handshake is far larger than the rest of a client, and handshakes are rare.
        let handshake = Box::pin(TlsConnector::from(config).connect(name, tcp));
        let stream = handshake.await.map_err(|error| {
            let disagrees = version != HttpVersion::Agreed && tls::is_disagreement(&error);
            self.reason.set(if disagrees { Some(version.disagreement()) } else { tls::reason(&error) });
            tls::fault(&error)
        })?;
        if version == HttpVersion::Http2 && stream.get_ref().1.alpn_protocol() != Some(b"h2") {
            self.reason.set(Some(version.disagreement()));
            return Err(Fault::TlsHandshake);
        }
        Ok(stream)
    }

    /// Connects to the first address that is in scope and accepts; see [`race`].
    async fn connect_first(
        &self,
        endpoint: &Endpoint,
        addresses: &mut Addresses,
    ) -> Result<(SocketAddr, TcpStream), Fault> {
        let refused = |peer: SocketAddr| self.scope.refuses_at(endpoint, peer.ip());
        let ended = race(addresses, |peer| {
            let source = self.transport.source(peer.ip(), self.client);
            attempt(peer, refused(peer), source)
        })
        .await;
        let (edge, stream) = ended.map_err(|faults| {
            let fault = telling(faults.into_iter());
            if fault.class() == Class::Policy {
                self.reason.set(self.scope.explain(endpoint, &addresses.known_so_far()));
            }
            fault
        })?;
        addresses.worked(edge.ip());
        // A request is one small write: it must not wait until the peer acknowledges an earlier one.
        _ = stream.set_nodelay(true);
        Ok((edge, stream))
    }
}

/// Connects to `peer`, unless the scope refuses it: the very address, because a name can resolve to another one each
/// time.
pub(super) async fn attempt(
    peer: SocketAddr,
    refused: Option<AddressClass>,
    source: Result<Option<IpAddr>, NoSource>,
) -> Result<TcpStream, Fault> {
    if let Some(class) = refused {
        return Err(class.fault());
    }
    // As on a machine without an address of this family.
    let source = source.map_err(|NoSource| Fault::ConnUnreachable)?;
    let connected = match source {
        None => TcpStream::connect(peer).await,
        Some(source) => connect_from(source, peer).await,
    };
    connected.map_err(|error| match fault(&error) {
        // The kernel reports missing ports and a missing source address alike. Without a source address no port
        // was used up: mostly this is a machine without IPv6.
        Fault::LocalPorts if source.is_none() && !has_source(peer) => Fault::ConnUnreachable,
        fault => fault,
    })
}

/// Connects from this address, with a port that no other connection from it has: the kernel chooses the port before it
/// knows the peer.
async fn connect_from(source: IpAddr, peer: SocketAddr) -> io::Result<TcpStream> {
    let socket = if source.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.bind(SocketAddr::new(source, 0))?;
    socket.connect(peer).await
}

/// Reports whether this machine has a source address for `peer`. Connecting a UDP socket sends nothing and needs no
/// TCP port.
fn has_source(peer: SocketAddr) -> bool {
    let any: IpAddr =
        if peer.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    UdpSocket::bind((any, 0)).is_ok_and(|socket| socket.connect(peer).is_ok())
}

/// Returns the most informative of several faults: a local one, then a peer's response, then an address out of scope,
/// then an unreachable peer.
pub(super) fn telling(faults: impl Iterator<Item = Fault>) -> Fault {
    let rank = |fault: &Fault| match fault {
        fault if fault.is_local() => 0,
        Fault::PolicyAddress | Fault::PolicyHost => 2,
        Fault::ConnUnreachable => 3,
        _ => 1,
    };
    faults.min_by_key(rank).unwrap_or(Fault::ConnUnreachable)
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(context),
            Self::Tls(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::name_servers::tests::Server;
    use crate::net::resolve::tests::{endpoint, with_servers};
    use crate::net::scope::Network;
    use crate::vocabulary::SecretUrl;
    use std::future::poll_fn;
    use std::time::Duration;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;
    use tokio::time::timeout;

    /// Returns a connection and the peer's end of it.
    async fn pair() -> (Stream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("bound");
        let (ours, theirs) = tokio::join!(TcpStream::connect(address), listener.accept());
        (Stream::Plain(ours.expect("connected")), theirs.expect("accepted").0)
    }

    async fn drop_some(stream: &mut Stream, most: usize) -> io::Result<usize> {
        let mut room = vec![0; most];
        poll_fn(|context| stream.poll_drop(context, &mut room)).await
    }

    #[tokio::test]
    async fn dropped_bytes_are_counted_and_those_behind_them_are_read() {
        let (mut ours, mut theirs) = pair().await;
        theirs.write_all(b"headbodytail").await.expect("sent");
        let mut head = [0; 4];
        ours.read_exact(&mut head).await.expect("a head");
        assert_eq!(drop_some(&mut ours, 4).await.expect("a body"), 4);
        let mut tail = [0; 4];
        ours.read_exact(&mut tail).await.expect("a tail");
        assert_eq!([head, tail], [*b"head", *b"tail"]);
        // The stream is empty: the call waits, and wakes when bytes arrive.
        let wait = Duration::from_millis(20);
        assert!(tokio::time::timeout(wait, drop_some(&mut ours, 9)).await.is_err());
        theirs.write_all(b"more").await.expect("sent");
        assert_eq!(drop_some(&mut ours, 9).await.expect("more"), 4);
        drop(theirs);
        assert_eq!(drop_some(&mut ours, 9).await.expect("the end"), 0);
    }

    #[tokio::test]
    async fn all_bytes_of_a_long_body_are_counted_once() {
        let (mut ours, mut theirs) = pair().await;
        let sent = 5_000_000;
        let send = async {
            for piece in vec![7; sent].chunks(70_001) {
                theirs.write_all(piece).await.expect("sent");
            }
            drop(theirs);
        };
        let take = async {
            let mut taken = 0;
            loop {
                match drop_some(&mut ours, 65_536).await.expect("open") {
                    0 => return taken,
                    count => taken += count,
                }
            }
        };
        assert_eq!(tokio::join!(send, take).1, sent);
    }

    #[tokio::test]
    async fn a_reset_is_an_error_and_no_end() {
        let (mut ours, theirs) = pair().await;
        theirs.set_zero_linger().expect("a socket");
        drop(theirs);
        let error = drop_some(&mut ours, 9).await.expect_err("reset");
        assert_eq!(fault(&error), Fault::ConnReset);
    }

    #[tokio::test]
    async fn a_name_that_resolves_to_another_network_than_before_is_not_connected_to() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let target = SecretUrl::parse(&format!("http://rebound.example.com:{port}/")).expect("a URL");
        // The first lookup found a public address; now the name leads to this machine.
        let resolver = Resolver::new(&[format!("*:{port}:127.0.0.1").parse().expect("an entry")], None);
        let connect = async |scope: &Scope, host: &str| {
            let (tls, reason) = (RefCell::default(), Cell::default());
            let settings = &tls::TlsSettings::for_test();
            let transport = &Transport::default();
            let (tls, reason, client) = (&tls, &reason, 0);
            let connector =
                Connector { resolver: &resolver, scope, transport, client, tls, settings, reason };
            let endpoint = Endpoint { tls: false, host: host.to_owned(), port };
            let ended = connector.connect(&endpoint, &Deadline::new(Duration::from_secs(9))).await;
            (ended.map(|connected| connected.opening.route.edge.port()).err(), reason.take())
        };
        let public = Scope::for_test(&target);
        public.learn(&[IpAddr::from([93, 184, 215, 14])]);
        for host in ["rebound.example.com", "cdn.example.com", "127.0.0.1"] {
            let (ended, reason) = connect(&public, host).await;
            assert_eq!(ended, Some(Fault::PolicyAddress), "{host}");
            assert!(reason.expect(host).contains("127.0.0.1"));
        }
        assert!(timeout(Duration::from_millis(20), listener.accept()).await.is_err(), "nothing was opened");
        // A run whose target was on this machine from the start may connect.
        let local = Scope::for_test(&target);
        assert_eq!(connect(&local, "rebound.example.com").await, (None, None));
        assert_eq!(local.network(), Some(Network::Loopback));
    }

    #[tokio::test]
    async fn a_target_is_judged_by_all_of_its_addresses_and_a_private_run_loads_no_public_one() {
        // The private address is known at once, the public one later.
        let v6 = [0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7];
        let resolver = with_servers(vec![Server::LateV4([192, 0, 2, 1], v6)]).await;
        let scope = Scope::for_test(&SecretUrl::parse("http://live.example.com/").expect("a URL"));
        // Nothing is sent to the public address either.
        scope.stay_private(Vec::new());
        let (tls, reason) = (RefCell::default(), Cell::default());
        let settings = &tls::TlsSettings::for_test();
        let (scope, tls, reason) = (&*scope, &tls, &reason);
        let transport = &Transport::default();
        let connector = Connector { resolver: &resolver, scope, transport, client: 0, tls, settings, reason };
        let target = endpoint("live.example.com", 80);
        let ended = connector.connect(&target, &Deadline::new(Duration::from_secs(9))).await;
        assert_eq!((ended.err(), scope.network()), (Some(Fault::PolicyAddress), Some(Network::Public)));

        let resolver = Resolver::new(&["*:80:192.0.2.1".parse().expect("an entry")], None);
        let connector = Connector { resolver: &resolver, ..connector };
        let ended = connector.connect(&target, &Deadline::new(Duration::from_secs(9))).await;
        assert_eq!(ended.err(), Some(Fault::PolicyHost));
        let said = reason.take().expect("a reason");
        assert!(said.contains("--allow-host live.example.com"), "{said}");
    }

    #[test]
    fn a_peer_without_a_way_to_it_uses_up_no_port() {
        assert!(has_source(SocketAddr::from(([127, 0, 0, 1], 9))));
        assert!(!has_source(SocketAddr::from(([255, 255, 255, 255], 9))), "broadcast is not allowed");
    }

    #[test]
    fn of_several_failures_the_most_telling_is_counted() {
        use Fault::{ConnRefused, ConnUnreachable, LocalFiles, PolicyAddress};
        for (faults, expected) in [
            (&[ConnUnreachable, ConnRefused][..], ConnRefused),
            (&[ConnRefused, LocalFiles, ConnUnreachable], LocalFiles),
            (&[ConnUnreachable, PolicyAddress], PolicyAddress),
            (&[PolicyAddress, ConnRefused], ConnRefused),
            (&[], ConnUnreachable),
        ] {
            assert_eq!(telling(faults.iter().copied()), expected);
        }
    }
}
