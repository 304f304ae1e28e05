//! What was typed: commands, options, their help. No input or output, no meaning.
//!
//! Every bad value is one line that names the option, what was given and what is accepted; what may hold a secret
//! (an address, a header) is not repeated.

mod check;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Args, Parser, Subcommand};

use crate::base::{OnHangup, SecretUrl, Untrusted, limits, units};
use crate::hls::VariantChoice;
use crate::net::ResolveEntry;
use crate::origin::FaultRule;
use crate::player::{Profile, SessionLength};
use crate::stats::DEFINITIONS;
use crate::tui::Palette;

const AFTER_HELP: &str = "\
Exit codes (the first that applies):
  70   internal fault of hlswarm        6    a report or record not written
  2    bad arguments                    129, 130, 143  ended early by HUP, INT, TERM
  5    preflight refused: nothing sent  4    this machine limited the result
  3    nothing played, or less than half succeeded;
                                             check: a finding is an error
  0    otherwise; q, or one Ctrl-C in a run without --duration, is a normal end

'hlswarm --help definitions' says what each number of playback means.";

const FAULT_HELP: &str = "\
KIND:FAULT[:SHARE][@FROM+FOR], such as segment:503:10% or any:delay=300ms@30s+10s; repeatable. \
KIND: playlist, segment, init, any. FAULT: a status code, delay=TIME, bandwidth=RATE, cut, reset, stall, \
stale (live playlists stand still)";

pub use check::{CheckArgs, Subject};

/// Load tester for HTTP Live Streaming: how many viewers does this origin carry, and where does it break?
#[derive(Debug, Parser)]
#[command(name = "hlswarm", version, after_help = AFTER_HELP, max_term_width = 100, args_override_self = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Load a stream (`hlswarm <URL>` does the same)
    Run(RunArgs),
    /// Load the built-in origin, on which faults come and go: needs nothing else
    Demo(DemoArgs),
    /// Look at a stream with one client, or at a playlist file: what it is, what is wrong with it
    Check(CheckArgs),
    /// Serve the built-in origin alone: live and VOD streams, faults on request
    Origin(OriginArgs),
}

/// `hlswarm run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// Address of a multivariant or media playlist, http:// or https://
    #[arg(value_name = "URL", value_parser = parse_url)]
    pub url: SecretUrl,
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
    #[arg(long, value_name = "RATE", default_value = "3M", value_parser = units::parse_bit_rate, help_heading = "Built-in origin")]
    pub bitrate: u64,
    /// A fault of the built-in origin instead of its story, as `hlswarm origin --fault` takes it; repeatable
    #[arg(long = "fault", value_name = "RULE", value_parser = parse_fault, help_heading = "Built-in origin")]
    pub faults: Vec<String>,
    /// No faults at all
    #[arg(long, conflicts_with = "faults", help_heading = "Built-in origin")]
    pub healthy: bool,
    /// MPEG-TS or fMP4 segments
    #[arg(long, value_name = "FORMAT", default_value = "ts", value_parser = ["ts", "fmp4"], help_heading = "Built-in origin")]
    pub format: String,
    /// Load it over TLS and HTTP/2, its certificate trusted
    #[arg(long, help_heading = "Built-in origin")]
    pub tls: bool,
}

