//! Bodies that are kept: those of playlists and keys, while they arrive and until they have been parsed.
//!
//! * Clients that receive the same large playlist at the same time share one copy in each worker thread. A body that
//!   begins like a kept one shares it and compares each piece; only where it differs does it become a copy of its
//!   own.
//! * All bodies are charged to the [`Budget`] of the run.

use std::cell::{Ref, RefCell};
use std::fmt;
use std::rc::{Rc, Weak};
use std::sync::Arc;

use crate::vocabulary::budget::{Budget, Charge};
use crate::vocabulary::outcome::Fault;
use crate::vocabulary::{LargeBytes, limits};

/// Size from which bodies are compared: sharing smaller ones is not worth it.
const SHARED_FROM_BYTES: usize = 32 * 1024;
/// Maximum number of bodies that a new one is compared with.
const COMPARED: usize = 16;

/// The large bodies that the clients of one worker thread keep now.
#[derive(Debug)]
pub(super) struct Bodies {
    budget: Arc<Budget>,
    large: RefCell<Vec<Weak<Text>>>,
}

/// Bytes that one or more bodies share as their beginning.
#[derive(Debug)]
struct Text(RefCell<Charged>);

/// Bytes with their charge on the budget.
#[derive(Default)]
pub struct Charged {
    bytes: LargeBytes,
    charge: Charge,
}

impl Charged {
    /// Returns the bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Creates a body that is not charged to any budget.
    #[cfg(any(test, fuzzing))]
    pub(super) fn uncharged(bytes: &[u8]) -> Self {
        Self { bytes: bytes.to_vec().into(), charge: Charge::default() }
    }

    pub(super) fn into_bytes(self) -> LargeBytes {
        self.bytes
    }
}

impl fmt::Debug for Charged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Charged({} bytes)", self.bytes.len())
    }
}

/// A kept body. Its `Debug` shows no byte of it.
#[derive(Clone, Default)]
pub struct Kept {
    text: Option<Rc<Text>>,
    length: usize,
}

impl Kept {
    /// Returns the bytes so far, borrowed from the text that equal bodies share.
    pub fn bytes(&self) -> Option<Ref<'_, [u8]>> {
        let charged = self.text.as_ref()?.0.borrow();
        Some(Ref::map(charged, |charged| charged.bytes.get(..self.length).unwrap_or_default()))
    }

    /// Converts the body into bytes of its own, without a copy if no other body shares them.
    ///
    /// # Errors
    /// `playlist.limit` when the budget does not hold a copy.
    pub fn into_charged(self) -> Result<Charged, Fault> {
        let Some(text) = self.text else { return Ok(Charged::default()) };
        match Rc::try_unwrap(text) {
            Ok(Text(charged)) => {
                let mut charged = charged.into_inner();
                charged.bytes.truncate(self.length);
                charged.bytes.shrink_to_fit();
                charged.charge.set(charged.bytes.capacity()).map_err(|_| Fault::PlaylistLimit)?;
                Ok(charged)
            }
            Err(shared) => {
                let charged = shared.0.borrow();
                let charge = charged.charge.another(self.length).map_err(|_| Fault::PlaylistLimit)?;
                let bytes = charged.bytes.get(..self.length).unwrap_or_default().to_vec();
                Ok(Charged { bytes: bytes.into(), charge })
            }
        }
    }

    /// Creates a body that is not charged to any budget.
    #[cfg(test)]
    pub fn uncharged(bytes: &[u8]) -> Self {
        let charged = Charged::uncharged(bytes);
        Self { text: Some(Rc::new(Text(RefCell::new(charged)))), length: bytes.len() }
    }

    /// Returns the number of bytes so far.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Reports whether the body is empty.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Kept({} bytes)", self.length)
    }
}

