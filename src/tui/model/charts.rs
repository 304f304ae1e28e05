//! Charts on one time axis: clients by state, durations as a heat map, failures by code, and throughput.

use std::time::Duration;

use crate::sample::{CODES, HeatOf, Moment, RunSample};
use crate::stats::LatencyDigest;
use crate::tui::app::{App, ChartWindow, View};
use crate::tui::theme::Role;
use crate::tui::widget::{HeatGrid, Labelled, TimeAxis, round_up};
use crate::vocabulary::palette::tones_of;
use crate::vocabulary::{ClientState, RunState, Tone, units};

use super::columns::{self, Columns, HeatScale};
use super::{Text, Weight, errors, stage};

/// Number of codes in a legend: the others are in the list of failures.
const LEGEND_CODES: usize = 4;
/// Round durations at the left of a heat map, in microseconds.
const HEIGHTS: [(u64, &str); 8] = [
    (100, "0.1 ms"),
    (1_000, "1 ms"),
    (10_000, "10 ms"),
    (100_000, "100 ms"),
    (1_000_000, "1 s"),
    (10_000_000, "10 s"),
    (30_000_000, "30 s"),
    (60_000_000, "60 s"),
];
/// Share of the clients that may change their state while all are read.
const COUNTED_TWICE: f64 = 0.01;
/// Room in a rule for the legend of a heat map.
pub(in crate::tui) const LEGEND_ROOM: &str = "                ";
/// Columns of an axis from which there is room for whole labels of moments.
const WIDE: u16 = 80;

/// A band of a stack.
#[derive(Clone, Debug)]
pub(in crate::tui) struct StackBand {
    pub(in crate::tui) values: Vec<Option<f64>>,
    pub(in crate::tui) tone: Tone,
    pub(in crate::tui) trouble: bool,
}

/// Bands on one another.
#[derive(Clone, Debug)]
pub(in crate::tui) struct Stack {
    pub(in crate::tui) bands: Vec<StackBand>,
    /// Planned values after the present, as many a column as a curve has; empty without a plan.
    pub(in crate::tui) ahead: Vec<Option<f64>>,
    /// Value of the whole height.
    pub(in crate::tui) top: f64,
    /// Labels of the top, the middle and 0.
    pub(in crate::tui) scale: [String; 3],
}

/// Durations by column and bucket.
#[derive(Clone, Debug)]
pub(in crate::tui) struct HeatMap {
    pub(in crate::tui) grid: HeatGrid,
    /// Heights of round durations, as shares of the height.
    pub(in crate::tui) heights: Vec<(f64, &'static str)>,
    /// Heights of the percentiles of the last ten seconds; the one that matters most first.
    pub(in crate::tui) markers: Vec<(f64, &'static str)>,
    /// Height and words of the duration above which a segment loads more slowly than it plays.
    pub(in crate::tui) limit: Option<(f64, String)>,
}

/// The shape of a chart.
#[derive(Clone, Debug)]
pub(in crate::tui) enum Figure {
    Stack(Stack),
    Heat(HeatMap),
}

/// A chart below its rule.
#[derive(Clone, Debug)]
pub(in crate::tui) struct Chart {
    pub(in crate::tui) title: Text,
    pub(in crate::tui) aside: Vec<Text>,
    pub(in crate::tui) focused: bool,
    pub(in crate::tui) figure: Figure,
}

/// Charts on one time axis.
#[derive(Clone, Debug)]
pub(in crate::tui) struct Charts {
    pub(in crate::tui) charts: Vec<Chart>,
    pub(in crate::tui) axis: TimeAxis,
    /// The verdict of each column.
    pub(in crate::tui) verdicts: Vec<Option<Tone>>,
    /// The present, below the ribbon.
    pub(in crate::tui) now: String,
    /// Knees and marks.
    pub(in crate::tui) moments: Vec<Labelled>,
    /// Column of the cursor that looks back.
    pub(in crate::tui) cursor: Option<u16>,
}

/// The makers of charts on one axis.
pub(super) struct ChartMaker<'a> {
    pub(super) app: &'a App,
    columns: Columns<'a>,
}

impl<'a> ChartMaker<'a> {
    /// Prepares charts with this many columns.
    pub(super) fn new(app: &'a App, columns: u16) -> Self {
        Self { app, columns: Columns::new(&app.shown.history, app.axis(columns)) }
    }

