//! Ways to the origin that the operator chooses: the version of HTTP, addresses on both sides, and TLS.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::program::{Ended, Program};
use crate::scripted::{Answer, Scripted};
use crate::secure::{Secure, Terms};

const LIMIT: Duration = Duration::from_secs(60);
const VOD: &str = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\na.ts\n#EXTINF:1,\nb.ts\n#EXT-X-ENDLIST\n";

fn run(url: &str, options: &[&str]) -> Ended {
    let base = ["-c", "2", "--ramp-time", "0", "-d", "4s"];
    Program::start(url, &[&base, options].concat()).end_within(LIMIT)
}

fn answer(path: &str) -> Answer {
    if path.ends_with(".m3u8") { Answer::playlist(VOD) } else { Answer::segment() }
}

/// Checks that every request ended in this way, and returns the reason that the report gives.
fn only(run: &Ended, outcome: &str) -> String {
    let names: Vec<_> = run.report.outcomes().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, [outcome], "{}", run.stderr());
    run.report.text(&format!("/failure_details/{outcome}"))
}

/// Runs the demonstration and checks that all responses came by `protocol`, and that the origin counts as many.
fn assert_all_by(protocol: &str, options: &[&str]) {
    let base = ["--healthy", "-c", "3", "--ramp-time", "0", "-d", "3s"];
    let run = Program::start_command(&["demo"], &[&base, options].concat()).end_within(LIMIT);
    run.assert_exit_code(0);
    let kinds = run.report.value()["origin"]["completed"].as_object().unwrap().values();
    let served = kinds.flat_map(|statuses| statuses.as_object().unwrap().values());
    let counted: u64 = served.map(|served| served["responses"].as_u64().unwrap()).sum();
    let protocols = &run.report.value()["audience"]["protocols"];
    assert_eq!(*protocols, serde_json::json!({ protocol: counted }), "{options:?}");
    assert_eq!(run.report.outcomes(), [("ok", counted)]);
}

#[test]
fn one_version_of_http_carries_every_request() {
    assert_all_by("http/1.1", &["--tls", "--http1.1"]);
    assert_all_by("h2", &["--tls", "--http2"]);
    assert_all_by("h2", &["--http2"]);
    assert_all_by("http/1.1", &["--http1.1"]);
}

#[test]
fn a_way_that_cannot_lead_to_the_origin_is_refused_before_the_load_in_one_line() {
    let refused = |url: &str, options: &[&str], code, expected: &str| {
        let base = ["-c", "5", "-d", "4s", "--no-tui"];
        let mut program = Command::new(env!("CARGO_BIN_EXE_hlswarm"));
        let output = program.args(["run", url]).args(base).args(options).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(code), 0), "{said}");
        assert!(said.lines().any(|line| line.starts_with("hlswarm: ") && line.contains(expected)), "{said}");
    };
    let plain = Scripted::start(|_| Answer::whole("400 Bad Request", "text/plain", b"HTTP/1.1 only"));
    let expected = "(the server does not take HTTP/2 without TLS (--http2)): leave out --http2";
    refused(&plain.url("/vod.m3u8"), &["--http2"], 5, expected);
    // The address stands in the URL, so it is a mistake of the command line.
    let expected = "--local-addr 127.0.0.1: an IPv4 address, but ::1 has only IPv6 addresses";
    refused("http://[::1]:9/vod.m3u8", &["--local-addr", "127.0.0.1"], 2, expected);
    let resolve = ["--local-addr", "127.0.0.1", "--resolve", "origin.test:9:[::1]"];
    let expected = "preflight: --local-addr 127.0.0.1: an IPv4 address, but origin.test has only";
    refused("http://origin.test:9/vod.m3u8", &resolve, 5, expected);
}

