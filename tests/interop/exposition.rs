//! Metrics as text: requests for them, series by name and label, and the places of the report that have the same
//! numbers.

use std::collections::BTreeMap;
use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use crate::program::{Program, Report};

const READ_LIMIT: Duration = Duration::from_secs(30);
/// Part of the line that names the address of the metrics.
const ANNOUNCEMENT: &str = "hlswarm: metrics: http://127.0.0.1:";

/// Counters and the places of the report that must equal them at the end.
const COUNTS: [(&str, &str); 20] = [
    ("manifest_requests_total", "/requests/playlist"),
    ("segment_requests_total", "/requests/segment"),
    ("init_requests_total", "/requests/init"),
    ("unknown_requests_total", "/requests/unknown"),
    ("request_outcomes_total", "/requests/finished"),
    ("requests_ok_total", "/outcomes/ok"),
    ("requests_failed_total", "/requests/failed"),
    ("http_errors_total", "/http_errors/503"),
    ("bytes_downloaded_total", "/bytes/total"),
    ("kind_bytes_total", "/bytes/total"),
    ("segment_bytes_downloaded_total", "/bytes/segment"),
    ("client_starts_total", "/run/clients_started"),
    ("client_exits_total", "/run/clients_started"),
    ("client_uptime_seconds_count", "/run/clients_started"),
    ("connections_opened_total", "/connections/opened"),
    ("inferred_latency_seconds_count", "/latency_us/segment/count"),
    ("startup_seconds_count", "/playback/startup_ms/count"),
    ("live_latency_seconds_count", "/playback/live_latency_ms/count"),
    ("stalls_total", "/playback/stalls"),
    ("playback_starts_total", "/playback/started"),
];

/// Numbers and their places in the report, with the size of a unit there.
const NUMBERS: [(&str, &str, f64); 9] = [
    ("error_rate", "/health/error_share", 1.0),
    ("rebuffer_ratio", "/playback/rebuffer_ratio", 1.0),
    ("average_speed", "/playback/average_speed", 1.0),
    ("max_drift_seconds", "/playback/drift_max_s", 1.0),
    ("play_seconds_total", "/playback/play_s", 1.0),
    ("stall_seconds_total", "/playback/stall_s", 1.0),
    ("inferred_latency_p50_seconds", "/latency_us/segment/p50", 1e-6),
    ("inferred_latency_p99_seconds", "/latency_us/segment/p99", 1e-6),
    ("inferred_latency_seconds_sum", "/latency_us/segment/sum", 1e-6),
];

/// Returns the port of the metrics, once the program has named it.
pub fn port(program: &Program) -> u16 {
    program.wait_until_it_said(ANNOUNCEMENT);
    let said = program.said();
    let (_, address) = said.split_once(ANNOUNCEMENT).unwrap();
    address.split('/').next().unwrap().parse().unwrap()
}

/// Sends a request and returns everything that comes until the connection closes.
pub fn ask(port: u16, request: &[u8]) -> io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(READ_LIMIT))?;
    stream.write_all(request)?;
    let mut reply = String::new();
    stream.read_to_string(&mut reply)?;
    Ok(reply)
}

/// Returns the body of `path`, or an error with the whole reply if its status is not 200; HTTP/1.0, so that it is not
/// chunked.
pub fn get(port: u16, path: &str) -> io::Result<String> {
    let reply = ask(port, format!("GET {path} HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n").as_bytes())?;
    let (head, body) = reply.split_once("\r\n\r\n").ok_or(io::ErrorKind::UnexpectedEof)?;
    let is_ok = head.starts_with("HTTP/1.") && head.contains(" 200 OK");
    if is_ok { Ok(body.to_owned()) } else { Err(io::Error::other(reply)) }
}

/// A series with its last value.
#[derive(Debug)]
pub struct Series {
    /// Name without the prefix.
    pub name: String,
    pub labels: BTreeMap<String, String>,
    pub value: f64,
}

/// Reads a text whose label values hold no comma and no quote.
pub fn parse(text: &str) -> Vec<Series> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let series = lines.map(|line| {
        let (series, value) = line.rsplit_once(' ').unwrap();
        let (name, labels) = series.split_once('{').unwrap_or((series, ""));
        let pairs = labels.trim_end_matches('}').split(',').filter_map(|pair| pair.split_once('='));
        let labels = pairs.map(|(name, value)| (name.to_owned(), value.trim_matches('"').to_owned()));
        let name = name.strip_prefix("hls_swarm_").unwrap().to_owned();
        Series { name, labels: labels.collect(), value: value.parse().unwrap() }
    });
    series.collect()
}

/// Returns the sum of the series of a name; `None` if there is none.
pub fn sum(series: &[Series], name: &str) -> Option<f64> {
    series
        .iter()
        .filter(|series| series.name == name)
        .map(|series| series.value)
        .reduce(|sum, value| sum + value)
}

/// Checks that the numbers at the end of a run are those of its report.
pub fn assert_equal(series: &[Series], report: &Report) {
    for (name, pointer) in COUNTS {
        let count = report.count(pointer) as f64;
        // Numbers without an occurrence are absent.
        assert_eq!(sum(series, name).unwrap_or(0.0), count, "{name} is {pointer}");
    }
    for (name, pointer, unit) in NUMBERS {
        let (value, expected) = (sum(series, name).unwrap(), report.number(pointer) * unit);
        assert!((value - expected).abs() <= 1e-9 * expected.abs(), "{name} {value} is {pointer} {expected}");
    }
    for row in report.value()["thresholds"].as_array().unwrap() {
        let of = |name: &str| {
            let of_row = |it: &&Series| it.name == name && row["expr"] == it.labels["threshold"].as_str();
            series.iter().find(of_row).map(|series| series.value)
        };
        // One that only the trust verdict makes inconclusive has a value all the same.
        if let Some(ok) = row["ok"].as_bool() {
            assert_eq!(of("threshold_ok"), Some(f64::from(u8::from(ok))), "{row}");
        }
        if row["expr"].as_str().unwrap().starts_with("error_rate") {
            assert_eq!(
                (of("threshold_value"), of("threshold_limit")),
                (row["value"].as_f64(), Some(0.9)),
                "{row}"
            );
        }
    }
    let is_current = |name: &str, label: &str, wanted: &str| {
        let mut current = series.iter().filter(|series| series.name == name && series.value == 1.0);
        current.any(|series| series.labels[label] == wanted)
    };
    assert!(is_current("trust_verdict", "verdict", &report.text("/trust/verdict")));
    assert!(is_current("health_verdict", "verdict", &report.text("/health/verdict_at_end")));
    assert!(is_current("run_state", "state", "FINISHED"));
    for stream in ["progress", "events"] {
        let of = |name: &str| {
            let series =
                series.iter().find(|series| series.name == name && series.labels["stream"] == stream);
            series.unwrap().value
        };
        for (name, field) in [("offered", "offered"), ("parsed", "delivered"), ("dropped", "dropped")] {
            let count = report.count(&format!("/pipeline/{stream}/{field}")) as f64;
            assert_eq!(of(&format!("stats_lines_{name}_total")), count, "{stream} {name}");
        }
    }
}
