//! The plain threads that write the gauges of the host and of the process as a whole.
//!
//! * The threads are no tasks of a runtime: a saturated runtime must not silence the numbers that would show it.
//! * One looks at the clock every [`TICK`]. If much more time has passed, the process did not run: a signal stopped
//!   it, the machine was swapping, or a hypervisor paused it.
//! * The other reads the counters of the kernel once a second. A counter that the host does not offer is `None`, never
//!   0. The kernel may be slow to answer, so these reads must not delay the looks at the clock.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::host_gauges::HostGauges;
use super::host_reader::HostReader;
use crate::sync::failpoint;
use crate::vocabulary::Clock;

/// Time between two looks at the clock: short against the 250 ms that are a gap, and 20 wake-ups a second cost
/// nothing that can be measured.
const TICK: Duration = Duration::from_millis(50);
/// Time between two readings of the kernel's counters.
const READ: Duration = Duration::from_secs(1);
/// Maximum time that the end of a run waits for a thread: a file of the kernel that hangs must not keep the process.
const END_LIMIT: Duration = Duration::from_millis(500);

/// The threads that write the gauges; they end when this is dropped.
#[derive(Debug)]
pub struct HostWatch {
    threads: [Periodic; 2],
}

impl HostWatch {
    /// Starts the threads.
    ///
    /// # Errors
    /// A thread could not be started.
    pub fn start(gauges: Arc<HostGauges>, clock: Clock) -> io::Result<Self> {
        let ticked = Arc::clone(&gauges);
        let mut last = clock.now();
        let ticks = Periodic::start("host-clock", TICK, move || {
            let now = clock.now();
            ticked.tick(last, now);
            last = now;
        })?;
        let (mut reader, mut readings) = (None, 0);
        let reads = Periodic::start("host-gauges", READ, move || {
            let now = clock.now();
            readings += 1;
            failpoint::reach("gauges", readings);
            // The first reading is only what the next one is compared with. It is taken here, because it may hang.
            match &mut reader {
                None => reader = Some(HostReader::new(now, &gauges)),
                Some(reader) => reader.read(now, &gauges),
            }
        })?;
        Ok(Self { threads: [ticks, reads] })
    }

    /// Lets the threads end, without waiting for them. Returns how many a panic has ended before.
    pub fn end(&mut self) -> u64 {
        self.threads.iter_mut().map(|thread| u64::from(thread.end())).sum()
    }
}

/// A thread that does something again and again until this is dropped.
#[derive(Debug)]
struct Periodic {
    stop: Option<Sender<()>>,
    /// Disconnected when the thread has ended.
    ended: Receiver<()>,
    thread: Option<JoinHandle<()>>,
}

impl Periodic {
    /// Starts a thread that calls `step` at once, and again each time after `period`. A missed step is not made up for.
    fn start(name: &str, period: Duration, mut step: impl FnMut() + Send + 'static) -> io::Result<Self> {
        let (stop, stopped) = channel::<()>();
        let (alive, ended) = channel::<()>();
        let thread = thread::Builder::new().name(name.to_owned()).spawn(move || {
            let _alive = alive;
            loop {
                step();
                if stopped.recv_timeout(period) != Err(RecvTimeoutError::Timeout) {
                    return;
                }
            }
        })?;
        Ok(Self { stop: Some(stop), ended, thread: Some(thread) })
    }

    /// Lets the thread end. Returns true if a panic has ended it before.
    fn end(&mut self) -> bool {
        // Only a panic ends a thread that was not stopped.
        let is_lost = self.stop.is_some() && self.ended.try_recv().is_err_and(|error| error != EMPTY);
        self.stop = None;
        is_lost
    }
}

/// Error of a channel whose sender is alive.
const EMPTY: std::sync::mpsc::TryRecvError = std::sync::mpsc::TryRecvError::Empty;

impl Drop for Periodic {
    fn drop(&mut self) {
        self.end();
        if self.ended.recv_timeout(END_LIMIT) == Err(RecvTimeoutError::Timeout) {
            // The thread hangs: the process ends without it.
            return;
        }
        // The run has counted a panic already.
        _ = self.thread.take().map(JoinHandle::join);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::Instant;

    use super::*;
    use crate::verdict::Gauge;
    use crate::vocabulary::clock::micros;

    fn wait_until(mut is_so: impl FnMut() -> bool) {
        let end = Instant::now() + Duration::from_secs(20);
        while !is_so() && Instant::now() < end {
            thread::sleep(Duration::from_millis(5));
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_threads_read_this_host_until_they_are_dropped() {
        let (gauges, clock) = (Arc::new(HostGauges::default()), Clock::start());
        let mut watch = HostWatch::start(Arc::clone(&gauges), clock).expect("threads");
        wait_until(|| gauges.get(Gauge::Cpu, clock.now()).is_some());
        assert!(gauges.take(Gauge::Cpu).is_some_and(|share| share >= 0.0));
        assert!(gauges.take(Gauge::Memory).is_some_and(|share| share > 0.0 && share < 1.0));
        assert!(gauges.take_longest_tick_us().is_some_and(|us| us >= micros(TICK)));
        assert_eq!(watch.end(), 0);
        drop(watch);
        assert_eq!(Arc::strong_count(&gauges), 1);
    }

    #[test]
    fn a_thread_that_a_panic_ended_is_known_and_one_that_was_stopped_is_not_lost() {
        let steps = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&steps);
        let mut calm = Periodic::start("calm", Duration::ZERO, move || {
            counted.fetch_add(1, Ordering::Relaxed);
        })
        .expect("a thread");
        let mut lost = Periodic::start("lost", Duration::ZERO, || panic!("on purpose")).expect("a thread");
        wait_until(|| {
            steps.load(Ordering::Relaxed) > 2 && lost.thread.as_ref().is_some_and(JoinHandle::is_finished)
        });
        assert_eq!([calm.end(), calm.end(), lost.end(), lost.end()], [false, false, true, false]);
    }

    #[test]
    fn a_thread_that_hangs_does_not_keep_the_process() {
        let (release, released) = channel::<()>();
        let hangs = Periodic::start("hangs", Duration::ZERO, move || _ = released.recv()).expect("a thread");
        let ended = hangs.ended.try_recv();
        assert_eq!(ended, Err(EMPTY));
        // The thread is let go of only after the drop, which would never return if it joined.
        drop(hangs);
        drop(release);
    }
}
