//! Time on the screen: the axis that all charts of a view share, its moments, and the cursor that looks back.

use super::{App, View};
use crate::run_state::NoteKind;
use crate::tui::layout;
use crate::tui::widget::{Labelled, TimeAxis};
use crate::vocabulary::{RunState, units};

impl App {
    /// Returns the time axis of charts with this many columns.
    pub(in crate::tui) fn axis(&self, columns: u16) -> TimeAxis {
        match self.window.length() {
            Some(length) => TimeAxis::last(length, self.shown.at, columns),
            // A run that has ended fills the whole width.
            None if self.shown.state == RunState::Finished => {
                TimeAxis::whole(self.shown.at, Some(self.shown.at), columns)
            }
            None => TimeAxis::whole(self.shown.at, self.title.duration, columns),
        }
    }

    /// Returns the knees, the marks and the levels of a search that lie on an axis, with their signs and words.
    pub(in crate::tui) fn moments(&self, axis: &TimeAxis) -> Vec<Labelled> {
        let sample = &self.shown;
        let knees = [("errors", sample.knees.errors), ("stalls", sample.knees.stalls)];
        let knees = knees.into_iter().filter_map(|(name, knee)| Some((knee?.at, format!("◆ {name} 1%"))));
        let marks = (1..).zip(sample.journal.marks()).map(|(number, mark)| (mark.at, format!("▲ m{number}")));
        let levels = sample.journal.notes().filter_map(|note| match note.kind {
            NoteKind::Level { clients, held } => {
                let sign = match held {
                    Some(true) => "✓",
                    Some(false) => "✗",
                    None => "?",
                };
                Some((note.at, format!("{sign} {}", units::count(clients.into()))))
            }
            _ => None,
        });
        let all = knees.chain(marks).chain(levels).filter(|(at, _)| *at <= sample.at);
        all.filter_map(|(at, label)| Some(Labelled { column: axis.column(at)?, label })).collect()
    }

    /// Moves the cursor by columns of the charts; the newest column is the present.
    pub(super) fn look_back(&mut self, columns: i16) {
        let axis = self.axis(self.chart_columns());
        let Some(newest) = axis.column(axis.now) else { return };
        // A cursor that a moving window has left behind stands at its left end.
        let at = self.cursor.map_or(newest, |cursor| axis.column(cursor).unwrap_or_default());
        let to = at.saturating_add_signed(columns);
        self.cursor = (to < newest).then(|| axis.ends(to).min(axis.now));
    }

    /// Returns the columns of the charts of the shown view.
    pub(in crate::tui) fn chart_columns(&self) -> u16 {
        let columns = match self.view {
            View::Errors => layout::errors::columns(self.room),
            View::Log => layout::log::layout(self.room).columns(),
            View::Overview if !self.zoomed => layout::overview::layout(self.room).columns(),
            View::Report => layout::report::layout(self.room).columns(),
            View::Latency => layout::latency::layout(self.room).columns(),
            View::Stream => layout::stream::layout(self.room).columns(),
            _ => layout::zoom::layout(self.room).columns(),
        };
        columns.max(1)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::run_state::Note;
    use crate::sample::RunSample;
    use crate::tui::app::{Access, Msg};
    use crate::tui::fixtures;

    #[test]
    fn levels_of_a_search_stand_on_the_axis_as_held_or_broken() {
        let sample = RunSample { at: Duration::from_secs(60), ..RunSample::default() };
        for (at, clients, held) in [(20, 1_500, Some(true)), (40, 3_000, Some(false)), (90, 9, None)] {
            let (at, kind) = (Duration::from_secs(at), NoteKind::Level { clients, held });
            sample.journal.note(Note { at, kind, text: String::new() });
        }
        let mut app = App::new(fixtures::title(), Access::Full);
        app.update(Msg::Sample(std::sync::Arc::new(sample)));
        let moments = app.moments(&TimeAxis::whole(app.shown.at, None, 60));
        let labels: Vec<_> = moments.iter().map(|moment| moment.label.as_str()).collect();
        assert_eq!(labels, ["✓ 1,500", "✗ 3,000"]);
        assert!(moments.windows(2).all(|pair| pair[0].column < pair[1].column), "{moments:?}");
    }
}
