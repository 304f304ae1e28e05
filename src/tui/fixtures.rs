//! Samples for tests: the states of a run, made as the run would make them.

use std::sync::Arc;
use std::time::Duration;

use crate::generator::{Generator, Worker};
use crate::load::{ClientLimit, LoadProfile, Ramp};
use crate::run_state::{ChangeKind, ChangeSource, Journal, LoadChange, VerdictChange};
use crate::sample::{FailureLine, FailureTracker, History, Lane, Pipeline, Point, RunSample, TIMED};
use crate::stats::{
    ClientRow, FindingRow, LatencyDigest, LatencySummary, Rates, Registry, Snapshot, SpeedSummary, Timed,
    Totals,
};
use crate::verdict::{
    Demand, Gauge, Health, Knee, Knees, RunHealth, Trust, TrustJudge, TrustNumbers, Values, Verdict,
};
use crate::vocabulary::finding::Finding;
use crate::vocabulary::outcome::{Fault, HttpFailure};
use crate::vocabulary::{ClientState, Clock, Kind, Mark, Outcome, Playback, RunIdentity, RunState};

use super::app::Title;
use crate::generator::{DelaySummary, Lag};
use crate::pipeline::{Counts, Event, Happening, LaneReading, LogEntry};
use crate::report::{self, Report};

/// The names of all stages.
pub(super) const FIXTURES: [&str; 10] = [
    "empty",
    "starting",
    "ramping",
    "healthy",
    "storm",
    "hold",
    "ten_thousand",
    "draining",
    "finished",
    "no_client",
];

pub(super) fn title() -> Title {
    Title {
        identity: identity(),
        variant: "highest".to_owned(),
        profile: LoadProfile { ramp: Ramp::Rate(5.0), ..LoadProfile::default() },
        duration: None,
        limit: ClientLimit::default(),
    }
}

fn identity() -> RunIdentity {
    RunIdentity {
        target: "https://origin.example.com/live/master.m3u8".to_owned(),
        version: "0.1.0",
        started_at: "2026-11-23T12:31:07Z".to_owned(),
        started_unix_ms: 1_795_437_067_000,
        seed: 7,
        ..RunIdentity::default()
    }
}

/// Returns the sample of a stage.
pub(super) fn sample(stage: &str) -> Arc<RunSample> {
    Arc::new(match stage {
        "ramping" => ramping(),
        "starting" => starting(),
        "healthy" => RunSample { state: RunState::Running, target: 321, ..ramping() },
        "storm" => storm(),
        "hold" => RunSample { state: RunState::Hold, ..storm() },
        "ten_thousand" => ten_thousand(),
        "draining" => RunSample { state: RunState::Draining, ..storm() },
        "finished" => RunSample { state: RunState::Finished, ..storm() },
        "no_client" => RunSample { target: 0, admitted: 0, snapshot: Snapshot::default(), ..ramping() },
        _ => RunSample::default(),
    })
}

/// Returns the report of the stage "finished".
pub(super) fn report() -> Arc<Report> {
    Arc::new(report_of(&sample("finished")))
}

/// Returns the report of a run whose last sample is `sample`.
pub(super) fn report_of(sample: &RunSample) -> Report {
    let facts = report::Facts {
        identity: identity(),
        options: report::RunOptions {
            clients_asked: 10_000,
            ramp_rate: Some(5.0),
            variant: "highest".to_owned(),
            player: "web",
            session_length: "endless".to_owned(),
            tls_verified: true,
            ..report::RunOptions::default()
        },
        lost_workers: 0,
        end: None,
        allow_untrusted: false,
        calibration: Err("nothing was measured yet".into()),
        origin: None,
    };
    report::build(facts, sample)
}

/// Returns a stage in which `text` is every text that can come from outside or from an operator.
pub(super) fn hostile(stage: &str, text: &str) -> Arc<RunSample> {
    let journal = Journal::default();
    journal.mark(Mark { at: Duration::ZERO, note: text.to_owned() });
    let note = Event { at_us: 0, client: Some(1), what: Happening::Mark { note: text.into() } };
    let mut sample = Arc::unwrap_or_clone(sample(stage));
    sample.journal = Arc::new(journal);
    sample.log = Arc::new([LogEntry { number: 1, event: note }]);
    sample.findings.iter_mut().for_each(|finding| finding.detail = text.into());
    sample.pipeline.recorder.file = Some(text.into());
    sample.pipeline.recorder.failed = Some((Duration::ZERO, text.to_owned()));
    Arc::new(sample)
}

