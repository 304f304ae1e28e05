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
