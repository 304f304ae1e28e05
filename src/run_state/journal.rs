//! What was done to a run, and how it took it: every change of its load, every mark of its operator, every change of
//! the health verdict.
//!
//! * Entries are only added. Readers hold the journal itself and need no copy: what was written stays as it was.
//! * Bounded: beyond [`CHANGES`], [`MARKS`] and [`VERDICTS`] entries are counted and not kept.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::verdict::Verdict;
use crate::vocabulary::Mark;

/// Changes of the load that are kept: hammered keys are taken together about twenty times a second.
const CHANGES: usize = 10_000;
/// Marks that are kept, and changes of the verdict: one takes seconds.
const MARKS: usize = 1_000;
const VERDICTS: usize = 10_000;

/// What a change of the load was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// Another target.
    Target,
    /// The ramp was held.
    Hold,
    /// The ramp went on.
    Resume,
}

impl ChangeKind {
    /// The word in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Target => "target",
            Self::Hold => "hold",
            Self::Resume => "resume",
        }
    }
}

/// Who changed the load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeSource {
    /// The options of the run.
    Plan,
    /// The operator's keys.
    Operator,
}

impl ChangeSource {
    /// The word in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Operator => "operator",
        }
    }
}

/// A change of the load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoadChange {
    /// Time of the run.
    pub at: Duration,
    /// What it was.
    pub kind: ChangeKind,
    /// The target before it.
    pub from: u32,
    /// The target after it; the same for a hold.
    pub to: u32,
    /// Who did it.
    pub by: ChangeSource,
}

/// A change of the health verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerdictChange {
    /// Time of the run since which it holds.
    pub at: Duration,
    /// What holds.
    pub verdict: Verdict,
    /// Why, as a sentence with numbers.
    pub reason: String,
    /// Clients that were active.
    pub clients: u64,
}

/// All that was done to a run, oldest first.
#[derive(Debug, Default)]
pub struct Journal {
    changes: boxcar::Vec<LoadChange>,
    marks: boxcar::Vec<Mark>,
    verdicts: boxcar::Vec<VerdictChange>,
    not_kept: AtomicU64,
}

impl Journal {
    /// Writes down a change of the load.
    pub fn change(&self, change: LoadChange) {
        self.keep(&self.changes, change, CHANGES);
    }

    /// Writes down a mark.
    pub fn mark(&self, mark: Mark) {
        self.keep(&self.marks, mark, MARKS);
    }

    /// Writes down a change of the verdict.
    pub fn verdict(&self, change: VerdictChange) {
        self.keep(&self.verdicts, change, VERDICTS);
    }

    fn keep<T>(&self, entries: &boxcar::Vec<T>, entry: T, most: usize) {
        if entries.count() < most {
            entries.push(entry);
        } else {
            self.not_kept.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The changes of the load, oldest first.
    pub fn changes(&self) -> impl Iterator<Item = &LoadChange> {
        self.changes.iter().map(|(_, change)| change)
    }

    /// The marks, oldest first.
    pub fn marks(&self) -> impl Iterator<Item = &Mark> {
        self.marks.iter().map(|(_, mark)| mark)
    }

    /// The changes of the verdict, oldest first.
    pub fn verdicts(&self) -> impl Iterator<Item = &VerdictChange> {
        self.verdicts.iter().map(|(_, change)| change)
    }

    /// Entries that found no room.
    pub fn not_kept(&self) -> u64 {
        self.not_kept.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_finds_no_room_is_counted() {
        let journal = Journal::default();
        for at in 0..=MARKS as u64 {
            journal.mark(Mark { at: Duration::from_secs(at), note: String::new() });
        }
        assert_eq!((journal.marks().count(), journal.not_kept()), (MARKS, 1));
        assert_eq!(journal.marks().next().map(|mark| mark.at), Some(Duration::ZERO));
    }
}
