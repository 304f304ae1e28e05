//! Deadlines of the phases of a request: every await of a request is under that of its current phase.
//!
//! The request updates the phase and its deadline in cells, so that it need not touch the [timer](Timer) with every
//! piece of a body.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use tokio::time::Instant;

use super::Timer;
use crate::vocabulary::limits;
use crate::vocabulary::outcome::Fault;

/// The deadline of a request, and the fault that the request ends with when it passes.
#[derive(Debug)]
pub(super) struct Deadline {
    fault: Cell<Fault>,
    due: Cell<Instant>,
    total_due: Cell<Instant>,
    window: Cell<Window>,
}

/// Bytes of a body that arrived since it last made the least accepted progress.
#[derive(Clone, Copy, Debug)]
struct Window {
    since: Instant,
    last: Instant,
    bytes: u64,
    /// True if a pause may still restart the window.
    may_pause: bool,
}

impl Window {
    fn new(now: Instant) -> Self {
        Self { since: now, last: now, bytes: 0, may_pause: true }
    }

    /// Adds bytes that arrived; `None` if too few arrived for too long.
    ///
    /// The idle limit covers pauses. A live segment that is sent while it is encoded arrives in bursts, so the time
    /// before a burst does not count against its first bytes. Only progress earns the next pause.
    fn add(mut self, now: Instant, bytes: u64) -> Option<Self> {
        if self.may_pause && now.duration_since(self.last) >= limits::LEAST_PROGRESS_PAUSE {
            self = Self { may_pause: false, ..Self::new(now) };
        }
        self.last = now;
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes >= limits::LEAST_PROGRESS_BYTES {
            return Some(Self::new(now));
        }
        (now.duration_since(self.since) < limits::LEAST_PROGRESS_TIME).then_some(self)
    }
}

impl Deadline {
    /// Returns the deadline of a request that may take `total`.
    pub(super) fn new(total: Duration) -> Self {
        let now = Instant::now();
        let total_due = now + total;
        Self {
            fault: Cell::new(Fault::TimeoutTotal),
            due: Cell::new(total_due),
            total_due: Cell::new(total_due),
            window: Cell::new(Window::new(now)),
        }
    }

    /// Enters a phase that may take `limit` and fails with `fault` if it takes longer. Returns the time of its start.
    pub(super) fn enter(&self, fault: Fault, limit: Duration) -> Instant {
        let now = Instant::now();
        self.fault.set(fault);
        self.due.set(now + limit);
        self.window.set(Window::new(now));
        now
    }

    /// Records bytes of a response that arrived at `now`. The next ones must arrive within `idle`, and
    /// [`limits::LEAST_PROGRESS_BYTES`] within [`limits::LEAST_PROGRESS_TIME`], unless the response completes first.
    /// The progress is checked when bytes arrive: no timer.
    ///
    /// # Errors
    /// `timeout.idle` when too few bytes of a body arrive for too long.
    pub(super) fn progress(&self, now: Instant, bytes: u64, idle: Duration) -> Result<(), Fault> {
        if self.fault.replace(Fault::TimeoutIdle) != Fault::TimeoutIdle {
            self.window.set(Window::new(now));
        }
        self.due.set(now + idle);
        self.window.set(self.window.get().add(now, bytes).ok_or(Fault::TimeoutIdle)?);
        Ok(())
    }

    fn next(&self) -> (Instant, Fault) {
        if self.due.get() <= self.total_due.get() {
            (self.due.get(), self.fault.get())
        } else {
            (self.total_due.get(), Fault::TimeoutTotal)
        }
    }

