//! All clients: as a map, by what those in trouble have in common, as a list, and one of them over the last minute.

use std::time::Duration;

use ratatui::layout::Size;

use crate::stats::{ClientRow, PlacementIndex, SecondState, Snapshot};
use crate::tui::app::{App, ClientList};
use crate::tui::layout::{self, Breadth};
use crate::tui::theme::Role;
use crate::vocabulary::{Outcome, units};

use super::client_timeline::ClientTimeline;
use super::client_words::state_role;
use super::swarm_map::Map;
use super::{Column, Line, Table, Text, Weight, WhoLine, errors, who};

const COLUMNS: &[Column] = &[
    Column::number("ID", 9),
    Column::word("STATE", 8),
    Column::number("Mb/s", 6),
    Column::number("BUF s", 6),
    Column::number("SPEED", 6),
    Column::number("STALLS", 7),
    Column::number("ERR", 6),
    Column::number("REQ", 7),
    Column::number("AGE s", 6),
    Column::word("LAST", 26),
    Column::number("BYTES", 10),
    Column::number("DRIFT", 9),
    Column::number("RECONN", 7),
];

/// Columns whose cells are drawn, not written.
pub(in crate::tui) const BUFFER: &str = "BUFFER, of 30 s";
pub(in crate::tui) const LAST_STATES: &str = "LAST 32 s";

/// Columns of a wide list.
const WIDE: &[Column] = &[
    Column::number("ID", 9),
    Column::word("STATE", 8),
    Column::number("Mb/s", 6),
    Column::word(BUFFER, 16),
    Column::number("s", 6),
    Column::number("SPEED", 6),
    Column::number("STALLS", 7),
    Column::number("ERR", 6),
    Column::number("REQ", 7),
    Column::number("AGE s", 6),
    Column::word("LAST", 24),
    Column::word("EDGE", 15),
    Column::word(LAST_STATES, SecondState::SECONDS as u16),
];

/// Drawn cells of a line.
#[derive(Clone, Debug)]
pub(in crate::tui) struct DrawnCells {
    /// Buffer as a share of a full one.
    pub(in crate::tui) buffer: f64,
    /// State in each of the last seconds, oldest first.
    pub(in crate::tui) states: [SecondState; SecondState::SECONDS],
}

/// The view.
#[derive(Debug)]
pub(in crate::tui) struct ClientsView {
    /// Share of clients in trouble of each mark, line by line; a line of the screen has two lines of marks.
    pub(in crate::tui) map: Vec<Option<f64>>,
    /// Time at which the first client of each line of the screen joined.
    pub(in crate::tui) joined: Vec<String>,
    /// The number of clients for each mark, as text.
    pub(in crate::tui) scale: String,
    /// Line of the screen at the cursor, while the map has the focus.
    pub(in crate::tui) map_line: Option<usize>,
    /// Set if the map has the focus.
    pub(in crate::tui) map_focused: bool,
    pub(in crate::tui) who: Vec<WhoLine>,
    pub(in crate::tui) who_focused: bool,
    /// Share of all clients in trouble.
    pub(in crate::tui) who_of_all: Vec<Text>,
    pub(in crate::tui) table: Table,
    /// Cells that are drawn, line by line; empty for a narrow list.
    pub(in crate::tui) drawn: Vec<DrawnCells>,
    /// The last minute of the selected client, while it is open.
    pub(in crate::tui) timeline: Option<Box<ClientTimeline>>,
}

impl ClientsView {
    pub(super) fn new(app: &App, room: Size) -> Self {
        let snapshot = &app.steady.snapshot;
        let places = layout::clients::layout(room, app.detail_lines());
        let map = Map::new(&app.clients.joined, snapshot, places.map_size());
        let rows = shown(&app.clients, snapshot, layout::lines(places.list, 1));
        let breadth = Breadth::new(room);
        let drawn = |row: &&ClientRow| DrawnCells {
            buffer: row.playback.buffer_share_at(snapshot.clients_at_us),
            states: SecondState::unpack(row.last_states),
        };
        Self {
            map: map.shares,
            joined: map.joined,
            scale: map.scale,
            who: who::lines(app),
            who_of_all: vec![Text::label(format!("all {}", units::percent(app.steady.who.all)))],
            map_line: app.map_line(),
            map_focused: app.has_focus(0),
            who_focused: app.group_at().is_some(),
            table: table(&app.clients, (snapshot, &app.steady.stream.placements), &rows, breadth)
                .with_focus(app.has_focus(1)),
            drawn: rows.iter().filter(|_| breadth == Breadth::Wide).map(drawn).collect(),
            timeline: app.clients.open.then(|| Box::new(ClientTimeline::new(app, room))),
        }
    }
}

fn none() -> String {
    "no clients yet".to_owned()
}

/// Returns the clients of the list that have room.
fn shown<'a>(list: &ClientList, snapshot: &'a Snapshot, room: usize) -> Vec<&'a ClientRow> {
    let places = list.order.iter().skip(list.top).take(room);
    places.filter_map(|place| snapshot.clients.get(*place as usize)).collect()
}

