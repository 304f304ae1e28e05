//! A terminal that accepts no more output, as under Ctrl-S or behind a dead connection: the run still ends on
//! request, writes its report and restores the terminal.

use rustix::process::Signal;

use crate::terminal::Terminal;

/// Cause of the run's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    Duration,
    Signal,
    Key,
}

fn end_blocked(by: By, screen: &[&str]) {
    let duration: &[&str] = if by == By::Duration { &["-d", "4s"] } else { &["-d", "600s"] };
    let mut terminal = Terminal::demo(&[duration, screen].concat());
    terminal.wait_for("RUNNING");
    terminal.block();
    match by {
        By::Duration => {}
        By::Signal => terminal.signal(Signal::TERM),
        By::Key => terminal.press("q"),
    }
    let exit_code = terminal.wait_for_exit();
    terminal.read_on();
    let ended = terminal.end();
    // `q` is a normal end even for a run with a duration.
    assert_eq!(exit_code, if by == By::Signal { 143 } else { 0 }, "{by:?} {screen:?}");
    assert_eq!(ended.report["exit"]["code"], exit_code, "{by:?} {screen:?}");
    assert_eq!(ended.report["requests"]["started"], ended.report["requests"]["finished"]);
    ended.assert_restored();
}

#[test]
fn a_screen_on_a_blocked_terminal_ends_by_duration_signal_and_key() {
    std::thread::scope(|scope| {
        for by in [By::Duration, By::Signal, By::Key] {
            scope.spawn(move || end_blocked(by, &[]));
        }
    });
}

#[test]
fn progress_lines_on_a_blocked_terminal_end_by_duration_and_signal() {
    std::thread::scope(|scope| {
        for by in [By::Duration, By::Signal] {
            scope.spawn(move || end_blocked(by, &["--no-tui"]));
        }
    });
}
