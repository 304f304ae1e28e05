//! Frames for tests: the states of a run, made as the run would make them.

use std::sync::Arc;
use std::time::Duration;

use crate::base::outcome::{Fault, HttpFailure};
use crate::base::{ClientState, Clock, Kind, Outcome, RunState};
use crate::frame::{Frame, Health, Knee, Knees, Verdict};
use crate::stats::{
    ClientRow, LatencyDigest, LatencySummary, Playback, Rates, Registry, Snapshot, SpeedSummary, Totals,
};

use super::app::Title;

/// The names of all stages.
pub(super) const STAGES: [&str; 7] =
    ["empty", "ramping", "storm", "ten_thousand", "draining", "finished", "no_client"];

pub(super) fn title() -> Title {
    Title {
        program: "hlswarm 0.1.0".to_owned(),
        target: "https://origin.example.com/live/master.m3u8".to_owned(),
        variant: "highest".to_owned(),
        seed: 7,
        duration: None,
    }
}

/// The frame of a stage.
pub(super) fn frame(stage: &str) -> Arc<Frame> {
    Arc::new(match stage {
        "ramping" => ramping(),
        "storm" => storm(),
        "ten_thousand" => ten_thousand(),
        "draining" => Frame { state: RunState::Draining, ..storm() },
        "finished" => Frame { state: RunState::Finished, ..storm() },
        "no_client" => Frame { target: 0, admitted: 0, snapshot: Snapshot::default(), ..ramping() },
        _ => Frame::default(),
    })
}

/// Totals in which requests ended this way, counted by a real registry.
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

/// A client with the numbers of one that is well, or of one that is not.
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
        story_offered: 0,
        story_dropped: 0,
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
    let last = Some((Outcome::Http(HttpFailure::of(503)), 63_600_000));
    let playback = Playback { dry_at_us: 62_000_000, ..row(id, state).playback };
    ClientRow { playback, http_errors: 12, stalls: 4, speed: Some(0.31), slow: true, last, ..row(id, state) }
}

fn snapshot(clients: Vec<ClientRow>, totals: Totals) -> Snapshot {
    let mut states = [0; ClientState::COUNT];
    clients.iter().for_each(|row| states[row.state.index()] += 1);
    Snapshot { at_us: 64_000_000, totals, clients, states, ..Snapshot::default() }
}

fn digest(scale: u64) -> LatencyDigest {
    let summary = LatencySummary {
        count: 1000,
        min: 900 * scale,
        mean: 5_000.0,
        p50: 4_120 * scale,
        p95: 11_300 * scale,
        p99: 19_000 * scale,
        p999: 80_000 * scale,
        max: 102_000 * scale,
    };
    LatencyDigest { recent: Some(summary), run: Some(summary) }
}

fn rates(errors: u64) -> Rates {
    Rates {
        length: Duration::from_secs(10),
        bits_per_second: 6.42e9,
        segment_bits_per_second: 6.4e9,
        requests_per_second: 2_140.0,
        playlists_per_second: 1_070.0,
        segments_per_second: 1_070.0,
        finished: 21_400,
        errors,
    }
}

fn ramping() -> Frame {
    let clients =
        (1..=321).map(|id| row(id, if id > 310 { ClientState::Starting } else { ClientState::Playing }));
    Frame {
        at: Duration::from_secs(64),
        state: RunState::Ramping,
        target: 1000,
        admitted: 321,
        peak_clients: 321,
        snapshot: snapshot(clients.collect(), totals(&[(Outcome::Ok, 500)])),
        recent: Some(rates(0)),
        peak_bits_per_second: Some(6.44e9),
        speed: SpeedSummary { average: Some(1.0), slow: 0, high_drift: 0, max_drift_us: 210_000 },
        playlist_latency: digest(1),
        segment_first_byte: digest(3),
        segment_latency: digest(9),
        health: Health {
            verdict: Verdict::Ok,
            since: Duration::from_secs(1),
            error_share: Some(0.0),
            stalled_share: Some(0.001),
        },
        ..Frame::default()
    }
}

fn storm() -> Frame {
    let clients = (1..=648).map(|id| match id % 10 {
        0..3 => failing_row(id, ClientState::Stalled),
        3 => failing_row(id, ClientState::Waiting),
        _ => row(id, ClientState::Playing),
    });
    let http = |status| Outcome::Http(HttpFailure::of(status));
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
    Frame {
        at: Duration::from_secs(161),
        admitted: 648,
        snapshot: snapshot(clients.collect(), ended),
        recent: Some(rates(6_677)),
        playlist_latency: digest(40),
        segment_first_byte: digest(90),
        segment_latency: digest(110),
        health: Health {
            verdict: Verdict::Failing,
            since: Duration::from_secs(84),
            error_share: Some(0.312),
            stalled_share: Some(0.294),
        },
        knees: Knees { errors: Some(knee(418, 84)), stalls: Some(knee(446, 90)) },
        late_starts: 3,
        panics: 1,
        ..ramping()
    }
}

fn ten_thousand() -> Frame {
    let clients = (1..=10_000).map(|id| match id {
        4_200..4_500 => failing_row(id, ClientState::Stalled),
        id if id % 997 == 0 => failing_row(id, ClientState::Waiting),
        id if id % 3331 == 0 => failing_row(id, ClientState::Dead),
        _ => row(id, ClientState::Playing),
    });
    Frame {
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
        },
        panics: 0,
        ..storm()
    }
}
