//! The report of a run that has ended: charts from its last sample, numbers from its document, and the text report.

use ratatui::layout::Size;

use crate::report::{
    EdgeRow, Fact, KeyNumber, LatencyRow, OutcomeRow, ProblemRow, ReportScreen, SessionSpread,
};
use crate::sample::HeatOf;
use crate::tui::app::App;
use crate::tui::layout;
use crate::tui::layout::report::{Layout, layout, pages, text_columns, text_lines};
use crate::tui::theme::Role;
use crate::vocabulary::{Severity, Tone, units};

use super::charts::{Chart, ChartMaker, Charts, LEGEND_ROOM};
use super::failures::{FailedLine, Failures};
use super::{Column, Line, Table, Text, Weight, latency, log};

/// Width of a panel from which there is room for all columns.
const WIDE: u16 = 70;

/// The view.
#[derive(Debug)]
pub(in crate::tui) enum ReportView {
    /// The first page.
    Screen(Box<ReportPage>),
    /// A page of the text report.
    Text(TextPage),
}

/// A page of the text report.
#[derive(Debug)]
pub(in crate::tui) struct TextPage {
    pub(in crate::tui) title: Text,
    /// The shown page, of how many.
    pub(in crate::tui) page: Vec<Text>,
    /// The lines that fit, column by column.
    pub(in crate::tui) columns: Vec<Vec<String>>,
}

/// A distribution of a session's value.
#[derive(Debug)]
pub(in crate::tui) struct SessionLine {
    pub(in crate::tui) label: Text,
    pub(in crate::tui) from: Text,
    pub(in crate::tui) counts: Vec<Option<f64>>,
    pub(in crate::tui) tone: Tone,
    pub(in crate::tui) to: Text,
}

/// A server address.
#[derive(Debug)]
pub(in crate::tui) struct EdgeLine {
    pub(in crate::tui) address: Text,
    /// Responses as a share of those of the first address.
    pub(in crate::tui) share: f64,
    /// Responses, bytes, cache hits.
    pub(in crate::tui) cells: [Text; 3],
}

/// The first page of the report.
#[derive(Debug)]
pub(in crate::tui) struct ReportPage {
    pub(in crate::tui) title: Text,
    /// The shown page, of how many.
    pub(in crate::tui) page: Vec<Text>,
    /// Meaning of the big digits.
    pub(in crate::tui) load: Text,
    pub(in crate::tui) numbers: [KeyNumber; 3],
    pub(in crate::tui) charts: Charts,
    pub(in crate::tui) story: Table,
    pub(in crate::tui) viewers: Table,
    pub(in crate::tui) sessions: Vec<SessionLine>,
    pub(in crate::tui) latency: Table,
    pub(in crate::tui) failures: Failures,
    pub(in crate::tui) findings: Table,
    pub(in crate::tui) addresses: Vec<Text>,
    pub(in crate::tui) edges: Vec<EdgeLine>,
    pub(in crate::tui) trust: Table,
    /// Lines of a narrow screen: failures, viewers, findings, files.
    pub(in crate::tui) facts: Vec<Vec<Text>>,
}

impl ReportView {
    pub(super) fn new(app: &App, room: Size) -> Self {
        match app.report.as_ref().filter(|_| app.scroll == 0) {
            Some(report) => Self::Screen(Box::new(ReportPage::new(app, &report.screen, room))),
            None => Self::Text(TextPage::new(app, room)),
        }
    }
}

impl TextPage {
    fn new(app: &App, room: Size) -> Self {
        let lines = app.report.as_ref().map_or(&[][..], |report| &report.text);
        let before = app.scroll.saturating_sub(1).saturating_mul(text_lines(room));
        let mut rest = lines.iter().skip(before);
        let take = |height: u16| rest.by_ref().take(height.into()).cloned().collect();
        let columns = text_columns(room).into_iter().map(|column| column.height).map(take).collect();
        Self {
            title: Text::title("Report of the run").or_short("Report"),
            page: page_mark(app, room),
            columns,
        }
    }
}

