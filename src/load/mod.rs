//! How many clients, when: pure arithmetic over time.

mod client_limit;
mod pacer;
mod reconnects;

pub use client_limit::{Bound, ClientLimit};
pub use pacer::{Pacer, Ramp};
pub use reconnects::Reconnects;
