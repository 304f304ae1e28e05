//! Speed of each client: media seconds played per second over the last ten seconds.
//!
//! The one sampler computes it once a second from the positions that clients publish: a client cannot compute its own
//! speed while it waits for a silent origin.

use std::sync::Arc;

use super::seconds::Seconds;
use super::snapshot::{ClientRow, Snapshot};
use crate::vocabulary::ClientState;

/// Number of positions kept per client: ten seconds and both ends.
const POSITIONS: usize = 11;
/// Speed below which a client counts as slow once it has been so for longer than [`SLOW_AFTER_US`].
pub const SLOW_BELOW: f64 = 0.9;
/// Time for which a speed below [`SLOW_BELOW`] is tolerated, in microseconds.
const SLOW_AFTER_US: u64 = 5_000_000;
/// Shortest time that has a speed.
const SHORTEST_US: u64 = 1_000_000;

/// The sampler's memory of one client.
#[derive(Clone, Copy, Debug, Default)]
struct Track {
    id: u64,
    joined_us: u64,
    /// Pairs of time and position, newest last; only the last `count` are filled.
    positions: [(u64, u64); POSITIONS],
    count: usize,
    speed: Option<f64>,
    below_since_us: Option<u64>,
    slow: bool,
}

/// The result for one client until its track is next updated.
#[derive(Clone, Copy, Debug, Default)]
struct Reported {
    id: u64,
    speed: Option<f64>,
    slow: bool,
}

/// Speeds of all clients.
#[derive(Clone, Debug, Default)]
pub struct Speeds {
    tracks: Vec<Track>,
    /// Kept apart from the tracks, because only these are read between two seconds.
    reported: Vec<Reported>,
    seconds: Seconds,
}

impl Speeds {
    /// Fills the speeds into the rows of `snapshot`. Memory grows only with the clients.
    pub fn observe(&mut self, snapshot: &mut Snapshot) {
        let now_us = snapshot.at_us;
        let due = self.seconds.passed(now_us) > 0;
        for row in Arc::make_mut(&mut snapshot.clients) {
            let ended = matches!(row.state, ClientState::Finished | ClientState::Dead);
            let reported = self.reported(row, now_us, due || ended);
            (row.speed, row.slow) = (reported.speed, reported.slow);
        }
    }

    fn reported(&mut self, row: &ClientRow, now_us: u64, due: bool) -> Reported {
        if row.slot >= self.tracks.len() {
            self.tracks.resize(row.slot + 1, Track::default());
            self.reported.resize(row.slot + 1, Reported::default());
        }
        let (Some(reported), Some(track)) = (self.reported.get_mut(row.slot), self.tracks.get_mut(row.slot))
        else {
            return Reported::default();
        };
        if due || reported.id != row.id {
            track.observe(row, now_us, due);
            *reported = Reported { id: row.id, speed: track.speed, slow: track.slow };
        }
        *reported
    }
}

impl Track {
    fn observe(&mut self, row: &ClientRow, now_us: u64, due: bool) {
        let joined_us = row.playback.joined_us;
        if (self.id, self.joined_us) != (row.id, joined_us) {
            // The slot has changed hands, or a worker has run the client for the first time, which is when it joins.
            // The client had played nothing then.
            *self = Self { id: row.id, joined_us, ..Self::default() };
            self.push((joined_us.min(now_us), 0));
        }
        if matches!(row.state, ClientState::Finished | ClientState::Dead) {
            (self.speed, self.slow, self.below_since_us) = (None, false, None);
            return;
        }
        if !due {
            return;
        }
        self.push((now_us, row.playback.position_at(now_us)));
        let (Some(oldest), Some(newest)) =
            (self.positions.get(POSITIONS - self.count), self.positions.last())
        else {
            return;
        };
        let passed = newest.0.saturating_sub(oldest.0);
        if passed < SHORTEST_US {
            return;
        }
        let speed = newest.1.saturating_sub(oldest.1) as f64 / passed as f64;
        self.speed = Some(speed);
        self.below_since_us = (speed < SLOW_BELOW).then(|| self.below_since_us.unwrap_or(oldest.0));
        self.slow = self.below_since_us.is_some_and(|since| now_us.saturating_sub(since) > SLOW_AFTER_US);
    }

