//! Decision logic of one client: its next request, the time of it, and the playback that its viewer sees. Pure: no
//! clock, no socket.
//!
//! * [`Player::step`] takes an input and the time, and returns the one thing to do next. The same inputs and the same
//!   seed give the same actions, so a day of playback is tested in a second.
//! * Requests are made in lanes ([`LANES`]), each with one open request at a time. Video has one lane; audio and
//!   subtitles share another. A player that separates playlists from media has a lane for each of the two.
//! * The behaviour of a kind of player is data: [`profile`] defines the fields of a row, [`profiles`] holds the rows.
//! * A segment is requested only while less than the profile's goal is buffered.
//! * A failing origin receives about as many requests as a healthy one: [`Allowance`].
//! * Start-up, play and stall together are the whole time since the client began, until everything was played.

mod action;
mod allowance;
mod attempts;
mod backoff;
mod cache;
mod durations;
mod failover;
mod join;
mod live;
mod need;
mod opening;
mod playhead;
mod presentation;
pub mod profile;
pub mod profiles;
mod reloads;
mod requests;
mod retry_wait;
mod selection;
mod session;
mod start;
mod track;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::hls::{Playlist, Start, Variables, choose};
use crate::vocabulary::outcome::Fault;
use crate::vocabulary::{LeaveReason, Playback, Rung, SecretUrl, limits};

pub use action::{Action, Answer, Failure, Fetch, Input, LANES, Resource, Settings};
pub use allowance::Allowance;
use attempts::{Attempts, Verdict};
pub use backoff::Backoff;
pub use need::Decryption;
use need::Keys;
pub use playhead::Tally;
use playhead::{Phase, Playhead};
use presentation::Presentation;
pub use profile::Profile;
use profile::{Behind, Refused, Then};
use reloads::Reloads;
pub use session::SessionLength;
use track::{Role, Track};

/// An open request.
#[derive(Clone, Debug)]
struct OpenRequest {
    what: Resource,
    since: Duration,
    /// URL to remember once it has been loaded, for a key only.
    key: Option<SecretUrl>,
    /// Set when the client has left its track: the response is not used.
    void: bool,
}

/// A simulated viewer.
#[derive(Debug)]
pub struct Player {
    settings: Arc<Settings>,
    /// Wall-clock time at time zero.
    epoch: Timestamp,
    tracks: Vec<Track>,
    /// The variants, if there is more than one to choose from.
    presentation: Option<Box<Presentation>>,
    /// Counts changes of the variant.
    generation: u32,
    /// Variables that the multivariant playlist defines for its media playlists.
    variables: Variables,
    start: Option<Start>,
    keys: Keys,
    asked: [Option<OpenRequest>; LANES],
    entry_attempts: Attempts,
    backoff: Backoff,
    allowance: Allowance,
    /// Time before which no request is made, because a busy server asked for a wait.
    quiet_until: Duration,
    reloads: Reloads,
    playhead: Playhead,
    leaves_at: Option<Duration>,
    gave_up: bool,
    live_offset_us: Option<i64>,
    counted: Counted,
}

/// Counts since the last tally, except those of the playhead.
#[derive(Clone, Copy, Debug, Default)]
struct Counted {
    skipped: u64,
    jumps: u64,
    switches: u64,
    cached_reloads: u64,
    live_latency: Option<Duration>,
}

impl Player {
    /// Creates a player that begins at `now`. `epoch` is the wall-clock time at time zero.
    pub fn new(settings: Arc<Settings>, seed: u64, epoch: Timestamp, now: Duration) -> Self {
        Self {
            leaves_at: settings.session.sample(seed).map(|length| now.saturating_add(length)),
            settings,
            epoch,
            tracks: Vec::new(),
            presentation: None,
            generation: 0,
            variables: Variables::default(),
            start: None,
            keys: Keys::default(),
            asked: [const { None }; LANES],
            entry_attempts: Attempts::default(),
            backoff: Backoff::new(seed),
            allowance: Allowance::default(),
            quiet_until: Duration::ZERO,
            reloads: Reloads::default(),
            playhead: Playhead::new(now),
            gave_up: false,
            live_offset_us: None,
            counted: Counted::default(),
        }
    }

    /// Returns this player with the allowance of the viewer that it replaces.
    #[must_use]
    pub fn succeeding(self, allowance: Allowance) -> Self {
        Self { allowance, ..self }
    }

