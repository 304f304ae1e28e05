//! The vocabulary that every other room uses: how a request ended, what was requested, what can be wrong with a
//! stream, units and their one formatter, text and addresses that came from outside, limits. Imports nothing of ours.

pub mod budget;
pub mod cache_status;
pub mod clock;
pub mod finding;
pub mod http_profile;
pub mod kind;
pub mod limits;
pub mod outcome;
pub mod percent;
pub mod playback;
pub mod secret_shape;
pub mod secret_url;
pub mod share;
pub mod state;
pub mod units;
pub mod untrusted;

pub use cache_status::CacheStatus;
pub use clock::Clock;
pub use finding::{Finding, Severity};
pub use http_profile::{HttpProfile, Reuse};
pub use kind::Kind;
pub use outcome::Outcome;
pub use playback::Playback;
pub use secret_url::SecretUrl;
pub use share::share;
pub use state::{ClientState, Command, Mark, OnHangup, RunState, StopCause};
pub use untrusted::Untrusted;
