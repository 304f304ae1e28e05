//! Keys that change the load, from the keyboard's bytes to the clients.

use std::thread;
use std::time::{Duration, Instant};

use crate::terminal::Terminal;

#[test]
fn three_steps_of_ten_add_thirty_clients() {
    let mut terminal = Terminal::demo_at("--ramp-rate=100", &[]);
    terminal.wait_for("RUNNING");
    terminal.press("+++");
    terminal.wait_for("35 of 35 clients");
    let ended = terminal.quit();
    ended.assert_good_end(0);
    assert_eq!(ended.report["run"]["clients_target"], 35);
    assert_eq!(ended.report["run"]["clients_peak"], 35);
}

#[test]
fn two_hundred_keys_a_second_reach_their_target_and_never_outrun_the_ramp() {
    const RATE: f64 = 20.0;
    const KEYS_PER_SECOND: u32 = 200;
    let begun = Instant::now();
    let mut terminal = Terminal::demo_at("--ramp-rate=20", &[]);
    terminal.wait_for("RUNNING");
    // Use steps of one client. Three of five keys add and two remove, so 1,000 keys end at 5 + 200.
    terminal.press("[");
    for keys in 0..1_000 {
        terminal.press(if keys % 5 < 3 { "+" } else { "-" });
        thread::sleep(Duration::from_secs(1) / KEYS_PER_SECOND);
    }
    terminal.wait_for("205 of 205 clients");
    let elapsed = begun.elapsed();
    terminal.press("Q");
    let ended = terminal.end();
    ended.assert_good_end(0);
    let run = &ended.report["run"];
    assert_eq!(run["clients_target"], 205);
    assert_eq!(ended.report["internal"]["invariant_violations"], 0);
    // The ramp limits every start, also that of a client that replaces a removed one.
    let started = run["clients_started"].as_f64().unwrap();
    assert!(started <= RATE * elapsed.as_secs_f64() + 1.0, "{started} in {elapsed:?}");
}

#[test]
fn the_focus_moves_and_a_cursor_looks_back_and_returns() {
    let mut terminal = Terminal::demo_at("--ramp-rate=100", &[]);
    terminal.wait_for("RUNNING");
    terminal.press("5");
    terminal.wait_for("━ Clients ━");
    terminal.press("\t");
    terminal.wait_for("━ The run ━");
    // Only a view with charts has a time to look at.
    terminal.press("3");
    terminal.wait_for("Every outcome");
    terminal.wait_until("three seconds", |screen| screen.contains("00:00:03"));
    terminal.press("\x1b[D");
    terminal.wait_for(" ago");
    // Escape leaves the cursor first, and the view only then.
    terminal.press("\x1b");
    terminal.wait_until("now", |screen| !screen.contains(" ago") && screen.contains("Every outcome"));
    terminal.quit().assert_good_end(0);
}

#[test]
fn an_escape_and_a_key_typed_at_once_both_act() {
    let mut terminal = Terminal::demo_at("--ramp-rate=100", &[]);
    terminal.wait_for("RUNNING");
    terminal.press("?");
    terminal.wait_for("━ Help ━");
    terminal.press("\x1b3");
    terminal.wait_for("Every outcome");
    terminal.quit().assert_good_end(0);
}
