//! Seconds of a run that readings have reached.

const SECOND_US: u64 = 1_000_000;

/// Counts seconds rather than the time between two readings: a timer that is late by less than half a second skips
/// none, and one that was late before and is not now does not count as early.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seconds {
    /// Time at which the next second begins; `None` before the first reading.
    next_us: Option<u64>,
}

impl Seconds {
    /// Returns the number of seconds that have begun since the last call that returned any. A second may begin half a
    /// second early.
    pub(super) fn passed(&mut self, now_us: u64) -> u64 {
        let next_us = self.next_us.unwrap_or(now_us);
        let late_us = (now_us + SECOND_US / 2).checked_sub(next_us);
        let passed = late_us.map_or(0, |late_us| 1 + late_us / SECOND_US);
        self.next_us = Some(next_us + passed * SECOND_US);
        passed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_reading_skips_no_second_and_a_gap_counts_all_of_its_seconds() {
        let mut seconds = Seconds::default();
        let at_ms = [0, 250, 1_000, 2_000, 3_150, 4_000, 4_250, 5_499, 9_900, 11_000, 11_250];
        let passed = at_ms.map(|at_ms| seconds.passed(at_ms * 1_000));
        assert_eq!(passed, [1, 0, 1, 1, 1, 1, 0, 1, 5, 1, 0]);
    }

    #[test]
    fn a_timer_with_jitter_reaches_every_second() {
        let mut seconds = Seconds::default();
        let passed = (1..=100).map(|second| seconds.passed(second * SECOND_US + second * 7_919 % 200_000));
        assert!(passed.into_iter().all(|passed| passed == 1));
    }
}
