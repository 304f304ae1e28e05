//! Tests of the app: samples and keys go in, effects come out.

use super::*;
use crate::load::{Bound, ClientLimit, Stage, StagesProfile};
use crate::run_state::{ChangeKind, ChangeSource, Journal, LoadChange};
use crate::vocabulary::RunState;
use crate::vocabulary::limits::CLIENTS;

fn app() -> App {
    let mut app = App::new(Title::default(), Access::Full);
    app.update(Msg::Sample(sample(60_000, RunState::Running, 100)));
    app
}

fn sample(ms: u64, state: RunState, target: u32) -> Arc<RunSample> {
    Arc::new(RunSample { at: Duration::from_millis(ms), state, target, ..RunSample::default() })
}

fn press(app: &mut App, key: Key) -> Effect {
    app.update(Msg::Input(Input::Key(key)))
}

fn asked_for(effect: Effect) -> i64 {
    match effect {
        Effect::Ask(Command::AdjustTarget(by)) => by,
        other => panic!("{other:?}"),
    }
}

#[test]
fn plus_and_minus_change_clients_by_the_step() {
    let mut app = app();
    for key in [Key::Char('+'), Key::Char('='), Key::Char('+')] {
        assert_eq!(asked_for(press(&mut app, key)), 10);
    }
    assert_eq!(app.notice(), Some("target 130"));
    for key in [Key::Char('-'), Key::Char('_'), Key::Char('-')] {
        assert_eq!(asked_for(press(&mut app, key)), -10);
    }
    press(&mut app, Key::Char(']'));
    assert_eq!(asked_for(press(&mut app, Key::Char('+'))), 50);
    for _ in 0..9 {
        press(&mut app, Key::Char('['));
    }
    assert_eq!(asked_for(press(&mut app, Key::Char('+'))), 1);
    for _ in 0..9 {
        press(&mut app, Key::Char(']'));
    }
    assert_eq!(app.step(), 1000);
}

#[test]
fn the_target_never_falls_below_zero_or_rises_above_the_limit() {
    let mut app = app();
    app.update(Msg::Sample(sample(61_000, RunState::Running, 3)));
    assert_eq!(asked_for(press(&mut app, Key::Char('-'))), -3);
    assert_eq!(asked_for(press(&mut app, Key::Char('-'))), 0);
    app.update(Msg::Sample(sample(70_000, RunState::Running, CLIENTS)));
    assert_eq!(asked_for(press(&mut app, Key::Char('+'))), 0);
}

#[test]
fn a_target_beyond_what_this_machine_carries_is_lowered_with_the_reason() {
    let (mut app, mut at) = (app(), 60_000);
    let mut limited = |app: &mut App, target: u32, clients: u32, bound: Bound| {
        at += 1_000;
        let limit = ClientLimit { clients, bound };
        let sample = RunSample { limit, ..(*sample(at, RunState::Running, target)).clone() };
        app.update(Msg::Sample(Arc::new(sample)));
    };
    limited(&mut app, 30, 40, Bound::OpenFiles(104));
    let reason = "limited to 40 clients: at most 104 open files";
    (0..3).for_each(|_| _ = press(&mut app, Key::Char(']')));
    assert_eq!(press(&mut app, Key::Char('+')), Effect::Ask(Command::SetTarget(40)), "by 500");
    assert_eq!(app.notice(), Some(format!("target 40, {reason}").as_str()));
    limited(&mut app, 40, 150, Bound::OpenFiles(214));
    assert_eq!(press(&mut app, Key::Char('+')), Effect::None);
    let footer = crate::tui::model::Model::new(&app).footer;
    let question: String = footer.into_iter().map(|text| text.text).collect();
    assert_eq!(question, "add 110 clients, to 150 (at most 214 open files)? y: yes, else no");
    assert_eq!(press(&mut app, Key::Char('y')), Effect::Ask(Command::SetTarget(150)));
    // The price of the plan has lowered the limit since.
    limited(&mut app, 40, 40, Bound::Price);
    let reason = "limited to 40 clients: no more fit, by the price of the plan";
    (0..9).for_each(|_| _ = press(&mut app, Key::Char('[')));
    assert_eq!(asked_for(press(&mut app, Key::Char('+'))), 0);
    assert_eq!(app.notice(), Some(format!("target 40, {reason}").as_str()));
    assert_eq!(asked_for(press(&mut app, Key::Char('-'))), -1);
    assert_eq!(app.notice(), Some("target 39"));
}

