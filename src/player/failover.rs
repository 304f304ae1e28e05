//! Switches to another variant: because the current one cannot be loaded, or to reach the preferred one.
//!
//! * Tracks that both variants share continue as they are. Any other track continues at the place of its predecessor
//!   ([`Join`]), and buffered media stays.
//! * Open requests for a track that was left run to their end: the response is counted, but not used.
//! * The playlists of other variants count as reloads, of which a client makes two per second. hls.js does not wait,
//!   but a hundred variants that all fail must not cause a flood.

use std::time::Duration;

use super::join::Join;
use super::profile::{AudioStart, Failover, Retry};
use super::track::{Role, Track};
use super::{Failure, Player, Resource};

impl Player {
    /// Reports whether the response to an open request is still of use: it is not if the client has left its track.
    pub fn awaits(&self, what: Resource) -> bool {
        self.asked.iter().flatten().any(|asked| asked.what == what && !asked.void)
    }

    /// Returns a number that changes with every switch to another variant.
    pub fn generation(&self) -> u32 {
        self.generation
    }

    /// Leaves the variant after a failure, if the profile does so by now and there is another variant. Returns true
    /// if it did.
    pub(super) fn fail_over(&mut self, what: Resource, failure: Failure, now: Duration) -> bool {
        let profile = self.settings.profile;
        let Some(track) = what.track().and_then(|index| self.tracks.get(index)) else { return false };
        let role = track.role;
        let exhausted = match what {
            Resource::Playlist(_) => is_exhausted(&profile.playlist, track.playlist_attempts.failures()),
            _ => is_exhausted(&profile.segment, track.media_attempts.failures()),
        };
        let leaves = match profile.failover {
            // Playback does not wait for subtitles.
            _ if role == Role::Subtitles => false,
            Failover::Never => false,
            Failover::AtOnce { .. } => true,
            Failover::AfterRetries => exhausted || failure != Failure::Broken,
        };
        let Some(presentation) = self.presentation.as_deref_mut().filter(|_| leaves) else { return false };
        if !presentation.fail_over(role, profile.failover, now) {
            return false;
        }
        self.switch_variant();
        // Variants that all fail are tried no faster than one that fails.
        for track in &mut self.tracks {
            track.playlist_attempts.follow();
            track.media_attempts.follow();
        }
        true
    }

    /// Switches to the preferred variant after a segment of another one has arrived, if it is available.
    pub(super) fn prefer(&mut self, now: Duration) {
        let rule = self.settings.profile.failover;
        let presentation = self.presentation.as_deref_mut();
        if presentation.is_some_and(|presentation| presentation.return_to_preferred(rule, now)) {
            self.switch_variant();
        }
    }

    /// Replaces the tracks with those of the variant to play.
    fn switch_variant(&mut self) {
        let Some(presentation) = self.presentation.as_deref() else { return };
        self.counted.switches += 1;
        self.generation = self.generation.wrapping_add(1);
        let mut before: Vec<Option<Track>> = self.tracks.drain(..).map(Some).collect();
        let mut kept = Vec::new();
        for (index, mut track) in presentation.tracks().into_iter().enumerate() {
            let same = |old: &Option<Track>| {
                old.as_ref().is_some_and(|old| old.is_at(&track.url) && old.role == track.role)
            };
            if let Some(place) = before.iter().position(same)
                && let Some(old) = before.get_mut(place).and_then(Option::take)
            {
                kept.extend((place == index).then_some(index));
                track = old;
            } else {
                let of = |role| before.iter().flatten().find(|old| old.role == role);
                if let Some(old) = of(track.role).or_else(|| of(Role::Main)) {
                    track.continue_from(old);
                }
            }
            self.tracks.push(track);
        }
        for asked in self.asked.iter_mut().flatten() {
            asked.void |= asked.what.track().is_some_and(|track| !kept.contains(&track));
        }
    }

    /// Starts separate audio beside the video, whose first segment, number `sequence`, has arrived.
    pub(super) fn begin_audio(&mut self, sequence: u64) {
        if self.settings.profile.audio_start != AudioStart::WithVideo {
            return;
        }
        let video = self.tracks.iter().find(|track| track.role == Role::Main);
        let Some(Join { playlist, .. }) = video.and_then(Track::place_in_list) else { return };
        let place = Join { playlist, next: sequence };
        for track in self.tracks.iter_mut().filter(|track| track.role == Role::Audio) {
            if track.buffered.is_zero() {
                track.join_at(&place);
            }
        }
    }

    /// Reports whether a track waits for the first segment of the video.
    pub(super) fn waits_for_video(&self, track: &Track) -> bool {
        let mut videos = self.tracks.iter().filter(|track| track.role == Role::Main);
        track.role == Role::Audio
            && self.settings.profile.audio_start == AudioStart::WithVideo
            && videos.all(|video| video.buffered.is_zero())
    }
}

fn is_exhausted(rule: &Retry, failures: u32) -> bool {
    rule.times.is_some_and(|times| failures >= times)
}
