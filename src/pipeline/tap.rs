//! Taps, through which clients and the controller offer their events.
//!
//! * A tap belongs to one thread, whose clients share it. Offering never waits: without room, the event is not even
//!   built. The tap counts it as dropped, and the client goes on.
//! * For each stream, offered = dropped + sent to be recorded, at every moment that the thread itself sees.

use std::cell::Cell as PlainCell;
use std::marker::PhantomData;
use std::sync::Arc;

use super::event::{Event, Stream};
use super::gate::Gate;
use crate::sync::atomics::{AtomicU64, Ordering};
use crate::sync::single_writer_cell::SingleWriterCell;

/// Counters and gate of one tap.
#[derive(Debug)]
pub(super) struct Lane {
    pub(super) gate: Gate,
    offered: [SingleWriterCell; 2],
    dropped: [SingleWriterCell; 2],
}

impl Lane {
    pub(super) fn new(capacity: usize) -> Self {
        Self { gate: Gate::new(capacity as u64), offered: Default::default(), dropped: Default::default() }
    }

    pub(super) fn offered(&self, stream: Stream) -> u64 {
        self.offered.get(stream.index()).map_or(0, SingleWriterCell::get)
    }

    pub(super) fn dropped(&self, stream: Stream) -> u64 {
        self.dropped.get(stream.index()).map_or(0, SingleWriterCell::get)
    }

    fn count(cells: &[SingleWriterCell; 2], stream: Stream) {
        if let Some(cell) = cells.get(stream.index()) {
            cell.add(1);
        }
    }
}

/// State of the record: open, or closed forever once it has failed.
#[derive(Debug, Default)]
pub(super) struct RecordState(AtomicU64);

impl RecordState {
    pub(super) fn close(&self) {
        self.0.store(1, Ordering::Release);
    }

    pub(super) fn is_closed(&self) -> bool {
        self.0.load(Ordering::Acquire) != 0
    }
}

/// An event in the channel.
#[derive(Debug)]
pub(super) struct Queued {
    pub(super) event: Event,
    /// For the log alone: the record had failed, and the tap has counted the event as dropped.
    pub(super) unrecorded: bool,
}

/// Entry of one thread into the pipeline.
#[derive(Debug)]
pub struct Tap {
    lane: Arc<Lane>,
    record_state: Arc<RecordState>,
    channel: flume::Sender<Queued>,
    /// Keeps the tap in one thread at a time: the gate and the counters have one writer.
    not_sync: PhantomData<PlainCell<()>>,
}

/// Outcome of an offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "what is dropped is counted for its client, too"]
pub enum Offer {
    /// The event is on its way.
    Taken,
    /// The event will not be recorded.
    Dropped,
}

impl Tap {
    pub(super) fn new(
        lane: Arc<Lane>,
        record_state: Arc<RecordState>,
        channel: flume::Sender<Queued>,
    ) -> Self {
        Self { lane, record_state, channel, not_sync: PhantomData }
    }

    /// Offers an event of `stream`, which is built only if there is room for it.
    #[inline]
    pub fn offer(&self, stream: Stream, event: impl FnOnce() -> Event) -> Offer {
        Lane::count(&self.lane.offered, stream);
        let unrecorded = self.record_state.is_closed();
        // An event that the record loses may still be worth reading in the log; a sample is not.
        let wanted = !(unrecorded && stream == Stream::Progress);
        let taken = wanted && self.lane.gate.enter() && self.send(Queued { event: event(), unrecorded });
        if taken && !unrecorded {
            return Offer::Taken;
        }
        Lane::count(&self.lane.dropped, stream);
        Offer::Dropped
    }

    /// Sends an event that the gate has let in. The channel has room; only a recorder that was lost to a panic takes
    /// nothing.
    fn send(&self, queued: Queued) -> bool {
        self.channel.try_send(queued).is_ok()
    }
}
