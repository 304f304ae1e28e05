//! Golden tests of runs of another kind: with thresholds, a search, a replay; and of every view on a large screen.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use super::app::{Access, App, Msg, Title};
use super::fixtures;
use super::golden_tests::{assert_picture, draw, symbol, text};
use super::input::{Input, Key};
use super::theme::Theme;
use crate::run_state::{Note, NoteKind};
use crate::sample::RunSample;
use crate::verdict::{Threshold, ThresholdWatch};

const SIZES: [(u16, u16); 3] = [(160, 48), (80, 24), (40, 10)];

fn app(title: Title, access: Access, sample: RunSample) -> App {
    let mut app = App::new(title, access);
    app.update(Msg::Screen((80, 24).into()));
    app.update(Msg::Sample(Arc::new(sample)));
    app
}

/// Draws these views, each in these sizes.
fn views(app: &mut App, keys: &str, sizes: &[(u16, u16)]) -> String {
    let mut album = String::new();
    for key in keys.chars() {
        app.update(Msg::Input(Input::Key(Key::Char(key))));
        for size in sizes {
            let buffer = draw(app, *size, Theme::default());
            _ = writeln!(album, "== {key} {}x{}\n{}", size.0, size.1, text(&buffer, symbol));
        }
    }
    album
}

fn storm() -> RunSample {
    (*fixtures::sample("storm")).clone()
}

#[test]
fn a_run_with_thresholds_looks_as_it_did() {
    let judged = |(text, value): (&str, Option<f64>)| {
        let mut watch = ThresholdWatch::new(Threshold::parse(text).expect(text), None);
        watch.judge(Duration::from_secs(150), value);
        watch.judged().clone()
    };
    let all =
        [("error_rate<1% over 5s", Some(0.312)), ("segment_p95<5s", Some(4_980_000.0)), ("stalls<9", None)];
    let sample = RunSample { thresholds: all.map(judged).into(), ..storm() };
    let note =
        |text: &str| Note { at: Duration::from_secs(150), kind: NoteKind::Threshold, text: text.to_owned() };
    sample.journal.note(note("error_rate<1% over 5s crossed: 31.2%"));
    let mut app = app(fixtures::title(), Access::Full, sample);
    assert_picture("thresholds", &views(&mut app, "15", &SIZES));
}

#[test]
fn a_search_looks_as_it_did() {
    let sample = storm();
    for (at, clients, held) in
        [(40, 160, Some(true)), (80, 320, Some(true)), (130, 640, Some(false)), (150, 9, None)]
    {
        let word = match held {
            Some(true) => "held (segment_p95<500ms: 402 ms)",
            Some(false) => "broke segment_p95<500ms: 4,980 ms",
            None => "this machine limited the result",
        };
        let kind = NoteKind::Level { clients, held };
        sample.journal.note(Note {
            at: Duration::from_secs(at),
            kind,
            text: format!("{clients} clients {word}"),
        });
    }
    let title = Title { is_search: true, ..fixtures::title() };
    let mut app = app(title, Access::Full, sample);
    assert_picture("search", &views(&mut app, "15", &SIZES));
}

#[test]
fn a_replay_looks_as_it_did() {
    let mut app = app(fixtures::title(), Access::Replay, storm());
    assert_picture("replay", &views(&mut app, "]?", &SIZES));
}

#[test]
fn every_view_fills_a_large_screen_as_it_did() {
    let mut app = app(fixtures::title(), Access::Full, storm());
    assert_picture("large", &views(&mut app, "1234578", &[(200, 60)]));
}

#[test]
fn lists_with_a_cursor_look_as_they_did() {
    let mut app = app(fixtures::title(), Access::Full, storm());
    app.update(Msg::Screen((160, 48).into()));
    // The groups of the overview, then the map and the groups of the clients.
    let mut album = String::new();
    for (view, keys) in [
        ('1', &[Key::BackTab, Key::Down][..]),
        ('2', &[Key::BackTab, Key::Down, Key::Down]),
        ('2', &[Key::Tab, Key::Down]),
    ] {
        app.update(Msg::Input(Input::Key(Key::Char(view))));
        keys.iter().for_each(|key| _ = app.update(Msg::Input(Input::Key(*key))));
        let buffer = draw(&mut app, (160, 48), Theme::default());
        _ = writeln!(album, "== {view} {keys:?}\n{}", text(&buffer, symbol));
    }
    assert_picture("cursors", &album);
}
