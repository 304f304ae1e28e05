//! S: what can be wrong with a segment, from its status to its last byte.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::expectations::assert_common;
use crate::many_rows::interim_responses;
use crate::origin::{Answer, SEGMENT_BYTES, Step};
use crate::program::{Ended, HLSWARM, Start};
use crate::rows::{Case, Row, row};
use crate::streams::{PATIENT, live, vod};
use crate::terminal_rows::errors_view;

/// Returns the rows.
pub fn rows() -> Vec<Row> {
    [lengths(), stalls(), framing(), codes(), statuses(), content(), times()].into_iter().flatten().collect()
}

/// Returns the head of a segment of this length, and the first bytes of its body.
fn part(length: u64, sent: usize) -> Answer {
    Answer::head("200 OK", &format!("Content-Type: video/mp2t\r\nContent-Length: {length}\r\n"))
        .send(vec![0x47; sent])
}

/// Returns the head of a segment with this framing, and all that follows.
fn framed(headers: &str, rest: &str) -> Answer {
    Answer::head("200 OK", &format!("Content-Type: video/mp2t\r\n{headers}")).send(rest.to_owned())
}

fn chunked(rest: &str) -> Answer {
    framed("Transfer-Encoding: chunked\r\n", rest)
}

/// Returns a case in which each segment ends with `outcome` after `bytes` bytes that are counted.
fn counted(label: &'static str, answer: Answer, outcome: &'static str, bytes: u64) -> Case {
    Case::segments(label, answer).fails(outcome).holds(move |run, _| {
        let failed = run.count(&format!("/kinds/segment/outcomes/{outcome}"));
        let got = run.count(&format!("/kinds/segment/outcome_bytes/{outcome}"));
        assert_eq!(got, failed * bytes, "{failed} segments of {bytes} bytes");
        assert_eq!(run.segment_outcomes(), [outcome]);
    })
}

fn lengths() -> Vec<Row> {
    let second = "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n#EXTM3U\n";
    let length = |label: &'static str, outcome| {
        let answer = framed(&format!("Content-Length: {label}\r\n"), "12345").then(Step::Close);
        Case::segments(label, answer).fails(outcome)
    };
    let late = part(100, 100).then(Step::Pause(Duration::from_secs(1))).send("y");
    let too_big = format!("{:x}\r\n{}\r\n", 1 << 20, "x".repeat(1 << 20));
    vec![
        row("S1", "a body that is cut").case(counted(
            "closed",
            part(100_000, 41_000).then(Step::Close),
            "body.short",
            41_000,
        )),
        row("S2", "more bytes than were announced")
            .case(counted("in one piece", part(100, 101), "body.long", 100))
            .case(counted("a second response", part(100, 100).send(second), "body.long", 100))
            .case(counted("a large body", part(300_000, 300_001), "body.long", 300_000))
            // The next request has been sent by then: the bytes are no response to it.
            .case(Case::segments("later", late).fails("conn.proto").exit(0)),
        row("S5", "a body without end, and lengths that are none")
            .case(
                Case::segments("512 MiB", chunked("").then(Step::Flood(too_big.into())))
                    .clients(1)
                    .fails("body.too_big")
                    .alone()
                    .holds(|run, _| {
                        const LIMIT: u64 = 512 << 20;
                        let each = run.count("/kinds/segment/outcome_bytes/body.too_big")
                            / run.count("/kinds/segment/outcomes/body.too_big");
                        assert!((LIMIT..LIMIT + (4 << 20)).contains(&each), "{each} bytes of each were read");
                    }),
            )
            .case(length("9223372036854775808", "body.short"))
            .case(length("18446744073709551616", "conn.proto"))
            .case(length("1000000000000000000000000000000", "conn.proto"))
            .case(length("-1", "conn.proto"))
            .case(length("+5", "conn.proto"))
            .case(length("0x10", "conn.proto"))
            .case(length("5,6", "conn.proto"))
            .case(length("", "conn.proto"))
            .case(Case::segments("5, 5", framed("Content-Length: 5, 5\r\n", "12345"))),
        row("S7", "an empty body")
            .case(counted("200", part(0, 0), "body.short", 0).finding("segment_empty"))
            .case(counted("204", Answer::raw("HTTP/1.1 204 No Content\r\n\r\n"), "http.other", 0))
            .case(counted("chunked", chunked("0\r\n\r\n"), "body.short", 0))
            .case(counted("no length", framed("", "").then(Step::Close), "body.short", 0))
            .case(counted(
                "206",
                Answer::raw("HTTP/1.1 206 Partial Content\r\nContent-Length: 0\r\n\r\n"),
                "body.short",
                0,
            )),
    ]
}

