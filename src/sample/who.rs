//! The clients in trouble by what they have in common: is it one variant, is it those that came last?

use std::time::Duration;

use crate::stats::ClientRow;
use crate::vocabulary::{ClientState, share, units};

/// Number of groups by the order of joining.
const JOINED: usize = 10;
/// Maximum number of variants that have a group: a ladder rarely has more.
const VARIANTS: usize = 12;
/// Clients by the order of joining are compared only if each group has some.
const LEAST_CLIENTS: usize = 2 * JOINED;

/// Property by which clients are grouped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dimension {
    /// The variant that a client plays.
    Variant,
    /// The time at which it joined.
    Joined,
}

impl Dimension {
    /// Returns the word on the screen.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Variant => "variant",
            Self::Joined => "joined",
        }
    }
}

/// Clients that have something in common.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// Property that they share.
    pub dimension: Dimension,
    /// Bit rate or time of joining that they share.
    pub name: String,
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
    pub groups: Vec<Group>,
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

    fn group(self, dimension: Dimension, name: String) -> Group {
        let Self { clients, trouble } = self;
        Group { dimension, name, clients, trouble, share: self.share() }
    }

    fn share(self) -> Option<f64> {
        share(self.trouble.into(), self.clients.into())
    }
}

impl Who {
    /// Groups the clients of a whole reading.
    pub fn new(rows: &[ClientRow]) -> Self {
        let all = trouble_share(&mut rows.iter());
        let rows: Vec<&ClientRow> = rows.iter().filter(|row| row.state != ClientState::Finished).collect();
        let [mut variants, mut joined] = [by_variant(&rows), by_joining(rows)];
        for groups in [&mut variants, &mut joined] {
            groups.sort_by(|one, other| other.share.unwrap_or(0.0).total_cmp(&one.share.unwrap_or(0.0)));
        }
        variants.append(&mut joined);
        Self { all, groups: variants }
    }

    /// Returns the groups of a dimension, the largest share first.
    pub fn of(&self, dimension: Dimension) -> impl Iterator<Item = &Group> {
        self.groups.iter().filter(move |group| group.dimension == dimension)
    }

    /// Reports whether a dimension tells clients apart: its largest share is at least twice its smallest.
    pub fn differs(&self, dimension: Dimension) -> bool {
        let shares = || self.of(dimension).filter_map(|group| group.share);
        let (largest, smallest) = (shares().fold(0.0, f64::max), shares().fold(1.0, f64::min));
        largest > 0.0 && largest >= 2.0 * smallest
    }
}

fn by_variant(rows: &[&ClientRow]) -> Vec<Group> {
    let mut counts: Vec<(u64, Count)> = Vec::new();
    for row in rows.iter().filter(|row| row.playback.bandwidth > 0) {
        let bandwidth = row.playback.bandwidth;
        let place = counts.iter().position(|(of, _)| *of == bandwidth).unwrap_or_else(|| {
            counts.push((bandwidth, Count::default()));
            counts.len() - 1
        });
        // Sums of audio and video can make more bit rates than a ladder has variants.
        if let Some((_, count)) = counts.get_mut(place.min(VARIANTS)) {
            count.add(row);
        }
        counts.truncate(VARIANTS + 1);
    }
    let name = |place: usize, bandwidth: u64| match place {
        VARIANTS => "others".to_owned(),
        _ => units::bit_rate(bandwidth as f64),
    };
    let groups = counts.into_iter().enumerate();
    groups
        .map(|(place, (bandwidth, count))| count.group(Dimension::Variant, name(place, bandwidth)))
        .collect()
}

fn by_joining(mut rows: Vec<&ClientRow>) -> Vec<Group> {
    if rows.len() < LEAST_CLIENTS {
        return Vec::new();
    }
    rows.sort_unstable_by_key(|row| row.id);
    let groups = rows.chunks(rows.len().div_ceil(JOINED)).map(|cohort| {
        let mut count = Count::default();
        cohort.iter().for_each(|row| count.add(row));
        count.group(Dimension::Joined, joined(cohort))
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
    use crate::stats::{Registry, Snapshot};
    use crate::vocabulary::{Clock, Playback};

    /// Returns the groups of clients of which each has this state and bit rate.
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
        Who::new(&snapshot.clients)
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
        assert_eq!((who.of(Dimension::Variant).count(), others.clients), (VARIANTS + 1, 8));
    }
}
