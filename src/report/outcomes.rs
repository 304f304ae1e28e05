//! Counts by outcome as the report holds them: typed in the program, names only once they are JSON.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use crate::run_state::{ChangeKind, ChangeSource};
use crate::vocabulary::outcome::Fault;
use crate::vocabulary::{Finding, Outcome, Severity};

/// Amounts by outcome, in the order of the outcomes' names; outcomes that did not occur are absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutcomeCounts(Vec<(Outcome, u64)>);

impl FromIterator<(Outcome, u64)> for OutcomeCounts {
    fn from_iter<I: IntoIterator<Item = (Outcome, u64)>>(counts: I) -> Self {
        let mut counts: Vec<_> = counts.into_iter().collect();
        counts.sort_by_cached_key(|(outcome, _)| outcome.to_string());
        Self(counts)
    }
}

impl OutcomeCounts {
    /// Returns the amount of one outcome.
    pub fn get(&self, outcome: Outcome) -> u64 {
        self.0.iter().find(|(known, _)| *known == outcome).map_or(0, |(_, count)| *count)
    }

    /// Returns all outcomes that occurred, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (Outcome, u64)> + '_ {
        self.0.iter().copied()
    }

    /// Returns the failures, the most frequent first. A request that hlswarm cut is no failure.
    pub fn failures(&self) -> Vec<(Outcome, u64)> {
        let mut failures: Vec<_> = self.iter().filter(|(outcome, _)| outcome.is_failure()).collect();
        // The sort is stable: outcomes with the same count stay in the order of their names.
        failures.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        failures
    }
}

impl Serialize for OutcomeCounts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(outcome, count)| (outcome.to_string(), count)))
    }
}

/// Cause of the first failure of each fault, in the order of the faults' names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FailureDetails(BTreeMap<&'static str, Arc<str>>);

impl FromIterator<(Fault, Arc<str>)> for FailureDetails {
    fn from_iter<I: IntoIterator<Item = (Fault, Arc<str>)>>(details: I) -> Self {
        Self(details.into_iter().map(|(fault, detail)| (fault.name(), detail)).collect())
    }
}

impl FailureDetails {
    /// Returns the cause of the first failure that ended this way, if more is known than the outcome's name.
    pub fn get(&self, outcome: Outcome) -> Option<&str> {
        let Outcome::Failed(fault) = outcome else { return None };
        self.0.get(fault.name()).map(|detail| &**detail)
    }
}

impl Serialize for FailureDetails {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(fault, detail)| (fault, &**detail)))
    }
}

/// Serialises an outcome as its name.
pub(super) fn outcome<S: Serializer>(outcome: &Outcome, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(outcome)
}

/// Serialises a finding as its name.
pub(super) fn finding<S: Serializer>(finding: &Finding, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(finding.name())
}

/// Serialises a severity as its name.
pub(super) fn severity<S: Serializer>(severity: &Severity, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(severity.name())
}

/// Serialises the kind of a change of the load as its word.
pub(super) fn change<S: Serializer>(kind: &ChangeKind, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(kind.name())
}

/// Serialises the source of a change of the load as its word.
pub(super) fn source<S: Serializer>(source: &ChangeSource, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(source.name())
}
