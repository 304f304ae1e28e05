//! Readers for the values of tags and attributes (RFC 8216bis section 4.2): numbers, texts, URLs, dates, keys.
//!
//! * A value that cannot be read becomes `None` with a finding; only variables can make a playlist unusable.

use std::time::Duration;

use jiff::{Timestamp, civil, tz::TimeZone};
use quick_m3u8::tag::TagValue;

use crate::vocabulary::{Finding, limits};

use super::{
    ParseError,
    attributes::{Attribute, Attributes, integer},
    scope::Scope,
};
use crate::hls::{
    resource::{ByteRange, Key, KeyMethod},
    text::{Reference, Text},
};

/// Converts seconds to a duration that cannot overflow a sum, and reports whether they were from 0 up to the limit.
pub(super) fn clamped(seconds: f64) -> (Duration, bool) {
    let longest = limits::PLAYLIST_DURATION;
    let usable = (0.0..=longest.as_secs_f64()).contains(&seconds);
    if seconds > longest.as_secs_f64() {
        return (longest, usable);
    }
    (Duration::try_from_secs_f64(seconds).unwrap_or_default(), usable)
}

/// Parses a decimal number; `None` for any other text, including infinities.
pub(super) fn decimal(text: &str) -> Option<f64> {
    let number = TagValue(text.as_bytes()).try_as_decimal_floating_point().ok()?;
    number.is_finite().then_some(number)
}

