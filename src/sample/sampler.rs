//! The 4 Hz sampler: reads the registry and produces the samples for all readers.
//!
//! * Rates divide by the real time between snapshots.
//! * Clients are read whole once a second, because digits change once a second. In between, the sampler only counts
//!   the clients in each state, for the parts of the screen that move four times a second. The last samples of a run
//!   read every client whole.
//! * Samples come from a small pool: a reader that holds one (a frozen screen) blocks nothing and costs one more
//!   sample.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::history_recorder::HistoryRecorder;
use super::notes::NoteTaker;
use super::origin_meter::OriginMeter;
use super::pipeline::Watch;
use super::stream_meter::StreamMeter;
use super::tape::Tape;
use super::threshold_meter::ThresholdMeter;
use super::timeline::TimelineRecorder;
use super::trust::TrustMeter;
use super::warmup::WarmupMeter;
use super::watch_list::{WatchList, WatchedClient};
use super::{
    Bin, ClientDetail, Distributions, FailureTracker, OpenRequests, RunSample, Sources, StreamSample, TIMED,
    Who, hard_stops, notes, numbers,
};
use crate::generator::{self, Fact};
use crate::pipeline::{Event, Pipeline, Reading, SampleLine};
use crate::run_state::VerdictChange;
use crate::stats::{ClientRow, LastStates, Quality, RecentLatency, Snapshot, Speeds, Totals, Window, window};
use crate::sync::image::{Depth, Misfit};
use crate::verdict::{HealthJudge, HealthNumbers, Verdict};
use crate::vocabulary::{RunState, Timed, clock};

/// Time between two samples.
pub const TICK: Duration = Duration::from_millis(250);
/// Ticks between two readings of the histograms, and between two points of the history: digits change once a second,
/// so that people can read them.
pub(super) const TICKS_PER_SECOND: u64 = 4;
/// Number of samples in the pool: one being written, one being read, one that is frozen.
pub(super) const POOL: usize = 3;
/// Number of tables of clients that are reused: the current one, and those that samples of the pool may still hold.
pub(super) const ROWS: usize = POOL + 1;

/// Producer of samples.
#[derive(Debug)]
pub struct Sampler {
    pub(super) sources: Sources,
    window: Window,
    speeds: Speeds,
    last_states: LastStates,
    notes: NoteTaker,
    judge: HealthJudge,
    latency: [RecentLatency; TIMED.len()],
    live_latency: RecentLatency,
    failures: FailureTracker,
    timeline: TimelineRecorder,
    history: HistoryRecorder,
    /// Totals of the previous sample; no total may fall below them.
    pub(super) last: Totals,
    pipeline: Option<Watch>,
    generator: generator::Meter,
    trust: TrustMeter,
    thresholds: ThresholdMeter,
    warmup: WarmupMeter,
    origin: OriginMeter,
    pub(super) ticks: u64,
    peak_clients: u64,
    pool: Vec<Arc<RunSample>>,
    /// Clients of the last whole reading, then tables that may be reused.
    rows: Vec<Arc<Vec<ClientRow>>>,
    rows_at_us: u64,
    open: Option<OpenRequests>,
    who: Arc<Who>,
    stream_meter: StreamMeter,
    stream: Arc<StreamSample>,
    watch_list: WatchList,
    tape: Tape,
    /// Moment of all further samples: of a replay that of its record, of a run that has ended its end.
    moment: Option<Duration>,
    /// False once the load tester is not measured any more: the run has ended, or the measurements come from a record.
    is_measured: bool,
}

