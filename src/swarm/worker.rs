//! One worker thread: a single-threaded runtime and the clients that were dealt to it.
//!
//! Orders arrive over a bounded channel and are carried out one after another. A client that is removed is aborted
//! at its await; its handle is dropped after its task has ended, so two clients never share a slot.

use std::collections::HashMap;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, LocalOptions};
use tokio::task::{AbortHandle, Id, JoinError, JoinSet};
use tokio::time::{MissedTickBehavior, interval};

use crate::generator::WorkerGauge;
use crate::pipeline::Tap;
use crate::run_state::Status;
use crate::sample::Sources;
use crate::stats::ClientHandle;
use crate::sync::live_tasks::LiveTasks;
use crate::vocabulary::Departure;

use super::ClientSettings;
use super::cast::{Admission, Part};
use super::client_slot::{ClientSlot, Shared};
use super::examples::Examples;
use super::playlist_cache::PlaylistCache;
use super::sample_schedule::{SampleSchedule, TURN};
use super::sessions::run_sessions;

/// Maximum number of orders that may wait: a join storm is thousands of them, and the controller may wait too.
const ORDERS: usize = 1_024;

/// Time between two checks whether a thread has ended.
const JOIN_POLL: Duration = Duration::from_millis(1);

/// An order from the controller to a worker.
#[derive(Debug)]
pub(super) enum Order {
    /// Admits a client.
    Admit(ClientHandle, Admission),
    /// Removes the client with this number at once.
    Remove(u64),
    /// Lets no new request start; clients leave when their open requests have ended.
    Drain,
    /// Makes all clients leave at once.
    Cut,
}

/// The controller's end of a worker thread.
#[derive(Debug)]
pub(super) struct Worker {
    orders: flume::Sender<Order>,
    running: Arc<LiveTasks>,
    thread: JoinHandle<Vec<ClientHandle>>,
}

impl Worker {
    /// Starts a worker thread, which sends the numbers of clients that have ended to `ends`, and forgets these clients.
    ///
    /// # Errors
    /// Fails if the thread or its runtime could not be started.
    pub(super) fn start(
        index: usize,
        sources: Sources,
        settings: ClientSettings,
        tap: Tap,
        ends: Option<flume::Sender<u64>>,
    ) -> io::Result<Self> {
        let (orders, receiver) = flume::bounded(ORDERS);
        let (begun, has_begun) = flume::bounded(1);
        let running = Arc::new(LiveTasks::default());
        let counter = Arc::clone(&running);
        let thread = thread::Builder::new().name(format!("worker-{index}")).spawn(move || {
            // A `LocalRuntime` is `!Send`: build it on its own thread and send any error back through `begun`.
            let runtime =
                match Builder::new_current_thread().enable_all().build_local(LocalOptions::default()) {
                    Ok(runtime) => runtime,
                    Err(error) => {
                        _ = begun.send(Err(error));
                        return Vec::new();
                    }
                };
            _ = begun.send(Ok(()));
            // Clients of a thread share its state through `Rc`, so that state is created here, too.
            let parts = settings.cast.parts();
            let budget = Arc::clone(&settings.cast.first.net.budget);
            let playlist_cache = Rc::new(PlaylistCache::new(budget, settings.playlist_tap.clone()));
            let Sources { registry, status, workers, clock, .. } = sources;
            let (tap, examples) = (Rc::new(tap), Rc::new(Examples::new(&settings)));
            let shared = Shared { index, registry, settings, clock, tap, playlist_cache, examples };
            let floor = WorkerLoop {
                shared: Rc::new(shared),
                parts,
                status,
                gauges: workers,
                running: counter,
                turns: SampleSchedule::default(),
                clients: HashMap::new(),
                tasks: JoinSet::new(),
                by_task: HashMap::new(),
                draining: false,
                ends,
            };
            runtime.block_on(floor.work(receiver))
        })?;
        // Wait for the runtime, so that its failure is an error of this call.
        has_begun.recv().unwrap_or_else(|_| Err(io::ErrorKind::Other.into()))?;
        Ok(Self { orders, running, thread })
    }

    /// Returns the number of clients that are still running. A client counts from its order on, before it has begun.
    pub(super) fn running(&self) -> u64 {
        self.running.present()
    }

    /// Sends an order. A worker that was lost to a panic takes none; [`Closed::join`] notices that.
    pub(super) async fn order(&self, order: Order) {
        if matches!(order, Order::Admit(..)) {
            self.running.enter();
        }
        _ = self.orders.send_async(order).await;
    }

    /// Closes the channel of orders, after which the thread ends by itself.
    pub(super) fn close(self) -> Closed {
        Closed(self.thread)
    }
}

/// Thread of a worker that takes no more orders.
pub(super) struct Closed(JoinHandle<Vec<ClientHandle>>);

impl Closed {
    /// Waits for the thread, until `end` at most. Returns `None` if it was lost to a panic or hangs.
    pub(super) fn join(self, end: Instant) -> Option<Vec<ClientHandle>> {
        // The standard library has no join with a limit.
        while !self.0.is_finished() {
            if Instant::now() >= end {
                return None;
            }
            thread::sleep(JOIN_POLL);
        }
        self.0.join().ok()
    }
}

