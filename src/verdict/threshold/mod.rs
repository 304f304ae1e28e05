//! Thresholds: criteria that the operator gives, such as `segment_ttfb_p95<500ms over 30s after ramp`.
//!
//! * A [`Threshold`] is a value: it names a quantity, its limit and the parts of a run that count. `sample` derives the
//!   value of the quantity over an interval, and [`Threshold::limit`] judges it.
//! * Without a window the value is that of the run so far, and the one at the end decides. With a window every full
//!   window is judged, and one that crosses the limit decides.
//! * Nothing measured is no pass: such a threshold is inconclusive. So is every threshold of a run whose own measurement
//!   is INVALID, unless the operator accepts that (`--allow-untrusted`).

mod catalogue;
mod measure;
mod parse;
#[cfg(test)]
mod tests;
mod watch;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::Limit;
use crate::vocabulary::ExpectedStatuses;

pub use catalogue::{Distribution, Extent, Quantity, RunNumber, Statistic};
#[cfg(test)]
pub use measure::Measure;
pub use watch::{JudgedThreshold, ThresholdWatch, threshold_checks};

/// Begin of the part of a run that a threshold judges.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum After {
    /// The start of the run.
    #[default]
    Start,
    /// The end of the ramp: the first second in which all clients are there.
    Ramp,
    /// This time of the run.
    Time(Duration),
}

/// A criterion that the operator gave.
#[derive(Clone, Debug, PartialEq)]
pub struct Threshold {
    /// Quantity that is judged.
    pub quantity: Quantity,
    /// Limit for its value, in the unit of its measure.
    pub limit: Limit,
    /// Length of the windows; `None`: one interval up to now.
    pub over: Option<Duration>,
    /// Begin of the part of the run that counts.
    pub after: After,
    /// The expression.
    text: Arc<str>,
}

impl Threshold {
    /// Reports whether it judges the run as a whole, so that its value is a number of the report.
    pub fn is_of_whole_run(&self) -> bool {
        self.over.is_none() && self.after == After::Start
    }

    /// Reports whether it can judge any interval of a run by itself.
    pub fn judges_any_interval(&self) -> bool {
        self.is_of_whole_run() && self.quantity.extent() != Extent::Whole && !self.quantity.is_of_joins()
    }

    /// Formats a value of its quantity.
    pub fn shown(&self, value: f64) -> String {
        self.quantity.shown(value)
    }

    /// Converts a value of its quantity to the base unit of Prometheus: times to seconds.
    pub fn in_base_unit(&self, value: f64) -> f64 {
        self.quantity.measure().in_base_unit(value)
    }

    /// Returns the expression.
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// Thresholds of a run, whether a crossed one ends it, and what is no failure.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Criteria {
    /// The thresholds.
    pub thresholds: Vec<Threshold>,
    /// End of the warm-up, which the thresholds leave out and the report shows numbers without.
    pub warmup: After,
    /// Time for which a threshold must stay crossed to end the run; `None`: none does.
    pub abort_grace: Option<Duration>,
    /// True if the operator accepts a trust verdict of INVALID.
    pub allow_untrusted: bool,
    /// Statuses that are no failures.
    pub expected: ExpectedStatuses,
}

impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
