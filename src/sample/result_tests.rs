//! Results add: a load that is split over two registries has the result of the same load in one.

use std::time::Duration;

use proptest::prelude::*;

use super::history_recorder::HistoryRecorder;
use super::timeline::{Bin, TimelineRecorder};
use super::{FailureTracker, RunResult, RunSample, Sources};
use crate::pipeline::Counts;
use crate::run_state::{ChangeKind, ChangeSource, LoadChange};
use crate::stats::{ClientHandle, FindingRow, Meter, Metric, Timed, Timings};
use crate::verdict::{Gauge, Trust, TrustJudge, TrustNumbers, Values};
use crate::vocabulary::outcome::Fault;
use crate::vocabulary::{CacheStatus, ClientState, ConnectionRoute, Finding, Kind, Mark, Outcome, Playback};

/// Clients of the whole load: the even ones are one part of it, the odd ones the other.
const CLIENTS: usize = 4;
/// Unix time of the first step.
const BEGIN_S: u64 = 1_000_003;

/// One thing that a client does.
#[derive(Clone, Copy, Debug)]
struct Event {
    client: usize,
    what: u8,
    value: u64,
}

/// A registry with some of the clients, followed step by step.
struct Machine {
    sources: Sources,
    /// Handles keep their clients listed.
    handles: Vec<ClientHandle>,
    meters: Vec<(usize, Meter)>,
    sample: RunSample,
    timeline: TimelineRecorder,
    failures: FailureTracker,
    history: HistoryRecorder,
}

impl Machine {
    fn new(workers: usize, clients: impl Iterator<Item = usize>) -> Self {
        let sources = Sources::new(workers);
        let (handles, meters) = clients
            .map(|client| {
                let handle = sources.registry.add();
                let meter = handle.meter(client % workers, sources.clock);
                (handle, (client, meter))
            })
            .unzip();
        Self {
            sources,
            handles,
            meters,
            sample: RunSample::default(),
            timeline: TimelineRecorder::new(1_000 * BEGIN_S.cast_signed()),
            failures: FailureTracker::default(),
            history: HistoryRecorder::new(1_000 * BEGIN_S.cast_signed()),
        }
    }

    fn apply(&self, event: Event) {
        if let Some((_, meter)) = self.meters.iter().find(|(client, _)| *client == event.client) {
            act(meter, event);
        }
    }

    /// Reads the registry at a step of a second.
    fn step(&mut self, step: u64) {
        let sample = &mut self.sample;
        sample.at = Duration::from_secs(step);
        self.sources.registry.snapshot(step * 1_000_000, &mut sample.snapshot);
        // Two machines read twice as often as one.
        let counted = Bin { readings: 0, ..self.timeline.observe(sample.at, &sample.snapshot) };
        self.failures.observe(sample.at, 0, &sample.snapshot.totals, &mut sample.failures);
        self.history.observe(&counted, sample);
        self.history.read_heat(&self.sources.registry);
        self.history.finish_second(sample);
    }

    fn result(&self) -> RunResult {
        assert_eq!(self.handles.len(), self.meters.len());
        RunResult {
            timeline: self.timeline.timeline().map(|bin| Bin { readings: 0, ..*bin }),
            history: self.history.whole(&self.sample),
            ..RunResult::read(&self.sources, &self.sample)
        }
    }
}

fn act(meter: &Meter, event: Event) {
    let value = event.value;
    let edge = std::net::SocketAddr::from(([10, 0, 0, (value % 3) as u8], 443));
    let route = ConnectionRoute {
        edge,
        source: [10, 1, 0, 1].into(),
        http2: value.is_multiple_of(2),
        resumed: Some(value.is_multiple_of(5)),
    };
    let kind = Kind::ALL[value as usize % Kind::COUNT];
    let request = |outcome: Outcome, timings: Option<Timings>| {
        let mut exchange = meter.start_at(kind, 1_000);
        exchange.received(value);
        exchange.finish_at(outcome, timings, 1_000 + value);
    };
    match event.what {
        0 => request(Outcome::Ok, Some(Timings { first_byte_us: value, body_us: value * 2 })),
        1 => request(Outcome::of_status(500 + value as u16 % 99, false), None),
        2 => request(Fault::ALL[value as usize % Fault::COUNT].into(), None),
        3 => meter.set_state(ClientState::ALL[value as usize % ClientState::COUNT]),
        4 => meter.publish(&stalled(value)),
        5 => {
            meter.count(Metric::PlaybackStarts, 1);
            meter.count(Metric::PlayMicros, value * 1_000);
            meter.count(Metric::StallMicros, value);
            meter.end_session();
        }
        6 => meter.opened(&route),
        _ => meter.answered(&route, value, value.is_multiple_of(2).then_some(CacheStatus::Hit)),
    }
    meter.time(Timed::Connect, value);
}

fn stalled(drift_us: u64) -> Playback {
    Playback {
        state: ClientState::Stalled,
        joined_us: 0,
        offset_us: 0,
        dry_at_us: 0,
        max_drift_us: drift_us,
        bandwidth: drift_us * 1_001,
        live_offset_us: None,
    }
}

