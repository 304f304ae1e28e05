//! The verdict over time: when it is entered and left, and which numbers say nothing about the stream.

use super::*;
/// Numbers of a run in which a client has played.
const PLAYED: RunNumbers = RunNumbers { error_share: None, has_played: true };

/// Returns a moment at which `errors` of 1,000 requests have failed, and a client has played.
fn numbers(at: Duration, errors: u64) -> HealthNumbers {
    let error_share = Some(errors as f64 / 1_000.0);
    HealthNumbers { at, error_share, bits_per_second: Some(1e6), run: PLAYED, ..HealthNumbers::default() }
}

/// Judges at 4 Hz from `from` to `to` seconds and returns the verdict at the end.
fn judge(judge: &mut HealthJudge, from: u64, to: u64, errors: u64) -> (Health, Knees) {
    let mut last = (Health::default(), Knees::default());
    for step in from * 4..=to * 4 {
        last = judge.judge(&numbers(Duration::from_millis(step * 250), errors));
    }
    last
}

#[test]
fn a_worse_verdict_takes_two_seconds_and_a_better_one_five() {
    let mut health = HealthJudge::default();
    assert_eq!(judge(&mut health, 0, 1, 0).0.verdict, Verdict::Ok);
    assert_eq!(judge(&mut health, 10, 11, 60).0.verdict, Verdict::Ok);
    let (failing, knees) = judge(&mut health, 11, 12, 60);
    assert_eq!((failing.verdict, failing.since.as_secs()), (Verdict::Failing, 10));
    assert_eq!(knees.errors.map(|knee| knee.at.as_secs()), Some(10), "where it began");
    assert_eq!(knees.stalls, None);
    assert_eq!(judge(&mut health, 20, 24, 0).0.verdict, Verdict::Failing);
    assert_eq!(judge(&mut health, 24, 25, 0).0.verdict, Verdict::Ok);
}

#[test]
fn a_verdict_that_its_numbers_contradict_says_what_follows_and_when() {
    let mut health = HealthJudge::default();
    judge(&mut health, 0, 1, 0);
    let (entering, _) = judge(&mut health, 2, 3, 47);
    assert_eq!(entering.verdict, Verdict::Ok);
    assert_eq!(
        entering.reason(),
        "worse for 1 s: 4.70% of requests fail, -- of clients are stalled; DEGRADED in 1 s"
    );
    let (failing, _) = judge(&mut health, 3, 6, 312);
    assert_eq!((failing.verdict, failing.pending), (Verdict::Failing, None));
    assert_eq!(failing.reason(), "31.2% of requests fail, -- of clients are stalled");
    let (leaving, _) = judge(&mut health, 7, 10, 0);
    assert_eq!(leaving.verdict, Verdict::Failing);
    assert_eq!(leaving.reason(), "better for 3 s: 0% of requests fail, -- of clients are stalled; OK in 2 s");
}

#[test]
fn the_result_of_a_run_is_its_worst_verdict_and_how_long_that_held() {
    let mut health = HealthJudge::default();
    assert_eq!(health.run_health(RunNumbers::default()), RunHealth::default());
    judge(&mut health, 0, 9, 0);
    judge(&mut health, 10, 39, 100);
    judge(&mut health, 40, 99, 0);
    let result = health.run_health(PLAYED);
    assert_eq!((result.worst, result.held.as_secs()), (Verdict::Failing, 30), "from 10 s to 40 s");
    assert_eq!(health.verdict(), Verdict::Ok, "at the end");
}

#[test]
fn a_result_never_contradicts_the_share_of_failures() {
    for (failed, worst) in [(0.0, Verdict::Ok), (0.01, Verdict::Degraded), (0.1, Verdict::Failing)] {
        let mut health = HealthJudge::default();
        judge(&mut health, 0, 1, 0);
        let run = RunNumbers { error_share: Some(failed), has_played: true };
        let result = health.run_health(run);
        assert_eq!((result.worst, result.error_share), (worst, Some(failed)));
    }
}

