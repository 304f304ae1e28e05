//! Thresholds of two reports. One that judges the whole run is judged again by the merged numbers. Of any other, whose
//! windows no report holds, the worse result stays.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::seconds;
use crate::report::doc::Part;
use crate::report::thresholds::value_of;
use crate::verdict::Threshold;

/// Maximum number of thresholds; a run accepts fewer.
const THRESHOLDS: usize = 1_000;

/// A threshold of one of the reports.
#[derive(Clone)]
struct Row {
    value: Option<f64>,
    ok: Option<bool>,
    crossed_at_s: Option<f64>,
    ended_the_run: bool,
}

impl Row {
    fn new(row: Part<'_>, later: f64) -> Self {
        Self {
            value: row.at("/value").number(),
            ok: row.at("/ok").value().as_bool(),
            crossed_at_s: row.at("/crossed_at_s").number().map(|at| at + later),
            ended_the_run: row.at("/ended_the_run").is_true(),
        }
    }

    /// Adds the result of another machine: the worse one stays.
    fn add(&mut self, expr: &str, other: &Self) {
        let limit = Threshold::parse(expr).ok().map(|threshold| threshold.limit);
        self.value = match (self.value, other.value) {
            (Some(mine), Some(theirs)) if limit.is_some_and(|limit| limit.is_worse(theirs, mine)) => {
                Some(theirs)
            }
            (mine, theirs) => mine.or(theirs),
        };
        self.ok = match (self.ok, other.ok) {
            (Some(false), _) | (_, Some(false)) => Some(false),
            (Some(true), Some(true)) => Some(true),
            _ => None,
        };
        let times = self.crossed_at_s.into_iter().chain(other.crossed_at_s);
        self.crossed_at_s = times.reduce(f64::min);
        self.ended_the_run |= other.ended_the_run;
    }

    fn json(&self, expr: &str) -> Value {
        json!({
            "expr": expr,
            "value": self.value,
            "ok": self.ok,
            "crossed_at_s": self.crossed_at_s.map(seconds),
            "ended_the_run": self.ended_the_run,
        })
    }
}

/// Returns the thresholds of both lists, each expression once, in the order of the alphabet.
pub(super) fn thresholds(later: [f64; 2], lists: [&Value; 2]) -> Value {
    let mut rows = BTreeMap::<String, Row>::new();
    for (list, later) in lists.into_iter().zip(later) {
        for part in Part::new(list).list().take(THRESHOLDS) {
            let (expr, row) = (part.at("/expr").text(), Row::new(part, later));
            match rows.get_mut(expr) {
                Some(known) => known.add(expr, &row),
                None => _ = rows.insert(expr.to_owned(), row),
            }
        }
    }
    rows.iter().take(THRESHOLDS).map(|(expr, row)| row.json(expr)).collect()
}

/// Judges the thresholds again whose values follow from the merged numbers, and their checks.
pub(super) fn judge_again(report: &mut Value) {
    let root = Part::new(report);
    let rows: Vec<(Row, String)> = root
        .at("/thresholds")
        .list()
        .map(|part| {
            let (expr, row) = (part.at("/expr").text().to_owned(), Row::new(part, 0.0));
            (again(&expr, &row, root).unwrap_or(row), expr)
        })
        .collect();
    for check in report.pointer_mut("/checks").and_then(Value::as_array_mut).into_iter().flatten() {
        let part = Part::new(check);
        let Some((row, _)) = rows.iter().find(|(_, expr)| part.at("/name").text() == expr) else { continue };
        let result = match row.ok {
            Some(true) => "pass",
            Some(false) => "fail",
            None => "inconclusive",
        };
        for (name, new) in [("value", json!(row.value)), ("result", json!(result))] {
            if let Some(into) = check.get_mut(name) {
                *into = new;
            }
        }
    }
    if let Some(list) = report.pointer_mut("/thresholds") {
        *list = rows.iter().map(|(row, expr)| row.json(expr)).collect();
    }
}

/// Returns a row that is judged by the merged numbers; `None` if they do not decide.
fn again(expr: &str, row: &Row, root: Part<'_>) -> Option<Row> {
    let threshold = Threshold::parse(expr).ok().filter(Threshold::is_of_whole_run)?;
    let value = value_of(root, threshold.quantity)?;
    // What was inconclusive in one report is so in both, and a run that was ended failed.
    let ok = row.ok.map(|_| !row.ended_the_run && threshold.limit.holds(value));
    Some(Row { value: Some(value), ok, ..row.clone() })
}
