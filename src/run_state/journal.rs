//! Journal of a run: every change of its load, every mark of its operator, every change of the health verdict, and
//! notes on what else happened.
//!
//! * Entries are only added. Readers hold the journal itself and need no copy, because entries never change.
//! * Bounded: beyond [`CHANGES`], [`MARKS`], [`VERDICTS`] and [`NOTES`] entries are counted and not kept.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::verdict::Verdict;
use crate::vocabulary::{HardStop, Mark};

/// Maximum number of changes of the load that are kept: rapid key presses are merged about twenty times a second.
const CHANGES: usize = 10_000;
/// Maximum number of marks that are kept: each takes seconds.
const MARKS: usize = 1_000;
/// Maximum number of changes of the verdict that are kept: each takes seconds.
const VERDICTS: usize = 10_000;
/// Maximum number of notes that are kept: each takes seconds.
const NOTES: usize = 10_000;

/// Kind of a change of the load.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangeKind {
    /// The target was changed.
    Target,
    /// The ramp was held.
    Hold,
    /// The ramp was resumed.
    Resume,
    /// The run was ended.
    Stop,
}

impl ChangeKind {
    /// Returns the kind with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Target, Self::Hold, Self::Resume, Self::Stop].into_iter().find(|kind| kind.name() == name)
    }

    /// Returns the word in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Target => "target",
            Self::Hold => "hold",
            Self::Resume => "resume",
            Self::Stop => "stop",
        }
    }
}

/// Source of a change of the load.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangeSource {
    /// The options of the run.
    Plan,
    /// The price of the plan, with `--clamp`.
    Preflight,
    /// The operator's keys.
    Operator,
    /// The control socket, and so `hlswarm ctl`.
    Control,
    /// The brake, during a storm of 429 and 503.
    Brake,
    /// The search for the capacity of the origin.
    Search,
    /// A hard stop that was reached.
    Limit(HardStop),
    /// A threshold that stayed crossed, with `--abort-on-fail`.
    Threshold,
}

impl ChangeSource {
    /// Returns the source with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        let limits = HardStop::ALL.into_iter().map(Self::Limit);
        let sources = [
            Self::Plan,
            Self::Preflight,
            Self::Operator,
            Self::Control,
            Self::Brake,
            Self::Search,
            Self::Threshold,
        ]
        .into_iter()
        .chain(limits);
        sources.into_iter().find(|source| source.name() == name)
    }

    /// Returns the word in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Preflight => "preflight",
            Self::Operator => "operator",
            Self::Control => "ctl",
            Self::Brake => "brake",
            Self::Search => "search",
            Self::Limit(stop) => stop.name(),
            Self::Threshold => "threshold",
        }
    }
}

/// A change of the load.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LoadChange {
    /// Time of the run.
    pub at: Duration,
    /// Kind of the change.
    pub kind: ChangeKind,
    /// Target before the change.
    pub from: u32,
    /// Target after the change; the same for a hold, a resume or a stop.
    pub to: u32,
    /// Source of the change.
    pub by: ChangeSource,
}

/// A change of the health verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerdictChange {
    /// Time of the run since which the verdict holds.
    pub at: Duration,
    /// The new verdict.
    pub verdict: Verdict,
    /// Reason, as a sentence with numbers.
    pub reason: String,
    /// Clients that were active.
    pub clients: u64,
}

/// Kind of a note.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoteKind {
    /// Clients began to stall.
    StallsBegan,
    /// No client is stalled any more.
    StallsEnded,
    /// The throughput reached its peak.
    Peak,
    /// A threshold was crossed, or ends the run.
    Threshold,
    /// A level of the search for a capacity was measured.
    Level {
        /// Clients of the level.
        clients: u32,
        /// True if it held every threshold; `None`: that is not known.
        held: Option<bool>,
    },
    /// A stage of the plan began.
    Stage,
    /// Something that the plan asks for cannot be had: room for arrivals, data for each client.
    Limited,
    /// An exporter of the origin began to fail, or brings values again.
    OriginMetrics,
    /// The metrics did not reach their collector.
    Export,
    /// The built-in origin of the demo began or ended a fault.
    Demo,
}

