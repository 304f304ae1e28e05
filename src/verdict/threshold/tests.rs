//! Thresholds as texts, and their state from moment to moment.

use std::time::Duration;

use proptest::prelude::*;

use super::catalogue::names;
use super::*;
use crate::verdict::check::CheckResult;
use crate::verdict::{Trust, TrustVerdict};

fn threshold(text: &str) -> Threshold {
    Threshold::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn a_threshold_is_read_with_its_unit_its_window_and_its_beginning() {
    let seconds = Duration::from_secs;
    for (text, limit, over, after) in [
        ("segment_ttfb_p95<500ms", Limit::Below(500_000.0), None, After::Start),
        ("rebuffer_ratio <= 1%", Limit::AtMost(0.01), None, After::Start),
        ("http_errors{503} == 0", Limit::Equal(0.0), None, After::Start),
        ("throughput>=1 Gb/s after ramp", Limit::AtLeast(1e9), None, After::Ramp),
        ("average_speed>0.98", Limit::Above(0.98), None, After::Start),
        ("outcomes{timeout.connect}!=3", Limit::Unequal(3.0), None, After::Start),
        ("error_rate<5% over 30s after ramp", Limit::Below(0.05), Some(seconds(30)), After::Ramp),
        (
            "bytes>20GiB after 1m over 5m",
            Limit::Above(21_474_836_480.0),
            Some(seconds(300)),
            After::Time(seconds(60)),
        ),
        ("drift_max_s<2s", Limit::Below(2.0), None, After::Start),
        ("requests_per_second>3000/m", Limit::Above(50.0), None, After::Start),
        ("findings{playlist_stale}==0", Limit::Equal(0.0), None, After::Start),
    ] {
        let read = threshold(text);
        assert_eq!((read.limit, read.over, read.after), (limit, over, after), "{text}");
    }
    assert_eq!(threshold("error_rate <  1%   over  30s").to_string(), "error_rate<1% over 30s");
}

#[test]
fn a_mistake_is_one_line_with_what_was_given_and_what_is_accepted() {
    let long = format!("error_rate<1% {}", "x".repeat(300));
    for (text, said) in [
        ("", "expected QUANTITY<VALUE"),
        ("error_rate", "expected QUANTITY<VALUE"),
        ("error_rate=1%", "expected one of < <= > >= == !="),
        ("error_rte<1%", "unknown quantity 'error_rte'; did you mean 'error_rate'?"),
        ("segmnt_ttfb_p95<1s", "did you mean 'segment_ttfb_p95'?"),
        ("nonsense<1", "unknown quantity 'nonsense'; see"),
        ("error_rate<fast", "error_rate 'fast': expected a share from 0% to 100%"),
        ("error_rate<", "error_rate without a value: expected a share"),
        ("error_rate<101%", "expected a share from 0% to 100%"),
        ("segment_ttfb_p95<500", "expected a time with its unit, such as 500ms or 2s"),
        ("stalls<2.5", "expected a whole number"),
        ("error_rate{x}<1%", "error_rate takes no label"),
        ("http_errors{200}==0", "http_errors '200': expected a status from 400 to 599, or other"),
        ("http_errors{503==0", "expected a label in braces"),
        ("outcomes==0", "unknown outcome without a value"),
        ("outcomes{timeout.conect}==0", "did you mean 'timeout.connect'?"),
        ("findings{playlist_stal}==0", "did you mean 'playlist_stale'?"),
        ("error_rate<1% over 1h", "over '1h': expected a time from 1s to 5m"),
        ("error_rate<1% over", "over without a value: expected a time"),
        ("error_rate<1% after lunch", "after 'lunch': expected 'ramp' or a time"),
        (
            "error_rate<1% after ramp after 5s",
            "unexpected 'after': expected 'over TIME' or 'after TIME' once",
        ),
        ("clients_peak>5 over 30s", "clients_peak exists only for the whole run"),
        ("error_rate<1%\u{1b}[2J\n", "error_rate of a form that is not shown: expected a share"),
        (&long, "expected at most 200 characters"),
    ] {
        let error = Threshold::parse(text).expect_err(text);
        assert!(error.contains(said), "{text}: {error}");
        assert!(!error.chars().any(char::is_control), "{error:?}");
    }
}

/// Returns any text that could be a threshold.
fn texts() -> impl Strategy<Value = String> {
    let quantity = proptest::sample::select(Quantity::all());
    let sign = proptest::sample::select(vec!["<", "<=", ">", ">=", "==", "!="]);
    let number = 1_u64..100;
    let over = proptest::option::of(1_000_u64..300_000);
    let after = proptest::option::of(proptest::option::of(1_u64..600_000));
    (quantity, sign, number, over, after).prop_map(|(quantity, sign, number, over, after)| {
        let unit = match quantity.measure() {
            Measure::Share => "%",
            Measure::Time | Measure::Seconds => "ms",
            Measure::Rate => "/s",
            Measure::BitRate => "Mb/s",
            Measure::Bytes => "MB",
            Measure::Count | Measure::Number => "",
        };
        let label = quantity.label().map_or(String::new(), |label| format!("{{{label}}}"));
        let mut text = format!("{}{label} {sign} {number}{unit}", quantity.name());
        if quantity.extent() == Extent::Any {
            text += &over.map_or(String::new(), |ms| format!(" over {ms}ms"));
            text += &after.map_or(String::new(), |time| {
                time.map_or(" after ramp".to_owned(), |ms| format!(" after {ms}ms"))
            });
        }
        text
    })
}

proptest! {
    #[test]
    fn a_threshold_is_read_as_it_is_shown(text in texts()) {
        let read = Threshold::parse(&text);
        prop_assert!(read.is_ok(), "{text}: {read:?}");
        let shown = read.clone().map(|read| read.to_string()).unwrap_or_default();
        prop_assert_eq!(Threshold::parse(&shown), read);
    }

    #[test]
    fn no_text_makes_more_than_one_line_of_error(text in "(?s:.){0,60}|(error_rate|[a-z_]{0,12})[<>=!{}]{0,3}[ 0-9a-z%{}\n\x1b]{0,30}") {
        if let Err(error) = Threshold::parse(&text) {
            prop_assert!(!error.contains(['\n', '\u{1b}']), "{error:?}");
        }
    }
}

#[test]
fn every_name_is_found_and_none_twice() {
    let mut all: Vec<String> = names().collect();
    for quantity in Quantity::all() {
        assert!(all.contains(&quantity.name()), "{}", quantity.name());
    }
    let count = all.len();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), count);
}

