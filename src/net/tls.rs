//! TLS settings: certificates are verified unless the operator disables it.
//!
//! * The roots are the system's and Mozilla's together; `--cacert` replaces both, as in curl.
//! * Each client has sessions of its own: a new viewer cannot resume another viewer's session.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{AlertDescription, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

use super::given_roots::GivenRoots;
use super::transport::HttpVersion;
use crate::vocabulary::Untrusted;
use crate::vocabulary::outcome::Fault;

/// Sessions that one client can resume: rustls keeps eight tickets for each host.
const SESSIONS_PER_CLIENT: usize = 8 * crate::vocabulary::limits::TLS_SESSION_HOSTS;

/// Failure to set up TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The file of `--cacert` cannot be read or holds no certificate.
    #[error("--cacert {path}: {reason}; expected a file of PEM certificates")]
    CaFile {
        /// The file.
        path: String,
        /// Reason to refuse it.
        reason: String,
    },
    /// The crypto library refused its own defaults.
    #[error("TLS cannot be set up: {0}")]
    Setup(#[from] rustls::Error),
}

/// Choices of the operator about TLS.
#[derive(Clone, Debug, Default)]
pub struct TlsOptions {
    /// File of the certificates to trust (`--cacert`).
    pub ca_file: Option<PathBuf>,
    /// Trusts any certificate (`--insecure`).
    pub insecure: bool,
    /// Version of HTTP to offer.
    pub http: HttpVersion,
}

/// Verification of certificates, shared by all clients of a run.
#[derive(Clone)]
pub struct TlsSettings {
    config: Arc<ClientConfig>,
    insecure: bool,
}

impl fmt::Debug for TlsSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsSettings").field("insecure", &self.insecure).finish_non_exhaustive()
    }
}

impl TlsSettings {
    /// Reads the files of the options. Without `ca_file` the roots of the system and of Mozilla are trusted.
    ///
    /// # Errors
    /// See [`TlsError`].
    pub fn new(options: &TlsOptions) -> Result<Self, TlsError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let algorithms = provider.signature_verification_algorithms;
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()?;
        let mut config = match &options.ca_file {
            Some(path) => {
                let given = given_roots(path, &provider)?;
                builder.dangerous().with_custom_certificate_verifier(Arc::new(given)).with_no_client_auth()
            }
            None => builder.with_root_certificates(known_roots()).with_no_client_auth(),
        };
        if options.insecure {
            config.dangerous().set_certificate_verifier(Arc::new(AnyCertificate(algorithms)));
        }
        config.alpn_protocols = options.http.offered();
        Ok(Self { config: Arc::new(config), insecure: options.insecure })
    }

    /// Trusts any certificate, for tests that use no TLS.
    #[cfg(test)]
    pub fn for_test() -> Self {
        let options = TlsOptions { insecure: true, ..TlsOptions::default() };
        Self::new(&options).expect("settings")
    }

    /// Returns the configuration of one client, with sessions of its own.
    pub(super) fn for_client(&self) -> Arc<ClientConfig> {
        let mut config = ClientConfig::clone(&self.config);
        config.resumption = Resumption::in_memory_sessions(SESSIONS_PER_CLIENT);
        Arc::new(config)
    }
}

fn known_roots() -> RootCertStore {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    // A system without a certificate store still has Mozilla's roots.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots
}

fn given_roots(path: &PathBuf, provider: &Arc<CryptoProvider>) -> Result<GivenRoots, TlsError> {
    let wrong =
        |reason: String| TlsError::CaFile { path: Untrusted::new(&path.to_string_lossy()).shown(), reason };
    let bytes = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
    let given: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    let given = given.map_err(|_| wrong("not a PEM file".to_owned()))?;
    if given.is_empty() {
        return Err(wrong("it contains no certificate".to_owned()));
    }
    let unreadable = || wrong("it contains an invalid certificate".to_owned());
    let mut roots = RootCertStore::empty();
    for certificate in &given {
        roots.add(certificate.clone()).map_err(|_| unreadable())?;
    }
    let chains = WebPkiServerVerifier::builder_with_provider(roots.into(), Arc::clone(provider)).build();
    Ok(GivenRoots { given, chains: chains.map_err(|_| unreadable())? })
}

/// Accepts every certificate, but still checks that the peer owns it. For `--insecure`.
#[derive(Debug)]
struct AnyCertificate(WebPkiSupportedAlgorithms);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}

/// Returns the reason that TLS gives for a failed handshake, such as an expired certificate.
pub(super) fn reason(error: &std::io::Error) -> Option<String> {
    let error = error.get_ref()?.downcast_ref::<rustls::Error>()?;
    Some(error.to_string())
}

/// Reports whether the server told that it accepts no version of HTTP that was offered (RFC 7301 section 3.2).
pub(super) fn is_disagreement(error: &std::io::Error) -> bool {
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    matches!(tls, Some(rustls::Error::AlertReceived(AlertDescription::NoApplicationProtocol)))
}

/// Returns the fault of a failed handshake.
pub(super) fn fault(error: &std::io::Error) -> Fault {
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match tls {
        Some(rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented) => Fault::TlsCert,
        Some(_) => Fault::TlsHandshake,
        None => match super::io_fault::fault(error) {
            // The peer closed the connection in the middle of the handshake.
            Fault::ConnEof | Fault::ConnUnreachable => Fault::TlsHandshake,
            fault => fault,
        },
    }
}
