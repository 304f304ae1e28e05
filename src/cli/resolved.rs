//! The plan of a command line as a plan file: what `--print-plan` prints.
//!
//! An option that is not given is a comment with its default. A value that has a secret is printed without it: as a
//! comment where something else must take its place, and the first line says what is to be filled in.

use std::ffi::OsString;

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, CommandFactory as _};

use super::options::Options;
use super::plan_file::{TARGET, URL};
use super::{Cli, WeightedTarget, shown, with_command};
use crate::net::Proxy;
use crate::vocabulary::secret_shape::HIDDEN;
use crate::vocabulary::{SecretUrl, placeholder};

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
    let mut printed = Printed::default();
    let urls = if run.try_contains_id(URL).is_ok() { raw(run, URL) } else { Vec::new() };
    printed.line(URL, &urls);
    for option in options.of_files() {
        let name = option.get_long().unwrap_or_default();
        if is_given(option) {
            printed.given(name, option, &raw(run, option.get_id().as_str()));
        } else if !given.iter().any(|other| options.excludes(other, option)) {
            let depends =
                name == "clients" && raw(run, "clients").first().is_some_and(|clients| clients == "0");
            let has_default = option.get_action().takes_values() && !depends;
            let default = option.get_default_values().first().filter(|_| has_default);
            let default = default.map(|value| format!("# {name} = {}\n", quoted(&value.to_string_lossy())));
            printed.text += &default.unwrap_or_default();
        }
    }
    printed.whole()
}

/// Lines of the plan so far, and what they lack.
#[derive(Default)]
struct Printed {
    text: String,
    missing: Vec<String>,
}

impl Printed {
    /// Returns the plan, whose first line says what is to be filled in.
    fn whole(self) -> String {
        let Self { text, missing } = self;
        if missing.is_empty() {
            return text;
        }
        format!("# Fill in before you run it again, secrets are not printed: {}\n{text}", missing.join(", "))
    }

    /// Adds an option that was given.
    fn given(&mut self, name: &str, option: &Arg, values: &[String]) {
        match (option.get_action(), name) {
            (ArgAction::SetTrue, _) => self.text += &format!("{} = true\n", key(name)),
            (ArgAction::Append, "stage") => self.line("stages", values),
            (ArgAction::Append, "mix") => self.tables(name, values.iter().map(|value| member(value)), false),
            (ArgAction::Append, TARGET) => {
                let shown: Vec<_> = values.iter().map(|value| shown(TARGET, value)).collect();
                let hides = shown.iter().any(|(_, missing)| matches!(missing, Missing::Secret(_)));
                shown.iter().for_each(|(_, missing)| self.lacks("targets", missing));
                self.tables("targets", shown.iter().map(|(text, _)| target(text)), hides);
            }
            _ => self.line(name, values),
        }
    }

    /// Adds the values of an option: those that can be used as they are, then the others as comments.
    fn line(&mut self, key: &str, values: &[String]) {
        let shown: Vec<_> = values.iter().map(|value| shown(key, value)).collect();
        shown.iter().for_each(|(_, missing)| self.lacks(key, missing));
        let (hidden, usable): (Vec<_>, Vec<_>) =
            shown.into_iter().partition(|(_, missing)| matches!(missing, Missing::Secret(_)));
        let list = usable.iter().map(|(text, _)| quoted(text)).collect::<Vec<_>>().join(", ");
        match &*usable {
            [] => {}
            [_] if key != "stages" => self.text += &format!("{} = {list}\n", self::key(key)),
            _ => self.text += &format!("{} = [{list}]\n", self::key(key)),
        }
        for (text, _) in hidden {
            self.text += &format!("# {} = {}  {SECRET_NOTE}\n", self::key(key), quoted(&text));
        }
    }

    /// Adds a list of tables, one in each line; all are comments if one of them hides a secret.
    fn tables(&mut self, key: &str, tables: impl Iterator<Item = String>, hides: bool) {
        let (begin, end) = if hides { ("# ", format!("  {SECRET_NOTE}")) } else { ("", String::new()) };
        self.text += &format!("{begin}{key} = [{end}\n");
        tables.for_each(|table| self.text += &format!("{begin}  {table},{end}\n"));
        self.text += &format!("{begin}]{end}\n");
    }

    fn lacks(&mut self, key: &str, missing: &Missing) {
        let lack = match missing {
            Missing::Nothing => return,
            Missing::Login => format!("{key} (user and password)"),
            Missing::Secret(what) if what.is_empty() => key.to_owned(),
            Missing::Secret(what) => format!("{key} ({what})"),
        };
        if !self.missing.contains(&lack) {
            self.missing.push(lack);
        }
    }
}

/// Part of a value that is not printed.
enum Missing {
    Nothing,
    /// User and password of a URL: without them it is a URL all the same.
    Login,
    /// Something in whose place `***` stands; the text names it, if it has a name.
    Secret(String),
}