impl Scope<'_> {
    /// Reads a URL; `None` with a finding if it is not one. A scheme that players do not request is also a finding.
    pub fn reference(&mut self, text: &str) -> Result<Option<Reference>, ParseError> {
        let reference = Reference::new(&self.expand(text)?);
        if reference.as_ref().is_none_or(|reference| has_other_scheme(reference.as_str())) {
            self.report_finding(Finding::BadUri);
        }
        Ok(reference)
    }

    /// Reads the URL of a key. Any scheme is accepted: it depends on the key system.
    fn key_uri(&mut self, it: Attribute<'_>) -> Result<Option<Reference>, ParseError> {
        self.check_quotes(it, true);
        let reference = Reference::new(&self.expand(it.value)?);
        if reference.is_none() {
            self.report_finding(Finding::BadUri);
        }
        Ok(reference)
    }

    /// Reads an attribute that is a URL.
    pub fn uri(&mut self, it: Attribute<'_>) -> Result<Option<Reference>, ParseError> {
        self.check_quotes(it, true);
        self.reference(it.value)
    }

    /// Reads a quoted string.
    pub fn text(&mut self, it: Attribute<'_>) -> Result<Option<Text>, ParseError> {
        self.check_quotes(it, true);
        Ok(Some(Text::from(&*self.expand(it.value)?)))
    }

    /// Reads an enumerated string.
    pub fn word(&mut self, it: Attribute<'_>) -> Option<Text> {
        self.check_quotes(it, false);
        Some(Text::from(it.value))
    }

    /// Reads an enumerated string and notes a finding if it is not one of `defined`; it is kept anyway, as players do.
    pub fn word_of(&mut self, it: Attribute<'_>, defined: &[&str]) -> Option<Text> {
        self.known(defined.contains(&it.value).then_some(()));
        self.word(it)
    }

    /// Returns `value`, the meaning of a word, and notes a finding if the word has none.
    pub fn known<T>(&mut self, value: Option<T>) -> Option<T> {
        if value.is_none() {
            self.report_finding(Finding::UnknownValue);
        }
        value
    }

    /// Reads a decimal integer.
    pub fn integer(&mut self, it: Attribute<'_>) -> Option<u64> {
        self.check_quotes(it, false);
        self.readable(integer(it.value))
    }

    /// Reads a signed decimal number.
    pub fn number(&mut self, it: Attribute<'_>) -> Option<f64> {
        self.check_quotes(it, false);
        self.readable(decimal(it.value))
    }

    /// Reads a number of seconds, clamped to 0 up to the limit.
    pub fn seconds(&mut self, it: Attribute<'_>) -> Option<Duration> {
        let (duration, usable) = clamped(self.number(it)?);
        if !usable {
            self.report_finding(Finding::BadAttribute);
        }
        Some(duration)
    }

    /// Reads `YES` or `NO`; anything else counts as `NO`, with a finding.
    pub fn yes(&mut self, it: Attribute<'_>) -> bool {
        self.check_quotes(it, false);
        let answer = match it.value {
            "YES" => Some(true),
            "NO" => Some(false),
            _ => None,
        };
        self.readable(answer).unwrap_or_default()
    }

    /// Reads a quoted date.
    pub fn date(&mut self, it: Attribute<'_>) -> Option<Timestamp> {
        self.check_quotes(it, true);
        self.timestamp(it.value)
    }

    /// Reads a date with a time zone (section 4.4.4.6); without one it is read as UTC, with a finding.
    pub fn timestamp(&mut self, text: &str) -> Option<Timestamp> {
        if let Ok(timestamp) = text.parse() {
            return Some(timestamp);
        }
        self.report_finding(Finding::BadDate);
        let civil: civil::DateTime = text.parse().ok()?;
        TimeZone::UTC.to_timestamp(civil).ok()
    }

    /// Reads the attributes of EXT-X-KEY or EXT-X-SESSION-KEY; `None` for `METHOD=NONE`.
    pub fn key(&mut self, value: &str) -> Result<Option<Key>, ParseError> {
        let mut key =
            Key { method: KeyMethod::Unknown, uri: None, iv: None, format: None, format_versions: None };
        let (mut method, mut others) = ("", false);
        let mut attributes = Attributes::new(value);
        for it in attributes.by_ref() {
            others |= it.name != "METHOD";
            match it.name {
                "METHOD" => method = it.value,
                "URI" => key.uri = self.key_uri(it)?,
                "IV" => key.iv = self.initialization_vector(it.value)?,
                "KEYFORMAT" => key.format = self.text(it)?,
                "KEYFORMATVERSIONS" => key.format_versions = self.text(it)?,
                _ => {}
            }
        }
        self.check_list(&attributes);
        // METHOD may come last, so its meaning is decided after all attributes are read.
        key.method = match method {
            "NONE" => {
                if others {
                    self.report_finding(Finding::KeyNoneWithAttributes);
                }
                return Ok(None);
            }
            "AES-128" => KeyMethod::Aes128,
            "SAMPLE-AES" => KeyMethod::SampleAes,
            "SAMPLE-AES-CTR" => KeyMethod::SampleAesCtr,
            "AES-256-GCM" => KeyMethod::Aes256Gcm,
            _ => KeyMethod::Unknown,
        };
        if key.uri.is_none() || key.method == KeyMethod::Unknown {
            self.report_finding(Finding::BadKey);
        }
        self.needs_version(match &key {
            Key { method: KeyMethod::SampleAes | KeyMethod::SampleAesCtr, .. } => 5,
            Key { format: Some(_), .. } | Key { format_versions: Some(_), .. } => 5,
            Key { iv: Some(_), .. } => 2,
            _ => 1,
        });
        Ok(Some(key))
    }

    fn initialization_vector(&mut self, text: &str) -> Result<Option<[u8; 16]>, ParseError> {
        let text = self.expand(text)?;
        let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
        // `from_str_radix` would accept a sign.
        let digits = digits.filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let vector = digits.and_then(|digits| u128::from_str_radix(digits, 16).ok());
        if vector.is_none() {
            self.report_finding(Finding::BadKey);
        }
        Ok(vector.map(u128::to_be_bytes))
    }

    /// Reads `length[@offset]`; `implied` is the offset if none is written.
    pub fn byte_range(&mut self, text: &str, implied: Option<u64>) -> Option<ByteRange> {
        let Some((length, offset)) = range_numbers(text) else {
            self.report_finding(Finding::BadByteRange);
            return None;
        };
        let offset = offset.or(implied).unwrap_or_else(|| {
            self.report_finding(Finding::MissingByteRangeOffset);
            0
        });
        let range = ByteRange::new(offset, length);
        if range.is_none() {
            self.report_finding(Finding::BadByteRange);
        }
        range
    }

    /// Reads a quoted byte range; see [`Scope::byte_range`].
    pub fn range(
        &mut self,
        it: Attribute<'_>,
        implied: Option<u64>,
    ) -> Result<Option<ByteRange>, ParseError> {
        self.check_quotes(it, true);
        let text = self.expand(it.value)?;
        Ok(self.byte_range(&text, implied))
    }

    fn readable<T>(&mut self, value: Option<T>) -> Option<T> {
        if value.is_none() {
            self.report_finding(Finding::BadAttribute);
        }
        value
    }

    fn check_quotes(&mut self, it: Attribute<'_>, expected: bool) {
        if it.quoted != expected {
            self.report_finding(Finding::WrongQuoting);
        }
    }
}

/// Reports whether a URL has a scheme (RFC 3986 section 3.1) that players neither request nor read.
fn has_other_scheme(text: &str) -> bool {
    let Some((scheme, _)) = text.split_once(':') else { return false };
    let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    is_scheme && !["http", "https", "data"].iter().any(|known| scheme.eq_ignore_ascii_case(known))
}

fn range_numbers(text: &str) -> Option<(u64, Option<u64>)> {
    match text.split_once('@') {
        Some((length, offset)) => Some((integer(length.trim())?, Some(integer(offset.trim())?))),
        None => Some((integer(text.trim())?, None)),
    }
}
