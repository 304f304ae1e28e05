//! Lossy path of events: from clients and the controller to the log and the record.
//!
//! ```text
//! client ---\                 gate, bounded channel
//! client ----> Tap (worker) ------------------------\
//! client ----> Tap (worker) -------------------------> Recorder -> last events (log), examples of failures, requests
//! controller > Tap ----------------------------------/         \-> NDJSON file (record)
//! sampler ------ one frame, four samples a second --/
//! ```
//!
//! * Counters carry the numbers, events carry the story: an event lost here makes no count wrong.
//! * A thread that offers an event never waits, whatever the disk and the recorder do. A full channel drops the
//!   event, and for each stream offered = delivered + dropped.
//! * A slow disk costs no frames: their channel has room for hours of them. It costs samples, which say what has changed
//!   since the one before, but none of the changes.

mod event;
mod examples;
mod file;
mod gate;
mod gauges;
mod last_events;
mod line;
#[cfg(all(test, hlswarm_loom))]
mod loom_tests;
mod record_reader;
mod recorder;
mod sample_line;
mod tap;
mod watched;

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::watch;

pub use event::{Event, FailureDetails, Happening, LogEntry, RequestEnd, Sample, Stream, WatchedRequest};
pub use examples::Example;
pub use file::RecordFile;
pub use gauges::{Counts, Gauges, LaneReading, Reading, RecorderReading};
pub use last_events::LastEvents;
pub use line::FrameLine;
pub use record_reader::{RecordLine, RecordReader, Unreadable};
pub use sample_line::SampleLine;
pub use tap::{Offer, Tap};

use crate::vocabulary::{Clock, RunIdentity};
use gauges::RecorderStats;
use line::Header;
use recorder::{Recorder, Setup};
use tap::{Lane, Queued};

/// Events that may wait in one channel: enough for all clients of a worker to join, or leave, at once.
const LANE: usize = 8_192;
/// Frames that may wait: four hours' worth.
const FRAMES: usize = 4 * 60 * 60;
/// Samples that may wait: ten seconds' worth. One that finds no room is left to the next, which then has its changes.
const SAMPLES: usize = 40;
/// Longest time that the end of a run waits for room for the last sample.
const LAST_SAMPLE: Duration = Duration::from_millis(500);
/// Time between two looks for room.
const LOOK: Duration = Duration::from_millis(5);
/// Time that the recorder may take to end. A recorder that takes longer hangs at its disk and is abandoned.
const STOP_LIMIT: Duration = Duration::from_secs(3);

/// A running pipeline.
#[derive(Debug)]
pub struct Pipeline {
    gauges: Gauges,
    frames: FrameSink,
    stop: SyncSender<()>,
    done: Receiver<()>,
}

/// Entries into a pipeline.
#[derive(Debug)]
pub struct Taps {
    /// One tap for each worker.
    pub workers: Vec<Tap>,
    /// Tap of the controller.
    pub controller: Tap,
}

/// Destination of the sampler's frames, one each second.
#[derive(Clone, Debug)]
pub struct FrameSink {
    channel: flume::Sender<FrameLine>,
    samples: flume::Sender<SampleLine>,
    stats: Arc<RecorderStats>,
    wanted: bool,
}

impl FrameSink {
    /// Records a frame, if there is a record. Never waits.
    pub fn put(&self, frame: impl FnOnce() -> FrameLine) {
        if self.wanted && self.channel.try_send(frame()).is_err() {
            self.stats.count_refused_frame();
        }
    }

    /// Reports whether a sample may be recorded now: there is a record, and room, which only the next sample takes.
    pub fn takes_samples(&self) -> bool {
        self.wanted
            && !self.samples.is_full()
            && !self.samples.is_disconnected()
            && !self.stats.record_state.is_closed()
    }

    /// Waits for room for the last sample, because no other has its changes. A disk that hangs gets [`LAST_SAMPLE`].
    pub fn wait_for_room(&self) {
        let end = Instant::now() + LAST_SAMPLE;
        while self.samples.is_full() && !self.stats.record_state.is_closed() && Instant::now() < end {
            thread::sleep(LOOK);
        }
    }

