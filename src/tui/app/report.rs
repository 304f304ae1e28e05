//! The report of a run that has ended, ready to be shown: formatted once, because the run no longer changes.

use std::sync::Arc;

use crate::report::{self, Doc, ReportScreen};

/// A report that is shown.
#[derive(Debug)]
pub(in crate::tui) struct ShownReport {
    /// Its first page.
    pub(in crate::tui) screen: ReportScreen,
    /// The text report, line by line.
    pub(in crate::tui) text: Vec<String>,
    /// The document, for files.
    pub(in crate::tui) doc: Arc<Doc>,
}

impl ShownReport {
    pub(super) fn new(doc: Arc<Doc>) -> Self {
        let text = report::text(&doc).lines().map(str::to_owned).collect();
        Self { screen: ReportScreen::new(&doc), text, doc }
    }
}
