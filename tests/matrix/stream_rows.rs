//! P24 to P38: numbers in playlists, their changes from one load to the next, and their delivery.

use std::time::Duration;

use crate::origin::{Answer, Log, Step};
use crate::program::Ended;
use crate::rows::{Case, Row, row};
use crate::streams::{PATIENT, live, live_with, vod, vod_of};

/// Bytes that a body must deliver in five seconds.
const LEAST_BYTES: u64 = 1_024;
/// Most playlists that a client may load in a second.
const PLAYLISTS_PER_SECOND: f64 = 2.0;

/// Returns the rows.
pub fn rows() -> Vec<Row> {
    [numbers(), durations(), reloads(), deliveries()].into_iter().flatten().collect()
}

/// Returns a case in which the playlist depends on the number of earlier loads, by one client.
fn changing(label: &'static str, list: impl Fn(u64) -> String + Send + Sync + 'static) -> Case {
    Case::new(label, move |asked| match asked.is_playlist() {
        true => Answer::playlist(list(asked.earlier as u64)),
        false => Answer::segment(),
    })
    .clients(1)
}

/// Fails if a client loaded playlists faster than it may.
fn playlists_are_paced(run: &Ended, _: &Log) {
    let clients = run.number("/run/clients_started");
    let most = clients * (PLAYLISTS_PER_SECOND * run.number("/run/duration_s") + 2.0);
    let loaded = run.count("/requests/playlist") as f64;
    assert!(loaded <= most, "{loaded} playlists by {clients} clients, at most {most} were expected");
}

fn no_segment_is_loaded_twice(_: &Ended, log: &Log) {
    let mut segments: Vec<_> = log.requests().into_iter().filter(|(_, path)| path.ends_with(".ts")).collect();
    let all = segments.len();
    segments.sort();
    segments.dedup_by_key(|(_, path)| path.clone());
    assert_eq!(segments.len(), all, "a segment was requested twice");
}

fn numbers() -> Vec<Row> {
    let back = |label, list: fn(u64) -> u64| {
        changing(label, move |load| live(list(load)))
            .finding("sequence_went_back")
            .until_asked(6, "m3u8")
            .holds(playlists_are_paced)
    };
    let sequence = |label: &'static str| {
        Case::text(label, vod(2).replace("#EXTINF", &format!("#EXT-X-MEDIA-SEQUENCE:{label}\n#EXTINF")))
    };
    let window = |label: &'static str| {
        let list = live(0).replace("SEQUENCE:0", &format!("SEQUENCE:{label}"));
        Case::text("live", list).until_asked(3, ".ts")
    };
    vec![
        row("P24", "a sequence number that goes back")
            .case(
                back("by one", |load| if load < 3 { 632 + load } else { 630 + load })
                    .holds(no_segment_is_loaded_twice),
            )
            .case(back("to 0", |load| if load < 3 { 632 + load } else { load - 3 })),
        row("P25", "a sequence number that jumps or is none")
            .case(sequence("1000000000"))
            .case(sequence("18446744073709551610"))
            .case(window("18446744073709551600"))
            .case(sequence("18446744073709551615").fails("playlist.syntax"))
            .case(sequence("1000000000000000000000000000000").fails("playlist.syntax"))
            .case(sequence("-5").finding("bad_media_sequence"))
            .case(sequence("abc").finding("bad_media_sequence"))
            .case(sequence("9.5").finding("bad_media_sequence"))
            .case(
                changing("in a run", |load| live(if load < 3 { 10 + load } else { 1_000_000_000 + load }))
                    .finding("sequence_jump")
                    .until_asked(6, "m3u8"),
            ),
    ]
}

fn durations() -> Vec<Row> {
    let target = |label: &'static str, line: &str| {
        Case::text(label, live(1).replace("#EXT-X-TARGETDURATION:1\n", line))
            .until_after(3, ".ts")
            .holds(playlists_are_paced)
    };
    // More segments than a client may load while the case lasts, however short they are.
    let segment = |label: &'static str, line: &str| {
        let list: String = (0..3_000).map(|number| format!("{line}s{number}.ts\n")).collect();
        Case::text(label, format!("#EXTM3U\n#EXT-X-TARGETDURATION:1\n{list}#EXT-X-ENDLIST\n"))
            .clients(1)
            .until_after(3, ".ts")
            .holds(|run, _| {
                let most = 40.0 * run.number("/run/duration_s") + 40.0;
                let loaded = run.count("/requests/segment") as f64;
                assert!(loaded <= most, "{loaded} segments, at most {most} were expected");
            })
    };
    vec![
        row("P26", "target durations that are none")
            .case(target("0", "#EXT-X-TARGETDURATION:0\n").finding("bad_target_duration"))
            .case(target("missing", "").finding("missing_target_duration"))
            .case(target("a trillion", "#EXT-X-TARGETDURATION:1000000000000\n"))
            .case(target("6.5", "#EXT-X-TARGETDURATION:6.5\n").finding("bad_target_duration"))
            .case(target("-1", "#EXT-X-TARGETDURATION:-1\n").finding("bad_target_duration"))
            .case(target("NaN", "#EXT-X-TARGETDURATION:NaN\n").finding("bad_target_duration")),
        row("P27", "segment durations that are none")
            .case(segment("0", "#EXTINF:0,\n"))
            .case(segment("-3", "#EXTINF:-3,\n").finding("bad_extinf"))
            .case(segment("NaN", "#EXTINF:NaN,\n").finding("bad_extinf"))
            .case(segment("1e308", "#EXTINF:1e308,\n"))
            .case(segment("missing", "").finding("missing_extinf"))
            .case(segment("a microsecond", "#EXTINF:0.000001,\n")),
    ]
}

