//! Capacity of this machine: what it can carry, what a load needs of it, and what is missing. Pure.

mod calibration;
mod fit;
mod headroom;
mod measured;
mod shortage;
mod supply;

pub use calibration::{
    BodyPoint, Calibration, CalibrationError, Floor, FloorLatency, Machine, RatePoint, SCHEMA,
    TransportCosts, Work,
};
pub use fit::{Misfit, fit};
pub use measured::{Measured, Round, TestLoad};
pub use shortage::{Shortage, Supplied};
pub use supply::{CPU_SHARE, MEMORY_SHARE, Supply, WARN_CPU_SHARE};

#[cfg(test)]
pub(crate) use calibration::tests::calibration as calibration_for_tests;
#[cfg(test)]
pub(crate) use fit::ROUNDS_LEAST;
