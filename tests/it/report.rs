//! `--report` in all formats, and `hlswarm report`, `compare` and `merge` on the files that a run wrote.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::program::Program;

const LIMIT: Duration = Duration::from_secs(60);
const FORMATS: [&str; 4] = ["run.html", "run.svg", "run.md", "run.xml"];

fn hlswarm(folder: &Path, args: &[&str]) -> Output {
    let program = env!("CARGO_BIN_EXE_hlswarm");
    Command::new(program).args(args).current_dir(folder).stdin(Stdio::null()).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// Runs the demo and returns a folder with its report in all formats.
fn run(options: &[&str]) -> TempDir {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let paths: Vec<String> = FORMATS
        .iter()
        .chain(&["run.json"])
        .map(|name| folder.path().join(name).to_str().unwrap().to_owned())
        .collect();
    let reports = paths.iter().flat_map(|path| ["--report", path]);
    let options: Vec<&str> = options.iter().copied().chain(reports).collect();
    let ended = Program::start_command(&["demo"], &options).end_within(LIMIT);
    ended.assert_exit_code(0);
    fs::write(folder.path().join("run.txt"), ended.stdout()).unwrap();
    folder
}

#[test]
fn a_report_is_rendered_again_from_its_json_and_added_to_another() {
    let folder = run(&["--healthy", "-c", "3", "--ramp-time", "0", "-d", "3s", "--seed", "42"]);
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    for name in FORMATS {
        let again = hlswarm(folder.path(), &["report", "run.json", "-o", &format!("again-{name}")]);
        assert_eq!((again.status.code(), text(&again.stderr)), (Some(0), ""), "{name}");
        assert_eq!(read(&format!("again-{name}")), read(name), "{name}");
    }
    let printed = hlswarm(folder.path(), &["report", "run.json"]);
    assert_eq!(text(&printed.stdout), read("run.txt"));
    assert!(read("run.html").contains("id=\"report\">") && read("run.svg").starts_with("<svg "));

    let same = hlswarm(folder.path(), &["compare", "run.json", "run.json", "--fail-on-regression"]);
    assert_eq!(same.status.code(), Some(0), "{}", text(&same.stdout));
    assert!(text(&same.stdout).ends_with(" no difference beyond noise\n"), "{}", text(&same.stdout));
    let json = hlswarm(folder.path(), &["compare", "run.json", "run.json", "--json"]);
    let json: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!((&json["schema"], &json["worse"]), (&"hlswarm.compare/1".into(), &0.into()));

    let twice = hlswarm(folder.path(), &["merge", "run.json", "run.json"]);
    assert_eq!(twice.status.code(), Some(2), "{}", text(&twice.stderr));
    assert!(text(&twice.stderr).contains("is given twice"), "{}", text(&twice.stderr));
    let mut other: Value = serde_json::from_str(&read("run.json")).unwrap();
    other["run"]["run_id"] = "another".into();
    fs::write(folder.path().join("other.json"), other.to_string()).unwrap();
    let merged =
        hlswarm(folder.path(), &["merge", "run.json", "other.json", "-o", "all.json", "-o", "all.html"]);
    assert_eq!(merged.status.code(), Some(0), "{}", text(&merged.stderr));
    let [one, all]: [Value; 2] =
        ["run.json", "all.json"].map(|name| serde_json::from_str(&read(name)).unwrap());
    let count = |report: &Value, path: &str| report.pointer(path).and_then(Value::as_u64).unwrap();
    for path in ["/requests/finished", "/bytes/total", "/latency_us/segment/count", "/playback/started"] {
        assert_eq!(count(&all, path), 2 * count(&one, path), "{path}");
    }
    assert_eq!(one.pointer("/latency_us/segment/p95"), all.pointer("/latency_us/segment/p95"));
}

#[test]
fn a_slower_origin_is_a_regression_with_code_3() {
    let options = ["-c", "16", "--ramp-time", "0", "-d", "5s", "--fault"];
    let fast = run(&[&options[..], &["segment:delay=200ms"]].concat());
    let slow = run(&[&options[..], &["segment:delay=400ms"]].concat());
    [&fast, &slow].into_iter().for_each(trusted);
    let slow = slow.path().join("run.json");
    let compared = |extra: &[&str]| {
        let args = [&["compare", "run.json", slow.to_str().unwrap()], extra].concat();
        let output = hlswarm(fast.path(), &args);
        (output.status.code(), text(&output.stdout).to_owned())
    };
    let (code, page) = compared(&[]);
    let row = page.lines().find(|line| line.contains("segment ttfb p50")).expect("a row").to_owned();
    assert_eq!((code, row.ends_with("worse")), (Some(0), true), "{page}");
    let (code, page) = compared(&["--fail-on-regression"]);
    assert_eq!(code, Some(3), "{page}");
}

/// Makes the verdict of a run VALID: a busy machine must not decide what a test compares.
fn trusted(folder: &tempfile::TempDir) {
    let file = folder.path().join("run.json");
    let mut report: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    report["trust"]["verdict"] = "VALID".into();
    fs::write(&file, report.to_string()).unwrap();
}

#[test]
fn what_is_no_report_is_one_line_and_code_2() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("check.json", "{\"schema\":\"hlswarm.check/1\"}");
    write("cut.json", "{\"schema\":");
    write("run.json", "{\"schema\":\"hlswarm.report/1\"}");
    for (args, expected) in [
        (&["report", "none.json"][..], "hlswarm: none.json: No such file or directory"),
        (&["report", "."], "this is a directory; expected a JSON report"),
        (
            &["report", "check.json"],
            "hlswarm: check.json: its schema is 'hlswarm.check/1'; expected hlswarm.report/1",
        ),
        (&["report", "cut.json"], "hlswarm: cut.json: not JSON (EOF while parsing"),
        (&["report", "run.json", "-o", "run.pdf"], "hlswarm: -o run.pdf: the extension selects the format"),
        (&["report", "run.json", "-o", "run.json"], "this file is read; the output needs a file of its own"),
        (&["compare", "run.json", "cut.json"], "hlswarm: cut.json: not JSON"),
        (&["merge", "run.json"], "hlswarm: merge: nothing to merge; expected two reports or more"),
    ] {
        let output = hlswarm(folder.path(), args);
        let said = text(&output.stderr);
        assert!(said.contains(expected) && said.lines().count() == 1, "{args:?}: {said}");
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(2), ""), "{args:?}");
    }
    let gone = hlswarm(folder.path(), &["report", "run.json", "-o", "none/run.html"]);
    assert_eq!(gone.status.code(), Some(2), "{}", text(&gone.stderr));
}
