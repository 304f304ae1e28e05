//! All clients: as a map in the order in which they joined, as a list, and one of them with all its numbers.
//!
//! The map comes first, because no list of ten thousand clients shows what they have in common. Clients that joined
//! together lie together, and each mark shows the worst state among its clients: failing cohorts form blocks, random
//! failures are specks.

use std::time::Duration;

use ratatui::layout::Size;

use crate::stats::{ClientRow, Snapshot};
use crate::tui::app::{App, ClientList, severity};
use crate::tui::layout;
use crate::tui::theme::Role;
use crate::vocabulary::{ClientState, Outcome, units};

use super::client_words::{seconds, state_role};
use super::{Column, Line, Table, Text, errors};

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

/// Three facts in a line, each a name and a value.
const FACTS_IN_A_LINE: usize = 3;
const FACTS: &[Column] = &[
    Column::word("", 9),
    Column::word("", 14),
    Column::word("", 14),
    Column::word("", 10),
    Column::word("", 14),
    Column::word("", 40),
];

/// One mark of the map.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::tui) struct Mark {
    pub(in crate::tui) sign: &'static str,
    pub(in crate::tui) role: Role,
}

/// The view.
#[derive(Debug)]
pub(in crate::tui) struct ClientsView {
    /// Marks, line by line.
    pub(in crate::tui) map: Vec<Vec<Mark>>,
    /// The number of clients for each mark, as text.
    pub(in crate::tui) scale: String,
    pub(in crate::tui) table: Table,
    /// The numbers of the selected client, while they are open.
    pub(in crate::tui) detail: Option<Table>,
}

impl ClientsView {
    pub(super) fn new(app: &App, room: Size) -> Self {
        let snapshot = &app.steady.snapshot;
        let places = layout::clients::places(room, app.detail_lines());
        let (map, scale) = map(&app.clients, snapshot, places.map_size());
        Self {
            map,
            scale,
            table: table(&app.clients, snapshot, layout::lines(places.list, 1)),
            detail: app.clients.open.then(|| detail(&app.clients, snapshot)),
        }
    }
}

/// Builds the table of the worst clients for the overview.
pub(super) fn worst(list: &ClientList, snapshot: &Snapshot, room: usize) -> Table {
    let rows = list.worst.iter().take(room).filter_map(|place| snapshot.clients.get(*place as usize));
    let lines = rows.map(|row| Line::new(cells(row, snapshot.clients_at_us))).collect();
    Table {
        title: Text::title("Worst clients"),
        aside: vec![Text::label("2: all")],
        columns: COLUMNS,
        lines,
        none: none(),
        ..Table::default()
    }
}

fn none() -> String {
    "no clients yet".to_owned()
}

fn table(list: &ClientList, snapshot: &Snapshot, room: usize) -> Table {
    let shown = list.order.iter().skip(list.top).take(room);
    let rows = shown.filter_map(|place| snapshot.clients.get(*place as usize));
    let lines: Vec<Line> = rows
        .map(|row| Line {
            cells: cells(row, snapshot.clients_at_us),
            selected: list.selected == Some(row.id),
            whole: false,
        })
        .collect();
    let (first, last) = (list.top + usize::from(!lines.is_empty()), list.top + lines.len());
    let [first, last, all, clients] =
        [first, last, list.order.len(), snapshot.clients.len()].map(|count| units::count(count as u64));
    let left_out = if all == clients { String::new() } else { format!(" of {clients}") };
    Table {
        title: Text::title(format!("{first}-{last} of {all}{left_out}")),
        aside: vec![Text::label(order(list))],
        columns: COLUMNS,
        none: if snapshot.clients.is_empty() {
            none()
        } else {
            "no client matches; Esc clears the filter".to_owned()
        },
        lines,
        ..Table::default()
    }
}

fn order(list: &ClientList) -> String {
    let reversed = if list.reversed { ", reversed" } else { "" };
    let faults = if list.faults_only { "  faults only" } else { "" };
    let filter = list.filter.as_ref().map_or(String::new(), |filter| format!("  filter {}", filter.text));
    let follow = if list.following { "  follow" } else { "" };
    format!("{}{reversed}{faults}{filter}{follow}", list.sort.name())
}

fn map(list: &ClientList, snapshot: &Snapshot, (columns, lines): (usize, usize)) -> (Vec<Vec<Mark>>, String) {
    let (marks, clients) = (columns * lines, list.joined.len());
    if marks == 0 || clients == 0 {
        return (Vec::new(), none());
    }
    let each = clients.div_ceil(marks);
    let states: Vec<Mark> = list
        .joined
        .chunks(each)
        .map(|cohort| {
            let rows = cohort.iter().filter_map(|place| snapshot.clients.get(*place as usize));
            rows.map(|row| row.state).min_by_key(|state| severity(*state)).map_or(Mark::default(), mark)
        })
        .collect();
    let scale = format!("1 mark = {}", units::plural(each as u64, "client"));
    (states.chunks(columns).map(<[Mark]>::to_vec).collect(), scale)
}

