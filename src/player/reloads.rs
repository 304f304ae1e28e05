//! Limits the reloads of a client's playlists to two per second, whatever playlists and faults it meets.
//!
//! A client that plays several variants at once stands for as many viewers, and has the limit of all of them. First
//! loads are not limited, because there is one for each playlist; those of variants that the client switches to are.

use std::collections::VecDeque;
use std::time::Duration;

use crate::vocabulary::limits;

/// Times of a client's last reloads.
#[derive(Debug, Default)]
pub(super) struct Reloads(VecDeque<Duration>);

impl Reloads {
    /// Counts a reload at `now` by a client that plays `variants`.
    pub(super) fn count(&mut self, now: Duration, variants: usize) {
        while self.0.len() >= most(variants) {
            self.0.pop_front();
        }
        self.0.push_back(now);
    }

    /// Returns the time from which the client may reload again; `None`: at any time.
    pub(super) fn free_at(&self, variants: usize) -> Option<Duration> {
        let earlier = self.0.len().checked_sub(most(variants))?;
        self.0.get(earlier).map(|at| *at + Duration::from_secs(1))
    }
}

fn most(variants: usize) -> usize {
    limits::RELOADS_PER_SECOND * variants.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_third_reload_waits_until_a_second_after_the_first() {
        let mut reloads = Reloads::default();
        let at = Duration::from_millis;
        for now in [at(100), at(200)] {
            assert!(reloads.free_at(1).is_none_or(|free_at| free_at <= now));
            reloads.count(now, 1);
        }
        assert_eq!(reloads.free_at(1), Some(at(1_100)));
        assert_eq!(reloads.free_at(2), None);
        reloads.count(at(1_100), 1);
        assert_eq!(reloads.free_at(1), Some(at(1_200)));
    }
}
