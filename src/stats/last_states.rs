//! The state of each client in each of the last 32 seconds, in two bits a second.

use std::sync::Arc;

use super::seconds::Seconds;
use super::snapshot::Snapshot;
use crate::vocabulary::ClientState;

/// Bits for one second.
const BITS: u32 = 2;

/// A client in one second, coarsely.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecondState {
    /// There was no client, or no reading.
    Absent,
    /// It played, had yet to start, or was done.
    Well,
    /// It waited after a failure.
    Waiting,
    /// It was stalled or dead.
    Stalled,
}

impl SecondState {
    /// Number of seconds that are kept.
    pub const SECONDS: usize = (u64::BITS / BITS) as usize;

    const fn new(state: ClientState) -> Self {
        match state {
            ClientState::Waiting => Self::Waiting,
            ClientState::Stalled | ClientState::Dead => Self::Stalled,
            ClientState::Starting | ClientState::Playing | ClientState::Finished | ClientState::Leaving => {
                Self::Well
            }
        }
    }

    /// Returns the last reading that was made at least `ago_us` microseconds before the newest one.
    pub fn before(states: u64, ago_us: u64) -> Self {
        let readings = usize::try_from(ago_us.div_ceil(1_000_000)).unwrap_or(usize::MAX);
        Self::unpack(states).into_iter().rev().nth(readings).unwrap_or(Self::Absent)
    }

    /// Returns the states that are packed into a word, oldest first.
    pub fn unpack(states: u64) -> [Self; Self::SECONDS] {
        std::array::from_fn(|place| match (states >> (BITS as usize * (Self::SECONDS - 1 - place))) & 3 {
            1 => Self::Well,
            2 => Self::Waiting,
            3 => Self::Stalled,
            _ => Self::Absent,
        })
    }
}

/// The packed states of all clients.
#[derive(Clone, Debug, Default)]
pub struct LastStates {
    /// Number of the client and its states, by slot.
    clients: Vec<(u64, u64)>,
    seconds: Seconds,
}

impl LastStates {
    /// Adds the states of a snapshot once a second, and fills them into its rows, which must have been read whole.
    pub fn observe(&mut self, snapshot: &mut Snapshot) {
        let passed = self.seconds.passed(snapshot.at_us);
        let shift = u32::try_from(passed).unwrap_or(u32::MAX).saturating_mul(BITS);
        for row in Arc::make_mut(&mut snapshot.clients) {
            if row.slot >= self.clients.len() {
                self.clients.resize(row.slot + 1, (0, 0));
            }
            let Some((id, states)) = self.clients.get_mut(row.slot) else { continue };
            if *id != row.id {
                // The slot has changed hands.
                (*id, *states) = (row.id, 0);
            }
            if passed > 0 {
                // The seconds between two readings stay empty.
                *states = states.checked_shl(shift).unwrap_or(0) | SecondState::new(row.state) as u64;
            }
            row.last_states = *states;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Registry;
    use crate::vocabulary::Clock;

    #[test]
    fn a_client_has_its_own_last_seconds_and_the_next_in_its_slot_none_of_them() {
        let (registry, mut states) = (Registry::new(1), LastStates::default());
        let mut snapshot = Snapshot::default();
        let mut at_us = 0;
        let mut observe = |registry: &Arc<Registry>| {
            at_us += 1_000_000;
            registry.snapshot(at_us, &mut snapshot);
            states.observe(&mut snapshot);
            // A second reading within the second changes nothing.
            registry.snapshot(at_us + 250_000, &mut snapshot);
            states.observe(&mut snapshot);
            SecondState::unpack(snapshot.clients[0].last_states)
        };
        let client = registry.add();
        let meter = client.meter(0, Clock::start());
        for state in [ClientState::Playing, ClientState::Waiting, ClientState::Stalled] {
            meter.set_state(state);
            observe(&registry);
        }
        let seen = observe(&registry);
        use SecondState::{Absent, Stalled, Waiting, Well};
        assert_eq!(seen[SecondState::SECONDS - 5..], [Absent, Well, Waiting, Stalled, Stalled]);
        drop((meter, client));
        let _next = registry.add();
        assert_eq!(observe(&registry)[SecondState::SECONDS - 2..], [Absent, Well]);
        (0..40).for_each(|_| _ = observe(&registry));
        assert_eq!(observe(&registry), [Well; SecondState::SECONDS]);
    }

    #[test]
    fn a_moment_between_two_readings_has_the_earlier_one() {
        let states = 0b01_10_11;
        use SecondState::{Absent, Stalled, Waiting, Well};
        for (ago_ms, expected) in
            [(0, Stalled), (1, Waiting), (1_000, Waiting), (1_001, Well), (2_001, Absent), (90_000, Absent)]
        {
            assert_eq!(SecondState::before(states, 1_000 * ago_ms), expected, "{ago_ms} ms ago");
        }
    }

    #[test]
    fn seconds_without_a_reading_take_their_place() {
        let (registry, mut states) = (Registry::new(1), LastStates::default());
        let _client = registry.add();
        let mut snapshot = Snapshot::default();
        let mut last = |at_ms: u64| {
            registry.snapshot(at_ms * 1_000, &mut snapshot);
            states.observe(&mut snapshot);
            SecondState::unpack(snapshot.clients[0].last_states)
        };
        use SecondState::{Absent, Well};
        let _ = [1_000, 2_000, 3_150].map(&mut last);
        assert_eq!(last(4_000)[SecondState::SECONDS - 5..], [Absent, Well, Well, Well, Well]);
        assert_eq!(last(7_000)[SecondState::SECONDS - 5..], [Well, Well, Absent, Absent, Well]);
        assert_eq!(last(100_000)[SecondState::SECONDS - 2..], [Absent, Well]);
    }
}
