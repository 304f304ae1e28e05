//! Documents for tests: a run that is scripted counter by counter, whole and in parts.

use serde_json::{Value, json};

use super::doc::Doc;
use super::{Calibrated, Facts, Report, RunOptions, build};

use crate::sample::{RunSample, Sampler, Sources};
use crate::stats::{ClientHandle, Meter, Metric, Timings};
use crate::verdict::RunEnd;
use crate::vocabulary::outcome::Fault;
use crate::vocabulary::{
    CacheStatus, ClientState, Clock, ConnectionRoute, Departure, Kind, Outcome, Playback, RunIdentity,
    RunState, SecretUrl, Timed,
};

/// Values of a document that add up and that the script leaves at 0.
const ADDED: [&str; 41] = [
    "/run/late_starts",
    "/trust/suspect_s",
    "/trust/invalid_s",
    "/trust/masked_intervals_left_out",
    "/requests/part",
    "/requests/init",
    "/requests/key",
    "/requests/unknown",
    "/bytes/part",
    "/bytes/init",
    "/bytes/key",
    "/bytes/unknown",
    "/playback/finished_clients",
    "/playback/dead_clients",
    "/playback/segments_skipped",
    "/playback/start_failures",
    "/playback/exits_before_start",
    "/playback/gave_up",
    "/playback/sessions_over",
    "/playback/replacements",
    "/playback/edge_jumps",
    "/playback/variant_switches",
    "/playback/cached_reloads",
    "/playback/retry_after_honoured",
    "/connections/opened",
    "/connections/reconnections",
    "/connections/stale_retries",
    "/connections/redirects",
    "/audience/tls_resumed",
    "/pipeline/progress/offered",
    "/pipeline/progress/delivered",
    "/pipeline/progress/dropped",
    "/pipeline/events/offered",
    "/pipeline/events/delivered",
    "/pipeline/events/dropped",
    "/pipeline/dropped",
    "/pipeline/degraded_clients",
    "/internal/panics",
    "/internal/invariant_violations",
    "/internal/histogram_clamped",
    "/internal/entries_not_kept",
];
/// Unix time at which all scripted runs begin, in milliseconds.
const BEGAN_MS: i64 = 1_000_000_000_250;
/// Length of all scripted runs, in seconds.
const LENGTH_S: f64 = 6.0;

/// Returns the report of a run with these clients. Every client has other numbers, so that a mixed-up one is seen.
pub(super) fn report_of(clients: &[u64]) -> Report {
    let sources = Sources::new(2);
    let handles: Vec<ClientHandle> = clients.iter().map(|client| play(&sources, *client)).collect();
    sources.status.set_target(clients.len() as u32);
    sources.status.set_state(RunState::Finished);
    let sample = Sampler::new(sources).next_whole_sample();
    drop(handles);
    report(&sample, "992bcd65982f2da1", Clock::start())
}

/// Returns the report of a sample of a run that began with this clock.
pub(super) fn report(sample: &RunSample, run_id: &str, clock: Clock) -> Report {
    let target = SecretUrl::parse("https://origin.example.com/live/master.m3u8").expect("a URL");
    let identity = RunIdentity {
        run_id: run_id.to_owned(),
        seed: 7,
        command: "hlswarm https://origin.example.com/live/master.m3u8 -c 4".to_owned(),
        ..RunIdentity::new(&target, clock)
    };
    let options = RunOptions {
        duration_asked_s: Some(900.0),
        clients_asked: sample.target,
        ramp_rate: Some(5.0),
        variant: "highest".to_owned(),
        player: "web".to_owned(),
        players: vec!["web"],
        session_length: "endless".to_owned(),
        tls_verified: true,
        ..RunOptions::default()
    };
    let calibration: Calibrated = Err("nothing was measured yet".into());
    let end = Some(RunEnd::default());
    let facts = Facts {
        identity,
        options,
        lost_workers: 0,
        end,
        allow_untrusted: false,
        calibration,
        search: None,
        origin: None,
    };
    build(facts, sample)
}

