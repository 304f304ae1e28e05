//! Result of a run: everything that its reports are made from and that can be added.
//!
//! * A result is a monoid: [`RunResult::merge`] is associative and commutative, and the default value changes
//!   nothing. So the results of several machines add up to the result of one run.
//! * What cannot be added is absent: percentiles and shares are computed from the counts when they are shown, and the
//!   verdict on the stream belongs to the samples of one process. The trust in several results is that in the worst.
//! * Reading a result takes some megabytes, so the sampler does it on request, not four times a second.

use std::sync::Arc;
use std::time::Duration;

use super::{HistoryBins, RunSample, SomeSeconds, Sources, Timeline};
use crate::generator::{Delays, own_delays};
use crate::pipeline::Counts;
use crate::run_state::LoadChange;
use crate::stats::{Audience, FindingRow, LatencySnapshot, Quality, Registry, SessionNumber, Timed, Totals};
use crate::verdict::Trust;
use crate::vocabulary::outcome::Fault;
use crate::vocabulary::{ClientState, Finding, Kind, Mark};

/// Counts, distributions and texts of a run, all taken at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunResult {
    /// Time since the start of the run; of several, the longest.
    pub duration: Duration,
    /// Target number of clients.
    pub target: u32,
    /// Clients started over the whole run.
    pub clients_started: u64,
    /// Listed clients, in the order of [`ClientState::ALL`].
    pub clients: [u64; ClientState::COUNT],
    /// Listed clients whose last report was of a stall.
    pub stalled_clients: u64,
    /// Largest distance between a client's time and its position.
    pub drift_max: Duration,
    /// Starts that came too late for their place in the plan.
    pub late_starts: u64,
    /// Panics that were caught in client tasks.
    pub panics: u64,
    /// Number of violated invariants.
    pub invariant_violations: u64,
    /// Number of entries of the journal that were not kept, because there were too many.
    pub entries_not_kept: u64,
    /// All counters.
    pub totals: Totals,
    /// Distribution of each duration that has a value.
    pub latencies: Vec<(Timed, LatencySnapshot)>,
    /// Durations of all requests of a kind, ok or failed: percentiles that leave out only requests that hlswarm cut.
    pub latencies_of_all: Vec<(Kind, LatencySnapshot)>,
    /// Distributions over all sessions that have ended and had played.
    pub sessions: Vec<(SessionNumber, LatencySnapshot)>,
    /// Number of durations that were too large for their histogram.
    pub clamped: u64,
    /// Audience that the run represents to the origin.
    pub audience: Audience,
    /// Cause of the first failure of each fault, where more is known than the fault's name. Of several causes, the
    /// first in the order of the alphabet stays.
    pub explanations: Vec<(Fault, Arc<str>)>,
    /// Problems that clients found in the stream, in the order of the closed list.
    pub findings: Vec<FindingRow>,
    /// Counts over time.
    pub timeline: Timeline,
    /// Failures, need, verdict and durations over time.
    pub history: HistoryBins,
    /// Marks of the operator, oldest first.
    pub marks: Vec<Mark>,
    /// Changes of the load, oldest first.
    pub load_changes: Vec<LoadChange>,
    /// Samples that clients offered to the pipeline.
    pub progress: Counts,
    /// Events that clients and the controller offered to the pipeline.
    pub events: Counts,
    /// Listed clients that lost more than 1 % of their samples and events.
    pub degraded_clients: u64,
    /// Verdict on whether the load testers themselves limited the result.
    pub trust: Trust,
    /// Main quantities of the masked seconds.
    pub masked_seconds: SomeSeconds,
    /// Lateness of all workers.
    pub own_delays: Delays,
}

impl RunResult {
    /// Reads the distributions and texts that belong to a sample that was taken just now. What goes over time is with
    /// the sampler.
    pub(super) fn read(sources: &Sources, sample: &RunSample) -> Self {
        let mut result = Self {
            audience: sources.registry.audience(),
            explanations: sources.registry.explanations(),
            own_delays: own_delays(&sources.workers),
            ..Self::from_light(sample)
        };
        result.read_distributions(&sources.registry);
        result
    }

    /// Returns the part of a result that even a light sample has: no distribution, no audience, no series.
    pub fn from_light(sample: &RunSample) -> Self {
        let snapshot = &sample.snapshot;
        // The journal goes on while the result is read: leave out entries after the moment of the sample.
        let marks = sample.journal.marks().filter(|mark| mark.at <= sample.at);
        let changes = sample.journal.changes().filter(|change| change.at <= sample.at);
        let mut result = Self {
            duration: sample.at,
            target: sample.target,
            clients_started: snapshot.created,
            clients: snapshot.states,
            stalled_clients: sample.stalled_clients(),
            drift_max: sample.drift_max(),
            late_starts: sample.late_starts,
            panics: sample.panics,
            invariant_violations: snapshot.invariant_violations,
            entries_not_kept: sample.journal.not_kept(),
            totals: snapshot.totals.clone(),
            findings: sample.findings.clone(),
            marks: marks.cloned().collect(),
            load_changes: changes.copied().collect(),
            progress: sample.pipeline.progress,
            events: sample.pipeline.events,
            degraded_clients: sample.pipeline.degraded_clients,
            trust: Trust::clone(&sample.trust),
            ..Self::default()
        };
        result.marks.sort();
        result.load_changes.sort();
        result
    }

