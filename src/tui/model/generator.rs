//! The load tester itself: its gauges and their limits, fill and losses of its channels, promptness of its workers,
//! and its use of resources.

use std::time::Duration;

use ratatui::layout::Size;

use crate::generator::{Generator, Worker};
use crate::pipeline::{Counts, RecorderReading};
use crate::sample::{Lane, RunSample};
use crate::tui::app::App;
use crate::tui::layout::Breadth;
use crate::tui::layout::generator::{GeneratorPanel, layout};
use crate::tui::theme::Role;
use crate::verdict::Gauge;
use crate::vocabulary::units::{self, UNKNOWN};

use super::table::{place, visible};
use super::{Column, GaugeBar, Line, Table, Text, trust};

/// Fill of a channel.
#[derive(Clone, Debug)]
pub(in crate::tui) struct Fill {
    pub(in crate::tui) name: String,
    /// Current and highest fill, 0 to 1.
    pub(in crate::tui) now: f64,
    pub(in crate::tui) peak: f64,
    /// Now, peak, capacity, dropped, dropped per second.
    pub(in crate::tui) texts: [Text; 5],
}

/// The view.
#[derive(Debug)]
pub(in crate::tui) struct GeneratorView {
    pub(in crate::tui) lanes: Vec<Fill>,
    /// Texts in the rule of the channels.
    pub(in crate::tui) degraded: Vec<Text>,
    /// Set if the channels have the focus.
    pub(in crate::tui) channels_focused: bool,
    pub(in crate::tui) streams: Table,
    pub(in crate::tui) workers: Table,
    pub(in crate::tui) machine: Table,
    /// Reasons for the trust verdict, and the gauges that it follows from.
    pub(in crate::tui) gauges: Table,
    /// Bars of the gauges, one for each line of the table.
    pub(in crate::tui) bars: Vec<Option<GaugeBar>>,
}

impl GeneratorView {
    pub(super) fn new(app: &App, room: Size) -> Self {
        let sample = &app.steady;
        let (places, focused) = (layout(room), app.generator_panel());
        // Only the list with the focus is scrolled.
        let scroll = |panel| if panel == focused { app.scroll } else { 0 };
        let list = |table: Table, panel| {
            table.scrolled(scroll(panel), places.lines(panel)).with_focus(panel == focused)
        };
        let (gauges, bars) = trust::gauges(&sample.trust, Breadth::new(room));
        let lanes = &sample.pipeline.lanes;
        let [shown_lanes, shown_bars] =
            [(GeneratorPanel::Channels, lanes.len()), (GeneratorPanel::Gauges, bars.len())]
                .map(|(panel, all)| visible(scroll(panel), places.lines(panel), all));
        let dropped = units::plural(sample.pipeline.degraded_clients, "client");
        let degraded = Text::label(format!("over 1% dropped: {dropped}"));
        Self {
            degraded: place(&shown_lanes, lanes.len()).into_iter().chain([degraded]).collect(),
            lanes: lanes.get(shown_lanes).unwrap_or_default().iter().map(fill).collect(),
            streams: streams(sample).with_focus(focused == GeneratorPanel::Streams),
            workers: list(workers(sample), GeneratorPanel::Workers),
            machine: machine(app).with_focus(focused == GeneratorPanel::Machine),
            gauges: list(gauges, GeneratorPanel::Gauges),
            channels_focused: focused == GeneratorPanel::Channels,
            bars: bars.get(shown_bars).unwrap_or_default().to_vec(),
        }
    }
}

fn warned(count: u64) -> Text {
    Text::new(if count == 0 { Role::Label } else { Role::Warning }, units::count(count))
}

fn fill(lane: &Lane) -> Fill {
    let channel = &lane.channel;
    let [now, peak] = [channel.fill_share(), channel.high_water_share()].map(Option::unwrap_or_default);
    let name = match channel.worker {
        Some(worker) => format!("worker {worker} -> recorder"),
        None => "controller".to_owned(),
    };
    Fill {
        name,
        now,
        peak,
        texts: [
            Text::plain(units::percent(Some(now))),
            Text::plain(units::percent(Some(peak))),
            Text::label(units::count(channel.capacity)),
            warned(channel.dropped),
            Text::label(units::rate(lane.dropped_per_second)),
        ],
    }
}

const STREAMS: &[Column] = &[
    Column::word("STREAM", 10),
    Column::number("OFFERED", 13),
    Column::number("DELIVERED", 13),
    Column::number("DROPPED", 12),
    Column::word("", 60),
];