/// Fails unless a response that was slow but steady had the minute that every response has, and not much more.
pub fn lasted_a_minute(run: &Ended) {
    const MINUTE_US: u64 = 60_000_000;
    let at = |kind: &str| {
        let line = run.record.iter().find(|line| line["kind"] == kind);
        line.and_then(|line| line["at_us"].as_u64()).unwrap()
    };
    let lasted = at("fault") - at("joined");
    assert!((MINUTE_US..2 * MINUTE_US).contains(&lasted), "it was cut after {lasted} us");
}

fn stalls() -> Vec<Row> {
    let stalled = counted("silent", part(100_000, 41_000).then(Step::Silence), "timeout.idle", 41_000);
    // Fast enough to be no stall, for longer than a whole response may take.
    let steady = (0..160).fold(part(1_000_000, 0), |answer, _| {
        answer.then(Step::Pause(Duration::from_millis(500))).send(vec![0x47; 1_024])
    });
    let slow = part(100_000, 0).then(Step::Slowly(vec![0x47; 1_000].into(), Duration::from_secs(1)));
    vec![
        row("S3", "a body that stalls").case(stalled.options(&["--timeout", PATIENT]).holds(|run, _| {
            let faults = run.record.iter().filter(|line| line["kind"] == "fault");
            let first = faults.filter_map(|line| line["at_us"].as_u64()).min().unwrap();
            assert!(first >= 3_000_000, "the limit is kept: {first} us");
            assert_eq!(
                run.count("/connections/opened"),
                run.count("/connections/reconnections") + 2,
                "not reused"
            );
        })),
        row("S4", "a body of a few bytes a second")
            .case(Case::segments("slow", slow).options(&["--timeout", PATIENT]).fails("timeout.idle"))
            .case(
                Case::segments("two kilobytes a second", steady)
                    .clients(1)
                    .options(&["--timeout", PATIENT])
                    .fails("timeout.total")
                    .alone()
                    .holds(|run, _| lasted_a_minute(run)),
            ),
    ]
}

