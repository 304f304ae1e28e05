//! The report of a run that has ended, ready to be shown: formatted once, because the run no longer changes.

use crate::report::{self, Doc, ReportScreen};

/// A report that is shown.
#[derive(Debug)]
pub(in crate::tui) struct ShownReport {
    /// Its first page.
    pub(in crate::tui) screen: ReportScreen,
    /// The text report, line by line.
    pub(in crate::tui) text: Vec<String>,
}

impl ShownReport {
    pub(super) fn new(doc: &Doc) -> Self {
        let text = report::text(doc).lines().map(str::to_owned).collect();
        Self { screen: ReportScreen::new(doc), text }
    }
}
