//! Ways to the origin, as nginx sees them: source addresses, version of HTTP, and the clients' certificate.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use crate::access_log::AccessLog;
use crate::origin::Origin;
use crate::program::{Ended, Program};

const CLIENTS: u64 = 6;
const END_LIMIT: Duration = Duration::from_secs(60);

/// Loads the VOD at the server that asks for a certificate. Returns the run, and what nginx has seen.
fn load(options: &[&str]) -> Option<(Ended, AccessLog)> {
    let mut origin = Origin::start()?;
    let host = format!("identified.example:{}", origin.tls_port());
    let resolve = format!("{host}:127.0.0.1");
    let base = ["-c", "6", "--ramp-time", "0", "-d", "5s", "--insecure", "--resolve", &resolve];
    let run = Program::start(&format!("https://{host}/vod/master.m3u8"), &[&base, options].concat());
    let run = run.end_within(END_LIMIT);
    Some((run, origin.stop_and_read_log()))
}

#[cfg(target_os = "linux")]
#[test]
fn nginx_sees_the_sources_the_version_and_the_certificate() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let file = folder.path().join("both.pem");
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(vec!["client".to_owned()]).unwrap();
    params.distinguished_name.push(rcgen::DnType::CommonName, "viewer");
    let certificate = params.self_signed(&key).unwrap();
    fs::write(&file, certificate.pem() + &key.serialize_pem()).unwrap();
    let identity = ["--client-cert", file.to_str().unwrap()];
    for (version, protocol) in [("--http1.1", "HTTP/1.1"), ("--http2", "HTTP/2.0")] {
        let options = [&identity[..], &[version, "--local-addr", "127.0.0.2,127.0.0.3"]].concat();
        let Some((run, log)) = load(&options) else { return };
        run.assert_exit_code(0);
        assert_eq!(run.report.count("/outcomes/ok"), log.requests());
        let mut clients: BTreeMap<&str, u64> = BTreeMap::new();
        for entry in log.entries() {
            assert_eq!((entry.protocol.as_str(), entry.certificate.contains("viewer")), (protocol, true));
            if entry.uri == "/vod/master.m3u8" {
                *clients.entry(&entry.client).or_default() += 1;
            }
        }
        assert_eq!(clients, [("127.0.0.2", CLIENTS / 2), ("127.0.0.3", CLIENTS / 2)].into());
    }
}

#[test]
fn without_a_certificate_nginx_refuses_every_request() {
    let Some((run, log)) = load(&["--skip-preflight"]) else { return };
    let names: Vec<_> = run.report.outcomes().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["http.403"]);
    assert!(log.entries().iter().all(|entry| entry.certificate.is_empty()));
}