/// A slot on its worker.
struct Entry {
    slot: Rc<ClientSlot>,
    abort: AbortHandle,
    ended: bool,
}

/// State of one worker thread.
struct WorkerLoop {
    shared: Rc<Shared>,
    /// By the number of the kind; never empty.
    parts: Vec<Rc<Part>>,
    status: Arc<Status>,
    gauges: Arc<[WorkerGauge]>,
    running: Arc<LiveTasks>,
    turns: SampleSchedule,
    /// Slots by the number of their first client, which is the number that the controller knows.
    clients: HashMap<u64, Entry>,
    tasks: JoinSet<Departure>,
    by_task: HashMap<Id, u64>,
    draining: bool,
    /// `None` if clients that leave are replaced, and those that have finished stay listed.
    ends: Option<flume::Sender<u64>>,
}

impl WorkerLoop {
    /// Carries out orders until the clients have been ordered to leave and have left. Returns those that are still
    /// listed.
    async fn work(mut self, orders: flume::Receiver<Order>) -> Vec<ClientHandle> {
        self.probe();
        let mut turns = interval(TURN);
        turns.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut has_controller = true;
        while !(self.draining && self.tasks.is_empty()) {
            tokio::select! {
                biased;
                Some(ended) = self.tasks.join_next_with_id() => self.end(&ended),
                _ = turns.tick() => self.sample(),
                // A closed channel is always ready: polling it again would never let the aborted tasks run.
                order = orders.recv_async(), if has_controller => match order {
                    Ok(order) => self.carry_out(order),
                    // The controller is gone: no further order would ever make the clients leave.
                    Err(_) => {
                        has_controller = false;
                        self.carry_out(Order::Cut);
                    }
                },
            }
        }
        self.clients.into_values().filter_map(|entry| entry.slot.handle()).collect()
    }

    fn carry_out(&mut self, order: Order) {
        match order {
            Order::Admit(handle, _) if self.draining => {
                self.running.leave();
                drop(handle);
            }
            Order::Admit(handle, admission) => self.admit(handle, admission),
            Order::Remove(id) => self.remove(id),
            Order::Drain => {
                self.draining = true;
                for entry in self.clients.values() {
                    entry.slot.drain();
                    if !entry.slot.is_busy() {
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

    fn admit(&mut self, handle: ClientHandle, Admission { kind, place }: Admission) {
        let Some(part) = self.parts.get(kind).or(self.parts.first()) else {
            return;
        };
        let part = match &self.shared.settings.cast.personal {
            Some(personal) => Rc::new(personal.part(part, place)),
            None => Rc::clone(part),
        };
        let id = handle.id();
        let slot = Rc::new(ClientSlot::new(Rc::clone(&self.shared), part, handle));
        let abort = self.tasks.spawn_local(run_sessions(Rc::clone(&slot)));
        self.by_task.insert(abort.id(), id);
        self.clients.insert(id, Entry { slot, abort, ended: false });
    }

    /// Measures how promptly this worker runs, until its runtime ends.
    fn probe(&self) {
        let (gauges, index) = (Arc::clone(&self.gauges), self.shared.index);
        tokio::task::spawn_local(async move {
            if let Some(gauge) = gauges.get(index) {
                gauge.probe().await;
            }
        });
    }

    /// Samples the clients whose turn it is, and updates the gauge of clients.
    fn sample(&mut self) {
        let due = self.turns.take(self.shared.clock.now());
        for (id, entry) in &self.clients {
            if !entry.ended && due.holds(*id) {
                entry.slot.sample();
            }
        }
        if let Some(gauge) = self.gauges.get(self.shared.index) {
            gauge.set_clients(self.tasks.len() as u64);
        }
    }

    fn remove(&mut self, id: u64) {
        let Some(entry) = self.clients.get_mut(&id) else { return };
        if entry.ended {
            self.clients.remove(&id);
        } else {
            entry.slot.remove();
            entry.abort.abort();
        }
    }

    /// Handles the end of a client's task: by itself, by an order, or by a panic.
    fn end(&mut self, ended: &Result<(Id, Departure), JoinError>) {
        self.running.leave();
        let (task, why) = match ended {
            Ok((task, why)) => (*task, *why),
            Err(error) if error.is_panic() => (error.id(), Departure::Panicked),
            Err(error) => (error.id(), Departure::Removed),
        };
        if why == Departure::Panicked {
            self.status.count_panic();
        }
        let Some(id) = self.by_task.remove(&task) else { return };
        let Some(entry) = self.clients.get_mut(&id) else { return };
        entry.ended = true;
        entry.slot.left(why);
        if entry.slot.is_removed() || self.ends.is_some() {
            self.clients.remove(&id);
        }
        if let Some(ends) = &self.ends {
            // Only the end of the controller can keep it from being taken.
            _ = ends.try_send(id);
        }
    }
}
