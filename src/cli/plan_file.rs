//! Plan file: the options of `run` as TOML. Each key is the long name of an option; `url`, `targets`, `stages`, `mix` and
//! `headers` are the others, or have a form of their own.
//!
//! No message repeats a value: a plan file is a place for secrets.

use clap::ArgAction;
use toml::de::{DeTable, DeValue};

use super::options::{Options, not_built, without_value};

/// Keys that are no option.
pub(super) const URL: &str = "url";
/// Option that takes the place of the URL.
pub(super) const TARGET: &str = "target";
const TARGETS: &str = "targets";
const MIX: &str = "mix";
const STAGES: &str = "stages";
const HEADERS: &str = "headers";
/// Key of the variable that has the value of a header.
const ENV: &str = "env";
/// Maximum length of a key that a message repeats: a longer one is not a name but a mistake.
const NAME_LENGTH: usize = 30;

/// An option as the command line takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// Long name of the option, or [`URL`].
    pub(super) name: String,
    /// Its value.
    pub(super) given: Given,
}

/// Value of an option.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Given {
    /// One for each time that the option is given.
    Values(Vec<String>),
    /// Of an option that takes none.
    Flag(bool),
}

impl Given {
    /// Returns an option that is given with `value`, or is not given at all.
    pub(super) fn set(is_set: bool, value: Option<&str>) -> Self {
        match value.filter(|_| is_set) {
            Some(value) => Self::Values(vec![value.to_owned()]),
            None => Self::Flag(is_set),
        }
    }
}

impl Entry {
    fn new(name: &str, values: Vec<String>) -> Self {
        Self { name: name.to_owned(), given: Given::Values(values) }
    }
}

/// Reads the entries of a plan file, in the order of their names.
///
/// # Errors
/// One line with the number of the line in the file, or the key.
pub(super) fn entries(text: &str, options: &Options) -> Result<Vec<Entry>, String> {
    let table = DeTable::parse(text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        format!("line {}: {}", before.matches('\n').count() + 1, error.message())
    })?;
    let mut entries = Vec::new();
    for (key, value) in table.get_ref() {
        let (key, value) = (key.get_ref().as_ref(), value.get_ref());
        match key {
            HEADERS => entries.extend(headers(value)?),
            URL => entries.push(Entry::new(URL, vec![one(key, value)?])),
            TARGETS => entries.push(Entry::new(TARGET, each(value, target)?)),
            MIX => entries.push(Entry::new(MIX, each(value, member)?)),
            STAGES => entries.push(Entry::new("stage", many(key, value)?)),
            _ => entries.push(option(key, value, options)?),
        }
    }
    Ok(entries)
}

fn option(key: &str, value: &DeValue<'_>, options: &Options) -> Result<Entry, String> {
    let Some(option) = options.of_file(key) else { return Err(unknown(key, options)) };
    let given = match (option.get_action(), value) {
        (_, DeValue::Boolean(is_set)) if without_value(option).is_some() => {
            Given::set(*is_set, without_value(option))
        }
        (ArgAction::SetTrue, DeValue::Boolean(is_set)) => Given::Flag(*is_set),
        (ArgAction::SetTrue, _) => return Err(format!("{key}: expected true or false")),
        (ArgAction::Append, _) => Given::Values(many(key, value)?),
        _ => Given::Values(vec![one(key, value)?]),
    };
    Ok(Entry { name: key.to_owned(), given })
}

/// Returns a text or a number.
fn one(key: &str, value: &DeValue<'_>) -> Result<String, String> {
    match value {
        DeValue::String(text) => Ok(text.to_string()),
        DeValue::Integer(number) => Ok(number.to_string()),
        DeValue::Float(number) => Ok(number.to_string()),
        _ => Err(format!("{key}: expected a text or a number")),
    }
}

/// Returns the texts or numbers of a list; one alone is a list of one.
fn many(key: &str, value: &DeValue<'_>) -> Result<Vec<String>, String> {
    match value {
        DeValue::Array(values) => values.iter().map(|value| one(key, value.get_ref())).collect(),
        _ => Ok(vec![one(key, value)?]),
    }
}

/// Returns a text for each table of a list; a text stays as it is.
fn each(
    value: &DeValue<'_>,
    text: impl Fn(&DeTable<'_>) -> Result<String, String>,
) -> Result<Vec<String>, String> {
    let one = |value: &DeValue<'_>| match value {
        DeValue::String(given) => Ok(given.to_string()),
        DeValue::Table(table) => text(table),
        _ => text(&DeTable::new()),
    };
    match value {
        DeValue::Array(values) => values.iter().map(|value| one(value.get_ref())).collect(),
        _ => Ok(vec![one(value)?]),
    }
}

