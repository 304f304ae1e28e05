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
    /// failed), `segment_ttfb`, `playlist` (ok or failed), `startup`, `live_latency`. Durations without a value are absent.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::compact::compact;
    use crate::sample::History;
    use crate::vocabulary::Outcome;
    use std::time::Duration;

    /// Returns the history of ten minutes in which each duration has a spread from half the usual to forty times it.
    fn busy() -> History {
        let mut history = History::new(1_795_437_067_000);
        let mut codes =
            [404, 429, 503, 504].map(|status| history.place_of(Outcome::from_status(status, false)));
        codes.reverse();
        for second in 1..=600_u64 {
            let mut point =
                Point { ends: Duration::from_secs(second), need_bits: 6_000_000_000, ..Point::default() };
            for (code, count) in codes.iter().zip(1_000..) {
                point.codes[*code] = count;
            }
            for (heat, usual_us) in point.heat.iter_mut().zip([40_000, 12_000, 5_000, 900_000, 14_000_000]) {
                for step in 0..160 {
                    heat.record(usual_us / 2 + usual_us * step * step / 700);
                }
            }
            history.push(point);
        }
        history
    }

    #[test]
    fn ten_minutes_of_seconds_have_equal_columns_and_are_small() {
        let block = history(busy().whole());
        assert_eq!((block.bin_s, block.need_bits.len(), block.verdict.len()), (1, 600, 600));
        assert!(block.outcomes.values().all(|column| column.len() == 600));
        assert!(block.heat.values().all(|column| column.len() == 600));
        let names: Vec<_> = block.outcomes.keys().map(String::as_str).collect();
        assert_eq!(names, ["http.404", "http.429", "http.503", "http.504"]);
        assert_eq!(block.outcomes["http.404"].iter().sum::<u32>(), 600 * 1_003);
        let text = compact(&serde_json::to_string_pretty(&block).expect("serialisable"));
        assert!(text.len() < 600_000, "{} bytes", text.len());
    }

    #[test]
    fn a_run_without_a_second_has_empty_columns() {
        let block = history(&HistoryBins::default());
        assert_eq!((block.need_bits.len(), block.outcomes.len(), block.heat.len()), (0, 0, 0));
        assert_eq!(block.heat_begins_us.len(), HEAT_BUCKETS);
    }
}
