//! The 4 Hz sampler: reads the registry and makes the frame that everybody else reads.
//!
//! * It has a thread of its own: a saturated runtime must not silence the numbers that would show it.
//! * A tick that is missed is skipped, never made up for; rates divide by the real time between snapshots.
//! * Clients are read whole once a second, because digits change once a second; between two seconds only how many are in
//!   which state is counted, for what moves four times a second. The last frames of a run are whole.
//! * Frames lie in a small pool: a reader that holds one (a frozen screen) blocks nothing and costs one more frame.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::generator;
use super::health::HealthJudge;
use super::pipeline::Watch;
use super::{FailureTracker, Frame, History, Point, Status, TIMED, Verdict, VerdictChange};
use crate::base::{Clock, clock};
use crate::pipeline::Pipeline;
use crate::stats::{
    ClientRow, Quality, RecentLatency, Registry, Snapshot, SpeedSummary, Speeds, Timed, Totals, Window,
    window,
};

/// Time between two frames.
pub const TICK: Duration = Duration::from_millis(250);
/// Ticks between two readings of histograms and rates, and two points of the history: digits change once a second, so
/// that they can be read.
const TICKS_PER_SECOND: u64 = 4;
/// Frames of the pool: one being written, one being read, one that is frozen.
const POOL: usize = 3;
/// Tables of clients that are used again: the one of now, and those that the frames of the pool may still hold.
const ROWS: usize = POOL + 1;

/// Makes frames.
#[derive(Debug)]
pub struct Sampler {
    registry: Arc<Registry>,
    status: Arc<Status>,
    clock: Clock,
    window: Window,
    speeds: Speeds,
    judge: HealthJudge,
    latency: [RecentLatency; TIMED.len()],
    live_latency: RecentLatency,
    failures: FailureTracker,
    history: Arc<History>,
    /// The totals of the frame before, which none may fall below.
    last: Totals,
    pipeline: Option<Watch>,
    generator: generator::Meter,
    ticks: u64,
    peak_clients: u64,
    pool: Vec<Arc<Frame>>,
    /// The clients of the last whole reading first, and tables that may be used again.
    rows: Vec<Arc<Vec<ClientRow>>>,
    rows_at_us: u64,
    speed: SpeedSummary,
}

/// The sampler's thread, and the newest frame.
#[derive(Debug)]
pub struct SamplerHandle {
    sender: watch::Sender<Arc<Frame>>,
    stop: SyncSender<()>,
    thread: JoinHandle<Sampler>,
}

impl SamplerHandle {
    /// Where the newest frame is found.
    pub fn frames(&self) -> watch::Receiver<Arc<Frame>> {
        self.sender.subscribe()
    }

    /// Ends the thread and hands its sampler back, for the final frame, and where its readers look for that. No
    /// sampler: it had panicked.
    pub fn stop(self) -> (Option<Sampler>, watch::Sender<Arc<Frame>>) {
        // A thread that has ended already needs no word.
        _ = self.stop.try_send(());
        (self.thread.join().ok(), self.sender)
    }
}

impl Sampler {
    /// A sampler of a registry.
    pub fn new(registry: Arc<Registry>, status: Arc<Status>, clock: Clock) -> Self {
        Self {
            registry,
            status,
            clock,
            window: Window::default(),
            speeds: Speeds::default(),
            judge: HealthJudge::default(),
            latency: TIMED.map(RecentLatency::new),
            live_latency: RecentLatency::new(Timed::LiveLatency),
            failures: FailureTracker::default(),
            history: Arc::default(),
            last: Totals::default(),
            pipeline: None,
            generator: generator::Meter::default(),
            ticks: 0,
            peak_clients: 0,
            pool: Vec::with_capacity(POOL),
            rows: Vec::with_capacity(ROWS),
            rows_at_us: 0,
            speed: SpeedSummary::default(),
        }
    }

    /// Shows this pipeline, too, and records a frame a second in it.
    pub fn watch(mut self, pipeline: &Pipeline) -> Self {
        self.pipeline = Some(Watch::new(pipeline.gauges(), pipeline.frames()));
        self
    }

