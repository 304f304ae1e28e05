//! The demo: compares the clients' counts with those of the built-in origin.

use std::time::Duration;

use serde_json::Value;

use crate::program::{Ended, Program, Report};

const LIMIT: Duration = Duration::from_secs(60);

fn demo(options: &[&str]) -> Ended {
    Program::start_command(&["demo"], options).end_within(LIMIT)
}

/// Returns the members of an object whose values are numbers.
fn numbers(report: &Report, pointer: &str) -> Vec<(String, u64)> {
    let Some(object) = report.value().pointer(pointer).and_then(Value::as_object) else { return Vec::new() };
    object.iter().map(|(name, value)| (name.clone(), value.as_u64().expect(pointer))).collect()
}

/// Checks the invariants that hold for every report.
fn assert_conserved(report: &Report) {
    let outcomes: u64 = report.outcomes().iter().map(|(_, count)| count).sum();
    assert_eq!(report.count("/requests/started"), report.count("/requests/finished"));
    assert_eq!(outcomes, report.count("/requests/finished"));
    let http: u64 =
        report.outcomes().iter().filter(|(name, _)| name.starts_with("http.")).map(|(_, n)| n).sum();
    let errors: u64 = numbers(report, "/http_errors").iter().map(|(_, count)| count).sum();
    assert_eq!(errors, http);
    let by_kind = |field: &str| -> u64 {
        ["playlist", "segment", "part", "init", "key", "unknown"]
            .iter()
            .map(|kind| report.count(&format!("/{field}/{kind}")))
            .sum()
    };
    assert_eq!(by_kind("requests"), report.count("/requests/started"));
    assert_eq!(by_kind("bytes"), report.count("/bytes/total"));
    assert_eq!(report.count("/internal/invariant_violations"), 0);
    assert_eq!(report.count("/internal/panics"), 0);
    assert_series(report);
}

/// Checks that the bins over time add up to the totals, and that clients spent no more time in states than they
/// lived.
fn assert_series(report: &Report) {
    let column = |pointer: &str| -> u64 {
        let column = report.value().pointer(pointer).and_then(Value::as_array);
        column.into_iter().flatten().map(|bin| bin.as_u64().expect(pointer)).sum()
    };
    let columns = |pointer: &str| -> Vec<String> {
        let columns = report.value().pointer(pointer).and_then(Value::as_object);
        columns.into_iter().flatten().map(|(name, _)| name.clone()).collect()
    };
    assert_eq!(column("/series/started"), report.count("/requests/started"));
    assert_eq!(column("/series/bytes"), report.count("/bytes/total"));
    for class in columns("/series/ended") {
        let is_of = |name: &str| match class.strip_prefix("http_") {
            Some(hundred) => name.starts_with(&format!("http.{}", hundred.trim_end_matches("xx"))),
            None => name.split('.').next() == Some(class.as_str()),
        };
        let ended: u64 =
            report.outcomes().iter().filter(|(name, _)| is_of(name)).map(|(_, count)| count).sum();
        assert_eq!(column(&format!("/series/ended/{class}")), ended, "{class}");
    }
    let ended: u64 =
        columns("/series/ended").iter().map(|class| column(&format!("/series/ended/{class}"))).sum();
    assert_eq!(ended, report.count("/requests/finished"));
    let client_ms: u64 =
        columns("/series/client_ms").iter().map(|state| column(&format!("/series/client_ms/{state}"))).sum();
    let lived_ms = report.number("/run/duration_s") * 1_000.0 * report.number("/run/clients_started");
    assert!(client_ms as f64 <= lived_ms, "{client_ms} of {lived_ms}");
    assert!(client_ms > 0 || report.count("/run/clients_peak") == 0);
    assert_history(report);
}

/// Checks that the columns of the history have one length, and add up to the totals and to the histograms.
fn assert_history(report: &Report) {
    let history = report.value().get("history").expect("a history");
    let numbers = |column: &Value| -> Vec<u64> {
        column.as_array().into_iter().flatten().map(|bin| bin.as_u64().expect("a count")).collect()
    };
    let columns = |name: &str| history[name].as_object().into_iter().flatten();
    let bins = numbers(&history["need_bits"]).len();
    assert!(bins > 0 && bins <= 600, "{bins}");
    assert_eq!(history["verdict"].as_array().map(Vec::len), Some(bins));
    for (outcome, column) in columns("outcomes") {
        let column = numbers(column);
        let all = report.outcomes().into_iter().find(|(name, _)| name == outcome).map(|(_, count)| count);
        assert_eq!((column.len(), Some(column.iter().sum())), (bins, all), "{outcome}");
    }
    let failed = report.outcomes().into_iter().filter(|(name, _)| *name != "ok" && *name != "cut");
    assert_eq!(columns("outcomes").count(), failed.count());
    for (name, column) in columns("heat") {
        let column = column.as_array().expect("a column");
        let of_bin = |bin: &Value| -> u64 {
            bin.as_array().into_iter().flatten().map(|bucket| bucket[1].as_u64().expect("a count")).sum()
        };
        let total: u64 = column.iter().map(of_bin).sum();
        let histogram = if name == "segment" { "segment_all" } else { name };
        assert_eq!(
            (column.len(), total),
            (bins, report.count(&format!("/latency_us/{histogram}/count"))),
            "{name}"
        );
    }
}

