//! Origins that are down, wrong, endless or silent: each has its own counted outcome and exit code, and none causes a
//! panic.

use std::net::TcpListener;
use std::time::Duration;

use crate::program::{Ended, Program};
use crate::scripted::{Answer, Scripted, Then};

const LIMIT: Duration = Duration::from_secs(40);
/// Exit code of a run in which nothing was played, or less than half succeeded.
const CRITERIA: i32 = 3;
/// Exit code of a run whose URL leads to nothing.
const PREFLIGHT: i32 = 5;

const MEDIA: &str = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\na.ts\n#EXTINF:2,\nb.ts\n#EXTINF:2,\nc.ts\n#EXT-X-ENDLIST\n";

fn run(url: &str, options: &[&str]) -> Ended {
    let base = ["-c", "2", "--ramp-time", "0", "-d", "3s"];
    Program::start(url, &[&base, options].concat()).end_within(LIMIT)
}

/// Returns the names of all outcomes but `cut`, which the end of the run causes.
fn outcomes(run: &Ended) -> Vec<&str> {
    run.report.outcomes().into_iter().map(|(name, _)| name).filter(|name| *name != "cut").collect()
}

fn assert_only(run: &Ended, outcome: &str) {
    run.assert_exit_code(CRITERIA);
    assert_eq!(outcomes(run), [outcome]);
}

/// Checks that only one client started (or the one that replaced it), that it made at most three requests, and that
/// one sentence says why no load followed.
fn assert_refused(run: &Ended, sentence: &str) {
    let started = run.report.count("/run/clients_started");
    assert!((1..=2).contains(&started), "one client, or the one that replaced it: {started}");
    assert!((1..=3).contains(&run.report.count("/requests/started")), "{}", run.report.text("/requests"));
    let said = run.stderr();
    let said = said.lines().filter(|line| line.starts_with("hlswarm: preflight: ")).collect::<Vec<_>>();
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains(sentence) && said[0].contains("is the URL right?"), "{}", said[0]);
    assert!(run.report.text("/exit/reasons/0").contains(sentence));
    assert_eq!(run.report.text("/health/knee_errors"), "null", "no knee before a client has played");
    assert_eq!(run.stdout(), "");
}

#[test]
fn an_origin_that_is_down_is_refused() {
    // A port that was free a moment ago.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let down = run(&format!("http://127.0.0.1:{port}/master.m3u8"), &[]);
    assert_only(&down, "conn.refused");
    assert_refused(&down, "the first playlist cannot be loaded: conn.refused: The connection was refused");
}

#[test]
fn a_name_that_does_not_exist_is_a_fault_of_names() {
    let run = run("http://no-such-host.invalid/master.m3u8", &[]);
    // A name server that cannot be reached does not say that the name does not exist.
    let is_unknown = outcomes(&run) == ["dns.nx"];
    run.assert_exit_code(if is_unknown { PREFLIGHT } else { CRITERIA });
    assert!(
        outcomes(&run).iter().all(|name| ["dns.nx", "dns.servfail", "timeout.dns"].contains(name)),
        "{:?}",
        outcomes(&run)
    );
}

#[test]
fn a_playlist_that_is_not_there_is_its_status() {
    let origin = Scripted::start(|_| Answer::whole("404 Not Found", "text/plain", b"no"));
    let run = run(&origin.url("/wrong.m3u8?token=hunter2"), &["-c", "40"]);
    run.assert_exit_code(PREFLIGHT);
    assert_eq!(outcomes(&run), ["http.404"]);
    assert_refused(&run, "the first playlist returned 404 Not Found");
    assert!(run.outputs().all(|(_, text)| !text.contains("hunter2")));
}

#[test]
fn preflight_can_be_skipped() {
    let origin = Scripted::start(|_| Answer::whole("404 Not Found", "text/plain", b"no"));
    let run = run(&origin.url("/wrong.m3u8"), &["-c", "5", "--skip-preflight"]);
    assert_only(&run, "http.404");
    assert_eq!(run.report.text("/health/verdict"), "NOTHING PLAYS");
    assert_eq!(run.report.text("/health/knee_errors"), "null", "no knee before a client has played");
    assert!(run.report.count("/run/clients_started") >= 5);
}

#[test]
fn an_origin_that_is_overloaded_at_the_start_is_loaded_all_the_same() {
    let origin = Scripted::start(|_| Answer::whole("503 Service Unavailable", "text/plain", b"no"));
    let run = run(&origin.url("/live.m3u8"), &["-c", "5", "-d", "4s", "--player", "persistent"]);
    assert_only(&run, "http.503");
    assert_eq!(run.report.count("/run/clients_peak"), 5);
}

