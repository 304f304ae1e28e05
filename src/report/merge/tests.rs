//! Reports add: a load that is split over two machines has the report of the same load on one.

use serde_json::{Value, json};

use super::rules::rule_of;
use super::{NotMergeable, bins};
use crate::report::doc::{Doc, Part};
use crate::report::fixtures::{doc, doc_of, with};

/// Places that a merged report does not have, or where it says that it is one.
pub(super) const UNKNOWN: [&str; 9] = [
    "/throughput_bits_per_second/w1s",
    "/throughput_bits_per_second/w30s",
    "/throughput_bits_per_second/w60s",
    "/throughput_bits_per_second/w300s",
    "/throughput_bits_per_second/peak",
    "/pipeline/peak_drop_rate",
    "/pipeline/record",
    "/trust/canary",
    "/trust/calibration",
];

/// Adds documents that are in memory.
pub(super) fn merge(docs: &[Doc]) -> Result<Doc, NotMergeable> {
    super::merge(docs.iter().cloned().map(Ok))
}

fn two(a: &Doc, b: &Doc) -> Doc {
    merge(&[a.clone(), b.clone()]).expect("merged")
}

fn check<'a>(doc: &'a Doc, name: &str) -> Part<'a> {
    doc.at("/checks").list().find(|check| check.at("/name").text() == name).expect("a check")
}

/// Returns the first place at which two values differ.
pub(super) fn difference(place: &str, a: &Value, b: &Value) -> Option<String> {
    match (a, b) {
        (Value::Object(mine), Value::Object(theirs)) => {
            let names = mine.keys().chain(theirs.keys());
            names
                .map(|name| difference(&format!("{place}/{name}"), &a[name], &b[name]))
                .find_map(|found| found)
        }
        (Value::Array(mine), Value::Array(theirs)) if mine.len() == theirs.len() => {
            let pairs = mine.iter().zip(theirs).enumerate();
            pairs
                .map(|(number, (a, b))| difference(&format!("{place}/{number}"), a, b))
                .find_map(|found| found)
        }
        _ if a == b || a.as_f64().is_some() && a.as_f64() == b.as_f64() => None,
        _ => Some(format!("{place}: {a} and {b}")),
    }
}

#[test]
fn the_reports_of_two_halves_are_the_report_of_the_whole() {
    let whole = doc_of(&[0, 1, 2, 3, 4]);
    let merged = merge(&[doc_of(&[0, 2, 4]), doc_of(&[1, 3])]).expect("merged");
    let mut expected = whole.root().value().clone();
    for path in UNKNOWN {
        *expected.pointer_mut(path).expect(path) = Value::Null;
    }
    expected["run"]["merged_reports"] = json!(2);
    // Each half started five clients a second.
    expected["run"]["ramp_rate"] = json!(10.0);
    expected["trust"]["uncalibrated_because"] = json!(super::UNCALIBRATED);
    // Both halves marked the same moment, and each began with a target of its own.
    expected["marks"] = json!([whole.at("/marks/0").value(), whole.at("/marks/0").value()]);
    expected["run"]["run_id"] = json!("run of [0, 2, 4] + run of [1, 3]");
    assert_eq!(difference("", merged.root().value(), &expected), None);
    assert_eq!(merged.at("/requests/finished").count(), whole.at("/requests/finished").count());
}

/// Returns a document whose run had these thresholds: expression, value and result.
fn with_thresholds(doc: &Doc, rows: &[(&str, Option<f64>, Option<bool>)]) -> Doc {
    let row = |(expr, value, ok): &(&str, Option<f64>, Option<bool>)| json!({ "expr": expr, "value": value, "ok": ok, "crossed_at_s": 2.0, "ended_the_run": false });
    let check = |(expr, value, ok): &(&str, Option<f64>, Option<bool>)| {
        let result = ok.map_or("inconclusive", |ok| if ok { "pass" } else { "fail" });
        json!({ "name": expr, "value": value, "limit": "< 1", "result": result, "decides": true })
    };
    let checks = doc.at("/checks").list().map(|check| check.value().clone());
    let checks: Vec<Value> = checks.chain(rows.iter().map(check)).collect();
    let doc = with(doc, "/checks", json!(checks));
    with(&doc, "/thresholds", rows.iter().map(row).collect())
}

