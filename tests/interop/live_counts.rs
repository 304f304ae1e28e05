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

/// Wait before the next load of a playlist that has not changed: half the target duration (RFC 8216bis section 6.3.4).
const UNCHANGED_WAIT_S: f64 = SEGMENT_SECONDS as f64 / 2.0;
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
    let late_s = lag.allowance_s() + origin.late().as_secs_f64();
    let log = origin.stop_and_read_log();
    run.assert_exit_code(0);
    assert_counts_are_those_of(&log, &run);
    assert_each_client_is_one_connection_that_repeats_nothing(&log);
    assert_all_play_without_a_stall(&run);
    for requests in log.by_connection().values() {
        assert_one_new_playlist_for_each_segment(requests, late_s);
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

/// Checks that a client fetches segment after segment, and reloads the playlist once for each. Only where the stream or
/// the client is late, `late_s` altogether, may a reload meet the playlist that it has already.
fn assert_one_new_playlist_for_each_segment(requests: &[&Entry], late_s: f64) {
    let segments: Vec<u64> = requests.iter().filter_map(|entry| entry.segment_number()).collect();
    assert!(segments.windows(2).all(|pair| pair[1] == pair[0] + 1), "segments {segments:?}");
    let of_status = |status| {
        let lists =
            requests.iter().filter(|entry| entry.kind() == Kind::Playlist && !entry.uri.contains("master"));
        lists.filter(|entry| entry.status == status).count()
    };
    let (new, unchanged) = (of_status(200), of_status(304));
    // A client begins three segments before the end of its first playlist.
    assert!(new >= 2 && new + 2 <= segments.len(), "{new} playlists for segments {segments:?}");
    // Once for a client whose reloads come just before the window moves; from then on they come in between.
    let allowed = 1.0 + (late_s / UNCHANGED_WAIT_S).floor();
    assert!(unchanged as f64 <= allowed, "{unchanged} reloads in vain, {late_s} s late");
}
