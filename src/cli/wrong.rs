//! Turns a command line with a mistake into one line that names the option, what was given and what is accepted.
//!
//! A misplaced argument may be anything, even a password. So a value is repeated only if it is short and has only the
//! characters of numbers, units and names. An unexpected argument is not repeated at all.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::options::not_built;
use crate::vocabulary::{Untrusted, secret_shape, units};

/// Maximum length of a value that is repeated.
const VALUE_LENGTH: usize = 40;
/// Maximum length of an option name that is repeated.
const NAME_LENGTH: usize = 30;
const SEE: &str = "see 'hlswarm --help'";
/// Options that another one needs, with that one.
const NEEDED: [(&str, &str); 3] =
    [("--threshold", "--abort-on-fail"), ("--metrics", "--metrics-per-client"), ("--tls", "--certificate")];

/// Describes the mistake in the first argument, if it is a word that is neither a command nor a URL.
pub(super) fn command(first: Option<&OsString>, commands: &[&str]) -> Option<String> {
    let word = first?.to_str()?;
    let is_word = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphabetic());
    if !is_word || commands.contains(&word) || word == "localhost" {
        return None;
    }
    Some(match nearest(word, commands) {
        Some(command) => format!("unknown command '{word}'; did you mean '{command}'? See 'hlswarm --help'"),
        None => format!("unknown command; expected {}, or a URL; {SEE}", commands.join(", ")),
    })
}

/// Describes a word after `help` that is neither a command nor a page; `None` if it is one, or no word.
pub(super) fn page(word: &str, commands: &[&str], pages: &[&str]) -> Option<String> {
    let known: Vec<&str> = commands.iter().chain(pages).copied().collect();
    let is_word = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphabetic());
    if !is_word || known.contains(&word) {
        return None;
    }
    Some(match nearest(word, &known) {
        Some(page) => format!("there is no help of this name; did you mean 'hlswarm --help {page}'?"),
        None => format!("there is no help of this name; expected {}", known.join(", ")),
    })
}

/// Returns the command that was most likely meant.
fn nearest<'a>(word: &str, commands: &[&'a str]) -> Option<&'a str> {
    let word = word.to_ascii_lowercase();
    let near = commands.iter().map(|command| (strsim::damerau_levenshtein(&word, command), *command));
    let near = near.filter(|(distance, command)| distance * 2 <= command.len());
    near.min_by_key(|(distance, _)| *distance).map(|(_, command)| command)
}

/// Describes the mistake of a command line in one line.
pub(super) fn one_line(error: &clap::Error, args: &[OsString]) -> String {
    if let Some(line) = detached_value(args) {
        return line;
    }
    let option = text(error, ContextKind::InvalidArg).unwrap_or_default();
    // Several streams may stand in its place, but it is what most forget.
    let is_url = option == "[URL]" || (option.starts_with("<URL") && option.contains("--"));
    let option = if is_url { "<URL>".to_owned() } else { option };
    let name = option.split([' ', '=', '[']).find(|word| word.starts_with("--")).unwrap_or(&option);
    let given = text(error, ContextKind::InvalidValue).and_then(|given| shown_value(name, &given));
    let given = given.map_or(String::new(), |given| format!(" '{given}'"));
    match error.kind() {
        ErrorKind::ValueValidation => {
            let why = std::error::Error::source(error).map_or(String::new(), ToString::to_string);
            format!("{name}{given}: {why}")
        }
        ErrorKind::InvalidValue => {
            match text(error, ContextKind::ValidValue).filter(|valid| !valid.is_empty()) {
                Some(valid) => format!("{name}{given}: expected one of: {valid}"),
                None => format!("{name} needs a value"),
            }
        }
        ErrorKind::MissingRequiredArgument if name == "--control" => {
            "--control is missing; give the PATH that the run was given, or set HLSWARM_CONTROL".to_owned()
        }
        ErrorKind::MissingRequiredArgument => match NEEDED.iter().find(|(needed, _)| *needed == name) {
            Some((needed, by)) => format!("{by} needs {needed}; {SEE}"),
            None => format!("{option} is missing; {SEE}"),
        },
        ErrorKind::ArgumentConflict => conflict(error, name),
        ErrorKind::UnknownArgument => unknown(error, &option),
        ErrorKind::TooManyValues => format!("{name} takes no value"),
        ErrorKind::InvalidUtf8 => "an argument is not valid UTF-8".to_owned(),
        // Clap's own message would repeat the arguments.
        _ => format!("invalid command line; {SEE}"),
    }
}

/// Describes a value that follows as an argument of its own, where the URL could stand, though its option takes it after an
/// equals sign.
fn detached_value(args: &[OsString]) -> Option<String> {
    let is_mode = |two: &&[OsString]| {
        let [option, value] = two else { return false };
        option == "--no-cache" && (value == "query" || value == "header")
    };
    if let Some([_, mode]) = args.windows(2).find(is_mode) {
        let mode = mode.to_string_lossy();
        return Some(format!("--no-cache takes its mode after an equals sign: --no-cache={mode}"));
    }
    let after = args.windows(2).find(|two| two.first().is_some_and(|option| option == "--abort-on-fail"))?;
    let value = after.last()?.to_str()?;
    units::parse_duration(value)
        .is_ok()
        .then(|| format!("--abort-on-fail takes its time after an equals sign: --abort-on-fail={value}"))
}

