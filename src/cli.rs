//! Command line: commands, options and their help. No input or output; `config` interprets the options.
//!
//! The error for a bad value is one line that names the option, the value and the accepted values. A text that may
//! hold a secret (a URL, a header, a misplaced argument) is not repeated.

mod arrival;
mod check;
mod criteria;
mod ctl;
mod data;
mod examples;
mod find;
mod limits;
mod mix;
mod options;
mod origin;
#[cfg(feature = "otlp")]
mod otlp;
mod pages;
mod plan;
mod plan_file;
mod replay;
mod report;
mod resolved;
mod scope;
mod selftest;
mod shown;
mod sources;
mod stream;
mod target;
mod transport;
mod values;
mod variables;
mod wrong;

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{Args, Parser, Subcommand};

use crate::hls::VariantChoice;
use crate::load::StageList;
use crate::local_http::Address;
use crate::net::ResolveEntry;
use crate::net::scope::AllowedHost;
use crate::player::{Profile, SessionLength};
use crate::stats::DEFINITIONS;
use crate::tui::ThemeName;
use crate::vocabulary::OnHangup;

pub use arrival::ArrivalArgs;
pub use check::{CheckArgs, Subject};
pub use criteria::CriteriaArgs;
pub use ctl::{CtlAction, CtlArgs};
pub use data::DataArgs;
pub use find::{FindArgs, SearchArgs};
pub use limits::LimitArgs;
pub use mix::MixMember;
pub use origin::OriginArgs;
#[cfg(feature = "otlp")]
pub use otlp::OtlpArgs;
pub use pages::{CompletionsArgs, ManArgs, VERSION, completions, manual};
pub use plan::PlanArgs;
pub use replay::ReplayArgs;
pub use report::{CompareArgs, MergeArgs, ReportArgs};
pub use resolved::{SECRET_NOTE, resolved};
pub use scope::ScopeArgs;
pub use selftest::SelftestArgs;
pub use shown::shown_command;
pub use sources::{Combined, combine, plan_file};
pub use stream::StreamArgs;
pub use target::{Target, WeightedTarget};
pub use transport::{ProxyChoice, TransportArgs};
pub use values::NoCache;

/// User agent of all requests, unless the operator gives another.
pub const USER_AGENT: &str = concat!("hlswarm/", env!("CARGO_PKG_VERSION"));

/// Load tester for HTTP Live Streaming: how many viewers can an origin serve, and where does it break?
#[derive(Debug, Parser)]
#[command(name = "hlswarm", version, long_version = pages::VERSION, override_usage = pages::USAGE, after_help = examples::PROGRAM, max_term_width = 100, args_override_self = true)]
pub struct Cli {
    /// Command to run.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Load-test a stream (same as `hlswarm <URL>`)
    #[command(after_help = examples::RUN)]
    Run(RunArgs),
    /// Load-test the built-in origin, with faults that come and go; needs nothing else
    #[command(after_help = examples::DEMO)]
    Demo(DemoArgs),
    /// Inspect a stream with one client, or a playlist file, and report what is wrong with it
    #[command(after_help = examples::CHECK)]
    Check(CheckArgs),
    /// Forecast what `run` with these options would use; sends one client only
    #[command(after_help = examples::PLAN, mut_args = plan::shown)]
    Plan(PlanArgs),
    /// Find the largest number of clients that hold every threshold
    #[command(after_help = examples::FIND, mut_args = find::adapted)]
    Find(FindArgs),
    /// Watch or steer a run on this machine that was started with --control
    #[command(after_help = examples::CTL)]
    Ctl(CtlArgs),
    /// Convert a JSON report to another format: HTML page, SVG card, Markdown, JUnit or text
    #[command(after_help = examples::REPORT)]
    Report(ReportArgs),
    /// Show two runs side by side, with what differs beyond noise
    #[command(after_help = examples::COMPARE)]
    Compare(CompareArgs),
    /// Combine the reports of machines that loaded one stream at the same time
    #[command(after_help = examples::MERGE)]
    Merge(MergeArgs),
    /// Show a recorded run again: the live screen at any speed, and its report
    #[command(after_help = examples::REPLAY)]
    Replay(ReplayArgs),
    /// Serve only the built-in origin: live and VOD streams, faults on request
    #[command(after_help = examples::ORIGIN)]
    Origin(OriginArgs),
    /// Measure what this machine can carry, against the built-in origin; takes about seven minutes
    #[command(after_help = examples::SELFTEST)]
    Selftest(SelftestArgs),
    /// Print a shell completion script
    #[command(after_help = examples::COMPLETIONS)]
    Completions(CompletionsArgs),
    /// Print a manual page
    #[command(after_help = examples::MAN)]
    Man(ManArgs),
}