    /// Runs the sampler on a thread of its own.
    ///
    /// # Errors
    /// The thread could not be started.
    pub fn spawn(self) -> std::io::Result<SamplerHandle> {
        let sender = watch::Sender::new(Arc::new(Frame::default()));
        let frames = sender.clone();
        let (stop, stopped) = sync_channel(1);
        let thread =
            thread::Builder::new().name("sampler".to_owned()).spawn(move || self.run(&frames, &stopped))?;
        Ok(SamplerHandle { sender, stop, thread })
    }

    fn run(mut self, frames: &watch::Sender<Arc<Frame>>, stopped: &Receiver<()>) -> Self {
        let mut due = self.clock.now() + TICK;
        loop {
            let wait = due.saturating_sub(self.clock.now());
            match stopped.recv_timeout(wait) {
                Err(RecvTimeoutError::Timeout) => {}
                Ok(()) | Err(RecvTimeoutError::Disconnected) => return self,
            }
            let frame = self.next_frame();
            frames.send_replace(frame);
            let now = self.clock.now();
            // What was missed is skipped.
            due = if now > due + TICK { now + TICK } else { due + TICK };
        }
    }

    /// Reads the registry now. After every client has left this is the final, exact frame.
    pub fn next_frame(&mut self) -> Arc<Frame> {
        let mut frame = self.free_frame();
        // In the pool nobody else holds it; a clone would only cost time.
        self.fill(Arc::make_mut(&mut frame));
        if self.pool.len() < POOL {
            self.pool.push(Arc::clone(&frame));
        }
        frame
    }

    /// A frame that nobody reads any more, or a new one.
    fn free_frame(&mut self) -> Arc<Frame> {
        let free = self.pool.iter().position(|frame| Arc::strong_count(frame) == 1);
        free.map_or_else(Arc::default, |index| self.pool.swap_remove(index))
    }

    fn fill(&mut self, frame: &mut Frame) {
        let at = self.clock.now();
        let begun = Instant::now();
        (frame.at, frame.state, frame.target) = (at, self.status.state(), self.status.target());
        let new_second = self.ticks.is_multiple_of(TICKS_PER_SECOND);
        self.read_clients(frame, new_second || frame.state.is_ending());
        self.generator.snapshot_taken(begun);
        self.registry.findings(&mut frame.findings);
        self.compare_with_last(&mut frame.snapshot);
        self.window.push(at, &frame.snapshot.totals);
        if new_second {
            let latencies = self.latency.iter_mut().chain([&mut self.live_latency]);
            latencies.for_each(|latency| latency.sample(&self.registry));
        }
        self.ticks += 1;
        frame.latencies = self.latency.each_ref().map(RecentLatency::digest);
        frame.live_latency = self.live_latency.digest();
        frame.quality = Quality::of_run(&frame.snapshot.totals);
        (frame.admitted, frame.late_starts) = (self.status.admitted(), self.status.late_starts());
        frame.panics = self.status.panics();
        self.peak_clients = self.peak_clients.max(frame.active_clients());
        frame.peak_clients = self.peak_clients;
        frame.recent = self.window.rates_so_far(window::RECENT);
        frame.windows = window::WINDOWS.map(|length| self.window.rates(length));
        frame.peak_bits_per_second = self.window.peak_bits_per_second();
        let active = frame.active_clients();
        let before = self.judge.verdict();
        (frame.health, frame.knees) = if frame.state.is_ending() {
            self.judge.last()
        } else {
            self.judge.judge(at, &frame.snapshot, frame.recent.as_ref())
        };
        frame.result = self.judge.result(&frame.snapshot.totals);
        let began_well = before == Verdict::Unknown && frame.health.verdict == Verdict::Ok;
        if frame.health.verdict != before && !began_well {
            self.status.journal().verdict(VerdictChange {
                at: frame.health.since,
                verdict: frame.health.verdict,
                reason: frame.health.reason(),
                clients: active,
            });
        }
        self.failures.observe(at, active, &frame.snapshot.totals, &mut frame.failures);
        if new_second {
            // Frames of the pool hold the last one: this copies some 60 KB, once a second.
            Arc::make_mut(&mut self.history).push(Point::of(frame));
        }
        frame.history = Arc::clone(&self.history);
        frame.journal = Arc::clone(self.status.journal());
        if new_second {
            self.generator.measure(at, &self.status);
        }
        self.generator.fill(&mut frame.generator, &self.status);
        if let Some(pipeline) = &mut self.pipeline {
            pipeline.fill(frame, new_second);
            if new_second {
                pipeline.record(frame);
            }
        }
        self.generator.frame_made(begun);
    }

