//! The view of failures: all of them over time, each outcome as a line with a strip on the same axis, where the chosen
//! one happens, and the findings about the stream.

use std::time::Duration;

use ratatui::layout::Size;

use crate::sample::FailureLine;
use crate::stats::{FindingRow, Totals};
use crate::tui::app::App;
use crate::tui::layout::{self, Breadth};
use crate::tui::theme::Role;
use crate::tui::widget::TimeAxis;
use crate::vocabulary::finding::Severity;
use crate::vocabulary::palette::tones_of;
use crate::vocabulary::{Tone, units};

use super::charts::ChartMaker;
use super::columns::{Columns, looked_at};
use super::{Charts, Table, Text, Weight, errors, examples, share_role};

/// One outcome.
#[derive(Clone, Debug)]
pub(in crate::tui) struct CodeLine {
    pub(in crate::tui) is_chosen: bool,
    pub(in crate::tui) tone: Tone,
    pub(in crate::tui) name: Text,
    /// Amounts from 0 to 1, one a column of the time axis.
    pub(in crate::tui) strip: Vec<Option<f64>>,
    /// Rate, share, total; where there is room also the first time, the clients then and the last time.
    pub(in crate::tui) cells: Vec<Text>,
}

/// One finding.
#[derive(Clone, Debug)]
pub(in crate::tui) struct FindingLine {
    pub(in crate::tui) severity: Text,
    pub(in crate::tui) name: Text,
    /// First and last column in which it was found; `None` outside of the axis.
    pub(in crate::tui) span: Option<(u16, u16)>,
    pub(in crate::tui) tone: Tone,
    pub(in crate::tui) count: Text,
    pub(in crate::tui) detail: Text,
}

/// A kind of request among those that ended with the chosen outcome.
#[derive(Clone, Debug)]
pub(in crate::tui) struct KindLine {
    pub(in crate::tui) name: Text,
    pub(in crate::tui) share: f64,
    pub(in crate::tui) percent: Text,
}

/// The view.
#[derive(Debug)]
pub(in crate::tui) struct ErrorsView {
    /// The chart of all failures, its axis, its moments, and the verdict over time.
    pub(in crate::tui) charts: Charts,
    pub(in crate::tui) total: Vec<Text>,
    pub(in crate::tui) chosen: Text,
    pub(in crate::tui) chosen_rate: Text,
    pub(in crate::tui) kinds: Vec<KindLine>,
    pub(in crate::tui) codes: Vec<CodeLine>,
    pub(in crate::tui) codes_focused: bool,
    /// Text shown instead of outcomes.
    pub(in crate::tui) none: String,
    pub(in crate::tui) examples: Table,
    pub(in crate::tui) findings: Vec<FindingLine>,
    pub(in crate::tui) findings_title: Text,
    pub(in crate::tui) findings_focused: bool,
    /// Headings of the numbers.
    pub(in crate::tui) headings: &'static [(&'static str, u16)],
}

/// Columns of the numbers of an outcome.
const WIDE: &[(&str, u16)] =
    &[("NOW/s", 7), ("%", 8), ("TOTAL", 10), ("FIRST", 8), ("CLIENTS", 9), ("LAST", 8)];
const NARROW: &[(&str, u16)] = &[("NOW/s", 6), ("%", 7), ("TOTAL", 10)];

impl ErrorsView {
    pub(super) fn new(app: &App, room: Size) -> Self {
        let maker = ChartMaker::new(app, layout::errors::columns(room));
        let chart = maker.failures();
        let charts = maker.finish(vec![chart]);
        let axis = charts.axis;
        let totals = app.scope.totals(&app.steady);
        let (failed, chosen) = (app.failed(), app.chosen_place());
        let is_narrow = Breadth::new(room) == Breadth::Narrow;
        let chosen_line = failed.get(chosen);
        Self {
            charts,
            total: total(app, &totals),
            chosen: Text::title(chosen_line.map_or(String::new(), |line| errors::name(line.outcome))),
            chosen_rate: Text::plain(chosen_line.map_or(String::new(), |line| per_second(line))),
            kinds: chosen_line.map(|line| kinds(line, &totals)).unwrap_or_default(),
            codes: codes(app, &totals, &axis, room),
            codes_focused: app.has_focus(0),
            none: errors::none(&totals),
            examples: examples::examples(app, chosen_line.map(|line| line.outcome), room),
            findings: findings(app, &axis, layout::errors::layout(room).finding_lines()),
            findings_title: Text::title(format!("Findings: {}", app.steady.findings.len())),
            findings_focused: app.has_focus(1),
            headings: if is_narrow { NARROW } else { WIDE },
        }
    }
}