/// Checks for each kind and status that the responses and bytes that the origin completed equal the clients'.
fn assert_equals_the_origin(report: &Report) {
    for kind in ["playlist", "segment", "init"] {
        let completed =
            report.value().pointer(&format!("/origin/completed/{kind}")).and_then(Value::as_object);
        for (status, served) in completed.into_iter().flatten() {
            let outcome = if status == "200" { "ok".to_owned() } else { format!("http.{status}") };
            let here = |of: &str| report.count(&format!("/kinds/{kind}/{of}/{outcome}"));
            assert_eq!(here("outcomes"), served["responses"].as_u64().unwrap(), "{kind} {status}");
            assert_eq!(here("outcome_bytes"), served["bytes"].as_u64().unwrap(), "{kind} {status}");
        }
        for (outcome, count) in numbers(report, &format!("/kinds/{kind}/outcomes")) {
            let status = if outcome == "ok" { "200" } else { outcome.trim_start_matches("http.") };
            if outcome == "ok" || outcome.starts_with("http.") {
                let there = report.count(&format!("/origin/completed/{kind}/{status}/responses"));
                assert_eq!(count, there, "{kind} {outcome}");
            }
        }
    }
}

#[test]
fn a_demo_with_its_scenario_equals_what_its_origin_counted() {
    let run = demo(&["-c", "30", "--ramp-rate", "50", "-d", "14s"]);
    run.assert_exit_code(0);
    assert!(run.report.count("/requests/segment") > 0);
    assert!(run.report.count("/http_errors/404") > 0, "the scenario has its first trouble by now");
    assert_conserved(&run.report);
    assert_equals_the_origin(&run.report);
}

#[test]
fn faults_of_every_kind_are_counted_as_what_they_are() {
    let faults = [
        "segment:404:10%",
        "segment:599:10%",
        "segment:cut:10%",
        "segment:reset:20%",
        "playlist:delay=50ms:20%",
    ];
    let mut options = vec!["-c", "20", "--ramp-time", "0", "-d", "12s", "--seed", "7"];
    for fault in faults {
        options.extend(["--fault", fault]);
    }
    let run = demo(&options);
    assert_conserved(&run.report);
    assert_equals_the_origin(&run.report);
    for outcome in ["http.404", "http.599", "body.short", "conn.reset", "ok"] {
        assert!(
            run.report.count(&format!("/kinds/segment/outcomes/{outcome}")) > 0,
            "{outcome} did not occur"
        );
    }
    // A body that was cut on the way has fewer bytes here than there, never more.
    let cut = run.report.count("/kinds/segment/outcome_bytes/body.short");
    let there: u64 = run.report.count("/origin/incomplete/segment/200/bytes");
    assert!(cut <= there, "{cut} of {there}");
    assert!(run.report.count("/connections/reconnections") > 0);
}

#[test]
fn fmp4_over_tls_and_http2_is_counted_exactly_too() {
    let run = demo(&["--tls", "--format", "fmp4", "--healthy", "-c", "10", "--ramp-rate", "50", "-d", "6s"]);
    run.assert_exit_code(0);
    assert_eq!(run.report.count("/requests/init"), 10);
    assert_conserved(&run.report);
    assert_equals_the_origin(&run.report);
    assert!(run.report.count("/latency_us/tls/count") >= 10);
}

#[test]
fn every_variant_is_fetched_when_all_are_asked_for() {
    let run = demo(&["--healthy", "--variant", "all", "-c", "4", "--ramp-time", "0", "-d", "5s"]);
    run.assert_exit_code(0);
    assert_conserved(&run.report);
    // Each client loads one multivariant playlist and three media playlists, and then each media playlist again.
    assert!(run.report.count("/requests/playlist") >= 4 * 7, "{}", run.report.count("/requests/playlist"));
    assert_eq!(run.report.count("/playback/stalls"), 0);
}

