//! Tests of the sampler over counters that a test sets.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::sampler::{POOL, ROWS, Sampler, TICKS_PER_SECOND};
use super::{HeatOf, HistoryBins, Point, RunSample, Sources, TIMED, Who};
use crate::stats::{LatencySnapshot, Listing, Metric, PlacementIndex, Progress, Registry, Timings};
use crate::verdict::Verdict;
use crate::vocabulary::outcome::{Fault, HttpFailure};
use crate::vocabulary::{ClientState, Clock, ConnectionRoute, Kind, Outcome, RunState, Rung, Timed};

fn sampler() -> (Arc<Registry>, Sampler) {
    let sources = Sources::new(1);
    (Arc::clone(&sources.registry), Sampler::new(sources))
}

#[test]
fn samples_use_their_memory_again_and_a_frozen_one_stays_as_it_was() {
    let (registry, mut sampler) = sampler();
    let frozen = sampler.next_sample();
    let client = registry.add();
    client.meter(0, Clock::start()).start(Kind::Playlist).finish(Outcome::Ok, None);
    let mut seen = std::collections::HashSet::new();
    for _ in 0..20 {
        let sample = sampler.next_sample();
        assert_eq!(sample.snapshot.totals.finished(), 1);
        seen.insert(Arc::as_ptr(&sample));
    }
    assert_eq!(frozen.snapshot.totals.finished(), 0);
    assert!(seen.len() <= POOL, "{} samples in use", seen.len());
    assert!(!seen.contains(&Arc::as_ptr(&frozen)));
}

#[test]
fn between_two_seconds_only_states_are_counted_and_the_last_samples_are_whole() {
    let (registry, mut sampler) = sampler();
    let clients = [registry.add(), registry.add()];
    let meter = clients[0].meter(0, Clock::start());
    let whole = sampler.next_sample();
    assert_eq!((whole.snapshot.clients.len(), whole.snapshot.listed()), (2, 2));
    meter.start(Kind::Playlist).finish(Outcome::Ok, None);
    meter.set_state(ClientState::Dead);
    let snapshot_states = sampler.next_sample();
    assert_eq!(snapshot_states.snapshot.in_state(ClientState::Dead), 1);
    assert_eq!((snapshot_states.snapshot.totals.finished(), snapshot_states.active_clients()), (1, 1));
    assert!(Arc::ptr_eq(&snapshot_states.snapshot.clients, &whole.snapshot.clients));
    assert_eq!(snapshot_states.snapshot.clients_at_us, whole.snapshot.at_us);
    sampler.sources.status.set_state(RunState::Draining);
    let last = sampler.next_sample();
    assert_eq!((last.snapshot.clients[0].requests, last.snapshot.clients_at_us), (1, last.snapshot.at_us));
    // A reader that holds a sample keeps its values.
    assert_eq!(whole.snapshot.clients[0].requests, 0);
}

#[test]
fn the_client_that_is_open_on_the_screen_is_read_in_every_sample() {
    let (registry, mut sampler) = sampler();
    let clients = [registry.add(), registry.add()];
    let ids = clients.each_ref().map(|client| client.meter(0, Clock::start()).client_id());
    let open = Arc::clone(&sampler.sources.selected);
    let mut shown = || sampler.next_sample().detail.as_ref().map(|detail| detail.id);
    assert_eq!(shown(), None);
    // None of these samples but the first begins a second.
    for id in ids {
        open.store(id, Ordering::Relaxed);
        assert_eq!(shown(), Some(id));
    }
    open.store(0, Ordering::Relaxed);
    assert_eq!(shown(), None);
}

#[test]
fn the_client_that_is_open_on_the_screen_is_watched_with_its_last_seconds() {
    let (registry, mut sampler) = sampler();
    let clients: Vec<_> = (0..100).map(|_| registry.add()).collect();
    let meter = clients[90].meter(0, Clock::start());
    sampler.next_sample();
    assert!(clients[0].meter(0, Clock::start()).is_watched(), "of equal clients, the first are the worst");
    assert!(!meter.is_watched());
    sampler.sources.selected.store(meter.client_id(), Ordering::Relaxed);
    assert_eq!(sampler.next_sample().watched, None, "the second is not over");
    meter.set_state(ClientState::Playing);
    let mut last = None;
    for _ in 0..2 * TICKS_PER_SECOND {
        last = sampler.next_sample().watched.clone();
    }
    let watched = last.expect("watched");
    assert!(meter.is_watched());
    let states: Vec<_> = watched.seconds.iter().map(|second| second.state).collect();
    assert_eq!((watched.id, states), (meter.client_id(), vec![ClientState::Playing; 2]));
    assert_eq!(watched.since_us, watched.seconds[0].at_us);
}

