//! The list of clients: its order, its filter and its selection.
//!
//! * The list is sorted for each steady sample and after keys that change it, not for each frame: ten thousand
//!   clients are sorted once a second.
//! * The selection is a client's number, never a line: it stays with its client wherever the order puts it.

use crate::sample::RunSample;
use crate::stats::{ClientRow, Snapshot, severity};
use crate::tui::keys::{Motion, Turn};
use crate::vocabulary::{ClientState, Outcome};

use super::filter::Filter;
use super::{View, rung_label};

/// Order of the list of clients.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::tui) enum Sort {
    /// Clients in the worst state first.
    #[default]
    Worst,
    Id,
    State,
    Variant,
    Buffer,
    Speed,
    Stalls,
    Errors,
    Requests,
    Bytes,
    Age,
}

impl Sort {
    const ALL: [Self; 11] = [
        Self::Worst,
        Self::Id,
        Self::State,
        Self::Variant,
        Self::Buffer,
        Self::Speed,
        Self::Stalls,
        Self::Errors,
        Self::Requests,
        Self::Bytes,
        Self::Age,
    ];

    /// Returns the name on the screen.
    pub(in crate::tui) const fn name(self) -> &'static str {
        match self {
            Self::Worst => "worst first",
            Self::Id => "by id",
            Self::State => "by state",
            Self::Variant => "by variant",
            Self::Buffer => "by buffer",
            Self::Speed => "by speed",
            Self::Stalls => "by stalls",
            Self::Errors => "by errors",
            Self::Requests => "by requests",
            Self::Bytes => "by bytes",
            Self::Age => "by age of last response",
        }
    }

    fn turned(self, turn: Turn) -> Self {
        turn.in_round(&Self::ALL, self)
    }

    /// Returns the sort key of a client; smaller keys come first. Where more is worse, more comes first.
    fn key(self, row: &ClientRow, now_us: u64) -> u64 {
        let more_first = |value: u64| u64::MAX - value;
        match self {
            Self::Worst => 0,
            Self::Id => row.id,
            Self::State => severity(row.state).into(),
            Self::Variant => more_first(row.playback.bandwidth),
            Self::Buffer => row.playback.buffer_at(now_us),
            Self::Speed => row.speed.map_or(u64::MAX, |speed| (speed.max(0.0) * 1e6) as u64),
            Self::Stalls => more_first(row.stalls),
            Self::Errors => more_first(row.failures()),
            Self::Requests => more_first(row.requests),
            Self::Bytes => more_first(row.bytes),
            Self::Age => more_first(row.last.map_or(0, |(_, at_us)| now_us.saturating_sub(at_us))),
        }
    }
}

/// Reports whether a client is in trouble now or its last request failed.
pub(super) fn is_in_trouble(row: &ClientRow) -> bool {
    severity(row.state) < severity(ClientState::Starting)
        || row.slow
        || row.last.is_some_and(|(outcome, _)| outcome != Outcome::Ok)
}

/// The list of clients and its settings.
#[derive(Debug, Default)]
pub(in crate::tui) struct ClientList {
    pub(in crate::tui) sort: Sort,
    pub(in crate::tui) reversed: bool,
    pub(in crate::tui) filter: Option<Filter>,
    pub(in crate::tui) faults_only: bool,
    /// The number of the selected client.
    pub(in crate::tui) selected: Option<u64>,
    /// Set to keep the selected client in sight.
    pub(in crate::tui) following: bool,
    /// Set to show all numbers of the selected client.
    pub(in crate::tui) open: bool,
    /// The first visible line.
    pub(in crate::tui) top: usize,
    /// Indexes into the snapshot, in the order of the list.
    pub(in crate::tui) order: Vec<u32>,
    /// Indexes into the snapshot, in the order in which the clients joined.
    pub(in crate::tui) joined: Vec<u32>,
    /// Lines that fit.
    room: usize,
}

impl ClientList {
    /// Returns the number of the client whose numbers are shown.
    pub(in crate::tui) fn opened(&self) -> Option<u64> {
        self.selected.filter(|_| self.open)
    }

    /// Orders the clients of a new sample for the view that shows them.
    pub(in crate::tui) fn arrange(&mut self, sample: &RunSample, view: View) {
        if view == View::Clients {
            self.order(sample);
        }
    }

