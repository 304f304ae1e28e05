//! The report of a run that has ended, as lines of text.

use ratatui::layout::Size;

use crate::tui::app::App;
use crate::tui::layout;

/// The view.
#[derive(Debug)]
pub(in crate::tui) struct ReportView {
    /// The lines that fit, from the one that was scrolled to.
    pub(in crate::tui) lines: Vec<String>,
}

impl ReportView {
    pub(super) fn new(app: &App, room: Size) -> Self {
        let lines = app.report.as_deref().unwrap_or_default();
        let shown = lines.iter().skip(app.scroll).take(layout::report::lines(room));
        Self { lines: shown.cloned().collect() }
    }
}
