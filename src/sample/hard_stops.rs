//! Hard stops of a run as its readers see them.

use std::time::Duration;

use super::{RunSample, Sources};
use crate::run_state::{ChangeKind, ChangeSource};
use crate::stats::Spent;
use crate::vocabulary::HardStop;

/// Reads the amounts used so far.
pub(super) fn read(sources: &Sources) -> [Option<Spent>; HardStop::ALL.len()] {
    HardStop::ALL.map(|stop| sources.spending.as_ref()?.spent(stop))
}

impl RunSample {
    /// Returns the amount used of a hard stop; `None` if it has no limit.
    pub fn spent(&self, stop: HardStop) -> Option<Spent> {
        self.spendings.iter().flatten().find(|spent| spent.stop == stop).copied()
    }

    /// Returns the hard stop of which the largest share is used; `None` if the run has none.
    pub fn nearest_hard_stop(&self) -> Option<Spent> {
        let spent = self.spendings.iter().flatten();
        spent.max_by(|one, other| one.share().total_cmp(&other.share())).copied()
    }

    /// Returns the hard stop that ended the run, and the time at which it did.
    pub fn hard_stop(&self) -> Option<(HardStop, Duration)> {
        let mut stops = self.journal.changes().filter(|change| change.kind == ChangeKind::Stop);
        stops.find_map(|change| match change.by {
            ChangeSource::Limit(stop) => Some((stop, change.at)),
            _ => None,
        })
    }
}
