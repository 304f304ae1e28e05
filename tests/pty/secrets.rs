//! Secrets of a run on every view of the console, in a saved screen and in everything else that the program leaves.

use std::fs;
use std::path::PathBuf;

use portable_pty::CommandBuilder;

use crate::scripted::{Answer, Scripted};
use crate::terminal::Terminal;

const SECRET: &str = "hunter2";
/// Secret that only its shape tells from a name.
const TOKEN: &str = "4f9c1e7ab3d05862f1c94e7da0b83561";

/// Live playlist whose references carry secrets. Its second segment is never there.
const LIST: &str = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-KEY:METHOD=AES-128,URI=\"key?hunter2\"\n\
    #EXTINF:1,hunter2\na.ts?hunter2\n#EXTINF:1,\n4f9c1e7ab3d05862f1c94e7da0b83561/gone.ts;hunter2\n#EXTINF:1,\nc.ts\n";

fn origin() -> Scripted {
    Scripted::start(|path| match path.split(['?', ';']).next().unwrap_or_default() {
        "/live.m3u8" => Answer::whole("302 Found", "text/plain", b"").with("Location: /moved.m3u8?hunter2"),
        "/moved.m3u8" => Answer::playlist(LIST).with("Set-Cookie: sid=hunter2"),
        "/key" => Answer::whole("200 OK", "application/octet-stream", &[7; 16]),
        path if path.ends_with("gone.ts") => Answer::whole("404 hunter2", "text/html", b"hunter2"),
        _ => Answer::whole("200 OK", "text/html; charset=hunter2", &[0x47; 1_880]),
    })
}

#[test]
fn no_view_and_no_file_shows_a_secret() {
    let origin = origin();
    let url = origin.url("/live.m3u8?token=hunter2#hunter2").replace("http://", "http://hunter2:hunter2@");
    // Not among the files of the run, whose texts must not hold a secret.
    let given = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let [url, header] = [("url", url.as_str()), ("headers", "Cookie: hunter2\n")].map(|(name, text)| {
        let path = given.path().join(name);
        fs::write(&path, text).unwrap();
        format!("@{}", path.display())
    });
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_hlswarm"));
    command.env("HLSWARM_TEST_HEADER", "Bearer hunter2");
    let record = ["--record", "record.ndjson", "--report", "report.txt"];
    let headers = ["--header-env", "X-Key=HLSWARM_TEST_HEADER", "--header", &header];
    let run = ["run", &url, "-c", "3", "--ramp-time", "0", "-d", "60s"];
    let mut terminal = Terminal::start(command, &[&run[..], &record, &headers].concat());
    terminal.wait_for("3 of 3 clients");
    let mut command_lines = vec![command_line(&terminal)];
    // The log and the errors show what fails.
    terminal.press("5");
    terminal.wait_for("http.404");
    for (saved, view) in ["1", "2", "3", "4", "5", "2\r"].into_iter().enumerate() {
        terminal.press(view);
        terminal.press("w");
        terminal.wait_until("another saved screen", |_| terminal_files(&terminal, ".svg") > saved);
        command_lines.push(command_line(&terminal));
    }
    terminal.press("1q");
    terminal.wait_for("the run has ended");
    terminal.press("G");
    terminal.wait_for_report();
    let files = terminal.files();
    for ending in [".svg", "report.json", "report.txt", "record.ndjson"] {
        assert!(files.iter().any(|(name, text)| name.ends_with(ending) && !text.is_empty()), "{ending}");
    }
    terminal.press("q");
    let ended = terminal.end();
    let outputs = files.iter().map(|(name, text)| (name.as_str(), text.as_str()));
    let shown = command_lines.iter().map(|line| ("the command line", line.as_str()));
    for (name, text) in outputs.chain(shown).chain([("the terminal", ended.bytes.as_str())]) {
        for secret in [SECRET, TOKEN] {
            assert!(!text.contains(secret), "{secret} in {name}: {text}");
        }
    }
    assert!(ended.bytes.contains("live.m3u8?***"), "the redacted URL is on the screen");
}

/// Returns the command line and the names of the threads of a program, which all users of its machine can read.
fn command_line(terminal: &Terminal) -> String {
    let process = PathBuf::from(format!("/proc/{}", terminal.pid()));
    let line = fs::read_to_string(process.join("cmdline")).unwrap();
    assert!(line.contains("hlswarm\0run\0@"), "{line:?}");
    let threads = fs::read_dir(process.join("task")).unwrap().flatten();
    threads
        .filter_map(|thread| fs::read_to_string(thread.path().join("comm")).ok())
        .fold(line, |all, name| all + &name)
}

/// Counts the files with this ending that the program has written.
fn terminal_files(terminal: &Terminal, ending: &str) -> usize {
    terminal
        .files()
        .iter()
        .filter(|(name, text)| name.ends_with(ending) && text.ends_with("</svg>\n"))
        .count()
}
