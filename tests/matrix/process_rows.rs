//! X1 to X4, X7 to X9, X20, X21 and X23: signals, standard streams, children and panics. Rows of terminals, files and
//! limits are in `terminal_rows.rs` and `machine_rows.rs`.

use std::fs;
use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::thread;
use std::time::Duration;

use rustix::process::{Signal, kill_process};
use serde_json::Value;

use crate::expectations::assert_common;
#[cfg(debug_assertions)]
use crate::expectations::assert_sound;
use crate::origin::{Answer, Origin, Step};
use crate::program::{Ended, HLSWARM, Program, Start, children};
use crate::rows::{Row, row};
use crate::streams::{live, live_origin};

/// Time that requests in flight have after the first signal, in seconds.
const GRACE_S: f64 = 5.0;
/// Longest time beyond it until the last client has left.
const BEYOND_S: f64 = 5.0;

/// Returns the rows.
pub fn rows() -> Vec<Row> {
    [signals(), streams(), faults()].into_iter().flatten().collect()
}

/// Starts an origin of a live stream whose segments never come.
fn silent_origin() -> Origin {
    Origin::start(|asked| match asked.is_playlist() {
        true => Answer::playlist(live(10)),
        false => Answer::default().then(Step::Silence),
    })
}

/// Prepares a run of five clients.
pub fn five(origin: &Origin) -> Start {
    Start::run(&origin.url("/m.m3u8")).with(&["-c", "5", "--ramp-time", "0"])
}

/// Waits until segments were requested for each of five clients.
pub fn wait_for_segments(program: &mut Program, origin: &Origin) {
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
    assert_drained_in_time(&run);
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
    assert_drained_in_time(&run);
}

/// Interrupts a run without a duration, whose segments never come; returns its end.
fn interrupted(times: usize) -> Ended {
    let origin = silent_origin();
    let mut program = five(&origin).start();
    wait_for_segments(&mut program, &origin);
    for _ in 0..times {
        program.signal(Signal::INT);
        // Two signals that wait become one.
        program.wait_until("the drain", |program| program.read("stderr").contains("DRAINING"));
    }
    program.end()
}

/// Returns the length of the drain in seconds: from its beginning until the last client left.
fn drained_s(run: &Ended) -> f64 {
    let at = |line: Option<&Value>| line.and_then(|line| line["at_us"].as_f64()).unwrap();
    let begun = at(run.record.iter().find(|line| line["state"] == "DRAINING" && line["kind"] == "run"));
    (at(run.record.iter().rfind(|line| line["kind"] == "left")) - begun) / 1e6
}

fn assert_drained_in_time(run: &Ended) {
    let drained = drained_s(run);
    assert!(drained <= GRACE_S + BEYOND_S, "the drain took {drained} s");
}

/// Stops the process for a while.
fn paused(signal: Signal) {
    let origin = live_origin();
    // A group of its own: the kernel does not stop a group without a parent in its session by SIGTSTP.
    let mut program = five(&origin).change(|command| _ = command.process_group(0)).start();
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
    let trust = &run.report["trust"];
    assert_eq!(trust["verdict"], "INVALID", "{trust}");
    assert!(trust["masked_intervals"].as_array().is_some_and(|masked| !masked.is_empty()), "{trust}");
}

