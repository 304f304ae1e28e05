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

    /// Returns the time since which counts are shown; `None` for the whole run.
    pub(in crate::tui) fn since(&self) -> Option<Duration> {
        self.mark.as_ref().filter(|_| self.since_mark).map(|(at, _)| *at)
    }

    /// Returns the number of the mark since which counts are shown.
    pub(in crate::tui) fn mark_number(&self, sample: &RunSample) -> Option<usize> {
        let since = self.since()?;
        Some(sample.journal.marks().filter(|mark| mark.at <= since).count())
    }

    /// Returns the totals of a sample in this scope.
    pub(in crate::tui) fn totals<'a>(&self, sample: &'a RunSample) -> Cow<'a, Totals> {
        match &self.mark {
            // A frozen sample may be older than the mark.
            Some((at, before)) if self.since_mark && *at <= sample.at => {
                Cow::Owned(sample.snapshot.totals.since(before))
            }
            _ => Cow::Borrowed(&sample.snapshot.totals),
        }
    }
}