/// Returns a value without its secrets, and what it lacks then.
fn shown(name: &str, value: &str) -> (String, Missing) {
    let secret = |text: &str, what: &str| (text.to_owned(), Missing::Secret(what.to_owned()));
    let plain = || (value.to_owned(), Missing::Nothing);
    match name {
        // The name of the file or of the variable that has the secret is none.
        "header" if value.starts_with('@') => plain(),
        "header-env" => plain(),
        "header" => match value.split_once(':').filter(|(name, _)| is_plain_name(name)) {
            Some((_, given)) if is_placeholder(given.trim()) => plain(),
            Some((name, _)) => secret(&format!("{name}: {HIDDEN}"), name),
            None => secret(HIDDEN, ""),
        },
        "proxy" => match value.parse::<Proxy>() {
            Ok(proxy) if proxy.has_login() => (shown::value("--proxy", value), Missing::Login),
            Ok(_) => plain(),
            Err(_) if value == "env" => plain(),
            Err(_) => secret(HIDDEN, ""),
        },
        URL => shown_url(value),
        TARGET => {
            let (weight, url) = WeightedTarget::split(value);
            let (url, missing) = shown_url(url);
            (weight.map_or(url.clone(), |weight| format!("{weight} {url}")), missing)
        }
        _ if shown::value(&format!("--{name}"), value) == value => plain(),
        "origin-metrics" => shown_url(value),
        _ => secret(HIDDEN, ""),
    }
}

/// Returns a URL without user, password and fragment, and with `***` for the values of its query: only what the data of each
/// client fill is no secret.
fn shown_url(given: &str) -> (String, Missing) {
    if given.starts_with('@') || shown::value("", given) == given {
        return (given.to_owned(), Missing::Nothing);
    }
    let Ok(url) = SecretUrl::parse(given) else {
        return (HIDDEN.to_owned(), Missing::Secret(String::new()));
    };
    let mut text = url.to_string();
    let query = given.split('#').next().and_then(|given| given.split_once('?'));
    if let (Some((place, _)), Some((_, query))) = (text.split_once('?'), query) {
        text = format!("{place}?{}", query.split('&').map(shown_parameter).collect::<Vec<_>>().join("&"));
    }
    let missing = match (text.contains(HIDDEN), url.credentials().is_some()) {
        (true, true) => Missing::Secret(format!("user and password, {HIDDEN}")),
        (true, false) => Missing::Secret(HIDDEN.to_owned()),
        (false, true) => Missing::Login,
        (false, false) => Missing::Nothing,
    };
    (text, missing)
}

fn shown_parameter(parameter: &str) -> String {
    match parameter.split_once('=') {
        Some((name, value)) if is_plain_name(name) => {
            let value = if value.is_empty() || is_placeholder(value) { value } else { HIDDEN };
            format!("{name}={value}")
        }
        None if is_placeholder(parameter) => parameter.to_owned(),
        _ => HIDDEN.to_owned(),
    }
}

/// Reports whether a text is one placeholder.
fn is_placeholder(text: &str) -> bool {
    placeholder::names(text).next().is_some_and(|name| text.len() == name.len() + 2)
}

/// Reports whether a text is the name of a header or of a parameter, and no secret in its place.
fn is_plain_name(text: &str) -> bool {
    let is_sign = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    !text.is_empty() && text.bytes().all(is_sign) && shown::value("", text) == text
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
        assert!(!text.contains("hunter2"), "{text}");
        let table = "# targets = [  (a secret is not printed)\n#   { url = \"http://h/a?***\", weight = 3 },";
        assert!(text.contains(table), "{text}");
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
        assert!(!text.contains("hunter2"), "{text}");
        for expected in [
            "# Fill in before you run it again, secrets are not printed: url (user and password, ***), ",
            "# url = \"http://h/a?***\"  (a secret is not printed)\n",
            "# header = \"X: ***\"  (a secret is not printed)\n",
            "# user-agent = \"***\"",
            "\nheader-env = \"X=TOKEN\"\n",
            "\nproxy = \"http://h:1080\"\n",
        ] {
            assert!(text.contains(expected), "{expected}: {text}");
        }
    }

    #[test]
    fn a_printed_plan_runs_again_wherever_no_secret_is_lost() {
        let line = [
            "run",
            "http://u:hunter2@h/{id}/a?t={token}&e=",
            "--header",
            "@h",
            "--header",
            "Authorization: hunter2",
            "--header=X-Token: {token}",
        ];
        let text = resolved(args(&line));
        assert!(!text.contains("hunter2"), "{text}");
        let first = "# Fill in before you run it again, secrets are not printed: url (user and password), header (Authorization)\n";
        assert!(text.starts_with(first), "{text}");
        for expected in [
            "url = \"http://h/{id}/a?t={token}&e=\"\n",
            "\nheader = [\"@h\", \"X-Token: {token}\"]\n# header = \"Authorization: ***\"",
        ] {
            assert!(text.contains(expected), "{expected}: {text}");
        }
        let again = args(&["run", "p.toml"]);
        let file = plan_file(&again).map(|place| (place, "p.toml", text.as_str()));
        let again = combine(again, file, std::iter::empty()).expect("a plan file").args;
        assert!(parse(again.clone()).is_ok(), "{again:?}");
        let text = resolved(args(&["run", "@url.txt", "--header", "@h"]));
        assert!(text.contains("url = \"@url.txt\"\n") && text.contains("\nheader = \"@h\"\n"), "{text}");
        assert!(!text.contains("Fill in"), "{text}");
    }
}
