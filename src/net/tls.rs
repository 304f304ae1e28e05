//! TLS settings: certificates are verified unless the operator disables it.
//!
//! * The roots are the system's and Mozilla's together; `--cacert` replaces both, as in curl.
//! * The certificate of `--client-cert` is offered, as in curl, to every host of the run that asks for one, except those
//!   that only `--follow-cdn` brings into scope: nothing says whose they are.
//! * Each client has sessions of its own: a new viewer cannot resume another viewer's session.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ResolvesClientCert, Resumption, WebPkiServerVerifier};
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::version::{TLS12, TLS13};
use rustls::{
    AlertDescription, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    SupportedProtocolVersion,
};

use super::client_identity::{self, ClientFileError, ClientFiles};
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
    /// The certificate of the clients cannot be used.
    #[error(transparent)]
    ClientFile(#[from] ClientFileError),
    /// No version is left.
    #[error("--tls-min {0} is more than --tls-max {1}")]
    Versions(TlsVersion, TlsVersion),
    /// The crypto library refused its own defaults.
    #[error("TLS cannot be set up: {0}")]
    Setup(#[from] rustls::Error),
}

/// Version of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TlsVersion {
    /// TLS 1.2.
    V12,
    /// TLS 1.3.
    V13,
}

/// Error for a text that is not a version of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected 1.2 or 1.3")]
pub struct TlsVersionError;

impl FromStr for TlsVersion {
    type Err = TlsVersionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "1.2" => Ok(Self::V12),
            "1.3" => Ok(Self::V13),
            _ => Err(TlsVersionError),
        }
    }
}

impl fmt::Display for TlsVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if *self == Self::V12 { "1.2" } else { "1.3" })
    }
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
    /// Lowest and highest version of TLS (`--tls-min`, `--tls-max`); `None`: of those that the library has.
    pub versions: [Option<TlsVersion>; 2],
    /// The clients' own certificate.
    pub identity: Option<ClientFiles>,
}

impl TlsOptions {
    /// Returns the versions to offer.
    fn versions(&self) -> Result<Vec<&'static SupportedProtocolVersion>, TlsError> {
        let [min, max] = self.versions;
        if let (Some(min), Some(max)) = (min, max)
            && min > max
        {
            return Err(TlsError::Versions(min, max));
        }
        let all = [(TlsVersion::V13, &TLS13), (TlsVersion::V12, &TLS12)];
        let is_between =
            |version| min.is_none_or(|min| min <= version) && max.is_none_or(|max| version <= max);
        Ok(all.into_iter().filter(|(version, _)| is_between(*version)).map(|(_, version)| version).collect())
    }
}

/// Verification of certificates, shared by all clients of a run.
#[derive(Clone)]
pub struct TlsSettings {
    config: Arc<ClientConfig>,
    insecure: bool,
    /// Presents no certificate; for hosts that must not see that of the clients, if they have one.
    anonymous: Option<Arc<dyn ResolvesClientCert>>,
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
            .with_protocol_versions(&options.versions()?)?;
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
        let mut anonymous = None;
        if let Some(files) = &options.identity {
            let resolver = client_identity::read(files, &provider)?;
            anonymous = Some(std::mem::replace(&mut config.client_auth_cert_resolver, resolver));
        }
        Ok(Self { config: Arc::new(config), insecure: options.insecure, anonymous })
    }

    /// Trusts any certificate, for tests that use no TLS.
    #[cfg(test)]
    pub fn for_test() -> Self {
        let options = TlsOptions { insecure: true, ..TlsOptions::default() };
        Self::new(&options).expect("settings")
    }

    /// Reports whether the clients have a certificate.
    pub(super) fn has_identity(&self) -> bool {
        self.anonymous.is_some()
    }

    /// Returns `config`, that of a client, without the certificate.
    pub(super) fn without_identity(&self, config: &Arc<ClientConfig>) -> Arc<ClientConfig> {
        let Some(anonymous) = &self.anonymous else { return Arc::clone(config) };
        let mut config = ClientConfig::clone(config);
        config.client_auth_cert_resolver = Arc::clone(anonymous);
        Arc::new(config)
    }

    /// Returns the same trust in servers, without the certificate of the clients.
    pub fn for_strangers(&self) -> Self {
        Self { config: self.without_identity(&self.config), insecure: self.insecure, anonymous: None }
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

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertifiedKey, generate_simple_self_signed};

    #[test]
    fn a_host_that_must_not_see_the_certificate_gets_none() {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(["client".to_owned()]).expect("a certificate");
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        std::io::Write::write_all(&mut file, (cert.pem() + &signing_key.serialize_pem()).as_bytes())
            .expect("writable");
        let identity = Some(ClientFiles { certificate: file.path().to_owned(), key: None });
        let options = TlsOptions { insecure: true, identity, ..TlsOptions::default() };
        let settings = TlsSettings::new(&options).expect("settings");
        let own = settings.for_client();
        let stranger = settings.without_identity(&own);
        let has = |config: &ClientConfig| config.client_auth_cert_resolver.has_certs();
        assert!(settings.has_identity() && has(&own) && !has(&stranger));
        let plain = TlsSettings::for_test();
        let config = plain.for_client();
        assert!(!plain.has_identity() && Arc::ptr_eq(&plain.without_identity(&config), &config));
    }
}
