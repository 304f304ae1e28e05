//! A report as a document: its JSON, read back. All other formats are rendered from it, at the end of a run as well as
//! from a file, so their numbers are those of the JSON.
//!
//! * A document may come from anywhere: it is bounded, every access takes a missing or wrong value for unknown, and
//!   every text is sanitised where it is read.

use std::borrow::Cow;
use std::time::Duration;

use serde_json::{Map, Value};

use super::compact::compact;
use super::{Report, SCHEMA};
use crate::verdict::{TrustVerdict, Verdict};
use crate::vocabulary::{Outcome, Untrusted};

/// Value that stands for a missing one.
static MISSING: Value = Value::Null;

/// Reason why a text is not the report of a run.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// The text is not JSON, or too deeply nested.
    #[error("not JSON ({0}); expected a JSON report, as --report FILE.json writes it")]
    Json(String),
    /// The text is JSON, but another one.
    #[error("its schema is {0}; expected {SCHEMA}, as --report FILE.json writes it")]
    Schema(String),
    /// The text is too large.
    #[error("larger than {} MB; expected a JSON report, as --report FILE.json writes it", Doc::MAX_BYTES >> 20)]
    TooLarge,
    /// The text has too many values.
    #[error(
        "more than {} million values; expected a JSON report, as --report FILE.json writes it",
        Doc::MAX_VALUES / 1_000_000
    )]
    TooMany,
}

/// The report of a run as a JSON value.
#[derive(Clone, Debug)]
pub struct Doc {
    value: Value,
    /// The same as text, if it was written just now.
    text: Option<String>,
}

impl PartialEq for Doc {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl Doc {
    /// Maximum size of a document: the report of the longest run has a few megabytes.
    pub const MAX_BYTES: usize = 16 << 20;
    /// Maximum number of values: the report of the longest run has about half a million. A value of two bytes takes 72 in
    /// memory.
    const MAX_VALUES: usize = 2_000_000;

    /// Reads the report in `text`, which must be UTF-8.
    ///
    /// # Errors
    /// See [`Unreadable`].
    pub fn parse(text: &[u8]) -> Result<Self, Unreadable> {
        if text.len() > Self::MAX_BYTES {
            return Err(Unreadable::TooLarge);
        }
        // Each value but the first follows one of these signs, which texts may have besides.
        if text.iter().filter(|sign| matches!(sign, b',' | b'[' | b'{')).count() > Self::MAX_VALUES {
            return Err(Unreadable::TooMany);
        }
        let value: Value =
            serde_json::from_slice(text).map_err(|error| Unreadable::Json(error.to_string()))?;
        let schema = value.get("schema").unwrap_or(&MISSING);
        match schema.as_str() {
            Some(SCHEMA) => Ok(Self::from_value(value)),
            Some(other) => Err(Unreadable::Schema(format!("'{}'", Untrusted::new(other).shown_in(40)))),
            None => Err(Unreadable::Schema("missing".to_owned())),
        }
    }

    /// Returns the document of a report.
    ///
    /// # Errors
    /// Never fails for a report that was built here.
    pub fn new(report: &Report) -> serde_json::Result<Self> {
        let text = report.json()?;
        Ok(Self { value: serde_json::from_str(&text)?, text: Some(text) })
    }

    /// Creates the document that `value` is. The caller has made it from documents.
    pub(super) fn from_value(value: Value) -> Self {
        Self { value, text: None }
    }

    /// Returns the whole document.
    pub fn root(&self) -> Part<'_> {
        Part(&self.value)
    }

    /// Returns the part at a JSON pointer.
    pub fn at(&self, path: &str) -> Part<'_> {
        self.root().at(path)
    }

    /// Returns the document as JSON, one line for each value but numbers in arrays, with a newline at its end.
    ///
    /// # Errors
    /// Never fails for a document that was read; the signature is serde's.
    pub fn json(&self) -> serde_json::Result<Cow<'_, str>> {
        match &self.text {
            Some(text) => Ok(Cow::Borrowed(text)),
            None => serde_json::to_string_pretty(&self.value).map(|text| Cow::Owned(compact(&text) + "\n")),
        }
    }
}

/// Part of a document. A value that is missing or of another type is unknown.
#[derive(Clone, Copy, Debug)]
pub struct Part<'a>(&'a Value);

impl<'a> Part<'a> {
    /// Creates the part that `value` is.
    pub(super) fn new(value: &'a Value) -> Self {
        Self(value)
    }

    /// Returns the part at a JSON pointer below this one.
    pub fn at(self, path: &str) -> Self {
        Self(self.0.pointer(path).unwrap_or(&MISSING))
    }

    /// Returns the member of this name, which may be one that a pointer would have to escape.
    pub fn member(self, name: &str) -> Self {
        Self(self.0.get(name).unwrap_or(&MISSING))
    }

