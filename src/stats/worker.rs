//! Totals of one worker thread: every request of its clients is counted here as well as in its client.
//!
//! Only that thread writes them, in an order that lets [`read_totals`] read them without a lock and still see every
//! finished request whole. The totals of a run are the sum over its few workers, so reading them costs the same for
//! ten clients and for a hundred thousand, and a client that leaves cannot lower them.

use std::ops::Deref;
use std::sync::Arc;

use super::audience::Routes;
use super::exits::Exits;
use super::explanations::Explanations;
use super::failure_table::{self, Failures};
use super::findings::Findings;
use super::hosts::Hosts;
use super::ladder::Ladder;
use super::latency_cells::{HistogramCells, Latencies};
use super::metric::{Metric, Scalars};
use super::quality::Sessions;
use super::snapshot::{KindTotals, Tally, Totals};
use super::spending::Spending;
use super::watched::Watched;
use crate::sync::image::Walk;
use crate::sync::single_writer_cell::SingleWriterCell;
use crate::vocabulary::{ExitCategory, Kind, Outcome, SessionNumber, Timed};

/// Requests of one kind by outcome, and the body bytes that came with them.
#[derive(Debug, Default)]
struct KindStats {
    ok: SingleWriterCell,
    ok_bytes: SingleWriterCell,
    failed: Failures,
    failed_bytes: Failures,
}

/// Totals of one worker thread, alone on their cache lines, which the hardware fetches in pairs.
#[derive(Debug)]
#[repr(align(128))]
pub(super) struct WorkerStats {
    scalars: [SingleWriterCell; Metric::COUNT],
    in_flight: SingleWriterCell,
    kinds: [KindStats; Kind::COUNT],
    pub(super) latencies: Latencies,
    pub(super) findings: Findings,
    pub(super) explanations: Explanations,
    pub(super) routes: Routes,
    pub(super) hosts: Hosts,
    pub(super) ladder: Ladder,
    pub(super) sessions: Sessions,
    pub(super) exits: Exits,
    /// See [`Snapshot::retry_at_us`](super::Snapshot::retry_at_us).
    pub(super) retry_at_us: SingleWriterCell,
    /// Shared with all workers; `None` unless bytes or requests have a hard stop.
    pub(super) spending: Option<Arc<Spending>>,
    /// Shared with all workers.
    pub(super) watched: Arc<Watched>,
}

impl Default for WorkerStats {
    fn default() -> Self {
        Self::new(None, Arc::default())
    }
}

impl WorkerStats {
    /// Creates totals of zero, whose requests and bytes also count towards the hard stops of `spending`. Requests of
    /// the clients in `watched` are reported one by one.
    pub(super) fn new(spending: Option<Arc<Spending>>, watched: Arc<Watched>) -> Self {
        Self {
            scalars: std::array::from_fn(|_| SingleWriterCell::default()),
            in_flight: SingleWriterCell::default(),
            kinds: std::array::from_fn(|_| KindStats::default()),
            latencies: Latencies::default(),
            findings: Findings::default(),
            explanations: Explanations::default(),
            routes: Routes::default(),
            hosts: Hosts::default(),
            ladder: Ladder::default(),
            sessions: Sessions::default(),
            exits: Exits::default(),
            retry_at_us: SingleWriterCell::default(),
            spending,
            watched,
        }
    }

    /// Adds to a counter.
    #[inline]
    pub(super) fn add(&self, metric: Metric, amount: u64) {
        if let Some(cell) = self.scalars.get(metric.index()) {
            cell.add(amount);
        }
    }

    /// Counts a request that starts. The gauge is counted independently: at the end it must equal started - finished.
    #[inline]
    pub(super) fn start(&self, kind: Kind) {
        self.in_flight.add(1);
        self.add(Metric::started(kind), 1);
    }

    /// Counts the outcome of a request. `finished` is published last: a reader that sees it sees the rest.
    #[inline]
    pub(super) fn finish(&self, kind: Kind, outcome: Outcome, bytes: u64) {
        if let Some(stats) = self.kinds.get(kind.index()) {
            match failure_table::slot(outcome) {
                None => {
                    stats.ok.add(1);
                    stats.ok_bytes.add(bytes);
                }
                Some(slot) => {
                    stats.failed.add(slot, 1);
                    stats.failed_bytes.add(slot, bytes);
                }
            }
        }
        self.in_flight.sub(1);
        if let Some(cell) = self.scalars.get(Metric::finished(kind).index()) {
            cell.add_release(1);
        }
    }

