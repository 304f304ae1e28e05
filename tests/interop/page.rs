//! Opens the page and the card of a run in a browser: no script error, no request, nothing wider than the window, in the
//! light and in the dark; on paper, the page is two pages. Every number that it shows is one of the JSON in it. Each check is
//! also made of a page that fails it.
//!
//! Needs Debian's `chromium`; otherwise the test is skipped.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::page_numbers;
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
    browse(chromium, file, width, &[theme, &["--dump-dom"]].concat())
}

/// Returns the number of pages that the page has on paper of the usual size.
fn printed_pages(chromium: &Path, page: &Path) -> usize {
    let paper = page.with_extension("pdf");
    let print = format!("--print-to-pdf={}", paper.display());
    let (_, log) = browse(chromium, page, WIDTHS[0], &["--no-pdf-header-footer", &print]);
    let bytes = fs::read(&paper).unwrap_or_else(|error| panic!("{error}: {log}"));
    // The list of all pages has the type `Pages`.
    let page = b"/Type /Page".as_slice();
    bytes.windows(page.len() + 1).filter(|window| window.starts_with(page) && !window.ends_with(b"s")).count()
}

/// Opens a file with these options of the browser. Returns what the browser printed and logged.
fn browse(chromium: &Path, file: &Path, width: u32, options: &[&str]) -> (String, String) {
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
        .args(options)
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

/// Opens a probe beside `page`, and returns the width of the page's content, that of its window, and the sum of the red,
/// green and blue of its ground. The page itself allows no other script.
fn look(chromium: &Path, page: &Path, width: u32, theme: &[&str]) -> [u32; 3] {
    let probe = page.with_file_name("probe.html");
    let frame = format!(
        "<meta name=color-scheme content=\"light dark\"><title>none</title>\
         <iframe src=\"{}\" style=\"width:100%;height:1900px;border:0\" onload=\"\
         const page = this.contentDocument, root = page.documentElement; \
         const ground = getComputedStyle(page.body).backgroundColor.match(/[0-9]+/g) || [0]; \
         document.title = `look ${{root.scrollWidth}} ${{root.clientWidth}} ${{eval(ground.slice(0, 3).join('+'))}}`\
         \"></iframe>",
        page.file_name().unwrap().display()
    );
    fs::write(&probe, frame).unwrap();
    let (document, log) = open(chromium, &probe, width, theme);
    let title = document.split_once("<title>look ").and_then(|(_, rest)| rest.split_once("</title>"));
    let numbers = title.unwrap_or_else(|| panic!("nothing was measured: {log}")).0.split(' ');
    let numbers: Vec<u32> = numbers.map(|number| number.parse().unwrap()).collect();
    numbers.try_into().unwrap()
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
    // So many requests, however long they take: some of them meet the fault.
    let options = ["-c", "4", "--ramp-time", "0", "--max-requests", "60", "--fault", "segment:503:50%"];
    let run = Program::start_command(&["demo"], &[&options[..], &reports].concat()).end_within(LIMIT);
    let failed = run.report.count("/requests/failed").to_string();
    assert_ne!(failed, "0", "the number is to differ from an empty one");

    fs::write(&faulty, FAULTY).unwrap();
    let (_, log) = open(&chromium, &faulty, WIDTHS[0], THEMES[0]);
    assert_eq!(errors(&log).len(), 2, "an error and a request are seen: {log}");
    let [content, window, _] = look(&chromium, &faulty, WIDTHS[0], THEMES[0]);
    assert!(content > window, "a wide page is seen: {content} of {window}");

    for (width, theme) in WIDTHS.into_iter().flat_map(|width| THEMES.map(|theme| (width, theme))) {
        for file in [&html, &svg] {
            let (document, log) = open(&chromium, file, width, theme);
            assert!(document.contains(&format!("{failed} of ")) || file == &svg, "{width}: {document}");
            assert!(document.contains("</svg>"), "{width}: {document}");
            assert_eq!(errors(&log), [""; 0], "{width}: {}", file.display());
            if file == &html {
                let unexplained = page_numbers::unexplained(&document, run.report.value());
                assert_eq!(unexplained, [""; 0], "{}", page_numbers::visible(&document));
                let more = document.replacen("</td>", " 987,654 </td>", 1);
                assert_eq!(page_numbers::unexplained(&more, run.report.value()), ["987,654"]);
            }
        }
    }
    for width in WIDTHS {
        let grounds = THEMES.map(|theme| {
            let [content, window, ground] = look(&chromium, &html, width, theme);
            assert!(content <= window, "{content} of {window}");
            ground
        });
        assert!(grounds[0] > 600 && grounds[1] < 150, "light and dark: {grounds:?}");
    }
    assert_eq!(printed_pages(&chromium, &html), 2);
}