#[test]
fn more_than_a_hundred_clients_are_asked_about_first() {
    let mut app = app();
    (0..3).for_each(|_| _ = press(&mut app, Key::Char(']')));
    assert_eq!(press(&mut app, Key::Char('+')), Effect::None);
    assert_eq!(app.mode, Mode::Confirm(600));
    assert_eq!(press(&mut app, Key::Char('n')), Effect::None);
    press(&mut app, Key::Char('+'));
    assert_eq!(press(&mut app, Key::Char('y')), Effect::Ask(Command::SetTarget(600)));
    press(&mut app, Key::Char('+'));
    assert_eq!(press(&mut app, Key::Ctrl('c')), Effect::Ask(Command::Stop(StopCause::Interrupt)));
}

#[test]
fn the_first_q_drains_and_the_second_stops_at_once() {
    let mut app = app();
    assert_eq!(press(&mut app, Key::Char('q')), Effect::Ask(Command::Stop(StopCause::Operator)));
    assert_eq!(press(&mut app, Key::Ctrl('c')), Effect::Ask(Command::StopNow(StopCause::Interrupt)));
    assert_eq!(press(&mut app, Key::Char('+')), Effect::None);
}

#[test]
fn a_drain_that_began_by_itself_is_cut_by_the_first_q() {
    let mut app = app();
    app.update(Msg::Sample(sample(61_000, RunState::Draining, 100)));
    assert_eq!(press(&mut app, Key::Char('q')), Effect::Ask(Command::StopNow(StopCause::Operator)));
}

#[test]
fn escape_and_a_paste_never_end_a_run() {
    let mut app = app();
    assert_eq!(press(&mut app, Key::Escape), Effect::None);
    assert_eq!(app.update(Msg::Input(Input::Paste("qQ".to_owned()))), Effect::None);
    press(&mut app, Key::Char('?'));
    assert_eq!(app.mode, Mode::Help(0));
    assert_eq!(press(&mut app, Key::Escape), Effect::None);
    assert_eq!(app.mode, Mode::Normal);
}

#[test]
fn freezing_keeps_the_picture_and_not_the_run() {
    let mut app = app();
    press(&mut app, Key::Char(' '));
    app.update(Msg::Sample(sample(75_000, RunState::Running, 500)));
    assert_eq!((app.shown.target, app.live.target), (100, 500));
    assert!(Arc::ptr_eq(&app.shown, &app.steady));
    assert_eq!(asked_for(press(&mut app, Key::Char('-'))), -10);
    assert_eq!(app.notice(), Some("target 490"));
    press(&mut app, Key::Char(' '));
    assert_eq!(app.shown.target, 500);
}

#[test]
fn digits_change_once_a_second_and_with_the_state() {
    let mut app = app();
    app.update(Msg::Sample(sample(60_250, RunState::Running, 101)));
    assert_eq!((app.shown.target, app.steady.target), (101, 100));
    app.update(Msg::Sample(sample(61_000, RunState::Running, 102)));
    assert_eq!(app.steady.target, 102);
    app.update(Msg::Sample(sample(61_250, RunState::Draining, 103)));
    assert_eq!(app.steady.target, 103);
}

#[test]
fn a_notice_goes_away_and_an_asked_target_gives_way_to_the_real_one() {
    let mut app = app();
    press(&mut app, Key::Char('+'));
    app.update(Msg::Sample(sample(60_500, RunState::Running, 100)));
    assert_eq!(app.wanted(), 110);
    app.update(Msg::Sample(sample(65_000, RunState::Running, 105)));
    assert_eq!((app.wanted(), app.notice()), (105, None));
}

