//! Tests of the catalogue over a scripted run, and of the files that name its metrics.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::catalogue::{families, render};
use super::exposition::Format;
use super::scrape::{CLIENTS, RunFacts, Scrape};
use super::series::{PREFIX, Sort};
use crate::sample::{RunSample, Sampler, Sources};
use crate::stats::{ClientHandle, ClientRow, Meter, Metric, Timings};
use crate::verdict::{Criteria, Threshold};
use crate::vocabulary::outcome::Fault;
use crate::vocabulary::{
    Clock, Departure, Finding, Kind, LeaveReason, Outcome, RunIdentity, SecretUrl, Timed,
};

/// Names of go-ffmpeg-hls-swarm, whose boards and alerts must keep working.
const KEPT: [&str; 51] = [
    "info",
    "target_clients",
    "test_duration_seconds",
    "active_clients",
    "ramp_progress",
    "test_elapsed_seconds",
    "test_remaining_seconds",
    "manifest_requests_total",
    "segment_requests_total",
    "init_requests_total",
    "unknown_requests_total",
    "bytes_downloaded_total",
    "manifest_requests_per_second",
    "segment_requests_per_second",
    "throughput_bytes_per_second",
    "segment_bytes_downloaded_total",
    "segment_throughput_1s_bytes_per_second",
    "segment_throughput_30s_bytes_per_second",
    "segment_throughput_60s_bytes_per_second",
    "segment_throughput_300s_bytes_per_second",
    "inferred_latency_seconds",
    "inferred_latency_p50_seconds",
    "inferred_latency_p95_seconds",
    "inferred_latency_p99_seconds",
    "inferred_latency_max_seconds",
    "clients_above_realtime",
    "clients_below_realtime",
    "stalled_clients",
    "average_speed",
    "high_drift_clients",
    "average_drift_seconds",
    "max_drift_seconds",
    "http_errors_total",
    "timeouts_total",
    "reconnections_total",
    "client_starts_total",
    "client_restarts_total",
    "client_exits_total",
    "error_rate",
    "stats_lines_dropped_total",
    "stats_lines_parsed_total",
    "stats_clients_degraded",
    "stats_drop_rate",
    "stats_peak_drop_rate",
    "client_uptime_seconds",
    "uptime_p50_seconds",
    "uptime_p95_seconds",
    "uptime_p99_seconds",
    "client_speed",
    "client_drift_seconds",
    "client_bytes_total",
];

pub(super) fn facts(per_client: bool) -> RunFacts {
    let target = SecretUrl::parse("https://u:hunter2@h.example/a.m3u8?token=hunter2").expect("a URL");
    let identity = RunIdentity { run_id: "7".to_owned(), ..RunIdentity::new(&target, Clock::start()) };
    let variant = "highest".to_owned();
    RunFacts { identity, variant, duration: Some(Duration::from_secs(60)), per_client, clock: Clock::start() }
}

/// Does in a registry what a client does in a run.
fn play(meter: &Meter) {
    for kind in Kind::ALL {
        let timings = Timings { first_byte_us: 3_000, body_us: 20_000 };
        let mut exchange = meter.start_at(kind, 1_000);
        exchange.received(5_000);
        exchange.finish_at(Outcome::Ok, Some(timings), 31_000);
        meter.start_at(kind, 1_000).finish_at(Fault::TimeoutIdle.into(), None, 7_001_000);
        meter.start_at(kind, 1_000).finish_at(Outcome::from_status(503, false), None, 2_000);
    }
    for timed in [Timed::Dns, Timed::Connect, Timed::Tls, Timed::Startup, Timed::LiveLatency] {
        meter.time(timed, 4_000);
    }
    for metric in [Metric::StartupMicros, Metric::PlayMicros, Metric::StallMicros, Metric::Stalls] {
        meter.count(metric, 1_000);
    }
    meter.find(Finding::PlaylistStale, || "stale".to_owned());
    meter.end_session(Departure::Left(LeaveReason::GaveUp));
}

pub(super) struct Played {
    sources: Sources,
    sampler: Sampler,
    client: ClientHandle,
}

impl Played {
    pub(super) fn new() -> Self {
        Self::with(Sources::new(1))
    }

    fn with(sources: Sources) -> Self {
        sources.status.set_target(4);
        sources.status.set_admitted(2, 1);
        let client = sources.registry.add();
        Self { sampler: Sampler::new(sources.clone()), sources, client }
    }

    pub(super) fn sample(&mut self) -> Arc<RunSample> {
        play(&self.client.meter(0, self.sources.clock));
        self.sampler.next_whole_sample()
    }
}

pub(super) fn text(sample: &RunSample, per_client: bool, format: Format) -> String {
    render(&Scrape::new(&facts(per_client), sample).expect("a whole sample"), format)
}

