//! The vocabulary that every other room uses: how a request ended, what was requested, what can be wrong with a
//! stream, units and their one formatter, text and addresses that came from outside, limits. Imports nothing of ours.

pub mod atomics;
pub mod budget;
pub mod cache_status;
pub mod cell;
pub mod clock;
#[cfg(all(test, hlswarm_loom))]
pub mod explore;
pub mod failpoint;
pub mod finding;
pub mod kind;
pub mod limits;
pub mod manners;
pub mod outcome;
pub mod ring;
pub mod roll;
pub mod secret_shape;
pub mod secret_url;
pub mod state;
pub mod units;
pub mod untrusted;

pub use cache_status::CacheStatus;
pub use clock::Clock;
pub use finding::{Finding, Severity};
pub use kind::Kind;
pub use manners::{Manners, Reuse};
pub use outcome::Outcome;
pub use secret_url::SecretUrl;
pub use state::{ClientState, Command, Mark, OnHangup, RunState, StopCause};
pub use untrusted::Untrusted;