impl Sampler {
    /// Creates a sampler of these sources.
    pub fn new(sources: Sources) -> Self {
        let started_unix_ms = sources.clock.started_at().as_millisecond();
        Self {
            history: HistoryRecorder::new(started_unix_ms),
            thresholds: ThresholdMeter::new(&sources.criteria),
            warmup: WarmupMeter::default(),
            origin: OriginMeter::new(&sources),
            sources,
            window: Window::default(),
            speeds: Speeds::default(),
            last_states: LastStates::default(),
            notes: NoteTaker::default(),
            judge: HealthJudge::default(),
            latency: TIMED.map(RecentLatency::new),
            live_latency: RecentLatency::new(Timed::LiveLatency),
            failures: FailureTracker::default(),
            timeline: TimelineRecorder::new(started_unix_ms),
            last: Totals::default(),
            pipeline: None,
            generator: generator::Meter::default(),
            trust: TrustMeter::default(),
            ticks: 0,
            peak_clients: 0,
            pool: Vec::with_capacity(POOL),
            rows: Vec::with_capacity(ROWS),
            rows_at_us: 0,
            open: None,
            who: Arc::default(),
            stream_meter: StreamMeter::default(),
            stream: Arc::default(),
            watch_list: WatchList::default(),
            tape: Tape::default(),
            moment: None,
            is_measured: true,
        }
    }

    /// Makes samples show this pipeline, and records one frame per second in it.
    pub fn watch(mut self, pipeline: &Pipeline) -> Self {
        self.pipeline = Some(Watch::new(pipeline));
        self
    }

    /// Makes the sampler take the samples of a record again: no other source changes the numbers. `file` is its name.
    pub fn replaying(mut self, file: Arc<str>) -> Self {
        self.pipeline = Some(Watch::of_record(file, self.sources.workers.len()));
        self.is_measured = false;
        // Not the time since the record was opened: without a sample, nothing was measured.
        self.moment = Some(Duration::ZERO);
        self
    }

    /// Sets all numbers as they were at the next line of a record, whose sample is taken next.
    ///
    /// # Errors
    /// Fails if the line has numbers that this program does not know.
    pub fn set(&mut self, line: &SampleLine) -> Result<(), Misfit> {
        let Some(watch) = &mut self.pipeline else { return Err(Misfit) };
        self.moment = Some(Duration::from_micros(line.at_us));
        self.ticks = line.tick;
        self.tape.set(line, &self.sources, &mut self.generator, &mut watch.reading)
    }

    /// Takes an event of a record, which the next samples show.
    pub fn take_event(&mut self, event: Event) {
        if let Some(watch) = &mut self.pipeline {
            watch.take_event(event);
        }
    }

    /// Returns the state of the pipeline that the next sample shows, as far as a record sets it.
    pub fn reading(&mut self) -> Option<&mut Reading> {
        self.pipeline.as_mut().map(|watch| &mut watch.reading)
    }

    /// Ends the time of the run, and records what the last sample will read, with how the run ended. To be called once
    /// nothing counts any more.
    pub fn end(&mut self, ending: serde_json::Value) {
        let at = self.now();
        self.moment = Some(at);
        self.generator.measure_use();
        self.is_measured = false;
        if let Some(watch) = &mut self.pipeline {
            watch.wait_for_room();
            watch.refresh();
        }
        let line = self.begin_line(at, Depth::Whole);
        self.record_line(line.map(|line| SampleLine { is_last: true, ending, ..line }));
    }

    /// Returns the moment of the next sample, in whole microseconds as a record has it.
    fn now(&self) -> Duration {
        let live = || Duration::from_micros(clock::micros(self.sources.clock.now()));
        self.moment.unwrap_or_else(live)
    }

    /// Sets the moment of all further samples.
    #[cfg(test)]
    pub fn set_moment(&mut self, at: Duration) {
        self.moment = Some(at);
    }

    /// Reports whether the next sample will be recorded.
    #[cfg(test)]
    pub fn has_room(&self) -> bool {
        self.pipeline.as_ref().is_some_and(Watch::takes_samples)
    }

    /// Begins the line of a sample, if it can be recorded.
    fn begin_line(&mut self, at: Duration, depth: Depth) -> Option<SampleLine> {
        let takes = self.pipeline.as_ref().is_some_and(Watch::takes_samples);
        takes.then(|| self.tape.begin(&self.sources, at, self.ticks, depth))
    }

