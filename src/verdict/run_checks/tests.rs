//! Each check fails for its own reason, and what cannot be judged is unknown.

use super::super::check::CheckResult;
use super::*;

const WELL: EndNumbers = EndNumbers {
    panics: 0,
    invariant_violations: 0,
    clients_started: 10,
    clients_played: 10,
    finished: 1_000,
    ok: 1_000,
    cut: 0,
    expected: 0,
    local_files: 0,
    local_ports: 0,
    local_memory: 0,
    local_internal: 0,
    clients_target: 10,
    clients_peak: 10,
    lasted: Duration::from_secs(60),
    health: RunHealth {
        worst: Verdict::Ok,
        held: Duration::from_secs(60),
        degraded: Duration::ZERO,
        error_share: Some(0.0),
        stalled_share_max: None,
        stalled_clients_max: None,
    },
};

fn end() -> RunEnd {
    RunEnd { duration: Some(Duration::from_secs(60)), how: "q ended the run", ..RunEnd::default() }
}

fn judged(numbers: &EndNumbers) -> Vec<Check> {
    checks(numbers, &Trust::default(), Some(&end()))
}

fn failed(numbers: &EndNumbers) -> Vec<String> {
    judged(numbers).into_iter().filter(Check::fails).map(|check| check.name.into_owned()).collect()
}

#[test]
fn each_check_fails_for_its_own_reason_and_for_no_other() {
    assert_eq!(failed(&WELL), [""; 0]);
    assert_eq!(failed(&EndNumbers { panics: 1, ..WELL }), ["panics"]);
    assert_eq!(failed(&EndNumbers { invariant_violations: 1, ..WELL }), ["invariant_violations"]);
    assert_eq!(failed(&EndNumbers { clients_played: 0, ..WELL }), ["clients_played"]);
    assert_eq!(failed(&EndNumbers { ok: 499, ..WELL }), ["success_share"]);
    assert_eq!(failed(&EndNumbers { ok: 500, ..WELL }), [""; 0]);
    assert_eq!(failed(&EndNumbers { local_files: 10, ok: 990, ..WELL }), ["local_share"]);
}

#[test]
fn what_hlswarm_cut_or_this_machine_could_not_make_is_no_request_that_failed() {
    assert_eq!(failed(&EndNumbers { cut: 900, ok: 60, ..WELL }), [""; 0]);
    assert_eq!(failed(&EndNumbers { cut: 1_000, ok: 0, ..WELL }), [""; 0], "nothing could be answered");
    assert_eq!(failed(&EndNumbers { local_ports: 900, ok: 60, ..WELL }), ["local_share"]);
    // A few local faults do not fail the check, unless a client never played.
    assert_eq!(failed(&EndNumbers { local_files: 9, ok: 991, ..WELL }), [""; 0]);
    let starved = EndNumbers { local_files: 9, ok: 991, clients_played: 9, ..WELL };
    assert_eq!(failed(&starved), ["local_share"]);
    let said = judged(&starved).into_iter().find(Check::fails).map(|check| check.sentence);
    let expected = "this machine ran out of file descriptors (ulimit -n): 9 requests failed because of that, not because of the origin";
    assert_eq!(said.as_deref(), Some(expected));
}

#[test]
fn without_a_client_or_a_request_nothing_is_judged() {
    let unknown = |numbers: &EndNumbers| -> Vec<_> {
        let unknown = judged(numbers).into_iter().filter(|check| check.result == CheckResult::Unknown);
        unknown.map(|check| check.name).collect()
    };
    let none = ["local_share", "trust", "clients_played", "success_share", "degraded_s", "error_share"];
    assert_eq!(unknown(&EndNumbers::default()), none);
    // These tests measure no gauge of the load tester.
    assert_eq!(unknown(&WELL), ["trust"]);
}

fn sentences(numbers: &EndNumbers, end: &RunEnd) -> Vec<String> {
    let failed = checks(numbers, &Trust::default(), Some(end)).into_iter().filter(Check::fails);
    failed.filter(|check| check.consequence != Consequence::Listed).map(|check| check.sentence).collect()
}

