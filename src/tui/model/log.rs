//! Events of the run and of its clients, one line each, the newest last.
//!
//! The story of the run is short and kept whole. The events of clients are many: the last thousand are kept, and alike
//! events of a second share one line.

use std::time::Duration;

use ratatui::layout::Size;

use crate::run_state::{ChangeKind, LoadChange, Note, NoteKind, VerdictChange};
use crate::sample::{FailureLine, RunSample};
use crate::stats::FindingRow;
use crate::tui::app::{App, LogGroup};
use crate::tui::layout;
use crate::tui::theme::Role;
use crate::verdict::Knee;
use crate::vocabulary::outcome::Fault;
use crate::vocabulary::{Outcome, Tone, units};

use super::charts::ChartMaker;
use super::{Charts, Column, Line, Table, Text, Weight, errors, origin, reason, top};

/// Maximum number of outcomes that a line of the story names.
const FIRSTS: usize = 4;
const STORY: &[Column] = &[Column::word("", 8), Column::word("", 8), Column::word("", 180)];
/// The same beside other panels, with short times: of a run of less than an hour, and of a longer one.
const BRIEF: &[Column] = &[Column::word("", 5), Column::word("", 8), Column::word("", 180)];
const BRIEF_LONG: &[Column] = &[Column::word("", 7), Column::word("", 8), Column::word("", 180)];
const HOUR: Duration = Duration::from_secs(3600);
const EVENTS: &[Column] =
    &[Column::word("TIME", 8), Column::number("CLIENT", 9), Column::word("WHAT", 11), Column::word("", 160)];

/// The view.
#[derive(Debug)]
pub(in crate::tui) struct LogView {
    /// Events per second, with the verdict over time.
    pub(in crate::tui) charts: Charts,
    pub(in crate::tui) story: Table,
    pub(in crate::tui) events: Table,
}

impl LogView {
    /// Builds as many lines of the story as fit, and the events up to the line that was scrolled to.
    pub(super) fn new(app: &App, room: Size) -> Self {
        // Only the list with the focus is scrolled.
        let scroll = |panel| if app.has_focus(panel) { app.scroll } else { 0 };
        let story = story_from(app, layout::log::layout(room).story_lines(), scroll(0));
        let events = events(app, layout::log::lines(room), scroll(1)).with_focus(app.has_focus(1));
        let maker = ChartMaker::new(app, layout::log::layout(room).columns());
        let chart = maker.events();
        Self { charts: maker.finish(vec![chart]), story: story.with_focus(app.has_focus(0)), events }
    }
}

/// Builds a list of the newest lines of the story, for a panel beside others.
pub(super) fn newest(app: &App, room: usize) -> Table {
    let columns = if app.shown.at < HOUR { BRIEF } else { BRIEF_LONG };
    Table { columns, ..story_from(app, room, 0) }
}

/// Builds a list of the whole story.
pub(super) fn whole_story(app: &App) -> Table {
    story_from(app, usize::MAX, 0)
}

/// Builds a list of the story of which this many of the newest lines are left out.
fn story_from(app: &App, room: usize, scroll: usize) -> Table {
    let lines = story(&app.shown);
    let later = scroll.min(lines.len().saturating_sub(room));
    let from = lines.len().saturating_sub(room + later);
    let left_out = [(from, "earlier"), (later, "later")].into_iter().filter(|(count, _)| *count > 0);
    Table {
        title: Text::title("The run"),
        aside: left_out
            .map(|(count, side)| Text::label(format!("{} {side}", units::count(count as u64))))
            .collect(),
        columns: STORY,
        lines: lines.into_iter().skip(from).take(room).collect(),
        none: "nothing has happened yet".to_owned(),
        ..Table::default()
    }
}

