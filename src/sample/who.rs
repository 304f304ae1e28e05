//! The clients in trouble by what they have in common: is it one edge, one variant, those that came last, one worker?

use std::net::SocketAddr;
use std::time::Duration;

use crate::stats::{ClientRow, PlacementIndex, RungName};
use crate::vocabulary::{ClientState, share, units};

/// Number of groups by the order of joining.
const JOINED: usize = 10;
/// Maximum number of groups by edge, variant or worker: a ladder rarely has more variants.
const GROUPS: usize = 12;
/// Clients in trouble of one worker from which on workers are compared: clients are dealt out to them in turn, so a few
/// fall on one of them by chance.
const LEAST_TROUBLE: u32 = 20;
/// Clients by the order of joining are compared only if each group has some.
const LEAST_CLIENTS: usize = 2 * JOINED;

/// Property by which clients are grouped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dimension {
    /// The address that answered a client last.
    Edge,
    /// The variant that a client plays.
    Variant,
    /// The time at which it joined.
    Joined,
    /// The worker thread that runs it: trouble of a single one is trouble of the load tester.
    Worker,
}

impl Dimension {
    /// Returns the word on the screen.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Edge => "edge",
            Self::Variant => "variant",
            Self::Joined => "joined",
            Self::Worker => "worker",
        }
    }
}

/// Property that the clients of a group share, as a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupKey {
    /// The address that answered them last.
    Edge(SocketAddr),
    /// The place of the rung that they play.
    Rung(usize),
    /// The bit rate of what they play, without a ladder.
    BitRate(u64),
    /// Numbers of the first and the last client.
    Joined(u64, u64),
    /// The number of their worker.
    Worker(usize),
    /// Nothing: they are what the other groups leave.
    Others,
}

/// Clients that have something in common.
#[derive(Clone, Debug, PartialEq)]
pub struct WhoGroup {
    /// Property that they share.
    pub dimension: Dimension,
    /// Address, variant, time of joining or number of the worker that they share.
    pub name: String,
    /// The same as a value.
    pub key: GroupKey,
    /// Number of clients.
    pub clients: u32,
    /// Number of them that wait, are stalled or are dead.
    pub trouble: u32,
    /// `trouble` as a share of the clients.
    pub share: Option<f64>,
}

/// Shares in trouble, of all clients and by group.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Who {
    /// Share of all clients but the finished ones; `None` without any.
    pub all: Option<f64>,
    /// Groups of each dimension, the largest share first.
    pub groups: Vec<WhoGroup>,
}

/// Returns the share of these clients that wait, are stalled or are dead; `None` if all have finished.
pub fn trouble_share(rows: &mut dyn Iterator<Item = &ClientRow>) -> Option<f64> {
    let mut count = Count::default();
    rows.filter(|row| row.state != ClientState::Finished).for_each(|row| count.add(row));
    count.share()
}

/// Clients that are counted together, and those of them in trouble.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    clients: u32,
    trouble: u32,
}

impl Count {
    fn add(&mut self, row: &ClientRow) {
        self.clients += 1;
        self.trouble += u32::from(row.state.is_trouble());
    }

    fn and(mut self, row: &ClientRow) -> Self {
        self.add(row);
        self
    }

    fn group(self, dimension: Dimension, (name, key): (String, GroupKey)) -> WhoGroup {
        let Self { clients, trouble } = self;
        WhoGroup { dimension, name, key, clients, trouble, share: self.share() }
    }

    fn share(self) -> Option<f64> {
        share(self.trouble.into(), self.clients.into())
    }
}

impl Who {
    /// Groups the clients of a whole reading by the edges and rungs of `index`. `canary` is the worker that has a single
    /// client.
    pub fn new(rows: &[ClientRow], index: &PlacementIndex, canary: Option<usize>) -> Self {
        let all = trouble_share(&mut rows.iter());
        let rows: Vec<&ClientRow> = rows.iter().filter(|row| row.state != ClientState::Finished).collect();
        let [edges, variants] = [by_edge(&rows, index), by_variant(&rows, index)];
        let workers = by_worker(&rows, canary);
        let mut dimensions = [edges, variants, by_joining(rows), workers];
        for groups in &mut dimensions {
            groups.sort_by(|one, other| other.share.unwrap_or(0.0).total_cmp(&one.share.unwrap_or(0.0)));
        }
        Self { all, groups: dimensions.into_iter().flatten().collect() }
    }

