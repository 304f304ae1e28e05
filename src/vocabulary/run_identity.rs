//! Identity of a run: the facts that tell it from every other run.

use std::borrow::Cow;

use serde::Serialize;

use super::{Clock, SecretUrl};

/// Identity of a run, as every artefact of the run gives it. Holds no secrets.
#[derive(Clone, Debug, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RunIdentity {
    /// The URL of the stream, without secrets.
    pub target: String,
    /// Fingerprint of the URL: of its scheme, host, port and path and the names in its query, not of their values.
    pub target_hash: String,
    /// The version of hlswarm.
    pub version: Cow<'static, str>,
    /// Wall-clock time of the start, RFC 3339 in UTC, in seconds.
    pub started_at: String,
    /// Start in milliseconds of Unix time, by this machine's clock.
    pub started_unix_ms: i64,
    /// The run id that every request carries in `X-Load-Test`.
    pub run_id: String,
    /// The seed of every random choice.
    pub seed: u64,
    /// The command line, without secrets.
    pub command: String,
}

impl RunIdentity {
    /// Creates the identity of a run of this program on `target` that starts with `clock`.
    pub fn new(target: &SecretUrl, clock: Clock) -> Self {
        let started_at = clock.started_at();
        Self {
            target: target.to_string(),
            target_hash: target.fingerprint(),
            version: env!("CARGO_PKG_VERSION").into(),
            started_at: started_at.round(jiff::Unit::Second).unwrap_or(started_at).to_string(),
            started_unix_ms: started_at.as_millisecond(),
            ..Self::default()
        }
    }
}
