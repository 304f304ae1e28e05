//! The composition root: builds a run, wires it, runs it, drains it, reports it.
//!
//! A run begins in [`ActiveRun::begin`] and ends in [`ActiveRun::end`]. There is one way to stop: `q`, signals, the
//! end of the duration and the end of the stream all go through the controller.

mod address_space;
mod calibration_file;
mod check;
mod control_socket;
mod ctl;
mod deadline;
mod demo;
mod display;
mod documents;
mod ended_run;
mod exit;
mod failure;
mod files;
mod find;
mod interim;
mod log_file;
mod metrics;
mod origin;
mod origin_scraper;
#[cfg(feature = "otlp")]
mod otlp;
mod plan;
#[cfg(test)]
mod plan_tests;
mod preflight;
mod print_plan;
mod program;
mod recorded_run;
mod replay;
mod replay_pace;
mod report_files;
mod run_facts;
mod secrets;
mod selftest;
mod signals;
mod stdio;
mod story;
mod supply;
mod target;
mod threads;

use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use color_eyre::eyre::WrapErr as _;
use tokio::sync::watch;

use crate::config::{ConfigError, RunConfig, shown_file};
use crate::control::{Ahead, Controller, Ending, Engine, Pricing};
use crate::forecast::{Base, Probed};
use crate::generator::{HostWatch, Process};
use crate::pipeline::{Pipeline, RecordFile, Tap, Taps};
use crate::report::{self, Calibrated, SearchReport};
use crate::run_state::{Note, NoteKind};
use crate::sample::{RunSample, Sampler, SamplerHandle, Sources};
use crate::swarm::Swarm;
use crate::tui::{DocRequest, Title};
use crate::vocabulary::{Command, RunIdentity, RunState, exit_code, limits};

use control_socket::{BoundControl, Control};
use display::{Display, title};
use ended_run::EndedRun;
use interim::Interim;
use metrics::{BoundMetrics, Metrics};
use origin_scraper::OriginScraper;
#[cfg(feature = "otlp")]
use otlp::Otlp;
use report_files::ReportFiles;
use run_facts::{facts, identity, options};
use signals::Signals;
use story::Level;

use deadline::supervise;
use exit::ExitStatus;
pub use failure::Failure;
pub use program::main;
use secrets::{warn_of_proxy, warn_of_shown};

/// Maximum time that the reader of standard output gets for the summary of a run.
const PRINT_LIMIT: Duration = Duration::from_secs(1);

/// Threads that a run starts in addition to the workers: that of the canary, recorder, sampler, two for the gauges of the
/// host, screen or progress lines, interim reports, metrics, OTLP, control socket, exporters of the origin, two for the log, and one for each output.
const OTHER_THREADS: usize = 14 + cfg!(feature = "otlp") as usize;

/// Responses to the first client that may wait for the controller, which takes them every few milliseconds.
const PROBES: usize = 256;

const NO_SIGNALS: &str = "signals cannot be received";

/// Runs `hlswarm run`.
///
/// # Errors
/// See [`Failure`].
pub fn run(config: impl FnOnce() -> Result<RunConfig, ConfigError>) -> Result<ExitStatus, Failure> {
    control_runtime()?.block_on(async {
        // Catch signals before anything that takes time: from here on a signal is an orderly end.
        let signals = signals()?;
        Ok(load(config()?, signals).await?.conclude(None).await)
    })
}

/// Prints the plan of a run; `options` is its plan file.
///
/// # Errors
/// See [`Failure`].
pub fn print_plan(config: &RunConfig, options: &str) -> Result<ExitStatus, Failure> {
    print_plan::print(config, options)
}

/// Runs `hlswarm demo`.
///
/// # Errors
/// See [`Failure`].
pub fn demo(args: crate::cli::DemoArgs, command: String) -> Result<ExitStatus, Failure> {
    control_runtime()?.block_on(demo::demo(args, command))
}

/// Runs `hlswarm plan`.
///
/// # Errors
/// See [`Failure`].
pub fn plan(args: crate::cli::PlanArgs, command: String) -> Result<ExitStatus, Failure> {
    control_runtime()?.block_on(plan::plan(args, command))
}

/// Runs `hlswarm find`.
///
/// # Errors
/// See [`Failure`].
pub fn find(args: crate::cli::FindArgs, command: String) -> Result<ExitStatus, Failure> {
    control_runtime()?.block_on(find::find(args, command))
}

