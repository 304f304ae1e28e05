//! How many clients, when: pure arithmetic over time.

mod pacer;
mod reconnects;

pub use pacer::{Pacer, Ramp};
pub use reconnects::Reconnects;
