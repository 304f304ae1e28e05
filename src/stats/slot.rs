//! A slot that one holder after another writes. Any thread may read it and never sees values of two holders mixed.
//!
//! * Each holder has a number that was never used before; 0 means that there is no holder.
//! * A reader reads the number before and after the values, and discards the values if the number has changed.
//! * For that, a reader that sees a value of the next holder must see that the previous one has left. Release fences
//!   stand between the two on every thread that writes: the one that empties the slot ([`Slot::open`]) and the one
//!   that fills it ([`Slot::writer`]). The reader's acquire fence is their counterpart.

use crate::sync::atomics::{AtomicU64, Ordering, fence};

/// A slot for the values of one holder at a time.
// `repr(C)` puts the number in front of the values that are read with it.
#[derive(Debug, Default)]
#[repr(C)]
pub(super) struct Slot<T> {
    holder: AtomicU64,
    values: T,
}

impl<T> Slot<T> {
    /// Offset of the values, in bytes.
    #[cfg(test)]
    pub(super) const VALUES: usize = std::mem::offset_of!(Self, values);

    /// Empties the values and gives the slot to the next holder. To be called by one thread, after the previous
    /// holder has closed the slot.
    pub(super) fn open(&self, holder: u64, empty: impl FnOnce(&T)) {
        fence(Ordering::Release);
        empty(&self.values);
        self.holder.store(holder, Ordering::Release);
    }

    /// Returns the values to the thread that writes them. To be called on that thread, before it writes.
    pub(super) fn writer(&self) -> &T {
        fence(Ordering::Release);
        &self.values
    }

    /// Returns the values without any promise: for their writer, and for readers once no thread writes any more.
    #[inline]
    pub(super) fn values(&self) -> &T {
        &self.values
    }

    /// Ends the tenure of the holder, which must not write any more.
    pub(super) fn close(&self) {
        self.holder.store(0, Ordering::Relaxed);
    }

    /// Returns the number of the current holder, 0 if there is none.
    pub(super) fn holder(&self) -> u64 {
        self.holder.load(Ordering::Relaxed)
    }

    /// Makes `holder` the holder of the values that a replay has set; 0 for none.
    pub(super) fn set_holder(&self, holder: u64) {
        self.holder.store(holder, Ordering::Release);
    }

    /// Reads the values of one holder. Returns `None` if there is no holder, or if the slot changed hands meanwhile.
    #[inline]
    pub(super) fn read<R>(&self, read: impl FnOnce(u64, &T) -> R) -> Option<R> {
        let holder = self.holder.load(Ordering::Acquire);
        if holder == 0 {
            return None;
        }
        let values = read(holder, &self.values);
        fence(Ordering::Acquire);
        (self.holder() == holder).then_some(values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::single_writer_cell::SingleWriterCell;

    #[test]
    fn a_place_is_read_only_while_it_is_held() {
        let slot = Slot::<SingleWriterCell>::default();
        assert_eq!(slot.read(|_, cell| cell.get()), None);
        slot.open(7, |cell| cell.set(0));
        slot.writer().add(3);
        assert_eq!(slot.read(|holder, cell| (holder, cell.get())), Some((7, 3)));
        slot.close();
        assert_eq!(slot.read(|_, cell| cell.get()), None);
    }

    #[test]
    fn what_was_read_while_the_place_changed_hands_is_nothing() {
        let slot = Slot::<SingleWriterCell>::default();
        slot.open(1, |cell| cell.set(0));
        let read = slot.read(|_, cell| {
            slot.close();
            slot.open(2, |cell| cell.set(0));
            cell.get()
        });
        assert_eq!(read, None);
        assert_eq!(slot.read(|holder, _| holder), Some(2));
    }
}