/// Runs `hlswarm check`.
///
/// # Errors
/// See [`Failure`].
pub fn check(args: crate::cli::CheckArgs, command: String) -> Result<ExitStatus, Failure> {
    check::check(args, command)
}

/// Runs `hlswarm replay`.
///
/// # Errors
/// See [`Failure`].
pub fn replay(args: &crate::cli::ReplayArgs) -> Result<ExitStatus, Failure> {
    replay::replay(args, signals()?)
}

/// Runs `hlswarm selftest`.
///
/// # Errors
/// See [`Failure`].
pub fn selftest(args: crate::cli::SelftestArgs) -> Result<ExitStatus, Failure> {
    selftest::selftest(args)
}

/// Runs `hlswarm origin`.
///
/// # Errors
/// See [`Failure`].
pub fn origin(args: crate::cli::OriginArgs) -> Result<ExitStatus, Failure> {
    origin::serve(args)
}

/// Builds the runtime of the controller; clients have separate runtimes.
fn control_runtime() -> Result<tokio::runtime::Runtime, Failure> {
    address_space::check(preflight::workers() + OTHER_THREADS).map_err(Failure::Preflight)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| Failure::no_thread("the control runtime", &error))
}

fn signals() -> Result<Signals, Failure> {
    Signals::catch().map_err(|error| Failure::no_thread("the signal thread", &error))
}

/// Loads the stream until the run ends.
async fn load(config: RunConfig, signals: Signals) -> Result<EndedRun, Failure> {
    load_beside(config, signals, async |_, _| ()).await.map(|(ended, ())| ended)
}

/// Loads the stream until the run ends, and returns the result of `observe` too, which reads the samples and their
/// sources meanwhile.
async fn load_beside<T>(
    config: RunConfig,
    signals: Signals,
    observe: impl AsyncFnOnce(watch::Receiver<Arc<RunSample>>, Sources) -> T,
) -> Result<(EndedRun, T), Failure> {
    let (load, ended, observed) = observed_load(config, signals, observe).await?;
    Ok((load.end(ended, None), observed))
}

/// Loads the stream until its controller has ended, with the result of `observe`.
async fn observed_load<T>(
    config: RunConfig,
    signals: Signals,
    observe: impl AsyncFnOnce(watch::Receiver<Arc<RunSample>>, Sources) -> T,
) -> Result<(StartedLoad, (Ending, Swarm), T), Failure> {
    let (controller, load) = StartedLoad::start(config, signals).await?;
    let (samples, sources) = (load.active.sampler.samples(), load.active.sources.clone());
    let (ended, observed) = tokio::join!(controller.run(load.orders.clone()), observe(samples, sources));
    Ok((load, ended, observed))
}

/// A load under way, apart from its controller.
struct StartedLoad {
    config: RunConfig,
    active: ActiveRun,
    orders: flume::Receiver<Command>,
    reports: Arc<ReportFiles>,
}

impl StartedLoad {
    /// Starts everything that a load needs, up to its engine. What cannot be had is known before anything is sent.
    async fn start(mut config: RunConfig, signals: Signals) -> Result<(Controller<Swarm>, Self), Failure> {
        secrets::keep_out_of_core_dumps(&config);
        let record = config.output.record.as_deref().map(open_record).transpose()?;
        let taken: Vec<_> = config.output.record.iter().map(|path| (&**path, report_files::RECORD)).collect();
        let reports = Arc::new(ReportFiles::prepare("--report", &config.output.reports, &taken)?);
        let metrics = config.output.metrics.map(BoundMetrics::bind).transpose()?;
        let control = config.output.control.as_ref().map(BoundControl::bind).transpose()?;
        let limit = preflight::apply(&mut config).map_err(Failure::Preflight)?;
        config.plan.limit = target::check(&config, limit).await.map_err(Failure::Preflight)?;
        let budget = Arc::new(address_space::budget(preflight::workers() + OTHER_THREADS));
        config.clients.cast.set_budget(&budget);
        config.output.on_hangup = signals.on_hangup(config.output.on_hangup);
        let Signals { commands, orders, report, .. } = signals;
        address_space::watch(commands.clone());
        let probes = probes(&mut config);
        let (active, taps) = ActiveRun::begin(&config, record, (metrics, control), commands)?;
        active.interim(&config, Arc::clone(&reports)).listen(report);
        active.display.remote().map_or(Ok(()), signals::obey_job_control).wrap_err(NO_SIGNALS)?;
        let engine = active.start_engine(&config, taps.workers)?;
        let controller = active.controller(engine, &config, taps.controller, probes);
        let controller = if config.search.is_some() { controller.commanded() } else { controller };
        // The tap of the first client ends with the workers; nothing else may keep it open.
        config.clients.probe = None;
        Ok((controller, Self { config, active, orders, reports }))
    }