    /// Returns the groups of a dimension, the largest share first.
    pub fn of(&self, dimension: Dimension) -> impl Iterator<Item = &WhoGroup> {
        self.groups.iter().filter(move |group| group.dimension == dimension)
    }

    /// Returns the groups for this many lines, the largest share of each dimension first. A dimension that tells no clients
    /// apart has no line, unless no other does; then the first one with two groups has, or else the first one with any.
    pub fn shown(&self, room: usize) -> Vec<&WhoGroup> {
        const ALL: [Dimension; 4] =
            [Dimension::Edge, Dimension::Variant, Dimension::Joined, Dimension::Worker];
        let mut shown: Vec<Dimension> =
            ALL.into_iter().filter(|dimension| self.differs(*dimension)).collect();
        if shown.is_empty() {
            let has_groups =
                |least: usize| ALL.into_iter().find(|dimension| self.of(*dimension).nth(least - 1).is_some());
            shown.extend(has_groups(2).or(has_groups(1)));
        }
        // The first dimension gets the line that is left over.
        let mut groups = Vec::new();
        for (place, dimension) in shown.iter().enumerate() {
            let part = (room - groups.len()).div_ceil(shown.len() - place);
            groups.extend(self.of(*dimension).take(part));
        }
        groups
    }

    /// Reports whether a dimension tells clients apart: its largest share is at least twice its smallest, and no matter of
    /// chance.
    pub fn differs(&self, dimension: Dimension) -> bool {
        let trouble = self.of(dimension).map(|group| group.trouble).max();
        if dimension == Dimension::Worker && trouble < Some(LEAST_TROUBLE) {
            return false;
        }
        let shares = || self.of(dimension).filter_map(|group| group.share);
        let (largest, smallest) = (shares().fold(0.0, f64::max), shares().fold(1.0, f64::min));
        largest > 0.0 && largest >= 2.0 * smallest
    }
}

/// Counts clients by a key, in the order of the keys; those without one are left out. Clients of more than [`GROUPS`]
/// keys are counted together, with no key.
fn by_key<K: Ord>(rows: &[&ClientRow], key: impl Fn(&ClientRow) -> Option<K>) -> Vec<(Option<K>, Count)> {
    let (mut groups, mut others): (Vec<(K, Count)>, _) = (Vec::new(), Count::default());
    for row in rows {
        let Some(key) = key(row) else { continue };
        if let Some((_, count)) = groups.iter_mut().find(|(known, _)| *known == key) {
            count.add(row);
        } else if groups.len() == GROUPS {
            others.add(row);
        } else {
            groups.push((key, Count::default().and(row)));
        }
    }
    groups.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
    let keyed = groups.into_iter().map(|(key, count)| (Some(key), count));
    keyed.chain((others.clients > 0).then_some((None, others))).collect()
}

/// Makes groups of counted clients, each with the name of its key.
fn named<K>(
    dimension: Dimension,
    counts: Vec<(Option<K>, Count)>,
    name: impl Fn(&K) -> (String, GroupKey),
) -> Vec<WhoGroup> {
    let name = |key: Option<K>| key.map_or_else(|| ("others".to_owned(), GroupKey::Others), |key| name(&key));
    counts.into_iter().map(|(key, count)| count.group(dimension, name(key))).collect()
}

fn by_edge(rows: &[&ClientRow], index: &PlacementIndex) -> Vec<WhoGroup> {
    let counts = by_key(rows, |row| index.edge(row.placement));
    let edges: Vec<SocketAddr> = counts.iter().filter_map(|(edge, _)| *edge).collect();
    named(Dimension::Edge, counts, |edge| {
        // The port is of interest only where it tells two edges apart.
        let is_alone = edges.iter().filter(|other| other.ip() == edge.ip()).count() == 1;
        let name = if is_alone { edge.ip().to_string() } else { edge.to_string() };
        (name, GroupKey::Edge(*edge))
    })
}

/// Variant of a client: its place in the ladder or, without a ladder, its bit rate.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum VariantKey {
    Place(usize),
    BitRate(u64),
}

fn by_variant(rows: &[&ClientRow], index: &PlacementIndex) -> Vec<WhoGroup> {
    let rung_name = |place| index.rung(place)?.name.as_deref();
    let key = |row: &ClientRow| {
        let place = row.placement.rung().filter(|place| rung_name(*place).is_some());
        let bandwidth = Some(row.playback.bandwidth).filter(|bandwidth| *bandwidth > 0);
        place.map(VariantKey::Place).or(bandwidth.map(VariantKey::BitRate))
    };
    named(Dimension::Variant, by_key(rows, key), |variant| match variant {
        VariantKey::Place(place) => {
            (rung_name(*place).map(variant_name).unwrap_or_default(), GroupKey::Rung(*place))
        }
        VariantKey::BitRate(bits) => (units::bit_rate(*bits as f64), GroupKey::BitRate(*bits)),
    })
}

