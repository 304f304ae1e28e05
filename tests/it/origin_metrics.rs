//! Exporters beside the load: their values are in every output and at the knee, and none of them can harm a run.

use std::net::TcpListener;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::Value;

use crate::program::Program;
use crate::scripted::{Answer, Scripted, Then};

const LIMIT: Duration = Duration::from_secs(60);

/// Returns a page of metrics.
fn page(text: &str) -> Answer {
    Answer::whole("200 OK", "text/plain; version=0.0.4", text.as_bytes())
}

/// Starts an exporter of a machine that is busy for three quarters, and of its nginx. A request with a header of the
/// target gets nothing.
pub fn exporter() -> Scripted {
    let scrapes = AtomicU64::new(0);
    Scripted::start_with(move |asked| {
        let scrape = scrapes.fetch_add(1, Ordering::Relaxed);
        if asked.path != "/metrics" || asked.header("x-key").is_some() {
            return Answer::whole("403 Forbidden", "text/plain", b"");
        }
        page(&format!(
            "node_cpu_seconds_total{{cpu=\"0\",mode=\"idle\"}} {scrape}\nnode_cpu_seconds_total{{cpu=\"0\",mode=\"user\"}} {}\n\
             node_network_transmit_bytes_total{{device=\"eth0\"}} {}\nnginx_connections_active 1204\n\
             nginx_http_requests_total {}\n",
            scrape * 3,
            scrape * 1_000_000,
            scrape * 100
        ))
    })
}

/// Returns the URL of a port on which nothing listens.
fn refused() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

/// Returns the exporters of a report, without what depends on the moments at which samples were taken.
fn exporters(report: &Value) -> Vec<Value> {
    let mut exporters = report["origin_metrics"].as_array().unwrap().clone();
    assert_eq!(exporters.len(), 3);
    for exporter in &mut exporters {
        exporter.as_object_mut().unwrap().retain(|name, _| name != "series" && name != "at_knee");
    }
    exporters
}

#[test]
fn the_origin_is_in_every_output_and_at_the_knee() {
    let (good, gone) = (exporter(), refused());
    let scrapes = AtomicU64::new(0);
    let dying = Scripted::start(move |_| match scrapes.fetch_add(1, Ordering::Relaxed) {
        0..2 => page("node_load1 2.5\n"),
        _ => Answer::whole("503 Service Unavailable", "text/plain", b""),
    });
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let [record, html, markdown, again] = ["run.ndjson", "run.html", "run.md", "again.json"].map(file);
    let run = Program::start_command(
        &["demo"],
        &[
            "-c",
            "5",
            "--ramp-time",
            "0",
            "-d",
            "15s",
            "--fault",
            "segment:503:40%@6s+20s",
            "--header",
            "X-Key: 1",
            "--origin-metrics",
            &good.url("").replace("http://", "http://user@"),
            "--origin-metrics",
            &dying.url("/load"),
            "--origin-metrics",
            &gone,
            "--record",
            &record,
            "--report",
            &html,
            "--report",
            &markdown,
        ],
    )
    .end_within(LIMIT);
    run.assert_exit_code(0);
    let report = &run.report;
    assert_eq!(report.number("/origin_metrics/0/cpu_share/last"), 0.75);
    assert_eq!(report.number("/origin_metrics/0/connections/max"), 1204.0);
    assert!(report.number("/origin_metrics/0/requests_per_second/max") > 0.0);
    assert!(report.number("/origin_metrics/0/network_out_bits_per_second/max") > 0.0);
    assert_eq!(
        (report.text("/origin_metrics/0/state").as_str(), report.count("/origin_metrics/0/failures")),
        ("ok", 0)
    );
    assert_eq!(report.text("/origin_metrics/0/url"), good.url("/metrics"));
    assert_eq!(report.number("/health/knee_errors/origin_cpu_share"), 0.75);
    assert_eq!(report.number("/origin_metrics/0/at_knee/cpu_share"), 0.75);
    let cpu = report.value()["origin_metrics"][0]["series"]["cpu_share"].as_array().unwrap();
    assert!(cpu.iter().filter(|share| share.as_f64() == Some(0.75)).count() > 5, "{cpu:?}");
    for (place, problem) in [(1, "HTTP 503 Service Unavailable"), (2, "connection refused")] {
        let exporter = &report.value()["origin_metrics"][place];
        assert_eq!(
            (&exporter["state"], &exporter["problem"]),
            (&Value::from("failing"), &Value::from(problem))
        );
        assert!(
            exporter["failures"].as_u64().unwrap() >= 3 && exporter["load_1m"]["last"].is_null(),
            "{exporter}"
        );
    }
    assert_eq!(report.number("/origin_metrics/1/load_1m/max"), 2.5);
    let (stderr, text) = (run.stderr(), run.outputs().find(|(name, _)| *name == "report.txt").unwrap().1);
    for expected in
        [" origin CPU 75.0%, out ", "fail: HTTP 503 Service Unavailable", "fail: connection refused"]
    {
        assert!(stderr.contains(expected), "{expected}: {stderr}");
    }
    // Long lines continue below.
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for expected in
        ["origin http://127.0.0.1:", "CPU 75.0% (max 75.0%)", "at the knee (0:0", "), origin CPU 75.0%"]
    {
        assert!(words.contains(expected), "{expected}: {text}");
    }
    for page in [html, markdown] {
        let page = std::fs::read_to_string(page).unwrap();
        assert!(
            page.contains("CPU at the knee") && page.contains("75.0%") && page.contains("1,204"),
            "{page}"
        );
    }
    let replay = ["replay", &record, "--no-tui", "--speed", "max", "--report", &again];
    let replayed = Command::new(env!("CARGO_BIN_EXE_hlswarm")).args(replay).output().unwrap();
    assert_eq!(replayed.status.code(), Some(0), "{}", String::from_utf8_lossy(&replayed.stderr));
    let again: Value = serde_json::from_str(&std::fs::read_to_string(again).unwrap()).unwrap();
    for (again, exporter) in exporters(&again).into_iter().zip(exporters(report.value())) {
        assert_eq!(again, exporter);
    }
}

