//! hlswarm: parse -> run -> print the error chain -> exit code. The only exit of the process.

use std::process::ExitCode;

use hlswarm::cli::{self, Command, Usage};
use hlswarm::config;
use hlswarm::run::{self, ExitStatus, Failure, voice};

fn main() -> ExitCode {
    // Colourful reports are for panics; a failure of the user's input stays one line.
    if let Err(error) = color_eyre::install() {
        voice::say(&format!("hlswarm: {error}"));
    }
    let args: Vec<_> = std::env::args_os().collect();
    match cli::parse(args.clone()) {
        Ok(cli) => match execute(cli.command, cli::shown_command(args)) {
            Ok(status) => status.into(),
            Err(failure) => tell(failure),
        },
        Err(Usage::Asked(text)) => {
            _ = voice::print(&text);
            ExitCode::SUCCESS
        }
        Err(Usage::Wrong(line)) => {
            voice::say(&format!("hlswarm: {line}"));
            run::exit::USAGE.into()
        }
    }
}

fn execute(command: Command, shown: String) -> Result<ExitStatus, Failure> {
    match command {
        Command::Run(args) => run::run(config::run_config(args.url, args.load, shown)?),
        Command::Demo(args) => run::demo(args, shown),
        Command::Check(args) => run::check(args, shown),
        Command::Origin(args) => run::origin(args),
    }
}

/// Says why there was no run, in one line.
fn tell(failure: Failure) -> ExitCode {
    let (line, code) = match failure {
        Failure::Config(error) => (error.to_string(), run::exit::USAGE),
        Failure::Preflight(line) => (format!("preflight: {line}"), run::exit::PREFLIGHT),
        Failure::Unable(report) => (format!("{report:#}"), run::exit::PREFLIGHT),
    };
    voice::say(&format!("hlswarm: {line}"));
    code.into()
}
