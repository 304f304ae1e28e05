//! Compares hls.js in a browser with `--player web` on one live stream, through a time without segments and a time
//! without playlists.
//!
//! Needs Debian's `chromium`, and npm's `hls.js` in the folder that `npm root --global` prints or that
//! `HLSWARM_HLS_JS` names; otherwise the test is skipped. The browser must keep up: on a machine that is too slow for
//! it the test fails.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use hlswarm::testing::vocabulary::Kind;
use tempfile::TempDir;

use crate::access_log::{AccessLog, Entry};
use crate::media::SEGMENT_SECONDS;
use crate::origin::Origin;
use crate::players::{INTERVAL_TOLERANCE, LIST, TROUBLES, assert_waits, begin_together, imitate, trouble};
use crate::program::Program;
use crate::recovery::unix_seconds;
use crate::requests::Requests;
use crate::requirements;

/// Environment variable with the folder of the npm package, for one that is not installed globally.
const FOLDER: &str = "HLSWARM_HLS_JS";
const SCRIPT: &str = "dist/hls.min.js";
/// Time limit for the browser's start; its first start is slow.
const START_LIMIT: Duration = Duration::from_secs(60);
/// Seconds after the window moved in which a starting player makes its initial loads. Shorter than a segment, so the
/// window has not moved again.
const AT_ONCE_S: f64 = SEGMENT_SECONDS as f64 * 0.95;

/// A page, and the first request that shows that it runs.
pub struct Page<'a> {
    pub html: &'a str,
    pub first_request: &'a str,
}

/// A browser with a page open; it is killed when dropped.
pub struct Browser {
    child: Child,
    _profile: TempDir,
}

impl Browser {
    fn open(url: &str, user_agent: &str) -> Option<Self> {
        let profile = tempfile::tempdir().unwrap();
        let mut command = Command::new(requirements::optional("chromium")?);
        command.args(["--headless=new", "--no-sandbox", "--disable-gpu", "--mute-audio", "--no-first-run"]);
        command.args(["--autoplay-policy=no-user-gesture-required", "--disable-background-networking"]);
        command.args(["--disable-component-update", "--disable-dev-shm-usage"]);
        command.arg(format!("--user-data-dir={}", profile.path().display()));
        command.arg(format!("--user-agent={user_agent}")).arg(url);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        Some(Self { child, _profile: profile })
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns the path of hls.js as npm installs it.
fn script() -> Option<PathBuf> {
    let folder = env::var_os(FOLDER).map(PathBuf::from).or_else(|| {
        let npm = requirements::optional("npm")?;
        let said = Command::new(npm).args(["root", "--global"]).output().ok()?;
        Some(PathBuf::from(String::from_utf8(said.stdout).ok()?.trim()).join("hls.js"))
    });
    folder.map(|folder| folder.join(SCRIPT)).filter(|script| script.is_file())
}

/// Opens a page that can load hls.js from the origin, and waits until it runs.
pub fn open_page(origin: &Origin, page: Page<'_>) -> Option<Browser> {
    let Some(script) = script() else {
        requirements::skip("hls.js (npm)");
        return None;
    };
    fs::copy(script, origin.file("hls.js")).unwrap();
    fs::write(origin.file("player.html"), page.html).unwrap();
    let browser = Browser::open(&origin.url("/player.html"), "hls.js");
    if browser.is_none() {
        requirements::skip("chromium");
    }
    let deadline = Instant::now() + START_LIMIT;
    while browser.is_some() && !origin.log().entries().iter().any(|entry| entry.uri == page.first_request) {
        assert!(Instant::now() < deadline, "the browser does not load the page");
        thread::sleep(Duration::from_millis(50));
    }
    browser
}

/// Counts the segments that a starting player requested before `until`.
fn fetched_at_once(requests: &Requests, until: f64) -> usize {
    requests.of_kind(Kind::Segment).map(Entry::started_at).filter(|start| *start < until).count()
}

/// A browser and our player that went through the same trouble.
struct Met {
    log: AccessLog,
    /// Unix time of the window's move with which both began, in seconds.
    slid_at: f64,
    lag_s: f64,
}

/// Takes both players through all of it. Returns `None` after reporting what this machine lacks.
fn meet() -> Option<Met> {
    // The page starts to play once the file `begin` exists.
    let open = |origin: &Origin| {
        let page = Page { html: include_str!("player.html"), first_request: "/begin" };
        open_page(origin, page).map(|browser| (browser, None))
    };
    let begin = |origin: &Origin, (_, ours): &mut (Browser, Option<Program>)| {
        fs::write(origin.file("begin"), "").unwrap();
        *ours = Some(imitate("web", &origin.url(LIST)));
    };
    for _ in 0..TROUBLES {
        let (mut origin, (browser, ours), slid) = begin_together(&["hls.js", "as-web"], open, begin)?;
        let slid_at = unix_seconds() - slid.elapsed().as_secs_f64();
        let lag_s = trouble(&origin, slid);
        drop(browser);
        ours.expect("begun").end_within(Duration::from_secs(20));
        if let Some(lag_s) = lag_s {
            return Some(Met { log: origin.stop_and_read_log(), slid_at, lag_s });
        }
    }
    panic!("too busy for players to meet the same trouble");
}

#[test]
fn the_default_player_does_what_hls_js_does_in_a_browser() {
    let Some(Met { log, slid_at, lag_s }) = meet() else { return };
    let [real, ours] = ["hls.js", "as-web"].map(|agent| Requests::of(&log, agent));

    assert_eq!(ours.first_segment(), real.first_segment());
    let [at_once, theirs] = [&ours, &real].map(|requests| fetched_at_once(requests, slid_at + AT_ONCE_S));
    // Both begin with the same segment, so neither can fetch more than is listed. A browser on a busy machine is
    // later.
    assert!(at_once >= theirs, "{at_once} at once, hls.js {theirs}");
    let [interval, theirs] = [&ours, &real].map(Requests::interval_s);
    assert!((interval / theirs - 1.0).abs() <= INTERVAL_TOLERANCE, "{interval} s, hls.js {theirs} s");

    let [tries, theirs] = [&ours, &real].map(Requests::tries_of_missing);
    assert_eq!(tries.len(), theirs.len(), "{tries:?}, hls.js {theirs:?}");
    for (tries, theirs) in tries.iter().zip(&theirs) {
        assert_waits(tries, theirs, lag_s);
    }
    assert_waits(&ours.tries_of_failing(), &real.tries_of_failing(), lag_s);

    // Neither requests parts of segments.
    for requests in [&ours, &real] {
        assert!(requests.of_kind(Kind::Segment).all(|entry| entry.range.is_empty()));
    }
}
