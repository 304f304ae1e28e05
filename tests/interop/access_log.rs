//! nginx's access log: the reference for the program's counters.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use hlswarm::testing::vocabulary::Kind;
use serde::Deserialize;

/// One request, as nginx saw it.
#[derive(Clone, Debug, Deserialize)]
pub struct Entry {
    /// Unix time at the end of the request, in seconds.
    finished_at: f64,
    /// Seconds from the first byte of the request to the last byte of the response.
    seconds: f64,
    pub port: u16,
    pub uri: String,
    pub query: String,
    pub status: u16,
    pub body_bytes: u64,
    completion: String,
    /// Unique while one nginx runs; a client's connection keeps its number.
    pub connection: u64,
    pub protocol: String,
    pub range: String,
    pub user_agent: String,
    pub content_coding: String,
    /// Address of the client.
    pub client: String,
    /// Subject of the client's certificate; empty without one.
    pub certificate: String,
}

impl Entry {
    /// Returns the Unix time of the request's first byte, in seconds.
    pub fn started_at(&self) -> f64 {
        self.finished_at - self.seconds
    }

    /// Reports whether nginx sent the whole response.
    pub fn is_complete(&self) -> bool {
        self.completion == "OK"
    }

    /// Returns the number of a segment of the live stream.
    pub fn segment_number(&self) -> Option<u64> {
        let name = self.uri.rsplit('/').next()?.strip_prefix("live_")?;
        name.split('.').next()?.parse().ok()
    }

    /// Returns the kind of resource, by the file names of this origin.
    pub fn kind(&self) -> Kind {
        match self.uri.rsplit('.').next() {
            Some("m3u8") => Kind::Playlist,
            Some("mp4") => Kind::Init,
            Some("ts" | "m4s" | "vtt") => Kind::Segment,
            Some("key") => Kind::Key,
            _ => Kind::Unknown,
        }
    }
}

/// Requests in the order in which they finished.
#[derive(Clone, Debug)]
pub struct AccessLog {
    entries: Vec<Entry>,
}

impl AccessLog {
    /// Reads the entries of the file, without a last line that nginx is still writing.
    pub fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap();
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        let entries = whole.lines().map(parse).collect();
        Self { entries }
    }

    /// Returns the requests that `keep` accepts.
    pub fn only(&self, keep: impl Fn(&Entry) -> bool) -> Self {
        Self { entries: self.entries.iter().filter(|entry| keep(entry)).cloned().collect() }
    }

    /// Returns the requests of one kind.
    pub fn of_kind(&self, kind: Kind) -> Self {
        self.only(|entry| entry.kind() == kind)
    }

    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub fn requests(&self) -> u64 {
        self.entries.len() as u64
    }

    /// Returns the body bytes sent, without response heads. With HTTP/2 they include its framing.
    pub fn bytes(&self) -> u64 {
        self.entries.iter().map(|entry| entry.body_bytes).sum()
    }

    /// Returns the Unix time of the first request, in seconds.
    pub fn begins_at(&self) -> f64 {
        self.entries.iter().map(Entry::started_at).fold(f64::INFINITY, f64::min)
    }

    /// Returns the requests of each connection by its number, in the order in which they were made.
    pub fn by_connection(&self) -> BTreeMap<u64, Vec<&Entry>> {
        let mut connections: BTreeMap<u64, Vec<&Entry>> = BTreeMap::new();
        for entry in &self.entries {
            connections.entry(entry.connection).or_default().push(entry);
        }
        for requests in connections.values_mut() {
            requests.sort_by(|a, b| a.started_at().total_cmp(&b.started_at()));
        }
        connections
    }

    /// Returns the resources other than playlists that one connection requested more than once, as
    /// `(connection, uri)`.
    pub fn fetched_twice(&self) -> Vec<(u64, String)> {
        let mut seen = BTreeMap::<_, u64>::new();
        for entry in self.entries.iter().filter(|entry| entry.kind() != Kind::Playlist) {
            *seen.entry((entry.connection, entry.uri.clone())).or_default() += 1;
        }
        seen.into_iter().filter(|(_, times)| *times > 1).map(|(what, _)| what).collect()
    }
}

fn parse(line: &str) -> Entry {
    serde_json::from_str(line).unwrap_or_else(|error| panic!("access log: {error} in {line}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(connection: u64, started_at: u32, uri: &str) -> Entry {
        let finished_at = started_at + 1;
        parse(&format!(
            r#"{{"finished_at":{finished_at}.000,"seconds":1.000,"port":80,"uri":"{uri}","query":"a=b","status":200,
            "body_bytes":10,"completion":"OK","connection":{connection},"protocol":"HTTP/1.1","range":"",
            "user_agent":"","content_coding":"","client":"127.0.0.1","certificate":""}}"#
        ))
    }

    #[test]
    fn every_address_of_the_origin_has_its_kind() {
        let kind = |uri| entry(1, 0, uri).kind();
        assert_eq!(kind("/ts/master.m3u8"), Kind::Playlist);
        assert_eq!(kind("/ts/v0/live_7.ts"), Kind::Segment);
        assert_eq!(kind("/fmp4/v0/live_7.m4s"), Kind::Segment);
        assert_eq!(kind("/fmp4/v0/init.mp4"), Kind::Init);
        assert_eq!(kind("/nothing"), Kind::Unknown);
    }

    #[test]
    fn requests_are_grouped_by_connection_in_the_order_of_their_start() {
        let log =
            AccessLog { entries: vec![entry(1, 9, "/b.ts"), entry(2, 3, "/c.ts"), entry(1, 4, "/a.ts")] };
        let uris: Vec<Vec<&str>> = log
            .by_connection()
            .values()
            .map(|requests| requests.iter().map(|entry| entry.uri.as_str()).collect())
            .collect();
        assert_eq!(uris, [vec!["/a.ts", "/b.ts"], vec!["/c.ts"]]);
        assert!((log.begins_at() - 3.0).abs() < 1e-6);
        assert_eq!((log.requests(), log.bytes()), (3, 30));
    }

    #[test]
    fn a_segment_fetched_twice_over_one_connection_is_found_and_a_playlist_is_not() {
        let again = [(1, "/a.ts"), (1, "/a.ts"), (1, "/a.m3u8"), (1, "/a.m3u8"), (2, "/a.ts")];
        let log = AccessLog { entries: again.map(|(connection, uri)| entry(connection, 0, uri)).to_vec() };
        assert_eq!(log.fetched_twice(), [(1, "/a.ts".to_owned())]);
    }

    #[test]
    fn a_line_that_is_still_being_written_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("access.log");
        fs::write(&path, "{\"finished_at\":1.0").unwrap();
        assert_eq!(AccessLog::read(&path).requests(), 0);
    }
}
