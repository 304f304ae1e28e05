//! The origin itself: binds, serves until stopped, and returns the counts.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::OriginError;
use super::answer::Shared;
use super::catalog::Catalog;
use super::connection;
use super::counts::{Counters, Counts};
use super::faults::{self, Faults};
use super::gzip::Gzip;
use super::settings::Settings;
use super::tls;
use super::uplink::Uplink;

/// Time that answers in progress get to end when the origin stops.
pub const STOP_GRACE: Duration = Duration::from_secs(2);
/// Connections that the kernel holds until they are accepted: thousands of joining clients arrive within one
/// millisecond.
const BACKLOG: u32 = 4_096;
/// Pause before retrying a failed accept, for instance when no file descriptor is left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);
/// Time that HTTP/2 streams get to end: they are separate tasks, which end a moment after their connection.
const SETTLE_LIMIT: Duration = Duration::from_secs(1);
/// Interval between checks that no request is open.
const SETTLE_POLL: Duration = Duration::from_millis(2);

/// Addresses of an origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Addresses {
    /// HTTP.
    pub plain: SocketAddr,
    /// HTTPS, if enabled.
    pub tls: Option<SocketAddr>,
}

/// A test origin that is bound and ready to serve.
pub struct Origin {
    shared: Arc<Shared>,
    plain: TcpListener,
    tls: Option<(TcpListener, TlsAcceptor)>,
    addresses: Addresses,
    certificate_pem: Option<String>,
    /// Connections at once, if their number is limited.
    connections: Option<usize>,
}

impl Origin {
    /// Binds the addresses of the settings. The live streams begin now; connections wait until [`Origin::run`].
    ///
    /// # Errors
    /// [`OriginError`]: invalid settings, an address that cannot be bound, or no certificate.
    pub async fn bind(settings: Settings) -> Result<Self, OriginError> {
        settings.check()?;
        let plain = listen(settings.listen)?;
        let mut addresses = Addresses { plain: address_of(&plain, settings.listen)?, tls: None };
        let (mut tls, mut certificate_pem) = (None, None);
        if settings.tls {
            let mut wanted = settings.listen;
            wanted.set_port(if wanted.port() == 0 { 0 } else { wanted.port().saturating_add(1) });
            let identity = tls::identity(wanted.ip())?;
            let listener = listen(wanted)?;
            addresses.tls = Some(address_of(&listener, wanted)?);
            certificate_pem = Some(identity.certificate_pem);
            tls = Some((listener, identity.acceptor));
        }
        let connections = settings.connections.map(|connections| connections as usize);
        let shared = Arc::new(shared(settings));
        Ok(Self { shared, plain, tls, addresses, certificate_pem, connections })
    }

    /// Returns the bound addresses.
    pub fn addresses(&self) -> Addresses {
        self.addresses
    }

    /// Returns the certificate, if TLS is enabled.
    pub fn certificate_pem(&self) -> Option<&str> {
        self.certificate_pem.as_deref()
    }

    /// Returns the counters, which can be read at any time.
    #[cfg(test)]
    pub fn counters(&self) -> Arc<Counters> {
        Arc::clone(&self.shared.counters)
    }

    /// Serves until `stop` is ready, lets the answers in progress end (at most `STOP_GRACE`) and returns the final
    /// counts. No request is open in them, unless one outlasts `SETTLE_LIMIT`.
    pub async fn run(self, stop: impl Future<Output = ()>) -> Counts {
        let (stop_sender, stopped) = watch::channel(false);
        let mut connections = JoinSet::new();
        tokio::select! {
            () = self.accept(&mut connections, &stopped) => {}
            () = stop => {}
        }
        let Self { shared, plain, tls, .. } = self;
        // New connections are refused from here on.
        drop((plain, tls));
        stop_sender.send_replace(true);
        let drained = async { while connections.join_next().await.is_some() {} };
        if tokio::time::timeout(STOP_GRACE, drained).await.is_err() {
            connections.shutdown().await;
        }
        settled(&shared.counters).await
    }

