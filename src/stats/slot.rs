//! A place that one holder after the other writes, and that anybody reads without ever meeting two of them at once.
//!
//! * Each holder has a number that was never used before; number 0 is nobody.
//! * A reader looks at the number before and after; when it is not the same, what was read belongs to nobody.
//! * For that, whoever sees a value of the next holder must see that the former one has left. The release fences
//!   stand between the two on every thread that writes: the one that empties the place ([`Slot::open`]) and the one
//!   that fills it ([`Slot::writer`]). The reader's acquire fence is their counterpart.

use crate::sync::atomics::{AtomicU64, Ordering, fence};

/// A place for the values of one holder at a time.
// The number stands before what is read with it.
#[derive(Debug, Default)]
#[repr(C)]
pub(super) struct Slot<T> {
    holder: AtomicU64,
    values: T,
}

impl<T> Slot<T> {
    /// Where the values begin, in bytes.
    #[cfg(test)]
    pub(super) const VALUES: usize = std::mem::offset_of!(Self, values);

    /// Gives the place to the next holder. To be called when the one before has closed it, by one thread.
    pub(super) fn open(&self, holder: u64, empty: impl FnOnce(&T)) {
        fence(Ordering::Release);
        empty(&self.values);
        self.holder.store(holder, Ordering::Release);
    }

    /// The values, for the thread that writes them: to be called on that thread, before it writes.
    pub(super) fn writer(&self) -> &T {
        fence(Ordering::Release);
        &self.values
    }

    /// The values without any promise: for their writer, and for readers when nobody writes any more.
    #[inline]
    pub(super) fn values(&self) -> &T {
        &self.values
    }

    /// Ends the time of the holder, which writes no more.
    pub(super) fn close(&self) {
        self.holder.store(0, Ordering::Relaxed);
    }

    /// The number of the holder now, 0 for nobody.
    pub(super) fn holder(&self) -> u64 {
        self.holder.load(Ordering::Relaxed)
    }

    /// Reads the values of one holder: `None` when there is none, or when the place changed hands meanwhile.
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
