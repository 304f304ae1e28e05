//! Connections of a client: one for each host, counted correctly; and the effect of `--resolve`.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::program::{Ended, Program};
use crate::scripted::{Answer, Scripted, Then};

const LIMIT: Duration = Duration::from_secs(40);
/// More hosts than an earlier version of the client kept connections to.
const HOSTS: usize = 7;
const SEGMENTS: usize = 3 * HOSTS;

fn run(url: &str, options: &[&str]) -> Ended {
    let base = ["-c", "1", "-d", "30s"];
    Program::start(url, &[&base, options].concat()).end_within(LIMIT)
}

/// Returns a VOD whose segments are at `uri`, by their number.
fn vod(segments: usize, uri: impl Fn(usize) -> String) -> String {
    let list: String = (0..segments).map(|number| format!("#EXTINF:0.5,\n{}\n", uri(number))).collect();
    format!("#EXTM3U\n#EXT-X-TARGETDURATION:1\n{list}#EXT-X-ENDLIST\n")
}

#[test]
fn a_client_keeps_one_connection_to_each_of_many_hosts() {
    let accepted: Arc<Mutex<BTreeSet<usize>>> = Arc::default();
    let seen = Arc::clone(&accepted);
    let origin = Scripted::start_with(move |asked| {
        seen.lock().unwrap().insert(asked.connection);
        let port = asked.header("host").unwrap().rsplit(':').next().unwrap().to_owned();
        if asked.path == "/vod.m3u8" {
            Answer::playlist(&vod(SEGMENTS, |number| {
                format!("http://e{}.cdn.example:{port}/{number}.ts", number % HOSTS)
            }))
        } else {
            Answer::segment()
        }
    });
    let any = format!("*:{}:127.0.0.1", origin.port());
    let run = run(&origin.url("/vod.m3u8"), &["--resolve", &any]);
    run.assert_exit_code(0);
    assert_eq!(run.report.outcomes(), [("ok", 1 + SEGMENTS as u64)]);
    let connections = 1 + HOSTS as u64;
    assert_eq!(accepted.lock().unwrap().len() as u64, connections);
    assert_eq!(run.report.count("/connections/opened"), connections);
    assert_eq!(run.report.count("/connections/reconnections"), 0);
}

#[test]
fn only_a_connection_that_replaces_a_lost_one_is_a_reconnection() {
    let accepted = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&accepted);
    let origin = Scripted::start_with(move |asked| {
        seen.fetch_max(asked.connection + 1, Ordering::Relaxed);
        match asked.path.as_str() {
            "/main.m3u8" => Answer::playlist(
                "#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"a\",URI=\"audio.m3u8\",DEFAULT=YES\n\
                 #EXT-X-STREAM-INF:BANDWIDTH=1000,AUDIO=\"a\"\nvideo.m3u8\n",
            ),
            path if path.ends_with(".m3u8") => {
                let name = path.trim_start_matches('/').trim_end_matches(".m3u8").to_owned();
                Answer::playlist(&vod(6, |number| format!("{name}{number}.ts")))
            }
            // Each track loses its connection once.
            "/video3.ts" | "/audio4.ts" => Answer { then: Then::Close, ..Answer::segment() },
            _ => Answer::segment(),
        }
    });
    let run = run(&origin.url("/main.m3u8"), &[]);
    run.assert_exit_code(0);
    let opened = run.report.count("/connections/opened");
    assert_eq!(opened, accepted.load(Ordering::Relaxed) as u64);
    assert_eq!(
        run.report.count("/connections/reconnections"),
        opened - 2,
        "{opened} were opened, for two lanes"
    );
}

#[test]
fn an_entry_of_resolve_that_matched_nothing_is_named_at_the_end() {
    let origin = Scripted::start(|path| match path {
        "/vod.m3u8" => Answer::playlist(&vod(2, |number| format!("{number}.ts"))),
        _ => Answer::segment(),
    });
    let port = origin.port();
    let used = format!("cdn.example:{port}:[::1],127.0.0.1");
    let options = ["--resolve", &used, "--resolve", "cdn.example:443:127.0.0.1", "--resolve", "-other:80"];
    let run = run(&format!("http://cdn.example:{port}/vod.m3u8"), &options);
    run.assert_exit_code(0);
    let unused = run.report.value().pointer("/run/resolve_unused").unwrap();
    assert_eq!(*unused, serde_json::json!(["cdn.example:443"]));
    let (_, text) = run.outputs().find(|(name, _)| *name == "report.txt").unwrap();
    assert!(text.contains("--resolve cdn.example:443 matched nothing"), "{text}");
}
