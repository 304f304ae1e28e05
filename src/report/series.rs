//! How the run went: the `series` block of the report, in columns.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::sample::{Bin, Timeline};
use crate::vocabulary::ClientState;
use crate::vocabulary::outcome::Class;

/// What was counted in each bin of Unix time. Every column adds: reports of several machines merge by adding bins that
/// begin at the same second, after the narrower ones were added up to the wider.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Series {
    /// Seconds that a bin covers: 1, 2, 4, ...; there are at most 3,600 bins.
    pub bin_s: u64,
    /// When the first bin begins, in seconds of Unix time: a multiple of `bin_s`.
    pub begins_unix_s: u64,
    /// Milliseconds that clients spent in each state, all clients together: divided by the width of a bin, how many there
    /// were. States that did not occur are absent.
    pub client_ms: BTreeMap<&'static str, Vec<u64>>,
    /// Requests started.
    pub started: Vec<u64>,
    /// Requests ended, by the first word of their outcome; classes that did not occur are absent.
    pub ended: BTreeMap<&'static str, Vec<u64>>,
    /// Body bytes that arrived.
    pub bytes: Vec<u64>,
}

/// The block of a run.
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
    }
}
