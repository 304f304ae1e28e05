//! Lag of this machine while a test runs: how much later than requested a sleeping thread wakes. Times that a test
//! compares may differ by that much, and no more.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Length of one sleep: short enough to catch the worst moments, long enough to cost nothing.
const STEP: Duration = Duration::from_millis(5);
/// Number of threads that must wake to pass one byte on: a timer of the origin, its socket, the program's socket, the
/// program's timer.
const WAKES: u32 = 4;

/// A running measurement.
pub struct Lag {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Duration>,
}

impl Lag {
    /// Starts a measurement.
    pub fn watch() -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            let mut worst = Duration::ZERO;
            while !stopped.load(Ordering::Relaxed) {
                let begun = Instant::now();
                thread::sleep(STEP);
                worst = worst.max(begun.elapsed().saturating_sub(STEP));
            }
            worst
        });
        Self { stop, thread }
    }

    /// Ends the measurement; returns by how much one event may be late, in seconds.
    pub fn allowance_s(self) -> f64 {
        self.stop.store(true, Ordering::Relaxed);
        (self.thread.join().unwrap() * WAKES).as_secs_f64()
    }
}