    /// Returns the allowance for requests that follow failures.
    pub fn allowance(&self) -> Allowance {
        self.allowance
    }

    /// Counts the redirects of a request, each of which cost one more request.
    pub fn redirected(&mut self, redirects: u32, now: Duration) {
        self.allowance.draw_redirects(redirects, now);
    }

    /// Takes an input at `now`, which never goes back, and returns the next action.
    pub fn step(&mut self, now: Duration, input: Input) -> Action {
        self.playhead.advance(now);
        if let Input::Ended(what, answer) = input
            && let Some(asked) = self.take_asked(what)
            && !asked.void
        {
            match answer {
                Answer::Playlist { url, etag, playlist, fresh_for } => {
                    self.take_playlist(&asked, url, etag, playlist, now);
                    self.keep_fresh(what, fresh_for, now);
                }
                Answer::Unchanged { fresh_for } => {
                    self.take_unchanged(&asked, now);
                    self.keep_fresh(what, fresh_for, now);
                }
                Answer::Media(bytes) => self.take_media(asked, bytes, now),
                Answer::Failed(failure) => self.take_failure(asked.what, failure, now),
            }
        }
        self.next(now)
    }

    fn take_asked(&mut self, what: Resource) -> Option<OpenRequest> {
        let asked = |lane: &&mut Option<OpenRequest>| lane.as_ref().is_some_and(|asked| asked.what == what);
        self.asked.iter_mut().find(asked)?.take()
    }

    /// Checks that a playlist is usable for its purpose, and otherwise returns the fault to count.
    ///
    /// # Errors
    /// Returns `playlist.semantic` for a multivariant playlist without a variant to play, or in place of a media
    /// playlist.
    pub fn accepts(&self, what: Resource, playlist: &Playlist) -> Result<(), Fault> {
        match (what, playlist) {
            (Resource::Entry, Playlist::Multivariant(multivariant))
                if !choose(multivariant, self.settings.choice).is_empty() =>
            {
                Ok(())
            }
            (Resource::Entry | Resource::Playlist(_), Playlist::Media(_)) => Ok(()),
            _ => Err(Fault::PlaylistSemantic),
        }
    }

    fn take_playlist(
        &mut self,
        asked: &OpenRequest,
        url: SecretUrl,
        etag: Option<Arc<str>>,
        playlist: Arc<Playlist>,
        now: Duration,
    ) {
        let index = match (asked.what, &*playlist) {
            (Resource::Entry, Playlist::Multivariant(multivariant)) => {
                self.present(multivariant, &playlist, &url);
                self.variables.clone_from(&multivariant.variables);
                self.start = multivariant.start;
                // Without a track there is nothing to play, whatever the playlist contains.
                if self.tracks.is_empty() {
                    self.take_failure(asked.what, Failure::Broken, now);
                }
                return;
            }
            (Resource::Entry, Playlist::Media(_)) => {
                self.tracks = vec![Track::new(self.settings.entry.unshared(), Rung::Single, Role::Main)];
                0
            }
            (Resource::Playlist(index), Playlist::Media(_)) => index,
            // `accepts` has already rejected it, so a retry loses nothing.
            _ => return self.take_failure(asked.what, Failure::Broken, now),
        };
        let profile = self.settings.profile;
        let Some(track) = self.tracks.get_mut(index) else { return };
        // After a redirect, some players reload from the new URL and some from the given one.
        if profile.reload_url == profile::ReloadUrl::Final {
            track.url = url.clone();
        }
        (track.base, track.etag) = (url, etag);
        let taken = track.take(playlist, asked.since, profile, self.start);
        // The player lost its place in a live stream, or stalled and fell too far back: some players leave then.
        let stalled = self.playhead.phase() == Phase::Stalled;
        if profile.behind == Behind::Leave && (taken.jumped || (stalled && track.fell_behind(profile))) {
            self.gave_up = true;
        }
        self.counted.skipped += taken.lost;
        self.counted.jumps += u64::from(taken.jumped);
        // The pace of the stream may have changed, and it limits the requests that follow failures.
        let rate = self.tracks.iter().map(|track| track.healthy_rate(profile)).sum();
        self.allowance.set_healthy_rate(rate, now);
        // The viewer's latency follows from the first track. An unchanged playlist does not affect it.
        if index == 0 && (taken.changed || taken.jumped) {
            self.settle_latency(asked.since, now);
        }
        self.end_if_complete(now);
    }

