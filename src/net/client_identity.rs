//! The certificate with which clients identify themselves over TLS (`--client-cert`, `--client-key`).
//!
//! No message shows anything of the key, and no error holds it.

use std::fmt::Write as _;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::ResolvesClientCert;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};

use crate::vocabulary::Untrusted;

/// Maximum size of each file. Chains and keys have some kilobytes.
const FILE_BYTES: u64 = 1024 * 1024;
/// Mark of a key that needs a password (RFC 7468 section 11, RFC 1421).
const ENCRYPTED: &[u8] = b"ENCRYPTED";

/// Files of the certificate and its key.
#[derive(Clone, Debug)]
pub struct ClientFiles {
    /// PEM file of the certificate, and of those between it and its authority.
    pub certificate: PathBuf,
    /// PEM file of the key; `None`: it is in the same file.
    pub key: Option<PathBuf>,
}

/// A file of `--client-cert` or `--client-key` that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{option} {path}: {reason}; expected a PEM file with {expected}")]
pub struct ClientFileError {
    option: &'static str,
    path: String,
    reason: String,
    /// Content of a file that is accepted.
    expected: &'static str,
}

/// Reads the certificate and its key.
///
/// # Errors
/// One line that names the file and its problem.
pub(super) fn read(
    files: &ClientFiles,
    provider: &CryptoProvider,
) -> Result<Arc<dyn ResolvesClientCert>, ClientFileError> {
    let option = "--client-cert";
    let wrong = |reason: &str| refused(option, &files.certificate, reason);
    let pem = load(option, &files.certificate)?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let chain = chain.map_err(|_| wrong("not a PEM file"))?;
    if chain.is_empty() {
        return Err(wrong("it contains no certificate"));
    }
    let (option, path) = match &files.key {
        Some(path) => ("--client-key", path),
        None => (option, &files.certificate),
    };
    let pem = if files.key.is_some() { load(option, path)? } else { pem };
    let key = PrivateKeyDer::from_pem_slice(&pem).map_err(|_| {
        let is_encrypted = pem.windows(ENCRYPTED.len()).any(|part| part == ENCRYPTED);
        let mut reason = String::from("it contains no private key");
        match (is_encrypted, &files.key) {
            (true, _) => reason.push_str(" without a password"),
            (false, None) => reason.push_str(", and there is no --client-key"),
            (false, Some(_)) => {}
        }
        refused(option, path, &reason)
    })?;
    let certified = CertifiedKey::from_der(chain, key, provider).map_err(|error| {
        let mut reason = String::from("it cannot be used");
        match error {
            rustls::Error::InconsistentKeys(_) => {
                reason.clear();
                let certificate = shown(&files.certificate);
                _ = write!(reason, "it is not the key of the certificate in {certificate}");
            }
            // The text of any other error names no part of the key, but it need not be good English either.
            _ => reason.push_str(": unsupported or damaged"),
        }
        refused(option, path, &reason)
    })?;
    Ok(Arc::new(SingleCertAndKey::from(certified)))
}

fn load(option: &'static str, path: &Path) -> Result<Vec<u8>, ClientFileError> {
    let mut pem = Vec::new();
    let read = File::open(path).and_then(|file| file.take(FILE_BYTES).read_to_end(&mut pem));
    match read {
        Ok(_) => Ok(pem),
        Err(error) => Err(refused(option, path, &error.to_string())),
    }
}

fn refused(option: &'static str, path: &Path, reason: &str) -> ClientFileError {
    let expected = match option {
        "--client-key" => "the private key",
        _ => "a certificate",
    };
    ClientFileError { option, path: shown(path), reason: reason.to_owned(), expected }
}

fn shown(path: &Path) -> String {
    Untrusted::new(&path.to_string_lossy()).shown()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertifiedKey as Made, generate_simple_self_signed};

    fn made() -> (String, String) {
        let Made { cert, signing_key } =
            generate_simple_self_signed(["client".to_owned()]).expect("a certificate");
        (cert.pem(), signing_key.serialize_pem())
    }

    /// Reads the certificate and key in files with these contents, and returns the error.
    fn error(certificate: &str, key: Option<&str>) -> Option<String> {
        let folder = tempfile::tempdir().expect("a folder");
        let [certificate_file, key_file] = ["cert.pem", "key.pem"].map(|name| folder.path().join(name));
        std::fs::write(&certificate_file, certificate).expect("writable");
        std::fs::write(&key_file, key.unwrap_or_default()).expect("writable");
        let files = ClientFiles { certificate: certificate_file, key: key.map(|_| key_file) };
        let provider = rustls::crypto::ring::default_provider();
        let error = read(&files, &provider).err()?.to_string();
        Some(error.replace(&format!("{}/", folder.path().display()), ""))
    }

    #[test]
    fn a_certificate_has_its_key_beside_it_or_in_the_same_file() {
        let (certificate, key) = made();
        assert_eq!(error(&certificate, Some(&key)), None);
        assert_eq!(error(&format!("{key}{certificate}"), None), None);
    }

    #[test]
    fn files_that_cannot_be_used_are_one_line_without_their_content() {
        let ((certificate, key), (_, other)) = (made(), made());
        let encrypted = key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
        let damaged = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
        for (certificate, key, expected) in [
            (
                "hunter2",
                Some(&*key),
                "--client-cert cert.pem: it contains no certificate; expected a PEM file with a certificate",
            ),
            ("-----BEGIN CERTIFICATE-----\nhunter2", Some(&key), "--client-cert cert.pem: not a PEM file"),
            (&certificate, Some("hunter2"), "--client-key key.pem: it contains no private key; expected"),
            (
                &certificate,
                Some(&encrypted),
                "--client-key key.pem: it contains no private key without a password",
            ),
            (&certificate, Some(damaged), "--client-key key.pem: it cannot be used: unsupported or damaged"),
            (
                &certificate,
                None,
                "--client-cert cert.pem: it contains no private key, and there is no --client-key",
            ),
            (
                &certificate,
                Some(&other),
                "--client-key key.pem: it is not the key of the certificate in cert.pem",
            ),
        ] {
            let said = error(certificate, key).expect(expected);
            assert!(said.starts_with(expected), "{said}");
            assert!(!said.contains("hunter2") && !said.contains('\n'), "{said}");
            let secret = key.unwrap_or("hunter2").lines().nth(1).unwrap_or("hunter2");
            assert!(!said.contains(secret), "{said}");
        }
    }
}
