//! `hlswarm selftest` from end to end, with measurements of a second each: a busy machine disturbs them, so these tests
//! ask for their shape and not for their values.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

/// Returns the command with a folder for its state.
fn selftest(state: &Path, options: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hlswarm"));
    command.args(["selftest", "--quick"]).args(options).env("XDG_STATE_HOME", state).stdin(Stdio::null());
    command
}

#[test]
fn every_load_is_measured_and_prices_without_a_proof_are_not_kept() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let output = selftest(folder.path(), &["--json"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    let report: Value = serde_json::from_slice(&output.stdout).expect(&said);
    let loads = report["loads"].as_array().unwrap();
    assert_eq!(loads.len(), 19, "{report}");
    for load in loads {
        let is_idle = load["load"] == "idle";
        assert!(load["seconds"].as_f64() > Some(0.5) && load["cpu_s"].as_f64() > Some(0.0), "{load}");
        assert!(load["speed_before_ns"].as_f64() > Some(0.0), "{load}");
        assert!(load["speed_beside_ns"].as_f64() > Some(0.0), "{load}");
        assert!(load["requests"].as_u64() > Some(0) || is_idle, "{load}");
        assert!(load["bytes"].as_u64() > Some(0) || is_idle, "{load}");
        assert_eq!(load["playlist_ttfb_us"].is_null(), is_idle, "{load}");
        assert_eq!(load["failed"], 0, "{load}");
    }
    let connected = |load: &&Value| load["load"] == "churn" && load["connections"].as_u64() > Some(0);
    assert_eq!(loads.iter().filter(connected).count(), 2, "viewers that leave are replaced: {report}");
    assert!(report["machine"]["cpus_allowed"].as_f64() > Some(0.0), "{report}");
    later_runs_compare_themselves(&report);

    // The prices of a single round cannot be proven.
    let reasons = report["reasons"].as_array().unwrap();
    assert!(!reasons.is_empty(), "{report}");
    assert_eq!(output.status.code(), Some(4), "{report}");
    assert!(report["file"].is_null() && !folder.path().join("hlswarm/calibration.json").exists(), "{report}");
    assert!(said.contains("selftest: measures 1 round, for about 1 minute"), "{said}");
}

/// Runs a load with a calibration of the machine and the build that `report` names, then with one of another build.
fn later_runs_compare_themselves(report: &Value) {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    fs::create_dir(folder.path().join("hlswarm")).unwrap();
    // No latency of a run is beyond twice a floor of a minute.
    let minute = json!({ "p50": 6e7, "p99": 6e7 });
    let costs = json!({
        "requests_per_s_max": 1e6, "bits_per_second_max": 1e12,
        "request_us": [{ "requests_per_s": 100.0, "us": 100.0 }],
        "body_us": [{ "bytes": 100000.0, "us": 50.0 }], "connection_us": 200.0, "client_bytes": 11000.0,
        "floor": { "playlist_ttfb_us": minute, "segment_ttfb_us": minute, "segment_us": minute },
    });
    let mut calibration = json!({
        "schema": "hlswarm.calibration/3", "version": report["version"], "build": report["build"],
        "made_at": "2026-11-20T00:00:00Z", "machine": report["machine"], "speed_ns": 2000.0,
        "base_us_per_s": 1000.0, "plain": costs, "tls": costs, "model_error_share": 0.1, "spread_share": 0.05,
    });
    let ran = |calibration: &Value| -> (Value, String) {
        fs::write(folder.path().join("hlswarm/calibration.json"), calibration.to_string()).unwrap();
        let file = folder.path().join("report.json");
        let run = Command::new(env!("CARGO_BIN_EXE_hlswarm"))
            .args(["demo", "--healthy", "-c", "2", "-d", "3s", "--no-tui", "--allow-untrusted", "--report"])
            .arg(&file)
            .env("XDG_STATE_HOME", folder.path())
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&run.stdout).into_owned();
        (serde_json::from_slice(&fs::read(&file).unwrap()).unwrap(), text)
    };
    let (json, text) = ran(&calibration);
    let used = json["trust"]["calibration"]["capacity_share"].as_f64().unwrap();
    assert!(used > 0.0 && used < 0.1, "{}", json["trust"]["calibration"]);
    assert_eq!(json["latency_us"]["segment"]["at_floor"], json!({ "p50": true, "p99": true }));
    assert!(text.contains("of calibrated capacity (loopback, 2026-11-20); <"), "{text}");
    calibration["build"] = json!("another");
    let (json, text) = ran(&calibration);
    assert!(json["trust"]["calibration"].is_null() && json["latency_us"]["segment"]["at_floor"].is_null());
    assert!(text.contains("another build of hlswarm"), "{text}");
}

#[test]
fn a_signal_ends_the_measurement_and_an_older_result_stays() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let file = folder.path().join("hlswarm/calibration.json");
    fs::create_dir(folder.path().join("hlswarm")).unwrap();
    fs::write(&file, "older").unwrap();
    let mut child = selftest(folder.path(), &[]);
    let mut child = child.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.any(|line| line.contains("round 1 of 1, 2 of 19")));
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let rest: Vec<_> = lines.collect();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{rest:?}");
    assert!(rest.iter().any(|line| line.contains("Ctrl-C; nothing was saved")), "{rest:?}");
    assert!(output.stdout.is_empty(), "no result");
    assert_eq!(fs::read_to_string(&file).unwrap(), "older");
}

#[test]
fn a_folder_that_cannot_be_written_is_an_error_before_the_measurement() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    fs::write(folder.path().join("hlswarm"), "in the way").unwrap();
    let output = selftest(folder.path(), &[]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(6), "{said}");
    assert!(said.contains("hlswarm/calibration.json"), "{said}");
    assert!(!said.contains("round 1 of 1"), "{said}");
    let nowhere = selftest(Path::new("relative"), &[]).env("HOME", "also/relative").output().unwrap();
    let said = String::from_utf8_lossy(&nowhere.stderr);
    assert_eq!(nowhere.status.code(), Some(6), "{said}");
    assert!(said.contains("set XDG_STATE_HOME or HOME to an absolute path"), "{said}");
}
