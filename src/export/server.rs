//! Serves `/metrics`, `/healthz` and `/readyz`, within the bounds of [`local_http`](crate::local_http).

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::catalogue::render;
use super::exposition::Format;
use super::scrape::{RunFacts, Scrape};
use crate::local_http::{Method, Reply, Replying, Request, Service};
use crate::sample::{RunSample, WholeSamples};
use crate::vocabulary::RunState;

/// Age from which on a sample means that the sampler does not tick: eight ticks.
const STALE: Duration = Duration::from_secs(2);

/// Scrapes so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct Scrapes {
    /// Time of the last scrape.
    pub last: Option<Instant>,
    /// Time between the last two.
    pub interval: Option<Duration>,
    /// True once the numbers at the end of the run have been scraped.
    pub is_final: bool,
}

impl Scrapes {
    fn add(&mut self, at: Instant, is_final: bool) {
        self.interval = self.last.map(|last| at.saturating_duration_since(last));
        self.last = Some(at);
        self.is_final |= is_final;
    }
}

/// The endpoint: sources of its replies.
#[derive(Debug)]
pub struct Endpoint {
    facts: RunFacts,
    samples: watch::Receiver<Arc<RunSample>>,
    whole: WholeSamples,
    scrapes: watch::Sender<Scrapes>,
}

impl Endpoint {
    /// Creates the endpoint of a run. `samples` brings every sample, `whole` makes one on request.
    pub fn new(facts: RunFacts, samples: watch::Receiver<Arc<RunSample>>, whole: WholeSamples) -> Self {
        Self { facts, samples, whole, scrapes: watch::Sender::default() }
    }

    /// Returns a receiver of the scrapes so far.
    pub fn scrapes(&self) -> watch::Receiver<Scrapes> {
        self.scrapes.subscribe()
    }

    async fn metrics(&self, format: Format, method: Method) -> Reply {
        let sample = match self.whole.next_async().await {
            Some(sample) => Some(sample),
            None => self.last_sample().await,
        };
        let scrape = sample.as_deref().and_then(|sample| Scrape::new(&self.facts, sample));
        let Some(scrape) = scrape else { return Reply::line("503 Service Unavailable", "the run has ended") };
        let reply = Reply::new("200 OK", format.content_type(), render(&scrape, format));
        if method != Method::Get {
            return reply;
        }
        let (scrapes, is_final) = (self.scrapes.clone(), scrape.sample.state == RunState::Finished);
        reply.once_sent(move || scrapes.send_modify(|scrapes| scrapes.add(Instant::now(), is_final)))
    }

    /// Waits for the last sample of the run, which is published soon after the sampler has ended.
    async fn last_sample(&self) -> Option<Arc<RunSample>> {
        let mut samples = self.samples.clone();
        let sample = samples.wait_for(|sample| sample.distributions.is_some()).await.ok()?;
        Some(Arc::clone(&sample))
    }

    /// Reports whether the sampler ticks.
    fn health(&self) -> Reply {
        let sample = self.samples.borrow();
        let age = self.facts.clock.now().saturating_sub(sample.at);
        if age < STALE || sample.state == RunState::Finished {
            Reply::line("200 OK", "ok")
        } else {
            Reply::line("503 Service Unavailable", "the numbers are not updated any more")
        }
    }

    /// Reports whether the load has started and has not ended.
    fn readiness(&self) -> Reply {
        match self.samples.borrow().state {
            RunState::Starting => Reply::line("503 Service Unavailable", "the load has not started"),
            RunState::Ramping | RunState::Running | RunState::Hold => Reply::line("200 OK", "ready"),
            RunState::Draining | RunState::Finished => {
                Reply::line("503 Service Unavailable", "the load has ended")
            }
        }
    }
}

impl Service for Endpoint {
    fn reply<'a>(&'a self, request: &'a Request) -> Replying<'a> {
        Box::pin(async {
            match (request.path.as_str(), request.method) {
                ("/metrics" | "/healthz" | "/readyz", Method::Post | Method::Other) => {
                    Reply::line("405 Method Not Allowed", "expected GET or HEAD").with("Allow: GET, HEAD\r\n")
                }
                ("/metrics", method) => {
                    let accepted = request.header("accept").unwrap_or_default();
                    self.metrics(Format::accepted(&accepted), method).await
                }
                ("/healthz", _) => self.health(),
                ("/readyz", _) => self.readiness(),
                _ => Reply::line("404 Not Found", "expected /metrics, /healthz or /readyz"),
            }
        })
    }
}