fn events(app: &App, room: usize, scroll: usize) -> Table {
    let shown = app.log();
    let events: usize = shown.iter().map(|group| group.entries.len()).sum();
    let to = shown.len().saturating_sub(scroll.min(shown.len().saturating_sub(room)));
    let from = to.saturating_sub(room);
    let mut aside = Vec::new();
    if app.clients.faults_only {
        aside.push(Text::new(Role::Mark, "trouble only").weighing(Weight::OutOfBounds));
    }
    let filter = app.log_filter.as_ref();
    aside.extend(filter.map(|it| {
        Text::new(Role::Mark, format!("filter {}", it.text))
            .or_short("filtered")
            .weighing(Weight::OutOfBounds)
    }));
    match app.shown.pipeline.events.dropped {
        0 => {}
        dropped => aside.push(Text::label(format!("{} dropped, not shown", units::count(dropped)))),
    }
    aside.push(match app.log_each {
        true => Text::label("each event; Enter: alike ones together").or_short("Enter: together"),
        false => Text::label("alike events of a second together; Enter: each").or_short("Enter: each"),
    });
    let title = format!("Clients, last {}", units::plural(events as u64, "event"));
    Table {
        title: Text::title(title).or_short("Clients"),
        aside,
        columns: EVENTS,
        lines: shown.get(from..to).unwrap_or_default().iter().map(group_line).collect(),
        none: "no matching events".to_owned(),
        ..Table::default()
    }
}

/// Builds the line of alike events of a second, or of one event with its client.
fn group_line(group: &LogGroup<'_>) -> Line {
    let Some(entry) = group.entries.first() else { return Line::default() };
    let event = &entry.event;
    let role = if event.what.is_trouble() { Role::Warning } else { Role::Plain };
    let (who, what) = match group.entries.len() {
        1 => (Text::plain(event.client.map_or(String::new(), units::count)), event.what.text()),
        count => (Text::title(format!("{} x", units::count(count as u64))), group_text(group)),
    };
    Line::new(vec![
        Text::label(units::clock(entry.at())),
        who,
        Text::new(role, event.what.kind()),
        Text::plain(what),
    ])
}

/// Describes alike events: stalls that ended have the median of their lengths.
fn group_text(group: &LogGroup<'_>) -> String {
    let mut lengths: Vec<u64> =
        group.entries.iter().filter_map(|entry| entry.event.what.stalled_us()).collect();
    lengths.sort_unstable();
    match (lengths.get(lengths.len() / 2), group.entries.first()) {
        (Some(median), _) => format!("after {} (p50)", units::span(Duration::from_micros(*median))),
        (None, Some(entry)) => entry.event.what.text(),
        (None, None) => String::new(),
    }
}

fn story(sample: &RunSample) -> Vec<Line> {
    let journal = &sample.journal;
    let changes = journal.changes().map(|change| (change.at, change_line(change)));
    let verdicts = journal.verdicts().map(|change| (change.at, verdict_line(change)));
    let marks = journal.marks().enumerate().map(|(place, mark)| {
        (mark.at, line(mark.at, Text::new(Role::Mark, format!("mark m{}", place + 1)), mark.note.clone()))
    });
    let findings = sample.findings.iter().map(|row| (row.first, finding_line(row)));
    let knees =
        top::in_order(sample).into_iter().map(|(name, knee)| (knee.at, knee_line(name, knee, sample)));
    let firsts = sample.failures.iter().filter(|row| row.outcome != Outcome::Failed(Fault::Cut));
    let firsts = firsts_by_second(firsts);
    let notes = journal.notes().map(|note| (note.at, note_line(note)));
    let all = changes.chain(verdicts).chain(marks).chain(findings).chain(knees).chain(firsts).chain(notes);
    let mut lines: Vec<(Duration, Line)> = all.filter(|(at, _)| *at <= sample.at).collect();
    lines.sort_by_key(|(at, _)| *at);
    lines.into_iter().map(|(_, line)| line).collect()
}

fn line(at: Duration, kind: Text, what: String) -> Line {
    let brief = brief(&what);
    line_or_brief(at, kind, what, brief)
}

