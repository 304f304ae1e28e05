//! Lists all data that an origin can make this process keep, and bounds the large parts by one budget.
//!
//! | kept | per | at most | beyond it |
//! | --- | --- | --- | --- |
//! | bodies of playlists, also unfinished ones, and of keys | request | [`PLAYLIST_BYTES`], [`KEY_BYTES`]; in total the budget; identical ones once | `playlist.limit`, `body.too_big` |
//! | decoded playlists | request | [`PLAYLIST_BYTES`]; in total the budget | `playlist.limit` |
//! | windows of decoders | worker or helper thread | [`PLAYLIST_BYTES`], half as much again while Brotli's grows | `playlist.limit`, `body.ratio`, `body.decode` |
//! | parsed playlists | distinct playlist | [`PLAYLIST_SEGMENTS`], [`PLAYLIST_VARIANTS`], [`PLAYLIST_PARTS`], ...; in total the budget | `playlist.limit` |
//! | texts of playlists that other clients may reuse | worker thread | 64, and [`LIBRARY_BYTES`]; in total half of the budget | discarded |
//! | response heads that come in pieces | connection | [`HEAD_BYTES`] and [`HEADER_LINES`] | `conn.proto` |
//! | interim responses | request | none is kept; [`INTERIM_RESPONSES`] are read | `conn.proto` |
//! | entity tags | playlist of a client | [`ETAG_BYTES`] | not kept |
//! | cookies | client | [`COOKIE_JAR_BYTES`] | the oldest is discarded |
//! | URLs of keys, and keys | client | 64, and [`KEY_URL_BYTES`] | the oldest is discarded |
//! | connections | client | [`CONNECTIONS_PER_CLIENT`] | the oldest is closed |
//! | media | request | none is kept; [`SEGMENT_BYTES`] are read | `body.too_big` |
//!
//! The budget is one lock-free counter for the whole process: a [`Charge`] takes bytes from it and returns them when
//! dropped. Charges are capacities, not lengths. Data that lives only between two awaits (a playlist while it is
//! parsed) is not charged: each worker thread has at most one.
//!
//! [`PLAYLIST_BYTES`]: super::limits::PLAYLIST_BYTES
//! [`KEY_BYTES`]: super::limits::KEY_BYTES
//! [`PLAYLIST_SEGMENTS`]: super::limits::PLAYLIST_SEGMENTS
//! [`PLAYLIST_VARIANTS`]: super::limits::PLAYLIST_VARIANTS
//! [`PLAYLIST_PARTS`]: super::limits::PLAYLIST_PARTS
//! [`LIBRARY_BYTES`]: super::limits::LIBRARY_BYTES
//! [`HEAD_BYTES`]: super::limits::HEAD_BYTES
//! [`HEADER_LINES`]: super::limits::HEADER_LINES
//! [`INTERIM_RESPONSES`]: super::limits::INTERIM_RESPONSES
//! [`ETAG_BYTES`]: super::limits::ETAG_BYTES
//! [`COOKIE_JAR_BYTES`]: super::limits::COOKIE_JAR_BYTES
//! [`KEY_URL_BYTES`]: super::limits::KEY_URL_BYTES
//! [`CONNECTIONS_PER_CLIENT`]: super::limits::CONNECTIONS_PER_CLIENT
//! [`SEGMENT_BYTES`]: super::limits::SEGMENT_BYTES

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::limits;

/// Limit on the bytes kept, and the number of bytes charged.
#[derive(Debug)]
pub struct Budget {
    limit: usize,
    used: AtomicUsize,
}

/// Error: the charge would exceed the budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("more would be kept than the budget allows")]
pub struct OverBudget;

impl Default for Budget {
    fn default() -> Self {
        Self::new(limits::KEPT_BYTES)
    }
}

impl Budget {
    /// Creates a budget of `limit` bytes.
    pub const fn new(limit: usize) -> Self {
        Self { limit, used: AtomicUsize::new(0) }
    }

    /// Returns the bytes currently charged.
    pub fn used(&self) -> usize {
        // A gauge: no other memory is read because of it.
        self.used.load(Ordering::Relaxed)
    }