/// Says which page is shown, and which keys show the others.
fn page_mark(app: &App, room: Size) -> Vec<Text> {
    let all = pages(room, app.report_lines());
    let arrows = match app.scroll {
        0 if all > 1 => "↓ text",
        0 => return Vec::new(),
        page if page + 1 < all => "↑ ↓",
        _ => "↑",
    };
    let [shown, all] = [app.scroll + 1, all].map(|page| units::count(page as u64));
    vec![Text::plain(format!("page {shown} of {all}")).weighing(Weight::Subject), Text::label(arrows)]
}

impl ReportPage {
    fn new(app: &App, screen: &ReportScreen, room: Size) -> Self {
        let places = layout(room);
        Self {
            title: Text::title(format!("Result: {}", screen.result)).or_short("Result"),
            page: page_mark(app, room),
            load: Text::title(screen.load),
            numbers: screen.numbers.clone(),
            charts: charts(app, &places),
            story: story(app, screen, layout::lines(places.story, 0)),
            viewers: viewers(screen, &places),
            sessions: screen.sessions.iter().map(session).collect(),
            latency: latencies(screen, &places),
            failures: failures(screen, &places),
            findings: findings(screen),
            addresses: vec![addresses(&screen.addresses)],
            edges: edges(&screen.edges),
            trust: trust(screen, layout::lines(places.trust, 0)),
            facts: vec![failed(screen), viewers_in_short(screen), found(screen), ending(app, screen)],
        }
    }
}

fn charts(app: &App, places: &Layout) -> Charts {
    let maker = ChartMaker::new(app, places.columns());
    let [_, heat, failures, throughput] = places.charts;
    if places.is_bare() {
        let untitled = |chart: Chart| Chart { title: Text::default(), aside: Vec::new(), ..chart };
        let heat = maker.heat(HeatOf::Segment, usize::from(heat.height));
        let heat = Chart { title: Text::default(), aside: Vec::new(), focused: false, figure: heat };
        let charts = vec![untitled(maker.clients()), heat];
        return maker.finish(charts);
    }
    let aside = match app.cursor {
        Some(_) => latency::percentiles(app, HeatOf::Segment).into(),
        None => {
            vec![Text::label("start to last byte").weighing(Weight::Decoration), Text::label(LEGEND_ROOM)]
        }
    };
    let figure = maker.heat(HeatOf::Segment, layout::lines(heat, 0));
    let title = Text::title("Segment latency").or_short("Segment");
    let mut charts = vec![maker.clients(), Chart { title, aside, focused: false, figure }];
    charts.extend((!failures.is_empty()).then(|| maker.failures()));
    charts.extend((!throughput.is_empty()).then(|| maker.throughput()));
    maker.finish(charts)
}

fn tone_role(tone: Tone) -> Role {
    match tone {
        Tone::Text => Role::Plain,
        tone => Role::In(tone),
    }
}

pub(super) fn value(fact: &Fact) -> Text {
    Text::new(tone_role(fact.tone), &fact.value)
}

/// Builds the newest lines of the story, and names the report files below them.
fn story(app: &App, screen: &ReportScreen, lines: usize) -> Table {
    let files = Some(files(app)).filter(|_| !app.title.reports.is_empty());
    let mut story = log::newest(app, lines.saturating_sub(files.iter().len()));
    story.title = Text::title("Story");
    story.aside.extend(exit(screen));
    story.lines.extend(files.map(Line::whole));
    story
}

fn files(app: &App) -> Text {
    Text::label("--report").then(Role::Plain, &format!("  {}", app.title.reports.join("  ")))
}

/// Returns the exit code, and its first reason.
pub(super) fn exit(screen: &ReportScreen) -> impl Iterator<Item = Text> {
    let [code, reason] = [screen.exit.first(), screen.exit.get(1)].map(|text| text.cloned());
    let code = code.map(|code| Text::title(code).weighing(Weight::Subject));
    code.into_iter().chain(reason.map(|reason| Text::new(Role::Warning, reason)))
}

const VIEWERS: &[Column] =
    &[Column::word("", 17), Column::word("", 24), Column::word("", 15), Column::word("", 12)];
const VIEWERS_MEDIUM: &[Column] =
    &[Column::word("", 17), Column::word("", 14), Column::word("", 15), Column::word("", 9)];