#[test]
fn exporters_that_misbehave_do_not_harm_a_run() {
    let redirected = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&redirected);
    let elsewhere = Scripted::start(move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
        page("node_load1 1\n")
    });
    let target = elsewhere.url("/metrics");
    let hostile = Scripted::start(move |path| match path {
        "/endless" => page(&"node_load1 1\n".repeat(2_000_000)),
        "/redirect" => Answer::whole("302 Found", "text/plain", b"").with(&format!("Location: {target}")),
        "/hang" => Answer {
            bytes: b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nnode_load1 1\n".to_vec(),
            then: Then::Hang,
        },
        "/down" => page("nginx_up 0\n"),
        _ => Answer::whole(
            "200 OK",
            "text/plain",
            &[0x9b, 0x1b, b'[', b'2', b'J', b'{', b'"', 0, b'\n'].repeat(999),
        ),
    });
    let paths = ["/endless", "/redirect", "/hang", "/down", "/garbage"];
    let urls = paths.map(|path| hostile.url(path));
    let mut options = vec!["--healthy", "-c", "2", "--ramp-time", "0", "-d", "7s"];
    urls.iter().for_each(|url| options.extend(["--origin-metrics", url]));
    let run = Program::start_command(&["demo"], &options).end_within(LIMIT);
    run.assert_exit_code(0);
    let problems = [
        "a page of more than 16 MiB",
        "a redirect, which is not followed",
        "timed out",
        "it does not reach its nginx (nginx_up is 0)",
        "no metrics of node_exporter or nginx-prometheus-exporter",
    ];
    for (place, problem) in problems.into_iter().enumerate() {
        let exporter = &run.report.value()["origin_metrics"][place];
        assert_eq!(exporter["problem"], problem, "{exporter}");
        assert!(
            exporter["scrapes"] == exporter["failures"] && exporter["load_1m"]["max"].is_null(),
            "{exporter}"
        );
    }
    assert_eq!(run.report.count("/requests/failed"), 0);
    assert_eq!(redirected.load(Ordering::Relaxed), 0);
    for (name, text) in run.outputs() {
        assert!(!text.contains('\u{1b}'), "{name}");
    }
}
