//! Texts generated from the definition of the command line: shell completions and manual pages.

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use super::Cli;

/// The program's name in scripts and pages.
const PROGRAM: &str = "hlswarm";

/// `hlswarm completions`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// Shell to generate the script for
    #[arg(value_name = "SHELL")]
    pub shell: Shell,
}

/// `hlswarm man`.
#[derive(Debug, Args)]
pub struct ManArgs {
    /// Command to document [default: hlswarm itself]
    #[arg(value_name = "COMMAND", value_parser = ["run", "demo", "check", "plan", "report", "compare", "merge", "replay", "origin", "selftest"])]
    pub command: Option<String>,
}

/// Returns a script that completes commands and options in a shell.
pub fn completions(args: &CompletionsArgs) -> String {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), PROGRAM, &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

/// Returns a manual page in roff, as `man -l -` reads it.
pub fn manual(args: &ManArgs) -> String {
    let mut program = Cli::command();
    program.build();
    let command = args.command.as_deref().and_then(|name| program.find_subcommand(name)).unwrap_or(&program);
    let mut page = Vec::new();
    // Writing to a vector cannot fail.
    _ = clap_mangen::Man::new(command.clone()).render(&mut page);
    String::from_utf8_lossy(&page).into_owned()
}