#[test]
fn a_server_that_does_not_agree_to_the_version_is_a_failure_and_never_loaded_by_the_other() {
    for (offered, option, version) in [
        (&[][..], "--http2", "HTTP/2"),
        (&["http/1.1"], "--http2", "HTTP/2"),
        (&["h2"], "--http1.1", "HTTP/1.1"),
    ] {
        let origin = Secure::on(Terms { protocols: offered, ..Terms::default() }, |_| panic!("a request"));
        let cacert = origin.certificate().to_str().unwrap();
        let run = run(&origin.url("/vod.m3u8"), &["--cacert", cacert, option]);
        run.assert_exit_code(5);
        let expected = format!("the server does not agree to {version} ({option})");
        assert_eq!(only(&run, "tls.handshake"), expected, "{offered:?}");
    }
    // Without ALPN the version is HTTP/1.1 (RFC 9110 section 5.1 leaves nothing else).
    let origin = Secure::start(answer);
    let run_1 = run(&origin.url("/vod.m3u8"), &["--insecure", "--http1.1"]);
    assert_eq!(only(&run_1, "ok"), "");
    let plain = Scripted::start(|_| Answer::whole("400 Bad Request", "text/plain", b"HTTP/1.1 only"));
    let run_2 = run(&plain.url("/vod.m3u8"), &["--http2"]);
    run_2.assert_exit_code(5);
    assert_eq!(only(&run_2, "h2.proto"), "the server does not take HTTP/2 without TLS (--http2)");
}

#[test]
fn addresses_of_the_other_family_are_not_connected_to() {
    let origin = Scripted::start(answer);
    let port = origin.port();
    let both = format!("cdn.example:{port}:[::1],127.0.0.1");
    let url = format!("http://cdn.example:{port}/vod.m3u8");
    let four = run(&url, &["--resolve", &both, "-4"]);
    four.assert_exit_code(0);
    let edges = four.report.value()["audience"]["edges"].as_object().unwrap();
    assert_eq!(edges.keys().collect::<Vec<_>>(), [&format!("127.0.0.1:{port}")]);
    // Nothing listens there on IPv6, and this machine may have none.
    let six = run(&url, &["--resolve", &both, "-6"]);
    six.assert_exit_code(3);
    for (outcome, _) in six.report.outcomes() {
        assert!(["conn.refused", "conn.unreachable"].contains(&outcome), "{outcome}");
    }
    assert!(six.report.value()["audience"]["edges"].as_object().unwrap().is_empty());
}

#[test]
fn an_address_of_the_other_family_in_the_stream_is_refused() {
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let segment = format!("http://127.0.0.1:{}/a.ts", other.local_addr().unwrap().port());
    let Some(origin) = Scripted::start_on_ipv6(move |path| match path {
        "/vod.m3u8" => Answer::playlist(&VOD.replace("a.ts", &segment)),
        _ => Answer::segment(),
    }) else {
        return;
    };
    let run = run(&origin.url("/vod.m3u8"), &["-6", "--allow-host", "127.0.0.1"]);
    assert!(run.report.count("/outcomes/policy.addr") > 0, "{:?}", run.report.outcomes());
    assert_eq!(run.report.text("/failure_details/policy.addr"), "-4 or -6 leaves out 127.0.0.1");
    other.set_nonblocking(true).unwrap();
    assert!(other.accept().is_err(), "nothing was connected");
}

#[test]
fn an_address_of_the_other_family_on_the_command_line_is_one_line() {
    for (url, option, expected) in [
        (
            "http://[::1]:1/a.m3u8",
            "-4",
            "hlswarm: -4: the URL has the address ::1; expected a name or an IPv4 address",
        ),
        (
            "http://127.0.0.1:1/a.m3u8",
            "--ipv6",
            "hlswarm: -6: the URL has the address 127.0.0.1; expected a name",
        ),
    ] {
        for command in ["run", "check", "plan"] {
            let run = std::process::Command::new(env!("CARGO_BIN_EXE_hlswarm"))
                .args([command, url, option])
                .output()
                .unwrap();
            let said = String::from_utf8(run.stderr).unwrap();
            assert!(said.starts_with(expected) && said.lines().count() == 1, "{said}");
            assert_eq!(run.status.code(), Some(2), "{said}");
        }
    }
}

