//! Inspection of the stream by one client while it loads.
//!
//! * A finding is counted and changes nothing else: neither the behaviour of the client nor the outcome of a request.
//!   Only a wrong range or an unusable key also fails its request.
//! * A finding costs a request only the check: its line of detail is made only for the first one of a worker.

use std::rc::Rc;
use std::sync::Arc;

use crate::hls::wall_clock::impossible_age;
use crate::hls::{Loaded, Media, ParseError, Playlist, Watch};
use crate::net::Response;
use crate::player::{Fetch, Resource};
use crate::stats::Meter;
use crate::vocabulary::outcome::Fault;
use crate::vocabulary::{Finding, SecretUrl, units};

use super::playlist_cache::PlaylistCache;

/// Size in bytes from which on a playlist is worth compressing: a smaller one fits into a packet.
const WORTH_COMPRESSING: usize = 1_024;
/// Factor of BANDWIDTH that a segment may reach: authors measure at their encoder, hlswarm on the wire.
const BANDWIDTH_TOLERANCE: f64 = 1.1;

/// Lengths of a key in bytes: 16 for AES-128 and SAMPLE-AES, 32 for AES-256-GCM (section 4.4.4.4).
const KEY_BYTES: [u64; 2] = [16, 32];

/// A client's memory of its stream, from which it finds problems.
pub(super) struct Inspection {
    playlist_cache: Rc<PlaylistCache>,
    offers_gzip: bool,
    /// Media playlists, by the number of their track.
    watches: Vec<Watch>,
    /// Variant that the watches belong to, see [`Player::generation`](crate::player::Player::generation).
    generation: u32,
}

/// A complete response, as seen by the client that requested it.
pub(super) struct Look<'a> {
    pub(super) fetch: &'a Fetch,
    /// URL that the response finally came from.
    pub(super) url: &'a SecretUrl,
    /// The response, without its body.
    pub(super) response: &'a Response,
    /// Length of the decoded body in bytes.
    pub(super) length: usize,
    pub(super) loaded: Loaded,
    pub(super) meter: &'a Meter,
}

impl Look<'_> {
    fn find(&self, finding: Finding, detail: impl FnOnce() -> String) {
        self.meter.find(finding, || format!("{}: {}", self.url.file_name(), detail()));
    }

    /// Returns the media type without its parameters, which a comparison ignores (RFC 9110 section 8.3.1).
    fn content_type(&self) -> Option<&str> {
        let essence = self.response.head.content_type.as_deref()?.split(';').next()?;
        Some(essence.trim())
    }

    /// Returns the number of the track that the response is for; a media playlist at the given URL is track 0.
    fn track(&self) -> usize {
        match self.fetch.what {
            Resource::Entry => 0,
            Resource::Playlist(track)
            | Resource::Key(track)
            | Resource::Init(track)
            | Resource::Segment(track, _) => track,
        }
    }
}

impl Inspection {
    /// Creates the inspection of a client that has loaded nothing. `offers_gzip` says whether the client accepts
    /// compressed playlists.
    pub(super) fn new(playlist_cache: Rc<PlaylistCache>, offers_gzip: bool) -> Self {
        Self { playlist_cache, offers_gzip, watches: Vec::new(), generation: 0 }
    }

    /// Follows the player, which may play another variant now: its playlists are not compared with those of the
    /// previous variant.
    pub(super) fn follow(&mut self, generation: u32) {
        if std::mem::replace(&mut self.generation, generation) != generation {
            self.watches.clear();
        }
    }

    /// Inspects a playlist that was understood and accepted.
    pub(super) fn playlist(&mut self, look: &Look<'_>, playlist: &Arc<Playlist>) {
        for seen in playlist.findings().iter() {
            look.find(seen.finding, || match seen.line {
                0 => "the playlist as a whole".to_owned(),
                line => format!("line {line}"),
            });
        }
        self.inspect_delivery(look, playlist.media());
        if playlist.media().is_none() {
            // The media playlists of a new multivariant playlist have no predecessors.
            self.watches.clear();
            return;
        }
        let track = look.track();
        if self.watches.len() <= track {
            self.watches.resize_with(track + 1, Watch::default);
        }
        let Some(watch) = self.watches.get_mut(track) else { return };
        if watch.media().is_some() && *look.url != look.fetch.url {
            look.find(Finding::RedirectOnReload, || {
                "the URL that is reloaded redirects to another".to_owned()
            });
        }
        let now = look.meter.clock().started_at().checked_add(look.loaded.until);
        if let (Some(media), Ok(now)) = (playlist.media(), now)
            && let Some(age) = impossible_age(media, now)
        {
            look.find(Finding::ImpossibleDate, || {
                format!("by its dates the playlist ended {:.0} s ago", age.as_secs_f64())
            });
        }
        // Compare with the client's own previous playlist, then with those of other clients.
        let differences = self.playlist_cache.differences();
        watch.take(playlist, look.loaded, differences, &mut |finding, detail| look.find(finding, detail));
        if let Some(contradiction) =
            self.playlist_cache.compare(look.url, look.meter.client_id(), playlist, look.loaded)
        {
            look.find(Finding::PlaylistDiffers, || contradiction);
        }
    }