/// Returns totals in which requests ended this way, counted by a real registry.
pub(super) fn totals(ended: &[(Outcome, u64)]) -> Totals {
    let registry = Registry::new(1);
    let client = registry.add();
    let meter = client.meter(0, Clock::start());
    for (outcome, count) in ended {
        for _ in 0..*count {
            meter.start(Kind::Segment).finish(*outcome, None);
        }
    }
    let mut snapshot = Snapshot::default();
    registry.snapshot(0, &mut snapshot);
    snapshot.totals
}

/// Returns a client in `state` with the numbers of a healthy one.
pub(super) fn row(id: u64, state: ClientState) -> ClientRow {
    let playback = Playback {
        state,
        joined_us: 0,
        offset_us: 0,
        dry_at_us: 70_000_000,
        max_drift_us: 0,
        bandwidth: 6_000_000,
        live_offset_us: None,
    };
    ClientRow {
        pipeline_offered: 0,
        pipeline_dropped: 0,
        id,
        slot: id as usize,
        state,
        playback,
        requests: 40,
        segments: 20,
        http_errors: 0,
        faults: 0,
        bytes: 80_000_000,
        stalls: 0,
        reconnections: 0,
        last: Some((Outcome::Ok, 63_000_000)),
        speed: Some(1.0),
        slow: false,
    }
}

fn failing_row(id: u64, state: ClientState) -> ClientRow {
    let last = Some((Outcome::Http(HttpFailure::new(503)), 63_600_000));
    let playback = Playback { dry_at_us: 62_000_000, ..row(id, state).playback };
    ClientRow { playback, http_errors: 12, stalls: 4, speed: Some(0.31), slow: true, last, ..row(id, state) }
}

fn snapshot(clients: Vec<ClientRow>, totals: Totals) -> Snapshot {
    let mut states = [0; ClientState::COUNT];
    clients.iter().for_each(|row| states[row.state.index()] += 1);
    let (at_us, clients_at_us) = (64_000_000, 64_000_000);
    Snapshot { at_us, totals, clients: clients.into(), clients_at_us, states, ..Snapshot::default() }
}

fn digest(scale: u64) -> LatencyDigest {
    let summary = summary(scale);
    LatencyDigest { recent: Some(summary), run: Some(summary) }
}

fn summary(scale: u64) -> LatencySummary {
    LatencySummary {
        count: 1000,
        min: 900 * scale,
        mean: 5_000.0,
        p50: 4_120 * scale,
        p95: 11_300 * scale,
        p99: 19_000 * scale,
        p999: 80_000 * scale,
        max: 102_000 * scale,
    }
}

/// Returns latencies: connections and playlists are fast, segments and start-up slower.
fn latencies(scale: u64) -> [LatencyDigest; TIMED.len()] {
    let mut place = 0;
    TIMED.map(|timed| {
        place += 1;
        if timed == Timed::Tls { LatencyDigest::default() } else { digest(place * scale) }
    })
}

/// Returns the failure lines that a sampler would make of these totals, all from the last ten seconds.
pub(super) fn failures(totals: &Totals) -> Vec<FailureLine> {
    let mut tracker = FailureTracker::default();
    let mut lines = Vec::new();
    tracker.observe(Duration::from_secs(154), 400, &Totals::default(), &mut lines);
    tracker.observe(Duration::from_secs(159), 418, totals, &mut lines);
    lines
}

/// Returns one point a second, until `seconds`: clients rise to `clients`, errors and latency from the knee on.
fn history(seconds: u64, clients: u64, knee: Option<u64>) -> Arc<History> {
    let mut history = History::default();
    for second in 1..=seconds {
        let rising = second as f64 / seconds as f64;
        let trouble = knee.map_or(0.0, |knee| second.saturating_sub(knee) as f64 / seconds as f64);
        let active = (clients as f64 * rising) as u64;
        let rows = (0..active).map(|id| row(id, ClientState::Playing)).collect();
        let rates = Rates { bits_per_second: 1e7 * active as f64 * (1.0 - trouble / 2.0), ..rates(0) };
        let latency = LatencyDigest { recent: Some(summary(3 + (400.0 * trouble) as u64)), run: None };
        history.push(Point::new(&RunSample {
            at: Duration::from_secs(second),
            snapshot: snapshot(rows, Totals::default()),
            windows: [Some(rates), None, None, None],
            latencies: [latency; TIMED.len()],
            health: Health {
                error_share: Some(trouble.min(0.31)),
                stalled_share: Some(trouble.min(0.29)),
                ..Health::default()
            },
            ..RunSample::default()
        }));
    }
    Arc::new(history)
}