/// Does in a registry what a client does in a run.
fn play(sources: &Sources, client: u64) -> ClientHandle {
    let handle = sources.registry.add();
    let meter = handle.meter(client as usize % 2, sources.clock);
    meter.opened(&route(client));
    meter.time(Timed::Connect, 300 + client);
    let timings = |us: u64| Some(Timings { first_byte_us: us, body_us: us * 3 });
    for number in 0..40 + client {
        request(&meter, Kind::Segment, Outcome::Ok, timings(100_000 + 37 * number * (client + 1)));
        meter.answered(&route(client), 200, 5_000, number.is_multiple_of(4).then_some(CacheStatus::Hit));
    }
    for number in 0..20 {
        request(&meter, Kind::Playlist, Outcome::Ok, timings(200 + number * client));
    }
    for (outcome, count) in [
        (Outcome::from_status(503, false), 4 + client),
        (Outcome::from_status(404, false), 1),
        (Fault::TimeoutFirstByte.into(), client % 2),
        (Fault::LocalFiles.into(), client / 3),
        (Fault::Cut.into(), 1),
    ] {
        (0..count).for_each(|_| request(&meter, Kind::Segment, outcome, None));
    }
    meter.count(Metric::PlaybackStarts, 1);
    meter.count(Metric::StartupMicros, 200_000 + client);
    meter.count(Metric::PlayMicros, 5_000_000 + client);
    meter.count(Metric::StallMicros, 400_000 * client);
    meter.count(Metric::Stalls, client);
    meter.count(Metric::PlayedBytes, 1_000_000 * client);
    meter.time(Timed::Startup, 200_000 + client);
    meter.time(Timed::LiveLatency, 9_000_000 + client * 100_000);
    meter.end_session(Departure::Removed);
    meter.publish(&Playback {
        state: ClientState::Stalled,
        joined_us: 0,
        offset_us: 0,
        dry_at_us: 0,
        max_drift_us: 1_000 * client,
        bandwidth: 3_000_000,
        live_offset_us: None,
    });
    handle
}

fn request(meter: &Meter, kind: Kind, outcome: Outcome, timings: Option<Timings>) {
    let mut exchange = meter.start_at(kind, 1_000);
    exchange.received(5_000);
    let took = timings.map_or(70_000, |timings| timings.first_byte_us + timings.body_us);
    exchange.finish_at(outcome, timings, 1_000 + took);
}

fn route(client: u64) -> ConnectionRoute {
    let edge = std::net::SocketAddr::from(([10, 0, 0, client as u8 % 2], 443));
    ConnectionRoute { edge, source: [10, 1, 0, 1].into(), http2: false, resumed: Some(false) }
}

