//! Counters of the pipeline itself: events offered, waiting and lost, for each thread and for the file.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::watch;

use super::event::{LogEntry, Stream};
use super::examples::Example;
use super::file::LineOf;
use super::tap::{Lane, RecordState};
use super::watched::ClientRequests;
use crate::sync::atomics::{AtomicU64, Ordering};
use crate::sync::single_writer_cell::SingleWriterCell;
use crate::vocabulary::share;
use crate::vocabulary::{Clock, clock};

/// A write that takes longer than this counts as blocked.
const BLOCKED_AFTER: Duration = Duration::from_secs(1);

/// Counters of the recorder. Its thread is the only writer, unless a field says otherwise.
#[derive(Debug, Default)]
pub(super) struct RecorderStats {
    recorded: [SingleWriterCell; 2],
    lost: [SingleWriterCell; 2],
    frames: SingleWriterCell,
    lines: SingleWriterCell,
    bytes: SingleWriterCell,
    /// Start of the current wait for the other end, plus one; 0: no line is waiting.
    waiting_since_us: SingleWriterCell,
    failure: OnceLock<(u64, String)>,
    /// Frames that were lost because the file failed.
    frames_lost: SingleWriterCell,
    /// Frames that found no room; written by the sampler.
    frames_refused: SingleWriterCell,
    /// Not 0 once no event is on the way any more. Written by the thread that waits for the recorder to end.
    closed: AtomicU64,
    pub(super) record_state: Arc<RecordState>,
}

impl RecorderStats {
    /// Counts a line that is written to the file.
    pub(super) fn count_recorded(&self, of: LineOf) {
        self.lines.add(1);
        match of {
            LineOf::Stream(stream) => self.count_logged(stream),
            LineOf::Frame => self.frames.add(1),
            LineOf::Sample | LineOf::Envelope => {}
        }
    }

    /// Counts an event that reached its destination, which is the log if nothing is recorded.
    pub(super) fn count_logged(&self, stream: Stream) {
        if let Some(cell) = self.recorded.get(stream.index()) {
            cell.add_release(1);
        }
    }

    /// Counts a line that will never reach its destination.
    pub(super) fn count_lost(&self, of: LineOf) {
        match of {
            LineOf::Stream(stream) => {
                if let Some(cell) = self.lost.get(stream.index()) {
                    cell.add_release(1);
                }
            }
            LineOf::Frame | LineOf::Sample => self.frames_lost.add(1),
            LineOf::Envelope => {}
        }
    }

    /// Counts a frame that found no room. Only the sampler may call it.
    pub(super) fn count_refused_frame(&self) {
        self.frames_refused.add(1);
    }

    pub(super) fn count_bytes(&self, bytes: u64) {
        self.bytes.add(bytes);
    }

    /// Returns the bytes written so far.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes.get()
    }

    /// Notes that lines are waiting for the other end, since `now` unless they already were; or that none are.
    pub(super) fn set_waiting(&self, waiting: bool, now: Duration) {
        if !waiting {
            self.waiting_since_us.set(0);
        } else if self.waiting_since_us.get() == 0 {
            self.waiting_since_us.set(clock::micros(now) + 1);
        }
    }

    /// Notes that the file cannot be written any more.
    pub(super) fn fail(&self, now: Duration, reason: String) {
        _ = self.failure.set((clock::micros(now), reason));
        self.record_state.close();
    }

    /// Closes the counts: an event that is not recorded by now counts as dropped, wherever it was lost.
    pub(super) fn close_books(&self) {
        self.closed.store(1, Ordering::Release);
    }

    pub(super) fn counts(&self, lanes: &[Arc<Lane>], stream: Stream) -> Counts {
        // Read `closed` first: if it is set, the recorded count is final.
        let closed = self.closed.load(Ordering::Acquire) != 0;
        // Read `lost` before `offered`: every lost event was offered first, so the difference cannot go negative.
        let lost = self.lost.get(stream.index()).map_or(0, SingleWriterCell::get_acquire);
        let recorded = self.recorded.get(stream.index()).map_or(0, SingleWriterCell::get_acquire);
        let at_the_gate: u64 = lanes.iter().map(|lane| lane.dropped(stream)).sum();
        let offered: u64 = lanes.iter().map(|lane| lane.offered(stream)).sum();
        let dropped =
            if closed { offered.saturating_sub(recorded) } else { (at_the_gate + lost).min(offered) };
        Counts { offered, delivered: offered - dropped, dropped }
    }
}

