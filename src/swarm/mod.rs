//! Where pure meets impure: clients that live on worker threads, and the controller that adds and removes them.
//!
//! * One single-threaded runtime for each core, clients dealt out among them: a client never moves, so its counters
//!   have one writer and its connections share one read buffer.
//! * A client is ended by dropping its future: whatever it awaited is cancelled, an open request ends as `cut`, its
//!   connections close. So there is nothing to select on along the path of a request.

#[cfg(test)]
mod abandoned_tests;
mod answer;
mod client;
mod controller;
mod decryption;
mod first_client;
mod inspection;
mod lanes;
mod library;
mod reach;
mod request;
mod seat;
mod story;
mod turns;
mod worker;

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::base::Clock;
use crate::frame::Status;
use crate::load::Reconnects;
use crate::net;
use crate::pipeline::Tap;
use crate::player;
use crate::stats::{ClientHandle, Registry};

pub use controller::{Controller, Ending, Plan};
pub use first_client::Ahead;
pub use library::Witness;
use worker::{Order, Worker};

/// How long workers may take to end after their last client has gone; one that hangs is left behind.
const JOIN_LIMIT: Duration = Duration::from_secs(2);

/// What every client of a run is made from.
#[derive(Clone, Debug)]
pub struct ClientSettings {
    /// What they play and how.
    pub player: Arc<player::Settings>,
    /// Connections, TLS, headers.
    pub net: net::Settings,
    /// Media that is encrypted as a whole is decrypted.
    pub decrypt: bool,
    /// Same seed, same choices.
    pub seed: u64,
    /// When clients that could not connect may try again.
    pub reconnects: Arc<Reconnects>,
    /// Who is given every playlist that is read.
    pub witness: Option<Witness>,
}

/// The worker threads and the clients that were admitted to them.
#[derive(Debug)]
pub struct Swarm {
    registry: Arc<Registry>,
    workers: Vec<Worker>,
    /// Clients in the order of their admission: the newest leave first.
    admitted: Vec<(u64, usize)>,
    dealt: usize,
}

impl Swarm {
    /// Starts a worker thread for each of `taps`, with a runtime of its own.
    ///
    /// # Errors
    /// A thread or its runtime could not be started.
    pub fn start(
        registry: Arc<Registry>,
        status: &Arc<Status>,
        clock: Clock,
        settings: &ClientSettings,
        taps: Vec<Tap>,
    ) -> std::io::Result<Self> {
        let start =
            |(index, tap)| Worker::start(index, &registry, settings.clone(), clock, Arc::clone(status), tap);
        let workers = taps.into_iter().enumerate().map(start).collect::<Result<_, _>>()?;
        Ok(Self { registry, workers, admitted: Vec::new(), dealt: 0 })
    }

    /// Clients that were admitted and have not been removed, those that have finished included.
    fn admitted(&self) -> u32 {
        u32::try_from(self.admitted.len()).unwrap_or(u32::MAX)
    }

    /// Clients whose life goes on.
    fn running(&self) -> u64 {
        self.workers.iter().map(Worker::running).sum()
    }

    /// Admits one client to the next worker.
    async fn admit(&mut self) {
        let handle = self.registry.add();
        let index = self.dealt % self.workers.len().max(1);
        self.dealt += 1;
        self.admitted.push((handle.id(), index));
        if let Some(worker) = self.workers.get(index) {
            worker.order(Order::Admit(handle)).await;
        }
    }

    /// Removes the client that was admitted last.
    async fn remove_newest(&mut self) {
        if let Some((id, index)) = self.admitted.pop()
            && let Some(worker) = self.workers.get(index)
        {
            worker.order(Order::Remove(id)).await;
        }
    }

    /// No new request starts; those in flight finish.
    async fn drain(&self) {
        for worker in &self.workers {
            worker.order(Order::Drain).await;
        }
    }

    /// Every client ends now.
    async fn cut(&self) {
        for worker in &self.workers {
            worker.order(Order::Cut).await;
        }
    }

    /// Waits for the workers, which must have been drained or cut, and returns the clients that were listed at the
    /// end and how many workers were lost to a panic or hang. The clients stay listed as long as they are kept.
    pub fn join(self) -> (Vec<ClientHandle>, usize) {
        let (mut clients, mut lost) = (Vec::new(), 0);
        let end = Instant::now() + JOIN_LIMIT;
        for worker in self.workers {
            match worker.join(end) {
                Some(handles) => clients.extend(handles),
                None => lost += 1,
            }
        }
        (clients, lost)
    }
}
