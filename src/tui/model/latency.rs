//! The latency view: how slow is it, and is that all? A kind of duration over time, its distribution, all percentiles,
//! and the requests that no percentile holds yet.

use std::time::Duration;

use ratatui::layout::Size;

use crate::sample::{AGES_S, HeatOf, RunSample};
use crate::stats::LatencySummary;
use crate::tui::app::App;
use crate::tui::layout;
use crate::tui::layout::latency::{Layout, layout};
use crate::tui::layout::overview::LABELS;
use crate::tui::theme::Role;
use crate::vocabulary::{Tone, units};

use super::charts::{Chart, ChartMaker, Charts, LEGEND_ROOM, digest, duration};
use super::columns::{distribution, looked_at};
use super::{Table, Text, Weight, zoom};

/// Age in seconds from which an open request is a warning, and from which it is a failure: longer than most segments
/// play, and longer than most players wait.
const OLD_S: u64 = 4;
const VERY_OLD_S: u64 = 10;
/// Time that the newer distribution covers.
const RECENT: Duration = Duration::from_secs(10);

/// A distribution beside the heat map, a value for each line from the bottom up.
#[derive(Clone, Debug)]
pub(in crate::tui) struct Distribution {
    pub(in crate::tui) title: Text,
    pub(in crate::tui) tone: Tone,
    /// Shares of the largest value, 0 to 1.
    pub(in crate::tui) lines: Vec<f64>,
}

/// Open requests of one age.
#[derive(Clone, Debug)]
pub(in crate::tui) struct AgeLine {
    pub(in crate::tui) age: Text,
    /// Share of the largest number, 0 to 1.
    pub(in crate::tui) share: f64,
    pub(in crate::tui) tone: Tone,
    pub(in crate::tui) count: Text,
}

/// The view.
#[derive(Debug)]
pub(in crate::tui) struct LatencyView {
    pub(in crate::tui) charts: Charts,
    pub(in crate::tui) distributions: [Distribution; 2],
    pub(in crate::tui) table: Table,
    /// Facts about all open requests.
    pub(in crate::tui) open: Vec<Text>,
    pub(in crate::tui) ages: Vec<AgeLine>,
}

impl LatencyView {
    pub(super) fn new(app: &App, room: Size) -> Self {
        let places = layout(room);
        let of = HeatOf::ALL.get(app.focus).copied().unwrap_or(HeatOf::Segment);
        let maker = ChartMaker::new(app, places.columns());
        let lines = layout::lines(places.heat, LABELS);
        let chart = Chart {
            title: Text::title("Latency over time").or_short("Latency"),
            aside: aside(app, of, &places),
            focused: true,
            figure: maker.heat(of, lines),
        };
        let (history, scale) = (&app.shown.history, maker.scale(of, lines));
        let of_time = |from: Duration, to: Duration| distribution(history, (from, to), of, scale);
        let now = app.shown.at;
        let (title, recent) = match looked_at(app) {
            Some(second) => {
                let from = second.ends.saturating_sub(second.width);
                (format!("AT {}", units::short_clock(second.ends)), of_time(from, second.ends))
            }
            None => ("LAST 10 s".to_owned(), of_time(now.saturating_sub(RECENT), now)),
        };
        Self {
            distributions: [
                Distribution { title: Text::label(title), tone: Tone::Data, lines: recent },
                Distribution {
                    title: Text::label("WHOLE RUN"),
                    tone: Tone::Play,
                    lines: of_time(Duration::ZERO, now),
                },
            ],
            charts: maker.finish(vec![chart]),
            table: zoom::latency(app),
            open: open(&app.steady),
            ages: ages(&app.steady),
        }
    }
}

/// Returns the kinds with the shown one on a ground of its own, or its numbers where there is no room for kinds.
fn aside(app: &App, of: HeatOf, places: &Layout) -> Vec<Text> {
    if places.distribution.is_empty() {
        let mut aside =
            vec![Text::new(Role::Chip(Tone::Ground), format!(" {} ", name(of))).weighing(Weight::Subject)];
        aside.extend(percentiles(app, of));
        return aside;
    }
    let kind = |other: &HeatOf| match *other == of {
        true => Text::new(Role::Chip(Tone::Ground), format!(" {} ", name(*other))).weighing(Weight::Subject),
        false => Text::label(name(*other)),
    };
    let mut aside: Vec<Text> = HeatOf::ALL.iter().map(kind).collect();
    aside.push(Text::label(LEGEND_ROOM).weighing(Weight::Decoration));
    aside
}

/// Returns the percentiles of the last ten seconds, or of the second at the cursor.
pub(super) fn percentiles(app: &App, of: HeatOf) -> [Text; 3] {
    let recent = digest(&app.steady, of).recent;
    let second = looked_at(app);
    let text = |name: &str, quantile: f64, value: fn(&LatencySummary) -> u64| {
        let value = match &second {
            Some(second) => second.heat(of).quantile_us(quantile),
            None => recent.as_ref().map(value),
        };
        Text::plain(format!("{name} {}", value.map_or(units::UNKNOWN.to_owned(), |us| duration(of, us))))
    };
    [
        text("p50", 0.5, |recent| recent.p50),
        text("p95", 0.95, |recent| recent.p95).weighing(Weight::Subject),
        text("p99", 0.99, |recent| recent.p99),
    ]
}

