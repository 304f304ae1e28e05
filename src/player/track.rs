//! One media playlist that a client plays: the client's place in it, and the times of its reloads.
//!
//! * The profile's rule sets the time of a reload, counted from the start of the last load, within the limits that
//!   RFC 8216bis section 6.3.4 sets for any client. A playlist that has ended is never reloaded.
//! * A segment is requested once it is listed, in order, and never again once it has arrived.
//! * The media sequence number identifies a segment, whatever else differs between two listings of it: each load may
//!   bring newly signed URLs.
//! * A playlist that ends before the segments that were already loaded is stale: it changes nothing until its numbers
//!   pass those that were reached. hls.js 1.7, ffmpeg 5.1 and Chromium 156 do the same after an encoder has restarted
//!   its count, and with a window that slides without counting.
//! * Only if the numbers cannot be read at all does the client follow the segments that both playlists name
//!   ([`slide`]).
//! * Segments shorter than [`SHORTEST_PACED`] are requested no faster than if they were that long.

use std::sync::Arc;
use std::time::Duration;

use super::allowance::SHARE;
use super::attempts::Attempts;
use super::durations::{UNKNOWN_DURATION, duration, target_duration};
use super::join::Join;
use super::need::{self, Keys, Need};
use super::profile::{Behind, Pace, Profile};
use super::start::first_to_play;
use crate::hls::{Init, Media, Playlist, Segment, Start};
use crate::vocabulary::{Rung, SecretUrl, limits};

/// Shortest media that paces a client: a thousand segments per second are an attack, not a stream.
const SHORTEST_PACED: Duration = Duration::from_millis(50);
/// Healthy requests per second of a player that loads a film as fast as the network allows. Such a player makes four
/// requests per second after failures.
const UNPACED_RATE: f64 = 4.0 / SHARE;

/// Content of a track.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Video, or everything.
    Main,
    /// Audio beside the video.
    Audio,
    /// Subtitles; playback does not wait for them.
    Subtitles,
    /// A playlist that is probed when the presentation is opened, and not played.
    Other,
}

impl Role {
    /// Reports whether playback waits for the track.
    pub(super) fn is_waited_for(self) -> bool {
        matches!(self, Self::Main | Self::Audio)
    }
}

/// Effect of a new playlist on the client's place in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Taken {
    /// Segments that were never fetched.
    pub(super) lost: u64,
    /// The client skipped to another position instead of continuing after its last segment.
    pub(super) jumped: bool,
    /// The playlist brought something new.
    pub(super) changed: bool,
}

/// A media playlist that is played.
#[derive(Debug)]
pub(super) struct Track {
    pub(super) role: Role,
    /// URL that the playlist is loaded from.
    pub(super) url: SecretUrl,
    /// URL that the URIs in the playlist are relative to.
    pub(super) base: SecretUrl,
    /// True if a multivariant playlist names the track that was loaded over `https`.
    pub(super) named_securely: bool,
    /// Place of the playlist in the ladder.
    pub(super) rung: Rung,
    pub(super) bandwidth: u64,
    /// Media loaded, from the beginning of playback.
    pub(super) buffered: Duration,
    /// The entity tag of the playlist that the client has.
    pub(super) etag: Option<Arc<str>>,
    /// Segments that have been loaded.
    pub(super) loaded: u32,
    /// Set when the track has been probed: nothing more is loaded.
    pub(super) closed: bool,
    /// Time until which the playlist is used without a request.
    pub(super) fresh_until: Duration,
    pub(super) playlist_attempts: Attempts,
    pub(super) media_attempts: Attempts,
    /// The media playlist, once it has been loaded.
    list: Option<Arc<Playlist>>,
    /// Time at which the last load of the playlist began.
    asked_at: Duration,
    reload_at: Option<Duration>,
    /// Sequence number of the segment to load next.
    next: u64,
    /// First sequence number that the client does not have: it is before `next` if segments were skipped.
    missing: u64,
    /// A segment that is loaded before `next` and not played.
    probe: Option<u64>,
    init: Option<Arc<Init>>,
    /// Place at which the first playlist is joined, if not where a viewer begins.
    join: Option<Box<Join>>,
    /// Time before which nothing is loaded, because the buffer has reached its goal.
    pub(super) paused_until: Duration,
    /// Time before which no segment is loaded, because the last one was too short to pace the next.
    spaced_until: Duration,
}