/// Returns the journal of a run of a thousand clients.
fn journal(verdict: Option<u64>) -> Arc<Journal> {
    let journal = Journal::default();
    let at = Duration::from_secs;
    journal.change(LoadChange {
        at: at(0),
        kind: ChangeKind::Target,
        from: 0,
        to: 1000,
        by: ChangeSource::Plan,
    });
    if let Some(since) = verdict {
        journal.verdict(VerdictChange {
            at: at(since),
            verdict: Verdict::Failing,
            reason: "31.2% of requests fail, 29.4% of clients are stalled".to_owned(),
            clients: 418,
        });
        journal.mark(Mark { at: at(since + 30), note: "packager scaled from 2 to 4".to_owned() });
    }
    Arc::new(journal)
}

/// Returns a generator of two workers, one twice as busy as the other.
fn generator(busy: f64) -> Generator {
    let lag = |p99_us| Lag { second_p99_us: p99_us, p99_us, max_us: 3 * p99_us, run_max_us: 9 * p99_us };
    let worker = |busy, lag| Worker { clients: 324, busy: Some(busy), lag: Some(lag) };
    Generator {
        cpu_cores: Some(2.0 * busy),
        cores_allowed: Some(2.0),
        resident_bytes: Some(61_000_000),
        open_files: Some(690),
        files_limit: Some(20_000),
        threads: Some(7),
        workers: vec![worker(busy / 2.0, lag(1_200)), worker(busy, lag((20_000.0 * busy) as u64))],
        snapshot_us: 90,
        snapshot_us_max: 260,
        frame_us: Some(410),
        frame_us_max: Some(1_800),
        start_lateness_us_max: 3_000,
        own_delay: Some(DelaySummary { p50: 310, p99: (20_000.0 * busy) as u64, max: 180_000 }),
        ..Generator::default()
    }
}

/// Returns channels of which one has overflowed.
fn pipeline() -> Pipeline {
    let lane = |worker, fill, high_water, dropped| Lane {
        channel: LaneReading { worker, fill, high_water, capacity: 8_192, dropped },
        dropped_per_second: Some(dropped as f64 / 100.0),
    };
    Pipeline {
        progress: Counts { offered: 104_328, delivered: 104_328, dropped: 0 },
        events: Counts { offered: 51_090, delivered: 9_188, dropped: 41_902 },
        drop_rate: Some(0.27),
        peak_drop_rate: Some(0.91),
        degraded_clients: 324,
        lanes: vec![lane(Some(0), 40, 1_900, 0), lane(Some(1), 8_100, 8_192, 41_902), lane(None, 0, 12, 0)],
        ..Pipeline::default()
    }
}

/// Returns the trust in a run of some seconds that used this share of its CPU, and lacked files in the last one.
fn trust(seconds: u64, cpu: f64, files_refused: f64) -> Arc<Trust> {
    let mut judge = TrustJudge::default();
    for at in 1..=seconds {
        let mut values = Values::default();
        for (gauge, value) in [
            (Gauge::LoopLag, 10_000.0 * cpu),
            (Gauge::Cpu, if at > seconds / 2 { cpu } else { cpu / 2.0 }),
            (Gauge::ProcessGap, 51_000.0),
            (Gauge::LoadHeld, 1.0),
            (Gauge::Files, 0.034),
            (Gauge::FilesRefused, if at == seconds { files_refused } else { 0.0 }),
        ] {
            values[gauge.index()] = Some(value);
        }
        let (target, admitted, files) = (10_000, 648, Some(20_000));
        let demand = Demand { target, admitted, open_files: files, files_limit: files, ..Demand::default() };
        let at = Duration::from_secs(at);
        judge.judge(&TrustNumbers { at, values, demand, ..TrustNumbers::default() });
    }
    Arc::new(judge.trust().clone())
}

fn findings() -> Vec<FindingRow> {
    let at = Duration::from_secs;
    let detail = "segment 632 is listed and not there";
    let row =
        |finding| FindingRow { finding, count: 12, first: at(80), last: at(160), detail: detail.into() };
    vec![row(Finding::ALL[0]), row(Finding::ALL[Finding::ALL.len() - 1])]
}

/// Returns the last events of one client.
fn log() -> Arc<[LogEntry]> {
    let outcome = Outcome::Http(HttpFailure::new(503));
    let happened = [
        Happening::Joined,
        Happening::State { from: ClientState::Starting, to: ClientState::Playing },
        Happening::Fault { request: Kind::Segment, outcome },
        Happening::State { from: ClientState::Playing, to: ClientState::Waiting },
        Happening::StallBegan,
        Happening::StallEnded { lasted_us: 2_400_000 },
    ];
    let entry = |(number, what): (u64, Happening)| LogEntry {
        number,
        event: Event { at_us: 150_000_000 + 700_000 * number, client: Some(417), what },
    };
    (1..).zip(happened).map(entry).collect()
}

fn rates(errors: u64) -> Rates {
    Rates {
        busy: errors,
        asked: 21_400,
        length: Duration::from_secs(10),
        bits_per_second: 6.42e9,
        segment_bits_per_second: 6.4e9,
        requests_per_second: 2_140.0,
        playlists_per_second: 1_070.0,
        segments_per_second: 1_070.0,
        finished: 21_400,
        errors,
        local_faults: 0,
    }
}

