//! Reads the URL of a stream from the file of `@FILE`.
//!
//! Every user of a machine can read the command lines of its processes, so a URL with a secret can be given in a file.
//! No message shows what the file holds.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use super::shown_file;
use crate::cli::Target;
use crate::vocabulary::{SecretUrl, limits};

/// Reason why a file gave no URL. Never shows its content.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("@{file}: {reason}; expected a text file with one line: the URL")]
pub struct TargetSourceError {
    /// Name of the file.
    file: String,
    /// Reason for the failure.
    reason: String,
}

/// Returns the URL that was given, or that is in the given file.
///
/// # Errors
/// See [`TargetSourceError`].
pub fn target(given: Target) -> Result<SecretUrl, TargetSourceError> {
    match given {
        Target::Url(url) => Ok(url),
        Target::File(path) => {
            of_file(&path).map_err(|reason| TargetSourceError { file: shown_file(&path), reason })
        }
    }
}

fn of_file(path: &Path) -> Result<SecretUrl, String> {
    let most = limits::URL_BYTES as u64;
    let mut text = String::new();
    let file = File::open(path).map_err(|error| error.to_string())?;
    file.take(most + 1).read_to_string(&mut text).map_err(|error| error.to_string())?;
    if text.len() as u64 > most {
        return Err("the file is too large".to_owned());
    }
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    match (lines.next(), lines.next()) {
        (Some(line), None) => match line.parse()? {
            Target::Url(url) => Ok(url),
            Target::File(_) => Err("it names another file".to_owned()),
        },
        (Some(_), Some(_)) => Err("it has more than one line".to_owned()),
        (None, _) => Err("it is empty".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<SecretUrl, String> {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("url.txt");
        std::fs::write(&file, text).expect("writable");
        target(Target::File(file)).map_err(|error| error.to_string())
    }

    #[test]
    fn a_file_holds_one_url_beside_comments() {
        let url = read("# of the edge\r\n\n  https://u:hunter2@h/a.m3u8?t=hunter2 \n").expect("a URL");
        assert_eq!(url.wire(), "https://h/a.m3u8?t=hunter2");
    }

    #[test]
    fn a_file_without_one_url_is_refused_and_nothing_of_it_is_shown() {
        let long = format!("https://h/{}hunter2", "x".repeat(limits::URL_BYTES));
        for (text, expected) in [
            ("", "it is empty"),
            ("# https://hunter2@h/\n", "it is empty"),
            ("https://h/hunter2\nhttps://h/hunter2\n", "it has more than one line"),
            ("@hunter2", "it names another file"),
            ("ftp://h/hunter2", "only http:// and https:// are accepted"),
            ("cdn.example/a?hunter2", "the scheme is missing; did you mean https://cdn.example/a?***?"),
            (&long, "the file is too large"),
        ] {
            let error = read(text).expect_err(text);
            assert!(error.contains(expected) && !error.contains("hunter2"), "{error}");
            assert!(error.ends_with("expected a text file with one line: the URL"), "{error}");
        }
        let none = target(Target::File("none\u{1b}[2J".into())).expect_err("no file").to_string();
        assert!(none.starts_with("@none^[[2J: No such file"), "{none}");
    }
}
