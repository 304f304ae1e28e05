//! Any sequence of adding, removing, recording, phases and snapshots, against a model that is too simple to be wrong.
//!
//! After every step the snapshot must agree with the model and keep the laws: no total falls (I1); requests started
//! are those finished and those in flight, by an independent gauge (I2); outcomes and classes add up (I3); the counts
//! of clients, including those that have left, are the totals, and every client that was added is listed or has left
//! (I4, I5); every request that ended is timed once, unless hlswarm cut it (I6); percentiles are ordered (I7).

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::snapshot;
use crate::stats::{
    ClientHandle, LatencySnapshot, Meter, Metric, Registry, Snapshot, Tally, Timings, Totals,
};
use crate::vocabulary::outcome::{Fault, HttpFailure};
use crate::vocabulary::{Clock, Kind, Outcome, Timed};

const WORKERS: usize = 2;

/// One step. A client is an index modulo the number of clients.
#[derive(Clone, Debug)]
enum Step {
    Add,
    Remove(usize),
    Count(usize, Metric, u64),
    Phase,
    Request(Request),
}

#[derive(Clone, Debug)]
struct Request {
    client: usize,
    kind: Kind,
    chunks: Vec<u64>,
    /// `None` if the request is abandoned.
    outcome: Option<Outcome>,
    took_us: u64,
    /// Steps that are taken while the request is open.
    meanwhile: Vec<Step>,
}

/// Counts that a client or the run should have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Counted {
    started: BTreeMap<Kind, u64>,
    bytes: BTreeMap<Kind, u64>,
    ended: BTreeMap<(Kind, String), (u64, u64)>,
    ok: u64,
    http_errors: u64,
    faults: u64,
    timeouts: u64,
    more: BTreeMap<&'static str, u64>,
    times: BTreeMap<Kind, Vec<u64>>,
}

struct Client {
    handle: ClientHandle,
    meter: Meter,
    id: u64,
}

struct Machine {
    registry: Arc<Registry>,
    clients: Vec<Rc<Client>>,
    created: u64,
    open: u64,
    run: Counted,
    of: BTreeMap<u64, Counted>,
    phase: Option<(Totals, Counted)>,
    last: Totals,
}

impl Machine {
    fn new() -> Self {
        Self {
            registry: Registry::new(WORKERS),
            clients: Vec::new(),
            created: 0,
            open: 0,
            run: Counted::default(),
            of: BTreeMap::new(),
            phase: None,
            last: Totals::default(),
        }
    }

    fn take(&mut self, steps: &[Step]) {
        for step in steps {
            match step {
                Step::Add => self.add(),
                Step::Remove(client) => self.remove(*client),
                Step::Count(client, metric, amount) => self.count(*client, *metric, *amount),
                Step::Phase => {
                    self.check_times();
                    self.phase = Some((self.last.clone(), self.run.clone()));
                }
                Step::Request(request) => self.request(request),
            }
            self.check();
        }
    }

    fn add(&mut self) {
        let handle = self.registry.add();
        self.created += 1;
        let (id, worker) = (handle.id(), self.created as usize % WORKERS);
        assert_eq!(id, self.created, "a number is used once");
        let meter = handle.meter(worker, Clock::start());
        self.clients.push(Rc::new(Client { handle, meter, id }));
        self.of.insert(id, Counted::default());
    }

    fn client(&self, index: usize) -> Option<Rc<Client>> {
        let index = index.checked_rem(self.clients.len())?;
        self.clients.get(index).cloned()
    }

    fn remove(&mut self, index: usize) {
        let Some(index) = index.checked_rem(self.clients.len()) else { return };
        // A client whose request is open is still in use.
        if Rc::strong_count(&self.clients[index]) == 1 {
            let client = self.clients.swap_remove(index);
            assert_eq!(client.handle.id(), client.id);
            self.of.remove(&client.id);
        }
    }

    fn count(&mut self, index: usize, metric: Metric, amount: u64) {
        let Some(client) = self.client(index) else { return };
        client.meter.count(metric, amount);
        self.note(client.id, |counted| *counted.more.entry(metric.name()).or_default() += amount);
    }

