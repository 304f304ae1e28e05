//! Cookies in whole runs: sessions that a load balancer assigns, and the hosts and outputs that may see them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::program::{Ended, Program};
use crate::scripted::{Answer, Asked, Scripted};

/// Path of a request, and its cookies.
type Seen = (String, Option<String>);

const LIMIT: Duration = Duration::from_secs(40);
const CLIENTS: u64 = 3;
const VOD: &str = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\na.ts\n#EXTINF:1,\nb.ts\n#EXTINF:1,\nc.ts\n#EXT-X-ENDLIST\n";

fn run(url: &str, options: &[&str]) -> Ended {
    let base = ["-c", "3", "--ramp-time", "0", "-d", "20s"];
    Program::start(url, &[&base, options].concat()).end_within(LIMIT)
}

fn is_playlist(asked: &Asked) -> bool {
    asked.path.ends_with(".m3u8")
}

/// Checks that every request succeeded and that every client played.
fn assert_all_played(run: &Ended) {
    run.assert_exit_code(0);
    assert_eq!(run.report.count("/playback/started"), CLIENTS);
    let names: Vec<_> = run.report.outcomes().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["ok"]);
}

#[test]
fn a_client_keeps_the_session_that_a_redirect_to_the_same_url_gave_it() {
    let sessions = Arc::new(AtomicU64::new(0));
    let given = Arc::clone(&sessions);
    let origin = Scripted::start_with(move |asked| {
        let has_session = asked.header("cookie").is_some_and(|cookie| cookie.contains("sid="));
        match (is_playlist(asked), has_session) {
            (true, true) => Answer::playlist(VOD),
            (true, false) => {
                let session = given.fetch_add(1, Ordering::Relaxed);
                Answer::whole("302 Found", "text/plain", b"")
                    .with(&format!("Location: {}", asked.path))
                    .with(&format!("Set-Cookie: sid={session}; Path=/; HttpOnly"))
            }
            (false, true) => Answer::segment(),
            (false, false) => Answer::whole("403 Forbidden", "text/plain", b"no session"),
        }
    });
    let run = run(&origin.url("/live.m3u8"), &[]);
    assert_all_played(&run);
    assert_eq!(sessions.load(Ordering::Relaxed), CLIENTS, "one for each viewer");
    assert_eq!(run.report.count("/connections/redirects"), CLIENTS);
}

#[test]
fn cookies_stay_with_their_host_and_beside_those_of_the_operator_and_are_never_shown() {
    let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
    let other_saw = Arc::clone(&seen);
    let other = Scripted::start_with(move |asked| {
        other_saw.lock().unwrap().push((asked.path.clone(), asked.header("cookie")));
        Answer::segment()
    });
    let list = VOD.replace("b.ts", &format!("http://localhost:{}/other.ts", other.port()));
    let saw = Arc::clone(&seen);
    let origin = Scripted::start_with(move |asked| {
        saw.lock().unwrap().push((asked.path.clone(), asked.header("cookie")));
        if is_playlist(asked) {
            Answer::playlist(&list)
                .with("Set-Cookie: edge=hunter2; Path=/")
                .with("set-cookie: x=hunter2; Path=/a.ts")
        } else {
            Answer::segment()
        }
    });
    let run = run(&origin.url("/live.m3u8"), &["--header", "Cookie: given=hunter2; edge=old"]);
    assert_all_played(&run);
    for (path, cookie) in seen.lock().unwrap().iter() {
        let expected = match path.as_str() {
            "/live.m3u8" => Some("given=hunter2; edge=old"),
            "/a.ts" => Some("given=hunter2; x=hunter2; edge=hunter2"),
            "/other.ts" => None,
            _ => Some("given=hunter2; edge=hunter2"),
        };
        assert_eq!(cookie.as_deref(), expected, "{path}");
    }
    for (name, output) in run.outputs() {
        assert!(!output.contains("hunter2"), "{name}: {output}");
    }
}

#[test]
fn each_client_begins_with_the_cookies_of_a_file_and_shows_none() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let file = folder.path().join("cookies.txt");
    let before = "# Netscape HTTP Cookie File\n127.0.0.1\tFALSE\t/\tFALSE\t0\tsid\thunter2\n\
        cdn.example\tTRUE\t/\tFALSE\t0\tother\thunter2\n";
    std::fs::write(&file, before).unwrap();
    for (options, expected) in [(&[][..], "sid=hunter2; new=hunter2"), (&["--no-cookies"], "sid=hunter2")] {
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let saw = Arc::clone(&seen);
        let origin = Scripted::start_with(move |asked| {
            saw.lock().unwrap().push((asked.path.clone(), asked.header("cookie")));
            let answer = if is_playlist(asked) { Answer::playlist(VOD) } else { Answer::segment() };
            answer.with("Set-Cookie: new=hunter2; Path=/")
        });
        let given = ["--cookie-jar", file.to_str().unwrap()];
        let run = run(&origin.url("/live.m3u8"), &[&given, options].concat());
        assert_all_played(&run);
        for (path, cookie) in seen.lock().unwrap().iter() {
            let expected = if path == "/live.m3u8" { "sid=hunter2" } else { expected };
            assert_eq!(cookie.as_deref(), Some(expected), "{path}");
        }
        assert!(run.outputs().all(|(_, output)| !output.contains("hunter2")));
    }
    assert_eq!(std::fs::read_to_string(&file).unwrap(), before, "nothing is written back");
    std::fs::write(&file, "hunter2\n").unwrap();
    let refused = run("http://127.0.0.1:9/a.m3u8", &["--cookie-jar", file.to_str().unwrap()]);
    refused.assert_exit_code(2);
    let said = refused.stderr();
    assert!(
        said.contains("line 1 is not a cookie") && !said.contains("hunter2") && said.lines().count() == 1
    );
}

#[test]
fn caches_are_asked_for_the_origin_or_meet_urls_that_they_do_not_know() {
    let load = |options: &[&str]| {
        let seen: Arc<Mutex<Vec<[String; 3]>>> = Arc::default();
        let saw = Arc::clone(&seen);
        let origin = Scripted::start_with(move |asked| {
            let header = |name| asked.header(name).unwrap_or_default();
            saw.lock().unwrap().push([asked.path.clone(), header("cache-control"), header("pragma")]);
            let is_playlist = asked.path.starts_with("/live.m3u8");
            if is_playlist { Answer::playlist(VOD) } else { Answer::segment() }
        });
        let run = run(&origin.url("/live.m3u8?a=b"), options);
        assert_all_played(&run);
        for (name, output) in run.outputs() {
            assert!(!output.contains("hlswarm="), "{name}");
        }
        let seen = seen.lock().unwrap().clone();
        assert_eq!(seen.len() as u64, 4 * CLIENTS);
        seen
    };
    let told = load(&["--no-cache"]);
    assert!(told.iter().all(|[_, control, pragma]| control == "no-cache" && pragma == "no-cache"));
    let plain = load(&[]);
    assert!(plain.iter().all(|[path, control, _]| control.is_empty() && !path.contains("hlswarm=")));
    let paths = load(&["--no-cache=query"]).into_iter().map(|[path, ..]| path).collect::<Vec<_>>();
    let distinct: std::collections::BTreeSet<_> = paths.iter().collect();
    assert_eq!(distinct.len(), paths.len(), "{paths:?}");
    assert!(paths.iter().any(|path| path.starts_with("/live.m3u8?a=b&hlswarm=")), "{paths:?}");
    assert!(paths.iter().any(|path| path.starts_with("/a.ts?hlswarm=")), "{paths:?}");
}
