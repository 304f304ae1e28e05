//! Result of `hlswarm check`: the contents of a stream and its problems, as JSON and as text.
//!
//! * No text from outside is shown raw, and no URL with its secrets.
//! * Both forms show the same values; an unknown value is `null` or left out.

#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod hosts;
mod text;
mod understood;

use serde::Serialize;

use super::{Report, outcomes};
use crate::hls::{self, ParseError, Playlist};
use crate::vocabulary::{Finding, Kind, Severity, Untrusted, exit_code, secret_shape};

pub use hosts::{HostSeen, Hosts};
pub use text::text;
pub use understood::{RenditionSeen, Understood, VariantSeen};

/// The version of the JSON of `check`.
pub const SCHEMA: &str = "hlswarm.check/1";

/// The result of `hlswarm check`.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CheckReport {
    /// Always `hlswarm.check/1`.
    pub schema: &'static str,
    /// The file or URL, without secrets.
    pub source: String,
    /// The contents of the playlist.
    #[serde(flatten)]
    pub understood: Understood,
    /// Reason why it could not be read.
    pub error: Option<Unreadable>,
    /// Problems, in the order of the closed list.
    pub findings: Vec<FindingSeen>,
    /// The latest version of each media playlist that was loaded; absent if nothing was loaded.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub playlists: Vec<Loaded>,
    /// The hosts that the stream leads to; absent if nothing was loaded.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<HostSeen>,
    /// The report of the client that loaded them; absent if nothing was loaded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<Report>,
    /// The exit code of the process.
    pub exit_code: u8,
}

/// Reason why a playlist could not be read.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Unreadable {
    /// The outcome, such as `playlist.not_m3u8`.
    pub outcome: String,
    /// The outcome as a sentence.
    pub meaning: String,
    /// Text that was found instead; empty if unknown.
    pub detail: String,
}

impl Unreadable {
    /// Returns the reason why a client got no playlist: the failure that it met most often.
    fn from_run(run: &Report) -> Option<Self> {
        let (outcome, _) = *run.kinds.get(Kind::Playlist.name())?.outcomes.failures().first()?;
        let detail = run.failure_details.get(outcome).unwrap_or_default().to_owned();
        Some(Self { outcome: outcome.to_string(), meaning: outcome.meaning().to_owned(), detail })
    }
}

/// A playlist that was loaded.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Loaded {
    /// Its URL, without secrets.
    pub source: String,
    /// Number of different versions seen.
    pub versions: u64,
    /// The contents of the last one.
    #[serde(flatten)]
    pub understood: Understood,
}

/// A problem that was found.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FindingSeen {
    /// Name from a closed list.
    #[serde(serialize_with = "outcomes::finding")]
    #[cfg_attr(test, schemars(with = "String"))]
    pub kind: Finding,
    /// `error`, `warning` or `note`.
    #[serde(serialize_with = "outcomes::severity")]
    #[cfg_attr(test, schemars(with = "String"))]
    pub severity: Severity,
    /// Number of occurrences.
    pub count: u64,
    /// First line that has it; `null`: it is not about a line.
    pub line: Option<u32>,
    /// Seconds from the start to the first occurrence; `null`: nothing was loaded.
    pub first_s: Option<f64>,
    /// Seconds from the start to the last occurrence; `null`: nothing was loaded.
    pub last_s: Option<f64>,
    /// Details of the first occurrence.
    pub detail: Option<String>,
    /// The meaning as a sentence.
    pub meaning: &'static str,
}

impl CheckReport {
    /// Checks the bytes of a playlist, without a client.
    pub fn from_bytes(source: String, bytes: &[u8]) -> Self {
        match hls::parse(bytes) {
            Ok(playlist) => Self::new(source, Understood::from(&playlist), flaws(&playlist)),
            Err(error) => Self::unreadable(source, &error),
        }
    }

    /// Builds the check from the playlists that a client loaded, the hosts that they name, and the report of its run.
    pub fn from_run(
        source: String,
        entry: Understood,
        playlists: Vec<Loaded>,
        hosts: Vec<HostSeen>,
        run: Report,
    ) -> Self {
        let findings = run.findings.iter().map(|row| FindingSeen {
            count: row.count,
            first_s: Some(row.first_s),
            last_s: Some(row.last_s),
            detail: Some(row.detail.clone()),
            ..FindingSeen::new(row.kind)
        });
        let mut check = Self::new(source, entry, findings.collect());
        // The run's own code comes first, for instance after a panic, or when nothing was played.
        check.exit_code = run.exit.code.filter(|code| *code != 0).unwrap_or(check.exit_code);
        check.error = if check.understood.kind.is_none() { Unreadable::from_run(&run) } else { None };
        Self { playlists, hosts, run: Some(run), ..check }
    }

    fn unreadable(source: String, error: &ParseError) -> Self {
        let error = Unreadable {
            outcome: error.fault.name().to_owned(),
            meaning: error.fault.meaning().to_owned(),
            detail: Untrusted::new(&secret_shape::shown_text(&error.detail.shown())).shown_in(DETAIL_COLUMNS),
        };
        let check = Self::new(source, Understood::default(), Vec::new());
        Self { error: Some(error), exit_code: exit_code::CRITERIA, ..check }
    }

    fn new(source: String, understood: Understood, findings: Vec<FindingSeen>) -> Self {
        let failed = findings.iter().any(|row| row.severity == Severity::Error);
        Self {
            schema: SCHEMA,
            source,
            understood,
            error: None,
            findings,
            playlists: Vec::new(),
            hosts: Vec::new(),
            run: None,
            exit_code: if failed { exit_code::CRITERIA } else { 0 },
        }
    }

    /// Returns the check as JSON, pretty-printed, with a newline at its end.
    ///
    /// # Errors
    /// Never fails for a check that was made here; the signature is serde's.
    pub fn json(&self) -> serde_json::Result<String> {
        serde_json::to_string_pretty(self).map(|text| text + "\n")
    }
}

/// Maximum columns of the detail of an unreadable text, which may be a screenful of anything.
const DETAIL_COLUMNS: usize = 60;

impl FindingSeen {
    fn new(finding: Finding) -> Self {
        Self {
            kind: finding,
            severity: finding.severity(),
            count: 1,
            line: None,
            first_s: None,
            last_s: None,
            detail: None,
            meaning: finding.meaning(),
        }
    }
}

fn flaws(playlist: &Playlist) -> Vec<FindingSeen> {
    let mut flaws: Vec<_> = playlist.findings().iter().collect();
    flaws.sort_by_key(|flaw| flaw.finding);
    let seen = flaws.into_iter().map(|flaw| FindingSeen {
        count: u64::from(flaw.count),
        line: Some(flaw.line).filter(|line| *line > 0),
        ..FindingSeen::new(flaw.finding)
    });
    seen.collect()
}
