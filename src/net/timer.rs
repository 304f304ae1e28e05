//! A reusable timer that is reset only when it must fire earlier, or has fired too early.
//!
//! A client waits several times for each request, and nearly every wait ends before its time. To register and cancel
//! a timer for each wait would cost more than an occasional early wake-up.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep};

/// A timer for successive waits.
#[derive(Debug)]
pub struct Timer(Pin<Box<Sleep>>);

impl Timer {
    /// Creates a timer that waits for nothing yet.
    ///
    /// # Panics
    /// Panics outside of a runtime with timers.
    pub fn new() -> Self {
        Self(Box::pin(sleep(Duration::ZERO)))
    }

    /// Returns ready once `due` has passed.
    pub fn poll(&mut self, due: Instant, context: &mut Context<'_>) -> Poll<()> {
        loop {
            if due < self.0.deadline() {
                self.0.as_mut().reset(due);
            }
            ready!(self.0.as_mut().poll(context));
            if due <= self.0.deadline() {
                return Poll::Ready(());
            }
            self.0.as_mut().reset(due);
        }
    }

    /// Waits for `future` until `due`; `None` if it has not ended by then.
    pub async fn until<T>(&mut self, due: Instant, future: impl Future<Output = T>) -> Option<T> {
        let mut future = pin!(future);
        poll_fn(|context| match future.as_mut().poll(context) {
            Poll::Ready(ended) => Poll::Ready(Some(ended)),
            Poll::Pending => self.poll(due, context).map(|()| None),
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::pending;

    async fn after(milliseconds: u64) -> u64 {
        sleep(Duration::from_millis(milliseconds)).await;
        milliseconds
    }

    #[tokio::test(start_paused = true)]
    async fn each_wait_ends_at_its_own_time_whatever_the_one_before_it_was() {
        let mut timer = Timer::new();
        for (wait, task, ended) in [(50, 20, Some(20)), (5, 20, None), (90, 80, Some(80)), (300, 400, None)] {
            let begun = Instant::now();
            let due = begun + Duration::from_millis(wait);
            assert_eq!(timer.until(due, after(task)).await, ended);
            assert_eq!(begun.elapsed(), Duration::from_millis(wait.min(task)));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_whose_time_has_passed_ends_at_once_unless_what_it_waits_for_is_there() {
        let mut timer = Timer::new();
        let past = Instant::now();
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(timer.until(past, pending::<()>()).await, None);
        assert_eq!(timer.until(past, async { 7 }).await, Some(7));
        assert_eq!(past.elapsed(), Duration::from_secs(1));
    }
}