/// `hlswarm run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// Streams.
    #[command(flatten)]
    pub stream: StreamArgs,
    /// Print the plan as a plan file, with the load over time, and send nothing
    #[arg(long, help_heading = "Load")]
    pub print_plan: bool,
    /// Load and output.
    #[command(flatten)]
    pub load: LoadArgs,
}

/// `hlswarm demo`.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Load and output.
    #[command(flatten)]
    pub load: LoadArgs,
    /// Peak bandwidth of the highest variant of the built-in origin [up to 20M]
    #[arg(long, value_name = "RATE", default_value = "3M", value_parser = values::origin_bit_rate, help_heading = "Built-in origin")]
    pub bitrate: u64,
    /// Inject this fault instead of the default ones; same syntax as `hlswarm origin --fault`; repeatable
    #[arg(long = "fault", value_name = "RULE", value_parser = values::fault, help_heading = "Built-in origin")]
    pub faults: Vec<String>,
    /// Inject no faults
    #[arg(long, conflicts_with = "faults", help_heading = "Built-in origin")]
    pub healthy: bool,
    /// MPEG-TS or fMP4 segments
    #[arg(long, value_name = "FORMAT", default_value = "ts", value_parser = ["ts", "fmp4"], help_heading = "Built-in origin")]
    pub format: String,
    /// Use TLS and HTTP/2, and trust the origin's certificate
    #[arg(long, help_heading = "Built-in origin")]
    pub tls: bool,
}