    fn record_line(&mut self, line: Option<SampleLine>) {
        let Some((mut line, watch)) = line.zip(self.pipeline.as_mut()) else { return };
        self.tape.end(&mut line, &self.sources, &mut self.generator, &mut watch.reading);
        watch.record_sample(line);
    }

    /// Reads the registry and returns a sample.
    pub fn next_sample(&mut self) -> Arc<RunSample> {
        self.next_with(false)
    }

    /// Reads the registry and returns a whole sample. After every client has left, this is the final, exact sample.
    pub fn next_whole_sample(&mut self) -> Arc<RunSample> {
        self.next_with(true)
    }

    fn next_with(&mut self, whole: bool) -> Arc<RunSample> {
        let mut shared = self.free_sample();
        // No reader holds a free sample, so this does not clone.
        let sample = Arc::make_mut(&mut shared);
        self.fill(sample);
        sample.distributions = whole.then(|| Arc::new(self.distributions(sample)));
        if self.pool.len() < POOL {
            self.pool.push(Arc::clone(&shared));
        }
        shared
    }

    /// Reads the distributions that belong to a sample that was taken just now.
    fn distributions(&mut self, sample: &RunSample) -> Distributions {
        self.history.read_heat(&self.sources.registry);
        Distributions {
            masked_seconds: self.trust.masked_seconds().clone(),
            timeline: self.timeline.timeline().clone(),
            history: self.history.whole(sample),
            origin_series: self.origin.series(),
            ..Distributions::read(&self.sources)
        }
    }

    /// Returns a sample of the pool that no reader holds, or a new one.
    fn free_sample(&mut self) -> Arc<RunSample> {
        let free = self.pool.iter().position(|sample| Arc::strong_count(sample) == 1);
        free.map_or_else(Arc::default, |index| self.pool.swap_remove(index))
    }

    fn fill(&mut self, sample: &mut RunSample) {
        let at = self.now();
        let new_second = self.ticks.is_multiple_of(TICKS_PER_SECOND);
        let depth = if new_second { Depth::Whole } else { Depth::Light };
        let line = self.begin_line(at, depth);
        let begun = Instant::now();
        (sample.at, sample.state, sample.target) =
            (at, self.sources.status.state(), self.sources.status.target());
        sample.limit = self.sources.status.limit();
        sample.plan_time = self.sources.status.plan_time();
        // Clients are read whole once a second, and in every sample of a run that is ending.
        self.read_clients(sample, new_second || sample.state.is_ending());
        if self.is_measured {
            self.generator.snapshot_taken(begun);
        }
        self.sources.registry.findings(&mut sample.findings);
        // Registry totals only grow: the comparison counts one that fell as a violation.
        self.compare_with_last(&mut sample.snapshot);
        let counted = self.timeline.observe(at, &sample.snapshot);
        // From here on, all numbers derive from the snapshot.
        self.window.push(at, &sample.snapshot.totals);
        // The last sample of a run is no new second, but what it shows stays on the screen.
        let is_due = new_second || sample.state == RunState::Finished;
        if is_due {
            self.read_latencies();
            self.compare_clients(&sample.snapshot);
            self.watch_clients(&sample.snapshot);
        }
        (sample.who, sample.stream) = (Arc::clone(&self.who), Arc::clone(&self.stream));
        // One client costs little, and its numbers are waited for.
        sample.detail = self.read_selected();
        self.ticks += 1;
        sample.latencies = self.latency.each_ref().map(RecentLatency::digest);
        sample.live_latency = self.live_latency.digest();
        sample.quality = Quality::from_totals(&sample.snapshot.totals);
        (sample.admitted, sample.late_starts) =
            (self.sources.status.admitted(), self.sources.status.late_starts());
        // Facts that others set, as they are now.
        sample.panics = self.sources.status.panics();
        sample.priced = self.sources.priced.get().cloned();
        sample.spendings = hard_stops::read(&self.sources);
        self.peak_clients = self.peak_clients.max(sample.active_clients());
        sample.peak_clients = self.peak_clients;
        sample.recent = self.window.rates_so_far(window::RECENT);
        sample.windows = window::WINDOWS.map(|length| self.window.rates(length));
        sample.peak_bits_per_second = self.window.peak_bits_per_second();
        sample.peak_requests_per_second = self.window.peak_requests_per_second();
        // A second is stored with the verdict on it.
        self.judge_health(sample);
        self.failures.observe(at, sample.active_clients(), &sample.snapshot.totals, &mut sample.failures);
        self.record_history(sample, &counted, is_due);
        sample.journal = Arc::clone(self.sources.status.journal());
        self.notes.observe(sample, &sample.journal);
        self.watch_origin(sample, is_due);
        self.measure_generator(sample, new_second);
        self.generator.fill(&mut sample.generator, self.sources.status.start_lateness_us_max());
        self.read_pipeline(sample, new_second);
        // The counts of the last sample are evidence, too.
        if is_due {
            self.trust.measure(&self.sources, sample, self.generator.workers());
        }
        sample.trust = Arc::clone(self.trust.trust());
        self.judge_thresholds(sample, is_due);
        sample.canary = self.trust.canary();
        self.record_line(line);
        if self.is_measured {
            self.generator.sample_made(begun);
        }
    }

