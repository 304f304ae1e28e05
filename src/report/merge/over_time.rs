//! Numbers of a merged report that are read from its counts over time: the load at a moment, and the largest one. Each is
//! a mean over a bin, which is a second unless the report is longer than an hour.

use std::ops::Range;
use std::time::Duration;

use crate::report::doc::Part;
use crate::sample::{Moment, Point, TIMELINE_BINS as BINS};
use crate::vocabulary::ClientState;

/// Seconds over which the throughput at a knee is a mean, as in the report of one run.
const KNEE_S: f64 = 10.0;

/// Maximum number of milliseconds of clients in a state: a document may claim anything, and the states add up.
const MS: u64 = 1 << 60;

/// The load over time.
pub(super) struct Load {
    width_s: f64,
    begins_s: f64,
    /// For each bin the milliseconds of the clients in each state.
    client_ms: Vec<[u64; ClientState::COUNT]>,
    bytes: Vec<u64>,
}

impl Load {
    /// Reads the block `series`; `None` if it has no counts.
    pub(super) fn new(series: Part<'_>) -> Option<Self> {
        let width_s = series.at("/bin_s").number().filter(|width| *width >= 1.0)?;
        let begins_s = series.at("/begins_unix_s").number()?;
        let bytes: Vec<u64> = series.at("/bytes").list().take(BINS).map(Part::count).collect();
        let mut client_ms = vec![[0; ClientState::COUNT]; bytes.len()];
        for state in ClientState::ALL {
            let column = series.at("/client_ms").member(state.name()).list().map(Part::count);
            for (of_bin, ms) in client_ms.iter_mut().zip(column) {
                of_bin.iter_mut().skip(state.index()).take(1).for_each(|into| *into = ms);
            }
        }
        (!bytes.is_empty()).then_some(Self { width_s, begins_s, client_ms, bytes })
    }

    /// Returns the bin that holds a moment.
    fn bin_at(&self, unix_s: f64) -> Option<usize> {
        let bin = (unix_s - self.begins_s) / self.width_s;
        Some(bin as usize).filter(|place| bin >= 0.0 && *place < self.bytes.len())
    }

    /// Returns what `of` makes of some bins, taken together as one.
    fn of_bins(&self, places: Range<usize>, of: fn(&Moment<'_>) -> Option<f64>) -> Option<f64> {
        let mut bin = Point::default();
        let counts = &mut bin.counts;
        for client_ms in self.client_ms.get(places.clone())? {
            let sums = counts.client_ms.iter_mut().zip(client_ms);
            sums.for_each(|(sum, ms)| *sum = sum.saturating_add(*ms).min(MS));
        }
        counts.bytes = self.bytes.get(places.clone())?.iter().copied().fold(0, u64::saturating_add);
        let seconds = places.len() as f64 * self.width_s;
        let width = Duration::try_from_secs_f64(seconds).ok()?;
        of(&Moment { ends: width, width, bin: &bin })
    }

    /// Returns the largest value that `of` makes of a bin.
    fn largest(&self, of: fn(&Moment<'_>) -> Option<f64>) -> Option<f64> {
        (0..self.bytes.len()).filter_map(|bin| self.of_bins(bin..bin + 1, of)).reduce(f64::max)
    }

    /// Returns the largest number of active clients.
    pub(super) fn peak(&self) -> Option<u64> {
        self.largest(|moment| moment.active()).map(|clients| clients.round() as u64)
    }

    /// Returns the largest share of active clients that were stalled.
    pub(super) fn stalled_share_max(&self) -> Option<f64> {
        self.largest(|moment| moment.stalled_share())
    }

    /// Returns the largest number of clients that were stalled.
    pub(super) fn stalled_clients_max(&self) -> Option<u64> {
        self.largest(|moment| moment.clients(ClientState::Stalled)).map(|clients| clients.round() as u64)
    }

    /// Returns the number of active clients at a moment.
    pub(super) fn clients_at(&self, unix_s: f64) -> Option<u64> {
        let bin = self.bin_at(unix_s)?;
        self.of_bins(bin..bin + 1, |moment| moment.active()).map(|clients| clients.round() as u64)
    }

    /// Returns the throughput of the last seconds before a moment, from `began` on. The bin that holds the moment counts
    /// as a whole; one that began before the run does not count.
    pub(super) fn bits_per_second_at(&self, unix_s: f64, began: f64) -> Option<f64> {
        let end = self.bin_at(unix_s)? + 1;
        let count = ((KNEE_S / self.width_s).ceil() as usize).max(1);
        let first = (end.saturating_sub(count)..end)
            .find(|bin| self.begins_s + *bin as f64 * self.width_s >= began)?;
        self.of_bins(first..end, |moment| moment.got_bits_per_s())
    }
}
