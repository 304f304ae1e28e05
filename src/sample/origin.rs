//! State of the origin as its exporters tell it, at a moment of the run.

use std::sync::Arc;
use std::time::Duration;

use super::bins::{Addable, Bins};
use crate::origin_metrics::{ExporterState, OriginQuantity, OriginValues};

/// Quantities that show at a glance whether the origin has reached a limit.
pub const GLANCE: [OriginQuantity; 4] =
    [OriginQuantity::Cpu, OriginQuantity::BitsOut, OriginQuantity::Connections, OriginQuantity::Requests];

/// Maximum number of bins over a run.
const BINS: usize = 600;

/// State of the origin.
#[derive(Clone, Debug, Default)]
pub struct OriginSample {
    /// Exporters in the order in which they were given; empty: none was.
    pub exporters: Vec<ExporterSample>,
    /// Time of each knee, and the busiest CPU then.
    pub cpu_at_knees: [Option<(Duration, f64)>; 2],
}

/// State of one exporter.
#[derive(Clone, Debug)]
pub struct ExporterSample {
    /// Host and port, safe to print.
    pub name: Arc<str>,
    /// URL, safe to print.
    pub url: Arc<str>,
    /// Last values, and whether it fails.
    pub state: ExporterState,
    /// Smallest values so far.
    pub least: OriginValues,
    /// Largest values so far.
    pub most: OriginValues,
    /// Time of the first knee, and the values then.
    pub at_knee: Option<(Duration, OriginValues)>,
}

impl OriginSample {
    /// Returns the values of all exporters together: the busiest machine, and the sum of what they serve.
    pub fn together(&self) -> OriginValues {
        let of = |quantity: OriginQuantity| {
            let values = self.exporters.iter().filter_map(|exporter| exporter.state.values.get(quantity));
            values.reduce(match quantity {
                OriginQuantity::Cpu | OriginQuantity::Load => f64::max,
                OriginQuantity::Memory => f64::min,
                _ => |one, other| one + other,
            })
        };
        OriginValues::from_fn(of)
    }

    /// Returns the busiest CPU at the knee of this time; `None` if it is unknown.
    pub fn cpu_at(&self, knee: Duration) -> Option<f64> {
        self.cpu_at_knees.iter().flatten().find(|(at, _)| *at == knee).map(|(_, cpu)| *cpu)
    }

    /// Returns the exporters that fail, in the order in which they were given.
    pub fn failing(&self) -> impl Iterator<Item = &ExporterSample> {
        self.exporters.iter().filter(|exporter| exporter.state.failing.is_some())
    }
}

/// Returns the values that are known at a glance, such as `CPU 83.0%, out 940 Mb/s`; empty if none is.
pub fn glance_words(values: &OriginValues) -> String {
    let known = GLANCE.into_iter().filter(|quantity| values.get(*quantity).is_some());
    let words =
        known.map(|quantity| format!("{} {}", quantity.words(), quantity.shown(values.get(quantity))));
    words.collect::<Vec<_>>().join(", ")
}

/// Values of a second or of a bin, in the order of [`GLANCE`].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct OriginPoint {
    sums: [f64; GLANCE.len()],
    counts: [u32; GLANCE.len()],
}

/// Values of an exporter over the run.
pub type OriginSeries = Bins<OriginPoint>;

impl OriginPoint {
    /// Creates the point of a second.
    pub(super) fn new(values: &OriginValues) -> Self {
        let known = GLANCE.map(|quantity| values.get(quantity));
        Self {
            sums: known.map(Option::unwrap_or_default),
            counts: known.map(|value| u32::from(value.is_some())),
        }
    }

    /// Returns the mean of a quantity of [`GLANCE`]; `None` if it was never known.
    pub fn mean(&self, place: usize) -> Option<f64> {
        let count = self.counts.get(place).copied().filter(|count| *count > 0)?;
        Some(self.sums.get(place)? / f64::from(count))
    }
}

impl Addable for OriginPoint {
    const BINS: usize = BINS;

    fn add(&mut self, other: &Self) {
        self.sums.iter_mut().zip(other.sums).for_each(|(mine, theirs)| *mine += theirs);
        self.counts.iter_mut().zip(other.counts).for_each(|(mine, theirs)| *mine += theirs);
    }
}