/// What `run` and `demo` have in common.
#[derive(Debug, Args)]
pub struct LoadArgs {
    /// Clients to reach
    #[arg(short, long, value_name = "N", default_value = "10", value_parser = parse_clients, allow_negative_numbers = true, help_heading = "Load")]
    pub clients: u32,
    /// Clients started per second, such as 5, 50/s, 3000/m
    #[arg(long, value_name = "RATE", default_value = "5", value_parser = units::parse_rate, help_heading = "Load")]
    pub ramp_rate: f64,
    /// Reach --clients in this time instead; 0 = all at once
    #[arg(long, value_name = "TIME", value_parser = units::parse_duration, conflicts_with = "ramp_rate", help_heading = "Load")]
    pub ramp_time: Option<Duration>,
    /// Move each start by a random time, at most half the interval; never slows the mean
    #[arg(long, value_name = "TIME", default_value = "200ms", value_parser = units::parse_duration, help_heading = "Load")]
    pub ramp_jitter: Duration,
    /// Stop after this long, such as 45s, 10m [default: until stopped]
    #[arg(short, long, value_name = "TIME", value_parser = parse_run_length, help_heading = "Load")]
    pub duration: Option<Duration>,
    /// highest, lowest, first, a bandwidth such as 2500k, or all (each client fetches every variant)
    #[arg(long, value_name = "V", default_value = "highest", help_heading = "Load")]
    pub variant: VariantChoice,
    /// What clients behave like: web (hls.js), ffmpeg, native (Chromium's own), persistent (never gives up)
    #[arg(long, value_name = "PLAYER", default_value = "web", value_parser = Profile::named, help_heading = "Load")]
    pub player: &'static Profile,
    /// How long viewers stay before another takes the place, such as 5m, or exp:5m for a mean of it [default: to the end]
    #[arg(long, value_name = "TIME", default_value = "endless", hide_default_value = true, value_parser = parse_session, help_heading = "Load")]
    pub session_length: SessionLength,
    /// Same seed, same schedule and choices [default: random, printed]
    #[arg(long, value_name = "N", help_heading = "Load")]
    pub seed: Option<u64>,

    /// How requests are made.
    #[command(flatten)]
    pub requests: RequestArgs,

    /// Plain progress lines on stderr instead of the live screen
    #[arg(long, help_heading = "Output")]
    pub no_tui: bool,
    /// Draw the live screen in ASCII
    #[arg(long, help_heading = "Output")]
    pub ascii: bool,
    /// Colours of the live screen: ansi, cb (for the colour-blind), mono [default: ansi; mono with NO_COLOR]
    #[arg(long, value_name = "THEME", value_parser = parse_theme, help_heading = "Output")]
    pub theme: Option<Palette>,
    /// When the terminal goes away: stop, or continue without a screen
    #[arg(long, value_name = "WHAT", default_value = "stop", value_parser = parse_on_hangup, help_heading = "Output")]
    pub on_hangup: OnHangup,
    /// Keys of the live screen do not change the load
    #[arg(long, help_heading = "Output")]
    pub read_only: bool,
    /// Write a report; the ending chooses the format: .json or .txt; repeatable
    #[arg(long = "report", value_name = "FILE", help_heading = "Output")]
    pub reports: Vec<PathBuf>,
    /// Write every event as a line of JSON, with a frame each second; never slows the load
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub record: Option<PathBuf>,
}

/// How requests are made.
#[derive(Debug, Args)]
pub struct RequestArgs {
    /// Longest wait for the first byte of a response, and for the next byte of a body
    #[arg(long, value_name = "TIME", default_value = "15s", value_parser = parse_timeout, help_heading = "Requests")]
    pub timeout: Duration,
    /// 'Name: value', sent to the host of the given address only; repeatable
    #[arg(long = "header", value_name = "HEADER", help_heading = "Requests")]
    pub headers: Vec<String>,
    /// User agent; the X-Load-Test header with the run id stays
    #[arg(long, value_name = "TEXT", default_value = concat!("hlswarm/", env!("CARGO_PKG_VERSION")), help_heading = "Requests")]
    pub user_agent: String,
    /// Decrypt AES-128 segments and check their padding; a failure is a fault of the request (body.decode)
    #[arg(long, help_heading = "Requests")]
    pub decrypt: bool,
    /// Do not verify certificates
    #[arg(long, help_heading = "Requests")]
    pub insecure: bool,
    /// Trust the certificates of this PEM file instead of the system's
    #[arg(long, value_name = "FILE", help_heading = "Requests")]
    pub cacert: Option<PathBuf>,
    /// As in curl: HOST:PORT:ADDR[,ADDR] connects to ADDR for HOST:PORT (* = any host), -HOST:PORT takes it back; repeatable
    #[arg(long, value_name = "H:P:A", allow_hyphen_values = true, help_heading = "Requests")]
    pub resolve: Vec<ResolveEntry>,
}

