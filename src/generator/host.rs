//! The plain thread that writes the gauges of the host and of the process as a whole.
//!
//! * The thread is no task of a runtime: a saturated runtime must not silence the numbers that would show it.
//! * Every [`TICK`] it looks at the clock. If much more time has passed, the process did not run: a signal stopped
//!   it, the machine was swapping, or a hypervisor paused it.
//! * Once a second it reads the counters of the kernel. A counter that the host does not offer is `None`, never 0.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::host_gauges::HostGauges;
use super::host_reader::HostReader;
use crate::vocabulary::Clock;

/// Time between two looks at the clock: short against the 250 ms that are a gap, and 20 wake-ups a second cost
/// nothing that can be measured.
const TICK: Duration = Duration::from_millis(50);
/// Time between two readings of the kernel's counters.
const READ: Duration = Duration::from_secs(1);

/// The thread that writes the gauges; it ends when this is dropped.
#[derive(Debug)]
pub struct HostWatch {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl HostWatch {
    /// Starts the thread.
    ///
    /// # Errors
    /// The thread could not be started.
    pub fn start(gauges: Arc<HostGauges>, clock: Clock) -> io::Result<Self> {
        let (stop, stopped) = channel::<()>();
        let thread = thread::Builder::new().name("host-gauges".to_owned()).spawn(move || {
            let mut reader = HostReader::new(clock.now());
            let mut last = clock.now();
            let mut read_at = last + READ;
            while stopped.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
                let now = clock.now();
                gauges.tick(last, now);
                last = now;
                if now >= read_at {
                    reader.read(now, &gauges);
                    // A missed reading is not made up for.
                    read_at = now + READ;
                }
            }
        })?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for HostWatch {
    fn drop(&mut self) {
        drop(self.stop.take());
        // A panic of the thread leaves its gauges as they were; there is nothing to hand on.
        _ = self.thread.take().map(JoinHandle::join);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::Gauge;
    use crate::vocabulary::clock::micros;

    #[test]
    #[cfg(target_os = "linux")]
    fn the_thread_reads_this_host_until_it_is_dropped() {
        let gauges = Arc::new(HostGauges::default());
        let watch = HostWatch::start(Arc::clone(&gauges), Clock::start()).expect("a thread");
        let end = std::time::Instant::now() + Duration::from_secs(20);
        while gauges.get(Gauge::Cpu).is_none() && std::time::Instant::now() < end {
            thread::sleep(TICK);
        }
        assert!(gauges.get(Gauge::Cpu).is_some_and(|share| share >= 0.0));
        assert!(gauges.get(Gauge::Memory).is_some_and(|share| share > 0.0 && share < 1.0));
        assert!(gauges.take_longest_tick_us().is_some_and(|us| us >= micros(TICK)));
        drop(watch);
        assert_eq!(Arc::strong_count(&gauges), 1);
    }
}
