//! Reasons why a configuration cannot be used.

use std::net::SocketAddr;

use super::{DataSourceError, HeaderSourceError, OriginMetricsError, TargetSourceError};
use crate::net;
use crate::vocabulary::limits;

/// A value that cannot be used. The message is one line that names the option and what is accepted.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A header that cannot be sent. The message does not show its value.
    #[error("--header: {0}")]
    Header(#[from] net::HeaderError),
    /// Stages that do not make a plan.
    #[error("--stage: {0}")]
    Stages(String),
    /// Arrivals of clients without a bound.
    #[error(
        "--arrival: no client would ever leave; give --session-length, or --clients as the most that may be there at once, or --duration"
    )]
    EndlessArrivals,
    /// Headers that could not be read from their source.
    #[error("{0}")]
    HeaderSource(#[from] HeaderSourceError),
    /// Data of the clients that cannot be used.
    #[error("{0}")]
    DataSource(#[from] DataSourceError),
    /// A URL that could not be read from its file.
    #[error("{0}")]
    TargetSource(#[from] TargetSourceError),
    /// Exporters of the origin that cannot be scraped.
    #[error(transparent)]
    OriginMetrics(#[from] OriginMetricsError),
    /// Metrics that cannot be sent.
    #[cfg(feature = "otlp")]
    #[error(transparent)]
    Otlp(#[from] super::OtlpError),
    /// Settings that an origin cannot have.
    #[error("{0}")]
    Origin(String),
    /// A certificate file that cannot be used.
    #[error(transparent)]
    Tls(#[from] net::TlsError),
    /// A file of cookies that cannot be used.
    #[error(transparent)]
    Cookies(#[from] net::CookieFileError),
    /// A way to the origin that does not exist.
    #[error("{0}")]
    Transport(String),
    /// A report that cannot be written to its file.
    #[error("{option} {path}: {reason}")]
    Report {
        /// Option that asked for it.
        option: &'static str,
        /// File that was asked for.
        path: String,
        /// Problem with the file, and what is accepted.
        reason: &'static str,
    },
    /// A record or a log that cannot be written to its file.
    #[error("{option} {path}: {reason}; expected a writable file, or a pipe with a reader")]
    Record {
        /// Option that asked for it.
        option: &'static str,
        /// File that was asked for.
        path: String,
        /// Problem with the file.
        reason: String,
    },
    /// A playlist that cannot be read.
    #[error("check {path}: {reason}")]
    Playlist {
        /// File that was given.
        path: String,
        /// Reason for the failure.
        reason: String,
    },
    /// A report that cannot be read.
    #[error("{path}: {reason}")]
    Document {
        /// File that was given.
        path: String,
        /// Problem with the file, and what is expected.
        reason: String,
    },
    /// Reports that cannot be added.
    #[error("merge: {0}")]
    Merge(String),
    /// A search that begins beyond its largest number of clients.
    #[error("--clients: {first} is more than --max-clients {most}; the search begins with --clients")]
    SearchBegins {
        /// Clients to begin with.
        first: u32,
        /// Largest number of clients.
        most: u32,
    },
    /// A search with an option that plans the load.
    #[error(
        "{0}: a search makes its own load and ends by itself; give --clients, --max-clients and --ramp-rate"
    )]
    NotOfSearch(&'static str),
    /// A threshold that cannot judge a level of a search.
    #[error(
        "--threshold '{0}': expected one without 'over' and 'after', of a quantity that is not only for the whole run: a search judges each number of clients by itself"
    )]
    NotSearched(String),
    /// More targets than a run tells apart.
    #[error("--target: expected at most {} of them", limits::TARGETS)]
    TooManyTargets,
    /// More members of the mix than a run tells apart.
    #[error("--mix: expected at most {} of them", limits::MIX)]
    TooManyMembers,
    /// No stream at all.
    #[error("<URL> is missing; see 'hlswarm --help'")]
    NoTarget,
    /// More thresholds than a run judges.
    #[error("--threshold: expected at most {} of them", limits::THRESHOLDS)]
    TooManyThresholds,
    /// A threshold or a warm-up that leaves nothing to judge, because the run ends before.
    #[error(
        "{option} {given}: the run ends after {length}, before a value counts; expected shorter times or a longer run"
    )]
    BeyondRun {
        /// Option that was given.
        option: &'static str,
        /// Its value.
        given: String,
        /// Length of the run.
        length: String,
    },
    /// A threshold or a warm-up that waits for a ramp which there is not.
    #[error("{option} {given}: --arrival has no ramp; expected a time, such as 30s")]
    NoRamp {
        /// Option that was given.
        option: &'static str,
        /// Its value.
        given: String,
    },
    /// An address on which the metrics cannot be served.
    #[error("--metrics {address}: {reason}; expected an address of this machine with a free port")]
    Metrics {
        /// Address that was asked for.
        address: SocketAddr,
        /// Problem with the address.
        reason: String,
    },
    /// An address at which a run cannot be controlled.
    #[error("--control {address}: {reason}")]
    Control {
        /// Address that was given.
        address: String,
        /// Problem with the address, and what is expected.
        reason: String,
    },
    /// The system gave no random numbers for a seed.
    #[error("the system provides no random numbers; give --seed")]
    Seed,
}
