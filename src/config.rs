//! Turns the command line into validated configuration, one section for each module that it configures. Sends
//! nothing.

mod criteria;
mod header_source;
mod load_plan;
mod net_settings;
mod origin_metrics;
mod plan_source;
mod target_source;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::cli::{CheckArgs, LoadArgs, RequestArgs, SearchArgs};
use crate::control::{Ahead, OnShortage, Plan};
use crate::hls::VariantChoice;
use crate::load::{ClientLimit, RampProfile, Reconnects, SearchPlan};
use crate::local_http::Address;
use crate::net;
use crate::net::scope::AllowedHost;
use crate::player::{self, SessionLength};
use crate::report::ReportFormat;
use crate::swarm::{ClientSettings, PlaylistTap};
use crate::tui::ThemeName;
use crate::verdict::{Criteria, Threshold};
use crate::vocabulary::{HardStops, OnHangup, SecretUrl, Untrusted, limits};

/// A value that cannot be used. The message is one line that names the option and what is accepted.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A header that cannot be sent. The message does not show its value.
    #[error("--header: {0}")]
    Header(#[from] net::HeaderError),
    /// Stages that do not make a plan.
    #[error("--stage: {0}")]
    Stages(String),
    /// Arrivals of clients without a bound.
    #[error(
        "--arrival: no client would ever leave; give --session-length, or --clients as the most that may be there at once, or --duration"
    )]
    EndlessArrivals,
    /// Headers that could not be read from their source.
    #[error("{0}")]
    HeaderSource(#[from] HeaderSourceError),
    /// A URL that could not be read from its file.
    #[error("{0}")]
    TargetSource(#[from] TargetSourceError),
    /// Exporters of the origin that cannot be scraped.
    #[error(transparent)]
    OriginMetrics(#[from] OriginMetricsError),
    /// Settings that an origin cannot have.
    #[error("{0}")]
    Origin(String),
    /// A certificate file that cannot be used.
    #[error(transparent)]
    Tls(#[from] net::TlsError),
    /// A file of cookies that cannot be used.
    #[error(transparent)]
    Cookies(#[from] net::CookieFileError),
    /// A way to the origin that does not exist.
    #[error("{0}")]
    Transport(String),
    /// A report that cannot be written to its file.
    #[error("{option} {path}: {reason}")]
    Report {
        /// Option that asked for it.
        option: &'static str,
        /// File that was asked for.
        path: String,
        /// Problem with the file, and what is accepted.
        reason: &'static str,
    },
    /// A record or a log that cannot be written to its file.
    #[error("{option} {path}: {reason}; expected a writable file, or a pipe with a reader")]
    Record {
        /// Option that asked for it.
        option: &'static str,
        /// File that was asked for.
        path: String,
        /// Problem with the file.
        reason: String,
    },
    /// A playlist that cannot be read.
    #[error("check {path}: {reason}")]
    Playlist {
        /// File that was given.
        path: String,
        /// Reason for the failure.
        reason: String,
    },
    /// A report that cannot be read.
    #[error("{path}: {reason}")]
    Document {
        /// File that was given.
        path: String,
        /// Problem with the file, and what is expected.
        reason: String,
    },
    /// Reports that cannot be added.
    #[error("merge: {0}")]
    Merge(String),
    /// A search that begins beyond its largest number of clients.
    #[error("--clients: {first} is more than --max-clients {most}; the search begins with --clients")]
    SearchBegins {
        /// Clients to begin with.
        first: u32,
        /// Largest number of clients.
        most: u32,
    },
    /// A search with an option that plans the load.
    #[error(
        "{0}: a search makes its own load and ends by itself; give --clients, --max-clients and --ramp-rate"
    )]
    NotOfSearch(&'static str),
    /// A threshold that cannot judge a level of a search.
    #[error(
        "--threshold '{0}': expected one without 'over' and 'after', of a quantity that is not only for the whole run: a search judges each number of clients by itself"
    )]
    NotSearched(String),
    /// More thresholds than a run judges.
    #[error("--threshold: expected at most {} of them", limits::THRESHOLDS)]
    TooManyThresholds,
    /// A threshold that would judge nothing, because the run ends before.
    #[error(
        "--threshold {expr}: the run ends after {length}, before a value counts; expected shorter times or a longer run"
    )]
    ThresholdBeyondRun {
        /// The threshold.
        expr: String,
        /// Length of the run.
        length: String,
    },
    /// An address on which the metrics cannot be served.
    #[error("--metrics {address}: {reason}; expected an address of this machine with a free port")]
    Metrics {
        /// Address that was asked for.
        address: SocketAddr,
        /// Problem with the address.
        reason: String,
    },
    /// An address at which a run cannot be controlled.
    #[error("--control {address}: {reason}")]
    Control {
        /// Address that was given.
        address: String,
        /// Problem with the address, and what is expected.
        reason: String,
    },
    /// The system gave no random numbers for a seed.
    #[error("the system provides no random numbers; give --seed")]
    Seed,
}

