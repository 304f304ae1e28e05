//! The numbers of one scrape: a whole sample and the facts of its run.

use std::time::Duration;

use crate::sample::{Distributions, RunSample};
use crate::stats::{ClientRow, LatencySummary, Metric};
use crate::vocabulary::{Clock, RunIdentity, Timed};

/// Maximum number of clients that have series of their own: three for each, so that a scrape stays below 200 KB and a
/// server is not filled with series that live for minutes.
pub(super) const CLIENTS: usize = 1_000;

/// Facts of a run that its samples do not have.
#[derive(Clone, Debug)]
pub struct RunFacts {
    /// Identity of the run.
    pub identity: RunIdentity,
    /// Choice of the variant.
    pub variant: String,
    /// Time after which the run ends by itself; `None`: never.
    pub duration: Option<Duration>,
    /// True if clients have series of their own.
    pub per_client: bool,
    /// Clock of the run.
    pub clock: Clock,
}

/// Everything that the catalogue reads.
pub(super) struct Scrape<'a> {
    pub(super) facts: &'a RunFacts,
    pub(super) sample: &'a RunSample,
    pub(super) distributions: &'a Distributions,
    /// Clients that have series of their own, and the number of those that are left out; `None` unless asked for.
    pub(super) clients: Option<(Vec<&'a ClientRow>, u64)>,
}

impl<'a> Scrape<'a> {
    /// Returns the scrape of a sample; `None` if that is not a whole one.
    pub(super) fn new(facts: &'a RunFacts, sample: &'a RunSample) -> Option<Self> {
        let distributions = sample.distributions.as_deref()?;
        let clients = facts.per_client.then(|| chosen(&sample.snapshot.clients));
        Some(Self { facts, sample, distributions, clients })
    }

    /// Returns one counter of the run.
    pub(super) fn total(&self, metric: Metric) -> u64 {
        self.sample.snapshot.totals.get(metric)
    }

    /// Returns a counter of microseconds in seconds.
    pub(super) fn seconds(&self, metric: Metric) -> f64 {
        Duration::from_micros(self.total(metric)).as_secs_f64()
    }

    /// Returns a number of the summary of segment times over the whole run, in seconds.
    pub(super) fn segment_time(&self, of: fn(&LatencySummary) -> u64) -> Option<f64> {
        let timed = Timed::Total(crate::vocabulary::Kind::Segment);
        let summary = self.distributions.latency(timed)?.summary()?;
        Some(Duration::from_micros(of(&summary)).as_secs_f64())
    }

    /// Returns a number of the summary of the times that clients stayed, in seconds.
    pub(super) fn stayed(&self, of: fn(&LatencySummary) -> u64) -> Option<f64> {
        Some(Duration::from_millis(of(&self.distributions.stayed().summary()?)).as_secs_f64())
    }
}

/// Returns the clients with the lowest numbers, which are the last that are removed, and the number of the others.
fn chosen(rows: &[ClientRow]) -> (Vec<&ClientRow>, u64) {
    let mut chosen: Vec<_> = rows.iter().collect();
    if chosen.len() > CLIENTS {
        chosen.select_nth_unstable_by_key(CLIENTS, |row| row.id);
    }
    let left_out = chosen.len().saturating_sub(CLIENTS) as u64;
    chosen.truncate(CLIENTS);
    chosen.sort_unstable_by_key(|row| row.id);
    (chosen, left_out)
}
