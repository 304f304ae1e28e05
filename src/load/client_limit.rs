//! The most clients that a run can have. Every target is clamped here, once, and whoever asked for more is told why.

use std::fmt;

use crate::vocabulary::{limits, units};

/// The most clients that a run can have, and what limits them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientLimit {
    /// So many.
    pub clients: u32,
    /// Because of this.
    pub bound: Bound,
}

/// What limits the clients of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// hlswarm itself.
    Program,
    /// So many files may be open.
    OpenFiles(u64),
}

impl Default for ClientLimit {
    fn default() -> Self {
        Self { clients: limits::CLIENTS, bound: Bound::Program }
    }
}

impl ClientLimit {
    /// The target that holds when `target` is asked for.
    pub fn clamp(&self, target: i64) -> u32 {
        u32::try_from(target.clamp(0, self.clients.into())).unwrap_or_default()
    }

    /// Whether `target` is more than can be had.
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