impl NoteKind {
    /// Returns the name of a kind that no sampler notes: only a record can tell a replay of it.
    pub const fn recorded(self) -> Option<&'static str> {
        match self {
            Self::Stage => Some("stage"),
            Self::Limited => Some("limited"),
            Self::Level { .. } => Some("level"),
            Self::Export => Some("export"),
            Self::Demo => Some("demo"),
            Self::StallsBegan | Self::StallsEnded | Self::Peak | Self::Threshold | Self::OriginMetrics => {
                None
            }
        }
    }

    /// Returns the kind with this name; a level needs its `clients`, and whether it `held`.
    pub fn from_recorded(name: &str, clients: u32, held: Option<bool>) -> Option<Self> {
        let kinds = [Self::Stage, Self::Limited, Self::Level { clients, held }, Self::Export, Self::Demo];
        kinds.into_iter().find(|kind| kind.recorded() == Some(name))
    }
}

/// Something that happened and is no change of the load or of the verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Time of the run at which it began.
    pub at: Duration,
    /// Kind of the note.
    pub kind: NoteKind,
    /// A sentence with its numbers.
    pub text: String,
}

/// Changes, marks, verdicts and notes of a run, in the order in which they were recorded.
#[derive(Debug, Default)]
pub struct Journal {
    changes: boxcar::Vec<LoadChange>,
    marks: boxcar::Vec<Mark>,
    verdicts: boxcar::Vec<VerdictChange>,
    notes: boxcar::Vec<Note>,
    not_kept: AtomicU64,
}

impl Journal {
    /// Records a change of the load.
    pub fn change(&self, change: LoadChange) {
        self.keep(&self.changes, change, CHANGES);
    }

    /// Records a mark.
    pub fn mark(&self, mark: Mark) {
        self.keep(&self.marks, mark, MARKS);
    }

    /// Records a change of the verdict.
    pub fn verdict(&self, change: VerdictChange) {
        self.keep(&self.verdicts, change, VERDICTS);
    }

    /// Records a note.
    pub fn note(&self, note: Note) {
        self.keep(&self.notes, note, NOTES);
    }

    fn keep<T>(&self, entries: &boxcar::Vec<T>, entry: T, most: usize) {
        if entries.count() < most {
            entries.push(entry);
        } else {
            self.not_kept.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Returns the changes of the load, oldest first.
    pub fn changes(&self) -> impl Iterator<Item = &LoadChange> {
        self.changes.iter().map(|(_, change)| change)
    }

    /// Returns the source of the last hold of the ramp.
    pub fn last_hold(&self) -> Option<ChangeSource> {
        self.changes().filter(|change| change.kind == ChangeKind::Hold).last().map(|change| change.by)
    }

    /// Returns the marks, oldest first.
    pub fn marks(&self) -> impl Iterator<Item = &Mark> {
        self.marks.iter().map(|(_, mark)| mark)
    }

    /// Returns the changes of the verdict, oldest first.
    pub fn verdicts(&self) -> impl Iterator<Item = &VerdictChange> {
        self.verdicts.iter().map(|(_, change)| change)
    }

    /// Returns the notes, in the order in which they were recorded: one on something that began can come later than
    /// one on what happened since.
    pub fn notes(&self) -> impl Iterator<Item = &Note> {
        self.notes.iter().map(|(_, note)| note)
    }

    /// Returns the largest level of a search that held below all that broke, and the smallest that broke.
    pub fn levels(&self) -> (Option<u32>, Option<u32>) {
        let all = || {
            self.notes().filter_map(|note| match note.kind {
                NoteKind::Level { clients, held } => Some((clients, held?)),
                _ => None,
            })
        };
        let broken = all().filter(|(_, held)| !held).map(|(clients, _)| clients).min();
        let below = |clients: &u32| broken.is_none_or(|broken| *clients < broken);
        (all().filter(|(_, held)| *held).map(|(clients, _)| clients).filter(below).max(), broken)
    }

    /// Returns the number of entries that were not kept for lack of room.
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