fn table(
    list: &ClientList,
    (snapshot, placements): (&Snapshot, &PlacementIndex),
    rows: &[&ClientRow],
    breadth: Breadth,
) -> Table {
    let is_wide = breadth == Breadth::Wide;
    let columns = if is_wide { WIDE } else { COLUMNS };
    let now_us = snapshot.clients_at_us;
    let lines = rows.iter().map(|row| Line {
        cells: if is_wide { wide_cells(row, now_us, placements) } else { cells(row, now_us) },
        selected: list.selected == Some(row.id),
        whole: false,
    });
    let [first, last, all, clients] =
        [list.top + 1, list.top + rows.len(), list.order.len(), snapshot.clients.len()]
            .map(|count| units::count(count as u64));
    let left_out = if all == clients { String::new() } else { format!(" of {clients}") };
    let title = if rows.is_empty() {
        format!("none of {clients}")
    } else {
        format!("{first}-{last} of {all}{left_out}")
    };
    Table {
        title: Text::title(title),
        aside: order(list),
        columns,
        none: if snapshot.clients.is_empty() {
            none()
        } else {
            "no client matches; Esc clears the filter".to_owned()
        },
        lines: lines.collect(),
        ..Table::default()
    }
}

/// Returns the order of the list, and what it leaves out: a list that is filtered without a word about it lies.
fn order(list: &ClientList) -> Vec<Text> {
    let reversed = if list.reversed { ", reversed" } else { "" };
    let mut order = vec![Text::label(format!("{}{reversed}", list.sort.name()))];
    let leaves_out = |text: &str| Text::new(Role::Mark, text).weighing(Weight::OutOfBounds);
    order.extend(list.faults_only.then(|| leaves_out("faults only").or_short("faults")));
    order.extend(
        list.filter.as_ref().map(|it| leaves_out(&format!("filter {}", it.text)).or_short("filtered")),
    );
    order.extend(list.following.then(|| Text::label("follow")));
    order
}

fn cells(row: &ClientRow, now_us: u64) -> Vec<Text> {
    let counted = |value: u64| {
        let role = if value == 0 { Role::Label } else { Role::Plain };
        Text::new(role, units::count(value))
    };
    let (last, age) = match row.last {
        Some((outcome, at_us)) => (last(outcome), tenths(now_us.saturating_sub(at_us))),
        None => (Text::label(units::UNKNOWN), units::UNKNOWN.to_owned()),
    };
    vec![
        Text::plain(units::count(row.id)),
        Text::new(state_role(row.state), row.state.name()),
        bandwidth(row),
        Text::plain(tenths(row.playback.buffer_at(now_us))),
        speed(row),
        counted(row.stalls),
        counted(row.failures()),
        Text::plain(units::count(row.requests)),
        Text::plain(age),
        last,
        Text::plain(units::bytes(row.bytes)),
        Text::label(units::span(Duration::from_micros(row.playback.drift_at(now_us)))),
        counted(row.reconnections),
    ]
}

/// Returns the name and the value of each cell of a line.
pub(super) fn named_cells(row: &ClientRow, now_us: u64) -> impl Iterator<Item = (&'static str, Text)> {
    COLUMNS.iter().map(|column| column.name).zip(cells(row, now_us))
}

/// Returns the cells of [`WIDE`]; those that are drawn are empty.
fn wide_cells(row: &ClientRow, now_us: u64, placements: &PlacementIndex) -> Vec<Text> {
    let [id, state, rate, buffer, speed, stalls, errors, requests, age, last, ..] =
        <[Text; COLUMNS.len()]>::try_from(cells(row, now_us)).unwrap_or_default();
    let drawn = Text::default;
    let edge = placements.edge(row.placement).map_or(units::UNKNOWN.to_owned(), |edge| edge.ip().to_string());
    let edge = Text::label(edge);
    vec![id, state, rate, drawn(), buffer, speed, stalls, errors, requests, age, last, edge, drawn()]
}

fn bandwidth(row: &ClientRow) -> Text {
    match row.playback.bandwidth {
        0 => Text::label(units::UNKNOWN),
        bits => Text::plain(format!("{:.1}", bits as f64 / 1e6)),
    }
}

fn speed(row: &ClientRow) -> Text {
    match row.speed {
        None => Text::label(units::UNKNOWN),
        Some(speed) => Text::new(if row.slow { Role::Warning } else { Role::Plain }, format!("{speed:.2}")),
    }
}

fn last(outcome: Outcome) -> Text {
    let role = if outcome.is_ok() { Role::Label } else { Role::Warning };
    Text::new(role, errors::name(outcome))
}

/// Formats microseconds as seconds with one decimal, cut and not rounded.
fn tenths(microseconds: u64) -> String {
    let tenths = microseconds / 100_000;
    format!("{}.{}", units::count(tenths / 10), tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::RunSample;
    use crate::tui::app::View;
    use crate::tui::fixtures;
    use crate::vocabulary::ClientState;

    fn snapshot() -> Snapshot {
        let clients: Vec<_> = (1..=10_000).map(|id| fixtures::row(id, ClientState::Playing)).collect();
        let mut snapshot = Snapshot { clients: clients.into(), ..Snapshot::default() };
        std::sync::Arc::make_mut(&mut snapshot.clients)[6_000].state = ClientState::Stalled;
        std::sync::Arc::make_mut(&mut snapshot.clients)[77].http_errors = 4;
        snapshot
    }

    #[test]
    fn stalled_clients_come_first_and_only_as_many_as_there_is_room_for() {
        let (snapshot, mut list) = (snapshot(), ClientList::default());
        list.arrange(&RunSample { snapshot: snapshot.clone(), ..RunSample::default() }, View::Clients);
        let rows = shown(&list, &snapshot, 3);
        let table = table(&list, (&snapshot, &PlacementIndex::default()), &rows, Breadth::Narrow);
        let ids: Vec<&str> = table.lines.iter().map(|line| line.cells[0].text.as_str()).collect();
        assert_eq!(ids, ["6,001", "78", "1"]);
        assert!(shown(&list, &snapshot, 0).is_empty());
    }

    #[test]
    fn seconds_are_cut_to_one_digit() {
        assert_eq!(tenths(1_960_000), "1.9");
        assert_eq!(tenths(0), "0.0");
    }
}
