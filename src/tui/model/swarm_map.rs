//! The map of all clients, in the order in which they joined.
//!
//! No list of ten thousand clients shows what they have in common. Clients that joined together lie together, and each
//! mark is as red as the share of its clients in trouble: a cohort that fails is a bar across, chance is grain. With a
//! quarter of the clients in trouble, the map looks like a quarter, however many a mark stands for.

use std::time::Duration;

use crate::sample::trouble_share;
use crate::stats::{ClientRow, Snapshot};
use crate::tui::layout::clients::{clients_per_line, clients_per_mark};
use crate::vocabulary::units;

/// The map.
#[derive(Debug, Default)]
pub(super) struct Map {
    /// Share of clients in trouble of each mark, line by line.
    pub(super) shares: Vec<Option<f64>>,
    /// Time at which the first client of each line of the screen joined.
    pub(super) joined: Vec<String>,
    /// The number of clients for each mark, as text.
    pub(super) scale: String,
}

impl Map {
    /// Builds a map of so many columns and lines of the screen; `joined` are the places of the clients in the
    /// snapshot, in the order in which they joined.
    pub(super) fn new(joined: &[u32], snapshot: &Snapshot, size: (usize, usize)) -> Self {
        let each = clients_per_mark(joined.len(), size);
        if each == 0 {
            return Self { scale: "no clients yet".to_owned(), ..Self::default() };
        }
        let row = |place: &u32| snapshot.clients.get(*place as usize);
        let in_trouble = |cohort: &[u32]| trouble_share(&mut cohort.iter().filter_map(row));
        let first = |line: &[u32]| line.first().and_then(row).map_or(String::new(), joined_at);
        Self {
            shares: joined.chunks(each).map(in_trouble).collect(),
            joined: joined.chunks(clients_per_line(joined.len(), size)).map(first).collect(),
            scale: format!("1 mark = {}", units::plural(each as u64, "client")),
        }
    }
}

fn joined_at(row: &ClientRow) -> String {
    units::clock(Duration::from_micros(row.playback.joined_us))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::fixtures;
    use crate::vocabulary::ClientState;

    fn map(clients: u64, state: impl Fn(u64) -> ClientState, room: (usize, usize)) -> Map {
        let rows: Vec<_> = (0..clients).map(|id| fixtures::row(id, state(id))).collect();
        let joined: Vec<u32> = (0..).take(rows.len()).collect();
        Map::new(&joined, &Snapshot { clients: rows.into(), ..Snapshot::default() }, room)
    }

    #[test]
    fn every_client_is_in_one_mark_and_the_mean_of_the_map_is_the_share_of_all() {
        let waiting = |id| if id % 25 < 6 { ClientState::Waiting } else { ClientState::Playing };
        let map = map(10_000, waiting, (50, 2));
        assert_eq!((map.scale.as_str(), map.shares.len()), ("1 mark = 50 clients", 200));
        assert!(map.shares.iter().all(|share| *share == Some(0.24)), "{:?}", map.shares);
        assert_eq!(map.joined, ["00:00:00", "00:04:10"]);
    }

    #[test]
    fn a_cohort_in_trouble_is_a_bar_and_one_client_a_speck() {
        let cohort = |id| if (200..400).contains(&id) { ClientState::Stalled } else { ClientState::Playing };
        let cohort = map(1_000, cohort, (25, 1));
        let red: Vec<usize> = (0..50).filter(|place| cohort.shares[*place] == Some(1.0)).collect();
        assert_eq!(red, (10..20).collect::<Vec<_>>());
        let one = map(1_000, |id| if id == 77 { ClientState::Dead } else { ClientState::Playing }, (25, 1));
        assert_eq!(one.shares.iter().filter(|share| **share > Some(0.0)).count(), 1);
        assert_eq!(one.shares[77 / 20], Some(0.05));
    }

    #[test]
    fn few_clients_are_a_mark_each_and_no_room_is_no_map() {
        let few = map(7, |_| ClientState::Playing, (50, 3));
        assert_eq!((few.shares.len(), few.joined.len(), few.scale.as_str()), (7, 1, "1 mark = 1 client"));
        assert!(map(7, |_| ClientState::Playing, (0, 3)).shares.is_empty());
        assert_eq!(map(0, |_| ClientState::Playing, (5, 3)).scale, "no clients yet");
    }
}
