//! Terminals that go away, accept no output, or change their size all the time: the load is not affected.

use std::thread;
use std::time::Duration;

use crate::terminal::{SIZE, Terminal};

#[test]
fn a_closed_window_ends_the_run_with_a_complete_report() {
    let terminal = Terminal::demo(&["-d", "60s"]);
    terminal.wait_for("RUNNING");
    let (exit_code, report) = terminal.close();
    assert_eq!(exit_code, 129);
    assert!(report["requests"]["segment"].as_u64().unwrap() > 0);
    assert_eq!(report["requests"]["started"], report["requests"]["finished"]);
}

#[test]
fn a_terminal_that_takes_nothing_does_not_block_the_load() {
    let mut terminal = Terminal::demo(&[]);
    terminal.wait_for("RUNNING");
    terminal.stop_reading();
    // Long enough to fill any terminal's buffer: keys cause up to twenty screens a second.
    for _ in 0..400 {
        terminal.press("12");
        thread::sleep(Duration::from_millis(20));
    }
    terminal.read_on();
    let ended = terminal.quit();
    ended.assert_good_end(0);
    assert_eq!(ended.report["playback"]["stalls"], 0);
    assert_eq!(ended.report["requests"]["started"], ended.report["requests"]["finished"]);
    // Five clients of a live stream request its playlist every target duration during those eight seconds.
    assert!(ended.report["requests"]["playlist"].as_u64().unwrap() >= 5 * 4);
}

#[test]
fn a_storm_of_resizes_leaves_a_whole_picture() {
    let terminal = Terminal::demo(&[]);
    terminal.wait_for("RUNNING");
    for step in 0..300_u16 {
        terminal.resize((1 + step * 37 % 60, 1 + step * 91 % 200));
        thread::sleep(Duration::from_millis(5));
    }
    terminal.resize(SIZE);
    terminal.wait_until("a whole picture", |screen| {
        screen.contains("RUNNING") && screen.contains("[1 Overview]") && screen.lines().count() == 24
    });
    terminal.quit().assert_good_end(0);
}

#[test]
fn a_playlist_that_no_longer_grows_is_named_in_the_view_of_the_stream() {
    let mut terminal = Terminal::demo_with(&["--fault", "playlist:stale@4s+40s"]);
    terminal.wait_for("RUNNING");
    terminal.press("8");
    terminal.wait_until("the ladder of a live stream", |screen| {
        screen.contains("━ Ladder ━") && screen.contains("live  target")
    });
    terminal.wait_until("a late playlist and its rung", |screen| {
        let named = screen.lines().find(|line| line.contains("━ Ladder ━"));
        let marked = screen.lines().any(|line| line.contains("▸✗"));
        named.is_some_and(|line| line.contains("✗ ") && line.contains(" old")) && marked
    });
    // Enter lists the clients of that rung.
    terminal.press("\r");
    terminal.wait_for("filter variant:");
    terminal.quit();
}
