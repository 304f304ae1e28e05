//! Counters and published state of one client. Only the client's task writes them; any thread may read them.
//!
//! * A client allocates a table of failures once it has failed in more ways than it has words for; see
//!   `inline_failures.rs`.
//! * Hot fields are contiguous. A playlist or segment that an origin answers touches three cache lines in a row,
//!   the first for the open request, and a segment also the place of its size; a snapshot reads five lines in a row.
//! * From the published playback a reader computes position, buffer and stall at *its own* moment, while the client's
//!   task sleeps: a client that waits for a silent origin still shows when its buffer ran dry.

mod image;

use crossbeam_utils::CachePadded;

use super::failure_table::{self, Failures};
use super::inline_failures::InlineFailures;
use super::metric::{Metric, Scalars};
use super::open_requests;
use super::placement::Placement;
use super::slot::Slot;
use crate::sync::atomics::{AtomicU32, Ordering};
use crate::sync::single_writer_cell::SingleWriterCell;
use crate::vocabulary::playback::{self, Playback};
use crate::vocabulary::{ClientState, Outcome};

/// Number of recent segment sizes that are kept.
pub const RECENT_SEGMENTS: usize = 100;

/// Width of the outcome's code. The last outcome and its time share a word so that they cannot tear: the time in
/// microseconds above, the code below.
const CODE_BITS: u32 = 16;
const NO_OUTCOME: u64 = 0;
const OK: u64 = 1;
/// Code of the first failure slot; the code of a failure is its slot plus this.
const FIRST_FAILURE: u64 = 2;

/// Width of the time in a word that packs two values so that they cannot tear: the position at which the buffer runs
/// dry (high 32 bits) and the time at which it does (low 32 bits). Both are in milliseconds, which limits a run to
/// 49 days.
const DRY_AT_BITS: u32 = 32;
const MILLISECOND_US: u64 = 1_000;

/// Width of the state in its word; the rest is the [`Placement`].
const STATE_BITS: u32 = 8;

/// Stands for an unknown live offset.
const NOT_LIVE: i64 = i64::MIN;

/// Slot of one client, on cache lines of its own.
pub(super) type StatsSlot = CachePadded<Slot<ClientStats>>;

/// Numbers of one client.
// Ordered by how often they are touched. The number of the slot's holder precedes them, see `slot.rs`.
#[derive(Debug)]
#[repr(C)]
pub struct ClientStats {
    /// State and placement of the client, see [`STATE_BITS`].
    state: SingleWriterCell,
    joined_us: SingleWriterCell,
    runs_dry: SingleWriterCell,
    max_drift_us: SingleWriterCell,
    bandwidth: SingleWriterCell,
    live_offset_us: SingleWriterCell,
    /// Open requests of this client and the start of the oldest, see [`open_requests`].
    open: SingleWriterCell,
    last: SingleWriterCell,
    failures: InlineFailures,
    segments: SingleWriterCell,
    scalars: [SingleWriterCell; Metric::COUNT],
    further_failures: Failures,
    segment_sizes: [AtomicU32; RECENT_SEGMENTS],
}

impl Default for ClientStats {
    fn default() -> Self {
        let stats = Self {
            state: SingleWriterCell::default(),
            joined_us: SingleWriterCell::default(),
            runs_dry: SingleWriterCell::default(),
            max_drift_us: SingleWriterCell::default(),
            bandwidth: SingleWriterCell::default(),
            live_offset_us: SingleWriterCell::default(),
            open: SingleWriterCell::default(),
            last: SingleWriterCell::default(),
            failures: InlineFailures::default(),
            segments: SingleWriterCell::default(),
            scalars: std::array::from_fn(|_| SingleWriterCell::default()),
            further_failures: Failures::default(),
            segment_sizes: std::array::from_fn(|_| AtomicU32::new(0)),
        };
        stats.live_offset_us.set(NOT_LIVE.cast_unsigned());
        stats
    }
}