impl Track {
    pub(super) fn new(url: SecretUrl, rung: Rung, role: Role) -> Self {
        Self {
            role,
            base: url.clone(),
            named_securely: false,
            url,
            rung,
            bandwidth: 0,
            buffered: Duration::ZERO,
            etag: None,
            loaded: 0,
            closed: false,
            fresh_until: Duration::ZERO,
            playlist_attempts: Attempts::default(),
            media_attempts: Attempts::default(),
            list: None,
            asked_at: Duration::ZERO,
            reload_at: None,
            next: 0,
            missing: 0,
            probe: None,
            init: None,
            paused_until: Duration::ZERO,
            spaced_until: Duration::ZERO,
            join: None,
        }
    }

    /// Continues the playback of `before` from another playlist.
    pub(super) fn continue_from(&mut self, before: &Self) {
        self.buffered = before.buffered;
        self.join = before.place_in_list().map(Box::new).or_else(|| before.join.clone());
    }

    /// Returns the client's place in the playlist that it has.
    pub(super) fn place_in_list(&self) -> Option<Join> {
        self.list.as_ref().map(|list| Join { playlist: Arc::clone(list), next: self.next })
    }

    /// Moves to this place if it is listed. Without a playlist, does so once there is one.
    pub(super) fn join_at(&mut self, place: &Join) {
        match self.media().map(|media| place.find(media)) {
            Some(Some(next)) => (self.next, self.missing) = (next, next),
            Some(None) => {}
            None => self.join = Some(Box::new(place.clone())),
        }
    }

    /// Reports whether the playlist is loaded from this URL.
    pub(super) fn is_at(&self, url: &SecretUrl) -> bool {
        self.url == *url
    }

    /// Returns the playlist that the client has.
    pub(super) fn media(&self) -> Option<&Media> {
        match self.list.as_deref() {
            Some(Playlist::Media(media)) => Some(media),
            _ => None,
        }
    }

    /// Returns the sequence number of the segment to load next.
    pub(super) fn next(&self) -> u64 {
        self.next
    }

    /// Takes a media playlist whose load began at `asked`.
    pub(super) fn take(
        &mut self,
        list: Arc<Playlist>,
        asked: Duration,
        profile: &Profile,
        start: Option<Start>,
    ) -> Taken {
        let Playlist::Media(media) = &*list else { return Taken::default() };
        self.playlist_attempts.succeed();
        let taken = match self.media() {
            None => {
                // A client that switches continues at its place; a new viewer begins where its player does.
                let joined = self.join.take().and_then(|join| join.find(media));
                self.next = joined.unwrap_or_else(|| first_to_play(media, profile.start, start));
                self.missing = self.next;
                let probes = profile.probes_oldest && joined.is_none();
                self.probe = oldest(media).filter(|oldest| probes && *oldest < self.next);
                Taken { changed: true, ..Taken::default() }
            }
            Some(before) => {
                // Without readable sequence numbers a playlist slides: move the client's place with its segments.
                let slide = slide(media, before);
                let changed = slide > 0 || !media.is_same_list_as(before);
                let place = self.place().moved_back(slide);
                // A stale playlist is not kept: it counts as an unchanged one.
                let Some(step) = step(media, place, profile) else {
                    self.schedule(asked, false, profile);
                    return Taken::default();
                };
                self.missing = place.missing;
                // The failures so far were those of a segment that the client now skips.
                if step.next != place.next {
                    self.media_attempts.begin_another();
                    self.missing = step.next;
                }
                self.next = step.next;
                Taken { lost: step.lost, jumped: step.jumped, changed }
            }
        };
        // Dropping it makes the client request the initialization section again.
        if profile.reloads_init {
            self.init = None;
        }
        // Only now: a stale playlist has returned above.
        self.list = Some(list);
        self.schedule(asked, taken.changed, profile);
        taken
    }

    fn place(&self) -> Place {
        Place { next: self.next, missing: self.missing }
    }

