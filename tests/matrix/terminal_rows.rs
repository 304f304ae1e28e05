//! X5, X10, X11, X22 and X27: terminals.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use portable_pty::CommandBuilder;
use rustix::process::Signal;
use rustix::termios::{Winsize, tcsetwinsize};

use crate::origin::{Answer, Origin};
use crate::program::HLSWARM;
use crate::rows::{Row, row};
use crate::streams::live_origin;
use crate::terminal::{SIZE, Terminal};

/// Returns the rows.
pub fn rows() -> Vec<Row> {
    let panic = row("X22", "a panic of a part of the program");
    #[cfg(debug_assertions)]
    let panic = panic
        .job("of the console at the eighth picture", || panicked("console:8", &[], STOPPED))
        .job("of the gauges under a console", || panicked("gauges:3", &["-d", "8s"], 1))
        .job("of the gauges without one", || panicked("gauges:3", &["--no-tui"], 1));
    #[cfg(not(debug_assertions))]
    let panic = panic.not_possible("release builds have no way to panic");
    vec![
        row("X5", "windows of every size, and a storm of sizes")
            .job("on each view", sizes)
            .job("a storm", storm),
        row("X10", "a terminal that goes away")
            .job("the run stops", || {
                let origin = live_origin();
                let terminal = console(&origin, &["-d", "600s"]);
                terminal.wait_for("RUNNING");
                let (code, report) = terminal.close();
                assert_eq!(code, 129);
                assert_whole(&report);
            })
            .job("the run goes on", || {
                let origin = live_origin();
                let terminal = console(&origin, &["-d", "600s", "--on-hangup", "continue"]);
                terminal.wait_for("RUNNING");
                let lonely = terminal.hang_up();
                let asked = origin.log.count(".ts");
                let limit = Instant::now() + Duration::from_secs(60);
                while origin.log.count(".ts") < asked + 10 {
                    assert!(Instant::now() < limit, "the load has stopped");
                    thread::sleep(Duration::from_millis(20));
                }
                lonely.signal(Signal::TERM);
                let (code, report) = lonely.end();
                assert_eq!(code, 143);
                assert_whole(&report);
            }),
        row("X11", "a terminal that takes no output")
            .job("SIGTERM", || blocked(&["-d", "600s"], |terminal| terminal.signal(Signal::TERM), 143))
            .job("q", || blocked(&[], |terminal| terminal.press("q"), 0))
            .job("lines", || blocked(&["--no-tui"], |terminal| terminal.signal(Signal::INT), 0)),
        panic,
        row("X27", "terminals and locales of every kind")
            .job("LANG=C", || {
                let shown = look(&["LANG=C", "LC_ALL=C"], "1049h");
                assert!(shown.is_ascii(), "{shown:?}");
            })
            .job("NO_COLOR", || {
                let shown = look(&["NO_COLOR=1"], "1049h");
                let is_colour = |number: &str| matches!(number.parse(), Ok(30..=38 | 40..=48 | 90..=107));
                let all = shown
                    .split("\u{1b}[")
                    .filter_map(|rest| rest.split_once('m'))
                    .map(|(numbers, _)| numbers);
                let found = all.flat_map(|numbers| numbers.split(';')).find(|number| is_colour(number));
                assert_eq!(found, None);
            })
            .job("TERM=dumb", || _ = look(&["TERM=dumb"], "RUNNING"))
            .job("no TERM", || _ = look(&["TERM="], "RUNNING"))
            .job("hostile TERM", || _ = look(&["TERM=x\u{1b}[2J"], "1049h")),
    ]
}

/// Starts a run with a screen against a live stream.
fn console(origin: &Origin, options: &[&str]) -> Terminal {
    console_with(origin, &[], options)
}

/// Starts the same with these environment variables.
fn console_with(origin: &Origin, variables: &[&str], options: &[&str]) -> Terminal {
    // The terminal sets variables of its own first.
    let mut command = CommandBuilder::new("env");
    command.args(variables);
    let url = origin.url("/m.m3u8");
    let arguments = [HLSWARM, "run", &url, "-c", "5", "--ramp-time", "0"];
    Terminal::start(command, &[&arguments, options].concat())
}

fn assert_whole(report: &serde_json::Value) {
    assert_eq!(report["requests"]["started"], report["requests"]["finished"]);
    assert!(report["requests"]["segment"].as_u64() > Some(0), "{}", report["requests"]);
}

/// Resizes the terminal of a process to rows and columns that no emulator holds.
fn resize_beyond(pid: u32, rows: u16, columns: u16) {
    let terminal = fs::File::open(format!("/proc/{pid}/fd/0")).unwrap();
    let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(terminal, size).unwrap();
}

fn sizes() {
    let origin = live_origin();
    let mut terminal = console(&origin, &[]);
    terminal.wait_for("RUNNING");
    for view in ["1", "2", "3", "4", "5", "z", "?"] {
        terminal.press(view);
        for size in [(1, 1), (1, 500), (200, 1), (3, 30), (9, 40), (10, 39), (200, 500)] {
            terminal.resize(size);
            thread::sleep(Duration::from_millis(20));
        }
        for (rows, columns) in [(0, 0), (u16::MAX, 1), (1, u16::MAX), (u16::MAX, u16::MAX)] {
            resize_beyond(terminal.pid(), rows, columns);
            thread::sleep(Duration::from_millis(20));
        }
    }
    terminal.resize(SIZE);
    terminal.press("\u{1b}");
    // A key right after an Escape belongs to it.
    thread::sleep(Duration::from_millis(100));
    terminal.press("1");
    terminal.wait_for("RUNNING");
    terminal.quit().assert_good_end(0);
}

