//! The `series` block of the report: counts over time, in columns.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::sample::{Bin, Timeline};
use crate::vocabulary::ClientState;
use crate::vocabulary::outcome::Class;

/// Counts in bins of Unix time. Every column can be added: to merge reports of several machines, combine bins to the
/// wider width, then add those that begin at the same second.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Series {
    /// Width of a bin in seconds: 1, 2, 4, ...; there are at most 3,600 bins.
    pub bin_s: u64,
    /// Begin of the first bin in seconds of Unix time: a multiple of `bin_s`.
    pub begins_unix_s: u64,
    /// Milliseconds that clients spent in each state, summed over all clients: divided by the width of a bin, the
    /// mean number of clients. States that did not occur are absent.
    pub client_ms: BTreeMap<&'static str, Vec<u64>>,
    /// Requests started.
    pub started: Vec<u64>,
    /// Requests ended, by the first word of their outcome; classes that did not occur are absent.
    pub ended: BTreeMap<&'static str, Vec<u64>>,
    /// Body bytes that arrived.
    pub bytes: Vec<u64>,
    /// Readings of the counters whose counts are in the bin. 0: the counts of that time are in the next bin that has
    /// readings. The time of clients is always in the bin in which it passed.
    pub readings: Vec<u64>,
}

/// Builds the block of a run.
pub(super) fn series(timeline: &Timeline) -> Series {
    let column = |of: &dyn Fn(&Bin) -> u64| timeline.bins().iter().map(of).collect::<Vec<_>>();
    let occurs = |column: &Vec<u64>| column.iter().any(|value| *value > 0);
    let client_ms = ClientState::ALL.into_iter().map(|state| {
        (state.name(), column(&|bin| bin.client_ms.get(state.index()).copied().unwrap_or_default()))
    });
    let ended = Class::ALL.into_iter().map(|class| {
        (class.name(), column(&|bin| bin.ended.get(class.index()).copied().unwrap_or_default()))
    });
    Series {
        bin_s: timeline.width_s(),
        begins_unix_s: timeline.begins_s(),
        client_ms: client_ms.filter(|(_, column)| occurs(column)).collect(),
        started: column(&|bin| bin.started),
        ended: ended.filter(|(_, column)| occurs(column)).collect(),
        bytes: column(&|bin| bin.bytes),
        readings: column(&|bin| bin.readings),
    }
}
