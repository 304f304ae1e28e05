//! One worker thread: a single-threaded runtime and the clients that were dealt to it.
//!
//! Orders come over a bounded channel and are carried out one after the other. A client that is removed is aborted
//! at its await; its handle is dropped after its task has ended, so the slot is never shared.

use std::collections::HashMap;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};

use tokio::task::{AbortHandle, Id, JoinError, JoinSet, LocalSet};
use tokio::time::{Duration, MissedTickBehavior, interval};

use crate::base::{ClientState, Clock};
use crate::frame::Status;
use crate::net::Net;
use crate::pipeline::{Departure, Tap};
use crate::stats::ClientHandle;

use super::ClientSettings;
use super::client::{Client, Signals};
use super::story::Story;

/// Orders that may wait: a join storm is thousands of them, and the controller may wait too.
const ORDERS: usize = 1_024;
/// Each second is cut into so many turns, in each of which as large a share of the clients is sampled.
const TURNS: u32 = 20;
/// Weyl constant: spreads client numbers over the turns.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// What the controller wants of a worker.
#[derive(Debug)]
pub(super) enum Order {
    /// A client begins.
    Admit(ClientHandle),
    /// The client with this number leaves at once.
    Remove(u64),
    /// No new request starts; clients leave when theirs has ended.
    Drain,
    /// All clients leave at once.
    Cut,
}

/// The controller's end of a worker thread.
#[derive(Debug)]
pub(super) struct Worker {
    orders: flume::Sender<Order>,
    running: Arc<AtomicU64>,
    thread: JoinHandle<Vec<ClientHandle>>,
}

impl Worker {
    pub(super) fn start(
        index: usize,
        settings: ClientSettings,
        clock: Clock,
        status: Arc<Status>,
        tap: Tap,
    ) -> io::Result<Self> {
        let (orders, receiver) = flume::bounded(ORDERS);
        let running = Arc::new(AtomicU64::new(0));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let shared = Arc::clone(&running);
        let thread = thread::Builder::new().name(format!("worker-{index}")).spawn(move || {
            let floor = Floor {
                index,
                net: Net::new(settings.net.clone()),
                settings,
                clock,
                status,
                running: shared,
                tap: Rc::new(tap),
                turn: 0,
                clients: HashMap::new(),
                tasks: JoinSet::new(),
                by_task: HashMap::new(),
                draining: false,
            };
            LocalSet::new().block_on(&runtime, floor.work(receiver))
        })?;
        Ok(Self { orders, running, thread })
    }

    /// Clients whose life goes on; a client that was ordered counts before it has begun.
    pub(super) fn running(&self) -> u64 {
        self.running.load(Ordering::Acquire)
    }

    /// Gives an order. A worker that was lost to a panic takes none; that is noticed when it is joined.
    pub(super) async fn order(&self, order: Order) {
        if matches!(order, Order::Admit(_)) {
            self.running.fetch_add(1, Ordering::AcqRel);
        }
        _ = self.orders.send_async(order).await;
    }

    /// Waits for the thread. `None`: it was lost to a panic.
    pub(super) fn join(self) -> Option<Vec<ClientHandle>> {
        drop(self.orders);
        self.thread.join().ok()
    }
}

/// A client on its worker.
struct Entry {
    handle: ClientHandle,
    signals: Rc<Signals>,
    story: Rc<Story>,
    abort: AbortHandle,
    removed: bool,
    ended: bool,
}

/// What one worker thread holds.
struct Floor {
    index: usize,
    net: Rc<Net>,
    settings: ClientSettings,
    clock: Clock,
    status: Arc<Status>,
    running: Arc<AtomicU64>,
    tap: Rc<Tap>,
    turn: u32,
    clients: HashMap<u64, Entry>,
    tasks: JoinSet<()>,
    by_task: HashMap<Id, u64>,
    draining: bool,
}

impl Floor {
    /// Carries out orders until the clients have been told to leave and have left; returns those that are listed.
    async fn work(mut self, orders: flume::Receiver<Order>) -> Vec<ClientHandle> {
        let mut turns = interval(Duration::from_secs(1) / TURNS);
        // A turn that comes too late moves those behind it: no client is left out of its second.
        turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while !(self.draining && self.tasks.is_empty()) {
            tokio::select! {
                biased;
                Some(ended) = self.tasks.join_next_with_id() => self.end(&ended),
                _ = turns.tick() => self.sample(),
                order = orders.recv_async() => match order {
                    Ok(order) => self.carry_out(order),
                    // The controller is gone: nobody else would ever tell the clients to leave.
                    Err(_) => self.carry_out(Order::Cut),
                },
            }
        }
        self.clients.into_values().map(|entry| entry.handle).collect()
    }

    fn carry_out(&mut self, order: Order) {
        match order {
            Order::Admit(handle) if self.draining => {
                self.running.fetch_sub(1, Ordering::AcqRel);
                drop(handle);
            }
            Order::Admit(handle) => self.admit(handle),
            Order::Remove(id) => self.remove(id),
            Order::Drain => {
                self.draining = true;
                for entry in self.clients.values() {
                    entry.signals.drain();
                    if !entry.signals.is_busy() {
                        entry.abort.abort();
                    }
                }
            }
            Order::Cut => {
                self.draining = true;
                self.tasks.abort_all();
            }
        }
    }

    fn admit(&mut self, handle: ClientHandle) {
        let id = handle.id();
        let signals = Rc::new(Signals::default());
        let meter = handle.meter(self.index, self.clock);
        let story = Rc::new(Story::new(Rc::clone(&self.tap), handle.meter(self.index, self.clock)));
        story.joined();
        let (net, own) = (Rc::clone(&self.net), Rc::clone(&signals));
        let client = Client::new(&self.settings, net, meter, own, Rc::clone(&story));
        let abort = self.tasks.spawn_local(client.live());
        self.by_task.insert(abort.id(), id);
        self.clients.insert(id, Entry { handle, signals, story, abort, removed: false, ended: false });
    }

    /// Tells how the clients of this turn stand.
    fn sample(&mut self) {
        let turns = u64::from(TURNS);
        for (id, entry) in &self.clients {
            let its_turn = id.wrapping_mul(SPREAD) >> 32;
            if !entry.ended
                && its_turn % turns == u64::from(self.turn)
                && let Some(row) = entry.handle.row()
            {
                entry.story.sample(&row);
            }
        }
        self.turn = (self.turn + 1) % TURNS;
    }

    fn remove(&mut self, id: u64) {
        let Some(entry) = self.clients.get_mut(&id) else { return };
        if entry.ended {
            self.clients.remove(&id);
        } else {
            entry.removed = true;
            entry.abort.abort();
        }
    }

    /// A client's task has ended: by itself, because it was told to, or by a panic.
    fn end(&mut self, ended: &Result<(Id, ()), JoinError>) {
        self.running.fetch_sub(1, Ordering::AcqRel);
        let (task, why) = match ended {
            Ok((task, ())) if self.draining => (*task, Departure::Removed),
            Ok((task, ())) => (*task, Departure::Finished),
            Err(error) if error.is_panic() => (error.id(), Departure::Panicked),
            Err(error) => (error.id(), Departure::Removed),
        };
        let panicked = why == Departure::Panicked;
        if panicked {
            self.status.count_panic();
        }
        let Some(id) = self.by_task.remove(&task) else { return };
        let Some(entry) = self.clients.get_mut(&id) else { return };
        entry.ended = true;
        entry.story.left(why);
        if entry.removed {
            self.clients.remove(&id);
        } else if panicked {
            entry.handle.meter(self.index, self.clock).set_state(ClientState::Dead);
        }
    }
}