    /// Records a sample. Never waits.
    pub fn put_sample(&self, sample: SampleLine) {
        // There is room, because the sampler alone sends. A recorder that has ended needs no more samples.
        _ = self.samples.try_send(sample);
    }
}

impl Pipeline {
    /// Starts the recorder for `workers` threads and the controller. `run` is the first line of `file`.
    ///
    /// # Errors
    /// Fails if the thread cannot be started, or if the file cannot be emptied.
    pub fn start(
        workers: usize,
        clock: Clock,
        file: Option<RecordFile>,
        run: RunIdentity,
    ) -> io::Result<(Self, Taps)> {
        // One lane for each thread that offers events: no two threads share a channel.
        let stats = Arc::new(RecorderStats::default());
        let (controller, first) = lane(&stats);
        let (mut taps, mut channels) = (Vec::new(), Vec::new());
        for _ in 0..workers {
            let (tap, channel) = lane(&stats);
            taps.push(tap);
            channels.push(channel);
        }
        // The controller's channel comes last: the gauges number the workers by their place before it.
        channels.push(first);
        // Frames and the log do not pass through lanes: the sampler alone writes the one, and readers see the newest of
        // the other.
        let (frames, frame_channel) = flume::bounded(FRAMES);
        let (samples, sample_channel) = flume::bounded(SAMPLES);
        let (log_sender, log) = watch::channel(Arc::default());
        let (examples_sender, examples) = watch::channel(Arc::default());
        let (requests_sender, requests) = watch::channel(Arc::default());
        let shown = file.as_ref().map(RecordFile::shown);
        let replay = file.as_ref().map(|file| file.replay.clone()).unwrap_or_default();
        let wanted = file.is_some();
        let gauges = Gauges {
            lanes: channels.iter().map(|(lane, _)| Arc::clone(lane)).collect(),
            stats: Arc::clone(&stats),
            log,
            examples,
            requests,
            file: shown,
            clock,
        };
        // The recorder may outlive a caller that does not wait for it, so both signals have room and never block.
        let (stop, stopped) = sync_channel(1);
        let (ended, done) = sync_channel(1);
        let recorder = Recorder::new(Setup {
            channels,
            frames: frame_channel,
            samples: sample_channel,
            file: file.map(RecordFile::begin).transpose()?,
            header: Header { run, replay },
            stats: Arc::clone(&stats),
            log: log_sender,
            examples: examples_sender,
            requests: requests_sender,
            clock,
        });
        thread::Builder::new().name("recorder".to_owned()).spawn(move || recorder.run(&stopped, &ended))?;
        let frames = FrameSink { channel: frames, samples, stats, wanted };
        Ok((Self { gauges, frames, stop, done }, Taps { workers: taps, controller }))
    }

    /// Returns the gauges, which remain readable after the pipeline has ended.
    pub fn gauges(&self) -> Gauges {
        self.gauges.clone()
    }

    /// Returns the destination of the sampler's frames.
    pub fn frames(&self) -> FrameSink {
        self.frames.clone()
    }

    /// Ends the recorder, after all taps have been closed. The recorder first writes the events that were offered, as
    /// far as the disk takes them in a few seconds. Returns false if the recorder panicked.
    pub fn finish(self) -> bool {
        // A recorder that has already ended needs no signal.
        _ = self.stop.try_send(());
        let ended = self.done.recv_timeout(STOP_LIMIT);
        self.gauges.stats.close_books();
        ended != Err(std::sync::mpsc::RecvTimeoutError::Disconnected)
    }
}

type Channel = (Arc<Lane>, flume::Receiver<Queued>);

fn lane(stats: &RecorderStats) -> (Tap, Channel) {
    let lane = Arc::new(Lane::new(LANE));
    let (sender, receiver) = flume::bounded(LANE);
    (Tap::new(Arc::clone(&lane), Arc::clone(&stats.record_state), sender), (lane, receiver))
}

#[cfg(test)]
mod tests;
