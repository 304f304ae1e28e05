//! Golden tests of the screen: every state of a run in many sizes, compared with the snapshots in `src/tui/pictures`.
//!
//! `INSTA_UPDATE=always cargo test golden_tests` updates a snapshot that has changed on purpose; look at the
//! difference before you commit it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier};

use super::app::{Access, App, Msg, Title};
use super::input::{Input, Key};
use super::render::picture;
use super::theme::{Charset, Palette, Theme};
use super::{fixtures, painter};
use crate::load::{Stage, StagesProfile};
use crate::run_state::{ChangeKind, ChangeSource, LoadChange};
use crate::sample::RunSample;
use crate::stats::Rates;
use crate::vocabulary::untrusted::HOSTILE;
use crate::vocabulary::{RunIdentity, RunState};

const SIZES: [(u16, u16); 5] = [(80, 24), (160, 48), (120, 30), (40, 10), (30, 3)];

fn app(name: &str, keys: &[Key]) -> App {
    let mut app = App::new(fixtures::title(), Access::Full);
    // A key acts on a screen that has a size.
    app.update(Msg::Screen(SIZES[0].into()));
    app.update(Msg::Sample(fixtures::sample(name)));
    for key in keys {
        app.update(Msg::Input(Input::Key(*key)));
    }
    app
}

pub(super) fn draw(app: &mut App, (width, height): (u16, u16), theme: Theme) -> Buffer {
    let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
    picture(app, theme, &mut buffer);
    painter::settle(&mut buffer, theme.charset);
    buffer
}

/// Returns the lines of a screen, each ended by `|` so that no editor eats its spaces.
pub(super) fn text(buffer: &Buffer, of: impl Fn(&Cell) -> String) -> String {
    let width = usize::from(buffer.area.width).max(1);
    let mut text = String::new();
    for line in buffer.content.chunks(width) {
        text.extend(line.iter().map(&of));
        text.push_str("|\n");
    }
    text
}

pub(super) fn symbol(cell: &Cell) -> String {
    cell.symbol().to_owned()
}

/// Returns one letter for the look of a cell: its colour, or d(im), b(old), r(eversed).
fn look(cell: &Cell) -> String {
    let letter = match (cell.fg, cell.modifier) {
        (Color::Red, _) => 'R',
        (Color::Yellow, _) => 'Y',
        (Color::Green, _) => 'G',
        (Color::Magenta, _) => 'M',
        (Color::Blue, _) => 'B',
        (Color::Cyan, _) => 'C',
        (_, modifier) if modifier.contains(Modifier::REVERSED) => 'r',
        (_, modifier) if modifier.contains(Modifier::BOLD) => 'b',
        (_, modifier) if modifier.contains(Modifier::DIM) => 'd',
        _ => ' ',
    };
    letter.to_string()
}

pub(super) fn assert_picture(name: &str, drawn: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("pictures");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, drawn));
}

/// Draws a fixture in all sizes and both charsets, and once more as colours.
fn album(name: &str, keys: &[Key]) -> String {
    album_of(&mut app(name, keys))
}

pub(super) fn album_of(app: &mut App) -> String {
    let mut album = String::new();
    for size in SIZES {
        for charset in [Charset::Unicode, Charset::Ascii] {
            let buffer = draw(app, size, Theme { charset, ..Theme::default() });
            _ = writeln!(album, "== {}x{} {charset:?}\n{}", size.0, size.1, text(&buffer, symbol));
        }
    }
    let coloured = draw(app, SIZES[0], Theme::default());
    _ = writeln!(album, "== {}x{} colours\n{}", SIZES[0].0, SIZES[0].1, text(&coloured, look));
    album
}

#[test]
fn the_overview_of_every_state_looks_as_it_did() {
    for name in fixtures::FIXTURES {
        assert_picture(name, &album(name, &[]));
    }
}

#[test]
fn an_origin_with_exporters_looks_as_it_did() {
    let mut storm = Arc::unwrap_or_clone(fixtures::sample("storm"));
    storm.origin = Arc::new(fixtures::origin(&storm));
    let mut app = app("ramping", &[]);
    app.update(Msg::Sample(Arc::new(storm)));
    assert_picture("origin_metrics", &album_of(&mut app));
}

#[test]
fn a_ramp_that_the_brake_holds_looks_as_it_did() {
    let mut held = Arc::unwrap_or_clone(fixtures::sample("hold"));
    held.windows = [held.recent.map(|rates| Rates { busy: rates.finished * 5 / 8, ..rates }); 4];
    let (at, kind, by) = (held.at, ChangeKind::Hold, ChangeSource::Brake);
    held.journal.change(LoadChange { at, kind, from: 1_000, to: 1_000, by });
    let mut app = app("ramping", &[]);
    app.update(Msg::Sample(Arc::new(held)));
    assert_picture("brake", &album_of(&mut app));
}

