//! HTTP cache of a browser, as far as the playlists of one client are concerned.
//!
//! * A reload of a fresh playlist needs no request: the player sees the same playlist again. A live player whose
//!   playlist may be cached for longer than its buffer lasts starves, as real players do.
//! * The cache stores only a time, because the client has the playlist anyway.

use std::time::Duration;

use super::need::Need;
use super::{Player, Resource};

impl Player {
    /// Keeps the playlist that was requested fresh for this long from `now` on.
    pub(super) fn keep_fresh(&mut self, what: Resource, fresh_for: Duration, now: Duration) {
        // A media playlist at the URL that the operator gave belongs to the first track.
        let index = what.track().unwrap_or_default();
        if let Some(track) = self.tracks.get_mut(index).filter(|_| self.settings.profile.caches) {
            track.fresh_until = now.saturating_add(fresh_for);
        }
    }

    /// Answers the due reloads that need no request.
    pub(super) fn reload_from_cache(&mut self, now: Duration) {
        let profile = self.settings.profile;
        for track in &mut self.tracks {
            let is_fresh = track.media().is_some() && now < track.fresh_until;
            if is_fresh && track.playlist_need(now) == Need::Playlist {
                track.unchanged(now, profile);
                self.counted.cached_reloads += 1;
            }
        }
    }
}
