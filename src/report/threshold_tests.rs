//! Every quantity of the catalogue over a run that has a value for each: live, and in its report.

use std::cell::Cell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::doc::Doc;
use super::thresholds::value_of;
use super::{fixtures, text};
use crate::pipeline::{Event, Pipeline, Stream};
use crate::sample::{RunSample, Sampler, Sources, TICK};
use crate::stats::{Meter, Metric, Timings};
use crate::verdict::{CheckResult, Criteria, Measure, Quantity, Threshold};
use crate::vocabulary::outcome::Fault;
use crate::vocabulary::{
    ClientState, Clock, Departure, Finding, Kind, Outcome, Playback, RunIdentity, RunState, Timed,
};

thread_local! {
    /// Scripted time.
    static NOW: Cell<Instant> = Cell::new(Instant::now());
}

/// Returns a threshold on a quantity that any value keeps.
fn threshold(quantity: Quantity) -> Threshold {
    let limit = match quantity.measure() {
        Measure::Share => "100%",
        Measure::Time | Measure::Seconds => "8000h",
        Measure::Rate => "1000000/s",
        Measure::BitRate => "1000Gb/s",
        Measure::Bytes => "1000T",
        Measure::Count => "1000000M",
        Measure::Number => "1000000000000",
    };
    let label = quantity.label().map_or(String::new(), |label| format!("{{{label}}}"));
    Threshold::parse(&format!("{}{label}<={limit}", quantity.name())).expect("a threshold")
}

/// Does everything that a client can do; `fault` is one way in which its requests end.
fn act(meter: &Meter, number: u64, fault: Fault) {
    for kind in Kind::ALL {
        for (outcome, timings) in [
            (Outcome::Ok, Some(Timings { first_byte_us: 1_000 + number, body_us: 3_000 })),
            (Outcome::from_status(503, false), None),
            (Outcome::from_status(404, false), None),
            (fault.into(), None),
        ] {
            let mut exchange = meter.start_at(kind, 0);
            exchange.received(100 + number);
            exchange.finish_at(outcome, timings, 5_000 + 77 * number);
        }
    }
    for timed in [Timed::Dns, Timed::Connect, Timed::Tls, Timed::Startup, Timed::LiveLatency] {
        meter.time(timed, 400 + number);
    }
    for metric in [
        Metric::PlaybackStarts,
        Metric::Stalls,
        Metric::StartFailures,
        Metric::ExitsBeforeStart,
        Metric::GaveUp,
        Metric::SegmentsSkipped,
        Metric::EdgeJumps,
        Metric::VariantSwitches,
        Metric::Connections,
        Metric::Reconnections,
        Metric::Redirects,
    ] {
        meter.count(metric, metric as u64 + number);
    }
    meter.count(Metric::PlayMicros, 4_000_000);
    meter.count(Metric::StallMicros, 123_456);
    meter.count(Metric::StartupMicros, 300_000);
    meter.count(Metric::PlayedBytes, 1_500_000);
    Finding::ALL.into_iter().for_each(|finding| meter.find(finding, || "a detail".to_owned()));
    meter.publish(&Playback {
        state: ClientState::Stalled,
        joined_us: 0,
        offset_us: 0,
        dry_at_us: 0,
        max_drift_us: 70_000 + number,
        bandwidth: 3_000_000,
        live_offset_us: None,
    });
}

/// Runs three seconds that are judged by these thresholds, and returns the last sample.
async fn run(thresholds: Vec<Threshold>, fault: Fault) -> (Arc<RunSample>, Clock) {
    let clock = Clock::start_with(|| NOW.get());
    let criteria = Arc::new(Criteria { thresholds, abort_grace: None, ..Criteria::default() });
    let sources = Sources { clock, criteria, ..Sources::new(1) };
    _ = tokio::time::timeout(Duration::from_secs(1), sources.workers[0].probe()).await;
    let (pipeline, taps) = Pipeline::start(1, clock, None, RunIdentity::default()).expect("a thread");
    let client = sources.registry.add();
    let meter = client.meter(0, clock);
    let mut sampler = Sampler::new(sources.clone()).watch(&pipeline);
    for number in 0..12 {
        act(&meter, number, fault);
        _ = taps.controller.offer(Stream::Events, || Event::mark(0, "a mark"));
        NOW.set(NOW.get() + TICK);
        sampler.next_sample();
    }
    meter.end_session(Departure::Removed);
    sources.status.set_state(RunState::Finished);
    (sampler.next_whole_sample(), clock)
}

#[tokio::test(start_paused = true)]
async fn every_quantity_has_a_value_and_it_is_the_number_of_the_report() {
    let (sample, clock) = run(Quantity::all().into_iter().map(threshold).collect(), Fault::LocalFiles).await;
    let doc = Doc::new(&fixtures::report(&sample, "a run", clock)).expect("a document");
    for judged in sample.thresholds.iter() {
        let value = judged.standing.value;
        assert!(value.is_some(), "{} has no value", judged.threshold);
        assert_eq!(value_of(doc.root(), judged.threshold.quantity), value, "{}", judged.threshold);
        assert_eq!(judged.result(), CheckResult::Pass, "{}", judged.threshold);
    }
    assert_eq!(doc.at("/thresholds").list().len(), Quantity::all().len());
}

#[tokio::test(start_paused = true)]
async fn every_format_gives_the_same_result_of_a_threshold() {
    let texts = ["error_rate<1%", "segment_ttfb_p95<=500ms", "http_errors{503}==0 over 1m"];
    let parsed = texts.map(|text| Threshold::parse(text).expect(text)).to_vec();
    let (sample, clock) = run(parsed, Fault::Cut).await;
    let doc = Doc::new(&fixtures::report(&sample, "a run", clock)).expect("a document");
    let ok: Vec<_> = doc.at("/thresholds").list().map(|row| row.at("/ok").value().as_bool()).collect();
    assert_eq!(ok, [Some(false), Some(true), None]);
    let text = text(&doc);
    for line in [
        "FAIL    error_rate<1%: 66.7%",
        "PASS    segment_ttfb_p95<=500ms: 1.01 ms",
        "??      http_errors{503}==0 over 1m: --",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    let junit = super::junit::page(&doc);
    for line in [
        "name=\"error_rate&lt;1%\"><failure message=\"66.7%, expected &lt; 1.00%\"/>",
        "name=\"segment_ttfb_p95&lt;=500ms\"/>",
        "name=\"http_errors{503}==0 over 1m\"><failure message=\"inconclusive, expected == 0\"/>",
    ] {
        assert!(junit.contains(line), "{line}: {junit}");
    }
    let html = super::html::page(&doc).expect("a page");
    assert!(html.contains("error_rate&lt;1%") && html.contains("inconclusive"));
    let card = super::card::page(&doc);
    assert!(card.contains(">1 of 3 thresholds kept<"), "{card}");
}

#[tokio::test(start_paused = true)]
async fn a_run_that_this_machine_limited_keeps_no_threshold() {
    let text = "error_rate<=100%";
    let (sample, clock) = run(vec![Threshold::parse(text).expect(text)], Fault::LocalFiles).await;
    let report = fixtures::report(&sample, "a run", clock);
    let check = report.checks.iter().find(|check| check.name == text).expect("a check");
    assert_eq!((check.result, report.thresholds[0].ok), (CheckResult::Inconclusive, None));
    assert!(check.value.is_some() && check.fails(), "{check:?}");
}