/// Options that `run` and `demo` have in common.
#[derive(Debug, Args)]
pub struct LoadArgs {
    /// Number of clients to reach, such as 250 or 2.5k
    #[arg(short, long, value_name = "N", default_value = "10", default_value_if("arrival", clap::builder::ArgPredicate::IsPresent, "0"), value_parser = values::clients, allow_negative_numbers = true, help_heading = "Load")]
    pub clients: u32,
    /// Clients to start per second, such as 5, 50/s or 3000/m
    #[arg(long, value_name = "RATE", default_value = "5", value_parser = crate::vocabulary::units::parse_rate, help_heading = "Load")]
    pub ramp_rate: f64,
    /// Reach --clients within this time instead; 0 starts all at once
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, value_parser = crate::vocabulary::units::parse_duration, conflicts_with = "ramp_rate", help_heading = "Load")]
    pub ramp_time: Option<Duration>,
    /// Shift each start by a random time, at most half the interval; the mean rate stays the same
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, default_value = "200ms", value_parser = crate::vocabulary::units::parse_duration, help_heading = "Load")]
    pub ramp_jitter: Duration,
    /// Follow stages instead of one ramp: 'ramp to 500 in 2m', 'hold 10m', 'spike +300 for 30s', 'down to 100 in 1m',
    /// 'down in 1m', 'jump to 300', 'wave 100..500 every 2m for 10m', or 2m:500 as in k6 (500 clients at the end of
    /// 2m). Repeatable, or several with commas between them. The run ends with the last stage, or after --duration:
    /// earlier, or later with the clients of the last stage. A held ramp stops the clock of the stages
    #[arg(long = "stage", value_name = "STAGE", conflicts_with_all = ["clients", "ramp_rate", "ramp_time", "ramp_jitter"], help_heading = "Load")]
    pub stages: Vec<StageList>,
    /// Arrivals.
    #[command(flatten)]
    pub arrival: ArrivalArgs,
    /// Start the ramp at once, even if this machine seems too small; do not wait for the first client to load its
    /// playlists and some media
    #[arg(long, help_heading = "Load")]
    pub skip_preflight: bool,
    /// Keep adding clients during overload. Without this option the ramp is held when more than half of the requests of
    /// the last 30 s ended with 429 or 503, and resumes when at most a tenth of those of the last 10 s did
    #[arg(long, help_heading = "Load")]
    pub no_brake: bool,
    /// Stop after this long, such as 45s or 10m [default: until stopped; demo: 2m]
    #[arg(short, long, value_name = "TIME", allow_hyphen_values = true, value_parser = values::run_length, help_heading = "Load")]
    pub duration: Option<Duration>,
    /// Variant to play: highest, lowest, first, a bandwidth such as 2500k, or all (each client fetches every
    /// variant). If it fails, a client switches to another variant only if its player would
    #[arg(long, value_name = "V", default_value = "highest", help_heading = "Load")]
    pub variant: VariantChoice,
    /// Player that clients imitate: web (hls.js), ffmpeg, native (Chromium's own), persistent (never stops retrying)
    /// or patient (the same, but waits as long as Retry-After asks). A failing origin gets at most 1.1 times the requests
    /// of a healthy one, apart from bursts of 4 quick retries, as real players send; on a VOD whose segments fail,
    /// ffmpeg sends 4 requests a second
    #[arg(long, value_name = "PLAYER", default_value = "web", value_parser = Profile::named, help_heading = "Load")]
    pub player: &'static Profile,
    /// Time that each viewer stays before another replaces it, such as 5m, or exp:5m for a random time with a mean of
    /// 5m [default: to the end]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, default_value = "endless", hide_default_value = true, value_parser = values::session, help_heading = "Load")]
    pub session_length: SessionLength,
    /// Data of each client.
    #[command(flatten)]
    pub data: DataArgs,
    /// Part of the clients that watch in another way, by its share: '70 player=web', '30 player=ffmpeg variant=lowest
    /// session-length=exp:5m'; the rest of a member is as for all. Among any number of clients of a target each member has
    /// its share, to less than one client; repeatable
    #[arg(long = "mix", value_name = "MEMBER", help_heading = "Load")]
    pub mix: Vec<MixMember>,
    /// Seed of the schedule and of all random choices, below 2^53 [default: random, printed]
    #[arg(long, value_name = "N", value_parser = values::seed, help_heading = "Load")]
    pub seed: Option<u64>,

    /// Hard stops.
    #[command(flatten)]
    pub limits: LimitArgs,

    /// Criteria of the operator.
    #[command(flatten)]
    pub criteria: CriteriaArgs,

    /// Options for requests.
    #[command(flatten)]
    pub requests: RequestArgs,
    /// Host of the URL, to confirm that you may load it: required for more than 50 clients against a public host; repeatable,
    /// one for each --target
    #[arg(long, value_name = "HOST", help_heading = "Scope")]
    pub authorised_for: Vec<AllowedHost>,

    /// Print progress lines to stderr instead of drawing the live screen
    #[arg(long, help_heading = "Output")]
    pub no_tui: bool,
    /// Draw the live screen in ASCII
    #[arg(long, help_heading = "Output")]
    pub ascii: bool,
    /// Colours of the live screen: auto, ansi (16 colours), dark, light, cb (colour-blind safe), mono
    ///
    /// auto: dark or light if COLORTERM says truecolor or 24bit (light if COLORFGBG ends in 7 or 15), else ansi; mono if
    /// NO_COLOR is set. dark, light and cb need true colour.
    #[arg(long, value_name = "THEME", default_value = "auto", value_parser = values::theme, help_heading = "Output")]
    pub theme: ThemeName,
    /// Action when the terminal goes away: stop, or continue without a screen
    #[arg(long, value_name = "WHAT", default_value = "stop", value_parser = values::on_hangup, help_heading = "Output")]
    pub on_hangup: OnHangup,
    /// Ignore all keys of the live screen that change the load, also q and Ctrl-C; a signal still stops the run
    #[arg(long, help_heading = "Output")]
    pub read_only: bool,
    /// Write a report; the extension selects the format: .json, .txt, .html (page with charts), .svg (card), .md, .xml
    /// (JUnit); repeatable
    #[arg(long = "report", value_name = "FILE", help_heading = "Output")]
    pub reports: Vec<PathBuf>,
    /// Write every event, and each second a sample of each client and of the run, as NDJSON; never slows the load
    #[arg(long, value_name = "FILE", value_parser = values::output_file, help_heading = "Output")]
    pub record: Option<PathBuf>,
    /// Write a log of the program: its version and plan, messages, what happened when, exit code; at most 10 MB
    #[arg(long, value_name = "FILE", value_parser = values::output_file, help_heading = "Output")]
    pub log_file: Option<PathBuf>,
    /// Serve metrics for Prometheus at /metrics, and /healthz and /readyz, on this address [default: 127.0.0.1:17091]
    #[arg(long, value_name = "ADDR", num_args = 0..=1, default_missing_value = options::METRICS, value_parser = values::metrics, help_heading = "Output")]
    pub metrics: Option<SocketAddr>,
    /// Also export speed, drift and bytes of each client, of the first 1,000
    #[arg(long, requires = "metrics", help_heading = "Output")]
    pub metrics_per_client: bool,
    /// Metrics over OTLP.
    #[cfg(feature = "otlp")]
    #[command(flatten)]
    pub otlp: OtlpArgs,
    /// Let `hlswarm ctl`, or HTTP with JSON, watch and steer the run: a path for a Unix socket of this user, or a port such
    /// as 127.0.0.1:17092, whose random token is then in a file that the run names
    #[arg(long, value_name = "PATH", help_heading = "Output")]
    pub control: Option<Address>,
    /// Show what the origin's machine does beside the load: URL of a node_exporter or nginx-prometheus-exporter, read every
    /// 2 s; without a path, /metrics; @FILE keeps a password in it off the command line; repeatable
    #[arg(long = "origin-metrics", value_name = "URL", help_heading = "Output")]
    pub origin_metrics: Vec<Target>,
    /// Do not exit with code 4 if this machine limited the result (trust verdict INVALID); the report still says so
    #[arg(long, help_heading = "Output")]
    pub allow_untrusted: bool,
}

