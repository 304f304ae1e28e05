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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run_state::LoadChange;

    #[test]
    fn the_nearest_stop_is_that_of_the_largest_share_and_the_one_that_was_reached_has_its_time() {
        let spent = |stop, used| Some(Spent { stop, limit: 100, used });
        let spendings = [spent(HardStop::Bytes, 30), spent(HardStop::Requests, 80), None];
        let sample = RunSample { spendings, ..RunSample::default() };
        assert_eq!(sample.nearest_hard_stop(), spent(HardStop::Requests, 80));
        assert_eq!(sample.spent(HardStop::Bandwidth), None);
        assert_eq!((sample.hard_stop(), RunSample::default().nearest_hard_stop()), (None, None));
        let (at, kind, by) = (Duration::from_secs(9), ChangeKind::Stop, ChangeSource::Limit(HardStop::Bytes));
        sample.journal.change(LoadChange { at, kind, from: 5, to: 5, by });
        assert_eq!(sample.hard_stop(), Some((HardStop::Bytes, at)));
    }
}