    /// Computes the viewer's latency from the playlist of the first track, which was requested at `asked`.
    fn settle_latency(&mut self, asked: Duration, now: Duration) {
        let Some(track) = self.tracks.first() else { return };
        let place = live::Place { next: track.next(), buffered: track.buffered };
        let media = track.media();
        self.live_offset_us = media.and_then(|media| live::offset_us(media, place, asked, self.epoch));
        // Before playback begins, no frame is on the screen that could be late.
        let behind = now.saturating_sub(self.playhead.position(now));
        let playing = self.playhead.phase() != Phase::StartingUp;
        self.counted.live_latency =
            self.live_offset_us.filter(|_| playing).map(|offset| live::latency(behind, offset));
    }

    fn take_unchanged(&mut self, asked: &OpenRequest, now: Duration) {
        match asked.what {
            Resource::Playlist(index) => {
                match self.tracks.get_mut(index) {
                    Some(track) if track.media().is_some() => {
                        track.unchanged(asked.since, self.settings.profile);
                    }
                    // No earlier playlist exists that could be unchanged.
                    _ => self.take_failure(asked.what, Failure::Broken, now),
                }
            }
            what => self.take_failure(what, Failure::Broken, now),
        }
    }

    fn take_media(&mut self, asked: OpenRequest, bytes: u64, now: Duration) {
        let (Resource::Key(index) | Resource::Init(index) | Resource::Segment(index, _)) = asked.what else {
            return;
        };
        let Some(track) = self.tracks.get_mut(index) else { return };
        match asked.what {
            Resource::Segment(_, sequence) => {
                let first = track.buffered.is_zero();
                let (length, role) = (track.take_segment(sequence, asked.since), track.role);
                if let Some(length) = length.filter(|_| role.is_waited_for()) {
                    self.playhead.load(bytes, if role == Role::Main { length } else { Duration::ZERO });
                }
                self.close_looked_at();
                self.buffer(now);
                if length.is_some() && role == Role::Main {
                    if first {
                        self.begin_audio(sequence);
                    }
                    self.prefer(now);
                }
                self.pause(index, now);
            }
            Resource::Init(_) => track.take_init(),
            _ => {
                track.media_attempts.succeed();
                self.keys.add(asked.key);
            }
        }
    }

    /// Stops loading a track that has reached the goal, for a player that pauses until its buffer has run low.
    fn pause(&mut self, index: usize, now: Duration) {
        let Profile { buffer_goal, refill_at, .. } = *self.settings.profile;
        let position = self.playhead.position(now);
        let Some(track) = self.tracks.get_mut(index) else { return };
        let ahead = track.buffered.saturating_sub(position);
        if refill_at < buffer_goal && ahead >= buffer_goal {
            track.paused_until = now + ahead.saturating_sub(refill_at);
        }
    }

    fn take_failure(&mut self, what: Resource, failure: Failure, now: Duration) {
        self.allowance.fail(now);
        if self.close_other(what) {
            return self.end_if_complete(now);
        }
        if self.fail_over(what, failure, now) {
            return;
        }
        match self.judge(what, failure, now) {
            Verdict::Again => {}
            Verdict::Leave => self.gave_up = true,
            Verdict::Skip => {
                if let Resource::Key(index) | Resource::Init(index) | Resource::Segment(index, _) = what
                    && let Some(track) = self.tracks.get_mut(index)
                {
                    self.counted.skipped += track.skip_segment();
                    if self.settings.profile.segment.then == Then::SkipOn && self.allowance.has_reserve(now) {
                        track.reload_soon(self.settings.profile);
                    }
                    self.buffer(now);
                }
            }
        }
    }

