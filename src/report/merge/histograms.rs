//! Histograms of two reports: buckets add up, and the summary is computed again from them.

use serde_json::{Map, Value};

use crate::report::doc::Part;
use crate::stats::{LatencySnapshot, LatencySummary};

/// Maximum number of buckets of a histogram: as many as the finest layout has.
const BUCKETS: usize = 4_096;

/// Merges two summaries of durations in microseconds. Members that only one kind of summary has stay away from the
/// other.
pub(super) fn summary(a: &Value, b: &Value) -> Value {
    let Some((values, summary)) = both(a, b, 1.0) else { return whichever(a, b) };
    let whole = |name: &str, value: u64, into: &mut Map<String, Value>| {
        if a.get(name).is_some() {
            into.insert(name.to_owned(), Value::from(value));
        }
    };
    let mut merged = a.as_object().cloned().unwrap_or_default();
    for (name, value) in [
        ("count", summary.count),
        ("min", summary.min),
        ("sum", values.sum()),
        ("p50", summary.p50),
        ("p90", summary.p90),
        ("p95", summary.p95),
        ("p99", summary.p99),
        ("p999", summary.p999),
        ("max", summary.max),
    ] {
        whole(name, value, &mut merged);
    }
    if merged.contains_key("mean") {
        merged.insert("mean".to_owned(), Value::from(summary.mean));
    }
    if merged.contains_key("at_floor") {
        merged.insert("at_floor".to_owned(), Value::Null);
    }
    merged.insert("buckets".to_owned(), buckets(&values));
    Value::Object(merged)
}

/// Merges two summaries of numbers that are multiples of a unit.
pub(super) fn spread(a: &Value, b: &Value) -> Value {
    let unit = Part::new(a).at("/unit").number().filter(|unit| *unit > 0.0);
    let Some(unit) = unit.filter(|_| b.is_object()) else { return whichever(a, b) };
    let Some((values, summary)) = both(a, b, unit) else { return whichever(a, b) };
    let of = |value: u64| Value::from(value as f64 * unit);
    let mut merged = Map::new();
    for (name, value) in [
        ("p50", of(summary.p50)),
        ("p95", of(summary.p95)),
        ("p99", of(summary.p99)),
        ("max", of(summary.max)),
        ("count", Value::from(summary.count)),
        ("sum", of(values.sum())),
        ("buckets", buckets(&values)),
        ("unit", Value::from(unit)),
    ] {
        merged.insert(name.to_owned(), value);
    }
    Value::Object(merged)
}

/// Returns the one that is known, if the other one is not.
fn whichever(a: &Value, b: &Value) -> Value {
    match (a.is_object(), b.is_object()) {
        (true, false) => a.clone(),
        (false, true) => b.clone(),
        _ => Value::Null,
    }
}

/// Reads both histograms; `None` unless both have values of the known layout.
fn both(a: &Value, b: &Value, unit: f64) -> Option<(LatencySnapshot, LatencySummary)> {
    let mut values = read(Part::new(a), unit)?;
    values.merge(&read(Part::new(b), unit)?);
    let summary = values.summary()?;
    Some((values, summary))
}

fn read(part: Part<'_>, unit: f64) -> Option<LatencySnapshot> {
    let pair = |pair: Part<'_>| (pair.at("/0").count(), pair.at("/1").count());
    let buckets: Vec<(u64, u64)> = part.at("/buckets").list().take(BUCKETS).map(pair).collect();
    let whole = |path: &str| part.at(path).number().map(|value| (value / unit).round() as u64);
    let first = buckets.first().map(|(end, _)| *end)?;
    LatencySnapshot::from_buckets(
        &buckets,
        whole("/sum").unwrap_or_default(),
        whole("/min").unwrap_or(first),
        whole("/max")?,
    )
}

fn buckets(values: &LatencySnapshot) -> Value {
    values.buckets().map(|(end, count)| Value::from(vec![end, count])).collect()
}