#[test]
fn a_threshold_on_the_whole_run_is_judged_by_the_merged_numbers_and_any_other_by_the_worse_run() {
    let [window, whole, unsure] = ["error_rate<1% over 5s", "segment_ttfb_max<1s", "error_rate<99%"];
    // Alone, the first machine would have kept all of them.
    let kept = [(window, Some(0.0), Some(true)), (whole, Some(1.0), Some(true)), (unsure, Some(0.0), None)];
    let worse = [
        (window, Some(0.5), Some(false)),
        (whole, Some(9.9e6), Some(false)),
        (unsure, Some(0.0), Some(true)),
    ];
    let halves = [with_thresholds(&doc_of(&[0, 2, 4]), &kept), with_thresholds(&doc_of(&[1, 3]), &worse)];
    let merged = merge(&halves).expect("merged");
    let row = |expr: &str| {
        let row = merged.at("/thresholds").list().find(|row| row.at("/expr").text() == expr).expect(expr);
        let check = check(&merged, expr);
        assert_eq!(check.at("/value").number(), row.at("/value").number());
        (row.at("/value").number(), row.at("/ok").value().as_bool(), check.at("/result").text().to_owned())
    };
    assert_eq!(row(window), (Some(0.5), Some(false), "fail".to_owned()));
    let longest = merged.at("/latency_us/segment_ttfb/max").number();
    assert!(longest.is_some_and(|us| us < 1e6));
    assert_eq!(row(whole), (longest, Some(true), "pass".to_owned()));
    assert_eq!(row(unsure), (merged.at("/health/error_share").number(), None, "inconclusive".to_owned()));
    let mirrored = merge(&[halves[1].clone(), halves[0].clone()]).expect("merged");
    assert_eq!(difference("", merged.at("/thresholds").value(), mirrored.at("/thresholds").value()), None);
}

#[test]
fn merging_is_associative_and_commutative() {
    let later = |doc: Doc, ms: i64| {
        let began = doc.at("/run/started_unix_ms").value().as_i64().expect("a time");
        with(&doc, "/run/started_unix_ms", json!(began + ms))
    };
    let [a, b, c] = [doc_of(&[0, 3]), later(doc_of(&[1]), 1_234), later(doc_of(&[2, 4, 5]), 4_001)];
    let exit =
        |doc: &Doc, code: u64, reason: &str| with(doc, "/exit", json!({ "code": code, "reasons": [reason] }));
    let a = exit(&a, 0, "the target was not held");
    let b = exit(&b, 70, "a part of hlswarm panicked (1)");
    let c = exit(&c, 3, "nothing was ever played");
    let same =
        |one: &Doc, other: &Doc| assert_eq!(difference("", one.root().value(), other.root().value()), None);
    same(&two(&two(&a, &b), &c), &two(&a, &two(&b, &c)));
    same(&two(&two(&c, &a), &b), &two(&two(&a, &b), &c));
    same(&two(&a, &b), &two(&b, &a));
    let all = merge(&[a, b, c]).expect("merged");
    assert_eq!(all.at("/run/merged_reports").count(), 3);
    assert_eq!(all.at("/run/duration_s").number(), Some(10.001));
    let marks: Vec<_> =
        all.at("/marks").list().map(|mark| mark.at("/at_s").number().expect("a time")).collect();
    assert_eq!(marks, [3.0, 4.234, 7.001]);
    // A merged report is a report: everything can be rendered again.
    let again = Doc::parse(all.json().expect("JSON").as_bytes()).expect("a document");
    assert_eq!(again, all);
}

/// Returns a report of a run that began some seconds later and has these values of its health.
fn part(clients: &[u64], later_s: f64, verdict: &str, verdict_s: f64) -> Doc {
    let doc = doc_of(clients);
    let began = doc.at("/run/started_unix_ms").number().expect("a time");
    let doc = with(&doc, "/run/started_unix_ms", json!((began + later_s * 1e3) as u64));
    let doc = with(&doc, "/health/verdict", json!(verdict));
    with(&doc, "/health/verdict_s", json!(verdict_s))
}