    /// Applies the rules of the profile to a failure.
    fn judge(&mut self, what: Resource, failure: Failure, now: Duration) -> Verdict {
        let Self { settings, tracks, entry_attempts, backoff, .. } = self;
        let profile = settings.profile;
        let is_final = failure == Failure::Refused && profile.refused == Refused::Final;
        let track = match what {
            Resource::Entry => None,
            Resource::Playlist(index)
            | Resource::Key(index)
            | Resource::Init(index)
            | Resource::Segment(index, _) => tracks.get_mut(index),
        };
        match (what, track) {
            (Resource::Entry, _) if is_final => Verdict::Leave,
            (Resource::Entry, _) => entry_attempts.fail(&profile.entry, limits::RELOAD_MIN, now, backoff),
            (_, None) => Verdict::Again,
            (Resource::Playlist(_), Some(track)) => {
                let target = track.target_duration();
                track.playlist_attempts.fail(&profile.playlist, target, now, backoff)
            }
            (Resource::Key(_) | Resource::Segment(..), Some(track)) if is_final && track.can_pass() => {
                track.media_attempts.pass()
            }
            (_, Some(track)) => {
                let target = track.target_duration();
                track.media_attempts.fail(&profile.segment, target, now, backoff)
            }
        }
    }

    /// Updates the playable media: the least that any track has among those that playback waits for.
    fn buffer(&mut self, now: Duration) {
        let needed = self.tracks.iter().filter(|track| track.role.is_waited_for());
        let buffered = needed.map(|track| track.buffered).min().unwrap_or_default();
        self.playhead.buffer(buffered, now);
        self.end_if_complete(now);
    }

    fn end_if_complete(&mut self, now: Duration) {
        if !self.tracks.is_empty() && self.tracks.iter().all(Track::is_complete) {
            self.playhead.complete(now);
        }
    }

    fn next(&mut self, now: Duration) -> Action {
        if self.gave_up {
            return Action::Leave(LeaveReason::GaveUp);
        }
        if self.playhead.phase() == Phase::Ended {
            return Action::Finished;
        }
        if self.leaves_at.is_some_and(|at| at <= now) {
            return Action::Leave(LeaveReason::SessionOver);
        }
        // Count a stall when it begins, even while a request is open that would have prevented it.
        let mut wake = earliest(self.leaves_at, self.playhead.wake(now));
        if let Some(action) = self.request(now, &mut wake) {
            return action;
        }
        let silent = wake.is_none() && self.asked.iter().all(Option::is_none);
        Action::Wait(if silent { Some(now + limits::RELOAD_MAX) } else { wake })
    }

    /// Counts the playback up to `now`, when the client leaves.
    pub fn leave(&mut self, now: Duration) {
        self.playhead.advance(now);
    }

    /// Returns the variables that media playlists may import from their multivariant playlist.
    pub fn variables(&self) -> &Variables {
        &self.variables
    }

    /// Returns the counts since the last call.
    pub fn take_tally(&mut self) -> Tally {
        let counted = std::mem::take(&mut self.counted);
        Tally {
            segments_skipped: counted.skipped,
            edge_jumps: counted.jumps,
            variant_switches: counted.switches,
            cached_reloads: counted.cached_reloads,
            live_latency: counted.live_latency,
            ..self.playhead.take_tally()
        }
    }

    /// Returns the playback that the viewer sees, as a function of time.
    pub fn playback(&self, now: Duration) -> Playback {
        let attempts = self.tracks.iter().flat_map(|track| [&track.playlist_attempts, &track.media_attempts]);
        let retries = attempts.chain([&self.entry_attempts]).any(|attempts| attempts.until(now).is_some());
        let waiting = retries || now < self.quiet_until;
        let playback = self.playhead.playback(waiting);
        Playback { bandwidth: self.bandwidth(), live_offset_us: self.live_offset_us, ..playback }
    }

    /// Returns the peak bits per second of the tracks that are played, 0 if unknown.
    pub fn bandwidth(&self) -> u64 {
        self.tracks.iter().map(|track| track.bandwidth).sum()
    }

    /// Returns the rungs that the client plays: the video or all, the audio beside it, and the subtitles.
    pub fn plays(&self) -> [Option<Rung>; 3] {
        let first = |role| self.tracks.iter().find(|track| track.role == role);
        [Role::Main, Role::Audio, Role::Subtitles].map(|role| first(role).map(|track| track.rung))
    }

    /// Returns the place in the ladder of the media playlist that this request was for.
    pub fn rung(&self, what: Resource) -> Option<Rung> {
        match what.track() {
            None => Some(Rung::Single),
            Some(index) => self.tracks.get(index).map(|track| track.rung),
        }
    }
}

fn earliest(one: Option<Duration>, other: Option<Duration>) -> Option<Duration> {
    one.into_iter().chain(other).min()
}

#[cfg(test)]
mod tests;