fn framing() -> Vec<Row> {
    let refused = |label, answer| {
        Case::segments(label, answer).fails("conn.proto").holds(|run, _| {
            assert_eq!(run.segment_outcomes(), ["conn.proto"]);
        })
    };
    let wrong = |label, headers: &str, rest: &str| refused(label, framed(headers, rest));
    let chunk = |label, rest: &str| refused(label, chunked(rest));
    let whole = "5\r\nabcde\r\n0\r\n\r\n";
    let accepted = |label, headers: &str, rest: &str| Case::segments(label, framed(headers, rest));
    let trailers = "5\r\nabcde\r\n0\r\n";
    vec![
        row("S6", "framing that contradicts itself or is none")
            .case(chunk("bad size", "zz\r\nabc\r\n0\r\n\r\n"))
            .case(chunk("negative size", "-5\r\nabcde\r\n0\r\n\r\n"))
            .case(chunk("size beyond 64 bits", "10000000000000000\r\nx"))
            .case(chunk("size with prefix", "0x5\r\nabcde\r\n0\r\n\r\n"))
            .case(chunk("huge extension", &format!("5;{}\r\nabcde\r\n0\r\n\r\n", "e".repeat(10_000))))
            .case(chunk("leading zeros", &format!("{}5\r\nabcde\r\n0\r\n\r\n", "0".repeat(10_000))))
            .case(chunk("no end of the data", "5\r\nabcdeXX0\r\n\r\n"))
            .case(chunk("control in an extension", "5;a=\u{1}\r\nabcde\r\n0\r\n\r\n"))
            .case(refused(
                "endless extensions",
                chunked("").then(Step::Flood(format!("1;{}\r\nx\r\n", "e".repeat(4_000)).into())),
            ))
            .case(wrong("length and chunks", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", whole))
            .case(wrong("two lengths", "Content-Length: 5\r\nContent-Length: 6\r\n", "abcdef"))
            .case(wrong(
                "chunked twice",
                "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
                whole,
            ))
            .case(wrong("gzip, chunked", "Transfer-Encoding: gzip, chunked\r\n", whole))
            .case(wrong("unknown coding", "Transfer-Encoding: xchunked\r\n", whole))
            .case(wrong("NUL in a value", "X: a\0b\r\nContent-Length: 5\r\n", "abcde"))
            .case(wrong("bare CR in a value", "X: a\rb\r\nContent-Length: 5\r\n", "abcde"))
            .case(accepted("space before the colon", "Content-Length : 5\r\n", "abcde"))
            .case(accepted("folded line", "X: a\r\n b\r\nContent-Length: 5\r\n", "abcde")),
        row("S20", "trailers")
            .case(accepted(
                "a few",
                "Transfer-Encoding: chunked\r\n",
                &format!("{trailers}X: y\r\nContent-Length: 99\r\n\r\n"),
            ))
            .case(refused("1 MB", chunked(&format!("{trailers}{}\r\n", "X: y\r\n".repeat(180_000)))))
            .case(refused("endless", chunked(trailers).then(Step::Flood("X: yyyyyyyy\r\n".into())))),
    ]
}

fn codes() -> Vec<Row> {
    // As many as the text report lists.
    const CODES: [u16; 12] = [400, 401, 403, 404, 410, 418, 429, 500, 502, 503, 504, 599];
    const NAMES: [&str; CODES.len()] = [
        "http.400", "http.401", "http.403", "http.404", "http.410", "http.418", "http.429", "http.500",
        "http.502", "http.503", "http.504", "http.599",
    ];
    let next = AtomicUsize::new(0);
    // Each client fails differently, and none that fails says "the origin is gone": the load goes on.
    let storm = Case::new("twelve codes", move |asked| match asked.is_playlist() {
        true => Answer::playlist(vod(3)),
        false => Answer::status(&format!("{} X", CODES[next.fetch_add(1, Ordering::SeqCst) % CODES.len()])),
    });
    let storm = NAMES.into_iter().fold(storm, Case::fails).and_ok().clients(CODES.len()).alone();
    let only = |label: &'static str, code, exit| {
        Case::new(label, move |_| Answer::status(&format!("{code} X"))).fails(label).exit(exit).alone()
    };
    // A few quick retries in a burst are those of real players. After it, a client asks hardly more often than one that
    // plays this stream from a sound origin: 1.1 times a playlist and a segment each second, and four of its reserve.
    const BURST: Duration = Duration::from_secs(3);
    const WINDOW: Duration = Duration::from_secs(10);
    const MOST: usize = 26;
    let paced = |player: &'static str| {
        Case::new(player, |asked| match asked.is_playlist() {
            true => Answer::playlist(live(10 + asked.earlier as u64)),
            false => Answer::status("503 Service Unavailable"),
        })
        .clients(1)
        .fails("http.503")
        .and_ok()
        .options(&["--player", player])
        .until_after((BURST + WINDOW).as_secs() + 1, ".ts")
        .holds(|_, log| {
            let first = log.times(".ts")[0];
            let is_after_burst = |at: &Instant| {
                at.checked_duration_since(first).is_some_and(|after| (BURST..BURST + WINDOW).contains(&after))
            };
            let asked = log.times("").iter().filter(|at| is_after_burst(at)).count();
            assert!(asked > 0, "no request after the burst");
            assert!(asked <= MOST, "{asked} requests in {WINDOW:?}, at most {MOST} were expected");
        })
    };
    vec![
        row("S8", "storms of errors")
            .case(storm.holds(|run, log| {
                let sent = log.count(".ts") as u64;
                let counted: u64 = CODES.iter().map(|code| run.count(&format!("/http_errors/{code}"))).sum();
                assert_eq!(counted, sent, "each answer is counted under its code");
            }))
            .job("on the screen", || {
                let hostile = Answer::status("503 \u{1b}]52;c;ZXZpbA==\u{7}");
                errors_view(Some(vod(3)), &hostile, "503");
            })
            .case(only("http.403", 403, 5).by_itself())
            .case(only("http.500", 500, 3))
            .case(only("http.503", 503, 3))
            .case(paced("web"))
            .case(paced("ffmpeg"))
            .case(paced("native"))
            .case(paced("persistent")),
        waits(),
    ]
}

