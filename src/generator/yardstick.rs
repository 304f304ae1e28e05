//! Speed of this machine for the kind of work that a client makes: system calls, copies and scattered memory.
//!
//! * A chain of integer operations alone would follow the clock of the processor, but neither its shared caches nor the
//!   cost of system calls, and those are most of the work.
//! * The time of the own thread counts, not that of the wall: other programs affect the result only by what they share
//!   with this thread.

use std::io::{self, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Steps of a burst: about a millisecond, long against the resolution of the clock.
const STEPS: u32 = 500;
/// Bytes that a step sends to itself.
const COPIED: usize = 4 * 1024;
/// Words of the table: 1 MiB, more than the caches of one processor keep beside other work.
const WORDS: usize = 128 * 1024;
/// Places of the table that a step touches.
const TOUCHES: u32 = 8;
/// Dependent integer operations of a step.
const SHIFTS: u32 = 64;
/// Bursts of a reading.
const BURSTS: usize = 9;
/// Pause between them, in which the processor may sleep as it does between requests.
const PAUSE: Duration = Duration::from_millis(30);
/// Time between two bursts beside a load: they take about a hundredth of a processor.
const BESIDE_PAUSE: Duration = Duration::from_millis(100);

/// A fixed piece of work, whose cost is measured again and again.
#[derive(Debug)]
struct Yardstick {
    ends: (UnixStream, UnixStream),
    block: Vec<u8>,
    table: Vec<u64>,
    value: u64,
}

impl Yardstick {
    fn new() -> io::Result<Self> {
        let value = 0x9e37_79b9_7f4a_7c15;
        Ok(Self { ends: UnixStream::pair()?, block: vec![1; COPIED], table: vec![1; WORDS], value })
    }

    /// Measures one burst: nanoseconds of this thread's CPU for each step. It does not allocate.
    fn burst(&mut self) -> io::Result<f64> {
        let begun = thread_time();
        for _ in 0..STEPS {
            self.step()?;
        }
        Ok(thread_time().saturating_sub(begun).as_nanos() as f64 / f64::from(STEPS))
    }

    fn step(&mut self) -> io::Result<()> {
        self.ends.0.write_all(&self.block)?;
        self.ends.1.read_exact(&mut self.block)?;
        for _ in 0..TOUCHES {
            self.shift();
            let place = self.value as usize % WORDS;
            if let Some(word) = self.table.get_mut(place) {
                *word = word.wrapping_add(self.value);
            }
        }
        for _ in 0..SHIFTS {
            self.shift();
        }
        self.value = std::hint::black_box(self.value);
        Ok(())
    }

    /// Each operation needs the result of the one before: the processor cannot run ahead.
    fn shift(&mut self) {
        self.value ^= self.value << 13;
        self.value ^= self.value >> 7;
        self.value ^= self.value << 17;
    }
}

/// Measures the speed of this machine now: nanoseconds of CPU for one step of a fixed piece of work, as the median of
/// several bursts. Takes some 0.3 seconds. `None` if the kernel refuses a pair of sockets.
pub fn speed_ns() -> Option<f64> {
    let mut yardstick = Yardstick::new().ok()?;
    let mut bursts = Vec::with_capacity(BURSTS);
    for _ in 0..BURSTS {
        thread::sleep(PAUSE);
        bursts.push(yardstick.burst().ok()?);
    }
    median(bursts)
}

/// Measures the speed beside a load, with short bursts on a thread of its own.
#[derive(Debug)]
pub struct SpeedBeside {
    /// CPU time of the thread so far, in nanoseconds: it is part of the process's own.
    cpu_ns: Arc<AtomicU64>,
    stop: flume::Sender<()>,
    result: flume::Receiver<Vec<f64>>,
}

impl SpeedBeside {
    /// Starts the thread.
    ///
    /// # Errors
    /// Those of the kernel, which may refuse a thread or a pair of sockets.
    pub fn start() -> io::Result<Self> {
        let mut yardstick = Yardstick::new()?;
        let (cpu_ns, (stop, stopped), (sender, result)) =
            (Arc::new(AtomicU64::new(0)), flume::bounded(1), flume::bounded(1));
        let own = Arc::clone(&cpu_ns);
        thread::Builder::new().name("speed".to_owned()).spawn(move || {
            let mut bursts = Vec::new();
            while stopped.recv_timeout(BESIDE_PAUSE) == Err(flume::RecvTimeoutError::Timeout) {
                bursts.extend(yardstick.burst());
                // Relaxed is enough: the number stands alone.
                own.store(thread_time().as_nanos() as u64, Ordering::Relaxed);
            }
            // The receiver is gone if the measurement was cancelled.
            _ = sender.send(bursts);
        })?;
        Ok(Self { cpu_ns, stop, result })
    }

    /// Returns the CPU time that the thread has used so far.
    pub fn cpu(&self) -> Duration {
        Duration::from_nanos(self.cpu_ns.load(Ordering::Relaxed))
    }

    /// Ends the thread and returns the mean of its bursts; `None` if there were none.
    pub async fn finish(self) -> Option<f64> {
        drop(self.stop);
        mean(&self.result.recv_async().await.ok()?)
    }
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

/// Returns the mean. A processor that shares its core is now fast and now slow, and the load pays for both: a median
/// would be one of the two speeds.
fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

fn thread_time() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_has_a_speed() {
        assert!(speed_ns().is_some_and(|ns| ns > 0.0 && ns.is_finite()));
    }

    #[tokio::test]
    async fn a_speed_beside_a_load_counts_its_own_time() {
        let beside = SpeedBeside::start().expect("a thread");
        while beside.cpu() == Duration::ZERO {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert!(beside.finish().await.is_some_and(|ns| ns > 0.0));
    }

    #[test]
    fn a_machine_that_is_fast_half_of_the_time_has_a_speed_in_between() {
        assert_eq!(mean(&[3.0, 4.0, 3.0, 4.0]), Some(3.5));
        assert_eq!(mean(&[]), None);
    }

    #[test]
    fn a_median_is_not_moved_by_one_value() {
        assert_eq!(median(vec![1.0, 900.0, 2.0]), Some(2.0));
        assert_eq!(median(Vec::new()), None);
    }
}
