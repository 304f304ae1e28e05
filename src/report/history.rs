//! The `history` block of the report: failures, need, verdict and durations over time, in columns.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::sample::{CODES, HeatOf, HistoryBins, Point};
use crate::stats::{HEAT_BUCKETS, Heat};
use crate::verdict::Verdict;

/// Counts in bins of Unix time, wider than those of `series` after ten minutes. To merge reports of several machines,
/// combine bins to the wider width, then those that begin at the same second: add all numbers, take the worst verdict.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct HistoryReport {
    /// Width of a bin in seconds: 1, 2, 4, ...; there are at most 600 bins.
    pub bin_s: u64,
    /// Start of the first bin in seconds of Unix time: a multiple of `bin_s`.
    pub begins_unix_s: u64,
    /// Bits that viewers needed: the bit rates that the variants announce, of all clients that play, wait or are
    /// stalled, times the time. Clients whose variant announces none add nothing.
    pub need_bits: Vec<u64>,
    /// Requests that failed, by outcome; requests that hlswarm cut are not failures. The 15 outcomes that occurred
    /// first have a column; `other` counts the rest. Columns without a failure are absent.
    pub outcomes: BTreeMap<String, Vec<u32>>,
    /// Worst verdict in each bin: `OK`, `DEGRADED`, `FAILING`, `NOTHING PLAYS`, or `--` when nothing was measured. From
    /// best to worst: `--`, `OK`, `DEGRADED`, `FAILING`, `NOTHING PLAYS`.
    #[cfg_attr(test, schemars(with = "Vec<String>"))]
    pub verdict: Vec<Verdict>,
    /// Smallest duration of each bucket of `heat`, in microseconds; a bucket ends where the next one begins.
    pub heat_begins_us: Vec<u64>,
    /// Durations that ended, for each bin the filled buckets as [number of the bucket, count]: `segment` (ok or
    /// failed), `segment_ttfb`, `playlist`, `startup`, `live_latency`. Durations without a value are absent.
    pub heat: BTreeMap<&'static str, Vec<Vec<(u8, u32)>>>,
}

/// Builds the block of a run.
pub(super) fn history(history: &HistoryBins) -> HistoryReport {
    let points = || history.bins().iter();
    let of_code = |place: usize| -> Vec<u32> {
        points().map(|point| point.codes.get(place).copied().unwrap_or_default()).collect()
    };
    let mut outcomes: BTreeMap<_, _> =
        history.codes().iter().enumerate().map(|(place, code)| (code.to_string(), of_code(place))).collect();
    outcomes.insert("other".to_owned(), of_code(CODES));
    outcomes.retain(|_, column| column.iter().any(|count| *count > 0));
    let of_heat = |of: HeatOf| -> Vec<Vec<(u8, u32)>> {
        points().map(|point| point.heat.get(of.index()).map(Heat::filled).unwrap_or_default()).collect()
    };
    let mut heat: BTreeMap<_, _> = HeatOf::ALL.into_iter().map(|of| (of.name(), of_heat(of))).collect();
    heat.retain(|_, column| column.iter().any(|bin| !bin.is_empty()));
    HistoryReport {
        bin_s: history.width_s(),
        begins_unix_s: history.begins_s(),
        need_bits: points().map(|point: &Point| point.need_bits).collect(),
        outcomes,
        verdict: points().map(|point| point.verdict).collect(),
        heat_begins_us: (0..HEAT_BUCKETS).map(Heat::begin_us).collect(),
        heat,
    }
}
