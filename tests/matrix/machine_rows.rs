//! X12 to X16, X18, X19 and X26: files, limits and clocks of this machine.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::fs::{CWD, Mode, mkfifoat};
use rustix::process::Signal;

use crate::expectations::assert_common;
use crate::process_rows::{five, wait_for_segments};
use crate::program::{Ended, HLSWARM, Program, Start, folder};
use crate::rows::{Row, row};
use crate::streams::live_origin;

/// Returns the rows.
pub fn rows() -> Vec<Row> {
    [files(), limits()].into_iter().flatten().collect()
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
    let links = [("link.json", "target.json"), ("dangling.json", "new.json")];
    links.iter().for_each(|(link, to)| symlink(to, at(link)).unwrap());
    let run = |options: &[&str], code: i32| {
        let url = origin.url("/m.m3u8");
        let load = [HLSWARM, "run", &url, "--no-tui", "-c", "1", "-d", "4s"];
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
    // Two names of one file.
    run(&["--report", "link.json", "--record", "target.json"], 2);
    assert_eq!(fs::read_to_string(at("target.json")).unwrap(), "precious");
    // Links stay links: the file that is meant is replaced, or made.
    run(&["--report", "old.json", "--report", "link.json", "--report", "dangling.json"], 0);
    for name in ["old.json", "target.json", "new.json"] {
        assert!(fs::read_to_string(at(name)).unwrap().starts_with('{'), "{name} holds the report");
    }
    for (link, to) in links {
        assert_eq!(fs::read_link(at(link)).unwrap(), Path::new(to), "{link} is a link");
    }
}

fn files() -> Vec<Row> {
    vec![
        row("X12", "a record that cannot be written")
            .job("a full disk", || {
                let origin = live_origin();
                let run =
                    Start::of(&[HLSWARM, "run", &origin.url("/m.m3u8"), "--no-tui", "-c", "3", "-d", "6s"])
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
            // What fits at the start may still be too little later: then the run says so, too.
            _ => run.assert_exit_codes(&[0, 4]),
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
                let origin = live_origin();
                let mut program = Start::run_by(
                    "ulimit -Sn 64 && ulimit -Hn 1000 && exec \"$0\" \"$@\"",
                    &origin.url("/m.m3u8"),
                )
                .with(&["-c", "300", "--ramp-time", "0"])
                .start();
                let all =
                    |program: &Program| program.read("record.ndjson").matches("\"joined\"").count() >= 300;
                assert!(program.wait_until("300 clients", all));
                program.signal(Signal::INT);
                let run = program.end();
                assert_common(&run, 300);
                assert_eq!(run.count("/run/clients_peak"), 300);
                assert!(!run.outcomes().contains(&"local.fd"), "{:?}", run.outcomes());
            }),
        row("X16", "no memory for threads").job("address spaces", address_spaces),
        clocks(),
        row("X19", "a machine that is suspended")
            .not_possible("a test cannot suspend its machine; row X4 stops the process instead"),
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
