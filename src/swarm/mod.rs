//! Clients on worker threads, and the [`Engine`] through which the controller admits and removes them. Here the pure
//! player meets the network.
//!
//! * There is one single-threaded runtime for each core, and clients are dealt out among them: a client never moves,
//!   so its counters have one writer and its connections share one read buffer.
//! * A client is ended by dropping its future: everything it awaited is cancelled, an open request ends as `cut`, and
//!   its connections close. So there is nothing to select on along the path of a request.

#[cfg(test)]
mod abandoned_tests;
mod answer;
mod cast;
mod client;
mod client_data;
mod client_events;
mod client_slot;
mod decryption;
mod examples;
mod failed_answer;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod inspection;
mod ladder;
mod lanes;
mod placement;
mod playlist_cache;
mod probe_tap;
mod reach;
mod request;
mod sample_schedule;
mod scope;
mod sessions;
mod worker;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::control::Engine;
use crate::forecast::Probed;
use crate::load::Reconnects;
use crate::pipeline::Tap;
use crate::sample::Sources;
use crate::stats::{ClientHandle, Registry};
use crate::vocabulary::{Clock, clock, limits};

#[cfg(test)]
pub use cast::Admission;
pub use cast::{Cast, ClientKind, Dealer, Personal};
pub use client_data::{ClientData, DataOrder, RowOfData};
use placement::Placement;
pub use playlist_cache::PlaylistTap;
use worker::{Order, Worker};

/// Maximum time for all workers to end when they are joined; a worker that hangs is abandoned.
const JOIN_LIMIT: Duration = Duration::from_secs(2);

/// Settings of every client of a run.
#[derive(Clone, Debug)]
pub struct ClientSettings {
    /// Streams, players, connections, headers.
    pub cast: Cast,
    /// True if media that is encrypted as a whole is decrypted.
    pub decrypt: bool,
    /// Seed of the clients' choices: the same seed leads to the same choices.
    pub seed: u64,
    /// True if a client that leaves is replaced; otherwise others arrive by themselves.
    pub replaces: bool,
    /// Slots in which clients that could not connect may retry.
    pub reconnects: Arc<Reconnects>,
    /// Channel that receives every playlist that is read; `None` if no one reads it.
    pub playlist_tap: Option<PlaylistTap>,
    /// Channel that receives the responses to the first client; `None` if no one reads it.
    pub probe: Option<flume::Sender<Probed>>,
}

/// Worker threads and the clients that were admitted to them.
#[derive(Debug)]
pub struct Swarm {
    registry: Arc<Registry>,
    workers: Vec<Worker>,
    /// Workers of the clients by their numbers, which rise: the newest leave first.
    admitted: BTreeMap<u64, usize>,
    /// Numbers of clients that have ended and are not replaced.
    ended: flume::Receiver<u64>,
    placement: Placement,
    dealer: Dealer,
    /// True if clients keep their places: those that leave are the newest.
    keeps_places: bool,
    clock: Clock,
}

impl Swarm {
    /// Starts a worker thread, with a runtime of its own, for each of `taps`.
    ///
    /// # Errors
    /// Fails if a thread or its runtime could not be started.
    pub fn start(sources: &Sources, settings: &ClientSettings, taps: Vec<Tap>) -> std::io::Result<Self> {
        // Room for every client that may be there: no worker ever waits for the controller to look.
        let (ends, ended) = flume::bounded(limits::CLIENTS as usize);
        let start = |(index, tap)| {
            let ends = (!settings.replaces).then(|| ends.clone());
            Worker::start(index, sources.clone(), settings.clone(), tap, ends)
        };
        let workers = taps.into_iter().enumerate().map(start).collect::<Result<Vec<_>, _>>()?;
        let placement = Placement::new(workers.len(), sources.canary);
        Ok(Self {
            registry: Arc::clone(&sources.registry),
            workers,
            admitted: BTreeMap::new(),
            ended,
            placement,
            dealer: Dealer::new(&settings.cast, settings.seed),
            keeps_places: settings.replaces,
            clock: sources.clock,
        })
    }
}

impl Engine for Swarm {
    type Clients = Vec<ClientHandle>;

    fn admitted(&self) -> u32 {
        u32::try_from(self.admitted.len()).unwrap_or(u32::MAX)
    }

    fn running(&self) -> u64 {
        self.workers.iter().map(Worker::running).sum()
    }

    fn forget_ended(&mut self) {
        for id in self.ended.try_iter() {
            self.admitted.remove(&id);
        }
    }

    async fn admit(&mut self) {
        let handle = self.registry.add_at(clock::micros(self.clock.now()));
        let index = self.placement.next(self.admitted());
        let admission = match self.keeps_places {
            true => self.dealer.admit_at(self.admitted.len()),
            false => self.dealer.admit(),
        };
        self.admitted.insert(handle.id(), index);
        if let Some(worker) = self.workers.get(index) {
            worker.order(Order::Admit(handle, admission)).await;
        }
    }

    async fn remove_newest(&mut self) {
        if let Some((id, index)) = self.admitted.pop_last()
            && let Some(worker) = self.workers.get(index)
        {
            worker.order(Order::Remove(id)).await;
        }
    }

    async fn drain(&self) {
        for worker in &self.workers {
            worker.order(Order::Drain).await;
        }
    }

    async fn cut(&self) {
        for worker in &self.workers {
            worker.order(Order::Cut).await;
        }
    }

    fn join(self) -> (Vec<ClientHandle>, usize) {
        let (mut clients, mut lost) = (Vec::new(), 0);
        // Every channel is closed first: a worker that has missed its order to cut ends by that, while another one is
        // waited for.
        let threads: Vec<_> = self.workers.into_iter().map(Worker::close).collect();
        let end = Instant::now() + JOIN_LIMIT;
        for thread in threads {
            match thread.join(end) {
                Some(handles) => clients.extend(handles),
                None => lost += 1,
            }
        }
        (clients, lost)
    }
}
