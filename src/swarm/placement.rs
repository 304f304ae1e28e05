//! Placement of clients on worker threads: one after the other, and one client apart.
//!
//! The canary is a client with a thread, a runtime and connections of its own. If the others are slower than it is, the
//! difference is the load tester's. It is one of the clients that were asked for, not one more: the load and all counts
//! stay as asked, and it makes the requests of a viewer because it is one.

use crate::vocabulary::limits::CANARY_FROM;

/// Dealer of clients to workers.
#[derive(Debug)]
pub(super) struct Placement {
    /// Workers of the other clients, from number 0 on.
    crowd: usize,
    canary: Option<usize>,
    dealt: usize,
}

impl Placement {
    /// Creates the dealer for this many workers, of which the last is the canary's if there is one.
    pub(super) fn new(workers: usize, canary: Option<usize>) -> Self {
        Self { crowd: canary.unwrap_or(workers), canary, dealt: 0 }
    }

    /// Returns the worker of the next client, while `admitted` are there.
    pub(super) fn next(&mut self, admitted: u32) -> usize {
        if let Some(canary) = self.canary.filter(|_| admitted.saturating_add(1) == CANARY_FROM) {
            return canary;
        }
        let index = self.dealt % self.crowd.max(1);
        self.dealt += 1;
        index
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_client_is_apart_and_returns_there_and_the_others_are_dealt_evenly() {
        let mut placement = Placement::new(3, Some(2));
        let mut places: Vec<_> = (0..25).map(|admitted| placement.next(admitted)).collect();
        assert_eq!(places.iter().filter(|place| **place == 2).count(), 1);
        assert_eq!(places[19], 2);
        // The newest leave first: 10 remain, and 15 come again.
        places.truncate(10);
        places.extend((10..25).map(|admitted| placement.next(admitted)));
        let at = |worker| places.iter().filter(|place| **place == worker).count();
        assert_eq!([at(0), at(1), at(2)], [12, 12, 1]);
    }

    #[test]
    fn few_clients_and_runs_without_a_canary_use_all_other_workers() {
        let mut with = Placement::new(3, Some(2));
        assert!((0..19).all(|admitted| with.next(admitted) < 2));
        let mut without = Placement::new(2, None);
        let places: Vec<_> = (0..40).map(|admitted| without.next(admitted)).collect();
        assert!(places.chunks(2).all(|two| two == [0, 1]), "{places:?}");
    }
}