fn steps() -> impl Strategy<Value = Vec<Vec<Event>>> {
    let event =
        (0..CLIENTS, 0_u8..8, 1_u64..5_000).prop_map(|(client, what, value)| Event { client, what, value });
    proptest::collection::vec(proptest::collection::vec(event, 0..6), 1..8)
}

/// Generates a result with something in every field that a registry alone does not fill.
fn results() -> impl Strategy<Value = RunResult> {
    (steps(), 0_u64..4, 0_u64..3).prop_map(|(steps, number, finding)| {
        let mut machine = Machine::new(2, 0..CLIENTS);
        for (step, events) in (1..).zip(&steps) {
            events.iter().for_each(|event| machine.apply(*event));
            machine.step(step);
        }
        let at = Duration::from_secs(number);
        let change = LoadChange { at, kind: ChangeKind::Target, from: 0, to: 5, by: ChangeSource::Plan };
        let row =
            |finding| FindingRow { finding, count: 1 + number, first: at, last: at, detail: "detail".into() };
        RunResult {
            target: 5 + number as u32,
            late_starts: number,
            panics: number,
            explanations: vec![(Fault::TlsCert, format!("reason {number}").into())],
            findings: Finding::ALL.into_iter().skip(finding as usize).take(2).map(row).collect(),
            marks: vec![Mark { at, note: number.to_string() }],
            load_changes: vec![change],
            progress: Counts { offered: number, delivered: number, dropped: 0 },
            degraded_clients: number,
            trust: trust(number),
            own_delays: crate::generator::delays_of([number, 1_000 * number]),
            ..machine.result()
        }
    })
}

/// Returns the trust in a run with some seconds of lag, and with a file refused if `number` is odd.
fn trust(number: u64) -> Trust {
    let mut judge = TrustJudge::default();
    for at in 1..=10 {
        let mut values = Values::default();
        values[Gauge::LoopLag.index()] = Some(if at <= 2 * number { 60_000.0 } else { number as f64 });
        values[Gauge::FilesRefused.index()] = Some((number % 2) as f64);
        let at = Duration::from_secs(at);
        judge.judge(&TrustNumbers { at, values, ..TrustNumbers::default() });
    }
    judge.trust().clone()
}

fn merged(one: &RunResult, other: &RunResult) -> RunResult {
    let mut merged = one.clone();
    merged.merge(other);
    merged
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn a_load_that_is_split_in_two_adds_up_to_the_result_of_the_whole(steps in steps()) {
        let evens = || (0..CLIENTS).step_by(2);
        let odds = || (1..CLIENTS).step_by(2);
        let mut machines = [Machine::new(2, 0..CLIENTS), Machine::new(1, evens()), Machine::new(1, odds())];
        for (step, events) in (1..).zip(&steps) {
            for machine in &mut machines {
                events.iter().for_each(|event| machine.apply(*event));
                machine.step(step);
            }
        }
        let [whole, one, other] = machines.each_ref().map(Machine::result);
        prop_assert_eq!(merged(&one, &other), whole);
    }

    #[test]
    fn results_merge_in_whatever_order(a in results(), b in results(), c in results()) {
        prop_assert_eq!(merged(&a, &b), merged(&b, &a));
        prop_assert_eq!(merged(&merged(&a, &b), &c), merged(&a, &merged(&b, &c)));
        prop_assert_eq!(&merged(&a, &RunResult::default()), &a);
        prop_assert_eq!(&merged(&RunResult::default(), &a), &a);
    }
}

#[test]
fn the_earliest_occurrence_of_a_finding_keeps_its_detail() {
    let found = |seconds: u64, detail: &str| {
        let at = Duration::from_secs(seconds);
        let row = FindingRow {
            finding: Finding::PlaylistStale,
            count: 2,
            first: at,
            last: at,
            detail: detail.into(),
        };
        RunResult { findings: vec![row], ..RunResult::default() }
    };
    let all = merged(&found(9, "later"), &found(4, "first"));
    let [row] = all.findings.as_slice() else { panic!("{:?}", all.findings) };
    assert_eq!((row.count, row.first.as_secs(), row.last.as_secs(), &*row.detail), (4, 4, 9, "first"));
}

#[test]
fn a_result_leaves_out_what_the_journal_recorded_after_its_moment() {
    let mut machine = Machine::new(1, 0..1);
    machine.step(3);
    let journal = std::sync::Arc::clone(&machine.sample.journal);
    for seconds in [4, 2] {
        journal.mark(Mark { at: Duration::from_secs(seconds), note: seconds.to_string() });
    }
    let marks: Vec<_> = machine.result().marks.into_iter().map(|mark| mark.note).collect();
    assert_eq!(marks, ["2"]);
    assert_eq!(machine.result().entries_not_kept, 0);
    for _ in 0..1_000 {
        journal.mark(Mark { at: Duration::from_secs(2), note: String::new() });
    }
    assert_eq!(machine.result().entries_not_kept, 2, "a list that was cut says so");
}
