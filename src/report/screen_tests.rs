//! The screen of a report: its numbers are those of the JSON, whatever the document holds.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::cells::LATENCIES;
use super::doc::Doc;
use super::fixtures::{doc, with};
use super::pages_tests::poison;
use super::screen::{Fact, KeyNumber, ReportScreen};
use crate::vocabulary::units;
use crate::vocabulary::untrusted::HOSTILE;

/// Returns every text of a screen by its place.
fn texts(screen: &ReportScreen) -> BTreeMap<String, String> {
    let mut texts = BTreeMap::new();
    let mut add = |place: String, text: &str| _ = texts.insert(place, text.to_owned());
    add("result".to_owned(), &screen.result);
    add("load".to_owned(), screen.load);
    for (place, number) in screen.numbers.iter().enumerate() {
        add(format!("number {place}"), &number.digits);
    }
    add("audience".to_owned(), &screen.audience);
    for Fact { label, value, .. } in screen.viewers.iter().chain([&screen.failed]) {
        add(format!("fact {label}"), value);
    }
    for spread in &screen.sessions {
        add(format!("session {}", spread.label), &format!("{} {}", spread.from, spread.to));
    }
    for row in &screen.latency {
        add(format!("latency {}", row.label), &row.cells.join(" "));
    }
    for row in &screen.failures {
        let cells = [&row.short, &row.first, &row.clients, &row.total];
        add(format!("outcome {}", row.name), &cells.map(String::as_str).join(" "));
    }
    for row in &screen.findings {
        add(format!("finding {}", row.name), &[&*row.count, &row.place, &row.detail].join(" "));
    }
    add("addresses".to_owned(), &screen.addresses);
    for row in &screen.edges {
        add(format!("edge {}", row.address), &row.cells.join(" "));
    }
    for (name, lines) in [("trust", &screen.trust), ("run", &screen.run), ("exit", &screen.exit)] {
        for (place, line) in lines.iter().enumerate() {
            add(format!("{name} {place}"), line);
        }
    }
    texts
}

fn screen() -> (Doc, ReportScreen) {
    let finding = json!([{
        "kind": "playlist_stale", "severity": "error", "count": 312, "first_s": 1.0, "last_s": 4.0, "detail": "1080p",
    }]);
    let spread = |p50: f64| {
        let buckets: Vec<(u64, u64)> = (1..=40).map(|place| (place * 100, place)).collect();
        json!({
            "p50": p50, "p95": p50 * 2.0, "p99": p50 * 3.0, "max": p50 * 4.0,
            "count": 820, "sum": 1.0, "buckets": buckets, "unit": 1.0,
        })
    };
    let mut doc = with(&doc(), "/findings", finding);
    // Each number is another one, so that a mixed-up one is seen.
    for (path, value) in [
        ("/playback/startup_ms", spread(240.0)),
        ("/playback/live_latency_ms", spread(9_100.0)),
        ("/playback/sessions/stalls_per_hour", spread(8.0)),
        ("/playback/start_failures", json!(31)),
        ("/playback/gave_up", json!(23)),
        ("/playback/started", json!(6_449)),
        ("/run/clients_started", json!(6_480)),
        ("/exit/code", json!(3)),
    ] {
        doc = with(&doc, path, value);
    }
    let screen = ReportScreen::new(&doc);
    (doc, screen)
}

#[test]
fn every_number_is_that_of_the_json() {
    let (doc, screen) = screen();
    let texts = texts(&screen);
    let is = |place: &str, expected: String| {
        assert_eq!(texts.get(place).map(String::as_str), Some(&*expected), "{place}");
    };
    let count = |path: &str| units::count(doc.at(path).count());
    let share = |path: &str| units::percent(doc.at(path).number());
    let number = |path: &str| doc.at(path).number().unwrap_or_else(|| panic!("{path} is missing"));
    let span = |path: &str| units::span(Duration::from_secs_f64(number(path) / 1e3));
    let both = |path: &str| format!("{}, {}", span(&format!("{path}/p50")), span(&format!("{path}/p95")));
    is("result", format!("breaks at {} clients", count("/health/knee_errors/clients")));
    is("number 0", count("/health/knee_errors/clients"));
    let bits = units::bit_rate(number("/health/knee_errors/bits_per_second"));
    assert_eq!(format!("{} {}", screen.numbers[1].digits, screen.numbers[1].unit), bits);
    is("number 2", share("/playback/rebuffer_ratio").replace('%', ""));
    let (started, began) = (count("/run/clients_started"), count("/playback/started"));
    is("audience", format!("{started} clients, {began} began to play"));
    is("fact start-up p50, p95", both("/playback/startup_ms"));
    is("fact start failures", count("/playback/start_failures"));
    is("fact left on failure", count("/playback/gave_up"));
    is("fact behind p50, p95", both("/playback/live_latency_ms"));
    is("fact stalled at once", share("/health/stalled_share_max"));
    is("fact rebuffer ratio", share("/playback/rebuffer_ratio"));
    is("fact stalls an hour", units::number(number("/playback/stalls_per_hour")));
    is("fact bit rate played", units::bit_rate(number("/playback/bits_per_second")));
    is("fact failed", format!("{} of {}", share("/requests/failed_share"), count("/requests/judged")));
    for (name, label, _) in LATENCIES {
        let latency = doc.at("/latency_us").member(name);
        let times = ["/p50", "/p95", "/p99", "/p999", "/max"].map(|path| latency.at(path).count());
        let count = units::count(latency.at("/count").count());
        let cells = format!("{} {count}", times.map(units::milliseconds).join(" "));
        let shown = texts.get(&format!("latency {label}"));
        assert_eq!(shown, latency.is_known().then_some(&cells), "{label}");
    }
    let busy = doc.at("/outcomes").member("http.503").count();
    is("outcome 503 Service Unavailable", format!("503 0:01 5 {}", units::count(busy)));
    is("finding playlist_stale", "312x 0:01 to 0:04 1080p".to_owned());
    is("addresses", "from 1 source address to 2 edges; real viewers would use many".to_owned());
    let edge = doc.at("/audience/edges").member("10.0.0.0:443");
    let cells = [units::count(edge.at("/requests").count()), units::bytes(edge.at("/bytes").count())];
    is(
        "edge 10.0.0.0:443",
        format!("{} hit {}", cells.join(" "), units::percent(edge.at("/hit_share").number())),
    );
    is("exit 0", format!("exit code {}", count("/exit/code")));
    let length = units::span(doc.at("/run/duration_s").seconds());
    let id = doc.at("/run/run_id").word();
    is("run 0", format!("hlswarm {}, {length}, seed 7, run {id}", doc.at("/run/version").word()));
}

