//! Tests of the judge: streaks, shares of the run, gaps, and the laws that hold for every run.

use proptest::prelude::*;

use super::*;

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Judges one second after another, each with one gauge at a value.
fn judged(gauge: Gauge, values: &[f64]) -> Trust {
    let mut judge = TrustJudge::default();
    for (at, value) in (1..).zip(values) {
        judge.judge(&second(at, gauge, *value));
    }
    judge.trust().clone()
}

fn second(at: u64, gauge: Gauge, value: f64) -> TrustNumbers<'static> {
    let mut numbers = TrustNumbers { at: seconds(at), ..TrustNumbers::default() };
    numbers.values[gauge.index()] = Some(value);
    numbers
}

#[test]
fn nothing_measured_is_unassessed_and_a_calm_second_is_valid() {
    assert_eq!(TrustJudge::default().trust().verdict, TrustVerdict::Unassessed);
    let calm = judged(Gauge::Cpu, &[0.2]);
    assert_eq!((calm.verdict, calm.now, calm.reasons.len()), (TrustVerdict::Valid, TrustVerdict::Valid, 0));
}

#[test]
fn a_limit_must_be_crossed_for_seconds_in_a_row() {
    let lag = |values: &[f64]| judged(Gauge::LoopLag, values).reasons.len();
    assert_eq!(lag(&[60_000.0, 60_000.0, 1_000.0, 60_000.0, 60_000.0]), 0);
    let trust = judged(Gauge::LoopLag, &[1_000.0, 60_000.0, 70_000.0, 60_000.0, 60_000.0, 1_000.0]);
    let [reason] = trust.reasons.as_slice() else { panic!("{:?}", trust.reasons) };
    assert_eq!((reason.level, reason.worst, reason.threshold), (TrustVerdict::Invalid, 70_000.0, 50_000.0));
    // The seconds that made the streak are masked, too.
    assert_eq!((reason.first, reason.last, reason.lasted), (seconds(1), seconds(5), seconds(4)));
    assert_eq!(trust.masked.as_slice(), [Interval { from: seconds(1), to: seconds(5) }]);
    assert_eq!((trust.verdict, trust.now), (TrustVerdict::Invalid, TrustVerdict::Valid));
}

#[test]
fn a_limit_itself_is_not_beyond_the_limit() {
    assert_eq!(judged(Gauge::Cpu, &[0.8; 20]).verdict, TrustVerdict::Valid);
    assert_eq!(judged(Gauge::Cpu, &[0.85; 20]).verdict, TrustVerdict::Suspect);
    assert_eq!(judged(Gauge::Cpu, &[0.95; 20]).verdict, TrustVerdict::Invalid);
    assert_eq!(judged(Gauge::LoadHeld, &[0.99; 20]).verdict, TrustVerdict::Valid);
    assert_eq!(judged(Gauge::LoadHeld, &[0.9; 20]).verdict, TrustVerdict::Invalid);
}

#[test]
fn a_short_trouble_in_a_long_run_is_suspect_but_stays_a_reason() {
    let mut values = vec![1_000.0; 1_000];
    values[100..105].fill(60_000.0);
    let trust = judged(Gauge::LoopLag, &values);
    assert_eq!((trust.verdict, trust.reasons.len()), (TrustVerdict::Suspect, 1));
    values[100..105].fill(20_000.0);
    let trust = judged(Gauge::LoopLag, &values);
    assert_eq!((trust.verdict, trust.reasons.len()), (TrustVerdict::Valid, 1));
}

#[test]
fn one_file_that_was_refused_is_enough_and_so_is_one_broken_invariant() {
    for gauge in [Gauge::FilesRefused, Gauge::PortsRefused, Gauge::MemoryRefused, Gauge::InvariantViolations]
    {
        let mut values = vec![0.0; 10_000];
        values[5] = 1.0;
        assert_eq!(judged(gauge, &values).verdict, TrustVerdict::Invalid, "{gauge:?}");
    }
}