    /// Reports whether a live client that joins now would begin after the segment that is loaded next.
    pub(super) fn fell_behind(&self, profile: &Profile) -> bool {
        let live = self.media().filter(|media| !media.endlist);
        live.is_some_and(|media| first_to_play(media, profile.start, None) > self.next)
    }

    /// Returns the requests per second of a client that plays this playlist from a healthy origin. The estimate is
    /// rather too low than too high, because it limits the requests that follow failures.
    pub(super) fn healthy_rate(&self, profile: &Profile) -> f64 {
        let Some(media) = self.media().filter(|_| self.role != Role::Other && !self.closed) else {
            return 0.0;
        };
        let last = media.segments.last().map(Segment::duration).unwrap_or_default();
        let target = target_duration(media).max(limits::RELOAD_MIN);
        let segment = target.max(last).min(limits::RELOAD_MAX);
        if !media.endlist {
            let reload = reload_wait(media, profile.reload.slowest);
            return reload.as_secs_f64().recip() + segment.as_secs_f64().recip();
        }
        if profile.buffer_goal == Duration::MAX { UNPACED_RATE } else { segment.as_secs_f64().recip() }
    }

    /// Notes that the playlist whose load began at `asked` has not changed.
    pub(super) fn unchanged(&mut self, asked: Duration, profile: &Profile) {
        self.playlist_attempts.succeed();
        self.schedule(asked, false, profile);
    }

    fn schedule(&mut self, asked: Duration, changed: bool, profile: &Profile) {
        self.asked_at = asked;
        let Some(media) = self.media() else { return };
        let pace = if changed { profile.reload.changed } else { profile.reload.unchanged };
        let at = asked + reload_wait(media, pace);
        self.reload_at = (!media.endlist).then_some(at);
    }

    /// Schedules the next reload as if the playlist had not changed.
    pub(super) fn reload_soon(&mut self, profile: &Profile) {
        self.schedule(self.asked_at, false, profile);
    }

    pub(super) fn target_duration(&self) -> Duration {
        self.media().map_or(UNKNOWN_DURATION, target_duration)
    }

    /// Returns [`Need::Playlist`] if a load is due now, otherwise the time at which one is.
    pub(super) fn playlist_need(&self, now: Duration) -> Need {
        let due = match (&self.list, self.role) {
            _ if self.closed => None,
            (None, _) => Some(Duration::ZERO),
            (Some(_), Role::Other) => None,
            (Some(_), _) => self.reload_at,
        };
        let due = due.map(|at| at.max(self.paused_until));
        match due.max(self.playlist_attempts.until(now).filter(|_| due.is_some())) {
            Some(at) if at <= now => Need::Playlist,
            until => Need::Nothing { until },
        }
    }

    /// Returns the media that the track needs at `now`, with `ahead` of media buffered.
    pub(super) fn media_need(&self, now: Duration, ahead: Duration, goal: Duration, keys: &Keys) -> Need {
        let Some(segment) = self.wanted().filter(|_| !self.closed) else {
            return Need::Nothing { until: None };
        };
        let waits = [self.paused_until, self.spaced_until].into_iter().max().filter(|until| *until > now);
        if let Some(until) = self.media_attempts.until(now).max(waits) {
            return Need::Nothing { until: Some(until) };
        }
        if ahead >= goal {
            let room_at = now + ahead.saturating_sub(goal) + Duration::from_millis(1);
            return Need::Nothing { until: Some(room_at) };
        }
        need::of_segment(segment, self.init.as_ref(), &self.base, keys)
    }