fn per_second(line: &FailureLine) -> String {
    format!("{}/s", units::rate(Some(line.per_second)))
}

/// Returns the failures of the moment that is looked at, or of the last second, and those of the whole run.
fn total(app: &App, totals: &Totals) -> Vec<Text> {
    let moment = if app.cursor.is_some() { looked_at(app) } else { app.shown.history.last() };
    let rate = units::rate(moment.and_then(|moment| moment.failed_per_s()));
    let when = app.cursor.map_or("now".to_owned(), |at| format!("at {}", units::short_clock(at)));
    let share = moment.and_then(|moment| moment.failed_share());
    let role = share_role(share);
    let since = app.scope.since(&app.steady).map_or("in all", |_| "since the mark");
    let expected = match totals.expected_responses() {
        0 => String::new(),
        expected => format!(", {} expected", units::count(expected)),
    };
    vec![
        Text::plain(format!("{rate}/s {when}")).weighing(Weight::Subject),
        Text::new(role, units::percent(share)).then(Role::Label, " of requests").weighing(Weight::Subject),
        Text::label(format!(
            "{} {since}, {}{expected}",
            units::count(totals.errors()),
            units::percent(totals.failure_share())
        )),
    ]
}

fn kinds(line: &FailureLine, totals: &Totals) -> Vec<KindLine> {
    let kinds = totals.kinds_of(line.outcome);
    let kinds = kinds.map(|(kind, share)| KindLine {
        name: Text::plain(kind.name()),
        share: share.unwrap_or_default(),
        percent: Text::plain(units::percent(share)),
    });
    kinds.collect()
}

/// Returns the outcomes that have room, the chosen one among them.
fn codes(app: &App, totals: &Totals, axis: &TimeAxis, room: Size) -> Vec<CodeLine> {
    let (history, lines) = (&app.shown.history, layout::errors::lines(room));
    let (known, tones) = (history.codes(), tones_of(history.codes()));
    let columns = Columns::new(history, *axis);
    let strip = |code: usize| columns.most(&|moment| moment.code_per_s(code));
    let (failed, chosen) = (app.failed(), app.chosen_place());
    let from = (chosen + 1).saturating_sub(lines);
    let shown: Vec<_> = failed.iter().enumerate().skip(from).take(lines).collect();
    let codes: Vec<Option<usize>> =
        shown.iter().map(|(_, line)| known.iter().position(|code| *code == line.outcome)).collect();
    let rates: Vec<Vec<Option<f64>>> = codes.iter().map(|code| code.map(strip).unwrap_or_default()).collect();
    let most = rates.iter().flatten().flatten().copied().fold(0.0, f64::max);
    let mut lines = Vec::with_capacity(shown.len());
    for (((place, line), code), rates) in shown.into_iter().zip(codes).zip(rates) {
        let role = if line.per_second > 0.0 { Role::Plain } else { Role::Label };
        lines.push(CodeLine {
            is_chosen: place == chosen,
            tone: code.and_then(|code| tones.get(code).copied()).unwrap_or(Tone::Label),
            name: Text::new(if place == chosen { Role::Title } else { role }, errors::name(line.outcome)),
            strip: rates.into_iter().map(|rate| rate.map(|rate| amount(rate, most))).collect(),
            cells: cells(line, totals, app.steady.at, role),
        });
    }
    lines
}

/// Returns a rate on a logarithmic scale: a few must be seen beside many.
fn amount(rate: f64, most: f64) -> f64 {
    let full = most.ln_1p();
    if full > 0.0 { rate.ln_1p() / full } else { 0.0 }
}

fn cells(line: &FailureLine, totals: &Totals, now: Duration, role: Role) -> Vec<Text> {
    let is_now = line.per_second > 0.0;
    let last = if is_now { "now".to_owned() } else { units::whole_span(now.saturating_sub(line.last)) };
    vec![
        Text::new(role, units::rate(Some(line.per_second))),
        Text::new(role, units::percent(totals.outcome_share(line.outcome))),
        Text::plain(units::count(totals.ended(line.outcome))),
        Text::label(units::short_clock(line.first)),
        Text::label(units::count(line.clients_at_first)),
        Text::label(last),
    ]
}

