//! Names of environment variables: those of options, and those that were probably meant to be one.

use super::options::{Options, not_built};
use super::plan_file::URL;

/// Begin of the names of variables.
pub(super) const PREFIX: &str = "HLSWARM_";
/// Commands whose options can be variables.
pub(super) const WITH_VARIABLES: [&str; 5] = ["run", "plan", "demo", "find", "ctl"];
/// Variables of builds and tests, or their beginnings: they are no options.
const OTHERS: [&str; 8] =
    ["REQUIRE_", "CORPUS", "HLS_JS", "EXACT_", "SOAK_", "UPDATE_SCHEMA", "PANIC", "COMMIT"];
/// Most letters that a misspelt name may have too many, too few, wrong or swapped.
const MISTAKES: usize = 2;
/// Length up to which a name may have one mistake only.
const SHORT: usize = 6;

/// Returns the name of the variable of an option.
pub(super) fn variable_of(option: &str) -> String {
    format!("{PREFIX}{}", option.to_ascii_uppercase().replace('-', "_"))
}

/// Returns a warning for each of these names, without their prefix, that is almost the variable of an option. A name that
/// is not near one may belong to another program.
pub(super) fn misspelt<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let names: Vec<_> = names.filter(|name| !OTHERS.iter().any(|other| name.starts_with(other))).collect();
    if names.is_empty() {
        return Vec::new();
    }
    // A variable of another command than this one is not misspelt.
    let commands = WITH_VARIABLES.map(Options::of);
    let options = commands.iter().flat_map(Options::names).chain([URL]);
    let known: Vec<String> = options.map(|name| name.to_ascii_uppercase().replace('-', "_")).collect();
    names.into_iter().filter_map(|name| warning(name, &known)).collect()
}

fn warning(name: &str, known: &[String]) -> Option<String> {
    if let Some(why) = not_built(&name.to_ascii_lowercase().replace('_', "-")) {
        return Some(format!("warning: the variable {PREFIX}{name} is no option; {why}"));
    }
    let near = known.iter().map(|known| (strsim::damerau_levenshtein(name, known), known));
    let (mistakes, meant) = near.min()?;
    let most = if meant.len() <= SHORT { 1 } else { MISTAKES };
    (1..=most)
        .contains(&mistakes)
        .then(|| format!("warning: the variable {PREFIX}{name} is no option; did you mean {PREFIX}{meant}?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_name_next_to_one_of_an_option_is_misspelt() {
        let said = |name: &str| misspelt([name].into_iter()).pop();
        for (name, meant) in [
            ("CLINETS", "CLIENTS"),
            ("CLIENT", "CLIENTS"),
            ("clients", ""),
            ("RAMPRATE", "RAMP_RATE"),
            ("ULR", "URL"),
            ("REPORTS", "REPORT"),
            ("NO_TIU", "NO_TUI"),
            ("CLEINST", "CLIENTS"),
            ("CLIQQQS", ""),
            ("MAX_CLIENT", "MAX_CLIENTS"),
            // Of another command, of a test, of something else.
            ("MAX_CLIENTS", ""),
            ("BITRATE", ""),
            ("URL", ""),
            ("CORPUS", ""),
            ("SOAK_CLIENTS", ""),
            ("COMMIT", ""),
            ("HOME", ""),
            ("TEST_COOKIE", ""),
            ("", ""),
        ] {
            let expected = (!meant.is_empty()).then(|| {
                format!("warning: the variable HLSWARM_{name} is no option; did you mean HLSWARM_{meant}?")
            });
            assert_eq!(said(name), expected, "{name}");
        }
    }
}
