//! Scope of the shown counts: the whole run, or the time since the last mark. Counters are never reset; the counts
//! since a mark are a difference.

use std::borrow::Cow;
use std::time::Duration;

use crate::sample::RunSample;
use crate::stats::Totals;

/// Scope of the shown counts.
#[derive(Debug, Default)]
pub(in crate::tui) struct Scope {
    /// Time of the last mark, and the totals at that time.
    mark: Option<(Duration, Box<Totals>)>,
    since_mark: bool,
}

impl Scope {
    /// Remembers the totals of `sample` as those of the last mark.
    pub(super) fn remember(&mut self, sample: &RunSample) {
        self.mark = Some((sample.at, Box::new(sample.snapshot.totals.clone())));
    }

    /// Switches to the other scope. Returns false if no mark has been made.
    pub(super) fn turn(&mut self) -> bool {
        self.since_mark = !self.since_mark && self.mark.is_some();
        self.mark.is_some()
    }

    /// Returns the time since which counts of a sample are shown; `None` for the whole run.
    pub(in crate::tui) fn since(&self, sample: &RunSample) -> Option<Duration> {
        self.mark_before(sample).map(|(at, _)| *at)
    }

    /// Returns the mark since which counts of a sample are shown. A frozen sample may be older than the mark.
    fn mark_before(&self, sample: &RunSample) -> Option<&(Duration, Box<Totals>)> {
        self.mark.as_ref().filter(|(at, _)| self.since_mark && *at <= sample.at)
    }

    /// Returns the number of the mark since which counts are shown.
    pub(in crate::tui) fn mark_number(&self, sample: &RunSample) -> Option<usize> {
        let since = self.since(sample)?;
        Some(sample.journal.marks().filter(|mark| mark.at <= since).count())
    }

    /// Returns the totals of a sample in this scope.
    pub(in crate::tui) fn totals<'a>(&self, sample: &'a RunSample) -> Cow<'a, Totals> {
        match self.mark_before(sample) {
            Some((_, before)) => Cow::Owned(sample.snapshot.totals.since(before)),
            None => Cow::Borrowed(&sample.snapshot.totals),
        }
    }
}
