//! Thresholds that end a run, through sampler and controller, in virtual time.

use std::cell::Cell;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::brake_tests::Clients;
use super::{Ahead, Controller, Ending, OnShortage, Plan};
use crate::load::{ClientLimit, Ramp, RampProfile};
use crate::pipeline::Pipeline;
use crate::run_state::{ChangeKind, ChangeSource, NoteKind};
use crate::sample::{RunSample, Sampler, Sources, TICK};
use crate::verdict::{Criteria, Threshold};
use crate::vocabulary::{Clock, HardStops, Kind, Outcome, RunIdentity, StopCause};

/// Length of the run if nothing ends it, in seconds.
const SECONDS: u64 = 60;

/// Plays a run in which all requests of some seconds fail. Returns its ending, and the second of its end.
async fn play(threshold: &str, abort_grace: Option<u64>, failing: Range<u64>) -> (Ending, u64, Sources) {
    let criteria = Arc::new(Criteria {
        thresholds: vec![Threshold::parse(threshold).expect(threshold)],
        abort_grace: abort_grace.map(Duration::from_secs),
        ..Criteria::default()
    });
    let clock = Clock::start_with(|| Instant::now().into_std());
    let sources = Sources { clock, criteria, ..Sources::new(1) };
    let (sender, samples) = watch::channel(Arc::default());
    let (_pipeline, taps) =
        Pipeline::start(1, sources.clock, None, RunIdentity::default()).expect("a thread");
    let admitted = Cell::default();
    let plan = Plan {
        profile: RampProfile { clients: 10, ramp: Ramp::Time(Duration::ZERO), ..RampProfile::default() },
        stages: None,
        arrivals: None,
        limit: ClientLimit::default(),
        ahead: Ahead::Together,
        on_shortage: OnShortage::default(),
        brakes: false,
        duration: Some(Duration::from_secs(SECONDS)),
        has_default_end: false,
        hard_stops: HardStops::default(),
    };
    let engine = Clients { admitted: &admitted, finish_at_once: false };
    let controller = Controller::new(engine, plan, &sources, samples, taps.controller);
    let (_commands, orders) = flume::bounded(1);
    let ending = tokio::select! {
        (ending, _) = controller.run(orders) => ending,
        () = load(&sources, &sender, failing) => unreachable!("the load has no end"),
    };
    (ending, sources.clock.now().as_secs(), sources)
}

/// Makes requests and takes samples, without an end.
async fn load(sources: &Sources, sender: &watch::Sender<Arc<RunSample>>, failing: Range<u64>) {
    let client = sources.registry.add();
    let meter = client.meter(0, sources.clock);
    let mut sampler = Sampler::new(sources.clone());
    loop {
        sleep(TICK).await;
        let fails = failing.contains(&sources.clock.now().as_secs());
        let outcome = Outcome::from_status(if fails { 503 } else { 200 }, false);
        meter.start(Kind::Segment).finish(outcome, None);
        sender.send_replace(sampler.next_sample());
    }
}

#[tokio::test(start_paused = true)]
async fn a_threshold_that_stays_crossed_for_the_grace_ends_the_run_with_a_drain() {
    let (ending, at, sources) = play("error_rate<1% over 5s", Some(10), 20..60).await;
    assert_eq!(ending, Ending { cause: Some(StopCause::Threshold), cut: false, refused: None });
    assert!((30..=32).contains(&at), "ended at {at}");
    let journal = sources.status.journal();
    let stops: Vec<_> = journal.changes().filter(|change| change.kind == ChangeKind::Stop).collect();
    assert!(stops.len() == 1 && stops[0].by == ChangeSource::Threshold, "{stops:?}");
    let notes = journal.notes().filter(|note| note.kind == NoteKind::Threshold);
    let notes: Vec<_> = notes.map(|note| note.text.clone()).collect();
    assert!(
        notes.len() == 2 && notes[0].starts_with("threshold error_rate<1% over 5s crossed: "),
        "{notes:?}"
    );
    assert!(notes[1].contains("ends the run"), "{notes:?}");
}

#[tokio::test(start_paused = true)]
async fn a_threshold_that_is_kept_again_within_the_grace_or_may_not_end_the_run_lets_it_go_on() {
    // Five bad seconds are in a window of five seconds for at most nine.
    for (grace, failing) in [(Some(12), 20..25), (None, 20..60)] {
        let (ending, at, _) = play("error_rate<1% over 5s", grace, failing).await;
        assert_eq!((ending, at), (Ending::default(), SECONDS), "{grace:?}");
    }
}
