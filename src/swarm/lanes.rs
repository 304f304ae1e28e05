//! Open requests of one client: at most one in each lane.
//!
//! A lane is created with its first request and carries all that follow; most clients never use more than one. Its
//! future has several kilobytes, which are in no cache when their turn comes: a new future for each request would
//! write them all.

use std::cell::Cell;
use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;

use crate::player::LANES;

/// Mailbox between a client and one of its lanes: orders of type `O`, answers of type `A`.
pub(super) struct Mailbox<O, A> {
    order: Cell<Option<O>>,
    answer: Cell<Option<A>>,
}

impl<O, A> Mailbox<O, A> {
    /// Waits for the next order. Nothing wakes it: lanes are polled after each order.
    pub(super) async fn order(&self) -> O {
        poll_fn(|_| self.order.take().map_or(Poll::Pending, Poll::Ready)).await
    }

    /// Answers the order.
    pub(super) fn answer(&self, answer: A) {
        self.answer.set(Some(answer));
    }
}

struct Lane<O, A, F> {
    mailbox: Rc<Mailbox<O, A>>,
    carrier: Pin<Box<F>>,
}

/// Lanes of a client, each a future of type `F` that answers one order after another.
pub(super) struct Lanes<O, A, F>([Option<Lane<O, A, F>>; LANES]);

impl<O, A, F: Future<Output = Infallible>> Lanes<O, A, F> {
    pub(super) fn new() -> Self {
        Self([const { None }; LANES])
    }

    /// Gives an order to a lane that has none; `make` creates the lane with its first order.
    pub(super) fn open(&mut self, lane: usize, order: O, make: impl FnOnce(Rc<Mailbox<O, A>>) -> F) {
        let Some(place) = self.0.get_mut(lane) else { return };
        let lane = place.get_or_insert_with(|| {
            let mailbox = Rc::new(Mailbox { order: Cell::default(), answer: Cell::default() });
            Lane { carrier: Box::pin(make(Rc::clone(&mailbox))), mailbox }
        });
        lane.mailbox.order.set(Some(order));
    }

    /// Waits for the next answer: forever, if no order is open.
    pub(super) async fn next(&mut self) -> A {
        poll_fn(|context| {
            for lane in self.0.iter_mut().flatten() {
                let Poll::Pending = lane.carrier.as_mut().poll(context);
                if let Some(answer) = lane.mailbox.answer.take() {
                    return Poll::Ready(answer);
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

    /// Answers each order after that many milliseconds, with the number of orders so far.
    async fn count(mailbox: Rc<Mailbox<u64, (u64, u32)>>) -> Infallible {
        let mut orders = 0;
        loop {
            let milliseconds = mailbox.order().await;
            sleep(Duration::from_millis(milliseconds)).await;
            orders += 1;
            mailbox.answer((milliseconds, orders));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn requests_end_in_their_own_order_and_a_lane_carries_all_that_follow() {
        let mut lanes = Lanes::new();
        lanes.open(0, 30, count);
        lanes.open(1, 10, count);
        assert_eq!(lanes.next().await, (10, 1));
        lanes.open(1, 5, count);
        assert_eq!(lanes.next().await, (5, 2));
        assert_eq!(lanes.next().await, (30, 1));
        assert!(timeout(Duration::from_secs(9), lanes.next()).await.is_err(), "nothing was open");
    }
}