/// Meaning of the letters, for the frame of the map.
pub(in crate::tui) const LEGEND: &str = ". play  o start  S stall  W wait  X dead  - left";

fn mark(state: ClientState) -> Mark {
    let sign = match state {
        ClientState::Playing => ".",
        ClientState::Starting => "o",
        ClientState::Stalled => "S",
        ClientState::Waiting => "W",
        ClientState::Dead => "X",
        ClientState::Finished | ClientState::Leaving => "-",
    };
    Mark { sign, role: state_role(state) }
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

fn detail(list: &ClientList, snapshot: &Snapshot) -> Table {
    let row = list.selected.and_then(|id| snapshot.clients.iter().find(|row| row.id == id));
    // The selection outlives its client: show that the client has left.
    let Some(row) = row else {
        return Table {
            title: Text::title(format!("Client {}", list.selected.map_or(String::new(), units::count))),
            none: "this client has left".to_owned(),
            ..Table::default()
        };
    };
    // Compute playback for the time at which the counters beside it were read.
    let now_us = snapshot.clients_at_us;
    let moment = |us: u64| units::clock(Duration::from_micros(us));
    let span = |us: u64| units::span(Duration::from_micros(us));
    let fact = |name: &str, value: String| [Text::label(name), Text::plain(value)];
    let last = row.last.map_or(units::UNKNOWN.to_owned(), |(outcome, at_us)| {
        format!("{} at {}", errors::name(outcome), moment(at_us))
    });
    let live = row.playback.live_latency_at(now_us).map_or(units::UNKNOWN.to_owned(), seconds);
    let facts = [
        fact("state", row.state.name().to_owned()),
        fact("requests", units::count(row.requests)),
        fact("stalls", units::count(row.stalls)),
        fact("joined", moment(row.playback.joined_us)),
        fact("segments", units::count(row.segments)),
        fact("HTTP errors", units::count(row.http_errors)),
        fact("played", span(row.playback.position_at(now_us))),
        fact("bytes", units::bytes(row.bytes)),
        fact("other faults", units::count(row.faults)),
        fact("buffer", span(row.playback.buffer_at(now_us))),
        fact("variant", bandwidth(row).text + " Mb/s"),
        fact("reconnections", units::count(row.reconnections)),
        fact("drift", span(row.playback.drift_at(now_us))),
        fact("largest drift", span(row.playback.max_drift_us)),
        fact("speed", row.speed.map_or(units::UNKNOWN.to_owned(), |speed| format!("{speed:.2}x"))),
        fact("live", live),
        fact("failures", units::count(row.failures())),
        fact("last", last),
    ];
    let lines = facts.chunks(FACTS_IN_A_LINE).map(|facts| Line::new(facts.concat()));
    Table {
        title: Text::title(format!("Client {}", units::count(row.id))),
        aside: vec![Text::label("Esc closes")],
        columns: FACTS,
        lines: lines.collect(),
        ..Table::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::app::View;
    use crate::tui::fixtures;

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
        list.arrange(&snapshot, View::Overview);
        let table = worst(&list, &snapshot, 3);
        let ids: Vec<&str> = table.lines.iter().map(|line| line.cells[0].text.as_str()).collect();
        assert_eq!(ids, ["6,001", "78", "1"]);
        assert!(worst(&list, &snapshot, 0).lines.is_empty());
    }

    #[test]
    fn every_client_is_in_one_mark_of_the_map_and_the_worst_of_a_mark_is_shown() {
        let snapshot = snapshot();
        let mut list = ClientList::default();
        list.joined = (0..10_000).collect();
        let (lines, scale) = map(&list, &snapshot, (74, 3));
        let marks: Vec<Mark> = lines.concat();
        assert_eq!((scale.as_str(), marks.len()), ("1 mark = 46 clients", 10_000_usize.div_ceil(46)));
        let stalled: Vec<usize> =
            marks.iter().enumerate().filter(|(_, mark)| mark.sign == "S").map(|(place, _)| place).collect();
        assert_eq!(stalled, [6_000 / 46]);
        assert!(lines.len() <= 3 && lines.iter().all(|line| line.len() <= 74));
        assert_eq!(map(&list, &snapshot, (0, 3)).0, Vec::<Vec<Mark>>::new());
    }

    #[test]
    fn seconds_are_cut_to_one_digit() {
        assert_eq!(tenths(1_960_000), "1.9");
        assert_eq!(tenths(0), "0.0");
    }
}
