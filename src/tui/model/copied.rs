//! The text that the key `y` copies: what is selected in the shown view, or else what the view shows.

use crate::stats::{ClientRow, FindingRow};
use crate::tui::app::{App, View};
use crate::tui::layout::Breadth;
use crate::tui::layout::stream::StreamPanel;
use crate::vocabulary::untrusted::harmless_lines;
use crate::vocabulary::{Outcome, units};

use super::table::{Align, Table};
use super::{Text, clients, errors, errors_view, latency, log, overview, stream_panels, top, trust};

const SUMMARY: &str = "the first lines, latency and failures";

/// A text for the clipboard.
#[derive(Debug)]
pub(in crate::tui) struct Copied {
    /// Words for the text; a text of one line speaks for itself.
    pub(in crate::tui) what: String,
    /// Lines that are safe to print.
    pub(in crate::tui) text: String,
}

impl Copied {
    pub(in crate::tui) fn new(app: &App) -> Self {
        let (what, mut lines) = copied(app);
        if lines.is_empty() {
            lines.push(app.title.identity.target.clone());
        }
        let what = match lines.as_slice() {
            [only] => only.clone(),
            _ => format!("{what}, {}", units::plural(lines.len() as u64, "line")),
        };
        Self { what: harmless_lines(&what), text: harmless_lines(&lines.join("\n")) }
    }
}

/// Returns words for what is copied, and its lines.
fn copied(app: &App) -> (&'static str, Vec<String>) {
    match app.view {
        View::Overview => (SUMMARY, summary(app)),
        View::Clients => clients_shown(app),
        View::Errors => failures(app),
        View::Generator => {
            let (gauges, _) = trust::gauges(&app.steady.trust, Breadth::Wide);
            ("the gauges", [gauges.title.text.clone()].into_iter().chain(table(&gauges)).collect())
        }
        View::Log if app.has_focus(0) => ("the story", table(&log::whole_story(app))),
        View::Log => ("the events shown", table(&log::LogView::new(app, app.room).events)),
        View::Report => {
            ("the report", app.report.as_ref().map(|report| report.text.clone()).unwrap_or_default())
        }
        View::Latency => ("latency", latencies(app)),
        View::Stream => match app.stream_panel() {
            StreamPanel::Ladder => ("the rung", rung(app)),
            StreamPanel::Edges => ("the address", edge(app).into_iter().collect()),
            StreamPanel::Findings => ("the findings", findings(app)),
        },
    }
}

/// Returns the first lines of the screen below the URL, latency and failures: what a message to others begins with.
fn summary(app: &App) -> Vec<String> {
    let top = top::Top::new(app);
    let verdict = [top.verdict].into_iter().chain(top.reason).collect();
    let run = top.run.into_iter().chain(top.pace).collect();
    let head = [run, verdict, top.knee, top.measurement].map(|line: Vec<Text>| joined(&line));
    let mut lines = vec![app.title.identity.target.clone()];
    lines.extend(head.into_iter().filter(|line| !line.is_empty()));
    lines.extend(latencies(app));
    lines.extend(failures_of_run(app));
    lines
}

/// Returns texts as one line, without the spaces that lead to a verdict's sign.
fn joined(line: &[Text]) -> String {
    let texts: Vec<&str> = line.iter().map(|text| text.text.trim()).filter(|text| !text.is_empty()).collect();
    texts.join("  ")
}

fn latencies(app: &App) -> Vec<String> {
    let line = |(name, [p50, p95, p99]): (&str, [String; 3])| {
        // Long ones have a unit of their own.
        let unit = if p50.contains(' ') { "" } else { " ms" };
        format!("{name}: p50 {p50}, p95 {p95}, p99 {p99}{unit}")
    };
    let lines = overview::latency_lines(app, 0).into_iter();
    let mut lines: Vec<String> =
        lines.map(|latency| line((latency.name, latency.values.map(|value| value.text)))).collect();
    lines.push(joined(&latency::open(&app.steady)));
    lines
}

/// Returns the failures of the whole run, the most frequent first.
fn failures_of_run(app: &App) -> Vec<String> {
    app.failed().iter().map(|line| failure(app, line.outcome, line.per_second)).collect()
}

fn failure(app: &App, outcome: Outcome, per_second: f64) -> String {
    let totals = app.scope.totals(&app.steady);
    let [count, share, rate] = [
        units::count(totals.ended(outcome)),
        units::percent(totals.outcome_share(outcome)),
        units::rate(Some(per_second)),
    ];
    format!("{}: {count}, {share} of requests, {rate}/s now", errors::name(outcome))
}

/// Returns the newest example of the chosen failure as a command; without an example, all failures.
fn failures(app: &App) -> (&'static str, Vec<String>) {
    let failed = app.failed();
    let Some(chosen) = failed.get(app.chosen_place()) else { return (SUMMARY, summary(app)) };
    let example = app.shown.examples.iter().find(|example| example.outcome == chosen.outcome);
    match example {
        Some(example) => ("the request", vec![command(&example.details.url)]),
        None => ("the failures", failures_of_run(app)),
    }
}

/// Returns the command that repeats a request once: to curl itself, brackets and braces would mean many of them.
fn command(url: &str) -> String {
    format!("curl --globoff -v -o /dev/null {}", quoted(url))
}

/// Quotes an origin's text for a shell: within single quotes, no character but the quote has a meaning.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Returns the selected client with a name before each value; without one, the list on the screen.
fn clients_shown(app: &App) -> (&'static str, Vec<String>) {
    let rows = &app.steady.snapshot.clients;
    match app.clients.selected.and_then(|id| rows.iter().find(|row| row.id == id)) {
        Some(row) => ("the client", vec![client(app, row)]),
        None => ("the clients shown", table(&clients::ClientsView::new(app, app.room).table)),
    }
}

