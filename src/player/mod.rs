//! The mind of one client: what it asks for next and when, and what its viewer sees. Pure: no clock, no socket.
//!
//! * [`Player::on`] takes what happened and the time, and answers with the one thing to do next. The same inputs
//!   and the same seed give the same actions, so a day of playback is tested in a millisecond.
//! * One request is open at a time: a client is one viewer with one connection.
//! * Nobody downloads a film at line rate: a segment is asked for only while less than [`BUFFER_GOAL`] is buffered.
//! * Start-up, play and stall together are the whole time since the client began.

mod backoff;
mod playhead;
mod track;

use std::time::Duration;

use crate::base::outcome::Fault;
use crate::base::{SecretUrl, limits};
use crate::hls::{Playlist, Variables, VariantChoice, choose};

use backoff::Backoff;
pub use playhead::{Doing, Moment, Tally};
use playhead::{Phase, Playhead};
use track::{Need, Track};

/// Media that is kept ahead of the playhead; hls.js's default (`maxBufferLength`).
pub const BUFFER_GOAL: Duration = Duration::from_secs(30);

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// The address that the operator gave: a multivariant or a media playlist.
    Entry,
    /// The media playlist of a track.
    Playlist(usize),
    /// The initialization section that the next segment of a track needs.
    Init(usize),
    /// A segment of a track.
    Segment(usize, u64),
}

/// A request that the player wants.
#[derive(Clone, Debug, PartialEq)]
pub struct Fetch {
    /// What it is for.
    pub what: What,
    /// Its address.
    pub url: SecretUrl,
    /// First and last byte, if only a part is wanted.
    pub range: Option<(u64, u64)>,
    /// The time in which the whole response must be there.
    pub total: Duration,
}

/// What to do next.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Request this, then tell how it went.
    Fetch(Fetch),
    /// Nothing before this time.
    Wait(Duration),
    /// The stream has ended and was played to its end.
    Finished,
}

/// What happened.
#[derive(Debug)]
pub enum Input {
    /// The client begins, or the time of [`Action::Wait`] has come.
    Woke,
    /// The playlist that was asked for, and the address that it finally came from.
    Playlist(SecretUrl, Box<Playlist>),
    /// The playlist that was asked for has not changed (304).
    Unchanged,
    /// The initialization section or segment that was asked for.
    Media,
    /// The request failed.
    Failed,
}

/// A simulated viewer.
#[derive(Debug)]
pub struct Player {
    entry: SecretUrl,
    choice: VariantChoice,
    tracks: Vec<Track>,
    /// What the multivariant playlist defines for its media playlists (`EXT-X-DEFINE`).
    variables: Variables,
    /// What the last action asked for, and when.
    asked: Option<(What, Duration)>,
    backoff: Backoff,
    playhead: Playhead,
    skipped: u64,
}

impl Player {
    /// A player that begins at `now`.
    pub fn new(entry: SecretUrl, choice: VariantChoice, seed: u64, now: Duration) -> Self {
        Self {
            entry,
            choice,
            tracks: Vec::new(),
            variables: Variables::default(),
            asked: None,
            backoff: Backoff::new(seed),
            playhead: Playhead::new(now),
            skipped: 0,
        }
    }

    /// Takes what happened at `now`, which never goes back, and says what to do next.
    pub fn on(&mut self, now: Duration, input: Input) -> Action {
        self.playhead.advance(now);
        let asked = self.asked.take();
        match (input, asked) {
            (Input::Playlist(url, playlist), Some((what, since))) => {
                self.take_playlist(what, since, url, *playlist, now)
            }
            (Input::Unchanged, Some((What::Playlist(track), since))) => {
                if let Some(track) = self.tracks.get_mut(track) {
                    track.unchanged(since, now);
                }
            }
            (Input::Media, Some((what, _))) => self.take_media(what, now),
            (Input::Failed, Some((what, _))) => self.take_failure(what, now),
            (Input::Unchanged, Some((what, _))) => self.take_failure(what, now),
            (Input::Woke, _) | (_, None) => {}
        }
        self.next(now)
    }

    /// Whether a playlist can be used for what it was asked for; what it is counted as if not.
    ///
    /// # Errors
    /// `playlist.semantic` for a multivariant playlist that names no variant, or stands where a media playlist must.
    pub fn accepts(&self, what: What, playlist: &Playlist) -> Result<(), Fault> {
        match (what, playlist) {
            (What::Entry, Playlist::Multivariant(multivariant))
                if !choose(multivariant, self.choice).is_empty() =>
            {
                Ok(())
            }
            (What::Entry | What::Playlist(_), Playlist::Media(_)) => Ok(()),
            _ => Err(Fault::PlaylistSemantic),
        }
    }