#[test]
fn every_session_is_in_its_distribution() {
    let (doc, screen) = screen();
    let labels: Vec<&str> = screen.sessions.iter().map(|spread| spread.label).collect();
    assert_eq!(labels, ["start-up", "rebuffer ratio", "stalls an hour", "behind live"]);
    for (spread, path) in screen.sessions.iter().zip([
        "/startup_ms/count",
        "/sessions/rebuffer_ratio/count",
        "/sessions/stalls_per_hour/count",
        "/live_latency_ms/count",
    ]) {
        let sessions = doc.at("/playback").at(path).number();
        assert_eq!(Some(spread.counts.iter().sum::<f64>()), sessions, "{}", spread.label);
    }
}

#[test]
fn the_load_is_that_of_the_first_knee_or_the_peak() {
    let (doc, _) = screen();
    let told = |verdict: &str, knee: bool| {
        let doc = with(&doc, "/health/verdict", verdict.into());
        let doc = if knee { doc } else { with(&doc, "/health/knee_errors", Value::Null) };
        let screen = ReportScreen::new(&with(&doc, "/run/clients_peak", 41.into()));
        let KeyNumber { digits, .. } = &screen.numbers[0];
        (screen.load, screen.result.clone(), digits.clone())
    };
    let is = |told, load, result: &str, clients: &str| {
        assert_eq!(told, (load, result.to_owned(), clients.to_owned()));
    };
    is(told("FAILING", true), "Breaks at", "breaks at 5 clients", "5");
    is(told("DEGRADED", true), "Degraded from", "degraded from 5 clients", "5");
    is(told("OK", true), "Carried", "carried 41 clients", "41");
    is(told("FAILING", false), "Peak load", "peak load 41 clients", "41");
    is(told("NOTHING PLAYS", false), "Peak load", "no client ever played", "41");
    is(told("--", false), "Peak load", "nothing was measured", "41");
}

#[test]
fn a_block_that_is_missing_makes_its_numbers_unknown_and_no_others() {
    let (doc, whole) = screen();
    let whole = texts(&whole);
    let blocks: Vec<&str> =
        doc.root().table().map(|(name, _)| name).filter(|name| *name != "schema").collect();
    let mut lost = Vec::new();
    for block in blocks {
        let mut value = doc.root().value().clone();
        value.as_object_mut().expect("an object").remove(block);
        let left = texts(&ReportScreen::new(&Doc::from_value(value)));
        for (place, text) in &left {
            let is_unknown = text.contains("--") || text.is_empty();
            // Without the verdict the load is the peak; a sentence about nothing says so.
            let is_said = block == "health" && ["result", "load", "number 1"].contains(&&**place)
                || text.contains("nothing was measured");
            assert!(whole.get(place) == Some(text) || is_unknown || is_said, "{block}: {place}: {text}");
        }
        if left != whole {
            lost.push(block);
        }
    }
    for block in
        ["run", "exit", "health", "trust", "requests", "failures", "latency_us", "playback", "audience"]
    {
        assert!(lost.contains(&block), "{block} is on the screen: {lost:?}");
    }
}

#[test]
fn no_text_of_a_document_reaches_the_screen_as_it_is() {
    for text in HOSTILE {
        let (doc, _) = screen();
        let mut value = doc.root().value().clone();
        poison(&mut value, text);
        value["audience"]["edges"] = json!({ *text: { "requests": 1, "bytes": 2 } });
        value["trust"]["reasons"] = json!([{ "level": text, "sentence": text, "advice": text }]);
        value["exit"]["reasons"] = json!([text]);
        value["run"]["clients_peak"] = json!(-1);
        value["playback"]["startup_ms"] = json!({ "unit": 1e300, "buckets": [[1e300, 1e300], [text, -1]] });
        for (place, shown) in texts(&ReportScreen::new(&Doc::from_value(value))) {
            assert!(!shown.chars().any(char::is_control), "{place}: {shown:?}");
            assert!(shown.chars().count() <= 1_000, "{place}: {shown:?}");
        }
    }
}