#[test]
fn the_same_report_is_on_standard_output_in_json_and_in_text() {
    let run = demo(&["--healthy", "-c", "3", "--ramp-time", "0", "-d", "3s", "--seed", "42"]);
    run.assert_exit_code(0);
    let outputs: Vec<_> = run.outputs().collect();
    let of = |name: &str| &outputs.iter().find(|(output, _)| *output == name).unwrap().1;
    assert_eq!(of("stdout"), of("report.txt"));
    assert!(of("stdout").lines().all(|line| line.chars().count() <= 80), "{}", of("stdout"));
    let requests = hlswarm::testing::vocabulary::plural(run.report.count("/requests/started"), "request");
    assert!(of("stdout").contains(&requests), "{requests}: {}", of("stdout"));
    assert_eq!(run.report.count("/run/seed"), 42);
    // The verdict depends on what else runs on this machine. There is one, above all numbers but the headline.
    let words = match run.report.text("/trust/verdict").as_str() {
        "INVALID" => "NOT TRUSTWORTHY".to_owned(),
        verdict => verdict.to_owned(),
    };
    assert_ne!(words, "UNASSESSED");
    assert!(of("stdout").contains(&format!("\n TRUST   {words}: ")), "{}", of("stdout"));
    assert!(run.report.number("/trust/measured_s") > 0.0);
    assert!(run.report.number("/trust/generator_delay_us/p99") >= 0.0);
}

#[test]
fn viewers_that_leave_in_time_are_replaced_and_both_are_counted() {
    let run = demo(&["--healthy", "-c", "10", "--ramp-time", "0", "--session-length", "exp:1s", "-d", "6s"]);
    run.assert_exit_code(0);
    assert_conserved(&run.report);
    let report = &run.report;
    let (left, replaced) = (report.count("/playback/sessions_over"), report.count("/playback/replacements"));
    assert!(left >= 20, "{left} left");
    assert_eq!(left, replaced);
    assert_eq!(report.count("/run/clients_started"), 10 + replaced);
    assert_eq!(report.count("/audience/players/web"), 10 + replaced);
    assert_eq!(report.count("/run/clients_peak"), 10);
    assert_eq!(report.count("/playback/sessions/played"), report.count("/playback/started"));
    // All complete responses came from one edge, over one protocol; requests that clients cut have none.
    let edges = report.value()["audience"]["edges"].as_object().unwrap();
    let (responses, cut) = (report.count("/requests/finished"), report.count("/outcomes/cut"));
    assert_eq!(edges.len(), 1);
    assert_eq!(edges.values().next().unwrap()["requests"].as_u64(), Some(responses - cut));
    assert_eq!(report.count("/audience/protocols/http~11.1"), responses - cut);
    assert!(report.number("/playback/live_latency_ms/p50") > 1_000.0);
    assert!(report.number("/playback/bits_per_second") > 1_000_000.0);
}

#[test]
fn viewers_that_leave_make_room_for_others_after_a_back_off() {
    let options = ["--fault", "segment:404", "--player", "native", "-c", "5", "--ramp-time", "0", "-d", "6s"];
    let run = demo(&options);
    run.assert_exit_code(3);
    assert_conserved(&run.report);
    let report = &run.report;
    let gave_up = report.count("/playback/gave_up");
    assert_eq!(report.count("/playback/start_failures"), gave_up);
    // The first viewer of each seat leaves at its first segment. The next one waits for 0.25, 0.43, 0.72, ... s, and
    // until as many requests have been saved as a viewer that stays would have made: at most six viewers in six
    // seconds.
    assert!((10..=30).contains(&gave_up), "{gave_up}");
    assert!(gave_up - report.count("/playback/replacements") <= 5);
    assert_eq!(report.count("/playback/started"), 0);
}

#[test]
fn one_of_twenty_clients_is_a_canary_and_the_load_stays_as_asked() {
    let with = demo(&["--healthy", "-c", "24", "--ramp-time", "1s", "-d", "12s"]);
    let report = &with.report;
    assert_conserved(report);
    assert_eq!((report.count("/run/clients_peak"), report.count("/run/clients_started")), (24, 24));
    let counted: u64 = numbers(report, "/origin/requests").iter().map(|(_, count)| count).sum();
    assert_eq!(counted, report.count("/requests/started"), "the canary's requests are the run's");
    let canary = &report.value()["trust"]["canary"];
    assert!(canary["requests"].as_u64() >= Some(1), "{canary}");
    assert!(canary["requests"].as_u64() < Some(report.count("/requests/started") / 10), "{canary}");
    assert!(with.stdout().contains("        canary  "), "{}", with.stdout());
    let without = demo(&["--healthy", "-c", "19", "--ramp-time", "1s", "-d", "4s"]);
    assert!(without.report.value()["trust"]["canary"].is_null());
}
