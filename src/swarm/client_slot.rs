//! A slot for one client of a worker: the state through which the worker and the client communicate.
//!
//! The slot keeps the client's handle outside the client's task, so that the last numbers of a client outlive the
//! task and the handle is dropped only after the client.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use tokio::time::{Instant, sleep_until};

use super::ClientSettings;
use super::cast::Part;
use super::client_events::ClientEvents;
use super::examples::Examples;
use super::playlist_cache::PlaylistCache;
use super::reach::Reach;
use crate::net::scope::Scope;
use crate::pipeline::Tap;
use crate::player::Allowance;
use crate::stats::{ClientHandle, Meter, Metric, Registry};
use crate::vocabulary::clock::micros;
use crate::vocabulary::{ClientState, Clock, Departure, LeaveReason, SecretUrl};

/// Weyl constant: spreads client numbers over the seeds.
const SEED_STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// Returns the seed of a client's choices.
pub(super) fn client_seed(run: u64, client: u64) -> u64 {
    run ^ client.wrapping_mul(SEED_STEP)
}

/// Everything that the clients of one worker thread share.
pub(super) struct Shared {
    pub(super) index: usize,
    pub(super) registry: Arc<Registry>,
    pub(super) settings: ClientSettings,
    pub(super) clock: Clock,
    pub(super) tap: Rc<Tap>,
    pub(super) playlist_cache: Rc<PlaylistCache>,
    pub(super) examples: Rc<Examples>,
}

/// The client in a slot.
struct Session {
    handle: ClientHandle,
    events: Rc<ClientEvents>,
}

impl Session {
    /// Creates the session of a client, and reports that the client has joined.
    fn new(shared: &Shared, part: &Part, handle: ClientHandle) -> Self {
        let meter = handle.meter(shared.index, shared.clock);
        meter.joined(part.target, part.member);
        let events = ClientEvents::new(Rc::clone(&shared.tap), meter, Rc::clone(&shared.examples));
        events.joined();
        Self { handle, events: Rc::new(events) }
    }
}

impl AsRef<Scope> for ClientSlot {
    fn as_ref(&self) -> &Scope {
        self.scope()
    }
}

/// Guard of an open request: the request counts as open as long as the guard lives.
pub(super) struct RequestGuard<'a>(&'a Cell<u32>);

impl Drop for RequestGuard<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

/// State through which a worker and the client in a slot communicate, and the session of that client.
pub(super) struct ClientSlot {
    shared: Rc<Shared>,
    part: Rc<Part>,
    session: RefCell<Option<Session>>,
    /// True once no new request may start.
    draining: Cell<bool>,
    /// Number of open requests: the client must not be dropped while they can still finish.
    open: Cell<u32>,
    reach: Reach,
    /// True once the operator has removed the client.
    removed: Cell<bool>,
    /// Allowance of the previous viewer in this slot.
    allowance: Cell<Allowance>,
}

impl ClientSlot {
    /// Creates a slot for the client with this handle.
    pub(super) fn new(shared: Rc<Shared>, part: Rc<Part>, handle: ClientHandle) -> Self {
        Self {
            session: RefCell::new(Some(Session::new(&shared, &part, handle))),
            part,
            reach: Reach::new(Arc::clone(&shared.settings.reconnects)),
            shared,
            draining: Cell::default(),
            open: Cell::default(),
            removed: Cell::default(),
            allowance: Cell::default(),
        }
    }

    /// Returns the seed of the choices that the slot makes, as opposed to its clients.
    pub(super) fn seed(&self) -> u64 {
        let first = self.session.borrow().as_ref().map_or(0, |session| session.handle.id());
        client_seed(self.shared.settings.seed, first)
    }

    /// Returns the part that its clients play.
    pub(super) fn part(&self) -> &Part {
        &self.part
    }

    /// Returns everything that the clients of its worker share.
    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// Stores the allowance of the viewer that leaves: the requests that may still follow failures.
    pub(super) fn pass_on(&self, allowance: Allowance) {
        self.allowance.set(allowance);
    }

    /// Returns the hosts, schemes and addresses that clients may use.
    pub(super) fn scope(&self) -> &Scope {
        self.part.net.scope()
    }

    /// Reports whether media that is encrypted as a whole is decrypted.
    pub(super) fn decrypts(&self) -> bool {
        self.shared.settings.decrypt
    }

    /// Returns the playlists that this worker's clients share.
    pub(super) fn playlist_cache(&self) -> &PlaylistCache {
        &self.shared.playlist_cache
    }

    /// Returns the allowance that the next viewer inherits: its requests that may follow failures.
    pub(super) fn allowance(&self) -> Allowance {
        self.allowance.get()
    }

    pub(super) fn drain(&self) {
        self.draining.set(true);
    }

    pub(super) fn is_draining(&self) -> bool {
        self.draining.get()
    }

    /// Counts a request as open until the guard is dropped. A client that could not connect first waits for its turn,
    /// which does not count as part of the request. Returns `None` if the run drains: then no request begins.
    pub(super) async fn begin_request(&self, url: &SecretUrl) -> Option<RequestGuard<'_>> {
        let clock = self.shared.clock;
        if let Some(until) = self.reach.wait_until(url, || clock.now()) {
            sleep_until(Instant::from_std(clock.origin() + until)).await;
        }
        (!self.is_draining()).then(|| {
            self.open.set(self.open.get() + 1);
            RequestGuard(&self.open)
        })
    }

    /// Returns the hosts that this slot's clients cannot reach.
    pub(super) fn reach(&self) -> &Reach {
        &self.reach
    }

    /// Reports whether a request is open.
    pub(super) fn is_busy(&self) -> bool {
        self.open.get() > 0
    }

    pub(super) fn remove(&self) {
        self.removed.set(true);
    }

    pub(super) fn is_removed(&self) -> bool {
        self.removed.get()
    }

    /// Reports that the client has left; after a panic its state becomes `Dead`.
    pub(super) fn left(&self, why: Departure) {
        let session = self.session.borrow();
        let Some(Session { handle, events }) = &*session else { return };
        events.left(why);
        if why == Departure::Panicked {
            handle.meter(self.shared.index, self.shared.clock).set_state(ClientState::Dead);
        }
    }

    /// Offers a sample of the client to the pipeline.
    pub(super) fn sample(&self) {
        let session = self.session.borrow();
        if let Some(Session { handle, events }) = &*session
            && let Some(row) = handle.row()
        {
            events.sample(&row);
        }
    }

    /// Takes the handle of the client that is in the slot at the end.
    pub(super) fn handle(&self) -> Option<ClientHandle> {
        self.session.take().map(|session| session.handle)
    }

    /// Returns the meter and the events of the client in the slot, `None` if the slot is empty.
    pub(super) fn session(&self) -> Option<(Meter, Rc<ClientEvents>)> {
        let session = self.session.borrow();
        let Session { handle, events } = session.as_ref()?;
        Some((handle.meter(self.shared.index, self.shared.clock), Rc::clone(events)))
    }

    /// Ends the session of the viewer that leaves.
    pub(super) fn end_session(&self, reason: LeaveReason) {
        self.left(Departure::Left(reason));
        drop(self.session.take());
    }

    /// Starts the session of a new client that replaces the previous one.
    pub(super) fn start_session(&self) {
        let Shared { registry, index, clock, .. } = &*self.shared;
        let handle = registry.add_at(micros(clock.now()));
        handle.meter(*index, *clock).count(Metric::Replacements, 1);
        self.session.replace(Some(Session::new(&self.shared, &self.part, handle)));
    }
}