    /// Ends the run of a load whose controller has ended, and whose search has this result.
    fn end(self, ended: (Ending, Swarm), search: Option<SearchReport>) -> EndedRun {
        deadline::within(deadline::LIMIT, ExitStatus::from(exit_code::INTERNAL));
        let ended = self.active.end(self.config, ended, search.as_ref(), self.orders, self.reports);
        EndedRun { search, ..ended }
    }
}

/// Opens the channel from the first client to the price of the plan; `None` if nothing is priced.
fn probes(config: &mut RunConfig) -> Option<flume::Receiver<Probed>> {
    if config.plan.ahead == Ahead::Single {
        return None;
    }
    let (probe, probes) = flume::bounded(PROBES);
    config.clients.probe = Some(probe);
    Some(probes)
}

/// Parts of a run other than its clients.
struct ActiveRun {
    identity: RunIdentity,
    sources: Sources,
    pipeline: Pipeline,
    sampler: SamplerHandle,
    host: HostWatch,
    display: Display,
    metrics: Option<Metrics>,
    control: Option<Control>,
    origin_scraper: Option<OriginScraper>,
    #[cfg(feature = "otlp")]
    otlp: Option<Otlp>,
    /// Requests of the console and the control socket for the document of the run so far.
    documents: flume::Receiver<DocRequest>,
    calibration: Calibrated,
    /// Thread that adds the story of the run to the log.
    story: Option<JoinHandle<()>>,
}

impl ActiveRun {
    /// Starts in this order: counters, recorder of events, gauges of the host, sampler that reads all, display of its
    /// samples.
    fn begin(
        config: &RunConfig,
        record: Option<RecordFile>,
        (metrics, control): (Option<BoundMetrics>, Option<BoundControl>),
        commands: flume::Sender<Command>,
    ) -> Result<(Self, Taps), Failure> {
        let workers = preflight::workers();
        let canary = (config.plan.profile.clients >= limits::CANARY_FROM).then_some(workers);
        let workers = workers + usize::from(canary.is_some());
        let criteria = Arc::new(config.criteria.clone());
        let exporters = origin_scraper::gauges(config);
        let binds_sources = !config.clients.cast.first.net.transport.sources.is_empty();
        let sources = Sources {
            canary,
            binds_sources,
            criteria,
            exporters,
            ..Sources::for_run(workers, config.plan.hard_stops)
        };
        let target =
            config.search.map_or_else(|| config.plan.shape().target(Duration::ZERO), |search| search.first);
        sources.status.set_target(target);
        sources.status.set_limit(config.plan.limit);
        let note =
            |text| sources.status.journal().note(Note { at: Duration::ZERO, kind: NoteKind::Limited, text });
        config.lack_of_data().into_iter().for_each(note);
        let identity = identity(config, sources.clock);
        let title = title(config, identity.clone());
        let record = record.map(|record| record.with_facts(recorded_run::facts(config, &sources, &title)));
        let (pipeline, taps) = Pipeline::start(workers, sources.clock, record, identity.clone())
            .map_err(|error| Failure::no_thread("the recorder", &error))?;
        let host = HostWatch::start(Arc::clone(&sources.host), sources.clock);
        let host = host.map_err(|error| Failure::no_thread("the thread of the gauges", &error))?;
        let origin_scraper = origin_scraper::start(config, &sources)?;
        let sampler = Sampler::new(sources.clone()).watch(&pipeline).spawn();
        let sampler = sampler.map_err(|error| Failure::no_thread("the sampler", &error))?;
        let facts = facts(config, &identity, sources.clock);
        #[cfg(feature = "otlp")]
        let otlp = otlp::start(config, &facts, &sources, &sampler)?;
        let metrics = metrics.map(|metrics| metrics.serve(facts, &sampler)).transpose()?;
        let calibration = calibration_file::for_report();
        let costs = report::costs(&calibration, &identity).cloned();
        let title = Title { costs, ..title };
        // The console and the control socket have at most one open request each.
        let (requests, documents) = flume::bounded(2);
        let channels = (commands.clone(), requests.clone());
        let control =
            control.map(|control| control.serve(config, &sources, &sampler, channels)).transpose()?;
        let display = Display::begin(title, config, &sampler, commands, requests)?;
        display::announcement(config).iter().for_each(|line| log_file::add(Level::Info, line));
        let story = log_file::follow(sampler.samples());
        let story = story.map_err(|error| Failure::no_thread("the log", &error))?;
        let active = Self {
            identity,
            sources,
            pipeline,
            sampler,
            host,
            display,
            metrics,
            control,
            origin_scraper,
            #[cfg(feature = "otlp")]
            otlp,
            documents,
            calibration,
            story,
        };
        Ok((active, taps))
    }

