//! The built-in test origin: real HTTP over loopback, live and VOD, with faults on request and exact counts.
//!
//! ```text
//! /live/ts/master.m3u8     /live/fmp4/master.m3u8     /vod/ts/master.m3u8     /vod/fmp4/master.m3u8
//! /live/ts/v0/index.m3u8   /live/ts/v0/segment_12.ts  /live/fmp4/v0/init.mp4  /live/fmp4/v0/segment_12.m4s
//! ```
//!
//! * Resources: `path` names them, `timeline` decides when they exist, and `catalog` makes them from `playlist`,
//!   `mpegts` and `fmp4`, whose frames come from `h264`. These modules are pure and take the time as an argument.
//! * Serving: `server` accepts, `connection` drives hyper, `answer` makes the response and `body` its bytes. `faults`
//!   decides which requests fail, by the rules of `rule`.
//! * Capacity: `uplink` is a rate that all bodies share, and `server` refuses connections beyond a number, so that a search
//!   for the capacity of an origin can be compared with a known one.
//! * Accounting: `counts` holds the numbers, and `ledger` decides when a response counts as completed.
//! * The origin shares only the vocabulary of [`crate::vocabulary`] with the clients it serves, so that equal numbers
//!   on both sides prove something.

mod answer;
mod body;
mod catalog;
pub mod child;
mod connection;
mod content;
pub mod counts;
mod faults;
mod fmp4;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod gzip;
mod h264;
mod ledger;
mod mpegts;
pub mod narrator;
mod path;
mod playlist;
mod range;
pub mod rule;
mod server;
pub mod settings;
mod socket;
mod timeline;
mod tls;
mod uplink;

#[cfg(test)]
mod wire_tests;

pub use counts::Counts;
pub use rule::FaultRule;
pub use server::{Origin, serve_blocking};
pub use settings::Settings;

/// Error that keeps an origin from starting or from continuing.
#[derive(Debug, thiserror::Error)]
pub enum OriginError {
    /// The settings are invalid. One sentence says what is accepted.
    #[error("{0}")]
    Settings(String),
    /// An address cannot be bound, for instance because it is in use.
    #[error("the origin cannot listen on {address}")]
    Bind {
        /// Address that could not be bound.
        address: std::net::SocketAddr,
        /// Cause of the failure.
        source: std::io::Error,
    },
    /// No certificate could be made.
    #[error("the origin's certificate could not be made")]
    Certificate(#[from] rcgen::Error),
    /// TLS could not be set up.
    #[error("the origin's TLS could not be set up")]
    Tls(#[from] rustls::Error),
    /// The runtime has no threads, or no input and output.
    #[error("the origin's runtime could not be started")]
    Runtime(#[source] std::io::Error),
    /// The process that started the origin does not read its standard output.
    #[error("the origin could not write to its standard output")]
    Output(#[source] std::io::Error),
}