/// Returns the document of a run with these clients. What depends on the clock of the machine that runs the test has
/// values of its own here.
pub(super) fn doc_of(clients: &[u64]) -> Doc {
    let report = report_of(clients);
    let mut value = Doc::new(&report).expect("a document").root().value().clone();
    let many = clients.len() as u64;
    let mut set = |path: &str, new: Value| {
        *value.pointer_mut(path).unwrap_or_else(|| panic!("{path} is missing")) = new;
    };
    set("/run/run_id", json!(format!("run of {clients:?}")));
    set("/run/started_unix_ms", json!(BEGAN_MS));
    set("/run/started_at", json!("2001-09-09T01:46:40Z"));
    set("/run/duration_s", json!(LENGTH_S));
    set("/health/verdict_s", json!(4.0));
    // As the columns below say.
    set("/health/stalled_share_max", json!(0.3));
    set("/health/stalled_clients_max", json!((0.3 * many as f64).round()));
    for (name, of_each) in
        [("clients_at_end", 4), ("clients_playing_at_end", 2), ("clients_stalled_at_end", 1)]
    {
        set(&format!("/health/{name}"), json!(of_each * many));
    }
    set("/health/knee_errors", json!({ "clients": many, "bits_per_second": 1_000_000 * many, "at_s": 2.0 }));
    set("/trust/gauges", json!({}));
    set("/trust/measured_s", json!(6.0 * many as f64));
    set("/trust/verdict", json!("VALID"));
    set("/trust/masked_intervals", json!([]));
    set("/trust/generator_delay_us", Value::Null);
    set("/trust/reasons", json!([]));
    // What no client of the script does, and what is not the clients': all of it adds up.
    for (place, path) in ADDED.iter().enumerate() {
        set(path, json!((place as u64 + 1) * many));
    }
    let seconds = |of: u64| {
        let latency = json!({ "p50": 255, "p95": 255, "p99": 255, "p99_9": 255, "max": 255, "count": of * many,
            "sum": 255 * of * many, "buckets": [[255, of * many]], "at_floor": null });
        json!({ "seconds": 3 * of * many, "finished": 20 * of * many, "failed": of * many, "judged": 18 * of * many,
            "failed_share": 1.0 / 18.0, "segment_ttfb_us": latency })
    };
    set("/trust/all_seconds", seconds(3));
    set("/trust/trusted_seconds", seconds(2));
    set("/throughput_bits_per_second/run", json!(bits_per_second(&report)));
    set("/series", series(many));
    set("/history", history(many));
    set("/marks", json!([{ "at_s": 3.0, "note": "scaled packager 2 to 4" }]));
    // Each outcome has a time of its own: failures stand in the order of time.
    let order = ["http.404", "http.503", "timeout.first_byte", "local.fd", "cut"];
    let place =
        |failure: &Value| order.iter().position(|name| failure["outcome"] == *name).expect("an outcome");
    let failures = value["failures"].as_array_mut().expect("failures");
    failures.sort_by_key(place);
    for failure in failures {
        (failure["first_s"], failure["last_s"]) = (json!(1.0 + place(failure) as f64 / 2.0), json!(5.0));
        failure["clients_at_first"] = json!(many);
    }
    for check in value["checks"].as_array_mut().expect("checks") {
        if ["trust", "degraded_s"].contains(&check["name"].as_str().expect("a name")) {
            (check["value"], check["limit"], check["result"]) = (json!(0.0), json!("<= 0"), json!("pass"));
        }
    }
    Doc::from_value(value)
}

fn bits_per_second(report: &Report) -> f64 {
    report.bytes.total as f64 * 8.0 / LENGTH_S
}

/// Returns columns over seven seconds of Unix time, of which the first and the last are only partly in the run.
fn series(many: u64) -> Value {
    let column = |value: u64| json!(vec![value * many; 7]);
    json!({
        "bin_s": 1,
        "begins_unix_s": BEGAN_MS / 1000,
        "client_ms": { "playing": column(700), "stalled": column(300) },
        "started": column(20),
        "ended": { "ok": column(18), "http_5xx": column(2) },
        "bytes": column(125_000),
    })
}

fn history(many: u64) -> Value {
    let begins: Vec<u64> = (0..78).map(crate::stats::Heat::begin_us).collect();
    json!({
        "bin_s": 1,
        "begins_unix_s": BEGAN_MS / 1000,
        "need_bits": vec![2_000_000 * many; 7],
        "outcomes": { "http.503": vec![many; 7], "http.404": [0, 0, many, 0, 0, 0, 0] },
        "verdict": ["--", "OK", "OK", "DEGRADED", "FAILING", "FAILING", "FAILING"],
        "heat_begins_us": begins,
        "heat": { "segment": vec![json!([[20, 9 * many], [43, many]]); 7] },
    })
}

/// Returns the document of a run with five clients.
pub(super) fn doc() -> Doc {
    doc_of(&[0, 1, 2, 3, 4])
}

/// Returns a copy of a document with one value replaced.
pub(super) fn with(doc: &Doc, path: &str, new: Value) -> Doc {
    let mut value = doc.root().value().clone();
    *value.pointer_mut(path).unwrap_or_else(|| panic!("{path} is missing")) = new;
    Doc::from_value(value)
}