fn type_in(app: &mut App, text: &str) -> Effect {
    text.chars().for_each(|character| _ = press(app, Key::Char(character)));
    press(app, Key::Enter)
}

#[test]
fn a_typed_target_is_gone_to_and_a_bad_one_says_what_is_accepted() {
    let mut app = app();
    press(&mut app, Key::Char('c'));
    assert_eq!(type_in(&mut app, "25"), Effect::Ask(Command::SetTarget(25)));
    press(&mut app, Key::Char('c'));
    assert_eq!(type_in(&mut app, "lots"), Effect::None);
    assert!(app.notice().is_some_and(|text| text.contains("expected 2500, 2.5k, +50 or -20%")));
    press(&mut app, Key::Char('c'));
    // Pasted text goes into the line and never acts as keys.
    app.update(Msg::Input(Input::Paste("12".to_owned())));
    assert_eq!(press(&mut app, Key::Enter), Effect::Ask(Command::SetTarget(12)));
    press(&mut app, Key::Char('c'));
    press(&mut app, Key::Char('9'));
    assert_eq!(press(&mut app, Key::Escape), Effect::None);
    assert_eq!(app.mode, Mode::Normal);
    press(&mut app, Key::Char('c'));
    assert_eq!(type_in(&mut app, "+5000"), Effect::None);
    assert_eq!(app.mode, Mode::Confirm(5_012));
}

#[test]
fn the_ramp_is_held_and_goes_on() {
    let mut app = app();
    assert_eq!(press(&mut app, Key::Char('p')), Effect::Ask(Command::Hold));
    app.update(Msg::Sample(sample(61_000, RunState::Hold, 100)));
    press(&mut app, Key::Char('+'));
    assert_eq!(app.notice(), Some("target 110, but the ramp is held (p resumes)"));
    assert_eq!(press(&mut app, Key::Char('p')), Effect::Ask(Command::Resume));
}

#[test]
fn what_the_brake_does_is_said_and_the_same_key_resumes() {
    use {ChangeKind::*, ChangeSource::*};
    let (mut app, journal) = (app(), Arc::new(Journal::default()));
    // The journal is one for all samples of a run.
    let take = |app: &mut App, second, state, kind, by| {
        let at = Duration::from_secs(second);
        journal.change(LoadChange { at, kind, from: 100, to: 100, by });
        let journal = Arc::clone(&journal);
        app.update(Msg::Sample(Arc::new(RunSample { at, state, journal, ..RunSample::default() })));
    };
    take(&mut app, 61, RunState::Hold, Hold, Brake);
    assert_eq!(
        app.notice(),
        Some("brake: ramp held: -- of requests got 429 or 503 in the last 30 s; resumes at 10%")
    );
    take(&mut app, 75, RunState::Ramping, Resume, Brake);
    assert_eq!(app.notice(), Some("brake: the storm is over, the ramp resumes"));
    take(&mut app, 110, RunState::Hold, Hold, Brake);
    assert_eq!(press(&mut app, Key::Char('p')), Effect::Ask(Command::Resume));
    take(&mut app, 111, RunState::Ramping, Resume, Operator);
    assert_eq!(app.notice(), Some("ramp resumed"), "the storm is not over");
}

#[test]
fn a_mark_is_made_at_the_moment_of_its_key_and_counts_begin_there() {
    let mut app = app();
    assert_eq!(press(&mut app, Key::Char('M')), Effect::None);
    assert!(app.notice().is_some_and(|text| text.starts_with("no mark yet")));
    press(&mut app, Key::Char('m'));
    app.update(Msg::Sample(sample(69_000, RunState::Running, 100)));
    let at = Duration::from_secs(60);
    let mark = Mark { at, note: "scaled".to_owned() };
    assert_eq!(type_in(&mut app, " scaled "), Effect::Ask(Command::Mark(mark)));
    assert_eq!(app.scope.since(&app.shown), None);
    press(&mut app, Key::Char('M'));
    assert_eq!(app.scope.since(&app.shown), Some(at));
    assert_eq!(app.scope.since(&sample(59_000, RunState::Running, 100)), None, "a sample of before the mark");
    press(&mut app, Key::Char('M'));
    assert_eq!(app.scope.since(&app.shown), None);
}