fn waits() -> Row {
    let once = |label: &'static str, player, status: &'static str| {
        let line = format!("Retry-After: {label}");
        Case::new(label, move |asked| match (asked.is_playlist(), asked.earlier) {
            (true, 0) => Answer::whole(status, &[&line], "no"),
            (true, _) => Answer::playlist(vod(2)),
            (false, _) => Answer::segment(),
        })
        .clients(1)
        .alone()
        .options(&["--player", player])
        .and_ok()
    };
    let waited = |case: Case, times| {
        case.by_itself().holds(move |run, _| assert_eq!(run.count("/playback/retry_after_honoured"), times))
    };
    let unavailable = |label| once(label, "patient", "503 Service Unavailable").fails("http.503").exit(0);
    let long =
        Case::playlists("3600", Answer::whole("503 Service Unavailable", &["Retry-After: 3600"], "no"))
            .options(&["--player", "patient"])
            .fails("http.503")
            .until_after(4, "m3u8");
    row("S9", "429 and 503 with Retry-After")
        .case(waited(unavailable("1"), 1))
        .case(waited(once("2", "patient", "429 Too Many Requests").fails("http.429").exit(0), 1))
        .case(waited(unavailable("abc"), 0))
        .case(waited(unavailable("-1"), 0))
        .case(waited(unavailable("Wed, 21 Oct 2015 07:28:00 GMT"), 0))
        .case(waited(once("30", "web", "503 Service Unavailable").fails("http.503").exit(0), 0))
        .case(long.holds(|run, log| {
            assert_eq!(log.count("m3u8") as u64, run.count("/run/clients_started"), "no client asks again");
        }))
}