/// `hlswarm origin`.
#[derive(Debug, Args)]
pub struct OriginArgs {
    /// Address to listen on; port 0 = any free one; TLS takes the next port
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:17180")]
    pub listen: std::net::SocketAddr,
    /// Allow an address that other machines can reach
    #[arg(long)]
    pub allow_remote: bool,
    /// Serve TLS and HTTP/2 too, with a certificate of its own
    #[arg(long)]
    pub tls: bool,
    /// Write that certificate here, for --cacert
    #[arg(long, value_name = "FILE", requires = "tls")]
    pub certificate: Option<PathBuf>,
    /// Peak bandwidth of the highest variant [up to 20M]
    #[arg(long, value_name = "RATE", default_value = "3M", value_parser = units::parse_bit_rate)]
    pub bitrate: u64,
    /// Length of a segment
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = units::parse_duration)]
    pub segment_duration: Duration,
    /// Segments that a live playlist lists
    #[arg(long, value_name = "N", default_value = "6")]
    pub window: u32,
    /// Segments of a VOD
    #[arg(long, value_name = "N", default_value = "30")]
    pub vod_segments: u32,
    /// Faults on request; [`FAULT_HELP`] is their grammar.
    #[arg(long = "fault", value_name = "RULE", help = FAULT_HELP)]
    pub faults: Vec<FaultRule>,
    /// Let faults come and go, as `hlswarm demo` does
    #[arg(long)]
    pub story: bool,
    /// Never compress playlists
    #[arg(long)]
    pub no_gzip: bool,
    /// Seed of the faults
    #[arg(long, value_name = "N", default_value = "1")]
    pub seed: u64,
    /// Speak to a parent process: addresses and counts as JSON lines, until standard input ends
    #[arg(long, hide = true)]
    pub child: bool,
}

fn parse_url(text: &str) -> Result<SecretUrl, String> {
    SecretUrl::parse(text)
        .map_err(|error| format!("{error}; accepted: http://host/path or https://host/path"))
}

fn parse_clients(text: &str) -> Result<u32, String> {
    let accepted =
        || format!("accepted: a whole number from 0 to {}", units::count(u64::from(limits::CLIENTS)));
    text.parse().ok().filter(|clients| *clients <= limits::CLIENTS).ok_or_else(accepted)
}

/// A fault rule, still as text: the origin that reads it is another process.
fn parse_fault(text: &str) -> Result<String, String> {
    text.parse::<FaultRule>().map(|_| text.to_owned())
}

fn parse_run_length(text: &str) -> Result<Duration, String> {
    let length = units::parse_duration(text)?;
    if length.is_zero() {
        Err("accepted: a duration above 0 such as 45s, 10m".to_owned())
    } else {
        Ok(length)
    }
}

fn parse_session(text: &str) -> Result<SessionLength, String> {
    if text == "endless" { Ok(SessionLength::Endless) } else { text.parse() }
}

fn parse_on_hangup(text: &str) -> Result<OnHangup, String> {
    match text {
        "stop" => Ok(OnHangup::Stop),
        "continue" => Ok(OnHangup::Continue),
        _ => Err("accepted: stop, continue".to_owned()),
    }
}

fn parse_theme(text: &str) -> Result<Palette, String> {
    match text {
        "ansi" => Ok(Palette::Ansi),
        "cb" => Ok(Palette::ColourBlind),
        "mono" => Ok(Palette::Mono),
        _ => Err("accepted: ansi, cb, mono".to_owned()),
    }
}

fn parse_timeout(text: &str) -> Result<Duration, String> {
    let length = units::parse_duration(text)?;
    if length.is_zero() {
        Err("accepted: a duration above 0 such as 500ms, 15s".to_owned())
    } else {
        Ok(length)
    }
}

/// Why there is nothing to do.
#[derive(Debug, PartialEq, Eq)]
pub enum Usage {
    /// Help or version was asked for: goes to standard output.
    Asked(String),
    /// What was typed is wrong: one line.
    Wrong(String),
}

