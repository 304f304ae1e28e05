//! A VOD plays through at the pace of its clock, and the run ends with it.

use std::time::Duration;

use hlswarm::testing::vocabulary::Kind;

use crate::access_log::Entry;
use crate::media::{SEGMENT_SECONDS, SEGMENTS};
use crate::origin::Origin;
use crate::program::Program;

const CLIENTS: u64 = 5;
const VOD_S: f64 = (SEGMENTS * SEGMENT_SECONDS as u64) as f64;
/// Largest time between the last client's finish and the end of the run, in seconds.
const END_SLACK_S: f64 = 5.0;
/// Maximum media that a client may hold when it requests another segment, in seconds.
const BUFFER_LIMIT_S: f64 = 30.1;

#[test]
fn every_client_finishes_a_vod_at_its_own_pace_and_the_run_ends_by_itself() {
    let Some(mut origin) = Origin::start() else { return };
    let clients = CLIENTS.to_string();
    let options = ["-c", &clients, "--ramp-rate", &clients];
    let end_limit = Duration::from_secs_f64(VOD_S + 2.0 * END_SLACK_S);
    let run = Program::start(&origin.url("/vod/master.m3u8"), &options).end_within(end_limit);
    let log = origin.stop_and_read_log();
    run.assert_exit_code(0);
    assert_eq!(run.report.count("/playback/finished_clients"), CLIENTS);
    assert_eq!(run.report.count("/playback/stalls"), 0);
    assert_eq!(run.report.outcomes(), [("ok", log.requests())]);
    let took = run.report.number("/run/duration_s");
    assert!((VOD_S - 0.5..VOD_S + END_SLACK_S).contains(&took), "{VOD_S} s of media took {took} s");
    let segments = log.of_kind(Kind::Segment);
    let connections = segments.by_connection();
    assert_eq!(connections.len() as u64, CLIENTS);
    for requests in connections.values() {
        assert_eq!(requests.len() as u64, SEGMENTS);
        assert_never_ahead_of_the_buffer(requests);
    }
    assert_eq!(log.fetched_twice(), []);
}

/// Checks the media held at each request: the media requested before, less the most that can have been played since
/// the first segment.
fn assert_never_ahead_of_the_buffer(requests: &[&Entry]) {
    let mut fetched_s = 0.0;
    for request in requests {
        let played_at_most = request.started_at() - requests[0].started_at();
        let held = fetched_s - played_at_most;
        assert!(held <= BUFFER_LIMIT_S, "{} was fetched {held} s ahead", request.uri);
        fetched_s += f64::from(SEGMENT_SECONDS);
    }
}
