//! One client: carries out the actions of its player and counts the results.
//!
//! Only this file and its neighbours `request` and `answer` know player, network and counters: events are translated
//! into counts here and nowhere else.

use std::cell::RefCell;
use std::convert::Infallible;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::net::{ClientConnections, RequestLane, Timer};
use crate::pipeline::WatchedRequest;
use crate::player::{Action, Allowance, Answer, Fetch, Input, Player, Resource};
use crate::stats::{Meter, Metric};
use crate::sync::failpoint;
use crate::vocabulary::clock::micros;
use crate::vocabulary::secret_url::Access;
use crate::vocabulary::{ClientState, Departure, LeaveReason, Playback, Timed};

use super::answer::conclude;
use super::client_events::ClientEvents;
use super::client_slot::{ClientSlot, Shared, client_seed};
use super::decryption::KeyRing;
use super::inspection::Inspection;
use super::lanes::{Lanes, Mailbox};
use super::probe_tap::ProbeTap;
use super::request::{Answered, Arrival, Completed, RequestContext, kind, request, sequence};

/// A client that is ready to run.
pub(super) struct Client {
    viewer: RefCell<Viewer>,
    lines: ClientConnections,
    slot: Rc<ClientSlot>,
}

impl Client {
    pub(super) fn new(shared: &Shared, meter: Meter, events: Rc<ClientEvents>, slot: Rc<ClientSlot>) -> Self {
        let (settings, part) = (&shared.settings, slot.part());
        let number = meter.client_id();
        let seed = client_seed(settings.seed, number);
        let clock = meter.clock();
        let player = Player::new(Arc::clone(&part.player), seed, clock.started_at(), clock.now())
            .succeeding(slot.allowance());
        let inspection = Inspection::new(Rc::clone(&shared.playlist_cache), part.net.offers_gzip());
        let viewer = Viewer {
            probe: ProbeTap::new(settings.probe.as_ref(), number),
            player,
            inspection,
            meter: Rc::new(meter),
            events,
            slot: Rc::clone(&slot),
            published: None,
            began: false,
            departure: Departure::Removed,
        };
        let lines = ClientConnections::new(Rc::clone(&slot.part().net), number);
        Self { viewer: RefCell::new(viewer), lines, slot }
    }

    /// Returns the requests that may still follow failures, which the successor inherits.
    pub(super) fn allowance(&self) -> Allowance {
        self.viewer.borrow().player.allowance()
    }

    /// Runs until the viewer leaves, the stream has been played to its end, or the run drains.
    pub(super) async fn live(&self) -> Departure {
        let Self { viewer, lines, slot } = self;
        let (meter, events) = {
            let viewer = viewer.borrow();
            (Rc::clone(&viewer.meter), Rc::clone(&viewer.events))
        };
        let keys = slot.decrypts().then(KeyRing::default);
        let context =
            RequestContext { slot, meter: &meter, events: &events, keys: keys.as_ref(), watched: None };
        let (mut lanes, mut timer) = (Lanes::new(), Timer::new());
        let (mut input, mut now) = (Input::Woke, meter.clock().now());
        loop {
            let action = viewer.borrow_mut().step(input, now);
            failpoint::reach("client", meter.client_id());
            if slot.is_draining() && !slot.is_busy() {
                return Departure::Removed;
            }
            let until = match action {
                // No new request starts; those in flight finish.
                Action::Fetch(_) if slot.is_draining() => None,
                Action::Fetch(fetch) => {
                    let lane = fetch.lane;
                    lanes.open(lane, fetch, |mailbox| carry(lines.wire(lane), mailbox, viewer, context));
                    input = Input::Woke;
                    continue;
                }
                Action::Wait(until) => until,
                Action::Finished => {
                    viewer.borrow_mut().departure = Departure::Finished;
                    return Departure::Finished;
                }
                Action::Leave(reason) => {
                    viewer.borrow_mut().count_departure(reason);
                    return Departure::Left(reason);
                }
            };
            // Wait for the time that the player named or for the next answer, whichever comes first.
            let ended = match until.map(|until| Instant::from_std(meter.clock().origin() + until)) {
                Some(until) => timer.until(until, lanes.next()).await,
                None => Some(lanes.next().await),
            };
            input = ended.map_or(Input::Woke, |(what, answer)| Input::Ended(what, answer));
            now = meter.clock().now();
        }
    }
}

/// Carries out the requests of one lane, one after another.
async fn carry(
    mut wire: RequestLane,
    mailbox: Rc<Mailbox<Fetch, (Resource, Answer)>>,
    viewer: &RefCell<Viewer>,
    context: RequestContext<'_>,
) -> Infallible {
    loop {
        let fetch = mailbox.order().await;
        let watched = asked(context.events, &fetch);
        let context = RequestContext { watched, ..context };
        let imported = || viewer.borrow().player.variables().clone();
        let completed = request(&mut wire, &fetch, context, imported).await;
        mailbox.answer((fetch.what, viewer.borrow_mut().conclude(&fetch, &wire, watched, completed)));
    }
}

