//! The one place that counts requests, for the client and for its worker at once.
//!
//! * A [`Meter`] stays on its worker's thread (it is not `Send`). That thread is the one writer of the worker's
//!   cells, and the client's task, which runs there, is the one writer of the client's cells.
//! * An [`Exchange`] is a drop guard: a task that abandons it (cancelled, or by an early return) ends the request as
//!   `cut`; a panic ends it as `local.internal`. So every request ends in exactly one outcome.

use std::marker::PhantomData;
use std::rc::Rc;
use std::sync::Arc;

use super::client::{ClientStats, StatsSlot};
use super::detail::Detail;
use super::ladder::{Listing, Progress, RungName};
use super::metric::Metric;
use super::placement::PLAYED;
use super::quality::Quality;
use super::worker::WorkerStats;
use crate::vocabulary::outcome::Fault;
use crate::vocabulary::{
    CacheStatus, ClientState, Clock, ConnectionRoute, Departure, Finding, Kind, Outcome, Playback, Rung,
    Timed, clock,
};

/// Writer of one client's counters and of its worker's totals.
#[derive(Debug)]
pub struct Meter {
    slot: Arc<StatsSlot>,
    worker: Arc<WorkerStats>,
    clock: Clock,
    /// Marker that keeps the meter on the thread that is the one writer of its worker's cells.
    not_send: PhantomData<Rc<()>>,
}

/// Durations of the phases of a response, in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timings {
    /// Time from sending the request to the first byte of the response.
    pub first_byte_us: u64,
    /// Time from the first byte of the response to the last byte of the body.
    pub body_us: u64,
}

impl Meter {
    /// Creates the writer of a slot's numbers on worker number `place`, whose totals are `worker`.
    pub(super) fn new(slot: Arc<StatsSlot>, place: usize, worker: Arc<WorkerStats>, clock: Clock) -> Self {
        // Announce this thread as the writer. The meter cannot leave it, so this holds for everything it writes.
        slot.writer().place(|placement| placement.on_worker(place));
        Self { slot, worker, clock, not_send: PhantomData }
    }

    /// Starts a request now.
    pub fn start(&self, kind: Kind) -> Exchange<'_> {
        self.start_at(kind, self.now_us())
    }

    /// Starts a request at a time that was already read from the run's clock.
    #[inline]
    pub fn start_at(&self, kind: Kind, started_us: u64) -> Exchange<'_> {
        self.worker().start(kind);
        self.client().add(Metric::started(kind), 1);
        self.client().begin_request(started_us);
        Exchange { meter: self, kind, bytes: 0, started_us, ended: false }
    }

    /// Counts a request that is about to be sent towards the hard stops, and reports whether they let it be sent.
    #[inline]
    pub fn may_send(&self) -> bool {
        self.worker().spending.as_ref().is_none_or(|spending| spending.may_send())
    }

    /// Adds to a counter of the client and of the run.
    #[inline]
    pub fn count(&self, metric: Metric, amount: u64) {
        self.client().add(metric, amount);
        self.worker().add(metric, amount);
    }

    /// Records a duration that belongs to no request: a phase of a connection, a start-up, a live latency.
    pub fn time(&self, timed: Timed, microseconds: u64) {
        self.worker().latencies.record(timed, microseconds);
    }

    /// Counts a problem of the stream; calls `detail` only for the worker's first finding of this sort.
    pub fn find<D: Into<Detail>>(&self, finding: Finding, detail: impl FnOnce() -> D) {
        self.worker().findings.note(finding, self.now_us(), detail);
    }

    /// Stores the reason of a failure; calls `detail` only for the worker's first failure of this sort.
    pub fn explain<D: Into<Detail>>(&self, fault: Fault, detail: impl FnOnce() -> D) {
        self.worker().explanations.note(fault, detail);
    }

    /// Publishes the playback of the client.
    pub fn publish(&self, playback: &Playback) {
        self.client().publish(playback);
    }

    /// Publishes only the state of the client.
    pub fn set_state(&self, state: ClientState) {
        self.client().set_state(state);
    }

    /// Records that a 429 or 503 asked the client to wait until `at_us`, whether or not the client will.
    pub fn asked_to_wait(&self, at_us: u64) {
        self.worker().retry_at_us.raise(at_us);
    }

    /// Counts a client of the target and the member of the mix with these numbers.
    pub fn joined(&self, target: usize, member: usize) {
        self.worker().routes.joined(target, member);
    }

    /// Counts a connection that was opened.
    pub fn opened(&self, route: &ConnectionRoute) {
        self.worker().routes.opened(route);
    }

    /// Counts a complete response with this status and this many body bytes.
    #[inline]
    pub fn answered(&self, route: &ConnectionRoute, status: u16, bytes: u64, cache: Option<CacheStatus>) {
        let edge = self.worker().routes.answered(route, status, bytes, cache);
        self.client().place(|placement| placement.on_edge(edge));
    }

    /// Publishes the rungs that the client plays.
    pub fn plays(&self, rungs: [Option<Rung>; PLAYED]) {
        self.client().place(|placement| placement.playing(rungs));
    }

    /// Counts a request for a host other than the target's.
    pub fn host_requested(&self, name: &str) {
        self.worker().hosts.requested(name);
    }

    /// Counts that such a host was refused.
    pub fn host_refused(&self, name: &str) {
        self.worker().hosts.refused(name);
    }

    /// Names a rung of the ladder; calls `name` only if no client of this worker has named it.
    pub fn name_rung(&self, rung: Rung, name: impl FnOnce() -> RungName) {
        if !self.worker().ladder.is_named(rung) {
            self.worker().ladder.name(rung, name());
        }
    }

    /// Takes a media playlist with this progress that came at `at_us`; calls `listing` only if it is the first of this
    /// worker that brings this.
    pub fn list(&self, rung: Rung, progress: Progress, at_us: u64, listing: impl FnOnce() -> Listing) {
        if self.worker().ladder.is_news(rung, progress, at_us) {
            self.worker().ladder.list(rung, &listing());
        }
    }

    /// Adds the numbers of the client, which has left in this way, to the distributions over sessions.
    pub fn end_session(&self, departure: Departure) {
        self.worker().sessions.record(&Quality::from_client(self.client()));
        let joined_us = self.client().playback().joined_us;
        self.worker().exits.record(departure, self.now_us().saturating_sub(joined_us));
    }

    /// Returns the client's number.
    pub fn client_id(&self) -> u64 {
        self.slot.holder()
    }

    /// Reports whether the client's requests are to be reported one by one.
    #[inline]
    pub fn is_watched(&self) -> bool {
        self.worker().watched.contains(self.client_id())
    }

    /// Returns the outcome of the client's last request.
    pub fn last_outcome(&self) -> Option<Outcome> {
        self.client().last_finished().map(|(outcome, _)| outcome)
    }

    /// Returns the microseconds since the start of the run.
    pub fn now_us(&self) -> u64 {
        clock::micros(self.clock.now())
    }

    /// Returns the clock of the run.
    pub fn clock(&self) -> Clock {
        self.clock
    }

    fn client(&self) -> &ClientStats {
        self.slot.values()
    }

    fn worker(&self) -> &WorkerStats {
        &self.worker
    }
}

