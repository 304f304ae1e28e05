//! Connections of a simulated viewer, by the rules of the pool of real ones: over HTTP/2 all requests to an endpoint
//! share one; over HTTP/1.1 each needs one of its own while it lasts, and takes an idle one if there is any.

use crate::vocabulary::Reuse;
use crate::vocabulary::limits::CONNECTIONS_PER_CLIENT;
use crate::vocabulary::secret_url::Endpoint;

/// Connections to one endpoint.
#[derive(Debug)]
struct Place {
    endpoint: Endpoint,
    /// Lane that they are kept for; see `apart`.
    lane: usize,
    idle: u32,
    open: u32,
}

/// Connections of one viewer.
#[derive(Debug, Default)]
pub(super) struct Connections {
    places: Vec<Place>,
    /// True if each lane has connections of its own.
    apart: bool,
    /// Connections opened so far.
    pub(super) opened: u64,
    /// Connections closed so far.
    pub(super) closed: u64,
    /// Most that were open at once.
    pub(super) most: u32,
    /// Most that were open at once to each endpoint.
    pub(super) most_at: Vec<(Endpoint, u32)>,
}

/// A request under way.
#[derive(Debug)]
pub(super) struct Taken {
    place: usize,
    http2: bool,
    reuse: Reuse,
}

impl Connections {
    pub(super) fn new(apart: bool) -> Self {
        Self { apart, ..Self::default() }
    }

    /// Takes a connection for a request.
    pub(super) fn take(&mut self, endpoint: Endpoint, http2: bool, lane: usize, reuse: Reuse) -> Taken {
        let lane = if self.apart && !http2 { lane } else { 0 };
        let known = self.places.iter().position(|place| place.endpoint == endpoint && place.lane == lane);
        let place = known.unwrap_or_else(|| {
            self.places.push(Place { endpoint, lane, idle: 0, open: 0 });
            self.places.len() - 1
        });
        if let Some(at) = self.places.get_mut(place) {
            let shares = http2 && at.open > 0;
            if !shares && at.idle > 0 && reuse.takes_idle() {
                at.idle -= 1;
            } else if !shares {
                at.open += 1;
                self.opened += 1;
                self.count();
            }
        }
        Taken { place, http2, reuse }
    }

    /// Ends a request: its connection stays open, unless the player closes it.
    pub(super) fn end(&mut self, taken: &Taken) {
        let Some(place) = self.places.get_mut(taken.place).filter(|_| !taken.http2) else { return };
        if taken.reuse.keeps() {
            place.idle += 1;
        } else {
            place.open = place.open.saturating_sub(1);
            self.closed += 1;
        }
    }

    /// Closes all connections: the viewer leaves.
    pub(super) fn close_all(&mut self) {
        self.closed += self.places.iter().map(|place| u64::from(place.open)).sum::<u64>();
        self.places.clear();
    }

    fn count(&mut self) {
        let most = u32::try_from(CONNECTIONS_PER_CLIENT).unwrap_or(u32::MAX);
        let open: u32 = self.places.iter().map(|place| place.open).sum();
        self.most = self.most.max(open.min(most));
        for place in &self.places {
            let of = self.places.iter().filter(|other| other.endpoint == place.endpoint);
            let open: u32 = of.map(|other| other.open).sum();
            match self.most_at.iter_mut().find(|(endpoint, _)| *endpoint == place.endpoint) {
                Some((_, most)) => *most = (*most).max(open),
                None => self.most_at.push((place.endpoint.clone(), open)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocabulary::SecretUrl;

    fn endpoint(host: &str) -> Endpoint {
        SecretUrl::parse(&format!("http://{host}/a")).expect("a URL").endpoint()
    }

    /// Makes two requests at once to each host, twice, and returns the connections opened, the most at once, and the
    /// most to one endpoint.
    fn made(apart: bool, http2: bool, reuse: Reuse) -> (u64, u32, u32) {
        let mut connections = Connections::new(apart);
        for _ in 0..2 {
            let at = |host, lane| (endpoint(host), lane);
            let open: Vec<_> = [at("a", 0), at("a", 1), at("b", 0)]
                .into_iter()
                .map(|(endpoint, lane)| connections.take(endpoint, http2, lane, reuse))
                .collect();
            open.iter().for_each(|taken| connections.end(taken));
        }
        let most = connections.most_at.iter().map(|(_, most)| *most).max().unwrap_or_default();
        (connections.opened, connections.most, most)
    }

    #[test]
    fn requests_at_once_need_a_connection_each_unless_they_share_one() {
        assert_eq!(made(false, false, Reuse::Kept), (3, 3, 2));
        assert_eq!(made(true, false, Reuse::Kept), (3, 3, 2));
        assert_eq!(made(false, true, Reuse::Kept), (2, 2, 1));
        assert_eq!(made(false, false, Reuse::Single), (6, 3, 2));
    }

    #[test]
    fn lanes_that_are_apart_do_not_take_each_others_connections() {
        let one_after_another = |apart| {
            let mut connections = Connections::new(apart);
            for lane in [0, 1, 0] {
                let taken = connections.take(endpoint("a"), false, lane, Reuse::Kept);
                connections.end(&taken);
            }
            (connections.opened, connections.most)
        };
        assert_eq!(one_after_another(false), (1, 1));
        assert_eq!(one_after_another(true), (2, 2));
    }

    #[test]
    fn a_viewer_that_leaves_closes_what_it_has() {
        let mut connections = Connections::new(false);
        let taken = connections.take(endpoint("a"), false, 0, Reuse::Kept);
        connections.end(&taken);
        connections.close_all();
        assert_eq!((connections.opened, connections.closed), (1, 1));
        connections.take(endpoint("a"), false, 0, Reuse::Kept);
        assert_eq!((connections.opened, connections.most), (2, 1));
    }
}