fn streams(sample: &RunSample) -> Table {
    let pipeline = &sample.pipeline;
    let line = |name: &str, counts: &Counts, more: String| {
        let [offered, delivered] =
            [counts.offered, counts.delivered].map(|count| Text::plain(units::count(count)));
        Line::new(vec![Text::plain(name), offered, delivered, warned(counts.dropped), Text::label(more)])
    };
    let rates = format!(
        "drop rate now {}, peak {}",
        units::percent(pipeline.drop_rate),
        units::percent(pipeline.peak_drop_rate)
    );
    let mut lines = vec![
        line("events", &pipeline.events, rates),
        line("progress", &pipeline.progress, "one sample per client and second".to_owned()),
    ];
    lines.push(Line::new(recorder(&pipeline.recorder)));
    Table {
        title: Text::title("Events: a log that may have gaps; counts never depend on it").or_short("Events"),
        columns: STREAMS,
        lines,
        ..Table::default()
    }
}

fn recorder(recorder: &RecorderReading) -> Vec<Text> {
    let Some(file) = &recorder.file else {
        return vec![Text::label("record"), Text::label("none"), Text::label(""), Text::label("")];
    };
    let state = match (&recorder.failed, recorder.blocked_since) {
        (Some((at, why)), _) => {
            Text::new(Role::Failing, format!("{file}: failed at {}: {why}", units::clock(*at)))
        }
        (None, Some(since)) => {
            Text::new(Role::Warning, format!("{file}: blocked since {}", units::clock(since)))
        }
        (None, None) => Text::label(format!("{file}, {}", units::bytes(recorder.bytes))),
    };
    vec![
        Text::plain("record"),
        Text::plain("lines"),
        Text::plain(units::count(recorder.lines)),
        warned(recorder.frames_lost),
        state,
    ]
}

const WORKERS: &[Column] = &[
    Column::word("WORKER", 8),
    Column::number("CLIENTS", 9),
    Column::number("BUSY", 8),
    Column::number("LAG p99 ms", 12),
    Column::number("MAX", 9),
    Column::number("MAX OF RUN", 12),
];

fn workers(sample: &RunSample) -> Table {
    let canary = sample.canary.map(|canary| canary.worker);
    let line = |(number, worker): (usize, &Worker)| {
        let late = |us: Option<u64>| match us {
            None => Text::label(UNKNOWN),
            Some(us) => Text::plain(units::milliseconds(us)),
        };
        Line::new(vec![
            Text::plain(if Some(number) == canary { "canary".to_owned() } else { number.to_string() }),
            Text::plain(units::count(worker.clients)),
            Text::new(trust::role_of(&sample.trust, Gauge::WorkerBusy), units::percent(worker.busy)),
            late(worker.lag.map(|lag| lag.p99_us)),
            late(worker.lag.map(|lag| lag.max_us)),
            late(worker.lag.map(|lag| lag.run_max_us)),
        ])
    };
    Table {
        title: Text::title("Workers"),
        aside: vec![Text::label("last 10 s; lag: delay of due tasks")],
        columns: WORKERS,
        lines: sample.generator.workers.iter().enumerate().map(line).collect(),
        none: "no workers yet".to_owned(),
        ..Table::default()
    }
}

/// Two facts in a line, each a name and a value.
const MACHINE: &[Column] =
    &[Column::word("", 8), Column::word("", 30), Column::word("", 9), Column::word("", 60)];

fn machine(app: &App) -> Table {
    let generator = &app.steady.generator;
    let known = |value: Option<u64>, text: fn(u64) -> String| value.map_or(UNKNOWN.to_owned(), text);
    let ms = |us: Option<u64>| known(us, units::milliseconds);
    let open = known(generator.open_files, units::count);
    let limit = known(generator.files_limit, units::count);
    let resident = known(generator.resident_bytes, units::bytes);
    let threads = known(generator.threads, units::count);
    let longest = Duration::from_micros(generator.start_lateness_us_max);
    let read = ms(Some(generator.snapshot_us));
    let read_max = ms(Some(generator.snapshot_us_max));
    let late_starts = units::count(app.steady.late_starts);
    let facts = [
        ("cpu", Text::new(trust::role_of(&app.steady.trust, Gauge::Cpu), cpu(generator))),
        ("capacity", Text::plain(capacity(app))),
        ("memory", Text::plain(format!("{resident}, {threads} threads"))),
        ("files", Text::new(trust::role_of(&app.steady.trust, Gauge::Files), format!("{open} of {limit}"))),
        ("snapshot", Text::plain(format!("{read} ms, at most {read_max}"))),
        (
            "frame",
            Text::plain(format!("{} ms, at most {}", ms(generator.frame_us), ms(generator.frame_us_max))),
        ),
        ("starts", Text::plain(format!("{late_starts} late, at most {}", units::span(longest)))),
        ("redraws", Text::plain(format!("{} late", units::count(app.late_pictures)))),
    ];
    let line = |pair: &[(&str, Text)]| {
        Line::new(pair.iter().flat_map(|(name, value)| [Text::label(*name), value.clone()]).collect())
    };
    Table {
        title: Text::title("This process"),
        aside: vec![Text::label(generator_delay(generator))],
        columns: MACHINE,
        lines: facts.chunks(2).map(line).collect(),
        ..Table::default()
    }
}

