//! A run always ends: whatever standard output, standard error, disks and the origin do, a run that is asked to end
//! writes its reports and exits.
//!
//! The origin hangs in every segment, so each run uses the whole grace of its drain. The limit is wide, because a
//! busy machine must not reach it and the faults tested here used to block forever.

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{CWD, Mode, mkfifoat};
use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, prlimit};
use serde_json::Value;

use crate::scripted::{Answer, Scripted, Then};

const POLL: Duration = Duration::from_millis(10);
/// Time limit of a run. The drain's grace and five seconds make ten; the rest is for a busy machine.
const LIMIT: Duration = Duration::from_secs(40);
const MASTER: &str = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\na.ts\n#EXTINF:1,\nb.ts\n#EXT-X-ENDLIST\n";

/// Fault in the environment of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// Standard output and standard error are full pipes without a reading process.
    FullPipes,
    /// Standard output and standard error are pipes whose reading end is closed.
    ClosedPipes,
    /// The record is on a full disk.
    FullDisk,
    /// No file may grow: the kernel sends SIGXFSZ.
    FileSizeLimit,
    /// The record is a pipe whose reader has stopped.
    StoppedReader,
}

const FAULTS: [Fault; 5] =
    [Fault::FullPipes, Fault::ClosedPipes, Fault::FullDisk, Fault::FileSizeLimit, Fault::StoppedReader];

/// Time and cause of the run's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// SIGTERM, as soon as the program catches it.
    Start,
    /// SIGTERM, while clients are added.
    Ramp,
    /// SIGTERM, when every client has been added.
    Hold,
    /// End of the run's duration.
    Drain,
}

const PHASES: [Phase; 4] = [Phase::Start, Phase::Ramp, Phase::Hold, Phase::Drain];

/// An origin whose segments never end, and the number of requests that it has seen.
struct Origin {
    url: String,
    requests: Arc<AtomicUsize>,
}

impl Origin {
    fn start() -> Self {
        let requests = Arc::new(AtomicUsize::new(0));
        let seen = Arc::clone(&requests);
        let origin = Scripted::start(move |path| {
            seen.fetch_add(1, Ordering::SeqCst);
            match path {
                "/media.m3u8" => Answer::playlist(MASTER),
                _ => Answer::part_of_segment(1_000, 10, Then::Hang),
            }
        });
        Self { url: origin.url("/media.m3u8"), requests }
    }

    fn wait_for(&self, requests: usize) {
        wait_until("requests", || self.requests.load(Ordering::SeqCst) >= requests);
    }
}

fn wait_until(what: &str, holds: impl Fn() -> bool) {
    let end = Instant::now() + LIMIT;
    while !holds() {
        assert!(Instant::now() < end, "waited in vain for {what}");
        thread::sleep(POLL);
    }
}

fn fill(pipe: BorrowedFd<'_>) {
    rustix::io::ioctl_fionbio(pipe, true).unwrap();
    while rustix::io::write(pipe, &[b'.'; 512]).is_ok() {}
    while rustix::io::write(pipe, b".").is_ok() {}
    rustix::io::ioctl_fionbio(pipe, false).unwrap();
}

/// Returns an output stream with this fault, and the reader of its pipe if that stays open.
fn output(fault: Fault) -> (Stdio, Option<io::PipeReader>) {
    let (reader, writer) = io::pipe().unwrap();
    match fault {
        Fault::FullPipes => {
            fill(writer.as_fd());
            (writer.into(), Some(reader))
        }
        Fault::ClosedPipes => (writer.into(), None),
        _ => (Stdio::null(), None),
    }
}

fn catches_sigterm(child: &Child) -> bool {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
    u64::from_str_radix(mask.trim(), 16).unwrap() >> (Signal::TERM.as_raw() - 1) & 1 == 1
}

fn end(mut child: Child, what: &str) -> ExitStatus {
    let limit = Instant::now() + LIMIT;
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        if Instant::now() > limit {
            child.kill().unwrap();
            panic!("{what}: still running");
        }
        thread::sleep(POLL);
    }
}

fn start(fault: Fault, phase: Phase, url: &str, folder: &Path) -> (Child, Vec<io::PipeReader>) {
    let (stdout, first) = output(fault);
    let (stderr, second) = output(fault);
    let mut command = Command::new(env!("CARGO_BIN_EXE_hlswarm"));
    command.args(["run", url, "--no-tui", "--allow-untrusted", "--report"]).arg(folder.join("report.json"));
    command.args(match phase {
        Phase::Ramp => ["-c", "500", "--ramp-time", "500s", "-d", "600s"],
        Phase::Drain => ["-c", "3", "--ramp-time", "0", "-d", "1s"],
        Phase::Start | Phase::Hold => ["-c", "3", "--ramp-time", "0", "-d", "600s"],
    });
    match fault {
        Fault::FullDisk => _ = command.args(["--record", "/dev/full"]),
        Fault::FileSizeLimit => _ = command.arg("--record").arg(folder.join("record.ndjson")),
        Fault::StoppedReader => _ = command.arg("--record").arg(folder.join("pipe")),
        Fault::FullPipes | Fault::ClosedPipes => {}
    }
    let child = command.stdin(Stdio::null()).stdout(stdout).stderr(stderr).spawn().unwrap();
    if fault == Fault::FileSizeLimit {
        let none = Rlimit { current: Some(0), maximum: Some(0) };
        prlimit(Some(Pid::from_child(&child)), Resource::Fsize, none).unwrap();
    }
    (child, first.into_iter().chain(second).collect())
}