#[test]
fn a_page_instead_of_a_playlist_is_not_a_playlist() {
    let origin = Scripted::start(|_| Answer::whole("200 OK", "text/html", b"<html><h1>Welcome</h1></html>"));
    let run = run(&origin.url("/master.m3u8"), &[]);
    assert_only(&run, "playlist.not_m3u8");
    assert_refused(&run, "the first playlist is not a playlist (text/html: <html><h1>Welcome</h1></html>)");
}

#[test]
fn an_empty_playlist_is_not_a_playlist() {
    let origin = Scripted::start(|_| Answer::playlist(""));
    assert_only(&run(&origin.url("/master.m3u8"), &[]), "playlist.not_m3u8");
}

#[test]
fn a_playlist_of_a_hundred_megabytes_is_stopped_at_the_limit() {
    let lines =
        format!("#EXTM3U\n{}", "#EXTINF:2,\nsegment.ts\n".repeat(100 * 1024 * 1024 / 22)).into_bytes();
    let origin = Scripted::start(move |_| Answer::whole("200 OK", "application/vnd.apple.mpegurl", &lines));
    let run = run(&origin.url("/master.m3u8"), &["-c", "1"]);
    assert_only(&run, "playlist.limit");
    let read = run.report.count("/bytes/playlist") / run.report.count("/requests/playlist");
    assert!((8 << 20..9 << 20).contains(&read), "{read} bytes were read of each");
}

#[test]
fn a_playlist_that_never_ends_is_stopped_at_the_limit() {
    let line = "# and so on\n".repeat(1000);
    let endless = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n#EXTM3U\n\r\n{}", {
        let chunk = format!("{:x}\r\n{line}\r\n", line.len());
        chunk.repeat(900)
    });
    let origin = Scripted::start(move |_| Answer { bytes: endless.clone().into_bytes(), then: Then::Hang });
    assert_only(&run(&origin.url("/master.m3u8"), &["-c", "1"]), "playlist.limit");
}

#[test]
fn a_body_that_stops_is_idle_and_a_body_that_ends_early_is_short() {
    for (then, outcome) in
        [(|| Then::Hang, "timeout.idle"), (|| Then::Close, "body.short")] as [(fn() -> Then, _); 2]
    {
        let origin = Scripted::start(move |path| match path {
            "/master.m3u8" => Answer::playlist(MEDIA),
            _ => Answer::part_of_segment(100_000, 40_000, then()),
        });
        let run = run(&origin.url("/master.m3u8"), &["--timeout", "400ms"]);
        run.assert_exit_code(CRITERIA);
        assert_eq!(
            outcomes(&run),
            [outcome, "ok"]
                .map(str::to_owned)
                .into_iter()
                .collect::<std::collections::BTreeSet<_>>()
                .into_iter()
                .collect::<Vec<_>>()
        );
        let failed = run.report.count(&format!("/kinds/segment/outcomes/{outcome}"));
        assert_eq!(run.report.count(&format!("/kinds/segment/outcome_bytes/{outcome}")), failed * 40_000);
    }
}

#[test]
fn an_origin_that_accepts_and_says_nothing_runs_into_the_first_byte() {
    let origin = Scripted::start(|_| Answer { bytes: Vec::new(), then: Then::Hang });
    assert_only(&run(&origin.url("/master.m3u8"), &["--timeout", "300ms"]), "timeout.first_byte");
}

#[test]
fn what_is_not_http_is_a_protocol_fault() {
    for wire in [
        "SSH-2.0-OpenSSH_9.6\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
        "HTTP/1.1 99 Odd\r\n\r\n",
    ] {
        let origin = Scripted::start(move |_| Answer { bytes: wire.as_bytes().to_vec(), then: Then::Close });
        assert_only(&run(&origin.url("/master.m3u8"), &["-d", "1s"]), "conn.proto");
    }
}

