//! Checks of one media playlist over time: the findings between one load and the next (RFC 8216bis sections 6.2.1 and
//! 6.2.2).
//!
//! * A finding needs proof. Times are bounds: a playlist counts as unchanged from the end of the load that brought
//!   the change to the start of the load that brought nothing new. So neither a slow network nor a slow client can
//!   make a stream look worse than it is.
//! * What does not depend on time is in [`Difference`].

use std::{sync::Arc, time::Duration};

use crate::vocabulary::Finding;

use super::{
    difference::{Difference, Differences, Found, end, span},
    media::{Media, PlaylistType},
    parse::Playlist,
};

/// Start and end of a load, as times since the start of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// Time at which the request was made.
    pub since: Duration,
    /// Time at which the response was complete.
    pub until: Duration,
}

/// History of one client's loads of one media playlist.
#[derive(Debug, Default)]
pub struct Watch {
    before: Option<Before>,
}

#[derive(Debug)]
struct Before {
    playlist: Arc<Playlist>,
    /// The load that brought the last change.
    changed: Loaded,
}

impl Watch {
    /// Compares a load with the previous ones. Ignores multivariant playlists.
    pub fn take(
        &mut self,
        playlist: &Arc<Playlist>,
        loaded: Loaded,
        differences: &Differences,
        found: &mut Found<'_>,
    ) {
        let Some(media) = playlist.media() else { return };
        let Some(before) = &mut self.before else {
            self.before = Some(Before { playlist: Arc::clone(playlist), changed: loaded });
            return;
        };
        let Some(known) = before.playlist.media() else { return };
        let difference = if Arc::ptr_eq(playlist, &before.playlist) {
            None
        } else {
            differences.between(&before.playlist, playlist)
        };
        if let Some(difference) = &difference {
            let passed = loaded.until.saturating_sub(before.changed.since);
            check_jump(known, media, difference, passed, found);
            difference.findings.iter().for_each(|(finding, detail)| found(*finding, &|| detail.clone()));
        }
        if difference.is_some_and(|difference| difference.brings_news) {
            before.changed = loaded;
        } else {
            check_stale(known, before.changed, loaded, found);
        }
        // Replace it even if nothing changed: of equal playlists, the newest is the one that clients share.
        before.playlist = Arc::clone(playlist);
    }

    /// Handles a reload that the server answered with "not modified" (304).
    pub fn unchanged(&mut self, loaded: Loaded, found: &mut Found<'_>) {
        if let Some(before) = &self.before
            && let Some(known) = before.playlist.media()
        {
            check_stale(known, before.changed, loaded, found);
        }
    }

    /// Returns the playlist that was loaded last.
    pub fn media(&self) -> Option<&Media> {
        self.before.as_ref()?.playlist.media()
    }
}

/// Checks that a live playlist grows within one and a half target durations (section 6.2.1).
fn check_stale(media: &Media, changed: Loaded, loaded: Loaded, found: &mut Found<'_>) {
    if media.endlist || media.playlist_type == Some(PlaylistType::Vod) {
        return;
    }
    let unchanged = loaded.since.saturating_sub(changed.until);
    let allowed = media.target_duration * 3 / 2;
    if !allowed.is_zero() && unchanged > allowed {
        found(Finding::PlaylistStale, &|| {
            format!(
                "no update for {:.1} s, target duration {} s",
                unchanged.as_secs_f64(),
                media.target_duration.as_secs_f64()
            )
        });
    }
}

/// Finds a jump that time does not explain. `passed` is the maximum time between the two playlists.
fn check_jump(before: &Media, now: &Media, difference: &Difference, passed: Duration, found: &mut Found<'_>) {
    if difference.jump.is_some_and(|new| came_too_fast(now, new, passed)) {
        found(Finding::SequenceJump, &|| {
            let [was, is] = [before, now].map(|media| span(media.media_sequence, end(media)));
            format!("{was} before, {is} at most {:.1} s later", passed.as_secs_f64())
        });
    }
}

/// Reports whether `new` segments of the playlist's mean length cannot have been made in `passed` and two target
/// durations.
fn came_too_fast(now: &Media, new: u64, passed: Duration) -> bool {
    let listed = now.segments.len().max(1) as f64;
    let mean = now.total_duration().as_secs_f64() / listed;
    mean * new as f64 > (passed + now.target_duration * 2).as_secs_f64()
}

#[cfg(test)]
#[path = "checks_reload/tests.rs"]
mod tests;
