//! The recorder: the one thread that takes what the taps offer, keeps the last of it for the log, writes the record.
//!
//! * Nobody waits for it. It looks after [`PAUSE`] again, so a worker never has to wake it.
//! * While the file takes nothing, lines wait in memory up to a limit, then events stay in their channels, then the
//!   gates close: events are dropped, and counted by those who offer them.
//! * When the file has failed the log goes on.

use std::fs::File;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::Duration;

use tokio::sync::watch;

use super::event::{LogEntry, Stream};
use super::file::{Flushed, LineOf, Writer};
use super::gauges::RecorderStats;
use super::line::{self, End, FrameLine, Header};
use super::tap::{Lane, Queued};
use crate::sync::ring::Ring;
use crate::vocabulary::Clock;
use crate::vocabulary::clock::micros;

/// Events that the log keeps.
pub const LOG_ENTRIES: usize = 1_000;
/// Time between two looks into the channels.
const PAUSE: Duration = Duration::from_millis(25);
/// Time between two publications of the log.
const LOG_INTERVAL: Duration = Duration::from_secs(1);
/// How long the file may take nothing, at the end, before what is left is given up.
const PATIENCE: Duration = Duration::from_millis(1_500);
/// How long it may take for all that is left: reports are written after it, and the process must end.
const LAST_WORDS: Duration = Duration::from_millis(2_500);

/// What the recorder is made of.
pub(super) struct Setup {
    pub(super) channels: Vec<(Arc<Lane>, flume::Receiver<Queued>)>,
    pub(super) frames: flume::Receiver<FrameLine>,
    /// The file, and whether it is a regular one.
    pub(super) file: Option<(File, bool)>,
    pub(super) header: Header,
    pub(super) desk: Arc<RecorderStats>,
    pub(super) log: watch::Sender<Arc<[LogEntry]>>,
    pub(super) clock: Clock,
}

/// The file, as long as it can be written.
struct Record {
    writer: Writer<File>,
    regular: bool,
}

/// What the thread owns.
pub(super) struct Recorder {
    channels: Vec<(Arc<Lane>, flume::Receiver<Queued>)>,
    frames: flume::Receiver<FrameLine>,
    record: Option<Record>,
    desk: Arc<RecorderStats>,
    clock: Clock,
    ring: Ring<LogEntry>,
    logged: u64,
    log: watch::Sender<Arc<[LogEntry]>>,
    published: (u64, Duration),
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
            record,
            desk: setup.desk,
            clock: setup.clock,
            ring: Ring::new(LOG_ENTRIES),
            logged: 0,
            log: setup.log,
            published: (0, Duration::ZERO),
        }
    }

    /// Runs until it is told to end; what the taps had offered by then is written, as far as the file takes it.
    pub(super) fn run(mut self, stopped: &Receiver<()>, done: &SyncSender<()>) {
        while matches!(stopped.recv_timeout(PAUSE), Err(RecvTimeoutError::Timeout)) {
            self.take();
            self.flush();
            if self.clock.now() >= self.published.1 + LOG_INTERVAL {
                self.publish();
            }
        }
        self.finish();
        self.publish();
        // Whoever has stopped waiting does not need it.
        _ = done.try_send(());
    }

    /// Takes what waits, as long as there is room for it. True: nothing waits any more.
    fn take(&mut self) -> bool {
        let frames = self.take_frames();
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
                None => self.desk.count_lost(LineOf::Frame),
            }
        }
        self.frames.is_empty()
    }

    /// At most one channel full at once: others wait, too.
    fn take_lane(&mut self, lane: &Lane, channel: &flume::Receiver<Queued>) -> bool {
        for _ in 0..lane.gate.capacity() {
            if !self.has_room() {
                return channel.is_empty();
            }
            let Ok(parcel) = channel.try_recv() else { return true };
            self.deal_with(parcel);
            lane.gate.leave();
        }
        channel.is_empty()
    }

    fn has_room(&self) -> bool {
        self.record.as_ref().is_none_or(|record| record.writer.has_room())
    }

    fn deal_with(&mut self, parcel: Queued) {
        let Queued { event, unrecorded } = parcel;
        let stream = event.stream();
        match &mut self.record {
            Some(record) => {
                record.writer.push(LineOf::Stream(stream), |buffer| line::event(buffer, &event));
            }
            // Dropped already, by whoever offered it.
            None if unrecorded => {}
            None if self.desk.seal.is_closed() => self.desk.count_lost(LineOf::Stream(stream)),
            None => self.desk.count_logged(stream),
        }
        if stream == Stream::Events {
            self.logged += 1;
            self.ring.push(LogEntry { number: self.logged, event });
        }
    }

    /// Writes what the file takes now. True: nothing waits any more.
    fn flush(&mut self) -> bool {
        let Some(record) = &mut self.record else { return true };
        let desk = &self.desk;
        if record.writer.is_empty() {
            return true;
        }
        desk.set_waiting(true, self.clock.now());
        let flushed = record.writer.flush(|of| desk.count_recorded(of), |bytes| desk.count_bytes(bytes));
        match flushed {
            Ok(Flushed::All) => {
                desk.set_waiting(false, self.clock.now());
                true
            }
            Ok(Flushed::Blocked) => false,
            Err(error) => {
                self.give_up(&error);
                true
            }
        }
    }

    /// The file cannot be written any more.
    fn give_up(&mut self, error: &io::Error) {
        self.desk.fail(self.clock.now(), error.to_string());
        self.desk.set_waiting(false, self.clock.now());
        if let Some(record) = self.record.take() {
            record.writer.unwritten().for_each(|of| self.desk.count_lost(of));
        }
    }

    /// Writes what is left and the last line.
    fn finish(&mut self) {
        if self.write_all() {
            self.write_end();
        }
    }

    /// Takes and writes until nothing waits any more. False: the file does not take it.
    fn write_all(&mut self) -> bool {
        let end = self.clock.now() + LAST_WORDS;
        let mut patience = (self.desk.bytes(), self.clock.now() + PATIENCE);
        loop {
            let taken = self.take();
            let flushed = self.flush();
            if taken && flushed {
                return true;
            }
            let (bytes, now) = (self.desk.bytes(), self.clock.now());
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
        let [progress, events] = Stream::ALL.map(|stream| self.desk.counts(&lanes, stream));
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
            self.give_up(&error);
        }
    }

    /// Shows the log as it is now, if it has changed.
    fn publish(&mut self) {
        if self.published.0 != self.logged {
            self.published.0 = self.logged;
            self.log.send_replace(self.ring.iter().cloned().collect());
        }
        self.published.1 = self.clock.now();
    }
}

impl Record {
    fn sync(&self) -> io::Result<()> {
        if self.regular { self.writer.out().sync_data() } else { Ok(()) }
    }
}