/// Returns the label of a variant and its bit rate, which may be the label.
fn variant_name(name: &RungName) -> String {
    let rate = name.bandwidth.map(|bandwidth| units::bit_rate(bandwidth as f64));
    match rate.filter(|rate| *rate != *name.label) {
        Some(rate) => format!("{} {rate}", name.label),
        None => name.label.to_string(),
    }
}

fn by_worker(rows: &[&ClientRow], canary: Option<usize>) -> Vec<WhoGroup> {
    // The canary has a worker of its own, of which it is the only client: no group.
    let counts = by_key(rows, |row| row.placement.worker().filter(|worker| Some(*worker) != canary));
    if counts.len() < 2 {
        Vec::new()
    } else {
        named(Dimension::Worker, counts, |worker| (worker.to_string(), GroupKey::Worker(*worker)))
    }
}

fn by_joining(mut rows: Vec<&ClientRow>) -> Vec<WhoGroup> {
    if rows.len() < LEAST_CLIENTS {
        return Vec::new();
    }
    rows.sort_unstable_by_key(|row| row.id);
    let groups = rows.chunks(rows.len().div_ceil(JOINED)).map(|cohort| {
        let mut count = Count::default();
        cohort.iter().for_each(|row| count.add(row));
        let [first, last] = [cohort.first(), cohort.last()].map(|row| row.map_or(0, |row| row.id));
        count.group(Dimension::Joined, (joined(cohort), GroupKey::Joined(first, last)))
    });
    groups.collect()
}

