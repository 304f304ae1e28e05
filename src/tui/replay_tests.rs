//! The frames of a run and those of its replay are the same, and so are their reports.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rand::{RngExt as _, SeedableRng as _};
use rand_xoshiro::Xoshiro256PlusPlus;

use super::app::{Access, App, Msg};
use super::fixtures;
use super::golden_tests::{draw, symbol, text};
use super::input::{Input, Key};
use super::theme::Theme;
use crate::generator::{Fact, host_reads, host_with};
use crate::pipeline::{Event, Happening, Pipeline, RecordFile, Stream, Tap, WatchedRequest};
use crate::run_state::{ChangeKind, ChangeSource, LoadChange, Note, NoteKind};
use crate::sample::{Replay, RunSample, Sampler, Sources, recorded_facts};
use crate::stats::{ClientHandle, Listing, Meter, Metric, Progress, RungKind, RungName, Timings};
use crate::verdict::Gauge;
use crate::vocabulary::outcome::Fault;
use crate::vocabulary::{
    ClientState, ConnectionRoute, Departure, Finding, HardStops, Kind, Mark, Outcome, Playback, RunIdentity,
    RunState, Rung, Timed,
};

const CLIENTS: u64 = 12;
const SECOND_US: u64 = 1_000_000;
/// Samples of the run, four of which are a second.
const TICKS: u64 = 160;
const SIZES: [(u16, u16); 2] = [(160, 48), (80, 24)];

/// A run that a test writes, sample by sample.
struct Script {
    sources: Sources,
    clients: Vec<(ClientHandle, Meter)>,
    tap: Tap,
}

impl Script {
    fn tick(&mut self, tick: u64) {
        let now_us = tick * SECOND_US / 4;
        let at = Duration::from_micros(now_us);
        let status = &self.sources.status;
        match tick {
            0 => {
                status.set_target(CLIENTS as u32);
                status.set_state(RunState::Ramping);
                let by = ChangeSource::Plan;
                status.journal().change(LoadChange {
                    at,
                    kind: ChangeKind::Target,
                    from: 0,
                    to: CLIENTS as u32,
                    by,
                });
            }
            40 => {
                status.set_state(RunState::Running);
                status.journal().mark(Mark { at, note: "all are there".to_owned() });
            }
            60 => status.journal().note(Note { at, kind: NoteKind::Demo, text: "demo: a fault".to_owned() }),
            // The first client leaves, and another one takes its slot.
            80 => drop(self.clients.remove(0)),
            _ => {}
        }
        if tick.is_multiple_of(3) && self.clients.len() < CLIENTS as usize {
            self.join(now_us);
        }
        if tick.is_multiple_of(4) {
            host_reads(&self.sources.host, Gauge::Cpu, 0.1 + 0.002 * tick as f64);
        }
        for number in 0..self.clients.len() {
            self.request(number, tick, now_us);
        }
    }

    fn join(&mut self, now_us: u64) {
        let client = self.sources.registry.add_at(now_us);
        let worker = client.id() as usize % 2;
        let meter = client.meter(worker, self.sources.clock);
        let joined = Event { at_us: now_us, client: Some(client.id()), what: Happening::Joined };
        _ = self.tap.offer(Stream::Events, || joined);
        meter.count(Metric::Connections, 1);
        meter.time(Timed::Connect, 900 + 10 * client.id());
        let name = |label: &str, bandwidth| RungName {
            kind: RungKind::Variant,
            label: label.into(),
            size: Some((1_280, 720)),
            frame_rate: Some(25.0),
            bandwidth: Some(bandwidth),
            codecs: "avc1.64001f".into(),
        };
        meter.name_rung(Rung::Variant(0), || name("720p", 3_000_000));
        meter.name_rung(Rung::Variant(1), || name("480p", 1_000_000));
        meter.plays([Some(Rung::Variant((client.id() % 2) as u16)), None, None]);
        self.sources.status.set_admitted(client.id(), 0);
        self.clients.push((client, meter));
    }

