//! Minimal HTTP/1.1 client for the tests of the fixture: one GET after another over a stream.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

const READ_LIMIT: Duration = Duration::from_secs(5);

/// A complete response.
pub struct Response {
    pub status: u16,
    head: String,
    pub body: Vec<u8>,
}

impl Response {
    /// Returns the value of header `name`, ignoring ASCII case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head
            .lines()
            .filter_map(|line| line.split_once(": "))
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

/// A kept-alive connection.
pub struct Connection<S> {
    stream: BufReader<S>,
}

/// Opens a plain connection to `port`.
pub fn connect(port: u16) -> Connection<TcpStream> {
    Connection { stream: BufReader::new(tcp(port)) }
}

/// Opens a TLS connection to `port` that trusts `certificate` and offers `protocols` by ALPN.
pub fn connect_tls(
    port: u16,
    certificate: &Path,
    protocols: &[&str],
) -> Connection<StreamOwned<ClientConnection, TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(certificate).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    let name = ServerName::try_from("localhost").unwrap();
    let mut connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut socket = tcp(port);
    while connection.is_handshaking() {
        connection.complete_io(&mut socket).unwrap();
    }
    Connection { stream: BufReader::new(StreamOwned::new(connection, socket)) }
}

/// Requests `path` over a new connection.
pub fn get(port: u16, path: &str) -> Response {
    connect(port).get(path, "")
}

impl<S: Read + Write> Connection<S> {
    /// Requests `path`; `headers` are whole lines with their CRLF.
    pub fn get(&mut self, path: &str, headers: &str) -> Response {
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: fixture\r\n{headers}\r\n");
        self.stream.get_mut().write_all(request.as_bytes()).unwrap();
        let head = self.read_head();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let mut response = Response { status, head, body: Vec::new() };
        // A body without a length has its own framing, which no test of the fixture reads.
        let length: usize = response.header("content-length").map_or(0, |length| length.parse().unwrap());
        response.body.resize(length, 0);
        self.stream.read_exact(&mut response.body).unwrap();
        response
    }

    fn read_head(&mut self) -> String {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert!(self.stream.read_line(&mut head).unwrap() > 0, "closed within the head: {head}");
        }
        head
    }
}

impl Connection<StreamOwned<ClientConnection, TcpStream>> {
    /// Returns the protocol that ALPN agreed on.
    pub fn protocol(&self) -> Option<&str> {
        self.stream.get_ref().conn.alpn_protocol().map(|name| std::str::from_utf8(name).unwrap())
    }
}

fn tcp(port: u16) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(READ_LIMIT)).unwrap();
    stream
}
