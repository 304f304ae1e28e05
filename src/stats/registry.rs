//! Clients of a run and its totals. Adding, removing, recording and reading take no lock. Recording and reading never
//! wait; adding and removing may spin for a moment in the list of free slots.
//!
//! * A client's number is never reused; its slot is, under a new number.
//! * A reader checks the number of a slot before and after, and skips a slot that changed hands meanwhile.
//! * A client that leaves adds its counts to `retired`: clients and retired together must equal the totals, which are
//!   counted independently. [`Registry::audit`] compares the two.

mod distributions;
mod image;

use std::sync::Arc;

use crossbeam_queue::SegQueue;

use super::audience::Audience;
use super::client::{ClientStats, StatsSlot};
use super::explanations;
use super::failure_table;
use super::findings::{self, FindingRow};
use super::had::HadSlots;
use super::latency::LatencySnapshot;
use super::meter::Meter;
use super::metric::{Metric, Scalars};
use super::placement::PlacementIndex;
use super::snapshot::{ClientRow, Snapshot, Totals};
use super::spending::Spending;
use super::watched::Watched;
use super::worker::{self, WorkerStats};
use crate::sync::atomics::{AtomicU64, Ordering};
use crate::vocabulary::outcome::Fault;
use crate::vocabulary::{Clock, Kind, Timed};

/// Counts of clients that have left. Several workers retire clients, so they use `fetch_add` rather than a store.
#[derive(Debug)]
struct Retired {
    clients: AtomicU64,
    scalars: Box<[AtomicU64]>,
    failures: Box<[AtomicU64]>,
}

impl Default for Retired {
    fn default() -> Self {
        Self {
            clients: AtomicU64::new(0),
            scalars: (0..Metric::COUNT).map(|_| AtomicU64::new(0)).collect(),
            failures: (0..failure_table::SLOTS).map(|_| AtomicU64::new(0)).collect(),
        }
    }
}

/// Clients of a run and its totals.
#[derive(Debug)]
pub struct Registry {
    workers: Box<[Arc<WorkerStats>]>,
    slots: boxcar::Vec<Arc<StatsSlot>>,
    free: SegQueue<usize>,
    created: AtomicU64,
    retired: Retired,
    /// Shared with the workers, which read it.
    watched: Arc<Watched>,
    violations: AtomicU64,
    /// Totals for a worker number outside the table; they stay empty, because that cannot happen.
    nowhere: Arc<WorkerStats>,
}

/// The right to a slot: the client is listed as long as the handle lives; dropping it retires the client.
///
/// The handle is kept outside the client's task, so that the last numbers of a client outlive its task. It must not
/// be dropped before that task has ended: the slot might then belong to another client.
#[derive(Debug)]
pub struct ClientHandle {
    registry: Arc<Registry>,
    slot: Arc<StatsSlot>,
    index: usize,
    id: u64,
}

impl ClientHandle {
    /// Returns the client's number.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Returns the client's current numbers.
    pub fn row(&self) -> Option<ClientRow> {
        Registry::row(self.index, &self.slot)
    }

    /// Returns the writer of the client's numbers, for its task on worker number `worker`.
    pub fn meter(&self, worker: usize, clock: Clock) -> Meter {
        Meter::new(Arc::clone(&self.slot), worker, Arc::clone(self.registry.worker(worker)), clock)
    }
}

impl Drop for ClientHandle {
    fn drop(&mut self) {
        self.registry.retire(&self.slot, self.index);
    }
}

impl Registry {
    /// Creates an empty registry for `workers` worker threads.
    pub fn new(workers: usize) -> Arc<Self> {
        Self::with_spending(workers, None)
    }

    /// Creates an empty registry whose requests and bytes also count towards hard stops.
    pub fn with_spending(workers: usize, spending: Option<&Arc<Spending>>) -> Arc<Self> {
        let spending = spending.filter(|spending| spending.counts());
        let watched = Arc::<Watched>::default();
        let worker = || Arc::new(WorkerStats::new(spending.cloned(), Arc::clone(&watched)));
        Arc::new(Self {
            workers: (0..workers).map(|_| worker()).collect(),
            slots: boxcar::Vec::new(),
            free: SegQueue::new(),
            created: AtomicU64::new(0),
            retired: Retired::default(),
            violations: AtomicU64::new(0),
            nowhere: worker(),
            watched,
        })
    }

    /// Adds a client at the start of the run.
    #[cfg(test)]
    pub fn add(self: &Arc<Self>) -> ClientHandle {
        self.add_at(0)
    }

