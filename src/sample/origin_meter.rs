//! Watches the exporters of the origin: extremes, values at the knee, values over time, and notes on those that fail.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use super::origin::{ExporterSample, GLANCE, OriginPoint, OriginSample, OriginSeries};
use super::{RunSample, Sources};
use crate::origin_metrics::{ExporterGauges, ExporterState, OriginQuantity, OriginValues};
use crate::run_state::{Note, NoteKind};
use crate::vocabulary::units;

/// Seconds of which the values are kept for a knee, which is known two seconds after it began.
const RECENT: usize = 8;
/// Samples that are kept for the level of a search: of a minute, four a second, and some before it.
const LEVEL_SAMPLES: usize = 300;

/// Watches all exporters of a run.
#[derive(Debug, Default)]
pub(super) struct OriginMeter {
    tracks: Vec<Track>,
    /// Begin of the run in milliseconds of Unix time.
    started_unix_ms: u64,
    origin: Arc<OriginSample>,
}

/// One exporter so far.
#[derive(Debug, Default)]
struct Track {
    least: OriginValues,
    most: OriginValues,
    recent: VecDeque<(Duration, OriginValues)>,
    /// Time of each knee, and the values then.
    at_knees: [Option<(Duration, OriginValues)>; 2],
    series: OriginSeries,
    /// Begin of the failure that is noted.
    noted: Option<Duration>,
}

impl OriginMeter {
    /// Creates the meter of a run with these sources.
    pub(super) fn new(sources: &Sources) -> Self {
        Self {
            tracks: sources.exporters.iter().map(|_| Track::default()).collect(),
            started_unix_ms: sources.clock.started_at().as_millisecond().max(0).cast_unsigned(),
            origin: Arc::default(),
        }
    }

    /// Returns the state after the last second.
    pub(super) fn origin(&self) -> &Arc<OriginSample> {
        &self.origin
    }

    /// Returns the values over the run, by exporter.
    pub(super) fn series(&self) -> Vec<OriginSeries> {
        self.tracks.iter().map(|track| track.series.clone()).collect()
    }

    /// Reads all exporters, once a second; the sample must be judged, and have its journal.
    pub(super) fn observe(&mut self, exporters: &[ExporterGauges], sample: &RunSample) {
        if self.tracks.is_empty() {
            return;
        }
        // A sample at the end of a second belongs to that second.
        let at_ms = sample.at.saturating_sub(Duration::from_secs(1)).as_millis() as u64;
        let unix_s = self.started_unix_ms.saturating_add(at_ms) / 1_000;
        let tracks = self.tracks.iter_mut().zip(exporters);
        let read = tracks.map(|(track, gauges)| {
            let state = gauges.read(sample.at);
            track.observe(&state, unix_s, sample);
            note_failure(&mut track.noted, &gauges.name, &state, sample);
            track.sample(gauges, state)
        });
        let exporters = read.collect();
        self.origin =
            Arc::new(OriginSample { exporters, cpu_at_knees: [0, 1].map(|knee| self.cpu_at(knee)) });
    }

    /// Returns the time of a knee and the busiest CPU then.
    fn cpu_at(&self, knee: usize) -> Option<(Duration, f64)> {
        let known = self.tracks.iter().filter_map(|track| {
            let (at, values) = track.at_knees.get(knee).copied().flatten()?;
            Some((at, values.get(OriginQuantity::Cpu)?))
        });
        known.max_by(|one, other| one.1.total_cmp(&other.1))
    }
}

impl Track {
    fn observe(&mut self, state: &ExporterState, unix_s: u64, sample: &RunSample) {
        let values = &state.values;
        self.least = self.least.both(values, f64::min);
        self.most = self.most.both(values, f64::max);
        self.series.add_at(unix_s, &OriginPoint::new(values));
        self.recent.truncate(RECENT - 1);
        self.recent.push_front((sample.at, *values));
        for (known, knee) in self.at_knees.iter_mut().zip([sample.knees.errors, sample.knees.stalls]) {
            let Some(knee) = knee.filter(|_| known.is_none()) else { continue };
            // The newest values that were known when the trouble began.
            let then = self.recent.iter().find(|(at, _)| *at <= knee.at).or(self.recent.back());
            *known = then.map(|(_, values)| (knee.at, *values));
        }
    }