    /// Inspects a reload for which the playlist was not sent again.
    pub(super) fn unchanged(&mut self, look: &Look<'_>) {
        if let Some(watch) = self.watches.get_mut(look.track()) {
            watch.unchanged(look.loaded, &mut |finding, detail| look.find(finding, detail));
        }
    }

    /// Inspects a 206 response: a client must not take one range for another (RFC 9110 section 15.3.7).
    ///
    /// # Errors
    /// `body.range` if it certainly is not the range that was requested. A response without a Content-Range may be.
    pub(super) fn range(&self, look: &Look<'_>) -> Result<(), Fault> {
        let (came, bytes) = (look.response.head.content_range, look.response.wire_bytes);
        let asked = look.fetch.range;
        let is_right = match (asked, came) {
            (Some((first, last)), Some(came)) => {
                (came.first, came.last) == (first, last) && came.length() == bytes
            }
            (Some((first, last)), None) => {
                last.checked_sub(first).and_then(|it| it.checked_add(1)) == Some(bytes)
            }
            // The request named no range, so the response must be the whole.
            (None, Some(came)) => {
                let is_whole = came.total.is_none_or(|total| came.last.checked_add(1) == Some(total));
                came.first == 0 && is_whole && came.length() == bytes
            }
            (None, None) => true,
        };
        // An empty body is reported as empty, not as a wrong range.
        if is_right && came.is_some() || bytes == 0 {
            return Ok(());
        }
        look.find(Finding::RangeWrong, || {
            let asked = asked.map_or("all".to_owned(), |(first, last)| format!("{first}-{last}"));
            let came = came.map_or("no range".to_owned(), |came| format!("{}-{}", came.first, came.last));
            format!("requested {asked}; Content-Range says {came}; received {bytes} bytes")
        });
        if is_right { Ok(()) } else { Err(Fault::BodyRange) }
    }

    /// Inspects a key: a key of another length than those of AES decrypts nothing in any player.
    ///
    /// # Errors
    /// `body.short` for an empty body, `body.decode` for one that is not a key.
    pub(super) fn key(&self, look: &Look<'_>) -> Result<(), Fault> {
        match look.response.wire_bytes {
            0 => Err(Fault::BodyShort),
            bytes if KEY_BYTES.contains(&bytes) => Ok(()),
            bytes => {
                look.find(Finding::KeyLength, || format!("{bytes} bytes"));
                Err(Fault::BodyDecode)
            }
        }
    }

    /// Inspects media; `bandwidth` is the bandwidth that the variant announces, 0 if it announces none.
    pub(super) fn media(&self, look: &Look<'_>, bandwidth: u64) {
        let response = look.response;
        if response.wire_bytes == 0 {
            look.find(Finding::SegmentEmpty, || format!("status {}", response.head.status));
        }
        let whole = look.fetch.range.is_some() && response.head.status == 200;
        if whole {
            look.find(Finding::RangeIgnored, || format!("received {} bytes", response.wire_bytes));
        }
        if response.head.codings.are_any() {
            look.find(Finding::MediaEncoded, || format!("received {} bytes", response.wire_bytes));
        }
        if let Some(wrong) = look.content_type().filter(|essence| !may_be_media(essence)) {
            look.find(Finding::WrongContentType, || format!("media served as {wrong}"));
        }
        if let Resource::Segment(_, sequence) = look.fetch.what
            && !whole
        {
            self.inspect_bandwidth(look, sequence, bandwidth);
        }
    }

    /// Checks that a segment has no more bits per second than the whole variant (section 4.4.6.2). A very short
    /// segment proves nothing and is skipped.
    fn inspect_bandwidth(&self, look: &Look<'_>, sequence: u64, bandwidth: u64) {
        let Some(media) = self.listed(look).filter(|_| bandwidth > 0) else { return };
        let Some(segment) = media.segment(sequence) else { return };
        let duration = segment.duration();
        if duration < media.target_duration / 2 || duration.is_zero() {
            return;
        }
        let bits_per_second = look.response.wire_bytes as f64 * 8.0 / duration.as_secs_f64();
        if bits_per_second > bandwidth as f64 * BANDWIDTH_TOLERANCE {
            look.find(Finding::BandwidthExceeded, || {
                let [is, announced] = [bits_per_second, bandwidth as f64].map(units::bit_rate);
                format!("{is} in a segment, {announced} announced")
            });
        }
    }