#[test]
fn a_console_that_only_reads_changes_no_load_and_marks() {
    let mut app = App::new(Title::default(), Access::ReadOnly);
    app.update(Msg::Sample(sample(60_000, RunState::Running, 100)));
    for key in ['+', '-', 'c', 'p', 'q', 'Q', ']'].map(Key::Char).into_iter().chain([Key::Ctrl('c')]) {
        assert_eq!(press(&mut app, key), Effect::None, "{key:?}");
        assert_eq!(app.mode, Mode::Normal);
    }
    assert!(app.notice().is_some_and(|text| text.starts_with("--read-only")));
    press(&mut app, Key::Char('m'));
    assert!(matches!(press(&mut app, Key::Enter), Effect::Ask(Command::Mark(_))));
}

#[test]
fn a_replay_changes_no_load_and_stays_at_its_report() {
    let mut app = App::new(Title::default(), Access::Replay);
    app.update(Msg::Sample(sample(60_000, RunState::Running, 100)));
    for key in ['+', '-', 'c', 'p', 'm'].map(Key::Char) {
        assert_eq!(press(&mut app, key), Effect::None, "{key:?}");
        assert!(app.mode == Mode::Normal && app.notice().is_some_and(|text| text.starts_with("a replay ")));
    }
    // Its clock stands still while it is paused.
    press(&mut app, Key::Char(' '));
    assert!(app.frozen_since.is_some() && app.notice().is_none());
    press(&mut app, Key::Char(']'));
    press(&mut app, Key::Char(']'));
    assert_eq!(app.speed.to_string(), "5x");
    (0..9).for_each(|_| _ = press(&mut app, Key::Char('[')));
    assert_eq!(app.speed.to_string(), "0.1x");
    for key in [Key::Char('q'), Key::Char('Q'), Key::Ctrl('c')] {
        assert_eq!(press(&mut app, key), Effect::Leave, "{key:?}");
    }
    assert_eq!(app.update(Msg::Report(crate::tui::fixtures::report())), Effect::None);
    press(&mut app, Key::Char(']'));
    assert_eq!(app.notice(), Some("the replay is at its end"));
}

#[test]
fn views_zoom_and_escape_never_leave_the_run() {
    let mut app = app();
    for (number, view) in (1..).zip(View::ALL) {
        press(&mut app, Key::Char(char::from(b'0' + number)));
        // Without a report the view does not change.
        let expected = if view == View::Report { View::Log } else { view };
        assert_eq!(app.view, expected);
    }
    press(&mut app, Key::Char('1'));
    press(&mut app, Key::BackTab);
    press(&mut app, Key::Char('z'));
    assert_eq!((app.focus, app.zoomed), (3, true));
    press(&mut app, Key::Char('2'));
    assert!(!app.zoomed);
    press(&mut app, Key::Char('!'));
    press(&mut app, Key::Char('/'));
    type_in(&mut app, "stalled");
    assert!(app.clients.filter.is_some() && app.clients.faults_only);
    press(&mut app, Key::Escape);
    assert!(app.clients.filter.is_none() && !app.clients.faults_only && app.view == View::Clients);
    press(&mut app, Key::Escape);
    assert_eq!(app.view, View::Overview);
    for window in [ChartWindow::TwoMinutes, ChartWindow::TenMinutes, ChartWindow::Hour, ChartWindow::Run] {
        press(&mut app, Key::Char('t'));
        assert_eq!(app.window, window);
    }
}

