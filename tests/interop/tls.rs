//! TLS with HTTP/2, gzipped playlists and a redirect, and the outcome of an unknown certificate.

use std::time::Duration;

use hlswarm::testing::vocabulary::Kind;

use crate::access_log::AccessLog;
use crate::origin::Origin;
use crate::program::{Ended, Program};

const CLIENTS: u64 = 5;
const END_LIMIT: Duration = Duration::from_secs(30);

fn run(origin: &Origin, options: &[&str]) -> Ended {
    let clients = CLIENTS.to_string();
    let options = [&["-c", &clients, "--ramp-rate", &clients][..], options].concat();
    Program::start(&origin.tls_url("/moved/master.m3u8"), &options).end_within(END_LIMIT)
}

#[test]
fn every_client_plays_a_redirected_gzipped_stream_over_http2() {
    let Some(mut origin) = Origin::start() else { return };
    let certificate = origin.certificate();
    let run = run(&origin, &["-d", "12s", "--cacert", certificate.to_str().unwrap()]);
    let log = origin.stop_and_read_log();
    run.assert_exit_code(0);
    assert_eq!(run.report.count("/playback/started"), CLIENTS);
    assert_eq!(run.report.outcomes(), [("ok", log.requests())]);
    assert_came_over_http2(&log, origin.tls_port());
    for kind in Kind::ALL {
        let pointer = format!("/requests/{}", kind.name());
        assert_eq!(run.report.count(&pointer), log.of_kind(kind).requests(), "{}", kind.name());
    }
}

fn assert_came_over_http2(log: &AccessLog, tls_port: u16) {
    assert!(log.entries().iter().all(|entry| entry.protocol == "HTTP/2.0" && entry.port == tls_port));
    assert_eq!(log.by_connection().len() as u64, CLIENTS);
    assert_eq!(log.only(|entry| entry.status == 302).requests(), CLIENTS);
    let playlists = log.of_kind(Kind::Playlist).only(|entry| entry.status == 200);
    assert!(playlists.requests() > CLIENTS);
    assert!(playlists.entries().iter().all(|entry| entry.content_coding == "gzip"));
    for requests in log.of_kind(Kind::Segment).by_connection().values() {
        assert!(requests.iter().all(|entry| entry.status == 200));
    }
    assert_eq!(log.of_kind(Kind::Segment).by_connection().len() as u64, CLIENTS);
}

#[test]
fn an_unknown_certificate_ends_every_request_as_tls_cert() {
    let Some(mut origin) = Origin::start() else { return };
    let run = run(&origin, &["-d", "5s"]);
    run.assert_exit_code(3);
    let names: Vec<&str> = run.report.outcomes().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["tls.cert"]);
    assert_eq!(run.report.count("/playback/started"), 0);
    assert_eq!(origin.stop_and_read_log().requests(), 0);
}

#[test]
fn an_unknown_certificate_is_taken_where_the_operator_says_insecure() {
    let Some(mut origin) = Origin::start() else { return };
    let run = run(&origin, &["-d", "5s", "--insecure"]);
    let log = origin.stop_and_read_log();
    run.assert_exit_code(0);
    assert_eq!(run.report.count("/playback/started"), CLIENTS);
    assert_eq!(run.report.outcomes(), [("ok", log.requests())]);
}
