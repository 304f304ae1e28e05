//! Parts of a run: the kinds of its clients, and which of them the next client gets.
//!
//! * A kind is a target together with a way to watch it. Targets are dealt by their weights, and the members of the mix
//!   by their shares among the clients of each target, both exact among any number of first clients ([`Shares`]).
//! * The newest clients leave first, and those who come later take their places again: so shares hold for the clients
//!   that are there, too. Clients of an open load leave in any order, and shares hold for their arrivals.

use std::rc::Rc;
use std::sync::Arc;

use super::client_data::ClientData;
use crate::load::Shares;
use crate::net::{self, Headers, Net};
use crate::player;
use crate::vocabulary::budget::Budget;

/// Separates the random numbers of the dealer from other uses of the seed of the run.
const STREAM: u64 = 0xca57_1e55;

/// A kind of client.
#[derive(Clone, Debug)]
pub struct ClientKind {
    /// Number of its target.
    pub target: usize,
    /// Number of its member of the mix.
    pub member: usize,
    /// The stream and the behaviour of the player.
    pub player: Arc<player::Settings>,
    /// Connections, TLS, headers.
    pub net: net::Settings,
}

/// Kinds of clients of a run.
#[derive(Clone, Debug)]
pub struct Cast {
    /// Target and player that the operator named first.
    pub first: ClientKind,
    /// All other kinds: the rest of the mix for the first target, and the whole mix for each other target.
    pub others: Vec<ClientKind>,
    /// Weights of the targets, by their numbers.
    pub targets: Vec<u32>,
    /// Shares of the members of the mix, by their numbers.
    pub mix: Vec<u32>,
    /// Values that each client has for itself; `None`: all have the same URLs and headers.
    pub personal: Option<Arc<Personal>>,
}

impl Cast {
    /// Creates a cast of one kind.
    pub fn of_one(player: Arc<player::Settings>, net: net::Settings) -> Self {
        let first = ClientKind { target: 0, member: 0, player, net };
        Self { first, others: Vec::new(), targets: vec![1], mix: vec![1], personal: None }
    }

    /// Returns all kinds.
    pub fn kinds(&self) -> impl Iterator<Item = &ClientKind> {
        std::iter::once(&self.first).chain(&self.others)
    }

    /// Returns one kind of each target.
    pub fn of_targets(&self) -> impl Iterator<Item = &ClientKind> {
        self.kinds().filter(|kind| kind.member == 0)
    }

    /// Returns the kind with this number.
    fn kind(&self, number: usize) -> &ClientKind {
        self.kinds().nth(number).unwrap_or(&self.first)
    }

    /// Returns the settings of each member of the mix with its share, that of the first client first. All have the stream of
    /// that client: no other one is known before the load.
    pub fn viewers_of_first_stream(&self, seed: u64) -> Vec<(u32, Arc<player::Settings>)> {
        let kind = self.kind(Dealer::new(self, seed).admit_at(0).kind);
        let first = match &self.personal {
            Some(personal) => personal.player(&kind.player, 0),
            None => Arc::clone(&kind.player),
        };
        let members = self.kinds().zip(&self.mix);
        let with_stream = |(kind, share): (&ClientKind, &u32)| {
            let settings = player::Settings { entry: first.entry.clone(), ..(*kind.player).clone() };
            (*share, Arc::new(settings))
        };
        let mut viewers: Vec<_> = members.map(with_stream).collect();
        let member = kind.member.min(viewers.len());
        viewers.rotate_left(member);
        viewers
    }

    /// Sets the budget of all kinds for data that origins can make this process keep.
    pub fn set_budget(&mut self, budget: &Arc<Budget>) {
        for kind in std::iter::once(&mut self.first).chain(&mut self.others) {
            kind.net.budget = Arc::clone(budget);
        }
    }

    /// Returns the parts of the clients on one worker, whose names, bodies and buffer they share.
    pub(super) fn parts(&self) -> Vec<Rc<Part>> {
        let net = Net::new(self.first.net.clone());
        let part = |kind: &ClientKind| Part {
            target: kind.target,
            member: kind.member,
            player: Arc::clone(&kind.player),
            net: net.with(kind.net.clone()),
        };
        self.kinds().map(|kind| Rc::new(part(kind))).collect()
    }
}

/// Values that each client has for itself, and the headers that are filled with them.
#[derive(Debug)]
pub struct Personal {
    /// The values.
    pub data: ClientData,
    /// Given header lines with placeholders; empty: no header has one.
    pub lines: Vec<String>,
    /// User agent of every client.
    pub user_agent: String,
    /// The run id as every request carries it.
    pub run_id: String,
    /// Asks caches for nothing.
    pub avoids_caches: bool,
}

