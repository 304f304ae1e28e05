//! `hlswarm check` on files, standard input, streams, and subjects that are none of them.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use hlswarm::testing::report::CheckReport;
use serde_json::Value;

use crate::scripted::{Answer, Scripted};

fn check(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_hlswarm")).arg("check").args(args).stdin(Stdio::null()).output().unwrap()
}

fn stdout(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

fn data(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name).to_str().unwrap().to_owned()
}

#[test]
fn a_file_is_understood_by_the_program_as_by_its_library() {
    for name in
        ["byte_ranges.m3u8", "live_fmp4.m3u8", "low_latency.m3u8", "multivariant.m3u8", "bad_both_kinds.m3u8"]
    {
        let path = data(name);
        let expected = CheckReport::from_bytes(path.clone(), &std::fs::read(&path).unwrap());
        let json = check(&[&path, "--json"]);
        assert_eq!(stdout(&json), expected.json().unwrap(), "{name}");
        assert_eq!(json.status.code(), Some(i32::from(expected.exit_code)), "{name}");
        let text = check(&[&path]);
        assert_eq!(stdout(&text), hlswarm::testing::report::check_text(&expected), "{name}");
    }
}

#[test]
fn what_cannot_be_opened_is_one_line_and_code_2() {
    let folder = env!("CARGO_TARGET_TMPDIR");
    for (subject, expected) in [
        ("no/such/file.m3u8", "hlswarm: check no/such/file.m3u8: No such file or directory"),
        (folder, "this is a directory; expected a playlist file"),
        ("ftp://host/a.m3u8", "only http:// and https:// are accepted"),
        ("https://user:hunter2@/a.m3u8?t=hunter2", "hlswarm: <URL|FILE>: "),
        ("cdn.example/a.m3u8?t=hunter2", "hlswarm: check cdn.example/a.m3u8***: No such file or directory"),
        ("no\u{1b}[2J", "hlswarm: check no^[[2J: No such file or directory"),
        ("", "expected an http:// or https:// URL, a playlist file, or - for standard input"),
    ] {
        let output = check(&[subject]);
        let said = std::str::from_utf8(&output.stderr).unwrap();
        assert!(
            said.contains(expected) && said.lines().count() == 1 && !said.contains("hunter2"),
            "{subject}: {said}"
        );
        assert_eq!((output.status.code(), stdout(&output)), (Some(2), ""), "{subject}");
    }
}

#[test]
fn what_is_no_playlist_is_code_3_and_shows_what_it_begins_with() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let path = folder.path().join("program");
    std::fs::write(&path, [&b"\x7fELF\x02\x01\0"[..], &vec![0; 20 << 20]].concat()).unwrap();
    let program = check(&[path.to_str().unwrap()]);
    assert_eq!(program.status.code(), Some(3));
    assert!(
        stdout(&program).contains("The body was not a playlist.\n         playlist.not_m3u8: ^?ELF"),
        "{}",
        stdout(&program)
    );
}

#[test]
fn a_vod_that_ends_is_not_waited_for_and_no_secret_is_shown() {
    let origin = Scripted::start(|path| match path.split('?').next() {
        Some("/vod.m3u8") => Answer::playlist(
            "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:1\n#EXTINF:0.5,\na.ts?token=hunter2\n#EXTINF:0.5,\nb.ts\n#EXT-X-ENDLIST\n",
        ),
        _ => Answer::whole("200 OK", "video/mp2t", &[0x47; 188]),
    });
    let url = origin.url("/vod.m3u8?token=hunter2").replace("http://", "http://user:hunter2@");
    let [text, json] =
        [&[][..], &["--json"]].map(|more| check(&[&[url.as_str(), "-d", "5m"], more].concat()));
    for output in [&text, &json] {
        assert_eq!(output.status.code(), Some(0), "{}", stdout(output));
        assert!(
            !stdout(output).contains("hunter2") && !stdout(output).contains("user"),
            "{}",
            stdout(output)
        );
    }
    assert!(
        stdout(&text).contains(" media   2 segments 0 to 1, 1 s in all, target duration 1 s"),
        "{}",
        stdout(&text)
    );
    let json: Value = serde_json::from_str(stdout(&json)).unwrap();
    assert!(json["run"]["playback"]["finished_clients"] == 1, "{json}");
    assert_eq!(json["playlists"][0]["presentation"], "vod");
}

#[test]
fn a_stream_that_is_not_there_says_so_instead_of_nothing_wrong() {
    let origin = Scripted::start(|_| Answer::whole("404 Not Found", "text/plain", b"no"));
    let output = check(&[&origin.url("/live.m3u8"), "-d", "1s"]);
    assert_eq!(output.status.code(), Some(3));
    let page = stdout(&output);
    assert!(
        page.contains("XX      no playlist was loaded: Not Found\n         http.404")
            && page.contains("  http.404      Not Found"),
        "{page}"
    );
    assert!(!page.contains("no problems"), "{page}");
}
