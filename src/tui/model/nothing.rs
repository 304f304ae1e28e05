//! The page that stands in for the overview while nothing plays: charts of zeros would hide the one answer that all
//! clients get.

use crate::sample::FailureLine;
use crate::tui::app::App;
use crate::tui::theme::Role;
use crate::verdict::Verdict;
use crate::vocabulary::units;

use super::{Column, Line, Table, Text, errors, reason};

const COLUMNS: &[Column] = &[
    Column::word("ANSWER", 34),
    Column::number("REQUESTS", 10),
    Column::number("FIRST", 9),
    Column::word("", 2),
    Column::word("WHAT WAS ASKED FOR", 60),
];

/// Returns the page; `None` if something plays or has played.
pub(super) fn page(app: &App) -> Option<Table> {
    let sample = &app.steady;
    let verdict = if sample.state.is_ending() { sample.run_health.worst } else { sample.health.verdict };
    if verdict != Verdict::NothingPlays {
        return None;
    }
    let totals = &sample.snapshot.totals;
    let mut failures: Vec<&FailureLine> = sample.failures.iter().collect();
    failures.sort_by_key(|line| std::cmp::Reverse(line.count));
    let question =
        failures.first().map_or("", |most| reason::question(most.outcome).trim_start_matches(": "));
    let requests = units::plural(totals.finished(), "request");
    let mut lines = vec![
        Line::whole(Text::plain(format!(
            "No client has ever played. {requests} to this URL ended as listed here:"
        ))),
        Line::whole(Text::title(app.title.identity.target.as_str())),
        Line::default(),
    ];
    lines.extend(failures.iter().map(|line| {
        let kinds = totals.kinds_of(line.outcome);
        let kinds: Vec<String> =
            kinds.map(|(kind, share)| format!("{} {}", kind.name(), units::percent(share))).collect();
        Line::new(vec![
            Text::new(Role::Failing, errors::name(line.outcome)),
            Text::plain(units::count(line.count)),
            Text::label(units::short_clock(line.first)),
            Text::default(),
            Text::label(kinds.join("  ")),
        ])
    }));
    if !question.is_empty() {
        lines.extend([Line::default(), Line::whole(Text::title(question))]);
    }
    let hint = "hlswarm check URL says what one client meets at each step; q ends this run.";
    lines.extend([Line::default(), Line::whole(Text::label(hint))]);
    Some(Table {
        title: Text::title("Nothing plays"),
        columns: COLUMNS,
        lines,
        none: "no request has ended yet".to_owned(),
        ..Table::default()
    })
}
