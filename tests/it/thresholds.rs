//! Thresholds: the operator's criteria decide the exit code, and every output gives the same result.

use std::process::Command;
use std::time::Duration;

use crate::program::{Ended, Program};

const LIMIT: Duration = Duration::from_secs(60);

fn demo(options: &[&str]) -> Ended {
    let load = ["-c", "5", "--ramp-time", "0"];
    Program::start_command(&["demo"], &[&load, options].concat()).end_within(LIMIT)
}

/// Returns expression and result of each threshold of the report.
fn results(run: &Ended) -> Vec<(String, Option<bool>)> {
    let rows = run.report.value()["thresholds"].as_array().unwrap().iter();
    rows.map(|row| (row["expr"].as_str().unwrap().to_owned(), row["ok"].as_bool())).collect()
}

#[test]
fn a_threshold_that_is_crossed_is_exit_code_3_and_every_output_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let junit = folder.path().join("run.xml");
    let run = demo(&[
        "--fault",
        "segment:503:30%",
        "-d",
        "6s",
        "--threshold",
        "http_errors{503}==0",
        "--threshold",
        "error_rate < 90%",
        "--threshold",
        "key_p95<1s",
        "--report",
        junit.to_str().unwrap(),
    ]);
    run.assert_exit_code(3);
    let expected = [
        ("http_errors{503}==0".to_owned(), Some(false)),
        ("error_rate<90%".to_owned(), Some(true)),
        ("key_p95<1s".to_owned(), None),
    ];
    assert_eq!(results(&run), expected);
    let report = &run.report;
    assert_eq!(report.count("/http_errors/503") as f64, report.number("/thresholds/0/value"));
    assert_eq!(report.number("/health/error_share"), report.number("/thresholds/1/value"));
    let reasons = report.value()["exit"]["reasons"].to_string();
    assert!(reasons.contains("threshold http_errors{503}==0 crossed: "), "{reasons}");
    assert!(reasons.contains("key_p95<1s is inconclusive: nothing was measured"), "{reasons}");
    assert!(!reasons.contains("error_rate<90% crossed"), "{reasons}");
    for line in ["FAIL    http_errors{503}==0: ", "PASS    error_rate<90%: ", "??      key_p95<1s: --"] {
        assert!(run.stdout().contains(line), "{line}: {}", run.stdout());
    }
    let junit = std::fs::read_to_string(junit).unwrap();
    assert!(junit.contains("name=\"http_errors{503}==0\"><failure "), "{junit}");
    assert!(junit.contains("name=\"error_rate&lt;90%\"/>"), "{junit}");
    assert!(junit.contains("failures=\"2\""), "{junit}");
    assert!(run.stderr().contains("CROSSED http_errors{503}==0"), "{}", run.stderr());
}

#[test]
fn thresholds_that_are_kept_leave_the_exit_code_alone() {
    let run = demo(&[
        "--healthy",
        "-d",
        "6s",
        "--threshold",
        "error_rate<50%",
        "--threshold",
        "segment_p50<1m over 2s",
    ]);
    run.assert_exit_code(0);
    assert!(results(&run).iter().all(|(_, ok)| *ok == Some(true)), "{:?}", results(&run));
}

#[test]
fn expected_statuses_are_counted_as_what_they_are_and_cross_no_threshold() {
    let load = ["--fault", "segment:404:40%", "-d", "6s", "--threshold", "error_rate<1%"];
    demo(&load).assert_exit_code(3);
    let run = demo(&[&load[..], &["--expect", "410,404"]].concat());
    run.assert_exit_code(0);
    let report = &run.report;
    let expected = report.count("/http_errors/404");
    assert!(expected > 0 && report.value()["health"]["verdict"] == "OK");
    assert_eq!((report.count("/requests/expected"), report.count("/requests/failed")), (expected, 0));
    let outcomes = report.value()["outcomes"].as_object().unwrap().values();
    let counted: u64 = outcomes.map(|count| count.as_u64().unwrap()).sum();
    assert_eq!(counted, report.count("/requests/finished"));
    assert_eq!(report.value()["requests"]["expected_statuses"].to_string(), "[\"404\",\"410\"]");
    let words = run.stdout().split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains(&format!("{expected} expected responses (404) not counted")), "{words}");
}

#[test]
fn a_run_ends_early_when_a_threshold_stays_crossed() {
    let threshold = ["--threshold", "http_errors{503}==0", "--abort-on-fail=1s"];
    let run = demo(&[&["--fault", "segment:503:30%", "-d", "50s"], &threshold[..]].concat());
    run.assert_exit_code(3);
    assert!(run.report.number("/run/duration_s") < 45.0);
    assert_eq!(run.report.text("/thresholds/0/ended_the_run"), "true");
    let changes = run.report.value()["load_changes"].as_array().unwrap();
    assert!(
        changes.iter().any(|change| change["change"] == "stop" && change["by"] == "threshold"),
        "{changes:?}"
    );
    let reasons = run.report.value()["exit"]["reasons"].to_string();
    assert!(
        reasons.contains("ended the run at") && reasons.contains("--abort-on-fail ended the run"),
        "{reasons}"
    );
    assert!(run.stderr().contains("ending the run"), "{}", run.stderr());
}

#[test]
fn a_mistake_is_one_line_and_the_page_of_the_help_lists_the_quantities() {
    let hlswarm = |args: &[&str]| Command::new(env!("CARGO_BIN_EXE_hlswarm")).args(args).output().unwrap();
    let refused = hlswarm(&["demo", "--threshold", "segment_ttfb_p96<1s"]);
    let said = String::from_utf8(refused.stderr).unwrap();
    assert_eq!((refused.status.code(), said.lines().count()), (Some(2), 1), "{said}");
    assert!(said.contains("did you mean 'segment_ttfb_p9"), "{said}");
    let page = String::from_utf8(hlswarm(&["--help", "thresholds"]).stdout).unwrap();
    assert!(page.contains("\n  rebuffer_ratio") && page.contains("segment_ttfb"), "{page}");
}
