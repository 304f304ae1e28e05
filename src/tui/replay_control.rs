//! Orders of the console to the replay of a record.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::vocabulary::ReplaySpeed;

/// Orders of a console to the replay that it shows. Only the console writes them; of a run, nothing reads them.
#[derive(Debug)]
pub struct ReplayControl {
    paused: AtomicBool,
    speed: AtomicU64,
}

impl ReplayControl {
    /// Starts at this speed.
    pub fn new(speed: ReplaySpeed) -> Self {
        Self { paused: AtomicBool::new(false), speed: AtomicU64::new(speed.to_bits()) }
    }

    /// Reports whether the replay is to stand still.
    pub fn is_paused(&self) -> bool {
        // Relaxed: each order stands for itself.
        self.paused.load(Ordering::Relaxed)
    }

    /// Returns the speed that is wanted.
    pub fn speed(&self) -> ReplaySpeed {
        ReplaySpeed::from_bits(self.speed.load(Ordering::Relaxed))
    }

    pub(super) fn order(&self, is_paused: bool, speed: ReplaySpeed) {
        self.paused.store(is_paused, Ordering::Relaxed);
        self.speed.store(speed.to_bits(), Ordering::Relaxed);
    }
}

impl Default for ReplayControl {
    fn default() -> Self {
        Self::new(ReplaySpeed::default())
    }
}
