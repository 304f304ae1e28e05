//! Formats of a report: the extension of its file selects one.

use std::path::Path;

use super::{Report, text};

/// Format of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportFormat {
    /// The value itself, for programs.
    Json,
    /// 80 columns of text, for people.
    Text,
}

impl ReportFormat {
    /// Message for a file whose extension selects no format.
    pub const UNKNOWN: &str = "the extension selects the format; expected .json or .txt";

    /// Returns the format that the extension of `path` selects; `None` if no format has this extension.
    pub fn from_extension(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()? {
            "json" => Some(Self::Json),
            "txt" => Some(Self::Text),
            _ => None,
        }
    }

    /// Writes `report` in this format.
    ///
    /// # Errors
    /// Never fails for a report that was built by [`build`](super::build); the signature is serde's.
    pub fn render(self, report: &Report) -> serde_json::Result<String> {
        match self {
            Self::Json => report.json(),
            Self::Text => Ok(text(report)),
        }
    }
}
