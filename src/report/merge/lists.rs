//! Lists of two reports: items with the same name become one, moments stand in the order of time.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{seconds, sum};
use crate::report::doc::{Doc, Part};
use crate::verdict::{RULES, Reason};
use crate::vocabulary::{Finding, Outcome};

/// Maximum number of items of a merged list.
const ITEMS: usize = 20_000;
/// Maximum size of an item: roughly the bytes of its texts and numbers. Those of a report are far smaller. Items of the
/// same time are compared by all that they say, so one that is huge would be read again and again.
const ITEM_BYTES: usize = 16 << 10;
/// Members that are seconds since the start of a run.
const MOMENTS: [&str; 5] = ["at_s", "first_s", "last_s", "from_s", "to_s"];

/// Returns the items of both lists.
fn both<'a>(lists: [&'a Value; 2], later: [f64; 2]) -> impl Iterator<Item = Value> + 'a {
    let items = |list: &'a Value, later: f64| {
        let items = list.as_array().map(Vec::as_slice).unwrap_or_default().iter();
        let sound = items.take(ITEMS).filter(|item| left_after(item, ITEM_BYTES).is_some());
        sound.map(move |item| moved(item, later))
    };
    items(lists[0], later[0]).chain(items(lists[1], later[1]))
}

/// Returns the rest of `bytes` after a value; `None` if the value is larger.
fn left_after(value: &Value, bytes: usize) -> Option<usize> {
    let left = bytes.checked_sub(size_of::<u64>())?;
    match value {
        Value::String(text) => left.checked_sub(text.len()),
        Value::Array(items) => items.iter().try_fold(left, |left, item| left_after(item, left)),
        Value::Object(members) => members
            .iter()
            .try_fold(left, |left, (name, member)| left_after(member, left.checked_sub(name.len())?)),
        _ => Some(left),
    }
}

/// Returns an item whose times count from a start that was some seconds earlier.
pub(super) fn moved(item: &Value, later: f64) -> Value {
    let mut item = item.clone();
    for (name, value) in item.as_object_mut().into_iter().flatten() {
        if let Some(at) = value.as_f64().filter(|_| MOMENTS.contains(&name.as_str())) {
            *value = seconds(at + later);
        }
    }
    item
}

/// Returns the time of an item, in seconds; of one that lasted, its begin.
fn time(item: &Value) -> f64 {
    let part = Part::new(item);
    let times = ["/at_s", "/first_s", "/from_s"].into_iter();
    times.filter_map(|path| part.at(path).number()).next().unwrap_or_default()
}

/// Compares two items by their time, then by all that they say.
pub(super) fn by_time(a: &Value, b: &Value) -> Ordering {
    time(a).total_cmp(&time(b)).then_with(|| by_text(a, b))
}

/// Compares two items by their JSON: an order for items that are otherwise equal.
fn by_text(a: &Value, b: &Value) -> Ordering {
    let [a, b] = [a, b].map(Value::to_string);
    a.cmp(&b)
}

/// Returns the moments of both lists.
pub(super) fn moments(later: [f64; 2], lists: [&Value; 2]) -> Value {
    let mut items: Vec<Value> = both(lists, later).collect();
    items.sort_by(by_time);
    items.truncate(ITEMS);
    Value::Array(items)
}

/// Merges failed outcomes. The list is in the order of the first occurrence.
pub(super) fn failures(later: [f64; 2], lists: [&Value; 2]) -> Value {
    let mut items = by_name("outcome", later, lists);
    let outcome = |item: &Value| Outcome::from_name(Part::new(item).at("/outcome").text());
    items.sort_by(|a, b| time(a).total_cmp(&time(b)).then_with(|| outcome(a).cmp(&outcome(b))));
    Value::Array(items)
}

/// Merges findings. The list is in the order of the closed list of findings.
pub(super) fn findings(later: [f64; 2], lists: [&Value; 2]) -> Value {
    let mut items = by_name("kind", later, lists);
    let place = |item: &Value| Finding::from_name(Part::new(item).at("/kind").text()).map(Finding::index);
    items.sort_by_cached_key(|item| place(item).unwrap_or(Finding::COUNT));
    Value::Array(items)
}

/// Merges items with the same name: their counts add up, and all else is that of the item that was first. The items are
/// in the order of their names.
fn by_name(name: &str, later: [f64; 2], lists: [&Value; 2]) -> Vec<Value> {
    let mut named = BTreeMap::<String, Value>::new();
    for item in both(lists, later) {
        let key = Part::new(&item).member(name).text().to_owned();
        let merged = match named.remove(&key) {
            None => item,
            Some(known) => earlier(known, item),
        };
        named.insert(key, merged);
    }
    named.into_values().collect()
}

/// Returns the earlier of two items, with the count and the last time of both. Of the same time, it is the one whose
/// detail is first in the order of the alphabet, as among the workers of one machine.
fn earlier(a: Value, b: Value) -> Value {
    let [mine, theirs] = [&a, &b].map(Part::new);
    let last = [mine, theirs].into_iter().filter_map(|item| item.at("/last_s").number());
    let last = last.max_by(f64::total_cmp).map_or(Value::Null, seconds);
    let count = sum(mine.at("/count").value(), theirs.at("/count").value());
    let order = time(&a).total_cmp(&time(&b));
    let order = order.then_with(|| mine.at("/detail").text().cmp(theirs.at("/detail").text()));
    let mut first = if order.then_with(|| by_text(&a, &b)).is_le() { a } else { b };
    set(&mut first, "count", count);
    set(&mut first, "last_s", last);
    first
}