    /// Makes a request of one client, which fails for some of them in the middle of the run.
    fn request(&self, number: usize, tick: u64, now_us: u64) {
        let Some((client, meter)) = self.clients.get(number) else { return };
        let id = client.id();
        let (kind, bytes) =
            if (tick + id).is_multiple_of(2) { (Kind::Segment, 400_000) } else { (Kind::Playlist, 900) };
        let fails = (60..100).contains(&tick) && id.is_multiple_of(3);
        let took_us = 30_000 + 7_000 * (tick * id % 11);
        let started_us = now_us.saturating_sub(took_us);
        let mut exchange = meter.start_at(kind, started_us);
        exchange.received(if fails { 120 } else { bytes });
        let outcome = match (fails, id % 2) {
            (false, _) => Outcome::Ok,
            (true, 0) => Outcome::from_status(503, false),
            (true, _) => Fault::ConnReset.into(),
        };
        let timings = Timings { first_byte_us: took_us / 3, body_us: took_us / 2 };
        if !fails && kind == Kind::Segment {
            exchange.keep_segment_size();
        }
        exchange.finish_at(outcome, Some(timings), now_us);
        let edge = SocketAddr::from(([10, 0, 0, 1 + (id % 3) as u8], 443));
        let route = ConnectionRoute { edge, source: edge.ip(), http2: false, resumed: None };
        meter.answered(&route, if fails { 503 } else { 200 }, bytes, None);
        if fails {
            meter.find(Finding::PlaylistStale, || "no new segment for 9 s".to_owned());
            meter.explain(Fault::ConnReset, || "after 120 bytes".to_owned());
        }
        let progress = Progress { newest: tick / 8, ..Progress::default() };
        let listing = Listing { progress, came_us: now_us, target_us: 2 * SECOND_US, ..Listing::default() };
        meter.list(Rung::Variant((id % 2) as u16), progress, now_us, || listing);
        meter.publish(&Playback {
            state: if fails { ClientState::Waiting } else { ClientState::Playing },
            joined_us: id * SECOND_US / 2,
            offset_us: -(id as i64) * 400_000,
            dry_at_us: now_us + if fails { 0 } else { 6 * SECOND_US },
            max_drift_us: 10_000 * id,
            bandwidth: if id.is_multiple_of(2) { 3_000_000 } else { 1_000_000 },
            live_offset_us: Some(8_000_000),
        });
        meter.count(Metric::PlayMicros, SECOND_US / 5);
    }

    /// Ends the run: all clients leave, and the last events are offered.
    fn end(&mut self, now_us: u64) {
        self.sources.status.end_load(Duration::from_micros(now_us));
        for (client, meter) in &self.clients {
            meter.end_session(Departure::Removed);
            let what = Happening::State { from: ClientState::Playing, to: ClientState::Finished };
            _ = self.tap.offer(Stream::Events, || Event { at_us: now_us, client: Some(client.id()), what });
        }
        let asked = WatchedRequest {
            asked_us: now_us,
            kind: Kind::Segment,
            sequence: Some(7),
            first_byte_us: None,
            end: None,
        };
        let what = Happening::Request(asked);
        _ = self.tap.offer(Stream::Events, || Event { at_us: now_us, client: Some(5), what });
        self.sources.status.set_state(RunState::Finished);
    }
}

/// Views but the log: a recorder publishes it once a second of its own clock, not of the script's.
const VIEWS: &str = "123478";
const LOG: &str = "5";

/// Returns frames of these views in two sizes.
fn frames(app: &mut App, sample: &Arc<RunSample>, views: &str) -> Vec<String> {
    app.update(Msg::Sample(Arc::clone(sample)));
    let mut frames = Vec::new();
    for view in views.chars() {
        app.update(Msg::Input(Input::Key(Key::Char(view))));
        frames.extend(SIZES.map(|size| text(&draw(app, size, Theme::default()), symbol)));
    }
    frames
}

fn app() -> App {
    let mut app = App::new(fixtures::title(), Access::Full);
    app.update(Msg::Screen(SIZES[0].into()));
    app
}

/// Runs the script for `ticks` samples with a record at `path`. Returns the frames of each second, and the last sample.
fn run(path: &std::path::Path, ticks: u64) -> (Vec<Vec<String>>, Arc<RunSample>) {
    let stops = HardStops { bytes: Some(1 << 40), ..HardStops::default() };
    let host =
        host_with(Duration::from_secs(100_000), &[(Fact::Processors, 2.0), (Fact::LocalPorts, 28_000.0)]);
    let sources = Sources { canary: Some(1), host: Arc::new(host), ..Sources::for_run(2, stops) };
    let record = RecordFile::create(path).expect("a file").with_facts(recorded_facts(&sources));
    let started_unix_ms = sources.clock.started_at().as_millisecond();
    let identity = RunIdentity { started_unix_ms, ..RunIdentity::default() };
    let (pipeline, mut taps) = Pipeline::start(2, sources.clock, Some(record), identity).expect("a thread");
    sources.selected.store(5, Ordering::Relaxed);
    let tap = taps.workers.remove(0);
    let mut sampler = Sampler::new(sources.clone()).watch(&pipeline);
    let mut script = Script { sources, clients: Vec::new(), tap };
    let (mut app, mut seen) = (app(), Vec::new());
    for tick in 0..ticks {
        script.tick(tick);
        sampler.set_moment(Duration::from_micros(tick * SECOND_US / 4));
        // The recorder is a thread, which a busy machine may keep from its channel.
        while !sampler.has_room() {
            std::thread::yield_now();
        }
        let sample = sampler.next_sample();
        if tick % 4 == 1 {
            seen.push(frames(&mut app, &sample, VIEWS));
        }
    }
    script.end(ticks * SECOND_US / 4);
    sampler.set_moment(Duration::from_micros(ticks * SECOND_US / 4));
    sampler.end(serde_json::json!({ "cut": true }));
    drop((script.tap, taps));
    assert!(pipeline.finish());
    let last = sampler.next_whole_sample();
    seen.push(frames(&mut app, &last, VIEWS));
    seen.push(frames(&mut app, &last, LOG));
    (seen, last)
}

