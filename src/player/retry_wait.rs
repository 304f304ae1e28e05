//! Waits before retries, as real players choose them.

use std::time::Duration;

/// The wait before a retry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// No wait.
    AtOnce,
    /// This long at first, then twice as long each time up to a limit.
    Doubling {
        /// Wait before the first retry.
        first: Duration,
        /// Longest wait.
        longest: Duration,
    },
    /// This many half target durations.
    HalfTargets(u32),
}

impl Wait {
    /// Returns the wait before retry number `retry`, the first being 0.
    pub(super) fn before(self, retry: u32, target: Duration) -> Duration {
        match self {
            Self::AtOnce => Duration::ZERO,
            Self::Doubling { first, longest } => {
                first.saturating_mul(1_u32.checked_shl(retry).unwrap_or(u32::MAX)).min(longest)
            }
            Self::HalfTargets(halves) => target * halves / 2,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TARGET: Duration = Duration::from_secs(4);

    #[test]
    fn waits_double_up_to_their_limit() {
        let wait = Wait::Doubling { first: Duration::from_secs(1), longest: Duration::from_secs(8) };
        let waits = [0, 1, 2, 3, 4, 31, 32, 500].map(|retry| wait.before(retry, TARGET).as_secs());
        assert_eq!(waits, [1, 2, 4, 8, 8, 8, 8, 8]);
        assert_eq!(Wait::AtOnce.before(3, TARGET), Duration::ZERO);
        assert_eq!(Wait::HalfTargets(1).before(3, TARGET), Duration::from_secs(2));
    }
}