    /// Returns the value itself.
    pub fn value(self) -> &'a Value {
        self.0
    }

    /// Reports whether there is a value other than `null`.
    pub fn is_known(self) -> bool {
        !self.0.is_null()
    }

    /// Reports whether the value is `true`.
    pub fn is_true(self) -> bool {
        self.0.as_bool() == Some(true)
    }

    /// Returns the number.
    pub fn number(self) -> Option<f64> {
        self.0.as_f64().filter(|number| number.is_finite())
    }

    /// Returns the count; 0 if there is none, because the report leaves out counts of what did not occur.
    pub fn count(self) -> u64 {
        self.0.as_u64().unwrap_or_default()
    }

    /// Returns the length of time that is given in seconds; zero if there is none.
    pub fn seconds(self) -> Duration {
        self.number().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()).unwrap_or_default()
    }

    /// Returns the text, sanitised and cut at a width that a line can hold; empty if there is none.
    pub fn word(self) -> String {
        Untrusted::new(self.text()).shown()
    }

    /// Returns the text as it is, to compare it.
    pub fn text(self) -> &'a str {
        self.0.as_str().unwrap_or_default()
    }

    /// Returns the elements of an array.
    pub fn list(self) -> impl ExactSizeIterator<Item = Part<'a>> + DoubleEndedIterator {
        self.0.as_array().map(Vec::as_slice).unwrap_or_default().iter().map(Part)
    }

    /// Returns the members of an object.
    pub fn table(self) -> impl Iterator<Item = (&'a str, Part<'a>)> {
        let members: Option<&'a Map<String, Value>> = self.0.as_object();
        members.into_iter().flatten().map(|(name, value)| (name.as_str(), Part(value)))
    }

    /// Returns the health verdict that the text names; unknown if it names none.
    pub fn verdict(self) -> Verdict {
        let known = [Verdict::Ok, Verdict::Degraded, Verdict::Failing, Verdict::NothingPlays];
        known.into_iter().find(|verdict| verdict.name() == self.text()).unwrap_or_default()
    }

    /// Returns the trust verdict that the text names; unassessed if it names none.
    pub fn trust(self) -> TrustVerdict {
        let known = [TrustVerdict::Valid, TrustVerdict::Suspect, TrustVerdict::Invalid];
        known.into_iter().find(|verdict| verdict.name() == self.text()).unwrap_or_default()
    }

    /// Returns the outcome that the text names; `None` if it names none of this version.
    pub fn outcome(self) -> Option<Outcome> {
        Outcome::from_name(self.text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_schema(rest: &str) -> String {
        format!("{{\"schema\":\"{SCHEMA}\"{rest}}}")
    }

    #[test]
    fn only_a_report_is_a_document() {
        for (text, said) in [
            ("", "not JSON (EOF while parsing"),
            ("{\"schema\":", "not JSON (EOF while parsing"),
            ("[1]", "its schema is missing"),
            ("{\"schema\":7}", "its schema is missing"),
            (
                "{\"schema\":\"hlswarm.check/1\"}",
                "its schema is 'hlswarm.check/1'; expected hlswarm.report/1",
            ),
            ("{\"schema\":\"\\u001b[31m\\u202e\"}", "its schema is '^[[31m"),
        ] {
            let refused = Doc::parse(text.as_bytes()).expect_err(text).to_string();
            assert!(refused.starts_with(said), "{refused}");
            assert!(!refused.contains('\u{1b}') && refused.contains("--report FILE.json"), "{refused}");
        }
        let deep = with_schema(&format!(",\"a\":{}{}", "[".repeat(200), "]".repeat(200)));
        assert!(matches!(Doc::parse(deep.as_bytes()), Err(Unreadable::Json(_))));
        // A letter of Latin-1.
        let letter = |byte: u8| if byte == b'?' { 0xe9 } else { byte };
        let broken: Vec<u8> = with_schema(",\"a\":\"?\"").bytes().map(letter).collect();
        let refused = Doc::parse(&broken).expect_err("no UTF-8").to_string();
        assert!(refused.starts_with("not JSON (invalid unicode"), "{refused}");
        let many = with_schema(&format!(",\"a\":[0{}]", ",0".repeat(Doc::MAX_VALUES)));
        assert_eq!(Doc::parse(many.as_bytes()), Err(Unreadable::TooMany));
        let large = with_schema(&format!(",\"a\":\"{}\"", "x".repeat(Doc::MAX_BYTES)));
        assert_eq!(Doc::parse(large.as_bytes()), Err(Unreadable::TooLarge));
    }

    #[test]
    fn a_missing_or_wrong_value_is_unknown() {
        let text = with_schema(",\"a\":{\"b\":[1,null,\"x\"],\"c\":-1,\"d\":\"\\u001b\"},\"v\":\"FAILING\"");
        let doc = Doc::parse(text.as_bytes()).expect("a document");
        let numbers: Vec<_> = doc.at("/a/b").list().map(Part::number).collect();
        assert_eq!(numbers, [Some(1.0), None, None]);
        assert_eq!((doc.at("/a/c").count(), doc.at("/a/c").number()), (0, Some(-1.0)));
        assert_eq!(doc.at("/a/c").seconds(), Duration::ZERO);
        assert_eq!((doc.at("/a/d").word(), doc.at("/nothing/here").word()), ("^[".to_owned(), String::new()));
        assert_eq!(doc.at("/a").list().len(), 0);
        assert_eq!(doc.at("/a/b").table().count(), 0);
        assert_eq!((doc.at("/v").verdict(), doc.at("/a").verdict()), (Verdict::Failing, Verdict::Unknown));
        assert_eq!(doc.at("/v").trust(), TrustVerdict::Unassessed);
    }
}
