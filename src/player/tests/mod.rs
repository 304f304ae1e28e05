//! A viewer against a scripted origin: time is a number, so a day takes a fraction of a second.

mod cache;
mod encrypted;
mod failover;
mod faults;
mod live;
mod opening;
mod properties;
mod renditions;
mod retry_after;
mod sick;
mod vod;

use super::*;
use crate::hls::{VariantChoice, parse};
use crate::vocabulary::Reuse;

pub(super) const SECOND: Duration = Duration::from_secs(1);
pub(super) const HOUR: Duration = Duration::from_secs(3_600);
const EPOCH: &str = "2026-01-01T00:00:00Z";
const MASTER: &str = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=900\nhigh.m3u8\n";
pub(super) const TWO_VARIANTS: &str =
    "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=900\nhigh.m3u8\n#EXT-X-STREAM-INF:BANDWIDTH=100\nlow.m3u8\n";

/// A request that was made.
#[derive(Clone, Debug)]
pub(super) struct OpenRequest {
    pub(super) at: Duration,
    pub(super) what: Resource,
    pub(super) lane: usize,
    pub(super) file: String,
    pub(super) range: Option<(u64, u64)>,
    pub(super) decryption: Option<Box<Decryption>>,
}

/// A media playlist as a function of the time and its file name.
type List = Box<dyn Fn(Duration, &str) -> String>;
/// An answer as a function of the time of the request and the request.
type Instead = Box<dyn Fn(Duration, &Fetch) -> Option<Answer>>;

/// An origin as functions of time, with a log of the requests to it.
pub(super) struct Origin {
    pub(super) master: String,
    /// Media playlist with this file name.
    pub(super) list: List,
    /// Reports whether a request that is made at this time fails.
    pub(super) fails: Box<dyn Fn(Duration, Resource) -> bool>,
    /// Failure of such a request.
    pub(super) failure: Failure,
    /// Wait that such a failure asks for.
    pub(super) retry_after: Option<Duration>,
    /// Answer to a request that was made at this time, instead of the usual one.
    pub(super) instead: Instead,
    /// Time for which its playlists may be reused.
    pub(super) fresh_for: Duration,
    /// Duration of a request.
    pub(super) latency: Box<dyn Fn(Resource) -> Duration>,
    pub(super) asked: Vec<OpenRequest>,
}

impl Origin {
    pub(super) fn new(list: impl Fn(Duration, &str) -> String + 'static) -> Self {
        Self {
            master: MASTER.to_owned(),
            list: Box::new(list),
            fails: Box::new(|_, _| false),
            failure: Failure::Broken,
            retry_after: None,
            instead: Box::new(|_, _| None),
            fresh_for: Duration::ZERO,
            latency: Box::new(|_| Duration::from_millis(10)),
            asked: Vec::new(),
        }
    }

    /// Builds a live stream of two-second segments in a window of six.
    pub(super) fn live() -> Self {
        Self::new(|now, _| window(now.as_secs() / 2, 6, 2))
    }

    /// Builds a film of two-second segments.
    pub(super) fn film(segments: u64) -> Self {
        Self::new(move |_, _| window(0, segments, 2) + "#EXT-X-ENDLIST\n")
    }

    pub(super) fn failing(mut self, fails: impl Fn(Duration, Resource) -> bool + 'static) -> Self {
        self.fails = Box::new(fails);
        self
    }

    pub(super) fn refusing(self, refuses: impl Fn(Duration, Resource) -> bool + 'static) -> Self {
        Self { failure: Failure::Refused, ..self.failing(refuses) }
    }

    pub(super) fn count(&self, wanted: fn(Resource) -> bool) -> usize {
        self.asked.iter().filter(|asked| wanted(asked.what)).count()
    }

    /// Returns the times of the requests like this.
    pub(super) fn times(&self, wanted: fn(Resource) -> bool) -> Vec<Duration> {
        self.asked.iter().filter(|asked| wanted(asked.what)).map(|asked| asked.at).collect()
    }

    fn answer(&self, fetch: &Fetch, begun: Duration, now: Duration) -> Answer {
        if (self.fails)(begun, fetch.what) {
            return Answer::Failed(self.failure);
        }
        if let Some(answer) = (self.instead)(begun, fetch) {
            return answer;
        }
        let playlist = |text: &str| Answer::Playlist {
            url: fetch.url.clone(),
            etag: None,
            playlist: Arc::new(parse(text.as_bytes()).expect("a playlist")),
            fresh_for: self.fresh_for,
        };
        match fetch.what {
            Resource::Entry => playlist(&self.master),
            Resource::Playlist(_) => playlist(&(self.list)(now, &fetch.url.file_name())),
            Resource::Key(_) => Answer::Media(16),
            Resource::Init(_) => Answer::Media(700),
            Resource::Segment(..) => Answer::Media(1_000),
        }
    }
}