#[test]
fn a_merged_verdict_held_as_long_as_it_did_on_the_machine_that_had_it() {
    let (good, bad) = (part(&[0], 0.0, "OK", 600.0), part(&[1], 0.0, "FAILING", 5.0));
    let worse = part(&[2], 0.0, "FAILING", 7.0);
    let held = |docs: &[Doc]| {
        let merged = merge(docs).expect("merged");
        (merged.at("/health/verdict").word(), merged.at("/health/verdict_s").number())
    };
    assert_eq!(held(&[good.clone(), bad.clone()]), ("FAILING".to_owned(), Some(5.0)));
    assert_eq!(held(&[bad.clone(), good.clone()]), ("FAILING".to_owned(), Some(5.0)));
    assert_eq!(held(&[bad, worse, good]), ("FAILING".to_owned(), Some(7.0)));
}

#[test]
fn a_report_that_cannot_be_read_ends_the_reading_of_all() {
    let read = std::cell::Cell::new(0);
    let docs = [Ok(doc_of(&[0])), Err(NotMergeable::TooFew), Ok(doc_of(&[1]))];
    let refused = super::merge(docs.into_iter().inspect(|_| read.set(read.get() + 1)));
    assert_eq!((refused, read.get()), (Err(NotMergeable::TooFew), 2));
}

#[test]
fn a_knee_has_the_load_of_all_machines() {
    let series = json!({
        "bin_s": 2, "begins_unix_s": 1_000_000_000, "bytes": [0, 5_000_000],
        "client_ms": { "playing": [0, 90_000], "stalled": [0, 10_000], "dead": [0, 2_000], "finished": [0, 40_000] },
    });
    let one = |clients: &[u64]| {
        let doc = with(&doc_of(clients), "/series", series.clone());
        with(&doc, "/health/knee_errors", json!({ "clients": 50, "bits_per_second": 2e7, "at_s": 2.5 }))
    };
    let merged = merge(&[one(&[0]), one(&[1])]).expect("merged");
    let knee = merged.at("/health/knee_errors");
    assert_eq!((knee.at("/clients").count(), knee.at("/bits_per_second").number()), (100, Some(4e7)));
    assert_eq!(knee.at("/at_s").number(), Some(2.5));
    // Nothing is known of a time without a bin.
    let late = |clients: &[u64]| with(&one(clients), "/health/knee_errors/at_s", json!(50.0));
    let merged = merge(&[late(&[0]), late(&[1])]).expect("merged");
    assert!(!merged.at("/health/knee_errors/clients").is_known());
}

#[test]
fn the_most_clients_and_the_largest_share_of_stalled_ones_are_those_of_one_second() {
    let one = |clients: &[u64], playing: [u64; 3], stalled: [u64; 3]| {
        let series = json!({
            "bin_s": 1, "begins_unix_s": 1_000_000_000, "bytes": [0, 0, 0],
            "client_ms": { "playing": playing, "stalled": stalled, "finished": [0, 9_000, 9_000] },
        });
        let doc = with(&doc_of(clients), "/run/clients_peak", json!(40));
        with(&with(&doc, "/series", series), "/health/stalled_share_max", json!(1.0))
    };
    // The most clients of each machine are there at another time; the only client of one was stalled at first.
    let a = one(&[0], [40_000, 20_000, 20_000], [0, 0, 10_000]);
    let b = one(&[1], [0, 20_000, 40_000], [1_000, 0, 0]);
    let merged = two(&a, &b);
    assert_eq!(merged.at("/run/clients_peak").count(), 70);
    assert_eq!(merged.at("/health/stalled_share_max").number(), Some(10.0 / 70.0));
    let bare = two(&with(&a, "/series", json!({})), &with(&b, "/series", json!({})));
    for path in ["/run/clients_peak", "/health/stalled_share_max"] {
        assert!(bare.at(path).value().is_null(), "{path}");
    }
}

#[test]
fn runs_are_added_once_and_only_if_they_were_together() {
    let at = |clients: &[u64], later_s: f64| part(clients, later_s, "OK", 1.0);
    let refused = |docs: &[Doc]| merge(docs).expect_err("refused").to_string();
    let twice = refused(&[at(&[0], 0.0), at(&[1], 0.0), at(&[0], 0.0)]);
    assert_eq!(twice, "the run run of [0] is given twice; expected reports of different machines");
    let merged = merge(&[at(&[0], 0.0), at(&[1], 1.0)]).expect("merged");
    assert!(refused(&[merged, at(&[1], 1.0)]).contains("given twice"), "a part of a merged report is known");
    // The fixture lasts some seconds; a day later nothing of it is left.
    let apart = refused(&[at(&[0], 86_400.0), at(&[1], 0.0)]);
    assert!(
        apart.starts_with("the run run of [0] was at another time than the others; expected "),
        "{apart}"
    );
    // One that connects two others makes them one load, in any order.
    let chain = [at(&[0], 8.0), at(&[1], 0.0), at(&[2], 4.0)];
    assert_eq!(merge(&chain).expect("merged").at("/run/merged_reports").count(), 3);
}

