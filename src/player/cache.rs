//! The HTTP cache of a browser, as far as the playlists of one client are concerned.
//!
//! * A reload while the playlist is fresh is answered without a request: the player sees the same playlist again. That
//!   starves a live player whose playlist may be kept for longer than its buffer lasts, as it starves real ones.
//! * Nothing is stored for it but a time: the client has the playlist anyway.

use std::time::Duration;

use super::need::Need;
use super::{Player, Resource};

impl Player {
    /// The playlist that was asked for may be used for this long from `now` on.
    pub(super) fn keep_fresh(&mut self, what: Resource, fresh_for: Duration, now: Duration) {
        // A media playlist at the URL that the operator gave is that of the first track.
        let index = what.track().unwrap_or_default();
        if let Some(track) = self.tracks.get_mut(index).filter(|_| self.settings.profile.caches) {
            track.fresh_until = now.saturating_add(fresh_for);
        }
    }

    /// Answers the reloads that are due and need no request.
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
