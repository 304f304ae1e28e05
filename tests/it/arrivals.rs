//! Arrivals of an open load, with the real program.

use std::time::Duration;

use crate::program::Program;
use crate::stages::serve;

const LIMIT: Duration = Duration::from_secs(60);

#[test]
fn clients_arrive_leave_and_are_not_replaced() {
    let (_runtime, url) = serve();
    let options = ["--arrival", "10/s", "--arrival-process", "even", "--session-length", "2s", "-d", "8s"];
    let run = Program::start(&url, &options).end_within(LIMIT);
    run.assert_exit_code(0);
    let report = run.report.value();
    assert_eq!(report["run"]["arrivals"], "10/s even");
    // The first client goes ahead of the others, for a second at most.
    let started = run.report.number("/run/clients_started");
    assert!((65.0..=80.0).contains(&started), "{started}");
    let peak = run.report.number("/run/clients_peak");
    assert!((15.0..=39.0).contains(&peak), "20 at once on average, 39 at most: {peak}");
    assert_eq!(report["run"]["clients_asked"], 39);
    assert_eq!(report["playback"]["replacements"], 0, "{}", report["playback"]);
    assert!(
        run.stderr().contains("hlswarm: plan: up to 39 clients (10/s even arriving, about 20 at once)"),
        "{}",
        run.stderr()
    );
    assert!(run.stdout().contains("10/s even arriving, at most 39"), "{}", run.stdout());
}

#[test]
fn arrivals_beyond_the_most_clients_are_turned_away_and_said() {
    let (_runtime, url) = serve();
    let options = ["--arrival", "20/s", "-c", "5", "-d", "4s"];
    let run = Program::start(&url, &options).end_within(LIMIT);
    assert_eq!(run.report.number("/run/clients_started"), 5.0);
    let said = "hlswarm: arrivals are turned away: no more than 5 clients at once: --clients";
    assert!(run.stderr().contains(said), "{}", run.stderr());
    assert!(run.stderr().contains(" turned away in all"), "{}", run.stderr());
}
