//! Plain values for readers, taken in one pass, in memory that is reused.
//!
//! Each number is one that its counter really had during the pass. `started >= finished` holds in every snapshot;
//! other counters are skewed by at most the events during the pass. A snapshot that is taken after every client has
//! left is exact.

use std::sync::Arc;

use super::client::ClientStats;
use super::failure_table;
use super::metric::{Metric, Scalars};
use super::placement::Placement;
use crate::vocabulary::Playback;
use crate::vocabulary::outcome::{Fault, HttpFailure};
use crate::vocabulary::{ClientState, ExpectedStatuses, Kind, Outcome, share};

/// Requests and the body bytes that came with them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Number of requests.
    pub requests: u64,
    /// Their body bytes on the wire.
    pub bytes: u64,
}

impl Tally {
    pub(super) fn add(&mut self, other: Self) {
        self.requests += other.requests;
        self.bytes += other.bytes;
    }

    fn subtract(&mut self, earlier: Self) {
        self.requests = self.requests.saturating_sub(earlier.requests);
        self.bytes = self.bytes.saturating_sub(earlier.bytes);
    }
}

/// Count of one failed HTTP status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodeCount {
    /// Status, or "other".
    pub code: HttpFailure,
    /// Number of times it occurred.
    pub count: u64,
}

/// Requests of one kind by outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KindTotals {
    /// Requests that ended ok.
    pub ok: Tally,
    failed: [Tally; failure_table::SLOTS],
    /// One bit for each place of `failed` that was added to: the others are zero and need not be touched.
    used: [u64; failure_table::WORDS],
}

impl Default for KindTotals {
    fn default() -> Self {
        let failed = [Tally::default(); failure_table::SLOTS];
        Self { ok: Tally::default(), failed, used: [0; failure_table::WORDS] }
    }
}

impl KindTotals {
    fn clear(&mut self) {
        self.ok = Tally::default();
        for slot in failure_table::slots(std::mem::take(&mut self.used).into_iter()) {
            self.failed.get_mut(slot).into_iter().for_each(|tally| *tally = Tally::default());
        }
    }

    pub(super) fn add_failed(&mut self, slot: usize, tally: Tally) {
        if let (Some(failed), Some(word)) = (self.failed.get_mut(slot), self.used.get_mut(slot / 64)) {
            failed.add(tally);
            *word |= 1 << (slot % 64);
        }
    }

    /// Returns the failures that occurred, with their slots.
    fn occurred(&self) -> impl Iterator<Item = (usize, &Tally)> {
        let slots = failure_table::slots(self.used.into_iter());
        slots.filter_map(|slot| Some((slot, self.failed.get(slot)?)))
    }

    /// Returns the requests that ended in this failure.
    pub fn failed(&self, outcome: Outcome) -> Tally {
        failure_table::slot(outcome).and_then(|slot| self.failed.get(slot).copied()).unwrap_or_default()
    }

    /// Returns the number of requests, as the sum over their outcomes.
    fn requests(&self) -> u64 {
        self.ok.requests + self.occurred().map(|(_, tally)| tally.requests).sum::<u64>()
    }

    fn never_fell_since(&self, earlier: &Self) -> bool {
        let grew = |now: &Tally, then: &Tally| now.requests >= then.requests && now.bytes >= then.bytes;
        grew(&self.ok, &earlier.ok)
            && earlier.occurred().all(|(slot, then)| self.failed.get(slot).is_some_and(|now| grew(now, then)))
    }

    fn subtract(&mut self, earlier: &Self) {
        self.ok.subtract(earlier.ok);
        for (tally, then) in self.failed.iter_mut().zip(&earlier.failed) {
            tally.subtract(*then);
        }
    }

    /// Returns all outcomes that occurred, ok first, then in the order of the closed list.
    pub fn outcomes(&self) -> impl Iterator<Item = (Outcome, Tally)> + '_ {
        let failed = self.occurred().filter(|(_, tally)| **tally != Tally::default());
        let failed = failed.filter_map(|(slot, tally)| Some((failure_table::outcome(slot)?, *tally)));
        std::iter::once((Outcome::Ok, self.ok)).filter(|(_, ok)| ok.requests > 0).chain(failed)
    }
}

/// Totals of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Counters of the catalogue.
    pub scalars: Scalars,
    /// Requests that are open, by an independent gauge: equal to started - finished when nothing moves.
    pub in_flight: u64,
    /// Statuses that are no failures: the reader of the counters sets them, and they only decide what it derives.
    pub expected: ExpectedStatuses,
    kinds: [Box<KindTotals>; Kind::COUNT],
}

impl Totals {
    pub(super) fn clear(&mut self) {
        self.scalars.clear();
        self.in_flight = 0;
        self.kinds.iter_mut().for_each(|kind| kind.clear());
    }

