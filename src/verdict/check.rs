//! A check: a measured value, its limit, and the consequence if the value does not keep it.

use std::borrow::Cow;
use std::fmt;

use serde::{Serialize, Serializer};

/// Limit for the value of a check.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Limit {
    /// The value must not be larger.
    AtMost(f64),
    /// The value must not be smaller.
    AtLeast(f64),
    /// The value must be smaller.
    Below(f64),
    /// The value must be larger.
    Above(f64),
    /// The value must be the same.
    Equal(f64),
    /// The value must be another one.
    Unequal(f64),
}

impl Limit {
    /// Reads a limit as a report writes it, such as `>= 0.5`; `None` if it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let (sign, number) = text.split_once(' ')?;
        let number: f64 = number.parse().ok().filter(|number: &f64| number.is_finite())?;
        match sign {
            "<=" => Some(Self::AtMost(number)),
            ">=" => Some(Self::AtLeast(number)),
            "<" => Some(Self::Below(number)),
            ">" => Some(Self::Above(number)),
            "==" => Some(Self::Equal(number)),
            "!=" => Some(Self::Unequal(number)),
            _ => None,
        }
    }

    /// Returns the number that a value is compared with.
    pub const fn number(self) -> f64 {
        self.parts().1
    }

    /// Returns the sign of comparison and the number.
    const fn parts(self) -> (&'static str, f64) {
        match self {
            Self::AtMost(number) => ("<=", number),
            Self::AtLeast(number) => (">=", number),
            Self::Below(number) => ("<", number),
            Self::Above(number) => (">", number),
            Self::Equal(number) => ("==", number),
            Self::Unequal(number) => ("!=", number),
        }
    }

    /// Returns the sign of comparison.
    pub const fn sign(self) -> &'static str {
        self.parts().0
    }

    /// Reports whether smaller values are beyond the limit.
    pub const fn is_lower(self) -> bool {
        matches!(self, Self::AtLeast(_) | Self::Above(_))
    }

    /// Reports whether `value` is farther beyond the limit than `other`, or nearer to it if both keep it.
    pub fn is_worse(self, value: f64, other: f64) -> bool {
        let badness = |value: f64| match self {
            Self::AtMost(_) | Self::Below(_) => value,
            Self::AtLeast(_) | Self::Above(_) => -value,
            Self::Equal(number) => (value - number).abs(),
            Self::Unequal(number) => -(value - number).abs(),
        };
        badness(value) > badness(other)
    }

    /// Reports whether a value keeps the limit.
    pub fn holds(self, value: f64) -> bool {
        match self {
            Self::AtMost(limit) => value <= limit,
            Self::AtLeast(limit) => value >= limit,
            Self::Below(limit) => value < limit,
            Self::Above(limit) => value > limit,
            Self::Equal(limit) => value.total_cmp(&limit).is_eq(),
            Self::Unequal(limit) => value.total_cmp(&limit).is_ne(),
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, limit) = self.parts();
        write!(f, "{sign} {limit}")
    }
}

impl Serialize for Limit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Result of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum CheckResult {
    /// The value keeps the limit.
    Pass,
    /// The value does not keep the limit.
    Fail,
    /// No value was measured, or nothing was asked for that it could be compared with.
    Unknown,
    /// A threshold that the operator gave has no value to be believed. It does not pass.
    Inconclusive,
}

/// Consequence of a failed check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consequence {
    /// hlswarm is broken.
    Internal,
    /// The run was ended from outside, or was refused; this is its exit code.
    Ended(u8),
    /// This machine limited the result.
    Untrusted,
    /// The run did not meet the criteria for every run.
    Criteria,
    /// The exit status gives it as a reason; it decides no exit code.
    Reason,
    /// The report lists it, nothing more.
    Listed,
}

impl Consequence {
    /// Reports whether a failed check with this consequence decides the exit code.
    pub const fn decides(self) -> bool {
        !matches!(self, Self::Reason | Self::Listed)
    }
}

impl Serialize for Consequence {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bool(self.decides())
    }
}

/// A check that a run is judged by.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Check {
    /// Name of the check; of a threshold, its expression.
    pub name: Cow<'static, str>,
    /// Measured value; `null` if nothing was measured.
    pub value: Option<f64>,
    /// Limit that the value must keep, such as `>= 0.5`.
    #[cfg_attr(test, schemars(with = "String"))]
    pub limit: Limit,
    /// Result of the check.
    pub result: CheckResult,
    /// Set if its failure decides the exit code; without, it is listed or a reason.
    #[cfg_attr(test, schemars(with = "bool"))]
    #[serde(rename = "decides")]
    pub consequence: Consequence,
    /// Its failure as a sentence.
    #[serde(skip)]
    pub sentence: String,
}

impl Check {
    /// Compares a value with its limit.
    pub(super) fn new(
        name: &'static str,
        value: Option<f64>,
        limit: Limit,
        consequence: Consequence,
    ) -> Self {
        let result = match value.map(|value| limit.holds(value)) {
            None => CheckResult::Unknown,
            Some(true) => CheckResult::Pass,
            Some(false) => CheckResult::Fail,
        };
        Self { name: name.into(), value, limit, result, consequence, sentence: String::new() }
    }

    /// Returns the check with the sentence of its failure.
    pub(super) fn says(self, sentence: String) -> Self {
        Self { sentence, ..self }
    }

    /// Reports whether the check failed, or should have been conclusive and is not.
    pub fn fails(&self) -> bool {
        matches!(self.result, CheckResult::Fail | CheckResult::Inconclusive)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_read_as_it_is_written() {
        let limits = [Limit::AtMost(0.0), Limit::AtLeast(0.5), Limit::Below(0.01)];
        for limit in limits.into_iter().chain([Limit::Above(0.5), Limit::Equal(0.0), Limit::Unequal(3.0)]) {
            assert_eq!(Limit::parse(&limit.to_string()), Some(limit));
        }
        for text in ["", "0.5", "= 0.5", ">= ", ">= NaN", "<= inf", "<=0.5"] {
            assert_eq!(Limit::parse(text), None, "{text}");
        }
    }
}