/// Starts an origin of a VOD whose segments are byte ranges of one file. `segment` answers each range.
fn ranges(segment: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Scripted {
    let list: String =
        (0..4).map(|number| format!("#EXTINF:1,\n#EXT-X-BYTERANGE:100@{}\nall.ts\n", number * 100)).collect();
    let list = format!("#EXTM3U\n#EXT-X-VERSION:4\n#EXT-X-TARGETDURATION:1\n{list}#EXT-X-ENDLIST\n");
    Scripted::start_with(move |asked| match asked.header("range") {
        Some(range) if asked.path == "/all.ts" => segment(range.trim_start_matches("bytes=")),
        _ => Answer::playlist(&list),
    })
}

#[test]
fn a_range_that_was_not_asked_for_is_a_fault_and_the_right_one_is_not() {
    let partial = |range: &str, length: usize| {
        let whole = Answer::whole("206 Partial Content", "video/mp2t", &vec![0x47; length]);
        if range.is_empty() { whole } else { whole.with(&format!("Content-Range: bytes {range}/8192")) }
    };
    type Segment = Box<dyn Fn(&str) -> Answer + Send + Sync>;
    let wrong: [(&str, Segment); 4] = [
        ("shorter", Box::new(move |_| partial("0-39", 40))),
        ("shifted", Box::new(move |_| partial("7-106", 100))),
        ("whole", Box::new(move |range| partial(range, 8_192))),
        ("unnamed", Box::new(move |_| partial("", 99))),
    ];
    for (what, segment) in wrong {
        let run = run(&ranges(segment).url("/vod.m3u8"), &["-c", "1", "-d", "2s"]);
        assert_eq!(outcomes(&run), ["body.range", "ok"], "{what}");
        assert_eq!(run.report.count("/kinds/segment/outcomes/ok"), 0, "{what}");
    }
    let right = run(&ranges(move |range| partial(range, 100)).url("/vod.m3u8"), &["-c", "1"]);
    assert_eq!(outcomes(&right), ["ok"]);
}

#[test]
fn what_was_not_asked_for_is_no_answer() {
    let not_modified = "HTTP/1.1 304 Not Modified\r\n\r\n";
    let origin = Scripted::start(move |path| match path {
        "/master.m3u8" => Answer::playlist(MEDIA),
        _ => Answer { bytes: not_modified.as_bytes().to_vec(), then: Then::Keep },
    });
    let run = run(&origin.url("/master.m3u8"), &["-d", "2s"]);
    assert_eq!(outcomes(&run), ["http.other", "ok"]);
    assert_eq!(run.report.count("/kinds/segment/outcomes/ok"), 0);
}

#[test]
fn heads_and_codings_that_players_read_are_read() {
    for line in [
        "X-Policy: default;\r\n   media *;\r\n\timg *",
        "X-Allow : true",
        "X Served By: cache-7",
        "X-Meta[id]: 7",
        ": nothing",
        "Content-Encoding: aws-chunked",
        "Content-Encoding: none",
        "Content-Encoding:",
    ] {
        let origin = Scripted::start(move |path| {
            let sound = if path.ends_with(".m3u8") { Answer::playlist(MEDIA) } else { Answer::segment() };
            sound.with(line)
        });
        let run = run(&origin.url("/master.m3u8"), &["-c", "1", "-d", "2s"]);
        assert_eq!(outcomes(&run), ["ok"], "{line:?}");
        assert_eq!(run.report.count("/playback/started"), 1, "{line:?}");
    }
}

#[test]
fn redirects_are_followed_five_times_and_never_to_another_scheme() {
    let redirect = |location: String| {
        let bytes =
            format!("HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n").into_bytes();
        Answer { bytes, then: Then::Keep }
    };
    let ring = Scripted::start(move |path| redirect(format!("{path}x")));
    let lost = run(&ring.url("/a"), &["-c", "1", "-d", "1s"]);
    lost.assert_exit_code(CRITERIA);
    let given_up = lost.report.count("/outcomes/policy.redirects");
    assert!(given_up > 0);
    assert_eq!(lost.report.count("/outcomes/ok"), 5 * given_up);
    assert_eq!(lost.report.count("/connections/redirects"), 5 * given_up);

    let file = Scripted::start(move |_| redirect("file:///etc/passwd".to_owned()));
    assert_only(&run(&file.url("/a"), &["-d", "1s"]), "policy.scheme");
}

#[test]
fn a_hostile_reason_or_header_reaches_no_output() {
    let wire = "HTTP/1.1 503 \x1b]52;c;ZXZpbA==\x07\r\nX: \x1b[2J\r\nContent-Length: 6\r\n\r\n\x1b[31m!";
    let origin = Scripted::start(move |_| Answer { bytes: wire.as_bytes().to_vec(), then: Then::Keep });
    let run = run(&origin.url("/master.m3u8"), &["-d", "1s"]);
    for (name, text) in run.outputs() {
        let control = text.chars().find(|c| c.is_control() && *c != '\n');
        assert_eq!(control, None, "{name}: {text:?}");
    }
}