/// Returns the series of a text, by name and labels.
pub(super) fn series(text: &str) -> BTreeMap<&str, f64> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let pairs = lines.map(|line| line.rsplit_once(' ').expect("a value"));
    pairs.map(|(name, value)| (name, value.parse().expect(value))).collect()
}

#[test]
fn names_and_helps_follow_the_rules() {
    let mut names = BTreeSet::new();
    for family in families() {
        let (name, help) = (family.name, family.help);
        assert!(names.insert(name), "{name} is there twice");
        assert!(
            name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_'),
            "{name}"
        );
        assert_eq!(name.ends_with("_total"), family.sort == Sort::Counter, "{name}");
        assert_eq!(name.ends_with("info"), family.sort == Sort::Info, "{name}");
        let reserved = ["_bucket", "_count", "_sum", "_created"];
        assert!(!reserved.iter().any(|ending| name.ends_with(ending)), "{name}");
        assert!(help.ends_with('.') && !help.contains(['\\', '"', '\n']), "{name}: {help}");
    }
    let missing: Vec<_> = KEPT.iter().filter(|name| !names.contains(*name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn every_family_has_its_numbers_in_both_formats() {
    let mut played = Played::new();
    let sample = played.sample();
    let (plain, open) = (text(&sample, true, Format::Plain), text(&sample, true, Format::OpenMetrics));
    assert_eq!(plain.matches("# TYPE ").count(), families().count());
    for (line, value) in [
        ("hls_swarm_manifest_requests_total", 3.0),
        ("hls_swarm_request_outcomes_total{kind=\"key\",outcome=\"timeout.idle\"}", 1.0),
        ("hls_swarm_http_errors_total{status_code=\"503\"}", 6.0),
        ("hls_swarm_bytes_downloaded_total", 30_000.0),
        ("hls_swarm_inferred_latency_seconds_bucket{le=\"0.05\"}", 1.0),
        ("hls_swarm_inferred_latency_seconds_bucket{le=\"0.025\"}", 0.0),
        ("hls_swarm_inferred_latency_seconds_sum", 0.03),
        ("hls_swarm_inferred_latency_max_seconds", 0.03),
        ("hls_swarm_request_duration_seconds_bucket{kind=\"part\",result=\"failed\",le=\"5\"}", 1.0),
        ("hls_swarm_request_duration_seconds_count{kind=\"part\",result=\"failed\"}", 2.0),
        ("hls_swarm_client_exits_total{category=\"error\"}", 1.0),
        ("hls_swarm_client_uptime_seconds_count", 1.0),
        ("hls_swarm_ramp_progress", 0.5),
        ("hls_swarm_error_rate", 12.0 / 18.0),
        ("hls_swarm_play_seconds_total", 0.001),
        ("hls_swarm_findings_total{finding=\"playlist_stale\",severity=\"error\"}", 1.0),
        ("hls_swarm_trust_verdict{verdict=\"INVALID\"}", 0.0),
        ("hls_swarm_client_bytes_total{client_id=\"1\"}", 30_000.0),
        ("hls_swarm_clients_without_series", 0.0),
        ("hls_swarm_clients{state=\"starting\"}", 1.0),
    ] {
        assert_eq!(series(&plain).get(line), Some(&value), "{line} in {plain}");
    }
    assert!(
        !plain.contains("hunter2") && plain.contains("stream_url=\"https://h.example/a.m3u8?***\""),
        "{plain}"
    );
    assert!(plain.contains("# TYPE hls_swarm_info gauge\n") && !plain.contains("# EOF"), "{plain}");
    for metadata in [
        "# TYPE hls_swarm info\n",
        "# TYPE hls_swarm_manifest_requests counter\n",
        "# TYPE hls_swarm_inferred_latency_seconds histogram\n# UNIT hls_swarm_inferred_latency_seconds seconds\n",
        "# UNIT hls_swarm_rebuffer_ratio ratio\n",
    ] {
        assert!(open.contains(metadata), "{metadata} in {open}");
    }
    assert!(open.ends_with("\n# EOF\n") && open.contains("le=\"1.0\""), "{open}");
    assert_eq!(series(&open).len(), series(&plain).len());
}

#[test]
fn each_threshold_has_its_value_and_its_limit_and_says_whether_it_is_kept() {
    let texts =
        ["segment_p50<20ms", "error_rate<=70%", "http_errors{503}==0", "stalls==0 over 5m", "requests>=1"];
    let thresholds = texts.map(|text| Threshold::parse(text).expect(text)).to_vec();
    let criteria = Arc::new(Criteria { thresholds, ..Criteria::default() });
    let mut played = Played::with(Sources { criteria, ..Sources::new(1) });
    played.sampler.set_moment(Duration::from_secs(1));
    let plain = text(&played.sample(), false, Format::Plain);
    let numbers = series(&plain);
    let of = |name: &str| {
        texts.map(|text| {
            numbers.get(format!("hls_swarm_threshold_{name}{{threshold=\"{text}\"}}").as_str()).copied()
        })
    };
    let longest = numbers["hls_swarm_inferred_latency_p50_seconds"];
    assert_eq!(of("value"), [Some(longest), Some(12.0 / 18.0), Some(6.0), None, Some(18.0)]);
    assert_eq!(of("limit"), [Some(0.02), Some(0.7), Some(0.0), Some(0.0), Some(1.0)]);
    assert_eq!(of("ok"), [Some(0.0), Some(1.0), Some(0.0), None, Some(1.0)]);
}

#[test]
fn no_counter_ever_falls() {
    let mut played = Played::new();
    let [before, after] = [(); 2].map(|()| text(&played.sample(), false, Format::Plain));
    let after = series(&after);
    let counts = |name: &str| {
        let name = name.split('{').next().unwrap_or(name).trim_start_matches(PREFIX);
        families().any(|family| match family.sort {
            Sort::Counter => family.name == name,
            Sort::Histogram => name.starts_with(family.name),
            Sort::Gauge | Sort::Info => false,
        })
    };
    let counters = series(&before).into_iter().filter(|(name, _)| counts(name));
    let mut grew = 0;
    for (name, value) in counters {
        assert!(after[name] >= value, "{name}");
        grew += u32::from(after[name] > value);
    }
    assert!(grew > 100, "{grew}");
}

#[test]
fn what_is_not_known_is_absent() {
    let sample = Sampler::new(Sources::new(1)).next_whole_sample();
    let plain = text(&sample, false, Format::Plain);
    for name in [
        "error_rate",
        "rebuffer_ratio",
        "average_speed",
        "ramp_progress",
        "inferred_latency_p50_seconds",
        "segment_throughput_60s_bytes_per_second",
        "startup_seconds_count",
        "clients_without_series",
        "client_speed",
    ] {
        let line = format!("\n{PREFIX}{name}");
        assert!(!plain.lines().any(|said| said.starts_with(line.trim_start())), "{name}");
    }
    assert_eq!(series(&plain).get("hls_swarm_segment_requests_total"), Some(&0.0));
    assert!(Scrape::new(&facts(false), &RunSample::default()).is_none(), "a light sample");
}

#[test]
fn only_the_first_thousand_clients_have_series() {
    let mut sample = RunSample::clone(&Sampler::new(Sources::new(1)).next_whole_sample());
    let rows = (1..=CLIENTS as u64 + 7).rev().map(|id| ClientRow { id, ..ClientRow::fresh() });
    sample.snapshot.clients = Arc::new(rows.collect());
    let plain = text(&sample, true, Format::Plain);
    let ids: Vec<_> =
        plain.lines().filter_map(|line| line.strip_prefix("hls_swarm_client_bytes_total{")).collect();
    assert_eq!(
        (ids.len(), ids[0], ids[CLIENTS - 1]),
        (CLIENTS, "client_id=\"1\"} 0", "client_id=\"1000\"} 0")
    );
    assert!(plain.contains("\nhls_swarm_clients_without_series 7\n"), "{plain}");
    assert!(plain.len() < 300_000, "{}", plain.len());
}

/// Returns the names of our metrics that a text mentions.
fn named(text: &str) -> BTreeSet<&str> {
    let is_of_a_name = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_';
    let words = text.split(|letter: char| !is_of_a_name(letter));
    words.filter_map(|word| word.strip_prefix(PREFIX)).collect()
}

fn exists(name: &str) -> bool {
    families().any(|family| {
        let ending = name.strip_prefix(family.name);
        ending.is_some_and(|ending| match family.sort {
            Sort::Histogram => ["_bucket", "_sum", "_count"].contains(&ending),
            _ => ending.is_empty(),
        })
    })
}

#[test]
fn every_metric_of_the_board_and_the_alerts_exists() {
    for (file, least) in [("grafana/hlswarm.json", 30), ("prometheus/alerts.yml", 8)] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets").join(file);
        let text = std::fs::read_to_string(&path).expect("readable");
        let names = named(&text);
        let unknown: Vec<_> = names.iter().filter(|name| !exists(name)).collect();
        assert!(unknown.is_empty() && names.len() >= least, "{file}: {unknown:?} of {}", names.len());
    }
    assert_eq!(
        named("sum(rate(hls_swarm_a_total{b=\"c\"}[1m])) / hls_swarm_d"),
        BTreeSet::from(["a_total", "d"])
    );
    assert!(!exists("inferred_latency_seconds") && !exists("clients_bucket") && exists("clients"));
}