/// Returns the delays of the workers over the whole run: latencies of this size are the load tester's own.
fn generator_delay(generator: &Generator) -> String {
    let [p99, max] = [generator.own_delay.map(|delay| delay.p99), generator.own_delay.map(|delay| delay.max)]
        .map(|us| us.map_or(UNKNOWN.to_owned(), units::milliseconds));
    format!("generator delay p99 {p99} ms, max {max}")
}

/// Returns the share of the calibrated capacity that the busiest second used.
fn capacity(app: &App) -> String {
    let sample = &app.steady;
    match &app.title.costs {
        None => "not calibrated: hlswarm selftest".to_owned(),
        Some(costs) => {
            let used = costs.used_share(sample.peak_requests_per_second, sample.peak_bits_per_second);
            format!("{} used at the peak", units::percent(used))
        }
    }
}

fn cpu(generator: &Generator) -> String {
    let share = generator.cpu_share();
    let cores = generator.cpu_cores.map_or(UNKNOWN.to_owned(), |cores| format!("{cores:.2}"));
    format!("{} of {} ({cores})", units::percent(share), allowed(generator.cores_allowed))
}

/// Formats a number of cores: `2 cores`, or `1.5 cores` with a quota.
fn allowed(cores: Option<f64>) -> String {
    match cores {
        None => format!("{UNKNOWN} cores"),
        Some(cores) if cores.fract() == 0.0 => units::plural(cores as u64, "core"),
        Some(cores) => format!("{cores:.1} cores"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::app::{Access, Msg};
    use crate::tui::fixtures;
    use crate::tui::input::{Input, Key};
    use crate::verdict::RULES;

    fn press(app: &mut App, key: Key) {
        app.update(Msg::Input(Input::Key(key)));
    }

    #[test]
    fn every_gauge_can_be_scrolled_to_and_those_in_doubt_come_first() {
        for size in [Size::new(80, 24), Size::new(120, 30), Size::new(160, 48), Size::new(200, 60)] {
            let mut app = App::new(fixtures::title(), Access::Full);
            app.update(Msg::Screen(size));
            app.update(Msg::Sample(fixtures::sample("storm")));
            press(&mut app, Key::Char('4'));
            let shown = |app: &App| {
                let view = GeneratorView::new(app, app.room);
                assert_eq!(view.bars.len(), view.gauges.lines.len());
                let labels = view.gauges.lines.into_iter().filter(|line| !line.whole);
                (labels.map(|line| line.cells[0].clone()).collect::<Vec<_>>(), view.gauges.aside)
            };
            let (first, aside) = shown(&app);
            assert_ne!(first[0].role, Role::Plain, "{size}: {first:?}");
            let count = first.len();
            let place = format!("1-{count} of {}", RULES.len());
            assert_eq!(aside[0].text == place, count < RULES.len(), "{size}: {aside:?}");
            let mut seen = first;
            for _ in 0..=RULES.len() {
                press(&mut app, Key::Char('j'));
                seen.extend(shown(&app).0);
            }
            assert!(RULES.iter().all(|rule| seen.iter().any(|text| text.text == rule.label)), "{size}");
            let last = shown(&app);
            assert!(count == RULES.len() || last.1[0].text.ends_with(&format!("-{0} of {0}", RULES.len())));
            press(&mut app, Key::Char('g'));
            assert_eq!(shown(&app).0.len(), count);
        }
    }

    #[test]
    fn tab_reaches_only_panels_that_are_on_the_screen() {
        let mut app = App::new(fixtures::title(), Access::Full);
        app.update(Msg::Screen(Size::new(80, 24)));
        app.update(Msg::Sample(fixtures::sample("storm")));
        press(&mut app, Key::Char('4'));
        let mut seen = Vec::new();
        for _ in 0..3 {
            seen.push(app.generator_panel());
            press(&mut app, Key::Tab);
        }
        assert_eq!(seen, [GeneratorPanel::Gauges, GeneratorPanel::Workers, GeneratorPanel::Machine]);
        assert_eq!(app.generator_panel(), GeneratorPanel::Gauges);
    }
}
