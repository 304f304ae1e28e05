//! Names of failed outcomes, and their table: HTTP statuses first, every other outcome under its own name after them.

use crate::sample::FailureLine;
use crate::stats::Totals;
use crate::tui::app::App;
use crate::tui::theme::Role;
use crate::vocabulary::finding::{Finding, Severity};
use crate::vocabulary::outcome::Fault;
use crate::vocabulary::{Outcome, units};

use super::{Column, Line, Table, Text};

/// Returns the words of an empty list, which say whether any request has finished at all.
pub(super) fn none(totals: &Totals) -> String {
    match totals.finished() {
        0 => "none yet: HTTP errors and other faults will appear here".to_owned(),
        finished => format!("none in {}", units::plural(finished, "request")),
    }
}

/// Returns the role of a line: a failure that occurs now stands out, an earlier one does not. A request that hlswarm
/// itself cut is not a failure of the origin.
fn role(line: &FailureLine) -> Role {
    match line.outcome {
        Outcome::Failed(Fault::Cut) => Role::Label,
        _ if line.per_second > 0.0 => Role::Warning,
        _ => Role::Plain,
    }
}

/// Returns the status and its words, or the name of the fault.
pub(in crate::tui) fn name(outcome: Outcome) -> String {
    match outcome {
        Outcome::Ok => "ok".to_owned(),
        Outcome::Failed(fault) => fault.name().to_owned(),
        Outcome::Http(failure) => {
            let status = failure.status().and_then(|status| http::StatusCode::from_u16(status).ok());
            let words = status.and_then(|status| status.canonical_reason());
            match words {
                Some(words) => format!("{failure} {words}"),
                None => format!("{failure} (HTTP status)"),
            }
        }
    }
}

/// Returns the status alone, or the name of the fault.
pub(super) fn short(outcome: Outcome) -> String {
    match outcome {
        Outcome::Http(failure) => failure.to_string(),
        _ => name(outcome),
    }
}

const COLUMNS: &[Column] = &[
    Column::word("OUTCOME", 24),
    Column::number("NOW/s", 8),
    Column::number("%", 7),
    Column::number("TOTAL", 11),
    Column::number("FIRST", 9),
    Column::number("CLIENTS", 8),
    Column::number("LAST", 8),
    Column::word("WHERE", 60),
];

/// Builds the table: HTTP statuses first, then the other outcomes, the most frequent first in each group.
pub(super) fn table(app: &App, room: usize) -> Table {
    let sample = &app.steady;
    let totals = &*app.scope.totals(sample);
    let lines = app.failed();
    let errors = totals.errors();
    let share = totals.failure_share();
    let now = sample.at;
    let shown = lines.iter().skip(app.scroll).take(room);
    let lines = shown.map(|line| Line::new(failure_cells(line, totals, now))).collect();
    let scope = app
        .scope
        .since(&app.steady)
        .map_or("whole run".to_owned(), |at| format!("since the mark {}", units::clock(at)));
    Table {
        title: Text::title(format!("Errors {}, {} of requests", units::count(errors), units::percent(share))),
        aside: vec![Text::label(format!("last 10 s | {scope}"))],
        columns: COLUMNS,
        lines,
        none: none(totals),
        ..Table::default()
    }
}

fn failure_cells(line: &FailureLine, totals: &Totals, now: std::time::Duration) -> Vec<Text> {
    let count = totals.ended(line.outcome);
    let share = totals.outcome_share(line.outcome);
    let ago = now.saturating_sub(line.last);
    let last = if line.per_second > 0.0 { "now".to_owned() } else { units::span(ago) };
    vec![
        Text::new(role(line), name(line.outcome)),
        Text::plain(units::rate(Some(line.per_second))),
        Text::label(units::percent(share)),
        Text::plain(units::count(count)),
        Text::plain(units::clock(line.first)),
        Text::plain(units::count(line.clients_at_first)),
        Text::label(last),
        Text::label(kinds(line.outcome, totals)),
    ]
}