    /// Inspects a request that was answered with a failure.
    pub(super) fn failure(&self, look: &Look<'_>) {
        let Resource::Segment(_, sequence) = look.fetch.what else { return };
        let Some(media) = self.listed(look).filter(|_| matches!(look.response.head.status, 404 | 410)) else {
            return;
        };
        let Some(last) = media.last_sequence().filter(|_| media.segment(sequence).is_some()) else { return };
        let finding = if sequence == last && !media.endlist {
            Finding::SegmentNotReady
        } else {
            Finding::SegmentExpired
        };
        look.find(finding, || {
            format!(
                "{} for segment {sequence}; playlist lists {} to {last}",
                look.response.head.status, media.media_sequence
            )
        });
    }

    /// Inspects the headers with which a playlist is served.
    fn inspect_delivery(&self, look: &Look<'_>, media: Option<&Media>) {
        let response = look.response;
        match look.content_type() {
            Some(essence) if is_playlist_type(essence, look.url) => {}
            None if is_playlist_name(look.url) => {}
            other => {
                let named = is_playlist_name(look.url);
                look.find(
                    if named { Finding::WrongContentType } else { Finding::UnidentifiedPlaylist },
                    || format!("playlist served as {}", other.unwrap_or("an unspecified type")),
                );
            }
        }
        self.inspect_lifetime(look, media);
        if !response.head.freshness.is_stated() {
            look.find(Finding::NoCacheHeader, || "neither Cache-Control nor Expires".to_owned());
        }
        if self.offers_gzip && !response.head.codings.compress() && look.length >= WORTH_COMPRESSING {
            look.find(Finding::NotGzipped, || format!("{} bytes", look.length));
        }
        if let (Some(media), Some(age)) = (media.filter(|media| !media.endlist), response.head.age)
            && age > media.target_duration * 3 / 2
        {
            look.find(Finding::CachedTooLong, || {
                format!("Age {} s, target duration {} s", age.as_secs(), media.target_duration.as_secs_f64())
            });
        }
    }

    /// Finds a live playlist that caches may keep for longer than players wait for news, which starves them (RFC
    /// 8216bis section 6.2.1: a server adds a segment within one and a half target durations).
    fn inspect_lifetime(&self, look: &Look<'_>, media: Option<&Media>) {
        let Some(media) = media.filter(|media| !media.endlist) else { return };
        let Some(lifetime) = look.response.head.freshness.longest() else { return };
        if lifetime > media.target_duration * 3 / 2 {
            look.find(Finding::FreshTooLong, || {
                let (lifetime, target) = (lifetime.as_secs(), media.target_duration.as_secs_f64());
                format!("may be cached for {lifetime} s, target duration {target} s")
            });
        }
    }

    /// Returns the playlist that the client had when it sent the request.
    fn listed(&self, look: &Look<'_>) -> Option<&Media> {
        self.watches.get(look.track())?.media()
    }
}

/// Returns what is wrong with a playlist, or the content type and the first characters of what came instead of one.
pub(super) fn why_unreadable(look: &Look<'_>, error: &ParseError) -> String {
    let content_type = look.content_type().unwrap_or("no Content-Type");
    match error.fault {
        Fault::PlaylistNotM3u8 if look.length == 0 => format!("{content_type}, empty body"),
        Fault::PlaylistNotM3u8 => format!("{content_type}: {}", error.detail.shown()),
        _ => error.detail.shown(),
    }
}

/// Media types of playlists, those that section 4 names first; the others need a name that ends in .m3u8 or .m3u.
const PLAYLIST_TYPES: [&str; 4] =
    ["application/vnd.apple.mpegurl", "audio/mpegurl", "application/x-mpegurl", "audio/x-mpegurl"];
/// Number of these types that section 4 names.
const STANDARD_TYPES: usize = 2;
/// Content types that certainly are not media.
const TEXT_TYPES: [&str; 4] = ["text/html", "text/plain", "application/json", "application/xml"];

fn is_playlist_type(essence: &str, url: &SecretUrl) -> bool {
    let known = PLAYLIST_TYPES.iter().position(|name| essence.eq_ignore_ascii_case(name));
    known.is_some_and(|place| place < STANDARD_TYPES || is_playlist_name(url))
}

fn is_playlist_name(url: &SecretUrl) -> bool {
    url.path_ends_with(".m3u8") || url.path_ends_with(".m3u")
}

fn may_be_media(essence: &str) -> bool {
    !PLAYLIST_TYPES.iter().chain(&TEXT_TYPES).any(|name| essence.eq_ignore_ascii_case(name))
}
