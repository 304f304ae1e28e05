//! All ways in which a run with a screen ends: the terminal is restored, and the report is printed on the shell.

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
    terminal.wait_for("page 1 of");
    terminal.signal(Signal::TERM);
    terminal.end().assert_good_end(0);
}

#[test]
fn a_signal_restores_the_terminal_and_keeps_its_exit_code() {
    let killers = [(Signal::QUIT, 131), (Signal::USR2, 140), (Signal::ALARM, 142), (Signal::PROF, 155)];
    for (signal, code) in
        [(Signal::TERM, 143), (Signal::HUP, 129), (Signal::INT, 130)].into_iter().chain(killers)
    {
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
    terminal.wait_for("Ctrl-Z is disabled");
    terminal.press("\x1b");
    terminal.press("2");
    terminal.wait_for("worst first");
    terminal.quit().assert_good_end(0);
}

#[test]
fn the_title_of_the_window_is_put_back() {
    let ended = running(&[]).quit();
    ended.assert_good_end(0);
    let place = |bytes: &str| ended.bytes.find(bytes).unwrap_or_else(|| panic!("{bytes:?} was not written"));
    assert!(place("\x1b[22;0t") < place("\x1b]0;hlswarm\x07"), "kept before it is replaced");
    assert!(place("\x1b]0;\x07") < place("\x1b[23;0t"), "empty where a terminal keeps none");
    assert_eq!(ended.bytes.matches("\x1b[22;0t").count(), ended.bytes.matches("\x1b[23;0t").count());
}

#[test]
fn a_stopped_process_leaves_the_terminal_to_the_shell_and_takes_it_back() {
    let terminal = running(&[]);
    terminal.signal(Signal::TSTP);
    terminal.wait_until_bytes("the end of the screen", |bytes| bytes.contains("\x1b[?1049l"));
    terminal.wait_until_stopped();
    terminal.assert_cooked();
    terminal.signal(Signal::CONT);
    terminal.wait_until_bytes("the screen once more", |bytes| bytes.matches("\x1b[?1049h").count() == 2);
    terminal.wait_for("RUNNING");
    terminal.quit().assert_good_end(0);
}

#[test]
fn a_closed_window_lets_what_is_in_flight_finish() {
    let terminal = Terminal::demo_with(&["--fault", "segment:delay=2s", "-d", "600s"]);
    terminal.wait_for("RUNNING");
    let (exit_code, report) = terminal.close();
    assert_eq!(exit_code, 129);
    assert_eq!(report["outcomes"]["cut"], serde_json::Value::Null, "{}", report["outcomes"]);
}
