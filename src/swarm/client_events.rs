//! Events of one client, which it offers to the tap of its worker.
//!
//! Every offer is also counted for the client, dropped ones separately, so it is known which clients miss events.

use std::cell::Cell;
use std::rc::Rc;

use super::examples::Examples;
use crate::pipeline::{
    Event, FailureDetails, Happening, Offer, RequestEnd, Sample, Stream, Tap, WatchedRequest,
};
use crate::player::Tally;
use crate::stats::{ClientRow, Meter, Metric};
use crate::vocabulary::clock::micros;
use crate::vocabulary::{ClientState, Departure, Kind, KnownSecrets, Outcome};

/// Source of the events of one client.
#[derive(Debug)]
pub(super) struct ClientEvents {
    tap: Rc<Tap>,
    meter: Meter,
    /// Examples of the worker.
    examples: Rc<Examples>,
    /// Length so far of the stall that has not ended, in microseconds.
    stalled_us: Cell<u64>,
    stalled: Cell<bool>,
}

impl ClientEvents {
    pub(super) fn new(tap: Rc<Tap>, meter: Meter, examples: Rc<Examples>) -> Self {
        Self { tap, meter, examples, stalled_us: Cell::new(0), stalled: Cell::new(false) }
    }

    pub(super) fn joined(&self) {
        self.offer_event(Happening::Joined);
    }

    pub(super) fn left(&self, why: Departure) {
        self.offer_event(Happening::Left(why));
    }

    /// Reports whether a response with this failed status, whose body begins now, is an example of its outcome.
    pub(super) fn admits(&self, status: u16) -> bool {
        self.examples.admits(Outcome::from_status(status, false), self.meter.now_us())
    }

    /// Reports whether responses may be shown.
    pub(super) fn show_responses(&self) -> bool {
        self.examples.secrets().is_some()
    }

    /// Reports that a request failed, with the outcome that was counted last. Calls `details` only for a request that is
    /// an example of its outcome (`is_example`, or decided now), with the secrets that a response must not show; without
    /// them, nothing of the response may be shown.
    pub(super) fn failed(
        &self,
        request: Kind,
        is_example: Option<bool>,
        details: impl FnOnce(u64, Option<&KnownSecrets>) -> Option<FailureDetails>,
    ) {
        let Some(outcome) = self.meter.last_outcome().filter(|outcome| *outcome != Outcome::Ok) else {
            return;
        };
        let now_us = self.meter.now_us();
        let is_example = is_example.unwrap_or_else(|| self.examples.admits(outcome, now_us));
        let details = is_example.then(|| details(now_us, self.examples.secrets())).flatten().map(Box::new);
        self.offer_event(Happening::Fault { request, outcome, details });
    }

    /// Reports that the client makes a request, if the client is watched. Returns the request for further reports.
    pub(super) fn asked(&self, kind: Kind, sequence: Option<u64>) -> Option<WatchedRequest> {
        self.meter.is_watched().then(|| {
            let asked_us = self.meter.now_us();
            let request = WatchedRequest { asked_us, kind, sequence, first_byte_us: None, end: None };
            self.offer_event_at(|| asked_us, Happening::Request(request));
            request
        })
    }

    /// Reports that the first byte of the answer to a watched request came at `at_us`.
    pub(super) fn first_byte(&self, request: WatchedRequest, at_us: u64) {
        let first_byte_us = Some(after(&request, at_us));
        self.offer_event_at(|| at_us, Happening::Request(WatchedRequest { first_byte_us, ..request }));
    }

    /// Reports that a watched request has ended now.
    pub(super) fn ended(&self, request: WatchedRequest, first_byte_us: Option<u64>, bytes: u64) {
        let Some(outcome) = self.meter.last_outcome() else { return };
        let now_us = self.meter.now_us();
        let first_byte_us = first_byte_us.map(|at_us| after(&request, at_us));
        let end = Some(RequestEnd { took_us: after(&request, now_us), bytes, outcome });
        self.offer_event_at(|| now_us, Happening::Request(WatchedRequest { first_byte_us, end, ..request }));
    }

    /// Reports the stalls and the change of state since the previous call.
    pub(super) fn settled(&self, before: Option<ClientState>, now: ClientState, tally: &Tally) {
        for _ in 0..tally.stalls {
            self.end_stall();
            self.stalled.set(true);
            self.offer_event(Happening::StallBegan);
        }
        self.stalled_us.set(self.stalled_us.get() + micros(tally.stall));
        if matches!(now, ClientState::Playing | ClientState::Finished) {
            self.end_stall();
        }
        let before = before.unwrap_or(ClientState::Starting);
        if before != now {
            self.offer_event(Happening::State { from: before, to: now });
        }
    }

    fn end_stall(&self) {
        let lasted_us = self.stalled_us.take();
        if self.stalled.take() {
            self.offer_event(Happening::StallEnded { lasted_us });
        }
    }

    /// Offers the sample of one second.
    pub(super) fn sample(&self, row: &ClientRow) {
        let at_us = self.meter.now_us();
        let offer = self.tap.offer(Stream::Progress, || {
            let playback = &row.playback;
            let sample = Sample {
                state: playback.state_at(at_us),
                position_us: playback.position_at(at_us),
                buffer_us: playback.buffer_at(at_us),
                drift_us: playback.drift_at(at_us),
                requests: row.requests,
                failures: row.failures(),
                bytes: row.bytes,
                stalls: row.stalls,
            };
            Event { at_us, client: Some(row.id), what: Happening::Sample(sample) }
        });
        self.count(Metric::ProgressOffered, Metric::ProgressDropped, offer);
    }

    fn offer_event(&self, what: Happening) {
        self.offer_event_at(|| self.meter.now_us(), what);
    }

    /// Offers an event. Reads its time only if there is room for it.
    fn offer_event_at(&self, at_us: impl FnOnce() -> u64, what: Happening) {
        let offer = self.tap.offer(Stream::Events, || Event {
            at_us: at_us(),
            client: Some(self.meter.client_id()),
            what,
        });
        self.count(Metric::EventsOffered, Metric::EventsDropped, offer);
    }

    fn count(&self, offered: Metric, dropped: Metric, offer: Offer) {
        self.meter.count(offered, 1);
        if offer == Offer::Dropped {
            self.meter.count(dropped, 1);
        }
    }
}

/// Returns the microseconds from a request to `at_us`.
fn after(request: &WatchedRequest, at_us: u64) -> u32 {
    u32::try_from(at_us.saturating_sub(request.asked_us)).unwrap_or(u32::MAX)
}
