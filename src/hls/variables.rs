//! Variables of a playlist (RFC 8216bis sections 4.3 and 4.4.2.3): definition, import, substitution.
//!
//! * A substituted value is not expanded again: no definition can multiply another.
//! * All substitutions into one playlist insert at most [`limits::PLAYLIST_BYTES`] together.

use std::{borrow::Cow, collections::BTreeMap, fmt};

use crate::vocabulary::{limits, outcome::Fault, percent::percent_decoded};

use super::{parse_error::ParseError, text::Text};

/// Values from outside the playlist. Has no `Debug`: the query may contain secrets.
#[derive(Clone, Copy, Default)]
pub struct Context<'a> {
    /// Query of the playlist's URL, without `?`, for `QUERYPARAM`.
    pub query: Option<&'a str>,
    /// Variables of the multivariant playlist, for `IMPORT`.
    pub imported: Option<&'a Variables>,
}

/// Names and values. `Debug` shows the names only: values may come from a query.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Variables(BTreeMap<Text, Text>);

impl Variables {
    /// Returns the value of `name`.
    pub fn get(&self, name: &str) -> Option<&Text> {
        self.0.get(&Text::from(name))
    }

    /// Defines `name`.
    ///
    /// # Errors
    /// An invalid name, a second definition of a name, or too many definitions make the playlist unusable (section
    /// 4.4.2.3).
    pub(super) fn define(&mut self, name: &str, value: &str) -> Result<(), ParseError> {
        if name.is_empty() || !name.bytes().all(is_name_byte) {
            return Err(ParseError::new(Fault::PlaylistSyntax, "a variable name is not valid"));
        }
        let bytes: usize =
            self.0.iter().map(|(name, value)| name.as_str().len() + value.as_str().len()).sum();
        if self.0.len() >= limits::PLAYLIST_VARIABLES
            || bytes + name.len() + value.len() > limits::PLAYLIST_VARIABLE_BYTES
        {
            return Err(ParseError::new(Fault::PlaylistLimit, "too many variables"));
        }
        if self.0.insert(name.into(), value.into()).is_some() {
            return Err(undefined(name, "is defined twice"));
        }
        Ok(())
    }

    /// Replaces each `{$name}` in `text`. `budget` is the number of bytes that may still be inserted.
    pub(super) fn expand<'t>(&self, text: &'t str, budget: &mut usize) -> Result<Cow<'t, str>, ParseError> {
        let Some(mut at) = text.find("{$") else { return Ok(Cow::Borrowed(text)) };
        let mut expanded = String::with_capacity(text.len());
        let mut rest = text;
        loop {
            let (before, behind) = rest.split_at(at);
            expanded.push_str(before);
            rest = match reference(behind) {
                Some((name, rest)) => {
                    let value = self.get(name).ok_or_else(|| undefined(name, "is not defined"))?;
                    let left = budget.checked_sub(value.as_str().len());
                    *budget =
                        left.ok_or_else(|| ParseError::new(Fault::PlaylistLimit, "too many variables"))?;
                    expanded.push_str(value.as_str());
                    rest
                }
                // Not a reference: `{$` stands for itself.
                None => {
                    let (literal, rest) = behind.split_at("{$".len());
                    expanded.push_str(literal);
                    rest
                }
            };
            match rest.find("{$") {
                Some(next) => at = next,
                None => break,
            }
        }
        expanded.push_str(rest);
        Ok(Cow::Owned(expanded))
    }
}

impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// Splits a text that begins with a variable reference into the name and the rest.
fn reference(text: &str) -> Option<(&str, &str)> {
    let behind = text.strip_prefix("{$")?;
    // The scan stops at the first byte that is not part of a name, so that many opening braces cost linear time.
    let end = behind.bytes().position(|byte| !is_name_byte(byte))?;
    let (name, rest) = behind.split_at(end);
    let rest = rest.strip_prefix('}')?;
    (!name.is_empty()).then_some((name, rest))
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

pub(super) fn undefined(name: &str, what: &str) -> ParseError {
    ParseError::new(Fault::PlaylistSyntax, &format!("variable {name} {what}"))
}

impl Context<'_> {
    /// Returns the percent-decoded value of a query parameter; an empty value counts as absent (section 4.4.2.3).
    pub(super) fn query_parameter(&self, name: &str) -> Option<String> {
        let pairs = self.query?.split('&').filter_map(|pair| pair.split_once('='));
        pairs
            .map(|(key, value)| (percent_decoded(key), percent_decoded(value)))
            .find(|(key, value)| key == name && !value.is_empty())
            .map(|(_, value)| value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(pairs: &[(&str, &str)]) -> Variables {
        let mut variables = Variables::default();
        for (name, value) in pairs {
            variables.define(name, value).expect("a new name");
        }
        variables
    }

    #[test]
    fn references_are_replaced_and_values_are_not_looked_through_again() {
        let variables = variables(&[("a", "1"), ("b-_9", "{$a}")]);
        let expand = |text: &str| variables.expand(text, &mut 100).map(Cow::into_owned).expect("defined");
        assert_eq!(expand("x{$a}y{$b-_9}z"), "x1y{$a}z");
        assert_eq!(expand("{$a}{$a}"), "11");
        assert_eq!(expand("{$ a}{$}{${$a}{$a"), "{$ a}{$}{$1{$a");
    }

    #[test]
    fn an_undefined_variable_is_an_error() {
        let error = variables(&[]).expand("{$x}", &mut 100).expect_err("undefined");
        assert_eq!(error.fault, Fault::PlaylistSyntax);
    }

    #[test]
    fn what_is_inserted_is_bounded() {
        let variables = variables(&[("a", "0123456789")]);
        let error = variables.expand("{$a}{$a}{$a}", &mut 25).expect_err("too much");
        assert_eq!(error.fault, Fault::PlaylistLimit);
    }

    #[test]
    fn variables_are_bounded_in_number_and_in_bytes() {
        let mut variables = Variables::default();
        for number in 0..limits::PLAYLIST_VARIABLES {
            variables.define(&number.to_string(), "").expect("room");
        }
        assert_eq!(variables.define("one-more", "").expect_err("too many").fault, Fault::PlaylistLimit);
        let mut variables = Variables::default();
        variables.define("a", &"x".repeat(limits::PLAYLIST_VARIABLE_BYTES - 2)).expect("room");
        assert_eq!(variables.define("b", "x").expect_err("too large").fault, Fault::PlaylistLimit);
    }

    #[test]
    fn many_opening_braces_take_linear_time() {
        let text = "{$a".repeat(1_000_000);
        assert_eq!(variables(&[]).expand(&text, &mut 0).expect("no reference"), text);
    }

    #[test]
    fn a_query_parameter_needs_a_value_and_is_percent_decoded() {
        let context = Context { query: Some("a=&a=x%20y+z&b"), imported: None };
        assert_eq!(context.query_parameter("a").as_deref(), Some("x y+z"));
        assert_eq!(context.query_parameter("b"), None);
        assert_eq!(Context::default().query_parameter("a"), None);
    }
}
