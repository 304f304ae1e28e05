//! The plan of a command line as a plan file: what `--print-plan` prints.
//!
//! An option that is not given is a comment with its default. A value that has a secret is printed without it. Where
//! something else must take the place of a secret, its line is a comment that can be filled in as it stands, and the first
//! line says so.

use std::ffi::OsString;

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, CommandFactory as _};

use super::options::Options;
use super::plan_file::{TARGET, URL};
use super::{Cli, WeightedTarget, shown, with_command};
use crate::net::Proxy;
use crate::vocabulary::secret_shape::HIDDEN;
use crate::vocabulary::{SecretUrl, placeholder};

/// End of a line that is to be filled in.
pub const SECRET_NOTE: &str = "  # a secret is not printed";

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

    /// Adds the values of an option. Values beside a hidden one stay in use, except URLs: without one of them, the load would
    /// go elsewhere.
    fn line(&mut self, name: &str, values: &[String]) {
        let shown: Vec<_> = values.iter().map(|value| shown(name, value)).collect();
        shown.iter().for_each(|(_, missing)| self.lacks(name, missing));
        let hides = |missing: &Missing| matches!(missing, Missing::Secret(_));
        let key = key(name);
        match shown.as_slice() {
            [] => {}
            [(text, missing)] if name != "stages" => {
                self.add(&format!("{key} = {}", quoted(text)), hides(missing));
            }
            several if !several.iter().any(|(_, missing)| hides(missing)) => {
                let list: Vec<_> = several.iter().map(|(text, _)| quoted(text)).collect();
                self.add(&format!("{key} = [{}]", list.join(", ")), false);
            }
            several => {
                let is_hidden = name == URL || several.iter().all(|(_, missing)| hides(missing));
                self.add(&format!("{key} = ["), is_hidden);
                for (text, missing) in several {
                    self.add(&format!("  {},", quoted(text)), is_hidden || hides(missing));
                }
                self.add("]", is_hidden);
            }
        }
    }

    /// Adds a list of tables, one in each line; all are comments if one of them hides a secret.
    fn tables(&mut self, key: &str, tables: impl Iterator<Item = String>, hides: bool) {
        self.add(&format!("{key} = ["), hides);
        tables.for_each(|table| self.add(&format!("  {table},"), hides));
        self.add("]", hides);
    }

    /// Adds a line, as a comment if it `hides` a secret.
    fn add(&mut self, line: &str, hides: bool) {
        let (begin, end) = if hides { ("# ", SECRET_NOTE) } else { ("", "") };
        self.text += &format!("{begin}{line}{end}\n");
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
            Some((_, given)) if is_filled(given.trim()) => plain(),
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
        "origin-metrics" | "otlp" => shown_url(value),
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
        // Without a value, a token with the padding of base64 would look like a name.
        Some((name, value)) if is_plain_name(name) && !value.trim_matches('=').is_empty() => {
            format!("{name}={}", if is_placeholder(value) { value } else { HIDDEN })
        }
        None if is_placeholder(parameter) => parameter.to_owned(),
        _ => HIDDEN.to_owned(),
    }
}

/// Reports whether a text is one placeholder.
fn is_placeholder(text: &str) -> bool {
    placeholder::names(text).next().is_some_and(|name| text.len() == name.len() + 2)
}

/// Reports whether the data of each client fill the value of a header: all of it, or what follows the scheme of a login.
fn is_filled(value: &str) -> bool {
    let filled = value.strip_prefix("Bearer ").or_else(|| value.strip_prefix("Basic ")).unwrap_or(value);
    is_placeholder(filled.trim_start())
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
        let table = "# targets = [  # a secret is not printed\n#   { url = \"http://h/a?***\", weight = 3 },";
        assert!(text.contains(table), "{text}");
        assert_runs_when_filled_in(&text);
    }

    /// Uncomments all that is to be filled in, fills it in, and reads the plan as a run does.
    fn assert_runs_when_filled_in(text: &str) {
        let line = |line: &str| match line.strip_suffix(SECRET_NOTE).and_then(|line| line.strip_prefix("# "))
        {
            Some(hidden) => hidden.replace(HIDDEN, "filled=in") + "\n",
            None => line.to_owned() + "\n",
        };
        let filled: String = text.lines().map(line).collect();
        assert!(filled.matches("filled=in").count() >= text.matches(HIDDEN).count() - 1, "{filled}");
        let again = args(&["run", "p.toml"]);
        let file = plan_file(&again).map(|place| (place, "p.toml", filled.as_str()));
        let again = combine(again, file, std::iter::empty())
            .unwrap_or_else(|error| panic!("{error:?}: {filled}"))
            .args;
        assert!(parse(again.clone()).is_ok(), "{again:?}: {filled}");
    }

    #[test]
    fn a_token_alone_is_no_name_of_a_parameter() {
        for query in ["aHVudGVyMg==", "aHVudGVyMg=", "aHVudGVyMg", "t=1&aHVudGVyMg="] {
            let text = resolved(args(&["run", &format!("http://h/a?{query}")]));
            assert!(!text.contains("aHVudGVyMg"), "{text}");
        }
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
            "# url = \"http://h/a?***\"  # a secret is not printed\n",
            "# header = \"X: ***\"  # a secret is not printed\n",
            "# user-agent = \"***\"",
            "\nheader-env = \"X=TOKEN\"\n",
            "\nproxy = \"http://h:1080\"\n",
        ] {
            assert!(text.contains(expected), "{expected}: {text}");
        }
        assert_runs_when_filled_in(&text);
    }

    #[test]
    fn a_printed_plan_runs_again_wherever_no_secret_is_lost() {
        let line = [
            "run",
            "http://u:hunter2@h/{id}/a?t={token}",
            "--header",
            "@h",
            "--header",
            "Authorization: hunter2",
            "--header=X-Token: Bearer {token}",
        ];
        let text = resolved(args(&line));
        assert!(!text.contains("hunter2"), "{text}");
        let first = "# Fill in before you run it again, secrets are not printed: url (user and password), header (Authorization)\n";
        assert!(text.starts_with(first), "{text}");
        for expected in [
            "url = \"http://h/{id}/a?t={token}\"\n",
            "\nheader = [\n  \"@h\",\n#   \"Authorization: ***\",  # a secret is not printed\n  \"X-Token: Bearer {token}\",\n]\n",
        ] {
            assert!(text.contains(expected), "{expected}: {text}");
        }
        let again = args(&["run", "p.toml"]);
        let file = plan_file(&again).map(|place| (place, "p.toml", text.as_str()));
        let again = combine(again, file, std::iter::empty()).expect("a plan file").args;
        assert!(parse(again.clone()).is_ok(), "{again:?}");
        assert_runs_when_filled_in(&text);
        let text = resolved(args(&["run", "@url.txt", "--header", "@h"]));
        assert!(text.contains("url = \"@url.txt\"\n") && text.contains("\nheader = \"@h\"\n"), "{text}");
        assert!(!text.contains("Fill in"), "{text}");
    }
}
