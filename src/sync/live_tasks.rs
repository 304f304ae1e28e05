//! Counts live tasks. A reader that sees zero also sees every write those tasks made: the shutdown handshake.
//!
//! * The caller that starts a task counts it in before the task begins, so no task is overlooked on its way.
//! * [`LiveTasks::leave`] releases and [`LiveTasks::present`] acquires. Every `leave` is a read-modify-write, so a
//!   load of zero synchronizes with all of them, not only with the last.

use super::atomics::{AtomicU64, Ordering};

/// Number of live tasks.
#[derive(Debug, Default)]
pub struct LiveTasks(AtomicU64);

impl LiveTasks {
    /// Counts in a task that has not begun yet.
    pub fn enter(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts out a task that does nothing more.
    pub fn leave(&self) {
        self.0.fetch_sub(1, Ordering::Release);
    }

    /// Returns the number of live tasks. After zero, the caller sees every write of the tasks that left.
    pub fn present(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_has_entered_is_present_until_they_leave() {
        let live_tasks = LiveTasks::default();
        live_tasks.enter();
        live_tasks.enter();
        live_tasks.leave();
        assert_eq!(live_tasks.present(), 1);
        live_tasks.leave();
        assert_eq!(live_tasks.present(), 0);
    }
}

/// Models that loom runs: see `tests/loom.sh`.
#[cfg(all(test, hlswarm_loom))]
mod loom_tests {
    use super::*;
    use crate::sync::loom_explore::explore;
    use crate::sync::single_writer_cell::SingleWriterCell;
    use loom::sync::Arc;
    use loom::thread;

    #[test]
    fn whoever_sees_nobody_left_sees_all_that_two_threads_counted() {
        explore(None, || {
            let stage =
                Arc::new((LiveTasks::default(), [SingleWriterCell::default(), SingleWriterCell::default()]));
            for worker in 0..2 {
                stage.0.enter();
                let stage = Arc::clone(&stage);
                thread::spawn(move || {
                    let (live_tasks, counted) = &*stage;
                    counted[worker].add(1);
                    live_tasks.leave();
                });
            }
            let (live_tasks, counted) = &*stage;
            let present = live_tasks.present();
            assert!(present <= 2, "a task left that had not been counted");
            if present == 0 {
                assert_eq!(counted.each_ref().map(SingleWriterCell::get), [1, 1]);
            }
            present == 0
        });
    }

    #[test]
    fn a_client_that_another_client_is_admitted_after_is_not_overlooked() {
        explore(None, || {
            let stage = Arc::new((LiveTasks::default(), SingleWriterCell::default()));
            stage.0.enter();
            let controller = {
                let stage = Arc::clone(&stage);
                thread::spawn(move || {
                    stage.0.enter();
                    let newest = Arc::clone(&stage);
                    thread::spawn(move || {
                        newest.1.add(1);
                        newest.0.leave();
                    });
                    stage.0.leave();
                })
            };
            let none_is_left = stage.0.present() == 0;
            if none_is_left {
                assert_eq!(stage.1.get(), 1);
            }
            controller.join().unwrap();
            none_is_left
        });
    }
}