fn reloads() -> Vec<Row> {
    let all_gone = Case::new("live", |asked| match asked.is_playlist() {
        true => Answer::playlist(live(10 + asked.earlier as u64)),
        false => Answer::status("404 Not Found"),
    });
    let unchanged = Case::new("the same tag always", |asked| {
        let headers = ["ETag: \"x\"", "Age: 100000"];
        match (asked.is_playlist(), asked.header("if-none-match")) {
            (false, _) => Answer::segment(),
            (true, None) => Answer::playlist_with(&headers, live(10)),
            (true, Some(_)) => {
                Answer::raw("HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\nAge: 99999999999999999999\r\n\r\n")
            }
        }
    });
    let parts =
        "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=1\n#EXT-X-PART-INF:PART-TARGET=0.33\n";
    let low_latency = changing("plain reloads", move |load| {
        let hint = "#EXT-X-PART:DURATION=0.33,URI=\"p.mp4\"\n#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"h.mp4\"\n";
        live_with(parts, 10 + load) + hint
    });
    vec![
        row("P28", "a live playlist that does not change").case(
            Case::text("stale", live(10))
                .finding("playlist_stale")
                .until_recorded("stall_began")
                .holds(playlists_are_paced),
        ),
        row("P29", "an end that is taken back").case(
            changing("at the third load", |load| {
                live(10 + load) + if load == 2 { "#EXT-X-ENDLIST\n" } else { "" }
            })
            .holds(|run, log| {
                assert_eq!(log.count("m3u8"), 3, "nothing is loaded after the end");
                assert_eq!(run.count("/playback/finished_clients"), 1);
            }),
        ),
        row("P30", "segments that have expired before they are loaded").case(
            all_gone.fails("http.404").and_ok().until_after(4, ".ts").holds(|run, _| {
                let found = run.findings();
                assert!(
                    found.contains(&"segment_expired") || found.contains(&"segment_not_ready"),
                    "{found:?}"
                );
                let most = run.number("/run/clients_started") * (3.0 * run.number("/run/duration_s") + 5.0);
                assert!((run.count("/requests/segment") as f64) < most);
            }),
        ),
        row("P31", "discontinuities everywhere, and a sequence that ignores them").case(
            changing("each segment", |load| {
                live_with("#EXT-X-DISCONTINUITY-SEQUENCE:7\n", 10 + load)
                    .replace("#EXTINF", "#EXT-X-DISCONTINUITY\n#EXTINF")
            })
            .finding("discontinuity_mismatch")
            .until_asked(4, "m3u8"),
        ),
        row("P32", "304 and Age that lie")
            .case(unchanged.clients(1).finding("cached_too_long").until_asked(4, "m3u8").holds(|run, _| {
                let whole = live(10).len() as u64;
                assert_eq!(run.count("/bytes/playlist"), whole, "only the first load has a body");
            }))
            .case(
                Case::playlists("to the first load", Answer::raw("HTTP/1.1 304 Not Modified\r\n\r\n"))
                    .fails("http.other"),
            ),
        row("P35", "a blocking reload that is never answered")
            .case(low_latency.until_asked(3, "m3u8").holds(|_, log| assert_eq!(log.count("_HLS_"), 0)))
            .not_possible("no player profile makes blocking reloads; such a stream is played like any other"),
        row("P36", "two playlists in turn").case(
            changing("far apart", |load| live(if load % 2 == 0 { 100 + load } else { 5_000 + load }))
                .finding("sequence_jump")
                .finding("sequence_went_back")
                .until_asked(5, "m3u8")
                .holds(playlists_are_paced),
        ),
    ]
}

fn deliveries() -> Vec<Row> {
    vec![ranges(), keys(), slow(), heads()]
}