impl Personal {
    /// Returns the settings of the client at this place.
    fn player(&self, player: &Arc<player::Settings>, place: usize) -> Arc<player::Settings> {
        let row = self.data.of_client(place);
        // Every row was checked before the run.
        let entry = player.entry.filled(|name| row.value(name)).unwrap_or_else(|_| player.entry.clone());
        Arc::new(player::Settings { entry, ..(**player).clone() })
    }

    /// Returns the part of the client at this place.
    pub(super) fn part(&self, part: &Part, place: usize) -> Part {
        let player = self.player(&part.player, place);
        let lines = self.data.of_client(place).fill(&self.lines);
        let headers = Headers::new(&player.entry, &self.user_agent, &self.run_id, &lines);
        let headers =
            headers.map(|headers| if self.avoids_caches { headers.without_caches() } else { headers });
        let net = match headers {
            Ok(headers) if !lines.is_empty() => part.net.with_headers(headers),
            _ => Rc::clone(&part.net),
        };
        Part { target: part.target, member: part.member, player, net }
    }
}

/// Part of a client: its kind, on the worker that it is on.
pub(super) struct Part {
    pub(super) target: usize,
    pub(super) member: usize,
    pub(super) player: Arc<player::Settings>,
    pub(super) net: Rc<Net>,
}

/// Deals the kinds of a cast.
#[derive(Debug)]
pub struct Dealer {
    /// Number of kinds of each target.
    members: usize,
    targets: Shares,
    /// The mix of each target.
    mixes: Vec<Shares>,
    /// Numbers of the kinds that were dealt, by place.
    places: Vec<u16>,
    /// Number of clients that came and do not return.
    arrived: usize,
}

/// Order to a worker about the part of a client.
#[derive(Clone, Copy, Debug)]
pub struct Admission {
    /// Number of its kind.
    pub kind: usize,
    /// Its place, counted from 0.
    pub place: usize,
}

impl Dealer {
    /// Creates the dealer of a cast. Equal seeds deal equally.
    pub fn new(cast: &Cast, seed: u64) -> Self {
        let seed = seed ^ STREAM;
        let mix = |target: usize| Shares::new(&cast.mix, seed.wrapping_add(1 + target as u64));
        Self {
            members: cast.mix.len().max(1),
            targets: Shares::new(&cast.targets, seed),
            mixes: (0..cast.targets.len()).map(mix).collect(),
            places: Vec::new(),
            arrived: 0,
        }
    }

    /// Admits a client that comes and does not return.
    pub fn admit(&mut self) -> Admission {
        let place = self.arrived;
        self.arrived += 1;
        Admission { kind: self.next(), place }
    }

    fn next(&mut self) -> usize {
        let target = self.targets.deal();
        let member = self.mixes.get_mut(target).map_or(0, Shares::deal);
        target * self.members + member
    }

    /// Admits a client at this place: always of the same kind.
    pub fn admit_at(&mut self, place: usize) -> Admission {
        while self.places.len() <= place {
            let next = self.next();
            self.places.push(u16::try_from(next).unwrap_or_default());
        }
        let kind = self.places.get(place).copied().unwrap_or_default().into();
        Admission { kind, place }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dealer(targets: &[u32], mix: &[u32], seed: u64) -> Dealer {
        Dealer {
            members: mix.len(),
            targets: Shares::new(targets, seed),
            mixes: targets.iter().map(|_| Shares::new(mix, seed)).collect(),
            places: Vec::new(),
            arrived: 0,
        }
    }

    #[test]
    fn both_shares_hold_among_any_number_of_first_clients() {
        let mut dealer = dealer(&[3, 1], &[1, 1], 7);
        let mut dealt = [0_u32; 4];
        for client in 1_u32..=4_000 {
            let Admission { kind, place } = dealer.admit();
            assert_eq!(place + 1, client as usize);
            dealt[kind] += 1;
            let first = f64::from(dealt[0] + dealt[1]);
            assert!((first - f64::from(client) * 0.75).abs() < 1.0, "{dealt:?} of {client}");
            assert!(dealt[0].abs_diff(dealt[1]) <= 1 && dealt[2].abs_diff(dealt[3]) <= 1, "{dealt:?}");
        }
    }

    #[test]
    fn a_client_that_comes_later_takes_the_part_of_the_one_that_left() {
        let mut dealer = dealer(&[5, 3, 1], &[2, 1], 7);
        let first: Vec<_> = (0..50).map(|place| dealer.admit_at(place).kind).collect();
        let again: Vec<_> = (20..50).map(|place| dealer.admit_at(place).kind).collect();
        assert_eq!(again, first[20..]);
        assert!(first.iter().all(|number| *number < 6));
    }
}
