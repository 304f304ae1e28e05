//! Failures: HTTP statuses as a histogram, every other outcome under its own name apart from them.

use crate::sample::FailureLine;
use crate::stats::Totals;
use crate::tui::app::App;
use crate::tui::theme::Role;
use crate::vocabulary::finding::{Finding, Severity};
use crate::vocabulary::outcome::Fault;
use crate::vocabulary::{Outcome, share, units};

use super::{Column, Line, Table, Text};

/// One line of the histogram.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::tui) struct ErrorLine {
    pub(in crate::tui) name: String,
    pub(in crate::tui) per_second: String,
    pub(in crate::tui) count: String,
    /// Count relative to the most frequent outcome, 0 to 1.
    pub(in crate::tui) bar: f64,
    pub(in crate::tui) role: Role,
}

/// The panel of the overview.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::tui) struct Errors {
    /// Text in the frame of the panel.
    pub(in crate::tui) total: String,
    pub(in crate::tui) lines: Vec<ErrorLine>,
    /// Text shown instead of lines.
    pub(in crate::tui) none: String,
}

impl Errors {
    /// Builds at most `room` lines; the last one also shows the number of outcomes left out.
    pub(super) fn new(app: &App, room: usize) -> Self {
        let totals = app.scope.totals(&app.steady);
        let (finished, errors) = (totals.finished(), totals.errors());
        let mut counted: Vec<(&FailureLine, u64)> = app
            .steady
            .failures
            .iter()
            .map(|line| (line, totals.ended(line.outcome)))
            .filter(|(_, count)| *count > 0)
            .collect();
        // The sort is stable, so equal counts keep the order of the sample: lines must not change places for no
        // reason.
        counted.sort_by_key(|(line, count)| (!is_http(line.outcome), std::cmp::Reverse(*count)));
        let most = counted.iter().map(|(_, count)| *count).max().unwrap_or(0);
        let hidden = counted.len().saturating_sub(room);
        let others = counted.iter().filter(|(line, _)| !is_http(line.outcome)).count();
        // If not all fit, other outcomes keep a third of the room.
        let room_for_http = room.saturating_sub(others.min(room.div_ceil(3)));
        let (http, other): (Vec<_>, Vec<_>) =
            counted.into_iter().partition(|(line, _)| is_http(line.outcome));
        let http = http.into_iter().take(room_for_http.max(room.saturating_sub(others)));
        let mut lines: Vec<ErrorLine> =
            http.chain(other).take(room).map(|(line, count)| error_line(line, count, most)).collect();
        if let Some(last) = lines.last_mut().filter(|_| hidden > 0) {
            last.name = format!("{} +{hidden} more", last.name);
        }
        // An empty panel must show whether any request has finished at all.
        let none = match finished {
            0 => "none yet: HTTP errors and other faults will appear here".to_owned(),
            _ => format!("none in {}", units::plural(finished, "request")),
        };
        let share = totals.failure_share();
        let since = app.scope.since().map_or(String::new(), |_| " since the mark".to_owned());
        Self {
            total: format!("total {}, {}{since}", units::count(errors), units::percent(share)),
            lines,
            none,
        }
    }
}

const fn is_http(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Http(_))
}

fn error_line(line: &FailureLine, count: u64, most: u64) -> ErrorLine {
    ErrorLine {
        name: name(line.outcome),
        per_second: format!("{}/s", units::rate(Some(line.per_second))),
        count: units::count(count),
        bar: share(count, most).unwrap_or_default(),
        role: role(line),
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
    let scope =
        app.scope.since().map_or("whole run".to_owned(), |at| format!("since the mark {}", units::clock(at)));
    Table {
        title: Text::title(format!("Errors {}, {} of requests", units::count(errors), units::percent(share))),
        aside: vec![Text::label(format!("last 10 s | {scope}"))],
        columns: COLUMNS,
        lines,
        none: Errors::new(app, 0).none,
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
    use super::*;
    use crate::report;
    use crate::sample::RunSample;
    use crate::tui::app::{Access, Msg, Title};
    use crate::tui::fixtures;
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

    fn names(errors: &Errors) -> Vec<&str> {
        errors.lines.iter().map(|line| line.name.as_str()).collect()
    }

    #[test]
    fn statuses_stand_before_other_outcomes_and_each_by_its_count() {
        let app = app(&[
            (Outcome::Http(HttpFailure::new(404)), 3),
            (Outcome::Http(HttpFailure::new(503)), 9),
            (Fault::ConnReset.into(), 20),
        ]);
        let errors = Errors::new(&app, 9);
        assert_eq!(names(&errors), ["503 Service Unavailable", "404 Not Found", "conn.reset"]);
        let bars: Vec<f64> = errors.lines.iter().map(|line| line.bar).collect();
        assert_eq!(bars, [0.45, 0.15, 1.0]);
        assert_eq!(errors.total, "total 32, 100.0%");
    }

    #[test]
    fn where_there_is_no_room_for_all_both_sorts_are_seen_and_the_rest_is_counted() {
        let mut ended: Vec<(Outcome, u64)> =
            (400..410).map(|status| (Outcome::Http(HttpFailure::new(status)), 5)).collect();
        ended.extend([(Fault::ConnReset.into(), 1), (Fault::TimeoutIdle.into(), 2)]);
        let app = app(&ended);
        assert_eq!(
            names(&Errors::new(&app, 3)),
            ["400 Bad Request", "401 Unauthorized", "timeout.idle +9 more"]
        );
        for room in 0..20 {
            assert_eq!(Errors::new(&app, room).lines.len(), room.min(12), "{room}");
        }
    }

    #[test]
    fn screen_text_and_json_agree_on_the_share_of_failures_and_the_verdict_with_them() {
        let (cut, unavailable) = ((Fault::Cut.into(), 3), (Outcome::of_status(503, false), 4));
        for (ended, screen, text, share) in [
            (&[cut][..], "total 0, --", "errors  none in 0 requests, 3 cut by hlswarm itself", None),
            (&[unavailable], "total 4, 100.0%", "errors  4 of 4 requests (100.0%)", Some(1.0)),
            (
                &[cut, unavailable],
                "total 4, 100.0%",
                "errors  4 of 4 requests (100.0%), 3 cut by hlswarm itself",
                Some(1.0),
            ),
        ] {
            let app = app(ended);
            assert_eq!(Errors::new(&app, 9).total, screen);
            let mut sample = (*app.steady).clone();
            sample.snapshot.created = 1;
            let report = fixtures::report_of(&sample);
            assert!(report::text(&report).contains(&format!("{text}\n")), "{}", report::text(&report));
            assert_eq!(report.requests.failed_share, share);
            let success = report.checks.iter().find(|check| check.name == "success_share").expect("a check");
            assert_eq!((success.value, success.fails()), (share.map(|failed| 1.0 - failed), share.is_some()));
        }
    }
}