/// Options for requests.
#[derive(Debug, Args)]
pub struct RequestArgs {
    /// Longest wait for the first byte of a response, and for the next byte of a body
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, default_value = "15s", value_parser = values::timeout, help_heading = "Requests")]
    pub timeout: Duration,
    /// Header 'Name: value', or @FILE with one header per line; sent only to the host of the given URL; repeatable
    #[arg(long = "header", value_name = "HEADER", help_heading = "Requests")]
    pub headers: Vec<String>,
    /// Header with its value from an environment variable, which keeps it off the command line; repeatable
    #[arg(long = "header-env", value_name = "NAME=VARIABLE", help_heading = "Requests")]
    pub headers_from_env: Vec<String>,
    /// User agent; the X-Load-Test header with the run id is sent in any case
    #[arg(long, value_name = "TEXT", default_value = USER_AGENT, help_heading = "Requests")]
    pub user_agent: String,
    /// Ask caches for what the origin has now (Cache-Control: no-cache); =query: add to each URL a parameter that no other
    /// request has, which caches do not know
    #[arg(long, value_name = "MODE", num_args = 0..=1, require_equals = true, default_missing_value = options::NO_CACHE, value_parser = values::no_cache, help_heading = "Requests")]
    pub no_cache: Option<NoCache>,
    /// Cookies that each client begins with, a file as curl writes it; nothing is written back
    #[arg(long, value_name = "FILE", help_heading = "Requests")]
    pub cookie_jar: Option<PathBuf>,
    /// Do not keep the cookies that servers set
    #[arg(long, help_heading = "Requests")]
    pub no_cookies: bool,
    /// Decrypt AES-128 segments and check their padding; a segment that fails ends as body.decode
    #[arg(long, help_heading = "Requests")]
    pub decrypt: bool,
    /// Do not verify certificates
    #[arg(long, help_heading = "Requests")]
    pub insecure: bool,
    /// Trust the certificates of this PEM file instead of the system's
    #[arg(long, value_name = "FILE", help_heading = "Requests")]
    pub cacert: Option<PathBuf>,
    /// HOST:PORT:ADDR or HOST:PORT:ADDR,ADDR, as in curl: connect to ADDR for HOST:PORT (* matches any host);
    /// -HOST:PORT removes an entry; repeatable
    #[arg(long, value_name = "H:P:A", allow_hyphen_values = true, help_heading = "Requests")]
    pub resolve: Vec<ResolveEntry>,
    /// Way to the origin.
    #[command(flatten)]
    pub transport: TransportArgs,
    /// Scope of the run.
    #[command(flatten)]
    pub scope: ScopeArgs,
}

/// Reason why a command line leads to no command.
#[derive(Debug, PartialEq, Eq)]
pub enum Usage {
    /// Help or version was requested; the text goes to standard output.
    Asked(String),
    /// The command line has a mistake; describes it in one line.
    Wrong(String),
}

