//! The trust verdict must be able to fail: a load tester that is kept from running says so, with the reason.
//!
//! A busy machine makes every verdict worse, so these tests only ask for evidence that must be there. Those that need
//! a calm machine are in `tests/trust.sh`.

use std::thread;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;

use crate::program::{Program, Report};

const LIMIT: Duration = Duration::from_secs(60);

fn demo(duration: &str) -> Program {
    let options = ["--healthy", "-c", "5", "--ramp-time", "0", "-d", duration];
    let program = Program::start_command(&["demo"], &options);
    program.wait_until_it_said("RUNNING");
    program
}

/// Returns the reason that names this gauge.
fn reason<'a>(report: &'a Report, gauge: &str) -> &'a Value {
    let reasons = report.value()["trust"]["reasons"].as_array().unwrap();
    let found = reasons.iter().find(|reason| reason["gauge"] == gauge);
    found.unwrap_or_else(|| panic!("no {gauge} in {}", report.value()["trust"]))
}

#[test]
fn a_process_that_was_stopped_for_three_seconds_masks_them_as_one_interval() {
    let program = demo("8s");
    program.signal(Signal::STOP);
    thread::sleep(Duration::from_secs(3));
    program.signal(Signal::CONT);
    let run = program.end_within(LIMIT);
    // The verdict is allowed, as in all tests that run beside others, but the report says it all the same.
    run.assert_exit_code(0);
    assert_eq!(run.report.text("/trust/verdict"), "INVALID");
    assert!(run.report.text("/exit/reasons").contains("NOT TRUSTWORTHY"), "{}", run.report.text("/exit"));
    let gap = reason(&run.report, "process_gap_us");
    assert_eq!(gap["level"], "INVALID");
    assert!(gap["worst"].as_f64().unwrap() >= 2.9e6, "{gap}");
    let masked = run.report.value()["trust"]["masked_intervals"].as_array().unwrap();
    let length = |masked: &Value| masked["to_s"].as_f64().unwrap() - masked["from_s"].as_f64().unwrap();
    assert_eq!(masked.iter().filter(|masked| length(masked) >= 2.9).count(), 1, "{masked:?}");
    assert!(run.stdout().contains("NOT TRUSTWORTHY") && run.stderr().contains("trust NOT TRUSTWORTHY"));
    assert!(run.stdout().contains("--allow-untrusted"), "{}", run.stdout());
}

#[test]
fn a_process_that_runs_only_half_of_the_time_is_convicted_by_its_loop_lag() {
    let program = demo("8s");
    for _ in 0..35 {
        program.signal(Signal::STOP);
        thread::sleep(Duration::from_millis(100));
        program.signal(Signal::CONT);
        thread::sleep(Duration::from_millis(100));
    }
    let run = program.end_within(LIMIT);
    assert_eq!(run.report.text("/trust/verdict"), "INVALID");
    let lag = reason(&run.report, "loop_lag_us");
    assert_eq!(lag["level"], "INVALID", "{lag}");
    assert!(lag["worker"].is_u64(), "{lag}");
}
