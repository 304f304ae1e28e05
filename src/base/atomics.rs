//! The atomics of everything that is written by one thread and read by another.
//!
//! They are those of the standard library. In a test build with `--cfg hlswarm_loom` they are those of loom, which
//! runs a model under every interleaving and with every value that a load may return (see `tests/loom.sh`). The flag
//! is not plain `loom`: that would switch half of tokio off.

#[cfg(not(all(test, hlswarm_loom)))]
pub use std::sync::{
    OnceLock,
    atomic::{AtomicU32, AtomicU64, Ordering, fence},
};

#[cfg(all(test, hlswarm_loom))]
pub use self::modelled::OnceLock;
#[cfg(all(test, hlswarm_loom))]
pub use loom::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};

#[cfg(all(test, hlswarm_loom))]
mod modelled {
    use loom::sync::atomic::{AtomicBool, Ordering};

    /// A value that is made once, with the orders that the standard library promises, as loom can see them.
    #[derive(Debug)]
    pub struct OnceLock<T> {
        value: std::sync::OnceLock<T>,
        made: AtomicBool,
    }

    impl<T> OnceLock<T> {
        /// Not made yet.
        pub fn new() -> Self {
            Self { value: std::sync::OnceLock::new(), made: AtomicBool::new(false) }
        }

        /// The value, if it has been made.
        pub fn get(&self) -> Option<&T> {
            if self.made.load(Ordering::Acquire) { self.value.get() } else { None }
        }

        /// The value, made now if need be.
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
