//! Reports add: a load that is split over two machines has the report of the same load on one.

use serde_json::{Value, json};

use super::rules::rule_of;
use super::{NotMergeable, bins, merge};
use crate::report::doc::Doc;
use crate::report::fixtures::{doc, doc_of, with};

/// Places that a merged report does not have, or where it says that it is one.
const UNKNOWN: [&str; 9] = [
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

/// Returns the first place at which two values differ.
fn difference(place: &str, a: &Value, b: &Value) -> Option<String> {
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
    // Of two knees at the same time either one stays.
    expected["health"]["knee_errors"]["clients"] = merged.at("/health/knee_errors/clients").value().clone();
    assert_eq!(difference("", merged.root().value(), &expected), None);
    assert_eq!(merged.at("/requests/finished").count(), whole.at("/requests/finished").count());
}

#[test]
fn merging_is_associative_and_commutative() {
    let later = |doc: Doc, ms: i64| {
        let began = doc.at("/run/started_unix_ms").value().as_i64().expect("a time");
        with(&doc, "/run/started_unix_ms", json!(began + ms))
    };
    let [a, b, c] = [doc_of(&[0, 3]), later(doc_of(&[1]), 1_234), later(doc_of(&[2, 4, 5]), 4_001)];
    let two = |a: &Doc, b: &Doc| merge(&[a.clone(), b.clone()]).expect("merged");
    let same =
        |one: &Doc, other: &Doc| assert_eq!(difference("", one.root().value(), other.root().value()), None);
    same(&two(&two(&a, &b), &c), &two(&a, &two(&b, &c)));
    same(&two(&a, &b), &two(&b, &a));
    let all = merge(&[a, b, c]).expect("merged");
    assert_eq!(all.at("/run/merged_reports").count(), 3);
    assert_eq!(all.at("/run/duration_s").number(), Some(10.001));
    let marks: Vec<_> =
        all.at("/marks").list().map(|mark| mark.at("/at_s").number().expect("a time")).collect();
    assert_eq!(marks, [3.0, 4.234, 7.001]);
    // A merged report is a report: everything can be rendered again.
    let again = Doc::parse(&all.json().expect("JSON")).expect("a document");
    assert_eq!(again, all);
}

#[test]
fn only_reports_of_the_same_stream_and_counters_are_added() {
    let doc = doc();
    assert_eq!(merge(&[]), Err(NotMergeable::TooFew));
    assert_eq!(merge(std::slice::from_ref(&doc)), Err(NotMergeable::TooFew));
    for path in ["/run/target_hash", "/catalogue", "/histogram/grouping_power"] {
        let new = if path.ends_with("power") { json!(5) } else { json!("\u{1b}other") };
        let refused = merge(&[doc.clone(), with(&doc, path, new)]).expect_err(path).to_string();
        assert!(
            refused.starts_with("not the same ") && refused.contains("expected reports of one stream"),
            "{refused}"
        );
        assert!(!refused.contains('\u{1b}'), "{refused}");
    }
}

/// Collects the places of all values that are no tables.
fn leaves<'a>(value: &'a Value, place: &mut Vec<&'a str>, found: &mut Vec<String>) {
    let rule = rule_of(place);
    let has_rule = rule.is_some_and(|rule| rule != super::Rule::Object);
    match value.as_object().filter(|members| !has_rule && !members.is_empty()) {
        None => found.extend(rule.is_none().then(|| place.join("/"))),
        Some(members) => {
            for (name, member) in members {
                place.push(name);
                leaves(member, place, found);
                place.pop();
            }
        }
    }
}

#[test]
fn every_value_of_a_report_has_a_rule() {
    let doc = doc();
    let mut found = Vec::new();
    leaves(doc.root().value(), &mut Vec::new(), &mut found);
    assert_eq!(found, [""; 0]);
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