fn viewers(screen: &ReportScreen, places: &Layout) -> Table {
    let (left, right) = screen.viewers.split_at(screen.viewers.len() / 2);
    let cells = |(left, right): (&Fact, &Fact)| {
        Line::new(vec![Text::label(left.label), value(left), Text::label(right.label), value(right)])
    };
    Table {
        title: Text::title("What viewers saw").or_short("Viewers"),
        aside: vec![Text::label(&screen.audience)],
        columns: if places.viewers.width >= WIDE { VIEWERS } else { VIEWERS_MEDIUM },
        lines: left.iter().zip(right).map(cells).collect(),
        ..Table::default()
    }
}

fn session(spread: &SessionSpread) -> SessionLine {
    SessionLine {
        label: Text::label(spread.label),
        from: Text::plain(&spread.from),
        counts: spread.counts.iter().map(|count| Some(*count)).collect(),
        tone: spread.tone,
        to: Text::plain(&spread.to),
    }
}

const LATENCY: &[Column] = &[
    Column::word("ms", 20),
    Column::number("p50", 8),
    Column::number("p95", 8),
    Column::number("p99", 8),
    Column::number("p99.9", 9),
    Column::number("max", 9),
    Column::number("count", 12),
];
/// The same without p99.9.
const LATENCY_MEDIUM: &[Column] = &[
    Column::word("ms", 20),
    Column::number("p50", 7),
    Column::number("p95", 7),
    Column::number("p99", 7),
    Column::number("max", 7),
    Column::number("count", 10),
];
/// Index of p99.9 among the cells.
const P999: usize = 3;

/// Builds the table; where not all latencies fit, it has those that matter most.
fn latencies(screen: &ReportScreen, places: &Layout) -> Table {
    let is_narrow = places.is_bare();
    let lines = usize::from(places.latency.height).saturating_sub(if is_narrow { 1 } else { 2 });
    let mut ranks: Vec<u8> = screen.latency.iter().map(|row| row.rank).collect();
    ranks.sort_unstable();
    let shown = screen.latency.iter().filter(|row| ranks.get(lines).is_none_or(|first| row.rank < *first));
    let with_p999 = is_narrow || places.latency.width >= WIDE;
    let line = |row: &LatencyRow| {
        let cells = row.cells.iter().enumerate().filter(|(place, _)| with_p999 || *place != P999);
        let cells = cells.map(|(_, cell)| Text::plain(cell));
        Line::new(std::iter::once(Text::plain(row.label)).chain(cells).collect())
    };
    Table {
        title: Text::title("Latency"),
        aside: vec![Text::label("whole run")],
        columns: if with_p999 { LATENCY } else { LATENCY_MEDIUM },
        lines: shown.map(line).collect(),
        none: "nothing was timed".to_owned(),
        ..Table::default()
    }
}

fn failures(screen: &ReportScreen, places: &Layout) -> Failures {
    let room = layout::lines(places.failures, 0);
    let hidden = screen.failures.len().saturating_sub(room);
    let is_wide = places.failures.width >= WIDE;
    let line = |row: &OutcomeRow| {
        let spark: Vec<Option<f64>> = match is_wide {
            true => row.over_time.iter().map(|rate| Some(*rate)).collect(),
            false => row.over_time.chunks(2).map(|rates| rates.iter().copied().reduce(f64::max)).collect(),
        };
        FailedLine {
            tone: row.tone,
            name: Text::plain(&row.name),
            spark_columns: u16::try_from(spark.len()).unwrap_or_default(),
            spark,
            cells: [Text::label(&row.clients), Text::label(&row.first), Text::plain(&row.total)],
        }
    };
    Failures {
        title: match hidden {
            0 => Text::title("Failures"),
            _ => Text::title(format!("Failures, {hidden} more")).or_short("Failures"),
        },
        aside: vec![value(&screen.failed).weighing(Weight::Subject), Text::label("clients  first    total")],
        lines: screen.failures.iter().take(room).map(line).collect(),
        none: "no request failed".to_owned(),
        ..Failures::default()
    }
}

const FINDINGS: &[Column] = &[
    Column::word("", 8),
    Column::word("", 20),
    Column::number("", 8),
    Column::word("", 16),
    Column::word("", 160),
];

