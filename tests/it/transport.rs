//! Ways to the origin that the operator chooses: the version of HTTP and the family of addresses.

use std::net::TcpListener;
use std::time::Duration;

use crate::program::{Ended, Program};
use crate::scripted::{Answer, Scripted};
use crate::secure::Secure;

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
fn a_server_that_does_not_agree_to_the_version_is_a_failure_and_never_loaded_by_the_other() {
    for (offered, option, version) in [
        (&[][..], "--http2", "HTTP/2"),
        (&["http/1.1"], "--http2", "HTTP/2"),
        (&["h2"], "--http1.1", "HTTP/1.1"),
    ] {
        let origin = Secure::offering(offered, |_| panic!("a request"));
        let cacert = origin.certificate().to_str().unwrap();
        let run = run(&origin.url("/vod.m3u8"), &["--cacert", cacert, option]);
        run.assert_exit_code(3);
        let expected = format!("the server does not agree to {version} ({option})");
        assert_eq!(only(&run, "tls.handshake"), expected, "{offered:?}");
    }
    // Without ALPN the version is HTTP/1.1 (RFC 9110 section 5.1 leaves nothing else).
    let origin = Secure::offering(&[], answer);
    let run_1 = run(&origin.url("/vod.m3u8"), &["--insecure", "--http1.1"]);
    assert_eq!(only(&run_1, "ok"), "");
    let plain = Scripted::start(|_| Answer::whole("400 Bad Request", "text/plain", b"HTTP/1.1 only"));
    let run_2 = run(&plain.url("/vod.m3u8"), &["--http2"]);
    run_2.assert_exit_code(3);
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
