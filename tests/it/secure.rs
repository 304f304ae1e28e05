//! An origin over TLS that answers as a test's script says, with a certificate of its own.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::thread;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned, SupportedProtocolVersion};
use tempfile::NamedTempFile;

use crate::scripted::Answer;

/// Terms on which an origin accepts connections.
pub struct Terms<'a> {
    /// Protocols that it agrees to (ALPN); none: it does not negotiate.
    pub protocols: &'a [&'a str],
    /// Versions of TLS.
    pub versions: &'a [&'static SupportedProtocolVersion],
    /// Authority of the certificates that it asks clients for; `None`: it asks for none.
    pub clients_of: Option<CertificateDer<'static>>,
}

impl Default for Terms<'_> {
    fn default() -> Self {
        Self { protocols: &[], versions: rustls::DEFAULT_VERSIONS, clients_of: None }
    }
}

/// A running origin over TLS. Its threads end with the test's process.
pub struct Secure {
    address: SocketAddr,
    certificate: NamedTempFile,
}

impl Secure {
    /// Starts an origin whose `script` receives the path of each request.
    pub fn start(script: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Self {
        Self::on(Terms::default(), script)
    }

    /// Starts an origin with these terms.
    pub fn on(terms: Terms<'_>, script: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Self {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        let key = PrivateKeyDer::Pkcs8(signing_key.serialize_der().into());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider));
        let builder = builder.with_protocol_versions(terms.versions).unwrap();
        let builder = match terms.clients_of {
            Some(authority) => {
                let mut roots = RootCertStore::empty();
                roots.add(authority).unwrap();
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                builder.with_client_cert_verifier(verifier.build().unwrap())
            }
            None => builder.with_no_client_auth(),
        };
        let mut config = builder.with_single_cert(vec![cert.der().clone()], key).unwrap();
        config.alpn_protocols = terms.protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        let mut certificate = NamedTempFile::new().unwrap();
        certificate.write_all(cert.pem().as_bytes()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (config, script) = (Arc::new(config), Arc::new(script));
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (config, script) = (Arc::clone(&config), Arc::clone(&script));
                thread::spawn(move || serve(stream, config, &*script));
            }
        });
        Self { address, certificate }
    }

    pub fn url(&self, path: &str) -> String {
        format!("https://{}{path}", self.address)
    }

    /// Returns the file with the certificate, for `--cacert`.
    pub fn certificate(&self) -> &Path {
        self.certificate.path()
    }
}

/// Answers the requests of one connection. An error ends the connection: the client has gone, as it may.
fn serve(stream: TcpStream, config: Arc<ServerConfig>, script: &dyn Fn(&str) -> Answer) -> Option<()> {
    let connection = ServerConnection::new(config).ok()?;
    let mut stream = BufReader::new(StreamOwned::new(connection, stream));
    loop {
        let mut first = String::new();
        stream.read_line(&mut first).ok().filter(|read| *read > 0)?;
        let path = first.split(' ').nth(1)?.to_owned();
        let mut line = String::new();
        while line != "\r\n" {
            line.clear();
            stream.read_line(&mut line).ok().filter(|read| *read > 0)?;
        }
        let writer = stream.get_mut();
        writer.write_all(&script(&path).bytes).ok()?;
        writer.flush().ok()?;
    }
}
