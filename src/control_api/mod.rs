//! The API of `--control`: HTTP and JSON by which scripts and `hlswarm ctl` watch and steer a run.
//!
//! * Every change is a command to the controller, as a key of the console is one: the same limit clamps it, and the
//!   journal says who asked.
//! * A Unix socket of its owner is guarded by its mode. A port is also reached by every page in a browser of this
//!   machine: a [`Guard`] checks what a page cannot forge.
//! * The server is bounded in every direction: see [`local_http`](crate::local_http).

mod api;
mod client;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod guard;
mod order;
mod refused;
#[cfg(test)]
mod tests;

pub use api::{Api, ApiParts};
pub use client::{AskError, Asked, ask};
pub use guard::Guard;
