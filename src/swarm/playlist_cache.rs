//! Playlists that the clients of one worker thread share: what one of them has parsed, the others need not parse.
//!
//! * A playlist is looked up by its bytes themselves, not by a hash of them: no collision can return a wrong one. If
//!   a playlist takes variables from outside (EXT-X-DEFINE), equal bytes can mean different things; such a playlist
//!   is parsed for each client.
//! * At most [`ENTRIES`] playlists and [`LIBRARY_BYTES`] of their text are kept, those that were used last.
//!   Everything kept is charged to the [`Budget`] of the run; when the budget is short, only the last playlist stays.
//! * The cache lives on its worker's thread: no lock, and nothing is awaited while it is borrowed. Large playlists
//!   are parsed one after another, so that a playlist that many clients receive at once is parsed once.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;

use crate::hls::{self, Differences, Loaded, ParseError, Playlist, Variables};
use crate::net::{Charged, Kept, offload};
use crate::vocabulary::budget::Budget;
use crate::vocabulary::limits::LIBRARY_BYTES;
use crate::vocabulary::outcome::Fault;
use crate::vocabulary::{SecretUrl, Untrusted};

/// Maximum number of playlists that are kept: those of some variants and renditions, now and a moment ago.
const ENTRIES: usize = 64;
/// Size in bytes from which on a playlist takes milliseconds to parse.
const LARGE: usize = 64 * 1024;
/// Text that marks a playlist that may take variables from outside.
const DEFINES: &[u8] = b"#EXT-X-DEFINE";
/// Age, in target durations, beyond which the newest playlist of a URL is replaced even by one that is older by its
/// numbers.
const MEMORY_TARGET_DURATIONS: u32 = 3;

/// Channel for each playlist that is parsed, with the URL that it was loaded from.
pub type PlaylistTap = flume::Sender<(SecretUrl, Arc<Playlist>)>;

/// Playlists of one worker thread.
pub(super) struct PlaylistCache {
    read: RefCell<Lru<Read>>,
    newest: RefCell<Lru<Newest>>,
    differences: Differences,
    budget: Arc<Budget>,
    /// Lock that is held by the client whose large playlist is parsed.
    turn: Mutex<()>,
    playlist_tap: Option<PlaylistTap>,
}

struct Read {
    body: Charged,
    playlist: Arc<Playlist>,
}

/// The newest playlist that a client received from a URL.
struct Newest {
    url: SecretUrl,
    client: u64,
    playlist: Arc<Playlist>,
    /// Time at which it certainly existed.
    since: Duration,
}

impl PlaylistCache {
    /// Creates an empty cache. `playlist_tap` receives every playlist that is parsed, as far as it has room.
    pub(super) fn new(budget: Arc<Budget>, playlist_tap: Option<PlaylistTap>) -> Self {
        Self {
            read: RefCell::default(),
            newest: RefCell::default(),
            differences: Differences::default(),
            budget,
            turn: Mutex::default(),
            playlist_tap,
        }
    }

    /// Returns the playlist in a body from `url`, parsed with the variables that its multivariant playlist defines. A
    /// large playlist is parsed off the worker's thread, so that other clients do not wait for it.
    ///
    /// # Errors
    /// One of `playlist.*`; a body that cannot be parsed is not kept.
    pub(super) async fn read(
        &self,
        url: &SecretUrl,
        body: Kept,
        imported: &Variables,
    ) -> Result<Arc<Playlist>, ParseError> {
        if let Some(known) = self.known(&body) {
            return Ok(known);
        }
        let parsed = if body.len() < LARGE {
            Parsed::new(body.into_charged().map_err(unexplained)?, url.query(), imported)
        } else {
            let _turn = self.turn.lock().await;
            // Another client may have parsed the same playlist during the wait for the lock.
            if let Some(known) = self.known(&body) {
                return Ok(known);
            }
            let body = body.into_charged().map_err(unexplained)?;
            let (query, imported) = (url.query().map(str::to_owned), imported.clone());
            let parsed = offload(move || Parsed::new(body, query.as_deref(), &imported)).await;
            parsed.map_err(unexplained)?
        };
        let playlist = self.keep(parsed)?;
        if let Some(playlist_tap) = &self.playlist_tap {
            // If the receiver does not keep up, it shows an older playlist.
            _ = playlist_tap.try_send((url.clone(), Arc::clone(&playlist)));
        }
        Ok(playlist)
    }

    /// Returns the playlist with these bytes, if it has been parsed.
    fn known(&self, body: &Kept) -> Option<Arc<Playlist>> {
        let bytes = body.bytes();
        let bytes = bytes.as_deref().unwrap_or_default();
        self.read
            .borrow_mut()
            .find(|known| known.body.bytes() == bytes)
            .map(|known| Arc::clone(&known.playlist))
    }

