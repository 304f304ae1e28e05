//! The plan of a command line as a plan file: what `--print-plan` prints.
//!
//! An option that is not given is a comment with its default. A value that may be a secret is a comment without it.

use std::ffi::OsString;

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, CommandFactory as _};

use super::options::Options;
use super::plan_file::{TARGET, URL};
use super::{Cli, WeightedTarget, shown, with_command};
use crate::net::Proxy;

/// End of the line of an option whose value is not printed.
pub const SECRET_NOTE: &str = "(a secret is not printed)";

/// Returns the options of a valid command line of `run`, or of another command that makes a load, as TOML.
pub fn resolved(args: impl IntoIterator<Item = OsString>) -> String {
    let matches = Cli::command().try_get_matches_from(with_command(args));
    let Some((command, run)) = matches.as_ref().ok().and_then(ArgMatches::subcommand) else {
        return String::new();
    };
    let options = Options::of(command);
    let is_given =
        |option: &Arg| run.value_source(option.get_id().as_str()) == Some(ValueSource::CommandLine);
    let given: Vec<&Arg> = options.of_files().filter(|option| is_given(option)).collect();
    let mut text = String::new();
    let urls = if run.try_contains_id(URL).is_ok() { raw(run, URL) } else { Vec::new() };
    for url in urls {
        text += &line(URL, std::slice::from_ref(&url), shown::value("", &url) == url || url.starts_with('@'));
    }
    for option in options.of_files() {
        let name = option.get_long().unwrap_or_default();
        if is_given(option) {
            text += &given_line(name, option, &raw(run, option.get_id().as_str()));
        } else if !given.iter().any(|other| options.excludes(other, option)) {
            let depends =
                name == "clients" && raw(run, "clients").first().is_some_and(|clients| clients == "0");
            let has_default = option.get_action().takes_values() && !depends;
            let default = option.get_default_values().first().filter(|_| has_default);
            let default = default.map(|value| format!("# {name} = {}\n", quoted(&value.to_string_lossy())));
            text += &default.unwrap_or_default();
        }
    }
    text
}

fn given_line(name: &str, option: &Arg, values: &[String]) -> String {
    match option.get_action() {
        ArgAction::SetTrue => format!("{} = true\n", key(name)),
        ArgAction::Append => {
            let is_shown = values.iter().all(|value| is_public(name, value));
            match name {
                "stage" => line("stages", values, is_shown),
                TARGET if is_shown => tables("targets", values.iter().map(|value| target(value))),
                TARGET => line("targets", values, false),
                "mix" => tables(name, values.iter().map(|value| member(value))),
                _ => line(name, values, is_shown),
            }
        }
        _ => line(name, values, values.iter().all(|value| is_public(name, value))),
    }
}

/// Reports whether a value may be shown: one that names the file or the variable of a secret may.
fn is_public(name: &str, value: &str) -> bool {
    match name {
        "header" => value.starts_with('@'),
        "header-env" => true,
        "proxy" => value == "env" || value.parse::<Proxy>().is_ok_and(|proxy| !proxy.has_login()),
        TARGET => {
            let (_, url) = WeightedTarget::split(value);
            url.starts_with('@') || shown::value("", url) == url
        }
        _ => shown::value(&format!("--{name}"), value) == value,
    }
}

/// Returns a name as a key of TOML.
fn key(name: &str) -> String {
    if name.contains('.') { quoted(name) } else { name.to_owned() }
}

/// Returns a target as a table.
fn target(given: &str) -> String {
    let (weight, url) = WeightedTarget::split(given);
    format!("{{ url = {}, weight = {} }}", quoted(url), weight.unwrap_or("1"))
}

/// Returns a member of the mix as a table.
fn member(given: &str) -> String {
    let mut words = given.split_whitespace();
    let share = words.next().unwrap_or_default().trim_end_matches('%');
    let others = words.filter_map(|word| word.split_once('='));
    let others = others.map(|(key, value)| format!(", {key} = {}", quoted(value))).collect::<String>();
    format!("{{ share = {share}{others} }}")
}

/// Returns a list of tables, one in each line.
fn tables(key: &str, tables: impl Iterator<Item = String>) -> String {
    format!("{key} = [\n{}]\n", tables.map(|table| format!("  {table},\n")).collect::<String>())
}

