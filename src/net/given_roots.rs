//! Verification against the certificates of `--cacert`, as curl does it.
//!
//! A certificate that `openssl req -x509` creates is its own authority. By RFC 5280 an authority is not a server, and
//! webpki refuses such a certificate. OpenSSL, and therefore curl, accept a server that presents the given
//! certificate itself. This verifier does the same if the certificate is valid now and names the server. As in
//! OpenSSL, a name in the subject counts if the certificate has no alternative DNS names.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_name;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};
use webpki::{EndEntityCert, anchor_from_trusted_cert};

/// DER of the object identifier of a common name, 2.5.4.3.
const COMMON_NAME: [u8; 5] = [0x06, 0x03, 0x55, 0x04, 0x03];

/// Verifier of servers against the certificates of `--cacert`.
#[derive(Debug)]
pub(super) struct GivenRoots {
    pub(super) given: Vec<CertificateDer<'static>>,
    pub(super) chains: Arc<WebPkiServerVerifier>,
}

impl ServerCertVerifier for GivenRoots {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified =
            self.chains.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        let Err(Error::InvalidCertificate(error)) = &verified else { return verified };
        if !self.given.iter().any(|given| given.as_ref() == end_entity.as_ref()) {
            return verified;
        }
        let named = if is_authority(error) {
            // The dates are valid if this error was returned: webpki checks them first.
            let certificate = ParsedCertificate::try_from(end_entity)?;
            verify_server_name(&certificate, server_name).is_ok() || has_common_name(end_entity, server_name)
        } else {
            is_other_name(error) && has_common_name(end_entity, server_name)
        };
        if named { Ok(ServerCertVerified::assertion()) } else { verified }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chains.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chains.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chains.supported_verify_schemes()
    }
}

/// Reports whether a certificate was refused because it is an authority.
fn is_authority(error: &CertificateError) -> bool {
    let CertificateError::Other(other) = error else { return false };
    matches!(other.0.downcast_ref(), Some(webpki::Error::CaUsedAsEndEntity))
}

fn is_other_name(error: &CertificateError) -> bool {
    matches!(error, CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. })
}

/// Reports whether the subject names the server, for a certificate without alternative DNS names (RFC 6125 section
/// 6.4.4).
fn has_common_name(certificate: &CertificateDer<'_>, server_name: &ServerName<'_>) -> bool {
    let has_names =
        EndEntityCert::try_from(certificate).map_or(true, |it| it.valid_dns_names().next().is_some());
    let Ok(anchor) = anchor_from_trusted_cert(certificate) else { return false };
    let name = common_name(&anchor.subject).filter(|_| !has_names);
    name.is_some_and(|name| name.eq_ignore_ascii_case(server_name.to_str().as_bytes()))
}

/// Returns the last common name of a subject. Its value follows the identifier as tag, length and bytes. The length
/// is one byte, below 128: names are shorter than that.
fn common_name(subject: &[u8]) -> Option<&[u8]> {
    let at = subject.windows(COMMON_NAME.len()).rposition(|window| window == COMMON_NAME)?;
    let (header, value) = subject.get(at + COMMON_NAME.len()..)?.split_at_checked(2)?;
    value.get(..usize::from(*header.last()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, KeyPair};
    use rustls::RootCertStore;
    use std::time::Duration;

    /// 2030-01-01.
    const NOW: UnixTime = UnixTime::since_unix_epoch(Duration::from_secs(1_893_456_000));

    fn certificate(is_ca: IsCa, names: &[&str], common_name: &str) -> CertificateDer<'static> {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).expect("names");
        params.is_ca = is_ca;
        params.not_before = rcgen::date_time_ymd(2029, 1, 1);
        params.not_after = rcgen::date_time_ymd(2031, 1, 1);
        params.distinguished_name.push(DnType::CommonName, common_name);
        params.self_signed(&KeyPair::generate().expect("a key")).expect("a certificate").into()
    }

    fn verify(
        given: &CertificateDer<'static>,
        shown: &CertificateDer<'static>,
        name: &str,
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let mut roots = RootCertStore::empty();
        roots.add(given.clone()).expect("a root");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let chains = WebPkiServerVerifier::builder_with_provider(roots.into(), provider).build();
        let verifier = GivenRoots { given: vec![given.clone()], chains: chains.expect("a verifier") };
        let name = ServerName::try_from(name.to_owned()).expect("a name");
        verifier.verify_server_cert(shown, &[], &name, &[], now)
    }

    const CA: IsCa = IsCa::Ca(BasicConstraints::Unconstrained);

    #[test]
    fn the_very_certificate_that_was_given_is_taken_though_it_is_an_authority() {
        for is_ca in [CA, IsCa::ExplicitNoCa, IsCa::NoCa] {
            let ours = certificate(is_ca, &["origin.example", "10.0.0.1"], "other.example");
            for name in ["origin.example", "10.0.0.1"] {
                assert!(verify(&ours, &ours, name, NOW).is_ok(), "{is_ca:?} {name}");
            }
            for name in ["other.example", "10.0.0.2"] {
                assert!(verify(&ours, &ours, name, NOW).is_err(), "{is_ca:?} {name}");
            }
        }
    }

    #[test]
    fn another_authority_is_refused_and_so_is_one_out_of_date() {
        let [ours, theirs] = [(); 2].map(|()| certificate(CA, &["origin.example"], "origin.example"));
        assert!(verify(&ours, &theirs, "origin.example", NOW).is_err());
        let year = Duration::from_secs(366 * 86_400);
        for now in [NOW.as_secs() - 2 * year.as_secs(), NOW.as_secs() + 2 * year.as_secs()] {
            let now = UnixTime::since_unix_epoch(Duration::from_secs(now));
            assert!(verify(&ours, &ours, "origin.example", now).is_err());
        }
    }

    #[test]
    fn the_subject_names_the_server_where_nothing_beside_it_does() {
        for is_ca in [CA, IsCa::ExplicitNoCa] {
            let ours = certificate(is_ca, &[], "Origin.example");
            assert!(verify(&ours, &ours, "origin.example", NOW).is_ok());
            assert!(verify(&ours, &ours, "origin.example.evil", NOW).is_err());
            assert!(verify(&ours, &ours, "example", NOW).is_err());
        }
    }

    #[test]
    fn a_subject_that_is_cut_short_has_no_name() {
        assert_eq!(common_name(&[]), None);
        assert_eq!(common_name(&COMMON_NAME), None);
        assert_eq!(common_name(&[&COMMON_NAME[..], &[0x0c, 9, b'a']].concat()), None);
        assert_eq!(common_name(&[&COMMON_NAME[..], &[0x0c, 1, b'a']].concat()), Some(&b"a"[..]));
    }
}
