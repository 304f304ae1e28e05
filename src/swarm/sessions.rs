//! One client after another in a slot: a viewer that leaves makes room for the next.
//!
//! * A viewer that left because of failures is replaced after a back-off that grows while the origin stays unusable,
//!   and not before its [`Allowance`](crate::player::Allowance) is full again: viewers that leave and return cause no
//!   more load than viewers that stay. A viewer whose session was over is replaced at once.
//! * The replacement is a client of its own, with a new number, new connections and no memory of the stream. It
//!   inherits only the allowance and the slot's unreachable hosts.

use std::rc::Rc;

use tokio::time::{Instant, sleep_until};

use super::client::Client;
use super::client_slot::ClientSlot;
use crate::player::Backoff;
use crate::vocabulary::{Departure, LeaveReason};

/// Runs one client after another, until a client ends that is not to be replaced: each one of an open load.
pub(super) async fn run_sessions(slot: Rc<ClientSlot>) -> Departure {
    let clock = slot.shared().clock;
    let mut backoff = Backoff::new(slot.seed());
    while let Some((meter, events)) = slot.session() {
        // On the heap: otherwise the task's future would have room for the client twice.
        let client = Box::new(Client::new(slot.shared(), meter, events, Rc::clone(&slot)));
        let end = client.live().await;
        let allowance = client.allowance();
        slot.pass_on(allowance);
        drop(client);
        let Departure::Left(reason) = end else { return end };
        slot.end_session(reason);
        if !slot.shared().settings.replaces {
            return end;
        }
        if reason == LeaveReason::GaveUp {
            let until = allowance.successor_at(clock.now(), &mut backoff);
            sleep_until(Instant::from_std(clock.origin() + until)).await;
        }
        if slot.is_draining() {
            break;
        }
        slot.start_session();
    }
    Departure::Removed
}
