//! The gate of the price, through the controller, in virtual time: when the others start, and how many.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use super::{Ahead, Controller, Ending, Engine, OnShortage, Plan, Pricing, RefusedBy};
use crate::capacity::Supply;
use crate::forecast::{Base, Got, PriceConsequence, Probed, probes_for_tests, settings_for_tests};
use crate::load::{Bound, ClientLimit, Ramp, RampProfile};
use crate::pipeline::Pipeline;
use crate::player::SessionLength;
use crate::run_state::{ChangeKind, ChangeSource};
use crate::sample::Sources;
use crate::vocabulary::{Clock, HardStops, Kind, RunIdentity};

/// Clients of the plan, all at once.
const CLIENTS: u32 = 100;
/// Files that the program may open: enough for forty clients.
const FILES: u64 = 104;

/// Engine that notes when it admits clients.
#[derive(Clone, Copy)]
struct Clients<'a> {
    count: &'a Cell<u32>,
    most: &'a Cell<u32>,
    /// Time of the second admission.
    others_at: &'a Cell<Option<Instant>>,
}

impl Engine for Clients<'_> {
    type Clients = ();

    fn admitted(&self) -> u32 {
        self.count.get()
    }

    fn running(&self) -> u64 {
        self.count.get().into()
    }

    async fn admit(&mut self) {
        self.count.set(self.count.get() + 1);
        self.most.set(self.most.get().max(self.count.get()));
        if self.count.get() == 2 {
            self.others_at.set(Some(Instant::now()));
        }
    }

    async fn remove_newest(&mut self) {
        self.count.set(self.count.get() - 1);
    }

    async fn drain(&self) {
        self.count.set(0);
    }

    async fn cut(&self) {
        self.count.set(0);
    }

    fn join(self) -> ((), usize) {
        ((), 0)
    }
}

/// A run of two seconds.
struct Scene {
    ahead: Ahead,
    on_shortage: OnShortage,
    open_files: Option<u64>,
    /// Responses to the first client, and their times in milliseconds.
    probes: Vec<(u64, Probed)>,
}

/// End of such a run.
struct Played {
    ending: Ending,
    /// Most clients at once.
    most: u32,
    /// Milliseconds until the second client was admitted.
    others_at: Option<u64>,
    changes: Vec<(u32, u32, ChangeSource)>,
    consequence: Option<PriceConsequence>,
    limit: ClientLimit,
}

fn scene(on_shortage: OnShortage, open_files: Option<u64>) -> Scene {
    // The playlist after 20 ms, and a segment every 30 ms.
    let probes = probes_for_tests(None, "");
    let probes = (0..).map(|number| 20 + 30 * number).zip(probes).collect();
    Scene { ahead: Ahead::First, on_shortage, open_files, probes }
}

fn virtual_now() -> std::time::Instant {
    Instant::now().into_std()
}