/// Returns the word for a kind of duration.
pub(super) const fn name(of: HeatOf) -> &'static str {
    match of {
        HeatOf::Segment => "segment",
        HeatOf::FirstByte => "first byte",
        HeatOf::Playlist => "playlist",
        HeatOf::Startup => "start-up",
        HeatOf::LiveLatency => "behind live",
    }
}

/// Returns the number of open requests and the age of the oldest one: what is open is in no percentile yet.
pub(super) fn open(sample: &RunSample) -> Vec<Text> {
    let count = units::count(sample.snapshot.totals.in_flight);
    let mut open = vec![Text::plain(format!("open {count}")).weighing(Weight::Subject)];
    if let Some(oldest) = sample.open.and_then(|open| open.oldest_us).map(Duration::from_micros) {
        let text = format!("oldest {}", units::span(oldest));
        open.push(match role(oldest.as_secs()) {
            Role::Plain => Text::label(text),
            role => Text::new(role, text).weighing(Weight::OutOfBounds),
        });
    }
    open
}

const fn role(age_s: u64) -> Role {
    match age_s {
        VERY_OLD_S.. => Role::Failing,
        OLD_S.. => Role::Warning,
        _ => Role::Plain,
    }
}

fn ages(sample: &RunSample) -> Vec<AgeLine> {
    let Some(open) = sample.open else { return Vec::new() };
    let most = open.ages.iter().copied().max().unwrap_or_default().max(1);
    let begins = std::iter::once(0).chain(AGES_S);
    let ends = AGES_S.into_iter().map(Some).chain([None]);
    let line = |((begin, end), count): ((u64, Option<u64>), u32)| {
        let age = match end {
            Some(end) => format!("{begin} - {end} s"),
            None => format!("from {begin} s"),
        };
        let (tone, count_role) = match role(begin) {
            Role::Failing => (Tone::Fail, Role::Failing),
            Role::Warning => (Tone::Warn, Role::Warning),
            _ => (Tone::Data, Role::Plain),
        };
        let count_role = if count == 0 { Role::Label } else { count_role };
        AgeLine {
            age: Text::label(age),
            share: f64::from(count) / f64::from(most),
            tone,
            count: Text::new(count_role, units::count(count.into())),
        }
    };
    begins.zip(ends).zip(open.ages).map(line).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::sample::OpenRequests;
    use crate::tui::app::{Access, Msg};
    use crate::tui::fixtures;
    use crate::tui::model::Figure;

    fn app(sample: Arc<RunSample>) -> App {
        let mut app = App::new(fixtures::title(), Access::Full);
        app.update(Msg::Sample(sample));
        app
    }

    #[test]
    fn markers_stand_at_the_heights_of_their_percentiles() {
        let app = app(fixtures::sample("storm"));
        let view = LatencyView::new(&app, Size::new(160, 42));
        let Some(Figure::Heat(map)) = view.charts.charts.first().map(|chart| &chart.figure) else {
            panic!("a heat map")
        };
        let height = |name: &str| map.markers.iter().find(|(_, of)| *of == name).expect(name).0;
        let ten_s = map.heights.iter().find(|(_, of)| *of == "10 s").expect("on the scale").0;
        let one_s = map.heights.iter().find(|(_, of)| *of == "1 s").expect("on the scale").0;
        let recent = digest(&app.steady, HeatOf::Segment).recent.expect("durations");
        for (name, us) in [("p50", recent.p50), ("p95", recent.p95), ("p99", recent.p99)] {
            assert_eq!(height(name) > one_s, us > 1_000_000, "{name} {us}");
            assert_eq!(height(name) > ten_s, us > 10_000_000, "{name} {us}");
        }
        assert!(height("p50") < height("p95") && height("p95") < height("p99"));
    }

    #[test]
    fn the_distribution_of_the_run_is_as_high_as_its_heat_map() {
        let app = app(fixtures::sample("storm"));
        let view = LatencyView::new(&app, Size::new(160, 42));
        for distribution in &view.distributions {
            assert_eq!(distribution.lines.len(), 25);
            let most = distribution.lines.iter().copied().fold(0.0, f64::max);
            assert!((most - 1.0).abs() < 1e-9, "{:?}", distribution.lines);
        }
    }

    #[test]
    fn an_old_request_is_never_left_out_and_an_unknown_age_is_not_zero() {
        let mut sample = RunSample { open: None, ..RunSample::default() };
        assert_eq!((open(&sample).len(), ages(&sample).len()), (1, 0));
        let mut ages_of = [0; AGES_S.len() + 1];
        (ages_of[0], ages_of[3], ages_of[9]) = (40, 10, 1);
        sample.open = Some(OpenRequests { ages: ages_of, oldest_us: Some(70_400_000) });
        let oldest = open(&sample).pop().expect("an age");
        assert_eq!((oldest.text.as_str(), oldest.weight), ("oldest 1 m 10 s", Weight::OutOfBounds));
        let lines = ages(&sample);
        let words: Vec<(&str, Tone)> = lines.iter().map(|line| (line.age.text.as_str(), line.tone)).collect();
        assert_eq!(words[0], ("0 - 1 s", Tone::Data));
        assert_eq!(words[3], ("4 - 6 s", Tone::Warn));
        assert_eq!(words[9], ("from 60 s", Tone::Fail));
        assert!((lines[3].share - 0.25).abs() < 1e-9);
    }
}