    /// Visits the counters of the catalogue that `is_wanted` names.
    pub(super) fn walk_scalars(&self, walk: &mut Walk<'_>, is_wanted: fn(Metric) -> bool) {
        let wanted = Metric::ALL.into_iter().zip(&self.scalars).filter(|(metric, _)| is_wanted(*metric));
        wanted.for_each(|(_, cell)| walk.cell(cell));
    }

    /// Visits the outcomes of requests.
    pub(super) fn walk_outcomes(&self, walk: &mut Walk<'_>) {
        for KindStats { ok, ok_bytes, failed, failed_bytes } in &self.kinds {
            walk.cell(ok);
            walk.cell(ok_bytes);
            failed.walk(walk);
            failed_bytes.walk(walk);
        }
    }

    /// Visits everything else but histograms.
    pub(super) fn walk_rest(&self, walk: &mut Walk<'_>) {
        walk.cell(&self.in_flight);
        walk.cell(&self.retry_at_us);
        self.findings.walk(walk);
        self.explanations.walk(walk);
        self.routes.walk(walk);
        self.hosts.walk(walk);
        self.ladder.walk(walk);
    }

    /// Visits all histograms. They are large.
    pub(super) fn walk_histograms(&self, walk: &mut Walk<'_>) {
        if walk.is_light() {
            let histograms = Timed::COUNT + SessionNumber::COUNT + ExitCategory::COUNT;
            return walk.skip(HistogramCells::NUMBERS * histograms);
        }
        self.latencies.walk(walk);
        self.sessions.walk(walk);
        self.exits.walk(walk);
    }

    /// Returns the number of finished requests of one kind; everything counted before them is then visible.
    pub(super) fn finished(&self, kind: Kind) -> u64 {
        self.scalars.get(Metric::finished(kind).index()).map_or(0, SingleWriterCell::get_acquire)
    }

    /// Returns the number of requests that are open now, by the independent gauge.
    pub(super) fn in_flight(&self) -> u64 {
        self.in_flight.get()
    }

    /// Returns the body bytes that have arrived so far.
    pub(super) fn bytes(&self) -> u64 {
        let cells = Kind::ALL.map(|kind| self.scalars.get(Metric::bytes(kind).index()));
        cells.into_iter().flatten().map(SingleWriterCell::get).sum()
    }

    /// Adds one counter to `scalars`.
    pub(super) fn add_to(&self, metric: Metric, scalars: &mut Scalars) {
        scalars.add(metric, self.scalars.get(metric.index()).map_or(0, SingleWriterCell::get));
    }

    /// Adds the requests of one kind to `totals`.
    pub(super) fn add_kind_to(&self, kind: Kind, totals: &mut KindTotals) {
        let Some(stats) = self.kinds.get(kind.index()) else { return };
        totals.ok.add(Tally { requests: stats.ok.get(), bytes: stats.ok_bytes.get() });
        stats.failed.for_each(|slot, requests| totals.add_failed(slot, Tally { requests, bytes: 0 }));
        stats.failed_bytes.for_each(|slot, bytes| totals.add_failed(slot, Tally { requests: 0, bytes }));
    }
}

/// Reads the totals of all workers: every `finished` before anything else, every `started` last, so that no request
/// is seen finished that is not seen started, even between workers. Returns how many such laws the totals break
/// nevertheless.
pub(super) fn read_totals<W: Deref<Target = WorkerStats>>(workers: &[W], totals: &mut Totals) -> u64 {
    totals.clear();
    for kind in Kind::ALL {
        for worker in workers {
            totals.scalars.add(Metric::finished(kind), worker.finished(kind));
        }
    }
    for worker in workers {
        for kind in Kind::ALL {
            worker.add_kind_to(kind, totals.kind_mut(kind));
        }
    }
    let others = Metric::ALL.into_iter().filter(|metric| !metric.is_finished() && !metric.is_started());
    for metric in others.chain(Kind::ALL.map(Metric::started)) {
        for worker in workers {
            worker.add_to(metric, &mut totals.scalars);
        }
    }
    totals.in_flight = workers.iter().map(|worker| worker.in_flight()).sum();
    totals.torn()
}
