//! The URL of a stream as it was given: the URL itself, or a file that holds it.

use std::path::PathBuf;
use std::str::FromStr;

use crate::vocabulary::SecretUrl;

/// URL of a stream, or the file to read it from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The URL.
    Url(SecretUrl),
    /// `@FILE`: a file that holds the URL.
    File(PathBuf),
}

impl Target {
    /// Reports whether the command line shows a password: every user of a machine can read those of its processes.
    pub fn shows_password(&self) -> bool {
        let Self::Url(url) = self else { return false };
        url.credentials().is_some_and(|(_, password)| !password.is_empty())
    }
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.strip_prefix('@') {
            Some("") => Err("expected a file name after @, such as @url.txt".to_owned()),
            Some(file) => Ok(Self::File(file.into())),
            None => super::values::url(text).map(Self::Url),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_at_sign_names_a_file_and_everything_else_is_a_url() {
        assert_eq!("@a b/url.txt".parse(), Ok(Target::File("a b/url.txt".into())));
        assert!("@".parse::<Target>().is_err_and(|error| error.contains("expected a file name")));
        assert!(matches!("http://u:hunter2@h/a".parse(), Ok(Target::Url(_))));
        let shows = |text: &str| text.parse().is_ok_and(|target: Target| target.shows_password());
        assert!(shows("http://u:hunter2@h/a") && shows("http://:hunter2@h/a"));
        assert!(!shows("http://h/a") && !shows("http://u@h/a") && !shows("@u:hunter2@h"));
        assert!("u:hunter2@h".parse::<Target>().is_err_and(|error| !error.contains("hunter2")));
    }
}