    /// Charges a playlist to the budget, and keeps its text for other clients.
    fn keep(&self, parsed: Parsed) -> Result<Arc<Playlist>, ParseError> {
        let mut playlist = parsed.playlist?;
        let mut lru = self.read.borrow_mut();
        if self.budget.is_short() {
            lru.keep_last();
            self.newest.borrow_mut().keep_last();
        }
        let length = parsed.body.bytes().len();
        let charged = playlist.charge_to(&self.budget, length);
        charged.map_err(|over| ParseError {
            fault: Fault::PlaylistLimit,
            detail: over.to_string().as_str().into(),
        })?;
        let playlist = Arc::new(playlist);
        if !parsed.defines_variables {
            lru.put(Read { body: parsed.body, playlist: Arc::clone(&playlist) });
            lru.trim(LIBRARY_BYTES, |read| read.body.bytes().len());
        }
        Ok(playlist)
    }

    /// Returns the comparisons that its clients share.
    pub(super) fn differences(&self) -> &Differences {
        &self.differences
    }

    /// Compares a client's playlist with one that another client received before from the same URL. Returns their
    /// contradiction, if there is one.
    pub(super) fn compare(
        &self,
        url: &SecretUrl,
        client: u64,
        playlist: &Arc<Playlist>,
        loaded: Loaded,
    ) -> Option<String> {
        let media = playlist.media()?;
        let mut lru = self.newest.borrow_mut();
        let fresh =
            || Newest { url: url.clone(), client, playlist: Arc::clone(playlist), since: loaded.until };
        let Some(newest) = lru.find(|newest| newest.url == *url) else {
            lru.put(fresh());
            return None;
        };
        if Arc::ptr_eq(&newest.playlist, playlist) {
            return None;
        }
        let before = newest.playlist.media()?;
        let comparable = newest.client != client && newest.since <= loaded.since;
        let contradiction = if comparable { hls::contradiction(before, media) } else { None };
        let old =
            loaded.until.saturating_sub(newest.since) > before.target_duration * MEMORY_TARGET_DURATIONS;
        if media.last_sequence() > before.last_sequence() || newest.client == client || old {
            *newest = fresh();
        }
        contradiction
    }
}

/// Returns the error for a fault that its name explains.
fn unexplained(fault: Fault) -> ParseError {
    ParseError { fault, detail: Untrusted::default() }
}

/// A body and the playlist that was parsed from it.
struct Parsed {
    body: Charged,
    playlist: Result<Playlist, ParseError>,
    defines_variables: bool,
}

impl Parsed {
    fn new(body: Charged, query: Option<&str>, imported: &Variables) -> Self {
        let context = hls::Context { query, imported: Some(imported) };
        let playlist = hls::parse_in(body.bytes(), &context);
        let defines_variables = body.bytes().windows(DEFINES.len()).any(|window| window == DEFINES);
        Self { body, playlist, defines_variables }
    }
}

/// A few items, most recently used first.
struct Lru<T>(Vec<T>);

impl<T> Default for Lru<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Lru<T> {
    fn find(&mut self, is_it: impl FnMut(&T) -> bool) -> Option<&mut T> {
        let at = self.0.iter().position(is_it)?;
        self.0.get_mut(..=at)?.rotate_right(1);
        self.0.first_mut()
    }

    fn put(&mut self, item: T) {
        self.0.truncate(ENTRIES - 1);
        self.0.insert(0, item);
    }

    /// Drops all items but the most recently used one.
    fn keep_last(&mut self) {
        self.0.truncate(1);
    }

