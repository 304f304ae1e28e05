//! The requests that one client has open: at most one in each lane.
//!
//! A lane is allocated with its first request and its memory is used for all that follow: most clients never use
//! more than one.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

use crate::player::LANES;

/// Open requests, each a future of type `F`.
pub(super) struct Lanes<F>([Option<Pin<Box<Option<F>>>>; LANES]);

impl<F: Future> Lanes<F> {
    pub(super) fn new() -> Self {
        Self([const { None }; LANES])
    }

    /// Opens a request in a lane, in which none is open.
    pub(super) fn open(&mut self, lane: usize, request: F) {
        if let Some(place) = self.0.get_mut(lane) {
            place.get_or_insert_with(|| Box::pin(None)).set(Some(request));
        }
    }

    /// Waits for the request that ends next: for ever, when none is open.
    pub(super) async fn next(&mut self) -> F::Output {
        poll_fn(|context| {
            for lane in self.0.iter_mut().flatten() {
                if let Some(request) = lane.as_mut().as_pin_mut()
                    && let Poll::Ready(ended) = request.poll(context)
                {
                    lane.set(None);
                    return Poll::Ready(ended);
                }
            }
            Poll::Pending
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tokio::time::{sleep, timeout};

    async fn after(milliseconds: u64) -> u64 {
        sleep(Duration::from_millis(milliseconds)).await;
        milliseconds
    }

    #[tokio::test(start_paused = true)]
    async fn requests_end_in_their_own_order_and_their_lanes_are_used_again() {
        let mut lanes = Lanes::new();
        lanes.open(0, after(30));
        lanes.open(1, after(10));
        assert_eq!(lanes.next().await, 10);
        lanes.open(1, after(5));
        assert_eq!(lanes.next().await, 5);
        assert_eq!(lanes.next().await, 30);
        assert!(timeout(Duration::from_secs(9), lanes.next()).await.is_err(), "nothing was open");
    }
}
