//! Families of metrics and their series: the form in which every format gets the numbers of the catalogue.

use super::bounds::Step;
use crate::stats::LatencySnapshot;

/// Beginning of the names of all metrics.
pub(super) const PREFIX: &str = "hls_swarm_";

/// Type of a family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    /// Facts, as labels of the value 1.
    Info,
    /// A count that never falls.
    Counter,
    /// A number that goes up and down.
    Gauge,
    /// Cumulative counts of values by size.
    Histogram,
}

/// Labels of a series: names and values.
pub(super) type Labels<'a> = &'a [(&'a str, &'a str)];

/// Receives the numbers of the catalogue: each family, followed by its series.
pub(super) trait Series {
    /// Begins a family; `name` is without [`PREFIX`].
    fn begin(&mut self, name: &'static str, sort: Sort, help: &'static str);

    /// Takes a series whose value is a count.
    fn count(&mut self, labels: Labels<'_>, value: u64);

    /// Takes a series whose value is a number.
    fn number(&mut self, labels: Labels<'_>, value: f64);

    /// Takes a histogram, whose values are in `step`.
    fn histogram(&mut self, labels: Labels<'_>, values: &LatencySnapshot, step: Step, bounds: &[f64]);

    /// Takes a series if its value is known.
    fn known(&mut self, labels: Labels<'_>, value: Option<f64>) {
        if let Some(value) = value {
            self.number(labels, value);
        }
    }

    /// Takes a set of states: 1 for the current one, 0 for all others.
    fn state(&mut self, label: &str, states: &mut dyn Iterator<Item = &'static str>, current: &str) {
        states.for_each(|state| self.count(&[(label, state)], u64::from(state == current)));
    }
}

/// Returns the unit that a name ends with, apart from `_total`.
pub(super) fn unit(name: &str) -> Option<&'static str> {
    let name = name.strip_suffix("_total").unwrap_or(name);
    let mut units = ["seconds", "bytes", "ratio"].into_iter();
    units.find(|unit| name.strip_suffix(unit).is_some_and(|name| name.ends_with('_')))
}