    fn take_playlist(
        &mut self,
        what: What,
        since: Duration,
        url: SecretUrl,
        playlist: Playlist,
        now: Duration,
    ) {
        match (what, playlist) {
            (What::Entry, Playlist::Multivariant(multivariant)) => {
                let chosen = choose(&multivariant, self.choice);
                let variants = chosen.into_iter().filter_map(|index| multivariant.variants.get(index));
                self.tracks = variants
                    .filter_map(|variant| {
                        Some(Track::new(url.join(variant.uri.as_str()).ok()?, variant.bandwidth))
                    })
                    .collect();
                self.variables = multivariant.variables;
                if self.tracks.is_empty() {
                    self.backoff.fail(now);
                }
            }
            (What::Entry, Playlist::Media(media)) => {
                let mut track = Track::new(url, 0);
                self.skipped += track.take(media, since, now);
                self.tracks = vec![track];
            }
            (What::Playlist(index), Playlist::Media(media)) => {
                if let Some(track) = self.tracks.get_mut(index) {
                    track.url = url;
                    self.skipped += track.take(media, since, now);
                }
            }
            // `accepts` has refused it; nothing is lost by asking again.
            _ => self.backoff.fail(now),
        }
        self.end_if_complete(now);
    }

    fn take_media(&mut self, what: What, now: Duration) {
        match what {
            What::Init(index) => {
                if let Some(track) = self.tracks.get_mut(index) {
                    track.take_init();
                }
            }
            What::Segment(index, sequence) => {
                if let Some(track) = self.tracks.get_mut(index) {
                    track.take_segment(sequence);
                }
                self.buffer(now);
            }
            What::Entry | What::Playlist(_) => {}
        }
    }

    fn take_failure(&mut self, what: What, now: Duration) {
        self.backoff.fail(now);
        if let What::Init(index) | What::Segment(index, _) = what
            && let Some(track) = self.tracks.get_mut(index)
        {
            self.skipped += track.fail_media();
            self.buffer(now);
        }
    }

    /// What can be played is what every track has.
    fn buffer(&mut self, now: Duration) {
        let buffered = self.tracks.iter().map(|track| track.buffered).min().unwrap_or_default();
        self.playhead.buffer(buffered, now);
        self.end_if_complete(now);
    }

    fn end_if_complete(&mut self, now: Duration) {
        if !self.tracks.is_empty() && self.tracks.iter().all(Track::is_complete) {
            self.playhead.complete(now);
        }
    }

    fn next(&mut self, now: Duration) -> Action {
        if self.playhead.phase() == Phase::Ended {
            return Action::Finished;
        }
        if let Some(until) = self.backoff.until(now) {
            return Action::Wait(until);
        }
        if self.tracks.is_empty() {
            return self.fetch(What::Entry, self.entry.clone(), None, now);
        }
        // The track that is shortest of media comes first, and a playlist that is due before any segment.
        let ahead = |track: &Track| track.buffered.saturating_sub(self.playhead.position(now));
        let mut needs: Vec<_> =
            self.tracks.iter().enumerate().map(|(i, track)| (i, track.need(now, ahead(track)))).collect();
        needs
            .sort_by_key(|(index, need)| (need.order(), self.tracks.get(*index).map(|track| track.buffered)));
        let mut wake = self.playhead.wake(now);
        for (index, need) in needs {
            match need {
                Need::Playlist => {
                    let url = self.tracks.get(index).map(|track| track.url.clone());
                    return self.fetch_or_wait(What::Playlist(index), url, None, now);
                }
                Need::Media { what, url, range } => {
                    return self.fetch_or_wait(what.on(index), url, range, now);
                }
                Need::Nothing { until } => wake = earliest(wake, until),
            }
        }
        // Nothing is due and nothing will be: only a stream without an end and without a reload could come here.
        Action::Wait(wake.unwrap_or(now + limits::RELOAD_MAX))
    }

    fn fetch_or_wait(
        &mut self,
        what: What,
        url: Option<SecretUrl>,
        range: Option<(u64, u64)>,
        now: Duration,
    ) -> Action {
        match url {
            Some(url) => self.fetch(what, url, range, now),
            // The playlist named an address that cannot be requested: as if the request had failed.
            None => {
                self.take_failure(what, now);
                Action::Wait(self.backoff.until(now).unwrap_or(now + limits::BACKOFF_MIN))
            }
        }
    }

    fn fetch(&mut self, what: What, url: SecretUrl, range: Option<(u64, u64)>, now: Duration) -> Action {
        self.asked = Some((what, now));
        let target = self.tracks.iter().map(Track::target_duration).max().unwrap_or_default();
        let total = (target * limits::TOTAL_TIMEOUT_SEGMENTS).max(limits::TOTAL_TIMEOUT_MIN);
        Action::Fetch(Fetch { what, url, range, total })
    }

    /// The client leaves at `now`: what it played until then is counted.
    pub fn leave(&mut self, now: Duration) {
        self.playhead.advance(now);
    }

    /// What media playlists may import from their multivariant playlist.
    pub fn variables(&self) -> &Variables {
        &self.variables
    }

    /// What has happened since the last call.
    pub fn take_tally(&mut self) -> Tally {
        let mut tally = self.playhead.take_tally();
        tally.segments_skipped = std::mem::take(&mut self.skipped);
        tally
    }

    /// What the viewer sees, as a function of time.
    pub fn moment(&self, now: Duration) -> Moment {
        self.playhead.moment(self.backoff.until(now).is_some())
    }

    /// Peak bits per second of what is played, 0 when unknown.
    pub fn bandwidth(&self) -> u64 {
        self.tracks.iter().map(|track| track.bandwidth).sum()
    }
}

fn earliest(one: Option<Duration>, other: Option<Duration>) -> Option<Duration> {
    one.into_iter().chain(other).min()
}

#[cfg(test)]
mod tests;
