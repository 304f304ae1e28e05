//! Clients whose requests are reported one by one.
//!
//! One thread writes the list, once a second at most. Every worker reads it for each request, so it is small and alone
//! on its cache lines: it stays in the cache of every core.

use crate::sync::atomics::{AtomicU64, Ordering};
use crate::vocabulary::limits::WATCHED_CLIENTS;

/// Numbers of the watched clients.
#[derive(Debug)]
#[repr(align(128))]
pub(super) struct Watched {
    /// One bit for each number modulo 64. A request of a client without its bit costs this one load.
    bits: AtomicU64,
    /// Numbers of the clients; 0 for a free place.
    ids: [AtomicU64; WATCHED_CLIENTS],
}

impl Default for Watched {
    fn default() -> Self {
        Self { bits: AtomicU64::new(0), ids: std::array::from_fn(|_| AtomicU64::new(0)) }
    }
}

impl Watched {
    /// Replaces the list by the first [`WATCHED_CLIENTS`] of these numbers.
    pub(super) fn set(&self, ids: impl IntoIterator<Item = u64>) {
        // Relaxed is enough: a worker that reads an old list reports, or leaves out, one request more.
        let mut bits = 0;
        let ids = ids.into_iter().chain(std::iter::repeat(0));
        for (place, id) in self.ids.iter().zip(ids) {
            bits |= if id == 0 { 0 } else { bit(id) };
            place.store(id, Ordering::Relaxed);
        }
        self.bits.store(bits, Ordering::Relaxed);
    }

    /// Reports whether a client is watched.
    #[inline]
    pub(super) fn contains(&self, id: u64) -> bool {
        self.bits.load(Ordering::Relaxed) & bit(id) != 0
            && self.ids.iter().any(|place| place.load(Ordering::Relaxed) == id)
    }
}

const fn bit(id: u64) -> u64 {
    1 << (id % 64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_watched_by_its_number_and_not_by_its_bit() {
        let watched = Watched::default();
        assert!(!watched.contains(7));
        watched.set([7, 64]);
        assert!(watched.contains(7) && watched.contains(64));
        assert!(!watched.contains(7 + 64) && !watched.contains(128), "they share a bit");
        watched.set([7 + 64]);
        assert!(watched.contains(7 + 64) && !watched.contains(7) && !watched.contains(64));
    }

    #[test]
    fn the_list_is_bounded() {
        let watched = Watched::default();
        watched.set(1..=100);
        assert_eq!((1..=100).filter(|id| watched.contains(*id)).count(), WATCHED_CLIENTS);
        watched.set([]);
        assert!((1..=100).all(|id| !watched.contains(id)));
    }
}
