//! How many clients, when: pure arithmetic over time.

mod pacer;

pub use pacer::{Pacer, Ramp};