/// Parses a command line, which begins with the program's name.
///
/// # Errors
/// See [`Usage`].
pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Cli, Usage> {
    let args = command_first(args.into_iter().collect());
    if let Some(page) = asked_page(&args) {
        return Err(page);
    }
    if let Some(line) = wrong::command(args.get(1), &COMMANDS) {
        return Err(Usage::Wrong(line));
    }
    let mut cli = Cli::try_parse_from(with_command(args.clone())).map_err(|error| match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Usage::Asked(error.render().to_string()),
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand | ErrorKind::MissingSubcommand => {
            Usage::Wrong("nothing to do; give a URL to load, or see 'hlswarm --help'".to_owned())
        }
        _ => Usage::Wrong(wrong::one_line(&error, &args)),
    })?;
    if let Command::Ctl(args) = cli.command {
        cli.command = Command::Ctl(args.read()?);
        return Ok(cli);
    }
    match &cli.command {
        Command::Run(RunArgs { load, .. })
        | Command::Demo(DemoArgs { load, .. })
        | Command::Plan(PlanArgs { load, .. })
            if load.never_ends() =>
        {
            Err(Usage::Wrong(format!("--clients '0': {}", values::ACCEPTED_CLIENTS)))
        }
        _ => Ok(cli),
    }
}

/// Words that are commands where a URL could also stand.
const COMMANDS: [&str; 15] = [
    "run",
    "demo",
    "check",
    "plan",
    "find",
    "ctl",
    "report",
    "compare",
    "merge",
    "replay",
    "origin",
    "selftest",
    "completions",
    "man",
    "help",
];

impl LoadArgs {
    /// Reports whether the run would have no clients and no end.
    fn never_ends(&self) -> bool {
        self.clients == 0 && self.duration.is_none() && self.arrival.arrival.is_none()
    }
}

/// Pages of the help that belong to no command.
const PAGES: [&str; 2] = ["definitions", "thresholds"];
/// Letters that are enough for a page: no command begins with those of one.
const PAGE_LETTERS: usize = 3;
/// Short form of `definitions` that many type.
const SHORT_PAGE: &str = "defs";

/// Returns the page that the command line asks for with `help PAGE` or `--help PAGE`, anywhere. In the place of a command,
/// the beginning of its name is enough, and another word is an error. `None` if the command line asks for none.
fn asked_page(args: &[OsString]) -> Option<Usage> {
    let asked = args.windows(2).find_map(|two| match two {
        [help, page] if help == "--help" || help == "help" => page.to_str(),
        _ => None,
    })?;
    let is_first = args.get(1).is_some_and(|first| first == "--help" || first == "help");
    let is_short = |page: &str| asked.len() >= PAGE_LETTERS && page.starts_with(asked);
    let named = if is_first && asked == SHORT_PAGE { "definitions" } else { asked };
    if let Some(page) = PAGES.into_iter().find(|page| *page == named || (is_first && is_short(page))) {
        return Some(Usage::Asked(if page == "thresholds" { criteria::page() } else { definitions() }));
    }
    wrong::page(asked, &COMMANDS, &PAGES).filter(|_| is_first).map(Usage::Wrong)
}

/// Returns `--help COMMAND` as `COMMAND --help`, and every other command line as it is.
fn command_first(mut args: Vec<OsString>) -> Vec<OsString> {
    let asks = args.get(1).is_some_and(|first| first == "--help" || first == "-h");
    if asks && args.get(2).is_some_and(|second| COMMANDS.iter().any(|command| second == command)) {
        args.swap(1, 2);
    }
    args
}

/// Returns the playback metrics with their meanings, in 80 columns.
fn definitions() -> String {
    let mut text =
        "Playback metrics. Names follow CTA-2066 where it has them; drift, speed and edge\njump are hlswarm's own. Unknown values are shown as -- or null, never as 0.\n"
            .to_owned();
    for (name, meaning) in DEFINITIONS {
        text.push('\n');
        text.push_str(name);
        let mut column = usize::MAX;
        for word in meaning.split_whitespace() {
            if column.saturating_add(1 + word.len()) > 80 {
                text.push_str("\n   ");
                column = 3;
            }
            text.push(' ');
            text.push_str(word);
            column += 1 + word.len();
        }
        text.push('\n');
    }
    text
}

/// Inserts the command `run` if none is given: `hlswarm <URL>` is `hlswarm run <URL>`.
fn with_command(args: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut args: Vec<_> = args.into_iter().collect();
    let asks = ["-h", "--help", "-V", "--version"];
    let is_known = |first: &OsString| COMMANDS.iter().chain(&asks).any(|word| first == word);
    if args.get(1).is_some_and(|first| !is_known(first)) {
        args.insert(1, "run".into());
    }
    args
}

#[cfg(test)]
mod tests;