    fn order(&mut self, sample: &RunSample) {
        let snapshot = &sample.snapshot;
        let rows = &snapshot.clients;
        let all = 0..u32::try_from(rows.len()).unwrap_or(u32::MAX);
        let row = |place: &u32| rows.get(*place as usize);
        self.joined.clear();
        self.joined.extend(all.clone());
        self.joined.sort_by_key(|place| row(place).map(|row| row.id));
        self.order.clear();
        let Self { filter, faults_only, order, .. } = self;
        let now_us = snapshot.clients_at_us;
        let takes = |row: &ClientRow| {
            let matches = |filter: &Filter| {
                filter.takes_row(row, now_us, &sample.stream.placements, || words(row, sample))
            };
            (!*faults_only || is_in_trouble(row)) && filter.as_ref().is_none_or(matches)
        };
        order.extend(all.filter(|place| row(place).is_some_and(takes)));
        match self.sort {
            Sort::Worst => order.sort_by_cached_key(|place| row(place).map(|row| row.badness(now_us))),
            sort => order.sort_by_cached_key(|place| row(place).map(|row| (sort.key(row, now_us), row.id))),
        }
        if self.reversed {
            self.order.reverse();
        }
        if self.following || self.open {
            self.bring_into_sight(snapshot);
        }
        self.top = self.top.min(self.order.len().saturating_sub(self.room.max(1)));
    }

    /// Adapts the list to `room` visible lines.
    pub(super) fn fit(&mut self, room: usize) {
        self.room = room;
        self.top = self.top.min(self.order.len().saturating_sub(room.max(1)));
    }

    pub(super) fn turn_sort(&mut self, turn: Turn) {
        (self.sort, self.reversed) = (self.sort.turned(turn), false);
    }

    /// Returns the position of the selected client in the list.
    pub(in crate::tui) fn place(&self, snapshot: &Snapshot) -> Option<usize> {
        let id = self.selected?;
        self.order.iter().position(|place| id_at(snapshot, *place) == Some(id))
    }

    /// Selects another client.
    pub(super) fn go(&mut self, motion: Motion, snapshot: &Snapshot) {
        let last = self.order.len().saturating_sub(1);
        let page = self.room.max(1);
        let to = match (motion, self.place(snapshot)) {
            (Motion::First, _) => 0,
            (Motion::Last, _) => last,
            // Without a selection, the first key selects the top line; later keys move from there.
            (_, None) => self.top,
            (Motion::Down, Some(at)) => at + 1,
            (Motion::Up, Some(at)) => at.saturating_sub(1),
            (Motion::PageDown, Some(at)) => at + page,
            (Motion::PageUp, Some(at)) => at.saturating_sub(page),
        };
        self.selected = self.order.get(to.min(last)).and_then(|place| id_at(snapshot, *place));
        self.bring_into_sight(snapshot);
    }

    pub(super) fn bring_into_sight(&mut self, snapshot: &Snapshot) {
        if let Some(at) = self.place(snapshot) {
            let below = at.saturating_sub(self.room.max(1) - 1);
            self.top = self.top.clamp(below, at.max(below));
        }
    }
}

fn id_at(snapshot: &Snapshot, place: u32) -> Option<u64> {
    snapshot.clients.get(place as usize).map(|row| row.id)
}

