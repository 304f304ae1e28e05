//! Sends the metrics of a run to an OpenTelemetry collector, on a thread of its own: at the start, at every interval, and
//! once more the numbers at the end.
//!
//! * Nothing of the run waits for the collector, except that the program ends later by up to [`LAST_LIMIT`] and [`LATE`] if
//!   the collector does not answer.
//! * An export that fails is not repeated: the next one has newer numbers, and counts only grow. The first failure is a
//!   note of the run; the end says how many there were.
//! * The collector is connected to as the exporters of the origin are: directly, and with nothing that the operator gave
//!   the clients. A redirect is not followed.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderValue, header};
use tokio::runtime::Builder;
use tokio::sync::{oneshot, watch};
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::story::Level;
use super::{Failure, log_file, origin_scraper, stdio, threads};
use crate::cli::USER_AGENT;
use crate::config::{OtlpSettings, RunConfig};
use crate::export::{RunFacts, otlp};
use crate::net::{self, post};
use crate::origin_metrics::ScrapeProblem;
use crate::run_state::{Note, NoteKind};
use crate::sample::{RunSample, SamplerHandle, Sources, WholeSamples};
use crate::vocabulary::outcome::Fault;
use crate::vocabulary::{RunState, units};

/// Maximum time of an export: the default of OpenTelemetry.
const LIMIT: Duration = Duration::from_secs(10);
/// Maximum time of the last one: the program has to end.
const LAST_LIMIT: Duration = Duration::from_secs(2);
/// Time by which the thread may be late after that.
const LATE: Duration = Duration::from_millis(500);

/// Counts of the exports.
#[derive(Clone, Debug, Default)]
struct Tally {
    exports: u64,
    arrived: u64,
    /// Problem of the last one, if it failed.
    problem: Option<String>,
}

impl Tally {
    /// Returns the number of exports that failed or were given up.
    fn failed(&self) -> u64 {
        self.exports - self.arrived
    }
}

/// The thread that sends; it ends after the last sample.
#[derive(Debug)]
pub(super) struct Otlp {
    ended: oneshot::Receiver<Tally>,
}

/// Starts to send; `None` if the run has no collector.
///
/// # Errors
/// The URL makes no request, or there is no thread.
pub(super) fn start(
    config: &RunConfig,
    facts: &RunFacts,
    sources: &Sources,
    sampler: &SamplerHandle,
) -> Result<Option<Otlp>, Failure> {
    let Some(collector) = config.otlp.clone() else { return Ok(None) };
    let exporter = Exporter {
        net: origin_scraper::settings(&collector.url, config)?,
        facts: RunFacts {
            per_client: config.output.metrics.is_some_and(|metrics| metrics.per_client),
            ..facts.clone()
        },
        sources: sources.clone(),
        tally: Tally::default(),
        collector,
    };
    let OtlpSettings { url, interval, .. } = &exporter.collector;
    stdio::say(&format!("hlswarm: otlp: metrics go to {url} every {}", units::span(*interval)));
    let (samples, whole) = (sampler.samples(), sampler.whole_samples());
    let (end, ended) = oneshot::channel();
    let mut runtime = Builder::new_current_thread();
    runtime.enable_all();
    let thread = threads::start("otlp", runtime, move || {
        Ok(async move {
            // The receiver is gone if the program ends at once.
            _ = end.send(exporter.run(samples, whole).await);
        })
    });
    thread.map_err(|error| Failure::no_thread("the thread of --otlp", &error))?;
    Ok(Some(Otlp { ended }))
}

impl Otlp {
    /// Waits for the export of the last sample, and says what failed.
    pub(super) async fn end(self) {
        let Ok(Ok(tally)) = timeout(LAST_LIMIT + LATE, self.ended).await else {
            return stdio::say("hlswarm: otlp: the last export did not end; how many arrived is not known");
        };
        let (failed, exports) = (tally.failed(), units::plural(tally.exports, "export"));
        if failed == 0 {
            return log_file::add(Level::Info, &format!("otlp: {exports}"));
        }
        let last =
            tally.problem.map_or("the last one arrived".to_owned(), |why| format!("the last one too: {why}"));
        stdio::say(&format!("hlswarm: otlp: {} of {exports} failed, {last}", units::count(failed)));
    }
}

/// Sends samples to a collector.
struct Exporter {
    collector: OtlpSettings,
    net: net::Settings,
    facts: RunFacts,
    sources: Sources,
    tally: Tally,
}

impl Exporter {
    /// Sends until the last sample. One that is being sent when the run ends is given up for it.
    async fn run(mut self, samples: watch::Receiver<Arc<RunSample>>, whole: WholeSamples) -> Tally {
        let last = tokio::select! {
            last = last_sample(samples) => last,
            () = self.send_regularly(&whole) => None,
        };
        if let Some(sample) = last {
            self.send(&sample, LAST_LIMIT).await;
        }
        self.tally
    }

    /// Sends a sample at each interval. An export that took too long delays the next one.
    async fn send_regularly(&mut self, whole: &WholeSamples) {
        let mut ticks = interval(self.collector.interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            match whole.next_async().await {
                Some(sample) => self.send(&sample, LIMIT).await,
                // The last sample follows.
                None => pending().await,
            }
        }
    }

    async fn send(&mut self, sample: &RunSample, limit: Duration) {
        self.tally.exports += 1;
        let sent = match timeout(limit, self.export(sample)).await {
            Ok(sent) => sent,
            Err(_) => Err(ScrapeProblem::Fault(Fault::TimeoutTotal).words().into_owned()),
        };
        self.tally.arrived += u64::from(sent.is_ok());
        self.tally.problem = sent.err();
        let Some(problem) = &self.tally.problem else { return };
        if self.tally.failed() == 1 {
            let text = format!("otlp: {}: {problem}; tried again at each interval", self.collector.url);
            self.sources.status.journal().note(Note { at: sample.at, kind: NoteKind::Export, text });
        }
    }

    async fn export(&self, sample: &RunSample) -> Result<(), String> {
        let Some(body) = otlp::request(&self.facts, sample) else { return Ok(()) };
        let mut headers = self.collector.headers.clone();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(otlp::CONTENT_TYPE));
        headers.entry(header::USER_AGENT).or_insert(HeaderValue::from_static(USER_AGENT));
        let posted = post(&self.net, &self.collector.url, headers, body).await;
        let posted = posted.map_err(|fault| ScrapeProblem::Fault(fault).words().into_owned())?;
        match ScrapeProblem::of_status(posted.status) {
            Some(problem) => Err(problem.words().into_owned()),
            None => otlp::accepted(&posted.body),
        }
    }
}

/// Waits for the sample of the end; `None` if there is none.
async fn last_sample(mut samples: watch::Receiver<Arc<RunSample>>) -> Option<Arc<RunSample>> {
    let is_last =
        |sample: &Arc<RunSample>| sample.state == RunState::Finished && sample.distributions.is_some();
    let sample = samples.wait_for(is_last).await.ok()?;
    Some(Arc::clone(&sample))
}
