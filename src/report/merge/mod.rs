//! Adds the reports of several machines that loaded a stream together to the report of one run.
//!
//! * Associative and commutative: counts and buckets add up, percentiles and shares are computed again from them. What
//!   cannot be added is `null` afterwards: windows and peaks of throughput, the plan, hard stops, canary, calibration.
//! * The largest number of clients, the largest share of them that was stalled, and the load at a knee or at the first
//!   failure are those of all machines together, from `series`: means over a second. A knee keeps the time at which the first machine had it.
//! * Times are seconds since the start of the earliest run, by the clocks of the machines.

mod bins;
mod checks;
mod derived;
mod exit;
mod histograms;
mod lists;
mod origin_metrics;
mod over_time;
mod rules;
#[cfg(test)]
mod split_run_tests;
#[cfg(test)]
mod tests;
mod thresholds;

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Map, Number, Value};

use super::doc::{Doc, Part};
use crate::verdict::RULES;
use crate::vocabulary::Untrusted;

use rules::{Rule, rule_of};

/// Text of a merged report about its calibration.
const UNCALIBRATED: &str = "several reports were merged";
/// Separator of different texts.
const AND: &str = " + ";

/// Reason why reports cannot be added.
///
/// Runs that were not at the same time are no load together: their rates would be divided by the time between them, and
/// their clients be added up.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotMergeable {
    /// There is nothing to merge.
    #[error("nothing to merge; expected two reports or more")]
    TooFew,
    /// The reports describe different things.
    #[error("not the same {name}: {a} and {b}; expected reports of one stream by one version of hlswarm")]
    Different {
        /// Name of the value that differs.
        name: String,
        /// Its value in one report.
        a: String,
        /// Its value in another one.
        b: String,
    },
    /// The same run is given more than once.
    #[error("the run {run_id} is given twice; expected reports of different machines")]
    Twice {
        /// Its identity.
        run_id: String,
    },
    /// A run did not overlap with any other.
    #[error(
        "the run {run_id} was at another time than the others; expected machines that loaded the stream together \
         (hlswarm compare shows two runs side by side)"
    )]
    Apart {
        /// Its identity.
        run_id: String,
    },
}

/// Adds reports one after the other, so that only two of them are in memory.
///
/// # Errors
/// Those of `docs`, and see [`NotMergeable`].
pub fn merge<E: From<NotMergeable>>(docs: impl IntoIterator<Item = Result<Doc, E>>) -> Result<Doc, E> {
    let mut docs = docs.into_iter();
    let mut merged = docs.next().ok_or(NotMergeable::TooFew)??;
    let mut runs = Runs::default();
    runs.add(&merged)?;
    for doc in docs {
        let doc = doc?;
        runs.add(&doc)?;
        merged = two(&merged, &doc)?;
    }
    runs.together()?;
    Ok(merged)
}

/// The runs whose reports are added.
#[derive(Default)]
struct Runs {
    ids: BTreeSet<String>,
    /// For each report the begin and the end in milliseconds of Unix time, and the run id.
    times: Vec<(f64, f64, String)>,
}

impl Runs {
    /// Adds the runs of a report. Refuses one that is already there.
    fn add(&mut self, doc: &Doc) -> Result<(), NotMergeable> {
        let run = doc.at("/run");
        let ids = run.at("/run_id").text();
        let twice = ids.split(AND).find(|id| !self.ids.insert((*id).to_owned()));
        if let Some(id) = twice {
            return Err(NotMergeable::Twice { run_id: shown(id) });
        }
        let [begin_ms, length_s] =
            ["/started_unix_ms", "/duration_s"].map(|path| run.at(path).number().unwrap_or_default());
        self.times.push((begin_ms, begin_ms + length_s * 1e3, shown(ids)));
        Ok(())
    }

    /// Refuses runs of which one begins after all that began before it have ended.
    fn together(mut self) -> Result<(), NotMergeable> {
        if self.times.len() < 2 {
            return Err(NotMergeable::TooFew);
        }
        self.times.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut end_ms: Option<f64> = None;
        for (begin_ms, end, run_id) in self.times {
            if end_ms.is_some_and(|end_ms| begin_ms > end_ms) {
                return Err(NotMergeable::Apart { run_id });
            }
            end_ms = Some(end_ms.map_or(end, |end_ms| end_ms.max(end)));
        }
        Ok(())
    }
}

fn shown(run_id: &str) -> String {
    Untrusted::new(run_id).shown_in(40)
}

