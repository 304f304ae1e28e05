//! One media playlist that a client plays: where in it the client is, when it must be loaded again.
//!
//! * When it is loaded again is the profile's rule, counted from the start of the last load, within the limits that
//!   RFC 8216bis section 6.3.4 sets for any client; never for a playlist that has ended.
//! * A segment is asked for once it is listed, in order, never twice once it has come.
//! * A segment is its media sequence number, whatever else differs between two listings of it: URLs may be signed anew
//!   with each load.
//! * A playlist that ends before what was already loaded is stale: it changes nothing until its numbers pass those that
//!   were reached. hls.js 1.7, ffmpeg 5.1 and Chromium 156 do the same after an encoder has begun to count again, and
//!   where a window slides without counting.
//! * Only where the numbers cannot be read at all does the client follow the segments that both lists name ([`slide`]).
//! * Segments shorter than [`SHORTEST_PACED`] are asked for no faster than if they were that long.

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
use crate::vocabulary::{SecretUrl, limits};

/// Media that is shorter paces nothing: a thousand segments a second are an attack, not a stream.
const SHORTEST_PACED: Duration = Duration::from_millis(50);
/// Healthy requests a second of a player that loads a film as fast as it comes: that of the network. This one makes
/// four a second of what follows failures.
const UNPACED_RATE: f64 = 4.0 / SHARE;

/// What a track carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Pictures, or everything.
    Main,
    /// Sound beside the pictures.
    Audio,
    /// Subtitles; playback does not wait for them.
    Subtitles,
    /// What is looked at when the presentation is opened, and not played.
    Other,
}

impl Role {
    /// Whether playback waits for it.
    pub(super) fn is_waited_for(self) -> bool {
        matches!(self, Self::Main | Self::Audio)
    }
}

/// What a new playlist meant for the client's place in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Taken {
    /// Segments that were never fetched.
    pub(super) lost: u64,
    /// The client went on elsewhere than behind what it has.
    pub(super) jumped: bool,
    /// The playlist brought something new.
    pub(super) changed: bool,
}

/// A media playlist that is played.
#[derive(Debug)]
pub(super) struct Track {
    pub(super) role: Role,
    /// Where the playlist is loaded from.
    pub(super) url: SecretUrl,
    /// What the addresses in it are relative to.
    pub(super) base: SecretUrl,
    pub(super) bandwidth: u64,
    /// Media loaded, from the beginning of playback.
    pub(super) buffered: Duration,
    /// The entity tag of the playlist that the client has.
    pub(super) etag: Option<Arc<str>>,
    /// Segments that have been loaded.
    pub(super) loaded: u32,
    /// It was looked at: nothing more is loaded.
    pub(super) closed: bool,
    /// Until when the playlist is used without asking.
    pub(super) fresh_until: Duration,
    pub(super) playlist_attempts: Attempts,
    pub(super) media_attempts: Attempts,
    /// A media playlist.
    list: Option<Arc<Playlist>>,
    /// When the last load of the playlist began.
    asked_at: Duration,
    reload_at: Option<Duration>,
    /// The sequence number that is loaded next.
    next: u64,
    /// The first one that the client does not have: it is before `next` when segments were left out.
    missing: u64,
    /// A segment that is loaded before `next` and not played.
    probe: Option<u64>,
    init: Option<Arc<Init>>,
    /// Where the first list is joined, if not where a viewer begins.
    join: Option<Box<Join>>,
    /// Nothing is loaded before: the buffer has reached its goal.
    pub(super) paused_until: Duration,
    /// No segment is loaded before: the last one was too short to pace the next.
    spaced_until: Duration,
}