/// A request in flight.
#[derive(Debug)]
#[must_use = "a request that is dropped has been cut"]
pub struct Exchange<'a> {
    meter: &'a Meter,
    kind: Kind,
    bytes: u64,
    started_us: u64,
    ended: bool,
}

impl Exchange<'_> {
    /// Counts body bytes as they arrive on the wire.
    #[inline]
    pub fn received(&mut self, bytes: u64) {
        self.bytes += bytes;
        self.meter.count(Metric::bytes(self.kind), bytes);
        if let Some(spending) = &self.meter.worker().spending {
            spending.received(bytes);
        }
    }

    /// Stores the size of the body as that of a segment. To be called for segments that arrived whole: not every
    /// response that is ok is one.
    #[inline]
    pub fn keep_segment_size(&self) {
        self.meter.client().segment(self.bytes);
    }

    /// Returns the time at which the request began, in microseconds since the start of the run.
    pub fn started_us(&self) -> u64 {
        self.started_us
    }

    /// Returns the body bytes that have arrived so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Returns the meter that counts this request.
    pub fn meter(&self) -> &Meter {
        self.meter
    }

    /// Ends the request now. `timings`, known for a complete response, are recorded if the outcome is ok.
    pub fn finish(self, outcome: Outcome, timings: Option<Timings>) {
        let now_us = self.meter.now_us();
        self.finish_at(outcome, timings, now_us);
    }

    /// Ends the request at a time that was already read from the run's clock.
    #[inline]
    pub fn finish_at(mut self, outcome: Outcome, timings: Option<Timings>, now_us: u64) {
        if let (Outcome::Ok, Some(timings)) = (outcome, timings) {
            let latencies = &self.meter.worker().latencies;
            latencies.record(Timed::FirstByte(self.kind), timings.first_byte_us);
            latencies.record(Timed::Body(self.kind), timings.body_us);
        }
        self.end(outcome, now_us);
    }

    /// Counts the outcome; `finished` comes last, so that a reader that sees it sees the rest.
    #[inline]
    fn end(&mut self, outcome: Outcome, now_us: u64) {
        self.ended = true;
        let meter = self.meter;
        let total_us = now_us.saturating_sub(self.started_us);
        let (class, timed) = match outcome {
            Outcome::Ok => (Metric::Ok, Some(Timed::Total(self.kind))),
            Outcome::Http(_) => (Metric::HttpErrors, Some(Timed::Failed(self.kind))),
            // hlswarm ended this request itself, so its duration says nothing about the origin.
            Outcome::Failed(Fault::Cut) => (Metric::Faults, None),
            Outcome::Failed(_) => (Metric::Faults, Some(Timed::Failed(self.kind))),
        };
        if let Some(timed) = timed {
            meter.worker().latencies.record(timed, total_us);
        }
        meter.count(class, 1);
        if let Outcome::Failed(fault) = outcome
            && fault.is_timeout()
        {
            meter.count(Metric::Timeouts, 1);
        }
        meter.client().end_request(self.started_us, now_us);
        meter.client().finish(outcome, now_us);
        meter.client().add(Metric::finished(self.kind), 1);
        meter.worker().finish(self.kind, outcome, self.bytes);
    }
}

impl Drop for Exchange<'_> {
    fn drop(&mut self) {
        if !self.ended {
            let fault = if std::thread::panicking() { Fault::LocalInternal } else { Fault::Cut };
            self.end(fault.into(), self.meter.now_us());
        }
    }
}