#[test]
fn the_stream_is_measured_once_a_second_and_ages_of_playlists_are_kept_over_time() {
    let (registry, mut sampler) = sampler();
    let client = registry.add();
    let meter = client.meter(0, Clock::start());
    // It came when the run began.
    let listing = |newest| Listing {
        progress: Progress { newest, ..Progress::default() },
        target_us: 4_000_000,
        ..Listing::default()
    };
    meter.list(Rung::Variant(1), listing(7).progress, 0, || listing(7));
    meter.plays([Some(Rung::Variant(1)), None, None]);
    let edge = SocketAddr::from(([10, 0, 0, 1], 443));
    meter.answered(&ConnectionRoute { edge, source: edge.ip(), http2: true, resumed: None }, 503, 9, None);
    let first = sampler.next_sample();
    let [rung] = &first.stream.rungs[..] else { panic!("one rung: {:?}", first.stream.rungs) };
    assert_eq!((rung.place, rung.newest, rung.clients), (1, Some(7), 1));
    let at = Duration::from_micros(first.snapshot.at_us);
    assert_eq!((rung.age, first.stream.is_live), (Some(at), Some(true)));
    let kept =
        |sample: &RunSample, place| sample.history.last().and_then(|second| second.playlist_age(place));
    assert!(kept(&first, 1).is_some_and(|age| age.as_millis() == at.as_millis().max(1)));
    assert_eq!(kept(&first, 0), None);
    let [line] = &first.stream.edges[..] else { panic!("one edge: {:?}", first.stream.edges) };
    assert_eq!((line.address, line.clients, line.failed_share), (edge, 1, Some(1.0)));
    meter.list(Rung::Variant(1), listing(8).progress, 5, || listing(8));
    let newest = |sample: &RunSample| sample.stream.rungs.first().and_then(|rung| rung.newest);
    let seen: Vec<_> = (0..TICKS_PER_SECOND).map(|_| newest(&sampler.next_sample())).collect();
    assert_eq!(seen, [Some(7), Some(7), Some(7), Some(8)]);
}

#[test]
fn tables_of_clients_are_used_again() {
    let (registry, mut sampler) = sampler();
    let _client = registry.add();
    let tables: std::collections::HashSet<_> =
        (0..200).map(|_| Arc::as_ptr(&sampler.next_sample().snapshot.clients)).collect();
    assert!(tables.len() <= ROWS, "{}", tables.len());
}

#[test]
fn what_a_run_that_ends_does_to_its_clients_is_not_judged() {
    let (registry, mut sampler) = sampler();
    let client = registry.add();
    let meter = client.meter(0, Clock::start());
    let fails = || meter.start(Kind::Playlist).finish(Outcome::Http(HttpFailure::new(503)), None);
    sampler.next_sample();
    meter.count(Metric::PlaybackStarts, 1);
    meter.start(Kind::Playlist).finish(Outcome::Ok, None);
    let judged = sampler.next_sample().health;
    assert_eq!((judged.verdict, judged.error_share), (Verdict::Ok, Some(0.0)));
    sampler.sources.status.set_state(RunState::Draining);
    fails();
    assert_eq!(sampler.next_sample().health, judged);
    sampler.sources.status.set_state(RunState::Running);
    assert_eq!(sampler.next_sample().health.error_share, Some(0.5));
}

#[test]
fn a_total_that_falls_from_one_sample_to_the_next_is_a_violation() {
    let (registry, mut sampler) = sampler();
    let client = registry.add();
    client.meter(0, Clock::start()).start(Kind::Playlist).finish(Outcome::Ok, None);
    assert_eq!(sampler.next_sample().snapshot.invariant_violations, 0);
    // Nothing in the registry can make a total fall, so the test raises the previous totals.
    sampler.last.scalars.add(Metric::Ok, 1);
    assert_eq!(sampler.next_sample().snapshot.invariant_violations, 1);
    assert_eq!(sampler.next_sample().snapshot.invariant_violations, 1);
}

#[test]
fn a_sample_allocates_nothing_but_what_a_new_second_adds() {
    let (registry, mut sampler) = sampler();
    let clients: Vec<_> = (0..200).map(|_| registry.add()).collect();
    for client in &clients {
        let meter = client.meter(0, Clock::start());
        meter.start(Kind::Segment).finish(Outcome::Ok, None);
        meter.start(Kind::Segment).finish(Outcome::from_status(404, false), None);
    }
    (0..20).for_each(|_| drop(sampler.next_sample()));
    for _ in 0..20 {
        // Only the history, the trust and the groups of clients allocate, once a second. Reading every row does not.
        let new_second = sampler.ticks.is_multiple_of(TICKS_PER_SECOND);
        let allocations = allocation_counter::measure(|| drop(sampler.next_sample())).count_total;
        assert!(allocations <= if new_second { 100 } else { 0 }, "{allocations}");
    }
}

#[test]
fn the_thread_publishes_samples_and_hands_its_sampler_back() {
    let (registry, sampler) = sampler();
    let handle = sampler.spawn().expect("a thread");
    let mut samples = handle.samples();
    let client = registry.add();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let seen = samples.wait_for(|sample| sample.snapshot.clients.len() == 1);
        tokio::time::timeout(Duration::from_secs(10), seen).await.expect("in time").expect("a sampler");
    });
    drop(client);
    let mut sampler = handle.stop().0.expect("no panic");
    sampler.sources.status.set_state(RunState::Finished);
    assert_eq!(sampler.next_sample().snapshot.clients.len(), 0);
}

