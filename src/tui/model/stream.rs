//! The view of the stream: is it the stream itself, or one edge? The ladder with the age of each playlist, the distance
//! of the viewers from the live edge, ages over time, edges, findings, and windows with playheads.

use std::time::Duration;

use ratatui::layout::Size;

use crate::sample::{PLAYHEADS, RungSample, StreamSample};
use crate::tui::app::{App, rung_label};
use crate::tui::layout::inside;
use crate::tui::layout::stream::{Layout, NAMES, StreamPanel, layout, plot};
use crate::tui::theme::Role;
use crate::tui::widget::{Labelled, TimeAxis, VALUES_A_COLUMN, round_up_closely};
use crate::vocabulary::{Tone, units};

use super::charts::{ChartMaker, Charts, LEGEND_ROOM};
use super::columns::{Columns, looked_at};
use super::stream_panels::{
    self, EdgeLine, RungLine, StreamFinding, WindowLine, edge_facts, edges, findings, ladder,
};
use super::{Text, Weight};

/// Numbers of bars of the distribution: parts of the number of buckets.
const BARS: [u16; 5] = [32, 24, 16, 12, 8];
/// Distances between two ticks, in seconds, and the fewest columns between them.
const STEPS_S: [u64; 9] = [1, 2, 5, 10, 20, 30, 60, 120, 300];
const TICK_COLUMNS: u64 = 9;

/// The view.
#[derive(Debug)]
pub(in crate::tui) struct StreamView {
    pub(in crate::tui) panel: StreamPanel,
    /// Facts about the stream.
    pub(in crate::tui) aside: Vec<Text>,
    pub(in crate::tui) ladder: Vec<RungLine>,
    /// Heading of the ages.
    pub(in crate::tui) ages: Text,
    /// Words of an empty ladder.
    pub(in crate::tui) none: &'static str,
    pub(in crate::tui) live: Live,
    pub(in crate::tui) edges: Vec<EdgeLine>,
    /// Headings of their numbers.
    pub(in crate::tui) edge_headings: Text,
    pub(in crate::tui) edge_facts: Vec<Text>,
    pub(in crate::tui) findings: Vec<StreamFinding>,
    pub(in crate::tui) findings_title: Text,
}

