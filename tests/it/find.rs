//! `find`: the capacity that the origin was given is the one that is found, and every output says so.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::origin_metrics::exporter;
use crate::program::{Ended, Program};

const LIMIT: Duration = Duration::from_secs(240);
/// Connections that the origin takes. Each client has one, and so has the canary.
const CONNECTIONS: u64 = 24;

/// An origin of limited capacity; it ends with the test.
struct Origin {
    child: Child,
    url: String,
}

impl Origin {
    fn start(options: &[&str]) -> Self {
        let program = || Command::new(env!("CARGO_BIN_EXE_hlswarm"));
        let mut child = program()
            .args(["origin", "--listen", "127.0.0.1:0", "--segment-duration", "1s", "--child"])
            .args(options)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let stdout = child.stdout.as_mut().unwrap();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(stdout), &mut line).unwrap();
        let hello: serde_json::Value = serde_json::from_str(&line).unwrap();
        let url = format!("{}/live/ts/master.m3u8", hello["plain"].as_str().unwrap());
        Self { child, url }
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

fn find(origin: &Origin, options: &[&str]) -> Ended {
    let quick = ["--hold", "2s", "--settle", "1s", "--variant", "lowest", "--repeats", "1"];
    Program::start_command(&["find", &origin.url], &[&quick, options].concat()).end_within(LIMIT)
}

#[test]
fn the_number_of_connections_that_an_origin_takes_is_found() {
    let origin = Origin::start(&["--connections", &CONNECTIONS.to_string()]);
    let exporter = exporter().url("/metrics");
    let exporter = ["--origin-metrics", &exporter];
    let search = ["-c", "12", "--threshold", "http_errors{503}==0", "--precision", "10%"];
    let run = find(&origin, &[&search[..], &exporter].concat());
    run.assert_exit_code(0);
    let report = &run.report;
    let (held, broken) = (report.count("/search/clients"), report.count("/search/broken_at"));
    assert!((CONNECTIONS - 4..=CONNECTIONS).contains(&held), "{held}: {}", report.value()["search"]);
    assert!(broken > held && broken - held <= 3, "{held} to {broken}");
    assert_eq!(report.value()["search"]["end"], "found");
    let levels = report.value()["search"]["levels"].as_array().unwrap();
    // The origin beside each level, as its exporter tells.
    let last = levels.last().unwrap();
    assert_eq!(last["origin_cpu_share"], 0.75, "{last}");
    let sentence = report.text("/search/sentence");
    assert!(sentence.contains("; the origin: CPU 75.0%, out "), "{sentence}");
    let broke = levels.iter().filter(|level| level["result"] == "broke");
    assert!(broke.clone().count() > 0 && broke.clone().all(|level| level["values"][0].as_f64() > Some(0.0)));
    let by_search = report.value()["load_changes"].as_array().unwrap().iter();
    assert!(by_search.clone().filter(|change| change["by"] == "search").count() >= levels.len());
    assert!(by_search.clone().all(|change| change["by"] == "search" || change["change"] != "target"));
    assert!(
        run.stdout().contains(&format!("carries {held} clients, breaks at {broken}")),
        "{}",
        run.stdout()
    );
    assert!(run.stderr().contains("clients broke http_errors{503}==0: "), "{}", run.stderr());
}

#[test]
fn a_search_ends_at_the_largest_number_and_says_that_it_was_no_limit_of_the_origin() {
    let origin = Origin::start(&[]);
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let [record, again] = ["run.ndjson", "again.json"].map(|name| folder.path().join(name));
    let run = find(&origin, &["-c", "4", "--max-clients", "8", "--record", record.to_str().unwrap()]);
    run.assert_exit_code(0);
    assert_eq!(run.report.count("/search/clients"), 8);
    assert_eq!(run.report.value()["search"]["end"], "most");
    assert_eq!(run.report.value()["search"]["broken_at"], serde_json::Value::Null);
    let thresholds = run.report.value()["search"]["thresholds"].to_string();
    assert_eq!(thresholds, r#"["error_rate<1%","stalled_share_max<1%"]"#);
    assert!(run.stdout().contains("carries at least 8 clients"), "{}", run.stdout());

    // Its replay has the answer, too.
    let mut replay = Command::new(env!("CARGO_BIN_EXE_hlswarm"));
    let replayed = replay.arg("replay").arg(&record).arg("--report").arg(&again).arg("--no-tui").output();
    let replayed = replayed.unwrap();
    let [stdout, stderr] = [replayed.stdout, replayed.stderr].map(|text| String::from_utf8(text).unwrap());
    assert!(
        stdout.contains("carries at least 8 clients") && !stderr.contains("answer"),
        "{stdout}\n{stderr}"
    );
    let again: serde_json::Value = serde_json::from_slice(&std::fs::read(again).unwrap()).unwrap();
    for block in ["search", "exit"] {
        assert_eq!(again[block], run.report.value()[block]);
    }
}

#[test]
fn a_search_that_does_not_end_fails() {
    let origin = Origin::start(&[]);
    let run = find(&origin, &["-c", "1", "--max-duration", "4s"]);
    run.assert_exit_code(3);
    assert_eq!(run.report.value()["search"]["end"], "unfinished");
    let reasons = run.report.value()["exit"]["reasons"].to_string();
    assert!(reasons.contains("the search was not finished"), "{reasons}");
}

#[test]
fn what_a_search_cannot_use_is_one_line() {
    for (options, line) in [
        (&["-c", "20", "--max-clients", "10"][..], "--clients: 20 is more than --max-clients 10"),
        (&["--stage", "hold 10s"], "--stage: a search makes its own load"),
        (
            &["--threshold", "error_rate<1% over 5s"],
            "--threshold 'error_rate<1% over 5s': expected one without",
        ),
        (&["--threshold", "clients_peak>5"], "--threshold 'clients_peak>5': expected one without"),
    ] {
        let said = Command::new(env!("CARGO_BIN_EXE_hlswarm"))
            .args(["find", "http://127.0.0.1:9/a.m3u8"])
            .args(options)
            .output()
            .unwrap();
        let text = String::from_utf8(said.stderr).unwrap();
        assert_eq!(said.status.code(), Some(2), "{text}");
        assert!(text.starts_with(&format!("hlswarm: {line}")) && text.lines().count() == 1, "{text}");
    }
}