impl Charged {
    /// Appends `piece`; its memory is charged before it is allocated.
    fn extend(&mut self, piece: &[u8]) -> Result<(), Fault> {
        let needed = self.bytes.len() + piece.len();
        if needed > self.bytes.capacity() {
            // Grow by half, or only as far as needed when the budget is short.
            let generous = (self.bytes.capacity() + self.bytes.capacity() / 2).min(limits::PLAYLIST_BYTES);
            let capacity = [generous.max(needed), needed]
                .into_iter()
                .find(|capacity| self.charge.set(*capacity).is_ok())
                .ok_or(Fault::PlaylistLimit)?;
            let more = capacity - self.bytes.len();
            self.bytes.try_reserve_exact(more).map_err(|_| Fault::LocalMemory)?;
        }
        self.bytes.extend_from_slice(piece);
        Ok(())
    }
}

impl Bodies {
    pub(super) fn new(budget: Arc<Budget>) -> Self {
        Self { budget, large: RefCell::default() }
    }

    /// Keeps a complete body that was produced locally, for example by decoding.
    ///
    /// # Errors
    /// `playlist.limit` when the budget does not hold it.
    pub(super) fn keep(&self, bytes: LargeBytes) -> Result<Kept, Fault> {
        let charge = Charge::new(&self.budget, bytes.capacity()).map_err(|_| Fault::PlaylistLimit)?;
        let length = bytes.len();
        Ok(Kept { text: Some(Rc::new(Text(RefCell::new(Charged { bytes, charge })))), length })
    }

    /// Appends a piece that arrived to `kept`, which is empty after an error.
    ///
    /// # Errors
    /// `playlist.limit` when the budget does not hold it, `local.mem` when this machine has no memory for it.
    pub(super) fn extend(&self, kept: &mut Kept, piece: &[u8]) -> Result<(), Fault> {
        let Kept { text, length: before } = std::mem::take(kept);
        let text = text.map_or_else(|| self.text(&[]), Ok)?;
        let text = self.follow(text, before, piece)?;
        let length = before + piece.len();
        let has_grown_large = before < SHARED_FROM_BYTES && length >= SHARED_FROM_BYTES;
        *kept = Kept { text: Some(if has_grown_large { self.share(text) } else { text }), length };
        Ok(())
    }

    /// Returns a text with `piece` at offset `length`: `text` itself if it agrees or ends there, else a copy.
    fn follow(&self, text: Rc<Text>, length: usize, piece: &[u8]) -> Result<Rc<Text>, Fault> {
        let mut charged = text.0.borrow_mut();
        let known = charged.bytes.get(length..).unwrap_or_default();
        let known = known.get(..known.len().min(piece.len())).unwrap_or_default();
        let (same, news) = piece.split_at(known.len());
        if known == same {
            if !news.is_empty() {
                charged.extend(news)?;
            }
            drop(charged);
            return Ok(text);
        }
        let own = self.text(&[charged.bytes.get(..length).unwrap_or_default(), piece])?;
        drop(charged);
        self.list(&own);
        Ok(own)
    }

    /// Creates a text from `pieces`.
    fn text(&self, pieces: &[&[u8]]) -> Result<Rc<Text>, Fault> {
        let length = pieces.iter().map(|piece| piece.len()).sum();
        let charge = Charge::new(&self.budget, length).map_err(|_| Fault::PlaylistLimit)?;
        let mut bytes = LargeBytes::default();
        bytes.try_reserve_exact(length).map_err(|_| Fault::LocalMemory)?;
        pieces.iter().for_each(|piece| bytes.extend_from_slice(piece));
        let charged = Charged { bytes, charge };
        Ok(Rc::new(Text(RefCell::new(charged))))
    }

    /// Finds a text that begins with `own`, or offers `own` itself for other bodies to share.
    fn share(&self, own: Rc<Text>) -> Rc<Text> {
        let large: Vec<_> =
            self.large.borrow().iter().rev().take(COMPARED).filter_map(Weak::upgrade).collect();
        let same = large.into_iter().find(|other| agree(&own.0.borrow(), &other.0.borrow()));
        same.unwrap_or_else(|| {
            self.list(&own);
            own
        })
    }

