//! Recorder: the one thread that takes events from the taps, keeps the last ones for the log and writes the record.
//!
//! * No thread waits for it. It polls the channels every [`PAUSE`], so a worker never has to wake it.
//! * While the file takes nothing, lines wait in memory up to a limit. Then events stay in their channels, and then
//!   the gates close: the offering threads drop events and count them.
//! * The log goes on after the file has failed.

use std::fs::File;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::Duration;

use tokio::sync::watch;

use super::event::{LogEntry, Stream};
use super::examples::Example;
use super::file::{Flushed, LineOf, Writer};
use super::gauges::RecorderStats;
use super::last_events::LastEvents;
use super::line::{self, End, FrameLine, Header};
use super::sample_line::SampleLine;
use super::tap::{Lane, Queued};
use super::watched::ClientRequests;
use crate::vocabulary::Clock;
use crate::vocabulary::clock::micros;

/// Time between two polls of the channels.
const PAUSE: Duration = Duration::from_millis(50);
/// Time between two publications of the log.
const LOG_INTERVAL: Duration = Duration::from_secs(1);
/// Time without progress, at the end, after which the recorder abandons the lines that are left.
const PATIENCE: Duration = Duration::from_millis(1_500);
/// Time for all lines that are left at the end: reports are written after them, and the process must end.
const LAST_WORDS: Duration = Duration::from_millis(2_500);

/// Parts that a recorder is made of.
pub(super) struct Setup {
    pub(super) channels: Vec<(Arc<Lane>, flume::Receiver<Queued>)>,
    pub(super) frames: flume::Receiver<FrameLine>,
    pub(super) samples: flume::Receiver<SampleLine>,
    /// The file, and whether it is a regular one.
    pub(super) file: Option<(File, bool)>,
    /// First line of the file.
    pub(super) header: Header,
    pub(super) stats: Arc<RecorderStats>,
    pub(super) log: watch::Sender<Arc<[LogEntry]>>,
    pub(super) examples: watch::Sender<Arc<[Example]>>,
    pub(super) requests: watch::Sender<Arc<[ClientRequests]>>,
    pub(super) clock: Clock,
}

/// The file, as long as it can be written.
struct Record {
    writer: Writer<File>,
    regular: bool,
}

/// State that the recorder's thread owns.
pub(super) struct Recorder {
    channels: Vec<(Arc<Lane>, flume::Receiver<Queued>)>,
    frames: flume::Receiver<FrameLine>,
    samples: flume::Receiver<SampleLine>,
    record: Option<Record>,
    stats: Arc<RecorderStats>,
    clock: Clock,
    last: LastEvents,
    log: watch::Sender<Arc<[LogEntry]>>,
    /// Time of the last publication.
    published: Duration,
    /// The examples, for readers.
    shown_examples: watch::Sender<Arc<[Example]>>,
    /// The requests of watched clients, for readers.
    shown_requests: watch::Sender<Arc<[ClientRequests]>>,
}

impl Recorder {
    pub(super) fn new(setup: Setup) -> Self {
        let record = setup.file.map(|(file, regular)| {
            let mut writer = Writer::new(file);
            writer.push(LineOf::Envelope, |buffer| line::header(buffer, &setup.header));
            Record { writer, regular }
        });
        Self {
            channels: setup.channels,
            frames: setup.frames,
            samples: setup.samples,
            record,
            stats: setup.stats,
            clock: setup.clock,
            last: LastEvents::default(),
            log: setup.log,
            published: Duration::ZERO,
            shown_examples: setup.examples,
            shown_requests: setup.requests,
        }
    }

    /// Runs until the signal on `stopped`, then writes all that the taps had offered by then, as far as the file
    /// takes it.
    pub(super) fn run(mut self, stopped: &Receiver<()>, done: &SyncSender<()>) {
        while matches!(stopped.recv_timeout(PAUSE), Err(RecvTimeoutError::Timeout)) {
            self.take();
            self.flush();
            if self.clock.now() >= self.published + LOG_INTERVAL {
                self.publish();
            }
        }
        self.finish();
        self.publish();
        // A caller that has stopped waiting does not need the signal.
        _ = done.try_send(());
    }

    /// Takes waiting frames and events while there is room for them. Returns true if none are waiting any more.
    fn take(&mut self) -> bool {
        let frames = self.take_frames() && self.take_samples();
        let channels = std::mem::take(&mut self.channels);
        let mut empty = true;
        for (lane, channel) in &channels {
            empty &= self.take_lane(lane, channel);
        }
        self.channels = channels;
        frames && empty
    }

    fn take_frames(&mut self) -> bool {
        while self.has_room() {
            let Ok(frame) = self.frames.try_recv() else { return true };
            match &mut self.record {
                Some(record) => record.writer.push(LineOf::Frame, |buffer| line::frame(buffer, &frame)),
                None => self.stats.count_lost(LineOf::Frame),
            }
        }
        self.frames.is_empty()
    }

