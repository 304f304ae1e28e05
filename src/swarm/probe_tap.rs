//! Tap of the first client: what it receives is what the others will, so the plan is priced from it.

use std::time::Duration;

use super::request::{Arrival, timings};
use crate::forecast::{Got, Probed};
use crate::player::{Answer, Fetch, Player};

/// Number of the first client of a run.
const FIRST: u64 = 1;

/// Tap of one client; it passes nothing unless that is the first one.
pub(super) struct ProbeTap(Option<flume::Sender<Probed>>);

impl ProbeTap {
    /// Creates the tap of the client with this number.
    pub(super) fn new(probe: Option<&flume::Sender<Probed>>, client: u64) -> Self {
        Self(probe.filter(|_| client == FIRST).cloned())
    }

    /// Returns the facts of a response to `player` that its answer does not hold; `None` if no one wants them.
    pub(super) fn look(
        &self,
        player: &Player,
        fetch: &Fetch,
        hops: u32,
        arrival: &Arrival<'_>,
    ) -> Option<Probed> {
        self.0.as_ref()?;
        let Arrival::Response(received) = arrival else { return None };
        let times = timings(&received.response);
        Some(Probed {
            what: fetch.what,
            is_other: player.only_probes(fetch.what),
            url: fetch.url.clone(),
            base: received.url(fetch).clone(),
            hops,
            wire_bytes: received.response.wire_bytes,
            took: Duration::from_micros(times.first_byte_us.saturating_add(times.body_us)),
            http2: received.response.opening.route.http2,
            got: Got::Nothing,
        })
    }

    /// Passes a response on. The tap closes with its receiver: once the plan has its price, it costs nothing.
    pub(super) fn pass(&mut self, probed: Option<Probed>, answer: &Answer) {
        let (Some(sender), Some(probed)) = (&self.0, probed) else { return };
        let sent = sender.try_send(Probed { got: Got::from(answer), ..probed });
        if matches!(sent, Err(flume::TrySendError::Disconnected(_))) {
            self.0 = None;
        }
    }
}
