//! The composition root: builds a run, wires it, runs it, drains it, reports it.
//!
//! A run begins and ends in one place each, [`Apparatus::begin`] and [`Apparatus::end`], and there is one way to stop:
//! `q`, signals, the end of the duration and a stream that has ended all come through the controller.

mod check;
mod demo;
pub mod exit;
mod interim;
mod origin;
mod preflight;
mod reports;
mod secrets;
mod signals;
pub mod voice;
mod watcher;

use std::path::Path;
use std::sync::Arc;

use color_eyre::eyre::{self, WrapErr as _};

use crate::base::{Clock, Command, RunState};
use crate::config::{ConfigError, RunConfig, shown_file};
use crate::frame::{Frame, Sampler, SamplerHandle, Status};
use crate::net::unused_resolve_entries;
use crate::pipeline::{self, Pipeline, RecordFile, Taps};
use crate::report::{self, Facts, Report, Trust};
use crate::stats::Registry;
use crate::swarm::{Controller, Ending, Swarm};

use interim::Interim;
use watcher::Watcher;

pub use exit::ExitStatus;

/// Commands that may wait for the controller; more keys than this within its 50 ms are dropped.
const COMMANDS: usize = 256;

const NO_SIGNALS: &str = "signals cannot be received";

/// Why there was no run, and the exit code that says so.
#[derive(Debug)]
pub enum Failure {
    /// Bad arguments or configuration.
    Config(ConfigError),
    /// This machine cannot carry the load that was asked for; nothing was sent.
    Preflight(String),
    /// The system refused what a run needs: a thread, a port, a signal handler, the terminal. Nothing was sent, and
    /// the program itself is not at fault.
    Unable(eyre::Report),
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

impl From<eyre::Report> for Failure {
    fn from(error: eyre::Report) -> Self {
        Self::Unable(error)
    }
}

/// `hlswarm run`.
///
/// # Errors
/// See [`Failure`].
pub fn run(config: RunConfig) -> Result<ExitStatus, Failure> {
    control_runtime()?.block_on(async { Ok(load(config).await?.conclude(None).await) })
}

/// `hlswarm demo`.
///
/// # Errors
/// See [`Failure`].
pub fn demo(args: crate::cli::DemoArgs, command: String) -> Result<ExitStatus, Failure> {
    control_runtime()?.block_on(demo::demo(args, command))
}

/// `hlswarm check`.
///
/// # Errors
/// See [`Failure`].
pub fn check(args: crate::cli::CheckArgs, command: String) -> Result<ExitStatus, Failure> {
    check::check(args, command)
}

/// `hlswarm origin`.
///
/// # Errors
/// See [`Failure`].
pub fn origin(args: crate::cli::OriginArgs) -> Result<ExitStatus, Failure> {
    origin::serve(args)
}

/// The runtime of the controller and of signals; clients have runtimes of their own.
fn control_runtime() -> Result<tokio::runtime::Runtime, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    Ok(runtime.wrap_err("the control runtime could not be started")?)
}

/// Loads the stream until the run ends.
async fn load(mut config: RunConfig) -> Result<Ended, Failure> {
    secrets::keep_out_of_core_dumps(&config);
    let fit = preflight::check(config.plan.clients, &config.clients.net.manners);
    config.plan.clients_max = fit.map_err(Failure::Preflight)?;
    let (commands, orders) = flume::bounded(COMMANDS);
    signals::listen(commands.clone(), config.output.on_hangup).wrap_err(NO_SIGNALS)?;
    let (apparatus, taps) = Apparatus::begin(&config, commands)?;
    apparatus.listen(&config).wrap_err(NO_SIGNALS)?;
    let controller = apparatus.controller(&config, taps)?;
    let (ending, swarm) = controller.run(orders.clone()).await;
    Ok(apparatus.end(config, ending, swarm, orders))
}

/// What runs beside the clients.
struct Apparatus {
    registry: Arc<Registry>,
    status: Arc<Status>,
    clock: Clock,
    pipeline: Pipeline,
    sampler: SamplerHandle,
    watcher: Watcher,
}

impl Apparatus {
    /// 1. counters, 2. the recorder of events, 3. the sampler that reads both, 4. whoever shows its frames.
    fn begin(config: &RunConfig, commands: flume::Sender<Command>) -> Result<(Self, Taps), Failure> {
        let workers = workers();
        let record = config.output.record.as_deref().map(open_record).transpose()?;
        let clock = Clock::start();
        let registry = Registry::new(workers);
        let status = Arc::new(Status::new(workers));
        status.set_target(config.plan.clients);
        let header = record_header(config, clock);
        let (pipeline, taps) =
            Pipeline::start(workers, clock, record, header).wrap_err("the recorder could not be started")?;
        let sampler =
            Sampler::new(Arc::clone(&registry), Arc::clone(&status), clock).watch(&pipeline).spawn();
        let sampler = sampler.wrap_err("the sampler could not be started")?;
        let watcher = Watcher::begin(config, &sampler, commands)?;
        Ok((Self { registry, status, clock, pipeline, sampler, watcher }, taps))
    }

    /// What signals ask of it: reports so far, the screen once more.
    fn listen(&self, config: &RunConfig) -> std::io::Result<()> {
        let interim = Interim {
            registry: Arc::clone(&self.registry),
            frames: self.sampler.frames(),
            run: run_facts(config, self.clock),
            files: config.output.reports.clone(),
        };
        interim.listen()?;
        self.watcher.resumer().map_or(Ok(()), signals::listen_for_continue)
    }