    /// Drops the least recently used items until all together are at most `limit` large, but never the first.
    fn trim(&mut self, limit: usize, size: impl Fn(&T) -> usize) {
        let mut all: usize = self.0.iter().map(&size).sum();
        while all > limit && self.0.len() > 1 {
            all -= self.0.pop().as_ref().map_or(0, &size);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> SecretUrl {
        SecretUrl::parse(text).expect(text)
    }

    fn cache() -> PlaylistCache {
        PlaylistCache::new(Arc::default(), None)
    }

    fn live(first: u64) -> String {
        format!("#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:{first}\n#EXTINF:4,\n{first}.ts\n")
    }

    fn read_from(cache: &PlaylistCache, from: &str, text: &str) -> Result<Arc<Playlist>, ParseError> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(cache.read(&url(from), Kept::uncharged(text.as_bytes()), &Variables::default()))
    }

    fn read(cache: &PlaylistCache, text: &str) -> Arc<Playlist> {
        read_from(cache, "http://h/a.m3u8", text).expect("a playlist")
    }

    #[test]
    fn equal_bytes_are_one_playlist_and_others_are_not() {
        let cache = cache();
        let [one, same, other] = [live(100), live(100), live(101)].map(|text| read(&cache, &text));
        assert!(Arc::ptr_eq(&one, &same));
        assert!(!Arc::ptr_eq(&one, &other));
        assert_eq!(other.media().and_then(hls::Media::last_sequence), Some(101));
    }

    #[test]
    fn what_depends_on_the_address_is_read_for_each_client() {
        let text = "#EXTM3U\n#EXT-X-VERSION:11\n#EXT-X-DEFINE:QUERYPARAM=\"q\"\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n{$q}.ts\n";
        let cache = cache();
        let names = ["1", "2"].map(|q| {
            let playlist = read_from(&cache, &format!("http://h/a.m3u8?q={q}"), text).expect("a playlist");
            playlist.media().expect("media").segments.first().expect("one").uri().as_str().to_owned()
        });
        assert_eq!(names, ["1.ts", "2.ts"]);
    }

    #[test]
    fn it_is_bounded_in_number_and_in_bytes_and_keeps_what_is_used() {
        let cache = cache();
        let first = read(&cache, &live(0));
        for number in 1..1_000 {
            read(&cache, &live(number));
            assert!(Arc::ptr_eq(&first, &read(&cache, &live(0))));
        }
        assert_eq!(cache.read.borrow().0.len(), ENTRIES);
        for number in 0..5 {
            read(&cache, &format!("{}#{}\n", live(number), format!("{}\n#", "x".repeat(60_000)).repeat(120)));
            let bytes: usize = cache.read.borrow().0.iter().map(|read| read.body.bytes().len()).sum();
            assert!(bytes <= LIBRARY_BYTES, "{bytes}");
        }
    }

    #[test]
    fn all_playlists_together_stay_within_the_budget_and_what_nobody_plays_makes_room() {
        let budget = Arc::new(Budget::new(1_000_000));
        let cache = PlaylistCache::new(Arc::clone(&budget), None);
        let large = |number: u64| {
            let uris = (0..10_000).map(|n| format!("#EXTINF:4,\n{}\n", (number + 1) * 7_919 * n % 99_991));
            format!("{}{}", live(number), uris.collect::<String>())
        };
        // Each playlist is dropped at once: the cache alone never fills the budget.
        for number in 0..40 {
            read(&cache, &large(number));
            assert!(budget.used() <= 1_000_000);
        }
        let mut played = Vec::new();
        let refused = (100..140).find_map(|number| {
            let text = large(number);
            match read_from(&cache, "http://h/a.m3u8", &text) {
                Ok(playlist) => {
                    played.push(playlist);
                    None
                }
                Err(error) => Some(error.fault),
            }
        });
        assert_eq!(refused, Some(Fault::PlaylistLimit));
        assert!(played.len() > 5, "{}", played.len());
        drop((played, cache));
        assert_eq!(budget.used(), 0);
    }

    #[test]
    fn what_cannot_be_read_is_a_fault_each_time() {
        let cache = cache();
        for _ in 0..2 {
            let read = read_from(&cache, "http://h/a", "<html>");
            assert_eq!(
                read.expect_err("no playlist").fault,
                crate::vocabulary::outcome::Fault::PlaylistNotM3u8
            );
        }
    }

    #[test]
    fn a_witness_sees_what_is_read_and_never_blocks() {
        let (playlist_tap, seen) = flume::bounded(1);
        let cache = PlaylistCache::new(Arc::default(), Some(playlist_tap));
        for number in [1, 1, 2] {
            read(&cache, &live(number));
        }
        assert_eq!(seen.drain().count(), 1);
    }

    fn at(seconds: u64) -> Loaded {
        Loaded {
            since: Duration::from_secs(seconds),
            until: Duration::from_secs(seconds) + Duration::from_millis(1),
        }
    }

    #[test]
    fn a_client_that_is_given_an_older_list_than_another_before_is_noticed() {
        let cache = cache();
        let lists = [10, 12].map(|first| read(&cache, &live(first)));
        let compare = |client, list: usize, seconds| {
            cache.compare(&url("http://h/a.m3u8"), client, &lists[list], at(seconds))
        };
        assert_eq!(compare(1, 0, 1), None);
        assert_eq!(compare(1, 1, 9), None);
        let said = compare(2, 0, 10).expect("older");
        assert_eq!(said, "up to segment 12 for one client, then up to 10 for another");
        // For one client this is a playlist that went back, not a difference between clients.
        assert_eq!(compare(1, 0, 11), None);
        assert_eq!(cache.compare(&url("http://other/a.m3u8"), 3, &lists[0], at(12)), None);
    }

    #[test]
    fn a_load_that_began_before_the_newer_list_was_there_proves_nothing() {
        let cache = cache();
        let lists = [10, 14].map(|first| read(&cache, &live(first)));
        assert_eq!(cache.compare(&url("http://h/a"), 1, &lists[1], at(5)), None);
        let slow = Loaded { since: Duration::from_secs(4), until: Duration::from_secs(6) };
        assert_eq!(cache.compare(&url("http://h/a"), 2, &lists[0], slow), None);
    }

    #[test]
    fn a_stream_that_began_anew_is_forgiven_after_three_target_durations() {
        let cache = cache();
        let lists = [1_000, 3].map(|first| read(&cache, &live(first)));
        let compare = |client, list: usize, seconds| {
            cache.compare(&url("http://h/a"), client, &lists[list], at(seconds)).is_some()
        };
        assert!(!compare(1, 0, 0));
        assert!(compare(2, 1, 5));
        assert!(compare(2, 1, 13));
        assert!(!compare(3, 1, 14));
    }
}
