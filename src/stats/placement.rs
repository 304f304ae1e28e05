//! Placement of a client: the edge that answered it last, the rungs that it plays and its worker.
//!
//! A placement fills the bits beside the client's state in one word. So a request costs a comparison, and a store only
//! when the client has moved.

use std::net::SocketAddr;

use super::ladder::RungRow;
use crate::vocabulary::Rung;

/// Number of rungs that a client plays at most: the video or all, the audio beside it, and the subtitles.
pub const PLAYED: usize = 3;

/// Bits of a placement that hold one number. They are 0 if it is unknown, so each number is stored plus one.
#[derive(Clone, Copy)]
struct Field {
    shift: u32,
    bits: u32,
}

impl Field {
    const EDGE: Self = Self { shift: 0, bits: 8 };
    const WORKER: Self = Self { shift: 8, bits: 12 };
    const RUNGS: [Self; PLAYED] =
        [Self { shift: 24, bits: 8 }, Self { shift: 32, bits: 8 }, Self { shift: 40, bits: 8 }];

    const fn largest(self) -> u64 {
        (1 << self.bits) - 1
    }
}

/// Placement of a client; all of it is unknown by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Placement(u64);

impl Placement {
    /// Returns the placement in a word that has this many other bits below it.
    #[inline]
    pub(super) const fn above(bits: u32, word: u64) -> Self {
        Self(word >> bits)
    }

    /// Returns a word with the placement above this many other bits.
    #[inline]
    pub(super) const fn shifted(self, bits: u32) -> u64 {
        self.0 << bits
    }

    fn get(self, field: Field) -> Option<usize> {
        (self.0 >> field.shift & field.largest()).checked_sub(1).map(|number| number as usize)
    }

    #[inline]
    const fn with(self, field: Field, number: Option<usize>) -> Self {
        let stored = match number {
            Some(number) if (number as u64) < field.largest() => number as u64 + 1,
            _ => 0,
        };
        Self(self.0 & !(field.largest() << field.shift) | stored << field.shift)
    }

    /// Returns this placement with another edge, by its place in the table of the worker.
    #[inline]
    pub(super) const fn on_edge(self, edge: Option<usize>) -> Self {
        self.with(Field::EDGE, edge)
    }

    /// Returns this placement with another worker.
    pub(super) const fn on_worker(self, worker: usize) -> Self {
        self.with(Field::WORKER, Some(worker))
    }

    /// Returns this placement with other rungs.
    pub(super) fn playing(self, rungs: [Option<Rung>; PLAYED]) -> Self {
        let rungs = Field::RUNGS.into_iter().zip(rungs);
        rungs.fold(self, |placement, (field, rung)| placement.with(field, rung.and_then(Rung::place)))
    }

    /// Returns the place of the variant that the client plays; `None` while it is unknown.
    pub fn rung(self) -> Option<usize> {
        let [main, ..] = Field::RUNGS;
        self.get(main)
    }

    /// Returns the places of all rungs that the client plays.
    pub fn rungs(self) -> impl Iterator<Item = usize> {
        Field::RUNGS.into_iter().filter_map(move |field| self.get(field))
    }

    /// Returns the number of the client's worker.
    pub fn worker(self) -> Option<usize> {
        self.get(Field::WORKER)
    }
}

/// Placements of test clients.
#[cfg(test)]
impl Placement {
    /// Creates the placement of a client that plays the rung at `place`.
    pub(crate) const fn on_rung(place: u8) -> Self {
        Self(0).with(Field::RUNGS[0], Some(place as usize))
    }

    /// Returns this placement on an edge and a worker.
    pub(crate) const fn at(self, edge: usize, worker: usize) -> Self {
        self.on_edge(Some(edge)).on_worker(worker)
    }
}

/// Edges and rungs that placements refer to.
#[derive(Clone, Debug, Default)]
pub struct PlacementIndex {
    /// Addresses that each worker distinguishes, by worker.
    pub(super) edges: Vec<Vec<SocketAddr>>,
    /// Rungs of the ladder, in the order of their places.
    pub rungs: Vec<RungRow>,
}

impl PlacementIndex {
    /// Returns the address that answered a client last; `None` if none has or its worker distinguishes too many.
    pub fn edge(&self, placement: Placement) -> Option<SocketAddr> {
        self.edges.get(placement.worker()?)?.get(placement.get(Field::EDGE)?).copied()
    }

    /// Returns the rung at a place.
    pub fn rung(&self, place: usize) -> Option<&RungRow> {
        let row = self.rungs.binary_search_by_key(&place, |row| row.place).ok()?;
        self.rungs.get(row)
    }

    /// Creates the index of workers that distinguish these addresses each.
    #[cfg(test)]
    pub(crate) fn of(edges: Vec<Vec<SocketAddr>>, rungs: Vec<RungRow>) -> Self {
        Self { edges, rungs }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Registry;
    use crate::vocabulary::{Clock, ConnectionRoute};

    #[test]
    fn what_does_not_fit_is_unknown_and_leaves_the_rest_as_it_was() {
        let placed = Placement::on_rung(7).at(63, 3_999);
        assert_eq!(
            (placed.rung(), placed.worker(), placed.get(Field::EDGE)),
            (Some(7), Some(3_999), Some(63))
        );
        let crowded = placed.on_edge(Some(255));
        assert_eq!(
            (crowded.rung(), crowded.worker(), crowded.get(Field::EDGE)),
            (Some(7), Some(3_999), None)
        );
        assert_eq!(placed.on_worker(4_095).worker(), None);
        assert_eq!(placed.on_edge(None).get(Field::EDGE), None);
        let beyond = [Some(Rung::Variant(16)), Some(Rung::Rendition(0)), None];
        let playing = placed.playing(beyond);
        assert_eq!((playing.rung(), playing.rungs().collect::<Vec<_>>()), (None, vec![16]));
        assert_eq!(Placement::default().rungs().count(), 0);
    }

    #[test]
    fn an_edge_is_one_of_the_tables_of_its_own_worker() {
        let [one, other] = [1, 2].map(|last| SocketAddr::from(([10, 0, 0, last], 443)));
        let index = PlacementIndex::of(vec![vec![one, other], vec![other]], Vec::new());
        let edge = |edge, worker| index.edge(Placement::default().at(edge, worker));
        assert_eq!([edge(0, 0), edge(1, 0), edge(0, 1)], [Some(one), Some(other), Some(other)]);
        assert_eq!([edge(1, 1), edge(0, 2), index.edge(Placement::on_rung(0))], [None; 3]);
    }

    #[test]
    fn a_client_is_on_the_edge_that_answered_it_last_and_on_the_rungs_that_it_plays() {
        let (registry, mut index) = (Registry::new(2), PlacementIndex::default());
        let client = registry.add();
        let meter = client.meter(1, Clock::start());
        let placement = || client.row().expect("a row").placement;
        assert_eq!((placement().worker(), placement().rung()), (Some(1), None));
        for last in [1, 2, 1, 2] {
            let edge = SocketAddr::from(([10, 0, 0, last], 443));
            let route = ConnectionRoute { edge, source: edge.ip(), http2: false, resumed: None };
            meter.answered(&route, 200, 7, None);
            registry.placements(&mut index);
            assert_eq!(index.edge(placement()), Some(edge));
        }
        meter.plays([Some(Rung::Variant(3)), Some(Rung::Rendition(1)), None]);
        assert_eq!(placement().rungs().collect::<Vec<_>>(), [3, 17]);
        drop((meter, client));
        let next = registry.add_at(9).row().expect("a row of the same slot");
        assert_eq!((next.slot, next.placement), (0, Placement::default()));
    }
}