fn statuses() -> Vec<Row> {
    let line = |label: &'static str, outcome| {
        let answer = Answer::raw(format!("HTTP/1.1 {label} X\r\nContent-Length: 2\r\n\r\nno"));
        Case::segments(label, answer).fails(outcome)
    };
    let interim = |label, many: Answer| {
        let steps = Answer::segment();
        Case::segments(label, many.and(steps))
    };
    let early = "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n";
    let unasked = |label: &'static str, outcome| {
        Case::segments(label, Answer::whole(&format!("{label} X"), &[], "body")).fails(outcome)
    };
    let junk = |label, bytes: &'static [u8], outcome| {
        Case::segments(label, Answer::raw(bytes).then(Step::Close)).fails(outcome)
    };
    let upgrade = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n";
    vec![
        row("S10", "statuses outside the table")
            .case(line("999", "http.other"))
            .case(line("600", "http.other"))
            .case(line("000", "conn.proto"))
            .case(line("099", "conn.proto"))
            .case(line("1000", "conn.proto"))
            .case(line("abc", "conn.proto"))
            .case(line("20", "conn.proto"))
            .case(line("", "conn.proto"))
            .case(line("-200", "conn.proto"))
            .case(line("٢٠٠", "conn.proto")),
        row("S11", "interim responses")
            .case(interim("ten", Answer::raw(early.repeat(10))))
            .case(interim("with a length", Answer::raw("HTTP/1.1 103 E\r\nContent-Length: 5\r\n\r\n")))
            .case(
                interim("101 of them", Answer::raw("HTTP/1.1 100 Continue\r\n\r\n".repeat(101)))
                    .fails("conn.proto"),
            )
            .case(
                Case::segments(
                    "endless",
                    Answer::default().then(Step::Flood("HTTP/1.1 102 P\r\n\r\n".into())),
                )
                .fails("conn.proto"),
            )
            .case(Case::segments("an upgrade", Answer::raw(upgrade).then(Step::Silence)).fails("conn.proto"))
            .job("endless for each of 40 over HTTP/2", interim_responses),
        row("S12", "statuses that were not asked for")
            .case(unasked("205", "http.other"))
            .case(unasked("201", "http.other"))
            .case(unasked("226", "http.other"))
            .case(unasked("300", "http.other"))
            .case(unasked("302", "http.other"))
            .case(unasked("305", "http.other"))
            .case(Case::segments("304", Answer::raw("HTTP/1.1 304 Not Modified\r\n\r\n")).fails("http.other"))
            .case(Case::segments("206 of all", Answer::whole("206 Partial Content", &[], vec![0x47; 100]))),
        row("S13", "what is not HTTP/1")
            .case(junk("HTTP/0.9", b"<html>hi</html>", "conn.proto"))
            .case(junk("HTTP/3.7", b"HTTP/3.7 200 OK\r\nContent-Length: 2\r\n\r\nab", "conn.proto"))
            .case(junk("lower case", b"http/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab", "conn.proto"))
            .case(junk("HTTP/2.0", b"HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nab", "conn.proto"))
            .case(junk("ICY", b"ICY 200 OK\r\n\r\nab", "conn.proto"))
            .case(junk("zeros", &[0; 1_000], "conn.proto"))
            .case(junk("TLS", b"\x15\x03\x01\0\x02\x02\x28", "conn.proto"))
            .case(junk("SSH", b"SSH-2.0-x\r\n", "conn.proto"))
            .case(junk("HTTP/2", b"\0\0\x08\x07\0\0\0\0\0\0\0\0\0\0\0\0\0", "conn.proto"))
            .case(Case::segments("nothing", Answer::default().then(Step::Close)).fails("conn.eof"))
            .case(Case::segments("HTTP/1.0", Answer::raw("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nab"))),
    ]
}

fn content() -> Vec<Row> {
    let endless = Answer::head("500 Internal Server Error", "Content-Length: 1000000000\r\n")
        .then(Step::Flood("xxxxxxxx".into()));
    let page = Answer::whole("200 OK", &["Content-Type: text/html"], "<html>\u{1b}[2J</html>");
    let lying = Answer::whole("200 OK", &["Content-Type: video/mp2t"], "<html></html>");
    let encoded = |coding: &str| {
        let line = format!("Content-Encoding: {coding}");
        Answer::whole("200 OK", &["Content-Type: video/mp2t", &line], vec![0x47; SEGMENT_BYTES])
    };
    let wire_bytes = |case: Case| {
        case.finding("media_encoded").holds(|run, _| {
            let bytes = run.count("/kinds/segment/outcomes/ok") * SEGMENT_BYTES as u64;
            assert_eq!(run.count("/bytes/segment"), bytes, "bytes of the wire are counted");
        })
    };
    vec![
        row("S14", "an error with a body of 1 GB").case(
            Case::segments("500", endless).fails("http.500").holds(|run, _| {
                let each =
                    run.count("/kinds/segment/outcome_bytes/http.500") / run.count("/outcomes/http.500");
                assert!(each < 1 << 20, "{each} bytes of each were read");
            }),
        ),
        row("S15", "a page instead of a segment")
            .case(Case::segments("as text/html", page).finding("wrong_content_type"))
            .case(Case::segments("as video", lying)),
        row("S16", "a content coding that was not asked for")
            .case(wire_bytes(Case::segments("gzip", encoded("gzip"))))
            .case(wire_bytes(Case::segments("unknown", encoded("secret")))),
        resent(row("S19", "bytes that TCP sends twice")),
    ]
}

