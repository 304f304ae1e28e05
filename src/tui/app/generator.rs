//! The panel of the view of the load tester that has the focus, and the length of its list.

use super::App;
use crate::tui::layout::generator::{GeneratorPanel, REASONS, panels};
use crate::verdict::RULES;

impl App {
    /// Returns the panel of the view of the load tester that has the focus.
    pub(in crate::tui) fn generator_panel(&self) -> GeneratorPanel {
        panels(self.room).get(self.focus).copied().unwrap_or_default()
    }

    /// Returns the number of lines of the list that has the focus; 0 for a panel that never scrolls.
    pub(super) fn generator_lines(&self) -> usize {
        let sample = &self.steady;
        match self.generator_panel() {
            // A reason has a line of its own, and one for its advice.
            GeneratorPanel::Gauges => 2 * sample.trust.reasons.len().min(REASONS) + RULES.len(),
            GeneratorPanel::Workers => sample.generator.workers.len(),
            GeneratorPanel::Channels => sample.pipeline.lanes.len(),
            GeneratorPanel::Machine | GeneratorPanel::Streams => 0,
        }
    }
}
