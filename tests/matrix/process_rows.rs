//! X: signals, streams, terminals, disks and limits of this machine.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use portable_pty::CommandBuilder;
use rustix::fs::{CWD, Mode, mkfifoat};
use rustix::process::{Pid, Signal, kill_process};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::expectations::{assert_common, assert_sound};
use crate::origin::{Answer, Origin, Step};
use crate::program::{Ended, HLSWARM, Program, Start, folder};
use crate::rows::{Row, row};
use crate::streams::live;
use crate::terminal::{SIZE, Terminal};

/// Returns the rows.
pub fn rows() -> Vec<Row> {
    [signals(), terminals(), streams(), files(), limits(), faults()].into_iter().flatten().collect()
}

/// Starts an origin of a live stream.
fn live_origin() -> Origin {
    let begun = Instant::now();
    Origin::start(move |asked| match asked.is_playlist() {
        true => Answer::playlist(live(10 + begun.elapsed().as_secs())),
        false => Answer::segment(),
    })
}

/// Starts the same with segments that never come.
fn silent_origin() -> Origin {
    Origin::start(|asked| match asked.is_playlist() {
        true => Answer::playlist(live(10)),
        false => Answer::default().then(Step::Silence),
    })
}

fn five(origin: &Origin) -> Start {
    Start::run(&origin.url("/m.m3u8")).with(&["-c", "5", "--ramp-time", "0"])
}

/// Waits until segments were requested.
fn wait_for_segments(program: &mut Program, origin: &Origin) {
    assert!(program.wait_until("segments", |_| origin.log.count(".ts") >= 5), "it ended early");
}

/// Sends a signal while segments are loaded; returns the run, whose report must be whole.
fn signalled(signal: Signal, options: &[&str]) -> Ended {
    let origin = live_origin();
    let mut program = five(&origin).with(options).start();
    wait_for_segments(&mut program, &origin);
    program.signal(signal);
    let run = program.end();
    assert_common(&run, 5);
    assert!(run.count("/requests/segment") >= 5);
    run
}

fn in_the_ramp(signal: Signal, code: i32) {
    let origin = live_origin();
    let options = ["-c", "1000", "--ramp-rate", "2", "-d", "600s"];
    let mut program = Start::run(&origin.url("/m.m3u8")).with(&options).start();
    wait_for_segments(&mut program, &origin);
    program.signal(signal);
    let run = program.end();
    assert_common(&run, 1_000);
    run.assert_exit_code(code);
    assert!(run.count("/run/clients_started") < 1_000, "no client starts after the signal");
}

/// Interrupts a run whose segments never come; returns its end.
fn interrupted(times: usize) -> Ended {
    let origin = silent_origin();
    let mut program = five(&origin).with(&["-d", "600s"]).start();
    wait_for_segments(&mut program, &origin);
    for _ in 0..times {
        program.signal(Signal::INT);
        // Two signals that wait become one.
        program.wait_until("the drain", |program| program.read("stderr").contains("DRAINING"));
    }
    program.end()
}

/// Stops the process for a while.
fn paused(signal: Signal) {
    let origin = live_origin();
    let mut program = five(&origin).start();
    wait_for_segments(&mut program, &origin);
    program.signal(signal);
    program.wait_until("a stopped process", |program| {
        let stat = fs::read_to_string(format!("/proc/{}/stat", program.pid())).unwrap();
        stat.rsplit_once(')').unwrap().1.trim_start().starts_with('T')
    });
    let loaded = origin.log.count("m3u8");
    thread::sleep(Duration::from_secs(2));
    program.signal(Signal::CONT);
    assert!(program.wait_until("reloads", |_| origin.log.count("m3u8") >= loaded + 10));
    program.signal(Signal::INT);
    let run = program.end();
    assert_common(&run, 5);
    run.assert_exit_code(0);
    assert_eq!(run.outcomes(), ["ok"]);
}

