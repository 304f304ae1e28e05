//! Opens the page and the card of a run in a browser: no script error, no request, nothing wider than the window.
//!
//! Needs Debian's `chromium`; otherwise the test is skipped.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::program::Program;
use crate::requirements;

const LIMIT: Duration = Duration::from_secs(60);
/// Text that the page gets if it is wider than its window.
const WIDER: &str = "wider than the window";

/// Returns the document as the browser has it after its scripts, and all that the browser logged.
fn open(chromium: &Path, file: &Path, width: u32) -> (String, String) {
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
        .arg("--dump-dom")
        .arg(format!("file://{}", file.display()))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

#[test]
fn a_browser_shows_the_page_and_the_card_without_an_error_or_a_request() {
    let Some(chromium) = requirements::optional("chromium") else {
        requirements::skip("chromium");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let [html, svg] = ["run.html", "run.svg"].map(|name| folder.path().join(name));
    let reports = ["--report", html.to_str().unwrap(), "--report", svg.to_str().unwrap()];
    let options = ["-c", "4", "--ramp-time", "0", "-d", "4s", "--fault", "segment:503:50%@1s+1s"];
    let run = Program::start_command(&["demo"], &[&options[..], &reports].concat()).end_within(LIMIT);
    let failed = run.report.count("/requests/failed").to_string();
    // A probe beside the page measures it: the page itself allows no other script.
    let probe = folder.path().join("probe.html");
    let measure = format!(
        "<iframe src=\"run.html\" style=\"width:100%;height:1900px;border:0\" onload=\"\
         const page = this.contentDocument.documentElement; \
         if (page.scrollWidth > page.clientWidth) document.title = '{WIDER}'\"></iframe>"
    );
    fs::write(&probe, measure).unwrap();
    for width in [800, 1_600] {
        for file in [&html, &svg] {
            let (document, log) = open(&chromium, file, width);
            assert!(document.contains(&format!("{failed} of ")) || file == &svg, "{width}: {document}");
            assert!(document.contains("</svg>"), "{width}: {document}");
            // Each error and each blocked element or request of a page is a line of the console.
            let errors: Vec<&str> = log.lines().filter(|line| line.contains("CONSOLE")).collect();
            assert_eq!(errors, [""; 0], "{width}: {}", file.display());
        }
        let (document, log) = open(&chromium, &probe, width);
        assert!(!document.contains(&format!("<title>{WIDER}")), "{width}: {log}");
    }
}