    /// Returns the segment to load next. A segment to probe comes before all others, while it is listed.
    fn wanted(&self) -> Option<Segment<'_>> {
        let media = self.media()?;
        self.probe.and_then(|probe| media.segment(probe)).or_else(|| self.next_segment(media))
    }

    /// Returns the next segment that exists: gaps are not requested (RFC 8216bis section 4.4.4.7).
    fn next_segment<'a>(&self, media: &'a Media) -> Option<Segment<'a>> {
        let from = media.index_of(self.next)?;
        media.segments.range(from..media.segments.len()).find(|segment| !segment.gap())
    }

    /// Takes the initialization section that the next segment needs.
    pub(super) fn take_init(&mut self) {
        self.media_attempts.succeed();
        self.init = self.wanted().and_then(|segment| segment.init().cloned());
    }

    /// Takes the segment that was requested at `asked`, to be played after the media already loaded. Returns its
    /// length, or `None` if it is not played.
    pub(super) fn take_segment(&mut self, sequence: u64, asked: Duration) -> Option<Duration> {
        if self.probe.take() == Some(sequence) {
            self.media_attempts.succeed();
            return None;
        }
        let listed = self.media().and_then(|media| media.segment(sequence));
        let length = listed.map_or(UNKNOWN_DURATION, duration);
        if listed.is_some_and(|listed| listed.duration() < SHORTEST_PACED) {
            self.spaced_until = asked + SHORTEST_PACED;
        }
        self.buffered += length;
        self.loaded = self.loaded.saturating_add(1);
        self.next = sequence.saturating_add(1);
        self.missing = self.next;
        self.media_attempts.succeed();
        Some(length)
    }

    /// Reports whether a live playlist continues after the next segment, so that a client that skips it has another
    /// to play.
    pub(super) fn can_pass(&self) -> bool {
        let Some(media) = self.media().filter(|media| !media.endlist) else { return false };
        let next = self.wanted().map(Segment::sequence);
        next.is_some_and(|next| media.last_sequence().is_some_and(|last| next < last))
    }

    /// Skips the next segment. Returns the number of segments that are lost.
    pub(super) fn skip_segment(&mut self) -> u64 {
        if self.probe.take().is_some() {
            return 0;
        }
        let next = self.media().and_then(|media| self.next_segment(media)).map(Segment::sequence);
        self.next = next.unwrap_or(self.next).saturating_add(1);
        1
    }

    /// Reports whether the stream has ended and everything was loaded.
    pub(super) fn is_complete(&self) -> bool {
        self.closed || self.media().is_some_and(|media| media.endlist && self.next_segment(media).is_none())
    }
}

/// Continuation of a client in a new playlist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Step {
    next: u64,
    lost: u64,
    jumped: bool,
}

/// Place of a client: the number that it would load next, and the first that it does not have.
#[derive(Clone, Copy, Debug)]
struct Place {
    next: u64,
    missing: u64,
}

impl Place {
    /// Returns the same place in a playlist whose numbers have moved back by `slide`.
    fn moved_back(self, slide: u64) -> Self {
        Self { next: self.next.saturating_sub(slide), missing: self.missing.saturating_sub(slide) }
    }
}

/// Returns the continuation of a client at `place`; `None`: the playlist ends before the segments already loaded.
fn step(media: &Media, place: Place, profile: &Profile) -> Option<Step> {
    let Place { next, missing } = place;
    let end = media.last_sequence().map_or(media.media_sequence, |last| last.saturating_add(1));
    if end < next {
        return None;
    }
    let oldest = oldest(media).unwrap_or_default();
    // The client was too slow for the window: the segments that it wants have left it.
    let restart = match profile.behind {
        Behind::LiveEdge if missing < oldest => first_to_play(media, profile.start, None).max(next),
        Behind::Oldest | Behind::Leave if next < oldest => oldest,
        Behind::LiveEdge | Behind::Oldest | Behind::Leave => {
            return Some(Step { next, lost: 0, jumped: false });
        }
    };
    Some(Step { next: restart, lost: restart.saturating_sub(next), jumped: restart != next })
}

/// Returns the slide of a playlist without readable numbers: the distance that its previous last segment has moved
/// back.
fn slide(media: &Media, before: &Media) -> u64 {
    let Some(last) = before.segments.last().filter(|_| media.is_unnumbered() && before.is_unnumbered())
    else {
        return 0;
    };
    let same = media.segments.iter().rev().find(|segment| segment.has_same_source(last));
    same.map_or(0, |same| last.sequence().saturating_sub(same.sequence()))
}

fn reload_wait(media: &Media, pace: Pace) -> Duration {
    let wait = pace.wait(target_duration(media), media.segments.last().map(duration));
    wait.clamp(limits::RELOAD_MIN, limits::RELOAD_MAX)
}

fn oldest(media: &Media) -> Option<u64> {
    media.segments.first().map(Segment::sequence)
}
