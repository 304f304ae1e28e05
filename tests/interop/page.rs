//! Opens the page and the card of a run in a browser: no script error, no request, nothing wider than the window. Each
//! check is also made of a page that fails it.
//!
//! Needs Debian's `chromium`; otherwise the test is skipped.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::program::Program;
use crate::requirements;

const LIMIT: Duration = Duration::from_secs(60);
/// Widths of the window.
const WIDTHS: [u32; 2] = [800, 1_600];
/// Options of the browser for its light and its dark theme.
const THEMES: [&[&str]; 2] = [&[], &["--force-dark-mode", "--blink-settings=preferredColorScheme=0"]];
/// A page that does all that is forbidden: it is wider than its window, and has an error and a request.
const FAULTY: &str = "<!doctype html><meta http-equiv=\"Content-Security-Policy\" \
    content=\"default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'\">\
    <div style=\"width:3000px\">wide</div><img src=\"http://x.invalid/\"><script>throw new Error('x')</script>";

/// Returns the document as the browser has it after its scripts, and all that the browser logged.
fn open(chromium: &Path, file: &Path, width: u32, theme: &[&str]) -> (String, String) {
    let profile = tempfile::tempdir().unwrap();
    let output = Command::new(chromium)
        .args([
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
            "--disable-dev-shm-usage",
        ])
        .args(["--disable-background-networking", "--disable-component-update", "--enable-logging=stderr"])
        // A request for any host would fail with an error in the log.
        .arg("--host-resolver-rules=MAP * ~NOTFOUND")
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(format!("--window-size={width},2000"))
        // Otherwise a file may not look into another one.
        .arg("--allow-file-access-from-files")
        .args(theme)
        .arg("--dump-dom")
        .arg(format!("file://{}", file.display()))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

/// Returns the errors: each one, and each blocked element or request of a page, is a line of the console.
fn errors(log: &str) -> Vec<&str> {
    log.lines().filter(|line| line.contains("CONSOLE")).collect()
}

/// Opens a probe beside `page`, and returns the width of the page's content and that of its window. The page itself
/// allows no other script.
fn widths(chromium: &Path, page: &Path, width: u32) -> (u32, u32) {
    let probe = page.with_file_name("probe.html");
    let frame = format!(
        "<title>none</title><iframe src=\"{}\" style=\"width:100%;height:1900px;border:0\" onload=\"\
         const page = this.contentDocument.documentElement; \
         document.title = `width ${{page.scrollWidth}} of ${{page.clientWidth}}`\"></iframe>",
        page.file_name().unwrap().display()
    );
    fs::write(&probe, frame).unwrap();
    let (document, log) = open(chromium, &probe, width, THEMES[0]);
    let title = document.split_once("<title>width ").and_then(|(_, rest)| rest.split_once("</title>"));
    let (content, window) =
        title.unwrap_or_else(|| panic!("nothing was measured: {log}")).0.split_once(" of ").unwrap();
    (content.parse().unwrap(), window.parse().unwrap())
}

#[test]
fn a_browser_shows_the_page_and_the_card_without_an_error_or_a_request() {
    let Some(chromium) = requirements::optional("chromium") else {
        requirements::skip("chromium");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let [html, svg, faulty] = ["run.html", "run.svg", "faulty.html"].map(|name| folder.path().join(name));
    let reports = ["--report", html.to_str().unwrap(), "--report", svg.to_str().unwrap()];
    let options = ["-c", "4", "--ramp-time", "0", "-d", "4s", "--fault", "segment:503:50%"];
    let run = Program::start_command(&["demo"], &[&options[..], &reports].concat()).end_within(LIMIT);
    let failed = run.report.count("/requests/failed").to_string();
    assert_ne!(failed, "0", "the number is to differ from an empty one");

    fs::write(&faulty, FAULTY).unwrap();
    let (_, log) = open(&chromium, &faulty, WIDTHS[0], THEMES[0]);
    assert_eq!(errors(&log).len(), 2, "an error and a request are seen: {log}");
    let (content, window) = widths(&chromium, &faulty, WIDTHS[0]);
    assert!(content > window, "a wide page is seen: {content} of {window}");

    for (width, theme) in WIDTHS.into_iter().flat_map(|width| THEMES.map(|theme| (width, theme))) {
        for file in [&html, &svg] {
            let (document, log) = open(&chromium, file, width, theme);
            assert!(document.contains(&format!("{failed} of ")) || file == &svg, "{width}: {document}");
            assert!(document.contains("</svg>"), "{width}: {document}");
            assert_eq!(errors(&log), [""; 0], "{width}: {}", file.display());
        }
    }
    for width in WIDTHS {
        let (content, window) = widths(&chromium, &html, width);
        assert!(content <= window, "{content} of {window}");
    }
}
