//! Examples of the chosen failure: the last requests that ended so, with what a developer of the origin asks for.

use std::time::Duration;

use ratatui::layout::Size;

use crate::pipeline::Example;
use crate::tui::app::App;
use crate::tui::layout::Breadth;
use crate::vocabulary::Outcome;
use crate::vocabulary::units::{self, UNKNOWN};

use super::{Column, Line, Table, Text, errors};

/// Heading of the column of URLs, with its margin.
const URL: &str = "  URL";
/// Name that a column of identifiers need not repeat.
const COMMON_ID: &str = "x-request-id ";

const WIDE: &[Column] = &[
    Column::word("AT", 8),
    Column::number("CLIENT", 8),
    Column::word("  REQUEST", 11),
    Column::word("ANSWERED BY", 21),
    Column::word("CACHE", 5),
    Column::number("AFTER ms", 9),
    Column::word(URL, 32),
    Column::word("REQUEST ID", 28),
    Column::word("BODY", 120),
];
const MEDIUM: &[Column] = &[
    Column::word("AT", 8),
    Column::number("CLIENT", 8),
    Column::word("  ANSWERED BY", 24),
    Column::number("AFTER ms", 9),
    Column::word(URL, 64),
];

/// Returns the examples of an outcome, newest first.
pub(super) fn examples(app: &App, chosen: Option<Outcome>, room: Size) -> Table {
    let is_wide = Breadth::new(room) == Breadth::Wide;
    let columns = if is_wide { WIDE } else { MEDIUM };
    let of_chosen = |example: &&Example| Some(example.outcome) == chosen;
    let lines = app.shown.examples.iter().filter(of_chosen);
    Table {
        title: Text::title(chosen.map_or("Examples".to_owned(), |outcome| {
            format!("Last requests that ended as {}", errors::name(outcome))
        }))
        .or_short("Examples"),
        aside: vec![Text::label("one a second at most")],
        columns,
        lines: lines.map(|example| line(example, is_wide, columns)).collect(),
        none: "no example so far".to_owned(),
        ..Table::default()
    }
}

fn line(example: &Example, is_wide: bool, columns: &[Column]) -> Line {
    let details = &example.details;
    let unknown = || UNKNOWN.to_owned();
    let url = columns.iter().find(|column| column.name == URL);
    let width = url.map_or(0, |column| usize::from(column.width).saturating_sub(2));
    let mut cells = vec![
        Text::label(units::short_clock(Duration::from_micros(example.at_us))),
        Text::plain(units::count(example.client)),
    ];
    if is_wide {
        cells.push(Text::plain(format!("  {}", example.request.name())));
    }
    let margin = if is_wide { "" } else { "  " };
    let edge = details.edge.map_or_else(unknown, |edge| edge.to_string());
    cells.push(Text::plain(format!("{margin}{edge}")));
    if is_wide {
        cells.push(Text::plain(details.cache.map_or_else(unknown, |cache| cache.name().to_owned())));
    }
    cells.push(Text::plain(units::milliseconds(details.took_us)));
    cells.push(Text::plain(format!("  {}", end_of(&details.url, width))));
    if is_wide {
        let known = |text: &Option<Box<str>>| text.as_deref().map_or_else(unknown, str::to_owned);
        // One name is common to most of them; the value is what a log is searched for.
        let ids = known(&details.ids).replace(COMMON_ID, "");
        cells.extend([Text::plain(ids), Text::label(known(&details.words))]);
    }
    Line::new(cells)
}

/// Returns an address without its scheme; of a long one its end, where the name of the file stands.
fn end_of(address: &str, columns: usize) -> String {
    let address = address.split_once("://").map_or(address, |(_, rest)| rest);
    let count = address.chars().count();
    match count.checked_sub(columns) {
        None | Some(0) => address.to_owned(),
        Some(over) => format!("~{}", address.chars().skip(over + 1).collect::<String>()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_address_shows_the_name_of_its_file() {
        assert_eq!(end_of("https://a.test/live/12.ts", 20), "a.test/live/12.ts");
        assert_eq!(end_of("https://a.test/live/12.ts", 17), "a.test/live/12.ts");
        assert_eq!(end_of("https://a.test/live/12.ts", 8), "~e/12.ts");
        assert_eq!(end_of("https://a.test/\u{e9}\u{e9}.ts", 4), "~.ts");
    }
}