/// Returns the words that a filter is tried on: the client's number and state, its variant, its last outcome, and every
/// outcome that it ever had.
fn words(row: &ClientRow, sample: &RunSample) -> String {
    let last = row.last.map_or(String::new(), |(outcome, _)| outcome.to_string());
    let state = row.state.name();
    let mut words = format!("{} {state} {last} id:{} state:{state} last:{last}", row.id, row.id);
    let rung = row.placement.rung();
    if let Some(rung) = sample.stream.rungs.iter().find(|other| Some(other.place) == rung) {
        words.extend([" variant:", &rung_label(rung)]);
    }
    if let Some(edge) = sample.stream.placements.edge(row.placement) {
        words.extend([" edge:", &edge.to_string()]);
    }
    for (_, code) in sample.snapshot.codes.iter().enumerate().filter(|(place, _)| row.had >> place & 1 == 1) {
        // The status alone, too: `had:503`.
        let name = code.to_string();
        words.extend([" had:", &name, " had:", name.trim_start_matches("http.")]);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::fixtures;

    fn snapshot(count: u64) -> Snapshot {
        let clients: Vec<_> = (1..=count).map(|id| fixtures::row(id, ClientState::Playing)).collect();
        Snapshot { clients: clients.into(), clients_at_us: 64_000_000, ..Snapshot::default() }
    }

    fn arrange(list: &mut ClientList, snapshot: &Snapshot) {
        let sample = RunSample { snapshot: snapshot.clone(), ..RunSample::default() };
        list.arrange(&sample, View::Clients);
    }

    fn ids(list: &ClientList, snapshot: &Snapshot) -> Vec<u64> {
        list.order.iter().filter_map(|place| id_at(snapshot, *place)).collect()
    }

    #[test]
    fn every_order_names_every_client_once_and_turns_round() {
        let mut snapshot = snapshot(50);
        std::sync::Arc::make_mut(&mut snapshot.clients)[20].stalls = 3;
        std::sync::Arc::make_mut(&mut snapshot.clients)[30].state = ClientState::Stalled;
        let mut list = ClientList::default();
        let mut firsts = Vec::new();
        for _ in Sort::ALL {
            arrange(&mut list, &snapshot);
            let mut seen = ids(&list, &snapshot);
            firsts.push((list.sort, seen[0]));
            seen.sort_unstable();
            assert_eq!(seen, (1..=50).collect::<Vec<_>>());
            list.turn_sort(Turn::Next);
        }
        assert_eq!(list.sort, Sort::Worst);
        assert!(firsts.contains(&(Sort::Worst, 31)) && firsts.contains(&(Sort::Stalls, 21)), "{firsts:?}");
    }

    #[test]
    fn the_selection_stays_with_its_client_and_following_keeps_it_in_sight() {
        let mut snapshot = snapshot(100);
        let mut list = ClientList { sort: Sort::Stalls, ..ClientList::default() };
        list.fit(10);
        arrange(&mut list, &snapshot);
        list.go(Motion::Down, &snapshot);
        list.go(Motion::Down, &snapshot);
        assert_eq!((list.selected, list.top), (Some(2), 0));
        list.go(Motion::PageDown, &snapshot);
        assert_eq!((list.selected, list.top), (Some(12), 2));
        list.go(Motion::Last, &snapshot);
        assert_eq!((list.selected, list.top), (Some(100), 90));
        std::sync::Arc::make_mut(&mut snapshot.clients)[99].stalls = 9;
        arrange(&mut list, &snapshot);
        assert_eq!((list.place(&snapshot), list.top), (Some(0), 90));
        list.following = true;
        arrange(&mut list, &snapshot);
        assert_eq!((list.place(&snapshot), list.top), (Some(0), 0));
        (list.following, list.open, list.top) = (false, true, 90);
        arrange(&mut list, &snapshot);
        assert_eq!(list.top, 0, "the client whose numbers are shown is listed");
    }

    #[test]
    fn a_list_without_clients_can_be_moved_in() {
        let (snapshot, mut list) = (Snapshot::default(), ClientList::default());
        arrange(&mut list, &snapshot);
        for motion in [Motion::Down, Motion::PageUp, Motion::Last, Motion::First] {
            list.go(motion, &snapshot);
        }
        assert_eq!((list.selected, list.top), (None, 0));
    }

    #[test]
    fn faults_only_and_a_filter_leave_lines_out() {
        let mut snapshot = snapshot(30);
        std::sync::Arc::make_mut(&mut snapshot.clients)[4].state = ClientState::Stalled;
        let mut list = ClientList { faults_only: true, ..ClientList::default() };
        arrange(&mut list, &snapshot);
        assert_eq!(ids(&list, &snapshot), [5]);
        list.faults_only = false;
        list.filter = Filter::new("!playing").expect("a pattern");
        arrange(&mut list, &snapshot);
        assert_eq!(ids(&list, &snapshot), [5]);
    }

    #[test]
    fn a_filter_finds_clients_by_what_they_ever_had() {
        let mut snapshot = snapshot(30);
        snapshot.codes = vec![Outcome::from_status(404, false), Outcome::from_status(503, false)];
        std::sync::Arc::make_mut(&mut snapshot.clients)[7].had = 0b10;
        std::sync::Arc::make_mut(&mut snapshot.clients)[8].had = 0b01;
        let mut list = ClientList::default();
        for (text, expected) in [
            ("had:503", &[8][..]),
            ("503", &[8]),
            ("had:http.4", &[9]),
            ("id:12\\b", &[12]),
            ("last:503", &[]),
        ] {
            list.filter = Filter::new(text).expect("a pattern");
            arrange(&mut list, &snapshot);
            assert_eq!(ids(&list, &snapshot), expected, "{text}");
        }
    }
}
