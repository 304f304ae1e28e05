//! Checks of two reports: those with the same name become one.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde_json::Value;

use super::sum;
use crate::report::doc::Part;
use crate::verdict::Limit;

/// Maximum number of checks; a run of this version has fewer than twenty.
const CHECKS: usize = 1_000;

/// Checks of which the values add up, because they count what happened anywhere.
const COUNTED: [&str; 3] = ["panics", "invariant_violations", "clients_played"];
/// Checks of which the values and the limits add up if all machines kept it or none did: each was to run some of the
/// clients.
const SHARED: [&str; 2] = ["clients_started", "clients_peak"];
/// Checks of which [`derived`](super::derived) computes the value from the merged counts; the stricter limit stays.
const DERIVED: [&str; 3] = ["success_share", "error_share", "local_share"];

/// Merges checks with the same name. A check of which neither value nor limit can be added is that of the report that
/// kept it worse: then the list explains the exit code, which is the worst one too.
pub(super) fn checks(a: &Value, b: &Value) -> Value {
    let mut places = BTreeMap::<&str, usize>::new();
    let mut merged: Vec<Value> = Vec::new();
    for list in [a, b] {
        for check in list.as_array().map(Vec::as_slice).unwrap_or_default().iter().take(CHECKS) {
            let name = Part::new(check).at("/name").text();
            match places.get(name).and_then(|place| merged.get_mut(*place)) {
                Some(known) => *known = of_both(name, known, check),
                None => {
                    places.insert(name, merged.len());
                    merged.push(check.clone());
                }
            }
        }
    }
    merged.truncate(CHECKS);
    Value::Array(merged)
}

fn of_both(name: &str, a: &Value, b: &Value) -> Value {
    let (mine, theirs) = (Checked::new(a), Checked::new(b));
    if COUNTED.contains(&name) || DERIVED.contains(&name) {
        let value = if mine.value.is_some() && theirs.value.is_some() {
            sum(mine.part.at("/value").value(), theirs.part.at("/value").value())
        } else {
            // What one of them could not measure is not known of both.
            Value::Null
        };
        let stricter = if mine.is_stricter(&theirs) { &mine } else { &theirs };
        return with(stricter.part.value(), value, stricter.limit_text(), mine.decides || theirs.decides);
    }
    if SHARED.contains(&name)
        && mine.rank() == theirs.rank()
        && let Some((one, other)) = mine.limit.zip(theirs.limit)
    {
        let value = sum(mine.part.at("/value").value(), theirs.part.at("/value").value());
        let limit = Limit::AtLeast(one.number() + other.number()).to_string();
        return with(a, value, &limit, mine.decides || theirs.decides);
    }
    if mine.order(&theirs).is_lt() { b.clone() } else { a.clone() }
}

/// Returns a check with another value and limit.
fn with(check: &Value, value: Value, limit: &str, decides: bool) -> Value {
    let mut check = check.clone();
    for (name, new) in [("value", value), ("limit", limit.into()), ("decides", decides.into())] {
        if let Some(into) = check.get_mut(name) {
            *into = new;
        }
    }
    check
}

/// A check as it is compared.
struct Checked<'a> {
    part: Part<'a>,
    value: Option<f64>,
    limit: Option<Limit>,
    decides: bool,
}

impl<'a> Checked<'a> {
    fn new(check: &'a Value) -> Self {
        let part = Part::new(check);
        let (value, limit) = (part.at("/value").number(), Limit::parse(part.at("/limit").text()));
        Self { part, value, limit, decides: part.at("/decides").is_true() }
    }

    fn limit_text(&self) -> &'a str {
        self.part.at("/limit").text()
    }

    /// Returns the place of the result from best to worst.
    fn rank(&self) -> usize {
        ["pass", "unknown", "inconclusive", "fail"]
            .iter()
            .position(|result| *result == self.part.at("/result").text())
            .unwrap_or_default()
    }

    fn is_stricter(&self, other: &Self) -> bool {
        let strictness = |check: &Self| {
            check.limit.map_or(0.0, |limit| if limit.is_lower() { limit.number() } else { -limit.number() })
        };
        let order = strictness(self).total_cmp(&strictness(other));
        order.then_with(|| self.limit_text().cmp(other.limit_text())).is_gt()
    }

    /// Compares two checks from best to worst: by result, by the distance from the limit, then by their texts.
    fn order(&self, other: &Self) -> Ordering {
        let badness = |check: &Self| {
            let Some(limit) = check.limit else { return 0.0 };
            let beyond = check.value.unwrap_or_default() - limit.number();
            (if limit.is_lower() { -beyond } else { beyond }) / limit.number().abs().max(1.0)
        };
        let order = self.rank().cmp(&other.rank()).then(badness(self).total_cmp(&badness(other)));
        let text = |check: &Self| (check.limit_text(), check.decides);
        order.then_with(|| text(self).cmp(&text(other)))
    }
}