#[test]
fn a_gauge_that_is_only_shown_never_convicts() {
    for rule in RULES.into_iter().filter(|rule| rule.weight == Weight::Shown) {
        let trust = judged(rule.gauge, &[1e12; 30]);
        assert_eq!((trust.verdict, trust.reasons.len()), (TrustVerdict::Valid, 0), "{}", rule.name);
        assert_eq!(trust.worst[rule.gauge.index()], Some(1e12));
    }
}

#[test]
fn a_slow_origin_raises_the_limit_of_delays() {
    let mut judge = TrustJudge::default();
    for at in 1..=20 {
        let numbers = second(at, Gauge::LoopLag, 40_000.0);
        judge.judge(&TrustNumbers { first_byte_us: Some(500_000), ..numbers });
    }
    assert_eq!(judge.trust().verdict, TrustVerdict::Valid);
}

#[test]
fn a_gap_masks_itself_and_not_the_second_that_reported_it() {
    let mut judge = TrustJudge::default();
    judge.judge(&second(2, Gauge::Cpu, 0.1));
    let [from, to] = [2_400, 5_420].map(Duration::from_millis);
    let gaps = [Interval { from, to }];
    judge.judge(&TrustNumbers { gaps: &gaps, ..second(6, Gauge::Cpu, 0.1) });
    judge.judge(&second(7, Gauge::Cpu, 0.1));
    let trust = judge.trust();
    assert_eq!(trust.masked.as_slice(), gaps);
    assert_eq!((trust.verdict, trust.measured), (TrustVerdict::Invalid, seconds(7)));
    assert_eq!(trust.reasons[0].short(), "process gap 3,020 ms");
    assert_eq!(trust.main_reason().map(|reason| reason.gauge), Some(Gauge::ProcessGap));
}

#[test]
fn the_end_of_a_run_is_evidence_but_not_measured_time() {
    let mut judge = TrustJudge::default();
    judge.judge(&second(10, Gauge::Cpu, 0.1));
    judge.judge(&TrustNumbers { phase: Phase::End, ..second(15, Gauge::FilesRefused, 2.0) });
    let trust = judge.trust();
    assert_eq!((trust.verdict, trust.measured), (TrustVerdict::Invalid, seconds(10)));
    assert_eq!(trust.values[Gauge::Cpu.index()], Some(0.1));
}

#[test]
fn the_worker_that_lags_is_named_with_limit_and_time() {
    let mut judge = TrustJudge::default();
    for at in 41..=45 {
        judge.judge(&TrustNumbers { worker: Some(1), ..second(at, Gauge::LoopLag, 180_000.0) });
    }
    let said = judge.trust().reasons[0].sentence();
    assert_eq!(said, "loop lag of worker 1 180 ms, above 50.0 ms for 45.0 s from 00:00:00 on");
    let check = judge.trust().check();
    assert!(check.fails() && check.sentence.starts_with("NOT TRUSTWORTHY: loop lag of worker 1"));
}

#[test]
fn the_check_is_unknown_without_a_measurement_and_passes_for_a_suspect_run() {
    let results = [vec![], vec![0.1; 20], vec![0.85; 20], vec![0.95; 20]]
        .map(|values| judged(Gauge::Cpu, &values).check())
        .map(|check| (check.value, check.fails()));
    assert_eq!(results, [(None, false), (Some(0.0), false), (Some(1.0), false), (Some(2.0), true)]);
}

/// Returns values of gauges, some of them beyond their limits.
fn values() -> impl Strategy<Value = Values> {
    let level = prop_oneof![Just(None), (0_u8..4).prop_map(Some)];
    proptest::collection::vec(level, Gauge::COUNT).prop_map(|levels| {
        let mut values = Values::default();
        for ((value, level), rule) in values.iter_mut().zip(levels).zip(&RULES) {
            *value = level.map(|level| value_of(rule, level));
        }
        values
    })
}