    /// Adds a client that joins now, in microseconds since the start of the run; it is listed from now on. Numbers
    /// begin with 1.
    pub fn add_at(self: &Arc<Self>, now_us: u64) -> ClientHandle {
        let id = self.created.fetch_add(1, Ordering::Relaxed) + 1;
        let reused = self.free.pop().and_then(|index| Some((index, Arc::clone(self.slots.get(index)?))));
        let (index, slot) = reused.unwrap_or_else(|| {
            let slot = Arc::<StatsSlot>::default();
            (self.slots.push(Arc::clone(&slot)), slot)
        });
        // The task of the client publishes its start when a worker first runs it, which may be seconds later.
        slot.open(id, |stats| stats.reset(now_us));
        ClientHandle { registry: Arc::clone(self), slot, index, id }
    }

    /// Makes the requests of these clients be reported one by one, and those of no other.
    pub fn watch(&self, ids: impl IntoIterator<Item = u64>) {
        self.watched.set(ids);
    }

    fn retire(&self, slot: &StatsSlot, index: usize) {
        let stats = slot.values();
        for (metric, retired) in Metric::ALL.into_iter().zip(&*self.retired.scalars) {
            retired.fetch_add(stats.get(metric), Ordering::Relaxed);
        }
        stats.for_each_slot(|failure, count| {
            if let Some(retired) = self.retired.failures.get(failure) {
                retired.fetch_add(count, Ordering::Relaxed);
            }
        });
        // Release: a reader that counts this client as gone sees that it was created, and the counts added above.
        self.retired.clients.fetch_add(1, Ordering::Release);
        slot.close();
        self.free.push(index);
    }

    /// Returns the number of clients that were ever added.
    pub fn created(&self) -> u64 {
        self.created.load(Ordering::Relaxed)
    }

    /// Returns the number of clients that are listed now.
    pub fn count(&self) -> u64 {
        // Read `retired` first: a client that retires between the two reads is still counted, and none is missed.
        let retired = self.retired.clients.load(Ordering::Acquire);
        self.created().saturating_sub(retired)
    }

    /// Returns the number of violated invariants; 0 unless a counter is wrong.
    pub fn violations(&self) -> u64 {
        self.violations.load(Ordering::Relaxed)
    }

    /// Returns one client, if it is still listed.
    pub fn get(&self, id: u64) -> Option<ClientRow> {
        let (index, slot) = self.slots.iter().find(|(_, slot)| slot.holder() == id)?;
        Self::row(index, slot).filter(|row| row.id == id)
    }

    /// Reads more of a client than its row shows, such as failures and last segments. Returns `None` if it has left.
    pub fn inspect<R>(&self, row: &ClientRow, read: impl FnOnce(&ClientStats) -> R) -> Option<R> {
        let found = self.slots.get(row.slot)?.read(|id, stats| (id == row.id).then(|| read(stats)));
        found.flatten()
    }

    /// Calls `visit` with each listed client, in the order of their slots.
    pub fn for_each(&self, visit: impl FnMut(ClientRow)) {
        self.slots.iter().filter_map(|(index, slot)| Self::row(index, slot)).for_each(visit);
    }

    #[inline]
    fn row(index: usize, slot: &StatsSlot) -> Option<ClientRow> {
        slot.read(|id, stats| ClientRow::read(id, index, stats))
    }

    fn worker(&self, index: usize) -> &Arc<WorkerStats> {
        self.workers.get(index).unwrap_or(&self.nowhere)
    }

    /// Reads everything into `snapshot`, whose memory is reused, and labels it with the moment `at_us`.
    pub fn snapshot(&self, at_us: u64, snapshot: &mut Snapshot) {
        self.read_run(at_us, snapshot);
        let mut rows = snapshot.take_rows();
        let slots = HadSlots::new(&snapshot.codes);
        for (index, slot) in self.slots.iter() {
            let read = |id, stats: &ClientStats| (ClientRow::read(id, index, stats), slots.had(stats));
            let Some((row, had)) = slot.read(read) else { continue };
            let state = row.playback.state_at(at_us);
            snapshot.count(state);
            rows.push(ClientRow { state, had, ..row });
        }
        snapshot.put_rows(rows);
    }

    /// Reads everything but the rows of the clients, which stay as they are; of the clients it counts only the
    /// states. That costs one cache line for each client instead of five.
    pub fn snapshot_states(&self, at_us: u64, snapshot: &mut Snapshot) {
        self.read_run(at_us, snapshot);
        for (_, slot) in self.slots.iter() {
            if let Some(state) = slot.read(|_, stats| stats.state_at(at_us)) {
                snapshot.count(state);
            }
        }
    }

    fn read_run(&self, at_us: u64, snapshot: &mut Snapshot) {
        snapshot.begin(at_us);
        self.read_totals(&mut snapshot.totals);
        snapshot.created = self.created();
        snapshot.retry_at_us =
            self.workers.iter().map(|worker| worker.retry_at_us.get()).max().unwrap_or_default();
        snapshot.invariant_violations = self.violations();
    }

