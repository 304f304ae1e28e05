//! A run that is recorded by two machines has, merged, the report of the same run recorded by one: with real samplers
//! over scripted time, and random events.

use std::cell::Cell;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use serde_json::Value;

use super::tests::{UNKNOWN, difference, merge};
use crate::report::doc::Doc;
use crate::report::fixtures;
use crate::sample::{Sampler, Sources, TICK};
use crate::stats::{ClientHandle, Meter, Metric, Timings};
use crate::vocabulary::outcome::Fault;
use crate::vocabulary::{
    CacheStatus, ClientState, Clock, ConnectionRoute, Departure, Finding, Kind, Mark, Outcome, Playback,
    RunState, Timed,
};

/// Clients of the whole load: the even ones are one part of it, the odd ones the other.
const CLIENTS: usize = 4;
/// Samples in a second.
const TICKS: u32 = 4;
/// Unix time at which the runs begin: with a bin.
const BEGAN_MS: i64 = 1_000_000_003_000;

/// Members of a report that judge a machine by its own load, so that the parts of a run do not add up to those of the
/// whole. `tests` has their rules.
const JUDGED_APART: [&str; 3] = ["health", "checks", "trust"];

thread_local! {
    /// Scripted time.
    static NOW: Cell<Instant> = Cell::new(Instant::now());
}

/// One thing that a client does.
#[derive(Clone, Copy, Debug)]
struct Event {
    client: usize,
    what: u8,
    value: u64,
}

/// A machine with some of the clients.
struct Machine {
    name: String,
    clock: Clock,
    sources: Sources,
    sampler: Sampler,
    /// Handles keep their clients listed.
    handles: Vec<ClientHandle>,
    meters: Vec<(usize, Meter)>,
}

impl Machine {
    /// Creates a machine whose run begins some milliseconds after the earliest one.
    fn new(workers: usize, clients: &[usize], later_ms: i64) -> Self {
        let wall = jiff::Timestamp::from_millisecond(BEGAN_MS + later_ms).expect("a time");
        let clock = Clock::start_with(|| NOW.get()).started_at_wall(wall);
        let sources = Sources { clock, ..Sources::new(workers) };
        let (handles, meters) = clients
            .iter()
            .map(|client| {
                let handle = sources.registry.add();
                let meter = handle.meter(client % workers, clock);
                (handle, (*client, meter))
            })
            .unzip();
        sources.status.set_target(clients.len() as u32);
        let sampler = Sampler::new(sources.clone());
        Self { name: format!("run of {clients:?}"), clock, sources, sampler, handles, meters }
    }

    fn apply(&self, event: Event) {
        if let Some((_, meter)) = self.meters.iter().find(|(client, _)| *client == event.client) {
            act(meter, event);
        }
    }

    /// Ends the run and returns its report.
    fn report(mut self) -> Doc {
        self.sources.status.set_state(RunState::Finished);
        let sample = self.sampler.next_whole_sample();
        assert_eq!(self.handles.len(), self.meters.len());
        Doc::new(&fixtures::report(&sample, &self.name, self.clock)).expect("a document")
    }
}

/// Runs seconds on all machines, and returns their reports.
fn run<const N: usize>(mut machines: [Machine; N], seconds: &[Vec<Event>]) -> [Doc; N] {
    for events in seconds {
        for machine in &machines {
            events.iter().for_each(|event| machine.apply(*event));
        }
        for _ in 0..TICKS {
            NOW.set(NOW.get() + TICK);
            machines.iter_mut().for_each(|machine| drop(machine.sampler.next_sample()));
        }
    }
    machines.map(Machine::report)
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
        1 => request(Outcome::from_status(500 + value as u16 % 99, false), None),
        2 => request(Fault::ALL[value as usize % Fault::COUNT].into(), None),
        3 => meter.set_state(ClientState::ALL[value as usize % ClientState::COUNT]),
        4 => meter.publish(&stalled(value)),
        5 => {
            meter.count(Metric::PlaybackStarts, 1);
            meter.count(Metric::PlayMicros, value * 1_000);
            meter.count(Metric::StallMicros, value);
            meter.end_session(Departure::Removed);
        }
        6 => meter.opened(&route),
        7 => meter.find(Finding::ALL[value as usize % Finding::COUNT], || format!("detail of {value}")),
        _ => meter.answered(&route, 200, value, value.is_multiple_of(2).then_some(CacheStatus::Hit)),
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

/// Generates what happens in each second.
fn seconds() -> impl Strategy<Value = Vec<Vec<Event>>> {
    let event =
        (0..CLIENTS, 0_u8..9, 1_u64..5_000).prop_map(|(client, what, value)| Event { client, what, value });
    proptest::collection::vec(proptest::collection::vec(event, 0..6), 1..8)
}

/// Returns the report without what the parts of a run do not add up to.
fn comparable(doc: &Doc) -> Value {
    let mut value = doc.root().value().clone();
    let report = value.as_object_mut().expect("an object");
    report.retain(|name, _| !JUDGED_APART.contains(&name.as_str()));
    for path in UNKNOWN {
        if let Some(unknown) = value.pointer_mut(path) {
            *unknown = Value::Null;
        }
    }
    for name in ["merged_reports", "run_id", "ramp_rate"] {
        value["run"][name] = Value::Null;
    }
    // Two machines read twice as often as one, and each judges its own seconds.
    value["series"]["readings"] = Value::Null;
    value["history"]["verdict"] = Value::Null;
    value
}

fn assert_same(one: &Doc, other: &Doc) -> Result<(), TestCaseError> {
    prop_assert_eq!(difference("", one.root().value(), other.root().value()), None);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn a_run_on_two_machines_adds_up_to_the_same_run_on_one(seconds in seconds()) {
        let machines =
            [Machine::new(2, &[0, 1, 2, 3], 0), Machine::new(1, &[0, 2], 0), Machine::new(1, &[1, 3], 0)];
        let [whole, evens, odds] = run(machines, &seconds);
        let merged = merge(&[evens, odds]).expect("merged");
        prop_assert_eq!(difference("", &comparable(&merged), &comparable(&whole)), None);
    }

    #[test]
    fn reports_add_up_in_whatever_order(seconds in seconds()) {
        let machines =
            [Machine::new(2, &[0, 3], 0), Machine::new(1, &[1], 310), Machine::new(1, &[2], 720)];
        for machine in &machines {
            let at = Duration::from_millis(seconds.len() as u64 * 100);
            machine.sources.status.journal().mark(Mark { at, note: machine.name.clone() });
        }
        let [a, b, c] = run(machines, &seconds);
        let two = |one: &Doc, other: &Doc| merge(&[one.clone(), other.clone()]).expect("merged");
        assert_same(&two(&two(&a, &b), &c), &two(&a, &two(&b, &c)))?;
        assert_same(&two(&two(&c, &a), &b), &two(&two(&a, &b), &c))?;
        assert_same(&two(&a, &b), &two(&b, &a))?;
    }

    #[test]
    fn the_report_of_a_machine_without_a_client_changes_no_number(seconds in seconds()) {
        let [some, none] = run([Machine::new(2, &[0, 1, 2, 3], 0), Machine::new(1, &[], 0)], &seconds);
        let merged = merge(&[some.clone(), none]).expect("merged");
        prop_assert_eq!(difference("", &comparable(&merged), &comparable(&some)), None);
    }
}