    fn sample(&self, gauges: &ExporterGauges, state: ExporterState) -> ExporterSample {
        ExporterSample {
            name: Arc::clone(&gauges.name),
            url: Arc::clone(&gauges.url),
            state,
            least: self.least,
            most: self.most,
            at_knee: self.at_knees.iter().flatten().min_by_key(|(at, _)| *at).copied(),
        }
    }
}

/// Notes that an exporter begins to fail, and that it brings values again. A run that ends notes nothing.
fn note_failure(noted: &mut Option<Duration>, name: &str, state: &ExporterState, sample: &RunSample) {
    let failing = state.failing.filter(|_| !sample.state.is_ending());
    let note = |at, text| sample.journal.note(Note { at, kind: NoteKind::OriginMetrics, text });
    match (failing, *noted) {
        (Some((since, problem)), None) => {
            *noted = Some(since);
            note(since, format!("origin metrics of {name} fail: {}", problem.words()));
        }
        (None, Some(since)) if !sample.state.is_ending() => {
            *noted = None;
            let length = units::span(sample.at.saturating_sub(since));
            note(sample.at, format!("origin metrics of {name} are back after {length}"));
        }
        _ => {}
    }
}

/// Keeps the newest values of all exporters together, for means over the level of a search.
#[derive(Clone, Debug, Default)]
pub struct OriginMeans(VecDeque<(Duration, OriginValues)>);

impl OriginMeans {
    /// Takes a sample; does nothing in a run without exporters.
    pub fn observe(&mut self, sample: &RunSample) {
        if !sample.origin.exporters.is_empty() {
            self.0.truncate(LEVEL_SAMPLES - 1);
            self.0.push_front((sample.at, sample.origin.together()));
        }
    }