fn line_or_brief(at: Duration, kind: Text, what: String, brief: String) -> Line {
    let clock = Text::label(units::clock(at)).or_short(units::short_clock(at));
    Line::new(vec![clock, kind, Text::plain(what).or_short(brief)])
}

/// Returns the same in fewer words, for a narrow list: a line that is cut loses what it ends with, the number of clients or
/// the view to look at.
fn brief(what: &str) -> String {
    const WORDS: [(&str, &str); 6] = [
        (" of requests fail", " fail"),
        (" of clients are stalled", " stalled"),
        (" of requests end with", " end with"),
        ("all segments come", "segments come"),
        (" kb/s only", " kb/s"),
        ("no client is stalled any more", "none stalled any more"),
    ];
    let (what, view) = what.split_once("; look at ").map_or((what, None), |(what, view)| (what, Some(view)));
    // The key of the view is enough: its name stands above.
    let key =
        view.and_then(|view| view.split(' ').next()).map_or(String::new(), |key| format!("; see {key}"));
    WORDS.iter().fold(what.to_owned(), |text, (long, short)| text.replace(long, short)) + &key
}

fn verdict_line(change: &VerdictChange) -> Line {
    let clients = units::plural(change.clients, "client");
    let verdict = Text::new(reason::role(change.verdict), change.verdict.name());
    let brief = format!("{} at {}", brief(&change.reason), units::count(change.clients));
    line_or_brief(change.at, verdict, format!("{}, at {clients}", change.reason), brief)
}

/// Builds the line of a finding, at the time of its first occurrence.
fn finding_line(row: &FindingRow) -> Line {
    let kind = Text::new(errors::severity_role(row.finding), "finding");
    line(row.first, kind, format!("{}: {}", row.finding.name(), row.detail))
}

fn knee_line(name: &str, knee: Knee, sample: &RunSample) -> Line {
    let bits = knee.bits_per_second.map_or(String::new(), |bits| format!(", {}", units::bit_rate(bits)));
    let cpu = origin::cpu_at(sample, knee.at);
    let brief = format!("{name} 1% at {}", units::plural(knee.clients, "client"));
    let what = format!("{brief}{bits}{cpu}");
    line_or_brief(knee.at, Text::new(Role::Mark, "knee"), what, brief)
}

/// Builds a line for each second in which outcomes first occurred: a storm brings many at once, and a line for each would
/// push what broke first out of sight.
fn firsts_by_second<'a>(firsts: impl Iterator<Item = &'a FailureLine>) -> Vec<(Duration, Line)> {
    let mut firsts: Vec<&FailureLine> = firsts.collect();
    firsts.sort_by_key(|row| row.first);
    firsts
        .chunk_by(|one, other| one.first.as_secs() == other.first.as_secs())
        .filter_map(first_line)
        .collect()
}

/// Names the first outcomes of those that occurred in the same second, and says how many more there are.
fn names_of(rows: &[&FailureLine], shown: usize) -> String {
    let names: Vec<String> = rows.iter().take(shown).map(|row| errors::short(row.outcome)).collect();
    let more = match rows.len().saturating_sub(shown) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{}{more}", names.join(", "))
}

/// Builds the line of outcomes that first occurred in the same second.
fn first_line(rows: &[&FailureLine]) -> Option<(Duration, Line)> {
    let first = rows.first()?;
    let [one, few] = [1, FIRSTS].map(|shown| names_of(rows, shown));
    let what = match rows {
        [only] => errors::name(only.outcome),
        _ => few,
    };
    let what = format!("{what} at {}", units::plural(first.clients_at_first, "client"));
    let brief = format!("{one} at {}", units::count(first.clients_at_first));
    Some((first.first, line_or_brief(first.first, Text::label("first"), what, brief)))
}

