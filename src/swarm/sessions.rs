//! One client after the other in a slot: a viewer that leaves makes room for another.
//!
//! A viewer that gave up is replaced after a back-off that grows while the origin stays unusable, and not before its
//! [`Allowance`](crate::player::Allowance) is full again: viewers that leave and return are the same load. One whose
//! session was over is replaced at once. The new one is a client of its own: a new number, new connections, nothing
//! remembered.

use std::rc::Rc;

use tokio::time::{Instant, sleep_until};

use super::client::{Client, End};
use super::client_slot::ClientSlot;
use crate::player::{Backoff, Departure};

/// Lets one client live after the other, until one ends that makes no room for another.
pub(super) async fn run_sessions(slot: Rc<ClientSlot>) -> End {
    let clock = slot.shared().clock;
    let mut backoff = Backoff::new(slot.seed());
    while let Some((meter, events)) = slot.session() {
        // On the heap: the task would keep it twice.
        let client = Box::new(Client::new(slot.shared(), meter, events, Rc::clone(&slot)));
        let end = client.live().await;
        let allowance = client.allowance();
        slot.pass_on(allowance);
        drop(client);
        let End::Left(departure) = end else { return end };
        slot.end_session(departure);
        if departure == Departure::GaveUp {
            let until = allowance.successor_at(clock.now(), &mut backoff);
            sleep_until(Instant::from_std(clock.origin() + until)).await;
        }
        if slot.is_draining() {
            break;
        }
        slot.start_session();
    }
    End::Drained
}
