//! One viewer in virtual time: the real player, against the model of a stream.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::connections::{Connections, Taken};
use super::stream::{Known, StreamModel};
use crate::hls::Playlist;
use crate::player::{Action, Answer, Fetch, Input, Player, Resource, Settings};
use crate::vocabulary::LeaveReason;
use crate::vocabulary::secret_url::Access;

/// Maximum number of steps of one viewer: a hostile stream must not hold up the start of a run. Ten minutes of a stream
/// with segments of two seconds are some two thousand.
const STEPS: usize = 50_000;

/// Traffic of a viewer at one moment of its life.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Moment {
    pub(super) at: Duration,
    pub(super) requests: f64,
    pub(super) bytes: f64,
    /// Connections opened.
    pub(super) opened: f64,
}

/// Life of a viewer.
#[derive(Debug, Default)]
pub(super) struct Lived {
    /// Requests in the order of their starts. Bytes count at the start, because the end of a run lets open requests
    /// finish.
    pub(super) moments: Vec<Moment>,
    pub(super) connections: Connections,
    /// Time at which everything was played or the viewer left for good.
    pub(super) ended: Option<Duration>,
    /// False if the player loads as fast as the network allows, so that its rate is not known.
    pub(super) paced: bool,
}

/// A viewer.
pub(super) struct Viewer<'a> {
    pub(super) model: &'a StreamModel,
    pub(super) settings: Arc<Settings>,
    pub(super) seed: u64,
    /// Age of the newest segment when the viewer joins, as a share of its length.
    pub(super) phase: f64,
}

/// An open request.
struct Open {
    lands: Duration,
    fetch: Fetch,
    /// `None` if the request needs no connection.
    taken: Option<Taken>,
    answer: Answer,
}

/// The playlist of a track, as the viewer has it: its place in the model, and the segments by which it has moved on.
#[derive(Clone, Copy, Debug)]
struct Listed {
    place: usize,
    slid: u64,
}

/// State of a viewer's play.
struct Play<'a> {
    viewer: &'a Viewer<'a>,
    listed: Vec<Option<Listed>>,
    open: Vec<Open>,
    lived: Lived,
}

impl Viewer<'_> {
    /// Plays until `horizon`. Returns `None` if the viewer requests something that the model does not know.
    pub(super) fn play(&self, horizon: Duration) -> Option<Lived> {
        let apart = self.settings.profile.http_profile.connections_apart;
        let lived = Lived { connections: Connections::new(apart), paced: true, ..Lived::default() };
        let mut play = Play { viewer: self, listed: Vec::new(), open: Vec::new(), lived };
        let (mut now, mut input, mut seed) = (Duration::ZERO, Input::Woke, self.seed);
        let mut player = self.player(seed, now);
        for _ in 0..STEPS {
            let action = player.step(now, std::mem::replace(&mut input, Input::Woke));
            _ = player.take_tally();
            let until = match action {
                Action::Fetch(fetch) => {
                    play.request(fetch, now)?;
                    continue;
                }
                Action::Wait(until) => until,
                Action::Leave(LeaveReason::SessionOver) => {
                    // Another viewer comes at once, with connections of its own.
                    play.leave();
                    seed = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(1);
                    player = self.player(seed, now);
                    continue;
                }
                Action::Finished | Action::Leave(LeaveReason::GaveUp) => {
                    play.lived.ended = Some(now);
                    return Some(play.lived);
                }
            };
            let lands = play.open.iter().map(|open| open.lands).min();
            let next = until.into_iter().chain(lands).min().unwrap_or(horizon);
            if next >= horizon {
                return Some(play.lived);
            }
            now = now.max(next);
            input = play.landed(now);
        }
        play.lived.paced = false;
        play.lived.ended = Some(now);
        Some(play.lived)
    }

    fn player(&self, seed: u64, now: Duration) -> Player {
        Player::new(Arc::clone(&self.settings), seed, Timestamp::UNIX_EPOCH, now)
    }

    /// Returns how many segments a live playlist has moved on by at `now`.
    fn slid(&self, known: &Known, now: Duration) -> u64 {
        let Some(media) = known.media().filter(|media| !media.endlist) else { return 0 };
        let count = media.segments.len().max(1) as f64;
        let mean = media.total_duration().as_secs_f64() / count;
        if mean > 0.0 { (now.as_secs_f64() / mean + self.phase) as u64 } else { 0 }
    }
}

