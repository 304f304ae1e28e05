//! The gauges of the generator, gathered once a second for the judge of the trust in the result.

use std::sync::Arc;

use super::canary::CanaryMeter;
use super::ports::PortsMeter;
use super::trusted::{MaskedMeter, SomeSeconds};
use super::{CanaryReading, RunSample, Sources};
use crate::generator::{Fact, Worker};
use crate::load::StartCounts;
use crate::stats::{Metric, RecentLatency};
use crate::verdict::{Demand, Gauge, Interval, Trust, TrustJudge, TrustNumbers, Values};
use crate::vocabulary::outcome::Fault;
use crate::vocabulary::{Kind, RunState, Timed, share};

/// Gauges that the host's thread writes.
const OF_HOST: [Gauge; 15] = [
    Gauge::Cpu,
    Gauge::CpuThrottled,
    Gauge::CpuSteal,
    Gauge::CpuPressure,
    Gauge::HostCpuPressure,
    Gauge::Files,
    Gauge::ClockStep,
    Gauge::Suspended,
    Gauge::Memory,
    Gauge::MemoryPressure,
    Gauge::MajorFaults,
    Gauge::ReceiveStalls,
    Gauge::PacketsDropped,
    Gauge::LinkLoad,
    Gauge::Tracked,
];
/// Gathers the gauges and judges them.
#[derive(Debug)]
pub(super) struct TrustMeter {
    judge: TrustJudge,
    names: RecentLatency,
    ports: PortsMeter,
    masked: MaskedMeter,
    canary: CanaryMeter,
    /// Counts at the last judgement.
    counted: Counted,
    gaps_seen: usize,
    gaps: Vec<Interval>,
    shown: Arc<Trust>,
}

/// Counts that only grow.
#[derive(Clone, Copy, Debug, Default)]
struct Counted {
    starts: StartCounts,
    local: [u64; 3],
    violations: u64,
    address_space_stops: u64,
}

impl Default for TrustMeter {
    fn default() -> Self {
        Self {
            judge: TrustJudge::default(),
            names: RecentLatency::new(Timed::Dns),
            ports: PortsMeter::default(),
            masked: MaskedMeter::default(),
            canary: CanaryMeter::default(),
            counted: Counted::default(),
            gaps_seen: 0,
            gaps: Vec::new(),
            shown: Arc::default(),
        }
    }
}