fn text(error: &clap::Error, kind: ContextKind) -> Option<String> {
    match error.get(kind)? {
        ContextValue::String(text) => Some(text.clone()),
        ContextValue::Strings(texts) => Some(texts.join(", ")),
        _ => None,
    }
}

fn conflict(error: &clap::Error, name: &str) -> String {
    let other = text(error, ContextKind::PriorArg).unwrap_or_default();
    let other = other.split(' ').next().unwrap_or_default();
    if other == name {
        format!("{name} may be given only once")
    } else {
        format!("{name} cannot be used together with {other}")
    }
}

/// Describes an option that does not exist, or an unexpected argument.
fn unknown(error: &clap::Error, option: &str) -> String {
    let name = option.split('=').next().unwrap_or_default();
    let is_name =
        name.len() <= NAME_LENGTH && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    if !option.starts_with('-') {
        return format!("unexpected argument; quote a value that contains spaces; {SEE}");
    }
    let not_built = name.strip_prefix("--").and_then(not_built);
    let name = if is_name { format!("unknown option {name}") } else { "unknown option".to_owned() };
    if let Some(why) = not_built {
        return format!("{name}; {why}");
    }
    match text(error, ContextKind::SuggestedArg) {
        Some(meant) => format!("{name}; did you mean {meant}? See 'hlswarm --help'"),
        None => format!("{name}; {SEE}"),
    }
}

/// Returns the given value for display, unless it may hold a secret.
fn shown_value(option: &str, given: &str) -> Option<String> {
    let may_be_secret =
        ["URL", "--header", "--user-agent", "--proxy"].iter().any(|secret| option.contains(secret))
            || given.is_empty();
    // The grammar of fault rules contains `=`.
    let plain = if option == "--fault" { given.replace('=', ":") } else { given.to_owned() };
    let is_plain =
        plain.chars().all(|c| c.is_alphanumeric() || ".,:%/+-_ ".contains(c)) && !plain.contains("//");
    let is_short = given.chars().count() <= VALUE_LENGTH;
    let harmless = is_plain && is_short && secret_shape::shown_text(&plain) == plain;
    (harmless && !may_be_secret).then(|| Untrusted::new(given).shown())
}

#[cfg(test)]
mod tests {
    use super::super::{Usage, parse};
    use super::*;

    #[test]
    fn nothing_of_a_malformed_command_line_is_printed_that_may_be_a_secret() {
        const CANARY: &str = "hunter2hunter2";
        for line in [
            vec!["run", "http://h/a", "-H", "Authorization: Bearer hunter2hunter2"],
            vec!["run", "http://h/a", "--heaer", "X: hunter2hunter2"],
            vec!["run", "http://h/a", "--heaer=X: hunter2hunter2"],
            vec!["run", "http://h/a", "Bearer", "hunter2hunter2"],
            vec!["hunter2hunter2"],
            vec!["Hunter", "hunter2hunter2"],
            vec!["run", "HTTPS:\\\\u:hunter2hunter2@h\\a", "x"],
            vec!["run", "https//u:hunter2hunter2@h/a"],
            vec!["run", "h:hunter2hunter2/x"],
            vec!["run", "http://u:hunter2hunter2@[h/a"],
            vec!["run", "http://h/a", "--resolve", "https://u:hunter2hunter2@h/"],
            vec!["run", "http://h/a", "--clients=https://u:hunter2hunter2@h/"],
            vec!["run", "http://h/a", "--no-tui=hunter2hunter2"],
            vec!["run", "http://h/a", "--hunter2hunter2"],
            vec!["run", "http://h/a", "--seed", "token=hunter2hunter2"],
            vec!["run", "http://h/a", "--", "--header", "X: hunter2hunter2"],
            vec!["check", "ftp://u:hunter2hunter2@h/a"],
            vec!["help", "hunter2hunter2"],
        ] {
            let args = ["hlswarm"].iter().chain(&line).map(OsString::from);
            let Err(Usage::Wrong(text)) = parse(args) else { panic!("{line:?} is accepted") };
            assert!(!text.contains(CANARY), "{text}");
            assert!(!text.contains('\n') && text.len() > 10, "{text}");
        }
    }

    #[test]
    fn control_characters_of_the_command_line_stay_there() {
        for line in
            [["demo", "--clients", "\u{1b}[2J"], ["demo", "--\u{1b}[2J", "x"], ["\u{1b}[2J", "x", "y"]]
        {
            let args = ["hlswarm"].iter().chain(&line).map(OsString::from);
            let Err(Usage::Wrong(text)) = parse(args) else { panic!("{line:?} is accepted") };
            assert!(!text.chars().any(char::is_control), "{text:?}");
        }
    }
}