/// Packs a playback into its word. The position is rounded down and the time up, so that no buffer seems to run dry
/// too early.
fn runs_dry(playback: &Playback) -> u64 {
    let most = (1 << DRY_AT_BITS) - 1;
    let dry_at = playback.dry_at_us.div_ceil(MILLISECOND_US).min(most);
    let position = playback.offset_us.saturating_add_unsigned(dry_at * MILLISECOND_US);
    let position = u64::try_from(position).unwrap_or(0) / MILLISECOND_US;
    position.min(most) << DRY_AT_BITS | dry_at
}

/// Returns the time at which the buffer of such a word runs dry or ran dry, in microseconds.
fn dry_at_us(runs_dry: u64) -> u64 {
    (runs_dry & ((1 << DRY_AT_BITS) - 1)) * MILLISECOND_US
}

impl ClientStats {
    /// Adds to a counter; by the client's task only.
    #[inline]
    pub(super) fn add(&self, metric: Metric, amount: u64) {
        if let Some(cell) = self.scalars.get(metric.index()) {
            cell.add(amount);
        }
    }

    /// Resets everything for the next client of the slot, which joins now; only while the slot has no client.
    pub(super) fn reset(&self, now_us: u64) {
        let playback = [&self.state, &self.runs_dry, &self.max_drift_us];
        let more = [&self.bandwidth, &self.open, &self.last, &self.segments];
        self.scalars.iter().chain(playback).chain(more).for_each(|cell| cell.set(0));
        self.joined_us.set(now_us);
        self.live_offset_us.set(NOT_LIVE.cast_unsigned());
        self.failures.reset();
        self.further_failures.reset();
    }

    /// Counts a request that begins; by the client's task only.
    #[inline]
    pub(super) fn begin_request(&self, started_us: u64) {
        self.open.set(open_requests::begun(self.open.own(), started_us));
    }

    /// Counts a request that ends now; by the client's task only.
    #[inline]
    pub(super) fn end_request(&self, started_us: u64, now_us: u64) {
        self.open.set(open_requests::ended(self.open.own(), started_us, now_us));
    }

    /// Returns the start of the oldest open request in microseconds since the start of the run, or a later time if
    /// only that is known; `None` without an open request.
    pub fn open_since_us(&self) -> Option<u64> {
        open_requests::since_us(self.open.get())
    }

    /// Counts the outcome of a request; by the client's task only.
    pub(super) fn finish(&self, outcome: Outcome, now_us: u64) {
        let slot = failure_table::slot(outcome);
        let code = slot.map_or(OK, |slot| slot as u64 + FIRST_FAILURE);
        self.last.set(now_us.min(u64::MAX >> CODE_BITS) << CODE_BITS | code);
        if let Some(slot) = slot
            && !self.failures.count(slot)
        {
            self.further_failures.add(slot, 1);
        }
    }

    /// Stores the size of a segment that was fetched whole; by the client's task only.
    pub(super) fn segment(&self, bytes: u64) {
        let at = self.segments.own() as usize % RECENT_SEGMENTS;
        if let Some(slot) = self.segment_sizes.get(at) {
            slot.store(u32::try_from(bytes).unwrap_or(u32::MAX), Ordering::Relaxed);
        }
        // Release: a reader that sees the segment counted sees its size, and not that of the slot's previous holder.
        self.segments.add_release(1);
    }

    /// Publishes the playback; by the client's task only.
    pub(super) fn publish(&self, playback: &Playback) {
        self.set_state(playback.state);
        self.joined_us.set(playback.joined_us);
        self.runs_dry.set(runs_dry(playback));
        self.max_drift_us.raise(playback.max_drift_us);
        self.bandwidth.set(playback.bandwidth);
        self.live_offset_us.set(playback.live_offset_us.unwrap_or(NOT_LIVE).cast_unsigned());
    }

    /// Publishes only the state; by the client's task only.
    pub(super) fn set_state(&self, state: ClientState) {
        let placement = Placement::above(STATE_BITS, self.state.own());
        self.state.set(placement.shifted(STATE_BITS) | state.index() as u64);
    }

