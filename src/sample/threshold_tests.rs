//! Thresholds over counters that a test sets, second by second, in virtual time.

use std::time::Duration;

use super::threshold_meter::ThresholdMeter;
use super::{RunSample, Sources};
use crate::stats::{ClientHandle, Timings};
use crate::verdict::{Criteria, Health, JudgedThreshold, Threshold, TrustVerdict};
use crate::vocabulary::{Clock, Kind, Outcome, RunState};

/// A run whose seconds a test writes.
struct Run {
    sources: Sources,
    client: ClientHandle,
    meter: ThresholdMeter,
    sample: RunSample,
    trust: TrustVerdict,
}

impl Run {
    fn new(texts: &[&str]) -> Self {
        Self::with(texts, Criteria::default())
    }

    /// Creates a run with these thresholds and the other criteria of `criteria`.
    fn with(texts: &[&str], criteria: Criteria) -> Self {
        let sources = Sources::new(1);
        let thresholds = texts.iter().map(|text| Threshold::parse(text).expect(text)).collect();
        let meter = ThresholdMeter::new(&Criteria { thresholds, ..criteria });
        let sample = RunSample { state: RunState::Ramping, ..RunSample::default() };
        Self { client: sources.registry.add(), sources, meter, sample, trust: TrustVerdict::Valid }
    }

    /// Passes a second in which this many segments end ok after this time, and this many with 503.
    fn second(&mut self, ok: u64, first_byte_us: u64, failed: u64) {
        let meter = self.client.meter(0, Clock::start());
        let timings = Timings { first_byte_us, ..Timings::default() };
        (0..ok).for_each(|_| meter.start(Kind::Segment).finish(Outcome::Ok, Some(timings)));
        let busy = Outcome::from_status(503, false);
        (0..failed).for_each(|_| meter.start(Kind::Segment).finish(busy, None));
        self.sample.at += Duration::from_secs(1);
        self.sources.registry.snapshot(0, &mut self.sample.snapshot);
        self.meter.observe(&self.sample);
        self.meter.measure(&self.sample, &self.sources, self.trust);
    }

    fn judged(&self, place: usize) -> &JudgedThreshold {
        &self.meter.judged()[place]
    }

    fn crossed_at(&self, place: usize) -> Option<u64> {
        self.judged(place).standing.crossed_at.map(|at| at.as_secs())
    }
}

#[test]
fn a_window_is_judged_as_soon_as_it_is_full_and_not_before() {
    let mut run = Run::new(&["error_rate<50% over 30s"]);
    (0..29).for_each(|_| run.second(0, 0, 1));
    assert_eq!((run.judged(0).value(), run.crossed_at(0)), (None, None), "29 of 30 seconds");
    run.second(0, 0, 1);
    assert_eq!((run.judged(0).value(), run.crossed_at(0)), (Some(1.0), Some(30)));
}

#[test]
fn a_window_has_only_its_own_seconds() {
    let mut run = Run::new(&["http_errors{503}<30 over 30s", "http_errors{503}<30"]);
    // 29 failures in a row, twice, with thirty good seconds between them.
    for _ in 0..2 {
        (0..29).for_each(|_| run.second(0, 0, 1));
        (0..31).for_each(|_| run.second(1, 1_000, 0));
    }
    assert_eq!((run.crossed_at(0), run.judged(0).value()), (None, Some(29.0)));
    assert_eq!((run.crossed_at(1), run.judged(1).value()), (Some(61), Some(58.0)));
    // 29 more within one window, and one: the thirtieth second crosses the limit.
    (0..29).for_each(|_| run.second(0, 0, 1));
    assert_eq!(run.crossed_at(0), None);
    run.second(0, 0, 1);
    assert_eq!((run.crossed_at(0), run.judged(0).value()), (Some(150), Some(30.0)));
}

#[test]
fn percentiles_of_a_window_and_of_a_part_of_the_run_forget_what_was_before() {
    let texts = [
        "segment_ttfb_p95<10ms over 5s after 20s",
        "segment_ttfb_p95<10ms after 20s",
        "segment_ttfb_p95<10ms",
        "requests_per_second==2/s over 5s after 20s",
    ];
    let mut run = Run::new(&texts);
    (0..20).for_each(|_| run.second(2, 900_000, 0));
    (0..20).for_each(|_| run.second(2, 2_000, 0));
    assert_eq!([0, 1, 3].map(|place| run.crossed_at(place)), [None; 3]);
    assert_eq!(run.crossed_at(2), Some(1));
    let [window, part, whole] = [0, 1, 2].map(|place| run.judged(place).standing.value.expect("measured"));
    assert!(window < 2_100.0 && part < 2_100.0 && whole > 890_000.0, "{window} {part} {whole}");
    assert_eq!(run.judged(3).standing.value, Some(2.0));
}