#[test]
fn the_stages_of_a_run_look_as_they_did() {
    let stages = [
        Stage::Ramp { to: 1_000, takes: Duration::from_secs(120) },
        Stage::Hold(Duration::from_secs(600)),
        Stage::Spike { more: 300, lasts: Duration::from_secs(30) },
    ];
    let stages = StagesProfile::new(&stages).ok();
    let mut lines = String::new();
    // In a stage, held in it, and after the operator has set a target.
    for (state, plan_time) in
        [(RunState::Running, Some(228)), (RunState::Hold, Some(100)), (RunState::Running, None)]
    {
        let title = Title { stages: stages.clone(), ..fixtures::title() };
        let mut app = App::new(title, Access::Full);
        let sample = RunSample {
            state,
            plan_time: plan_time.map(Duration::from_secs),
            ..Arc::unwrap_or_clone(fixtures::sample("healthy"))
        };
        app.update(Msg::Sample(Arc::new(sample)));
        for width in [160, 120, 80] {
            let theme = Theme { palette: Palette::Mono, charset: Charset::Unicode };
            let drawn = text(&draw(&mut app, (width, 24), theme), symbol);
            lines += drawn.lines().next().unwrap_or_default();
            lines.push('\n');
        }
    }
    assert_picture("stages", &lines);
}

#[test]
fn the_plan_ahead_of_now_looks_as_it_did() {
    let stages = [
        Stage::Ramp { to: 321, takes: Duration::from_secs(60) },
        Stage::Hold(Duration::from_secs(20)),
        Stage::Spike { more: 100, lasts: Duration::from_secs(15) },
        Stage::Down { to: 0, takes: Duration::from_secs(25) },
    ];
    let stages = StagesProfile::new(&stages).ok();
    let duration = stages.as_ref().map(StagesProfile::length);
    let mut app = App::new(Title { stages, duration, ..fixtures::title() }, Access::Full);
    let sample = Arc::unwrap_or_clone(fixtures::sample("healthy"));
    app.update(Msg::Sample(Arc::new(RunSample { plan_time: Some(sample.at), ..sample })));
    let drawn = [Charset::Unicode, Charset::Ascii].map(|charset| {
        let theme = Theme { palette: Palette::Mono, charset };
        text(&draw(&mut app, (120, 30), theme), symbol)
    });
    assert_picture("plan_ahead", &drawn.join("\n"));
}

#[test]
fn the_other_views_look_as_they_did() {
    const ENTER: Key = Key::Enter;
    for (name, fixture, keys) in [
        ("clients", "ten_thousand", &[Key::Char('2')][..]),
        ("clients_open", "storm", &[Key::Char('2'), Key::Char('j'), Key::Char('j'), ENTER]),
        ("clients_none", "empty", &[Key::Char('2')]),
        ("errors", "storm", &[Key::Char('3')]),
        ("errors_none", "healthy", &[Key::Char('3')]),
        ("generator", "storm", &[Key::Char('4')]),
        ("log", "storm", &[Key::Char('5')]),
        ("latency", "storm", &[Key::Char('7')]),
        ("stream", "storm", &[Key::Char('8')]),
        ("stream_healthy", "healthy", &[Key::Char('8')]),
        ("stream_none", "empty", &[Key::Char('8')]),
        ("stream_of_edges", "storm", &[Key::Char('8'), Key::Char('j'), Key::Tab]),
        ("clients_of_rung", "storm", &[Key::Char('8'), ENTER]),
        ("looking_back", "storm", &[Key::ShiftLeft]),
        ("looking_back_at_stream", "storm", &[Key::Char('8'), Key::ShiftLeft]),
        ("looking_back_at_errors", "storm", &[Key::Char('3'), Key::ShiftLeft]),
        ("faults_only", "storm", &[Key::Char('2'), Key::Char('f')]),
        ("zoom_latency", "storm", &[Key::Tab, Key::Char('z')]),
        ("zoom_clients", "healthy", &[Key::Char('z')]),
        ("zoom_traffic", "healthy", &[Key::Tab, Key::Tab, Key::Char('z')]),
        ("help", "storm", &[Key::Char('?')]),
        ("frozen", "ramping", &[Key::Char(' ')]),
        ("stopping", "ramping", &[Key::Char('q')]),
        ("question", "ramping", &[Key::Char(']'), Key::Char(']'), Key::Char(']'), Key::Char('+')]),
        ("prompt", "ramping", &[Key::Char('c'), Key::Char('2'), Key::Char('5')]),
    ] {
        assert_picture(name, &album(fixture, keys));
    }
}

