//! Schedule of samples: each client is sampled once a second, and all clients are spread over the second.
//!
//! Turns follow the clock and not the number of calls: a worker that is late samples all the clients that are due
//! together and leaves none out. If it is late by more than a second, it samples each client once.

use std::time::Duration;

/// Number of turns in a second. In each the worker wakes and looks through its clients, so more turns cost more.
const TURNS: u64 = 10;
/// Weyl constant: spreads client numbers over the turns.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// Time between two turns.
pub(super) const TURN: Duration = Duration::from_millis(1000 / TURNS);

/// Turns that have been taken.
#[derive(Debug, Default)]
pub(super) struct SampleSchedule {
    /// Number of the last turn that was taken, counted from the start of the run.
    last: u64,
}

/// Turns to be taken together.
#[derive(Clone, Copy, Debug)]
pub(super) struct DueSlots {
    after: u64,
    count: u64,
}

impl SampleSchedule {
    /// Takes the turns that are due at `now`, the time since the start of the run.
    pub(super) fn take(&mut self, now: Duration) -> DueSlots {
        let turn = u64::try_from(now.as_millis() / TURN.as_millis()).unwrap_or(u64::MAX);
        let due = DueSlots { after: self.last, count: turn.saturating_sub(self.last).min(TURNS) };
        self.last = turn;
        due
    }
}

impl DueSlots {
    /// Reports whether a client's turn is among them.
    pub(super) fn holds(self, client: u64) -> bool {
        let its_turn = (client.wrapping_mul(SPREAD) >> 32) % TURNS;
        // Number of turns from the first of these to the client's next one.
        let ahead = (its_turn + TURNS - (self.after + 1) % TURNS) % TURNS;
        ahead < self.count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_client_is_sampled_once_a_second_however_irregularly_somebody_asks() {
        let mut turns = SampleSchedule::default();
        let mut samples = [0_u32; 500];
        let mut now = Duration::ZERO;
        for step in 0.. {
            // From a tenth of a turn to eleven turns.
            now += TURN / 10 * (1 + step * 37 % 110);
            let end = now >= Duration::from_secs(30);
            let due = turns.take(now.min(Duration::from_secs(30)));
            for (client, samples) in samples.iter_mut().enumerate() {
                *samples += u32::from(due.holds(client as u64));
            }
            if end {
                break;
            }
        }
        assert!(samples.iter().all(|samples| *samples == 30), "{samples:?}");
    }

    #[test]
    fn clients_are_spread_over_the_second_whatever_numbers_a_worker_has() {
        let mut turns = SampleSchedule::default();
        let due = turns.take(TURN);
        for step in [1, 2, 3, 4, 8, 16, 20, 64] {
            let share = (0..1_000).filter(|client| due.holds(client * step)).count();
            assert!((50..=200).contains(&share), "{share} of 1,000 clients in one of {TURNS} turns");
        }
    }

    #[test]
    fn more_than_a_second_late_is_one_sample_and_not_several() {
        let mut turns = SampleSchedule::default();
        let due = turns.take(Duration::from_secs(10));
        assert!((0..100).all(|client| due.holds(client)));
        let next = turns.take(Duration::from_secs(10));
        assert!(!(0..100).any(|client| next.holds(client)));
    }
}
