//! Certificate of the origin, made at each start, and the TLS settings that use it.

use std::net::IpAddr;
use std::sync::Arc;

use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose};
use rustls::pki_types::PrivateKeyDer;
use tokio_rustls::TlsAcceptor;

use super::OriginError;

/// Name of HTTP/2 in ALPN.
pub const HTTP2: &[u8] = b"h2";

/// TLS acceptor and certificate of an origin.
pub struct Identity {
    /// Acceptor of TLS connections.
    pub acceptor: TlsAcceptor,
    /// Certificate for clients that want to trust it.
    pub certificate_pem: String,
}

/// Creates a self-signed certificate for localhost and `address`, and TLS settings that offer HTTP/2 and HTTP/1.1.
/// The certificate is not that of an authority and signs nothing else, so a client that trusts it trusts this origin
/// alone.
///
/// # Errors
/// [`OriginError::Certificate`] and [`OriginError::Tls`].
pub fn identity(address: IpAddr) -> Result<Identity, OriginError> {
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    if !address.is_unspecified() && !names.contains(&address.to_string()) {
        names.push(address.to_string());
    }
    let mut parameters = CertificateParams::new(names)?;
    parameters.distinguished_name.push(DnType::CommonName, "hlswarm test origin");
    parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let key = KeyPair::generate()?;
    let certificate = parameters.self_signed(&key)?;
    let private_key = PrivateKeyDer::try_from(key.serialize_der())
        .map_err(|reason| OriginError::Tls(rustls::Error::General(reason.to_owned())))?;
    let mut config =
        rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], private_key)?;
    config.alpn_protocols = vec![HTTP2.to_vec(), b"http/1.1".to_vec()];
    Ok(Identity { acceptor: TlsAcceptor::from(Arc::new(config)), certificate_pem: certificate.pem() })
}
