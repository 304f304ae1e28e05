//! Carries out the search for the capacity of an origin: makes the load that the search decides, and judges its levels.
//!
//! It commands the controller as an operator would. A level is judged by the thresholds alone, over its own interval: what
//! an earlier level broke says nothing about this one.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use flume::Sender;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::load::{ClientLimit, Decision, Judgement, Level, Search, SearchEnd, SearchPlan};
use crate::origin_metrics::OriginValues;
use crate::run_state::{Note, NoteKind};
use crate::sample::{OriginMeans, RunSample, Sources, StretchMeter, glance_words};
use crate::verdict::{Threshold, Trust, TrustVerdict};
use crate::vocabulary::{Command, StopCause, units};

/// Time without a sample after which the search looks whether the run has ended.
const SILENCE: Duration = Duration::from_secs(2);

/// A level with what was measured.
#[derive(Clone, Debug)]
pub struct MeasuredLevel {
    /// The level.
    pub level: Level,
    /// Value of each threshold; `None`: nothing was measured.
    pub values: Vec<Option<f64>>,
    /// Means of what exporters told about the origin meanwhile.
    pub origin: OriginValues,
}

/// Result of a search.
#[derive(Clone, Debug)]
pub struct Searched {
    /// Thresholds that every level was judged by.
    pub thresholds: Vec<Threshold>,
    /// Largest level that held each time; `None`: none did.
    pub held: Option<u32>,
    /// Smallest level that broke; `None`: none did.
    pub broken: Option<u32>,
    /// Reason why the search ended; `None`: the run ended first.
    pub end: Option<SearchEnd>,
    /// Levels in their order.
    pub levels: Vec<MeasuredLevel>,
    /// Maximum number of clients of the run, and its reason.
    pub limit: ClientLimit,
}

/// A search under way.
#[derive(Debug)]
pub struct CapacitySearch {
    search: Search,
    meter: StretchMeter,
    origin: OriginMeans,
    /// True if a trust verdict of INVALID does not end the search.
    allow_untrusted: bool,
    levels: Vec<MeasuredLevel>,
    end: Option<SearchEnd>,
    limit: ClientLimit,
    /// Time since which the search asks for its present load.
    since: Duration,
}

impl CapacitySearch {
    /// Creates a search in a run with these sources.
    pub fn new(
        plan: SearchPlan,
        thresholds: Vec<Threshold>,
        sources: Sources,
        allow_untrusted: bool,
    ) -> Self {
        Self {
            search: Search::new(plan),
            meter: StretchMeter::new(sources, thresholds),
            origin: OriginMeans::default(),
            allow_untrusted,
            levels: Vec::new(),
            end: None,
            limit: ClientLimit::default(),
            since: Duration::ZERO,
        }
    }

    /// Searches until the search or the run ends.
    pub async fn run(
        mut self,
        mut samples: watch::Receiver<Arc<RunSample>>,
        commands: Sender<Command>,
    ) -> Searched {
        let mut wanted = None;
        while self.end.is_none() {
            // The sender lives until the run has ended; a sampler that has died is silent.
            match timeout(SILENCE, samples.changed()).await {
                Ok(Ok(())) => {}
                Err(_) if !self.meter.is_ending() => continue,
                Ok(Err(_)) | Err(_) => break,
            }
            let sample = Arc::clone(&samples.borrow_and_update());
            if sample.state.is_ending() {
                break;
            }
            self.origin.observe(&sample);
            if !self.meter.observe(&sample) {
                continue;
            }
            let command = match self.look(&sample) {
                Decision::Load(clients) if wanted == Some(clients) => continue,
                Decision::Load(clients) => {
                    (wanted, self.since) = (Some(clients), sample.at);
                    Command::Search(clients)
                }
                Decision::End(end) => {
                    self.end = Some(end);
                    Command::Stop(StopCause::Searched)
                }
            };
            // The controller is gone if the run has ended.
            _ = commands.send_async(command).await;
        }
        Searched {
            held: self.search.held(),
            broken: self.search.broken(),
            end: self.end,
            thresholds: self.meter.thresholds().to_vec(),
            levels: self.levels,
            limit: self.limit,
        }
    }

    fn look(&mut self, sample: &RunSample) -> Decision {
        let active = u32::try_from(sample.active_clients()).unwrap_or(u32::MAX);
        let (meter, allow_untrusted) = (&self.meter, self.allow_untrusted);
        let judge = |interval: Range<Duration>| {
            if !allow_untrusted && limits(&sample.trust, &interval) {
                return Judgement::Untrusted;
            }
            match judgement(meter.thresholds(), &meter.values(&interval)) {
                // Its gauges need some seconds to convict it; until then the origin is not blamed.
                Judgement::Broken if !allow_untrusted && is_in_doubt(&sample.trust) => Judgement::Unknown,
                judgement => judgement,
            }
        };
        // A generator that cannot make the load of a level is its limit, whatever it measures once the load stands.
        let made = self.since..sample.at;
        if !allow_untrusted && limits(&sample.trust, &made) {
            self.search.distrust(made);
        }
        self.limit = sample.limit;
        self.search.limit_to(self.limit.clients, sample.at);
        let decision = self.search.look(sample.at, active, judge);
        while let Some(level) = self.search.levels().get(self.levels.len()) {
            let values = self.meter.values(&level.measured);
            let origin = self.origin.within(&level.measured);
            let measured = MeasuredLevel { level: level.clone(), values, origin };
            let text = measured.sentence(self.meter.thresholds());
            let kind = NoteKind::Level { clients: level.clients, held: level.judgement.held() };
            sample.journal.note(Note { at: level.measured.end, kind, text });
            self.levels.push(measured);
        }
        decision
    }
}

