//! One timer for each client: every await of a request is under the deadline of the phase that it is in.
//!
//! The phase and its deadline lie in cells that the request moves on; the timer itself is touched only when it fires
//! or must fire earlier, not with every piece of a body.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use tokio::time::{Instant, Sleep};

use crate::base::outcome::Fault;

/// The deadline of a request, and the fault that it becomes when it passes.
#[derive(Debug)]
pub(super) struct Deadline {
    fault: Cell<Fault>,
    due: Cell<Instant>,
    total_due: Cell<Instant>,
}

impl Deadline {
    /// A request that may take `total`.
    pub(super) fn new(total: Duration) -> Self {
        let total_due = Instant::now() + total;
        Self {
            fault: Cell::new(Fault::TimeoutTotal),
            due: Cell::new(total_due),
            total_due: Cell::new(total_due),
        }
    }

    /// Enters a phase that may take `limit`, and whose end is `fault` if it takes longer.
    pub(super) fn enter(&self, fault: Fault, limit: Duration) {
        self.fault.set(fault);
        self.due.set(Instant::now() + limit);
    }

    fn next(&self) -> (Instant, Fault) {
        if self.due.get() <= self.total_due.get() {
            (self.due.get(), self.fault.get())
        } else {
            (self.total_due.get(), Fault::TimeoutTotal)
        }
    }

    /// Runs `request` until it ends or its deadline passes. It stays where the caller pinned it: a future that is
    /// handed over lies in memory twice, and in that of every client.
    ///
    /// # Errors
    /// The fault of the request, or of the phase whose time was over.
    pub(super) async fn watch<T>(
        &self,
        mut timer: Pin<&mut Sleep>,
        mut request: Pin<&mut impl Future<Output = Result<T, Fault>>>,
    ) -> Result<T, Fault> {
        timer.as_mut().reset(self.next().0);
        poll_fn(|context| {
            if let Poll::Ready(ended) = request.as_mut().poll(context) {
                return Poll::Ready(ended);
            }
            loop {
                let (due, fault) = self.next();
                if due < timer.deadline() {
                    timer.as_mut().reset(due);
                }
                if timer.as_mut().poll(context).is_pending() {
                    return Poll::Pending;
                }
                if due <= Instant::now() {
                    return Poll::Ready(Err(fault));
                }
                timer.as_mut().reset(due);
            }
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::pin::pin;

    fn timer() -> Pin<Box<Sleep>> {
        Box::pin(tokio::time::sleep(Duration::ZERO))
    }

    #[tokio::test(start_paused = true)]
    async fn the_phase_that_took_too_long_is_named() {
        let deadline = Deadline::new(Duration::from_secs(60));
        deadline.enter(Fault::TimeoutConnect, Duration::from_secs(5));
        let begun = Instant::now();
        let ended: Result<(), _> = deadline.watch(timer().as_mut(), pin!(std::future::pending())).await;
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
        let ended: Result<(), _> = deadline.watch(timer().as_mut(), pin!(request)).await;
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
        let ended: Result<(), _> = deadline.watch(timer().as_mut(), pin!(request)).await;
        assert_eq!((ended, begun.elapsed().as_secs()), (Err(Fault::TimeoutIdle), 3));
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_ends_in_time_keeps_its_result() {
        let deadline = Deadline::new(Duration::from_secs(1));
        assert_eq!(deadline.watch(timer().as_mut(), pin!(async { Ok(7) })).await, Ok(7));
    }
}
