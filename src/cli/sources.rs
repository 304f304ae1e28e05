//! Options from a plan file and from the environment: they become arguments before those of the command line, so that
//! every value is read by the same parser and gets the same error.
//!
//! An option on the command line replaces the same one of the environment, which replaces that of the file. It also
//! replaces those that cannot be used together with it: `--stage` replaces `clients` of the file.

use std::ffi::OsString;

use clap::{Arg, ArgAction};

use super::options::{Options, without_value};
use super::plan_file::{self, Entry, Given, TARGET, URL};
use super::variables::{self, PREFIX, WITH_VARIABLES, variable_of};
use super::{COMMANDS, Usage};

/// The URL, as errors name it.
const URL_IN_ERRORS: &str = "<URL>";
/// Ending of the name of a plan file.
const ENDING: &str = ".toml";

/// A command line together with a plan file and the environment.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Combined {
    /// Arguments, beginning with the name of the program.
    pub args: Vec<OsString>,
    /// Notes for the operator: variables that are misspelt, options that are not used.
    pub notes: Vec<String>,
    /// Option as errors name it, and the source that it comes from.
    from: Vec<(String, String)>,
}

impl Combined {
    /// Reports whether the URLs, if there are any, stand on the command line, where other users can read it.
    pub fn has_typed_url(&self) -> bool {
        self.is_typed(URL_IN_ERRORS) && self.is_typed("--target")
    }

    /// Reports whether an option, if it is given, stands on the command line.
    pub fn is_typed(&self, option: &str) -> bool {
        self.from.iter().all(|(name, _)| name != option)
    }

    /// Returns `usage` with the source of the option that it is about, unless that is the command line.
    pub fn explain(&self, usage: Usage) -> Usage {
        let Usage::Wrong(line) = usage else { return usage };
        let option = line.split([' ', ':']).next().unwrap_or_default();
        let source = self.from.iter().find(|(name, _)| name == option);
        Usage::Wrong(source.map_or_else(|| line.clone(), |(_, source)| format!("{line} (from {source})")))
    }
}

/// Returns the place of the plan file among the arguments; `None` without one. Only `run` and `plan` take one.
pub fn plan_file(args: &[OsString]) -> Option<usize> {
    let command = command(args);
    let may_have = ["run", "plan"].contains(&command);
    let named = |arg: &OsString| {
        arg.to_str().is_some_and(|text| {
            text.to_ascii_lowercase().ends_with(ENDING)
                && !text.starts_with(['-', '@'])
                && !text.contains("://")
        })
    };
    // Most command lines have none, and building the definition of all options takes a millisecond.
    if !may_have || !args.iter().any(named) {
        return None;
    }
    let begin = begin(args);
    let typed = scan(&Options::of(command), args.get(begin..)?).1;
    typed.into_iter().map(|place| begin + place).find(|place| args.get(*place).is_some_and(named))
}

