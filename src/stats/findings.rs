//! Problems that clients found in the stream. Each worker thread counts them; any thread may read them.
//!
//! * The worker's thread is the one writer, and no thread waits for another. A finding that comes with every request
//!   costs two stores: only the first one of a worker makes its line of detail.
//! * A reader that sees a count also sees the time of the first occurrence and the line of detail.

use std::sync::Arc;
use std::time::Duration;

use super::detail::Detail;
use crate::sync::atomics::OnceLock;
use crate::sync::image::Walk;
use crate::sync::single_writer_cell::SingleWriterCell;
use crate::vocabulary::{Finding, Untrusted, limits};

/// A finding as readers see it, summed over all workers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FindingRow {
    /// The problem.
    pub finding: Finding,
    /// Number of times that clients met it.
    pub count: u64,
    /// Time of the first occurrence, since the start of the run.
    pub first: Duration,
    /// Time of the last occurrence, since the start of the run.
    pub last: Duration,
    /// Detail of the first occurrence, safe to print, one line.
    pub detail: Arc<str>,
}

impl FindingRow {
    /// Adds the counts of the same finding by another worker or machine. The earliest occurrence keeps its detail.
    pub fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.last = self.last.max(other.last);
        if (other.first, &other.detail) < (self.first, &self.detail) {
            (self.first, self.detail) = (other.first, Arc::clone(&other.detail));
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

/// Findings of one worker.
#[derive(Debug)]
pub(super) struct Findings(Box<[Tally]>);

impl Default for Findings {
    fn default() -> Self {
        Self((0..Finding::COUNT).map(|_| Tally::default()).collect())
    }
}

impl Findings {
    /// Counts a finding at a moment of the run. Calls `detail` only the first time, and makes the text safe to print.
    pub(super) fn note<D: Into<Detail>>(&self, finding: Finding, at_us: u64, detail: impl FnOnce() -> D) {
        let Some(tally) = self.0.get(finding.index()) else { return };
        if tally.count.get() == 0 {
            tally.first_us.set(at_us);
            tally.detail.get_or_init(|| detail().into().shown_in(limits::SHOWN_COLUMNS));
        }
        tally.last_us.set(at_us);
        // Release: a reader that sees the count sees everything stored before it.
        tally.count.add_release(1);
    }

    /// Visits all findings.
    pub(super) fn walk(&self, walk: &mut Walk<'_>) {
        for Tally { count, first_us, last_us, detail } in &self.0 {
            [count, first_us, last_us].into_iter().for_each(|cell| walk.cell(cell));
            if let Some(text) = walk.text(detail.get().map(|detail| &**detail)) {
                detail.get_or_init(|| Untrusted::new(text).shown().into());
            }
        }
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

/// Reads the findings so far into `rows`, in the order of the closed list. The memory of `rows` is reused.
pub(super) fn read<'a>(workers: impl Iterator<Item = &'a Findings> + Clone, rows: &mut Vec<FindingRow>) {
    rows.clear();
    for finding in Finding::ALL {
        let found = workers.clone().filter_map(|worker| worker.row(finding));
        rows.extend(found.reduce(|mut all, other| {
            all.merge(&other);
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
        workers[1].note(Finding::PlaylistStale, 7, || -> String { panic!("only the first makes a detail") });
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