#[test]
fn columns_and_checks_that_no_run_has_take_no_memory() {
    let many: serde_json::Map<String, Value> =
        (0..1_000).map(|number| (number.to_string(), json!([]))).collect();
    let block = json!({ "bin_s": 1, "begins_unix_s": 1, "bytes": [1, 2], "client_ms": many.clone() });
    let merged = bins::merge(&block, &block);
    assert!(merged["client_ms"].as_object().is_some_and(|columns| columns.len() <= 64), "{merged}");
    let mut wide = block;
    wide.as_object_mut().expect("a block").extend(many);
    assert!(bins::merge(&wide, &wide).as_object().is_some_and(|columns| columns.len() <= 64));
    let checks: Value = (0..100_000).map(|number| json!({ "name": number.to_string() })).collect();
    let merged = super::checks::checks(&checks, &checks);
    assert_eq!(merged.as_array().map(Vec::len), Some(1_000));
    // An item of megabytes would be written again for each comparison.
    let long = json!({ "kind": "a", "first_s": 1.0, "detail": "x".repeat(1 << 20) });
    let list = json!([long, { "kind": "b", "first_s": 1.0, "detail": "x" }]);
    let found = super::lists::findings([0.0, 0.0], [&list, &list]);
    assert_eq!(found.as_array().map(Vec::len), Some(1));
}

#[test]
fn a_reason_of_the_exit_names_its_run_and_that_of_the_code_comes_first() {
    let exit = |doc: &Doc, code: u64, reasons: Value| {
        with(doc, "/exit", json!({ "code": code, "reasons": reasons }))
    };
    let a = exit(&doc_of(&[0]), 0, json!(["the target was not held"]));
    let b = exit(&doc_of(&[1]), 3, json!(["nothing was ever played"]));
    let both = two(&a, &b);
    assert_eq!(both.at("/exit/code").count(), 3);
    let reasons: Vec<&str> = both.at("/exit/reasons").list().map(Part::text).collect();
    let said = |doc: &Doc, text: &str| format!("run {}, exit code {text}", doc.at("/run/run_id").text());
    assert_eq!(reasons, [said(&b, "3: nothing was ever played"), said(&a, "0: the target was not held")]);
}

#[test]
fn a_merged_reason_of_the_trust_says_its_merged_values() {
    let reason = |first: f64, seconds: f64, worst: f64| {
        json!([{
            "gauge": "cpu_share", "level": "INVALID", "first_s": first, "last_s": first + seconds,
            "seconds": seconds, "worst": worst, "threshold": 0.9, "worker": 3, "advice": "use more cores",
            "sentence": "cpu 91.0%, above 90.0% for 20.0 s from 00:00:00 on",
        }])
    };
    let a = with(&doc_of(&[0]), "/trust/reasons", reason(0.0, 20.0, 0.91));
    let b = with(&part(&[1], 4.0, "OK", 1.0), "/trust/reasons", reason(2.0, 20.0, 0.93));
    let both = two(&b, &a);
    let merged = both.at("/trust/reasons/0");
    assert_eq!((merged.at("/first_s").number(), merged.at("/seconds").number()), (Some(0.0), Some(40.0)));
    assert_eq!(merged.at("/sentence").text(), "cpu 93.0%, above 90.0% for 40.0 s from 00:00:00 on");
    assert!(merged.member("worker").value().is_null() && both.at("/trust/reasons").list().len() == 1);
    // Also a reason of one machine only counts from the start of the first one.
    let alone = two(&doc_of(&[0]), &b);
    assert!(alone.at("/trust/reasons/0/sentence").text().ends_with(" from 00:00:06 on"));
}

