//! Tests of the first lines: what is beyond a limit is on the screen at every width, and no sentence contradicts its
//! number.

use std::sync::Arc;
use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::app::{Access, App, Msg};
use super::fixtures;
use super::model::{Model, Text, Weight};
use super::render::picture;
use super::theme::Theme;
use crate::sample::{FailureLine, RunSample};
use crate::verdict::{Health, Pending, RunHealth, Verdict};
use crate::vocabulary::outcome::{Fault, HttpFailure};
use crate::vocabulary::{Outcome, RunState};

fn app(sample: RunSample) -> App {
    let mut app = App::new(fixtures::title(), Access::Full);
    app.update(Msg::Sample(Arc::new(sample)));
    app
}

fn screen(app: &mut App, width: u16, height: u16) -> Vec<String> {
    let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
    picture(app, Theme::default(), &mut buffer);
    let lines = buffer.content.chunks(usize::from(width));
    lines.map(|line| line.iter().map(|cell| cell.symbol()).collect()).collect()
}

/// Returns the second line of a wide screen, without the spaces at its ends.
fn verdict(sample: RunSample) -> String {
    screen(&mut app(sample), 200, 60)[1].trim().to_owned()
}

#[test]
fn what_is_out_of_bounds_stands_on_every_screen() {
    // Thousands of clients change no line at the top and take long to arrange.
    for stage in fixtures::FIXTURES.into_iter().filter(|stage| !stage.contains("thousand")) {
        for width in 40..=200 {
            let mut app = app((*fixtures::sample(stage)).clone());
            let lines = screen(&mut app, width, 24);
            let model = Model::new(&app);
            let (top, tiny) = (&model.top, &model.tiny);
            let texts: Vec<&Text> = if width < 80 {
                tiny.lines.iter().flat_map(|line| &line.texts).chain(&tiny.run).chain(&tiny.since).collect()
            } else {
                [&top.run, &top.reason, &top.knee, &top.measurement].into_iter().flatten().collect()
            };
            for text in texts.iter().filter(|text| text.weight == Weight::OutOfBounds) {
                let is_shown = |words: &str| lines.iter().any(|line| line.contains(words));
                let short = text.short.as_deref().is_some_and(is_shown);
                assert!(short || is_shown(&text.text), "{stage} {width}: {text:?} of {lines:#?}");
            }
        }
    }
}

fn health(verdict: Verdict, error_share: f64, stalled_share: f64) -> RunSample {
    let storm = fixtures::sample("storm");
    let health = Health {
        verdict,
        since: Duration::from_secs(90),
        error_share: Some(error_share),
        stalled_share: Some(stalled_share),
        ..Health::default()
    };
    RunSample { health, trust: Arc::default(), got_share: None, ..(*storm).clone() }
}

#[test]
fn the_verdict_says_its_clock_and_what_follows() {
    let in_it = verdict(health(Verdict::Failing, 0.312, 0.294));
    assert_eq!(
        in_it,
        "✗ FAILING  1 m 11 s  31.2% of requests fail, 503 Service Unavailable  ·  29.4% of clients stalled"
    );
    let pending = |verdict, lasted, left| {
        let seconds = |seconds| Duration::from_secs(seconds);
        Some(Pending { verdict, lasted: seconds(lasted), left: seconds(left) })
    };
    let mut entering = health(Verdict::Ok, 0.047, 0.0);
    entering.health.pending = pending(Verdict::Degraded, 1, 1);
    let entering = verdict(entering);
    assert_eq!(entering, "● OK  1 m 11 s  worse for 1 s: 4.70% of requests fail; DEGRADED in 1 s");
    let mut leaving = health(Verdict::Failing, 0.0, 0.0);
    leaving.health.pending = pending(Verdict::Ok, 3, 2);
    assert_eq!(
        verdict(leaving),
        "✗ FAILING  1 m 11 s  better for 3 s: 0% of requests fail, 0% of clients stalled; OK in 2 s"
    );
    let needing = RunSample { got_share: Some(0.39), ..health(Verdict::Failing, 0.312, 0.294) };
    assert!(verdict(needing).ends_with("  ·  the origin gives 39.0% of what they need"));
    let buffered = RunSample { got_share: Some(0.39), ..health(Verdict::Ok, 0.0, 0.0) };
    assert!(!verdict(buffered).contains("need"), "buffers even it out");
}

#[test]
fn a_run_that_ends_has_its_worst_verdict_and_not_its_last_seconds() {
    let run_health = RunHealth {
        worst: Verdict::Failing,
        held: Duration::from_secs(73),
        degraded: Duration::from_secs(80),
        error_share: Some(0.105),
        stalled_share_max: Some(0.34),
        stalled_clients_max: Some(34),
    };
    let ended = RunSample { state: RunState::Finished, run_health, ..health(Verdict::Ok, 0.0, 0.0) };
    assert!(
        verdict(ended).starts_with("✗ FAILED  1 m 13 s of 2 m 41 s  10.5% of requests failed, mostly 503"),
    );
}

#[test]
fn where_nothing_plays_the_one_answer_is_named_and_no_chart_is_drawn() {
    let missing = Outcome::Http(HttpFailure::new(404));
    let nothing = |ended: &[(Outcome, u64)]| {
        let mut sample = health(Verdict::NothingPlays, 1.0, 0.0);
        sample.snapshot.totals = fixtures::totals(ended);
        sample.failures = fixtures::failures(&sample.snapshot.totals);
        sample.knees = Default::default();
        sample
    };
    let lines = screen(&mut app(nothing(&[(missing, 91)])), 120, 30);
    assert_eq!(lines[1].trim(), "✗ NOTHING PLAYS  every request ends with 404 Not Found: is the URL right?");
    assert!(lines[2].contains("unknown until a client has played"), "{}", lines[2]);
    let page = lines.join("\n");
    assert!(page.contains("─ Nothing plays ─") && page.contains("404 Not Found"), "{page}");
    assert!(!page.contains("Throughput"), "{page}");
    let most = verdict(nothing(&[(missing, 9), (Fault::ConnReset.into(), 3)]));
    assert!(most.contains("most requests end with 404 Not Found"), "{most}");
    // Playlists load and every segment is missing: the URL was right.
    let segments = verdict(nothing(&[(Outcome::Ok, 60), (missing, 40)]));
    assert!(segments.ends_with("no client plays; 40 requests ended with 404 Not Found"), "{segments}");
}

#[test]
fn what_hlswarm_cut_is_no_reason_and_no_trouble_is_said_only_where_there_is_none() {
    let mut sample = health(Verdict::Ok, 0.0, 0.0);
    let one = fixtures::sample("storm").failures[0];
    sample.failures = vec![FailureLine { outcome: Fault::Cut.into(), per_second: 20.0, ..one }];
    assert!(verdict(sample.clone()).contains("0% of requests fail  ·"), "{}", verdict(sample));
    let knee = |verdict, error_share, stalled_share| {
        let mut sample = health(verdict, error_share, stalled_share);
        sample.knees = Default::default();
        screen(&mut app(sample), 200, 60)[2].trim().to_owned()
    };
    assert!(knee(Verdict::Ok, 0.0, 0.009).starts_with("no trouble so far: errors and stalls below 1%"));
    for (verdict, errors, stalls) in
        [(Verdict::Ok, 0.047, 0.0), (Verdict::Ok, 0.0, 0.4), (Verdict::Failing, 0.12, 0.0)]
    {
        assert!(knee(verdict, errors, stalls).starts_with("no knee yet"), "{verdict:?}");
    }
}
