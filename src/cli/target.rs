//! The URL of a stream as it was given: the URL itself, or a file that holds it.

use std::ops::RangeInclusive;
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

/// Weights of targets and shares of the mix.
const WEIGHTS: RangeInclusive<u32> = 1..=10_000;

/// Parses a weight; `None` if it is none.
pub(super) fn weight(text: &str) -> Option<u32> {
    text.parse().ok().filter(|weight| WEIGHTS.contains(weight))
}

/// URL of a stream, or the file to read it from, with its weight among others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WeightedTarget {
    /// Its weight; 1 if none is given.
    pub weight: u32,
    /// The stream.
    pub target: Target,
}

impl WeightedTarget {
    /// Returns the weight and the URL of a text, which may have no weight.
    pub(super) fn split(text: &str) -> (Option<&str>, &str) {
        match text.trim().split_once(char::is_whitespace) {
            Some((weight, url)) => (Some(weight), url.trim()),
            None => (None, text.trim()),
        }
    }
}

impl FromStr for WeightedTarget {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (given, url) = Self::split(text);
        let weight = given.map_or(Some(1), weight);
        let weight = weight.ok_or(
            "expected a weight from 1 to 10000 before the URL, such as '3 https://cdn.example/a.m3u8'",
        )?;
        Ok(Self { weight, target: url.parse()? })
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
    fn a_weight_stands_before_a_url() {
        let read = |text: &str| text.parse::<WeightedTarget>().map(|read| (read.weight, read.target));
        let url: Target = "http://h/a".parse().expect("a URL");
        assert_eq!(read(" 3  http://h/a "), Ok((3, url.clone())));
        assert_eq!(read("http://h/a"), Ok((1, url)));
        assert_eq!(read("2 @a.txt"), Ok((2, Target::File("a.txt".into()))));
        for text in
            ["0 http://h/a", "-1 http://h/a", "1.5 http://h/a", "10001 http://h/a", "http://hunter2/a 3"]
        {
            let said = read(text).expect_err(text);
            assert!(said.starts_with("expected a weight") && !said.contains("hunter2"), "{said}");
        }
    }

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