fn signals() -> Vec<Row> {
    vec![
        row("X1", "SIGINT")
            .job("before the end of the duration", || {
                signalled(Signal::INT, &["-d", "600s"]).assert_exit_code(130)
            })
            .job("without a duration", || signalled(Signal::INT, &[]).assert_exit_code(0))
            .job("in the ramp", || in_the_ramp(Signal::INT, 130)),
        row("X2", "SIGINT again")
            .job("twice", || {
                let run = interrupted(2);
                assert_common(&run, 5);
                run.assert_exit_code(130);
                assert_eq!(run.count("/outcomes/cut"), 5, "what was in flight is cut");
            })
            // Whether the report is written before the third one arrives is open.
            .job("ten times", || interrupted(10).assert_exit_code(130)),
        row("X3", "SIGTERM and SIGHUP")
            .job("SIGTERM", || signalled(Signal::TERM, &["-d", "600s"]).assert_exit_code(143))
            .job("SIGTERM in the ramp", || in_the_ramp(Signal::TERM, 143))
            .job("SIGHUP", || signalled(Signal::HUP, &["-d", "600s"]).assert_exit_code(129)),
        row("X4", "a stopped and continued process")
            .job("SIGTSTP", || paused(Signal::TSTP))
            .job("SIGSTOP", || paused(Signal::STOP))
            .not_possible("not yet: a masked interval and the verdict on the generator are being built"),
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

fn terminals() -> Vec<Row> {
    vec![
        row("X5", "windows of every size").job("on each view", sizes),
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

/// Runs with these variables until the output contains `sign`; returns all output.
fn look(variables: &[&str], sign: &str) -> String {
    let origin = live_origin();
    let terminal = console_with(&origin, variables, &[]);
    terminal.wait_until_bytes(sign, |bytes| bytes.contains(sign));
    terminal.wait_until_bytes("a picture", |bytes| bytes.contains("RUNNING"));
    let has_screen = terminal.bytes().contains("1049h");
    assert_eq!(has_screen, sign == "1049h", "a screen");
    terminal.signal(Signal::INT);
    let ended = terminal.end();
    assert_eq!(ended.exit_code, 0, "{}", ended.bytes);
    ended.assert_restored();
    assert_whole(&ended.report);
    ended.bytes
}

/// Runs two seconds of a live stream in a shell, in which `"$0" "$@"` is the program.
fn in_shell(script: &str, reports: bool) -> Ended {
    let origin = live_origin();
    let url = origin.url("/m.m3u8");
    let start =
        Start::shell(script, &[HLSWARM, "run", &url, "--no-tui", "-c", "3", "--ramp-time", "0", "-d", "3s"]);
    if reports { start.reports().record().end() } else { start.end() }
}

fn streams() -> Vec<Row> {
    let closed = |label: &'static str, script: &'static str| {
        (label, move || {
            let run = in_shell(script, true);
            assert_common(&run, 3);
            run.assert_exit_code(0);
            assert!(!run.output("report.json").contains("RUNNING") && run.count("/requests/segment") >= 3);
        })
    };
    let all = [
        closed("standard output", "exec \"$0\" \"$@\" >&-"),
        closed("standard error", "exec \"$0\" \"$@\" 2>&-"),
        closed("both", "exec \"$0\" \"$@\" >&- 2>&-"),
        closed("all three", "exec \"$0\" \"$@\" <&- >&- 2>&-"),
        closed("a full disk", "exec \"$0\" \"$@\" >/dev/full"),
        closed("head -1", "{ \"$0\" \"$@\" 2>&1; echo $? >code; } | head -1; exit $(cat code)"),
    ];
    let closed = all
        .into_iter()
        .fold(row("X8", "standard streams that are closed"), |row, (label, job)| row.job(label, job));
    vec![
        closed.job("a full disk and no file", || {
            in_shell("exec \"$0\" \"$@\" >/dev/full", false).assert_exit_code(6)
        }),
        row("X9", "no terminal")
            .job("standard input from /dev/null", || {
                let origin = live_origin();
                let url = origin.url("/m.m3u8");
                let run = Start::of(&[HLSWARM, "run", &url, "-c", "2", "-d", "3s"]).reports().record().end();
                assert_common(&run, 2);
                run.assert_exit_code(0);
                assert!(run.output("stderr").contains("RUNNING"), "lines instead of a screen");
            })
            .job("standard input closed", || {
                in_shell("exec \"$0\" \"$@\" <&-", true).assert_exit_code(0);
            }),
    ]
}

/// Runs with `options` in a folder that is prepared by `prepare`, under a limit of 2 kB for files.
fn with_small_files(options: &[&str], prepare: impl FnOnce(&Path)) -> Ended {
    let origin = live_origin();
    let url = origin.url("/m.m3u8");
    let line = [HLSWARM, "run", &url, "--no-tui", "-c", "3", "--ramp-time", "0", "-d", "4s"];
    let start = Start::shell("ulimit -f 4 && exec \"$0\" \"$@\"", &line).with(options);
    prepare(start.folder());
    start.end()
}

fn paths() {
    let origin = live_origin();
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("old.json"), "old").unwrap();
    fs::create_dir(at("folder.json")).unwrap();
    for fifo in ["fifo.json", "fifo.ndjson"] {
        mkfifoat(CWD, at(fifo), Mode::RWXU).unwrap();
    }
    fs::write(at("target.json"), "precious").unwrap();
    let run = |options: &[&str], code: i32| {
        let url = origin.url("/m.m3u8");
        let load = [HLSWARM, "run", &url, "--no-tui", "-c", "1", "-d", "1s"];
        let before = origin.log.requests().len();
        let run =
            Start::of(&load).with(options).change(|command| _ = command.current_dir(folder.path())).end();
        assert_eq!(run.exit_code(), Some(code), "{options:?}: {}", run.output("stderr"));
        if code == 2 {
            assert_eq!(run.output("stderr").lines().count(), 1, "{options:?}: one line");
            assert_eq!(origin.log.requests().len(), before, "{options:?}: nothing is sent");
        }
    };
    run(&["--report", "folder.json"], 2);
    run(&["--report", "fifo.json"], 2);
    run(&["--report", "none/x.json"], 2);
    run(&["--report", "x.pdf"], 2);
    run(&["--record", "folder.json"], 2);
    run(&["--record", "fifo.ndjson"], 2);
    run(&["--report", "same.json", "--record", "same.json"], 2);
    assert_eq!(fs::read_to_string(at("target.json")).unwrap(), "precious");
    run(&["--report", "old.json"], 0);
    assert!(fs::read_to_string(at("old.json")).unwrap().starts_with('{'), "the report replaces an older one");
}

fn files() -> Vec<Row> {
    vec![
        row("X12", "a record that cannot be written")
            .job("a full disk", || {
                let origin = live_origin();
                let run =
                    Start::of(&[HLSWARM, "run", &origin.url("/m.m3u8"), "--no-tui", "-c", "3", "-d", "4s"])
                        .reports()
                        .with(&["--record", "/dev/full"])
                        .end();
                assert_common(&run, 3);
                run.assert_exit_code(6);
                let reasons = run.report["exit"]["reasons"].to_string();
                assert!(reasons.contains("/dev/full: No space left on device"), "{reasons}");
                assert!(run.count("/requests/segment") >= 3, "the run goes on");
                assert_eq!(run.report["pipeline"]["record"]["complete"], false);
            })
            .job("a limit of file sizes", || {
                let run = with_small_files(&["--record", "record.ndjson"], |_| {});
                assert_eq!(run.killed_by(), None, "SIGXFSZ");
                run.assert_exit_code(6);
                assert!(run.output("stderr").contains("File too large"), "{}", run.output("stderr"));
            }),
        row("X13", "a report that cannot be written")
            .job("a limit of file sizes", || {
                let run = with_small_files(&["--report", "report.txt", "--report", "big.json"], |folder| {
                    fs::write(folder.join("big.json"), "old").unwrap();
                });
                run.assert_exit_code(6);
                assert_eq!(run.output("big.json"), "old", "the old report is kept, and no half one is left");
                assert_eq!(run.files_with(".part"), 0, "no temporary file is left");
                assert!(
                    run.output("stderr").contains("big.json: File too large"),
                    "{}",
                    run.output("stderr")
                );
            })
            .job("a folder that is removed", || {
                let origin = live_origin();
                let start = five(&origin).with(&["--report", "lost/x.json"]);
                fs::create_dir(start.folder().join("lost")).unwrap();
                let mut program = start.start();
                wait_for_segments(&mut program, &origin);
                fs::remove_dir(program.path("lost")).unwrap();
                program.signal(Signal::INT);
                let run = program.end();
                assert_common(&run, 5);
                run.assert_exit_code(6);
                assert!(run.report["exit"]["reasons"].to_string().contains("lost/x.json"));
            }),
        row("X14", "paths that are no plain files").job("each kind", paths),
        row("X26", "two runs with one record").job("the second is refused", || {
            let origin = live_origin();
            let folder = folder();
            let record = folder.path().join("shared.ndjson");
            let record = ["--record", record.to_str().unwrap()];
            let url = origin.url("/m.m3u8");
            let load = [HLSWARM, "run", &url, "--no-tui", "-c", "2", "--ramp-time", "0"];
            let mut first = Start::of(&load).with(&record).reports().start();
            assert!(first.wait_until("segments", |_| origin.log.count(".ts") > 0));
            let second = Start::of(&load).with(&record).end();
            assert_eq!(second.exit_code(), Some(2), "{}", second.output("stderr"));
            assert!(second.output("stderr").contains("another process is recording"));
            first.signal(Signal::INT);
            assert_common(&first.end(), 2);
            let text = fs::read_to_string(record[1]).unwrap();
            assert!(text.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()));
        }),
    ]
}

/// Runs under limits of the shell; returns the run and the number of requests that the origin saw.
fn limited(limits: &str, clients: &str) -> (Ended, usize) {
    let origin = live_origin();
    let url = origin.url("/m.m3u8");
    let line = [HLSWARM, "run", &url, "--no-tui", "-c", clients, "--ramp-time", "0", "-d", "3s"];
    let run = Start::shell(&format!("{limits} && exec \"$0\" \"$@\""), &line).reports().record().end();
    (run, origin.log.requests().len())
}

fn refused(limits: &str, clients: &str, words: &str) {
    let (run, requests) = limited(limits, clients);
    run.assert_exit_code(5);
    let said = run.output("stderr");
    assert!(said.lines().count() == 1 && said.contains(words), "{said}");
    assert_eq!(requests, 0, "nothing is sent");
    assert!(run.report.is_null(), "nothing is reported");
}

/// Runs with ever larger address spaces: each run is refused in one line, or runs.
fn address_spaces() {
    let fits = |mebibytes: u32| {
        let limit = format!("ulimit -v {} && exec \"$0\" \"$@\"", mebibytes * 1_024);
        Start::shell(&limit, &[HLSWARM, "--version"]).end().exit_code() == Some(0)
    };
    let least = (4..600).step_by(8).find(|size| fits(*size)).unwrap();
    let mut refused = 0;
    for size in (0..8).map(|step| least + 5 * step) {
        let (run, _) = limited(&format!("ulimit -v {}", size * 1_024), "1");
        match run.exit_code() {
            Some(5) => {
                let said = run.output("stderr");
                assert!(said.lines().count() == 1 && said.contains("preflight"), "{size} MiB: {said}");
                refused += 1;
            }
            code => assert_eq!(code, Some(0), "{size} MiB: {}", run.output("stderr")),
        }
    }
    assert!(refused > 0, "no size was too small");
}

fn limits() -> Vec<Row> {
    vec![
        row("X15", "few open files")
            .job("64 for a thousand", || {
                refused("ulimit -n 64", "1000", "1,000 clients need 1,064 open files")
            })
            .job("256 for a thousand", || refused("ulimit -n 256", "1000", "may open 256"))
            .job("a soft limit is raised", || {
                let (run, _) = limited("ulimit -Sn 64 && ulimit -Hn 1000", "300");
                assert_common(&run, 300);
                run.assert_exit_code(0);
                assert_eq!(run.count("/run/clients_peak"), 300);
            }),
        row("X16", "no memory for threads").job("address spaces", address_spaces),
        clocks(),
        row("X19", "a machine that is suspended")
            .not_possible("a test cannot suspend its machine; row X4 stops the process instead"),
        row("X20", "a machine without CPU time")
            .not_possible("not yet: the gauges of the generator and their verdict are being built"),
    ]
}

/// Source of a library that shifts the wall clock of a program, and no other clock, once a file is there.
const CLOCK: &str = r#"
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *time) {
  int result = (int)syscall(SYS_clock_gettime, clock, time);
  if (result == 0 && clock == CLOCK_REALTIME && access("shifted", F_OK) == 0)
    time->tv_sec += atol(getenv("MATRIX_SHIFT"));
  return result;
}
"#;

/// Shifts the wall clock by these seconds while segments are loaded.
fn shifted(seconds: &str) {
    let origin = live_origin();
    let start = five(&origin).env("MATRIX_SHIFT", seconds).env("LD_PRELOAD", "./clock.so");
    fs::write(start.folder().join("clock.c"), CLOCK).unwrap();
    let mut compile = Command::new("cc");
    compile.args(["-shared", "-fPIC", "-o", "clock.so", "clock.c"]).current_dir(start.folder());
    assert!(compile.status().unwrap().success());
    let mut program = start.start();
    wait_for_segments(&mut program, &origin);
    fs::write(program.path("shifted"), "").unwrap();
    let loaded = origin.log.count("m3u8");
    assert!(program.wait_until("reloads", |_| origin.log.count("m3u8") >= loaded + 10));
    program.signal(Signal::INT);
    let run = program.end();
    assert_common(&run, 5);
    run.assert_exit_code(0);
    assert_eq!(run.outcomes(), ["ok"]);
    assert!(run.number("/run/duration_s") < 1_000.0, "{}", run.report["run"]);
    for (name, times) in run.report["latency_us"].as_object().unwrap() {
        assert!(times["max"].as_u64() < Some(1_000_000_000), "{name}: {times}");
    }
}

fn clocks() -> Row {
    let row = row("X18", "a wall clock that jumps");
    if !Command::new("cc")
        .arg("--version")
        .stdout(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
    {
        return row.not_possible("no C compiler (cc) for the library that shifts a program's clock");
    }
    row.job("forward by an hour", || shifted("3600"))
        .job("back by an hour", || shifted("-3600"))
        .job("to 1970", || shifted("-1767225600"))
}

/// Returns the processes that any thread of a process has started.
fn children(pid: u32) -> Vec<i32> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).unwrap().map(|task| task.unwrap().path());
    let lists = tasks.map(|task| fs::read_to_string(task.join("children")).unwrap_or_default());
    lists.collect::<String>().split_whitespace().map(|child| child.parse().unwrap()).collect()
}