    fn push(&mut self, position: (u64, u64)) {
        self.positions.rotate_left(1);
        if let Some(last) = self.positions.last_mut() {
            *last = position;
        }
        self.count = (self.count + 1).min(POSITIONS);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::{ClientHandle, Registry};
    use crate::vocabulary::Clock;
    use crate::vocabulary::Playback;
    use std::sync::Arc;

    struct Stage {
        registry: Arc<Registry>,
        client: ClientHandle,
        speeds: Speeds,
        snapshot: Snapshot,
    }

    impl Stage {
        fn new() -> Self {
            let registry = Registry::new(1);
            let client = registry.add();
            Self { registry, client, speeds: Speeds::default(), snapshot: Snapshot::default() }
        }

        fn publish(&self, state: ClientState, offset_us: i64, dry_at_us: u64) {
            let playback = Playback {
                state,
                joined_us: 0,
                offset_us,
                dry_at_us,
                max_drift_us: 0,
                bandwidth: 0,
                live_offset_us: None,
            };
            self.client.meter(0, Clock::start()).publish(&playback);
        }

        fn at(&mut self, seconds: u64) -> ClientRow {
            self.registry.snapshot(seconds * 1_000_000, &mut self.snapshot);
            self.speeds.observe(&mut self.snapshot);
            self.snapshot.clients[0]
        }
    }

    #[test]
    fn a_client_that_plays_has_speed_one() {
        let mut stage = Stage::new();
        stage.publish(ClientState::Playing, 0, 60_000_000);
        assert_eq!(stage.at(0).speed, None);
        for second in 1..=20 {
            let row = stage.at(second);
            assert_eq!((row.speed, row.slow), (Some(1.0), false), "{second}");
        }
    }

    #[test]
    fn a_client_that_stops_becomes_slow_after_five_seconds_below() {
        let mut stage = Stage::new();
        stage.publish(ClientState::Playing, 0, 20_000_000);
        let slow_since = (0..=40).find(|second| stage.at(*second).slow);
        // From second 22 on, less than nine tenths of the last ten seconds were played.
        assert!((22..=29).contains(&slow_since.expect("slow at last")), "{slow_since:?}");
    }

    #[test]
    fn a_client_that_never_got_going_is_slow_too() {
        let mut stage = Stage::new();
        stage.publish(ClientState::Waiting, 0, 0);
        let slow_since = (0..=10).find(|second| stage.at(*second).slow);
        assert_eq!(slow_since, Some(6));
    }

    #[test]
    fn a_client_that_no_worker_has_run_yet_joined_when_it_was_added() {
        let mut stage = Stage::new();
        stage.client = stage.registry.add_at(600_000_000);
        for second in [601, 602] {
            stage.at(second);
            let late = stage.snapshot.clients[0];
            assert_eq!((late.slow, late.playback.joined_us), (false, 600_000_000));
            let drift = late.playback.drift_at(second * 1_000_000);
            assert_eq!(drift, (second - 600) * 1_000_000);
        }
        // A worker runs it four seconds later, and it plays from the first moment.
        let playback = Playback {
            state: ClientState::Playing,
            joined_us: 604_000_000,
            ..stage.snapshot.clients[0].playback
        };
        let playback = Playback { offset_us: -604_000_000, dry_at_us: 700_000_000, ..playback };
        stage.client.meter(0, Clock::start()).publish(&playback);
        for second in 605..620 {
            stage.at(second);
            let late = stage.snapshot.clients[0];
            assert_eq!((late.slow, late.speed), (false, Some(1.0)), "{second}");
        }
    }

    #[test]
    fn a_client_that_has_finished_has_no_speed() {
        let mut stage = Stage::new();
        stage.publish(ClientState::Finished, 0, 5_000_000);
        let row = stage.at(30);
        assert_eq!((row.speed, row.slow), (None, false));
    }
}