    /// Changes the placement; by the client's task only. Stores nothing if it stays the same.
    #[inline]
    pub(super) fn place(&self, change: impl FnOnce(Placement) -> Placement) {
        let word = self.state.own();
        let before = Placement::above(STATE_BITS, word);
        let after = change(before);
        if after != before {
            self.state.set(after.shifted(STATE_BITS) | word & ((1 << STATE_BITS) - 1));
        }
    }

    /// Returns the placement as it was last changed.
    pub(super) fn placement(&self) -> Placement {
        Placement::above(STATE_BITS, self.state.get())
    }

    /// Returns the current value of one counter.
    pub fn get(&self, metric: Metric) -> u64 {
        self.scalars.get(metric.index()).map_or(0, SingleWriterCell::get)
    }

    /// Returns the playback as it was last published.
    pub fn playback(&self) -> Playback {
        let runs_dry = self.runs_dry.get();
        let dry_at_us = dry_at_us(runs_dry);
        let position_us = (runs_dry >> DRY_AT_BITS) * MILLISECOND_US;
        Playback {
            state: ClientState::at(self.state.get() as u8),
            joined_us: self.joined_us.get(),
            offset_us: position_us.cast_signed() - dry_at_us.cast_signed(),
            dry_at_us,
            max_drift_us: self.max_drift_us.get(),
            bandwidth: self.bandwidth.get(),
            live_offset_us: Some(self.live_offset_us.get().cast_signed())
                .filter(|offset| *offset != NOT_LIVE),
        }
    }

    /// Returns only the state at a moment; see [`Playback::state_at`].
    pub(super) fn state_at(&self, now_us: u64) -> ClientState {
        playback::state_at(ClientState::at(self.state.get() as u8), dry_at_us(self.runs_dry.get()), now_us)
    }

    /// Returns the outcome of the last request and its time, in microseconds since the start of the run.
    pub fn last_finished(&self) -> Option<(Outcome, u64)> {
        let last = self.last.get();
        let outcome = match last & ((1 << CODE_BITS) - 1) {
            NO_OUTCOME => return None,
            OK => Outcome::Ok,
            code => failure_table::outcome((code - FIRST_FAILURE) as usize)?,
        };
        Some((outcome, last >> CODE_BITS))
    }

    /// Returns the size of the last segment in bytes.
    pub fn last_segment_bytes(&self) -> Option<u32> {
        let last = self.segments.get_acquire().checked_sub(1)? as usize % RECENT_SEGMENTS;
        self.segment_sizes.get(last).map(|size| size.load(Ordering::Relaxed))
    }

