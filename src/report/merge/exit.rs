//! Exit code of several runs, and the reasons for it.

use serde_json::Value;

use crate::report::cells::known;
use crate::report::doc::{Doc, Part};
use crate::vocabulary::exit_code::rank;

/// Maximum number of reasons.
const REASONS: usize = 20_000;
/// Words before the code in a reason of one of several runs.
const CODE: &str = ", exit code ";

/// Returns the exit code that applies first.
pub(super) fn code(a: &Value, b: &Value) -> Value {
    let rank = |code: &Value| rank(code.as_u64().unwrap_or_default());
    (if rank(a) <= rank(b) { a } else { b }).clone()
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
    let (run_id, code) = (doc.at("/run/run_id").text(), known(doc.at("/exit/code")));
    reasons.map(|reason| format!("run {run_id}{CODE}{code}: {reason}")).collect()
}

/// Returns the code in a reason of one of several runs.
fn code_of(reason: &str) -> u64 {
    let code = reason.split_once(CODE).and_then(|(_, after)| after.split_once(':'));
    code.and_then(|(code, _)| code.parse().ok()).unwrap_or_default()
}