#[test]
fn the_part_after_the_ramp_begins_when_all_clients_are_there() {
    let mut run = Run::new(&["error_rate<1% after ramp", "error_rate<1% over 2s after ramp"]);
    (0..5).for_each(|_| run.second(0, 0, 3));
    assert_eq!([0, 1].map(|place| run.judged(place).value()), [None; 2]);
    run.sample.state = RunState::Running;
    // The second in which the ramp ends still belongs to it.
    run.second(0, 0, 3);
    run.second(1, 1_000, 0);
    assert_eq!([0, 1].map(|place| run.judged(place).value()), [Some(0.0), None]);
    run.second(0, 0, 1);
    assert_eq!([0, 1].map(|place| run.judged(place).value()), [Some(0.5), Some(0.5)]);
}

#[test]
fn windows_are_not_judged_while_clients_leave() {
    let mut run = Run::new(&["requests_per_second>=1/s over 2s", "requests>=1"]);
    (0..5).for_each(|_| run.second(1, 1_000, 0));
    run.sample.state = RunState::Draining;
    (0..5).for_each(|_| run.second(0, 0, 0));
    assert_eq!([0, 1].map(|place| run.crossed_at(place)), [None; 2]);
    assert_eq!(run.judged(1).value(), Some(5.0));
}

/// Passes a second with this many clients, of which so many play and so many are stalled.
fn crowd(run: &mut Run, clients: u64, playing: u64, stalled: u64) {
    let stalled_share = (clients > 0).then(|| stalled as f64 / clients as f64);
    run.sample.health = Health { clients, playing, stalled, stalled_share, ..Health::default() };
    run.second(1, 1_000, 0);
}

#[test]
fn clients_in_a_state_are_those_of_now_and_over_a_time_the_worst_of_it() {
    let texts = [
        "clients_playing>=8",
        "clients_playing>=8 over 3s",
        "playing_share>=80% over 3s",
        "clients_stalled<2",
        "stalled_share<20% over 3s",
        "clients_stalled<2 after 3s",
    ];
    let mut run = Run::new(&texts);
    for (all, play, stall) in [(10, 9, 1), (10, 7, 3), (20, 17, 0), (10, 8, 1)] {
        crowd(&mut run, all, play, stall);
    }
    let values = |run: &Run| [0, 1, 2, 3, 4, 5].map(|place| run.judged(place).value());
    assert_eq!(values(&run), [Some(8.0), Some(7.0), Some(0.7), Some(1.0), Some(0.3), Some(1.0)]);
    let crossed = |run: &Run| [0, 1, 2, 3, 4, 5].map(|place| run.crossed_at(place));
    assert_eq!(crossed(&run), [Some(2), Some(3), Some(3), Some(2), Some(3), None]);
    // Fewer than before: the number falls, so a limit from below is crossed and not awaited.
    crowd(&mut run, 10, 5, 1);
    assert!(run.judged(0).is_crossed() && !run.judged(3).is_crossed());
    // While clients leave, the last moment before stays.
    run.sample.state = RunState::Draining;
    run.second(0, 0, 0);
    assert_eq!((run.judged(0).value(), run.judged(1).value()), (Some(5.0), Some(5.0)));
}

#[test]
fn only_the_readings_of_the_longest_window_are_kept() {
    let mut run = Run::new(&["error_rate<1% over 10s", "segment_p95<1s"]);
    (0..100).for_each(|_| run.second(1, 1_000, 0));
    assert_eq!(run.meter.kept(), 11);
    let mut long = Run::new(&["http_errors{503}<1000 over 5m"]);
    (0..700).for_each(|_| long.second(0, 0, 1));
    assert!((61 + 48..=61 + 50).contains(&long.meter.kept()), "{}", long.meter.kept());
    let counted = long.judged(0).standing.value.expect("a full window");
    assert!((300.0..=305.0).contains(&counted), "{counted}");
    let mut without = Run::new(&["error_rate<1%"]);
    (0..100).for_each(|_| without.second(1, 1_000, 0));
    assert_eq!(without.meter.kept(), 1);
}

#[test]
fn only_a_crossed_threshold_of_a_trusted_run_that_goes_on_ends_it() {
    let aborted = |trust, allow_untrusted, state| {
        let criteria = Criteria { abort_grace: Some(Duration::ZERO), allow_untrusted, ..Criteria::default() };
        let mut run = Run::with(&["error_rate<1%"], criteria);
        (run.trust, run.sample.state) = (trust, state);
        run.second(0, 0, 1);
        assert_eq!(run.crossed_at(0), Some(1));
        run.judged(0).standing.aborted_at.is_some()
    };
    use TrustVerdict::{Invalid, Suspect};
    assert!(aborted(Suspect, false, RunState::Running));
    assert!(aborted(Invalid, true, RunState::Running));
    assert!(!aborted(Invalid, false, RunState::Running));
    assert!(!aborted(Suspect, false, RunState::Draining));
}