    fn request(&mut self, request: &Request) {
        let Some(client) = self.client(request.client) else { return };
        let kind = request.kind;
        let mut exchange = client.meter.start_at(kind, 1_000);
        self.open += 1;
        self.note(client.id, |counted| *counted.started.entry(kind).or_default() += 1);
        for chunk in &request.chunks {
            exchange.received(*chunk);
            self.note(client.id, |counted| *counted.bytes.entry(kind).or_default() += chunk);
        }
        self.check();
        self.take(&request.meanwhile);
        match request.outcome {
            None => drop(exchange),
            Some(outcome) => {
                let timings = Timings { first_byte_us: request.took_us / 3, body_us: request.took_us / 2 };
                exchange.finish_at(outcome, Some(timings), 1_000 + request.took_us);
            }
        }
        self.open -= 1;
        let outcome = request.outcome.unwrap_or(Fault::Cut.into());
        let bytes = request.chunks.iter().sum();
        self.note(client.id, |counted| counted.end(kind, outcome, bytes, request.took_us));
    }

    fn note(&mut self, client: u64, note: impl Fn(&mut Counted)) {
        note(&mut self.run);
        note(self.of.get_mut(&client).expect("a client that counts is there"));
    }

    fn check(&mut self) {
        let seen = snapshot(&self.registry);
        assert!(seen.totals.never_fell_since(&self.last), "I1");
        self.registry.compare(&self.last, &seen.totals);
        self.last.copy_from(&seen.totals);
        assert_eq!(seen.totals.in_flight, self.open, "I2");
        assert_eq!(seen.totals.started() - seen.totals.finished(), self.open, "I2");
        self.run.check(&seen.totals);
        self.check_clients(&seen);
        if let Some((phase, before)) = &self.phase {
            let within = seen.totals.since(phase);
            assert_eq!(within.finished(), self.run.finished() - before.finished());
            assert_eq!(within.bytes(), self.run.received() - before.received());
        }
        assert_eq!(self.registry.violations(), 0);
    }

    fn check_clients(&self, seen: &Snapshot) {
        assert_eq!(seen.created, self.created);
        assert_eq!(
            (self.registry.count(), seen.clients.len()),
            (self.clients.len() as u64, self.clients.len()),
            "I4"
        );
        for row in &*seen.clients {
            let counted = &self.of[&row.id];
            assert_eq!(row.requests, counted.started.values().sum::<u64>());
            assert_eq!(row.bytes, counted.bytes.values().sum::<u64>());
            assert_eq!((row.http_errors, row.faults), (counted.http_errors, counted.faults));
            let mut failures = BTreeMap::<String, u64>::new();
            self.registry.inspect(row, |stats| {
                stats.for_each_failure(|outcome, count| _ = failures.insert(outcome.to_string(), count))
            });
            let mut expected = BTreeMap::<String, u64>::new();
            for ((_, name), (requests, _)) in counted.ended.iter().filter(|((_, name), _)| name != "ok") {
                *expected.entry(name.clone()).or_default() += requests;
            }
            assert_eq!(failures, expected, "client {}", row.id);
        }
    }

    /// Checks what takes longer, between phases and at the end: the histograms, and the audit where it is exact.
    fn check_times(&self) {
        let mut latency = LatencySnapshot::default();
        for kind in Kind::ALL {
            self.registry.latency_of_all(kind, &mut latency);
            let times = self.run.times.get(&kind).map_or(&[] as &[u64], Vec::as_slice);
            assert_eq!(latency.count(), times.len() as u64, "I6");
            let Some(summary) = latency.summary() else { continue };
            assert_eq!(Some(summary.max), times.iter().copied().max());
            assert_eq!(Some(summary.min), times.iter().copied().min());
            let ordered = [summary.min, summary.p50, summary.p95, summary.p99, summary.p999, summary.max];
            assert!(ordered.is_sorted(), "I7: {ordered:?}");
            let mut merged = LatencySnapshot::default();
            for part in [Timed::Failed(kind), Timed::Total(kind)] {
                self.registry.latency(part, &mut latency);
                merged.merge(&latency);
            }
            assert_eq!(merged.summary(), Some(summary), "I7");
        }
        if self.open == 0 {
            assert_eq!(self.registry.audit(), 0, "I3, I4, I6");
        }
    }
}

