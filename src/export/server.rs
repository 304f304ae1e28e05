//! Serves `/metrics`, `/healthz` and `/readyz` over HTTP/1.1, one request a connection.
//!
//! Every connection has a time limit, and there are only a few at a time: the others wait in the kernel. So a scraper
//! that sends slowly, sends too much or never reads holds up other scrapers for that time, and nothing else.

use std::convert::Infallible;
use std::future::{Future as _, poll_fn};
use std::io;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::catalogue::render;
use super::exposition::Format;
use super::reply::Reply;
use super::request::{HEAD_BYTES, Method, Request, is_whole};
use super::scrape::{RunFacts, Scrape};
use crate::sample::{RunSample, WholeSamples};
use crate::vocabulary::RunState;

/// Maximum number of connections at a time: several Prometheus servers, and a person.
const CONNECTIONS: usize = 16;
/// Maximum time of a connection: the default time limit of a scrape.
const CONNECTION_LIMIT: Duration = Duration::from_secs(10);
/// Time for which the rest of what the other side sends is read after the reply. Closing with unread bytes would reset
/// the connection, and the reply might be lost.
const LINGER: Duration = Duration::from_millis(500);
/// Pause before retrying a failed accept, for instance when no file descriptor is left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
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

    /// Serves connections forever: [`CONNECTIONS`] at a time, in one task. Polling all of them costs less than a task for
    /// each.
    pub async fn serve(self: Arc<Self>, listener: TcpListener) {
        let slot = |_| Box::pin(self.take_connections(&listener));
        let mut slots: Vec<_> = (0..CONNECTIONS).map(slot).collect();
        poll_fn(|cx| {
            slots.iter_mut().for_each(|slot| _ = slot.as_mut().poll(cx));
            Poll::Pending
        })
        .await
    }

    /// Serves one connection after another.
    async fn take_connections(&self, listener: &TcpListener) -> Infallible {
        loop {
            match listener.accept().await {
                // A connection that fails or takes too long is the scraper's loss.
                Ok((stream, _)) => _ = timeout(CONNECTION_LIMIT, self.exchange(stream)).await,
                Err(_) => sleep(ACCEPT_PAUSE).await,
            }
        }
    }

    /// Reads a request and replies to it.
    async fn exchange(&self, mut stream: TcpStream) -> io::Result<()> {
        let head = read_head(&mut stream).await?;
        let request = head.as_deref().map(Request::parse);
        let method = request.iter().flatten().next().map_or(Method::Get, |request| request.method);
        let (reply, scraped) = match &request {
            None => (Reply::line("431 Request Header Fields Too Large", "at most 8 KB of headers"), None),
            Some(None) => (Reply::line("400 Bad Request", "expected an HTTP/1.1 request"), None),
            Some(Some(request)) => self.reply(request).await,
        };
        stream.write_all(&reply.bytes(method)).await?;
        if let Some(state) = scraped.filter(|_| method == Method::Get) {
            let is_final = state == RunState::Finished;
            self.scrapes.send_modify(|scrapes| scrapes.add(Instant::now(), is_final));
        }
        stream.shutdown().await?;
        let mut rest = [0; 4_096];
        let linger = async { while stream.read(&mut rest).await.is_ok_and(|read| read > 0) {} };
        _ = timeout(LINGER, linger).await;
        Ok(())
    }

    /// Returns the reply to a request, and for a scrape the state of the run that it shows.
    async fn reply(&self, request: &Request) -> (Reply, Option<RunState>) {
        let reply = match (request.path.as_str(), request.method) {
            ("/metrics" | "/healthz" | "/readyz", Method::Other) => {
                Reply::line("405 Method Not Allowed", "expected GET or HEAD")
            }
            ("/metrics", _) => return self.metrics(Format::accepted(&request.accept)).await,
            ("/healthz", _) => self.health(),
            ("/readyz", _) => self.readiness(),
            _ => Reply::line("404 Not Found", "expected /metrics, /healthz or /readyz"),
        };
        (reply, None)
    }

    async fn metrics(&self, format: Format) -> (Reply, Option<RunState>) {
        let sample = match self.whole.next_async().await {
            Some(sample) => Some(sample),
            None => self.last_sample().await,
        };
        let scrape = sample.as_deref().and_then(|sample| Scrape::new(&self.facts, sample));
        match scrape {
            Some(scrape) => (Reply::metrics(format, render(&scrape, format)), Some(scrape.sample.state)),
            None => (Reply::line("503 Service Unavailable", "the run has ended"), None),
        }
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

/// Reads the head of a request; `None` if it is too large.
///
/// # Errors
/// The connection failed or ended before the head was whole.
async fn read_head(stream: &mut TcpStream) -> io::Result<Option<Vec<u8>>> {
    let mut head = Vec::with_capacity(1_024);
    let mut searched = 0;
    while !is_whole(head.get(searched..).unwrap_or_default()) {
        // The end of a head may be split between two reads.
        searched = head.len().saturating_sub(3);
        if head.len() >= HEAD_BYTES {
            return Ok(None);
        }
        if stream.read_buf(&mut head).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(Some(head))
}