/// Returns findings with the most severe ones first.
pub(super) fn worst_first(findings: &[FindingRow]) -> Vec<&FindingRow> {
    let mut rows: Vec<&FindingRow> = findings.iter().collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.finding.severity()));
    rows
}

/// Returns the word and the tone of a severity.
pub(super) const fn severity_words(severity: Severity) -> (&'static str, Tone) {
    match severity {
        Severity::Error => ("error", Tone::Fail),
        Severity::Warning => ("warning", Tone::Warn),
        Severity::Note => ("note", Tone::Label),
    }
}

/// Returns the findings that have room, the worst first.
fn findings(app: &App, axis: &TimeAxis, room: usize) -> Vec<FindingLine> {
    let rows = worst_first(&app.steady.findings);
    let scroll = if app.has_focus(1) { app.scroll } else { 0 };
    rows.into_iter().skip(scroll).take(room).map(|row| finding(row, axis)).collect()
}

fn finding(row: &FindingRow, axis: &TimeAxis) -> FindingLine {
    let (word, tone) = severity_words(row.finding.severity());
    let first = axis.column(row.first.max(axis.from));
    FindingLine {
        severity: Text::new(Role::In(tone), word),
        name: Text::title(row.finding.name()),
        span: first.zip(axis.column(row.last)),
        tone,
        count: Text::plain(format!("{}x", units::count(row.count))),
        detail: Text::label(&*row.detail),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::app::{Access, Msg};
    use crate::tui::fixtures;
    use crate::tui::input::{Input, Key};
    use crate::vocabulary::Outcome;

    fn app(stage: &str) -> App {
        let mut app = App::new(fixtures::title(), Access::Full);
        app.update(Msg::Screen(Size::new(160, 48)));
        app.update(Msg::Sample(fixtures::sample(stage)));
        app.update(Msg::Input(Input::Key(Key::Char('3'))));
        app
    }

    fn view(app: &App) -> ErrorsView {
        ErrorsView::new(app, app.room)
    }

    #[test]
    fn the_strip_of_a_code_is_empty_before_its_first_second() {
        let app = app("storm");
        let view = view(&app);
        let codes = app.shown.history.codes();
        let known =
            view.codes.iter().filter(|line| codes.iter().any(|code| errors::name(*code) == line.name.text));
        let mut seen = 0;
        for line in known {
            let first = line.strip.iter().position(|amount| amount.is_some_and(|amount| amount > 0.0));
            let Some(first) = first else { continue };
            seen += 1;
            assert!(line.strip[..first].iter().all(|amount| amount.is_none_or(|amount| amount <= 0.0)));
            assert!(first > 0, "{line:?}");
        }
        assert!(seen > 0, "{:?}", view.codes);
    }

    #[test]
    fn a_choice_and_a_colour_stay_with_their_outcome() {
        let mut app = app("storm");
        app.update(Msg::Input(Input::Key(Key::Down)));
        let before = view(&app);
        let chosen = before.codes.iter().find(|line| line.is_chosen).expect("a choice").clone();
        assert_eq!(before.chosen.text, chosen.name.text);
        let mut sample = (*app.steady).clone();
        sample.failures.reverse();
        sample.at += Duration::from_secs(1);
        app.update(Msg::Sample(sample.into()));
        let after = view(&app);
        let same = after.codes.iter().find(|line| line.name.text == chosen.name.text).expect("the same");
        assert!(same.is_chosen && same.tone == chosen.tone);
    }

    #[test]
    fn enter_lists_the_clients_of_the_chosen_outcome() {
        let mut app = app("storm");
        let mut sample = (*app.steady).clone();
        let rows = std::sync::Arc::make_mut(&mut sample.snapshot.clients);
        rows.iter_mut().for_each(|row| (row.had, row.last) = (0, None));
        // One had it long ago; another one, whose last request has failed otherwise, never.
        rows[4].had = 1;
        rows[5].last = Some((Outcome::from_status(504, false), 1));
        sample.snapshot.codes = vec![Outcome::from_status(503, false)];
        let id = rows[4].id;
        sample.at += Duration::from_secs(1);
        app.update(Msg::Sample(sample.into()));
        app.update(Msg::Input(Input::Key(Key::Enter)));
        assert_eq!(app.view, crate::tui::app::View::Clients);
        let rows = &app.steady.snapshot.clients;
        let listed: Vec<u64> = app.clients.order.iter().map(|place| rows[*place as usize].id).collect();
        assert_eq!(listed, [id]);
    }
}