#[test]
fn a_version_of_tls_that_is_left_out_is_not_used() {
    for (versions, option, allowed) in [
        (&rustls::version::TLS12, ["--tls-min", "1.3"], ["--tls-max", "1.2"]),
        (&rustls::version::TLS13, ["--tls-max", "1.2"], ["--tls-min", "1.3"]),
    ] {
        let origin = Secure::on(Terms { versions: &[versions], ..Terms::default() }, answer);
        let url = origin.url("/vod.m3u8");
        let refused = run(&url, &[&["--insecure"], &option[..]].concat());
        refused.assert_exit_code(3);
        only(&refused, "tls.handshake");
        let loaded = run(&url, &[&["--insecure"], &allowed[..]].concat());
        loaded.assert_exit_code(0);
        only(&loaded, "ok");
    }
}

/// An authority, and a certificate for clients that it has signed, as files in a folder.
struct Identity {
    authority: rcgen::Certificate,
    folder: tempfile::TempDir,
    /// A line of the key.
    secret: String,
}

impl Identity {
    fn new() -> Self {
        let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let key = rcgen::KeyPair::generate().unwrap();
        let authority = params.self_signed(&key).unwrap();
        let issuer = rcgen::Issuer::new(params, key);
        let mut params = rcgen::CertificateParams::new(vec!["client".to_owned()]).unwrap();
        params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &issuer).unwrap().pem();
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let pem = key.serialize_pem();
        std::fs::write(folder.path().join("cert.pem"), &certificate).unwrap();
        std::fs::write(folder.path().join("key.pem"), &pem).unwrap();
        std::fs::write(folder.path().join("both.pem"), pem.clone() + &certificate).unwrap();
        Self { authority, folder, secret: pem.lines().nth(1).unwrap().to_owned() }
    }

    fn file(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }
}

#[test]
fn a_client_shows_its_certificate_and_never_its_key() {
    let (ours, others) = (Identity::new(), Identity::new());
    let terms = Terms { clients_of: Some(ours.authority.der().clone()), ..Terms::default() };
    let origin = Secure::on(terms, answer);
    let (url, cacert) = (origin.url("/vod.m3u8"), origin.certificate().to_str().unwrap());
    let with = |options: &[&str]| run(&url, &[&["--cacert", cacert], options].concat());
    let [cert, key, both] = ["cert.pem", "key.pem", "both.pem"].map(|name| ours.file(name));
    for options in [&["--client-cert", &cert, "--client-key", &key][..], &["--client-cert", &both]] {
        let run = with(options);
        run.assert_exit_code(0);
        only(&run, "ok");
        for (name, output) in run.outputs() {
            assert!(!output.contains(&ours.secret), "{name} shows the key");
        }
    }
    let [stranger, none] = [&["--client-cert", &others.file("both.pem")][..], &[]].map(with);
    only(&stranger, "tls.handshake");
    only(&none, "tls.handshake");
}

#[test]
fn a_certificate_that_cannot_be_used_is_one_line_before_any_load() {
    let (ours, others) = (Identity::new(), Identity::new());
    let origin = Scripted::start(|_| panic!("a request"));
    let url = origin.url("/vod.m3u8");
    for (options, expected) in [
        (vec!["--client-cert", "/no/such/file"], "hlswarm: --client-cert /no/such/file: No such file"),
        (
            vec!["--client-cert", &ours.file("cert.pem")],
            "it contains no private key, and there is no --client-key",
        ),
        (
            vec!["--client-cert", &ours.file("cert.pem"), "--client-key", &others.file("key.pem")],
            "it is not the key of the certificate in",
        ),
        (vec!["--tls-min", "1.3", "--tls-max", "1.2"], "hlswarm: --tls-min 1.3 is more than --tls-max 1.2"),
    ] {
        let run = run(&url, &options);
        run.assert_exit_code(2);
        let said = run.stderr();
        assert!(said.contains(expected) && said.lines().count() == 1, "{said}");
        assert!(!said.contains(&ours.secret) && !said.contains(&others.secret), "{said}");
    }
}