impl TrustMeter {
    /// Judges the time since the last call; to be called once a second, and with the last sample of a run.
    pub(super) fn measure(&mut self, sources: &Sources, sample: &RunSample, workers: &[Worker]) {
        let now = Counted::new(sources, sample);
        let last = std::mem::replace(&mut self.counted, now);
        let (mut values, mut shown) = (Values::default(), Values::default());
        now.since(last).fill(&mut values);
        // Each gap of the process is judged once.
        self.gaps.clear();
        self.gaps.extend(sources.host.gaps_from(self.gaps_seen));
        self.gaps_seen += self.gaps.len();
        // The canary's worker carries no load.
        let workers = sources.canary.and_then(|canary| workers.get(..canary)).unwrap_or(workers);
        let (lag, worker) = largest_lag(workers);
        // The load of this sample lasted, if it ended only after the sample was taken.
        let load_end = sources.status.load_end().filter(|end| *end < sample.at);
        if load_end.is_none() {
            self.names.sample(&sources.registry);
            values[Gauge::LoopLag] = lag;
            values[Gauge::CanaryDivergence] = self.canary.measure(sources, sample);
            values[Gauge::LoadHeld] = load_held(sample.state, now.since(last).starts);
            values[Gauge::WorkerBusy] = workers.iter().filter_map(|worker| worker.busy).reduce(f64::max);
            values[Gauge::EventsDropped] = sample.pipeline.drop_rate;
            values[Gauge::SnapshotTime] = Some(sample.generator.snapshot_us as f64);
            values[Gauge::SampleTime] = sample.generator.frame_us.map(|us| us as f64);
            values[Gauge::RequestsCut] = requests_cut(sample);
            let names = self.names.digest().recent;
            values[Gauge::NameLookup] = names.map(|names| names.p99 as f64);
            let tick = sources.host.take_longest_tick_us();
            values[Gauge::ProcessGap] = tick.map(|us| us as f64);
            for gauge in OF_HOST {
                // The verdict takes the largest value since the last call; the screen shows the present one.
                values[gauge] = sources.host.take(gauge);
                shown[gauge] = sources.host.get(gauge, sample.at);
            }
            let opened = sample.snapshot.totals.get(Metric::Connections);
            // Copies the tables of all workers: asked for only when many ports are in use.
            let audience = || sources.registry.audience();
            values[Gauge::Ports] =
                self.ports.measure(sample.at, opened, &sources.host, sources.binds_sources, audience);
        }
        // Without load, only counts and gaps are judged.
        self.judge.judge(&TrustNumbers {
            at: sample.at,
            load_end,
            values,
            shown,
            first_byte_us: first_byte_us(sample),
            worker,
            gaps: &self.gaps,
            demand: Demand {
                target: sample.target.into(),
                admitted: sample.admitted,
                open_files: sample.generator.open_files,
                files_limit: sample.generator.files_limit,
                machine_files: sources.host.fact(Fact::MachineFiles, sample.at),
            },
        });
        self.masked.measure(sample, load_end, &sources.registry, self.judge.trust());
        self.shown = Arc::new(self.judge.trust().clone());
    }

    /// Returns the main quantities of the masked seconds so far.
    pub(super) fn masked_seconds(&self) -> &SomeSeconds {
        self.masked.masked()
    }

    /// Returns the canary and the crowd over the whole run.
    pub(super) fn canary(&self) -> Option<CanaryReading> {
        self.canary.reading()
    }

    /// Returns the trust as judged last.
    pub(super) fn trust(&self) -> &Arc<Trust> {
        &self.shown
    }
}

impl Counted {
    fn new(sources: &Sources, sample: &RunSample) -> Self {
        let totals = &sample.snapshot.totals;
        let faults = [Fault::LocalFiles, Fault::LocalPorts, Fault::LocalMemory];
        Self {
            starts: sources.status.starts(),
            local: faults.map(|fault| totals.ended(fault.into())),
            violations: sample.snapshot.invariant_violations,
            address_space_stops: sources.status.address_space_stops(),
        }
    }

    fn since(self, last: Self) -> Self {
        let mut local = self.local;
        local.iter_mut().zip(last.local).for_each(|(now, last)| *now = now.saturating_sub(last));
        Self {
            starts: StartCounts {
                made: self.starts.made.saturating_sub(last.starts.made),
                missed: self.starts.missed.saturating_sub(last.starts.missed),
                late: self.starts.late.saturating_sub(last.starts.late),
                very_late: self.starts.very_late.saturating_sub(last.starts.very_late),
            },
            local,
            violations: self.violations.saturating_sub(last.violations),
            address_space_stops: self.address_space_stops.saturating_sub(last.address_space_stops),
        }
    }

    /// Sets the gauges of the counts of a second.
    fn fill(self, values: &mut Values) {
        let starts = self.starts;
        values[Gauge::LateStarts] = share(starts.late, starts.made);
        values[Gauge::VeryLateStarts] = share(starts.very_late, starts.made);
        let [files, ports, memory] = self.local.map(|count| Some(count as f64));
        values[Gauge::FilesRefused] = files;
        values[Gauge::PortsRefused] = ports;
        values[Gauge::MemoryRefused] = memory;
        values[Gauge::InvariantViolations] = Some(self.violations as f64);
        values[Gauge::AddressSpaceStops] = Some(self.address_space_stops as f64);
    }
}

