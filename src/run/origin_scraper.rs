//! Scrapes the exporters of the origin beside the load, on a thread of its own.
//!
//! * Its requests are none of the load: no counter of the run counts them, and no worker waits for them.
//! * Each exporter has connections, a scope and headers of its own. The operator typed its host, so that is in scope;
//!   headers of the target are not sent there, credentials in its URL are. A redirect is not followed.
//! * The certificates are verified as those of the target are, and `--resolve` holds for these hosts, too.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;

use tokio::runtime::Builder;
use tokio::sync::oneshot;
use tokio::time::{MissedTickBehavior, interval};

use super::{Failure, threads};
use crate::cli::USER_AGENT;
use crate::config::{ConfigError, RunConfig};
use crate::net::scope::{Scope, ScopeOptions};
use crate::net::{
    self, Body, ClientConnections, ConnectionInfo, Headers, Net, Observer, Request, RequestLane,
};
use crate::origin_metrics::{
    ExporterGauges, PageReader, PageSums, RateMeter, SCRAPE_LIMIT, SCRAPE_PERIOD, ScrapeProblem,
};
use crate::sample::Sources;
use crate::vocabulary::budget::Budget;
use crate::vocabulary::outcome::Fault;
use crate::vocabulary::{Clock, HttpProfile, Reuse, SecretUrl};

/// Bytes of responses that may be kept: pages are read as they arrive.
const KEPT_BYTES: usize = 1 << 20;

/// The thread that scrapes; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct OriginScraper {
    _stop: oneshot::Sender<()>,
}

/// Returns the gauges of all exporters of a run.
pub(super) fn gauges(config: &RunConfig) -> Arc<[ExporterGauges]> {
    config.origin_metrics.iter().map(ExporterGauges::new).collect()
}

/// Starts to scrape; `None` if the run has no exporters.
///
/// # Errors
/// A URL makes no request, or there is no thread.
pub(super) fn start(config: &RunConfig, sources: &Sources) -> Result<Option<OriginScraper>, Failure> {
    if config.origin_metrics.is_empty() {
        return Ok(None);
    }
    let settings = config.origin_metrics.iter().map(|url| Ok((url.unshared(), settings(url, config)?)));
    let settings = settings.collect::<Result<Vec<_>, ConfigError>>()?;
    let (gauges, clock) = (Arc::clone(&sources.exporters), sources.clock);
    let (stop, stopped) = oneshot::channel::<()>();
    let mut runtime = Builder::new_current_thread();
    runtime.enable_all();
    let thread = threads::start("origin-metrics", runtime, move || {
        Ok(async move {
            let scrapers = settings.into_iter().zip(gauges.iter());
            let scrapers =
                scrapers.map(|((url, settings), gauges)| Scraper::new(url, settings).run(gauges, clock));
            tokio::select! {
                () = all(scrapers.map(|scraper| Box::pin(scraper) as Pin<Box<_>>).collect()) => {}
                // Sent or dropped, both end it.
                _ = stopped => {}
            }
        })
    });
    thread.map_err(|error| Failure::no_thread("the thread of --origin-metrics", &error))?;
    Ok(Some(OriginScraper { _stop: stop }))
}

/// Runs all scrapers, which never end. There are few, so each is asked whenever one of them is woken.
async fn all(mut scrapers: Vec<Pin<Box<dyn Future<Output = ()> + '_>>>) {
    poll_fn(|context| {
        scrapers.iter_mut().for_each(|scraper| _ = scraper.as_mut().poll(context));
        Poll::Pending
    })
    .await
}

/// Returns the settings of the connections to a host that is no part of the load, such as an exporter.
pub(super) fn settings(url: &SecretUrl, config: &RunConfig) -> Result<net::Settings, ConfigError> {
    let net = &config.clients.cast.first.net;
    // It is no part of the audience: it is connected to directly, and sees nothing of what the operator gave the clients.
    Ok(net::Settings {
        tls: net.tls.for_strangers(),
        transport: net::Transport::default(),
        cookies: Arc::default(),
        scope: Arc::new(Scope::new(url, &net.resolve, ScopeOptions::default())),
        timeout: SCRAPE_LIMIT,
        headers: Headers::new(url, USER_AGENT, &format!("hlswarm {}", config.run_id), &[])?,
        http_profile: HttpProfile { whole_range: false, extra: &[], ..HttpProfile::BROWSER },
        budget: Arc::new(Budget::new(KEPT_BYTES)),
        ..net.clone()
    })
}

/// Scrapes one exporter.
struct Scraper {
    url: SecretUrl,
    lane: RequestLane,
    rates: RateMeter,
}

impl Scraper {
    fn new(url: SecretUrl, settings: net::Settings) -> Self {
        let lane = ClientConnections::new(Net::new(settings), 0).wire(0);
        Self { url, lane, rates: RateMeter::default() }
    }

    /// Scrapes until it is dropped. A scrape that took too long delays the next one.
    async fn run(mut self, gauges: &ExporterGauges, clock: Clock) {
        let mut ticks = interval(SCRAPE_PERIOD);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let begun = clock.now();
            match self.scrape().await {
                Ok(sums) => {
                    let now = clock.now();
                    gauges.succeeded(now, &self.rates.read(now, &sums));
                }
                Err(problem) => gauges.failed(begun, problem),
            }
        }
    }

    async fn scrape(&mut self) -> Result<PageSums, ScrapeProblem> {
        let request = Request {
            url: &self.url,
            range: None,
            unless: None,
            body: Body::SeenMedia,
            total: SCRAPE_LIMIT,
            reuse: Reuse::Kept,
        };
        let is_too_large = Cell::new(false);
        let mut page = Page { reader: PageReader::default(), is_too_large: &is_too_large };
        let response = {
            let mut response = pin!(self.lane.get(&request, &mut page));
            // A page that never ends is left at once: its connection is closed with the request.
            poll_fn(|context| match response.as_mut().poll(context) {
                _ if is_too_large.get() => Poll::Ready(Err(Fault::BodyTooBig)),
                polled => polled,
            })
            .await
        };
        let response = response.map_err(ScrapeProblem::Fault)?;
        if let Some(problem) = ScrapeProblem::of_status(response.head.status) {
            return Err(problem);
        }
        let sums = page.reader.finish();
        match () {
            () if sums.is_nginx_down() => Err(ScrapeProblem::NginxDown),
            () if !sums.is_known() => Err(ScrapeProblem::NothingKnown),
            () => Ok(sums),
        }
    }
}

/// A page that arrives.
struct Page<'a> {
    reader: PageReader,
    is_too_large: &'a Cell<bool>,
}

impl Observer for Page<'_> {
    fn received(&mut self, _bytes: u64) {}

    fn body(&mut self, piece: &[u8]) {
        if !self.is_too_large.get() {
            self.is_too_large.set(!self.reader.take(piece));
        }
    }

    fn connected(&mut self, _opening: &ConnectionInfo, _replaces: bool) {}

    fn explained(&mut self, _fault: Fault, _reason: &str) {}

    fn retried(&mut self) {
        self.reader = PageReader::default();
    }
}