fn note_line(note: &Note) -> Line {
    let kind = match note.kind {
        NoteKind::StallsBegan => Text::new(Role::Warning, "stalls"),
        NoteKind::StallsEnded => Text::plain("stalls"),
        NoteKind::Peak => Text::plain("peak"),
        NoteKind::Level { .. } => Text::new(Role::In(Tone::Data), "level"),
        NoteKind::Threshold => Text::new(Role::Failing, "threshold"),
        NoteKind::OriginMetrics => Text::new(Role::Warning, "origin"),
        NoteKind::Export => Text::new(Role::Warning, "export"),
        NoteKind::Stage | NoteKind::Limited => Text::plain("plan"),
        NoteKind::Demo => Text::new(Role::In(Tone::Data), "demo"),
    };
    // The kind of the note says already that it is the demo's.
    let text = note.text.strip_prefix("demo: ").unwrap_or(&note.text);
    line(note.at, kind, text.to_owned())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::app::{Access, Msg};
    use crate::tui::fixtures;
    use crate::tui::input::{Input, Key};

    #[test]
    fn a_narrow_story_names_the_view_to_look_at_by_its_key() {
        assert_eq!(brief("503 for 20% of requests; look at 3 Errors"), "503 for 20% of requests; see 3");
        assert_eq!(brief("no client is stalled any more"), "none stalled any more");
    }

    #[test]
    fn the_app_knows_how_many_lines_a_story_has() {
        for name in fixtures::FIXTURES {
            let mut app = App::new(fixtures::title(), Access::Full);
            app.update(Msg::Sample(fixtures::sample(name)));
            assert_eq!(app.story_lines(), story(&app.shown).len(), "{name}");
        }
    }

    #[test]
    fn a_story_that_is_longer_than_its_room_scrolls_from_its_newest_line_to_its_oldest() {
        let mut app = App::new(fixtures::title(), Access::Full);
        app.update(Msg::Screen((80, 24).into()));
        app.update(Msg::Sample(fixtures::sample("storm")));
        let shown = |app: &App| {
            let view = LogView::new(app, app.room);
            let texts =
                |table: &Table| table.lines.iter().map(|line| line.cells[2].text.clone()).collect::<Vec<_>>();
            let aside = view.story.aside.iter().map(|text| text.text.clone()).collect::<Vec<_>>();
            (texts(&view.story), aside.join(" "), texts(&view.events))
        };
        let all: Vec<String> = story(&app.shown).iter().map(|line| line.cells[2].text.clone()).collect();
        let press = |app: &mut App, key| _ = app.update(Msg::Input(Input::Key(key)));
        press(&mut app, Key::Char('5'));
        let (newest, _, events) = shown(&app);
        let room = newest.len();
        assert!(room < all.len() && newest == all[all.len() - room..]);
        press(&mut app, Key::BackTab);
        press(&mut app, Key::Up);
        let (lines, aside, same_events) = shown(&app);
        assert_eq!(lines, all[all.len() - room - 1..all.len() - 1]);
        assert_eq!(aside, format!("{} earlier 1 later", all.len() - room - 1));
        assert_eq!(same_events, events, "the other list stays");
        press(&mut app, Key::Char('g'));
        press(&mut app, Key::Up);
        assert_eq!(shown(&app).0, all[..room]);
        press(&mut app, Key::Down);
        assert_eq!(shown(&app).0, all[1..=room]);
    }

    #[test]
    fn outcomes_that_first_occurred_in_one_second_share_a_line() {
        let mut sample = RunSample::clone(&fixtures::sample("storm"));
        let one = *sample.failures.first().expect("a failure");
        let at = |status, second| FailureLine {
            outcome: Outcome::from_status(status, false),
            first: Duration::from_secs(second),
            clients_at_first: 418,
            ..one
        };
        sample.failures = vec![at(404, 9), at(503, 3), at(504, 3), at(500, 3), at(502, 3), at(429, 3)];
        let lines = story(&sample);
        let firsts = lines.iter().filter(|line| line.cells[1].text == "first");
        let texts: Vec<&str> = firsts.map(|line| line.cells[2].text.as_str()).collect();
        assert_eq!(texts, ["503, 504, 500, 502 and 1 more at 418 clients", "404 Not Found at 418 clients"]);
    }
}