/// Returns the kinds of requests that ended this way, each with its share.
fn kinds(outcome: Outcome, totals: &Totals) -> String {
    let shares = totals.kinds_of(outcome);
    let shares = shares.map(|(kind, share)| format!("{} {}", kind.name(), units::percent(share)));
    shares.collect::<Vec<_>>().join("  ")
}

/// Returns the role of a finding, by its severity.
pub(super) const fn severity_role(finding: Finding) -> Role {
    match finding.severity() {
        Severity::Error => Role::Failing,
        Severity::Warning => Role::Warning,
        Severity::Note => Role::Plain,
    }
}

#[cfg(test)]
mod tests {
    use ratatui::layout::Size;

    use super::*;
    use crate::report;
    use crate::sample::RunSample;
    use crate::tui::app::{Access, Msg, Title};
    use crate::tui::fixtures;
    use crate::tui::model::ErrorsView;
    use crate::vocabulary::outcome::HttpFailure;

    fn app(ended: &[(Outcome, u64)]) -> App {
        let mut app = App::new(Title::default(), Access::Full);
        let totals = fixtures::totals(ended);
        let snapshot = crate::stats::Snapshot { totals, ..Default::default() };
        let failures = fixtures::failures(&snapshot.totals);
        app.update(Msg::Sample(
            RunSample { at: std::time::Duration::from_secs(9), snapshot, failures, ..RunSample::default() }
                .into(),
        ));
        app
    }

    #[test]
    fn statuses_stand_before_other_outcomes_and_each_by_its_count() {
        let app = app(&[
            (Outcome::Http(HttpFailure::new(404)), 3),
            (Outcome::Http(HttpFailure::new(503)), 9),
            (Fault::ConnReset.into(), 20),
        ]);
        let table = table(&app, 9);
        let names: Vec<&str> = table.lines.iter().map(|line| line.cells[0].text.as_str()).collect();
        assert_eq!(names, ["503 Service Unavailable", "404 Not Found", "conn.reset"]);
        assert_eq!(table.title.text, "Errors 32, 100.0% of requests");
        assert_eq!((self::table(&app, 2).lines.len(), self::table(&app, 0).lines.len()), (2, 0));
    }

    #[test]
    fn an_empty_list_says_whether_any_request_has_finished() {
        assert_eq!(none(&fixtures::totals(&[(Outcome::Ok, 7)])), "none in 7 requests");
        assert!(none(&fixtures::totals(&[])).starts_with("none yet"));
    }

    #[test]
    fn screen_text_and_json_agree_on_the_share_of_failures_and_the_verdict_with_them() {
        let (cut, unavailable) = ((Fault::Cut.into(), 3), (Outcome::from_status(503, false), 4));
        for (ended, screen, text, share) in [
            (&[cut][..], "0 in all, --", "errors  none in 0 requests, 3 cut by hlswarm itself", None),
            (&[unavailable], "4 in all, 100.0%", "errors  4 of 4 requests (100.0%)", Some(1.0)),
            (
                &[cut, unavailable],
                "4 in all, 100.0%",
                "errors  4 of 4 requests (100.0%), 3 cut by hlswarm itself",
                Some(1.0),
            ),
        ] {
            let app = app(ended);
            let shown = ErrorsView::new(&app, Size::new(160, 42)).total;
            assert_eq!(shown.last().map(|text| text.text.as_str()), Some(screen));
            let mut sample = (*app.steady).clone();
            sample.snapshot.created = 1;
            let report = fixtures::report_of(&sample);
            let page = report::text(&report::Doc::new(&report).expect("a document"));
            assert!(page.contains(&format!("{text}\n")), "{page}");
            assert_eq!(report.requests.failed_share, share);
            let success = report.checks.iter().find(|check| check.name == "success_share").expect("a check");
            assert_eq!((success.value, success.fails()), (share.map(|failed| 1.0 - failed), share.is_some()));
        }
    }
}