const fn severity_role(severity: Severity) -> Role {
    match severity {
        Severity::Error => Role::Failing,
        Severity::Warning => Role::Warning,
        Severity::Note => Role::Label,
    }
}

fn findings(screen: &ReportScreen) -> Table {
    let line = |row: &ProblemRow| {
        Line::new(vec![
            Text::new(severity_role(row.severity), row.severity.name()),
            Text::plain(&row.name),
            Text::plain(&row.count),
            Text::label(&row.place),
            Text::label(&row.detail),
        ])
    };
    Table {
        title: Text::title("The stream"),
        aside: vec![Text::label(units::plural(screen.findings.len() as u64, "finding"))],
        columns: FINDINGS,
        lines: screen.findings.iter().map(line).collect(),
        none: "no problems found".to_owned(),
        ..Table::default()
    }
}

/// Returns the sentence about the audience, of which the counts are enough.
fn addresses(sentence: &str) -> Text {
    Text::label(sentence).or_short(sentence.split(';').next().unwrap_or(sentence))
}

fn edges(rows: &[EdgeRow]) -> Vec<EdgeLine> {
    let most = rows.first().map_or(1.0, |row| row.responses.max(1.0));
    let line = |row: &EdgeRow| EdgeLine {
        address: Text::plain(&row.address),
        share: row.responses / most,
        cells: row.cells.each_ref().map(Text::plain),
    };
    rows.iter().map(line).collect()
}

/// Builds the panel: the sentence, its reasons, then the program and its command, which stay if not all reasons fit.
fn trust(screen: &ReportScreen, lines: usize) -> Table {
    let roles = std::iter::once(tone_role(screen.trust_tone)).chain(std::iter::repeat(Role::Plain));
    let sentences = roles.zip(&screen.trust).map(|(role, text)| Text::new(role, text));
    let fitting = lines.saturating_sub(screen.run.len()).max(1);
    let hidden = screen.trust.len().saturating_sub(fitting);
    let run = screen.run.iter().map(Text::label);
    let more = (hidden > 0).then(|| Text::label(format!("{hidden} more in the text")));
    Table {
        title: Text::title("Can it be trusted").or_short("Trust"),
        aside: more.into_iter().collect(),
        lines: sentences.take(fitting).chain(run).map(|text| Line::new(vec![text])).collect(),
        ..Table::default()
    }
}

fn failed(screen: &ReportScreen) -> Vec<Text> {
    let outcome =
        |row: &OutcomeRow| Text::new(Role::Legend(row.tone), format!("■ {} {}", row.short, row.total));
    let share = value(&screen.failed).weighing(Weight::Subject);
    [Text::label("failed"), share].into_iter().chain(screen.failures.iter().map(outcome)).collect()
}

fn viewers_in_short(screen: &ReportScreen) -> Vec<Text> {
    let [startup, _, _, behind, stalled, rebuffer, ..] = &screen.viewers;
    let label = Text::label("viewers").weighing(Weight::Decoration);
    let weighed = [stalled, rebuffer].map(|fact| named(fact).weighing(Weight::Subject));
    std::iter::once(label).chain(weighed).chain([startup, behind].map(named)).collect()
}

/// Returns a value with its name after it, of which the first word is enough.
pub(super) fn named(fact: &Fact) -> Text {
    let first = fact.label.split(' ').next().unwrap_or_default();
    let short = format!("{} {first}", fact.value);
    value(fact).then(Role::Label, &format!(" {}", fact.label)).or_short(short)
}

fn found(screen: &ReportScreen) -> Vec<Text> {
    if screen.findings.is_empty() {
        return vec![Text::label("found"), Text::label("no problems of the stream")];
    }
    let found = screen.findings.iter().map(|row| {
        Text::new(severity_role(row.severity), &row.name).then(Role::Plain, &format!(" {}", row.count))
    });
    std::iter::once(Text::label("found")).chain(found).collect()
}

fn ending(app: &App, screen: &ReportScreen) -> Vec<Text> {
    let files = Some(files(app)).filter(|_| !app.title.reports.is_empty());
    let mut exit = exit(screen);
    // The reason is the longest: as the last one it goes first where there is little room, and the text has it.
    exit.next().into_iter().chain(files).chain(exit).collect()
}
