//! Capacity of this machine: what it can carry, what a load needs of it, and what is missing. Pure.

mod calibration;
mod shortage;
mod supply;

pub use calibration::{Calibration, CalibrationError, Machine, Work};
pub use shortage::{Shortage, Supplied};
pub use supply::{CPU_SHARE, MEMORY_SHARE, Supply, WARN_CPU_SHARE};

#[cfg(test)]
pub(crate) use calibration::tests::calibration as calibration_for_tests;