pub use header_source::HeaderSourceError;
pub use origin_metrics::OriginMetricsError;
pub use plan_source::with_sources;
pub use target_source::{TargetSourceError, target};

/// Thresholds of a search without any: those of the verdict DEGRADED.
const SEARCHED: [&str; 2] = ["error_rate<1%", "stalled_share_max<1%"];

/// Returns the name of a file as messages and reports show it.
pub fn shown_file(path: &Path) -> String {
    Untrusted::new(&path.to_string_lossy()).shown()
}

/// A report that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportFile {
    /// Path of the file.
    pub path: PathBuf,
    /// Format of the report.
    pub format: ReportFormat,
}

/// A run that is ready to be started.
#[derive(Debug)]
pub struct RunConfig {
    /// Settings of the clients.
    pub clients: ClientSettings,
    /// The plan of the load. Preflight sets its `limit`.
    pub plan: Plan,
    /// Clients that were asked for; preflight may lower those of the plan.
    pub clients_asked: u32,
    /// Reason why preflight has lowered them.
    pub clamped: Option<String>,
    /// Identifier of the run, which every request carries.
    pub run_id: String,
    /// Skips the verification of certificates.
    pub insecure: bool,
    /// Host that the operator confirmed to be allowed to load.
    pub authorised_for: Option<AllowedHost>,
    /// Search for a capacity, if the run is one; its load is at most that of the plan.
    pub search: Option<SearchPlan>,
    /// Criteria that the operator gave.
    pub criteria: Criteria,
    /// URLs of the exporters of the origin.
    pub origin_metrics: Vec<SecretUrl>,
    /// Destinations of the results.
    pub output: Output,
}

/// Display of a run while it lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Show {
    /// The live screen if there is a terminal, otherwise progress lines.
    Screen,
    /// One line per second on standard error.
    Progress,
    /// No display.
    Nothing,
}

/// The endpoint of the metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MetricsSettings {
    /// Address to listen on.
    pub address: SocketAddr,
    /// Exports series of each client, too.
    pub per_client: bool,
}

/// Destinations of the results, and settings of the live screen.
#[derive(Clone, Debug)]
pub struct Output {
    /// Display of the run while it lasts.
    pub show: Show,
    /// Draws the live screen in ASCII.
    pub ascii: bool,
    /// Colours of the live screen.
    pub theme: ThemeName,
    /// Action when the terminal goes away.
    pub on_hangup: OnHangup,
    /// Keeps the keys of the live screen from changing the load.
    pub read_only: bool,
    /// Report files.
    pub reports: Vec<ReportFile>,
    /// File for the events, if they are recorded.
    pub record: Option<PathBuf>,
    /// Endpoint of the metrics, if they are served.
    pub metrics: Option<MetricsSettings>,
    /// Address at which the run can be controlled, if it can be.
    pub control: Option<Address>,
    /// Keeps a trust verdict of INVALID from changing the exit code.
    pub allow_untrusted: bool,
    /// Command line without its secrets.
    pub command: String,
}