    /// Returns a value of the moment that stands for each column.
    pub(super) fn values(&self, of: &dyn Fn(&Moment<'a>) -> Option<f64>) -> Vec<Option<f64>> {
        self.columns.values(of)
    }

    /// Returns the second whose values the rules show: the one at the cursor, or the last one.
    pub(super) fn second(&self) -> Option<Moment<'_>> {
        match self.app.cursor {
            Some(at) => self.columns.at(at),
            None => self.app.shown.history.last(),
        }
    }

    /// Reports whether rules show values: at the end of a run only the cursor points at a second that says something.
    pub(super) fn has_values(&self) -> bool {
        self.app.view != View::Report || self.app.cursor.is_some()
    }

    /// Puts the charts on their axis.
    pub(super) fn finish(self, charts: Vec<Chart>) -> Charts {
        let axis = self.columns.axis;
        let is_ended = self.app.shown.state == RunState::Finished;
        Charts {
            charts,
            axis,
            verdicts: self.columns.verdicts(),
            now: format!("{} {}", if is_ended { "end" } else { "now" }, units::short_clock(axis.now)),
            moments: moments(self.app, &axis),
            cursor: self.app.cursor.and_then(|at| axis.column(at)),
        }
    }

    /// Stacks the clients by state, those in trouble at the bottom, so that their height can be read.
    pub(super) fn clients(&self) -> Chart {
        let sample = &self.app.shown;
        let bands: Vec<StackBand> = STATES
            .into_iter()
            .map(|(state, _, tone)| StackBand {
                values: self.columns.states(state),
                tone,
                trouble: state.is_trouble(),
            })
            .collect();
        let ahead = stage::ahead(self.app, &self.columns.axis);
        let most = ahead.iter().flatten().copied().fold(largest_sum(&bands), f64::max);
        let top = top_of_clients(sample.target, most);
        let whole = top.round() as u64;
        // Half a client is no label.
        let middle = if whole.is_multiple_of(2) { units::count(whole / 2) } else { String::new() };
        Chart {
            title: clients_title(self.app.window),
            aside: STATES.iter().rev().filter_map(|entry| self.state_legend(*entry)).collect(),
            focused: false,
            figure: Figure::Stack(Stack {
                bands,
                ahead,
                top,
                scale: [units::count(whole), middle, "0".to_owned()],
            }),
        }
    }

    /// Returns a state's entry in the legend; `None` for a rare state without clients.
    fn state_legend(&self, (state, word, tone): (ClientState, &str, Tone)) -> Option<Text> {
        let sample = &self.app.steady;
        if !self.has_values() {
            let has_clients = self.columns.states(state).iter().flatten().any(|clients| *clients > 0.0);
            return has_clients.then(|| swatch(tone, word));
        }
        let (count, share) = match self.app.cursor {
            Some(at) => {
                let moment = self.columns.at(at);
                let count = moment.and_then(|moment| columns::clients(&moment, state));
                let share = moment.and_then(|moment| moment.state_share(state));
                (count.map(|count| count.round() as u64), share)
            }
            None => (Some(sample.snapshot.in_state(state)), sample.state_share(state)),
        };
        let text = format!("{word} {}", count.map_or(units::UNKNOWN.to_owned(), units::count));
        match state {
            ClientState::Dead | ClientState::Leaving if count == Some(0) => None,
            ClientState::Stalled | ClientState::Dead if count > Some(0) => {
                let share = units::percent(share);
                let text = Text::new(Role::LegendAlarm(tone), format!("■ {text}  {share}"));
                Some(text.or_short(format!("■ {word} {share}")).weighing(Weight::OutOfBounds))
            }
            ClientState::Playing => Some(swatch(tone, &text).weighing(Weight::Subject)),
            _ => Some(swatch(tone, &text)),
        }
    }

