//! Hard stops: the run ends at its limit, every output says so, and the origin's counts confirm it.

use std::time::Duration;

use rustix::process::Signal;

use crate::program::{Ended, Program};

const LIMIT: Duration = Duration::from_secs(60);

/// Largest response of the built-in origin: a segment of two seconds at 3 Mb/s, with room for its peaks.
const LARGEST: u64 = 1_000_000;
const CLIENTS: u64 = 20;
/// Requests that a client has open at once, at most.
const LANES: u64 = 8;

fn demo(options: &[&str]) -> Ended {
    let load = ["--healthy", "-c", "20", "--ramp-time", "0"];
    Program::start_command(&["demo"], &[&load, options].concat()).end_within(LIMIT)
}

/// Checks that every output names the option that ended the run.
fn assert_announced(run: &Ended, option: &str) {
    for (name, text) in run.outputs() {
        // JSON names the option in the reasons of its exit code.
        assert!(text.contains(option), "{name}: {text}");
    }
    assert!(run.stderr().contains("ending the run"), "{}", run.stderr());
    let name = option.trim_start_matches('-').replace('-', "_");
    let changes = run.report.value()["load_changes"].as_array().unwrap();
    let stops: Vec<_> = changes.iter().filter(|change| change["change"] == "stop").collect();
    assert!(stops.len() == 1 && stops[0]["by"] == name.as_str(), "{changes:?}");
}

#[test]
fn no_request_more_than_asked_for_is_sent_and_those_that_were_may_finish() {
    for (duration, code) in [(&[][..], 0), (&["-d", "50s"], 3)] {
        let run = demo(&[&["--max-requests", "200"], duration].concat());
        run.assert_exit_code(code);
        let report = &run.report;
        assert_eq!((report.count("/requests/started"), report.count("/requests/finished")), (200, 200));
        assert_eq!(report.outcomes(), [("ok", 200)]);
        let there: u64 = ["playlist", "segment", "init"]
            .iter()
            .map(|kind| report.count(&format!("/origin/requests/{kind}")))
            .sum();
        assert!(there <= 200 + report.count("/connections/stale_retries"), "{there}");
        assert_eq!(report.count("/hard_stops/max_requests/used"), 200);
        assert!(report.number("/hard_stops/max_requests/reached_at_s") >= 0.0);
        assert_eq!(report.count("/playback/gave_up"), 0, "no viewer leaves because of the limit");
        assert_announced(&run, "--max-requests");
    }
}

#[test]
fn bytes_end_the_run_at_once_and_exceed_their_limit_by_no_more_than_what_was_open() {
    for (duration, code) in [(&[][..], 0), (&["-d", "50s"], 3)] {
        let run = demo(&[&["--max-bytes", "20M"], duration].concat());
        run.assert_exit_code(code);
        let bytes = run.report.count("/bytes/total");
        assert!((20_000_000..20_000_000 + CLIENTS * LANES * LARGEST).contains(&bytes), "{bytes}");
        assert_eq!(run.report.count("/hard_stops/max_bytes/used"), bytes);
        assert_announced(&run, "--max-bytes");
    }
}

#[test]
fn a_second_above_the_bandwidth_ends_the_run_and_is_no_declared_end() {
    let run = demo(&["--max-bandwidth", "10M"]);
    run.assert_exit_code(3);
    assert!(run.report.count("/hard_stops/max_bits_per_second/used") > 10_000_000);
    assert_announced(&run, "--max-bandwidth");
}

#[test]
fn a_run_below_its_limits_ends_as_without_them() {
    let limits = ["--max-bytes", "1T", "--max-requests", "1M", "--max-bandwidth", "100G"];
    let run = demo(&[&limits[..], &["-d", "3s"]].concat());
    run.assert_exit_code(0);
    let report = &run.report;
    assert_eq!(report.count("/hard_stops/max_bytes/used"), report.count("/bytes/total"));
    assert_eq!(report.count("/hard_stops/max_requests/used"), report.count("/requests/started"));
    assert_eq!(report.value()["hard_stops"]["max_bytes"]["reached_at_s"], serde_json::Value::Null);
    assert!(run.stdout().contains("limits  --max-bytes 1 TB: "), "{}", run.stdout());
}

#[test]
fn a_signal_before_the_limit_is_the_exit_code() {
    let program = Program::start_command(&["demo"], &["--healthy", "--max-bytes", "1T", "-d", "50s"]);
    program.wait_until_it_said("RUNNING");
    program.signal(Signal::TERM);
    program.end_within(LIMIT).assert_exit_code(143);
}
