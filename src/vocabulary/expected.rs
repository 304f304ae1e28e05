//! HTTP statuses that the operator expects (`--expect`): such a response is counted as what it is, but it is no failure.

use std::fmt;

use super::Outcome;
use super::outcome::HttpFailure;

/// Words of a set with one bit for each slot of an HTTP failure.
const WORDS: usize = HttpFailure::SLOTS.div_ceil(64);
/// Statuses that have a slot of their own.
const STATUSES: std::ops::RangeInclusive<u16> = 400..=599;
/// Name of all other statuses that are failures.
const OTHER: &str = "other";

/// A set of HTTP statuses that would be failures if they were not expected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExpectedStatuses([u64; WORDS]);

impl ExpectedStatuses {
    /// Reads a status, a range of them such as `500-503`, `4xx`, `5xx` or `other`.
    ///
    /// # Errors
    /// The forms that are accepted.
    pub fn parse(text: &str) -> Result<Self, String> {
        let status =
            |text: &str| text.parse::<u16>().ok().filter(|it| text.len() == 3 && STATUSES.contains(it));
        let range = match text.trim() {
            OTHER => return Ok(Self::default().with(HttpFailure::OTHER)),
            "4xx" => Some((400, 499)),
            "5xx" => Some((500, 599)),
            text => {
                let (first, last) = text.split_once('-').unwrap_or((text, text));
                status(first).zip(status(last)).filter(|(first, last)| first <= last)
            }
        };
        let (first, last) = range.ok_or(
            "expected HTTP statuses that are failures, such as 404,410: each from 400 to 599, a range such as \
             500-503, 4xx, 5xx, or other",
        )?;
        Ok((first..=last).map(HttpFailure::new).fold(Self::default(), Self::with))
    }

    /// Reads the names that [`names`](Self::names) returns, and leaves out all others.
    pub fn from_names<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        names.into_iter().filter_map(|name| Self::parse(name).ok()).fold(Self::default(), Self::and)
    }

    /// Returns the statuses of both sets.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.0.iter_mut().zip(other.0).for_each(|(mine, theirs)| *mine |= theirs);
        self
    }

    fn with(mut self, failure: HttpFailure) -> Self {
        let index = failure.index();
        self.0.get_mut(index / 64).into_iter().for_each(|word| *word |= 1 << (index % 64));
        self
    }

    /// Reports whether nothing is expected.
    pub fn is_empty(self) -> bool {
        self == Self::default()
    }

    /// Reports whether requests that ended so are expected.
    pub fn has(self, outcome: Outcome) -> bool {
        match outcome {
            Outcome::Http(failure) => self.has_index(failure.index()),
            Outcome::Ok | Outcome::Failed(_) => false,
        }
    }

    fn has_index(self, index: usize) -> bool {
        self.0.get(index / 64).is_some_and(|word| word >> (index % 64) & 1 == 1)
    }

    /// Returns the names of the statuses, ascending: single ones, and ranges of several.
    pub fn names(self) -> Vec<String> {
        let mut ranges: Vec<(u16, u16)> = Vec::new();
        for status in STATUSES.filter(|status| self.has_index(HttpFailure::new(*status).index())) {
            match ranges.last_mut() {
                Some((_, last)) if *last + 1 == status => *last = status,
                _ => ranges.push((status, status)),
            }
        }
        let name = |(first, last): (u16, u16)| {
            if first == last { first.to_string() } else { format!("{first}-{last}") }
        };
        let other = self.has_index(HttpFailure::OTHER.index()).then(|| OTHER.to_owned());
        ranges.into_iter().map(name).chain(other).collect()
    }
}

impl fmt::Display for ExpectedStatuses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.names().join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocabulary::outcome::Fault;

    fn set(texts: &[&str]) -> ExpectedStatuses {
        ExpectedStatuses::from_names(texts.iter().copied())
    }

    #[test]
    fn a_set_has_its_statuses_and_no_other_outcome() {
        let some = set(&["404", "500-503", "other"]);
        for (status, is_in) in
            [(404, true), (403, false), (405, false), (499, false), (500, true), (503, true), (504, false)]
        {
            assert_eq!(some.has(Outcome::from_status(status, false)), is_in, "{status}");
        }
        assert!(
            some.has(Outcome::from_status(204, false))
                && !set(&["5xx"]).has(Outcome::from_status(204, false))
        );
        assert!(!some.has(Outcome::Ok) && !Fault::ALL.into_iter().any(|fault| some.has(fault.into())));
        assert!(!some.is_empty() && set(&[]).is_empty());
    }

    #[test]
    fn a_set_is_read_as_it_is_named() {
        for (texts, named) in [
            (&["410", "404"][..], "404, 410"),
            (&["404-406", "405", "408"], "404-406, 408"),
            (&["5xx", "4xx", "other"], "400-599, other"),
            (&["599", "400"], "400, 599"),
            (&[], ""),
        ] {
            let expected = set(texts);
            assert_eq!(expected.to_string(), named);
            assert_eq!(set(&expected.names().iter().map(String::as_str).collect::<Vec<_>>()), expected);
        }
    }

    #[test]
    fn what_is_no_failed_status_is_refused() {
        for text in [
            "",
            "200",
            "304",
            "399",
            "600",
            "40",
            "0404",
            "+404",
            "503-500",
            "404-",
            "4XX",
            "timeout.dns",
            "*",
        ] {
            let said = ExpectedStatuses::parse(text).expect_err(text);
            assert!(said.starts_with("expected HTTP statuses that are failures"), "{said}");
        }
    }
}
