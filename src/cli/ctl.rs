//! Arguments of `hlswarm ctl`.

use clap::{Args, ValueEnum};

use super::Usage;
use crate::local_http::Address;
use crate::vocabulary::limits::ASKED_CLIENTS;
use crate::vocabulary::units;

/// `hlswarm ctl`.
#[derive(Debug, Args)]
pub struct CtlArgs {
    /// Address that the run was given with --control: the path of a Unix socket, or 127.0.0.1:PORT
    #[arg(long, value_name = "PATH", required = true)]
    pub control: Address,
    /// Print the answer as JSON
    #[arg(long)]
    pub json: bool,
    /// Words of the action.
    #[command(flatten)]
    words: Words,
    /// Action that the words name.
    #[arg(skip = CtlAction::Status)]
    pub action: CtlAction,
}

#[derive(Debug, Args)]
struct Words {
    /// Request to the run
    #[arg(value_name = "ACTION")]
    name: ActionName,
    /// Target: a number of clients such as 250 or 2.5k, or a change such as +50 or -50; for mark: a note
    #[arg(value_name = "VALUE", allow_hyphen_values = true)]
    value: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ActionName {
    /// State, clients, time and verdicts in one line
    Status,
    /// Set the number of clients, or change it
    Target,
    /// Add no clients until resume
    Hold,
    /// Add clients again
    Resume,
    /// Mark this moment in the report
    Mark,
    /// End the run as q does; a second time cuts the requests in flight
    Stop,
    /// Print the JSON report of the run so far
    Sample,
}

/// Request to a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CtlAction {
    /// Asks for the status.
    Status,
    /// Asks for the report so far.
    Sample,
    /// Sets the target.
    Target(u64),
    /// Changes the target.
    Adjust(i64),
    /// Holds the ramp.
    Hold,
    /// Resumes the ramp.
    Resume,
    /// Marks this moment.
    Mark(String),
    /// Ends the run.
    Stop,
}

impl CtlArgs {
    /// Returns the arguments with the action that the words name.
    ///
    /// # Errors
    /// One line that names what is accepted.
    pub(super) fn read(self) -> Result<Self, Usage> {
        let action = action(&self.words).map_err(Usage::Wrong)?;
        Ok(Self { action, ..self })
    }
}

fn action(Words { name, value }: &Words) -> Result<CtlAction, String> {
    let plain = |action| match value {
        None => Ok(action),
        Some(_) => Err(format!("ctl {} takes no value; see 'hlswarm ctl --help'", word(*name))),
    };
    match name {
        ActionName::Status => plain(CtlAction::Status),
        ActionName::Sample => plain(CtlAction::Sample),
        ActionName::Hold => plain(CtlAction::Hold),
        ActionName::Resume => plain(CtlAction::Resume),
        ActionName::Stop => plain(CtlAction::Stop),
        ActionName::Mark => Ok(CtlAction::Mark(value.clone().unwrap_or_default())),
        ActionName::Target => {
            let given = value.as_deref().and_then(target);
            given.ok_or_else(|| "ctl target: expected a number of clients such as 250 or 2.5k, or a change such as +50 or -50".to_owned())
        }
    }
}

fn word(name: ActionName) -> String {
    name.to_possible_value().map_or(String::new(), |value| value.get_name().to_owned())
}

/// Reads a target, or a change of it.
fn target(text: &str) -> Option<CtlAction> {
    let count = |text: &str| units::parse_count(text).ok().filter(|count| *count <= ASKED_CLIENTS);
    let change = |text: &str| i64::try_from(count(text)?).ok();
    match text.trim() {
        text if text.starts_with('+') => change(text.get(1..)?).map(CtlAction::Adjust),
        text if text.starts_with('-') => change(text.get(1..)?).map(|by| CtlAction::Adjust(-by)),
        text => count(text).map(CtlAction::Target),
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::super::{Command, parse};
    use super::*;

    fn read(line: &str) -> Result<(CtlAction, bool), String> {
        let args = format!("hlswarm ctl {line}");
        match parse(args.split(' ').map(OsString::from)) {
            Ok(cli) => match cli.command {
                Command::Ctl(args) => Ok((args.action, args.json)),
                other => panic!("{other:?}"),
            },
            Err(Usage::Wrong(line)) => Err(line),
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn each_action_is_read_and_options_stand_anywhere() {
        for (line, action, json) in [
            ("--control a.sock status", CtlAction::Status, false),
            ("status --json --control 127.0.0.1:5", CtlAction::Status, true),
            ("--control a target 2.5k", CtlAction::Target(2_500), false),
            ("--control a target +50 --json", CtlAction::Adjust(50), true),
            ("target -50 --control=a", CtlAction::Adjust(-50), false),
            ("--control a hold", CtlAction::Hold, false),
            ("--control a resume", CtlAction::Resume, false),
            ("--control a mark deploy", CtlAction::Mark("deploy".to_owned()), false),
            ("--control a mark", CtlAction::Mark(String::new()), false),
            ("--control a stop", CtlAction::Stop, false),
            ("sample --control a", CtlAction::Sample, false),
        ] {
            assert_eq!(read(line), Ok((action, json)), "{line}");
        }
    }

    #[test]
    fn a_mistake_is_one_line_that_says_what_is_accepted() {
        for (line, expected) in [
            ("--control a target", "ctl target: expected a number of clients"),
            ("--control a target ten", "ctl target: expected a number of clients"),
            ("--control a target +", "ctl target: expected a number of clients"),
            ("--control a stop now", "ctl stop takes no value"),
            ("--control a pause", "<ACTION> 'pause': expected one of: status, target, hold"),
            ("--control a", "<ACTION> is missing"),
            ("status", "--control is missing; give the PATH that the run was given, or set HLSWARM_CONTROL"),
            ("--control 17092 status", "--control '17092': expected a path for a Unix socket"),
            (
                "--control 0.0.0.0:80 status",
                "--control '0.0.0.0:80': expected an address that only this machine",
            ),
        ] {
            let said = read(line).expect_err(line);
            assert!(said.contains(expected), "{line}: {said}");
        }
    }
}