fn check(fault: Fault, phase: Phase) {
    let what = format!("{fault:?} at {phase:?}");
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let pipe = folder.path().join("pipe");
    mkfifoat(CWD, &pipe, Mode::RWXU).unwrap();
    // Keeps the record's pipe open and full for the whole run, so that every write to it blocks.
    let stopped_reader = File::options().read(true).write(true).open(&pipe).unwrap();
    fill(stopped_reader.as_fd());
    let origin = Origin::start();
    let (child, readers) = start(fault, phase, &origin.url, folder.path());
    match phase {
        Phase::Start => wait_until("a handler", || catches_sigterm(&child)),
        Phase::Ramp => origin.wait_for(1),
        // Each of the three clients requests the playlist and a segment.
        Phase::Hold => origin.wait_for(6),
        Phase::Drain => {}
    }
    if phase != Phase::Drain {
        kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    }
    let code = end(child, &what).code();
    drop(readers);
    // A record or report that is not written takes precedence over the reason for the end.
    let of_run = if phase == Phase::Drain { 3 } else { 143 };
    let expected = if matches!(fault, Fault::FullPipes | Fault::ClosedPipes) { of_run } else { 6 };
    assert_eq!(code, Some(expected), "{what}");
    let parts = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(parts.filter(|name| name.to_string_lossy().ends_with(".part")).count(), 0, "{what}");
    // No file may grow, so the report cannot be written either; no partial one may remain.
    if fault == Fault::FileSizeLimit {
        assert!(!folder.path().join("report.json").exists(), "{what}: half a report");
        return;
    }
    let text = fs::read_to_string(folder.path().join("report.json")).expect(&what);
    let report: Value = serde_json::from_str(&text).expect(&what);
    assert_eq!(report["exit"]["code"], expected, "{what}");
    assert_eq!(report["requests"]["started"], report["requests"]["finished"], "{what}");
    assert_eq!(report["internal"]["panics"], 0, "{what}");
}

#[test]
fn a_run_that_is_told_to_end_writes_its_reports_and_leaves_whatever_happens_around_it() {
    thread::scope(|scope| {
        for fault in FAULTS {
            for phase in PHASES {
                scope.spawn(move || check(fault, phase));
            }
        }
    });
}

#[test]
fn a_message_that_nobody_reads_does_not_keep_the_process() {
    for arguments in [
        &["run", "no-url"][..],
        &["--no-such-option"],
        &["run", "http://127.0.0.1:9/a", "--record", "/none/r"],
    ] {
        let (stderr, _reader) = output(Fault::FullPipes);
        let mut command = Command::new(env!("CARGO_BIN_EXE_hlswarm"));
        let child = command.args(arguments).stdin(Stdio::null()).stderr(stderr).spawn().unwrap();
        assert_eq!(end(child, "refused").code(), Some(2), "{arguments:?}");
    }
    let (stdout, _reader) = output(Fault::FullPipes);
    let mut command = Command::new(env!("CARGO_BIN_EXE_hlswarm"));
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let origin = Origin::start();
    command.args(["check", &origin.url, "-d", "1s"]).current_dir(folder.path());
    let child = command.stdin(Stdio::null()).stdout(stdout).spawn().unwrap();
    assert_eq!(end(child, "check").code(), Some(6));
}

#[test]
fn every_signal_that_would_kill_is_an_end_with_a_report_and_its_own_exit_code() {
    // Other tests cover SIGTERM, SIGHUP and SIGINT.
    let numbers = [3, 5, 6, 7, 12, 14, 16, 24, 26, 27, 29, 30, 31, 40, 64];
    thread::scope(|scope| {
        for number in numbers {
            scope.spawn(move || {
                let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
                let origin = Origin::start();
                let (child, _) = start(Fault::ClosedPipes, Phase::Hold, &origin.url, folder.path());
                origin.wait_for(6);
                signal(&child, number);
                assert_eq!(end(child, "signalled").code(), Some(128 + number), "signal {number}");
                let text = fs::read_to_string(folder.path().join("report.json")).unwrap();
                let report: Value = serde_json::from_str(&text).unwrap();
                assert_eq!(report["exit"]["code"], 128 + number);
            });
        }
    });
}

