//! Atomics for everything that one thread writes and another reads.
//!
//! They are those of the standard library. A test build with `--cfg hlswarm_loom` uses those of loom instead: loom
//! runs a model under every interleaving and with every value that a load may return (see `tests/loom.sh`). The flag
//! is not plain `loom`, because that would switch off half of tokio.

#[cfg(not(all(test, hlswarm_loom)))]
pub use std::sync::{
    OnceLock,
    atomic::{AtomicU32, AtomicU64, Ordering, fence},
};

#[cfg(all(test, hlswarm_loom))]
pub use self::modelled::OnceLock;
#[cfg(all(test, hlswarm_loom))]
pub use loom::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};

#[cfg(not(all(test, hlswarm_loom)))]
pub use std::sync::atomic::AtomicU64 as OwnedU64;

#[cfg(all(test, hlswarm_loom))]
pub use self::modelled::OwnedU64;

#[cfg(all(test, hlswarm_loom))]
mod modelled {
    use loom::sync::atomic::{AtomicBool, AtomicU64, Ordering};

    /// A number with one writer. A load by the writer itself can only return the value that it stored last, so that
    /// load is not a step of the model. Loom remembers one access before a store: with the writer's own load in
    /// between, it would never try a reader there.
    #[derive(Debug, Default)]
    pub struct OwnedU64 {
        shown: AtomicU64,
        own: std::sync::atomic::AtomicU64,
    }

    impl OwnedU64 {
        /// Returns the value that a reader sees.
        pub fn load(&self, order: Ordering) -> u64 {
            self.shown.load(order)
        }

        /// Returns the value that the writer stored last.
        pub fn own(&self) -> u64 {
            self.own.load(Ordering::Relaxed)
        }

        /// Stores `value`. Only the one writer may call it.
        pub fn store(&self, value: u64, order: Ordering) {
            self.own.store(value, Ordering::Relaxed);
            self.shown.store(value, order);
        }
    }

    /// A value that is initialized once, with the orderings that the standard library promises, as loom can see them.
    #[derive(Debug)]
    pub struct OnceLock<T> {
        value: std::sync::OnceLock<T>,
        made: AtomicBool,
    }

    impl<T> OnceLock<T> {
        /// Creates a cell without a value.
        pub fn new() -> Self {
            Self { value: std::sync::OnceLock::new(), made: AtomicBool::new(false) }
        }

        /// Returns the value, if it has been initialized.
        pub fn get(&self) -> Option<&T> {
            if self.made.load(Ordering::Acquire) { self.value.get() } else { None }
        }

        /// Returns the value, initializing it with `make` if necessary.
        pub fn get_or_init(&self, make: impl FnOnce() -> T) -> &T {
            let value = self.value.get_or_init(make);
            self.made.store(true, Ordering::Release);
            value
        }
    }

    impl<T> Default for OnceLock<T> {
        fn default() -> Self {
            Self::new()
        }
    }
}
