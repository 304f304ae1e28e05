//! Fingerprint of the names that reports count under.

use super::metric::Metric;
use crate::vocabulary::Timed;
use crate::vocabulary::fingerprint;
use crate::vocabulary::outcome::Fault;

/// Returns the fingerprint of the names of all counters, durations and outcomes. Reports with the same one count the
/// same things, so they can be added.
pub fn catalogue() -> String {
    let durations: Vec<_> = Timed::all().map(Timed::name).collect();
    let mut names: Vec<&str> = durations.iter().map(String::as_str).collect();
    names.extend(Metric::ALL.map(Metric::name));
    names.extend(Fault::ALL.map(Fault::name));
    fingerprint(names)
}
