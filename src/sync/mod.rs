//! What threads share without a lock: cells with one writer, a count of live tasks, a ring of the last numbers, and the
//! plumbing that lets loom run their models. Imports nothing of ours.

pub mod atomics;
pub mod failpoint;
pub mod live_tasks;
#[cfg(all(test, hlswarm_loom))]
pub mod loom_explore;
pub mod ring;
pub mod single_writer_cell;
