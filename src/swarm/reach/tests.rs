//! An audience through an outage, in virtual time: pure players, a scripted origin, and the slots between them.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::*;
use crate::hls::{Playlist, VariantChoice, parse};
use crate::player::{
    self, Action, Answer, Backoff, Failure, Fetch, Input, LANES, Player, Profile, Resource, SessionLength,
};

const SECOND: Duration = Duration::from_secs(1);
const CLIENTS: usize = 100;
const RAMP: f64 = 10.0;
/// Beginning of the outage; the audience has joined by then.
const DOWN: Duration = Duration::from_secs(30);
const UP: Duration = Duration::from_secs(42);
const END: Duration = Duration::from_secs(100);
const LATENCY: Duration = Duration::from_millis(10);

/// A viewer in its slot.
struct Viewer {
    player: Player,
    reach: Reach,
    backoff: Backoff,
    connected: [bool; LANES],
    /// Number of waits, so that a wait that was cut short wakes nothing.
    waits: u64,
}

#[derive(Debug)]
enum Event {
    Join,
    Wake(u64),
    Begin(Fetch),
    Fail(Resource),
    Answer(Resource),
}

/// Viewers and the events ahead of them.
struct Audience {
    viewers: Vec<Viewer>,
    settings: Arc<player::Settings>,
    /// Time, index (which makes the entry unique) and viewer of each event.
    queue: BinaryHeap<Reverse<(Duration, usize, usize)>>,
    events: Vec<Option<Event>>,
    /// Times at which connections were opened.
    connects: Vec<Duration>,
}

impl Audience {
    /// Creates an audience that joins at [`RAMP`] and comes back at `rate`.
    fn new(profile: &'static Profile, rate: f64) -> Self {
        let entry = url("http://origin.test/live.m3u8");
        let (choice, session) = (VariantChoice::Highest, SessionLength::Endless);
        let settings = Arc::new(player::Settings { entry, choice, profile, session });
        let reconnects = Arc::new(Reconnects::new(Duration::from_secs_f64(1.0 / rate)));
        let mut audience = Self {
            viewers: Vec::new(),
            settings,
            queue: BinaryHeap::new(),
            events: Vec::new(),
            connects: Vec::new(),
        };
        for client in 0..CLIENTS {
            let viewer = Viewer {
                player: audience.player(client, Duration::ZERO),
                reach: Reach::new(Arc::clone(&reconnects)),
                backoff: Backoff::new(client as u64),
                connected: [false; LANES],
                waits: 0,
            };
            audience.viewers.push(viewer);
            audience.plan(Duration::from_secs_f64(client as f64 / RAMP), client, Event::Join);
        }
        audience
    }

    fn player(&self, client: usize, now: Duration) -> Player {
        let epoch = "2026-01-01T00:00:00Z".parse().expect("a date");
        Player::new(Arc::clone(&self.settings), client as u64, epoch, now)
    }

    fn plan(&mut self, at: Duration, client: usize, event: Event) {
        self.queue.push(Reverse((at, self.events.len(), client)));
        self.events.push(Some(event));
    }

    /// Plays until the end and returns the times at which connections were opened.
    fn play(mut self) -> Vec<Duration> {
        while let Some(Reverse((now, event, client))) = self.queue.pop() {
            if now > END {
                break;
            }
            match self.events[event].take().expect("an event happens once") {
                Event::Join => {
                    let allowance = self.viewers[client].player.allowance();
                    self.viewers[client].player = self.player(client, now).succeeding(allowance);
                    self.step(client, now, Input::Woke);
                }
                Event::Wake(wait) if wait == self.viewers[client].waits => {
                    self.step(client, now, Input::Woke);
                }
                Event::Wake(_) => {}
                Event::Begin(fetch) => self.begin(client, &fetch, now),
                Event::Fail(what) => {
                    self.step(client, now, Input::Ended(what, Answer::Failed(Failure::Broken)));
                }
                Event::Answer(what) => self.step(client, now, Input::Ended(what, answer(what, now))),
            }
        }
        self.connects
    }

    /// Begins a request. While the origin is down, which has closed all connections, a new connection is refused.
    fn begin(&mut self, client: usize, fetch: &Fetch, now: Duration) {
        let viewer = &mut self.viewers[client];
        if (DOWN..UP).contains(&now) {
            viewer.connected = [false; LANES];
            viewer.reach.ended(&fetch.url, Attempt::Begun, Some(Fault::ConnRefused));
            return self.plan(now + LATENCY, client, Event::Fail(fetch.what));
        }
        viewer.reach.ended(&fetch.url, Attempt::Connected, None);
        if !std::mem::replace(&mut viewer.connected[fetch.lane], true) {
            self.connects.push(now);
        }
        self.plan(now + LATENCY, client, Event::Answer(fetch.what));
    }