/// Puts the options of the environment, and of the plan file at `place` with this name and text, before those of the
/// command line.
///
/// # Errors
/// One line that names the file or the variable, and the key.
pub fn combine(
    mut args: Vec<OsString>,
    file: Option<(usize, &str, &str)>,
    variables: impl Iterator<Item = (OsString, OsString)>,
) -> Result<Combined, Usage> {
    let variables: Vec<_> = variables.filter_map(variable).collect();
    let command = command(&args).to_owned();
    let has_variables = WITH_VARIABLES.contains(&command.as_str()) && !variables.is_empty();
    let asks = ["--help", "-h", "--version", "-V"];
    let asks = args.len() < 2 || args.iter().any(|arg| asks.iter().any(|word| arg == word));
    if asks || (file.is_none() && !has_variables) {
        return Ok(Combined { args, ..Combined::default() });
    }
    let options = Options::of(&command);
    if let Some((place, ..)) = file {
        args.remove(place);
    }
    let begin = begin(&args);
    let typed = args.split_off(begin.min(args.len()));
    let (given, places) = scan(&options, &typed);
    let has_target = given.iter().any(|option| option.get_long() == Some(TARGET));
    let has_url = ["demo", "ctl"].contains(&command.as_str()) || !places.is_empty() || has_target;
    let replaced =
        given.into_iter().map(|option| (option, format!("--{}", option.get_long().unwrap_or_default())));
    let replaced = replaced.collect();
    let mut layers = Layers { options: &options, has_url, replaced, taken: Vec::new(), notes: Vec::new() };
    if has_variables {
        let entries = variables.iter().filter_map(|(name, value)| of_variable(name, value, &options));
        layers.add(entries.collect::<Result<_, _>>().map_err(Usage::Wrong)?, &variable_of);
    }
    if let Some((_, name, text)) = file {
        let entries = plan_file::entries(text, &options);
        let entries = entries.map_err(|why| Usage::Wrong(format!("{name}: {why}")))?;
        layers.add(entries, &|_| name.to_owned());
    }
    let mut combined = Combined { notes: layers.notes, ..Combined::default() };
    if has_variables {
        combined.notes.extend(variables::misspelt(variables.iter().map(|(name, _)| name.as_str())));
    }
    combined.args.extend(args.into_iter().take(1));
    combined.args.push(command.into());
    for (entry, source) in layers.taken {
        let option = if entry.name == URL { URL_IN_ERRORS.to_owned() } else { format!("--{}", entry.name) };
        combined.from.push((option, source));
        combined.args.extend(arguments(entry).into_iter().map(OsString::from));
    }
    combined.args.extend(typed);
    Ok(combined)
}

/// Options from the highest source to the lowest: those that come later give way.
struct Layers<'a> {
    options: &'a Options,
    has_url: bool,
    /// Options that a higher source has set, as that source names them.
    replaced: Vec<(&'a Arg, String)>,
    /// Entries with their sources.
    taken: Vec<(Entry, String)>,
    /// Entries that give way to another option than themselves.
    notes: Vec<String>,
}

impl<'a> Layers<'a> {
    /// Takes the entries of one source that no higher one replaces.
    fn add(&mut self, entries: Vec<Entry>, source: &dyn Fn(&str) -> String) {
        let mut set = Vec::new();
        let names_stream = entries.iter().any(|entry| [URL, TARGET].contains(&entry.name.as_str()));
        let has_url = self.has_url;
        self.has_url |= names_stream;
        for entry in entries {
            // Streams of a lower source give way, however they are named.
            if [URL, TARGET].contains(&entry.name.as_str()) {
                if !has_url {
                    let source = source(&entry.name);
                    self.taken.push((entry, source));
                }
                continue;
            }
            let Some(option) = self.options.named(&entry.name) else { continue };
            let source = source(&entry.name);
            if let Some(other) = self.replaces(option) {
                if !other.is_empty() {
                    let name = if entry.name == "stage" { "stages" } else { &*entry.name };
                    self.notes.push(format!("{other} replaces {name} of {source}"));
                }
                continue;
            }
            set.push((option, source.clone()));
            self.taken.push((entry, source));
        }
        self.replaced.extend(set);
    }

    /// Returns the option of a higher source that this one cannot be used together with; no text if that is the option
    /// itself; `None` if there is none.
    fn replaces(&self, option: &Arg) -> Option<&str> {
        let is_same = |(higher, _): &&(&Arg, String)| higher.get_id() == option.get_id();
        if self.replaced.iter().any(|higher| is_same(&higher)) {
            return Some("");
        }
        let mut others = self.replaced.iter();
        others.find(|(higher, _)| self.options.excludes(higher, option)).map(|(_, name)| name.as_str())
    }
}

/// Returns the name and the value of a variable that may be an option.
fn variable((name, value): (OsString, OsString)) -> Option<(String, String)> {
    Some((name.to_str()?.strip_prefix(PREFIX)?.to_owned(), value.to_str()?.to_owned()))
}

