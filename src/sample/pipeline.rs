//! The pipeline in a sample: delivered and dropped events, the fill of each channel, and clients with missing events.

use std::sync::Arc;
use std::time::Duration;

use super::RunSample;
use crate::pipeline::{
    Counts, Event, FrameLine, FrameSink, Gauges, LaneReading, LastEvents, Pipeline, Reading, RecorderReading,
    SampleLine, WatchedRequest,
};
use crate::stats::ClientRow;
use crate::vocabulary::clock::micros;
use crate::vocabulary::{ClientState, Kind, RunState, Timed, per_second, share, units};

/// A client whose drop rate is above this is degraded.
const DEGRADED: f64 = 0.01;

/// State of the pipeline at one moment.
#[derive(Clone, Debug, Default)]
pub struct PipelineSample {
    /// Samples, one per client and second.
    pub progress: Counts,
    /// Events.
    pub events: Counts,
    /// Share dropped of everything offered in the last second; `None`: nothing was offered, or it is not known yet.
    pub drop_rate: Option<f64>,
    /// Highest such share so far.
    pub peak_drop_rate: Option<f64>,
    /// Listed clients that lost more than 1 % of their samples and events.
    pub degraded_clients: u64,
    /// Channels of the workers, then the controller's.
    pub lanes: Vec<Lane>,
    /// The recorder and its file.
    pub recorder: RecorderReading,
}

/// One channel.
#[derive(Clone, Copy, Debug, Default)]
pub struct Lane {
    /// State of the channel.
    pub channel: LaneReading,
    /// Dropped per second, over the last second; `None`: not known yet.
    pub dropped_per_second: Option<f64>,
}

impl PipelineSample {
    /// Returns the number of samples and events that were dropped.
    pub fn dropped(&self) -> u64 {
        self.progress.dropped + self.events.dropped
    }

    /// Returns the reason why the record is incomplete; `None` if it is complete, or if there is none. Valid once the
    /// recorder has ended.
    pub fn incomplete(&self) -> Option<String> {
        let recorder = &self.recorder;
        let file = recorder.file.as_ref()?;
        let missing = self.dropped() + recorder.frames_lost;
        let why = match (&recorder.failed, recorder.blocked_since) {
            (Some((_, reason)), _) => reason.as_str(),
            (None, Some(_)) => "writing to it is blocked",
            (None, None) if missing > 0 => "writing to it was too slow",
            (None, None) => return None,
        };
        Some(format!("--record {file}: {why}; {} missing", units::plural(missing, "line")))
    }
}

/// Source of what a sample says about the pipeline.
#[derive(Debug)]
enum Source {
    /// The pipeline of this run, and its record.
    Run(Gauges, FrameSink),
    /// The record of a run that is replayed: the rest of the reading is set from outside.
    Record(Box<LastEvents>),
}

/// Reads the pipeline for the sampler and feeds its samples to the record.
#[derive(Debug)]
pub(super) struct Watch {
    source: Source,
    pub(super) reading: Reading,
    /// Counts at the previous computation of rates.
    before: Option<Before>,
    drop_rate: Option<f64>,
    peak_drop_rate: Option<f64>,
    lane_rates: Vec<Option<f64>>,
    /// Number of degraded clients when the clients were last read whole.
    degraded: u64,
}

#[derive(Debug)]
struct Before {
    at: Duration,
    offered: u64,
    dropped: u64,
    lanes: Vec<u64>,
}

impl Watch {
    /// Watches the pipeline of this run.
    pub(super) fn new(pipeline: &Pipeline) -> Self {
        Self::of(Source::Run(pipeline.gauges(), pipeline.frames()), Reading::default())
    }

    /// Watches the pipeline of a run with `workers` worker threads that is replayed from `file`.
    pub(super) fn of_record(file: Arc<str>, workers: usize) -> Self {
        let lane = |worker| LaneReading { worker, ..LaneReading::default() };
        let lanes = (0..workers).map(Some).chain([None]).map(lane).collect();
        let recorder = RecorderReading { file: Some(file), ..RecorderReading::default() };
        Self::of(Source::Record(Box::default()), Reading { lanes, recorder, ..Reading::default() })
    }

    fn of(source: Source, reading: Reading) -> Self {
        Self {
            source,
            reading,
            before: None,
            drop_rate: None,
            peak_drop_rate: None,
            lane_rates: Vec::new(),
            degraded: 0,
        }
    }