#[test]
fn a_check_that_cannot_be_added_is_that_of_the_report_that_kept_it_worse() {
    let of = |doc: &Doc, value: Value, limit: &str, result: &str, decides: bool| {
        let check = json!({ "name": "hard_stops", "value": value, "limit": limit, "result": result, "decides": decides });
        with(doc, "/checks", json!([check]))
    };
    let pass = of(&doc_of(&[0]), json!(0.0), "<= 0", "pass", false);
    let fail = of(&doc_of(&[1]), json!(1.0), "<= 0", "fail", true);
    let unknown = of(&doc_of(&[2]), Value::Null, "<= 0", "unknown", false);
    let result = |docs: &[Doc]| {
        let all = merge(docs).expect("merged");
        let check = check(&all, "hard_stops");
        (check.at("/result").text().to_owned(), check.at("/decides").is_true())
    };
    assert_eq!(result(&[pass.clone(), fail.clone()]), ("fail".to_owned(), true));
    assert_eq!(result(&[unknown.clone(), fail.clone(), pass.clone()]), ("fail".to_owned(), true));
    assert_eq!(result(&[pass, unknown]), ("unknown".to_owned(), false));
}

#[test]
fn a_machine_that_did_not_last_is_not_hidden_by_one_that_did() {
    let check = |value: f64, limit: f64, result: &str| json!([{ "name": "duration_s", "value": value, "limit": format!(">= {limit}"), "result": result, "decides": false }]);
    let whole = with(&doc_of(&[0]), "/checks", check(900.0, 900.0, "pass"));
    let short = with(&doc_of(&[1]), "/checks", check(30.0, 600.0, "fail"));
    let merged = two(&whole, &short);
    let length = merged.at("/checks/0");
    assert_eq!((length.at("/value").number(), length.at("/limit").text()), (Some(30.0), ">= 600"));
    assert_eq!(length.at("/result").text(), "fail");
}

#[test]
fn only_reports_of_the_same_stream_and_counters_are_added() {
    let doc = doc();
    assert_eq!(merge(&[]), Err(NotMergeable::TooFew));
    assert_eq!(merge(std::slice::from_ref(&doc)), Err(NotMergeable::TooFew));
    for path in ["/run/target_hash", "/catalogue", "/histogram/grouping_power"] {
        let new = if path.ends_with("power") { json!(5) } else { json!("\u{1b}other") };
        let other = with(&with(&doc, "/run/run_id", json!("another")), path, new);
        let refused = merge(&[doc.clone(), other]).expect_err(path).to_string();
        assert!(
            refused.starts_with("not the same ") && refused.contains("expected reports of one stream"),
            "{refused}"
        );
        assert!(!refused.contains('\u{1b}'), "{refused}");
    }
}

/// Returns the schema that a reference, or a value that may be `null`, stands for.
fn resolved<'a>(schema: &'a Value, root: &'a Value) -> &'a Value {
    let choices = schema["anyOf"].as_array().into_iter().flatten();
    let referred = choices.chain([schema]).find_map(|choice| choice["$ref"].as_str());
    referred.map_or(schema, |name| root.pointer(name.trim_start_matches('#')).expect("a definition"))
}

/// Collects the places of all values without a rule. Open names, such as those of outcomes, are `any`.
fn without_rule(schema: &Value, root: &Value, place: &mut Vec<String>, found: &mut Vec<String>) {
    let names: Vec<&str> = place.iter().map(String::as_str).collect();
    let rule = rule_of(&names);
    if rule.is_some_and(|rule| rule != super::Rule::Object) {
        return;
    }
    let schema = resolved(schema, root);
    let members = schema["properties"].as_object().into_iter().flatten();
    let open = schema.get("additionalProperties").filter(|open| open.is_object());
    let any = "any".to_owned();
    let members: Vec<(&String, &Value)> = members.chain(open.map(|open| (&any, open))).collect();
    if rule.is_none() || members.is_empty() {
        found.push(place.join("/"));
    }
    for (name, member) in members {
        place.push(name.clone());
        without_rule(member, root, place, found);
        place.pop();
    }
}

#[test]
fn every_value_of_a_report_has_a_rule_of_its_own() {
    let schema = schemars::schema_for!(crate::report::Report).to_value();
    let mut found = Vec::new();
    without_rule(&schema, &schema, &mut Vec::new(), &mut found);
    assert_eq!(found, [""; 0]);
    assert_eq!(rule_of(&["health", "new_share"]), None);
}

#[test]
fn every_sum_of_the_fixture_would_be_seen_if_it_were_not_added() {
    let doc = doc();
    let sums =
        super::rules::RULES.iter().filter(|(path, rule)| *rule == super::Rule::Sum && !path.contains('*'));
    let unseen: Vec<&str> =
        sums.map(|(path, _)| *path).filter(|path| doc.at(path).number() <= Some(0.0)).collect();
    assert_eq!(unseen, [""; 0], "0 and unknown add up to themselves");
}