fn two(a: &Doc, b: &Doc) -> Result<Doc, NotMergeable> {
    let began = |doc: &Doc| doc.at("/run/started_unix_ms").number().unwrap_or_default();
    let earliest = began(a).min(began(b));
    let later = [a, b].map(|doc| (began(doc) - earliest) / 1e3);
    let [a, b] = lists::with_seconds(a, b);
    let merging = Merging { later };
    let mut value = merging.object(&mut Vec::new(), a.root().value(), b.root().value())?;
    // The report of one run does not have this number.
    let [mine, theirs] = [&a, &b].map(|doc| doc.at("/run/merged_reports").value());
    if let Some(run) = value.get_mut("run").and_then(Value::as_object_mut) {
        run.insert("merged_reports".to_owned(), simple(Rule::Reports, mine, theirs));
    }
    for (path, new) in
        [("/health/verdict_s", verdict_s(&a, &b).clone()), ("/exit/reasons", exit::reasons(&a, &b))]
    {
        if let Some(into) = value.pointer_mut(path) {
            *into = new;
        }
    }
    derived::fill(&mut value);
    Ok(Doc::from_value(value))
}

/// Returns the time for which the merged verdict held: that of the report whose verdict it is.
fn verdict_s<'a>(a: &'a Doc, b: &'a Doc) -> &'a Value {
    let [mine, theirs] = [a, b].map(|doc| doc.at("/health/verdict").verdict());
    let [one, other] = [a, b].map(|doc| doc.at("/health/verdict_s").value());
    match mine.cmp(&theirs) {
        Ordering::Greater => one,
        Ordering::Less => other,
        Ordering::Equal => larger(one, other),
    }
}

/// Merging of two reports.
struct Merging {
    /// Seconds by which each run began later than the earlier one.
    later: [f64; 2],
}

impl Merging {
    fn object<'a>(
        &self,
        place: &mut Vec<&'a str>,
        a: &'a Value,
        b: &'a Value,
    ) -> Result<Value, NotMergeable> {
        // Members of `b` that `a` does not have follow; their order has no meaning.
        let members = |value: &'a Value| value.as_object();
        let (mine, theirs) = (members(a), members(b));
        if mine.is_none() && theirs.is_none() {
            return Ok(Value::Null);
        }
        let mut names: Vec<&str> = mine.into_iter().flatten().map(|(name, _)| name.as_str()).collect();
        names.extend(theirs.into_iter().flatten().map(|(name, _)| name.as_str()));
        let mut merged = Map::new();
        for name in names {
            if merged.contains_key(name) {
                continue;
            }
            place.push(name);
            let of = |members: Option<&'a Map<String, Value>>| members.and_then(|members| members.get(name));
            let value =
                self.value(place, of(mine).unwrap_or(&Value::Null), of(theirs).unwrap_or(&Value::Null))?;
            place.pop();
            // The counts of the origin are absent with any other origin.
            if name != "origin" {
                merged.insert(name.to_owned(), value);
            }
        }
        Ok(Value::Object(merged))
    }

    fn value<'a>(&self, place: &mut Vec<&'a str>, a: &'a Value, b: &'a Value) -> Result<Value, NotMergeable> {
        Ok(match rule_of(place).unwrap_or(Rule::SameOrNull) {
            Rule::Object => return self.object(place, a, b),
            Rule::Same if a != b => return Err(different(place, a, b)),
            Rule::Bins => bins::merge(a, b),
            Rule::Summary => histograms::summary(a, b),
            Rule::Spread => histograms::spread(a, b),
            Rule::Failures => lists::failures(self.later, [a, b]),
            Rule::Findings => lists::findings(self.later, [a, b]),
            Rule::Reasons => lists::reasons(self.later, [a, b]),
            Rule::Moments => lists::moments(self.later, [a, b]),
            Rule::Intervals => lists::intervals(self.later, [a, b]),
            Rule::Checks => checks::checks(a, b),
            Rule::Thresholds => thresholds::thresholds(self.later, [a, b]),
            Rule::Knee => knee(self.later, [a, b]),
            Rule::OriginMetrics => origin_metrics::merge(self.later, [a, b]),
            Rule::Length => {
                let ends = [a, b]
                    .into_iter()
                    .zip(self.later)
                    .filter_map(|(value, later)| Some(value.as_f64()? + later));
                ends.max_by(f64::total_cmp).map_or(Value::Null, seconds)
            }
            Rule::Gauge => gauge(place.last().copied().unwrap_or_default(), a, b),
            other => simple(other, a, b),
        })
    }
}

fn different(place: &[&str], a: &Value, b: &Value) -> NotMergeable {
    let shown = |value: &Value| match value {
        Value::String(text) => Untrusted::new(text).shown_in(40),
        other => Untrusted::new(&other.to_string()).shown_in(40),
    };
    NotMergeable::Different { name: place.join("."), a: shown(a), b: shown(b) }
}