    /// Returns the source of reports about the run so far.
    fn interim(&self, config: &RunConfig, reports: Arc<ReportFiles>) -> Interim {
        Interim {
            samples: self.sampler.whole_samples(),
            identity: self.identity.clone(),
            options: options(config),
            reports,
            allow_untrusted: config.output.allow_untrusted,
            calibration: self.calibration.clone(),
            documents: self.documents.clone(),
        }
    }

    /// Starts the engine: the one place that chooses who makes the load.
    fn start_engine(&self, config: &RunConfig, taps: Vec<Tap>) -> Result<Swarm, Failure> {
        let swarm = Swarm::start(&self.sources, &config.clients, taps);
        swarm.map_err(|error| Failure::no_thread("the worker threads", &error))
    }

    /// Creates the controller that admits clients to `engine`.
    fn controller<E: Engine>(
        &self,
        engine: E,
        config: &RunConfig,
        tap: Tap,
        probes: Option<flume::Receiver<Probed>>,
    ) -> Controller<E> {
        let controller =
            Controller::new(engine, config.plan.clone(), &self.sources, self.sampler.samples(), tap);
        let Some(probes) = probes else { return controller };
        // It measures the speed of the machine, whose CPU is not the load's.
        let supply = supply::read(config);
        // Everything but the clients is there by now.
        let Process { open_files, resident_bytes, cpu, .. } = Process::now();
        controller.pricing(Pricing {
            probes,
            viewers: config.clients.cast.viewers_of_first_stream(config.clients.seed),
            supply,
            base: Base { open_files, resident_bytes, cpu },
            slot: Arc::clone(&self.sources.priced),
        })
    }

    /// Ends the run in this order: joins the threads of the engine, which closes their taps; compares the counters;
    /// flushes the recorder; takes the last sample of the sampler, which is exact. The display shows that sample too.
    fn end<E: Engine>(
        self,
        config: RunConfig,
        (ending, engine): (Ending, E),
        search: Option<&SearchReport>,
        orders: flume::Receiver<Command>,
        reports: Arc<ReportFiles>,
    ) -> EndedRun {
        let Self {
            identity,
            sources,
            pipeline,
            sampler,
            mut host,
            display,
            metrics,
            control,
            origin_scraper,
            #[cfg(feature = "otlp")]
            otlp,
            documents: _,
            calibration,
            story,
        } = self;
        // The clients stay listed until the last sample has been taken.
        let (clients, lost_threads) = engine.join();
        // The values of the end are those that the last sample shows.
        drop(origin_scraper);
        sources.audit();
        let status = Arc::clone(&sources.status);
        let (sampler, samples) = sampler.stop();
        // Only one sample may be the last one, so the sampler stops before the state changes.
        status.set_state(RunState::Finished);
        let lost_sampler = u64::from(sampler.is_none());
        let mut sampler = sampler.unwrap_or_else(|| Sampler::new(sources).watch(&pipeline));
        sampler.end(recorded_run::ending(ending, search));
        let lost_recorder = u64::from(!pipeline.finish());
        let sample = sampler.next_whole_sample();
        samples.send_replace(Arc::clone(&sample));
        let lost = lost_threads as u64 + lost_sampler + lost_recorder + host.end();
        drop(clients);
        EndedRun {
            config,
            identity,
            ending,
            sample,
            lost,
            host,
            display,
            metrics,
            #[cfg(feature = "otlp")]
            otlp,
            _control: control,
            orders,
            reports,
            calibration,
            story,
            search: None,
        }
    }
}

fn open_record(path: &Path) -> Result<RecordFile, ConfigError> {
    RecordFile::create(path).map_err(|error| ConfigError::Record {
        option: "--record",
        path: shown_file(path),
        reason: error.to_string(),
    })
}