/// Returns a target as its option takes it: `3 https://cdn.example/a.m3u8`.
fn target(table: &DeTable<'_>) -> Result<String, String> {
    let wrong = || {
        format!("{TARGETS}: expected tables such as {{ url = \"https://cdn.example/a.m3u8\", weight = 3 }}")
    };
    let (mut weight, mut url) = ("1".to_owned(), None);
    for (key, value) in table {
        match key.get_ref().as_ref() {
            URL => url = Some(one(TARGETS, value.get_ref())?),
            "weight" => weight = one(TARGETS, value.get_ref())?,
            other => return Err(unknown_of_table(TARGETS, other, &[URL, "weight"])),
        }
    }
    // A space would divide it from its weight at another place.
    let url = url.filter(|url| !url.trim().contains(char::is_whitespace)).ok_or_else(wrong)?;
    Ok(format!("{weight} {}", url.trim()))
}

/// Returns a member of the mix as its option takes it: `70 player=web`.
fn member(table: &DeTable<'_>) -> Result<String, String> {
    let wrong = || {
        format!(
            "{MIX}: expected tables such as {{ share = 70, player = \"web\", variant = \"lowest\", session-length = \"5m\" }}"
        )
    };
    const KEYS: [&str; 4] = ["share", "player", "variant", "session-length"];
    let mut values = [const { None }; KEYS.len()];
    for (key, value) in table {
        let key = key.get_ref().as_ref();
        let place = KEYS.iter().position(|known| *known == key);
        let place = place.ok_or_else(|| unknown_of_table(MIX, key, &KEYS))?;
        let value = one(MIX, value.get_ref())?;
        if value.is_empty() || value.contains(char::is_whitespace) {
            return Err(wrong());
        }
        values.get_mut(place).into_iter().for_each(|kept| *kept = Some(value.clone()));
    }
    let [share, others @ ..] = values;
    let others =
        KEYS.iter().skip(1).zip(others).filter_map(|(key, value)| Some(format!(" {key}={}", value?)));
    let others: String = others.collect();
    share.map(|share| share + &others).ok_or_else(wrong)
}

/// Returns the headers of a table: a value, or the environment variable that has it.
fn headers(value: &DeValue<'_>) -> Result<Vec<Entry>, String> {
    let wrong = || {
        format!(
            "{HEADERS}: expected a table such as {{ X-Test = \"1\", Authorization = {{ env = \"TOKEN\" }} }}"
        )
    };
    let DeValue::Table(table) = value else { return Err(wrong()) };
    let (mut given, mut from_env) = (Vec::new(), Vec::new());
    for (name, value) in table {
        let (name, value) = (name.get_ref(), value.get_ref());
        match value {
            DeValue::Table(source) => {
                if let Some((key, _)) = source.iter().find(|(key, _)| key.get_ref() != ENV) {
                    return Err(unknown_of_table(HEADERS, key.get_ref(), &[ENV]));
                }
                let variable = source.iter().next();
                let (_, variable) = variable.ok_or_else(wrong)?;
                from_env.push(format!("{name}={}", one(HEADERS, variable.get_ref())?));
            }
            _ => given.push(format!("{name}: {}", one(HEADERS, value)?)),
        }
    }
    let entries = [Entry::new("header", given), Entry::new("header-env", from_env)];
    Ok(entries.into_iter().filter(|entry| entry.given != Given::Values(Vec::new())).collect())
}

/// Reports whether a key may be repeated in a message: a longer one, or one of other characters, may be a misplaced value.
fn is_name(key: &str) -> bool {
    key.len() <= NAME_LENGTH && key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
}

/// Returns the name that was most likely meant.
fn nearest<'a>(key: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let near = names.map(|name| (strsim::damerau_levenshtein(key, name), name));
    near.min().filter(|(distance, name)| distance * 2 <= name.len()).map(|(_, name)| name)
}

fn unknown(key: &str, options: &Options) -> String {
    let expected = "expected long names of options of 'hlswarm run', url, targets, stages, mix or headers";
    if !is_name(key) {
        return format!("unknown key; {expected}");
    }
    if let Some(why) = not_built(key) {
        return format!("unknown key {key}; {why}");
    }
    let names = options.names().chain([URL, TARGETS, STAGES, HEADERS]);
    match nearest(key, names) {
        Some(name) => format!("unknown key {key}; did you mean {name}?"),
        None => format!("unknown key {key}; {expected}"),
    }
}