    /// Copies `other` into these totals without allocating.
    pub fn copy_from(&mut self, other: &Self) {
        self.scalars.clone_from(&other.scalars);
        self.in_flight = other.in_flight;
        self.expected = other.expected;
        for (mine, theirs) in self.kinds.iter_mut().zip(&other.kinds) {
            (**mine).clone_from(theirs);
        }
    }

    /// Returns one counter of the catalogue.
    pub fn get(&self, metric: Metric) -> u64 {
        self.scalars.get(metric)
    }

    /// Returns the requests of one kind by outcome.
    pub fn kind(&self, kind: Kind) -> &KindTotals {
        #[expect(clippy::indexing_slicing, reason = "the table is as long as the enum")]
        &self.kinds[kind.index()]
    }

    pub(super) fn kind_mut(&mut self, kind: Kind) -> &mut KindTotals {
        #[expect(clippy::indexing_slicing, reason = "the table is as long as the enum")]
        &mut self.kinds[kind.index()]
    }

    /// Returns the number of requests of one kind that were started.
    pub fn started_of(&self, kind: Kind) -> u64 {
        self.get(Metric::started(kind))
    }

    /// Returns the number of requests of one kind that reached their outcome.
    pub fn finished_of(&self, kind: Kind) -> u64 {
        self.get(Metric::finished(kind))
    }

    /// Returns the body bytes of one kind.
    pub fn bytes_of(&self, kind: Kind) -> u64 {
        self.get(Metric::bytes(kind))
    }

    /// Returns the number of requests that were started.
    pub fn started(&self) -> u64 {
        Kind::ALL.into_iter().map(|kind| self.started_of(kind)).sum()
    }

    /// Returns the number of requests that reached their outcome.
    pub fn finished(&self) -> u64 {
        Kind::ALL.into_iter().map(|kind| self.finished_of(kind)).sum()
    }

    /// Returns the body bytes of all kinds.
    pub fn bytes(&self) -> u64 {
        Kind::ALL.into_iter().map(|kind| self.bytes_of(kind)).sum()
    }

    /// Returns the number of requests that failed: they did not end ok, hlswarm did not cut them, and their status is not
    /// expected. It is a sum over the outcomes, none of which ever falls, rather than a difference, which might.
    pub fn errors(&self) -> u64 {
        self.ended_in(|outcome| outcome.is_failure() && !self.expected.has(outcome))
    }

    /// Returns the number of requests whose status is expected.
    pub fn expected_responses(&self) -> u64 {
        self.ended_in(|outcome| self.expected.has(outcome))
    }

    /// Returns the number of requests that ended in one of these ways, ok left out.
    fn ended_in(&self, is_meant: impl Fn(Outcome) -> bool) -> u64 {
        let failed = self.kinds.iter().flat_map(|kind| kind.occurred());
        let meant = failed.filter(|(slot, _)| failure_table::outcome(*slot).is_some_and(&is_meant));
        meant.map(|(_, tally)| tally.requests).sum()
    }

    /// Returns the number of requests that failed or ended ok: all finished ones but those that hlswarm cut, and those
    /// whose status is expected.
    pub fn judged(&self) -> u64 {
        self.errors() + self.ended(Outcome::Ok)
    }

    /// Returns the share of [`errors`](Self::errors) among [`judged`](Self::judged); `None` if there are none.
    pub fn failure_share(&self) -> Option<f64> {
        share(self.errors(), self.judged())
    }

    /// Returns the share of all requests that ended this way; `None` if none has ended.
    pub fn outcome_share(&self, outcome: Outcome) -> Option<f64> {
        share(self.ended(outcome), self.finished())
    }

