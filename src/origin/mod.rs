//! The built-in test origin: real HTTP over loopback, live and VOD, with faults on request and exact counts.
//!
//! ```text
//! /live/ts/master.m3u8     /live/fmp4/master.m3u8     /vod/ts/master.m3u8     /vod/fmp4/master.m3u8
//! /live/ts/v0/index.m3u8   /live/ts/v0/segment_12.ts  /live/fmp4/v0/init.mp4  /live/fmp4/v0/segment_12.m4s
//! ```
//!
//! * What is served: `path` names it, `timeline` says when it is there, `catalog` makes it from `playlist`,
//!   `mpegts` and `fmp4`, whose pictures are those of `h264`. These are pure and take the time as an argument.
//! * How it is served: `server` accepts, `connection` drives hyper, `answer` makes the response, `body` its
//!   bytes. What goes wrong is decided in `faults` by rules as in `rule`.
//! * What was served: `counts` holds the numbers, `ledger` says when a response counts as completed.
//! * The origin shares nothing with the clients it serves but the vocabulary of [`crate::vocabulary`], so that equal numbers
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
mod gzip;
mod h264;
mod ledger;
mod mpegts;
mod path;
mod playlist;
mod range;
pub mod rule;
mod server;
pub mod settings;
mod socket;
mod timeline;
mod tls;

#[cfg(test)]
mod wire_tests;

pub use counts::{Counters, Counts};
pub use rule::FaultRule;
pub use server::{Addresses, Origin, serve_blocking};
pub use settings::Settings;

/// Why an origin could not be started or could not go on.
#[derive(Debug, thiserror::Error)]
pub enum OriginError {
    /// One sentence that says what is accepted.
    #[error("{0}")]
    Settings(String),
    /// The address is in use, for instance.
    #[error("the origin cannot listen on {address}")]
    Bind {
        /// What was to be bound.
        address: std::net::SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
    /// No certificate could be made.
    #[error("the origin's certificate could not be made")]
    Certificate(#[from] rcgen::Error),
    /// TLS could not be set up.
    #[error("the origin's TLS could not be set up")]
    Tls(#[from] rustls::Error),
    /// No threads, or no input and output.
    #[error("the origin's runtime could not be started")]
    Runtime(#[source] std::io::Error),
    /// Whoever started the origin does not listen.
    #[error("the origin could not write to its standard output")]
    Output(#[source] std::io::Error),
}
