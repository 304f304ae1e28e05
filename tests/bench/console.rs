//! Cost of the console: `cargo bench --bench console`.
//!
//! - `picture/<view>` draws one screen of 10,000 clients at 200x50 in true colour, from a sample with ten minutes of
//!   history to the bytes for the terminal. The goal is 2 ms.
//!   Frames are a quarter of a second apart, so digits and the order of rows change with every fourth one, as in a
//!   run.
//! - `sample/10000` is the sampler's work for one sample: it reads every counter and computes the values to show.
//! - Before each view the benchmark prints the bytes of the first screen (all of it) and of later screens (the
//!   changes).

#![expect(clippy::expect_used, clippy::print_stdout, reason = "a benchmark, not the product")]

use std::sync::Arc;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use hlswarm::testing::sample::{
    Behind, EdgeSample, History, Point, RunSample, RungSample, Sampler, Sources, StreamSample, TICK,
};
use hlswarm::testing::stats::{ClientHandle, Metric, RungKind, RungName, Timings};
use hlswarm::testing::tui::{Charset, Offscreen, Palette, Theme, Title};
use hlswarm::testing::vocabulary::{ClientState, Clock, Kind, Outcome, Playback, RunIdentity, RunState};
use hlswarm::testing::vocabulary::{Fault, HttpFailure};

const CLIENTS: u64 = 10_000;
const COLUMNS: u16 = 200;
const ROWS: u16 = 50;
/// Frames that are shown in turn: more than the console keeps.
const FRAMES: usize = 8;
const VIEWS: [(&str, &[u8]); 7] = [
    ("overview", b"1"),
    ("clients", b"2"),
    ("errors", b"3"),
    ("generator", b"4"),
    ("log", b"5"),
    ("latency", b"7"),
    ("stream", b"8"),
];

/// Length of the history, in seconds.
const HISTORY: u64 = 600;

/// Returns the history of a run in which something is happening in every second.
fn history() -> Arc<History> {
    let mut history = History::new(0);
    for ends in 1..=HISTORY {
        let mut point = Point { ends: Duration::from_secs(ends), ..Point::default() };
        point.counts.client_ms.fill(1_500_000);
        point.counts.bytes = 400_000_000;
        point.codes.fill(20);
        point.peaks.playlist_age_ms.fill(u32::try_from(ends * 700 % 7_000).expect("small") + 1);
        for heat in &mut point.heat {
            (0..400).for_each(|number| heat.record(1_000 << (number % 14)));
        }
        history.push(point);
    }
    Arc::new(history)
}

/// Returns a live stream with four rungs and sixteen addresses, the playlists a little older in each round.
fn stream(round: u64) -> StreamSample {
    let s = Duration::from_secs;
    let rung = |place: usize| RungSample {
        place,
        name: Some(Arc::new(RungName {
            kind: RungKind::Variant,
            label: format!("{}p", 1_080 / (place + 1)).into(),
            size: Some((1_920, 1_080)),
            frame_rate: Some(50.0),
            bandwidth: Some(3_000_000),
            codecs: "avc1.640028".into(),
        })),
        clients: 2_500,
        stalled: 50,
        share: Some(0.25),
        stalled_share: Some(0.02),
        age: Some(s(round % 8)),
        newest: Some(18_000 + round),
        window: Some((s(round % 8), s(round % 8 + 24))),
        playheads: std::array::from_fn(|bucket| (bucket * 31 % 97) as u32),
    };
    let edge = |port| EdgeSample {
        address: ([203, 0, 113, 7], port).into(),
        requests: 100_000 + round,
        bytes: 1 << 40,
        clients: 625,
        share: Some(1.0 / 16.0),
        failed_share: Some(0.02),
        hit_share: Some(0.9),
    };
    StreamSample {
        is_live: Some(true),
        target_duration: Some(s(4)),
        window_segments: Some(6),
        hold_back: Some(s(12)),
        rungs: (0..4).map(rung).collect(),
        span: s(40),
        behind: Behind { clients: 10_000, p50: Some(s(12)), p95: Some(s(20)), max: Some(s(31)) },
        edges: (0..16).map(|number| edge(440 + number)).collect(),
        ..StreamSample::default()
    }
}

