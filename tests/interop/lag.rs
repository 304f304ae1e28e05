//! The lag of this machine while a test runs: how much later than asked a sleeping thread wakes. Times that a test
//! compares may differ by that much, and no more.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Short enough to meet the worst moments, long enough to cost nothing.
const STEP: Duration = Duration::from_millis(5);
/// A byte passes this many threads that all have to wake: a timer of the origin, its socket, the program's socket, the
/// program's timer.
const WAKES: u32 = 4;

/// A measurement that goes on.
pub struct Lag {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Duration>,
}

impl Lag {
    /// Begins to measure.
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