/// Reports a request of a watched client, and returns it. Data in the playlist itself is not requested.
fn asked(events: &ClientEvents, fetch: &Fetch) -> Option<WatchedRequest> {
    if fetch.url.access() == Access::Inline {
        return None;
    }
    events.asked(kind(fetch.what), sequence(fetch.what))
}

/// Viewer of a client: the player, and everything that counts for it. Dropping it counts the rest of what it played.
struct Viewer {
    player: Player,
    probe: ProbeTap,
    inspection: Inspection,
    meter: Rc<Meter>,
    slot: Rc<ClientSlot>,
    events: Rc<ClientEvents>,
    published: Option<Playback>,
    /// True once playback has begun.
    began: bool,
    /// Departure, until another one is known: every client is removed in the end.
    departure: Departure,
}

impl Viewer {
    /// Passes `input` to the player at `now`, counts what the player did and returns its next action.
    fn step(&mut self, input: Input, now: Duration) -> Action {
        let action = self.player.step(now, input);
        self.settle(now);
        action
    }

    /// Evaluates a request that has ended, and returns the answer for the player.
    fn conclude(
        &mut self,
        fetch: &Fetch,
        wire: &RequestLane,
        watched: Option<WatchedRequest>,
        completed: Completed<'_>,
    ) -> Answer {
        let Completed { redirects, mut arrival, open: _open } = completed;
        if redirects > 0 {
            self.player.redirected(redirects, self.now());
        }
        if let Arrival::Response(received) = &arrival
            && let Some(at) = received.retry_at()
        {
            self.wait_until(at);
        }
        let probed = self.probe.look(&self.player, fetch, redirects, &arrival);
        let answered = Answered::new(&mut arrival);
        let answer = conclude(&self.player, &mut self.inspection, fetch, arrival);
        self.probe.pass(probed, &answer);
        // A request that a draining client did not send has no outcome: the last one is that of another request.
        if matches!(answer, Answer::Failed(_)) && answered.sent().is_some() {
            answered.report(&self.events, fetch.what, &fetch.url, wire);
        }
        if let Some((request, sent)) = watched.zip(answered.sent()) {
            self.events.ended(request, sent.first_byte_us, sent.bytes);
        }
        answer
    }

    /// Takes the wish of a busy server that the client waits until `at`: the brake honours it, and so do some players.
    fn wait_until(&mut self, at: Duration) {
        self.meter.asked_to_wait(micros(at));
        if self.player.asked_to_wait(at) {
            self.meter.count(Metric::RetryAfterHonoured, 1);
        }
    }

    fn now(&self) -> Duration {
        self.meter.clock().now()
    }

    /// Counts why the viewer leaves, and whether it ever saw anything (CTA-2066: start failures and exits before
    /// video start).
    fn count_departure(&mut self, reason: LeaveReason) {
        self.departure = Departure::Left(reason);
        let (why, unseen) = match reason {
            LeaveReason::GaveUp => (Metric::GaveUp, Metric::StartFailures),
            LeaveReason::SessionOver => (Metric::SessionsOver, Metric::ExitsBeforeStart),
        };
        self.meter.count(why, 1);
        if !self.began {
            self.meter.count(unseen, 1);
        }
        self.meter.set_state(ClientState::Leaving);
    }

    /// Counts what the player did since the previous call, and publishes its playback.
    fn settle(&mut self, now: Duration) {
        let tally = self.player.take_tally();
        let meter = Rc::clone(&self.meter);
        for (metric, amount) in [
            (Metric::StartupMicros, micros(tally.startup)),
            (Metric::PlayMicros, micros(tally.play)),
            (Metric::StallMicros, micros(tally.stall)),
            (Metric::Stalls, tally.stalls),
            (Metric::PlayedBytes, tally.played_bytes),
            (Metric::SegmentsSkipped, tally.segments_skipped),
            (Metric::EdgeJumps, tally.edge_jumps),
            (Metric::VariantSwitches, tally.variant_switches),
            (Metric::CachedReloads, tally.cached_reloads),
        ] {
            if amount > 0 {
                meter.count(metric, amount);
            }
        }
        if let Some(after) = tally.began {
            self.began = true;
            meter.count(Metric::PlaybackStarts, 1);
            meter.time(Timed::Startup, micros(after));
        }
        if let Some(latency) = tally.live_latency {
            meter.time(Timed::LiveLatency, micros(latency));
        }
        let playback = self.player.playback(now);
        self.events.settled(self.published.map(|before| before.state), playback.state, &tally);
        if self.published != Some(playback) {
            self.meter.publish(&playback);
            self.meter.plays(self.player.plays());
            self.published = Some(playback);
        }
    }
}

impl Drop for Viewer {
    fn drop(&mut self) {
        let now = self.now();
        self.player.leave(now);
        self.settle(now);
        let departure = if std::thread::panicking() { Departure::Panicked } else { self.departure };
        self.meter.end_session(departure);
        if self.slot.is_removed() && !self.began && !matches!(departure, Departure::Left(_)) {
            self.meter.count(Metric::ExitsBeforeStart, 1);
        }
    }
}
