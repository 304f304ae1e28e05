//! Shape of a load: the number of clients to have, over time.

use std::time::Duration;

/// Target of a run over time. A controller follows it until the operator sets a target. Equal times give equal
/// answers, so a run can be planned, priced and repeated.
pub trait LoadProfile {
    /// Returns the number of clients to have `elapsed` after the start of the run.
    fn target(&self, elapsed: Duration) -> u32;

    /// Returns the time of the first change of the target after `elapsed`; `None` if it stays as it is.
    fn next_change(&self, elapsed: Duration) -> Option<Duration>;

    /// Returns the number of clients to which the present stage leads; without stages that is the target.
    fn goal(&self, elapsed: Duration) -> u32 {
        self.target(elapsed)
    }
}