/// Returns the option of a variable; `None` if its name is that of no option.
fn of_variable(name: &str, value: &str, options: &Options) -> Option<Result<Entry, String>> {
    let name = name.to_ascii_lowercase().replace('_', "-");
    let option = options.of_file(&name);
    if option.is_none() && name != URL {
        return None;
    }
    let is_flag = option.is_some_and(|option| matches!(option.get_action(), ArgAction::SetTrue));
    let given = match value {
        "true" | "1" | "false" | "0" | "" if option.is_some_and(|option| without_value(option).is_some()) => {
            Given::set(matches!(value, "true" | "1"), option.and_then(without_value))
        }
        _ if !is_flag => Given::Values(vec![value.to_owned()]),
        "true" | "1" => Given::Flag(true),
        "false" | "0" | "" => Given::Flag(false),
        _ => return Some(Err(format!("{}: expected true or false", variable_of(&name)))),
    };
    Some(Ok(Entry { name, given }))
}

/// Returns the arguments of an entry.
fn arguments(Entry { name, given }: Entry) -> Vec<String> {
    match given {
        Given::Flag(is_set) => is_set.then(|| format!("--{name}")).into_iter().collect(),
        Given::Values(values) if name == URL => values,
        Given::Values(values) => values.into_iter().map(|value| format!("--{name}={value}")).collect(),
    }
}

/// Returns the command of a command line; `run` if none is given.
fn command(args: &[OsString]) -> &str {
    let first = args.get(1).and_then(|first| first.to_str());
    first.filter(|first| COMMANDS.contains(first)).unwrap_or("run")
}

/// Returns the place of the first argument after the command.
fn begin(args: &[OsString]) -> usize {
    let first = args.get(1).and_then(|first| first.to_str());
    if first.is_some_and(|first| COMMANDS.contains(&first)) { 2 } else { 1 }
}

