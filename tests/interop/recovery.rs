//! Recovery from an origin that stops in mid-run and returns: only connections fail, and afterwards every client
//! plays.

use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hlswarm::testing::vocabulary::Kind;

use crate::access_log::{AccessLog, Entry};
use crate::origin::Origin;
use crate::program::{Ended, Program};

const CLIENTS: u64 = 5;
const DURATION_S: u64 = 24;
const STOPPED_AFTER: Duration = Duration::from_secs(8);
/// Shorter than the live window, so every segment that a client still wants exists afterwards.
const OUTAGE: Duration = Duration::from_secs(3);
const END_LIMIT: Duration = Duration::from_secs(DURATION_S + 10);
/// Seconds after which the origin serves every client again: the longest back-off and a segment duration.
const RECOVERED_WITHIN_S: f64 = 8.0;

#[test]
fn clients_recover_from_an_origin_that_was_stopped_and_started_again() {
    let Some(mut origin) = Origin::start() else { return };
    let [clients, duration] = [CLIENTS.to_string(), format!("{DURATION_S}s")];
    let options = ["-c", &clients, "--ramp-rate", &clients, "-d", &duration];
    let program = Program::start(&origin.url("/ts/master.m3u8"), &options);
    thread::sleep(STOPPED_AFTER);
    origin.stop();
    thread::sleep(OUTAGE);
    origin.start_again();
    let back_at = unix_seconds();
    let run = program.end_within(END_LIMIT);
    let log = origin.stop_and_read_log();
    run.assert_exit_code(0);
    assert_only_connections_failed(&log, &run);
    let again = log.only(|entry| entry.started_at() >= back_at + RECOVERED_WITHIN_S);
    let served = again.of_kind(Kind::Segment).only(|entry| entry.status == 200);
    assert_eq!(served.by_connection().len() as u64, CLIENTS, "clients with segments afterwards");
    // 304 answers a reload that came before the next segment.
    let refused = log.only(|entry| !matches!(entry.status, 200 | 304));
    let refused: Vec<_> = refused.entries().iter().map(|entry| (entry.status, &entry.uri)).collect();
    assert!(refused.is_empty(), "{refused:?}");
}

fn assert_only_connections_failed(log: &AccessLog, run: &Ended) {
    let outcomes = run.report.outcomes();
    let (ok, failed): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(|(name, _)| *name == "ok");
    assert_eq!(ok, [("ok", log.only(Entry::is_complete).requests())]);
    assert!(!failed.is_empty(), "no request failed although the origin was gone");
    assert!(failed.iter().all(|(name, _)| name.starts_with("conn.")), "{failed:?}");
}

pub fn unix_seconds() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64()
}
