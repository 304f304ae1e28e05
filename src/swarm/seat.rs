//! One place among the clients of a worker, and who sits in it: a viewer that leaves makes room for another.
//!
//! * A viewer that gave up is replaced after a back-off that grows while the origin stays unusable, and not before its
//!   [`Allowance`] is full again: viewers that leave and return are the same load. One whose session was over is
//!   replaced at once. The new one is a client of its own: a new number, new connections, nothing remembered.
//! * The seat keeps the client's handle outside its task: the last numbers of a client outlive the task, and the
//!   handle is dropped only after the client.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use tokio::time::{Instant, sleep_until};

use super::ClientSettings;
use super::client::{Client, End, SEED_STEP};
use super::library::Library;
use super::reach::Reach;
use super::story::Story;
use crate::base::{ClientState, Clock, SecretUrl};
use crate::net::Net;
use crate::pipeline::{self, Tap};
use crate::player::{Allowance, Backoff, Departure};
use crate::stats::{ClientHandle, Metric, Registry};

/// What the clients of one worker thread are made from.
pub(super) struct Shared {
    pub(super) index: usize,
    pub(super) registry: Arc<Registry>,
    pub(super) settings: ClientSettings,
    pub(super) net: Rc<Net>,
    pub(super) clock: Clock,
    pub(super) tap: Rc<Tap>,
    pub(super) library: Rc<Library>,
}

/// Who sits in a seat.
struct Occupant {
    handle: ClientHandle,
    story: Rc<Story>,
}

impl Occupant {
    /// A client that has joined.
    fn new(shared: &Shared, handle: ClientHandle) -> Self {
        let story = Story::new(Rc::clone(&shared.tap), handle.meter(shared.index, shared.clock));
        story.joined();
        Self { handle, story: Rc::new(story) }
    }
}

/// A request that is open as long as this lives.
pub(super) struct OpenRequest<'a>(&'a Cell<u32>);

impl Drop for OpenRequest<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

/// What a worker and the client in a seat tell each other, and who that client is.
pub(super) struct Seat {
    shared: Rc<Shared>,
    occupant: RefCell<Option<Occupant>>,
    /// No new request may start.
    draining: Cell<bool>,
    /// Requests that are open: the client must not be dropped while they can still finish.
    open: Cell<u32>,
    reach: Reach,
    /// The operator took the client away.
    removed: Cell<bool>,
    /// Of the viewer that sat here last.
    allowance: Cell<Allowance>,
}

impl Seat {
    /// A seat for the client with this handle.
    pub(super) fn new(shared: Rc<Shared>, handle: ClientHandle) -> Self {
        Self {
            occupant: RefCell::new(Some(Occupant::new(&shared, handle))),
            reach: Reach::new(Arc::clone(&shared.settings.reconnects)),
            shared,
            draining: Cell::default(),
            open: Cell::default(),
            removed: Cell::default(),
            allowance: Cell::default(),
        }
    }

    /// The seed of what is decided here and not by a client.
    fn seed(&self) -> u64 {
        let first = self.occupant.borrow().as_ref().map_or(0, |occupant| occupant.handle.id());
        self.shared.settings.seed ^ first.wrapping_mul(SEED_STEP)
    }

    /// Whether media that is encrypted as a whole is decrypted.
    pub(super) fn decrypts(&self) -> bool {
        self.shared.settings.decrypt
    }

    /// The playlists that this worker's clients share.
    pub(super) fn library(&self) -> &Library {
        &self.shared.library
    }

    /// The requests that the next viewer may let follow failures.
    pub(super) fn allowance(&self) -> Allowance {
        self.allowance.get()
    }

    pub(super) fn drain(&self) {
        self.draining.set(true);
    }

    pub(super) fn is_draining(&self) -> bool {
        self.draining.get()
    }

    /// Counts a request as open until the guard is dropped. A client that could not connect waits for its turn
    /// first: that wait is no part of the request. `None`: the run drains, and no request begins.
    pub(super) async fn begin_request(&self, url: &SecretUrl) -> Option<OpenRequest<'_>> {
        let clock = self.shared.clock;
        if let Some(until) = self.reach.wait_until(url, || clock.now()) {
            sleep_until(Instant::from_std(clock.origin() + until)).await;
        }
        (!self.is_draining()).then(|| {
            self.open.set(self.open.get() + 1);
            OpenRequest(&self.open)
        })
    }

    /// The hosts that this seat's clients cannot reach.
    pub(super) fn reach(&self) -> &Reach {
        &self.reach
    }

    /// Whether a request is open.
    pub(super) fn is_busy(&self) -> bool {
        self.open.get() > 0
    }

    pub(super) fn remove(&self) {
        self.removed.set(true);
    }

    pub(super) fn is_removed(&self) -> bool {
        self.removed.get()
    }

    /// The client is no more.
    pub(super) fn left(&self, why: pipeline::Departure) {
        let occupant = self.occupant.borrow();
        let Some(Occupant { handle, story }) = &*occupant else { return };
        story.left(why);
        if why == pipeline::Departure::Panicked {
            handle.meter(self.shared.index, self.shared.clock).set_state(ClientState::Dead);
        }
    }

    /// Tells how the client stands.
    pub(super) fn sample(&self) {
        let occupant = self.occupant.borrow();
        if let Some(Occupant { handle, story }) = &*occupant
            && let Some(row) = handle.row()
        {
            story.sample(&row);
        }
    }

    /// The handle of who sits here at the end.
    pub(super) fn handle(&self) -> Option<ClientHandle> {
        self.occupant.take().map(|occupant| occupant.handle)
    }

    /// A life for who sits here, on the heap: the task would keep it twice.
    fn client(self: &Rc<Self>) -> Option<Box<Client>> {
        let occupant = self.occupant.borrow();
        let Occupant { handle, story } = occupant.as_ref()?;
        let meter = handle.meter(self.shared.index, self.shared.clock);
        Some(Box::new(Client::new(&self.shared, meter, Rc::clone(story), Rc::clone(self))))
    }

    /// The viewer leaves.
    fn vacate(&self, departure: Departure) {
        self.left(match departure {
            Departure::GaveUp => pipeline::Departure::GaveUp,
            Departure::SessionOver => pipeline::Departure::SessionOver,
        });
        drop(self.occupant.take());
    }

    /// Another takes the place.
    fn fill(&self) {
        let Shared { registry, index, clock, .. } = &*self.shared;
        let handle = registry.add();
        handle.meter(*index, *clock).count(Metric::Replacements, 1);
        self.occupant.replace(Some(Occupant::new(&self.shared, handle)));
    }
}

/// One client after the other, until one ends that makes no room for another.
pub(super) async fn occupy(seat: Rc<Seat>) -> End {
    let clock = seat.shared.clock;
    let mut backoff = Backoff::new(seat.seed());
    while let Some(client) = seat.client() {
        let end = client.live().await;
        let allowance = client.allowance();
        seat.allowance.set(allowance);
        drop(client);
        let End::Left(departure) = end else { return end };
        seat.vacate(departure);
        if departure == Departure::GaveUp {
            let until = allowance.successor_at(clock.now(), &mut backoff);
            sleep_until(Instant::from_std(clock.origin() + until)).await;
        }
        if seat.is_draining() {
            break;
        }
        seat.fill();
    }
    End::Drained
}