impl Counted {
    fn end(&mut self, kind: Kind, outcome: Outcome, bytes: u64, took_us: u64) {
        let (requests, sum) = self.ended.entry((kind, outcome.to_string())).or_default();
        *requests += 1;
        *sum += bytes;
        match outcome {
            Outcome::Ok => self.ok += 1,
            Outcome::Http(_) => self.http_errors += 1,
            Outcome::Failed(fault) => {
                self.faults += 1;
                self.timeouts += u64::from(fault.name().starts_with("timeout."));
            }
        }
        if outcome != Fault::Cut.into() {
            self.times.entry(kind).or_default().push(took_us);
        }
    }

    fn finished(&self) -> u64 {
        self.ok + self.http_errors + self.faults
    }

    fn received(&self) -> u64 {
        self.bytes.values().sum()
    }

    fn check(&self, totals: &Totals) {
        let classes =
            [(Metric::Ok, self.ok), (Metric::HttpErrors, self.http_errors), (Metric::Faults, self.faults)];
        for (metric, expected) in classes.into_iter().chain([(Metric::Timeouts, self.timeouts)]) {
            let more = self.more.get(metric.name()).copied().unwrap_or(0);
            assert_eq!(totals.get(metric), expected + more, "I3: {}", metric.name());
        }
        for kind in Kind::ALL {
            assert_eq!(totals.started_of(kind), self.started.get(&kind).copied().unwrap_or(0));
            assert_eq!(totals.bytes_of(kind), self.bytes.get(&kind).copied().unwrap_or(0));
            let ended = totals.kind(kind).outcomes();
            let ended: BTreeMap<String, (u64, u64)> = ended
                .map(|(outcome, Tally { requests, bytes })| (outcome.to_string(), (requests, bytes)))
                .collect();
            let expected = self.ended.iter().filter(|((of, _), _)| *of == kind);
            assert_eq!(ended, expected.map(|((_, name), tally)| (name.clone(), *tally)).collect(), "I3");
            assert_eq!(
                totals.finished_of(kind),
                ended.values().map(|(requests, _)| requests).sum::<u64>(),
                "I3"
            );
        }
        for (name, amount) in &self.more {
            let metric = Metric::ALL.into_iter().find(|metric| metric.name() == *name).expect("a metric");
            assert_eq!(totals.get(metric), *amount, "{name}");
        }
    }
}

fn outcome() -> impl Strategy<Value = Option<Outcome>> {
    prop_oneof![
        4 => Just(Some(Outcome::Ok)),
        3 => (0..HttpFailure::SLOTS).prop_map(|slot| HttpFailure::at(slot).map(Outcome::Http)),
        3 => select(&Fault::ALL[..]).prop_map(|fault| Some(fault.into())),
        1 => Just(None),
    ]
}

/// Returns counters that requests do not change.
fn counter() -> impl Strategy<Value = Metric> {
    select(vec![
        Metric::Stalls,
        Metric::PlayMicros,
        Metric::Redirects,
        Metric::SegmentsSkipped,
        Metric::Connections,
    ])
}

fn request(meanwhile: impl Strategy<Value = Vec<Step>>) -> impl Strategy<Value = Step> {
    let took = prop_oneof![0..100_000_u64, Just((1 << 32) + 5)];
    let chunks = vec(0..2_000_000_u64, 0..3);
    (any::<usize>(), select(&Kind::ALL[..]), chunks, outcome(), took, meanwhile).prop_map(
        |(client, kind, chunks, outcome, took_us, meanwhile)| {
            Step::Request(Request { client, kind, chunks, outcome, took_us, meanwhile })
        },
    )
}

fn step() -> impl Strategy<Value = Step> {
    let leaf = prop_oneof![
        3 => Just(Step::Add),
        2 => any::<usize>().prop_map(Step::Remove),
        1 => (any::<usize>(), counter(), 0..1_000_u64).prop_map(|(client, metric, by)| Step::Count(client, metric, by)),
        1 => Just(Step::Phase),
        6 => request(Just(Vec::new())),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| request(vec(inner, 0..4)))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn any_sequence_of_steps_keeps_the_laws(steps in vec(step(), 1..40)) {
        let mut machine = Machine::new();
        machine.take(&[Step::Add, Step::Add]);
        machine.take(&steps);
        machine.check_times();
        while !machine.clients.is_empty() {
            machine.take(&[Step::Remove(0)]);
        }
        machine.check_times();
    }
}
