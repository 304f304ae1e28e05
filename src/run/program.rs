//! The program from its arguments to its exit code: parse -> run -> print the error chain. The process exits only here.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use color_eyre::config::HookBuilder;

use super::deadline::Finish;
use super::story::Level;
use super::{ExitStatus, Failure, control_socket, ctl, documents, log_file, stdio};
use crate::cli::{self, Cli, Combined, StreamArgs, Usage};
use crate::config::{self, ConfigError};
use crate::tui;
use crate::vocabulary::exit_code;

/// Maximum time that the last messages wait for the reader of standard error.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// Runs the program.
pub fn main() -> ExitCode {
    report_panics();
    let args: Vec<_> = std::env::args_os().collect();
    let status = match parse(args.clone()) {
        // The file and the environment may hold secrets: the command line of the report is the one that was typed.
        Ok((cli, all)) => supervise(cli.command, Line { shown: cli::shown_command(args), all }),
        Err(Usage::Asked(text)) => print(&text).unwrap_or_else(report_failure),
        Err(Usage::Wrong(line)) => {
            stdio::say(&format!("hlswarm: {line}"));
            exit_code::USAGE.into()
        }
    };
    control_socket::remove_files();
    tui::unreported_panics().iter().for_each(|message| stdio::say(message));
    log_file::end(status.code());
    stdio::flush(LAST_WORDS);
    status.into()
}

/// A valid command line.
struct Line {
    /// As a report may show it.
    shown: String,
    /// Together with the options of the plan file and the environment.
    all: Combined,
}

/// Parses the command line together with its plan file and the environment. Also returns these arguments.
fn parse(args: Vec<OsString>) -> Result<(Cli, Combined), Usage> {
    let combined = config::with_sources(args)?;
    combined.notes.iter().for_each(|note| stdio::say(&format!("hlswarm: {note}")));
    let cli = cli::parse(combined.args.clone()).map_err(|usage| combined.explain(usage))?;
    Ok((cli, combined))
}

/// Queues panic messages like all others: a blocked standard error must not hold up the thread that panics.
fn report_panics() {
    let (panics, errors) = HookBuilder::default().into_hooks();
    if let Err(error) = errors.install() {
        stdio::say(&format!("hlswarm: {error}"));
    }
    std::panic::set_hook(Box::new(move |info| stdio::say(&panics.panic_report(info).to_string())));
}

fn supervise(command: cli::Command, line: Line) -> ExitStatus {
    match super::supervise(|| execute(command, line).unwrap_or_else(report_failure)) {
        Ok(Finish::Done(status)) => status,
        Ok(Finish::Abandoned(status)) => {
            stdio::say("hlswarm: a part of hlswarm did not stop in time; the process exits without it");
            status
        }
        Err(error) => report_failure(Failure::no_thread("the control thread", &error)),
    }
}

fn execute(command: cli::Command, Line { shown, all }: Line) -> Result<ExitStatus, Failure> {
    begin_log(&command, &shown, &all)?;
    if all.is_typed("--proxy") {
        super::warn_of_proxy(&command);
    }
    match command {
        cli::Command::Run(args) if args.print_plan => {
            let config = config::run_config(config::targets(args.stream.all())?, args.load, shown)?;
            super::print_plan(&config, &cli::resolved(all.args))
        }
        cli::Command::Run(args) => {
            if all.has_typed_url() {
                let StreamArgs { url, targets } = &args.stream;
                super::warn_of_shown(url.iter().chain(targets.iter().map(|weighted| &weighted.target)));
            }
            warn_of_shown_others(&args.load, &all);
            super::run(|| config::run_config(config::targets(args.stream.all())?, args.load, shown))
        }
        cli::Command::Demo(args) => {
            warn_of_shown_others(&args.load, &all);
            super::demo(args, shown)
        }
        cli::Command::Plan(args) => super::plan(args, shown),
        cli::Command::Find(args) => {
            warn_of_shown_others(&args.load, &all);
            super::find(args, shown)
        }
        cli::Command::Ctl(args) => ctl::ctl(args),
        cli::Command::Check(args) => super::check(args, shown),
        cli::Command::Report(args) => documents::render_report(args),
        cli::Command::Compare(args) => documents::compare_reports(args),
        cli::Command::Merge(args) => documents::merge_reports(args),
        cli::Command::Replay(args) => super::replay(&args),
        cli::Command::Origin(args) => super::origin(args),
        cli::Command::Selftest(args) => super::selftest(args),
        cli::Command::Completions(args) => print(&cli::completions(&args)),
        cli::Command::Man(args) => print(&cli::manual(&args)),
    }
}

/// Warns of passwords in URLs that were typed and are none of a stream.
fn warn_of_shown_others(load: &cli::LoadArgs, all: &Combined) {
    if all.is_typed("--origin-metrics") {
        super::secrets::warn_of_shown_in("--origin-metrics", load.origin_metrics.iter());
    }
    #[cfg(feature = "otlp")]
    if all.is_typed("--otlp") {
        super::secrets::warn_of_shown_in("--otlp", load.otlp.otlp.iter());
    }
}

/// Begins the log that the command asks for with the version, the command line and the plan, none of which has a secret.
fn begin_log(command: &cli::Command, shown: &str, all: &Combined) -> Result<(), ConfigError> {
    let load = match command {
        cli::Command::Run(args) if !args.print_plan => &args.load,
        cli::Command::Demo(args) => &args.load,
        cli::Command::Find(args) => &args.load,
        _ => return Ok(()),
    };
    let Some(path) = &load.log_file else { return Ok(()) };
    log_file::open(path, load.reports.iter().chain(&load.record).map(PathBuf::as_path))?;
    let version = cli::VERSION.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    log_file::add(Level::Info, &format!("hlswarm {}", version.collect::<Vec<_>>().join(", ")));
    log_file::add(Level::Info, &format!("command: {shown}"));
    let plan = cli::resolved(all.args.iter().cloned());
    // The other comments are defaults.
    let is_given = |line: &&str| !line.starts_with('#') || line.ends_with(cli::SECRET_NOTE);
    for line in plan.lines().filter(is_given) {
        log_file::add(Level::Info, &format!("plan: {}", line.trim_start_matches("# ")));
    }
    for note in &all.notes {
        log_file::add(Level::Warn, note.strip_prefix("warning: ").unwrap_or(note));
    }
    Ok(())
}

/// Prints the text that the command asks for.
fn print(text: &str) -> Result<ExitStatus, Failure> {
    match stdio::print(text, None) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::Unwritten(format!("standard output: {error}")))
        }
        // A reader that has read enough, such as `head`, misses nothing.
        _ => Ok(0.into()),
    }
}

/// Prints the reason why there was no run, in one line, and returns its exit status.
fn report_failure(failure: Failure) -> ExitStatus {
    let (line, code) = match failure {
        Failure::Config(error) => (error.to_string(), exit_code::USAGE),
        Failure::Preflight(line) => (format!("preflight: {line}"), exit_code::PREFLIGHT),
        Failure::Unwritten(line) => (line, exit_code::UNWRITTEN),
        Failure::Unable(report) => (format!("{report:#}"), exit_code::PREFLIGHT),
    };
    stdio::say(&format!("hlswarm: {line}"));
    code.into()
}
