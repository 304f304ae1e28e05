//! Requests of one player to a live origin, from nginx's log. The user agent identifies the player.

use hlswarm::testing::vocabulary::Kind;

use crate::access_log::{AccessLog, Entry};

/// Requests of one player, in the order in which they were made.
pub struct Requests(Vec<Entry>);

impl Requests {
    pub fn of(log: &AccessLog, user_agent: &str) -> Self {
        let mut entries = log.only(|entry| entry.user_agent.starts_with(user_agent)).entries().to_vec();
        entries.sort_by(|one, other| one.started_at().total_cmp(&other.started_at()));
        assert!(!entries.is_empty(), "{user_agent} asked for nothing");
        Self(entries)
    }

    pub fn of_kind(&self, kind: Kind) -> impl Iterator<Item = &Entry> {
        self.0.iter().filter(move |entry| entry.kind() == kind)
    }

    pub fn first_segment(&self) -> &str {
        &self.of_kind(Kind::Segment).next().unwrap().uri
    }

    /// Returns the mean time between two loads of the playlist before the trouble, in seconds. The first two loads do
    /// not count.
    pub fn interval_s(&self) -> f64 {
        let well = |entry: &&Entry| entry.status != 503 && entry.started_at() < self.trouble_at();
        let times: Vec<f64> =
            self.of_kind(Kind::Playlist).filter(well).map(Entry::started_at).skip(2).collect();
        assert!(times.len() >= 5, "{times:?}");
        (times[times.len() - 1] - times[0]) / (times.len() - 1) as f64
    }

    fn trouble_at(&self) -> f64 {
        let missing = self.of_kind(Kind::Segment).find(|entry| entry.status == 404);
        missing.map_or(f64::INFINITY, Entry::started_at)
    }

    /// Returns the times of the failed tries for each missing segment, in seconds since its first try.
    pub fn tries_of_missing(&self) -> Vec<Vec<f64>> {
        let missing = || self.of_kind(Kind::Segment).filter(|entry| entry.status == 404);
        let mut uris: Vec<&str> = missing().map(|entry| entry.uri.as_str()).collect();
        uris.dedup();
        let tries = |uri: &str| since_first(missing().filter(|entry| entry.uri == uri));
        uris.into_iter().map(tries).collect()
    }

    pub fn failing(&self) -> impl Iterator<Item = &Entry> {
        self.of_kind(Kind::Playlist).filter(|entry| entry.status == 503)
    }

    /// Returns the times of the failed playlist loads over the connection of the first, in seconds since the first. A
    /// viewer that replaces one that left opens a new connection, so its loads do not count.
    pub fn tries_of_failing(&self) -> Vec<f64> {
        let failing = || self.failing();
        let connection = failing().next().expect("a playlist that failed").connection;
        since_first(failing().filter(|entry| entry.connection == connection))
    }
}

fn since_first<'a>(entries: impl Iterator<Item = &'a Entry>) -> Vec<f64> {
    let times: Vec<f64> = entries.map(Entry::started_at).collect();
    times.iter().map(|at| at - times[0]).collect()
}
