//! What clients found wrong with the stream: counted by each worker thread, read by anybody.
//!
//! * The worker's thread is the one writer; nobody waits for anybody. A finding that comes with every request costs
//!   three stores: only the first one of a worker makes its line of detail.
//! * A reader that sees a count sees when it began and the line of detail.

use std::sync::Arc;
use std::time::Duration;

use crate::sync::atomics::OnceLock;
use crate::sync::single_writer_cell::SingleWriterCell;
use crate::vocabulary::{Finding, Untrusted, secret_shape};

/// A finding as readers see it, all workers together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FindingRow {
    /// What is wrong.
    pub finding: Finding,
    /// How often clients met it.
    pub count: u64,
    /// When the first did, since the start of the run.
    pub first: Duration,
    /// When the last did.
    pub last: Duration,
    /// What the first of them met, safe to print, one line.
    pub detail: Arc<str>,
}

impl FindingRow {
    /// Adds what another worker counted of the same finding.
    fn add(&mut self, other: Self) {
        self.count += other.count;
        self.last = self.last.max(other.last);
        if other.first < self.first {
            (self.first, self.detail) = (other.first, other.detail);
        }
    }
}

/// One finding of one worker.
#[derive(Debug, Default)]
struct Tally {
    count: SingleWriterCell,
    first_us: SingleWriterCell,
    last_us: SingleWriterCell,
    detail: OnceLock<Arc<str>>,
}

/// The findings of one worker.
#[derive(Debug)]
pub(super) struct Findings(Box<[Tally]>);

impl Default for Findings {
    fn default() -> Self {
        Self((0..Finding::COUNT).map(|_| Tally::default()).collect())
    }
}

impl Findings {
    /// Counts a finding at a moment of the run; `detail` is asked for the first time only, and made safe to print.
    pub(super) fn note(&self, finding: Finding, at_us: u64, detail: impl FnOnce() -> String) {
        let Some(tally) = self.0.get(finding.index()) else { return };
        if tally.count.get() == 0 {
            tally.first_us.set(at_us);
            tally.detail.get_or_init(|| Untrusted::new(&secret_shape::shown_text(&detail())).shown().into());
        }
        tally.last_us.set(at_us);
        // Release: whoever sees the count sees what stands before.
        tally.count.add_release(1);
    }

    fn row(&self, finding: Finding) -> Option<FindingRow> {
        let tally = self.0.get(finding.index())?;
        let count = tally.count.get_acquire();
        let detail = tally.detail.get().filter(|_| count > 0)?;
        Some(FindingRow {
            finding,
            count,
            first: Duration::from_micros(tally.first_us.get()),
            last: Duration::from_micros(tally.last_us.get()),
            detail: Arc::clone(detail),
        })
    }
}

/// What was found so far, in the order of the closed list, into `rows`, whose memory is used again.
pub(super) fn read<'a>(workers: impl Iterator<Item = &'a Findings> + Clone, rows: &mut Vec<FindingRow>) {
    rows.clear();
    for finding in Finding::ALL {
        let found = workers.clone().filter_map(|worker| worker.row(finding));
        rows.extend(found.reduce(|mut all, other| {
            all.add(other);
            all
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(workers: &[Findings]) -> Vec<FindingRow> {
        let mut rows = Vec::new();
        read(workers.iter(), &mut rows);
        rows
    }

    #[test]
    fn workers_are_added_up_and_the_earliest_tells_the_detail() {
        let workers = [Findings::default(), Findings::default()];
        assert_eq!(rows(&workers), []);
        workers[0].note(Finding::PlaylistStale, 9, || "later".to_owned());
        workers[1].note(Finding::PlaylistStale, 5, || "\x1b[2Jfirst".to_owned());
        workers[1].note(Finding::PlaylistStale, 7, || panic!("only the first makes a detail"));
        workers[0].note(Finding::NotGzipped, 1, || "a".to_owned());
        let expected = FindingRow {
            finding: Finding::PlaylistStale,
            count: 3,
            first: Duration::from_micros(5),
            last: Duration::from_micros(9),
            detail: "^[[2Jfirst".into(),
        };
        let found = rows(&workers);
        assert_eq!((found.len(), &found[0], found[1].finding), (2, &expected, Finding::NotGzipped));
    }

    #[test]
    fn a_finding_of_the_first_moment_counts_too() {
        let workers = [Findings::default()];
        workers[0].note(Finding::BadUri, 0, String::new);
        assert_eq!((rows(&workers)[0].count, rows(&workers)[0].first), (1, Duration::ZERO));
    }
}