    fn take_samples(&mut self) -> bool {
        while self.has_room() {
            let Ok(sample) = self.samples.try_recv() else { return true };
            if let Some(record) = &mut self.record {
                record.writer.push(LineOf::Sample, |buffer| sample.write(buffer));
            }
        }
        self.samples.is_empty()
    }

    /// Takes at most one full channel at a time, because other channels wait, too.
    fn take_lane(&mut self, lane: &Lane, channel: &flume::Receiver<Queued>) -> bool {
        for _ in 0..lane.gate.capacity() {
            if !self.has_room() {
                return channel.is_empty();
            }
            let Ok(queued) = channel.try_recv() else { return true };
            self.deal_with(queued);
            lane.gate.leave();
        }
        channel.is_empty()
    }

    fn has_room(&self) -> bool {
        self.record.as_ref().is_none_or(|record| record.writer.has_room())
    }

    fn deal_with(&mut self, queued: Queued) {
        let Queued { event, unrecorded } = queued;
        let stream = event.stream();
        match &mut self.record {
            Some(record) => {
                record.writer.push(LineOf::Stream(stream), |buffer| line::event(buffer, &event));
            }
            // The tap has already counted it as dropped.
            None if unrecorded => {}
            None if self.stats.record_state.is_closed() => self.stats.count_lost(LineOf::Stream(stream)),
            None => self.stats.count_logged(stream),
        }
        self.last.take(event);
    }

    /// Writes as much as the file takes now. Returns true if no line is waiting any more.
    fn flush(&mut self) -> bool {
        let Some(record) = &mut self.record else { return true };
        let stats = &self.stats;
        if record.writer.is_empty() {
            return true;
        }
        stats.set_waiting(true, self.clock.now());
        let flushed = record.writer.flush(|of| stats.count_recorded(of), |bytes| stats.count_bytes(bytes));
        match flushed {
            Ok(Flushed::All) => {
                stats.set_waiting(false, self.clock.now());
                true
            }
            Ok(Flushed::Blocked) => false,
            Err(error) => {
                self.abandon(&error);
                true
            }
        }
    }

    /// Abandons the file, which cannot be written any more, and counts its waiting lines as lost.
    fn abandon(&mut self, error: &io::Error) {
        self.stats.fail(self.clock.now(), error.to_string());
        self.stats.set_waiting(false, self.clock.now());
        if let Some(record) = self.record.take() {
            record.writer.unwritten().for_each(|of| self.stats.count_lost(of));
        }
    }

    /// Writes the lines that are left, and the last line.
    fn finish(&mut self) {
        if self.write_all() {
            self.write_end();
        }
    }

    /// Takes and writes until nothing is waiting. Returns false if the file does not take it in time.
    fn write_all(&mut self) -> bool {
        let end = self.clock.now() + LAST_WORDS;
        let mut patience = (self.stats.bytes(), self.clock.now() + PATIENCE);
        loop {
            let taken = self.take();
            let flushed = self.flush();
            if taken && flushed {
                return true;
            }
            let (bytes, now) = (self.stats.bytes(), self.clock.now());
            if now >= end || (bytes == patience.0 && now >= patience.1) {
                return false;
            }
            if bytes > patience.0 {
                patience = (bytes, now + PATIENCE);
            }
            std::thread::sleep(PAUSE);
        }
    }

    fn write_end(&mut self) {
        let lanes: Vec<_> = self.channels.iter().map(|(lane, _)| Arc::clone(lane)).collect();
        let [progress, events] = Stream::ALL.map(|stream| self.stats.counts(&lanes, stream));
        let last = End {
            at_us: micros(self.clock.now()),
            progress_offered: progress.offered,
            progress_dropped: progress.dropped,
            events_offered: events.offered,
            events_dropped: events.dropped,
        };
        if let Some(record) = &mut self.record {
            record.writer.push(LineOf::Envelope, |buffer| line::end(buffer, &last));
        }
        if !self.write_all() {
            return;
        }
        let Some(record) = &self.record else { return };
        if let Err(error) = record.sync() {
            self.abandon(&error);
        }
    }

    /// Publishes the log, the examples and the requests, if they have changed.
    fn publish(&mut self) {
        if let Some(log) = self.last.log() {
            self.log.send_replace(log);
        }
        if let Some(examples) = self.last.examples() {
            self.shown_examples.send_replace(examples);
        }
        if let Some(requests) = self.last.requests() {
            self.shown_requests.send_replace(requests);
        }
        self.published = self.clock.now();
    }
}

impl Record {
    fn sync(&self) -> io::Result<()> {
        if self.regular { self.writer.out().sync_data() } else { Ok(()) }
    }
}