/// Returns the colours of a screen, foregrounds and then grounds: a letter for each, and the list of the letters.
pub(super) fn coloured(buffer: &Buffer) -> String {
    let mut letters: BTreeMap<String, char> = BTreeMap::new();
    let names = |colour: Color| format!("{colour:?}");
    letters.extend(buffer.content.iter().flat_map(|cell| [(names(cell.fg), ' '), (names(cell.bg), ' ')]));
    letters.remove(&names(Color::Reset));
    letters.values_mut().zip('a'..).for_each(|(letter, next)| *letter = next);
    let letter = |colour| letters.get(&names(colour)).map_or(" ".to_owned(), |letter| letter.to_string());
    let mut text = text(buffer, |cell| letter(cell.fg)) + "\n" + &text(buffer, |cell| letter(cell.bg));
    letters.iter().for_each(|(name, letter)| _ = writeln!(text, "{letter} {name}"));
    text
}

#[test]
fn the_themes_look_as_they_did() {
    for (name, palette) in [("dark", Palette::Dark), ("light", Palette::Light), ("mono", Palette::Mono)] {
        let theme = Theme { palette, charset: Charset::Unicode };
        let drawn = [1, 2, 3, 4, 5, 7, 8].map(|view| {
            let buffer = draw(&mut app("storm", &[Key::Char(char::from(b'0' + view))]), (100, 30), theme);
            format!("== view {view}\n{}\n{}", text(&buffer, symbol), coloured(&buffer))
        });
        assert_picture(&format!("theme_{name}"), &drawn.concat());
    }
}

#[test]
fn a_recorded_stream_looks_as_it_did() {
    let mut app = app("empty", &[Key::Char('8')]);
    app.update(Msg::Sample(Arc::new(fixtures::recorded())));
    assert_picture("stream_recorded", &album_of(&mut app));
}

fn theme() -> impl Strategy<Value = Theme> {
    let palette = proptest::sample::select(vec![
        Palette::Ansi,
        Palette::Dark,
        Palette::Light,
        Palette::ColourBlind,
        Palette::ColourBlindLight,
        Palette::Mono,
    ]);
    let charset = prop_oneof![Just(Charset::Unicode), Just(Charset::Ascii)];
    (palette, charset).prop_map(|(palette, charset)| Theme { palette, charset })
}

fn key() -> impl Strategy<Value = Key> {
    const SPECIAL: [Key; 8] =
        [Key::Left, Key::Right, Key::ShiftLeft, Key::Tab, Key::BackTab, Key::Enter, Key::Escape, Key::End];
    prop_oneof![
        any::<u8>().prop_map(|letter| Key::Char(char::from(letter))),
        proptest::sample::select(SPECIAL.to_vec()),
    ]
}

fn hostile() -> impl Strategy<Value = String> {
    prop_oneof![proptest::sample::select(HOSTILE).prop_map(str::to_owned), any::<String>()]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_size_any_text_and_any_view_are_drawn_without_a_control_character(
        width in prop_oneof![3 => 0_u16..=170, 1 => 0_u16..=400],
        height in prop_oneof![3 => 0_u16..=50, 1 => 0_u16..=200],
        name in proptest::sample::select(&fixtures::FIXTURES[..]),
        view in 1_u8..=8,
        keys in proptest::collection::vec(key(), 0..8),
        text in hostile(),
        theme in theme(),
    ) {
        let title = Title {
            identity: RunIdentity { target: text.clone(), ..RunIdentity::default() },
            variant: text.clone(),
            ..fixtures::title()
        };
        let mut app = App::new(title, Access::Full);
        let sample = fixtures::hostile(name, &text);
        let report = fixtures::doc_of(&sample);
        app.update(Msg::Sample(sample));
        if view == 6 {
            app.update(Msg::Report(report));
        }
        app.update(Msg::Input(Input::Key(Key::Char(char::from(b'0' + view)))));
        app.update(Msg::Input(Input::Paste(text)));
        for key in keys {
            app.update(Msg::Input(Input::Key(key)));
        }
        let buffer = draw(&mut app, (width, height), theme);
        for cell in &buffer.content {
            prop_assert!(!cell.symbol().chars().any(char::is_control), "{:?}", cell.symbol());
            prop_assert!(theme.charset == Charset::Unicode || cell.symbol().is_ascii(), "{:?}", cell.symbol());
            prop_assert!(theme.palette != Palette::Mono || (cell.fg, cell.bg) == (Color::Reset, Color::Reset));
        }
    }
}
