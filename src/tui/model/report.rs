//! The report of a run that has ended: its lines of text, in as many columns as fit.

use ratatui::layout::Size;

use crate::tui::app::App;
use crate::tui::layout;
use crate::vocabulary::units;

use super::{Text, Weight};

/// The view.
#[derive(Debug)]
pub(in crate::tui) struct ReportView {
    pub(in crate::tui) title: Text,
    /// Lines that are shown, and whether there are more.
    pub(in crate::tui) aside: Vec<Text>,
    /// The lines that fit, column by column, from the one that was scrolled to.
    pub(in crate::tui) columns: Vec<Vec<String>>,
}

impl ReportView {
    pub(super) fn new(app: &App, room: Size) -> Self {
        let lines = app.report.as_ref().map_or(&[][..], |report| &report.text);
        let mut rest = lines.iter().skip(app.scroll);
        let places = layout::report::places(room).columns;
        let columns: Vec<Vec<String>> =
            places.iter().map(|place| rest.by_ref().take(place.height.into()).cloned().collect()).collect();
        let last = app.scroll + columns.iter().map(Vec::len).sum::<usize>();
        let result = app.report.as_ref().map_or("", |report| &report.screen.result);
        let title = Text::title(format!("Result: {result}")).or_short("Result");
        Self { title, aside: aside(app.scroll, last, lines.len()), columns }
    }
}

/// Says which lines are shown; nothing if all are.
fn aside(first: usize, last: usize, all: usize) -> Vec<Text> {
    if first == 0 && last == all {
        return Vec::new();
    }
    let [first, last, all] = [first + 1, last, all].map(|line| units::count(line as u64));
    vec![
        Text::plain(format!("lines {first} to {last} of {all}")).weighing(Weight::Subject),
        Text::label("j k PgDn PgUp"),
    ]
}
