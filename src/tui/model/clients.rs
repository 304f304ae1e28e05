//! The table of clients, worst first; only the lines that are seen are made.

use crate::base::{ClientState, Outcome, units};
use crate::stats::{ClientRow, Snapshot};
use crate::tui::theme::Role;

use super::Text;
use super::errors;
use super::overview::state_role;

/// The columns: heading and width.
pub(in crate::tui) const COLUMNS: [(&str, u16); 9] = [
    ("ID", 9),
    ("STATE", 9),
    ("BUF s", 7),
    ("SPEED", 6),
    ("STALLS", 6),
    ("ERR", 6),
    ("REQ", 8),
    ("AGE s", 7),
    ("LAST", 24),
];

/// What stands in one line.
pub(in crate::tui) type ClientLine = [Text; COLUMNS.len()];

/// The table.
#[derive(Debug, Default)]
pub(in crate::tui) struct ClientTable {
    /// Which of how many are shown.
    pub(in crate::tui) range: String,
    pub(in crate::tui) order: &'static str,
    pub(in crate::tui) lines: Vec<ClientLine>,
}

impl ClientTable {
    pub(super) fn of(snapshot: &Snapshot, room: usize) -> Self {
        let count = snapshot.clients.len();
        let shown = worst_first(snapshot, room);
        let range = match shown.len() {
            0 => format!("{} clients", units::count(count as u64)),
            to => format!("1-{} of {}", units::count(to as u64), units::count(count as u64)),
        };
        let lines = shown.into_iter().map(|row| line(row, snapshot.at_us)).collect();
        Self { range, order: "worst first", lines }
    }
}

/// The `room` worst clients; a full sort of ten thousand is not worth forty lines.
fn worst_first(snapshot: &Snapshot, room: usize) -> Vec<&ClientRow> {
    let mut rows: Vec<&ClientRow> = snapshot.clients.iter().collect();
    let key = |row: &&ClientRow| badness(row, snapshot.at_us);
    if room > 0 && room < rows.len() {
        rows.select_nth_unstable_by_key(room, key);
    }
    rows.truncate(room);
    rows.sort_unstable_by_key(key);
    rows
}

/// What is worse is smaller; the client's number makes the order one that does not change by itself.
fn badness(row: &ClientRow, now_us: u64) -> (u8, bool, u64, u64, u64) {
    let failures = u64::MAX - row.failures() - row.stalls;
    (severity(row.state), !row.slow, failures, row.playback.buffer_at(now_us), row.id)
}

/// What an operator looks for first.
const fn severity(state: ClientState) -> u8 {
    match state {
        ClientState::Stalled => 0,
        ClientState::Waiting => 1,
        ClientState::Dead => 2,
        ClientState::Starting => 3,
        ClientState::Playing => 4,
        ClientState::Leaving => 5,
        ClientState::Finished => 6,
    }
}

fn line(row: &ClientRow, now_us: u64) -> ClientLine {
    let counted = |value: u64| {
        let role = if value == 0 { Role::Label } else { Role::Plain };
        Text::new(role, units::count(value))
    };
    let (last, age) = match row.last {
        Some((outcome, at_us)) => (last(outcome), tenths(now_us.saturating_sub(at_us))),
        None => (Text::label(units::UNKNOWN), units::UNKNOWN.to_owned()),
    };
    [
        Text::plain(units::count(row.id)),
        Text::new(state_role(row.state), row.state.name()),
        Text::plain(tenths(row.playback.buffer_at(now_us))),
        speed(row),
        counted(row.stalls),
        counted(row.failures()),
        Text::plain(units::count(row.requests)),
        Text::plain(age),
        last,
    ]
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

/// Seconds with one digit, cut and not rounded.
fn tenths(microseconds: u64) -> String {
    let tenths = microseconds / 100_000;
    format!("{}.{}", units::count(tenths / 10), tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::stage;

    #[test]
    fn stalled_clients_come_first_and_only_as_many_as_there_is_room_for() {
        let clients = (1..=10_000).map(|id| stage::row(id, ClientState::Playing)).collect();
        let mut snapshot = Snapshot { clients, ..Snapshot::default() };
        snapshot.clients[6_000].state = ClientState::Stalled;
        snapshot.clients[77].http_errors = 4;
        let table = ClientTable::of(&snapshot, 3);
        let ids: Vec<&str> = table.lines.iter().map(|line| line[0].text.as_str()).collect();
        assert_eq!(ids, ["6,001", "78", "1"]);
        assert_eq!(table.range, "1-3 of 10,000");
        assert!(ClientTable::of(&snapshot, 0).lines.is_empty());
    }

    #[test]
    fn seconds_are_cut_to_one_digit() {
        assert_eq!(tenths(1_960_000), "1.9");
        assert_eq!(tenths(0), "0.0");
    }
}
