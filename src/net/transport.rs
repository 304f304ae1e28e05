//! Choices of the operator about the way to a host: the version of HTTP and the addresses that are connected to.

use super::Family;
use crate::vocabulary::secret_url::Endpoint;

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

    /// Explains a handshake in which the server did not agree to the one version that was offered.
    pub(super) fn disagreement(self) -> String {
        let (name, option) = match self {
            Self::Http2 => ("HTTP/2", "--http2"),
            Self::Http1 | Self::Agreed => ("HTTP/1.1", "--http1.1"),
        };
        format!("the server does not agree to {name} ({option})")
    }
}

/// Choices of the operator about the way to a host.
#[derive(Clone, Debug, Default)]
pub struct Transport {
    /// Version of HTTP.
    pub version: HttpVersion,
    /// The only family of addresses that is connected to; `None`: both.
    pub family: Option<Family>,
}

impl Transport {
    /// Reports whether requests to `endpoint` use HTTP/2 without asking: over TLS both sides agree on the version.
    pub(super) fn knows_http2(&self, endpoint: &Endpoint) -> bool {
        self.version == HttpVersion::Http2 && !endpoint.tls
    }
}