/// Sends a signal by its number, because not all of them have names.
fn signal(child: &Child, number: i32) {
    let sent = Command::new("kill").arg(format!("-{number}")).arg(child.id().to_string()).status().unwrap();
    assert!(sent.success(), "signal {number}");
}

#[test]
fn a_hang_up_that_was_ignored_from_the_start_stays_ignored() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let origin = Origin::start();
    let mut command = Command::new("nohup");
    command.arg(env!("CARGO_BIN_EXE_hlswarm")).args([
        "run",
        &origin.url,
        "--no-tui",
        "-c",
        "1",
        "-d",
        "600s",
    ]);
    command.arg("--report").arg(folder.path().join("report.json"));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let child = command.spawn().unwrap();
    origin.wait_for(2);
    signal(&child, 1);
    signal(&child, 1);
    // Had the first hang-up stopped the run, the second would have cut it, and SIGTERM would come too late to be the
    // reason.
    thread::sleep(Duration::from_millis(300));
    signal(&child, 15);
    assert_eq!(end(child, "nohup").code(), Some(143));
}

#[test]
fn a_report_goes_where_its_link_points_and_a_folder_that_takes_none_is_said_before_the_load() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let at = |name: &str| folder.path().join(name);
    let origin = Origin::start();
    let run = |report: &Path, record: &Path| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hlswarm"));
        command.args([
            "run",
            &origin.url,
            "--no-tui",
            "--allow-untrusted",
            "-c",
            "1",
            "-d",
            "1s",
            "--report",
        ]);
        command.arg(report);
        command.arg("--record").arg(record).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        end(command.spawn().unwrap(), "run").code()
    };
    fs::write(at("target.json"), "precious").unwrap();
    std::os::unix::fs::symlink("target.json", at("link.json")).unwrap();
    assert_eq!(run(&at("link.json"), &at("target.json")), Some(2));
    assert_eq!(fs::read_to_string(at("target.json")).unwrap(), "precious");
    assert_eq!(run(&at("none/report.json"), &at("r.ndjson")), Some(2));
    assert_eq!(origin.requests.load(Ordering::SeqCst), 0, "something was sent");
    fs::create_dir(at("closed")).unwrap();
    fs::set_permissions(at("closed"), fs::Permissions::from_mode(0o555)).unwrap();
    // Root may write to every folder, so skip this part for root.
    if File::create(at("closed/try")).is_err() {
        assert_eq!(run(&at("closed/report.json"), &at("r.ndjson")), Some(6));
        assert_eq!(origin.requests.load(Ordering::SeqCst), 0, "something was sent");
    }
    assert_eq!(run(&at("link.json"), &at("r.ndjson")), Some(3));
    assert!(at("link.json").is_symlink());
    assert!(fs::read_to_string(at("target.json")).unwrap().starts_with('{'));
}

/// Runs the program under `prlimit --as`, with a limit in MiB.
fn within_address_space(mebibytes: u64, arguments: &[&str], stderr: Stdio) -> ExitStatus {
    let mut command = Command::new("prlimit");
    command.arg(format!("--as={}", mebibytes << 20)).arg(env!("CARGO_BIN_EXE_hlswarm")).args(arguments);
    let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(stderr).spawn().unwrap();
    end(child, "a limited address space")
}

#[test]
fn a_process_that_gets_no_threads_or_memory_says_so_in_one_line_and_exits_with_5() {
    let loads = |size: &u64| within_address_space(*size, &["--version"], Stdio::null()).success();
    let first = (4..400).step_by(4).find(loads).expect("the program starts with some size");
    let origin = Origin::start();
    let refused: usize = thread::scope(|scope| {
        let sizes = (0..16).map(|step| first + 3 * step);
        let runs: Vec<_> = sizes
            .map(|size| {
                scope.spawn({
                    let url = &origin.url;
                    move || limited(url, size)
                })
            })
            .collect();
        runs.into_iter().map(|run| usize::from(run.join().unwrap())).sum()
    });
    assert!(refused > 0, "no size was too small");
}

/// Starts a run within `size` MiB of address space and reports whether it was refused; otherwise it must have run.
fn limited(url: &str, size: u64) -> bool {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let said = folder.path().join("said");
    let arguments = ["run", url, "--no-tui", "--allow-untrusted", "-c", "1", "-d", "1s"];
    let code = within_address_space(size, &arguments, File::create(&said).unwrap().into()).code();
    let said = fs::read_to_string(&said).unwrap();
    match code {
        Some(5) => {
            assert!(said.trim_end().lines().count() == 1 && said.contains("preflight"), "{size}: {said}")
        }
        // The segment hangs, so nothing was played.
        code => assert_eq!(code, Some(3), "{size} MiB: {said}"),
    }
    code == Some(5)
}
