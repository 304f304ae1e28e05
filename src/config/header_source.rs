//! Reads the headers of `--header` and `--header-env` from the command line, a file or the environment.
//!
//! Every user of a machine can read the command lines of its processes, so a header with a secret can be given in a
//! file or in an environment variable. No message in this file shows a value.

use std::fs::File;
use std::io::Read as _;

use super::shown_file;

/// Maximum size of a file of headers; servers accept less than this in a request.
const FILE_BYTES: u64 = 64 * 1024;
/// Maximum length of a name that a message repeats: a longer one is not a name but a mistake.
const NAME_LENGTH: usize = 40;

/// Reason why headers could not be read. Never shows a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderSourceError {
    /// The file of `--header @FILE` cannot be read.
    #[error("--header @{file}: {reason}; expected a text file of 'Name: value' lines, up to 64 KiB")]
    File {
        /// Name of the file.
        file: String,
        /// Reason for the failure.
        reason: String,
    },
    /// The option is not `NAME=VARIABLE`. The message does not repeat it, since a value may have been given instead.
    #[error("--header-env: expected NAME=VARIABLE, such as Authorization=EDGE_TOKEN")]
    Syntax,
    /// The variable is not set, or is not UTF-8.
    #[error(
        "--header-env {0}: the environment variable is not set, or is not UTF-8; set it, or name another one"
    )]
    NotSet(String),
}

/// Returns the headers of `--header` and `--header-env` as `Name: value` lines.
///
/// # Errors
/// See [`HeaderSourceError`].
pub(super) fn all(given: Vec<String>, from_env: &[String]) -> Result<Vec<String>, HeaderSourceError> {
    let mut lines = Vec::new();
    for header in given {
        match header.strip_prefix('@') {
            Some(file) => lines.extend(of_file(file)?),
            None => lines.push(header),
        }
    }
    for pair in from_env {
        lines.push(of_variable(pair)?);
    }
    Ok(lines)
}

/// Returns the lines of a file, without empty lines and comments.
fn of_file(name: &str) -> Result<Vec<String>, HeaderSourceError> {
    let wrong = |reason: String| HeaderSourceError::File { file: shown_file(name.as_ref()), reason };
    let mut text = String::new();
    let file = File::open(name).map_err(|error| wrong(error.to_string()))?;
    file.take(FILE_BYTES + 1).read_to_string(&mut text).map_err(|error| wrong(error.to_string()))?;
    if text.len() as u64 > FILE_BYTES {
        return Err(wrong("the file is too large".to_owned()));
    }
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    Ok(lines.map(str::to_owned).collect())
}

fn of_variable(pair: &str) -> Result<String, HeaderSourceError> {
    let (name, variable) = pair.split_once('=').ok_or(HeaderSourceError::Syntax)?;
    let is_name = |text: &str, more: &str| {
        (1..=NAME_LENGTH).contains(&text.len())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c))
    };
    if !is_name(name, "-_") || !is_name(variable, "_") {
        return Err(HeaderSourceError::Syntax);
    }
    let value = std::env::var(variable).map_err(|_| HeaderSourceError::NotSet(pair.to_owned()))?;
    Ok(format!("{name}: {value}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(given: &[&str], from_env: &[&str]) -> Result<Vec<String>, HeaderSourceError> {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        all(owned(given), &owned(from_env))
    }

    #[test]
    fn headers_come_from_the_command_line_a_file_and_the_environment() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("headers");
        std::fs::write(&file, "# of the edge\nCookie: hunter2\r\n\n  X-A: 1\n").expect("writable");
        let at = format!("@{}", file.display());
        // Cargo sets this variable for every test.
        let lines = headers(&["X: 1", &at], &["X-Version=CARGO_PKG_VERSION"]).expect("readable");
        let version = concat!("X-Version: ", env!("CARGO_PKG_VERSION"));
        assert_eq!(lines, ["X: 1", "Cookie: hunter2", "X-A: 1", version]);
    }

    #[test]
    fn headers_that_cannot_be_read_are_refused_without_a_value() {
        let folder = tempfile::tempdir().expect("a folder");
        let large = folder.path().join("large");
        std::fs::write(&large, "X: hunter2\n".repeat(7_000)).expect("writable");
        let large = format!("@{}", large.display());
        for (given, from_env, expected) in [
            (vec!["@none\u{1b}[2J"], vec![], "--header @none^[[2J: No such file"),
            (vec![&*large], vec![], "the file is too large"),
            (vec!["@/"], vec![], "Is a directory"),
            (vec![], vec!["Authorization: Bearer hunter2"], "NAME=VARIABLE"),
            (vec![], vec!["Authorization=Bearer hunter2"], "NAME=VARIABLE"),
            (
                vec![],
                vec!["X=HLSWARM_NO_SUCH_VARIABLE"],
                "--header-env X=HLSWARM_NO_SUCH_VARIABLE: the environment",
            ),
        ] {
            let error = headers(&given, &from_env).expect_err(expected).to_string();
            assert!(error.contains(expected) && !error.contains("hunter2"), "{error}");
            assert!(!error.chars().any(char::is_control), "{error:?}");
        }
    }
}