    /// Shows how many took how long, in `lines` lines of the screen, with the percentiles of the last ten seconds.
    pub(super) fn heat(&self, of: HeatOf, lines: usize) -> Figure {
        let scale = self.scale(of, lines);
        let share = |(us, text): (u64, &'static str)| Some((scale.height(us)?, text));
        Figure::Heat(HeatMap {
            grid: self.columns.heat(of, scale),
            heights: HEIGHTS.into_iter().filter_map(share).collect(),
            // Those of the last ten seconds are no result of the run.
            markers: match self.app.view {
                View::Report => Vec::new(),
                _ => markers(digest(&self.app.steady, of), scale),
            },
            limit: self.slower_than_played(of, scale),
        })
    }

    /// Returns the height of the target duration: a viewer who waits that long for each segment runs dry.
    fn slower_than_played(&self, of: HeatOf, scale: HeatScale) -> Option<(f64, String)> {
        let target = self.app.shown.stream.target_duration.filter(|_| of == HeatOf::Segment)?;
        let height = scale.height(u64::try_from(target.as_micros()).ok()?)?;
        Some((height, format!("slower than it plays ({})", units::short_span(target))))
    }

    /// Returns the scale of a heat map in `lines` lines of the screen.
    pub(super) fn scale(&self, of: HeatOf, lines: usize) -> HeatScale {
        self.columns.scale(of, 2 * lines)
    }

    /// Stacks the failures per second by code, in the order in which the codes appeared.
    pub(super) fn failures(&self) -> Chart {
        let history = &self.app.shown.history;
        let mut tones = tones_of(history.codes());
        tones.resize(CODES, Tone::Other);
        tones.push(Tone::Label);
        let bands = tones.into_iter().enumerate().map(|(code, tone)| StackBand {
            values: self.columns.code(code),
            tone,
            trouble: true,
        });
        let bands: Vec<StackBand> =
            bands.filter(|band| band.values.iter().flatten().any(|value| *value > 0.0)).collect();
        let top = round_up(largest_sum(&bands).max(1.0));
        let label = |value: f64| match value.fract() {
            0.0 => units::count(value as u64),
            _ => units::rate(Some(value)),
        };
        Chart {
            title: Text::title("Failures per second").or_short("Failures/s"),
            aside: self.failure_legend(),
            focused: false,
            figure: Figure::Stack(Stack {
                bands,
                ahead: Vec::new(),
                top,
                scale: [label(top), label(top / 2.0), "0".to_owned()],
            }),
        }
    }

    fn failure_legend(&self) -> Vec<Text> {
        let sample = &self.app.steady;
        let codes = self.app.shown.history.codes();
        let mut legend: Vec<Text> = codes
            .iter()
            .zip(tones_of(codes))
            .take(LEGEND_CODES)
            .map(|(code, tone)| swatch(tone, &errors::short(*code)))
            .collect();
        let hidden = codes.len().saturating_sub(LEGEND_CODES);
        if hidden > 0 {
            legend.push(Text::label(format!("+{hidden}")).weighing(Weight::Decoration));
        }
        if !self.has_values() {
            return legend;
        }
        let second = self.second();
        let rate = units::rate(second.and_then(|second| second.failed_per_s()));
        let (rate, share, of) = match self.app.cursor {
            Some(_) => (format!("{rate}/s"), second.and_then(|second| second.error_share()), ""),
            None => (format!("now {rate}/s"), sample.health.error_share, " in 10 s"),
        };
        legend.push(Text::label(rate).weighing(Weight::Subject));
        legend.push(alarming(format!("{}{of}", units::percent(share)), share));
        legend
    }
}

/// Returns the title of the first chart, which names the time that all of them cover unless it is the whole run.
fn clients_title(window: ChartWindow) -> Text {
    match window {
        ChartWindow::Run => Text::title("Clients"),
        _ => Text::title(format!("Clients, {}", window.name())).or_short("Clients"),
    }
}

/// States of the chart from the bottom up, with their words in its legend.
const STATES: [(ClientState, &str, Tone); 6] = [
    (ClientState::Dead, "dead", Tone::Fail2),
    (ClientState::Stalled, "stalled", Tone::Fail),
    (ClientState::Waiting, "wait", Tone::Warn),
    (ClientState::Starting, "start", Tone::Start),
    (ClientState::Playing, "play", Tone::Play),
    (ClientState::Leaving, "leave", Tone::Label),
];

/// Returns an entry of a legend: a square in its tone, and words.
pub(super) fn swatch(tone: Tone, words: &str) -> Text {
    Text::new(Role::Legend(tone), format!("■ {words}"))
}

/// Returns a text that is red or amber from the bounds of the verdict on, and then never left out.
pub(super) fn alarming(text: String, share: Option<f64>) -> Text {
    match super::share_role(share) {
        Role::Plain => Text::plain(text),
        role => Text::new(role, text).weighing(Weight::OutOfBounds),
    }
}

/// Returns the largest sum of all bands of a column.
pub(super) fn largest_sum(bands: &[StackBand]) -> f64 {
    let columns = bands.first().map_or(0, |band| band.values.len());
    let sum = |column: usize| -> f64 {
        bands.iter().filter_map(|band| band.values.get(column).copied().flatten()).sum()
    };
    (0..columns).map(sum).fold(0.0, f64::max)
}

/// Returns the top of the axis of clients: their target, or a larger number that there has been or will be. A client that
/// changes its state while all are read counts twice, so a few more than the target are none.
fn top_of_clients(target: u32, most: f64) -> f64 {
    let target = f64::from(target);
    if most <= target * (1.0 + COUNTED_TWICE) { target } else { most }
}

/// Returns the digest of the durations of a heat map.
pub(super) fn digest(sample: &RunSample, of: HeatOf) -> LatencyDigest {
    use crate::vocabulary::{Kind, Timed};
    match of {
        HeatOf::Segment => sample.latency(Timed::Total(Kind::Segment)),
        HeatOf::FirstByte => sample.latency(Timed::FirstByte(Kind::Segment)),
        HeatOf::Playlist => sample.latency(Timed::Total(Kind::Playlist)),
        HeatOf::Startup => sample.latency(Timed::Startup),
        HeatOf::LiveLatency => sample.live_latency,
    }
}

/// Formats a duration of a heat map: viewers are seconds behind live, requests take milliseconds.
pub(super) fn duration(of: HeatOf, microseconds: u64) -> String {
    match of {
        HeatOf::LiveLatency => units::span(Duration::from_micros(microseconds)),
        _ => format!("{} ms", units::milliseconds(microseconds)),
    }
}

fn markers(digest: LatencyDigest, scale: HeatScale) -> Vec<(f64, &'static str)> {
    let Some(recent) = digest.recent else { return Vec::new() };
    let named = [(recent.p95, "p95"), (recent.p50, "p50"), (recent.p99, "p99")];
    named.into_iter().filter_map(|(us, name)| Some((scale.height(us)?, name))).collect()
}

/// Returns the knees and the marks on the axis, in fewer words where there is little room.
fn moments(app: &App, axis: &TimeAxis) -> Vec<Labelled> {
    let mut moments = app.moments(axis);
    if axis.columns < WIDE {
        moments.iter_mut().for_each(|moment| moment.label = moment.label.replace(" 1%", ""));
    }
    moments
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ratatui::layout::Size;

    use super::*;
    use crate::sample::{History, Point};
    use crate::tui::app::{Access, Msg};
    use crate::tui::fixtures;

    fn app(sample: RunSample) -> App {
        let mut app = App::new(fixtures::title(), Access::Full);
        app.update(Msg::Sample(Arc::new(sample)));
        app
    }

    /// Returns a sample of a run of so many seconds in which clients stalled for one second.
    fn one_bad_second(seconds: u64, bad: u64) -> RunSample {
        let mut history = History::new(1_795_437_067_000);
        for ends in 1..=seconds {
            let mut point = Point { ends: Duration::from_secs(ends), ..Point::default() };
            let stalled = if ends == bad { 40 } else { 0 };
            point.counts.client_ms[ClientState::Playing.index()] = 1_000 * (1_000 - stalled);
            point.counts.client_ms[ClientState::Stalled.index()] = 1_000 * stalled;
            point.peaks.stalled = stalled as u32;
            history.push(point);
        }
        let (at, history) = (Duration::from_secs(seconds), Arc::new(history));
        RunSample { at, history, target: 1_000, ..RunSample::default() }
    }

    #[test]
    fn a_client_that_is_counted_twice_does_not_move_the_axis() {
        let tops = [(5_000, 5_003.0), (5_000, 6_480.0), (5_000, 12.0), (0, 3.0)];
        let tops = tops.map(|(target, most)| top_of_clients(target, most) as u64);
        assert_eq!(tops, [5_000, 6_480, 5_000, 3]);
    }

    #[test]
    fn a_second_with_stalls_is_seen_at_every_width_and_after_hours() {
        for (seconds, bad) in [(50, 20), (500, 499), (86_400, 40_000)] {
            let app = app(one_bad_second(seconds, bad));
            for columns in [1, 7, 64, 90, 300] {
                let chart = ChartMaker::new(&app, columns).clients();
                let Figure::Stack(stack) = &chart.figure else { panic!("a stack") };
                let stalled = stack.bands.iter().find(|band| band.tone == Tone::Fail).expect("a band");
                let most = stalled.values.iter().flatten().copied().fold(0.0, f64::max);
                assert!((most - 40.0).abs() < 0.1, "{seconds} s in {columns} columns: {most}");
                assert!((stack.top - 1_000.0).abs() < 0.1, "{}", stack.top);
                assert_eq!(stack.scale, ["1,000", "500", "0"]);
            }
        }
    }

    #[test]
    fn the_numbers_at_the_cursor_are_those_of_the_column_that_is_drawn_there() {
        for (seconds, bad) in [(59, 20), (290, 41), (7_000, 3_333)] {
            let mut app = app(one_bad_second(seconds, bad));
            for screen in [Size::new(80, 24), Size::new(160, 48)] {
                app.update(Msg::Screen(screen));
                let axis = app.axis(app.chart_columns());
                let mut bad_columns = 0;
                for column in 0..axis.columns {
                    app.cursor = Some(axis.ends(column));
                    let maker = ChartMaker::new(&app, axis.columns);
                    let drawn = maker.columns.states(ClientState::Stalled)[usize::from(column)];
                    let at_cursor = columns::looked_at(&app)
                        .and_then(|moment| columns::clients(&moment, ClientState::Stalled));
                    assert_eq!(at_cursor, drawn, "column {column} of {seconds} s");
                    let legend = maker.clients().aside;
                    let stalled =
                        legend.iter().find(|text| text.text.contains("stalled")).expect("the state");
                    let count = drawn.map_or("--".to_owned(), |count| units::count(count.round() as u64));
                    assert!(stalled.text.contains(&format!("stalled {count}")), "{} {drawn:?}", stalled.text);
                    bad_columns += usize::from(drawn > Some(1.0));
                }
                assert!(bad_columns > 0, "{seconds} s: the bad second can be looked at");
            }
        }
    }

    #[test]
    fn a_code_keeps_its_colour_and_is_in_the_legend() {
        let app = app(RunSample::clone(&fixtures::sample("storm")));
        let chart = ChartMaker::new(&app, 90).failures();
        let legend: Vec<&str> = chart.aside.iter().map(|text| text.text.as_str()).collect();
        assert_eq!(legend[..3], ["■ 503", "■ 504", "■ timeout.first_byte"]);
        let Figure::Stack(stack) = &chart.figure else { panic!("a stack") };
        let tones: Vec<Tone> = stack.bands.iter().map(|band| band.tone).collect();
        assert_eq!(tones, [Tone::Fail, Tone::Fail2, Tone::Other]);
        assert!(stack.top >= largest_sum(&stack.bands));
    }

    #[test]
    fn a_run_without_anything_has_charts_without_values() {
        let app = app(RunSample::default());
        let maker = ChartMaker::new(&app, 20);
        let charts = [maker.clients(), maker.failures(), maker.throughput()];
        for chart in maker.finish(charts.into()).charts {
            let Figure::Stack(stack) = chart.figure else { panic!("a stack") };
            assert!(stack.bands.iter().all(|band| band.values.iter().all(Option::is_none)), "{stack:?}");
        }
    }
}
