//! Opens the tracks of a presentation: those that are played, and those that some players probe first. ffmpeg probes
//! all variants and audio renditions for their codecs, then drops those that it does not play.

use std::sync::Arc;

use super::presentation::Presentation;
use super::profile::Opening;
use super::track::Role;
use super::{Player, Resource, Settings, selection};
use crate::hls::{Multivariant, Playlist, VariantChoice, choose};
use crate::vocabulary::{Reuse, SecretUrl};

impl Player {
    /// Chooses the tracks of a presentation that are played.
    pub(super) fn present(&mut self, multivariant: &Multivariant, playlist: &Arc<Playlist>, url: &SecretUrl) {
        let Settings { choice, profile, .. } = *self.settings;
        self.presentation = Presentation::new(playlist, url, choice, profile).map(Box::new);
        self.tracks = match &self.presentation {
            Some(presentation) => presentation.tracks(),
            None => selection::tracks(multivariant, &choose(multivariant, choice), url),
        };
        self.open_others(multivariant, url);
    }

    /// Adds the tracks that are only probed, after those that are played.
    fn open_others(&mut self, presentation: &Multivariant, url: &SecretUrl) {
        if self.settings.profile.opening != Opening::Chosen && self.settings.choice != VariantChoice::All {
            selection::add_others(&mut self.tracks, presentation, url);
        }
    }

    /// Closes a track that cannot be probed. Returns true if `what` was for such a track.
    pub(super) fn close_other(&mut self, what: Resource) -> bool {
        let track = what.track().and_then(|index| self.tracks.get_mut(index));
        let other = track.filter(|track| track.role == Role::Other);
        let found = other.map(|track| track.closed = true).is_some();
        if found {
            self.close_looked_at();
        }
        found
    }

    /// Drops the probed tracks once all of them are done.
    pub(super) fn close_looked_at(&mut self) {
        let Opening::All { segments } = self.settings.profile.opening else { return };
        for track in self.tracks.iter_mut().filter(|track| track.role == Role::Other) {
            track.closed |= track.loaded >= segments || track.is_complete();
        }
        if self.tracks.iter().all(|track| track.closed || track.role != Role::Other) {
            // The probed tracks are last, so no other track changes its number.
            self.tracks.retain(|track| track.role != Role::Other);
        }
    }

    /// Returns the peak bits per second that are announced for the media of a request; 0 if they are unknown. What is only
    /// probed belongs to another variant than the one that is played.
    pub fn announced(&self, what: Resource) -> u64 {
        let track = what.track().and_then(|index| self.tracks.get(index));
        match track.map(|track| track.role) {
            None | Some(Role::Other) => 0,
            Some(_) => self.bandwidth(),
        }
    }

    /// Reports whether a request belongs to a track that is probed and not played; a track that is gone was one.
    pub fn only_probes(&self, what: Resource) -> bool {
        let role = |index: usize| self.tracks.get(index).map(|track| track.role);
        what.track().is_some_and(|index| matches!(role(index), None | Some(Role::Other)))
    }

    /// Returns the connection that a request uses.
    pub(super) fn reuse(&self, what: Resource) -> Reuse {
        let profile = self.settings.profile;
        let opens = self.tracks.iter().any(|track| track.role == Role::Other);
        let track = what.track().and_then(|index| self.tracks.get(index));
        match (what, track) {
            // A track that is played keeps using the connection of its first segment.
            (Resource::Segment(..), Some(track))
                if opens && track.role != Role::Other && track.loaded == 0 =>
            {
                Reuse::Fresh
            }
            (Resource::Segment(..) | Resource::Init(_), _) if opens => Reuse::Single,
            (Resource::Init(_), _) if profile.http_profile.closes_after_init => Reuse::Final,
            _ => Reuse::Kept,
        }
    }
}