#[test]
fn only_whoever_pressed_q_stays_to_read_the_report() {
    use crate::tui::fixtures;
    for (keys, stays) in [(&['q'][..], true), (&['q', 'q'], true), (&['Q'], false), (&[], false)] {
        let mut app = app();
        keys.iter().for_each(|key| _ = press(&mut app, Key::Char(*key)));
        let effect = app.update(Msg::Report(fixtures::report()));
        assert_eq!(effect, if stays { Effect::None } else { Effect::Leave }, "{keys:?}");
        assert_eq!(app.view, View::Report);
        assert_eq!(press(&mut app, Key::Char('1')), Effect::None);
        assert_eq!(press(&mut app, Key::Char('q')), Effect::Leave);
    }
    let mut app = app();
    press(&mut app, Key::Char('q'));
    press(&mut app, Key::Ctrl('c'));
    assert_eq!(app.update(Msg::Report(fixtures::report())), Effect::Leave);
}

#[test]
fn the_report_has_pages_that_scroll_to_their_ends_and_no_further() {
    let mut app = app();
    app.update(Msg::Report(crate::tui::fixtures::report()));
    app.report.as_mut().expect("a report").text = vec![String::new(); 30];
    app.update(Msg::Screen(Size::new(80, 16)));
    assert!(app.has_charts());
    press(&mut app, Key::PageDown);
    assert_eq!((app.scroll, app.has_charts()), (1, false));
    press(&mut app, Key::End);
    press(&mut app, Key::Down);
    assert_eq!(app.scroll, 3);
    app.update(Msg::Screen(Size::new(80, 31)));
    assert_eq!(app.scroll, 2);
    press(&mut app, Key::Home);
    press(&mut app, Key::Up);
    assert_eq!(app.scroll, 0);
}

#[test]
fn the_report_is_written_at_any_time_also_by_a_console_that_only_reads() {
    for access in [Access::Full, Access::ReadOnly] {
        let mut app = App::new(Title::default(), access);
        app.update(Msg::Sample(sample(60_000, RunState::Running, 100)));
        assert_eq!(press(&mut app, Key::Char('e')), Effect::SavePage);
        app.update(Msg::Saved(Err("report not saved: no space left".to_owned())));
        assert_eq!(app.notice(), Some("report not saved: no space left"));
        app.update(Msg::Report(crate::tui::fixtures::report()));
        assert_eq!(press(&mut app, Key::Char('e')), Effect::SavePage);
        app.update(Msg::Saved(Ok("hlswarm-000100.html".to_owned())));
        assert_eq!(app.notice(), Some("written: hlswarm-000100.html"));
    }
}

fn looking(at_s: u64) -> App {
    let mut app = app();
    app.update(Msg::Screen(Size::new(120, 30)));
    let mut history = crate::sample::History::new(0);
    for ends in 1..=at_s {
        let mut second = crate::sample::Point { ends: Duration::from_secs(ends), ..Default::default() };
        second.counts.bytes = ends;
        history.push(second);
    }
    let shown =
        RunSample { history: history.into(), ..(*sample(at_s * 1_000, RunState::Running, 100)).clone() };
    app.update(Msg::Sample(shown.into()));
    app
}

#[test]
fn the_cursor_moves_by_columns_and_returns_to_now() {
    let mut app = looking(120);
    press(&mut app, Key::Right);
    assert_eq!(app.cursor, None, "there is nothing later than now");
    press(&mut app, Key::Left);
    let first = app.cursor.expect("a moment");
    press(&mut app, Key::ShiftLeft);
    let tenth = app.cursor.expect("a moment");
    assert!(first < app.shown.at && tenth < first, "{first:?} {tenth:?}");
    press(&mut app, Key::ShiftRight);
    assert_eq!(app.cursor, Some(first));
    press(&mut app, Key::Right);
    assert_eq!(app.cursor, None);
    for _ in 0..300 {
        press(&mut app, Key::ShiftLeft);
    }
    assert!(app.cursor.is_some_and(|at| at < Duration::from_secs(3)), "the left end: {:?}", app.cursor);
    let footer = crate::tui::model::Model::new(&app).footer;
    assert!(footer[0].text.starts_with("at 0:0") && footer[0].text.ends_with("ago"), "{footer:?}");
    for key in [Key::End, Key::Escape] {
        press(&mut app, Key::Left);
        press(&mut app, key);
        assert_eq!((app.cursor, app.view), (None, View::Overview), "{key:?}");
    }
}

