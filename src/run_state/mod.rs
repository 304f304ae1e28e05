//! The state of a run: what it is doing, its target, and the journal of what was done to it.

mod journal;
mod status;

pub use journal::{ChangeKind, ChangeSource, Journal, LoadChange, VerdictChange};
pub use status::Status;