/// A machine on which the program runs only half of the time.
fn starved() {
    let origin = live_origin();
    let url = origin.url("/m.m3u8");
    let mut program = Start::strict(&[HLSWARM, "run", &url, "--no-tui", "-c", "5", "--ramp-time", "0"])
        .reports()
        .record()
        .start();
    wait_for_segments(&mut program, &origin);
    let convicted = program.wait_until("a verdict", |program| {
        for signal in [Signal::STOP, Signal::CONT] {
            program.signal(signal);
            thread::sleep(Duration::from_millis(100));
        }
        program.read("stderr").contains("NOT TRUSTWORTHY: loop lag")
    });
    assert!(convicted, "it ended early");
    program.signal(Signal::INT);
    let run = program.end();
    assert_common(&run, 5);
    run.assert_exit_code(4);
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
            .job("once", || {
                let run = interrupted(1);
                assert_common(&run, 5);
                // The normal end of a run that has no duration, in which nothing was played.
                run.assert_exit_code(3);
                assert_eq!(run.count("/outcomes/cut"), 5, "what does not end in time is cut");
                let drained = drained_s(&run);
                assert!(drained >= GRACE_S, "what was in flight had {drained} s");
                assert_drained_in_time(&run);
            })
            .job("twice", || {
                let run = interrupted(2);
                assert_common(&run, 5);
                run.assert_exit_code(130);
                assert_eq!(run.count("/outcomes/cut"), 5, "what was in flight is cut");
                let drained = drained_s(&run);
                assert!(drained < GRACE_S, "the second signal was waited out: {drained} s");
            })
            // Whether the report is written before the third one arrives is open.
            .job("ten times", || interrupted(10).assert_exit_code(130)),
        row("X3", "SIGTERM and SIGHUP")
            .job("SIGTERM", || signalled(Signal::TERM, &["-d", "600s"]).assert_exit_code(143))
            .job("SIGTERM in the ramp", || in_the_ramp(Signal::TERM, 143))
            .job("SIGHUP", || signalled(Signal::HUP, &["-d", "600s"]).assert_exit_code(129)),
        row("X4", "a stopped and continued process")
            .job("SIGTSTP", || paused(Signal::TSTP))
            .job("SIGSTOP", || paused(Signal::STOP)),
        row("X20", "a machine without CPU time").job("stopped every 100 ms", starved),
    ]
}

/// Runs a few seconds of a live stream in a shell, in which `"$0" "$@"` is the program.
fn in_shell(script: &str, reports: bool) -> Ended {
    let origin = live_origin();
    let url = origin.url("/m.m3u8");
    let start =
        Start::shell(script, &[HLSWARM, "run", &url, "--no-tui", "-c", "3", "--ramp-time", "0", "-d", "6s"]);
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
                let run = Start::of(&[HLSWARM, "run", &url, "-c", "2", "-d", "6s"]).reports().record().end();
                assert_common(&run, 2);
                run.assert_exit_code(0);
                assert!(run.output("stderr").contains("RUNNING"), "lines instead of a screen");
            })
            .job("standard input closed", || {
                in_shell("exec \"$0\" \"$@\" <&-", true).assert_exit_code(0);
            }),
    ]
}

fn lost_origin() {
    let load = [HLSWARM, "demo", "--no-tui", "--healthy", "-c", "3", "--ramp-time", "0", "-d", "8s"];
    let mut program = Start::of(&load).reports().record().start();
    program.wait_until_it_said("RUNNING");
    kill_process(children(program.pid())[0], Signal::KILL).unwrap();
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

fn faults() -> Vec<Row> {
    let client = row("X21", "a panic of a client");
    #[cfg(debug_assertions)]
    let client = client.job("the third", panic_of_a_client);
    #[cfg(not(debug_assertions))]
    let client = client.not_possible("release builds have no way to panic");
    vec![
        row("X7", "a child that is killed").job("the origin of demo", lost_origin).not_possible(
            "clients are no processes of their own, so that none can be started again; the origin of demo is a child",
        ),
        client,
        row("X23", "a port that is taken")
            .job("the origin's", || {
                let taken = TcpListener::bind("127.0.0.1:0").unwrap();
                let run = Start::of(&[HLSWARM, "origin", "--listen", &taken.local_addr().unwrap().to_string()]).end();
                run.assert_exit_code(5);
                let said = run.output("stderr");
                assert!(said.lines().count() == 1 && said.contains("Address already in use"), "{said}");
            })
            .job("that of the metrics, and of the control API", || {
                let taken = TcpListener::bind("127.0.0.1:0").unwrap();
                for option in ["--metrics", "--control"] {
                    let address = taken.local_addr().unwrap().to_string();
                    let run = Start::of(&[HLSWARM, "run", "http://127.0.0.1:9/a.m3u8", option, &address]).end();
                    run.assert_exit_code(2);
                    let said = run.output("stderr");
                    assert!(said.lines().count() == 1 && said.contains("Address already in use"), "{said}");
                }
            }),
    ]
}