/// Builds the configuration of `run` and `demo` for `target`.
///
/// # Errors
/// See [`ConfigError`].
pub fn run_config(target: SecretUrl, args: LoadArgs, command: String) -> Result<RunConfig, ConfigError> {
    let seed = args.seed.map_or_else(random_seed, Ok)?;
    let plan = load_plan::plan(&args, seed)?;
    let length = plan.duration;
    let output = Output {
        show: if args.no_tui { Show::Progress } else { Show::Screen },
        ascii: args.ascii,
        theme: args.theme,
        on_hangup: args.on_hangup,
        read_only: args.read_only,
        // A bad report file must be an error before the run, not after it.
        reports: args
            .reports
            .into_iter()
            .map(|path| report_file("--report", path))
            .collect::<Result<_, _>>()?,
        record: args.record,
        metrics: args.metrics.map(|address| MetricsSettings { address, per_client: args.metrics_per_client }),
        control: args.control,
        allow_untrusted: args.allow_untrusted,
        command,
    };
    let player = player::Settings {
        entry: target,
        choice: args.variant,
        profile: args.player,
        session: args.session_length,
    };
    let criteria = criteria::criteria(args.criteria, args.allow_untrusted, length)?;
    let origin_metrics = origin_metrics::urls(args.origin_metrics)?;
    let config = assemble(player, args.requests, plan, output)?;
    Ok(RunConfig { authorised_for: args.authorised_for, criteria, origin_metrics, ..config })
}

/// Builds the configuration of a search against `target`, its plan and its thresholds. The run is planned for the
/// largest load of the search.
///
/// # Errors
/// See [`ConfigError`].
pub fn find_config(
    target: SecretUrl,
    search: SearchArgs,
    mut load: LoadArgs,
    command: String,
) -> Result<(RunConfig, SearchPlan, Vec<Threshold>), ConfigError> {
    let SearchArgs { max_clients: most, hold, settle, precision, repeats } = search;
    let others = [
        ("--stage", !load.stages.is_empty()),
        ("--arrival", load.arrival.arrival.is_some()),
        ("--ramp-time", load.ramp_time.is_some()),
        ("--abort-on-fail", load.criteria.abort_on_fail.is_some()),
        ("--warmup", load.criteria.warmup.is_some()),
    ];
    if let Some((option, _)) = others.into_iter().find(|(_, is_given)| *is_given) {
        return Err(ConfigError::NotOfSearch(option));
    }
    if load.clients > most {
        return Err(ConfigError::SearchBegins { first: load.clients, most });
    }
    let first = std::mem::replace(&mut load.clients, most);
    load.limits.clamp = true;
    if load.criteria.thresholds.is_empty() {
        load.criteria.thresholds = SEARCHED.iter().filter_map(|text| Threshold::parse(text).ok()).collect();
    }
    let mut config = run_config(target, load, command)?;
    // Levels break on purpose, for seconds: a held ramp would keep the search from its next level.
    config.plan.brakes = false;
    // Levels are judged one by one; what breaks one of them is no fault of the run.
    let thresholds = std::mem::take(&mut config.criteria).thresholds;
    if let Some(other) = thresholds.iter().find(|threshold| !threshold.judges_any_interval()) {
        return Err(ConfigError::NotSearched(other.to_string()));
    }
    let plan = SearchPlan { first, most, settle, hold, precision, repeats };
    config.search = Some(plan);
    Ok((config, plan, thresholds))
}