#[test]
fn a_replay_shows_the_frames_of_the_run_and_its_report() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("run.ndjson");
    let (seen, run_last) = run(&path, TICKS);
    let record = std::fs::read(&path).expect("a record");
    let mut replay = Replay::open(&record[..], path.to_string_lossy().into()).expect("a record");
    replay.selected().store(5, Ordering::Relaxed);
    let (mut app, mut again, mut last) = (app(), Vec::new(), None);
    let mut tick = 0;
    while let Some(sample) = replay.next().expect("whole") {
        if tick % 4 == 1 || tick == TICKS {
            again.push(frames(&mut app, &sample, VIEWS));
        }
        if tick == TICKS {
            again.push(frames(&mut app, &sample, LOG));
        }
        tick += 1;
        last = Some(sample);
    }
    assert_eq!(tick, TICKS + 1);
    assert_eq!(seen.len(), again.len());
    for (second, (run, replay)) in seen.iter().zip(&again).enumerate() {
        for (run, replay) in run.iter().zip(replay) {
            assert_eq!(run, replay, "second {second}");
        }
    }
    let last = last.expect("a last sample");
    assert!(last.snapshot.totals.errors() > 0 && last.peak_clients == CLIENTS && !last.log.is_empty());
    assert_eq!(last.detail, run_last.detail);
    assert_eq!(fixtures::doc_of(&last), fixtures::doc_of(&run_last));
    assert_eq!(replay.ending(), Some(&serde_json::json!({ "cut": true })));
}

#[test]
fn a_record_that_is_cut_is_replayed_up_to_its_cut() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("run.ndjson");
    run(&path, 40);
    let record = std::fs::read(&path).expect("a record");
    let cut = &record[..record.len() / 2];
    let mut replay = Replay::open(cut, "run.ndjson".into()).expect("a record");
    let mut newest = None;
    let why = loop {
        match replay.next() {
            Ok(sample) => newest = sample,
            Err(why) => break why,
        }
    };
    assert_eq!(why.to_string(), "the record was cut off");
    let (newest, so_far) = (newest.expect("a sample"), replay.so_far());
    assert!(so_far.distributions.is_some() && so_far.at == newest.at);
    assert_eq!(so_far.snapshot.totals, newest.snapshot.totals);
}

/// Returns a record of a short run.
fn short_record() -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("run.ndjson");
    run(&path, 64);
    std::fs::read_to_string(&path).expect("a record")
}

#[test]
fn whatever_numbers_a_record_has_it_is_drawn_without_a_panic() {
    const EXTREMES: [i64; 7] = [i64::MIN, i64::MAX, -1, 0, 1 << 53, 1 << 40, 255];
    let record = short_record();
    let (first, rest) = record.split_once('\n').expect("a first line");
    let mut lines: Vec<serde_json::Value> =
        rest.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let mut random = Xoshiro256PlusPlus::seed_from_u64(7);
    for _ in 0..12 {
        let before = lines.clone();
        for line in &mut lines {
            for name in ["cells", "gauges"] {
                let Some(numbers) = line[name].as_array_mut() else { continue };
                // Every second number is a difference; the others are distances.
                for place in (1..numbers.len()).step_by(2) {
                    if random.random_range(0..30) == 0 {
                        numbers[place] = EXTREMES[random.random_range(0..EXTREMES.len())].into();
                    }
                }
            }
        }
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        let record = format!("{first}\n{text}");
        let mut replay = Replay::open(record.as_bytes(), "run.ndjson".into()).expect("a record");
        replay.selected().store(5, Ordering::Relaxed);
        let mut app = app();
        while let Some(sample) = replay.next().expect("whole") {
            if sample.snapshot.at_us.is_multiple_of(5 * SECOND_US) {
                frames(&mut app, &sample, "12345678");
            }
            if sample.distributions.is_some() {
                fixtures::doc_of(&sample);
            }
        }
        lines = before;
    }
}