    fn read_distributions(&mut self, registry: &Registry) {
        let mut values = LatencySnapshot::default();
        for timed in Timed::all() {
            registry.latency(timed, &mut values);
            self.clamped += values.clamped();
            self.latencies.extend(filled(timed, &values));
        }
        for kind in Kind::ALL {
            registry.latency_of_all(kind, &mut values);
            self.latencies_of_all.extend(filled(kind, &values));
        }
        for number in SessionNumber::ALL {
            registry.sessions(number, &mut values);
            self.clamped += values.clamped();
            self.sessions.extend(filled(number, &values));
        }
    }

    /// Adds the result of another part of the same load. Associative and commutative; an empty result changes
    /// nothing.
    pub fn merge(&mut self, other: &Self) {
        self.duration = self.duration.max(other.duration);
        self.target = self.target.saturating_add(other.target);
        self.drift_max = self.drift_max.max(other.drift_max);
        let sums = [
            (&mut self.clients_started, other.clients_started),
            (&mut self.stalled_clients, other.stalled_clients),
            (&mut self.late_starts, other.late_starts),
            (&mut self.panics, other.panics),
            (&mut self.invariant_violations, other.invariant_violations),
            (&mut self.entries_not_kept, other.entries_not_kept),
            (&mut self.clamped, other.clamped),
            (&mut self.degraded_clients, other.degraded_clients),
        ];
        sums.into_iter().for_each(|(sum, part)| *sum += part);
        self.clients.iter_mut().zip(other.clients).for_each(|(sum, part)| *sum += part);
        self.totals.merge(&other.totals);
        self.audience.merge(&other.audience);
        self.timeline = self.timeline.merge(&other.timeline);
        self.history = self.history.merge(&other.history);
        self.progress.merge(other.progress);
        self.events.merge(other.events);
        self.trust.merge(&other.trust);
        self.masked_seconds.merge(&other.masked_seconds);
        self.own_delays.merge(&other.own_delays);
        merge_keyed(&mut self.latencies, &other.latencies, Timed::all(), LatencySnapshot::merge);
        merge_keyed(&mut self.latencies_of_all, &other.latencies_of_all, Kind::ALL, LatencySnapshot::merge);
        merge_keyed(&mut self.sessions, &other.sessions, SessionNumber::ALL, LatencySnapshot::merge);
        merge_keyed(&mut self.explanations, &other.explanations, Fault::ALL, |mine, theirs| {
            if *theirs < *mine {
                *mine = Arc::clone(theirs);
            }
        });
        self.merge_findings(&other.findings);
        self.marks.extend_from_slice(&other.marks);
        self.marks.sort();
        self.load_changes.extend_from_slice(&other.load_changes);
        self.load_changes.sort();
    }

    fn merge_findings(&mut self, others: &[FindingRow]) {
        for other in others {
            match self.findings.iter_mut().find(|row| row.finding == other.finding) {
                Some(row) => row.merge(other),
                None => self.findings.push(other.clone()),
            }
        }
        self.findings.sort_by_key(|row| Finding::index(row.finding));
    }

    /// Returns the number of samples and events that the pipeline dropped.
    pub fn dropped(&self) -> u64 {
        self.progress.dropped + self.events.dropped
    }

    /// Returns the number of listed clients in this state.
    pub fn in_state(&self, state: ClientState) -> u64 {
        self.clients.get(state.index()).copied().unwrap_or_default()
    }

    /// Returns the quality of playback of all viewers together.
    pub fn quality(&self) -> Quality {
        Quality::of_run(&self.totals)
    }

    /// Returns the distribution of a duration; `None` if it has no value.
    pub fn latency(&self, timed: Timed) -> Option<&LatencySnapshot> {
        find(&self.latencies, timed)
    }

    /// Returns the distribution of one number over all sessions; `None` if no session that has ended had played.
    pub fn sessions(&self, number: SessionNumber) -> Option<&LatencySnapshot> {
        find(&self.sessions, number)
    }
}

/// Returns a copy of a distribution, or `None` if it has no value.
fn filled<K>(key: K, values: &LatencySnapshot) -> Option<(K, LatencySnapshot)> {
    (values.count() > 0).then(|| (key, values.clone()))
}

fn find<K: PartialEq, V>(values: &[(K, V)], key: K) -> Option<&V> {
    values.iter().find(|(of, _)| *of == key).map(|(_, value)| value)
}

/// Merges two tables whose keys stand in the order of `keys`.
fn merge_keyed<K: PartialEq + Copy, V: Clone>(
    mine: &mut Vec<(K, V)>,
    theirs: &[(K, V)],
    keys: impl IntoIterator<Item = K>,
    merge: impl Fn(&mut V, &V),
) {
    if theirs.is_empty() {
        return;
    }
    let merged = keys.into_iter().filter_map(|key| {
        let mut value = find(mine, key).cloned();
        match (&mut value, find(theirs, key)) {
            (Some(value), Some(other)) => merge(value, other),
            (None, Some(other)) => value = Some(other.clone()),
            (_, None) => {}
        }
        value.map(|value| (key, value))
    });
    *mine = merged.collect();
}