    fn list(&self, text: &Rc<Text>) {
        let mut large = self.large.borrow_mut();
        large.retain(|text| text.strong_count() > 0);
        large.push(Rc::downgrade(text));
    }
}

/// Reports whether `other` begins with `own`.
fn agree(own: &Charged, other: &Charged) -> bool {
    other.bytes.starts_with(&own.bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bodies(limit: usize) -> (Bodies, Arc<Budget>) {
        let budget = Arc::new(Budget::new(limit));
        (Bodies::new(Arc::clone(&budget)), budget)
    }

    fn text(kept: &Kept) -> Vec<u8> {
        kept.bytes().map(|bytes| bytes.to_vec()).unwrap_or_default()
    }

    #[test]
    fn a_large_body_that_many_clients_are_sent_is_kept_once() {
        let body: Vec<u8> = (0..500_000_u32).flat_map(u32::to_le_bytes).collect();
        let (bodies, budget) = bodies(limits::KEPT_BYTES);
        let mut clients = vec![Kept::default(); 50];
        for at in (0..body.len()).step_by(10_000) {
            for kept in &mut clients {
                bodies.extend(kept, &body[at..body.len().min(at + 10_000)]).expect("room");
            }
        }
        assert!(clients.iter().all(|kept| text(kept) == body));
        let shared = clients.pop().expect("some").into_charged().expect("room");
        assert_eq!(shared.bytes(), body);
        drop(shared);
        assert!(budget.used() < 2 * body.len(), "{}", budget.used());
        drop(clients);
        assert_eq!(budget.used(), 0);
    }

    #[test]
    fn a_body_that_differs_late_is_a_copy_from_there_on() {
        let (bodies, budget) = bodies(limits::KEPT_BYTES);
        let same = vec![b'a'; 100_000];
        let mut clients = vec![Kept::default(); 3];
        clients.iter_mut().for_each(|kept| bodies.extend(kept, &same).expect("room"));
        for (kept, end) in clients.iter_mut().zip([b"one", b"two", b"one"]) {
            bodies.extend(kept, end).expect("room");
        }
        for (kept, end) in clients.iter().zip([b"one", b"two", b"one"]) {
            assert_eq!(text(kept), [same.as_slice(), end].concat());
        }
        // A piece that is shorter than the rest of another body.
        let mut late = Kept::default();
        bodies.extend(&mut late, &same).expect("room");
        bodies.extend(&mut late, b"t").expect("room");
        assert_eq!(late.len(), same.len() + 1);
        assert!(budget.used() < 3 * same.len(), "{}", budget.used());
    }

    #[test]
    fn all_bodies_together_stay_within_the_budget() {
        let (bodies, budget) = bodies(1_000_000);
        let mut clients = vec![Kept::default(); 20];
        let mut refused = 0;
        for round in 0..100_u32 {
            for (client, kept) in clients.iter_mut().enumerate() {
                let piece = [client as u8 ^ round as u8; 2_000];
                refused += u32::from(bodies.extend(kept, &piece) == Err(Fault::PlaylistLimit));
                assert!(budget.used() <= 1_000_000);
            }
        }
        assert!(refused > 50, "{refused}");
        drop(clients);
        assert_eq!(budget.used(), 0);
        assert_eq!(bodies.keep(vec![0; 1_000_001].into()).err(), Some(Fault::PlaylistLimit));
    }

    proptest! {
        #[test]
        fn each_body_is_what_came(
            pieces in proptest::collection::vec((0..4_usize, 0..3_u8, 1..30_000_usize), 0..60),
        ) {
            let (bodies, budget) = bodies(usize::MAX);
            let mut clients = vec![(Kept::default(), Vec::new()); 4];
            for (client, byte, length) in pieces {
                let (kept, expected) = &mut clients[client];
                let piece = vec![byte; length];
                bodies.extend(kept, &piece).expect("room");
                expected.extend_from_slice(&piece);
            }
            for (kept, expected) in &clients {
                prop_assert_eq!(&text(kept), expected);
            }
            drop(clients);
            prop_assert_eq!(budget.used(), 0);
        }
    }
}