fn ranges() -> Row {
    const FILE: u64 = 10_000;
    let case = |label: &'static str| {
        let list = vod_of(["f.ts"; 3]).replace("#EXTINF", &format!("#EXT-X-BYTERANGE:{label}\n#EXTINF"));
        Case::new(label, move |asked| {
            let range = asked.header("range").and_then(|range| range.strip_prefix("bytes=")?.split_once('-'));
            let range =
                range.and_then(|(first, last)| Some((first.parse::<u64>().ok()?, last.parse::<u64>().ok()?)));
            match (asked.is_playlist(), range) {
                (true, _) => Answer::playlist(list.clone()),
                (_, None) => Answer::segment(),
                (_, Some((first, _))) if first >= FILE => Answer::whole(
                    "416 Range Not Satisfiable",
                    &[&format!("Content-Range: bytes */{FILE}")],
                    "",
                ),
                (_, Some((first, last))) => {
                    let last = last.min(FILE - 1);
                    let line = format!("Content-Range: bytes {first}-{last}/{FILE}");
                    Answer::whole("206 Partial Content", &[&line], vec![0x47; (last + 1 - first) as usize])
                }
            }
        })
    };
    let overflow = "18446744073709551615@18446744073709551615";
    row("P33", "byte ranges that are none")
        .case(case("1000@99999999").fails("http.416").and_ok())
        .case(case("1000@9500").fails("body.range").and_ok())
        .case(case(overflow).finding("bad_byte_range"))
        .case(case("99999999999999999999@0").finding("bad_byte_range"))
        .case(case("-1@5").finding("bad_byte_range"))
        .case(case("x@y").finding("bad_byte_range"))
        .case(case("10@0"))
}

fn keys() -> Row {
    let list = vod(3).replacen("#EXTINF", "#EXT-X-KEY:METHOD=AES-128,URI=\"k.key\"\n#EXTINF", 1);
    let key = move |label, answer: Answer| {
        let list = list.clone();
        Case::new(label, move |asked| match asked.path.as_str() {
            "/k.key" => answer.clone(),
            _ if asked.is_playlist() => Answer::playlist(list.clone()),
            _ => Answer::segment(),
        })
        .and_ok()
        .options(&["--timeout", PATIENT])
    };
    let huge = Answer::head("200 OK", "Content-Length: 10000000\r\n").then(Step::Flood("kkkkkkkk".into()));
    let slow = Answer::head("200 OK", "Content-Length: 16\r\n").send("kk").then(Step::Silence);
    row("P34", "keys that are missing, huge, slow or wrong")
        .case(key("missing", Answer::status("404 Not Found")).fails("http.404"))
        .case(key("huge", huge).fails("body.too_big"))
        .case(key("slow", slow).fails("timeout.idle"))
        .case(key("short", Answer::whole("200 OK", &[], "abc")).fails("body.decode").finding("key_length"))
        .case(key("good", Answer::whole("200 OK", &[], vec![7; 16])).holds(|_, log| {
            assert_eq!(log.count("k.key"), 2, "each of two clients loads the key once");
        }))
        .case(
            key("of other segments", Answer::whole("200 OK", &[], vec![7; 16]))
                .options(&["--decrypt"])
                .fails("body.decode"),
        )
}

fn slow() -> Row {
    let text = vod(200).into_bytes();
    let slowly = |label, piece: usize, pause: fn() -> Step| {
        let head = Answer::head("200 OK", &format!("Content-Length: {}\r\n", text.len()));
        let sent = text.chunks(piece).fold(head, |answer, piece| answer.send(piece.to_vec()).then(pause()));
        Case::playlists(label, sent).fails("timeout.idle").holds(|run, _| {
            let failed = run.count("/kinds/playlist/outcomes/timeout.idle");
            let bytes = run.count("/kinds/playlist/outcome_bytes/timeout.idle");
            // On a busy machine there may be a pause, after which the limit begins again, but only once.
            assert!(bytes > 0 && bytes < failed * 2 * LEAST_BYTES, "{bytes} bytes of {failed} playlists");
        })
    };
    let first_fault = |least: u64| {
        move |run: &Ended, _: &Log| {
            let faults = run.record.iter().filter(|line| line["kind"] == "fault");
            let first = faults.filter_map(|line| line["at_us"].as_u64()).min().unwrap();
            assert!(first >= least, "the limit is kept: {first} us");
        }
    };
    let second: fn() -> Step = || Step::Pause(Duration::from_secs(1));
    row("P37", "a playlist of a few bytes a second")
        // Within the limit of a silence, and below the least progress.
        .case(slowly("one", 1, second).holds(first_fault(5_000_000)))
        .case(slowly("two hundred", 200, second).holds(first_fault(5_000_000)))
        .case(
            slowly("one in four seconds", 1, || Step::Pause(Duration::from_secs(4)))
                .options(&["--timeout", PATIENT])
                .holds(first_fault(3_000_000)),
        )
}

fn heads() -> Row {
    let begun = |lines: &str| Answer::raw(format!("HTTP/1.1 200 OK\r\n{lines}"));
    let refused = |label, answer| Case::playlists(label, answer).fails("conn.proto");
    let hundred = {
        let text = vod(2);
        Answer::head("200 OK", &format!("{}Content-Length: {}\r\n", "X: y\r\n".repeat(99), text.len()))
            .send(text)
    };
    row("P38", "heads of responses without end")
        .case(refused("10,000 cookies", begun(&"Set-Cookie: a=b\r\n".repeat(10_000)).then(Step::Silence)))
        .case(refused("1 MB", begun("X: ").send(vec![b'x'; 1 << 20]).then(Step::Silence)))
        .case(refused("endless value", begun("X: ").then(Step::Flood("xxxxxxxx".into()))))
        .case(refused("endless lines", begun("").then(Step::Flood("X: y\r\n".into()))))
        .case(Case::playlists("a hundred lines", hundred))
}