    /// Accepts connections forever.
    async fn accept(&self, connections: &mut JoinSet<()>, stopped: &watch::Receiver<bool>) {
        loop {
            let (accepted, acceptor) = tokio::select! {
                accepted = self.plain.accept() => (accepted, None),
                (accepted, acceptor) = accept_tls(self.tls.as_ref()) => (accepted, Some(acceptor)),
                Some(_) = connections.join_next() => continue,
            };
            let Ok((stream, _)) = accepted else {
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            };
            self.shared.counters.accepted.fetch_add(1, Ordering::Relaxed);
            let is_beyond = self.connections.is_some_and(|most| connections.len() >= most);
            let shared = Arc::clone(&self.shared);
            connections.spawn(connection::serve(shared, stream, acceptor, stopped.clone(), is_beyond));
        }
    }
}

/// Accepts the next TLS connection. Never completes without TLS.
async fn accept_tls(
    tls: Option<&(TcpListener, TlsAcceptor)>,
) -> (std::io::Result<(tokio::net::TcpStream, SocketAddr)>, TlsAcceptor) {
    match tls {
        Some((listener, acceptor)) => (listener.accept().await, acceptor.clone()),
        None => std::future::pending().await,
    }
}

fn shared(settings: Settings) -> Shared {
    let catalog = Catalog::new(&settings, Timestamp::now());
    let scenario = if settings.demo_scenario { faults::demo_scenario(settings.bitrate) } else { Vec::new() };
    Shared {
        catalog,
        faults: Faults::new(settings.seed, settings.faults.into_iter().chain(scenario)),
        gzip: settings.gzip.then(Gzip::default),
        uplink: settings.capacity.map(|capacity| Arc::new(Uplink::new(capacity))),
        started: Instant::now(),
        counters: Arc::new(Counters::default()),
    }
}

fn listen(address: SocketAddr) -> Result<TcpListener, OriginError> {
    let bind = || {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)
    };
    bind().map_err(|source| OriginError::Bind { address, source })
}

fn address_of(listener: &TcpListener, address: SocketAddr) -> Result<SocketAddr, OriginError> {
    listener.local_addr().map_err(|source| OriginError::Bind { address, source })
}

/// Returns the counts as soon as no request is open, or after `SETTLE_LIMIT`.
async fn settled(counters: &Counters) -> Counts {
    let begun = Instant::now();
    loop {
        let counts = counters.counts();
        if counts.open == 0 || begun.elapsed() > SETTLE_LIMIT {
            return counts;
        }
        tokio::time::sleep(SETTLE_POLL).await;
    }
}

/// Starts `count` threads at once and ends them: a runtime panics if it cannot start a thread.
fn try_threads(count: usize) -> std::io::Result<()> {
    std::thread::scope(|scope| {
        let (end, ended) = flume::bounded::<()>(0);
        for _ in 0..count {
            let ended = ended.clone();
            // An error drops `end`, which ends the threads that were started.
            std::thread::Builder::new().spawn_scoped(scope, move || _ = ended.recv())?;
        }
        drop(end);
        Ok(())
    })
}

/// Binds and serves on a separate runtime that uses every core. `on_ready` gets the origin before it serves.
///
/// # Errors
/// The errors of [`Origin::bind`] and of `on_ready`, and [`OriginError::Runtime`].
pub fn serve_blocking(
    settings: Settings,
    on_ready: impl FnOnce(&Origin) -> Result<(), OriginError>,
    stop: impl Future<Output = ()>,
) -> Result<Counts, OriginError> {
    let workers = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    try_threads(workers).map_err(OriginError::Runtime)?;
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(workers).enable_all().build().map_err(OriginError::Runtime)?;
    runtime.block_on(async {
        let origin = Origin::bind(settings).await?;
        on_ready(&origin)?;
        Ok(origin.run(stop).await)
    })
}
