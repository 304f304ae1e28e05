//! Golden tests of the report of a run that has ended: its first page, its text, and the cursor in its charts.

use std::sync::Arc;

use serde_json::{Value, json};

use super::app::{Access, App, Msg};
use super::fixtures;
use super::golden_tests::{album_of, assert_picture, coloured, draw, symbol, text};
use super::input::{Input, Key};
use super::theme::{Charset, Palette, Theme};
use crate::report::Doc;
use crate::sample::RunSample;
use crate::verdict::{RunHealth, Verdict};
use crate::vocabulary::RunState;

/// Returns the console after the end of a run with this last sample.
fn ended(sample: &RunSample) -> App {
    let run_health = match sample.run_health.worst {
        Verdict::Unknown => RunHealth { worst: sample.health.verdict, ..sample.run_health },
        _ => sample.run_health,
    };
    let sample = RunSample { state: RunState::Finished, run_health, ..sample.clone() };
    let report = filled(&fixtures::doc_of(&sample), &sample);
    let mut app = App::new(fixtures::title(), Access::Full);
    app.update(Msg::Screen((80, 24).into()));
    press(&mut app, &[Key::Char('q')]);
    app.update(Msg::Sample(Arc::new(sample)));
    app.update(Msg::Report(Arc::new(report)));
    app
}

/// Adds what the sampler reads from histograms, which fixtures do not have, to the document of a run that has played.
fn filled(doc: &Doc, sample: &RunSample) -> Doc {
    let mut value = doc.root().value().clone();
    let seconds = sample.at.as_secs();
    if sample.health.verdict >= Verdict::NothingPlays || seconds == 0 {
        return doc.clone();
    }
    value["run"]["clients_started"] = sample.admitted.into();
    value["run"]["run_id"] = "992bcd65982f2da1".into();
    value["run"]["command"] =
        "hlswarm https://origin.example.com/live/master.m3u8 -c 1000 --ramp-rate 5".into();
    let times = |ms: u64, count: u64| {
        let [p50, p95, p99, p999, max] = [1, 3, 9, 20, 25].map(|times| 1_000 * ms * times);
        json!({ "count": count, "p50": p50, "p95": p95, "p99": p99, "p999": p999, "max": max })
    };
    value["latency_us"] = json!({
        "dns": times(1, 40), "connect": times(2, 648), "tls": times(11, 648), "playlist_ttfb": times(5, 181_000),
        "playlist": times(6, 181_840), "segment_ttfb": times(71, 186_237), "segment_body": times(330, 186_237),
        "segment": times(402, 186_237), "segment_failed": times(380, 42_066),
    });
    let spread = |unit: f64, p50: f64, p95: f64| {
        let buckets: Vec<[u64; 2]> = (10_u64..60).map(|end| [end, 400 / (1 + end.abs_diff(22))]).collect();
        json!({ "p50": p50, "p95": p95, "buckets": buckets, "unit": unit })
    };
    value["playback"]["started"] = sample.admitted.into();
    value["playback"]["startup_ms"] = spread(20.0, 240.0, 2_100.0);
    value["playback"]["live_latency_ms"] = spread(400.0, 9_100.0, 24_000.0);
    value["playback"]["rebuffer_ratio"] = 0.041.into();
    value["playback"]["stalls_per_hour"] = 38.2.into();
    value["playback"]["bits_per_second"] = 3_910_000.into();
    value["playback"]["sessions"] = json!({
        "rebuffer_ratio": spread(0.005, 0.0, 0.0), "stalls_per_hour": spread(2.0, 0.0, 0.0),
    });
    value["audience"]["source_addresses"] = json!(["203.0.113.9"]);
    value["audience"]["edges"] = json!({
        "203.0.113.10:443": { "requests": 206_084, "bytes": 812_000_000_000_u64, "hit_share": 0.97 },
        "203.0.113.11:443": { "requests": 105_120, "bytes": 402_000_000_000_u64, "hit_share": 0.12 },
    });
    let failures = |from: u64| (0..seconds).map(|second| second.saturating_sub(from)).collect::<Vec<_>>();
    value["history"]["begins_unix_s"] = value["run"]["started_unix_ms"].as_u64().map(|ms| ms / 1_000).into();
    value["history"]["verdict"] = vec!["OK"; seconds as usize].into();
    // Without it, every bin has a reading.
    value["series"]["readings"] = Value::Null;
    value["history"]["outcomes"] = json!({ "http.503": failures(84), "http.504": failures(120) });
    Doc::parse(value.to_string().as_bytes()).expect("a document")
}

fn press(app: &mut App, keys: &[Key]) {
    for key in keys {
        app.update(Msg::Input(Input::Key(*key)));
    }
}

#[test]
fn the_report_of_every_end_looks_as_it_did() {
    for (name, stage) in [
        ("report", "storm"),
        ("report_stalls", "stalls"),
        ("report_nothing_plays", "nothing_plays"),
        ("report_one_client", "one_client"),
        ("report_empty", "empty"),
    ] {
        assert_picture(name, &album_of(&mut ended(&fixtures::sample(stage))));
    }
}

#[test]
fn the_report_of_a_run_that_was_cut_short_gives_its_reasons() {
    let sample = fixtures::sample("stalls");
    let mut value = filled(&fixtures::doc_of(&sample), &sample).root().value().clone();
    value["exit"] = json!({ "code": 3, "reasons": ["stopped by the operator", "12.5% of clients stalled"] });
    let mut app = ended(&sample);
    app.update(Msg::Report(Arc::new(Doc::parse(value.to_string().as_bytes()).expect("a document"))));
    assert_picture("report_cut_short", &album_of(&mut app));
}

#[test]
fn the_cursor_and_the_text_look_as_they_did() {
    let mut app = ended(&fixtures::sample("storm"));
    press(&mut app, &[Key::ShiftLeft, Key::ShiftLeft]);
    assert_picture("report_looking_back", &album_of(&mut app));
    press(&mut app, &[Key::Escape, Key::PageDown]);
    // Other tests cover the text of a report; this one covers its place on the screen.
    let text = (1..=90).map(|line| format!(" line {line} of the report"));
    app.report.as_mut().expect("a report").text = text.collect();
    assert_picture("report_text", &album_of(&mut app));
}

#[test]
fn the_report_in_the_themes_looks_as_it_did() {
    let mut app = ended(&fixtures::sample("storm"));
    let drawn = [
        ((200, 60), Palette::Dark),
        ((160, 48), Palette::Light),
        ((80, 24), Palette::Dark),
        ((80, 24), Palette::Mono),
    ]
    .map(|(size, palette)| {
        let buffer = draw(&mut app, size, Theme { palette, charset: Charset::Unicode });
        format!("== {size:?} {palette:?}\n{}\n{}", text(&buffer, symbol), coloured(&buffer))
    });
    assert_picture("report_themes", &drawn.concat());
}