fn set(item: &mut Value, name: &str, value: Value) {
    if let Some(into) = item.as_object_mut() {
        into.insert(name.to_owned(), value);
    }
}

/// Merges reasons of the trust verdict: those of the same gauge and level become one, with the worse value.
pub(super) fn reasons(later: [f64; 2], lists: [&Value; 2]) -> Value {
    let mut named = BTreeMap::<(usize, String), Value>::new();
    for item in both(lists, later) {
        let part = Part::new(&item);
        let gauge = part.at("/gauge").text();
        let place = RULES.iter().position(|rule| rule.name == gauge).unwrap_or(RULES.len());
        // INVALID stands before SUSPECT, as in the report of one run.
        let key = (place, format!("{gauge} {}", part.at("/level").text()));
        let merged = match named.remove(&key) {
            None => item,
            Some(known) => worse(known, item, place),
        };
        named.insert(key, merged);
    }
    named.into_iter().map(|((place, _), reason)| said(reason, place)).collect()
}

/// Returns a reason with the sentence for its values: what one machine said names its own clock and its own length. The
/// number of a worker means nothing among several machines.
fn said(mut reason: Value, place: usize) -> Value {
    let Some(rule) = RULES.get(place) else { return reason };
    let part = Part::new(&reason);
    let number = |path: &str| part.at(path).number().unwrap_or_default();
    let merged = Reason {
        gauge: rule.gauge,
        level: part.at("/level").trust(),
        first: part.at("/first_s").seconds(),
        last: part.at("/last_s").seconds(),
        lasted: part.at("/seconds").seconds(),
        worst: number("/worst"),
        threshold: number("/threshold"),
        worker: None,
        advice: String::new(),
    };
    let sentence = merged.sentence();
    set(&mut reason, "worker", Value::Null);
    set(&mut reason, "sentence", Value::from(sentence));
    reason
}

fn worse(a: Value, b: Value, place: usize) -> Value {
    let [one, other] = [&a, &b].map(|item| Part::new(item).at("/worst").number().unwrap_or_default());
    let is_worse = RULES.get(place).is_some_and(|rule| rule.is_worse(other, one));
    let is_same = (one - other).abs() < f64::EPSILON && by_text(&b, &a).is_lt();
    let [mine, theirs] = [&a, &b].map(Part::new);
    let times = |path: &str| [mine, theirs].map(|part| part.at(path).number().unwrap_or_default());
    let first = times("/first_s").into_iter().fold(f64::INFINITY, f64::min);
    let last = times("/last_s").into_iter().fold(0.0, f64::max);
    let length = seconds(times("/seconds").into_iter().sum());
    let mut merged = if is_worse || is_same { b } else { a };
    for (name, value) in [("first_s", seconds(first)), ("last_s", seconds(last)), ("seconds", length)] {
        set(&mut merged, name, value);
    }
    merged
}

/// Returns the intervals of both lists; those that touch become one.
pub(super) fn intervals(later: [f64; 2], lists: [&Value; 2]) -> Value {
    let mut items: Vec<Value> = both(lists, later).collect();
    items.sort_by(by_time);
    let mut merged: Vec<Value> = Vec::new();
    for item in items {
        let [from, to] =
            ["/from_s", "/to_s"].map(|path| Part::new(&item).at(path).number().unwrap_or_default());
        let end = merged.last().and_then(|last| Part::new(last).at("/to_s").number());
        match merged.last_mut().filter(|_| end.is_some_and(|end| from <= end)) {
            Some(last) => set(last, "to_s", seconds(end.unwrap_or_default().max(to))),
            None => merged.push(item),
        }
    }
    Value::Array(merged)
}

/// Returns the texts of both lists, each once.
pub(super) fn union(a: &Value, b: &Value) -> Value {
    let texts = [a, b].into_iter().filter_map(Value::as_array).flatten().filter_map(Value::as_str);
    let texts: std::collections::BTreeSet<&str> = texts.collect();
    texts.into_iter().take(ITEMS).map(Value::from).collect()
}

/// Returns both reports with the quantities of all and of trusted seconds. A report without a masked second has none: all
/// of its seconds are trusted, so its totals take their place if the other report has some.
pub(super) fn with_seconds<'a>(a: &'a Doc, b: &'a Doc) -> [Cow<'a, Doc>; 2] {
    let has_some = |doc: &Doc| doc.at("/trust/all_seconds").is_known();
    match (has_some(a), has_some(b)) {
        (true, false) => [Cow::Borrowed(a), Cow::Owned(filled(b))],
        (false, true) => [Cow::Owned(filled(a)), Cow::Borrowed(b)],
        _ => [Cow::Borrowed(a), Cow::Borrowed(b)],
    }
}

fn filled(doc: &Doc) -> Doc {
    let part = |path: &str| doc.at(path).value().clone();
    let seconds: Map<String, Value> = [
        ("seconds", part("/trust/measured_s")),
        ("finished", part("/requests/finished")),
        ("failed", part("/requests/failed")),
        ("judged", part("/requests/judged")),
        ("failed_share", part("/requests/failed_share")),
        ("segment_ttfb_us", part("/latency_us/segment_ttfb")),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into_iter()
    .collect();
    let mut value = doc.root().value().clone();
    if let Some(trust) = value.get_mut("trust").and_then(Value::as_object_mut) {
        for name in ["all_seconds", "trusted_seconds"] {
            trust.insert(name.to_owned(), Value::Object(seconds.clone()));
        }
    }
    Doc::from_value(value)
}