    /// Reports whether caches should discard what can be loaded again: more than half of the budget is charged.
    pub fn is_short(&self) -> bool {
        self.used() > self.limit / 2
    }

    fn take(&self, bytes: usize) -> Result<(), OverBudget> {
        let more = |used: usize| used.checked_add(bytes).filter(|used| *used <= self.limit);
        // Relaxed is enough: the counter guards no other memory.
        self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).map(|_| ()).map_err(|_| OverBudget)
    }

    fn give_back(&self, bytes: usize) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// Bytes taken from a budget, and returned to it on drop. The default charges nothing.
#[derive(Debug, Default)]
pub struct Charge {
    budget: Option<Arc<Budget>>,
    bytes: usize,
}

impl Charge {
    /// Charges `bytes`.
    ///
    /// # Errors
    /// [`OverBudget`] if the budget does not have that many bytes left.
    pub fn new(budget: &Arc<Budget>, bytes: usize) -> Result<Self, OverBudget> {
        budget.take(bytes)?;
        Ok(Self { budget: Some(Arc::clone(budget)), bytes })
    }

    /// Changes the charge to `bytes`. On failure the previous charge stays.
    ///
    /// # Errors
    /// [`OverBudget`] if the budget does not have that many bytes left.
    pub fn set(&mut self, bytes: usize) -> Result<(), OverBudget> {
        let Some(budget) = &self.budget else { return Ok(()) };
        match bytes.checked_sub(self.bytes) {
            Some(more) => budget.take(more)?,
            None => budget.give_back(self.bytes - bytes),
        }
        self.bytes = bytes;
        Ok(())
    }

    /// Charges `bytes` to the same budget as a separate charge.
    ///
    /// # Errors
    /// [`OverBudget`] if the budget does not have that many bytes left.
    pub fn another(&self, bytes: usize) -> Result<Self, OverBudget> {
        self.budget.as_ref().map_or(Ok(Self::default()), |budget| Self::new(budget, bytes))
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        if let Some(budget) = &self.budget {
            budget.give_back(self.bytes);
        }
    }
}

/// A clone charges nothing: the holder of a copy charges it separately.
impl Clone for Charge {
    fn clone(&self) -> Self {
        Self::default()
    }
}

/// All charges are equal, so that a charge does not affect the equality of the value that holds it.
impl PartialEq for Charge {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_charge_is_given_back_when_it_is_dropped() {
        let budget = Arc::new(Budget::new(100));
        let mut one = Charge::new(&budget, 60).expect("room");
        assert_eq!(Charge::new(&budget, 41).err(), Some(OverBudget));
        let other = Charge::new(&budget, 40).expect("room");
        assert_eq!((budget.used(), one.set(61)), (100, Err(OverBudget)));
        assert_eq!(one.bytes, 60);
        one.set(10).expect("less");
        assert_eq!((budget.used(), budget.is_short()), (50, false));
        drop(other);
        one.set(100).expect("room");
        assert!(budget.is_short());
        drop(one);
        assert_eq!(budget.used(), 0);
    }

    #[test]
    fn a_copy_is_not_charged_twice_and_no_number_overflows() {
        let budget = Arc::new(Budget::new(usize::MAX));
        let charge = Charge::new(&budget, 10).expect("room");
        drop(charge.clone());
        assert_eq!(budget.used(), 10);
        assert_eq!(Charge::new(&budget, usize::MAX).err(), Some(OverBudget));
    }

    #[test]
    fn threads_never_take_more_than_there_is_and_give_all_back() {
        let budget = Arc::new(Budget::new(1_000));
        std::thread::scope(|scope| {
            for size in [1, 7, 300, 450] {
                let budget = &budget;
                scope.spawn(move || {
                    for _ in 0..10_000 {
                        let charge = Charge::new(budget, size);
                        assert!(budget.used() <= 1_000);
                        drop(charge);
                    }
                });
            }
        });
        assert_eq!(budget.used(), 0);
    }
}