/// Script that runs a program in a network of its own, whose link is slow and drops what it cannot hold. Its packets
/// are those of a network card: loopback's own are larger than the link holds.
const LOSSY: &str = "exec unshare -n sh -c 'ip link set lo mtu 1500 up \\
    && tc qdisc add dev lo root tbf rate 20mbit burst 10kb limit 15kb \\
    && \"$0\" \"$@\"; code=$?; cat /proc/net/snmp >snmp; exit $code' \"$0\" \"$@\"";

/// Returns the number of segments that TCP has sent again, by the kernel's own count (RFC 4022, `tcpRetransSegs`).
fn retransmitted(snmp: &str) -> u64 {
    let mut lines = snmp.lines().filter_map(|line| line.strip_prefix("Tcp: "));
    let (names, values) = (lines.next().unwrap(), lines.next().unwrap());
    let place = names.split(' ').position(|name| name == "RetransSegs").unwrap();
    values.split(' ').nth(place).unwrap().parse().unwrap()
}

fn resent(row: Row) -> Row {
    if Start::shell(LOSSY, &["true"]).end().exit_code() != Some(0) {
        return row.lacks("a link that loses packets needs a network of its own: root, ip(8) and tc(8)");
    }
    row.job("the built-in origin behind a lossy link", || {
        let load =
            ["--no-tui", "--healthy", "-c", "5", "--ramp-time", "0", "-d", "6s", "--player", "persistent"];
        let run = Start::shell(LOSSY, &[HLSWARM, "demo"]).with(&load).reports().record().end();
        assert_common(&run, 5);
        let again = retransmitted(&run.output("snmp"));
        assert!(again >= 10, "TCP sent {again} packets again");
        for kind in ["playlist", "segment"] {
            let here = run.count(&format!("/kinds/{kind}/outcome_bytes/ok"));
            let there = run.count(&format!("/origin/completed/{kind}/200/bytes"));
            assert_eq!(here, there, "{kind}");
            assert!(here > 0, "{kind}");
        }
    })
}

fn times() -> Vec<Row> {
    let late = |label: &'static str, pause: Duration| {
        Case::new(label, move |asked| match (asked.is_playlist(), asked.earlier, asked.path.as_str()) {
            (true, _, _) => Answer::playlist(vod(3)),
            (false, 0, "/s1.ts") => Answer::default().then(Step::Pause(pause)).and(Answer::segment()),
            _ => Answer::segment(),
        })
        .clients(1)
        .options(&["--timeout", PATIENT])
    };
    let below = part(20_000, 10_000).then(Step::Pause(Duration::from_millis(1_500))).send(vec![0x47; 10_000]);
    vec![
        row("S17", "a response that is late once")
            .case(
                late("beyond the limit", Duration::from_secs(8))
                    .fails("timeout.first_byte")
                    .and_ok()
                    .exit(0)
                    .alone()
                    .until_asked(1, "s2.ts"),
            )
            // The wait begins when the request has been written, which a busy machine may notice late.
            .case(
                late("within the limit", Duration::from_millis(1_500)).options(&["--timeout", "20s"]).holds(
                    |run, _| {
                        let longest = run.count("/latency_us/segment_ttfb/max");
                        assert!(longest >= 750_000, "the wait is measured as {longest} us");
                    },
                ),
            ),
        row("S18", "less bandwidth than the stream needs").case(Case::segments("two thirds", below).holds(
            |run, _| {
                assert!(run.count("/playback/stalls") > 0 && run.number("/playback/stall_s") > 0.0);
            },
        )),
    ]
}
