//! A stream that the origin sends more slowly than it plays: the number and length of stalls, computed by hand.
//!
//! There is one connection, so segments come one after another, each in `size / rate`. Playback begins with the first
//! segment and then stalls after each until the next has arrived. For N segments of d seconds that each take T to
//! arrive: N - 1 stalls, (N - 1)(T - d) seconds of stall, N d seconds of play. On a busy machine each segment may be
//! later than that by the lag that the test measures meanwhile, and never earlier.

use std::time::Duration;

use hlswarm::testing::origin::{Origin, Settings};

use crate::lag::Lag;
use crate::program::Program;

const SEGMENTS: u32 = 6;
const SEGMENT: Duration = Duration::from_secs(1);
const BITS_PER_SECOND: u64 = 800_000;
/// Half as fast as the stream plays, in bits per second.
const RATE: f64 = 400_000.0;
const CLIENTS: u64 = 3;
const TOLERANCE: f64 = 0.02;

/// Serves a VOD until the returned runtime is dropped; returns its URL.
fn serve() -> (tokio::runtime::Runtime, String) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let settings = Settings {
        listen: ([127, 0, 0, 1], 0).into(),
        segment_duration: SEGMENT,
        vod_segments: SEGMENTS,
        bitrate: BITS_PER_SECOND,
        faults: vec!["segment:bandwidth=400k".parse().unwrap()],
        ..Settings::default()
    };
    let origin = runtime.block_on(Origin::bind(settings)).unwrap();
    let url = format!("http://{}/vod/ts/master.m3u8", origin.addresses().plain);
    runtime.spawn(origin.run(std::future::pending()));
    (runtime, url)
}

fn assert_close(is: f64, computed: f64, what: &str) {
    assert_between(is, [computed, computed], what);
}

fn assert_between(is: f64, [least, most]: [f64; 2], what: &str) {
    let range = least * (1.0 - TOLERANCE)..=most * (1.0 + TOLERANCE);
    assert!(range.contains(&is), "{what}: {is}, computed {least} to {most}");
}

#[test]
fn a_stream_below_its_bitrate_stalls_as_often_and_as_long_as_computed_by_hand() {
    let (runtime, url) = serve();
    let lag = Lag::watch();
    let clients = CLIENTS.to_string();
    let run = Program::start(&url, &["-c", &clients, "--ramp-time", "0"]).end_within(Duration::from_secs(60));
    drop(runtime);
    let late = lag.allowance_s();
    run.assert_exit_code(0);
    let report = &run.report;
    let (segments, length) = (f64::from(SEGMENTS), SEGMENT.as_secs_f64());
    let size = report.number("/bytes/segment") / (CLIENTS as f64 * segments);
    // Compute the expected values from the measured segment size, without lag (least) and with it (most).
    let takes = size * 8.0 / RATE;
    let stall = |takes: f64| (segments - 1.0) * (takes - length);
    let [least, most] = [stall(takes), stall(takes + late)];
    let play = segments * length;
    let ratios = [least / (least + play), most / (most + play)];
    assert_eq!(report.count("/playback/stalls"), CLIENTS * u64::from(SEGMENTS - 1));
    let stalls = [least, most].map(|stall| CLIENTS as f64 * stall);
    assert_between(report.number("/playback/stall_s"), stalls, "stall time");
    assert_close(report.number("/playback/play_s"), CLIENTS as f64 * play, "play time");
    assert_between(report.number("/playback/rebuffer_ratio"), ratios, "rebuffer ratio");
    let per_hour = [most, least].map(|stall| (segments - 1.0) * 3_600.0 / (stall + play));
    assert_between(report.number("/playback/stalls_per_hour"), per_hour, "stalls an hour");
    assert_close(report.number("/playback/bits_per_second"), size * 8.0 / length, "bitrate");
    // The playlists and the connection come before the first segment.
    assert!(report.number("/playback/startup_ms/p50") > takes * 1e3 * (1.0 - TOLERANCE));
    // All clients saw the same, so the distribution over sessions is one value.
    assert_eq!(report.count("/playback/sessions/played"), CLIENTS);
    assert_between(report.number("/playback/sessions/rebuffer_ratio/p50"), ratios, "a session");
}
