//! The vocabulary of all other modules: outcomes and kinds of requests, findings about a stream, units and their one
//! formatter, untrusted text and URLs, limits. Imports no other module of this crate.

pub mod budget;
pub mod cache_status;
pub mod clock;
pub mod connection_route;
pub mod departure;
pub mod exit_code;
pub mod finding;
pub mod fingerprint;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
pub mod hard_stop;
pub mod http_profile;
pub mod kind;
pub mod large_bytes;
pub mod limits;
pub mod outcome;
pub mod palette;
pub mod percent;
pub mod playback;
pub mod replay_speed;
pub mod run_identity;
pub mod rung;
pub mod secret_shape;
pub mod secret_url;
pub mod session_number;
pub mod share;
pub mod state;
pub mod steering;
pub mod timed;
pub mod units;
pub mod untrusted;

pub use cache_status::CacheStatus;
pub use clock::Clock;
pub use connection_route::ConnectionRoute;
pub use departure::{Departure, ExitCategory, LeaveReason};
pub use finding::{Finding, Severity};
pub use fingerprint::fingerprint;
pub use hard_stop::{HardStop, HardStops};
pub use http_profile::{HttpProfile, Reuse};
pub use kind::Kind;
pub use large_bytes::LargeBytes;
pub use outcome::Outcome;
pub use palette::{Rgb, Tone};
pub use playback::Playback;
pub use replay_speed::ReplaySpeed;
pub use run_identity::RunIdentity;
pub use rung::Rung;
pub use secret_url::SecretUrl;
pub use session_number::SessionNumber;
pub use share::{per_second, share};
pub use state::{ClientState, Command, Mark, OnHangup, RunState, StopCause};
pub use steering::{Steer, SteerRequest, Steered};
pub use timed::Timed;
pub use untrusted::Untrusted;