    /// 5. worker threads, 6. the controller that admits clients to them.
    fn controller(&self, config: &RunConfig, taps: Taps) -> Result<Controller, Failure> {
        let registry = Arc::clone(&self.registry);
        let swarm = Swarm::start(registry, &self.status, self.clock, &config.clients, taps.workers);
        let swarm = swarm.wrap_err("the worker threads could not be started")?;
        Ok(Controller::new(swarm, config.plan, Arc::clone(&self.status), self.clock, taps.controller))
    }

    /// 1. workers joined, and with them their taps closed, 2. counters compared, 3. the recorder flushed, 4. the
    ///    sampler's last frame, which is exact. Whoever shows the run sees it, too.
    fn end(self, config: RunConfig, ending: Ending, swarm: Swarm, orders: flume::Receiver<Command>) -> Ended {
        let Self { registry, status, clock, pipeline, sampler, watcher } = self;
        // The clients stay listed until the last frame has been taken.
        let (clients, lost_workers) = swarm.join();
        registry.audit();
        status.set_state(RunState::Finished);
        let (sampler, frames) = sampler.stop();
        let lost_sampler = u64::from(sampler.is_none());
        let mut sampler =
            sampler.unwrap_or_else(|| Sampler::new(Arc::clone(&registry), status, clock).watch(&pipeline));
        let lost_recorder = u64::from(!pipeline.finish());
        let frame = sampler.next_frame();
        frames.send_replace(Arc::clone(&frame));
        let lost = lost_workers as u64 + lost_sampler + lost_recorder;
        drop(clients);
        Ended { config, clock, ending, registry, frame, lost, watcher, orders }
    }
}

fn open_record(path: &Path) -> Result<RecordFile, ConfigError> {
    RecordFile::create(path)
        .map_err(|error| ConfigError::Record { path: shown_file(path), reason: error.to_string() })
}

/// What was run, for the first line of a record.
fn record_header(config: &RunConfig, clock: Clock) -> pipeline::Header {
    pipeline::Header {
        target: config.clients.player.entry.to_string(),
        version: env!("CARGO_PKG_VERSION"),
        started_at: clock.started_at().to_string(),
        run_id: config.run_id.clone(),
        seed: config.plan.seed,
        command: config.output.command.clone(),
    }
}

/// One worker thread for each core.
fn workers() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// A run whose clients have all left.
struct Ended {
    config: RunConfig,
    clock: Clock,
    ending: Ending,
    registry: Arc<Registry>,
    frame: Arc<Frame>,
    /// Threads that were lost to a panic.
    lost: u64,
    watcher: Watcher,
    orders: flume::Receiver<Command>,
}

impl Ended {
    /// 1. reports written, 2. shown for as long as somebody looks, 3. the screen restored, 4. the summary printed,
    /// 5. how the process should end.
    async fn conclude(mut self, origin: Option<serde_json::Value>) -> ExitStatus {
        // What the console met holds the clients' panics too, which the frame has counted.
        self.lost += self.watcher.panics().saturating_sub(self.frame.panics);
        let mut report = self.report(origin);
        let mut unwritten: Vec<String> = self.frame.pipeline.incomplete().into_iter().collect();
        unwritten.extend(reports::write(&self.config.output.reports, &report));
        if !unwritten.is_empty() {
            report.exit = exit::with_unwritten(report.exit, &unwritten);
            // The reports that can be written say what became of the others.
            reports::write(&self.config.output.reports, &report);
        }
        let report = Arc::new(report);
        let refused = self.ending.refused.is_some();
        if !refused {
            self.watcher.show(&report, &self.orders).await;
        }
        let more_panics = self.watcher.end() > self.lost + self.frame.panics;
        // Not before the screen is restored: it owns the terminal.
        unwritten.iter().for_each(|line| voice::say(&format!("hlswarm: {line}")));
        let unprinted = if refused {
            // Without a load one sentence says it all; reports that were asked for are written nevertheless.
            let why = report.exit.reasons.first().map_or("", String::as_str);
            voice::say(&format!("hlswarm: preflight: {why}; --skip-preflight loads it nevertheless"));
            false
        } else {
            voice::print(&report::text(&report)).is_err() && self.config.output.reports.is_empty()
        };
        ExitStatus::from(match report.exit.code {
            exit::INTERNAL => exit::INTERNAL,
            _ if more_panics => exit::INTERNAL,
            _ if unprinted => exit::UNWRITTEN,
            code => code,
        })
    }

    /// The report, reports that cannot be written not considered.
    fn report(&self, origin: Option<serde_json::Value>) -> Report {
        let mut run = run_facts(&self.config, self.clock);
        run.resolve_unused = unused_resolve_entries(&self.config.clients.net.resolve);
        let facts = Facts { run, lost_workers: self.lost, origin };
        let mut report = report::build(facts, &self.frame, &self.registry);
        if exit::limited(&report).is_some() {
            report.trust = Trust::INVALID;
        }
        report.exit = exit::judge(&report, self.ending, self.config.plan);
        report
    }
}

/// What the report says of the run that no counter knows; what is measured is still empty.
fn run_facts(config: &RunConfig, clock: Clock) -> report::Run {
    let started_at = clock.started_at();
    report::Run {
        target: config.clients.player.entry.to_string(),
        version: env!("CARGO_PKG_VERSION"),
        started_at: started_at.round(jiff::Unit::Second).unwrap_or(started_at).to_string(),
        duration_s: 0.0,
        duration_asked_s: config.duration_s(),
        clients_target: 0,
        clients_peak: 0,
        clients_started: 0,
        ramp_rate: config.ramp_rate(),
        late_starts: 0,
        variant: config.variant().to_string(),
        player: config.clients.player.profile.name,
        session_length: config.clients.player.session.to_string(),
        seed: config.plan.seed,
        run_id: config.run_id.clone(),
        command: config.output.command.clone(),
        tls_verified: !config.insecure,
        resolve_unused: Vec::new(),
    }
}