fn lost_origin() {
    let load = [HLSWARM, "demo", "--no-tui", "--healthy", "-c", "3", "--ramp-time", "0", "-d", "8s"];
    let mut program = Start::of(&load).reports().record().start();
    program.wait_until_it_said("RUNNING");
    let child = children(program.pid())[0];
    kill_process(Pid::from_raw(child).unwrap(), Signal::KILL).unwrap();
    let run = program.end();
    assert_common(&run, 3);
    run.assert_exit_codes(&[0, 3]);
    assert!(run.outcomes().contains(&"conn.refused"), "{:?}", run.outcomes());
    assert!(run.output("stderr").contains("origin did not report its counts"), "{}", run.output("stderr"));
}

#[cfg(debug_assertions)]
fn panic_of_a_client() {
    let origin = live_origin();
    let mut program = five(&origin).env("HLSWARM_PANIC", "client:3").start();
    assert!(program.wait_until("players", |program| {
        program.read("record.ndjson").matches("\"to\":\"playing\"").count() >= 4
    }));
    program.signal(Signal::INT);
    let run = program.end();
    assert_sound(&run);
    run.assert_exit_code(70);
    assert_eq!(run.count("/internal/panics"), 1);
    assert!(run.count("/playback/started") >= 4, "the other clients play");
    assert!(run.output("stderr").contains("client 3"), "{}", run.output("stderr"));
}