/// Merges two values that need neither their place nor their time.
fn simple(rule: Rule, a: &Value, b: &Value) -> Value {
    match rule {
        Rule::Sum => sum(a, b),
        Rule::SumOfBoth if a.is_null() || b.is_null() => Value::Null,
        Rule::SumOfBoth => sum(a, b),
        Rule::Max => larger(a, b).clone(),
        Rule::Min => smaller(a, b).clone(),
        Rule::Same => a.clone(),
        Rule::SameOrNull if a == b => a.clone(),
        Rule::Joined => joined(a, b),
        Rule::Both => Value::Bool(a.as_bool() == Some(true) && b.as_bool() == Some(true)),
        Rule::Either => Value::Bool(a.as_bool() == Some(true) || b.as_bool() == Some(true)),
        Rule::Union => lists::union(a, b),
        Rule::Health => (if Part::new(a).verdict() >= Part::new(b).verdict() { a } else { b }).clone(),
        Rule::Trust => (if Part::new(a).trust() >= Part::new(b).trust() { a } else { b }).clone(),
        Rule::ExitCode => exit::code(a, b),
        Rule::Reports => Value::from(a.as_u64().unwrap_or(1) + b.as_u64().unwrap_or(1)),
        Rule::Uncalibrated => Value::from(UNCALIBRATED),
        _ => Value::Null,
    }
}

/// Adds two numbers; a missing one counts nothing. Fractions are kept to a millionth, so the order of sums is the same.
pub(super) fn sum(a: &Value, b: &Value) -> Value {
    match (a.as_u64(), b.as_u64()) {
        (Some(a), Some(b)) => Value::from(a.saturating_add(b)),
        (Some(_), None) if b.is_null() => a.clone(),
        (None, Some(_)) if a.is_null() => b.clone(),
        _ => match (a.as_f64(), b.as_f64()) {
            (None, None) => Value::Null,
            (a, b) => seconds(a.unwrap_or_default() + b.unwrap_or_default()),
        },
    }
}

/// Returns a fraction to a millionth: what the clocks of a run resolve.
pub(super) fn seconds(value: f64) -> Value {
    let micros = (value.abs() * 1e6).round() as u64;
    // As the report of one run makes it, so that the same time is the same number.
    let seconds = Duration::from_micros(micros).as_secs_f64();
    Value::from(if value < 0.0 { -seconds } else { seconds })
}

fn larger<'a>(a: &'a Value, b: &'a Value) -> &'a Value {
    match (a.as_f64(), b.as_f64()) {
        (Some(mine), Some(theirs)) => {
            if theirs > mine {
                b
            } else {
                a
            }
        }
        (None, Some(_)) => b,
        _ => a,
    }
}

fn smaller<'a>(a: &'a Value, b: &'a Value) -> &'a Value {
    match (a, b) {
        (Value::Null, other) | (other, Value::Null) => other,
        (Value::String(mine), Value::String(theirs)) => {
            if theirs < mine {
                b
            } else {
                a
            }
        }
        _ => {
            if b.as_f64() < a.as_f64() {
                b
            } else {
                a
            }
        }
    }
}

/// Lists different texts once each, in the order of the alphabet.
fn joined(a: &Value, b: &Value) -> Value {
    if a == b {
        return a.clone();
    }
    let texts = [a, b].into_iter().filter_map(Value::as_str).flat_map(|text| text.split(AND));
    let texts: std::collections::BTreeSet<&str> = texts.collect();
    if texts.is_empty() { Value::Null } else { Value::from(texts.into_iter().collect::<Vec<_>>().join(AND)) }
}

/// Returns the earlier knee, with its time since the earlier start.
fn knee(later: [f64; 2], knees: [&Value; 2]) -> Value {
    let moved = knees
        .into_iter()
        .zip(later)
        .filter(|(knee, _)| knee.is_object())
        .map(|(knee, later)| lists::moved(knee, later));
    moved.min_by(lists::by_time).unwrap_or_default()
}

/// Returns a gauge with the worse of its values; its limits are those of the version.
fn gauge(name: &str, a: &Value, b: &Value) -> Value {
    let (Some(mine), Some(theirs)) = (a.as_object(), b.as_object()) else {
        return if a.is_null() { b.clone() } else { a.clone() };
    };
    let mut merged: Map<String, Value> = mine
        .iter()
        .map(|(name, value)| {
            (name.clone(), simple(Rule::SameOrNull, value, theirs.get(name).unwrap_or(&Value::Null)))
        })
        .collect();
    let [one, other] = [a, b].map(|gauge| Part::new(gauge).at("/worst").number());
    let rule = RULES.iter().find(|rule| rule.name == name);
    let worse = match (one, other, rule) {
        (Some(one), Some(other), Some(rule)) => Some(if rule.is_worse(other, one) { other } else { one }),
        (one, other, _) => one.or(other),
    };
    merged.insert("worst".to_owned(), worse.and_then(Number::from_f64).map_or(Value::Null, Value::Number));
    Value::Object(merged)
}
