//! Choice of the next request: the most urgent need of a client whose lane is free.

use std::sync::Arc;
use std::time::Duration;

use super::attempts::Attempts;
use super::need::{Need, Target};
use super::profile::RetryAfter;
use super::track::{Role, Track};
use super::{Action, Failure, Fetch, OpenRequest, Player, Resource, earliest};
use crate::vocabulary::limits;

impl Player {
    /// Takes the wish of a busy server (429 or 503) that the client waits until `until`. Returns true if the player
    /// honours it: then it makes no request before that time.
    pub fn asked_to_wait(&mut self, until: Duration) -> bool {
        let is_honoured = self.settings.profile.retry_after == RetryAfter::Honoured;
        if is_honoured {
            self.quiet_until = self.quiet_until.max(until);
        }
        is_honoured
    }

    /// Returns the most urgent request whose lane is free. Otherwise lowers `wake` to the time at which one is due.
    pub(super) fn request(&mut self, now: Duration, wake: &mut Option<Duration>) -> Option<Action> {
        if now < self.quiet_until {
            *wake = earliest(*wake, Some(self.quiet_until));
            return None;
        }
        if self.tracks.is_empty() {
            if self.is_busy(0) {
                return None;
            }
            if let Some(until) = self.entry_attempts.until(now).max(self.held(&self.entry_attempts, now)) {
                *wake = earliest(*wake, Some(until));
                return None;
            }
            return Some(self.fetch(Resource::Entry, 0, Target::new(self.settings.entry.clone()), None, now));
        }
        self.reload_from_cache(now);
        // A playlist that is due comes before any segment: a client that loads one late stays late forever.
        let needs = [Self::playlist_request, Self::media_request];
        needs.into_iter().find_map(|need| need(self, now, wake))
    }

    /// Returns the time until which a request that follows a failure waits for its allowance.
    fn held(&self, attempts: &Attempts, now: Duration) -> Option<Duration> {
        if attempts.follow_failure() { self.allowance.free_at(now) } else { None }
    }

    fn playlist_request(&mut self, now: Duration, wake: &mut Option<Duration>) -> Option<Action> {
        let mains = self.tracks.iter().filter(|track| track.role == Role::Main).count();
        for (index, track) in self.tracks.iter().enumerate() {
            let lane = self.lane(track, false);
            if self.is_busy(lane) {
                continue;
            }
            let again = track.media().is_some() || self.generation > 0;
            let limit = self.reloads.free_at(mains).filter(|at| again && *at > now);
            match (track.playlist_need(now), limit.max(self.held(&track.playlist_attempts, now))) {
                (Need::Nothing { until }, _) => *wake = earliest(*wake, until),
                (_, Some(free_at)) => *wake = earliest(*wake, Some(free_at)),
                (_, None) => {
                    let (wanted, unless) = (Target::new(track.url.clone()), track.etag.clone());
                    if again {
                        self.reloads.count(now, mains);
                    }
                    return Some(self.fetch(Resource::Playlist(index), lane, wanted, unless, now));
                }
            }
        }
        None
    }

    fn media_request(&mut self, now: Duration, wake: &mut Option<Duration>) -> Option<Action> {
        let position = self.playhead.position(now);
        let goal = self.settings.profile.buffer_goal;
        // The track with the least media comes first.
        let mut shortest: Option<(Duration, Resource, usize, Target)> = None;
        for (index, track) in self.tracks.iter().enumerate() {
            let lane = self.lane(track, true);
            if self.is_busy(lane) || self.waits_for_video(track) {
                continue;
            }
            let ahead = track.buffered.saturating_sub(position);
            match (track.media_need(now, ahead, goal, &self.keys), self.held(&track.media_attempts, now)) {
                (Need::Media(..), Some(free_at)) => *wake = earliest(*wake, Some(free_at)),
                (Need::Media(piece, wanted), None)
                    if shortest.as_ref().is_none_or(|(least, ..)| track.buffered < *least) =>
                {
                    shortest = Some((track.buffered, piece.on(index), lane, wanted));
                }
                (Need::Nothing { until }, _) => *wake = earliest(*wake, until),
                (Need::Media(..) | Need::Playlist, _) => {}
            }
        }
        let (_, what, lane, wanted) = shortest?;
        if wanted.url.is_none() {
            // The playlist names a URL that cannot be requested: treat it as a failed request.
            self.take_failure(what, Failure::Broken, now);
            return Some(Action::Wait(Some(now + limits::BACKOFF_MIN)));
        }
        Some(self.fetch(what, lane, wanted, None, now))
    }

    /// Reports whether a playlist that was loaded over `https` names this resource.
    fn is_named_securely(&self, what: Resource) -> bool {
        let track = what.track().and_then(|index| self.tracks.get(index));
        track.is_some_and(|track| match what {
            Resource::Playlist(_) => track.named_securely,
            _ => track.base.is_secure(),
        })
    }

    fn lane(&self, track: &Track, media: bool) -> usize {
        let second = if self.settings.profile.http_profile.connections_apart {
            media
        } else {
            track.role != Role::Main
        };
        usize::from(second)
    }

    fn is_busy(&self, lane: usize) -> bool {
        self.asked.get(lane).is_none_or(Option::is_some)
    }

    fn fetch(
        &mut self,
        what: Resource,
        lane: usize,
        wanted: Target,
        unless: Option<Arc<str>>,
        now: Duration,
    ) -> Action {
        let Target { url, range, decryption, .. } = wanted;
        let Some(url) = url else { return Action::Wait(Some(now + limits::BACKOFF_MIN)) };
        self.allowance.draw(now);
        let reuse = self.reuse(what);
        if let Some(open) = self.asked.get_mut(lane) {
            let key = matches!(what, Resource::Key(_)).then(|| url.clone());
            *open = Some(OpenRequest { what, since: now, key, void: false });
        }
        let target = self.tracks.iter().map(Track::target_duration).max().unwrap_or_default();
        let secure = self.is_named_securely(what);
        let total = (target * limits::TOTAL_TIMEOUT_SEGMENTS).max(limits::TOTAL_TIMEOUT_MIN);
        Action::Fetch(Fetch { what, lane, url, secure, range, unless, decryption, total, reuse })
    }
}