#[cfg(debug_assertions)]
fn panic_of_the_console() {
    let origin = live_origin();
    let ended = console_with(&origin, &["HLSWARM_PANIC=console:8"], &["-d", "600s"]).end();
    assert_eq!(ended.exit_code, 70, "{}", ended.bytes);
    ended.assert_restored();
    assert_eq!(ended.report["exit"]["code"], 70);
    assert_whole(&ended.report);
}

fn faults() -> Vec<Row> {
    let (client, console) = (row("X21", "a panic of a client"), row("X22", "a panic of the console"));
    #[cfg(debug_assertions)]
    let (client, console) = (
        client.job("the third", panic_of_a_client),
        console.job("at the eighth picture", panic_of_the_console),
    );
    #[cfg(not(debug_assertions))]
    let [client, console] =
        [client, console].map(|row| row.not_possible("release builds have no way to panic"));
    vec![
        row("X7", "a child that is killed").job("the origin of demo", lost_origin).not_possible(
            "clients are no processes of their own, so that none can be started again; the origin of demo is a child",
        ),
        client,
        console,
        row("X23", "a port that is taken")
            .job("the origin's", || {
                let taken = TcpListener::bind("127.0.0.1:0").unwrap();
                let run = Start::of(&[HLSWARM, "origin", "--listen", &taken.local_addr().unwrap().to_string()]).end();
                run.assert_exit_code(5);
                let said = run.output("stderr");
                assert!(said.lines().count() == 1 && said.contains("Address already in use"), "{said}");
            })
            .not_possible("there is no port for metrics or an API; only the built-in origin listens"),
    ]
}
