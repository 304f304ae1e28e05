//! A real Prometheus scrapes a run every second: it finds every series, no counter falls, and the last values are those
//! of the report. `promtool` finds nothing wrong, and the board's queries have results.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::Write as _;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::exposition::{Series, assert_equal, get, port, sum};
use crate::program::Program;
use crate::requirements;

const DURATION_S: u64 = 34;
const END_LIMIT: Duration = Duration::from_secs(DURATION_S + 40);
const START_LIMIT: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(100);
/// Everything that was scraped of the run, as PromQL.
const ALL: &str = "{job=\"hlswarm\"}[10m]";

/// Families that this run does not have: it is too short, and has no names to resolve.
const ABSENT: [&str; 3] = [
    "dns_lookup_seconds",
    "segment_throughput_60s_bytes_per_second",
    "segment_throughput_300s_bytes_per_second",
];

/// A Prometheus server with a configuration and a storage of its own; it is killed when dropped.
struct Prometheus {
    child: Child,
    folder: TempDir,
    port: u16,
}

impl Prometheus {
    /// Starts a server that scrapes `target` every second.
    fn start(target: u16) -> Self {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let path = |name: &str| folder.path().join(name);
        let configuration = format!(
            "global:\n  scrape_interval: 1s\n  scrape_timeout: 1s\nscrape_configs:\n  - job_name: hlswarm\n    \
             static_configs:\n      - targets: ['127.0.0.1:{target}']\n"
        );
        fs::write(path("prometheus.yml"), configuration).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = Command::new(requirements::path_of("prometheus"))
            .arg(format!("--config.file={}", path("prometheus.yml").display()))
            .arg(format!("--storage.tsdb.path={}", path("storage").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(path("log")).unwrap())
            .spawn()
            .unwrap();
        let server = Self { child, folder, port };
        let deadline = Instant::now() + START_LIMIT;
        while get(server.port, "/-/ready").is_err() {
            assert!(Instant::now() < deadline, "{}", server.log());
            thread::sleep(POLL);
        }
        server
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    /// Returns the result of a query at a time, or now.
    fn query(&self, query: &str, at: Option<f64>) -> Vec<Value> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric();
        let encoded: String = query
            .bytes()
            .map(|byte| if is_plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
            .collect();
        let time = at.map_or(String::new(), |at| format!("&time={at}"));
        let reply = get(self.port, &format!("/api/v1/query?query={encoded}{time}")).unwrap();
        let reply: Value = serde_json::from_str(&reply).unwrap();
        assert_eq!(reply["status"], "success", "{query}: {reply}");
        reply["data"]["result"].as_array().unwrap().clone()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A series with all of its values.
struct Scraped {
    last: Series,
    values: Vec<f64>,
    last_at: f64,
}

fn scraped(result: &Value) -> Option<Scraped> {
    let mut labels: BTreeMap<String, String> = serde_json::from_value(result["metric"].clone()).unwrap();
    let name = labels.remove("__name__")?.strip_prefix("hls_swarm_")?.to_owned();
    let values = result["values"].as_array().unwrap();
    let last_at = values.last().unwrap()[0].as_f64().unwrap();
    let values: Vec<f64> = values.iter().map(|pair| pair[1].as_str().unwrap().parse().unwrap()).collect();
    let value = *values.last().unwrap();
    Some(Scraped { last: Series { name, labels, value }, values, last_at })
}

/// Runs `promtool` with this input, and fails unless it finds nothing wrong.
fn promtool(arguments: &[&str], input: &str) {
    let mut child = Command::new(requirements::path_of("promtool"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let [said, wrong] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    assert!(output.status.success() && wrong.is_empty(), "promtool {arguments:?}: {said}{wrong}");
}

/// Returns the families of a text, by their types.
fn types(text: &str) -> Vec<(&str, &str)> {
    let lines = text.lines().filter_map(|line| line.strip_prefix("# TYPE hls_swarm_"));
    lines.map(|line| line.split_once(' ').unwrap()).collect()
}

fn assert_every_family_is_there(text: &str, series: &[Scraped]) {
    let names: BTreeSet<_> = series.iter().map(|series| series.last.name.as_str()).collect();
    let is_there = |name: &str, sort: &str| match sort {
        "histogram" => names.contains(format!("{name}_bucket").as_str()),
        _ => names.contains(name),
    };
    let types = types(text);
    assert!(types.len() > 80, "{types:?}");
    let missing = types.iter().filter(|(name, sort)| !is_there(name, sort)).map(|(name, _)| *name);
    assert_eq!(missing.collect::<BTreeSet<_>>(), BTreeSet::from(ABSENT));
}

fn assert_no_counter_fell(text: &str, series: &[Scraped]) {
    let types: BTreeMap<_, _> = types(text).into_iter().collect();
    let is_counter = |name: &str| {
        let endings = ["_bucket", "_sum", "_count"];
        let of_histogram = endings.iter().filter_map(|ending| name.strip_suffix(ending));
        types.get(name) == Some(&"counter")
            || of_histogram.filter_map(|name| types.get(name)).any(|sort| *sort == "histogram")
    };
    let counters: Vec<_> = series.iter().filter(|series| is_counter(&series.last.name)).collect();
    assert!(counters.len() > 200, "{}", counters.len());
    for Scraped { last, values, .. } in counters {
        assert!(values.is_sorted(), "{} {:?}: {values:?}", last.name, last.labels);
    }
}

fn assert_every_query_of_the_board_has_a_result(prometheus: &Prometheus, at: f64) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/grafana/hlswarm.json");
    let board: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let panels = board["panels"].as_array().unwrap().iter();
    let targets = panels.filter_map(|panel| panel["targets"].as_array()).flatten();
    let queries: Vec<_> = targets.map(|target| target["expr"].as_str().unwrap()).collect();
    assert!(queries.len() > 30, "{queries:?}");
    for query in queries {
        let resolved = query.replace("$__rate_interval", "10s").replace("$instance", ".*");
        assert!(!resolved.contains('$'), "{resolved}");
        assert!(!prometheus.query(&resolved, Some(at)).is_empty(), "no result: {resolved}");
    }
}

#[test]
fn a_prometheus_sees_every_series_and_the_numbers_of_the_report() {
    if !requirements::are_met(&["prometheus", "promtool"]) {
        return;
    }
    let duration = format!("{DURATION_S}s");
    let load = ["-c", "20", "--ramp-rate", "10", "-d", &duration, "--tls", "--session-length", "12s"];
    let faults = ["--fault", "segment:503:15%", "--fault", "playlist:stale@15s+10s"];
    let metrics = ["--metrics", "127.0.0.1:0", "--metrics-per-client", "--threshold", "error_rate<90%"];
    let program = Program::start_command(&["demo"], &[&load[..], &faults, &metrics].concat());
    let target = port(&program);
    let prometheus = Prometheus::start(target);
    program.wait_until_it_said("RUNNING");
    let text = get(target, "/metrics").unwrap();
    promtool(&["check", "metrics"], &text);
    let run = program.end_within(END_LIMIT);
    run.assert_exit_code(0);
    let series: Vec<_> = prometheus.query(ALL, None).iter().filter_map(scraped).collect();
    assert_every_family_is_there(&text, &series);
    assert_no_counter_fell(&text, &series);
    let last_at = series.iter().map(|series| series.last_at).fold(0.0, f64::max);
    let elapsed = series.iter().find(|series| series.last.name == "test_elapsed_seconds").unwrap();
    assert!(elapsed.values.len() as u64 > DURATION_S / 2, "{:?}: {}", elapsed.values, prometheus.log());
    // Series of clients that had left are older.
    let last = series.into_iter().filter(|series| series.last_at == last_at).map(|series| series.last);
    let last: Vec<_> = last.collect();
    assert!(sum(&last, "http_errors_total").is_some_and(|errors| errors > 0.0));
    assert_equal(&last, &run.report);
    assert_eq!(sum(&last, "threshold_ok"), Some(1.0));
    assert_every_query_of_the_board_has_a_result(&prometheus, last_at - 10.0);
}

#[test]
fn promtool_finds_nothing_wrong_with_the_alerts() {
    if requirements::are_met(&["promtool"]) {
        let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/prometheus/alerts.yml");
        promtool(&["check", "rules", rules.to_str().unwrap()], "");
    }
}
