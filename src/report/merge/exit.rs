//! Exit code of several runs, and the reasons for it.

use serde_json::Value;

use crate::report::doc::{Doc, Part};

/// Exit codes in the order in which they apply; those of signals stand between the last two.
const EXIT_CODES: [u64; 4] = [70, 2, 5, 6];
/// Maximum number of reasons.
const REASONS: usize = 20_000;
/// Words before the code in a reason of one of several runs.
const CODE: &str = ", exit code ";

/// Returns the exit code that applies first.
pub(super) fn code(a: &Value, b: &Value) -> Value {
    let rank = |code: &Value| rank(code.as_u64().unwrap_or_default());
    (if rank(a) <= rank(b) { a } else { b }).clone()
}

/// Returns the place of an exit code in the order in which they apply.
fn rank(code: u64) -> (usize, u64) {
    let place = EXIT_CODES.iter().position(|known| *known == code);
    match (place, code) {
        (Some(place), _) => (place, code),
        (None, 128..) => (EXIT_CODES.len(), code),
        (None, 0) => (EXIT_CODES.len() + 2, 0),
        // Of the rest, 4 applies before 3.
        (None, _) => (EXIT_CODES.len() + 1, u64::MAX - code),
    }
}

/// Returns the reasons of both reports, those of the code that applies first at the head. Each names its run and the code
/// of that run: its numbers are not those of the merged report, whose checks may even be kept.
pub(super) fn reasons(a: &Doc, b: &Doc) -> Value {
    let mut reasons: Vec<String> = [a, b].into_iter().flat_map(of_runs).collect();
    reasons.sort_by_cached_key(|reason| (rank(code_of(reason)), reason.clone()));
    reasons.into_iter().map(Value::from).collect()
}

fn of_runs(doc: &Doc) -> Vec<String> {
    let reasons = doc.at("/exit/reasons").list().take(REASONS).map(Part::text);
    if doc.at("/run/merged_reports").is_known() {
        return reasons.map(str::to_owned).collect();
    }
    let (run_id, code) = (doc.at("/run/run_id").text(), doc.at("/exit/code").count());
    reasons.map(|reason| format!("run {run_id}{CODE}{code}: {reason}")).collect()
}

/// Returns the code in a reason of one of several runs.
fn code_of(reason: &str) -> u64 {
    let code = reason.split_once(CODE).and_then(|(_, after)| after.split_once(':'));
    code.and_then(|(code, _)| code.parse().ok()).unwrap_or_default()
}