/// Changes the size of the window all the time for some seconds, and says so even more often.
fn storm() {
    const STORM: Duration = Duration::from_secs(4);
    /// Signals of a storm: on a busy machine it lasts longer.
    const SIGNALS: u32 = 4_000;
    /// Clears of the whole screen: each begins a picture of a new size.
    const CLEAR: &str = "\u{1b}[2J";
    /// Most pictures of a new size in a second.
    const MOST: f64 = 4.0;
    let origin = live_origin();
    let mut terminal = console(&origin, &[]);
    terminal.wait_for("RUNNING");
    let count = |terminal: &Terminal| terminal.bytes().matches(CLEAR).count();
    let (before, begun, mut signals) = (count(&terminal), Instant::now(), 0);
    while begun.elapsed() < STORM || signals < SIGNALS {
        terminal.resize(if signals % 200 == 0 { (30, 100) } else { SIZE });
        (0..100).for_each(|_| terminal.signal(Signal::WINCH));
        signals += 100;
    }
    terminal.resize(SIZE);
    terminal.press("2");
    terminal.wait_for("worst first");
    let (drawn, elapsed) = (count(&terminal) - before, begun.elapsed().as_secs_f64());
    assert!(drawn > 0, "no picture of a new size");
    assert!(drawn as f64 <= MOST * elapsed + 2.0, "{drawn} pictures of a new size in {elapsed} s");
    let asked = origin.log.count(".ts");
    terminal.wait_until("further segments", |_| origin.log.count(".ts") > asked + 5);
    terminal.quit().assert_good_end(0);
}

fn blocked(options: &[&str], end: fn(&mut Terminal), code: u32) {
    let origin = live_origin();
    let mut terminal = console(&origin, options);
    terminal.wait_for("RUNNING");
    terminal.block();
    let asked = origin.log.count(".ts");
    terminal.wait_until("further segments", |_| origin.log.count(".ts") > asked + 5);
    end(&mut terminal);
    assert_eq!(terminal.wait_for_exit(), code);
    terminal.read_on();
    let ended = terminal.end();
    assert_whole(&ended.report);
    ended.assert_restored();
}

/// Shows a stream in the view of errors until the screen contains `sign`. The stream has this playlist, if any, and
/// answers all other requests with `answer`: whatever that holds, it must not act on the terminal.
pub fn errors_view(playlist: Option<String>, answer: &Answer, sign: &str) {
    let answer = answer.clone();
    let origin = Origin::start(move |asked| match &playlist {
        Some(list) if asked.is_playlist() => Answer::playlist(list.clone()),
        _ => answer.clone(),
    });
    let mut terminal = console(&origin, &["--skip-preflight", "--player", "persistent"]);
    terminal.wait_for("RUNNING");
    terminal.press("3");
    terminal.wait_for(sign);
    terminal.press("Q");
    let ended = terminal.end();
    ended.assert_restored();
    for hostile in ["\u{1b}]52;c;ZXZpbA", "\u{202e}", "\u{9b}"] {
        assert!(!ended.bytes.contains(hostile), "{hostile:?} was written to the terminal");
    }
}

/// Runs with these variables until the output contains `sign`; returns all output.
fn look(variables: &[&str], sign: &str) -> String {
    let origin = live_origin();
    let terminal = console_with(&origin, variables, &[]);
    terminal.wait_until_bytes(sign, |bytes| bytes.contains(sign));
    terminal.wait_for("RUNNING");
    let has_screen = terminal.bytes().contains("1049h");
    assert_eq!(has_screen, sign == "1049h", "a screen");
    terminal.signal(Signal::INT);
    let ended = terminal.end();
    assert_eq!(ended.exit_code, 0, "{}", ended.bytes);
    ended.assert_restored();
    assert_whole(&ended.report);
    ended.bytes
}

/// Panics that are counted when the console is lost: its own.
#[cfg(debug_assertions)]
const STOPPED: u64 = 1;

/// Panics at this place; the run must count `panics` of them, and end with a whole report.
#[cfg(debug_assertions)]
fn panicked(place: &str, options: &[&str], panics: u64) {
    let origin = live_origin();
    let variable = format!("HLSWARM_PANIC={place}");
    let options: &[&str] = if options.is_empty() { &["-d", "600s"] } else { options };
    let message = format!("asked for at {}", place.replace(':', " "));
    let terminal = console_with(&origin, &[&variable], options);
    if options.contains(&"--no-tui") {
        // The message has the stack, which takes an unoptimised program some time.
        terminal.wait_until_bytes(&message, |bytes| bytes.contains(&message));
        terminal.signal(Signal::INT);
    }
    let ended = terminal.end();
    assert_eq!(ended.exit_code, 70, "{}", ended.bytes);
    ended.assert_restored();
    assert_eq!(ended.report["exit"]["code"], 70);
    assert_eq!(ended.report["internal"]["panics"], panics, "{}", ended.report["internal"]);
    assert!(ended.bytes.contains(&message), "{}", ended.bytes);
    assert_whole(&ended.report);
}
