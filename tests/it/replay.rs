//! `hlswarm replay`: the report of a recorded run again.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::program::Program;

const LIMIT: Duration = Duration::from_secs(60);

/// Parts of a report that do not depend on the moments at which samples were taken: everything but what is counted over
/// time and the verdicts on it. A replay has neither the price of the plan nor the counts of the origin.
const COUNTS: [&str; 16] = [
    "run",
    "exit",
    "requests",
    "bytes",
    "outcomes",
    "http_errors",
    "failure_details",
    "kinds",
    "playback",
    "latency_us",
    "connections",
    "audience",
    "findings",
    "marks",
    "load_changes",
    "pipeline",
];

fn replay(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hlswarm"));
    command.arg("replay").args(args).current_dir(folder).stdin(Stdio::null());
    command.output().unwrap()
}

fn json(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn a_replay_reports_what_the_run_reported() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let at = |name: &str| folder.path().join(name);
    let paths = ["run.ndjson", "run.json"].map(|name| at(name).to_str().unwrap().to_owned());
    let [record, report] = &paths;
    let load = ["-c", "20", "--ramp-rate", "10", "-d", "8s", "--seed", "7", "--fault", "segment:503:20%"];
    let files = ["--record", record, "--report", report];
    let run = Program::start_command(&["demo"], &[&load[..], &files].concat()).end_within(LIMIT);
    run.assert_exit_code(0);

    let again = replay(folder.path(), &[record, "--no-tui", "--report", "again.json"]);
    let told = String::from_utf8(again.stderr).unwrap();
    assert_eq!(again.status.code(), Some(0), "{told}");
    assert!(told.starts_with(&format!("hlswarm: replaying {record}: http://127.0.0.1:")), "{told}");
    let seconds = told.lines().filter(|line| line.starts_with("00:00:")).count();
    assert!(seconds >= 6, "{told}");
    let [run, again] = ["run.json", "again.json"].map(|name| json(&at(name)));
    assert!(run["outcomes"]["http.503"].as_u64() > Some(0));
    for name in COUNTS {
        assert!(!run[name].is_null(), "{name}");
        assert_eq!(run[name], again[name], "{name}");
    }
    // Counts of a second may be in the next one, but none is lost.
    let started = |report: &Value| {
        let seconds = report["series"]["started"].as_array().unwrap();
        (seconds.len(), seconds.iter().map(|count| count.as_u64().unwrap()).sum::<u64>())
    };
    assert_eq!(started(&run), started(&again));

    // Half of it is a run that goes on.
    let lines = fs::read(at("run.ndjson")).unwrap();
    fs::write(at("cut.ndjson"), &lines[..lines.len() / 2]).unwrap();
    let cut = replay(folder.path(), &["cut.ndjson", "--no-tui", "--report", "cut.json"]);
    let told = String::from_utf8(cut.stderr).unwrap();
    assert!(told.starts_with("hlswarm: cut.ndjson was cut off before the end of the run\n"), "{told}");
    assert!(told.contains("hlswarm: cut.ndjson: the record was cut off; replayed up to 00:00:0"), "{told}");
    assert_eq!(cut.status.code(), Some(0));
    let started = |report: &Value| report["requests"]["started"].as_u64().unwrap();
    let cut = json(&at("cut.json"));
    let reason = cut["exit"]["reasons"][0].as_str().unwrap();
    assert!(reason.starts_with("the record ends at 00:00:0"), "{reason}");
    assert!((1..started(&run)).contains(&started(&cut)));
    assert_eq!(cut["exit"]["code"], Value::Null);

    let late = replay(folder.path(), &["run.ndjson", "--no-tui", "--at", "1h"]);
    let told = String::from_utf8(late.stderr).unwrap();
    let why = "hlswarm: --at 01:00:00: run.ndjson ends at 00:00:0";
    assert!(told.lines().last().unwrap().starts_with(why), "{told}");
    assert_eq!((late.status.code(), late.stdout.len()), (Some(2), 0));
}

#[test]
fn a_record_without_samples_is_one_of_which_nothing_is_known() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let record = folder.path().join("run.ndjson");
    let load = ["-c", "2", "-d", "2s", "--record", record.to_str().unwrap()];
    Program::start_command(&["demo"], &load).end_within(LIMIT);
    let lines = fs::read_to_string(&record).unwrap();
    fs::write(&record, format!("{}\n", lines.lines().next().unwrap())).unwrap();
    let none = replay(folder.path(), &["run.ndjson", "--no-tui", "--report", "none.json"]);
    let report = json(&folder.path().join("none.json"));
    assert_eq!(report["trust"]["verdict"], "UNASSESSED");
    let why = "the record has no samples; nothing is known about the run";
    assert_eq!(report["exit"], serde_json::json!({ "code": null, "reasons": [why] }));
    let told = String::from_utf8(none.stdout).unwrap();
    assert!(told.contains("exit code --") && !told.contains("VALID"), "{told}");
}

#[test]
fn what_is_no_record_is_refused_in_one_line() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let first = "{\"kind\":\"record\",\"schema\":\"hlswarm.record/1\",\"started_unix_ms\":1";
    for (text, why) in [
        ("", "the record was cut off"),
        ("{}\n", "line 1: expected the first line of a record, as --record FILE writes it"),
        ("\u{1b}[2J\n", "line 1: it is not JSON"),
        (&format!("{first}}}\n"), "line 1: it was recorded by a version of hlswarm without replay"),
        (
            &format!("{first},\"replay\":{{\"layout\":\"0\"}}}}\n"),
            "line 1: it was recorded by a version of hlswarm with other counters; replay it with that version",
        ),
    ] {
        fs::write(folder.path().join("r.ndjson"), text).unwrap();
        let refused = replay(folder.path(), &["r.ndjson", "--no-tui"]);
        assert_eq!(refused.status.code(), Some(2), "{text}");
        assert_eq!(String::from_utf8(refused.stderr).unwrap(), format!("hlswarm: r.ndjson: {why}\n"));
    }
    let refused = replay(folder.path(), &["r.ndjson", "--report", "r.ndjson"]);
    assert_eq!(refused.status.code(), Some(2));
}