/// Builds a live playlist that begins with sequence number `first`.
pub(super) fn window(first: u64, segments: u64, seconds: u64) -> String {
    let head = format!("#EXTM3U\n#EXT-X-TARGETDURATION:{seconds}\n#EXT-X-MEDIA-SEQUENCE:{first}\n");
    let lines = (first..first + segments).map(|n| format!("#EXTINF:{seconds},\nsegment_{n}.ts\n"));
    lines.fold(head, |text, line| text + &line)
}

pub(super) fn is_playlist(what: Resource) -> bool {
    matches!(what, Resource::Playlist(_))
}

pub(super) fn is_segment(what: Resource) -> bool {
    matches!(what, Resource::Segment(..))
}

pub(super) fn settings(profile: &'static Profile, choice: VariantChoice) -> Settings {
    let entry = SecretUrl::parse("http://origin.test/live/master.m3u8").expect("an address");
    Settings { entry, choice, profile, session: SessionLength::Endless }
}

pub(super) fn player_of(settings: Settings, seed: u64, now: Duration) -> Player {
    Player::new(Arc::new(settings), seed, EPOCH.parse().expect("a date"), now)
}

/// Creates a player of the highest variant.
pub(super) fn player(profile: &'static Profile, now: Duration) -> Player {
    player_of(settings(profile, VariantChoice::Highest), 1, now)
}

/// Result of one player.
#[derive(Debug, Default)]
pub(super) struct Run {
    pub(super) tally: Tally,
    pub(super) actions: Vec<Action>,
    /// Time at which it finished or left, and the action.
    pub(super) ended: Option<(Duration, Action)>,
    /// Position at each action: it must only rise.
    pub(super) positions: Vec<Duration>,
}

impl Run {
    fn add(&mut self, tally: Tally) {
        self.tally.startup += tally.startup;
        self.tally.play += tally.play;
        self.tally.stall += tally.stall;
        self.tally.variant_switches += tally.variant_switches;
        self.tally.cached_reloads += tally.cached_reloads;
        self.tally.stalls += tally.stalls;
        self.tally.played_bytes += tally.played_bytes;
        self.tally.segments_skipped += tally.segments_skipped;
        self.tally.edge_jumps += tally.edge_jumps;
        self.tally.began = self.tally.began.or(tally.began);
    }
}

/// Plays from `begin` until `end`, or until the player finishes or leaves.
pub(super) fn play(player: &mut Player, origin: &mut Origin, begin: Duration, end: Duration) -> Run {
    let mut run = Run::default();
    let mut open: Vec<(Duration, Duration, Fetch)> = Vec::new();
    let (mut now, mut input) = (begin, Input::Woke);
    loop {
        let action = player.step(now, input);
        run.add(player.take_tally());
        run.actions.push(action.clone());
        run.positions.push(player.playhead.position(now));
        input = Input::Woke;
        let until = match action {
            Action::Fetch(fetch) => {
                let Fetch { what, lane, range, .. } = fetch;
                assert!(open.iter().all(|(_, _, other)| other.lane != lane), "two requests in one lane");
                let (file, decryption) = (fetch.url.file_name(), fetch.decryption.clone());
                origin.asked.push(OpenRequest { at: now, what, lane, file, range, decryption });
                open.push((now + (origin.latency)(what), now, fetch));
                continue;
            }
            Action::Wait(until) => until,
            ended @ (Action::Finished | Action::Leave(_)) => {
                run.ended = Some((now, ended));
                break;
            }
        };
        assert!(until.is_none_or(|until| until > now), "a wait that does not end later");
        assert!(until.is_some() || !open.is_empty(), "a wait that does not end");
        // Time jumps to the next event: the end of the wait or of a request.
        let landing = open.iter().map(|(lands, ..)| *lands).min();
        let next = earliest(until, landing).unwrap_or(end);
        if next > end {
            break;
        }
        now = next;
        if let Some(at) = open.iter().position(|(lands, ..)| *lands <= now) {
            let (_, begun, fetch) = open.remove(at);
            if let Some(wait) = origin.retry_after.filter(|_| (origin.fails)(begun, fetch.what)) {
                player.asked_to_wait(now + wait);
            }
            input = Input::Ended(fetch.what, origin.answer(&fetch, begun, now));
        }
    }
    player.leave(run.ended.as_ref().map_or(end, |(at, _)| *at));
    run.add(player.take_tally());
    run
}