#[test]
fn a_load_or_a_length_that_was_not_reached_is_a_reason_without_a_code() {
    let short = EndNumbers { clients_started: 7, clients_peak: 6, clients_played: 7, ..WELL };
    let slow = RunEnd { ramp: Duration::from_secs(100), ..end() };
    let expected = "the target was not reached: 7 of 10 clients were started: the ramp takes 1 m 40 s, the run lasted 1 m 00 s";
    assert_eq!(sentences(&short, &slow), [expected]);
    assert_eq!(sentences(&short, &end()), ["the target was not reached: 7 of 10 clients were started"]);
    let braked = "the target was not reached: 7 of 10 clients were started: the brake held the ramp";
    assert_eq!(sentences(&short, &RunEnd { is_braked: true, ..end() }), [braked]);
    let not_held = EndNumbers { clients_peak: 6, ..WELL };
    let expected = "the target was not held: at most 6 of 10 clients were active at once";
    assert_eq!(sentences(&not_held, &end()), [expected]);
    let early = EndNumbers { lasted: Duration::from_secs(20), ..WELL };
    let expected = "the duration was not reached: q ended the run after 20.0 s of 1 m 00 s";
    assert_eq!(sentences(&early, &end()), [expected]);
    assert_eq!(sentences(&early, &RunEnd { duration: None, ..end() }), [""; 0]);
    let reasons = checks(&short, &Trust::default(), Some(&slow)).into_iter().filter(Check::fails);
    assert!(
        reasons
            .map(|check| check.consequence)
            .all(|reason| { matches!(reason, Consequence::Reason | Consequence::Listed) })
    );
}

#[test]
fn a_signal_decides_the_code_and_is_the_only_reason_for_a_short_run() {
    let signal = EarlyEnd { code: 143, sentence: "ended early by SIGTERM".to_owned() };
    let early = EndNumbers { lasted: Duration::from_secs(20), local_files: 10, ok: 990, ..WELL };
    let by_signal = RunEnd { signal: Some(signal), ..end() };
    let failed: Vec<_> =
        checks(&early, &Trust::default(), Some(&by_signal)).into_iter().filter(Check::fails).collect();
    let consequences: Vec<_> = failed.iter().map(|check| check.consequence).collect();
    assert_eq!(consequences, [Consequence::Ended(143), Consequence::Untrusted, Consequence::Listed]);
    assert_eq!(sentences(&EndNumbers { local_files: 0, ..early }, &by_signal), ["ended early by SIGTERM"]);
}

#[test]
fn a_hard_stop_is_the_reason_for_a_short_run_and_has_a_code_only_before_the_end_that_was_asked_for() {
    let stop = |is_early| EndAtLimit { is_early, sentence: "--max-bytes ended the run".to_owned() };
    let short = EndNumbers { lasted: Duration::from_secs(20), ..WELL };
    let of = |is_early| {
        let end = RunEnd { hard_stop: Some(stop(is_early)), ..end() };
        assert_eq!(sentences(&short, &end), ["--max-bytes ended the run"]);
        let checks = checks(&short, &Trust::default(), Some(&end)).into_iter();
        checks.filter(Check::fails).map(|check| check.consequence).collect::<Vec<_>>()
    };
    assert_eq!(of(true), [Consequence::Criteria, Consequence::Listed]);
    assert_eq!(of(false), [Consequence::Reason, Consequence::Listed]);
}

#[test]
fn without_a_load_the_plan_is_not_compared() {
    let refused = EarlyEnd { code: 5, sentence: "is the URL right?".to_owned() };
    let nothing = EndNumbers { clients_started: 1, clients_played: 1, clients_peak: 1, ..WELL };
    let end = RunEnd { refused: Some(refused), ..end() };
    assert_eq!(sentences(&nothing, &end), ["is the URL right?"]);
}

#[test]
fn while_a_run_goes_on_its_plan_is_not_judged() {
    let begun = EndNumbers { clients_started: 1, clients_peak: 1, clients_played: 1, ..WELL };
    let checks = checks(&begun, &Trust::default(), None);
    let of = |wanted| checks.iter().filter(move |check| check.result == wanted).map(|check| &*check.name);
    assert_eq!(of(CheckResult::Fail).collect::<Vec<_>>(), [""; 0]);
    let unknown: Vec<_> = of(CheckResult::Unknown).collect();
    let names =
        ["refusals", "signals", "trust", "hard_stops", "clients_started", "clients_peak", "duration_s"];
    assert_eq!(unknown, names);
}

#[test]
fn the_health_of_the_stream_is_listed_and_decides_no_code() {
    let degraded = RunHealth { worst: Verdict::Degraded, degraded: Duration::from_secs(3), ..WELL.health };
    let numbers = EndNumbers { health: degraded, ..WELL };
    assert_eq!(failed(&numbers), ["degraded_s"]);
    assert_eq!(sentences(&numbers, &end()), [""; 0]);
    let many = RunHealth { worst: Verdict::Degraded, error_share: Some(0.01), ..WELL.health };
    assert_eq!(failed(&EndNumbers { health: many, ..WELL }), ["error_share"]);
}