/// Reports whether a gauge of the generator was beyond a limit in the last second.
fn is_in_doubt(trust: &Trust) -> bool {
    matches!(trust.now, TrustVerdict::Suspect | TrustVerdict::Invalid)
}

/// Reports whether the generator limited the result within an interval.
fn limits(trust: &Trust, interval: &Range<Duration>) -> bool {
    let invalid = trust.reasons.iter().filter(|reason| reason.level == TrustVerdict::Invalid);
    invalid.into_iter().any(|reason| reason.last > interval.start && reason.first < interval.end)
}

fn judgement(thresholds: &[Threshold], values: &[Option<f64>]) -> Judgement {
    let holds =
        |(threshold, value): (&Threshold, &Option<f64>)| value.map(|value| threshold.limit.holds(value));
    let results: Vec<_> = thresholds.iter().zip(values).map(holds).collect();
    match () {
        () if results.contains(&Some(false)) => Judgement::Broken,
        () if results.contains(&None) => Judgement::Unknown,
        () => Judgement::Held,
    }
}

impl MeasuredLevel {
    /// Returns the level as a sentence: `80 clients broke segment_p95<500ms: 1,204 ms; the origin: CPU 83.0%`.
    pub fn sentence(&self, thresholds: &[Threshold]) -> String {
        let origin = glance_words(&self.origin);
        let origin = if origin.is_empty() { origin } else { format!("; the origin: {origin}") };
        format!("{}{origin}", self.judged(thresholds))
    }

    fn judged(&self, thresholds: &[Threshold]) -> String {
        let clients = units::plural(self.level.clients.into(), "client");
        let shown = |(threshold, value): (&Threshold, &Option<f64>)| {
            let value = value.map_or(units::UNKNOWN.to_owned(), |value| threshold.shown(value));
            format!("{threshold}: {value}")
        };
        let rows = thresholds.iter().zip(&self.values);
        let with = |rows: Vec<(&Threshold, &Option<f64>)>| {
            rows.into_iter().map(shown).collect::<Vec<_>>().join(", ")
        };
        match self.level.judgement {
            Judgement::Held => format!("{clients} held ({})", with(rows.collect())),
            Judgement::Broken => {
                format!("{clients} broke {}", with(rows.filter(|row| is_broken(*row)).collect()))
            }
            Judgement::Unknown => {
                format!(
                    "{clients}: nothing measured for {}",
                    with(rows.filter(|(_, value)| value.is_none()).collect())
                )
            }
            Judgement::Untrusted => format!("{clients}: this machine limited the result"),
        }
    }

    /// Returns the first threshold that the level broke.
    pub fn first_broken<'a>(&self, thresholds: &'a [Threshold]) -> Option<&'a Threshold> {
        thresholds.iter().zip(&self.values).find(|row| is_broken(*row)).map(|(threshold, _)| threshold)
    }
}

fn is_broken((threshold, value): (&Threshold, &Option<f64>)) -> bool {
    value.is_some_and(|value| !threshold.limit.holds(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::origin_metrics::OriginQuantity;

    fn level(judgement: Judgement, values: [Option<f64>; 2]) -> MeasuredLevel {
        let level = Level { clients: 80, measured: Duration::ZERO..Duration::from_secs(8), judgement };
        MeasuredLevel { level, values: values.to_vec(), origin: OriginValues::default() }
    }

    #[test]
    fn a_level_is_judged_by_every_threshold_and_says_what_it_measured() {
        let thresholds =
            ["error_rate<1%", "segment_p95<500ms"].map(|text| Threshold::parse(text).expect("one"));
        let [calm, slow] = [Some(2_000.0), Some(1_200_000.0)];
        for (values, expected, sentence) in [
            (
                [Some(0.0), calm],
                Judgement::Held,
                "80 clients held (error_rate<1%: 0%, segment_p95<500ms: 2.00 ms)",
            ),
            ([Some(0.0), slow], Judgement::Broken, "80 clients broke segment_p95<500ms: 1,200 ms"),
            ([None, slow], Judgement::Broken, "80 clients broke segment_p95<500ms: 1,200 ms"),
            ([None, calm], Judgement::Unknown, "80 clients: nothing measured for error_rate<1%: --"),
        ] {
            assert_eq!(judgement(&thresholds, &values), expected, "{values:?}");
            assert_eq!(level(expected, values).sentence(&thresholds), sentence);
        }
        let broken = level(Judgement::Broken, [Some(0.0), slow]);
        assert_eq!(broken.first_broken(&thresholds), thresholds.last());
        assert_eq!(level(Judgement::Held, [Some(0.0), calm]).first_broken(&thresholds), None);
        let cpu = OriginValues::from_fn(|quantity| (quantity == OriginQuantity::Cpu).then_some(0.832));
        let beside = MeasuredLevel { origin: cpu, ..broken };
        let sentence = "80 clients broke segment_p95<500ms: 1,200 ms; the origin: CPU 83.2%";
        assert_eq!(beside.sentence(&thresholds), sentence);
    }
}