/// Returns the largest lag of a worker over the last second, in microseconds, and its number.
fn largest_lag(workers: &[Worker]) -> (Option<f64>, Option<usize>) {
    let lags =
        workers.iter().enumerate().filter_map(|(number, worker)| Some((worker.lag?.second_p99_us, number)));
    // The first of equal workers, so that a run names the same one again.
    let largest = lags.max_by_key(|(lag_us, number)| (*lag_us, std::cmp::Reverse(*number)));
    largest.map_or((None, None), |(lag_us, number)| (Some(lag_us as f64), Some(number)))
}

/// Returns the share of the starts that a ramp asked for in this second and that were made. A run that is not ramping
/// has admitted all its clients. Those that have left since did so because of the stream or their sessions, which is
/// nothing that this machine did.
fn load_held(state: RunState, starts: StartCounts) -> Option<f64> {
    let asked = starts.made.saturating_add(starts.missed);
    (state == RunState::Ramping).then(|| share(starts.made, asked)).flatten()
}

/// Returns the share of the requests so far that were cut.
fn requests_cut(sample: &RunSample) -> Option<f64> {
    let totals = &sample.snapshot.totals;
    share(totals.ended(Fault::Cut.into()), totals.finished())
}

/// Returns the median time to the first byte over the last ten seconds: of segments, or else of playlists.
fn first_byte_us(sample: &RunSample) -> Option<u64> {
    let of = |kind| sample.latency(Timed::FirstByte(kind)).recent.map(|latency| latency.p50);
    of(Kind::Segment).or_else(|| of(Kind::Playlist))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::generator::{Lag, host_reads, host_with};
    use crate::stats::ClientHandle;
    use crate::verdict::TrustVerdict;
    use crate::vocabulary::Outcome;

    struct Run {
        sources: Sources,
        client: ClientHandle,
        sample: RunSample,
        meter: TrustMeter,
    }

    impl Run {
        fn new() -> Self {
            let sources = Sources::new(1);
            let client = sources.registry.add();
            let sample =
                RunSample { state: RunState::Running, target: 1, admitted: 1, ..RunSample::default() };
            Self { sources, client, sample, meter: TrustMeter::default() }
        }

        fn second(&mut self, workers: &[Worker]) -> TrustVerdict {
            self.sample.at += Duration::from_secs(1);
            self.sources.registry.snapshot(0, &mut self.sample.snapshot);
            self.meter.measure(&self.sources, &self.sample, workers);
            self.meter.trust().verdict
        }

        fn fail(&self, outcome: Outcome) {
            self.client.meter(0, self.sources.clock).start(Kind::Segment).finish(outcome, None);
        }
    }

    fn late(lag_us: u64) -> Worker {
        let lag = Lag { second_p99_us: lag_us, p99_us: lag_us, max_us: lag_us, run_max_us: lag_us };
        Worker { lag: Some(lag), ..Worker::default() }
    }

    #[test]
    fn a_failure_of_the_origin_is_no_evidence_and_a_missing_file_is() {
        let mut run = Run::new();
        run.fail(Outcome::from_status(503, false));
        run.fail(Fault::TimeoutFirstByte.into());
        assert_eq!(run.second(&[]), TrustVerdict::Valid);
        run.fail(Fault::LocalFiles.into());
        assert_eq!(run.second(&[]), TrustVerdict::Invalid);
        let [reason] = run.meter.trust().reasons.as_slice() else { panic!("{:?}", run.meter.trust()) };
        assert_eq!((reason.gauge, reason.worst), (Gauge::FilesRefused, 1.0));
    }

    #[test]
    fn the_worker_with_the_largest_lag_is_named() {
        let mut run = Run::new();
        for _ in 0..4 {
            run.second(&[late(2_000), late(180_000), late(3_000)]);
        }
        let [reason] = run.meter.trust().reasons.as_slice() else { panic!("{:?}", run.meter.trust()) };
        assert_eq!((reason.gauge, reason.worker, reason.worst), (Gauge::LoopLag, Some(1), 180_000.0));
    }

    #[test]
    fn starts_that_the_plan_lost_are_load_that_was_not_held() {
        let mut run = Run::new();
        run.sample.state = RunState::Ramping;
        let mut starts = StartCounts::default();
        for _ in 0..12 {
            starts.made += 9;
            starts.missed += 1;
            run.sources.status.set_starts(starts);
            run.second(&[]);
        }
        let reasons: Vec<_> =
            run.meter.trust().reasons.iter().map(|reason| (reason.gauge, reason.level)).collect();
        assert_eq!(reasons, [(Gauge::LoadHeld, TrustVerdict::Invalid)]);
    }

    #[test]
    fn what_happens_while_the_run_ends_is_not_measured_but_a_missing_port_counts() {
        let mut run = Run::new();
        assert_eq!(run.second(&[]), TrustVerdict::Valid);
        run.sample.state = RunState::Finished;
        run.sources.status.end_load(run.sample.at);
        run.sample.target = 100;
        for _ in 0..20 {
            assert_eq!(run.second(&[late(9_000_000)]), TrustVerdict::Valid);
        }
        assert_eq!(run.meter.trust().measured, Duration::from_secs(1));
        run.fail(Fault::LocalPorts.into());
        assert_eq!(run.second(&[]), TrustVerdict::Invalid);
    }

    #[test]
    fn requests_that_were_cut_are_a_share_of_all_that_ended_and_never_convict() {
        let mut run = Run::new();
        run.second(&[]);
        let shown = |run: &Run| run.meter.trust().values[Gauge::RequestsCut];
        assert_eq!(shown(&run), None, "no request has ended");
        for _ in 0..3 {
            run.fail(Fault::TimeoutFirstByte.into());
        }
        run.fail(Fault::Cut.into());
        assert_eq!((run.second(&[]), shown(&run)), (TrustVerdict::Valid, Some(0.25)));
    }

    #[test]
    fn clients_that_leave_are_no_load_that_was_not_held() {
        let mut run = Run::new();
        run.sample.target = 100;
        (0..12).for_each(|_| _ = run.second(&[]));
        assert_eq!(run.meter.trust().values[Gauge::LoadHeld], None);
        assert_eq!(run.meter.trust().verdict, TrustVerdict::Valid);
    }

    #[test]
    fn a_reading_of_the_host_is_judged_once_and_shown_until_the_next() {
        let mut run = Run::new();
        run.sources.host = Arc::new(host_with(Duration::from_secs(1), &[(Fact::LocalPorts, 1.0)]));
        host_reads(&run.sources.host, Gauge::CpuThrottled, 0.5);
        let shown = |run: &Run| run.meter.trust().values[Gauge::CpuThrottled];
        let now: Vec<_> = (1..=5).map(|_| (run.second(&[]), shown(&run)).1).collect();
        assert_eq!(now, [Some(0.5), Some(0.5), Some(0.5), Some(0.5), None]);
        let [reason] = run.meter.trust().reasons.as_slice() else { panic!("{:?}", run.meter.trust()) };
        assert_eq!((reason.gauge, reason.lasted), (Gauge::CpuThrottled, Duration::from_secs(1)));
    }

    #[test]
    fn a_run_that_its_address_space_ended_is_invalid() {
        let mut run = Run::new();
        assert_eq!(run.second(&[]), TrustVerdict::Valid);
        run.sources.status.end_load(run.sample.at);
        run.sources.status.count_address_space_stop();
        run.sample.state = RunState::Finished;
        assert_eq!(run.second(&[]), TrustVerdict::Invalid);
        let reasons: Vec<_> = run.meter.trust().reasons.iter().map(|reason| reason.gauge).collect();
        assert_eq!(reasons, [Gauge::AddressSpaceStops]);
    }
}
