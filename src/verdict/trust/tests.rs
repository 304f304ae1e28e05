//! Tests of the judge: streaks, shares of the run, gaps, and the laws that hold for every run.

use proptest::prelude::*;

use super::*;

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Judges one second after another, each with one gauge at a value, and then the end of the run.
fn judged(gauge: Gauge, values: &[f64]) -> Trust {
    let mut judge = TrustJudge::default();
    for (at, value) in (1..).zip(values) {
        judge.judge(&second(at, gauge, *value));
    }
    end(&mut judge, seconds(values.len() as u64));
    judge.trust().clone()
}

/// Judges the moment after the load has ended at this time.
fn end(judge: &mut TrustJudge, load_end: Duration) {
    let at = load_end + Duration::from_millis(1);
    judge.judge(&TrustNumbers { at, load_end: Some(load_end), ..TrustNumbers::default() });
}

fn second(at: u64, gauge: Gauge, value: f64) -> TrustNumbers<'static> {
    let mut numbers = TrustNumbers { at: seconds(at), ..TrustNumbers::default() };
    numbers.values[gauge] = Some(value);
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
    values[900..905].fill(60_000.0);
    let trust = judged(Gauge::LoopLag, &values);
    assert_eq!((trust.verdict, trust.reasons.len()), (TrustVerdict::Suspect, 1));
    values[900..905].fill(20_000.0);
    let trust = judged(Gauge::LoopLag, &values);
    assert_eq!((trust.verdict, trust.reasons.len()), (TrustVerdict::Valid, 1));
}

#[test]
fn a_bad_moment_in_a_long_run_stays_a_reason_and_makes_it_suspect() {
    let mut values = vec![1_000.0; 1_000];
    values[100..105].fill(60_000.0);
    let trust = judged(Gauge::LoopLag, &values);
    assert!(trust.masked_share().is_some_and(|share| share < INVALID_SHARE), "{:?}", trust.masked);
    assert_eq!((trust.verdict, trust.reasons[0].level), (TrustVerdict::Suspect, TrustVerdict::Invalid));
}

#[test]
fn a_run_that_is_bad_from_its_start_is_invalid_after_three_seconds() {
    let mut judge = TrustJudge::default();
    let verdicts = [1, 2, 3, 4].map(|at| {
        judge.judge(&second(at, Gauge::LoopLag, 60_000.0));
        judge.trust().verdict
    });
    let (valid, invalid) = (TrustVerdict::Valid, TrustVerdict::Invalid);
    assert_eq!(verdicts, [valid, valid, invalid, invalid]);
}

/// Returns the reasons, each with its level, worst value, limit and seconds.
fn reasons(trust: &Trust) -> Vec<(TrustVerdict, f64, f64, u64)> {
    let of = |reason: &Reason| (reason.level, reason.worst, reason.threshold, reason.lasted.as_secs());
    trust.reasons.iter().map(of).collect()
}

#[test]
fn each_level_has_its_own_reason_with_its_own_limit_and_time() {
    let [mild, severe] = [0.85, 0.95];
    let cpu = |severe_for| [vec![mild; 60], vec![severe; severe_for], vec![mild; 48]].concat();
    let trust = judged(Gauge::Cpu, &cpu(12));
    let expected = [(TrustVerdict::Invalid, severe, 0.9, 12), (TrustVerdict::Suspect, mild, 0.8, 108)];
    assert_eq!(reasons(&trust), expected);
    let said = trust.reasons[0].sentence();
    assert_eq!(said, "cpu 95.0%, above 90.0% for 12.0 s from 00:01:00 on");
    assert_eq!(trust.masked.as_slice(), [Interval { from: seconds(60), to: seconds(72) }]);
    // A peak that is too short to be invalid is still the worst of the doubtful time.
    let peak = judged(Gauge::Cpu, &cpu(5));
    assert_eq!(reasons(&peak), [(TrustVerdict::Suspect, severe, 0.8, 113)]);
    assert_eq!((peak.masked.length(), peak.doubtful.length()), (Duration::ZERO, seconds(113)));
    // While it lasts, it is doubtful already.
    let rising = judged(Gauge::Cpu, &[vec![mild; 60], vec![severe; 5]].concat());
    assert_eq!(reasons(&rising), [(TrustVerdict::Suspect, severe, 0.8, 65)]);
    assert_eq!(rising.doubtful.length(), seconds(65));
}

#[test]
fn the_limit_of_a_reason_is_the_one_that_held_for_its_worst_value() {
    let slow_origin = (300_000.0, Some(400_000));
    for lags in [[slow_origin, (100_000.0, None)], [(100_000.0, None), slow_origin]] {
        let mut judge = TrustJudge::default();
        for at in 1..=6 {
            let (lag, first_byte_us) = lags[usize::from(at > 3)];
            judge.judge(&TrustNumbers { first_byte_us, ..second(at, Gauge::LoopLag, lag) });
        }
        assert_eq!(reasons(judge.trust()), [(TrustVerdict::Invalid, 300_000.0, 200_000.0, 6)]);
    }
}

#[test]
fn a_streak_is_as_long_as_its_seconds_however_often_it_is_judged() {
    let judged = |every_ms: u64, count: u64| {
        let mut judge = TrustJudge::default();
        for number in 1..=count {
            let at = Duration::from_millis(every_ms * number);
            judge.judge(&TrustNumbers { at, ..second(0, Gauge::LoopLag, 60_000.0) });
        }
        judge.trust().reasons.len()
    };
    assert_eq!([judged(250, 9), judged(250, 12)], [0, 1]);
    assert_eq!([judged(1_500, 1), judged(1_500, 2)], [0, 1]);
    assert_eq!([judged(990, 2), judged(990, 3)], [0, 1]);
    // One reading says nothing about a minute.
    assert_eq!(judged(60_000, 1), 0);
}

