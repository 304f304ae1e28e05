//! X12 to X14 and X26: files and disks of this machine. Its limits and clocks are in `limit_rows.rs` and
//! `clock_rows.rs`.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use rustix::fs::{CWD, Mode, mkfifoat};
use rustix::process::Signal;

use crate::expectations::assert_common;
use crate::process_rows::{five, wait_for_segments};
use crate::program::{Ended, HLSWARM, Start, folder};
use crate::rows::{Row, row};
use crate::streams::live_origin;

/// Runs with `options` in a folder that is prepared by `prepare`, under a limit of 2 kB for files.
fn with_small_files(options: &[&str], prepare: impl FnOnce(&Path)) -> Ended {
    let origin = live_origin();
    let url = origin.url("/m.m3u8");
    let line = [HLSWARM, "run", &url, "--no-tui", "-c", "3", "--ramp-time", "0", "-d", "4s"];
    let start = Start::shell("ulimit -f 4 && exec \"$0\" \"$@\"", &line).with(options);
    prepare(start.folder());
    start.end()
}

/// Runs in a mount namespace where the folder `disk` is a small disk of its own, mounted with these options, on which
/// `prepare` has been run; returns the run and the names on the disk at its end.
fn with_small_disk(mount: &str, prepare: &str, options: &[&str]) -> (Ended, String) {
    let origin = live_origin();
    let url = origin.url("/m.m3u8");
    let inner = format!(
        "mount -t tmpfs -o size=16k none disk && {prepare} && mount -o remount,{mount} disk; \
         \"$0\" \"$@\"; code=$?; ls -A disk >names; cat disk/old.json >old; exit $code"
    );
    let script = format!("mkdir disk && exec unshare -m sh -c '{inner}' \"$0\" \"$@\"");
    let line = [HLSWARM, "run", &url, "--no-tui", "-c", "3", "--ramp-time", "0", "-d", "4s"];
    let run = Start::shell(&script, &line).with(options).reports().end();
    assert_eq!(run.output("old"), "old", "the old report is kept, and no half one is left");
    let names = run.output("names");
    (run, names)
}

fn small_disks(row: Row) -> Row {
    if Start::shell("exec unshare -m sh -c 'mkdir x && mount -t tmpfs none x'", &["x"]).end().exit_code()
        != Some(0)
    {
        return row.lacks("a disk that is full needs a mount namespace: run as root");
    }
    const OLD: &str = "printf old >disk/old.json";
    row.job("a full disk", || {
        let (run, names) = with_small_disk("rw", OLD, &["--report", "disk/old.json"]);
        assert_common(&run, 3);
        run.assert_exit_code(6);
        let said = run.output("stderr");
        assert!(said.contains("disk/old.json: No space left on device"), "{said}");
        assert!(run.report["exit"]["reasons"].to_string().contains("disk/old.json"));
        assert_eq!(names.trim(), "old.json", "no temporary file is left");
    })
    .job("a full disk for the record, too", || {
        let options = ["--report", "disk/old.json", "--record", "disk/record.ndjson"];
        let prepare = format!("{OLD} && head -c 12288 /dev/zero >disk/filler");
        let (run, names) = with_small_disk("rw", &prepare, &options);
        run.assert_exit_code(6);
        let reasons = run.report["exit"]["reasons"].to_string();
        for file in ["record.ndjson", "old.json"] {
            let reason = format!("disk/{file}: No space left on device");
            assert!(reasons.contains(&reason), "{reasons}");
        }
        assert_eq!(names.trim(), "filler\nold.json\nrecord.ndjson", "no temporary file is left");
    })
    .job("a disk that cannot be written", || {
        let (run, names) = with_small_disk("ro", OLD, &["--report", "disk/old.json"]);
        run.assert_exit_code(6);
        let said = run.output("stderr");
        assert!(said.lines().count() == 1 && said.contains("disk/old.json: Read-only file system"), "{said}");
        assert!(run.report.is_null(), "it is noticed before the load");
        assert_eq!(names.trim(), "old.json");
    })
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
    let lost =
        [("circle.json", "circle.json"), ("astray.json", "none/x.json"), ("inward.json", "folder.json")];
    links.iter().chain(&lost).for_each(|(link, to)| symlink(to, at(link)).unwrap());
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
    for (link, _) in lost {
        run(&["--report", link], 2);
    }
    run(&["--record", "circle.json"], 2);
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

/// Returns the rows.
pub fn rows() -> Vec<Row> {
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
        small_disks(row("X13", "a report that cannot be written"))
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
