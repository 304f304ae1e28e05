//! Events that a run survives: a closed window, a stop from outside, a start in the background, and its own panic.

use std::path::Path;
use std::thread;
use std::time::Duration;

use portable_pty::CommandBuilder;
use rustix::process::Signal;

use crate::terminal::{Terminal, cpu_time, state};

/// Escape sequence that enters the alternate screen.
const ENTER: &str = "\x1b[?1049h";

fn hlswarm() -> CommandBuilder {
    CommandBuilder::new(env!("CARGO_BIN_EXE_hlswarm"))
}

#[test]
fn a_run_that_may_go_on_without_its_window_does_so_quietly() {
    const LOOK: Duration = Duration::from_secs(3);
    let terminal = Terminal::demo(&["-d", "60s", "--on-hangup", "continue"]);
    terminal.wait_for("RUNNING");
    let with_a_screen = cpu_within(terminal.pid(), LOOK);
    let lonely = terminal.hang_up();
    // By then the kernel has reported the hang-up and the console has noticed.
    thread::sleep(Duration::from_secs(1));
    let alone = cpu_within(lonely.pid(), LOOK);
    // The load is the same, without screens. A busy loop around a closed terminal would take a whole core, or its
    // share of one on a busy machine; a tenth of a core is more than two measurements differ by.
    let limit = with_a_screen * 3 / 2 + LOOK / 10;
    assert!(alone < limit, "{alone:?} of CPU, and {with_a_screen:?} with a screen");
    lonely.signal(Signal::TERM);
    let (exit_code, report) = lonely.end();
    assert_eq!(exit_code, 143);
    assert!(report["run"]["duration_s"].as_f64().unwrap() > 2.0 * LOOK.as_secs_f64());
    assert_eq!(report["requests"]["started"], report["requests"]["finished"]);
}

/// A test that fails drops its program, which must not load this machine on.
#[test]
fn a_dropped_program_is_killed_even_if_it_may_go_on_without_its_window() {
    let is_running = |pid: u32| Path::new(&format!("/proc/{pid}")).exists();
    let start = || {
        let terminal = Terminal::demo(&["-d", "60s", "--on-hangup", "continue"]);
        terminal.wait_for("RUNNING");
        terminal
    };
    let terminal = start();
    let pid = terminal.pid();
    assert!(is_running(pid));
    drop(terminal);
    assert!(!is_running(pid), "with its window");
    let lonely = start().hang_up();
    let pid = lonely.pid();
    assert!(is_running(pid));
    drop(lonely);
    assert!(!is_running(pid), "without a window");
}

fn cpu_within(pid: u32, time: Duration) -> Duration {
    let before = cpu_time(pid);
    thread::sleep(time);
    cpu_time(pid) - before
}

#[test]
fn reports_are_written_on_request_while_the_run_goes_on() {
    let terminal = Terminal::demo(&[]);
    terminal.wait_for("RUNNING");
    terminal.signal(Signal::USR1);
    terminal.wait_for_report();
    let so_far = terminal.report();
    assert_eq!(so_far["exit"]["reasons"][0], "interim report: the run goes on");
    assert!(so_far["requests"]["segment"].as_u64().unwrap() > 0);
    let ended = terminal.quit();
    ended.assert_good_end(0);
    assert!(ended.report["run"]["duration_s"].as_f64() > so_far["run"]["duration_s"].as_f64());
}

#[test]
fn after_a_stop_from_outside_the_screen_is_taken_over_again() {
    let terminal = Terminal::demo(&[]);
    terminal.wait_for("RUNNING");
    terminal.signal(Signal::STOP);
    terminal.wait_until("a stopped process", |_| state(terminal.pid()) == "T");
    let before = terminal.bytes().matches(ENTER).count();
    terminal.signal(Signal::CONT);
    terminal.wait_until_bytes("the screen once more", |bytes| bytes.matches(ENTER).count() > before);
    terminal.wait_for("RUNNING");
    terminal.quit().assert_good_end(0);
}

#[test]
fn in_the_background_there_is_no_screen_and_nothing_stops() {
    let mut command = CommandBuilder::new("sh");
    let program = env!("CARGO_BIN_EXE_hlswarm");
    command.args([
        "-c",
        &format!("set -m; {program} demo --allow-untrusted --healthy -c 3 --ramp-time 0 -d 4s & wait $!; echo code $?"),
    ]);
    let ended = Terminal::start_plain(command).end();
    assert!(ended.bytes.contains("code 0"), "{}", ended.bytes);
    assert!(ended.bytes.contains("RUNNING") && !ended.bytes.contains(ENTER), "{}", ended.bytes);
}

#[test]
#[cfg(debug_assertions)]
fn a_panic_of_the_console_restores_the_terminal_stops_the_run_and_is_told() {
    let mut command = hlswarm();
    command.env("HLSWARM_PANIC", "console:8");
    let terminal =
        Terminal::start(command, &["demo", "--healthy", "-c", "5", "--ramp-time", "0", "-d", "60s"]);
    let ended = terminal.end();
    assert_eq!(ended.exit_code, 70, "{}", ended.bytes);
    ended.assert_restored();
    assert!(ended.printed().contains("asked for at console 8"), "{}", ended.printed());
    assert_eq!(ended.report["requests"]["started"], ended.report["requests"]["finished"]);
    assert_eq!(ended.report["exit"]["code"], 70);
}

#[test]
#[cfg(debug_assertions)]
fn a_panic_of_a_client_leaves_the_screen_and_the_other_clients_alone() {
    let mut command = hlswarm();
    command.env("HLSWARM_PANIC", "client:3");
    let terminal = Terminal::start(command, &["demo", "--healthy", "-c", "5", "--ramp-time", "0"]);
    terminal.wait_for("RUNNING");
    terminal
        .wait_until("an internal fault", |screen| screen.contains("internal") || screen.contains("panic"));
    let ended = terminal.quit();
    assert_eq!(ended.exit_code, 70, "{}", ended.bytes);
    ended.assert_restored();
    let (screen, told) = ended.bytes.split_once(ended.printed()).unwrap();
    assert!(!screen.contains("asked for at client 3") && told.is_empty(), "{screen}");
    assert!(ended.printed().contains("asked for at client 3"), "{}", ended.printed());
    assert_eq!(ended.report["internal"]["panics"], 1);
    assert_eq!(ended.report["requests"]["started"], ended.report["requests"]["finished"]);
    assert!(ended.report["playback"]["started"].as_u64().unwrap() >= 4);
}