    /// Returns the kinds of the requests that failed in this way, each with its share.
    pub fn kinds_of(&self, outcome: Outcome) -> impl Iterator<Item = (Kind, Option<f64>)> + '_ {
        let all = self.ended(outcome);
        let of = move |kind: Kind| (kind, self.kind(kind).failed(outcome).requests);
        let occurred = Kind::ALL.into_iter().map(of).filter(|(_, part)| *part > 0);
        occurred.map(move |(kind, part)| (kind, share(part, all)))
    }

    /// Returns the number of requests that ended because this machine lacked something: the origin had no part in
    /// them.
    pub fn local_faults(&self) -> u64 {
        Fault::ALL.into_iter().filter(|fault| fault.is_local()).map(|fault| self.ended(fault.into())).sum()
    }

    /// Returns the share of failures among the requests that failed or ended ok, except those that this machine could
    /// not make; `None` if there are none.
    pub fn error_share(&self) -> Option<f64> {
        let errors = self.errors().saturating_sub(self.local_faults());
        share(errors, errors + self.ended(Outcome::Ok))
    }

    /// Returns the number of requests of all kinds that ended this way.
    pub fn ended(&self, outcome: Outcome) -> u64 {
        let of = |kind: &KindTotals| match outcome {
            Outcome::Ok => kind.ok.requests,
            _ => kind.failed(outcome).requests,
        };
        self.kinds.iter().map(|kind| of(kind)).sum()
    }

    /// Returns all outcomes that occurred, over all kinds, in the order of the closed list.
    pub fn outcomes(&self) -> impl Iterator<Item = (Outcome, u64)> + '_ {
        let all =
            std::iter::once(Outcome::Ok).chain((0..failure_table::SLOTS).filter_map(failure_table::outcome));
        all.map(|outcome| (outcome, self.ended(outcome))).filter(|(_, count)| *count > 0)
    }

    /// Returns the failed HTTP statuses that occurred, ascending, "other" last.
    pub fn http_errors(&self) -> impl Iterator<Item = CodeCount> + '_ {
        let codes = (0..HttpFailure::SLOTS).filter_map(HttpFailure::at);
        codes
            .map(|code| CodeCount { code, count: self.ended(Outcome::Http(code)) })
            .filter(|code| code.count > 0)
    }

    /// Reports whether no counter is lower than in an earlier snapshot: those of the catalogue, and requests and
    /// bytes of each kind and outcome.
    pub fn never_fell_since(&self, earlier: &Self) -> bool {
        let kinds = self.kinds.iter().zip(&earlier.kinds);
        Metric::ALL.into_iter().all(|metric| self.get(metric) >= earlier.get(metric))
            && kinds.into_iter().all(|(now, then)| now.never_fell_since(then))
    }

    /// Returns the counts since `earlier` was taken, which measures a phase without a reset. The gauge of open
    /// requests keeps its current value.
    pub fn since(&self, earlier: &Self) -> Self {
        let mut phase = self.clone();
        phase.scalars.subtract(&earlier.scalars);
        for (kind, then) in phase.kinds.iter_mut().zip(&earlier.kinds) {
            kind.subtract(then);
        }
        phase
    }

    /// Counts the broken laws among those that hold at every moment: no kind has finished more requests than were
    /// started, or than have an outcome, and all kinds together have not finished more than the classes count.
    pub(super) fn torn(&self) -> u64 {
        let mut broken = 0;
        for kind in Kind::ALL {
            let finished = self.finished_of(kind);
            broken += u64::from(finished > self.started_of(kind));
            broken += u64::from(finished > self.kind(kind).requests());
        }
        let classes = [Metric::Ok, Metric::HttpErrors, Metric::Faults].map(|class| self.get(class));
        broken + u64::from(self.finished() > classes.iter().sum())
    }

    /// Counts the broken conservation laws, which hold once nothing moves any more: each kind's started = finished =
    /// sum of its outcomes, its bytes = sum over outcomes, the gauge = 0, each class = its sum.
    pub(super) fn contradictions(&self) -> u64 {
        let mut broken = u64::from(self.in_flight != 0);
        for kind in Kind::ALL {
            let mut sum = Tally::default();
            self.kind(kind).outcomes().for_each(|(_, tally)| sum.add(tally));
            broken += u64::from(self.started_of(kind) != self.finished_of(kind));
            broken += u64::from(self.finished_of(kind) != sum.requests);
            broken += u64::from(self.bytes_of(kind) != sum.bytes);
        }
        let http: u64 = self.http_errors().map(|code| code.count).sum();
        broken += u64::from(self.get(Metric::HttpErrors) != http);
        broken += u64::from(self.get(Metric::Ok) != self.ended(Outcome::Ok));
        let faults: u64 = Fault::ALL.into_iter().map(|fault| self.ended(fault.into())).sum();
        broken + u64::from(self.get(Metric::Faults) != faults)
    }
}

/// One client as a reader sees it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClientRow {
    /// Number of the client.
    pub id: u64,
    /// Index of its slot in the registry; another client may have the slot later.
    pub slot: usize,
    /// Edge that answered it last, rungs that it plays and its worker.
    pub placement: Placement,
    /// State at the moment of the snapshot.
    pub state: ClientState,
    /// Playback, as a function of time.
    pub playback: Playback,
    /// Requests started.
    pub requests: u64,
    /// Segments requested.
    pub segments: u64,
    /// Requests that ended with a failed HTTP status.
    pub http_errors: u64,
    /// Requests that ended neither ok nor with an HTTP status.
    pub faults: u64,
    /// Body bytes.
    pub bytes: u64,
    /// Stalls that began.
    pub stalls: u64,
    /// Connections that replaced a lost one to the same endpoint.
    pub reconnections: u64,
    /// Samples and events that the client offered to the pipeline.
    pub pipeline_offered: u64,
    /// Samples and events that the pipeline dropped.
    pub pipeline_dropped: u64,
    /// Outcome of the last request and its time, in microseconds since the start of the run.
    pub last: Option<(Outcome, u64)>,
    /// Media seconds played per second over the last ten seconds; `None` while unknown.
    pub speed: Option<f64>,
    /// True if the speed has been below 0.9 for more than five seconds.
    pub slow: bool,
    /// Start of the oldest open request in microseconds since the start of the run, or a later time if only that is
    /// known; `None` without an open request.
    pub open_since_us: Option<u64>,
    /// States in the last 32 seconds, two bits each, the newest lowest; see [`SecondState`](super::SecondState).
    pub last_states: u64,
    /// One bit for each of the first outcomes of [`Snapshot::codes`]: set if the client ever had it.
    pub had: u16,
}

