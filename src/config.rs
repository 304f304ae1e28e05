//! Turns the command line into validated configuration, one section for each module that it configures. Sends
//! nothing.

mod client_kinds;
mod criteria;
mod csv;
mod data_source;
mod error;
mod header_source;
mod load_plan;
mod net_settings;
mod origin_metrics;
#[cfg(feature = "otlp")]
mod otlp;
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
use crate::load::{ClientLimit, RampProfile, Reconnects, SearchPlan};
use crate::local_http::Address;
use crate::net::scope::AllowedHost;
use crate::player::{self, SessionLength};
use crate::report::ReportFormat;
use crate::swarm::{ClientSettings, PlaylistTap};
use crate::tui::ThemeName;
use crate::verdict::{Criteria, Threshold};
use crate::vocabulary::{HardStops, OnHangup, SecretUrl, Untrusted, limits, units};

use client_kinds::Viewers;
pub use client_kinds::{WeightedUrl, targets};
use criteria::Course;
pub use data_source::DataSourceError;
pub use error::ConfigError;
pub use header_source::HeaderSourceError;
pub use origin_metrics::OriginMetricsError;
#[cfg(feature = "otlp")]
pub use otlp::{OtlpError, OtlpSettings};
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
    /// Hosts that the operator confirmed to be allowed to load.
    pub authorised_for: Vec<AllowedHost>,
    /// Members of the mix of clients as they were given; empty if all are alike.
    pub mix: Vec<String>,
    /// Search for a capacity, if the run is one; its load is at most that of the plan.
    pub search: Option<SearchPlan>,
    /// Criteria that the operator gave.
    pub criteria: Criteria,
    /// URLs of the exporters of the origin.
    pub origin_metrics: Vec<SecretUrl>,
    /// Collector that the metrics are sent to.
    #[cfg(feature = "otlp")]
    pub otlp: Option<OtlpSettings>,
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

/// Builds the configuration of `run` and `demo` for these streams.
///
/// # Errors
/// See [`ConfigError`].
pub fn run_config(
    targets: Vec<WeightedUrl>,
    args: LoadArgs,
    command: String,
) -> Result<RunConfig, ConfigError> {
    let seed = args.seed.map_or_else(random_seed, Ok)?;
    let plan = load_plan::plan(&args, seed)?;
    let course = Course { length: plan.duration, is_open: plan.arrivals.is_some() };
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
    let mix = args.mix.iter().map(|member| member.given.clone()).collect();
    let viewers = Viewers {
        targets,
        mix: args.mix,
        data: args.data.data.map(|path| (path, args.data.data_order, seed)),
        choice: args.variant,
        profile: args.player,
        session: args.session_length,
    };
    let criteria = criteria::criteria(args.criteria, args.allow_untrusted, course)?;
    let origin_metrics = origin_metrics::urls(args.origin_metrics)?;
    let config = assemble(viewers, args.requests, plan, output)?;
    Ok(RunConfig {
        authorised_for: args.authorised_for,
        criteria,
        mix,
        origin_metrics,
        #[cfg(feature = "otlp")]
        otlp: otlp::settings(args.otlp, |name| std::env::var(name).ok())?,
        ..config
    })
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
    let mut config = run_config(vec![target.into()], load, command)?;
    // Levels break on purpose, for seconds: a held ramp would keep the search from its next level.
    config.plan.brakes = false;
    // Levels are judged one by one; what breaks one of them is no fault of the run.
    let thresholds = std::mem::take(&mut config.criteria.thresholds);
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
    let viewers = Viewers {
        targets: vec![target.into()],
        mix: Vec::new(),
        data: None,
        choice: args.variant,
        profile: args.player,
        session: SessionLength::default(),
    };
    let mut config = assemble(viewers, args.requests, plan, output)?;
    config.clients.playlist_tap = Some(playlist_tap);
    Ok(config)
}

/// Builds the parts of a configuration that follow from the options of its requests.
fn assemble(
    viewers: Viewers,
    requests: RequestArgs,
    plan: Plan,
    output: Output,
) -> Result<RunConfig, ConfigError> {
    // Two runs with the same seed are still different runs.
    let run_id = format!("{:016x}", random()?);
    let (insecure, decrypt) = (requests.insecure, requests.decrypt);
    let clients = ClientSettings {
        cast: viewers.cast(requests, &run_id)?,
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
        authorised_for: Vec::new(),
        mix: Vec::new(),
        search: None,
        criteria: Criteria::default(),
        origin_metrics: Vec::new(),
        #[cfg(feature = "otlp")]
        otlp: None,
        output,
    })
}

impl RunConfig {
    /// Returns the variant choice as reports name it.
    pub fn variant(&self) -> String {
        self.common(|player| player.choice.to_string())
    }

    /// Returns the player as reports name it.
    pub fn player(&self) -> String {
        self.common(|player| player.profile.name.to_owned())
    }

    /// Returns the session length as reports name it.
    pub fn session_length(&self) -> String {
        self.common(|player| player.session.to_string())
    }

    /// Returns what all clients have in common, or that they are mixed.
    fn common(&self, of: impl Fn(&player::Settings) -> String) -> String {
        let first = of(&self.clients.cast.first.player);
        let is_mixed = self.clients.cast.others.iter().any(|kind| of(&kind.player) != first);
        if is_mixed { "mixed".to_owned() } else { first }
    }

    /// Says that several clients will have the same row of data; `None` if there are enough.
    pub fn lack_of_data(&self) -> Option<String> {
        let rows = self.clients.cast.personal.as_ref()?.data.rows() as u64;
        let clients = u64::from(self.plan.profile.clients);
        let again = "rows are used again";
        match self.plan.arrivals {
            _ if rows < clients => {
                let clients = units::plural(clients, "client");
                Some(format!("--data: {} for up to {clients}: {again}", units::plural(rows, "row")))
            }
            Some(_) => Some(format!("--data: {again} after {}", units::plural(rows, "arrival"))),
            None => None,
        }
    }

    /// Returns the streams of the run in short, without secrets.
    pub fn target(&self) -> String {
        let (first, others) = (&self.clients.cast.first.player.entry, self.clients.cast.targets.len() - 1);
        if others > 0 { format!("{first} and {others} more") } else { first.to_string() }
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