/// Reads the command line, the program's name first.
///
/// # Errors
/// See [`Usage`].
pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Cli, Usage> {
    let args: Vec<_> = args.into_iter().collect();
    if asks_for_definitions(&args) {
        return Err(Usage::Asked(definitions()));
    }
    Cli::try_parse_from(with_command(args)).map_err(|error| match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Usage::Asked(error.render().to_string()),
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand | ErrorKind::MissingSubcommand => {
            Usage::Wrong("nothing to do; give an address to load, or see 'hlswarm --help'".to_owned())
        }
        _ => Usage::Wrong(one_line(&error)),
    })
}

/// `hlswarm help definitions`, or `--help definitions` behind anything.
fn asks_for_definitions(args: &[OsString]) -> bool {
    args.windows(2).any(
        |two| matches!(two, [help, what] if (help == "--help" || help == "help") && what == "definitions"),
    )
}

/// The numbers of playback and what each means, in 80 columns.
fn definitions() -> String {
    let mut text = "What viewers saw, after CTA-2066. Unknown is -- or null, never 0.\n".to_owned();
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

/// `hlswarm <URL>` is `hlswarm run <URL>`.
fn with_command(args: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut args: Vec<_> = args.into_iter().collect();
    let known = ["run", "demo", "check", "origin", "help", "-h", "--help", "-V", "--version"];
    if args.get(1).is_some_and(|first| !known.iter().any(|word| first == word)) {
        args.insert(1, "run".into());
    }
    args
}

/// What is wrong, in one line.
fn one_line(error: &clap::Error) -> String {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        Some(ContextValue::Strings(texts)) => Some(texts.join(", ")),
        _ => None,
    };
    let option = text(ContextKind::InvalidArg).unwrap_or_default();
    let name = option.split(' ').find(|word| word.starts_with("--")).unwrap_or(&option);
    let given = text(ContextKind::InvalidValue).filter(|_| !holds_secrets(name));
    let given = given.map_or(String::new(), |given| format!(" '{}'", Untrusted::new(&given).shown_in(60)));
    match error.kind() {
        ErrorKind::ValueValidation => {
            let why = std::error::Error::source(error).map_or(String::new(), ToString::to_string);
            format!("{name}{given}: {why}")
        }
        ErrorKind::InvalidValue => match text(ContextKind::ValidValue).filter(|valid| !valid.is_empty()) {
            Some(valid) => format!("{name}{given}: accepted: {valid}"),
            None => format!("{name}: a value is missing"),
        },
        ErrorKind::MissingRequiredArgument => format!("{option} is missing; see 'hlswarm --help'"),
        ErrorKind::ArgumentConflict => {
            let other = text(ContextKind::PriorArg).unwrap_or_default();
            let other = other.split(' ').next().unwrap_or_default().to_owned();
            if other == name {
                format!("{name} may be given only once")
            } else {
                format!("{name} cannot be used together with {other}")
            }
        }
        _ => {
            let rendered = error.render().to_string();
            let first = rendered.lines().next().unwrap_or_default().trim_start_matches("error: ");
            format!("{}; see 'hlswarm --help'", Untrusted::new(first).shown())
        }
    }
}

/// Whether the value of this option must not be repeated.
fn holds_secrets(option: &str) -> bool {
    option.contains("URL") || option.contains("--header") || option.contains("--user-agent")
}