    /// Reads totals and clients: each client whole, or its state alone, beside its row of the last time.
    fn read_clients(&mut self, frame: &mut Frame, whole: bool) {
        let at_us = clock::micros(frame.at);
        if whole {
            let unseen = self.rows.iter().position(|rows| Arc::strong_count(rows) == 1);
            frame.snapshot.clients = unseen.map_or_else(Arc::default, |index| self.rows.swap_remove(index));
            self.registry.snapshot(at_us, &mut frame.snapshot);
            self.speed = self.speeds.observe(&mut frame.snapshot);
            self.rows_at_us = at_us;
            self.rows.truncate(ROWS - 1);
            self.rows.insert(0, Arc::clone(&frame.snapshot.clients));
        } else {
            self.registry.glance(at_us, &mut frame.snapshot);
            frame.snapshot.clients = self.rows.first().map(Arc::clone).unwrap_or_default();
            frame.snapshot.clients_at_us = self.rows_at_us;
        }
        frame.speed = self.speed;
    }

    fn compare_with_last(&mut self, snapshot: &mut Snapshot) {
        self.registry.compare(&self.last, &snapshot.totals);
        snapshot.invariant_violations = self.registry.violations();
        self.last.copy_from(&snapshot.totals);
    }

    /// The registry that is sampled.
    pub fn registry(&self) -> &Arc<Registry> {
        &self.registry
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::outcome::HttpFailure;
    use crate::base::{ClientState, Kind, Outcome, RunState};
    use crate::stats::Metric;

    fn sampler() -> (Arc<Registry>, Sampler) {
        let registry = Registry::new(1);
        let sampler = Sampler::new(Arc::clone(&registry), Arc::default(), Clock::start());
        (registry, sampler)
    }

    #[test]
    fn frames_use_their_memory_again_and_a_frozen_one_stays_as_it_was() {
        let (registry, mut sampler) = sampler();
        let frozen = sampler.next_frame();
        let client = registry.add();
        client.meter(0, Clock::start()).start(Kind::Playlist).finish(Outcome::Ok, None);
        let mut seen = std::collections::HashSet::new();
        for _ in 0..20 {
            let frame = sampler.next_frame();
            assert_eq!(frame.snapshot.totals.finished(), 1);
            seen.insert(Arc::as_ptr(&frame));
        }
        assert_eq!(frozen.snapshot.totals.finished(), 0);
        assert!(seen.len() <= POOL, "{} frames in use", seen.len());
        assert!(!seen.contains(&Arc::as_ptr(&frozen)));
    }

    #[test]
    fn between_two_seconds_only_states_are_counted_and_the_last_frames_are_whole() {
        let (registry, mut sampler) = sampler();
        let clients = [registry.add(), registry.add()];
        let meter = clients[0].meter(0, Clock::start());
        let whole = sampler.next_frame();
        assert_eq!((whole.snapshot.clients.len(), whole.snapshot.listed()), (2, 2));
        meter.start(Kind::Playlist).finish(Outcome::Ok, None);
        meter.set_state(ClientState::Dead);
        let glance = sampler.next_frame();
        assert_eq!(glance.snapshot.in_state(ClientState::Dead), 1);
        assert_eq!((glance.snapshot.totals.finished(), glance.active_clients()), (1, 1));
        assert!(Arc::ptr_eq(&glance.snapshot.clients, &whole.snapshot.clients));
        assert_eq!(glance.snapshot.clients_at_us, whole.snapshot.at_us);
        sampler.status.set_state(RunState::Draining);
        let last = sampler.next_frame();
        assert_eq!(
            (last.snapshot.clients[0].requests, last.snapshot.clients_at_us),
            (1, last.snapshot.at_us)
        );
        // Whoever holds a frame keeps what it showed.
        assert_eq!(whole.snapshot.clients[0].requests, 0);
    }

    #[test]
    fn tables_of_clients_are_used_again() {
        let (registry, mut sampler) = sampler();
        let _client = registry.add();
        let tables: std::collections::HashSet<_> =
            (0..200).map(|_| Arc::as_ptr(&sampler.next_frame().snapshot.clients)).collect();
        assert!(tables.len() <= ROWS, "{}", tables.len());
    }

    #[test]
    fn what_a_run_that_ends_does_to_its_clients_is_not_judged() {
        let (registry, mut sampler) = sampler();
        let client = registry.add();
        let meter = client.meter(0, Clock::start());
        let fails = || meter.start(Kind::Playlist).finish(Outcome::Http(HttpFailure::of(503)), None);
        sampler.next_frame();
        meter.count(Metric::PlaybackStarts, 1);
        meter.start(Kind::Playlist).finish(Outcome::Ok, None);
        let judged = sampler.next_frame().health;
        assert_eq!((judged.verdict, judged.error_share), (Verdict::Ok, Some(0.0)));
        sampler.status.set_state(RunState::Draining);
        fails();
        assert_eq!(sampler.next_frame().health, judged);
        sampler.status.set_state(RunState::Running);
        assert_eq!(sampler.next_frame().health.error_share, Some(0.5));
    }

    #[test]
    fn a_total_that_falls_from_one_frame_to_the_next_is_a_violation() {
        let (registry, mut sampler) = sampler();
        let client = registry.add();
        client.meter(0, Clock::start()).start(Kind::Playlist).finish(Outcome::Ok, None);
        assert_eq!(sampler.next_frame().snapshot.invariant_violations, 0);
        // Nothing in the registry can make one fall, so the memory of the last frame is changed.
        sampler.last.scalars.add(Metric::Ok, 1);
        assert_eq!(sampler.next_frame().snapshot.invariant_violations, 1);
        assert_eq!(sampler.next_frame().snapshot.invariant_violations, 1);
    }

    #[test]
    fn a_frame_allocates_nothing_but_the_history_of_a_new_second() {
        let (registry, mut sampler) = sampler();
        let clients: Vec<_> = (0..200).map(|_| registry.add()).collect();
        for client in &clients {
            let meter = client.meter(0, Clock::start());
            meter.start(Kind::Segment).finish(Outcome::Ok, None);
            meter.start(Kind::Segment).finish(Outcome::of_status(404, false), None);
        }
        (0..20).for_each(|_| drop(sampler.next_frame()));
        for _ in 0..20 {
            // Once a second the history grows, and its twenty-odd series are copied; that is all, also with every row read.
            let new_second = sampler.ticks.is_multiple_of(TICKS_PER_SECOND);
            let allocations = allocation_counter::measure(|| drop(sampler.next_frame())).count_total;
            assert!(allocations <= if new_second { 24 } else { 0 }, "{allocations}");
        }
    }

    #[test]
    fn the_thread_publishes_frames_and_hands_its_sampler_back() {
        let (registry, sampler) = sampler();
        let handle = sampler.spawn().expect("a thread");
        let mut frames = handle.frames();
        let client = registry.add();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let seen = frames.wait_for(|frame| frame.snapshot.clients.len() == 1);
            tokio::time::timeout(Duration::from_secs(10), seen).await.expect("in time").expect("a sampler");
        });
        drop(client);
        let mut sampler = handle.stop().0.expect("no panic");
        sampler.status.set_state(RunState::Finished);
        assert_eq!(sampler.next_frame().snapshot.clients.len(), 0);
    }
}