impl Scene {
    async fn play(self) -> Played {
        let sources = Sources { clock: Clock::start_with(virtual_now), ..Sources::new(1) };
        let (_sender, samples) = watch::channel(Arc::default());
        let (_pipeline, taps) =
            Pipeline::start(1, sources.clock, None, RunIdentity::default()).expect("a thread");
        let (count, most, others_at) = (Cell::default(), Cell::default(), Cell::default());
        let engine = Clients { count: &count, most: &most, others_at: &others_at };
        let plan = Plan {
            profile: RampProfile { clients: CLIENTS, ramp: Ramp::default(), ..RampProfile::default() },
            stages: None,
            arrivals: None,
            limit: ClientLimit { clients: 500, bound: Bound::OpenFiles(564) },
            ahead: self.ahead,
            on_shortage: self.on_shortage,
            brakes: false,
            duration: Some(Duration::from_secs(5)),
            has_default_end: false,
            hard_stops: HardStops::default(),
        };
        let (probe, probes) = flume::bounded(16);
        let supply = Supply { open_files: self.open_files, files_reserved: 64, ..Supply::default() };
        let pricing = Pricing {
            probes,
            viewers: vec![(1, settings_for_tests("web", SessionLength::Endless))],
            supply,
            base: Base { open_files: Some(64), ..Base::default() },
            slot: Arc::clone(&sources.priced),
        };
        let controller = Controller::new(engine, plan, &sources, samples, taps.controller).pricing(pricing);
        let begun = Instant::now();
        let client = sources.registry.add();
        let meter = client.meter(0, sources.clock);
        let answer = async {
            for (at, probed) in self.probes {
                sleep((begun + Duration::from_millis(at)).duration_since(Instant::now())).await;
                // The first media request starts when the playlist has arrived.
                meter.start(Kind::Segment).received(1);
                _ = probe.send(probed);
            }
            std::future::pending::<()>().await;
        };
        let (_commands, orders) = flume::bounded(1);
        let run = timeout(Duration::from_secs(30), controller.run(orders));
        let ending = tokio::select! {
            ended = run => ended.expect("it ends").0,
            () = answer => panic!("the answers do not end"),
        };
        let at = others_at.get().map(|at: Instant| at.duration_since(begun).as_millis() as u64);
        let changes = sources.status.journal().changes().filter(|change| change.kind == ChangeKind::Target);
        Played {
            ending,
            most: most.get(),
            others_at: at,
            changes: changes.map(|change| (change.from, change.to, change.by)).collect(),
            consequence: sources.priced.get().map(|priced| priced.consequence),
            limit: sources.status.limit(),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_others_start_when_three_segments_have_shown_the_price() {
    let played = scene(OnShortage::Refuse, None).play().await;
    assert_eq!((played.most, played.consequence), (CLIENTS, Some(PriceConsequence::Fits)));
    assert_eq!(played.limit, ClientLimit { clients: 500, bound: Bound::OpenFiles(564) }, "that of the plan");
    // The third segment arrives after 110 ms; the controller looks every 2 ms.
    assert!(played.others_at.is_some_and(|at| (110..=115).contains(&at)), "{:?}", played.others_at);
}

#[tokio::test(start_paused = true)]
async fn media_that_does_not_come_holds_the_others_up_for_half_a_second_at_most() {
    let mut slow = scene(OnShortage::Refuse, None);
    slow.probes.truncate(2);
    let played = slow.play().await;
    assert_eq!((played.most, played.consequence), (CLIENTS, Some(PriceConsequence::Fits)));
    assert!(played.others_at.is_some_and(|at| (520..=526).contains(&at)), "{:?}", played.others_at);
    // Without a playlist there is no price; after two seconds the first client has shown nothing against the load.
    let silent = Scene { probes: Vec::new(), ..scene(OnShortage::Refuse, Some(1)) };
    let played = silent.play().await;
    assert_eq!((played.most, played.consequence), (CLIENTS, None));
    assert!(played.others_at.is_some_and(|at| (2_500..=2_506).contains(&at)), "{:?}", played.others_at);
}

#[tokio::test(start_paused = true)]
async fn a_plan_that_needs_too_much_is_refused_and_only_the_first_client_was_there() {
    let played = scene(OnShortage::Refuse, Some(FILES)).play().await;
    assert_eq!(played.ending.refused, Some(RefusedBy::Price));
    assert_eq!((played.most, played.others_at), (1, None));
    assert_eq!(played.changes, [(0, CLIENTS, ChangeSource::Plan)]);
}

#[tokio::test(start_paused = true)]
async fn a_clamped_plan_starts_what_fits_and_says_so_once() {
    let played = scene(OnShortage::Clamp, Some(FILES)).play().await;
    assert_eq!((played.ending.refused, played.most), (None, 40));
    let changes = [(0, CLIENTS, ChangeSource::Plan), (CLIENTS, 40, ChangeSource::Preflight)];
    assert_eq!(played.changes, changes);
    assert_eq!(
        played.limit,
        ClientLimit { clients: 40, bound: Bound::Price },
        "the console clamps to it, too"
    );
    let played = scene(OnShortage::Clamp, Some(64)).play().await;
    assert_eq!(played.ending.refused, Some(RefusedBy::Price), "not one fits");
}

#[tokio::test(start_paused = true)]
async fn clients_that_start_together_wait_for_no_price_and_are_not_refused() {
    for on_shortage in [OnShortage::Warn, OnShortage::Refuse] {
        let scene = Scene { ahead: Ahead::Together, ..scene(on_shortage, Some(FILES)) };
        let played = scene.play().await;
        assert_eq!((played.ending.refused, played.most), (None, CLIENTS));
        assert_eq!((played.others_at, played.consequence), (Some(0), Some(PriceConsequence::Ignored)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_probe_ends_with_the_price() {
    for open_files in [None, Some(FILES)] {
        let scene = Scene { ahead: Ahead::Probe, ..scene(OnShortage::Refuse, open_files) };
        let played = scene.play().await;
        assert_eq!((played.ending, played.most), (Ending::default(), 1));
        let expected = if open_files.is_some() { PriceConsequence::Refused } else { PriceConsequence::Fits };
        assert_eq!(played.consequence, Some(expected));
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_whose_playlists_are_slow_begins_without_a_price_and_has_one_later() {
    // The others start half a second after the first request for media, which the scene makes with the first response.
    let mut probes = scene(OnShortage::Refuse, None).probes;
    let nothing = Probed { got: Got::Nothing, ..probes[0].1.clone() };
    probes.iter_mut().for_each(|(at, _)| *at += 3_000);
    probes.insert(0, (100, nothing));
    let scene = Scene { probes, ..scene(OnShortage::Refuse, Some(FILES)) };
    let played = scene.play().await;
    assert!(played.others_at.is_some_and(|at| (500..3_000).contains(&at)), "{:?}", played.others_at);
    assert_eq!(played.consequence, Some(PriceConsequence::Ignored), "it is too late to refuse");
    assert_eq!(played.most, CLIENTS);
}

#[tokio::test(start_paused = true)]
async fn a_plan_waits_for_slow_playlists_longer_than_its_run_lasts() {
    let mut scene = scene(OnShortage::Refuse, None);
    scene.ahead = Ahead::Probe;
    scene.probes.iter_mut().for_each(|(at, _)| *at += 6_000);
    let played = scene.play().await;
    assert_eq!((played.consequence, played.most), (Some(PriceConsequence::Fits), 1));
}