    /// Fills in the pipeline's part of a sample. If `second` is true, a second is over and rates are computed.
    pub(super) fn fill(&mut self, sample: &mut RunSample, second: bool) {
        match &mut self.source {
            Source::Run(gauges, _) => gauges.read(&mut self.reading),
            Source::Record(last) if second || sample.state == RunState::Finished => {
                last.publish(&mut self.reading);
            }
            Source::Record(_) => {}
        }
        if second {
            self.compute_rates(sample.at);
        }
        let Reading { progress, events, lanes, recorder, log, examples, .. } = &self.reading;
        if sample.snapshot.is_whole() {
            self.degraded = sample.snapshot.clients.iter().filter(|row| is_degraded(row)).count() as u64;
        }
        let pipeline = &mut sample.pipeline;
        (pipeline.progress, pipeline.events) = (*progress, *events);
        (pipeline.drop_rate, pipeline.peak_drop_rate) = (self.drop_rate, self.peak_drop_rate);
        pipeline.degraded_clients = self.degraded;
        pipeline.recorder.clone_from(recorder);
        pipeline.lanes.clear();
        pipeline.lanes.extend(lanes.iter().enumerate().map(|(index, channel)| Lane {
            channel: *channel,
            dropped_per_second: self.lane_rates.get(index).copied().flatten(),
        }));
        sample.log = Arc::clone(log);
        sample.examples = Arc::clone(examples);
    }

    /// Returns the last requests of a watched client, as of the last [`fill`](Self::fill).
    pub(super) fn requests(&self, client: u64) -> Arc<[WatchedRequest]> {
        let of = self.reading.requests.iter().find(|of| of.client == client);
        of.map(|of| Arc::clone(&of.requests)).unwrap_or_default()
    }

    fn compute_rates(&mut self, at: Duration) {
        let Reading { progress, events, lanes, .. } = &self.reading;
        let now = Before {
            at,
            offered: progress.offered + events.offered,
            dropped: progress.dropped + events.dropped,
            lanes: lanes.iter().map(|lane| lane.dropped).collect(),
        };
        if let Some(before) = &self.before {
            let offered = now.offered.saturating_sub(before.offered);
            let dropped = now.dropped.saturating_sub(before.dropped);
            // Events that were offered earlier can be lost now, with the file, so the share is capped.
            self.drop_rate = share(dropped, offered).map(|share| share.min(1.0));
            self.peak_drop_rate = self.drop_rate.into_iter().chain(self.peak_drop_rate).reduce(f64::max);
            let passed = now.at.saturating_sub(before.at);
            let rate = |(now, before): (&u64, &u64)| per_second(now.saturating_sub(*before) as f64, passed);
            self.lane_rates = now.lanes.iter().zip(&before.lanes).map(rate).collect();
        }
        self.before = Some(now);
    }

    /// Records a frame.
    pub(super) fn record(&self, sample: &RunSample) {
        if let Source::Run(_, frames) = &self.source {
            frames.put(|| frame_line(sample));
        }
    }

    /// Reads the pipeline of this run now.
    pub(super) fn refresh(&mut self) {
        if let Source::Run(gauges, _) = &self.source {
            gauges.read(&mut self.reading);
        }
    }

    /// Takes an event of a record.
    pub(super) fn take_event(&mut self, event: Event) {
        if let Source::Record(last) = &mut self.source {
            last.take(event);
        }
    }

    /// Reports whether a sample can be recorded now.
    pub(super) fn takes_samples(&self) -> bool {
        matches!(&self.source, Source::Run(_, frames) if frames.takes_samples())
    }

    /// Waits for room for the last sample.
    pub(super) fn wait_for_room(&self) {
        if let Source::Run(_, frames) = &self.source {
            frames.wait_for_room();
        }
    }

    /// Records a sample.
    pub(super) fn record_sample(&self, line: SampleLine) {
        if let Source::Run(_, frames) = &self.source {
            frames.put_sample(line);
        }
    }
}

fn is_degraded(row: &ClientRow) -> bool {
    row.pipeline_dropped as f64 > row.pipeline_offered as f64 * DEGRADED
}

fn frame_line(sample: &RunSample) -> FrameLine {
    let totals = &sample.snapshot.totals;
    FrameLine {
        at_us: micros(sample.at),
        state: sample.state.name(),
        target: sample.target,
        clients: sample.active_clients(),
        stalled: sample.snapshot.in_state(ClientState::Stalled),
        requests_started: totals.started(),
        requests_finished: totals.finished(),
        errors: totals.errors(),
        bytes: totals.bytes(),
        bits_per_second: sample.recent.map(|rates| rates.bits_per_second),
        requests_per_second: sample.recent.map(|rates| rates.requests_per_second),
        error_share: sample.health.error_share,
        segment_ttfb_us_p95: sample
            .latency(Timed::FirstByte(Kind::Segment))
            .recent
            .map(|summary| summary.p95),
        verdict: sample.health.verdict.name(),
    }
}
