//! One connection from its acceptance to its end: TLS, hyper, the ledger.
//!
//! * The ledger is settled after everything else of the connection is gone, even if its task is aborted.
//! * On a stop the answer in progress may end; the connection closes after it.

use std::future::{Future as _, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use super::answer::{self, Shared};
use super::ledger::Ledger;
use super::socket::{Socket, Transport};
use super::tls::HTTP2;
use crate::vocabulary::limits;

/// Time without a new request after which an HTTP/1.1 connection is closed. The longest interval between reloads of a
/// playlist is a minute.
const IDLE_LIMIT: Duration = Duration::from_secs(300);

/// Begin of the first bytes of an HTTP/2 client. No method of HTTP/1.1 begins so.
const PREFACE: &[u8] = b"PRI * HTTP/2";
/// Time between two looks at a preface that has come in part.
const PREFACE_POLL: Duration = Duration::from_millis(1);

/// Settles the ledger when the connection has gone.
struct Settling(Arc<Ledger>);

impl Drop for Settling {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// Serves a connection until it ends or `stop` becomes true. `is_beyond` is true if there are too many.
pub async fn serve(
    shared: Arc<Shared>,
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
    mut stop: watch::Receiver<bool>,
    is_beyond: bool,
) {
    // A failure here shows up again in the first use of the socket.
    let _ = stream.set_nodelay(true);
    let greeted = tokio::select! {
        biased;
        greeted = greet(&shared, stream, tls) => greeted,
        // Nothing has been requested yet.
        _ = stop.wait_for(|stop| *stop) => None,
    };
    let Some((transport, http2)) = greeted else { return };
    let ledger = Ledger::new(Arc::clone(&shared.counters));
    let _settling = Settling(Arc::clone(&ledger));
    let socket = TokioIo::new(Socket::new(transport, Arc::clone(&ledger)));
    let builder = builder(http2);
    let of_connection = Arc::clone(&ledger);
    let service = service_fn(move |request| {
        answer::answer(Arc::clone(&shared), Arc::clone(&of_connection), request, is_beyond)
    });
    let mut connection = pin!(builder.serve_connection(socket, service));
    let mut stopping = pin!(async move { stop.wait_for(|stop| *stop).await.is_ok() });
    let mut stopped = false;
    poll_fn(|cx| {
        if !stopped && stopping.as_mut().poll(cx).is_ready() {
            stopped = true;
            connection.as_mut().graceful_shutdown();
        }
        ledger.poll_begins();
        let ended = Pin::as_mut(&mut connection).poll(cx).is_ready() || ledger.must_reset();
        if ledger.poll_ended() && !ended {
            cx.waker().wake_by_ref();
        }
        // The ledger knows how the connection ended: hyper's own verdict mixes the client's faults with ours.
        if ended { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

/// Performs the TLS handshake, if there is to be one, and finds out the version of HTTP. Returns `None` if it fails: the
/// client has requested nothing yet.
async fn greet(shared: &Shared, stream: TcpStream, tls: Option<TlsAcceptor>) -> Option<(Transport, bool)> {
    let Some(acceptor) = tls else {
        let http2 = tokio::time::timeout(IDLE_LIMIT, knows_http2(&stream)).await.ok()?;
        return Some((Transport::Plain(stream), http2));
    };
    let stream = tokio::time::timeout(limits::TLS_TIMEOUT, acceptor.accept(stream)).await.ok()?.ok()?;
    shared.counters.tls.fetch_add(1, Ordering::Relaxed);
    let http2 = stream.get_ref().1.alpn_protocol() == Some(HTTP2);
    Some((Transport::Tls(Box::new(stream)), http2))
}

/// Reports whether a client without TLS begins with HTTP/2 (RFC 9113 section 3.3). Reads nothing.
async fn knows_http2(stream: &TcpStream) -> bool {
    let mut begin = [0; PREFACE.len()];
    loop {
        let count = stream.peek(&mut begin).await.unwrap_or_default();
        let came = begin.get(..count).unwrap_or_default();
        match came {
            [] => return false,
            came if came == PREFACE => return true,
            came if !PREFACE.starts_with(came) => return false,
            // The readiness of the socket does not say when more follows.
            _ => tokio::time::sleep(PREFACE_POLL).await,
        }
    }
}

fn builder(http2: bool) -> Builder<TokioExecutor> {
    let builder = Builder::new(TokioExecutor::new());
    if http2 {
        return builder.http2_only();
    }
    let mut builder = builder.http1_only();
    builder.http1().timer(TokioTimer::new()).header_read_timeout(IDLE_LIMIT);
    builder
}