    /// Runs `request` until it ends or its deadline passes. The future stays where the caller pinned it: a future
    /// passed by value would take its memory twice in every client.
    ///
    /// # Errors
    /// The fault of the request, or of the phase that took too long.
    pub(super) async fn watch<T>(
        &self,
        timer: &mut Timer,
        mut request: Pin<&mut impl Future<Output = Result<T, Fault>>>,
    ) -> Result<T, Fault> {
        poll_fn(|context| match request.as_mut().poll(context) {
            Poll::Ready(ended) => Poll::Ready(ended),
            Poll::Pending => {
                let (due, fault) = self.next();
                timer.poll(due, context).map(|()| Err(fault))
            }
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::pin::pin;

    #[tokio::test(start_paused = true)]
    async fn the_phase_that_took_too_long_is_named() {
        let deadline = Deadline::new(Duration::from_secs(60));
        deadline.enter(Fault::TimeoutConnect, Duration::from_secs(5));
        let begun = Instant::now();
        let ended: Result<(), _> = deadline.watch(&mut Timer::new(), pin!(std::future::pending())).await;
        assert_eq!(ended, Err(Fault::TimeoutConnect));
        assert_eq!(begun.elapsed().as_secs(), 5);
    }

    #[tokio::test(start_paused = true)]
    async fn progress_moves_the_deadline_but_not_beyond_the_total() {
        let deadline = Deadline::new(Duration::from_secs(20));
        let request = async {
            loop {
                deadline.enter(Fault::TimeoutIdle, Duration::from_secs(3));
                tokio::time::sleep(Duration::from_secs(2)).await;
            }
        };
        let begun = Instant::now();
        let ended: Result<(), _> = deadline.watch(&mut Timer::new(), pin!(request)).await;
        assert_eq!(ended, Err(Fault::TimeoutTotal));
        assert_eq!(begun.elapsed().as_secs(), 20);
    }

    #[tokio::test(start_paused = true)]
    async fn a_shorter_phase_after_a_longer_one_is_noticed_in_time() {
        let deadline = Deadline::new(Duration::from_secs(60));
        deadline.enter(Fault::TimeoutFirstByte, Duration::from_secs(15));
        let request = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            deadline.enter(Fault::TimeoutIdle, Duration::from_secs(2));
            std::future::pending().await
        };
        let begun = Instant::now();
        let ended: Result<(), _> = deadline.watch(&mut Timer::new(), pin!(request)).await;
        assert_eq!((ended, begun.elapsed().as_secs()), (Err(Fault::TimeoutIdle), 3));
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_ends_in_time_keeps_its_result() {
        let deadline = Deadline::new(Duration::from_secs(1));
        assert_eq!(deadline.watch(&mut Timer::new(), pin!(async { Ok(7) })).await, Ok(7));
    }

    /// Feeds `pieces`, each a pause in milliseconds and a number of bytes. The error is the millisecond at which the
    /// progress was too little.
    async fn fed(pieces: impl IntoIterator<Item = (u64, u64)>) -> Result<(), u128> {
        let deadline = Deadline::new(Duration::from_secs(600));
        deadline.enter(Fault::TimeoutFirstByte, Duration::from_secs(15));
        let begun = Instant::now();
        for (pause, bytes) in pieces {
            tokio::time::sleep(Duration::from_millis(pause)).await;
            let progress = deadline.progress(Instant::now(), bytes, Duration::from_secs(15));
            progress.map_err(|fault| {
                assert_eq!(fault, Fault::TimeoutIdle);
                begun.elapsed().as_millis()
            })?;
        }
        Ok(())
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_brings_less_than_a_kilobyte_in_five_seconds_is_idle() {
        assert_eq!(fed([(1_000, 1); 60]).await, Err(6_000), "five seconds after its first byte");
        assert_eq!(fed([(200, 30); 600]).await, Err(5_200));
        assert_eq!(fed([(3_000, 1); 60]).await, Err(12_000), "pauses are not earned by a byte each");
        // Progress at first, then a trickle.
        assert_eq!(fed([(100, 50_000)].into_iter().chain([(500, 1); 60])).await, Err(5_100));
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_link_and_a_segment_that_is_sent_while_it_is_made_are_not() {
        assert_eq!(fed([(1_000, 250); 60]).await, Ok(()), "two kilobits a second");
        // Bursts of 20 kB at intervals of six seconds; the first piece of each is small.
        let burst = [(6_000, 100), (0, 10_000), (0, 9_900)];
        assert_eq!(fed([burst; 20].concat()).await, Ok(()));
        assert_eq!(fed([(14_000, 10)]).await, Ok(()), "a short response after a long wait");
    }
}