/// Returns the first second: clients start, no request has been answered.
fn starting() -> RunSample {
    RunSample {
        at: Duration::from_millis(750),
        state: RunState::Ramping,
        target: 1000,
        admitted: 4,
        snapshot: snapshot((1..=4).map(new_row).collect(), Totals::default()),
        journal: journal(None),
        ..RunSample::default()
    }
}

fn new_row(id: u64) -> ClientRow {
    let playback = Playback { dry_at_us: 0, bandwidth: 0, ..row(id, ClientState::Starting).playback };
    ClientRow {
        requests: 1,
        segments: 0,
        bytes: 0,
        last: None,
        speed: None,
        playback,
        ..row(id, ClientState::Starting)
    }
}

fn ramping() -> RunSample {
    let clients =
        (1..=321).map(|id| row(id, if id > 310 { ClientState::Starting } else { ClientState::Playing }));
    RunSample {
        at: Duration::from_secs(64),
        state: RunState::Ramping,
        target: 1000,
        admitted: 321,
        peak_clients: 321,
        snapshot: snapshot(clients.collect(), totals(&[(Outcome::Ok, 500)])),
        recent: Some(rates(0)),
        peak_bits_per_second: Some(6.44e9),
        speed: SpeedSummary { average: Some(1.0), slow: 0, high_drift: 0, max_drift_us: 210_000 },
        latencies: latencies(1),
        health: Health {
            verdict: Verdict::Ok,
            since: Duration::from_secs(1),
            error_share: Some(0.0),
            stalled_share: Some(0.001),
            ..Health::default()
        },
        history: history(64, 321, None),
        generator: generator(0.31),
        trust: trust(64, 0.31, 0.0),
        journal: journal(None),
        ..RunSample::default()
    }
}

fn storm() -> RunSample {
    // Three of ten clients are stalled, close to the stalled share below.
    let clients = (1..=648).map(|id| match id % 10 {
        0..3 => failing_row(id, ClientState::Stalled),
        3 => failing_row(id, ClientState::Waiting),
        _ => row(id, ClientState::Playing),
    });
    let http = |status| Outcome::Http(HttpFailure::new(status));
    let ended = totals(&[
        (Outcome::Ok, 700),
        (http(503), 412),
        (http(504), 31),
        (http(404), 8),
        (http(302), 2),
        (Fault::TimeoutFirstByte.into(), 64),
        (Fault::ConnReset.into(), 2),
        (Fault::Cut.into(), 1),
    ]);
    let knee = |clients, at| Knee { clients, bits_per_second: Some(6.9e9), at: Duration::from_secs(at) };
    RunSample {
        at: Duration::from_secs(161),
        admitted: 648,
        failures: failures(&ended),
        history: history(161, 648, Some(84)),
        journal: journal(Some(84)),
        log: log(),
        findings: findings(),
        generator: generator(0.86),
        trust: trust(161, 0.86, 0.0),
        pipeline: pipeline(),
        snapshot: snapshot(clients.collect(), ended),
        recent: Some(rates(6_677)),
        latencies: latencies(20),
        health: Health {
            verdict: Verdict::Failing,
            since: Duration::from_secs(84),
            error_share: Some(0.312),
            stalled_share: Some(0.294),
            ..Health::default()
        },
        run_health: RunHealth {
            worst: Verdict::Failing,
            held: Duration::from_secs(77),
            degraded: Duration::from_secs(77),
            error_share: Some(0.105),
            stalled_share_max: Some(0.34),
        },
        knees: Knees { errors: Some(knee(418, 84)), stalls: Some(knee(446, 90)) },
        late_starts: 3,
        panics: 1,
        ..ramping()
    }
}

fn ten_thousand() -> RunSample {
    let clients = (1..=10_000).map(|id| match id {
        4_200..4_500 => failing_row(id, ClientState::Stalled),
        id if id % 997 == 0 => failing_row(id, ClientState::Waiting),
        id if id % 3331 == 0 => failing_row(id, ClientState::Dead),
        _ => row(id, ClientState::Playing),
    });
    RunSample {
        at: Duration::from_secs(849),
        state: RunState::Running,
        target: 10_000,
        admitted: 10_000,
        snapshot: snapshot(clients.collect(), storm().snapshot.totals),
        health: Health {
            verdict: Verdict::Degraded,
            since: Duration::from_secs(800),
            error_share: Some(0.008),
            stalled_share: Some(0.029),
            ..Health::default()
        },
        panics: 0,
        trust: trust(849, 0.86, 213.0),
        ..storm()
    }
}