#[test]
fn a_knee_of_a_machine_that_began_later_counts_from_the_start_of_the_first() {
    let none = |doc: &Doc| with(doc, "/health/knee_errors", Value::Null);
    let merged = two(&none(&doc_of(&[0])), &part(&[1], 2.0, "OK", 1.0));
    assert_eq!(merged.at("/health/knee_errors/at_s").number(), Some(4.0));
}

#[test]
fn a_gauge_keeps_the_worse_value_and_masked_intervals_that_touch_become_one() {
    let gauge = |doc: &Doc, cpu: f64, held: f64| {
        let gauge = |worst: f64| json!({ "worst": worst, "seconds": 10 });
        with(doc, "/trust/gauges", json!({ "cpu_share": gauge(cpu), "load_held_share": gauge(held) }))
    };
    let masked = |doc: &Doc, from: f64, to: f64| {
        with(doc, "/trust/masked_intervals", json!([{ "from_s": from, "to_s": to }]))
    };
    let a = masked(&gauge(&doc_of(&[0]), 0.5, 0.9), 1.0, 3.0);
    let b = masked(&gauge(&part(&[1], 2.0, "OK", 1.0), 0.8, 0.99), 0.5, 2.0);
    for merged in [two(&a, &b), two(&b, &a)] {
        let worst = |name: &str| merged.at("/trust/gauges").member(name).at("/worst").number();
        assert_eq!([worst("cpu_share"), worst("load_held_share")], [Some(0.8), Some(0.9)]);
        let expected = json!([{ "from_s": 1.0, "to_s": 4.0 }]);
        assert_eq!(difference("", merged.at("/trust/masked_intervals").value(), &expected), None);
    }
}

#[test]
fn outcomes_beyond_the_columns_of_a_run_are_added_up() {
    let block = |statuses: std::ops::Range<u16>| {
        let outcomes: serde_json::Map<String, Value> =
            statuses.map(|status| (format!("http.{status}"), json!([1, 2]))).collect();
        json!({ "bin_s": 1, "begins_unix_s": 5, "verdict": ["OK", "OK"], "outcomes": outcomes })
    };
    let merged = bins::merge(&block(400..410), &block(410..420));
    let columns = merged["outcomes"].as_object().expect("columns");
    assert_eq!((columns.len(), &columns["other"]), (16, &json!([5, 10])));
}

#[test]
fn bins_of_two_widths_are_combined_to_the_wider_one_and_lose_nothing() {
    let narrow = json!({
        "bin_s": 1, "begins_unix_s": 101, "bytes": [1, 2, 3], "ended": { "ok": [1, 1, 1] },
        "verdict": ["OK", "FAILING", "OK"], "heat_begins_us": [0, 128], "heat": { "segment": [[[1, 2]], [], [[1, 1], [0, 4]]] },
    });
    let wide = json!({
        "bin_s": 4, "begins_unix_s": 104, "bytes": [10], "ended": { "http_5xx": [7] }, "verdict": ["DEGRADED"],
        "heat_begins_us": [0, 128], "heat": { "segment": [[[0, 1]]] },
    });
    let expected = json!({
        "bin_s": 4, "begins_unix_s": 100, "bytes": [6, 10], "ended": { "ok": [3, 0], "http_5xx": [0, 7] },
        "verdict": ["FAILING", "DEGRADED"], "heat_begins_us": [0, 128],
        "heat": { "segment": [[[0, 4], [1, 3]], [[0, 1]]] },
    });
    assert_eq!(difference("", &bins::merge(&narrow, &wide), &expected), None);
    assert_eq!(difference("", &bins::merge(&wide, &narrow), &expected), None);
    // Bins of any distance fit.
    let far = with(&Doc::from_value(wide), "/begins_unix_s", json!(4_000_000_000_u64));
    let merged = bins::merge(&narrow, far.root().value());
    assert!(merged["bytes"].as_array().is_some_and(|bytes| bytes.len() <= 600), "{}", merged["bin_s"]);
    assert_eq!(merged["bytes"].as_array().into_iter().flatten().filter_map(Value::as_u64).sum::<u64>(), 16);
}