#[test]
fn a_stop_of_the_process_makes_no_streak_longer() {
    let mut judge = TrustJudge::default();
    judge.judge(&second(1, Gauge::LoopLag, 0.0));
    let gaps = [Interval { from: seconds(1), to: seconds(4) }];
    // Its workers owe three seconds when it goes on.
    judge.judge(&TrustNumbers { gaps: &gaps, ..second(5, Gauge::LoopLag, 3e6) });
    judge.judge(&second(6, Gauge::LoopLag, 3e6));
    judge.judge(&second(7, Gauge::LoopLag, 0.0));
    assert_eq!(judge.trust().masked.as_slice(), gaps);
}

#[test]
fn a_second_without_a_value_neither_breaks_a_streak_nor_counts() {
    let mut judge = TrustJudge::default();
    for at in 1..=9 {
        let mut numbers = second(at, Gauge::LateStarts, 0.5);
        if at % 4 != 1 {
            numbers.values = Values::default();
        }
        judge.judge(&numbers);
    }
    assert_eq!(reasons(judge.trust()), [(TrustVerdict::Suspect, 0.5, 0.01, 3)]);
    assert_eq!(judge.trust().doubtful.length(), seconds(3));
    judge.judge(&second(10, Gauge::LateStarts, 0.0));
    assert_eq!(judge.trust().now, TrustVerdict::Valid);
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
        assert_eq!(trust.worst[rule.gauge], Some(1e12));
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
    let load_end = Some(seconds(12));
    judge.judge(&TrustNumbers { load_end, ..second(15, Gauge::FilesRefused, 2.0) });
    judge.judge(&TrustNumbers { load_end, ..second(20, Gauge::FilesRefused, 2.0) });
    let trust = judge.trust();
    assert_eq!((trust.verdict, trust.measured), (TrustVerdict::Invalid, seconds(12)));
    assert_eq!(trust.masked.as_slice(), [Interval { from: seconds(10), to: seconds(12) }]);
    assert_eq!((trust.values[Gauge::Cpu], trust.reasons[0].worst), (Some(0.1), 2.0));
}

#[test]
fn a_stop_counts_as_far_as_the_load_lasted() {
    let judged = |from: u64, to: u64| {
        let mut judge = TrustJudge::default();
        judge.judge(&second(9, Gauge::Cpu, 0.1));
        let gaps = [Interval { from: seconds(from), to: seconds(to) }];
        judge.judge(&TrustNumbers {
            load_end: Some(seconds(12)),
            gaps: &gaps,
            ..second(20, Gauge::Cpu, 0.1)
        });
        judge.trust().clone()
    };
    let trust = judged(10, 17);
    assert_eq!(trust.masked.as_slice(), [Interval { from: seconds(10), to: seconds(12) }]);
    assert_eq!((trust.measured, trust.reasons[0].worst), (seconds(12), 2e6));
    let later = judged(13, 17);
    assert_eq!((later.verdict, later.reasons.len()), (TrustVerdict::Valid, 0));
}

#[test]
fn thousands_of_stops_are_as_long_as_they_were() {
    let mut judge = TrustJudge::default();
    for at in 1..=3_000 {
        let to = seconds(at);
        let gaps = [Interval { from: to - Duration::from_millis(300), to }];
        judge.judge(&TrustNumbers { gaps: &gaps, ..second(at, Gauge::Cpu, 0.1) });
    }
    let trust = judge.trust();
    assert_eq!((trust.doubtful.length(), trust.verdict), (seconds(900), TrustVerdict::Suspect));
    assert_eq!(trust.doubtful.as_slice().len() as u64 + trust.doubtful.left_out(), 3_000);
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

#[test]
fn the_advice_is_about_the_worst_value_and_the_load_as_it_is_known_last() {
    let mut judge = TrustJudge::default();
    for at in 1..=20 {
        let demand = Demand { target: 100, admitted: (10 * at).min(100), ..Demand::default() };
        // The storm of the first starts is worse than the load itself.
        let numbers = second(at, Gauge::Cpu, if at == 3 { 1.25 } else { 0.95 });
        judge.judge(&TrustNumbers { demand, ..numbers });
    }
    assert_eq!(judge.trust().reasons[0].advice, "use fewer clients, or spread them over 3 machines");
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
        let mut changed = place.get(&run_seconds).0;
        for (rule, value) in RULES.iter().zip(worse.iter()) {
            // A value that becomes known is news, not worse news.
            if changed[rule.gauge].is_some() {
                worsen(&mut changed, rule, *value);
            }
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
        is_known in any::<bool>(),
    ) {
        let before = run(&first);
        let mut values = Values::default();
        RULES.iter().zip(values.iter_mut()).for_each(|(rule, value)| *value = is_known.then(|| value_of(rule, 0)));
        let calm = std::iter::repeat_n((values, 0), calm);
        let after = run(&first.into_iter().chain(calm).collect::<Vec<_>>());
        prop_assert_eq!(&after.reasons, &before.reasons);
        prop_assert_eq!(&after.masked, &before.masked);
        let mut union = after.doubtful.clone();
        union.merge(&after.masked);
        prop_assert_eq!(&union, &after.doubtful);
        prop_assert!(after.doubtful.length() <= after.measured);
    }
}

#[test]
fn no_bar_is_more_than_full() {
    for rule in RULES {
        let fill = rule.fill(1e12, Some(1)).map(|(fill, _)| fill);
        assert!(fill.is_none_or(|fill| fill <= 1.0), "{:?}: {fill:?}", rule.gauge);
    }
}