const VALID: TrustVerdict = TrustVerdict::Valid;

/// Judges values a second apart, from second 1 on.
fn judged(text: &str, grace: Option<u64>, values: &[Option<f64>]) -> JudgedThreshold {
    let mut watch = ThresholdWatch::new(threshold(text), grace.map(Duration::from_secs));
    for (second, value) in values.iter().enumerate() {
        let at = Duration::from_secs(second as u64 + 1);
        watch.judge(at, *value);
        watch.end_run_if_due(at);
    }
    watch.judged().clone()
}

#[test]
fn without_a_window_the_last_value_decides_and_with_one_the_worst() {
    let values = [0.0, 0.2, 0.5, 0.001].map(Some);
    let whole = judged("error_rate<1%", None, &values);
    assert_eq!((whole.result(), whole.value()), (CheckResult::Pass, Some(0.001)));
    assert_eq!(whole.standing.crossed_since, None);
    assert_eq!(whole.standing.crossed_at, Some(Duration::from_secs(2)));
    let windows = judged("error_rate<1% over 30s", None, &values);
    assert_eq!((windows.result(), windows.value()), (CheckResult::Fail, Some(0.5)));
    let least = judged("average_speed>=0.9 over 30s", None, &[0.95, 0.91, 0.99].map(Some));
    assert_eq!((least.result(), least.value()), (CheckResult::Pass, Some(0.91)));
}

#[test]
fn a_count_that_has_yet_to_grow_is_not_crossed_now() {
    let is_crossed = |text: &str, value| judged(text, None, &[Some(0.0), Some(value)]).is_crossed();
    assert!(is_crossed("error_rate<1%", 0.5) && !is_crossed("error_rate<1%", 0.001));
    assert!(is_crossed("average_speed>0.9", 0.5) && is_crossed("stalls==0", 3.0));
    assert!(!is_crossed("requests>=1000", 400.0) && !is_crossed("http_errors{404}==5", 4.0));
    assert!(is_crossed("http_errors{404}==5", 6.0));
}

#[test]
fn a_threshold_ends_the_run_once_it_was_crossed_for_the_whole_grace() {
    let bad = [Some(0.5); 12];
    let aborted = |values: &[Option<f64>]| judged("error_rate<1%", Some(10), values).standing.aborted_at;
    assert_eq!(aborted(&bad[..10]), None, "crossed for nine seconds");
    assert_eq!(aborted(&bad[..11]), Some(Duration::from_secs(11)));
    for interruption in [Some(0.0), None] {
        let interrupted = [&bad[..9], &[interruption], &bad[..9]].concat();
        assert_eq!(aborted(&interrupted), None, "{interruption:?}");
    }
    // What the clients meet while they leave changes nothing.
    let ended = judged("error_rate<1%", Some(0), &[Some(0.5), Some(0.0)]);
    assert_eq!((ended.result(), ended.value()), (CheckResult::Fail, Some(0.5)));
}

#[test]
fn what_was_not_measured_or_cannot_be_believed_is_inconclusive_and_no_pass() {
    let check = |judged: JudgedThreshold, verdict, has_ended, allowed| {
        let trust = Trust { verdict, ..Trust::default() };
        let check = threshold_checks(&[judged], &trust, has_ended, allowed).remove(0);
        (check.result, check.fails(), check.sentence)
    };
    let good = || judged("error_rate<1%", None, &[Some(0.0)]);
    let none = |text: &str| judged(text, None, &[None]);
    assert_eq!(check(good(), VALID, true, false).0, CheckResult::Pass);
    assert_eq!(check(none("error_rate<1%"), VALID, false, false).0, CheckResult::Unknown);
    for (text, why) in [
        ("error_rate<1%", "inconclusive: nothing was measured"),
        ("error_rate<1% after ramp", "nothing was measured after the ramp"),
        ("error_rate<1% over 30s", "no window of 30.0 s with a value was filled"),
    ] {
        let (result, fails, sentence) = check(none(text), VALID, true, false);
        assert!(result == CheckResult::Inconclusive && fails && sentence.contains(why), "{sentence}");
    }
    let (result, fails, sentence) = check(good(), TrustVerdict::Invalid, true, false);
    assert!(result == CheckResult::Inconclusive && fails, "{result:?}");
    assert!(sentence.ends_with("this machine limited the result"), "{sentence}");
    assert_eq!(check(good(), TrustVerdict::Invalid, true, true).0, CheckResult::Pass);
}

#[test]
fn the_sentence_of_a_failure_has_value_limit_and_time() {
    let bad = judged("segment_ttfb_p95<500ms over 30s", None, &[Some(1_234_000.0)]);
    let check = threshold_checks(&[bad], &Trust::default(), true, false).remove(0);
    let sentence = "threshold segment_ttfb_p95<500ms over 30s crossed: at worst 1,234 ms, first at 00:00:01";
    assert_eq!((check.sentence.as_str(), &*check.name), (sentence, "segment_ttfb_p95<500ms over 30s"));
}
