//! Texts generated from the definition of the command line: the version, shell completions and manual pages.

use std::fmt::Write as _;

use clap::builder::PossibleValuesParser;
use clap::{Arg, Args, Command, CommandFactory as _};
use clap_complete::Shell;
use clap_mangen::Man;

use super::{COMMANDS, Cli};
use crate::player::Profile;
use crate::tui::ThemeName;

/// The program's name in scripts and pages.
const PROGRAM: &str = "hlswarm";

/// Version and facts of the build, which `build.rs` collects.
pub const VERSION: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    "\ncommit    ",
    env!("HLSWARM_BUILD_COMMIT"),
    "\ntarget    ",
    env!("HLSWARM_BUILD_TARGET"),
    "\ncompiler  ",
    env!("HLSWARM_BUILD_COMPILER"),
    "\nfeatures  ",
    env!("HLSWARM_BUILD_FEATURES"),
);

/// Forms of a command line.
pub(super) const USAGE: &str = "hlswarm <URL> [OPTIONS]\n       hlswarm <COMMAND> [OPTIONS]";

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
    #[arg(value_name = "COMMAND", value_parser = documented(), hide_possible_values = true)]
    pub command: Option<String>,
}

/// Accepts each command that has a manual page.
fn documented() -> PossibleValuesParser {
    PossibleValuesParser::new(COMMANDS.into_iter().filter(|command| *command != "help"))
}