/// Returns the options that are given, and the places of the arguments that are none.
fn scan<'a>(options: &'a Options, args: &[OsString]) -> (Vec<&'a Arg>, Vec<usize>) {
    let (mut given, mut places, mut at) = (Vec::new(), Vec::new(), 0);
    while let Some(arg) = args.get(at) {
        let text = arg.to_string_lossy();
        let (option, has_value) = if let Some(name) = text.strip_prefix("--") {
            let (name, value) =
                name.split_once('=').map_or((name, None), |(name, value)| (name, Some(value)));
            (options.named(name), value.is_some())
        } else if let Some(letter) = text.strip_prefix('-').and_then(|letters| letters.chars().next()) {
            let option = options.all().find(|option| option.get_short() == Some(letter));
            (option, text.chars().count() > 2)
        } else {
            places.push(at);
            (None, true)
        };
        given.extend(option);
        let takes_values =
            |option: &Arg| option.get_action().takes_values() && !option.is_require_equals_set();
        let takes_next = option.is_some_and(takes_values) && !has_value;
        at += 1 + usize::from(takes_next);
    }
    (given, places)
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    fn args(line: &str) -> Vec<OsString> {
        std::iter::once("hlswarm").chain(line.split_whitespace()).map(OsString::from).collect()
    }

    /// Returns the arguments after the program, or the error.
    fn combined(line: &str, file: &str, variables: &[(&str, &str)]) -> Result<Vec<String>, String> {
        let args = args(line);
        let file = plan_file(&args).map(|place| (place, "p.toml", file));
        let variables = variables.iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
        match combine(args, file, variables) {
            Ok(combined) => {
                Ok(combined.args.iter().skip(1).map(|arg| arg.to_string_lossy().into_owned()).collect())
            }
            Err(Usage::Wrong(line)) => Err(line),
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_plan_file_is_an_argument_and_not_a_value() {
        for (line, expected) in [
            ("run p.toml", Some(2)),
            ("p.toml -c 5", Some(1)),
            ("-c 5 P.TOML", Some(3)),
            ("plan --duration 5s p.toml", Some(4)),
            ("run --report=a.json p.toml", Some(3)),
            ("run http://h/a.toml", None),
            ("run --no-cache p.toml", Some(3)),
            ("run @p.toml", None),
            ("run http://h/a --record p.toml", None),
            ("demo p.toml", None),
            ("check p.toml", None),
        ] {
            assert_eq!(plan_file(&args(line)), expected, "{line}");
        }
    }

    #[test]
    fn the_command_line_replaces_the_environment_and_that_the_file() {
        let file =
            "url = \"http://h/a\"\nclients = 5\nduration = \"1m\"\nno-tui = true\nreport = [\"a.json\"]\n";
        let expected = ["run", "--clients=5", "--duration=1m", "--no-tui", "--report=a.json", "http://h/a"];
        assert_eq!(combined("p.toml", file, &[]).as_deref(), Ok(&expected.map(str::to_owned)[..]));
        let variables =
            [("HLSWARM_CLIENTS", "7"), ("HLSWARM_NO_TUI", "false"), ("HLSWARM_NONE", "x"), ("CLIENTS", "8")];
        let expected = ["run", "--clients=7", "--duration=1m", "--report=a.json", "http://h/a"];
        assert_eq!(combined("run p.toml", file, &variables).as_deref(), Ok(&expected.map(str::to_owned)[..]));
        // Stages replace everything that cannot be used together with them.
        let expected =
            ["plan", "--duration=1m", "--no-tui", "--stage", "5s:5", "--report", "b.json", "http://h/b"];
        let line = "plan p.toml --stage 5s:5 --report b.json http://h/b";
        assert_eq!(combined(line, file, &[]).as_deref(), Ok(&expected.map(str::to_owned)[..]));
        let file = "stages = [\"5s:5\"]";
        assert_eq!(combined("p.toml -c9", file, &[]), Ok(vec!["run".to_owned(), "-c9".to_owned()]));
    }

    #[test]
    fn an_option_that_gives_way_to_another_one_is_noted_once() {
        let notes = |line: &str, file: &str, variables: &[(&str, &str)]| {
            let args = args(line);
            let file = plan_file(&args).map(|place| (place, "p.toml", file));
            let variables =
                variables.iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
            combine(args, file, variables).expect(line).notes
        };
        let file = "stages = [\"5s:5\"]\nreport = \"a.json\"";
        assert_eq!(notes("run p.toml -c 5", file, &[]), ["--clients replaces stages of p.toml"]);
        let five = [("HLSWARM_CLIENTS", "5")];
        assert_eq!(notes("run p.toml", file, &five), ["HLSWARM_CLIENTS replaces stages of p.toml"]);
        assert_eq!(
            notes("p.toml --stage 1s:1", file, &five),
            ["--stage replaces clients of HLSWARM_CLIENTS"]
        );
        let none: [&str; 0] = [];
        assert_eq!(notes("run p.toml --stage 1s:1 --report b.json", file, &[]), none);
        let misspelt = notes("http://h/a", "", &[("HLSWARM_CLINETS", "hunter2")]);
        assert_eq!(
            misspelt,
            ["warning: the variable HLSWARM_CLINETS is no option; did you mean HLSWARM_CLIENTS?"]
        );
        assert_eq!(notes("check http://h/a", "", &[("HLSWARM_CLINETS", "5")]), none);
        let given =
            combined("http://h/a", "", &[("HLSWARM_METRICS", "true"), ("HLSWARM_ABORT_ON_FAIL", "0")]);
        let expected = ["run", "--metrics=127.0.0.1:17091", "http://h/a"];
        assert_eq!(given, Ok(expected.map(str::to_owned).into()));
    }

    #[test]
    fn streams_of_a_higher_source_replace_all_of_a_lower_one() {
        let file = "targets = [{ url = \"http://h/a\", weight = 3 }, { url = \"http://h/b\" }]\n\
                    mix = [{ share = 70, player = \"web\" }, { variant = \"lowest\", share = 30 }]";
        let expected = [
            "run",
            "--mix=70 player=web",
            "--mix=30 variant=lowest",
            "--target=3 http://h/a",
            "--target=1 http://h/b",
        ];
        assert_eq!(combined("p.toml", file, &[]), Ok(expected.map(str::to_owned).into()));
        assert!(parse(args(&format!("run {}", "--target=http://h/a --target=http://h/b"))).is_ok());
        let expected = ["run", "--mix=70 player=web", "--mix=30 variant=lowest", "http://h/c"];
        assert_eq!(combined("p.toml http://h/c", file, &[]), Ok(expected.map(str::to_owned).into()));
        let expected = ["run", "http://h/d", "--mix=70 player=web", "--mix=30 variant=lowest"];
        let variable = [("HLSWARM_URL", "http://h/d")];
        assert_eq!(combined("p.toml", file, &variable), Ok(expected.map(str::to_owned).into()));
        let expected = ["run", "--target", "http://h/e"];
        let file = "url = \"http://h/a\"";
        assert_eq!(combined("p.toml --target http://h/e", file, &[]), Ok(expected.map(str::to_owned).into()));
    }

    #[test]
    fn without_a_file_or_a_variable_the_command_line_stays_as_it_is() {
        for line in ["run http://h/a -c 5", "http://h/a", "check p.toml", "run --help p.toml"] {
            let expected: Vec<_> = line.split_whitespace().map(str::to_owned).collect();
            assert_eq!(combined(line, "clients = 5", &[]), Ok(expected), "{line}");
        }
        for line in ["", "--version", "-V", "--help"] {
            let expected: Vec<_> = line.split_whitespace().map(str::to_owned).collect();
            assert_eq!(combined(line, "", &[("HLSWARM_CLIENTS", "5")]), Ok(expected), "{line}");
        }
        let line = "check http://h/a";
        assert_eq!(combined(line, "", &[("HLSWARM_DURATION", "5s")]).map(|args| args.len()), Ok(2));
    }

    #[test]
    fn an_error_names_the_source_of_its_option() {
        let file = "url = \"http://h/a\"\nclients = \"ten\"\n";
        for (line, file, variables, expected) in [
            (
                "p.toml",
                file,
                vec![],
                "--clients 'ten': expected 1 to 1,000,000, such as 250 or 2.5k; 0 only with --duration (from p.toml)",
            ),
            (
                "p.toml",
                file,
                vec![("HLSWARM_CLIENTS", "x")],
                "--clients 'x': expected 1 to 1,000,000, such as 250 or 2.5k; 0 only with --duration (from HLSWARM_CLIENTS)",
            ),
            (
                "p.toml",
                "url = \"ftp://hunter2/\"",
                vec![],
                "<URL>: only http:// and https:// are accepted; expected http://host/path or https://host/path (from p.toml)",
            ),
            ("p.toml", "clients = 5", vec![], "<URL> is missing; see 'hlswarm --help'"),
            (
                "p.toml --timeout x",
                file,
                vec![("HLSWARM_CLIENTS", "5")],
                "--timeout 'x': expected a duration above 0, such as 500ms or 15s",
            ),
        ] {
            let args = args(line);
            let file = plan_file(&args).map(|place| (place, "p.toml", file));
            let variables =
                variables.iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
            let combined = combine(args, file, variables).expect(line);
            let said = parse(combined.args.clone()).map_err(|usage| combined.explain(usage)).expect_err(line);
            assert_eq!(said, Usage::Wrong(expected.to_owned()), "{line}");
        }
        let said = combined("p.toml", "clinets = 5", &[]).expect_err("a key");
        assert_eq!(said, "p.toml: unknown key clinets; did you mean clients?");
        let said = combined("http://h/a", "", &[("HLSWARM_NO_TUI", "perhaps")]).expect_err("a flag");
        assert_eq!(said, "HLSWARM_NO_TUI: expected true or false");
    }
}