    fn measure_generator(&mut self, sample: &RunSample, new_second: bool) {
        if !self.is_measured {
            return;
        }
        if new_second {
            let cores = self.sources.host.fact(Fact::Processors, sample.at);
            self.generator.measure(sample.at, cores, &self.sources.workers);
        } else if sample.state == RunState::Finished {
            self.generator.measure_use();
        }
    }

    /// Reads the pipeline, and records a frame once a second: only now are all its values filled in.
    fn read_pipeline(&mut self, sample: &mut RunSample, new_second: bool) {
        if let Some(pipeline) = &mut self.pipeline {
            pipeline.fill(sample, new_second);
            if new_second {
                pipeline.record(sample);
            }
        }
        sample.watched = self.watched().map(Arc::new);
    }

    /// Returns the number of the client that is open on the screen, or 0.
    fn selected(&self) -> u64 {
        // Relaxed: the number stands for itself.
        self.sources.selected.load(Ordering::Relaxed)
    }

    /// Chooses the clients that report their requests one by one.
    fn watch_clients(&mut self, snapshot: &Snapshot) {
        self.watch_list.observe(snapshot, self.selected());
        self.sources.registry.watch(self.watch_list.ids());
    }

    /// Returns the last minute of the client that is open on the screen.
    fn watched(&self) -> Option<WatchedClient> {
        let id = self.selected();
        let requests = self.pipeline.as_ref().map(|pipeline| pipeline.requests(id));
        self.watch_list.client(id, requests.unwrap_or_default())
    }

    /// Reads more of the client that is open on the screen.
    fn read_selected(&self) -> Option<Arc<ClientDetail>> {
        let id = self.selected();
        (id > 0)
            .then(|| ClientDetail::read(&self.sources.registry, self.stream_meter.index(), id).map(Arc::new))
            .flatten()
    }

    /// Groups the clients of a whole reading, and measures the stream that they play.
    fn compare_clients(&mut self, snapshot: &Snapshot) {
        let registry = &self.sources.registry;
        self.stream_meter.read(registry);
        self.who = Arc::new(Who::new(&snapshot.clients, self.stream_meter.index(), self.sources.canary));
        self.stream = Arc::new(self.stream_meter.measure(snapshot, &registry.routes()));
    }

    /// Reads the histograms of all durations, and what they have gained for the heat maps.
    fn read_latencies(&mut self) {
        for latency in self.latency.iter_mut().chain([&mut self.live_latency]) {
            latency.sample(&self.sources.registry);
            let (timed, newest) = (latency.timed(), latency.newest());
            newest.into_iter().for_each(|histogram| self.history.take_heat(timed, histogram));
        }
    }

    /// Adds a sample to the history, and its second once that is over. The last sample of a run ends its second.
    fn record_history(&mut self, sample: &mut RunSample, counted: &Bin, is_over: bool) {
        self.history.observe(counted, sample);
        if is_over {
            self.history.finish_second(sample);
        }
        sample.history = Arc::clone(self.history.history());
        sample.need_bits_per_second = sample.history.last().and_then(|second| second.need_bits_per_s());
        sample.got_share = sample.history.got_share();
    }

