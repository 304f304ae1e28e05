//! One media playlist that a client plays: where in it the client is, when it must be loaded again.
//!
//! * Live playback begins three target durations from the end (RFC 8216bis section 6.3.3), or HOLD-BACK.
//! * A changed playlist is loaded again after one target duration, an unchanged one after half (section 6.3.4),
//!   counted from the start of the last load.
//! * A segment is asked for once it is listed, in order, never twice once it has come.
//! * A playlist that ends before what was already loaded is stale: it changes nothing, until it has done so for
//!   three target durations; then the stream has begun anew and so does the client.

use std::sync::Arc;
use std::time::Duration;

use crate::base::{SecretUrl, limits};
use crate::hls::{ByteRange, Init, Media, Segment};

use super::{BUFFER_GOAL, What};

/// Where live playback begins, in target durations from the end.
const START_TARGET_DURATIONS: u32 = 3;
/// For how many target durations a playlist may lie behind before it is taken for a new stream.
const STALE_TARGET_DURATIONS: u32 = 3;
/// After this many failures of the same segment the client goes on without it.
const SEGMENT_ATTEMPTS: u32 = 5;
/// What stands in for a duration that the playlist does not say: a client must be paced by something.
const UNKNOWN_DURATION: Duration = Duration::from_secs(1);

/// What a track needs next.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Need {
    /// Its playlist, now.
    Playlist,
    /// An initialization section or a segment, now; no address: the playlist names none that can be requested.
    Media { what: Piece, url: Option<SecretUrl>, range: Option<(u64, u64)> },
    /// Nothing before this time, or nothing any more.
    Nothing { until: Option<Duration> },
}

impl Need {
    /// Playlists first: one that is loaded late is a client that is late for ever.
    pub(super) fn order(&self) -> u8 {
        match self {
            Self::Playlist => 0,
            Self::Media { .. } => 1,
            Self::Nothing { .. } => 2,
        }
    }
}

/// A piece of media.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Init,
    Segment(u64),
}

impl Piece {
    /// The same piece of the track with this number.
    pub(super) fn on(self, track: usize) -> What {
        match self {
            Self::Init => What::Init(track),
            Self::Segment(sequence) => What::Segment(track, sequence),
        }
    }
}

/// A media playlist that is played.
#[derive(Debug)]
pub(super) struct Track {
    pub(super) url: SecretUrl,
    pub(super) bandwidth: u64,
    /// Media loaded, from the beginning of playback.
    pub(super) buffered: Duration,
    media: Option<Media>,
    reload_at: Option<Duration>,
    /// The sequence number that is loaded next.
    next: u64,
    init: Option<Arc<Init>>,
    attempts: u32,
    behind_since: Option<Duration>,
}

impl Track {
    pub(super) fn new(url: SecretUrl, bandwidth: u64) -> Self {
        Self {
            url,
            bandwidth,
            buffered: Duration::ZERO,
            media: None,
            reload_at: None,
            next: 0,
            init: None,
            attempts: 0,
            behind_since: None,
        }
    }

    /// Takes a playlist whose load began at `since`, and returns how many segments were lost.
    pub(super) fn take(&mut self, media: Media, since: Duration, now: Duration) -> u64 {
        let Some(before) = &self.media else {
            self.next = first_to_play(&media);
            self.media = Some(media);
            self.schedule(since, true);
            return 0;
        };
        let changed = !media.is_same_list_as(before);
        let end = media.last_sequence().map_or(media.media_sequence, |last| last.saturating_add(1));
        let mut lost = 0;
        if end < self.next {
            let since_when = *self.behind_since.get_or_insert(now);
            let patience = target_duration(&media) * STALE_TARGET_DURATIONS;
            if now.saturating_sub(since_when) < patience {
                self.schedule(since, false);
                return 0;
            }
            self.next = first_to_play(&media);
            self.attempts = 0;
        } else if media.segments.first().is_some_and(|first| self.next < first.sequence) {
            // Too slow for the window: what is next has left it. Its start would be the next to leave.
            let restart = first_to_play(&media);
            lost = restart.saturating_sub(self.next);
            self.next = restart;
            self.attempts = 0;
        }
        self.behind_since = None;
        self.media = Some(media);
        self.schedule(since, changed);
        lost
    }

    /// The playlist whose load began at `since` was not sent again, because it has not changed.
    pub(super) fn unchanged(&mut self, since: Duration, _now: Duration) {
        self.schedule(since, false);
    }

