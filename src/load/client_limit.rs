//! Maximum number of clients of a run. The controller clamps every target and publishes the limit with its reason, so
//! that the console can say why an operator who asked for more does not get them.

use std::fmt;

use crate::vocabulary::{limits, units};

/// Maximum number of clients of a run, and its reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientLimit {
    /// Maximum number of clients.
    pub clients: u32,
    /// Reason for the maximum.
    pub bound: Bound,
}

/// Reason for a maximum number of clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// The maximum of hlswarm itself.
    Program,
    /// Maximum number of files that may be open.
    OpenFiles(u64),
    /// Maximum that the price of the plan allows.
    Price,
    /// Maximum against a public host without a confirmation that the operator may load it.
    Unconfirmed,
}

impl Default for ClientLimit {
    fn default() -> Self {
        Self { clients: limits::CLIENTS, bound: Bound::Program }
    }
}

impl ClientLimit {
    /// Returns `target`, clamped to what the limit allows.
    pub fn clamp(&self, target: i64) -> u32 {
        u32::try_from(target.clamp(0, self.clients.into())).unwrap_or_default()
    }

    /// Reports whether `target` is above the limit.
    pub fn is_exceeded_by(&self, target: i64) -> bool {
        target > self.clients.into()
    }
}

impl fmt::Display for ClientLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "limited to {}: {}", units::plural(self.clients.into(), "client"), self.bound)
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Program => f.write_str("the maximum for a run"),
            Self::OpenFiles(files) => write!(f, "at most {} open files", units::count(*files)),
            Self::Price => f.write_str("no more fit, by the price of the plan"),
            Self::Unconfirmed => f.write_str("a public host needs --authorised-for"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_clamped_and_its_limit_says_why() {
        let limit = ClientLimit { clients: 9_936, bound: Bound::OpenFiles(10_000) };
        assert_eq!(
            [-5, 0, 9_936, 9_937, i64::MAX].map(|target| limit.clamp(target)),
            [0, 0, 9_936, 9_936, 9_936]
        );
        assert_eq!([9_936, 9_937].map(|target| limit.is_exceeded_by(target)), [false, true]);
        assert_eq!(limit.to_string(), "limited to 9,936 clients: at most 10,000 open files");
        assert_eq!(ClientLimit::default().to_string(), "limited to 1,000,000 clients: the maximum for a run");
    }
}