    /// Returns the body bytes that have arrived so far.
    pub fn bytes(&self) -> u64 {
        self.workers.iter().map(|worker| worker.bytes()).sum()
    }

    /// Reads the problems that clients found in the stream into `rows`, whose memory is reused, in the list's order.
    pub fn findings(&self, rows: &mut Vec<FindingRow>) {
        findings::read(self.workers.iter().map(|worker| &worker.findings), rows);
    }

    /// Returns the reason of the first failure of each sort, where more is known than its name.
    pub fn explanations(&self) -> Vec<(Fault, Arc<str>)> {
        explanations::read(self.workers.iter().map(|worker| &worker.explanations))
    }

    /// Returns the audience that the run represented to the origin.
    pub fn audience(&self) -> Audience {
        let mut audience = self.routes();
        let (hosts, others) = (&mut audience.hosts, &mut audience.other_hosts);
        self.workers.iter().for_each(|worker| worker.hosts.add_to(hosts, others));
        audience
    }

    /// Returns the audience without its hosts, whose names take more to read.
    pub fn routes(&self) -> Audience {
        let mut audience = Audience::default();
        self.workers.iter().for_each(|worker| worker.routes.add_to(&mut audience));
        audience.sources.sort_unstable();
        audience
    }

    /// Reads the edges and rungs that the placements of clients refer to into `index`, whose memory is reused.
    pub fn placements(&self, index: &mut PlacementIndex) {
        index.edges.resize_with(self.workers.len(), Vec::new);
        index.rungs.clear();
        for (worker, edges) in self.workers.iter().zip(&mut index.edges) {
            edges.clear();
            edges.extend(worker.routes.edges());
            worker.ladder.add_to(&mut index.rungs);
        }
    }

    /// Reads only the totals, and reports any broken law of those that hold at every moment.
    pub(super) fn read_totals(&self, totals: &mut Totals) {
        self.report(worker::read_totals(&self.workers, totals));
    }

    /// Compares with an earlier reading: a total that is lower now is a violation.
    pub fn compare(&self, earlier: &Totals, now: &Totals) {
        self.report(u64::from(!now.never_fell_since(earlier)));
    }

    /// Compares independent counts and returns how many differ: clients with totals, outcomes with requests,
    /// histograms with outcomes. The result is exact only when no client counts any more; call it only then.
    pub fn audit(&self) -> u64 {
        let mut totals = Totals::default();
        self.read_totals(&mut totals);
        let lies = self.clients_apart(&totals) + totals.contradictions() + self.mistimed(&totals);
        self.report(lies);
        lies
    }

    fn report(&self, lies: u64) {
        self.violations.fetch_add(lies, Ordering::Relaxed);
    }

    /// Counts the counters whose sum over all clients, retired ones included, differs from the totals.
    fn clients_apart(&self, totals: &Totals) -> u64 {
        let mut scalars = Scalars::default();
        let mut failures = [0_u64; failure_table::SLOTS];
        let mut listed = 0;
        for (metric, retired) in Metric::ALL.into_iter().zip(&*self.retired.scalars) {
            scalars.add(metric, retired.load(Ordering::Relaxed));
        }
        for (sum, retired) in failures.iter_mut().zip(&*self.retired.failures) {
            *sum = retired.load(Ordering::Relaxed);
        }
        for (_, slot) in self.slots.iter().filter(|(_, slot)| slot.holder() != 0) {
            listed += 1;
            slot.values().add_to(&mut scalars);
            slot.values().for_each_slot(|failure, count| {
                if let Some(sum) = failures.get_mut(failure) {
                    *sum += count;
                }
            });
        }
        let apart = Metric::ALL.into_iter().filter(|m| scalars.get(*m) != totals.scalars.get(*m)).count();
        let ended = |slot| failure_table::outcome(slot).map_or(0, |outcome| totals.ended(outcome));
        let failed_apart = failures.iter().enumerate().filter(|(slot, sum)| ended(*slot) != **sum).count();
        (apart + failed_apart) as u64 + u64::from(listed != self.count())
    }