/// Returns a value of a level: 0 is the best there is, 3 is beyond every limit.
fn value_of(rule: &Rule, level: u8) -> f64 {
    let limits = [rule.suspect, rule.invalid].map(|limit| limit.map_or(0.0, |limit| limit.floor));
    match (rule.worse, level) {
        (Worse::Larger, 0) => 0.0,
        (Worse::Larger, 1) => limits[0] + 1e-6,
        (Worse::Larger, 2) => limits[1] + 1e-6,
        (Worse::Larger, _) => limits[0].max(limits[1]) * 2.0 + 1.0,
        (Worse::Smaller, level) => 1.0 - f64::from(level) / 4.0,
    }
}

fn gap() -> impl Strategy<Value = u64> {
    prop_oneof![8 => Just(0_u64), 1 => 200_u64..400, 1 => 900_u64..1_000]
}

fn run(seconds_of_run: &[(Values, u64)]) -> Trust {
    let mut judge = TrustJudge::default();
    for (at, (values, gap_ms)) in (1..).zip(seconds_of_run) {
        let to = seconds(at);
        let gaps = [Interval { from: to - Duration::from_millis(*gap_ms), to }];
        let numbers = TrustNumbers { at: to, values: *values, ..TrustNumbers::default() };
        judge.judge(&TrustNumbers { gaps: &gaps, ..numbers });
    }
    judge.trust().clone()
}

fn seconds_of_run() -> impl Strategy<Value = Vec<(Values, u64)>> {
    proptest::collection::vec((values(), gap()), 0..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_worse_second_never_makes_a_better_verdict(
        mut run_seconds in seconds_of_run(),
        place in any::<prop::sample::Index>(),
        worse in values(),
    ) {
        let before = run(&run_seconds);
        if run_seconds.is_empty() {
            return Ok(());
        }
        let (changed, _) = place.get(&run_seconds);
        let mut changed = *changed;
        for (rule, value) in RULES.iter().zip(worse) {
            worsen(&mut changed, rule, value);
        }
        let place = place.index(run_seconds.len());
        run_seconds[place].0 = changed;
        let after = run(&run_seconds);
        prop_assert!(after.verdict >= before.verdict, "{:?} after {:?}", after.verdict, before.verdict);
        prop_assert!(after.masked.length() >= before.masked.length());
        prop_assert!(after.doubtful.length() >= before.doubtful.length());
    }

    #[test]
    fn reasons_are_sticky_and_masked_time_is_doubtful_time(
        first in seconds_of_run(),
        calm in 0_usize..30,
    ) {
        let before = run(&first);
        let calm = std::iter::repeat_n((Values::default(), 0), calm);
        let after = run(&first.into_iter().chain(calm).collect::<Vec<_>>());
        prop_assert_eq!(&after.reasons, &before.reasons);
        prop_assert_eq!(&after.masked, &before.masked);
        let mut union = after.doubtful.clone();
        union.merge(&after.masked);
        prop_assert_eq!(&union, &after.doubtful);
        prop_assert!(after.doubtful.length() <= after.measured);
    }

    #[test]
    fn trust_merges_in_whatever_order(a in seconds_of_run(), b in seconds_of_run(), c in seconds_of_run()) {
        let [a, b, c] = [a, b, c].map(|seconds| run(&seconds));
        let merged = |one: &Trust, other: &Trust| {
            let mut merged = one.clone();
            merged.merge(other);
            merged
        };
        prop_assert_eq!(merged(&a, &b), merged(&b, &a));
        prop_assert_eq!(merged(&merged(&a, &b), &c), merged(&a, &merged(&b, &c)));
        prop_assert_eq!(&merged(&a, &Trust::default()), &a);
        prop_assert_eq!(&merged(&Trust::default(), &a), &a);
    }
}