/// A run in progress.
struct Run {
    clock: Clock,
    clients: Vec<ClientHandle>,
    sampler: Sampler,
    history: Arc<History>,
    round: u64,
}

impl Run {
    fn new() -> Self {
        let sources = Sources::new(1);
        let Sources { registry, status, clock, .. } = sources.clone();
        status.set_target(u32::try_from(CLIENTS).expect("small"));
        status.set_state(RunState::Running);
        let clients = (0..CLIENTS).map(|_| registry.add_at(0)).collect();
        let mut run = Self { clock, clients, sampler: Sampler::new(sources), history: history(), round: 0 };
        run.go_on();
        run
    }

    /// Lets each client do one thing: most play, some fail, some stall.
    fn go_on(&mut self) {
        self.round += 1;
        for client in &self.clients {
            let meter = client.meter(0, self.clock);
            let outcome = match (client.id() * 31 + self.round) % 100 {
                0 => Outcome::Http(HttpFailure::new(503)),
                1 => Outcome::Http(HttpFailure::new(404)),
                2 => Fault::ConnReset.into(),
                _ => Outcome::Ok,
            };
            let mut exchange = meter.start(Kind::Segment);
            exchange.received(200_000 + client.id() % 1_000);
            exchange.finish(outcome, Some(Timings { first_byte_us: 2_000 + client.id(), body_us: 40_000 }));
            meter.count(Metric::PlayMicros, 250_000);
            let now_us = meter.now_us();
            let stalled = client.id() % 50 == self.round % 50;
            meter.publish(&Playback {
                state: if stalled { ClientState::Stalled } else { ClientState::Playing },
                joined_us: 0,
                offset_us: -i64::try_from(client.id() % 3_000_000).expect("small"),
                dry_at_us: now_us + if stalled { 0 } else { 6_000_000 + client.id() * 100 },
                max_drift_us: client.id(),
                live_offset_us: None,
                bandwidth: 3_000_000,
            });
        }
    }

    fn sample(&mut self) -> Arc<RunSample> {
        self.go_on();
        let history = Arc::clone(&self.history);
        let stream = Arc::new(stream(self.round));
        Arc::new(RunSample { history, stream, ..RunSample::clone(&self.sampler.next_sample()) })
    }
}

/// Frames that repeat in a cycle, each time with a later time.
struct Film {
    samples: Vec<Arc<RunSample>>,
    shown: u32,
}

impl Film {
    fn next(&mut self) -> Arc<RunSample> {
        self.shown += 1;
        let index = self.shown as usize % FRAMES;
        let sample = self.samples.get_mut(index).expect("a sample");
        // The console has dropped its reference by now.
        Arc::get_mut(sample).expect("free again").at = Duration::from_secs(HISTORY) + TICK * self.shown;
        Arc::clone(sample)
    }
}

fn pictures(criterion: &mut Criterion) {
    let mut run = Run::new();
    let mut group = criterion.benchmark_group("picture");
    let theme = Theme { palette: Palette::Dark, charset: Charset::Unicode };
    for (name, key) in VIEWS {
        let mut film = Film { samples: (0..FRAMES).map(|_| run.sample()).collect(), shown: 0 };
        let target = "http://127.0.0.1/live/master.m3u8".to_owned();
        let identity = RunIdentity { target, ..RunIdentity::default() };
        let title = Title { identity, ..Title::default() };
        let mut console = Offscreen::new(title, theme);
        console.press(key);
        let mut bytes = || console.show(film.next(), COLUMNS, ROWS).expect("in memory").len();
        let first = bytes();
        let mut later: Vec<_> = (0..200).map(|_| bytes()).collect();
        later.sort_unstable();
        let (median, most) = (later.get(100).expect("a median"), later.last().expect("a last"));
        println!("{name}: {first} bytes at first, then {median} (median), at most {most}");
        group.bench_function(name, |bencher| {
            bencher.iter(|| console.show(film.next(), COLUMNS, ROWS).expect("in memory").len());
        });
    }
    group.finish();
}

fn samples(criterion: &mut Criterion) {
    let mut run = Run::new();
    run.go_on();
    criterion.bench_function("sample/10000", |bencher| bencher.iter(|| run.sampler.next_sample().at));
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(30).measurement_time(Duration::from_secs(3));
    targets = pictures, samples
}
criterion_main!(benches);
