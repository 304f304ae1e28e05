//! The `run` and `exit` blocks of the report: the run, its options and its end.

use serde::Serialize;

use crate::vocabulary::RunIdentity;

/// The run and its options.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Run {
    /// Identity of the run.
    #[serde(flatten)]
    pub identity: RunIdentity,
    /// This machine's clock against a clock that several machines agree on.
    pub clock: ClockOffset,
    /// Number of reports that were added (`hlswarm merge`): texts that differ are then listed, the seed is the smallest
    /// one, and `clients_peak` is a mean over a bin of `series`; absent in the report of one run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merged_reports: Option<u64>,
    /// Seconds from the start to the end of the last request.
    pub duration_s: f64,
    /// Target number of clients at the end.
    pub clients_target: u32,
    /// Largest number of clients active at once.
    pub clients_peak: u64,
    /// Clients started over the whole run.
    pub clients_started: u64,
    /// Client starts that were later than planned.
    pub late_starts: u64,
    /// Options of the run.
    #[serde(flatten)]
    pub options: RunOptions,
}

/// Options of a run.
#[derive(Clone, Debug, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RunOptions {
    /// Value of `--duration`, or the length of all stages; `null`: until stopped.
    pub duration_asked_s: Option<f64>,
    /// Number of clients that was asked for, the peak of the stages, or the most clients at once of arrivals; fewer are the target with `--clamp`.
    pub clients_asked: u32,
    /// Arithmetic by which `--clamp` lowered the target before anything was sent; `null`: it did not.
    pub clamped: Option<String>,
    /// Clients started per second; `null`: all at once. With stages, those of the fastest rise that takes time.
    pub ramp_rate: Option<f64>,
    /// Stages of the load in their order (`--stage`), with commas between them; `null`: a ramp.
    pub stages: Option<String>,
    /// Rate and process of the arrivals of an open load (`--arrival`); `null`: a ramp or stages.
    pub arrivals: Option<String>,
    /// Streams of the run (`--target`), without secrets.
    pub targets: Vec<TargetReport>,
    /// Variant choice (`--variant`); `mixed` if members of the mix differ.
    pub variant: String,
    /// Player that clients imitated (`--player`); `mixed` if members of the mix differ.
    pub player: String,
    /// Session length of viewers (`--session-length`): `endless`, a time, or `exp:` and the mean; `mixed` if members of the
    /// mix differ.
    pub session_length: String,
    /// Members of the mix of clients (`--mix`) with commas between them; `null`: all clients are alike.
    pub mix: Option<String>,
    /// Number of rows of the data of each client (`--data`); `null`: clients have none of their own.
    pub data_rows: Option<u64>,
    /// Players of the members of the mix, for the audience.
    #[serde(skip)]
    pub players: Vec<&'static str>,
    /// True if certificates were verified.
    pub tls_verified: bool,
    /// Proxies that requests went through, without their passwords; the edges are their addresses. `null`: none.
    pub proxy: Option<String>,
    /// Entries of `--resolve` that no connection used, as `host:port`; always empty in an interim report.
    pub resolve_unused: Vec<String>,
}

/// A stream of the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TargetReport {
    /// Its URL, without secrets.
    pub url: String,
    /// Its weight: clients are shared by weight.
    pub weight: u32,
}

/// Offset of this machine's clock from a clock that several machines agree on. A run of one machine knows none.
#[derive(Clone, Copy, Debug, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ClockOffset {
    /// Microseconds by which this machine's clock is ahead; `null`: unknown.
    pub offset_us: Option<i64>,
    /// Largest error of the offset, in microseconds; `null`: unknown.
    pub error_us: Option<u64>,
}

/// Exit code of the run and its reasons.
#[derive(Clone, Debug, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Exit {
    /// The exit code of the process; `null` while the run goes on, or if its end is not known.
    pub code: Option<u8>,
    /// Every reason, starting with the one that decided the code.
    pub reasons: Vec<String>,
}