#[test]
fn a_whole_sample_has_every_distribution_and_the_next_light_one_none() {
    let (registry, mut sampler) = sampler();
    let client = registry.add();
    let meter = client.meter(0, Clock::start());
    for outcome in [Outcome::Ok, Outcome::from_status(503, false), Outcome::Ok] {
        let timings = Timings { first_byte_us: 10, body_us: 20 };
        meter.start(Kind::Segment).finish(outcome, Some(timings));
    }
    assert!(sampler.next_sample().distributions.is_none());
    let whole = sampler.next_whole_sample();
    let read = whole.distributions.as_deref().expect("a whole sample");
    let count = |timed| read.latency(timed).map_or(0, LatencySnapshot::count);
    let counts = [Timed::FirstByte, Timed::Total, Timed::Failed].map(|timed| count(timed(Kind::Segment)));
    assert_eq!(counts, [2, 2, 1]);
    let of_all: Vec<_> = read.latencies_of_all.iter().map(|(kind, all)| (*kind, all.count())).collect();
    assert_eq!(of_all, [(Kind::Segment, 3)]);
    assert!(read.latency(Timed::Dns).is_none() && read.sessions.is_empty());
    // Its memory is reused.
    drop(whole);
    assert!((0..=POOL).all(|_| sampler.next_sample().distributions.is_none()));
}

#[test]
fn whole_samples_come_from_the_thread_for_as_long_as_it_lives() {
    let (registry, sampler) = sampler();
    let _client = registry.add();
    let handle = sampler.spawn().expect("a thread");
    let samples = handle.whole_samples();
    let [first, second] = [(); 2].map(|()| samples.next().expect("the thread lives"));
    assert!(first.distributions.is_some() && second.distributions.is_some() && first.at < second.at);
    assert!(handle.stop().0.is_some());
    assert!(samples.next().is_none());
}

#[test]
fn the_history_of_a_whole_sample_has_every_duration_and_failure_whenever_it_is_taken() {
    let (registry, mut sampler) = sampler();
    let client = registry.add();
    let meter = client.meter(0, Clock::start());
    let busy = Outcome::from_status(503, false);
    let act = || {
        for (us, outcome) in [(5_000, Outcome::Ok), (90_000, busy), (300, Fault::Cut.into())] {
            let timings = Timings { first_byte_us: us / 2, body_us: us / 2 };
            meter.start_at(Kind::Segment, 0).finish_at(outcome, Some(timings), us);
        }
        meter.start_at(Kind::Playlist, 0).finish_at(busy, None, 15_000_000);
        meter.time(Timed::Startup, 700_000);
    };
    let assert_complete = |history: &HistoryBins, times: u64| {
        let total = |of: HeatOf| history.bins().iter().map(|bin| bin.heat[of.index()].total()).sum::<u64>();
        assert_eq!(HeatOf::ALL.map(total), [2 * times, times, times, times, 0], "{times}");
        assert_eq!(history.codes(), [busy]);
        assert_eq!(history.bins().iter().map(Point::failed).sum::<u64>(), 2 * times);
        assert_eq!(history.bins().iter().map(|bin| bin.counts.started).sum::<u64>(), 4 * times);
    };
    // Each step is a quarter of a second for the sampler: a whole sample comes at every place within one.
    for times in 1..=9 {
        act();
        let whole = sampler.next_whole_sample();
        assert_complete(&whole.distributions.as_ref().expect("a whole sample").history, times);
    }
    act();
    sampler.sources.status.set_state(RunState::Finished);
    // The last sample ends its second, so that the screen has everything, too.
    let last = sampler.next_whole_sample();
    assert_complete(&last.distributions.as_ref().expect("a whole sample").history, 10);
    assert_complete(last.history.whole(), 10);
}

#[test]
fn the_last_sample_shows_the_latencies_and_the_groups_of_the_report_wherever_in_a_second_it_is_taken() {
    for place in 1..=TICKS_PER_SECOND {
        let (registry, mut sampler) = sampler();
        let client = registry.add();
        let meter = client.meter(0, Clock::start());
        (0..place).for_each(|_| drop(sampler.next_sample()));
        meter.start(Kind::Segment).finish(Outcome::Ok, Some(Timings { first_byte_us: 10, body_us: 20 }));
        meter.set_state(ClientState::Dead);
        sampler.sources.status.set_state(RunState::Finished);
        let last = sampler.next_whole_sample();
        let read = last.distributions.as_deref().expect("a whole sample");
        let segments = Timed::Total(Kind::Segment);
        let reported = read.latency(segments).map(LatencySnapshot::count);
        let shown = last.latency(segments).run.map(|run| run.count);
        assert_eq!((shown, reported), (Some(1), Some(1)), "{place}");
        assert_eq!(*last.who, Who::new(&last.snapshot.clients, &PlacementIndex::default(), None), "{place}");
    }
}

#[test]
fn the_durations_of_heat_maps_are_among_those_that_are_read_every_second() {
    let read = |timed: &Timed| TIMED.contains(timed) || *timed == Timed::LiveLatency;
    assert!(HeatOf::ALL.iter().flat_map(|of| of.durations()).all(read));
}
