//! What the pipeline shows of itself: who wrote how much, what is waiting, what was lost.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::watch;

use super::event::{LogEntry, Stream};
use super::file::LineOf;
use super::tap::{Lane, RecordState};
use crate::sync::atomics::{AtomicU64, Ordering};
use crate::sync::single_writer_cell::SingleWriterCell;
use crate::vocabulary::share;
use crate::vocabulary::{Clock, clock};

/// A write that takes longer than this is told as blocked.
const BLOCKED_AFTER: Duration = Duration::from_secs(1);

/// What the recorder counts; its thread is the one writer unless said otherwise.
#[derive(Debug, Default)]
pub(super) struct RecorderStats {
    recorded: [SingleWriterCell; 2],
    lost: [SingleWriterCell; 2],
    frames: SingleWriterCell,
    lines: SingleWriterCell,
    bytes: SingleWriterCell,
    /// Since when lines have been waiting for the other end, plus one; 0: none are.
    waiting_since_us: SingleWriterCell,
    failure: OnceLock<(u64, String)>,
    /// Frames that were lost with the file.
    frames_lost: SingleWriterCell,
    /// Frames that found no room; written by the sampler.
    frames_refused: SingleWriterCell,
    /// Not 0: nothing is on the way any more. Written by whoever waited for the recorder to end.
    closed: AtomicU64,
    pub(super) seal: Arc<RecordState>,
}

impl RecorderStats {
    /// A line is where it should be.
    pub(super) fn count_recorded(&self, of: LineOf) {
        self.lines.add(1);
        match of {
            LineOf::Stream(stream) => self.count_logged(stream),
            LineOf::Frame => self.frames.add(1),
            LineOf::Envelope => {}
        }
    }

    /// An event is where it should be, there being no file.
    pub(super) fn count_logged(&self, stream: Stream) {
        if let Some(cell) = self.recorded.get(stream.index()) {
            cell.add_release(1);
        }
    }

    /// A line will never be where it should.
    pub(super) fn count_lost(&self, of: LineOf) {
        match of {
            LineOf::Stream(stream) => {
                if let Some(cell) = self.lost.get(stream.index()) {
                    cell.add_release(1);
                }
            }
            LineOf::Frame => self.frames_lost.add(1),
            LineOf::Envelope => {}
        }
    }

    /// A frame found no room; by the sampler.
    pub(super) fn count_refused_frame(&self) {
        self.frames_refused.add(1);
    }

    pub(super) fn count_bytes(&self, bytes: u64) {
        self.bytes.add(bytes);
    }

    /// Bytes written so far.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes.get()
    }

    /// Lines wait for the other end from now on, if they did not before; or no longer.
    pub(super) fn set_waiting(&self, waiting: bool, now: Duration) {
        if !waiting {
            self.waiting_since_us.set(0);
        } else if self.waiting_since_us.get() == 0 {
            self.waiting_since_us.set(clock::micros(now) + 1);
        }
    }

    /// The file cannot be written any more.
    pub(super) fn fail(&self, now: Duration, reason: String) {
        _ = self.failure.set((clock::micros(now), reason));
        self.seal.close();
    }

    /// What is not recorded by now never will be, and has been dropped, whoever lost it.
    pub(super) fn close_books(&self) {
        self.closed.store(1, Ordering::Release);
    }

    pub(super) fn counts(&self, lanes: &[Arc<Lane>], stream: Stream) -> Counts {
        // Whether the books are closed first: then what is recorded is final.
        let closed = self.closed.load(Ordering::Acquire) != 0;
        // What was lost before what was offered: it was offered before, so it is among those that are read after it.
        let lost = self.lost.get(stream.index()).map_or(0, SingleWriterCell::get_acquire);
        let recorded = self.recorded.get(stream.index()).map_or(0, SingleWriterCell::get_acquire);
        let at_the_gate: u64 = lanes.iter().map(|lane| lane.dropped(stream)).sum();
        let offered: u64 = lanes.iter().map(|lane| lane.offered(stream)).sum();
        let dropped =
            if closed { offered.saturating_sub(recorded) } else { (at_the_gate + lost).min(offered) };
        Counts { offered, delivered: offered - dropped, dropped }
    }
}

/// What became of what was offered: offered = delivered + dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Offered by clients and the controller.
    pub offered: u64,
    /// In the record, or without one in the log; while the run lasts, on the way there included.
    pub delivered: u64,
    /// Neither: turned away at a full channel, or lost with the file.
    pub dropped: u64,
}

/// The channel of one thread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LaneReading {
    /// The number of the worker; `None`: the controller.
    pub worker: Option<usize>,
    /// Events waiting now.
    pub fill: u64,
    /// The most that waited at once.
    pub high_water: u64,
    /// The most that can wait.
    pub capacity: u64,
    /// Turned away so far, both streams.
    pub dropped: u64,
}

impl LaneReading {
    /// The share of the channel that is taken.
    pub fn fill_share(&self) -> Option<f64> {
        share(self.fill, self.capacity)
    }

    /// The largest share so far.
    pub fn high_water_share(&self) -> Option<f64> {
        share(self.high_water, self.capacity)
    }
}

/// The recorder and its file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RecorderReading {
    /// The file that is written; `None`: none was asked for.
    pub file: Option<Arc<str>>,
    /// Lines written whole.
    pub lines: u64,
    /// Bytes written.
    pub bytes: u64,
    /// Frames that found no room, or were lost with the file.
    pub frames_lost: u64,
    /// Since when the disk or reader has taken nothing.
    pub blocked_since: Option<Duration>,
    /// Since when the file cannot be written any more, and why.
    pub failed: Option<(Duration, String)>,
}

/// The pipeline at one moment; its memory is used again.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    /// Samples.
    pub progress: Counts,
    /// Events.
    pub events: Counts,
    /// The workers' channels, then the controller's.
    pub lanes: Vec<LaneReading>,
    /// The recorder and its file.
    pub recorder: RecorderReading,
    /// The last events, oldest first.
    pub log: Arc<[LogEntry]>,
}

/// Reads the pipeline.
#[derive(Clone, Debug)]
pub struct Gauges {
    pub(super) lanes: Arc<[Arc<Lane>]>,
    pub(super) desk: Arc<RecorderStats>,
    pub(super) log: watch::Receiver<Arc<[LogEntry]>>,
    pub(super) file: Option<Arc<str>>,
    pub(super) clock: Clock,
}

impl Gauges {
    /// Reads everything into `reading`.
    pub fn read(&self, reading: &mut Reading) {
        reading.progress = self.desk.counts(&self.lanes, Stream::Progress);
        reading.events = self.desk.counts(&self.lanes, Stream::Events);
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
    }

    fn recorder(&self) -> RecorderReading {
        let desk = &self.desk;
        let since = Duration::from_micros(desk.waiting_since_us.get());
        let waits = since > Duration::ZERO && self.clock.now().saturating_sub(since) > BLOCKED_AFTER;
        RecorderReading {
            file: self.file.clone(),
            lines: desk.lines.get(),
            bytes: desk.bytes.get(),
            frames_lost: desk.frames_lost.get() + desk.frames_refused.get(),
            blocked_since: waits.then_some(since),
            failed: desk.failure.get().map(|(at, why)| (Duration::from_micros(*at), why.clone())),
        }
    }
}
