//! Formats of a report: the extension of its file selects one.

use std::borrow::Cow;
use std::path::Path;

use super::doc::Doc;
use super::{card, html, junit, markdown, text};

/// Format of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportFormat {
    /// The value itself, for programs.
    Json,
    /// 80 columns of text, for people.
    Text,
    /// A page with charts that loads nothing.
    Html,
    /// A picture for a chat.
    Svg,
    /// Headline and tables for a pull request.
    Markdown,
    /// The checks for a CI.
    Junit,
}

impl ReportFormat {
    /// Message for a file whose extension selects no format.
    pub const UNKNOWN: &str =
        "the extension selects the format; expected .json, .txt, .html, .svg, .md or .xml (JUnit)";

    /// Returns the format that the extension of `path` selects; `None` if no format has this extension.
    pub fn from_extension(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()? {
            "json" => Some(Self::Json),
            "txt" => Some(Self::Text),
            "html" => Some(Self::Html),
            "svg" => Some(Self::Svg),
            "md" => Some(Self::Markdown),
            "xml" => Some(Self::Junit),
            _ => None,
        }
    }

    /// Writes a document in this format.
    ///
    /// # Errors
    /// Never fails for a document that was read; the signature is serde's.
    pub fn render_doc(self, doc: &Doc) -> serde_json::Result<String> {
        match self {
            Self::Json => doc.json().map(Cow::into_owned),
            Self::Text => Ok(text::text(doc)),
            Self::Html => html::page(doc),
            Self::Svg => Ok(card::page(doc)),
            Self::Markdown => Ok(markdown::page(doc)),
            Self::Junit => Ok(junit::page(doc)),
        }
    }
}
