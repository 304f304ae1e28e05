//! Every exit code with the real program, each with the reason for which it is documented.

use std::fs::{self, File};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::scripted::{Answer, Scripted};

const LIMIT: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(20);
/// Longer than any limit of a gauge that convicts for a single gap.
const PAUSE: Duration = Duration::from_secs(3);

/// Interference of a test with a run that loads its stream.
#[derive(Clone, Copy)]
enum Meanwhile {
    Nothing,
    Sends(Signal),
    Pauses,
}

/// A process that is killed if the test fails.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

impl Running {
    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.0), signal).unwrap();
    }
}

/// Runs `hlswarm`, and returns its exit code and what it printed on standard error.
fn exit(arguments: &[&str], environment: &[(&str, &str)], meanwhile: Meanwhile) -> (Option<i32>, String) {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let stderr = folder.path().join("stderr");
    let child = Command::new(env!("CARGO_BIN_EXE_hlswarm"))
        .args(arguments)
        .envs(environment.iter().copied())
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(File::create(&stderr).unwrap())
        .spawn()
        .unwrap();
    let mut running = Running(child);
    let (deadline, mut meanwhile) = (Instant::now() + LIMIT, Some(meanwhile));
    let status = loop {
        let said = fs::read_to_string(&stderr).unwrap();
        if let Some(status) = running.0.try_wait().unwrap() {
            break status;
        }
        match meanwhile.take_if(|_| said.contains("RUNNING")) {
            Some(Meanwhile::Sends(signal)) => running.signal(signal),
            Some(Meanwhile::Pauses) => {
                running.signal(Signal::STOP);
                thread::sleep(PAUSE);
                running.signal(Signal::CONT);
            }
            Some(Meanwhile::Nothing) | None => thread::sleep(POLL),
        }
        assert!(Instant::now() < deadline, "still running after {LIMIT:?}: {said}");
    };
    (status.code(), fs::read_to_string(&stderr).unwrap())
}

#[test]
fn each_exit_code_has_its_cause() {
    let gone = Scripted::start(|_| Answer::whole("404 Not Found", "text/plain", b""));
    let page = Scripted::start(|_| Answer::whole("200 OK", "text/html", b"<html>"));
    let [gone, page] = [&gone, &page].map(|origin| origin.url("/live.m3u8"));
    let demo = ["demo", "--healthy", "--no-tui", "-c", "2", "--ramp-time", "0", "--log-file", "log"];
    let with = |options: &[&'static str]| [&demo[..], options].concat();
    let allowed = |options: &[&'static str]| [&demo[..], &["--allow-untrusted"], options].concat();
    let none = Meanwhile::Nothing;
    let mut rows = vec![
        (0, allowed(&["-d", "2s"]), none),
        (0, allowed(&[]), Meanwhile::Sends(Signal::INT)),
        (2, vec!["demo", "--clients", "ten"], none),
        (3, vec!["run", &*page, "--no-tui", "-d", "2s"], none),
        (3, allowed(&["-d", "2s", "--threshold", "requests<1"]), none),
        (4, with(&["-d", "6s"]), Meanwhile::Pauses),
        (5, vec!["run", &*gone, "--no-tui", "-d", "2s"], none),
        (6, allowed(&["-d", "2s", "--record", "/dev/full"]), none),
        (129, allowed(&["-d", "60s"]), Meanwhile::Sends(Signal::HUP)),
        (130, allowed(&["-d", "60s"]), Meanwhile::Sends(Signal::INT)),
        (143, allowed(&["-d", "60s"]), Meanwhile::Sends(Signal::TERM)),
    ];
    if !std::path::Path::new("/dev/full").exists() {
        rows.retain(|(code, ..)| *code != 6);
    }
    for (code, arguments, meanwhile) in rows {
        let (exited, said) = exit(&arguments, &[], meanwhile);
        assert_eq!(exited, Some(code), "{arguments:?}: {said}");
    }
}

/// Release builds have no place to panic at.
#[cfg(debug_assertions)]
#[test]
fn a_panic_is_code_70() {
    let arguments = ["demo", "--healthy", "--no-tui", "--allow-untrusted", "-c", "2", "-d", "2s"];
    let (code, said) = exit(&arguments, &[("HLSWARM_PANIC", "client:1")], Meanwhile::Nothing);
    assert_eq!(code, Some(70), "{said}");
    assert!(said.contains("panicked"), "{said}");
}