    /// Judges how well the stream is served, and records a change of the verdict in the journal.
    fn judge_health(&mut self, sample: &mut RunSample) {
        // While the run ends, what its last clients meet says nothing about the stream: keep the last judgement.
        let before = self.judge.verdict();
        (sample.health, sample.knees) = if sample.state.is_ending() {
            self.judge.last()
        } else {
            let crossed = self.thresholds.judged().iter().filter(|judged| judged.is_crossed()).count() as u64;
            let numbers = numbers::of_moment(sample.at, &sample.snapshot, sample.recent.as_ref());
            self.judge.judge(&HealthNumbers { thresholds_crossed: crossed, ..numbers })
        };
        sample.run_health = self.judge.run_health(numbers::of_run(&sample.snapshot.totals));
        // The journal records troubles and recoveries. The first OK of a run is neither.
        let began_well = before == Verdict::Unknown && sample.health.verdict == Verdict::Ok;
        if sample.health.verdict != before && !began_well {
            self.sources.status.journal().verdict(VerdictChange {
                at: sample.health.since,
                verdict: sample.health.verdict,
                reason: sample.health.reason(),
                clients: sample.active_clients(),
            });
        }
    }

    /// Reads the exporters of the origin at the end of a second.
    fn watch_origin(&mut self, sample: &mut RunSample, is_due: bool) {
        if is_due {
            self.origin.observe(&self.sources.exporters, sample);
        }
        sample.origin = Arc::clone(self.origin.origin());
    }

    /// Judges the thresholds at the end of a second, and notes those that are crossed in the journal.
    fn judge_thresholds(&mut self, sample: &mut RunSample, is_due: bool) {
        self.thresholds.observe(sample);
        self.warmup.observe(sample);
        if is_due {
            let before = Arc::clone(self.thresholds.judged());
            self.thresholds.measure(sample, &self.sources, sample.trust.verdict);
            self.warmup.measure(sample, &self.sources);
            notes::note_thresholds(&before, self.thresholds.judged(), sample);
        }
        sample.thresholds = Arc::clone(self.thresholds.judged());
        sample.after_warmup = self.warmup.newest();
    }

    /// Reads totals and clients: each client whole, or only the states beside the rows of the last whole reading.
    fn read_clients(&mut self, sample: &mut RunSample, whole: bool) {
        let at_us = clock::micros(sample.at);
        sample.snapshot.codes.clear();
        sample.snapshot.codes.extend_from_slice(self.history.history().codes());
        if whole {
            // Reuse a table that no sample holds any more.
            let unseen = self.rows.iter().position(|rows| Arc::strong_count(rows) == 1);
            sample.snapshot.clients = unseen.map_or_else(Arc::default, |index| self.rows.swap_remove(index));
            self.sources.registry.snapshot(at_us, &mut sample.snapshot);
            self.speeds.observe(&mut sample.snapshot);
            self.last_states.observe(&mut sample.snapshot);
            self.open = Some(OpenRequests::new(&sample.snapshot));
            self.rows_at_us = at_us;
            self.rows.truncate(ROWS - 1);
            self.rows.insert(0, Arc::clone(&sample.snapshot.clients));
        } else {
            self.sources.registry.snapshot_states(at_us, &mut sample.snapshot);
            sample.snapshot.clients = self.rows.first().map(Arc::clone).unwrap_or_default();
            sample.snapshot.clients_at_us = self.rows_at_us;
        }
        sample.open = self.open;
        sample.snapshot.totals.expected = self.sources.criteria.expected;
    }

    fn compare_with_last(&mut self, snapshot: &mut Snapshot) {
        self.sources.registry.compare(&self.last, &snapshot.totals);
        snapshot.invariant_violations = self.sources.registry.violations();
        self.last.copy_from(&snapshot.totals);
    }
}