    /// Returns the means over an interval, of the quantities of [`GLANCE`].
    pub fn within(&self, interval: &Range<Duration>) -> OriginValues {
        let mut sum = OriginPoint::default();
        let within = self.0.iter().filter(|(at, _)| *at > interval.start && *at <= interval.end);
        within.for_each(|(_, values)| super::bins::Addable::add(&mut sum, &OriginPoint::new(values)));
        OriginValues::from_fn(|quantity| {
            GLANCE.iter().position(|known| *known == quantity).and_then(|place| sum.mean(place))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::origin_metrics::ScrapeProblem;
    use crate::sample::{Sampler, glance_words};
    use crate::verdict::{Knee, Knees};
    use crate::vocabulary::outcome::Fault;
    use crate::vocabulary::{RunState, SecretUrl};

    fn gauges(port: u16) -> ExporterGauges {
        ExporterGauges::new(&SecretUrl::parse(&format!("http://h:{port}/metrics")).expect("a URL"))
    }

    fn sources() -> Sources {
        Sources { exporters: [gauges(9100), gauges(9113)].into(), ..Sources::new(1) }
    }

    fn values(cpu: f64, connections: f64) -> OriginValues {
        OriginValues::from_fn(|quantity| match quantity {
            OriginQuantity::Cpu => Some(cpu),
            OriginQuantity::Connections => Some(connections),
            _ => None,
        })
    }

    /// Takes a sample each second; `scrape` writes the gauges before.
    fn play(
        sources: &Sources,
        seconds: u64,
        scrape: impl Fn(u64, &[ExporterGauges]),
        knees: Knees,
    ) -> RunSample {
        let mut meter = OriginMeter::new(sources);
        let mut sample = RunSample { state: RunState::Running, ..RunSample::default() };
        for second in 1..=seconds {
            scrape(second, &sources.exporters);
            sample.at = Duration::from_secs(second);
            // A knee is known two seconds after it began.
            let known =
                |knee: Option<Knee>| knee.filter(|knee| knee.at + Duration::from_secs(2) <= sample.at);
            sample.knees = Knees { errors: known(knees.errors), stalls: known(knees.stalls) };
            meter.observe(&sources.exporters, &sample);
        }
        sample.origin = Arc::clone(meter.origin());
        sample
    }

    fn ok(gauges: &ExporterGauges, second: u64, values: OriginValues) {
        gauges.succeeded(Duration::from_secs(second), &values);
    }

    #[test]
    fn extremes_and_the_values_at_the_knee_are_kept() {
        let knee = |at| Some(Knee { clients: 5, bits_per_second: None, at: Duration::from_secs_f64(at) });
        let knees = Knees { errors: knee(7.5), stalls: knee(4.0) };
        let scrape = |second: u64, all: &[ExporterGauges]| {
            ok(&all[0], second, values(second as f64 / 10.0, 7.0));
            ok(&all[1], second, values(0.25, second as f64));
        };
        let origin = play(&sources(), 10, scrape, knees).origin;
        let [node, nginx] = &origin.exporters[..] else { panic!("{origin:?}") };
        let cpu = |values: &OriginValues| values.get(OriginQuantity::Cpu);
        assert_eq!(
            (cpu(&node.least), cpu(&node.most), cpu(&node.state.values)),
            (Some(0.1), Some(1.0), Some(1.0))
        );
        let first = node.at_knee.expect("a knee");
        assert_eq!((first.0, cpu(&first.1)), (Duration::from_secs(4), Some(0.4)));
        assert_eq!(nginx.at_knee.and_then(|(_, values)| values.get(OriginQuantity::Connections)), Some(4.0));
        assert_eq!(origin.cpu_at(Duration::from_secs(4)), Some(0.4), "the busier one");
        assert_eq!(origin.cpu_at(Duration::from_secs_f64(7.5)), Some(0.7));
        assert_eq!(origin.cpu_at(Duration::ZERO), None);
        let together = origin.together();
        assert_eq!((cpu(&together), together.get(OriginQuantity::Connections)), (Some(1.0), Some(17.0)));
        assert_eq!(glance_words(&together), "CPU 100.0%, conns 17");
    }

    #[test]
    fn a_failure_is_noted_when_it_begins_and_when_it_ends() {
        let refused = ScrapeProblem::Fault(Fault::ConnRefused);
        let scrape = |second: u64, all: &[ExporterGauges]| match second {
            4..9 => all[1].failed(Duration::from_secs(second), refused),
            _ => ok(&all[1], second, values(0.5, 1.0)),
        };
        let sample = play(&sources(), 12, scrape, Knees::default());
        let notes: Vec<_> =
            sample.journal.notes().map(|note| (note.at.as_secs(), note.text.as_str())).collect();
        let expected = [
            (4, "origin metrics of h:9113 fail: connection refused"),
            (9, "origin metrics of h:9113 are back after 5.0 s"),
        ];
        assert_eq!(notes, expected);
        assert_eq!(sample.origin.failing().count(), 0);
    }

    #[test]
    fn the_sampler_shows_the_exporters_and_their_values_over_time() {
        let sources = sources();
        let exporters = Arc::clone(&sources.exporters);
        let mut sampler = Sampler::new(sources);
        for second in 0..6 {
            sampler.set_moment(Duration::from_secs(second));
            ok(&exporters[0], second, values(0.5, second as f64));
            (0..4).for_each(|_| drop(sampler.next_sample()));
        }
        let sample = sampler.next_whole_sample();
        let all = sample.distributions.as_ref().map(|all| all.origin_series.clone()).unwrap_or_default();
        let column =
            |place: usize| -> Vec<Option<f64>> { all[0].bins().iter().map(|bin| bin.mean(place)).collect() };
        assert_eq!((all.len(), sample.origin.exporters.len()), (2, 2));
        assert!(column(0).iter().all(|cpu| *cpu == Some(0.5)), "{:?}", column(0));
        assert!(column(2).last().copied().flatten() >= Some(4.0), "{:?}", column(2));
        assert!(all[1].bins().iter().all(|bin| bin.mean(0).is_none()), "never scraped");
    }

    #[test]
    fn a_level_of_a_search_has_the_means_of_its_interval() {
        let mut means = OriginMeans::default();
        for second in 1..=20_u64 {
            let mut sample = RunSample { at: Duration::from_secs(second), ..RunSample::default() };
            means.observe(&sample);
            let gauges = gauges(9100);
            ok(&gauges, second, values(second as f64 / 20.0, 3.0));
            let exporter = Track::default().sample(&gauges, gauges.read(sample.at));
            sample.origin = Arc::new(OriginSample { exporters: vec![exporter], ..OriginSample::default() });
            means.observe(&sample);
        }
        let mean = means.within(&(Duration::from_secs(9)..Duration::from_secs(11)));
        assert_eq!(mean.get(OriginQuantity::Cpu).map(|cpu| (cpu * 1e3).round()), Some(525.0));
        assert_eq!(
            (mean.get(OriginQuantity::Connections), mean.get(OriginQuantity::Requests)),
            (Some(3.0), None)
        );
        assert_eq!(
            means.within(&(Duration::from_secs(30)..Duration::from_secs(40))),
            OriginValues::default()
        );
    }
}