    /// Counts the histograms that do not hold the requests that they should. Each finished request is in one of two,
    /// except those that hlswarm cut: their duration says nothing about the origin.
    fn mistimed(&self, totals: &Totals) -> u64 {
        let mut latency = LatencySnapshot::default();
        let mut timed = |timed| {
            self.latency(timed, &mut latency);
            latency.count()
        };
        let mut lies = 0;
        for kind in Kind::ALL {
            let ok = totals.kind(kind).ok.requests;
            let cut = totals.kind(kind).failed(Fault::Cut.into()).requests;
            let failed = totals.finished_of(kind).saturating_sub(ok + cut);
            let first_bytes = timed(Timed::FirstByte(kind));
            lies += u64::from(timed(Timed::Total(kind)) != ok);
            lies += u64::from(timed(Timed::Failed(kind)) != failed);
            lies += u64::from(first_bytes > ok || timed(Timed::Body(kind)) != first_bytes);
        }
        lies
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Timings;
    use crate::vocabulary::outcome::HttpFailure;
    use crate::vocabulary::{ClientState, Outcome};

    fn snapshot(registry: &Registry) -> Snapshot {
        let mut snapshot = Snapshot::default();
        registry.snapshot(0, &mut snapshot);
        snapshot
    }

    fn request(meter: &Meter, kind: Kind, bytes: u64, outcome: Outcome) {
        let mut exchange = meter.start(kind);
        exchange.received(bytes);
        exchange.finish(outcome, Some(Timings { first_byte_us: 10, body_us: 20 }));
    }

    #[test]
    fn removing_a_client_keeps_its_totals() {
        let registry = Registry::new(2);
        let clock = Clock::start();
        let (first, second) = (registry.add(), registry.add());
        let meters = [first.meter(0, clock), second.meter(1, clock)];
        for meter in &meters {
            request(meter, Kind::Playlist, 300, Outcome::Ok);
            request(meter, Kind::Segment, 1000, Outcome::Http(HttpFailure::new(503)));
            request(meter, Kind::Segment, 7, Fault::BodyShort.into());
        }
        let before = snapshot(&registry);
        assert_eq!(before.clients.len(), 2);
        drop(second);
        let after = snapshot(&registry);
        assert_eq!(after.clients.len(), 1);
        assert_eq!(after.clients[0].id, 1);
        assert_eq!(after.totals.scalars, before.totals.scalars);
        assert_eq!(after.totals.started(), 6);
        assert_eq!(after.totals.finished(), 6);
        assert_eq!(after.totals.ended(Outcome::Http(HttpFailure::new(503))), 2);
        assert_eq!(after.totals.bytes(), 2 * 1307);
        assert_eq!(registry.audit(), 0);
        assert_eq!((registry.created(), registry.count()), (2, 1));
    }

    #[test]
    fn a_slot_is_used_again_under_a_new_number_with_fresh_counters() {
        let registry = Registry::new(1);
        let clock = Clock::start();
        let first = registry.add();
        request(&first.meter(0, clock), Kind::Key, 16, Fault::TimeoutIdle.into());
        drop(first);
        let second = registry.add();
        assert_eq!(second.id(), 2);
        let seen = snapshot(&registry);
        assert_eq!(seen.clients.len(), 1);
        assert_eq!((seen.clients[0].id, seen.clients[0].slot, seen.clients[0].requests), (2, 0, 0));
        assert_eq!(seen.clients[0].state, ClientState::Starting);
        assert!(registry.get(1).is_none());
        assert_eq!(registry.get(2).map(|row| row.failures()), Some(0));
        assert_eq!(registry.audit(), 0);
    }

    #[test]
    fn a_request_that_is_abandoned_is_cut() {
        let registry = Registry::new(1);
        let client = registry.add();
        let meter = client.meter(0, Clock::start());
        let mut exchange = meter.start(Kind::Segment);
        exchange.received(10);
        let open = snapshot(&registry).totals;
        assert_eq!((open.started(), open.finished(), open.in_flight), (1, 0, 1));
        drop(exchange);
        let cut = snapshot(&registry).totals;
        assert_eq!((cut.finished(), cut.in_flight, cut.ended(Fault::Cut.into())), (1, 0, 1));
        assert_eq!(
            cut.kind(Kind::Segment).failed(Fault::Cut.into()),
            crate::stats::Tally { requests: 1, bytes: 10 }
        );
        assert_eq!(registry.audit(), 0);
    }

    #[test]
    fn a_panic_ends_its_request_as_internal() {
        let registry = Registry::new(1);
        let client = registry.add();
        let meter = client.meter(0, Clock::start());
        let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _exchange = meter.start(Kind::Segment);
            panic!("for the test");
        }));
        assert!(caught.is_err());
        assert_eq!(snapshot(&registry).totals.ended(Fault::LocalInternal.into()), 1);
    }

    #[test]
    fn the_audit_notices_a_counter_that_lies() {
        let registry = Registry::new(1);
        let client = registry.add();
        let meter = client.meter(0, Clock::start());
        request(&meter, Kind::Segment, 10, Outcome::Ok);
        assert_eq!(registry.audit(), 0);
        client.slot.values().add(Metric::Stalls, 1);
        assert_eq!(registry.audit(), 1);
        assert_eq!(registry.violations(), 1);
    }
}
