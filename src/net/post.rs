//! One POST over a connection of its own, for what is no request of a client: it is in no count of the run.
//!
//! HTTP/1.1 by hyper: the reader of the clients knows no body to send, and this one need not be cheap. The caller limits the
//! time.

use std::cell::{Cell, RefCell};
use std::error::Error as _;
use std::io;

use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;

use super::Settings;
use super::connect::Connector;
use super::deadline::Deadline;
use super::io_fault::transfer_fault;
use super::resolve::Resolver;
use super::transport::HttpVersion;
use crate::vocabulary::SecretUrl;
use crate::vocabulary::outcome::Fault;

/// Maximum size of the head of a response.
const HEAD_BYTES: usize = 16 * 1024;
/// Maximum size of its body: more than the hint of a collector has.
const BODY_BYTES: usize = 64 * 1024;

/// A response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posted {
    /// Status code.
    pub status: u16,
    /// The body, if the status is 200.
    pub body: Vec<u8>,
}

/// Sends `body` with these headers, and reads the response. `settings` says how connections are opened; their headers are
/// not sent.
///
/// # Errors
/// The fault that prevented the response from completing.
pub async fn post(
    settings: &Settings,
    url: &SecretUrl,
    headers: HeaderMap,
    body: Vec<u8>,
) -> Result<Posted, Fault> {
    let endpoint = url.endpoint();
    let mut tls = ClientConfig::clone(&settings.tls.for_client());
    tls.alpn_protocols = HttpVersion::Http1.offered();
    let connector = Connector {
        resolver: &Resolver::new(&settings.resolve, settings.transport.family),
        scope: &settings.scope,
        transport: &settings.transport,
        client: 0,
        tls: &RefCell::new(Some(tls.into())),
        settings: &settings.tls,
        reason: &Cell::default(),
    };
    let stream = connector.connect(&endpoint, &Deadline::new(settings.timeout)).await?.stream;
    let mut request = http::Request::new(Full::new(Bytes::from(body)));
    *request.method_mut() = http::Method::POST;
    *request.uri_mut() = url.wire_path().parse().map_err(|_| Fault::ConnProtocol)?;
    *request.headers_mut() = headers;
    let host = endpoint.authority().parse().map_err(|_| Fault::ConnProtocol)?;
    request.headers_mut().insert(header::HOST, host);
    let handshake = http1::Builder::new().max_buf_size(HEAD_BYTES).handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.map_err(|error| fault(&error))?;
    let exchange = async {
        let response = sender.send_request(request).await.map_err(|error| fault(&error))?;
        let status = response.status();
        let body = if status == StatusCode::OK { whole(response.into_body()).await? } else { Vec::new() };
        Ok(Posted { status: status.as_u16(), body })
    };
    // The exchange also notices the end of the connection, after the bytes that came before it.
    let connection = async {
        _ = connection.await;
        std::future::pending().await
    };
    tokio::select! {
        ended = exchange => ended,
        ended = connection => ended,
    }
}

async fn whole(mut body: Incoming) -> Result<Vec<u8>, Fault> {
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| fault(&error))?;
        bytes.extend_from_slice(frame.data_ref().map(|data| &**data).unwrap_or_default());
        if bytes.len() > BODY_BYTES {
            return Err(Fault::BodyTooBig);
        }
    }
    Ok(bytes)
}

fn fault(error: &hyper::Error) -> Fault {
    match error.source().and_then(|source| source.downcast_ref::<io::Error>()) {
        Some(error) => transfer_fault(error),
        None if error.is_parse() => Fault::ConnProtocol,
        None => Fault::ConnEof,
    }
}
