//! Hosts that a client cannot reach: after an outage, clients come back at the rate at which they joined.
//!
//! * A client is cut off from a host once no connection could be opened, or a new one broke before any answer. A
//!   reset of a connection that has answered before is an ordinary failure, which the player's own retries handle.
//! * The client then takes a slot of the run's [`Reconnects`] before each further request to that host, until one is
//!   answered. Other hosts are not affected: a request to a backup begins at once. The state belongs to the client's
//!   slot: a viewer that replaces another joins no faster.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use crate::load::Reconnects;
use crate::vocabulary::SecretUrl;
use crate::vocabulary::outcome::Fault;
use crate::vocabulary::secret_url::Endpoint;

/// Progress of a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Attempt {
    /// The request has no new connection.
    #[default]
    Begun,
    /// The request has a new connection.
    Connected,
    /// Bytes of a body have arrived.
    Answered,
}

/// Maximum number of hosts that are remembered as out of reach: more than a stream has.
const HOSTS: usize = 8;

/// Hosts that the clients of one slot cannot reach.
#[derive(Debug)]
pub(super) struct Reach {
    reconnects: Arc<Reconnects>,
    lost: RefCell<Vec<Endpoint>>,
}

impl Reach {
    /// Creates the state of a client that has not tried to connect yet.
    pub(super) fn new(reconnects: Arc<Reconnects>) -> Self {
        Self { reconnects, lost: RefCell::default() }
    }

    /// Returns the time at which a request for `url` may begin, `None` if it may begin now.
    pub(super) fn wait_until(&self, url: &SecretUrl, clock: impl FnOnce() -> Duration) -> Option<Duration> {
        if !self.lost.borrow().iter().any(|endpoint| url.is_at(endpoint)) {
            return None;
        }
        let now = clock();
        Some(self.reconnects.take(now)).filter(|slot| *slot > now)
    }

    /// Records that a request for `url` has ended, with a response or with this fault.
    pub(super) fn ended(&self, url: &SecretUrl, attempt: Attempt, fault: Option<Fault>) {
        let mut lost = self.lost.borrow_mut();
        // Any other fault says nothing about the way to the host.
        let is_lost = fault.is_some_and(|fault| is_unreachable(attempt, fault));
        if fault.is_none() || is_lost {
            lost.retain(|endpoint| !url.is_at(endpoint));
        }
        if is_lost {
            lost.truncate(HOSTS - 1);
            lost.insert(0, url.endpoint());
        }
    }
}

/// Reports whether no connection could be opened, or a new one was of no use.
fn is_unreachable(attempt: Attempt, fault: Fault) -> bool {
    match fault {
        Fault::TimeoutDns
        | Fault::TimeoutConnect
        | Fault::TimeoutTls
        | Fault::ConnRefused
        | Fault::ConnUnreachable
        | Fault::ConnProxy
        | Fault::DnsNotFound
        | Fault::DnsServerFailure
        | Fault::TlsHandshake => true,
        Fault::ConnReset | Fault::ConnEof | Fault::H2GoAway => attempt == Attempt::Connected,
        _ => false,
    }
}

#[cfg(test)]
mod tests;