#[test]
fn escape_leaves_the_cursor_first_and_the_view_then() {
    let mut app = looking(60);
    press(&mut app, Key::Char('3'));
    press(&mut app, Key::Left);
    press(&mut app, Key::Escape);
    assert_eq!((app.cursor, app.view), (None, View::Errors));
    press(&mut app, Key::Escape);
    assert_eq!(app.view, View::Overview);
}

#[test]
fn tab_moves_the_focus_round_and_a_view_begins_with_its_list() {
    let mut app = app();
    press(&mut app, Key::Char('5'));
    assert!(app.has_focus(1));
    press(&mut app, Key::Tab);
    assert!(app.has_focus(0));
    press(&mut app, Key::BackTab);
    assert!(app.has_focus(1));
}

#[test]
fn the_help_scrolls_and_every_other_key_acts() {
    let mut app = app();
    app.update(Msg::Screen(Size::new(40, 10)));
    press(&mut app, Key::Char('?'));
    press(&mut app, Key::Char('j'));
    assert_eq!(app.mode, Mode::Help(1));
    press(&mut app, Key::Char('G'));
    press(&mut app, Key::Down);
    let last = crate::tui::layout::help::layout(Size::new(40, 10), false).last_scroll();
    assert_eq!(app.mode, Mode::Help(last));
    assert_eq!(press(&mut app, Key::Char('w')), Effect::Save);
    assert_eq!(app.mode, Mode::Normal);
    press(&mut app, Key::Char('?'));
    press(&mut app, Key::Char('3'));
    assert_eq!((&app.mode, app.view), (&Mode::Normal, View::Errors));
    press(&mut app, Key::Char('?'));
    press(&mut app, Key::Escape);
    assert_eq!((&app.mode, app.view), (&Mode::Normal, View::Errors), "only the help closes");
}

#[test]
fn a_comparison_of_clients_is_refused_in_the_log_and_taken_in_the_list() {
    let mut app = app();
    let mut typed = |view: char| {
        let keys = std::iter::once(view).chain("/stalls>3".chars()).map(Key::Char);
        keys.chain([Key::Enter]).for_each(|key| _ = press(&mut app, key));
        (app.log_filter.is_some(), app.clients.filter.is_some(), app.notice().map(str::to_owned))
    };
    let refused = "stalls>3 is for clients, not for the log";
    assert_eq!(typed('5'), (false, false, Some(refused.to_owned())));
    assert!(typed('2').1);
}

#[test]
fn the_keys_that_change_the_load_say_what_becomes_of_the_stages() {
    let stages = StagesProfile::new(&[
        Stage::Hold(Duration::from_secs(1)),
        Stage::Ramp { to: 9, takes: Duration::ZERO },
    ]);
    let title = Title { stages: stages.ok(), ..Title::default() };
    let mut app = App::new(title, Access::Full);
    let mut show = |state, plan_time| {
        let sample = RunSample { state, target: 100, plan_time, ..RunSample::default() };
        app.update(Msg::Sample(Arc::new(sample)));
        [Key::Char('+'), Key::Char('p')].map(|key| {
            press(&mut app, key);
            app.notice().unwrap_or_default().to_owned()
        })
    };
    let [steered, held] = show(RunState::Running, Some(Duration::ZERO));
    assert_eq!(steered, "target 110; you steer now: the plan is off");
    assert!(held.starts_with("plan held: its clock stops"), "{held}");
    let [_, resumed] = show(RunState::Hold, Some(Duration::ZERO));
    assert_eq!(resumed, "plan resumed where it stood");
    // The operator has set a target: there is no plan to change.
    let [steered, held] = show(RunState::Running, None);
    assert!(steered.starts_with("target 1") && !steered.contains("plan"), "{steered}");
    assert!(held.starts_with("ramp held"), "{held}");
}
