//! Exporters of several machines that loaded one origin: those with the same URL become one.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::rules::Rule;
use super::{knee, larger, simple, smaller, sum};
use crate::report::origin_metrics::worse_state;

/// Maximum number of exporters that are read of a report.
const MOST: usize = 1_000;

/// Merges the exporters of two reports, in the order of their URLs.
pub(super) fn merge(later: [f64; 2], lists: [&Value; 2]) -> Value {
    let mut named = BTreeMap::<String, Map<String, Value>>::new();
    for (list, later) in lists.into_iter().zip(later) {
        for item in list.as_array().into_iter().flatten().filter_map(Value::as_object).take(MOST) {
            let url = item.get("url").and_then(Value::as_str).unwrap_or_default().to_owned();
            let mut item = item.clone();
            if let Some(at) = item.get_mut("at_knee") {
                *at = knee([later, 0.0], [at, &Value::Null]);
            }
            let merged = match named.remove(&url) {
                None => item,
                Some(known) => both(&known, &item),
            };
            named.insert(url, merged);
        }
    }
    named.into_values().map(Value::Object).collect()
}

fn both(mine: &Map<String, Value>, theirs: &Map<String, Value>) -> Map<String, Value> {
    let names = mine.keys().chain(theirs.keys().filter(|name| !mine.contains_key(*name)));
    let member = |name: &String| {
        let [mine, theirs] = [mine, theirs].map(|item| item.get(name).unwrap_or(&Value::Null));
        let merged = match name.as_str() {
            "scrapes" | "failures" => sum(mine, theirs),
            "state" => {
                let [mine, theirs] = [mine, theirs].map(|state| state.as_str().unwrap_or_default());
                Value::from(worse_state(mine, theirs))
            }
            "problem" => simple(Rule::Joined, mine, theirs),
            "at_knee" => knee([0.0; 2], [mine, theirs]),
            // Several machines scrape at several moments.
            "series" | "url" => simple(Rule::SameOrNull, mine, theirs),
            _ => extremes(mine, theirs),
        };
        (name.clone(), merged)
    };
    names.map(member).collect()
}

/// Returns the extremes of both; the last value stays if it is the same.
fn extremes(mine: &Value, theirs: &Value) -> Value {
    let of = |name: &str| [mine, theirs].map(|values| values.get(name).unwrap_or(&Value::Null));
    let ([last, last_theirs], [min, min_theirs], [max, max_theirs]) = (of("last"), of("min"), of("max"));
    let members = [
        ("last", simple(Rule::SameOrNull, last, last_theirs)),
        ("min", smaller(min, min_theirs).clone()),
        ("max", larger(max, max_theirs).clone()),
    ];
    Value::Object(members.map(|(name, value)| (name.to_owned(), value)).into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn exporter(url: &str, cpu: f64, knee_s: Option<f64>) -> Value {
        json!({
            "url": url, "state": if cpu > 0.8 { "failing" } else { "ok" },
            "problem": (cpu > 0.8).then_some("timed out"), "scrapes": 10, "failures": (cpu * 10.0) as u64,
            "cpu_share": {"last": cpu, "min": cpu / 2.0, "max": cpu},
            "at_knee": knee_s.map(|at_s| json!({"at_s": at_s, "cpu_share": cpu})),
            "series": {"bin_s": 1, "cpu_share": [cpu]},
        })
    }

    #[test]
    fn the_order_of_reports_changes_nothing() {
        let a = json!([exporter("http://h/a", 0.5, Some(7.0)), exporter("http://h/b", 0.1, None)]);
        let b = json!([exporter("http://h/a", 0.75, Some(3.0))]);
        let c = json!([exporter("http://h/a", 0.875, None), exporter("http://h/c", 0.3, Some(1.0))]);
        let now = [0.0; 2];
        let two = |a: &Value, b: &Value| merge(now, [a, b]);
        let merged = two(&two(&a, &b), &c);
        assert_eq!(merged, two(&a, &two(&c, &b)));
        assert_eq!(merged, two(&two(&c, &a), &b));
        let expected = json!({
            "url": "http://h/a", "state": "failing", "problem": "timed out", "scrapes": 30, "failures": 20,
            "cpu_share": {"last": null, "min": 0.25, "max": 0.875}, "at_knee": {"at_s": 3.0, "cpu_share": 0.75},
            "series": null,
        });
        assert_eq!(merged[0], expected);
        assert_eq!(merged.as_array().map(Vec::len), Some(3));
        assert_eq!(merged[1], a[1]);
        let later = merge([0.0, 5.0], [&a, &b]);
        assert_eq!(later[0]["at_knee"]["at_s"], json!(7.0));
        assert_eq!(merge([5.0, 0.0], [&json!([]), &json!([])]), json!([]));
    }
}