    /// Returns the sizes of the last segments in bytes, at most [`RECENT_SEGMENTS`], in no order.
    pub fn recent_segment_bytes(&self) -> impl Iterator<Item = u32> + '_ {
        let filled = (self.segments.get_acquire() as usize).min(RECENT_SEGMENTS);
        self.segment_sizes.iter().take(filled).map(|size| size.load(Ordering::Relaxed))
    }

    /// Calls `visit` with each failure that occurred and its count, in no order.
    #[inline]
    pub fn for_each_failure(&self, mut visit: impl FnMut(Outcome, u64)) {
        self.for_each_slot(|slot, count| {
            if let Some(outcome) = failure_table::outcome(slot) {
                visit(outcome, count);
            }
        });
    }

    /// Calls `visit` with each failure slot that was ever used and its count.
    #[inline]
    pub(super) fn for_each_slot(&self, mut visit: impl FnMut(usize, u64)) {
        if self.failures.for_each(&mut visit) {
            self.further_failures.for_each(visit);
        }
    }

    /// Adds all counters to `scalars`.
    pub(super) fn add_to(&self, scalars: &mut Scalars) {
        for metric in Metric::ALL {
            scalars.add(metric, self.get(metric));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::inline_failures;
    use crate::vocabulary::outcome::{Fault, HttpFailure};

    use crate::vocabulary::{Kind, Rung};
    use proptest::prelude::*;

    fn playing(offset_us: i64, dry_at_us: u64) -> Playback {
        Playback {
            state: ClientState::Playing,
            joined_us: 1_000_000,
            offset_us,
            dry_at_us,
            max_drift_us: 0,
            bandwidth: 0,
            live_offset_us: None,
        }
    }

    #[test]
    fn the_playhead_moves_until_the_buffer_is_dry() {
        let playback = playing(-1_500_000, 7_500_000);
        assert_eq!(playback.position_at(2_500_000), 1_000_000);
        assert_eq!(playback.buffer_at(2_500_000), 5_000_000);
        assert_eq!(playback.drift_at(2_500_000), 500_000);
        assert_eq!(playback.state_at(7_500_000), ClientState::Playing);
        assert_eq!(playback.state_at(7_500_001), ClientState::Stalled);
        assert_eq!(playback.position_at(9_000_000), 6_000_000);
        assert_eq!(playback.buffer_at(9_000_000), 0);
        assert_eq!(playback.drift_at(9_000_000), 2_000_000);
    }

    #[test]
    fn what_a_request_writes_lies_on_three_lines_and_what_a_snapshot_reads_on_five() {
        const LINE: usize = 64;
        let [last, scalars] =
            [std::mem::offset_of!(ClientStats, last), std::mem::offset_of!(ClientStats, scalars)]
                .map(|offset| Slot::<ClientStats>::VALUES + offset);
        assert_eq!(last, LINE, "the playback fills the line of the holder");
        let open = Slot::<ClientStats>::VALUES + std::mem::offset_of!(ClientStats, open);
        assert!(open < LINE, "a reader of ages finds the open requests beside the state");
        assert_eq!(scalars, 2 * LINE, "how requests ended and the count of segments fill one");
        let line = |metric: Metric| (scalars + 8 * metric.index()) / LINE;
        for kind in [Kind::Playlist, Kind::Segment] {
            let classes = [Metric::Ok, Metric::HttpErrors];
            for metric in [Metric::started(kind), Metric::finished(kind), Metric::bytes(kind)]
                .into_iter()
                .chain(classes)
            {
                assert_eq!(line(metric), 2, "{}", metric.name());
            }
        }
        let story =
            [Metric::ProgressOffered, Metric::ProgressDropped, Metric::EventsOffered, Metric::EventsDropped];
        let read = [Metric::Faults, Metric::Stalls, Metric::Reconnections].into_iter().chain(story);
        for metric in
            Kind::ALL.into_iter().flat_map(|kind| [Metric::started(kind), Metric::bytes(kind)]).chain(read)
        {
            assert!(line(metric) < 5, "{}", metric.name());
        }
    }

    /// Change of the word that holds state and placement.
    #[derive(Clone, Copy, Debug)]
    enum Change {
        Publish(ClientState),
        SetState(ClientState),
        Edge(Option<usize>),
        Worker(usize),
        Rungs([Option<u16>; 3]),
    }

    fn change() -> impl Strategy<Value = Change> {
        let state = || any::<u8>().prop_map(ClientState::at);
        let rung = || proptest::option::of(0..10_u16);
        prop_oneof![
            state().prop_map(Change::Publish),
            state().prop_map(Change::SetState),
            proptest::option::of(0..64_usize).prop_map(Change::Edge),
            (0..70_usize).prop_map(Change::Worker),
            [rung(), rung(), rung()].prop_map(Change::Rungs),
        ]
    }

    proptest! {
        #[test]
        fn state_and_placement_share_a_word_and_leave_each_other_alone(
            changes in proptest::collection::vec(change(), 0..30)
        ) {
            let stats = ClientStats::default();
            let (mut state, mut placement) = (ClientState::Starting, Placement::default());
            for change in changes {
                match change {
                    Change::Publish(to) => {
                        stats.publish(&Playback { state: to, ..playing(0, 0) });
                        state = to;
                    }
                    Change::SetState(to) => {
                        stats.set_state(to);
                        state = to;
                    }
                    Change::Edge(edge) => {
                        stats.place(|placement| placement.on_edge(edge));
                        placement = placement.on_edge(edge);
                    }
                    Change::Worker(worker) => {
                        stats.place(|placement| placement.on_worker(worker));
                        placement = placement.on_worker(worker);
                    }
                    Change::Rungs(indexes) => {
                        let rungs = indexes.map(|index| index.map(Rung::Variant));
                        stats.place(|placement| placement.playing(rungs));
                        placement = placement.playing(rungs);
                    }
                }
                prop_assert_eq!((stats.playback().state, stats.placement()), (state, placement));
                prop_assert_eq!(stats.state_at(0), state);
            }
            stats.reset(1);
            prop_assert_eq!(stats.placement(), Placement::default());
        }
    }

    #[test]
    fn the_last_outcome_keeps_its_moment() {
        let stats = ClientStats::default();
        for slot in 0..failure_table::SLOTS {
            let outcome = failure_table::outcome(slot).expect("a slot");
            stats.finish(outcome, 77 + slot as u64);
            assert_eq!(stats.last_finished(), Some((outcome, 77 + slot as u64)));
        }
        stats.finish(Outcome::Ok, u64::MAX);
        assert_eq!(stats.last_finished(), Some((Outcome::Ok, u64::MAX >> CODE_BITS)));
    }

    #[test]
    fn a_client_pays_for_a_table_when_it_has_failed_in_many_ways() {
        let stats = ClientStats::default();
        let ways = [400, 404, 429, 500, 503].map(|status| Outcome::Http(HttpFailure::new(status)));
        let ways: Vec<_> = ways.into_iter().chain([Fault::Cut.into()]).collect();
        assert_eq!(ways.len(), inline_failures::WAYS);
        stats.finish(Outcome::Ok, 5);
        ways.iter().chain(&ways).for_each(|outcome| stats.finish(*outcome, 6));
        assert!(!stats.further_failures.has_table());
        let further = Outcome::Http(HttpFailure::new(599));
        stats.finish(further, 7);
        assert!(stats.further_failures.has_table());
        let mut seen = Vec::new();
        stats.for_each_failure(|outcome, count| seen.push((outcome, count)));
        assert_eq!(
            seen,
            ways.into_iter().map(|outcome| (outcome, 2)).chain([(further, 1)]).collect::<Vec<_>>()
        );
        stats.reset(9);
        stats.for_each_failure(|outcome, _| panic!("{outcome} is forgotten"));
    }

    #[test]
    fn a_playback_is_read_as_it_was_published_to_a_millisecond() {
        let stats = ClientStats::default();
        let read = |playback: Playback| {
            stats.publish(&playback);
            stats.playback()
        };
        for (offset_us, dry_at_us) in [(-1_500_000, 7_500_000), (-1_500_499, 7_500_001), (-7, 999)] {
            let (written, seen) = (playing(offset_us, dry_at_us), read(playing(offset_us, dry_at_us)));
            assert!((dry_at_us..dry_at_us + 1_000).contains(&seen.dry_at_us), "{seen:?}");
            assert!((offset_us - 999..=offset_us).contains(&seen.offset_us), "{seen:?}");
            assert!(written.position_at(5_000) - seen.position_at(5_000) < 1_000);
        }
        let waiting = read(Playback { dry_at_us: 0, offset_us: -5_000_000, ..playing(0, 0) });
        assert_eq!((waiting.dry_at_us, waiting.position_at(9_000_000)), (0, 0));
        let days = |days: u64| days * 86_400_000_000;
        assert_eq!(read(playing(0, days(49))).dry_at_us, days(49));
        assert!(read(playing(0, days(60))).dry_at_us > days(49), "the end of what a word can hold");
    }

    #[test]
    fn the_ring_of_segment_sizes_keeps_the_last_hundred() {
        let stats = ClientStats::default();
        assert_eq!(stats.last_segment_bytes(), None);
        for size in 1..=150 {
            stats.segment(size);
        }
        assert_eq!(stats.last_segment_bytes(), Some(150));
        let mut recent: Vec<_> = stats.recent_segment_bytes().collect();
        recent.sort_unstable();
        assert_eq!(recent, (51..=150).collect::<Vec<_>>());
        stats.segment(u64::MAX);
        assert_eq!(stats.last_segment_bytes(), Some(u32::MAX));
    }
}