    fn step(&mut self, client: usize, now: Duration, mut input: Input) {
        loop {
            let viewer = &mut self.viewers[client];
            viewer.waits += 1;
            let wait = viewer.waits;
            match viewer.player.step(now, input) {
                Action::Fetch(fetch) => {
                    let at = viewer.reach.wait_until(&fetch.url, || now).unwrap_or(now);
                    self.plan(at, client, Event::Begin(fetch));
                    input = Input::Woke;
                }
                Action::Wait(until) => {
                    return until.into_iter().for_each(|at| self.plan(at, client, Event::Wake(wait)));
                }
                Action::Leave(_) | Action::Finished => {
                    viewer.connected = [false; LANES];
                    let at = viewer.player.allowance().successor_at(now, &mut viewer.backoff);
                    return self.plan(at, client, Event::Join);
                }
            }
        }
    }
}

fn answer(what: Resource, now: Duration) -> Answer {
    if !matches!(what, Resource::Entry | Resource::Playlist(_)) {
        return Answer::Media(1_000);
    }
    let first = now.as_secs() / 2;
    let head = format!("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:{first}\n");
    let text = (first..first + 6).fold(head, |text, n| text + &format!("#EXTINF:2,\n{n}.ts\n"));
    let playlist: Playlist = parse(text.as_bytes()).expect("a playlist");
    let url = url("http://origin.test/live.m3u8");
    Answer::Playlist { url, etag: None, playlist: Arc::new(playlist), fresh_for: Duration::ZERO }
}

/// Returns the connections that were opened after the outage, and the largest number of them within one second.
fn after_the_outage(connects: &[Duration]) -> (Vec<Duration>, usize) {
    let after: Vec<_> = connects.iter().copied().filter(|at| *at >= UP).collect();
    let within = |from: &Duration| after.iter().filter(|at| (*from..*from + SECOND).contains(*at)).count();
    let most = after.iter().map(within).max().unwrap_or_default();
    (after, most)
}

#[test]
fn an_audience_that_was_cut_off_comes_back_no_faster_than_twice_the_ramp() {
    let spread = Duration::from_secs_f64(CLIENTS as f64 / (2.0 * RAMP));
    for profile in Profile::ALL {
        let (after, most) = after_the_outage(&Audience::new(profile, RAMP).play());
        let name = profile.name;
        assert!(after.len() >= CLIENTS, "{name}: only {} connections after the outage", after.len());
        // The native player leaves as soon as it is back: its successors add their own connections, moved by their
        // back-off.
        assert!(most as f64 <= 2.0 * RAMP + 2.0, "{name}: {most} connections within a second");
        let took = after[after.len() - 1] - after[0];
        assert!(took >= spread, "{name}: all were back within {took:?}");
    }
}

#[test]
fn without_slots_an_audience_comes_back_as_a_storm() {
    let (_, most) = after_the_outage(&Audience::new(&player::profiles::WEB, f64::INFINITY).play());
    assert!(most as f64 > 2.0 * RAMP, "{most} connections within a second");
}

fn url(text: &str) -> SecretUrl {
    SecretUrl::parse(text).expect("an address")
}

#[test]
fn only_what_says_that_the_origin_is_out_of_reach_cuts_a_client_off() {
    for (attempt, fault, cut_off) in [
        (Attempt::Begun, Fault::ConnRefused, true),
        (Attempt::Begun, Fault::TimeoutConnect, true),
        (Attempt::Connected, Fault::ConnReset, true),
        (Attempt::Begun, Fault::ConnReset, false),
        (Attempt::Answered, Fault::ConnReset, false),
        (Attempt::Connected, Fault::TimeoutFirstByte, false),
        (Attempt::Begun, Fault::LocalPorts, false),
    ] {
        let (reach, url) = (Reach::new(Arc::new(Reconnects::new(SECOND))), url("http://a.test/x"));
        reach.ended(&url, attempt, Some(fault));
        // The first slot is free at once, the second is a ramp interval later.
        assert_eq!(reach.wait_until(&url, || SECOND), None, "{fault:?}");
        assert_eq!(reach.wait_until(&url, || SECOND).is_some(), cut_off, "{fault:?}");
    }
}

#[test]
fn a_client_waits_for_the_host_that_it_lost_and_for_no_other_until_it_answers() {
    let reach = Reach::new(Arc::new(Reconnects::new(SECOND)));
    let [lost, same, backup] = ["http://a.test/x", "http://a.test/y", "http://b.test/x"].map(url);
    reach.ended(&lost, Attempt::Begun, Some(Fault::ConnRefused));
    reach.ended(&lost, Attempt::Begun, Some(Fault::ConnRefused));
    let waits = [&same, &same, &backup, &backup].map(|url| reach.wait_until(url, || SECOND));
    assert_eq!(waits, [None, Some(2 * SECOND), None, None]);
    reach.ended(&same, Attempt::Connected, None);
    assert_eq!([(); 2].map(|()| reach.wait_until(&lost, || SECOND)), [None, None]);
}