/// Outcome of the events that were offered: offered = delivered + dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Offered by clients and the controller.
    pub offered: u64,
    /// In the record, or in the log if nothing is recorded. During the run, events on the way are included.
    pub delivered: u64,
    /// In neither: rejected by a full channel, or lost with the file.
    pub dropped: u64,
}

/// State of the channel of one thread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LaneReading {
    /// Number of the worker; `None`: the controller.
    pub worker: Option<usize>,
    /// Events waiting now.
    pub fill: u64,
    /// Most events that waited at once.
    pub high_water: u64,
    /// Maximum events that can wait.
    pub capacity: u64,
    /// Events dropped so far, of both streams.
    pub dropped: u64,
}

impl LaneReading {
    /// Returns the share of the channel that is in use.
    pub fn fill_share(&self) -> Option<f64> {
        share(self.fill, self.capacity)
    }

    /// Returns the largest share so far.
    pub fn high_water_share(&self) -> Option<f64> {
        share(self.high_water, self.capacity)
    }
}

/// State of the recorder and its file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RecorderReading {
    /// Path of the file, safe to print; `None`: no record was requested.
    pub file: Option<Arc<str>>,
    /// Lines written to their end.
    pub lines: u64,
    /// Bytes written.
    pub bytes: u64,
    /// Frames that found no room or were lost with the file.
    pub frames_lost: u64,
    /// Start of the current wait for the disk or reader, if it has lasted longer than a second.
    pub blocked_since: Option<Duration>,
    /// Time at which the file failed, and the reason.
    pub failed: Option<(Duration, String)>,
}

/// State of the pipeline at one moment. Its memory is reused.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    /// Counts of samples.
    pub progress: Counts,
    /// Counts of events.
    pub events: Counts,
    /// The workers' channels, then the controller's.
    pub lanes: Vec<LaneReading>,
    /// State of the recorder and its file.
    pub recorder: RecorderReading,
    /// The last events, oldest first.
    pub log: Arc<[LogEntry]>,
    /// Examples of failed requests, newest first.
    pub examples: Arc<[Example]>,
    /// The last requests of watched clients.
    pub requests: Arc<[ClientRequests]>,
}

/// Reader of the pipeline's state.
#[derive(Clone, Debug)]
pub struct Gauges {
    pub(super) lanes: Arc<[Arc<Lane>]>,
    pub(super) stats: Arc<RecorderStats>,
    pub(super) log: watch::Receiver<Arc<[LogEntry]>>,
    pub(super) examples: watch::Receiver<Arc<[Example]>>,
    pub(super) requests: watch::Receiver<Arc<[ClientRequests]>>,
    pub(super) file: Option<Arc<str>>,
    pub(super) clock: Clock,
}

impl Gauges {
    /// Reads everything into `reading`.
    pub fn read(&self, reading: &mut Reading) {
        reading.progress = self.stats.counts(&self.lanes, Stream::Progress);
        reading.events = self.stats.counts(&self.lanes, Stream::Events);
        let workers = self.lanes.len().saturating_sub(1);
        reading.lanes.clear();
        reading.lanes.extend(self.lanes.iter().enumerate().map(|(index, lane)| LaneReading {
            worker: (index < workers).then_some(index),
            fill: lane.gate.fill(),
            high_water: lane.gate.high_water(),
            capacity: lane.gate.capacity(),
            dropped: Stream::ALL.into_iter().map(|stream| lane.dropped(stream)).sum(),
        }));
        reading.recorder = self.recorder();
        reading.log = Arc::clone(&self.log.borrow());
        reading.examples = Arc::clone(&self.examples.borrow());
        reading.requests = Arc::clone(&self.requests.borrow());
    }

    fn recorder(&self) -> RecorderReading {
        let stats = &self.stats;
        let since = Duration::from_micros(stats.waiting_since_us.get());
        let waits = since > Duration::ZERO && self.clock.now().saturating_sub(since) > BLOCKED_AFTER;
        RecorderReading {
            file: self.file.clone(),
            lines: stats.lines.get(),
            bytes: stats.bytes.get(),
            frames_lost: stats.frames_lost.get() + stats.frames_refused.get(),
            blocked_since: waits.then_some(since),
            failed: stats.failure.get().map(|(at, why)| (Duration::from_micros(*at), why.clone())),
        }
    }
}
