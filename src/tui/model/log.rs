//! Events of the run and of its clients, one line each, the newest last.
//!
//! The story of the run is short and kept whole. The events of clients are many: the last thousand are kept.

use std::time::Duration;

use ratatui::layout::Size;

use crate::pipeline::LogEntry;
use crate::run_state::{ChangeKind, LoadChange, VerdictChange};
use crate::sample::RunSample;
use crate::stats::FindingRow;
use crate::tui::app::App;
use crate::tui::layout;
use crate::tui::theme::Role;
use crate::vocabulary::units;

use super::{Column, Line, Table, Text, errors, reason};

const STORY: &[Column] = &[Column::word("", 8), Column::word("", 8), Column::word("", 180)];
const EVENTS: &[Column] =
    &[Column::word("TIME", 8), Column::number("CLIENT", 9), Column::word("WHAT", 12), Column::word("", 160)];

/// The view.
#[derive(Debug)]
pub(in crate::tui) struct LogView {
    pub(in crate::tui) story: Table,
    pub(in crate::tui) events: Table,
}

impl LogView {
    /// Builds as many lines of the story as fit, and the events up to the line that was scrolled to.
    pub(super) fn new(app: &App, room: Size) -> Self {
        let story = newest(app, layout::log::places(room).story_lines());
        let events = events(app, layout::log::lines(room)).with_focus(app.has_focus(1));
        Self { story: story.with_focus(app.has_focus(0)), events }
    }
}

/// Builds a list of the newest lines of the story.
pub(super) fn newest(app: &App, room: usize) -> Table {
    let lines = story(&app.shown);
    let from = lines.len().saturating_sub(room);
    Table {
        title: Text::title("Run"),
        aside: match from {
            0 => Vec::new(),
            earlier => vec![Text::label(format!("{} earlier", units::count(earlier as u64)))],
        },
        columns: STORY,
        lines: lines.into_iter().skip(from).collect(),
        none: "nothing has happened yet".to_owned(),
        ..Table::default()
    }
}

fn events(app: &App, room: usize) -> Table {
    let shown: Vec<&LogEntry> = app.log().collect();
    let to = shown.len().saturating_sub(app.scroll.min(shown.len().saturating_sub(room)));
    let from = to.saturating_sub(room);
    let filter = app.log_filter.as_ref().map_or(String::new(), |filter| format!("filter {}", filter.text));
    let trouble = if app.clients.faults_only { "trouble only  " } else { "" };
    let dropped = match app.shown.pipeline.events.dropped {
        0 => String::new(),
        dropped => format!("  {} dropped, not shown", units::count(dropped)),
    };
    Table {
        title: Text::title(format!("Clients, last {}", units::plural(shown.len() as u64, "event"))),
        aside: vec![Text::label(format!("{trouble}{filter}{dropped}"))],
        columns: EVENTS,
        lines: shown.get(from..to).unwrap_or_default().iter().map(|entry| event_line(entry)).collect(),
        none: "no matching events".to_owned(),
        ..Table::default()
    }
}

fn event_line(entry: &LogEntry) -> Line {
    let event = &entry.event;
    let role = if event.what.is_trouble() { Role::Warning } else { Role::Plain };
    Line::new(vec![
        Text::label(units::clock(entry.at())),
        Text::plain(event.client.map_or(String::new(), units::count)),
        Text::new(role, event.what.kind()),
        Text::plain(event.what.text()),
    ])
}

fn story(sample: &RunSample) -> Vec<Line> {
    let journal = &sample.journal;
    let changes = journal.changes().map(|change| (change.at, change_line(change)));
    let verdicts = journal.verdicts().map(|change| (change.at, verdict_line(change)));
    let marks = journal.marks().enumerate().map(|(place, mark)| {
        (mark.at, line(mark.at, Text::new(Role::Mark, format!("mark m{}", place + 1)), mark.note.clone()))
    });
    let findings = sample.findings.iter().map(|row| (row.first, finding_line(row)));
    let all = changes.chain(verdicts).chain(marks).chain(findings);
    let mut lines: Vec<(Duration, Line)> = all.filter(|(at, _)| *at <= sample.at).collect();
    lines.sort_by_key(|(at, _)| *at);
    lines.into_iter().map(|(_, line)| line).collect()
}

fn line(at: Duration, kind: Text, what: String) -> Line {
    Line::new(vec![Text::label(units::clock(at)), kind, Text::plain(what)])
}

fn verdict_line(change: &VerdictChange) -> Line {
    let clients = units::plural(change.clients, "client");
    let verdict = Text::new(reason::role(change.verdict), change.verdict.name());
    line(change.at, verdict, format!("{}, at {clients}", change.reason))
}

/// Builds the line of a finding, at the time of its first occurrence.
fn finding_line(row: &FindingRow) -> Line {
    let kind = Text::new(errors::severity_role(row.finding), "finding");
    line(row.first, kind, format!("{}: {}", row.finding.name(), row.detail))
}

fn change_line(change: &LoadChange) -> Line {
    let clients = units::count(change.to.into());
    let what = match change.kind {
        ChangeKind::Target => {
            format!("{} -> {clients} clients ({})", units::count(change.from.into()), change.by.name())
        }
        ChangeKind::Hold => format!("ramp held at target {clients} ({})", change.by.name()),
        ChangeKind::Resume => format!("ramp resumed to {clients} ({})", change.by.name()),
        ChangeKind::Stop => format!("stopped at target {clients} ({})", change.by.name()),
    };
    line(change.at, Text::plain("load"), what)
}
