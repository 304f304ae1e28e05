//! Building blocks for state that threads share without a lock: cells with one writer, a count of live tasks, a ring
//! of the last values, an image of many numbers for records, and the plumbing that lets loom run the models. Imports no
//! other module of this crate.

pub mod atomics;
pub mod failpoint;
pub mod image;
pub mod known_number;
pub mod live_tasks;
#[cfg(all(test, hlswarm_loom))]
pub mod loom_explore;
pub mod ring;
pub mod single_writer_cell;