/// The panels of a live stream.
#[derive(Debug)]
pub(in crate::tui) enum Live {
    /// The stream is live.
    Yes(Box<Viewers>),
    /// Reason for which there is nothing to show.
    No(&'static str),
}

/// Viewers of a live stream.
#[derive(Debug)]
pub(in crate::tui) struct Viewers {
    pub(in crate::tui) behind: BehindChart,
    pub(in crate::tui) age: AgeChart,
    pub(in crate::tui) windows: Vec<WindowLine>,
    pub(in crate::tui) windows_aside: Vec<Text>,
    /// Ticks of the windows, by column.
    pub(in crate::tui) windows_ticks: Vec<(u16, String)>,
}

/// The distribution of the viewers behind live, the live edge at the left.
#[derive(Debug)]
pub(in crate::tui) struct BehindChart {
    pub(in crate::tui) aside: Vec<Text>,
    pub(in crate::tui) bars: Vec<(f64, Tone)>,
    /// Columns of a bar, without the free one after it.
    pub(in crate::tui) width: u16,
    pub(in crate::tui) top: f64,
    pub(in crate::tui) scale: [String; 3],
    /// Distance at which players shall begin.
    pub(in crate::tui) hold_back: Option<Labelled>,
    pub(in crate::tui) ticks: Vec<(u16, String)>,
}

/// The age of the playlist of one rung over time.
#[derive(Debug)]
pub(in crate::tui) struct AgeChart {
    pub(in crate::tui) aside: Vec<Text>,
    /// Ages in seconds, two a column.
    pub(in crate::tui) values: Vec<Option<f64>>,
    pub(in crate::tui) top: f64,
    pub(in crate::tui) limit: Option<f64>,
    pub(in crate::tui) scale: [String; 3],
    /// Words instead of a curve.
    pub(in crate::tui) none: Option<&'static str>,
    /// Axis, moments and cursor.
    pub(in crate::tui) charts: Charts,
}

impl StreamView {
    pub(super) fn new(app: &App, room: Size) -> Self {
        let (stream, places) = (&*app.steady.stream, layout(room));
        let live = match stream.is_live {
            Some(true) => Live::Yes(Box::new(Viewers::new(app, &places))),
            Some(false) => Live::No("not live: no playlist age, no distance from a live edge"),
            None => Live::No("no media playlist has been loaded yet"),
        };
        let late_from = stream.late_from().map(units::short_span);
        Self {
            panel: app.stream_panel(),
            aside: facts(app),
            ladder: ladder(app, places.lines(StreamPanel::Ladder)),
            ages: Text::label(late_from.map_or("AGE".to_owned(), |limit| format!("AGE ┊ late at {limit}"))),
            none: "no playlist has been loaded yet",
            live,
            edges: edges(app, &places),
            edge_headings: edge_headings(),
            edge_facts: edge_facts(app),
            findings: findings(app, &places),
            findings_title: Text::title(format!("Findings: {}", app.steady.findings.len())),
        }
    }
}

/// Columns of the numbers of an edge, with their headings.
pub(in crate::tui) const EDGE_COLUMNS: [(&str, u16); 5] =
    [("responses", 10), ("hit", 7), ("fail", 7), ("clients", 9), ("share", 7)];

/// Returns the headings of the edges as one text, so that they stay above their numbers.
fn edge_headings() -> Text {
    let words = EDGE_COLUMNS.map(|(name, width)| format!("{name:>width$}", width = usize::from(width)));
    Text::label(words.concat().trim_start())
}

/// Returns facts about the whole stream. A late playlist comes first and is never left out.
fn facts(app: &App) -> Vec<Text> {
    let stream = &app.steady.stream;
    let mut facts: Vec<Text> = late(stream).into_iter().collect();
    let kind = match stream.is_live {
        Some(true) => "live",
        Some(false) => "not live",
        None => return facts,
    };
    facts.push(Text::label(kind).weighing(Weight::Subject));
    if let Some(target) = stream.target_duration.map(units::short_span) {
        let text = Text::label(format!("target duration {target}")).or_short(format!("target {target}"));
        facts.push(text.weighing(Weight::Subject));
    }
    let window = stream.window_segments.map(|segments| units::plural(segments, "segment"));
    facts.extend(window.map(|segments| match stream.is_live {
        Some(true) => Text::label(format!("window {segments}")).or_short(segments),
        _ => Text::label(segments),
    }));
    facts.extend(
        stream.hold_back.map(|hold_back| Text::label(format!("hold-back {}", units::short_span(hold_back)))),
    );
    facts
}

/// Returns the words for the playlists that are late now; `None` if none is.
pub(super) fn late(stream: &StreamSample) -> Option<Text> {
    let count = stream.late().count() as u64;
    let oldest = stream.oldest().filter(|rung| stream.is_late(rung))?;
    let (label, age) = (rung_label(oldest), units::span(oldest.age?));
    let text = match count {
        1 => format!("✗ {label}: nothing new for {age}"),
        _ => format!("✗ {count} playlists late, {label}: nothing new for {age}"),
    };
    let text = Text::new(Role::Failing, text).or_short(format!("✗ {label} {age} old"));
    Some(text.weighing(Weight::OutOfBounds))
}

impl Viewers {
    fn new(app: &App, places: &Layout) -> Self {
        let stream = &app.steady.stream;
        let columns = inside(places.windows).width.saturating_sub(NAMES);
        let ticks = ticks(stream.span, columns).into_iter();
        // The live edge is at the right end here.
        let from_live = |(column, label): (u16, String)| (columns.saturating_sub(column + 1), label);
        Self {
            behind: BehindChart::new(stream, plot(places.behind).width),
            age: AgeChart::new(app, places.columns()),
            windows: stream_panels::windows(app, places.window_rungs(), columns),
            windows_aside: vec![
                Text::label("━ listed segments").weighing(Weight::Subject),
                Text::label("▄ playheads"),
                Text::label(LEGEND_ROOM).weighing(Weight::Decoration),
            ],
            windows_ticks: ticks.map(from_live).collect(),
        }
    }
}

/// Returns the columns of round distances, and `live` at the first one.
fn ticks(span: Duration, columns: u16) -> Vec<(u16, String)> {
    let (length_s, columns) = (span.as_secs(), u64::from(columns));
    if length_s == 0 || columns == 0 {
        return Vec::new();
    }
    let has_room = |step: &u64| step * columns >= TICK_COLUMNS * length_s;
    let step = STEPS_S.into_iter().find(has_room).unwrap_or(length_s);
    let label =
        |at: u64| if at == 0 { "live".to_owned() } else { units::whole_span(Duration::from_secs(at)) };
    let ticks = (0..length_s).step_by(usize::try_from(step).unwrap_or(1));
    let column = |at: u64| u16::try_from(at * columns / length_s);
    ticks.filter_map(|at| Some((column(at).ok()?, label(at)))).collect()
}

impl BehindChart {
    fn new(stream: &StreamSample, columns: u16) -> Self {
        let fits = |width: u16| BARS.into_iter().find(move |bars| bars * (width + 1) <= columns);
        // Bars of one column only where there is no room for wider ones.
        let number = fits(2).or_else(|| fits(1)).unwrap_or_default();
        let width = columns.checked_div(number).unwrap_or_default().saturating_sub(1);
        let (playheads, used) = (stream.playheads(), number * (width + 1));
        let each = PLAYHEADS.checked_div(usize::from(number)).unwrap_or(PLAYHEADS);
        let begin = |bar: usize| stream.span * (bar * each) as u32 / PLAYHEADS as u32;
        let bar = |(place, counts): (usize, &[u32])| {
            (counts.iter().map(|count| f64::from(*count)).sum(), tone(stream, begin(place)))
        };
        let bars: Vec<(f64, Tone)> =
            playheads.chunks(each).take(usize::from(number)).enumerate().map(bar).collect();
        let top = round_up_closely(bars.iter().map(|(count, _)| *count).fold(0.0, f64::max));
        let whole = top as u64;
        let middle = if whole.is_multiple_of(2) { units::count(whole / 2) } else { String::new() };
        let hold_back = stream.hold_back.filter(|hold_back| *hold_back < stream.span).map(|hold_back| {
            let share = hold_back.div_duration_f64(stream.span);
            Labelled {
                column: (share * f64::from(used)) as u16,
                label: format!("┊ hold-back {}", units::short_span(hold_back)),
            }
        });
        Self {
            aside: distances(stream),
            bars,
            width,
            top,
            scale: [units::count(whole), middle, "0".to_owned()],
            hold_back,
            ticks: ticks(stream.span, used),
        }
    }
}

/// Returns the tone of viewers at a distance: those behind the window ask for what is gone, those a target duration and
/// more behind the hold-back have fallen back.
fn tone(stream: &StreamSample, behind: Duration) -> Tone {
    let fell_back =
        stream.hold_back.zip(stream.target_duration).map(|(hold_back, target)| hold_back + target);
    match behind {
        _ if stream.window_begin().is_some_and(|begin| behind >= begin) => Tone::Fail,
        _ if fell_back.is_some_and(|distance| behind >= distance) => Tone::Warn,
        _ => Tone::Play,
    }
}

/// Returns the distances of all viewers.
fn distances(stream: &StreamSample) -> Vec<Text> {
    let behind = &stream.behind;
    let text = |name: &str, value: Option<Duration>| {
        let role = match value.map(|value| tone(stream, value)) {
            Some(Tone::Fail) => Role::Failing,
            Some(Tone::Warn) => Role::Warning,
            _ => Role::Plain,
        };
        let text = value.map_or(units::UNKNOWN.to_owned(), units::span);
        Text::label(format!("{name} ")).then(role, &text)
    };
    let is_far = behind.p95.is_some_and(|p95| tone(stream, p95) != Tone::Play);
    let weight = if is_far { Weight::OutOfBounds } else { Weight::Subject };
    vec![
        Text::label(units::plural(behind.clients.into(), "client")),
        text("p50", behind.p50),
        text("p95", behind.p95).weighing(weight),
        text("worst", behind.max),
    ]
}

impl AgeChart {
    fn new(app: &App, columns: u16) -> Self {
        let stream = &app.steady.stream;
        let rung = app.chosen_rung();
        let charts = ChartMaker::new(app, columns).finish(Vec::new());
        let axis = TimeAxis { columns: columns.saturating_mul(VALUES_A_COLUMN), ..charts.axis };
        let of_time = Columns::new(&app.shown.history, axis);
        let place = rung.map_or(usize::MAX, |rung| rung.place);
        let values = of_time.most(&|moment| moment.playlist_age(place).map(|age| age.as_secs_f64()));
        let limit = stream.late_from().map(|limit| limit.as_secs_f64());
        // Room above the limit, or the line of a healthy stream would touch its top.
        let least = limit.map(|limit| 4.0 / 3.0 * limit);
        let most = values.iter().flatten().copied().chain(least).fold(0.0, f64::max);
        let top = round_up_closely(most);
        let label =
            |seconds: f64| units::short_span(Duration::try_from_secs_f64(seconds).unwrap_or_default());
        Self {
            aside: ages(app, rung),
            none: values.iter().all(Option::is_none).then_some(match rung {
                Some(rung) if rung.clients == 0 => "no client plays it: its age is unknown",
                _ => "its age over time is unknown",
            }),
            values,
            top,
            limit,
            scale: [label(top), label(top / 2.0), "0".to_owned()],
            charts,
        }
    }
}

/// Returns the age of one rung and the largest of the others: now, or in the second at the cursor.
fn ages(app: &App, chosen: Option<&RungSample>) -> Vec<Text> {
    let (stream, Some(chosen)) = (&app.steady.stream, chosen) else { return Vec::new() };
    let second = looked_at(app);
    let age = |rung: &RungSample| match (&second, app.cursor) {
        (second, Some(_)) => second.as_ref().and_then(|second| second.playlist_age(rung.place)),
        _ => rung.age,
    };
    let text = |words: String, age: Option<Duration>| {
        let is_late = age.zip(stream.late_from()).is_some_and(|(age, limit)| age > limit);
        let (role, weight) =
            if is_late { (Role::Failing, Weight::OutOfBounds) } else { (Role::Plain, Weight::Subject) };
        let age = age.map_or(units::UNKNOWN.to_owned(), units::span);
        Text::label(words).then(role, &age).weighing(weight)
    };
    let mut ages = vec![text(format!("{} ", rung_label(chosen)), age(chosen))];
    if let Some(at) = app.cursor {
        ages.insert(0, Text::label(format!("at {}", units::short_clock(at))));
    }
    let others = stream.rungs.iter().filter(|rung| rung.place != chosen.place);
    if let Some(most) = others.filter_map(age).max() {
        let others = text("others at most ".to_owned(), Some(most));
        ages.push(if others.weight == Weight::OutOfBounds {
            others
        } else {
            others.weighing(Weight::Context)
        });
    }
    ages
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::sample::RunSample;
    use crate::tui::app::{Access, Msg};
    use crate::tui::fixtures;
    use crate::tui::input::{Input, Key};

    const WIDE: Size = Size::new(160, 48);

    fn app(sample: impl Into<Arc<RunSample>>) -> App {
        let mut app = App::new(fixtures::title(), Access::Full);
        app.update(Msg::Screen(WIDE));
        app.update(Msg::Sample(sample.into()));
        app.update(Msg::Input(Input::Key(Key::Char('8'))));
        app
    }

    fn viewers(app: &App) -> Box<Viewers> {
        match StreamView::new(app, app.room).live {
            Live::Yes(viewers) => viewers,
            Live::No(why) => panic!("{why}"),
        }
    }

    #[test]
    fn a_late_playlist_is_named_first_and_marked_in_every_panel() {
        let app = app(fixtures::sample("storm"));
        let view = StreamView::new(&app, app.room);
        assert_eq!(view.aside[0].text, "✗ 1080p: nothing new for 9.2 s");
        assert_eq!((view.aside[0].role, view.aside[0].weight), (Role::Failing, Weight::OutOfBounds));
        let late: Vec<bool> = view.ladder.iter().map(|rung| rung.is_late).collect();
        assert_eq!(late, [true, false, false, false]);
        assert!(view.ladder[0].is_chosen && view.ladder[0].age_bar > Some(0.5), "{:?}", view.ladder[0]);
        let viewers = viewers(&app);
        assert_eq!(viewers.age.aside[0].parts()[1], (Role::Failing, "9.2 s"));
        assert_eq!(viewers.windows[0].note.text, "9.2 s old");
        assert_eq!((viewers.windows[0].tone, viewers.windows[1].tone), (Tone::Fail, Tone::Bright));
    }

    #[test]
    fn an_unknown_value_is_not_zero() {
        let mut sample = (*fixtures::sample("healthy")).clone();
        let mut stream = (*sample.stream).clone();
        let first = &mut stream.rungs[0];
        (first.age, first.newest, first.stalled_share, first.share) = (None, None, None, None);
        sample.stream = Arc::new(stream);
        let ladder = StreamView::new(&app(sample), WIDE).ladder;
        let unknown = [&ladder[0].age, &ladder[0].newest, &ladder[0].stalled, &ladder[0].share];
        assert!(unknown.iter().all(|text| text.text == "--"), "{unknown:?}");
        assert_eq!(ladder[0].age_bar, None);
        assert_eq!((ladder[3].label.text.as_str(), ladder[3].bit_rate.text.as_str()), ("audio en", "--"));
    }

    #[test]
    fn an_empty_chart_of_ages_says_why() {
        let mut app = app(fixtures::sample("storm"));
        assert_eq!(viewers(&app).age.none, None);
        app.update(Msg::Input(Input::Key(Key::Char('G'))));
        assert_eq!(viewers(&app).age.none, Some("its age over time is unknown"), "a rendition");
        let mut sample = (*app.steady).clone();
        sample.at += Duration::from_secs(1);
        let mut stream = (*sample.stream).clone();
        stream.rungs[3].clients = 0;
        sample.stream = Arc::new(stream);
        app.update(Msg::Sample(Arc::new(sample)));
        assert_eq!(viewers(&app).age.none, Some("no client plays it: its age is unknown"));
        assert_eq!(StreamView::new(&app, WIDE).ladder[3].label.role, Role::Title, "at the cursor");
    }

    #[test]
    fn bars_hold_every_viewer_and_those_that_ask_for_what_is_gone_are_red() {
        let app = app(fixtures::sample("storm"));
        let stream = &app.steady.stream;
        let all: u32 = stream.playheads().iter().sum();
        for columns in [0, 7, 16, 32, 60, 68, 120] {
            let chart = BehindChart::new(stream, columns);
            let sum: f64 = chart.bars.iter().map(|(count, _)| count).sum();
            assert_eq!(sum as u32, if columns < 16 { 0 } else { all }, "{columns}");
            assert!(chart.bars.len() as u16 * (chart.width + 1) <= columns, "{columns}");
        }
        let bars = BehindChart::new(stream, 68).bars;
        let tones: Vec<Tone> = bars.iter().map(|(_, tone)| *tone).collect();
        let first = |tone: Tone| tones.iter().position(|other| *other == tone).expect("a bar");
        // 16 bars of 2.5 s: the hold-back and a target duration are 16 s, the oldest segment is 33.2 s behind live.
        assert_eq!((first(Tone::Play), first(Tone::Warn), first(Tone::Fail)), (0, 7, 14));
    }

    #[test]
    fn ticks_are_round_and_never_touch() {
        let words = |span_s, columns| {
            let ticks = ticks(Duration::from_secs(span_s), columns);
            ticks.into_iter().map(|(column, label)| format!("{column} {label}")).collect::<Vec<_>>()
        };
        assert_eq!(words(40, 40), ["0 live", "10 10 s", "20 20 s", "30 30 s"]);
        assert_eq!(words(600, 30), ["0 live", "15 5 m 00 s"]);
        assert_eq!(words(10, 100)[3], "30 3 s");
        assert!(words(0, 40).is_empty() && words(40, 0).is_empty());
    }

    #[test]
    fn the_cursor_shows_the_ages_of_its_second() {
        let mut app = app(fixtures::sample("storm"));
        assert_eq!(viewers(&app).age.aside.len(), 2);
        (0..6).for_each(|_| _ = app.update(Msg::Input(Input::Key(Key::ShiftLeft))));
        let looked_at = looked_at(&app).expect("a second").playlist_age(0).map(units::span);
        let aside = viewers(&app).age.aside;
        assert!(aside[0].text.starts_with("at "), "{aside:?}");
        assert_eq!(Some(aside[1].parts()[1].1.to_owned()), looked_at);
    }
}
