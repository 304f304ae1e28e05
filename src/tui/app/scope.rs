//! Whether counts are shown for the whole run or since the last mark. Nothing is ever set back: it is a difference.

use std::borrow::Cow;
use std::time::Duration;

use crate::sample::RunSample;
use crate::stats::Totals;

/// What counts are shown for.
#[derive(Debug, Default)]
pub(in crate::tui) struct Scope {
    /// When the last mark was made, and what had been counted by then.
    mark: Option<(Duration, Box<Totals>)>,
    since_mark: bool,
}

impl Scope {
    /// Remembers what has been counted until now.
    pub(super) fn remember(&mut self, frame: &RunSample) {
        self.mark = Some((frame.at, Box::new(frame.snapshot.totals.clone())));
    }

    /// The other scope. False: there is no mark.
    pub(super) fn turn(&mut self) -> bool {
        self.since_mark = !self.since_mark && self.mark.is_some();
        self.mark.is_some()
    }

    /// Since when is counted; `None`: the whole run.
    pub(in crate::tui) fn since(&self) -> Option<Duration> {
        self.mark.as_ref().filter(|_| self.since_mark).map(|(at, _)| *at)
    }

    /// What is shown of a frame.
    pub(in crate::tui) fn totals<'a>(&self, frame: &'a RunSample) -> Cow<'a, Totals> {
        match &self.mark {
            // A frozen frame may be older than the mark.
            Some((at, before)) if self.since_mark && *at <= frame.at => {
                Cow::Owned(frame.snapshot.totals.since(before))
            }
            _ => Cow::Borrowed(&frame.snapshot.totals),
        }
    }
}
