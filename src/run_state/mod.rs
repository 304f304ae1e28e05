//! State of a run: its current phase, its target, and the journal of all changes to it.

mod journal;
mod status;

pub use journal::{ChangeKind, ChangeSource, Journal, LoadChange, Note, NoteKind, VerdictChange};
pub use status::Status;
