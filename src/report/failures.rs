//! The failures of a document: counts by outcome, the share that the origin is answerable for, and the table that all
//! formats show.

use super::cells::{clock, known, percent, plural};
use super::doc::{Doc, Part};
use crate::verdict::Portion;
use crate::vocabulary::outcome::{Class, Fault, HttpFailure};
use crate::vocabulary::palette::{Tone, tones_of};
use crate::vocabulary::{ExpectedStatuses, Outcome, units};

/// Maximum number of failed outcomes that are listed.
pub(super) const FAILURES: usize = 12;
/// Maximum number of expected statuses that a sentence names.
const EXPECTED: usize = 4;

/// Returns the statuses that were no failures in the run of a document.
pub(super) fn expected_statuses(root: Part<'_>) -> ExpectedStatuses {
    ExpectedStatuses::from_names(
        root.at("/requests/expected_statuses").list().take(outcome_limit()).map(Part::text),
    )
}

/// Returns how many responses were expected, so that no share counts them: `1,203 expected responses (404) not counted`;
/// `None` without any.
pub(super) fn expected_sentence(doc: &Doc) -> Option<String> {
    let (all, expected) = (doc.at("/requests/expected"), expected_statuses(doc.root()));
    let mut occurred = of_outcomes(doc, |outcome| expected.has(outcome));
    let number = occurred.len();
    occurred.truncate(EXPECTED);
    let mut names: Vec<String> = match &occurred[..] {
        [(outcome, _)] => vec![short(*outcome)],
        several => several
            .iter()
            .map(|(outcome, count)| format!("{}: {}", short(*outcome), units::count(*count)))
            .collect(),
    };
    names.extend((number > EXPECTED).then(|| "others".to_owned()));
    let names = names.join(", ");
    (all.count() > 0).then(|| format!("{} ({names}) not counted", plural(all, "expected response")))
}

/// Returns the failures among the requests that the origin could answer: those that hlswarm cut, those that failed within
/// this machine and expected responses say nothing about it.
pub(super) fn answerable(outcomes: Part<'_>, expected: ExpectedStatuses) -> Portion {
    let mut portion = Portion::default();
    for (name, count) in outcomes.table() {
        let Some(outcome) = Outcome::from_name(name).filter(|outcome| !expected.has(*outcome)) else {
            continue;
        };
        let class = outcome.class();
        if matches!(class, Class::Cut | Class::Local) {
            continue;
        }
        portion.whole = portion.whole.saturating_add(count.count());
        if class != Class::Ok {
            portion.part = portion.part.saturating_add(count.count());
        }
    }
    portion
}

/// Returns the name of the most frequent failure that the origin could have prevented.
pub(super) fn mostly(doc: &Doc) -> Option<String> {
    let is_local = |outcome: Outcome| outcome.class() == Class::Local;
    counted(doc).into_iter().find(|(outcome, _)| !is_local(*outcome)).map(|(outcome, _)| short(outcome))
}

/// Returns the failed outcomes with their counts, the most frequent first. Requests that hlswarm cut did not fail, nor did
/// those whose status is expected.
pub(super) fn counted(doc: &Doc) -> Vec<(Outcome, u64)> {
    let expected = expected_statuses(doc.root());
    of_outcomes(doc, |outcome| outcome.is_failure() && !expected.has(outcome))
}

/// Returns some of the outcomes with their counts, the most frequent first.
fn of_outcomes(doc: &Doc, is_meant: impl Fn(Outcome) -> bool) -> Vec<(Outcome, u64)> {
    let outcomes = doc.at("/outcomes").table();
    let outcomes = outcomes.filter_map(|(name, count)| Some((Outcome::from_name(name)?, count.count())));
    let mut meant: Vec<(Outcome, u64)> = outcomes.filter(|(outcome, _)| is_meant(*outcome)).collect();
    meant.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    meant
}

/// Returns the name of an outcome in a chart: `503`, `timeout.first_byte`.
pub(super) fn short(outcome: Outcome) -> String {
    let name = outcome.to_string();
    name.strip_prefix("http.").map_or(name.clone(), str::to_owned)
}

/// A failed outcome.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct FailureRow {
    /// Name in a chart: `503`.
    pub(super) short: String,
    /// Name in a table: `503 Service Unavailable`.
    pub(super) name: String,
    /// Requests that ended so.
    pub(super) count: u64,
    /// The same as a share of all requests.
    pub(super) share: String,
    /// Time of the first one; `--` if unknown.
    pub(super) first: String,
    /// Time of the last one.
    pub(super) last: String,
    /// Clients that were active at the first one.
    pub(super) clients: String,
    pub(super) tone: Tone,
}

/// Returns the outcomes of the list of failures in its order, each once, with the colour that it has everywhere: colours
/// follow the order in which outcomes first occurred, as on the screen.
pub(super) fn listed(doc: &Doc) -> Vec<(Part<'_>, Outcome, Tone)> {
    let known = doc.at("/failures").list().take(outcome_limit());
    let mut seen = std::collections::BTreeSet::new();
    let known = known.filter_map(|part| Some((part, part.at("/outcome").outcome()?)));
    let once: Vec<(Part<'_>, Outcome)> = known.filter(|(_, outcome)| seen.insert(*outcome)).collect();
    let order: Vec<Outcome> = once.iter().map(|(_, outcome)| *outcome).collect();
    once.into_iter().zip(tones_of(&order)).map(|((part, outcome), tone)| (part, outcome, tone)).collect()
}

/// Returns the failed outcomes, the most frequent first. Requests that hlswarm cut did not fail.
pub(super) fn failures(doc: &Doc) -> Vec<FailureRow> {
    let expected = expected_statuses(doc.root());
    let is_failure = |outcome: Outcome| outcome.is_failure() && !expected.has(outcome);
    let coloured = listed(doc).into_iter().filter(|(_, outcome, _)| is_failure(*outcome));
    let mut rows: Vec<FailureRow> =
        coloured.map(|(part, outcome, tone)| failure(part, outcome, tone)).collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.count));
    rows.truncate(FAILURES);
    rows
}

/// Returns the number of different outcomes: a document cannot have more.
const fn outcome_limit() -> usize {
    HttpFailure::SLOTS + Fault::COUNT
}

fn failure(part: Part<'_>, outcome: Outcome, tone: Tone) -> FailureRow {
    let short = short(outcome);
    let name = match outcome {
        Outcome::Http(_) => format!("{short} {}", outcome.meaning()),
        _ => short.clone(),
    };
    FailureRow {
        name,
        short,
        count: part.at("/count").count(),
        share: percent(part.at("/share")),
        first: clock(part.at("/first_s")),
        last: clock(part.at("/last_s")),
        clients: known(part.at("/clients_at_first")),
        tone,
    }
}
