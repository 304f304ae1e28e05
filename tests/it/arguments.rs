//! Invalid input: one clear line on standard error, nothing on standard output, no request.

use std::process::{Command, Output};
use std::time::Duration;

use crate::program::Program;

fn hlswarm(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_hlswarm")).args(args).output().unwrap()
}

/// Returns the one line that the program printed, and its exit code.
fn refused(args: &[&str]) -> (String, Option<i32>) {
    let output = hlswarm(args);
    assert_eq!(output.stdout, b"", "{args:?}");
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said.lines().count(), 1, "{said}");
    (said.trim_end().to_owned(), output.status.code())
}

#[test]
fn a_password_in_the_url_is_warned_of_once_and_not_shown() {
    for (url, warnings) in [("http://u:hunter2@127.0.0.1:1/a.m3u8", 1), ("http://u@127.0.0.1:1/a.m3u8", 0)] {
        for command in ["run", "check"] {
            let said = String::from_utf8(hlswarm(&[command, url, "-d", "1s"]).stderr).unwrap();
            assert_eq!(said.matches("hlswarm: warning: ").count(), warnings, "{said}");
            assert_eq!(said.matches("give the URL as @FILE").count(), warnings, "{said}");
            assert!(!said.contains("hunter2"), "{said}");
        }
    }
}

#[test]
fn a_bad_value_is_one_line_and_code_2() {
    for (args, expected) in [
        (
            &["demo", "--clients", "ten"] as &[_],
            "hlswarm: --clients 'ten': expected 1 to 1,000,000, such as 250 or 2.5k; 0 only with --duration",
        ),
        (&["demo", "--bitrate", "100M"], "hlswarm: --bitrate '100M': expected a bandwidth from 200k to 20M"),
        (
            &["origin", "--listen", "0.0.0.0:0"],
            "hlswarm: --listen 0.0.0.0:0: other machines can reach this address; use 127.0.0.1 or ::1",
        ),
        (&["run", "http://h/a", "--report", "\u{1b}[2J.pdf"], "hlswarm: --report ^[[2J.pdf: the extension"),
        (
            &["run", "http://h/a", "--header", "@no/such/file"],
            "hlswarm: --header @no/such/file: No such file or directory",
        ),
        (
            &["demo", "--report", "a.pdf"],
            "hlswarm: --report a.pdf: the extension selects the format; expected .json, .txt, .html, .svg, .md or .xml (JUnit)",
        ),
        (&["demo", "--header", "Host: x"], "hlswarm: --header: hlswarm sets the header host itself"),
        (&["demo", "--fault", "segment:often"], "hlswarm: --fault 'segment:often': expected "),
    ] {
        let (said, code) = refused(args);
        assert!(said.starts_with(expected), "{said}");
        assert_eq!(code, Some(2), "{args:?}");
    }
    let (said, code) = refused(&["run", "http://127.0.0.1:1/a.m3u8", "--cacert", "/no/such/file"]);
    assert!(said.starts_with("hlswarm: --cacert /no/such/file: No such file") && code == Some(2), "{said}");
}

#[test]
fn a_port_that_is_taken_is_code_5() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let (said, code) = refused(&["origin", "--listen", &taken.local_addr().unwrap().to_string()]);
    assert!(
        said.starts_with("hlswarm: --listen: expected an address of this machine with a free port"),
        "{said}"
    );
    assert!(said.contains("Address already in use"), "{said}");
    assert_eq!(code, Some(5));
}

#[test]
fn more_clients_than_this_machine_carries_are_refused_before_anything_is_sent() {
    let (said, code) = refused(&["run", "http://127.0.0.1:1/a.m3u8", "-c", "1000000", "-d", "1s"]);
    assert!(said.starts_with("hlswarm: preflight: 1,000,000 clients need 1,000,064 open files"), "{said}");
    assert_eq!(code, Some(5));
}

#[test]
fn help_and_version_go_to_standard_output() {
    let help = hlswarm(&["run", "--help"]);
    let text = String::from_utf8(help.stdout).unwrap();
    assert!(
        help.status.success() && text.contains("--ramp-rate") && text.contains("[default: 10]"),
        "{text}"
    );
    let version = |option| String::from_utf8(hlswarm(&[option]).stdout).unwrap();
    let short = concat!("hlswarm ", env!("CARGO_PKG_VERSION"), "\n");
    assert_eq!(version("-V"), short);
    let long = version("--version");
    let facts: Vec<_> = long.lines().skip(1).map(|line| line.split_once("  ").unwrap()).collect();
    assert!(long.starts_with(short), "{long}");
    assert_eq!(
        facts.iter().map(|fact| fact.0).collect::<Vec<_>>(),
        ["commit", "target", "compiler", "features"]
    );
    assert!(facts[1].1.contains(std::env::consts::ARCH) && facts[2].1.contains("rustc 1."), "{long}");
}

#[test]
fn a_report_that_cannot_be_written_is_code_6_and_the_other_one_says_so() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let lost = folder.path().join("lost");
    std::fs::create_dir(&lost).unwrap();
    let report = lost.join("a.json");
    let load = ["--healthy", "-c", "1", "-d", "2s", "--report", report.to_str().unwrap()];
    let program = Program::start_command(&["demo"], &load);
    // Remove the folder while the run continues.
    program.wait_until_it_said("RUNNING");
    std::fs::remove_dir(&lost).unwrap();
    let run = program.end_within(Duration::from_secs(60));
    run.assert_exit_code(6);
    assert_eq!(run.report.count("/exit/code"), 6);
    let reasons = run.report.value()["exit"]["reasons"].to_string();
    assert!(reasons.contains("lost/a.json"), "{reasons}");
}

#[test]
fn a_document_of_the_other_kind_names_the_command_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let report = file("run.json", "{\n  \"schema\": \"hlswarm.report/1\",\n  \"run\": {}\n}\n");
    let record =
        file("run.ndjson", "{\"kind\":\"record\",\"schema\":\"hlswarm.record/1\"}\n{\"kind\":\"end\"}\n");
    for (args, expected) in [
        (
            &["replay", &report][..],
            format!("this is a report, not a record; 'hlswarm report {report}' shows it"),
        ),
        (&["report", &record], format!("this is a record, not a report; 'hlswarm replay {record}' plays it")),
        (&["compare", &report, &record], format!("'hlswarm replay {record}' plays it")),
        (&["merge", &record], format!("'hlswarm replay {record}' plays it")),
        (&["report", &file("a.json", "{}")], "its schema is missing".to_owned()),
        (&["replay", &file("a.txt", "text\n")], "line 1: ".to_owned()),
    ] {
        let (said, code) = refused(args);
        assert!(said.contains(&expected), "{said}");
        assert_eq!(code, Some(2), "{args:?}");
    }
    for option in ["--log-file", "--record"] {
        let (said, _) = refused(&["run", "http://127.0.0.1:1/a.m3u8", option, "-"]);
        assert!(said.starts_with(&format!("hlswarm: {option} '-': expected a file; ")), "{said}");
    }
}