impl Play<'_> {
    /// Makes a request: counts it now, and returns its answer when it lands.
    fn request(&mut self, fetch: Fetch, now: Duration) -> Option<()> {
        let model = self.viewer.model;
        match fetch.url.access() {
            Access::Request => {}
            // It is in the playlist itself, and costs nothing.
            Access::Inline => return self.inline(fetch, now),
            Access::Refused => return None,
        }
        let endpoint = fetch.url.endpoint();
        let (answer, hops, bytes, took) = match fetch.what {
            Resource::Segment(track, sequence) => {
                let bytes = self.segment_bytes(track, sequence)?;
                (Answer::Media(bytes as u64), 0, bytes, model.segment_took())
            }
            Resource::Entry | Resource::Playlist(_) => self.playlist(&fetch, now)?,
            Resource::Key(_) | Resource::Init(_) => {
                let (hops, bytes, took) =
                    model.get(&fetch.url).map_or((0, 0, model.segment_took()), |(_, known)| {
                        (known.hops, known.wire_bytes, known.took)
                    });
                (Answer::Media(bytes.max(1)), hops, bytes as f64, took)
            }
        };
        let before = self.lived.connections.opened;
        // A redirect leads to its last host; the hops between are few and short.
        let last = model.get(&fetch.url).map(|(_, known)| known.base.endpoint()).unwrap_or(endpoint);
        let http2 = model.is_http2(&last);
        if last != fetch.url.endpoint() {
            let first = fetch.url.endpoint();
            let http2 = model.is_http2(&first);
            let taken = self.lived.connections.take(first, http2, fetch.lane, fetch.reuse);
            self.lived.connections.end(&taken);
        }
        let taken = Some(self.lived.connections.take(last, http2, fetch.lane, fetch.reuse));
        let opened = (self.lived.connections.opened - before) as f64;
        self.lived.moments.push(Moment { at: now, requests: f64::from(1 + hops), bytes, opened });
        let lands = now + took.max(Duration::from_millis(1));
        self.open.push(Open { lands, fetch, taken, answer });
        Some(())
    }

    /// Answers a request for data that the playlist itself holds.
    fn inline(&mut self, fetch: Fetch, now: Duration) -> Option<()> {
        let bytes = fetch.url.inline().ok()?.len() as u64;
        let lands = now + Duration::from_millis(1);
        self.open.push(Open { lands, fetch, taken: None, answer: Answer::Media(bytes) });
        Some(())
    }

    /// Returns the answer to a request for a playlist, with its redirects, its bytes and its time.
    fn playlist(&self, fetch: &Fetch, now: Duration) -> Option<(Answer, u32, f64, Duration)> {
        let (place, known) = self.viewer.model.get(&fetch.url)?;
        let playlist = known.playlist.as_ref()?;
        let slid = self.viewer.slid(known, now);
        let conditional = self.viewer.settings.profile.http_profile.conditional;
        let had = self.listed.get(self.track(fetch)).copied().flatten();
        let same = had.is_some_and(|had| had.place == place && had.slid == slid);
        if conditional && same && fetch.unless.is_some() {
            let answer = Answer::Unchanged { fresh_for: known.fresh_for };
            return Some((answer, known.hops, 0.0, known.took));
        }
        let playlist = match &**playlist {
            Playlist::Media(media) if slid > 0 => Arc::new(Playlist::Media(media.slid(slid))),
            _ => Arc::clone(playlist),
        };
        let (url, etag, fresh_for) = (known.base.clone(), known.etag.clone(), known.fresh_for);
        let answer = Answer::Playlist { url, etag, playlist, fresh_for };
        Some((answer, known.hops, known.wire_bytes as f64, known.took))
    }

    fn track(&self, fetch: &Fetch) -> usize {
        fetch.what.track().unwrap_or_default()
    }

    fn segment_bytes(&self, track: usize, sequence: u64) -> Option<f64> {
        let Listed { place, slid } = self.listed.get(track).copied().flatten()?;
        let media = self.viewer.model.at(place)?.media()?;
        self.viewer.model.segment_bytes(place, media.segment(sequence.saturating_sub(slid)))
    }

    /// Ends the request that lands first, if one has by `now`.
    fn landed(&mut self, now: Duration) -> Input {
        let Some(at) = self.open.iter().position(|open| open.lands <= now) else { return Input::Woke };
        let Open { fetch, taken, answer, .. } = self.open.remove(at);
        if let Some(taken) = &taken {
            self.lived.connections.end(taken);
        }
        if let (Answer::Playlist { playlist, .. }, Some((place, known))) =
            (&answer, self.viewer.model.get(&fetch.url))
            && let Playlist::Media(media) = &**playlist
        {
            let slid =
                known.media().map_or(0, |first| media.media_sequence.saturating_sub(first.media_sequence));
            let track = self.track(&fetch);
            if track >= self.listed.len() {
                self.listed.resize(track + 1, None);
            }
            if let Some(listed) = self.listed.get_mut(track) {
                *listed = Some(Listed { place, slid });
            }
        }
        Input::Ended(fetch.what, answer)
    }

    /// The viewer leaves: its requests are dropped and its connections close.
    fn leave(&mut self) {
        self.open.clear();
        self.listed.clear();
        self.lived.connections.close_all();
    }
}
