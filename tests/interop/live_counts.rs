//! A live run, seen from both ends: the program's counts equal nginx's, and its clients keep time.

use std::time::Duration;

use hlswarm::testing::vocabulary::Kind;

use crate::access_log::{AccessLog, Entry};
use crate::lag::Lag;
use crate::media::SEGMENT_SECONDS;
use crate::origin::Origin;
use crate::program::{Ended, Program};

const CLIENTS: u64 = 40;
const DURATION_S: u64 = 22;
const END_LIMIT: Duration = Duration::from_secs(DURATION_S + 10);

/// Start of the steady window, in seconds since the first request. The clients have settled, and none is leaving
/// until its end.
const STEADY_FROM_S: f64 = 10.0;
const STEADY_UNTIL_S: f64 = 20.0;
/// Largest difference between a client's requests in that window and one request for each segment duration.
const CLIENT_TOLERANCE: f64 = 2.0;
const MEAN_RATE_TOLERANCE: f64 = 0.02;
const SPEED_TOLERANCE: f64 = 0.02;

#[test]
fn a_live_run_over_mpeg_ts_is_counted_exactly_and_keeps_time() {
    is_counted_exactly_and_keeps_time("/ts/master.m3u8");
}

#[test]
fn a_live_run_over_fmp4_is_counted_exactly_and_keeps_time() {
    is_counted_exactly_and_keeps_time("/fmp4/master.m3u8");
}

fn is_counted_exactly_and_keeps_time(path: &str) {
    let Some(mut origin) = Origin::start() else { return };
    let [clients, duration] = [CLIENTS.to_string(), format!("{DURATION_S}s")];
    let options = ["-c", &clients, "--ramp-rate", &clients, "-d", &duration];
    let lag = Lag::watch();
    let run = Program::start(&origin.url(path), &options).end_within(END_LIMIT);
    let lag_s = lag.allowance_s();
    let log = origin.stop_and_read_log();
    run.assert_exit_code(0);
    assert_counts_are_those_of(&log, &run);
    assert_each_client_is_one_connection_that_repeats_nothing(&log);
    assert_all_play_without_a_stall(&run);
    for kind in [Kind::Playlist, Kind::Segment] {
        assert_one_request_a_segment_duration(&log, kind, lag_s);
    }
}

fn assert_counts_are_those_of(log: &AccessLog, run: &Ended) {
    for kind in Kind::ALL {
        let served = log.of_kind(kind);
        let served = (served.requests(), served.bytes());
        let name = kind.name();
        let count = |field: &str| run.report.count(&format!("/kinds/{name}/{field}"));
        assert_eq!((count("requests"), count("bytes")), served, "{name}: kinds");
        assert_eq!(count("finished"), served.0, "{name}: finished");
        assert_eq!(run.report.count(&format!("/requests/{name}")), served.0, "{name}: requests");
        assert_eq!(run.report.count(&format!("/bytes/{name}")), served.1, "{name}: bytes");
    }
    assert!(log.entries().iter().all(Entry::is_complete), "a response was cut");
    assert_eq!(run.report.outcomes(), [("ok", log.requests())]);
    assert_eq!(run.report.count("/requests/started"), log.requests());
    assert_eq!(run.report.count("/requests/finished"), log.requests());
    assert_eq!(run.report.count("/bytes/total"), log.bytes());
}

fn assert_each_client_is_one_connection_that_repeats_nothing(log: &AccessLog) {
    assert_eq!(log.by_connection().len() as u64, CLIENTS, "connections");
    assert_eq!(log.fetched_twice(), [], "fetched twice");
}

fn assert_all_play_without_a_stall(run: &Ended) {
    assert_eq!(run.report.count("/playback/started"), CLIENTS);
    assert_eq!(run.report.count("/playback/stalls"), 0);
    let speed = run.report.number("/playback/average_speed");
    assert!((speed - 1.0).abs() <= SPEED_TOLERANCE, "average speed {speed}");
}

fn assert_one_request_a_segment_duration(log: &AccessLog, kind: Kind, lag_s: f64) {
    let begins_at = log.begins_at();
    let steady = begins_at + STEADY_FROM_S..begins_at + STEADY_UNTIL_S;
    let in_window = log.of_kind(kind).only(|entry| steady.contains(&entry.started_at()));
    let seconds = STEADY_UNTIL_S - STEADY_FROM_S;
    let expected = seconds / f64::from(SEGMENT_SECONDS);
    let connections = in_window.by_connection();
    assert_eq!(connections.len() as u64, CLIENTS, "{}: connections in the window", kind.name());
    for (connection, requests) in connections {
        let count = requests.len() as f64;
        let off = (count - expected).abs();
        assert!(off <= CLIENT_TOLERANCE, "{}: {count} over connection {connection}", kind.name());
    }
    let rate = in_window.requests() as f64 / CLIENTS as f64 / seconds;
    let off = (rate - 1.0 / f64::from(SEGMENT_SECONDS)).abs();
    // Late requests cross the edges of the window.
    let late = lag_s / f64::from(SEGMENT_SECONDS) / seconds;
    assert!(off <= MEAN_RATE_TOLERANCE + late, "{}: {rate} a second and client", kind.name());
}