/// Builds the configuration of the one client that `check` runs. `playlist_tap` receives the playlists that it reads.
///
/// # Errors
/// See [`ConfigError`].
pub fn check_config(
    target: SecretUrl,
    args: CheckArgs,
    command: String,
    playlist_tap: PlaylistTap,
) -> Result<RunConfig, ConfigError> {
    let plan = Plan {
        // One client is the whole load: there is nothing to ramp up, and no other client to hold back.
        profile: RampProfile { clients: 1, seed: random_seed()?, ..RampProfile::default() },
        stages: None,
        arrivals: None,
        limit: ClientLimit::default(),
        ahead: Ahead::Single,
        on_shortage: OnShortage::Refuse,
        brakes: false,
        duration: Some(args.duration),
        has_default_end: false,
        hard_stops: HardStops::default(),
    };
    // `check` prints its findings at the end; until then nothing is shown.
    let output = Output {
        show: Show::Nothing,
        ascii: false,
        theme: ThemeName::Auto,
        on_hangup: OnHangup::default(),
        read_only: false,
        reports: Vec::new(),
        record: None,
        metrics: None,
        control: None,
        // Findings about a stream do not depend on how fast this machine is.
        allow_untrusted: true,
        command,
    };
    let player = player::Settings {
        entry: target,
        choice: args.variant,
        profile: args.player,
        session: SessionLength::default(),
    };
    let mut config = assemble(player, args.requests, plan, output)?;
    config.clients.playlist_tap = Some(playlist_tap);
    Ok(config)
}

/// Builds the parts of a configuration that follow from the options of its requests.
fn assemble(
    player: player::Settings,
    requests: RequestArgs,
    plan: Plan,
    output: Output,
) -> Result<RunConfig, ConfigError> {
    // Two runs with the same seed are still different runs.
    let run_id = format!("{:016x}", random()?);
    let (insecure, decrypt) = (requests.insecure, requests.decrypt);
    let net = net_settings::build(&player.entry, requests, &run_id, player.profile)?;
    let clients = ClientSettings {
        player: Arc::new(player),
        net,
        decrypt,
        seed: plan.profile.seed,
        replaces: plan.arrivals.is_none(),
        reconnects: Arc::new(Reconnects::new(plan.profile.interval())),
        playlist_tap: None,
        probe: None,
    };
    let clients_asked = plan.profile.clients;
    Ok(RunConfig {
        clients,
        plan,
        clients_asked,
        clamped: None,
        run_id,
        insecure,
        authorised_for: None,
        search: None,
        criteria: Criteria::default(),
        origin_metrics: Vec::new(),
        output,
    })
}

impl RunConfig {
    /// Returns the variant choice as reports name it.
    pub fn variant(&self) -> VariantChoice {
        self.clients.player.choice
    }

    /// Returns the duration that was asked for, in seconds.
    pub fn duration_s(&self) -> Option<f64> {
        self.plan.duration.as_ref().map(Duration::as_secs_f64)
    }
}

/// Returns a seed that `--seed` would accept: every reader of JSON must get it unchanged from a report.
fn random_seed() -> Result<u64, ConfigError> {
    Ok(random()? & limits::SEED_MAX)
}

fn random() -> Result<u64, ConfigError> {
    use rand::TryRng as _;
    rand::rngs::SysRng.try_next_u64().map_err(|_| ConfigError::Seed)
}

/// Checks a report file before the run, not after it.
///
/// # Errors
/// The file selects no format, or cannot be written by its kind or place; `option` is what asked for it.
pub fn report_file(option: &'static str, path: PathBuf) -> Result<ReportFile, ConfigError> {
    let wrong = |reason| ConfigError::Report { option, path: shown_file(&path), reason };
    let format = ReportFormat::from_extension(&path).ok_or_else(|| wrong(ReportFormat::UNKNOWN))?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    if folder.is_some_and(|folder| !folder.is_dir()) {
        return Err(wrong("its directory does not exist; expected a file in an existing directory"));
    }
    match std::fs::metadata(&path) {
        Ok(found) if !found.is_file() => {
            Err(wrong("expected a regular file, or one that does not exist yet"))
        }
        _ => Ok(ReportFile { path, format }),
    }
}
