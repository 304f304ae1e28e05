//! Every way in which a run with a screen ends: the terminal is as it was, the report is on the shell.

use rustix::process::Signal;

use crate::terminal::Terminal;

fn running(options: &[&str]) -> Terminal {
    let terminal = Terminal::demo(options);
    terminal.wait_for("RUNNING");
    terminal
}

#[test]
fn q_drains_and_shift_q_stops_at_once() {
    running(&[]).quit().assert_good_end(0);
    for key in ["Q", "\x03"] {
        let mut terminal = running(&[]);
        terminal.press(key);
        terminal.end().assert_good_end(0);
    }
}

#[test]
fn a_signal_ends_the_reading_of_a_report_that_is_complete() {
    let mut terminal = running(&["-d", "60s"]);
    terminal.press("q");
    terminal.wait_for("the run has ended");
    terminal.wait_for("latency ms");
    terminal.signal(Signal::TERM);
    terminal.end().assert_good_end(0);
}

#[test]
fn a_signal_restores_the_terminal_and_keeps_its_exit_code() {
    for (signal, code) in [(Signal::TERM, 143), (Signal::HUP, 129), (Signal::INT, 130)] {
        let terminal = running(&["-d", "60s"]);
        terminal.signal(signal);
        terminal.end().assert_good_end(code);
    }
}

#[test]
fn a_run_that_ends_by_itself_restores_the_terminal() {
    running(&["-d", "5s"]).end().assert_good_end(0);
}

#[test]
fn ctrl_z_is_refused_with_a_word_and_escape_ends_nothing() {
    let mut terminal = running(&[]);
    terminal.press("\x1a");
    terminal.wait_for("^Z is off");
    // What follows an Escape at once belongs to it, as terminals send Alt with a key; the second key never does.
    terminal.press("\x1b");
    terminal.press("22");
    terminal.wait_for("worst first");
    terminal.quit().assert_good_end(0);
}