impl ClientRow {
    #[inline]
    pub(super) fn read(id: u64, slot: usize, stats: &ClientStats) -> Self {
        let sum = |of: fn(Kind) -> Metric| Kind::ALL.into_iter().map(|kind| stats.get(of(kind))).sum();
        let playback = stats.playback();
        Self {
            id,
            slot,
            placement: stats.placement(),
            state: playback.state,
            playback,
            requests: sum(Metric::started),
            segments: stats.get(Metric::SegmentStarted),
            http_errors: stats.get(Metric::HttpErrors),
            faults: stats.get(Metric::Faults),
            bytes: sum(Metric::bytes),
            stalls: stats.get(Metric::Stalls),
            reconnections: stats.get(Metric::Reconnections),
            pipeline_offered: stats.get(Metric::ProgressOffered) + stats.get(Metric::EventsOffered),
            pipeline_dropped: stats.get(Metric::ProgressDropped) + stats.get(Metric::EventsDropped),
            last: stats.last_finished(),
            speed: None,
            slow: false,
            open_since_us: stats.open_since_us(),
            last_states: 0,
            had: 0,
        }
    }

    /// Creates the row of a client that has done nothing.
    #[cfg(test)]
    pub(crate) fn fresh() -> Self {
        Self::read(0, 0, &ClientStats::default())
    }

    /// Returns the number of requests that did not end ok.
    pub fn failures(&self) -> u64 {
        self.http_errors + self.faults
    }
}

/// Everything that the registry counts, at one moment.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// Microseconds since the start of the run.
    pub at_us: u64,
    /// Totals of the run.
    pub totals: Totals,
    /// Clients that were listed at `clients_at_us`, by slot. Shared with readers that still hold them.
    pub clients: Arc<Vec<ClientRow>>,
    /// Moment of `clients`: earlier than `at_us` if only their states have been read since.
    pub clients_at_us: u64,
    /// Failed outcomes that the rows have a bit for; to be set before the clients are read.
    pub codes: Vec<Outcome>,
    /// Number of clients in each state at `at_us`.
    pub states: [u64; ClientState::COUNT],
    /// Clients that were ever added.
    pub created: u64,
    /// Latest moment until which a 429 or 503 asked a client to wait, in microseconds since the start of the run; 0:
    /// none has.
    pub retry_at_us: u64,
    /// Number of violated invariants.
    pub invariant_violations: u64,
}

impl Snapshot {
    /// Begins a reading at this moment: clears the states and keeps the previous rows.
    pub(super) fn begin(&mut self, at_us: u64) {
        self.at_us = at_us;
        self.states = [0; ClientState::COUNT];
    }

    /// Returns the memory of the rows, emptied; it is new if another reader still holds the rows.
    pub(super) fn take_rows(&mut self) -> Vec<ClientRow> {
        let mut rows = Arc::get_mut(&mut self.clients).map(std::mem::take).unwrap_or_default();
        rows.clear();
        rows
    }

    /// Stores the rows of this moment.
    pub(super) fn put_rows(&mut self, rows: Vec<ClientRow>) {
        self.clients_at_us = self.at_us;
        match Arc::get_mut(&mut self.clients) {
            Some(place) => *place = rows,
            None => self.clients = Arc::new(rows),
        }
    }

    pub(super) fn count(&mut self, state: ClientState) {
        if let Some(count) = self.states.get_mut(state.index()) {
            *count += 1;
        }
    }

    /// Reports whether the clients were read at the moment of the snapshot.
    pub fn is_whole(&self) -> bool {
        self.clients_at_us == self.at_us
    }

    /// Returns the number of clients that are listed.
    pub fn listed(&self) -> u64 {
        self.states.iter().sum()
    }

    /// Returns the number of clients that are doing something: all but finished and dead ones.
    pub fn active(&self) -> u64 {
        self.listed() - self.in_state(ClientState::Finished) - self.in_state(ClientState::Dead)
    }

    /// Returns the number of clients in this state.
    pub fn in_state(&self, state: ClientState) -> u64 {
        self.states.get(state.index()).copied().unwrap_or_default()
    }
}
