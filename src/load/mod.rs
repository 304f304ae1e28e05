//! Number of clients over time: pure arithmetic.

mod client_limit;
mod pacer;
mod reconnects;

pub use client_limit::{Bound, ClientLimit};
pub use pacer::{Pacer, Ramp};
pub use reconnects::Reconnects;
