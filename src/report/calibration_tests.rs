//! Tests of the calibration in the report of a run.

use std::sync::Arc;

use super::{Calibrated, Doc, Facts, Report, RunOptions, build, text};
use crate::capacity::calibration_for_tests;
use crate::sample::{RunSample, Sampler, Sources};
use crate::vocabulary::{Kind, RunIdentity, Timed};

/// Returns the report of a run on `target` whose segments took these times, in microseconds.
fn report(target: &str, calibrated: Calibrated, times: &[u64]) -> Report {
    let sources = Sources::new(1);
    let client = sources.registry.add();
    let meter = client.meter(0, sources.clock);
    times.iter().for_each(|us| meter.time(Timed::FirstByte(Kind::Segment), *us));
    let sample = Sampler::new(sources).next_whole_sample();
    let mut sample = RunSample::clone(&sample);
    (sample.peak_requests_per_second, sample.peak_bits_per_second) = (Some(10_000.0), Some(0.0));
    let facts = Facts {
        identity: RunIdentity { target: target.to_owned(), ..RunIdentity::default() },
        options: RunOptions::default(),
        lost_workers: 0,
        end: None,
        allow_untrusted: false,
        calibration: calibrated,
        search: None,
        origin: None,
    };
    build(facts, &sample)
}

fn rendered(report: &Report) -> String {
    text(&Doc::new(report).expect("a document"))
}

#[test]
fn the_report_gives_the_used_share_and_marks_latencies_at_the_floor() {
    let calibration = Ok(Arc::new(calibration_for_tests()));
    let fast = report("http://h/a.m3u8", calibration.clone(), &[500]);
    let page = rendered(&fast);
    let expected = "used 25.0% of calibrated capacity (loopback, 2026-01-01); <: at floor";
    assert!(page.contains(expected), "{page}");
    let line = page.lines().find(|line| line.contains("segment ttfb")).expect("timed");
    assert_eq!(line.matches('<').count(), 2, "{line}");
    let json = serde_json::to_value(&fast).expect("JSON");
    assert_eq!(json["trust"]["calibration"]["capacity_share"], 0.25);
    assert_eq!(json["trust"]["calibration"]["secure"], false);
    let at_floor = serde_json::json!({ "p50": true, "p99": true });
    assert_eq!(json["latency_us"]["segment_ttfb"]["at_floor"], at_floor);

    let slow = rendered(&report("https://h/a.m3u8", calibration, &[90_000]));
    assert!(slow.contains("used 25.0% of calibrated capacity (loopback, 2026-01-01)\n"), "{slow}");
    assert!(!slow.contains('<'), "{slow}");
}

#[test]
fn without_a_calibration_nothing_is_claimed_and_the_reason_is_given() {
    let none = report("http://h/a.m3u8", Err("nothing was measured yet".into()), &[500]);
    let page = rendered(&none);
    assert!(page.contains("not calibrated: nothing was measured yet; see 'hlswarm selftest'"), "{page}");
    assert!(!page.contains('<'), "{page}");
    let json = serde_json::to_value(&none).expect("JSON");
    assert!(json["trust"]["calibration"].is_null());
    assert!(json["latency_us"]["segment_ttfb"]["at_floor"].is_null());
}
