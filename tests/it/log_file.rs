//! `--log-file`: the log tells a run from its version to its exit code, and its loss harms nothing.

use std::fs;
use std::process::{Command, Output};

/// Runs `hlswarm` with this log and returns its output.
fn hlswarm(log: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hlswarm"));
    command.args(arguments).args(["--no-tui", "--allow-untrusted", "--log-file", log]).output().unwrap()
}

const DEMO: [&str; 7] = ["demo", "-c", "2", "-d", "3s", "--fault", "segment:503"];

#[test]
fn a_log_tells_a_run_from_its_version_to_its_exit_code() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let log = folder.path().join("run.log");
    // A file of another option, given by mistake, stays as it is.
    fs::write(&log, "name,token\nada,1\n").unwrap();
    assert_eq!(hlswarm(log.to_str().unwrap(), &DEMO).status.code(), Some(2));
    assert_eq!(fs::read_to_string(&log).unwrap(), "name,token\nada,1\n");
    fs::write(&log, "2026-01-02T03:04:05.678Z INFO  of an earlier run\n").unwrap();
    let output = hlswarm(log.to_str().unwrap(), &DEMO);
    assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
    let text = fs::read_to_string(&log).unwrap();
    let mut before = String::new();
    for line in text.lines() {
        let (time, rest) = line.split_once(' ').unwrap();
        assert!(time.len() == 24 && time.ends_with('Z') && time >= &*before, "{line}");
        assert!(["INFO ", "WARN ", "ERROR"].iter().any(|level| rest.starts_with(level)), "{line}");
        before = time.to_owned();
    }
    let version = concat!(" INFO  hlswarm ", env!("CARGO_PKG_VERSION"), ", commit ");
    assert!(text.lines().next().unwrap().contains(version), "{text}");
    assert!(text.ends_with(" ERROR exit code 3\n"), "{text}");
    for part in [
        " INFO  command: hlswarm demo -c 2 -d 3s --fault segment:503 ",
        " INFO  plan: clients = \"2\"\n",
        " INFO  plan: duration = \"3s\"\n",
        " INFO  loading http://127.0.0.1:",
        " with 2 clients\n",
        " WARN  00:00:0",
        " first http.503, at ",
        " WARN  reason: nothing was ever played\n",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    // Each line of the story has its place once, also when progress lines say it too.
    let mut lines: Vec<_> = text.lines().filter_map(|line| line.get(31..)).collect();
    let all = lines.len();
    lines.sort_unstable();
    lines.dedup();
    assert_eq!(lines.len(), all, "{text}");
}

#[test]
fn a_refusal_is_in_the_log() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let log = folder.path().join("run.log");
    let options = ["run", "http://127.0.0.1:1/a.m3u8", "--header", "@no/such/file"];
    assert_eq!(hlswarm(log.to_str().unwrap(), &options).status.code(), Some(2));
    let text = fs::read_to_string(&log).unwrap();
    assert!(text.contains(" INFO  --header @no/such/file: No such file"), "{text}");
    assert!(text.ends_with(" ERROR exit code 2\n"), "{text}");
}

#[test]
fn a_log_that_another_output_needs_or_that_has_no_folder_is_one_line() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let log = folder.path().join("run.ndjson");
    let log = log.to_str().unwrap();
    for (log, options, expected) in [
        (log, vec!["--record", log], "another output goes to this file"),
        ("/no/such/folder/log", vec![], "No such file or directory"),
    ] {
        let output = hlswarm(log, &[&["demo", "-d", "1s"], &options[..]].concat());
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.starts_with("hlswarm: --log-file ") && said.contains(expected), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_costs_the_log_and_nothing_else() {
    let output = hlswarm("/dev/full", &["demo", "--healthy", "-c", "1", "-d", "2s"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(
        said.contains("warning: --log-file /dev/full: not all lines were written: No space left"),
        "{said}"
    );
}