/// Returns a script that completes commands and options in a shell.
pub fn completions(args: &CompletionsArgs) -> String {
    let mut script = Vec::new();
    let mut command = with_fixed_values(Cli::command());
    clap_complete::generate(args.shell, &mut command, PROGRAM, &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

/// Returns the command with the values that a shell can offer. Only scripts have them: the parsers of the options accept
/// more, such as a bandwidth, and their help explains each value.
fn with_fixed_values(command: Command) -> Command {
    let offering = |option: Arg| match fixed_values(option.get_long().unwrap_or_default()) {
        values if values.is_empty() => option,
        values => option.value_parser(PossibleValuesParser::new(values)),
    };
    command.mut_args(offering).mut_subcommands(with_fixed_values)
}

/// Returns the values of an option that are words.
pub(super) fn fixed_values(option: &str) -> Vec<&'static str> {
    match option {
        "player" => Profile::ALL.iter().map(|profile| profile.name).collect(),
        "theme" => ThemeName::NAMES.iter().map(|(name, _)| *name).collect(),
        "variant" => vec!["highest", "lowest", "first", "all"],
        "on-hangup" => vec!["stop", "continue"],
        "data-order" => vec!["sequential", "random"],
        "no-cache" => vec!["header", "query"],
        "tls-min" | "tls-max" => vec!["1.2", "1.3"],
        "warmup" => vec!["ramp"],
        "proxy" => vec!["env"],
        "session-length" => vec!["endless"],
        "speed" => vec!["max"],
        _ => Vec::new(),
    }
}

/// Description in the manual page of the program itself.
const DESCRIPTION: &str = "\
hlswarm runs thousands of simulated players of HTTP Live Streaming in one process. Each has a playhead, a bounded \
buffer and a connection of its own, and fetches what a player would fetch, when a player would. It shows live how well \
the stream is served, and reports what viewers would have seen: start-up times, stalls, failures, latencies.

Begin with 'hlswarm demo', which loads a built-in origin and needs nothing else. 'hlswarm check URL' inspects a stream \
with one client, 'hlswarm plan URL' forecasts what a load will use, 'hlswarm URL' loads the stream, and 'hlswarm find \
URL' searches for the largest number of clients that it carries. Without a command, hlswarm runs 'run'.

Only load what you are allowed to load.";

/// Further reading in the manual page of the program.
const SEE_ALSO: &str = "README.md of hlswarm (in Debian's package /usr/share/doc/hlswarm/README.md) explains the live \
screen, the report, the players that clients imitate and the trust verdict.";

/// Returns a manual page in roff, as `man -l -` reads it.
pub fn manual(args: &ManArgs) -> String {
    let mut program = Cli::command().disable_help_subcommand(true).subcommand_help_heading("COMMANDS");
    program.build();
    let command = args.command.as_deref().and_then(|name| program.find_subcommand(name));
    match command {
        Some(command) => {
            let mut command = command.clone();
            let usage = command.render_usage().to_string();
            let usage = usage.strip_prefix("Usage: ").unwrap_or(&usage).to_owned();
            page(command.override_usage(usage), "hlswarm(1)")
        }
        None => page(program.clone().long_about(DESCRIPTION), SEE_ALSO),
    }
}

/// Returns the page of a command, with the texts after its help in sections of their own; `see` names other pages.
fn page(command: Command, see: &str) -> String {
    let has_commands = command.has_subcommands();
    let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let name = command.get_display_name().unwrap_or(PROGRAM).to_owned();
    let man = Man::new(command);
    // No date: a page of the same source is the same page. Ragged lines without hyphens: words of a command line are
    // copied.
    let version = env!("CARGO_PKG_VERSION");
    let title = format!(".TH {name} 1 \"\" \"hlswarm {version}\" \"Manual of hlswarm\"\n.nh\n.ad l\n");
    // Writing to a vector cannot fail.
    let mut roff = title.into_bytes();
    _ = man.render_name_section(&mut roff);
    _ = man.render_synopsis_section(&mut roff);
    _ = man.render_description_section(&mut roff);
    _ = man.render_options_section(&mut roff);
    if has_commands {
        _ = man.render_subcommands_section(&mut roff);
    }
    let mut text = String::from_utf8_lossy(&roff).into_owned();
    sections(&after, &mut text);
    _ = write!(text, ".SH \"SEE ALSO\"\n{}\n", escaped(see));
    text
}

/// Begins of paragraphs after the help, and the sections that they are in a page; all others are notes.
const SECTIONS: [(&str, &str); 3] =
    [("Examples:", "EXAMPLES"), ("Exit codes:", "EXIT STATUS"), ("Environment:", "ENVIRONMENT")];

fn sections(text: &str, page: &mut String) {
    let mut section = "";
    for paragraph in text.split("\n\n") {
        let known = SECTIONS.iter().find(|(begin, _)| paragraph.starts_with(begin));
        let (begin, name) = known.copied().unwrap_or(("", "NOTES"));
        if name != section {
            _ = writeln!(page, ".SH \"{name}\"");
        } else {
            page.push_str(".PP\n");
        }
        section = name;
        let body = paragraph.strip_prefix(begin).unwrap_or(paragraph).trim_start_matches(' ');
        let (list, sentences): (Vec<_>, Vec<_>) =
            body.lines().filter(|line| !line.is_empty()).partition(|line| line.starts_with("  "));
        let text = sentence(&sentences.join("\n"));
        text.lines().for_each(|line| _ = writeln!(page, "{}", escaped(line)));
        let list = list.iter().map(|line| escaped(line.strip_prefix("  ").unwrap_or(line)));
        if name == "EXAMPLES" {
            // Long lines are filled, so that they fit.
            page.push_str(&list.map(|line| format!("\\fB{line}\\fR\n")).collect::<Vec<_>>().join(".PP\n"));
        } else if list.len() > 0 {
            // A list keeps its columns.
            page.push_str(if text.is_empty() { ".nf\n" } else { ".PP\n.nf\n" });
            list.for_each(|line| _ = writeln!(page, "{line}"));
            page.push_str(".fi\n");
        }
    }
}

/// Returns a text with a capital first.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_ascii_uppercase().to_string() + letters.as_str())
}

/// Returns a line as roff prints it.
fn escaped(line: &str) -> String {
    let escaped = line.replace('\\', "\\e").replace('-', "\\-").replace('\'', "\\(aq");
    // A line that begins with a dot would be a request.
    if escaped.starts_with('.') { format!("\\&{escaped}") } else { escaped }
}