fn line(key: &str, values: &[String], is_shown: bool) -> String {
    let list = values.iter().map(|value| quoted(value)).collect::<Vec<_>>().join(", ");
    match values {
        _ if !is_shown => format!("# {key} = \"***\"  {SECRET_NOTE}\n"),
        [_] if key != "stages" => format!("{key} = {list}\n"),
        _ => format!("{key} = [{list}]\n"),
    }
}

/// Returns a text as TOML writes it. The escapes of JSON are a part of those of TOML.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string().replace('\u{7f}', "\\u007f")
}

fn raw(matches: &ArgMatches, id: &str) -> Vec<String> {
    let values = matches.get_raw(id).into_iter().flatten();
    values.map(|value| value.to_string_lossy().into_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::{combine, parse, plan_file};
    use super::*;

    fn args(line: &[&str]) -> Vec<OsString> {
        ["hlswarm"].iter().chain(line).map(OsString::from).collect()
    }

    #[test]
    fn a_printed_plan_can_be_read_again() {
        let line = [
            "http://h/a.m3u8",
            "--stage",
            "ramp to 5 in 2m, hold 1m",
            "--stage",
            "1m:0",
            "--no-tui",
            "--seed=7",
        ];
        let text = resolved(args(&line));
        for expected in [
            "url = \"http://h/a.m3u8\"\n",
            "\nstages = [\"ramp to 5 in 2m, hold 1m\", \"1m:0\"]\n",
            "\nno-tui = true\n",
            "\nseed = \"7\"\n",
            "\n# timeout = \"15s\"\n",
        ] {
            assert!(text.contains(expected), "{expected}: {text}");
        }
        assert!(!text.contains("clients") && !text.contains("ramp-rate"), "stages replace them: {text}");
        let again = args(&["run", "p.toml"]);
        let file = plan_file(&again).map(|place| (place, "p.toml", text.as_str()));
        let again = combine(again, file, std::iter::empty()).expect("a plan file").args;
        assert!(parse(again.clone()).is_ok(), "{again:?}");
        assert_eq!(resolved(again), text);
    }

    #[test]
    fn targets_and_the_mix_are_printed_as_tables_and_read_again() {
        let line = [
            "run",
            "--target=3 http://h/a.m3u8",
            "--target",
            "http://h/b.m3u8",
            "--mix=70% player=web",
            "--mix",
            "30 variant=lowest session-length=exp:5m",
        ];
        let text = resolved(args(&line));
        for expected in [
            "targets = [\n  { url = \"http://h/a.m3u8\", weight = 3 },\n  { url = \"http://h/b.m3u8\", weight = 1 },\n]\n",
            "  { share = 70, player = \"web\" },\n",
            "  { share = 30, variant = \"lowest\", session-length = \"exp:5m\" },\n",
        ] {
            assert!(text.contains(expected), "{expected}: {text}");
        }
        let again = args(&["run", "p.toml"]);
        let file = plan_file(&again).map(|place| (place, "p.toml", text.as_str()));
        let again = combine(again, file, std::iter::empty()).expect("a plan file").args;
        assert!(parse(again.clone()).is_ok(), "{again:?}");
        assert_eq!(resolved(again), text);
        let text = resolved(args(&["run", "--target", "3 http://h/a?hunter2", "--target", "1 http://h/b"]));
        assert!(!text.contains("hunter2") && text.contains("# targets = \"***\""), "{text}");
    }

    #[test]
    fn a_printed_plan_shows_no_secret() {
        let line = [
            "run",
            "http://u:hunter2@h/a?hunter2",
            "--header",
            "X: hunter2",
            "--user-agent=hunter2",
            "--header-env",
            "X=TOKEN",
            "--proxy=http://u:hunter2@h",
        ];
        let text = resolved(args(&line));
        assert!(!text.contains("hunter2") && text.contains("# url = \"***\""), "{text}");
        assert!(text.contains("header-env = \"X=TOKEN\"\n"), "{text}");
        let text = resolved(args(&["run", "@url.txt", "--header", "@h"]));
        assert!(text.contains("url = \"@url.txt\"\n") && text.contains("\nheader = \"@h\"\n"), "{text}");
    }
}