#[test]
fn nothing_plays_has_no_knee_and_is_no_overload() {
    let mut health = HealthJudge::default();
    let mut judge = |from: u64, to: u64, run, errors| {
        let mut last = Default::default();
        for step in from * 4..=to * 4 {
            let numbers = numbers(Duration::from_millis(step * 250), errors);
            last = health.judge(&HealthNumbers { run, ..numbers });
        }
        last
    };
    let unplayed = RunNumbers::default();
    let (early, _) = judge(0, 1, unplayed, 1_000);
    assert_eq!((early.verdict, early.reason().as_str()), (Verdict::Unknown, "no client has played yet"));
    let (nothing, knees) = judge(2, 30, unplayed, 1_000);
    assert_eq!((nothing.verdict, knees), (Verdict::NothingPlays, Knees::default()));
    let (well, knees) = judge(31, 40, PLAYED, 0);
    assert_eq!((well.verdict, knees), (Verdict::Ok, Knees::default()));
}

#[test]
fn a_short_burst_changes_nothing() {
    let mut health = HealthJudge::default();
    judge(&mut health, 0, 1, 0);
    judge(&mut health, 2, 3, 500);
    let (after, knees) = judge(&mut health, 4, 5, 0);
    assert_eq!((after.verdict, knees), (Verdict::Ok, Knees::default()));
    let (_, knees) = judge(&mut health, 6, 8, 500);
    assert_eq!(knees.errors.map(|knee| knee.at.as_secs()), Some(6), "not of the burst");
    let (_, knees) = judge(&mut health, 20, 30, 500);
    assert_eq!(knees.errors.map(|knee| knee.at.as_secs()), Some(6), "the first one stays");
}

#[test]
fn one_per_cent_is_degraded() {
    let mut health = HealthJudge::default();
    assert_eq!(judge(&mut health, 0, 3, 9).0.verdict, Verdict::Ok);
    assert_eq!(judge(&mut health, 4, 7, 10).0.verdict, Verdict::Degraded);
}

#[test]
fn what_this_machine_lacks_says_nothing_of_the_stream() {
    let judged = |local_faults| {
        let (mut health, mut last) = (HealthJudge::default(), Default::default());
        for second in 0..10 {
            let numbers = numbers(Duration::from_secs(second), 0);
            last = health.judge(&HealthNumbers { local_faults, stalled_share: Some(1.0), ..numbers });
        }
        (last.0.verdict, last.1, health.run_health(PLAYED))
    };
    let (verdict, knees, result) = judged(1);
    assert_eq!((verdict, knees), (Verdict::Ok, Knees::default()));
    assert_eq!((result.worst, result.stalled_share_max), (Verdict::Ok, None));
    let (verdict, knees, result) = judged(0);
    assert_eq!((verdict, knees.stalls.is_some()), (Verdict::Failing, true));
    assert_eq!(result.stalled_share_max, Some(1.0));
}

#[test]
fn nothing_is_well_before_a_request_has_ended() {
    let mut health = HealthJudge::default();
    let at = Duration::from_secs(1);
    for (stalled_share, run) in
        [(Some(0.0), RunNumbers::default()), (Some(0.0), PLAYED), (None, RunNumbers::default())]
    {
        let numbers = HealthNumbers { at, stalled_share, run, ..HealthNumbers::default() };
        let (unknown, _) = health.judge(&numbers);
        assert_eq!((unknown.verdict, unknown.stalled_share), (Verdict::Unknown, stalled_share));
        assert_eq!(unknown.reason(), "nothing has been measured yet");
    }
}

#[test]
fn a_crossed_threshold_makes_a_stream_degraded_and_no_knee() {
    let mut health = HealthJudge::default();
    judge(&mut health, 0, 1, 0);
    let mut last = (Health::default(), Knees::default());
    for step in 8..=40 {
        let calm = numbers(Duration::from_millis(step * 250), 0);
        last = health.judge(&HealthNumbers { thresholds_crossed: 2, ..calm });
    }
    let (held, knees) = last;
    assert_eq!((held.verdict, held.since.as_secs(), knees), (Verdict::Degraded, 2, Knees::default()));
    assert_eq!(held.reason(), "0% of requests fail, -- of clients are stalled, 2 thresholds crossed");
    assert_eq!(judge(&mut health, 11, 16, 0).0.verdict, Verdict::Ok);
}
