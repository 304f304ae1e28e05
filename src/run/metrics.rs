//! The endpoint of `--metrics`: binds its port before the load, serves it on a thread of its own, and lets a scraper that
//! comes at regular intervals fetch the numbers at the end.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::Builder;
use tokio::sync::{oneshot, watch};

use super::{ExitStatus, Failure, deadline, stdio, threads};
use crate::config::{ConfigError, MetricsSettings};
use crate::export::{Endpoint, RunFacts, Scrapes};
use crate::local_http::{Listener, serve};
use crate::sample::SamplerHandle;
use crate::vocabulary::Command;

/// Maximum time that a run waits for its scraper: longer than the 15 seconds that most Prometheus servers are set to.
const LAST_SCRAPE: Duration = Duration::from_secs(20);
/// Wait from which on the operator is told why the program does not end.
const LONG: Duration = Duration::from_secs(5);
/// Time by which a scrape may come late.
const LATE: Duration = Duration::from_secs(2);

/// A port that is bound and not served yet.
#[derive(Debug)]
pub(super) struct BoundMetrics {
    listener: TcpListener,
    per_client: bool,
}

impl BoundMetrics {
    /// Binds the port and says where the metrics are.
    pub(super) fn bind(settings: MetricsSettings) -> Result<Self, ConfigError> {
        let asked = settings.address;
        let bind = || {
            let listener = TcpListener::bind(asked)?;
            listener.set_nonblocking(true)?;
            Ok((listener.local_addr()?, listener))
        };
        let refused =
            |error: std::io::Error| ConfigError::Metrics { address: asked, reason: error.to_string() };
        let (address, listener) = bind().map_err(refused)?;
        stdio::say(&announcement(address));
        Ok(Self { listener, per_client: settings.per_client })
    }

    /// Starts to serve.
    pub(super) fn serve(self, facts: RunFacts, sampler: &SamplerHandle) -> Result<Metrics, Failure> {
        let facts = RunFacts { per_client: self.per_client, ..facts };
        let endpoint = Arc::new(Endpoint::new(facts, sampler.samples(), sampler.whole_samples()));
        let scrapes = endpoint.scrapes();
        let (stop, stopped) = oneshot::channel::<()>();
        let mut runtime = Builder::new_current_thread();
        runtime.enable_all();
        let thread = threads::start("metrics", runtime, move || {
            let listener = Listener::Tcp(tokio::net::TcpListener::from_std(self.listener)?);
            Ok(async move {
                tokio::select! {
                    () = serve(listener, endpoint) => {}
                    // Sent or dropped, both end it.
                    _ = stopped => {}
                }
            })
        });
        thread
            .map_err(|error| Failure::no_thread("the metrics (without --metrics there are none)", &error))?;
        Ok(Metrics { scrapes, _stop: stop })
    }
}

fn announcement(address: SocketAddr) -> String {
    let note = if address.ip().is_loopback() { "" } else { " (other machines can reach this address)" };
    format!("hlswarm: metrics: http://{address}/metrics{note}")
}

/// A served endpoint; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct Metrics {
    scrapes: watch::Receiver<Scrapes>,
    _stop: oneshot::Sender<()>,
}

impl Metrics {
    /// Ends the endpoint. If a scraper comes at regular intervals, first waits for its next scrape, so that it has the
    /// numbers of the report, or until an operator stops the run once more. `status` is the exit status of the run.
    pub(super) async fn end(mut self, orders: &flume::Receiver<Command>, status: ExitStatus) {
        let scrapes = *self.scrapes.borrow();
        let Some(limit) = expected(scrapes, Instant::now()) else { return };
        if limit >= LONG {
            let seconds = limit.as_secs();
            stdio::say(&format!(
                "hlswarm: metrics: waiting for the last scrape, at most {seconds} s; Ctrl-C ends the wait"
            ));
        }
        deadline::unhurried();
        let scraped = self.scrapes.wait_for(|scrapes| scrapes.is_final);
        tokio::select! {
            _ = scraped => {}
            () = tokio::time::sleep(limit) => {}
            // The sender of the commands lives as long as the process.
            _ = orders.recv_async() => {}
        }
        deadline::within(deadline::LIMIT, status);
    }
}

/// Returns the time within which a scrape of the numbers at the end is to be expected; `None` if there has been one, or
/// if no scraper comes at short intervals.
fn expected(scrapes: Scrapes, now: Instant) -> Option<Duration> {
    let next = scrapes.last? + scrapes.interval? + LATE;
    let left = next.saturating_duration_since(now);
    (!scrapes.is_final && !left.is_zero() && left <= LAST_SCRAPE).then_some(left)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_scraper_that_comes_regularly_and_has_not_seen_the_end_is_waited_for() {
        let now = Instant::now();
        let ago = |seconds| now.checked_sub(Duration::from_secs(seconds));
        let scrapes = |last, interval: u64, is_final| Scrapes {
            last: ago(last),
            interval: Some(Duration::from_secs(interval)),
            is_final,
        };
        assert_eq!(expected(scrapes(1, 3, false), now), Some(Duration::from_secs(4)));
        assert_eq!(expected(scrapes(1, 15, false), now), Some(Duration::from_secs(16)));
        assert_eq!(expected(scrapes(1, 3, true), now), None);
        // It has gone, or takes its time.
        assert_eq!(expected(scrapes(7, 3, false), now), None);
        assert_eq!(expected(scrapes(1, 60, false), now), None);
        assert_eq!(expected(Scrapes { interval: None, ..scrapes(1, 3, false) }, now), None);
        assert_eq!(expected(Scrapes::default(), now), None);
    }

    #[test]
    fn an_address_that_others_can_reach_is_said_to_be_one() {
        let said = |address: &str| announcement(address.parse().expect("an address"));
        assert_eq!(said("127.0.0.1:17091"), "hlswarm: metrics: http://127.0.0.1:17091/metrics");
        assert_eq!(said("[::1]:1"), "hlswarm: metrics: http://[::1]:1/metrics");
        assert!(said("0.0.0.0:17091").contains("other machines"), "{}", said("0.0.0.0:17091"));
    }
}