/// The command line as a report may show it: addresses redacted, header values left out.
pub fn shown_command(args: impl IntoIterator<Item = OsString>) -> String {
    let mut shown = vec!["hlswarm".to_owned()];
    let mut secret_follows = false;
    for arg in args.into_iter().skip(1) {
        let arg = arg.to_string_lossy();
        shown.push(match arg.split_once('=') {
            _ if secret_follows => "'***'".to_owned(),
            Some((name @ ("--header" | "--user-agent"), _)) => format!("{name}='***'"),
            _ if arg.contains("://") => {
                SecretUrl::parse(&arg).map_or("***".to_owned(), |url| url.to_string())
            }
            _ => Untrusted::new(&arg).shown(),
        });
        secret_follows = matches!(&*arg, "--header" | "--user-agent");
    }
    shown.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(line: &str) -> Vec<OsString> {
        std::iter::once("hlswarm").chain(line.split_whitespace()).map(OsString::from).collect()
    }

    fn wrong(line: &str) -> String {
        match parse(args(line)) {
            Err(Usage::Wrong(text)) => text,
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn clap_finds_no_contradiction_in_the_definition() {
        use clap::CommandFactory as _;
        Cli::command().debug_assert();
    }

    #[test]
    fn the_definitions_can_be_asked_for_and_fit_the_page() {
        for line in ["help definitions", "--help definitions", "run --help definitions"] {
            let Err(Usage::Asked(text)) = parse(args(line)) else { panic!("{line}") };
            assert!(DEFINITIONS.iter().all(|(name, _)| text.contains(&format!("\n{name}\n"))), "{text}");
            assert!(text.lines().all(|line| line.len() <= 80), "{text}");
        }
    }

    #[test]
    fn an_address_alone_is_a_run() {
        for line in ["http://h/a.m3u8 -c 7", "-c 7 http://h/a.m3u8", "run http://h/a.m3u8 --clients 7"] {
            match parse(args(line)).expect(line).command {
                Command::Run(run) => {
                    assert_eq!((run.load.clients, run.url.to_string().as_str()), (7, "http://h/a.m3u8"))
                }
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn every_bad_value_is_one_line_with_option_value_and_what_is_accepted() {
        for (line, expected) in [
            ("run http://h/a --clients ten", "--clients 'ten': accepted: a whole number from 0 to 1,000,000"),
            ("run http://h/a -c -1", "--clients '-1': accepted: a whole number from 0 to 1,000,000"),
            (
                "run http://h/a --ramp-rate fast",
                "--ramp-rate 'fast': accepted: a rate above 0 such as 5, 50/s, 3000/m",
            ),
            ("run http://h/a -d 0", "--duration '0': accepted: a duration above 0 such as 45s, 10m"),
            (
                "run http://h/a --variant abr",
                "--variant 'abr': abr is not offered yet; accepted: highest, lowest, first, all, or a bandwidth such as 2500k",
            ),
            (
                "run http://h/a --resolve x",
                "--resolve 'x': accepted: HOST:PORT:ADDR[,ADDR] such as cdn.example:443:127.0.0.1, *:443:[::1] for any host, or -HOST:PORT",
            ),
            (
                "run ftp://h/a?token=hunter2",
                "<URL>: only http:// and https:// addresses are accepted; accepted: http://host/path or https://host/path",
            ),
            ("run", "<URL> is missing; see 'hlswarm --help'"),
            ("demo --ramp-time 1s --ramp-rate 5", "--ramp-time cannot be used together with --ramp-rate"),
            ("demo --format dash", "--format 'dash': accepted: ts, fmp4"),
            ("demo --on-hangup wait", "--on-hangup 'wait': accepted: stop, continue"),
            ("demo --theme pink", "--theme 'pink': accepted: ansi, cb, mono"),
            ("demo --clients", "--clients: a value is missing"),
            ("demo --no-such", "unexpected argument '--no-such' found; see 'hlswarm --help'"),
            ("", "nothing to do; give an address to load, or see 'hlswarm --help'"),
        ] {
            let text = wrong(line);
            assert_eq!(text, expected, "{line}");
            assert!(!text.contains('\n') && !text.contains("hunter2"));
        }
    }

    #[test]
    fn the_shown_command_holds_no_secret() {
        let mut line = args(
            "run http://u:hunter2@h/a.m3u8?t=hunter2 -c 5 --header=X:hunter2 --user-agent=hunter2 --header",
        );
        line.push("Cookie: hunter2".into());
        let shown = shown_command(line);
        assert_eq!(
            shown,
            "hlswarm run http://h/a.m3u8?*** -c 5 --header='***' --user-agent='***' --header '***'"
        );
    }
}