fn client(app: &App, row: &ClientRow) -> String {
    let named = clients::named_cells(row, app.steady.snapshot.clients_at_us);
    let words: Vec<String> = named.map(|(name, value)| format!("{name} {}", value.text)).collect();
    words.join("  ")
}

fn rung(app: &App) -> Vec<String> {
    let lines = stream_panels::ladder(app, app.steady.stream.rungs.len()).into_iter();
    let chosen = lines.filter(|line| line.is_chosen).map(|line| {
        let [label, size, rate, codecs, clients] =
            [line.label, line.size, line.bit_rate, line.codecs, line.clients].map(|text| text.text);
        let [share, stalled, age, newest] =
            [line.share, line.stalled, line.age, line.newest].map(|text| text.text);
        format!(
            "{label}  {size}  {rate}  {codecs}  clients {clients} ({share})  stalled {stalled}  playlist age {age}  \
             newest segment {newest}"
        )
    });
    chosen.collect()
}

fn edge(app: &App) -> Option<String> {
    let edges = app.steady.stream.edges_in_trouble_first();
    edges.get(app.edge_index()).map(|edge| edge.address.to_string())
}

fn findings(app: &App) -> Vec<String> {
    let rows = errors_view::worst_first(&app.steady.findings).into_iter();
    let line = |row: &FindingRow| {
        let count = units::count(row.count);
        format!("{} {count}x, first {}: {}", row.finding.name(), units::clock(row.first), row.detail)
    };
    rows.map(line).collect()
}

/// Returns the headings and lines of a list, in columns as on the screen. A column that is drawn has no text and goes.
fn table(list: &Table) -> Vec<String> {
    let is_written = |place: usize| {
        let mut cells = list.lines.iter().filter(|line| !line.whole).filter_map(|line| line.cells.get(place));
        cells.any(|cell| !cell.text.is_empty())
    };
    let written: Vec<bool> = (0..list.columns.len()).map(is_written).collect();
    let line = |texts: &mut dyn Iterator<Item = &str>| {
        let mut line = String::new();
        for ((text, column), _) in texts.zip(list.columns).zip(&written).filter(|(_, written)| **written) {
            let width = usize::from(column.width);
            line += &match column.align {
                Align::Left => format!(" {text:<width$}"),
                Align::Right => format!("{text:>width$}"),
            };
        }
        line.trim().to_owned()
    };
    let mut lines = Vec::new();
    if list.columns.iter().any(|column| !column.name.is_empty()) && written.contains(&true) {
        lines.push(line(&mut list.columns.iter().map(|column| column.name)));
    }
    lines.extend(list.lines.iter().map(|row| match row.cells.as_slice() {
        [only] if row.whole => only.text.clone(),
        cells => line(&mut cells.iter().map(|cell| cell.text.as_str())),
    }));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::app::{Access, Msg};
    use crate::tui::fixtures;
    use crate::tui::input::{Input, Key};

    fn app() -> App {
        let mut app = App::new(fixtures::title(), Access::ReadOnly);
        app.update(Msg::Screen((160, 48).into()));
        app.update(Msg::Sample(fixtures::sample("storm")));
        app
    }

    fn copied(app: &mut App, keys: &str) -> Copied {
        keys.chars().for_each(|key| _ = app.update(Msg::Input(Input::Key(Key::Char(key)))));
        Copied::new(app)
    }

    #[test]
    fn what_is_selected_is_copied_and_otherwise_what_is_shown() {
        let mut app = app();
        let head = copied(&mut app, "1").text;
        assert_eq!(head.lines().next(), Some(fixtures::title().identity.target.as_str()));
        for words in ["FAILING", "418 clients", "SUSPECT", "segment: p50", "503 Service Unavailable: "] {
            assert!(head.contains(words), "{words}: {head}");
        }
        let list = copied(&mut app, "2");
        assert!(
            list.text.starts_with("ID STATE") && list.what.starts_with("the clients shown, "),
            "{list:?}"
        );
        let client = copied(&mut app, "j");
        let id = app.clients.selected.expect("a selected client");
        assert!(client.text.starts_with(&format!("ID {id}  STATE ")), "{client:?}");
        assert_eq!(client.what, client.text);
        let curl = copied(&mut app, "3").text;
        assert!(
            curl.starts_with("curl --globoff -v -o /dev/null 'https://") && curl.ends_with('\''),
            "{curl}"
        );
        let gauges = copied(&mut app, "4").text;
        assert!(crate::verdict::RULES.iter().all(|rule| gauges.contains(rule.label)), "{gauges}");
        assert!(copied(&mut app, "5").text.starts_with("TIME"));
        assert!(copied(&mut app, "7").text.starts_with("playlist: p50"));
        assert!(copied(&mut app, "8g").text.starts_with("1080p  "));
    }

    #[test]
    fn the_report_is_copied_whole() {
        let mut app = app();
        let report = fixtures::report();
        let lines = crate::report::text(&report).lines().count();
        app.update(Msg::Report(report));
        let copied = Copied::new(&app);
        assert_eq!(copied.text.lines().count(), lines);
        assert_eq!(copied.what, format!("the report, {lines} lines"));
    }

    #[test]
    fn an_address_cannot_leave_its_quotes() {
        assert_eq!(command("https://a.test/[1-9]"), "curl --globoff -v -o /dev/null 'https://a.test/[1-9]'");
        assert_eq!(quoted("https://a.test/';rm x;'"), r"'https://a.test/'\'';rm x;'\'''");
    }
}
