//! Socket of one connection, plain or TLS, which reports the outcome of its writes to the ledger.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use super::ledger::Ledger;

/// Transport of a connection, with or without TLS.
#[derive(Debug)]
pub enum Transport {
    /// TCP.
    Plain(TcpStream),
    /// TLS over TCP.
    Tls(Box<TlsStream<TcpStream>>),
}

/// Socket of a connection. Dropping it sends a reset if the ledger asks for one.
#[derive(Debug)]
pub struct Socket {
    transport: Transport,
    ledger: Arc<Ledger>,
}

trait Duplex: AsyncRead + AsyncWrite + Unpin {}
impl<T: AsyncRead + AsyncWrite + Unpin> Duplex for T {}

impl Socket {
    /// Creates a socket that reports to `ledger`.
    pub fn new(transport: Transport, ledger: Arc<Ledger>) -> Self {
        Self { transport, ledger }
    }

    fn stream(&mut self) -> Pin<&mut dyn Duplex> {
        match &mut self.transport {
            Transport::Plain(stream) => Pin::new(stream),
            Transport::Tls(stream) => Pin::new(stream.as_mut()),
        }
    }

    fn wrote(&self, result: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        self.ledger.wrote();
        if let Poll::Ready(Err(_)) = result {
            self.ledger.failed();
        }
        result
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let result = this.stream().poll_read(cx, buffer);
        if let Poll::Ready(Err(error)) = &result
            // A TLS client that closes the connection without a `close_notify` is common, and nothing is lost.
            && error.kind() != io::ErrorKind::UnexpectedEof
        {
            this.ledger.failed();
        }
        result
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = this.stream().poll_write(cx, bytes);
        this.wrote(result)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = this.stream().poll_write_vectored(cx, slices);
        this.wrote(result)
    }

    fn is_write_vectored(&self) -> bool {
        match &self.transport {
            Transport::Plain(stream) => stream.is_write_vectored(),
            Transport::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let result = this.stream().poll_flush(cx);
        match &result {
            // hyper flushes only after it has written everything, so no bytes wait any more.
            Poll::Ready(Ok(())) => this.ledger.flushed(),
            Poll::Ready(Err(_)) => this.ledger.failed(),
            Poll::Pending => this.ledger.wrote(),
        }
        result
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.ledger.must_reset() {
            return Poll::Ready(Ok(()));
        }
        this.stream().poll_shutdown(cx)
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if self.ledger.must_reset() {
            let stream = match &self.transport {
                Transport::Plain(stream) => stream,
                Transport::Tls(stream) => stream.get_ref().0,
            };
            // A socket that is closed already has nothing to reset.
            let _ = stream.set_zero_linger();
        }
    }
}
