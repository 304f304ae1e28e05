//! Thread of the sampler: a saturated runtime must not silence the numbers that would show it. A missed tick is skipped,
//! never made up for.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};

use tokio::sync::{oneshot, watch};

use super::sampler::TICK;
use super::{RunSample, Sampler};

/// Handle of the sampler's thread; gives access to the newest sample.
#[derive(Debug)]
pub struct SamplerHandle {
    sender: watch::Sender<Arc<RunSample>>,
    orders: Sender<Order>,
    selected: Arc<AtomicU64>,
    thread: JoinHandle<Sampler>,
}

/// Order for the sampler's thread.
#[derive(Debug)]
enum Order {
    /// Make the next sample a whole one, and also send it here.
    Whole(oneshot::Sender<Arc<RunSample>>),
    Stop,
}

/// Requests whole samples from a sampler.
#[derive(Clone, Debug)]
pub struct WholeSamples(Sender<Order>);

impl WholeSamples {
    /// Waits for the next sample, which is whole; `None` if the sampler has ended. Not for asynchronous code.
    pub fn next(&self) -> Option<Arc<RunSample>> {
        self.request()?.blocking_recv().ok()
    }

    /// Does the same without blocking the thread.
    pub async fn next_async(&self) -> Option<Arc<RunSample>> {
        self.request()?.await.ok()
    }

    fn request(&self) -> Option<oneshot::Receiver<Arc<RunSample>>> {
        let (reply, sample) = oneshot::channel();
        self.0.send(Order::Whole(reply)).ok()?;
        Some(sample)
    }
}

impl SamplerHandle {
    /// Returns a handle that requests whole samples.
    pub fn whole_samples(&self) -> WholeSamples {
        WholeSamples(self.orders.clone())
    }

    /// Returns a receiver of the newest sample.
    pub fn samples(&self) -> watch::Receiver<Arc<RunSample>> {
        self.sender.subscribe()
    }

    /// Returns the number of the client of which samples show more, to be set by the console; 0 for none.
    pub fn selected(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.selected)
    }

    /// Ends the thread. Returns its sampler, for the final sample, and the sender that publishes that sample to the
    /// readers. There is no sampler if the thread panicked.
    pub fn stop(self) -> (Option<Sampler>, watch::Sender<Arc<RunSample>>) {
        // Sending fails only if the thread has already ended.
        _ = self.orders.send(Order::Stop);
        (self.thread.join().ok(), self.sender)
    }
}

impl Sampler {
    /// Runs the sampler on a thread of its own.
    ///
    /// # Errors
    /// Fails if the thread could not be started.
    pub fn spawn(self) -> std::io::Result<SamplerHandle> {
        let sender = watch::Sender::new(Arc::new(RunSample::default()));
        let (samples, selected) = (sender.clone(), Arc::clone(&self.sources.selected));
        let (orders, taken) = channel();
        let thread =
            thread::Builder::new().name("sampler".to_owned()).spawn(move || self.run(&samples, &taken))?;
        Ok(SamplerHandle { sender, orders, selected, thread })
    }

    fn run(mut self, samples: &watch::Sender<Arc<RunSample>>, orders: &Receiver<Order>) -> Self {
        let mut due = self.sources.clock.now() + TICK;
        let mut asked = Vec::new();
        loop {
            let wait = due.saturating_sub(self.sources.clock.now());
            match orders.recv_timeout(wait) {
                Err(RecvTimeoutError::Timeout) => {}
                Ok(Order::Whole(reply)) => {
                    asked.push(reply);
                    continue;
                }
                Ok(Order::Stop) | Err(RecvTimeoutError::Disconnected) => return self,
            }
            let sample = if asked.is_empty() { self.next_sample() } else { self.next_whole_sample() };
            for reply in asked.drain(..) {
                // The requester may have gone.
                _ = reply.send(Arc::clone(&sample));
            }
            samples.send_replace(sample);
            let now = self.sources.clock.now();
            // Skip missed ticks.
            due = if now > due + TICK { now + TICK } else { due + TICK };
        }
    }
}