    fn schedule(&mut self, since: Duration, changed: bool) {
        let target = self.target_duration();
        let wait = if changed { target } else { target / 2 };
        let ended = self.media.as_ref().is_some_and(|media| media.endlist);
        self.reload_at = (!ended).then(|| since + wait.clamp(limits::RELOAD_MIN, limits::RELOAD_MAX));
    }

    pub(super) fn target_duration(&self) -> Duration {
        self.media.as_ref().map_or(Duration::ZERO, target_duration)
    }

    /// What the track needs at `now`, with `ahead` of media before it.
    pub(super) fn need(&self, now: Duration, ahead: Duration) -> Need {
        let Some(media) = &self.media else { return Need::Playlist };
        if self.reload_at.is_some_and(|at| at <= now) {
            return Need::Playlist;
        }
        let Some(segment) = self.next_segment(media) else { return Need::Nothing { until: self.reload_at } };
        if ahead >= BUFFER_GOAL {
            let room_at = now + ahead.saturating_sub(BUFFER_GOAL) + Duration::from_millis(1);
            return Need::Nothing { until: super::earliest(self.reload_at, Some(room_at)) };
        }
        let reach = |uri: &str, range: Option<ByteRange>| (self.url.join(uri).ok(), range.map(closed));
        let missing = segment.init.as_ref().filter(|init| self.init.as_ref() != Some(*init));
        let (what, (url, range)) = match missing {
            Some(init) => (Piece::Init, reach(init.uri.as_str(), init.byte_range)),
            None => (Piece::Segment(segment.sequence), reach(segment.uri.as_str(), segment.byte_range)),
        };
        Need::Media { what, url, range }
    }

    /// The next segment that exists: gaps are not requested (RFC 8216bis section 4.4.4.7).
    fn next_segment<'a>(&self, media: &'a Media) -> Option<&'a Segment> {
        let from = media.index_of(self.next)?;
        media.segments.get(from..)?.iter().find(|segment| !segment.gap)
    }

    /// The initialization section that the next segment needs has come.
    pub(super) fn take_init(&mut self) {
        self.attempts = 0;
        let next = self.media.as_ref().and_then(|media| self.next_segment(media));
        self.init = next.and_then(|segment| segment.init.clone());
    }

    /// The segment has come: it plays behind what was there.
    pub(super) fn take_segment(&mut self, sequence: u64) {
        let listed = self.media.as_ref().and_then(|media| media.segment(sequence));
        self.buffered += listed.map_or(UNKNOWN_DURATION, duration);
        self.next = sequence.saturating_add(1);
        self.attempts = 0;
    }

    /// What was needed of the next segment failed. Returns 1 when the segment is given up.
    pub(super) fn fail_media(&mut self) -> u64 {
        self.attempts += 1;
        if self.attempts < SEGMENT_ATTEMPTS {
            return 0;
        }
        self.attempts = 0;
        let next = self.media.as_ref().and_then(|media| self.next_segment(media));
        self.next = next.map_or(self.next, |segment| segment.sequence).saturating_add(1);
        1
    }

    /// Whether the stream has ended and everything was loaded.
    pub(super) fn is_complete(&self) -> bool {
        self.media.as_ref().is_some_and(|media| media.endlist && self.next_segment(media).is_none())
    }
}

/// First and last byte of a range.
fn closed(range: ByteRange) -> (u64, u64) {
    (range.offset, range.end().saturating_sub(1))
}

fn target_duration(media: &Media) -> Duration {
    if media.target_duration.is_zero() {
        UNKNOWN_DURATION
    } else {
        media.target_duration.min(limits::RELOAD_MAX)
    }
}

fn duration(segment: &Segment) -> Duration {
    if segment.duration.is_zero() { UNKNOWN_DURATION } else { segment.duration }
}

/// The sequence number that playback begins with.
fn first_to_play(media: &Media) -> u64 {
    let first = media.segments.first().map_or(media.media_sequence, |segment| segment.sequence);
    if media.endlist {
        return first;
    }
    let hold_back = media.server_control.as_ref().and_then(|control| control.hold_back);
    let distance = hold_back.unwrap_or_default().max(target_duration(media) * START_TARGET_DURATIONS);
    let mut from_end = Duration::ZERO;
    for segment in media.segments.iter().rev() {
        from_end += duration(segment);
        if from_end >= distance {
            return segment.sequence;
        }
    }
    first
}