/// Describes an unknown key of a table within `section`.
fn unknown_of_table(section: &str, key: &str, known: &[&str]) -> String {
    match nearest(key, known.iter().copied()).filter(|_| is_name(key)) {
        Some(name) => format!("{section}: unknown key {key}; did you mean {name}?"),
        None if is_name(key) => format!("{section}: unknown key {key}; expected {}", known.join(", ")),
        None => format!("{section}: unknown key; expected {}", known.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<(String, Vec<String>)>, String> {
        let entries = entries(text, &Options::of("run"))?;
        let values = |given| match given {
            Given::Values(values) => values,
            Given::Flag(is_set) => vec![is_set.to_string()],
        };
        Ok(entries.into_iter().map(|entry| (entry.name, values(entry.given))).collect())
    }

    #[test]
    fn keys_are_the_long_names_of_options() {
        let text = "url = \"http://h/a.m3u8\"\nclients = 500\nramp-rate = 2.5\nno-tui = true\nreport = \"a.json\"\n\
                    stages = [\"ramp to 5 in 2m\", \"hold 1m\"]\n[headers]\nX-Test = \"1\"\nCookie = { env = \"C\" }\n";
        let expected = [
            ("clients", &["500"][..]),
            ("header", &["X-Test: 1"]),
            ("header-env", &["Cookie=C"]),
            ("no-tui", &["true"]),
            ("ramp-rate", &["2.5"]),
            ("report", &["a.json"]),
            ("stage", &["ramp to 5 in 2m", "hold 1m"]),
            ("url", &["http://h/a.m3u8"]),
        ];
        let owned = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect();
        assert_eq!(read(text), Ok(expected.map(|(name, values)| (name.to_owned(), owned(values))).into()));
    }

    #[test]
    fn an_option_whose_value_has_a_default_can_be_true_or_false() {
        let value = |text| read(text).map(|mut entries| entries.remove(0).1.remove(0));
        assert_eq!(value("metrics = true").as_deref(), Ok("127.0.0.1:17091"));
        assert_eq!(value("abort-on-fail = true").as_deref(), Ok("10s"));
        assert_eq!(value("abort-on-fail = \"1m\"").as_deref(), Ok("1m"));
        assert_eq!(value("metrics = false").as_deref(), Ok("false"), "a flag that is not set");
        let options = Options::of("run");
        let may_lack = options.all().filter(|option| {
            option.get_num_args().is_some_and(|number| number.takes_values() && number.min_values() == 0)
        });
        for option in may_lack {
            assert!(without_value(option).is_some(), "WITHOUT_VALUE lacks {:?}", option.get_long());
        }
    }

    #[test]
    fn a_wrong_file_is_one_line_without_a_value() {
        for (text, expected) in [
            ("a = \"hunter2\nb = 1", "line 1: "),
            ("clients = 5\n\nramp-rate = hunter2", "line 3: "),
            ("clinets = 5", "unknown key clinets; did you mean clients?"),
            ("stage-s = 5", "did you mean stage"),
            ("hunter2hunter2 = 5", "unknown key; expected long names of options"),
            ("print-plan = true", "unknown key print-plan"),
            ("no-tui = \"hunter2\"", "no-tui: expected true or false"),
            ("clients = [\"hunter2\"]", "clients: expected a text or a number"),
            ("stages = [[\"hunter2\"]]", "stages: expected a text or a number"),
            ("headers = \"hunter2\"", "headers: expected a table"),
            ("headers = { X = { file = \"hunter2\" } }", "headers: unknown key file; expected env"),
            ("headers = { X = { } }", "headers: expected a table"),
            (
                "targets = [{ weight = 3, path = \"hunter2\" }]",
                "targets: unknown key path; expected url, weight",
            ),
            (
                "targets = [{ wieght = 3, url = \"hunter2\" }]",
                "targets: unknown key wieght; did you mean weight?",
            ),
            ("targets = [{ hunter2 = 3 }]", "targets: unknown key; expected url, weight"),
            (
                "targets = [\"http://h/a\", { URL = \"hunter2\" }]",
                "targets: unknown key; expected url, weight",
            ),
            ("mix = [{ share = 5, palyer = \"hunter2\" }]", "mix: unknown key palyer; did you mean player?"),
            ("mix = [{ share = 5, session_length = 5 }]", "mix: unknown key; expected share, player,"),
            ("mix = { weight = [\"hunter2\"] }", "mix: unknown key weight; expected share, player,"),
            ("targets = [{ weight = 3 }]", "targets: expected tables"),
            ("targets = [{ url = \"hunter2 http://h/a\" }]", "targets: expected tables"),
            ("targets = 5", "targets: expected tables"),
            ("mix = [{ player = \"hunter2\" }]", "mix: expected tables such as { share = 70"),
            ("mix = [{ share = 5, player = \"hunter2 x\" }]", "mix: expected tables"),
            ("mix = [{ share = [\"hunter2\"] }]", "mix: expected a text or a number"),
            ("clients = 5\nclients = 6", "line 2: duplicate key"),
            ("a.b.c = 5", "unknown key a"),
        ] {
            let said = read(text).expect_err(text);
            assert!(said.contains(expected), "{text}: {said}");
            assert!(!said.contains("hunter2") && !said.contains('\n'), "{said}");
        }
    }
}
