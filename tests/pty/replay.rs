//! `hlswarm replay` on a terminal: its keys, its report and its ends.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use portable_pty::CommandBuilder;
use rustix::process::Signal;
use tempfile::TempDir;

use crate::terminal::Terminal;

const PROGRAM: &str = env!("CARGO_BIN_EXE_hlswarm");

/// Records a run of a few seconds.
fn record() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let path = folder.path().join("run.ndjson");
    let load =
        ["demo", "--healthy", "-c", "5", "--ramp-time", "0", "-d", "5s", "--no-tui", "--allow-untrusted"];
    let mut run = Command::new(PROGRAM);
    run.args(load).arg("--record").arg(&path).stdin(Stdio::null()).stdout(Stdio::null());
    assert!(run.stderr(Stdio::null()).status().unwrap().success());
    (folder, path)
}

fn replay(path: &Path, options: &[&str]) -> Terminal {
    let mut command = CommandBuilder::new(PROGRAM);
    command.arg("replay");
    command.arg(path);
    command.args(options);
    Terminal::start_plain(command)
}

#[test]
fn a_replay_pauses_changes_no_load_and_ends_with_its_report() {
    let (_folder, path) = record();
    let mut terminal = replay(&path, &[]);
    terminal.wait_for("hlswarm replay");
    terminal.wait_for("RUNNING");
    terminal.press(" ");
    terminal.wait_for("PAUSED");
    for key in ["p", "+", "c"] {
        terminal.press(key);
        terminal.wait_for("a replay cannot change the load");
    }
    terminal.press("m");
    terminal.wait_for("a replay takes no marks");
    terminal.press("2");
    terminal.wait_until("the clients", |screen| !screen.contains("a replay") && screen.contains("PAUSED"));
    // The overview is copied from its URL on: the first letters of http:// in base64.
    terminal.press("1");
    terminal.press("y");
    terminal.wait_until_bytes("the clipboard", |bytes| bytes.contains("\x1b]52;c;aHR0cDov"));
    terminal.press("]");
    terminal.wait_for("2x speed");
    terminal.press("?");
    terminal.wait_for("slower, faster");
    terminal.wait_until("no key of a run", |screen| !screen.contains("LOAD"));
    terminal.press("?");
    terminal.press(" ");
    terminal.wait_for("page 1 of");
    terminal.press("q");
    let ended = terminal.end();
    ended.assert_restored();
    assert_eq!(ended.exit_code, 0, "{}", ended.bytes);
    assert!(ended.printed().contains("5 clients (target 5, 5 started)"), "{}", ended.printed());
}

#[test]
fn a_replay_is_left_with_q_and_by_a_signal() {
    let (_folder, path) = record();
    let started = || {
        // So slow that it does not end by itself.
        let terminal = replay(&path, &["--speed", "0.1", "--at", "1s"]);
        terminal.wait_for("00:00:01");
        terminal
    };
    let mut left = started();
    left.press("q");
    let killed = started();
    killed.signal(Signal::TERM);
    for (terminal, code) in [(left, 0), (killed, 143)] {
        let ended = terminal.end();
        ended.assert_restored();
        assert_eq!(ended.exit_code, code, "{}", ended.bytes);
        // The run was not replayed to its end.
        assert!(!ended.printed().contains("requests"), "{}", ended.printed());
    }
}