/// Returns the source addresses that the report lists, and the edges with their requests.
fn route(run: &Ended) -> (Vec<String>, Vec<(String, u64)>) {
    let audience = &run.report.value()["audience"];
    let sources = audience["source_addresses"].as_array().unwrap();
    let edges = audience["edges"].as_object().unwrap();
    (
        sources.iter().map(|source| source.as_str().unwrap().to_owned()).collect(),
        edges.iter().map(|(edge, totals)| (edge.clone(), totals["requests"].as_u64().unwrap())).collect(),
    )
}

#[cfg(target_os = "linux")]
#[test]
fn connections_come_from_the_given_addresses_in_turn() {
    let seen: Arc<Mutex<BTreeMap<String, usize>>> = Arc::default();
    let peers = Arc::clone(&seen);
    let origin = Scripted::start_with(move |asked| {
        if asked.path.ends_with(".m3u8") {
            *peers.lock().unwrap().entry(asked.peer.ip().to_string()).or_default() += 1;
        }
        answer(&asked.path)
    });
    let given = ["--local-addr", "127.0.0.2,127.0.0.3", "--local-addr", "127.0.0.4", "-c", "9"];
    let run = run(&origin.url("/vod.m3u8"), &given);
    run.assert_exit_code(0);
    let all = ["127.0.0.2", "127.0.0.3", "127.0.0.4"];
    assert_eq!(route(&run).0, all);
    // A VOD playlist is loaded once by each client.
    assert_eq!(*seen.lock().unwrap(), all.map(|address| (address.to_owned(), 3)).into());
}

#[test]
fn an_address_that_connections_cannot_come_from_is_one_line_before_any_load() {
    let origin = Scripted::start(|_| panic!("a request"));
    for (options, expected) in [
        // TEST-NET-1 (RFC 5737): no machine has it.
        (&["--local-addr", "192.0.2.1"][..], "hlswarm: --local-addr 192.0.2.1: "),
        (&["--local-addr", "127.0.0.1", "--local-addr", "192.0.2.1"], "hlswarm: --local-addr 192.0.2.1: "),
        (&["-4", "--local-addr", "::1"], "hlswarm: --local-addr ::1: -4 or -6 leaves out"),
    ] {
        let run = run(&origin.url("/vod.m3u8"), options);
        run.assert_exit_code(2);
        let said = run.stderr();
        assert!(said.starts_with(expected) && said.lines().count() == 1, "{said}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn the_addresses_of_a_host_are_dealt_out_among_the_clients_and_a_dead_one_harms_none() {
    let origin = Scripted::start_on("0.0.0.0:0", answer);
    let port = origin.port();
    let url = format!("http://cdn.example:{port}/vod.m3u8");
    let all = format!("cdn.example:{port}:127.0.0.2,127.0.0.3,127.0.0.4");
    let shared = run(&url, &["-c", "6", "--resolve", &all]);
    shared.assert_exit_code(0);
    // A playlist and two segments for each of two clients.
    let expected = ["127.0.0.2", "127.0.0.3", "127.0.0.4"].map(|address| (format!("{address}:{port}"), 6));
    assert_eq!(route(&shared).1, expected);
    let origin = Scripted::start_on("127.0.0.2:0", answer);
    let port = origin.port();
    let half_dead = format!("cdn.example:{port}:127.0.0.2,127.0.0.3");
    let run = run(&format!("http://cdn.example:{port}/vod.m3u8"), &["-c", "6", "--resolve", &half_dead]);
    run.assert_exit_code(0);
    assert_eq!(only(&run, "ok"), "");
    assert_eq!(route(&run).1, [(format!("127.0.0.2:{port}"), 18)]);
}
