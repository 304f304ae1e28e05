//! A run with expected statuses (`--expect`): every count has them, no share does, and every format says so.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::merge::NotMergeable;
use super::{Doc, answer, compare, fixtures, html, markdown, merge, text};
use crate::sample::{RunSample, Sampler, Sources};
use crate::stats::Metric;
use crate::verdict::{Criteria, Threshold, Verdict};
use crate::vocabulary::{Clock, ExpectedStatuses, Kind, Outcome, RunState};

/// Plays three seconds in which of eight requests each one fails and six have status 404 or 410, with these statuses
/// expected. Returns the last sample.
fn played(expected: &[&str]) -> Arc<RunSample> {
    let criteria = Criteria {
        thresholds: ["error_rate<=50%", "http_errors{404}==12"]
            .map(|text| Threshold::parse(text).expect(text))
            .to_vec(),
        expected: ExpectedStatuses::from_names(expected.iter().copied()),
        ..Criteria::default()
    };
    let sources = Sources { criteria: Arc::new(criteria), ..Sources::new(1) };
    let client = sources.registry.add();
    let meter = client.meter(0, Clock::start());
    meter.count(Metric::PlaybackStarts, 1);
    let mut sampler = Sampler::new(sources.clone());
    for second in 1..=3 {
        for (status, times) in [(200, 1), (404, 4), (410, 2), (503, 1)] {
            for _ in 0..times {
                meter.start(Kind::Segment).finish(Outcome::from_status(status, false), None);
            }
        }
        for quarter in 0..4 {
            sampler.set_moment(Duration::from_millis(1_000 * second + 250 * quarter));
            sampler.next_sample();
        }
    }
    sources.status.set_state(RunState::Finished);
    sampler.next_whole_sample()
}

fn doc(expected: &[&str]) -> Doc {
    Doc::new(&fixtures::report(&played(expected), "a run", Clock::start())).expect("a document")
}

fn numbers(doc: &Doc) -> [Value; 5] {
    ["finished", "failed", "judged", "expected", "failed_share"]
        .map(|name| doc.at("/requests").member(name).value().clone())
}

#[test]
fn shares_leave_expected_responses_out_and_counts_do_not() {
    let (plain, sample) = (played(&[]), played(&["404", "410"]));
    let totals = |sample: &RunSample| sample.snapshot.totals.outcomes().collect::<Vec<_>>();
    assert_eq!(totals(&sample), totals(&plain));
    let history = sample.distributions.as_ref().expect("a whole sample").history.bins().iter();
    assert_eq!(history.map(|bin| bin.failed()).sum::<u64>(), 3);
    let share = |sample: &RunSample| {
        let recent = sample.recent.and_then(|rates| rates.error_share());
        [sample.snapshot.totals.error_share(), sample.run_health.error_share, recent]
    };
    assert_eq!((share(&plain), share(&sample)), ([Some(7.0 / 8.0); 3], [Some(0.5); 3]));
    // The brake of a storm counts what a server turned away, whatever is expected.
    let asked = |sample: &RunSample| sample.recent.map(|rates| (rates.asked, rates.busy));
    assert_eq!(asked(&sample), asked(&plain));
    let failures: Vec<_> = sample.failures.iter().map(|line| line.outcome.to_string()).collect();
    assert_eq!(failures, ["http.503"]);
    let values: Vec<_> = sample.thresholds.iter().map(|judged| judged.value()).collect();
    assert_eq!(values, [Some(0.5), Some(12.0)]);
    let all = played(&["4xx", "503"]);
    assert_eq!((share(&all), all.run_health.worst), ([Some(0.0); 3], Verdict::Ok));
}

#[test]
fn every_format_says_how_many_responses_were_expected() {
    let doc = doc(&["410", "404"]);
    assert_eq!(numbers(&doc), [json!(24), json!(3), json!(6), json!(18), json!(0.5)]);
    assert_eq!(*doc.at("/requests/expected_statuses").value(), json!(["404", "410"]));
    assert_eq!((doc.at("/http_errors/404").count(), doc.at("/outcomes/http.410").count()), (12, 6));
    let success = doc.at("/checks").list().find(|check| check.at("/name").text() == "success_share");
    assert_eq!(success.expect("a check").at("/value").number(), Some(0.5));
    let said = "18 expected responses (404: 12, 410: 6) not counted";
    let (text, page) = (text(&doc), markdown::page(&doc));
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains(&format!("errors 3 of 6 requests (50.0%), {said}")), "{text}");
    assert!(!text.contains("http.404"), "{text}");
    assert!(page.contains("18 expected responses"), "{page}");
    assert!(html::page(&doc).expect("a page").contains(&format!("3 of 6 requests, {said}")));
    assert_eq!(answer::subtitle(&doc)[0], format!("50.0% of requests failed, mostly 503 ({said})"));
    assert_eq!(answer::subtitle(&self::doc(&["403"]))[0], "87.5% of requests failed, mostly 404");
}

#[test]
fn what_one_machine_expected_is_a_failure_on_none_of_several() {
    let (some, none) = (doc(&["404"]), fixtures::with(&doc(&[]), "/run/run_id", json!("another run")));
    let merged = merge([some.clone(), none.clone()].map(Ok::<_, NotMergeable>)).expect("merged");
    assert_eq!(numbers(&merged), [json!(48), json!(18), json!(24), json!(24), json!(0.75)]);
    assert_eq!(merged.at("/health/error_share").number(), Some(0.75));
    assert_eq!(*merged.at("/requests/expected_statuses").value(), json!(["404"]));
    let threshold = merged.at("/thresholds").list().find(|row| row.at("/expr").text() == "error_rate<=50%");
    let threshold = threshold.expect("a threshold");
    assert_eq!((threshold.at("/value").number(), threshold.at("/ok").is_true()), (Some(0.75), false));
    let same = compare(&some, &none);
    let failed = same.rows.iter().find(|row| row.name == "requests failed").expect("a row");
    assert_eq!((failed.a.as_str(), failed.b.as_str()), ("75.0%", "75.0%"));
}