impl Track {
    pub(super) fn new(url: SecretUrl, role: Role, bandwidth: u64) -> Self {
        Self {
            role,
            base: url.clone(),
            url,
            bandwidth,
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

    /// Continues what `before` played, from another playlist.
    pub(super) fn continue_from(&mut self, before: &Self) {
        self.buffered = before.buffered;
        self.join = before.place_in_list().map(Box::new).or_else(|| before.join.clone());
    }

    /// Where the client stands in the list that it has.
    pub(super) fn place_in_list(&self) -> Option<Join> {
        self.list.as_ref().map(|list| Join { playlist: Arc::clone(list), next: self.next })
    }

    /// Goes to this place, if it is listed; without a list, once there is one.
    pub(super) fn join_at(&mut self, place: &Join) {
        match self.media().map(|media| place.find(media)) {
            Some(Some(next)) => (self.next, self.missing) = (next, next),
            Some(None) => {}
            None => self.join = Some(Box::new(place.clone())),
        }
    }

    /// Whether the playlist is loaded from this address.
    pub(super) fn is_at(&self, url: &SecretUrl) -> bool {
        self.url == *url
    }

    /// The playlist that the client has.
    pub(super) fn media(&self) -> Option<&Media> {
        match self.list.as_deref() {
            Some(Playlist::Media(media)) => Some(media),
            _ => None,
        }
    }

    /// The sequence number that is loaded next.
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
                let joined = self.join.take().and_then(|join| join.find(media));
                self.next = joined.unwrap_or_else(|| first_to_play(media, profile.start, start));
                self.missing = self.next;
                let probes = profile.probes_oldest && joined.is_none();
                self.probe = oldest(media).filter(|oldest| probes && *oldest < self.next);
                Taken { changed: true, ..Taken::default() }
            }
            Some(before) => {
                let slide = slide(media, before);
                let changed = slide > 0 || !media.is_same_list_as(before);
                let place = self.place().moved_back(slide);
                let Some(step) = step(media, place, profile) else {
                    self.schedule(asked, false, profile);
                    return Taken::default();
                };
                self.missing = place.missing;
                if step.next != place.next {
                    self.media_attempts.begin_another();
                    self.missing = step.next;
                }
                self.next = step.next;
                Taken { lost: step.lost, jumped: step.jumped, changed }
            }
        };
        if profile.reloads_init {
            self.init = None;
        }
        self.list = Some(list);
        self.schedule(asked, taken.changed, profile);
        taken
    }

    fn place(&self) -> Place {
        Place { next: self.next, missing: self.missing }
    }

    /// Whether a live client that joins now would begin after the segment that is loaded next.
    pub(super) fn fell_behind(&self, profile: &Profile) -> bool {
        let live = self.media().filter(|media| !media.endlist);
        live.is_some_and(|media| first_to_play(media, profile.start, None) > self.next)
    }

    /// Requests per second of a client that plays this playlist from a healthy origin. Rather too few than too many:
    /// it limits what follows failures.
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

    /// The playlist whose load began at `asked` has not changed.
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

    /// The playlist is loaded again as if it had not changed.
    pub(super) fn reload_soon(&mut self, profile: &Profile) {
        self.schedule(self.asked_at, false, profile);
    }

    pub(super) fn target_duration(&self) -> Duration {
        self.media().map_or(UNKNOWN_DURATION, target_duration)
    }

    /// Whether the playlist is to be loaded now, or when.
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

    /// What media the track needs at `now`, with `ahead` of media before it.
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

    /// The segment that is loaded next: the one that is looked at only, while it is listed, before all others.
    fn wanted(&self) -> Option<Segment<'_>> {
        let media = self.media()?;
        self.probe.and_then(|probe| media.segment(probe)).or_else(|| self.next_segment(media))
    }

    /// The next segment that exists: gaps are not requested (RFC 8216bis section 4.4.4.7).
    fn next_segment<'a>(&self, media: &'a Media) -> Option<Segment<'a>> {
        let from = media.index_of(self.next)?;
        media.segments.range(from..media.segments.len()).find(|segment| !segment.gap())
    }

    /// The initialization section that the next segment needs has come.
    pub(super) fn take_init(&mut self) {
        self.media_attempts.succeed();
        self.init = self.wanted().and_then(|segment| segment.init().cloned());
    }

    /// The segment that was asked for at `asked` has come and plays after what was there. Returns how long it is;
    /// `None`: it is not played.
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

    /// Whether a live list goes on behind the next segment: whoever leaves that one out has another to play.
    pub(super) fn can_pass(&self) -> bool {
        let Some(media) = self.media().filter(|media| !media.endlist) else { return false };
        let next = self.wanted().map(Segment::sequence);
        next.is_some_and(|next| media.last_sequence().is_some_and(|last| next < last))
    }

    /// The client goes on without the next segment. Returns how many are lost.
    pub(super) fn skip_segment(&mut self) -> u64 {
        if self.probe.take().is_some() {
            return 0;
        }
        let next = self.media().and_then(|media| self.next_segment(media)).map(Segment::sequence);
        self.next = next.unwrap_or(self.next).saturating_add(1);
        1
    }

    /// Whether the stream has ended and everything was loaded.
    pub(super) fn is_complete(&self) -> bool {
        self.closed || self.media().is_some_and(|media| media.endlist && self.next_segment(media).is_none())
    }
}

/// How a client goes on with a new list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Step {
    next: u64,
    lost: u64,
    jumped: bool,
}

/// Where a client stands: the number that it would load next, and the first that it does not have.
#[derive(Clone, Copy, Debug)]
struct Place {
    next: u64,
    missing: u64,
}

impl Place {
    /// The same place in a list whose numbers have moved back by `slide`.
    fn moved_back(self, slide: u64) -> Self {
        Self { next: self.next.saturating_sub(slide), missing: self.missing.saturating_sub(slide) }
    }
}

/// How a client goes on that stands at `place`; `None`: the list ends before what it has loaded.
fn step(media: &Media, place: Place, profile: &Profile) -> Option<Step> {
    let Place { next, missing } = place;
    let end = media.last_sequence().map_or(media.media_sequence, |last| last.saturating_add(1));
    if end < next {
        return None;
    }
    let oldest = oldest(media).unwrap_or_default();
    // Too slow for the window: what is wanted has left it.
    let restart = match profile.behind {
        Behind::LiveEdge if missing < oldest => first_to_play(media, profile.start, None).max(next),
        Behind::Oldest | Behind::Leave if next < oldest => oldest,
        Behind::LiveEdge | Behind::Oldest | Behind::Leave => {
            return Some(Step { next, lost: 0, jumped: false });
        }
    };
    Some(Step { next: restart, lost: restart.saturating_sub(next), jumped: restart != next })
}

/// By how much a list without readable numbers has slid: where it now lists the segment that was the last one.
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