/// Returns the times at which the first and the last of these clients joined, or their numbers if it was within a
/// second.
fn joined(cohort: &[&ClientRow]) -> String {
    let (Some(first), Some(last)) = (cohort.first(), cohort.last()) else { return String::new() };
    let [from, to] = [first, last].map(|row| units::clock(Duration::from_micros(row.playback.joined_us)));
    if from == to { format!("{from}, {}-{}", first.id, last.id) } else { format!("{from}-{to}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::{Placement, Registry, RungKind, RungRow, Snapshot};
    use crate::vocabulary::{Clock, Playback};
    use std::sync::Arc;

    /// Returns the groups of clients on one worker of which each has this state and bit rate.
    fn who(clients: impl Iterator<Item = (ClientState, u64)>) -> Who {
        let (registry, mut snapshot) = (Registry::new(1), Snapshot::default());
        let handles: Vec<_> = (0..)
            .zip(clients)
            .map(|(second, (state, bandwidth))| {
                let handle = registry.add();
                handle.meter(0, Clock::start()).publish(&Playback {
                    state,
                    joined_us: second * 1_000_000,
                    offset_us: 0,
                    dry_at_us: 0,
                    max_drift_us: 0,
                    bandwidth,
                    live_offset_us: None,
                });
                handle
            })
            .collect();
        registry.snapshot(0, &mut snapshot);
        assert_eq!(snapshot.clients.len(), handles.len());
        Who::new(&snapshot.clients, &PlacementIndex::default(), None)
    }

    #[test]
    fn a_variant_in_trouble_comes_first() {
        let who = who((0..40).map(|number| match number % 4 {
            0 => (ClientState::Stalled, 6_000_000),
            1 => (ClientState::Playing, 6_000_000),
            _ => (ClientState::Playing, 1_000_000),
        }));
        assert_eq!(who.all, Some(0.25));
        let variants: Vec<_> = who
            .of(Dimension::Variant)
            .map(|group| (group.name.as_str(), group.clients, group.trouble))
            .collect();
        assert_eq!(variants, [("6 Mb/s", 20, 10), ("1 Mb/s", 20, 0)]);
        assert!(who.differs(Dimension::Variant) && !who.differs(Dimension::Joined));
        assert_eq!(who.of(Dimension::Joined).count(), JOINED);
    }

    #[test]
    fn those_that_came_last_are_found() {
        let who = who((0..100).map(|number| {
            (if number >= 90 { ClientState::Waiting } else { ClientState::Playing }, 6_000_000)
        }));
        let first = who.of(Dimension::Joined).next().expect("a group");
        assert_eq!((first.name.as_str(), first.clients, first.share), ("00:01:30-00:01:39", 10, Some(1.0)));
        assert!(who.differs(Dimension::Joined) && !who.differs(Dimension::Variant));
    }

    fn row(id: u64, state: ClientState, placement: Placement) -> ClientRow {
        ClientRow { id, state, placement, ..ClientRow::fresh() }
    }

    fn groups(who: &Who, dimension: Dimension) -> Vec<(&str, u32, u32)> {
        who.of(dimension).map(|group| (group.name.as_str(), group.clients, group.trouble)).collect()
    }

    #[test]
    fn an_edge_of_two_workers_is_one_group_and_has_its_port_if_that_tells_it_apart() {
        let edge = |last, port| SocketAddr::from(([10, 0, 0, last], port));
        let edges = vec![vec![edge(1, 443), edge(2, 443)], vec![edge(2, 443), edge(1, 443), edge(2, 8443)]];
        let clients = [(0, 0), (1, 0), (0, 1), (1, 1), (2, 1)].into_iter().zip(0..);
        let rows: Vec<_> = clients
            .map(|((edge, worker), id)| {
                let state = if id == 4 { ClientState::Stalled } else { ClientState::Playing };
                row(id, state, Placement::default().at(edge, worker))
            })
            .collect();
        let who = Who::new(&rows, &PlacementIndex::of(edges, Vec::new()), None);
        let edges = [("10.0.0.2:8443", 1, 1), ("10.0.0.1", 2, 0), ("10.0.0.2:443", 2, 0)];
        assert_eq!(groups(&who, Dimension::Edge), edges);
        assert_eq!(groups(&who, Dimension::Worker), [("1", 3, 1), ("0", 2, 0)]);
        assert!(who.differs(Dimension::Edge) && !who.differs(Dimension::Worker));
        let with_canary = Who::new(&rows, &PlacementIndex::default(), Some(1));
        assert_eq!(groups(&with_canary, Dimension::Worker), [], "one worker is no comparison");
    }

    #[test]
    fn a_worker_differs_from_the_others_if_that_is_no_chance() {
        let differs = |trouble: u64| {
            let state = |id| if id < trouble { ClientState::Stalled } else { ClientState::Playing };
            let worker = |id| usize::from(id >= 50);
            let place = |id| row(id, state(id), Placement::default().at(0, worker(id)));
            let rows: Vec<_> = (0..100).map(place).collect();
            Who::new(&rows, &PlacementIndex::default(), None).differs(Dimension::Worker)
        };
        assert_eq!([19, 20].map(differs), [false, true]);
    }

    #[test]
    fn a_variant_has_the_name_of_its_rung() {
        let name = |label: &str, bandwidth| RungName {
            kind: RungKind::Variant,
            label: label.into(),
            size: None,
            frame_rate: None,
            bandwidth,
            codecs: "".into(),
        };
        let names = [name("1080p", Some(6_000_000)), name("128 kb/s", Some(128_000)), name("480p", None)];
        let rung = |(place, name)| RungRow { place, name: Some(Arc::new(name)), listing: None };
        let index = PlacementIndex::of(Vec::new(), names.into_iter().enumerate().map(rung).collect());
        let rows: Vec<_> =
            (0..9).map(|id| row(id.into(), ClientState::Playing, Placement::on_rung(id % 3))).collect();
        let who = Who::new(&rows, &index, None);
        let variants = [("1080p 6 Mb/s", 3, 0), ("128 kb/s", 3, 0), ("480p", 3, 0)];
        assert_eq!(groups(&who, Dimension::Variant), variants);
    }

    #[test]
    fn finished_clients_and_unknown_variants_are_in_no_group() {
        let none = who([(ClientState::Finished, 5_000_000)].into_iter());
        assert_eq!((none.all, none.groups.len()), (None, 0));
        let one = who([(ClientState::Dead, 0)].into_iter());
        assert_eq!((one.all, one.groups.len()), (Some(1.0), 0));
    }

    #[test]
    fn more_bit_rates_than_a_ladder_has_are_counted_together() {
        let who = who((1..=20).map(|number| (ClientState::Playing, number * 1_000_000)));
        let others = who.of(Dimension::Variant).find(|group| group.name == "others").expect("a group");
        assert_eq!((who.of(Dimension::Variant).count(), others.clients), (GROUPS + 1, 8));
    }
}
