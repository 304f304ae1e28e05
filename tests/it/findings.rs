//! Each finding has a stream or a playlist that provokes it; clean ones provoke none.
//!
//! All of them go through `hlswarm check --json`, the streams over real sockets. Streams are live and their segments
//! a second long. The fault of some begins a while after their start, so that a client sees the change.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use hlswarm::testing::vocabulary::Finding;
use serde_json::Value;

use crate::program::Program;
use crate::scripted::{Answer, Scripted};

/// Number of segments in a live playlist.
const WINDOW: u64 = 5;

/// Answer of a stream to the request for a path.
type Script = Box<dyn Fn(&Stream, &str) -> Answer + Send + Sync>;

/// A live stream that begins with its first request: on a busy machine the client may start seconds after its origin.
struct Stream {
    began: OnceLock<Instant>,
}

impl Stream {
    /// Returns the whole seconds since the stream began.
    fn now(&self) -> u64 {
        self.began.get_or_init(Instant::now).elapsed().as_secs()
    }

    /// Returns the live playlist as it is now.
    fn list(&self) -> String {
        list(self.now(), "")
    }
}

/// Returns a live playlist that begins with segment `first`, with the tags of `head` before its segments.
fn list(first: u64, head: &str) -> String {
    let head =
        format!("#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:{first}\n{head}");
    head + &(first..first + WINDOW).map(|number| format!("#EXTINF:1,\n{number}.ts\n")).collect::<String>()
}

fn answer(status: &str, headers: &str, body: &[u8]) -> Answer {
    let head = format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n", body.len());
    Answer { bytes: [head.as_bytes(), body].concat(), then: crate::scripted::Then::Keep }
}

fn playlist(text: &str) -> Answer {
    answer(
        "200 OK",
        "Content-Type: application/vnd.apple.mpegurl\r\nCache-Control: no-cache\r\n",
        text.as_bytes(),
    )
}

fn segment() -> Answer {
    answer("200 OK", "Content-Type: video/mp2t\r\n", &[0x47; 1_000])
}

/// Serves the playlist that `text` builds for each request, and valid segments.
fn with_list(text: impl Fn(&Stream) -> String + Send + Sync + 'static) -> Script {
    Box::new(move |stream, path| if path.ends_with(".m3u8") { playlist(&text(stream)) } else { segment() })
}

/// Serves the live playlist and valid segments, but `instead` for the segments that `is_hit` selects by number and
/// time.
fn with_segment(is_hit: fn(u64, u64) -> bool, instead: fn() -> Answer) -> Script {
    Box::new(move |stream, path| {
        let number = path.trim_start_matches('/').trim_end_matches(".ts").parse().unwrap_or_default();
        match path {
            "/live.m3u8" => playlist(&stream.list()),
            _ if is_hit(number, stream.now()) => instead(),
            _ => segment(),
        }
    })
}

/// Serves the live playlist with these header lines.
fn with_headers(headers: &'static str) -> Script {
    Box::new(move |stream, path| match path {
        "/live.m3u8" => answer("200 OK", headers, stream.list().as_bytes()),
        _ => segment(),
    })
}

/// Returns the output of `hlswarm check --json`.
fn check(subject: &str, options: &[&str], input: &str) -> Value {
    let mut child = Command::new(env!("CARGO_BIN_EXE_hlswarm"))
        .args(["check", subject, "--json"])
        .args(options)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let check: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(check["exit_code"].as_i64(), output.status.code().map(i64::from));
    check
}

fn kinds(check: &Value) -> BTreeSet<String> {
    let findings = check["findings"].as_array().unwrap();
    findings.iter().map(|finding| finding["kind"].as_str().unwrap().to_owned()).collect()
}

/// Serves `script` as a stream and checks it for five seconds.
fn found_in(script: Script, options: &[&str]) -> Value {
    let stream = Stream { began: OnceLock::new() };
    let origin = Scripted::start(move |path| script(&stream, path));
    check(&origin.url("/live.m3u8"), &[&["-d", "5s"], options].concat(), "")
}

/// Returns streams that provoke one finding each, perhaps with consequences.
fn streams() -> Vec<(Finding, Script, &'static [&'static str])> {
    let browser: &[&str] = &[];
    let seen = |script: Script| (script, browser);
    let of = |finding, (script, options): (Script, &'static [&'static str])| (finding, script, options);
    let after_two = |before: fn(u64) -> String, then: fn(u64) -> String| {
        seen(with_list(
            move |stream| if stream.now() < 2 { before(stream.now()) } else { then(stream.now()) },
        ))
    };
    let clean = |now| list(now, "");
    vec![
        of(Finding::PlaylistStale, seen(with_list(|stream| list(stream.now().min(1), "")))),
        of(Finding::SequenceWentBack, after_two(|now| list(now + 9, ""), |now| list(now, ""))),
        of(Finding::SequenceJump, after_two(clean, |now| list(now + 900, ""))),
        of(
            Finding::SegmentChanged,
            seen(with_list(|stream| {
                let range =
                    |number: u64| format!("#EXTINF:1,\n#EXT-X-BYTERANGE:10@{}\nall.ts\n", number * 10);
                let now = stream.now();
                format!(
                    "#EXTM3U\n#EXT-X-VERSION:4\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:0\n{}",
                    (now..now + WINDOW).map(range).collect::<String>()
                )
            })),
        ),
        of(
            Finding::RangeIgnored,
            seen(with_list(|stream| list(stream.now(), "").replace(",\n", ",\n#EXT-X-BYTERANGE:10@5\n"))),
        ),
        of(
            Finding::RangeWrong,
            seen(Box::new(|stream, path| match path {
                "/live.m3u8" => {
                    playlist(&list(stream.now(), "").replace(",\n", ",\n#EXT-X-BYTERANGE:10@5\n"))
                }
                _ => answer("206 Partial Content", "Content-Range: bytes 0-9/100\r\n", &[0x47; 10]),
            })),
        ),
        of(
            Finding::KeyLength,
            seen(Box::new(|stream, path| match path {
                "/live.m3u8" => playlist(&list(stream.now(), "#EXT-X-KEY:METHOD=AES-128,URI=\"key\"\n")),
                "/key" => answer("200 OK", "", b"short"),
                _ => segment(),
            })),
        ),
        of(
            Finding::MediaEncoded,
            seen(with_segment(
                |_, _| true,
                || answer("200 OK", "Content-Encoding: aws-chunked\r\n", &[0x47; 9]),
            )),
        ),
        of(
            Finding::SegmentRemoved,
            seen(with_list(|stream| list(stream.now(), "#EXT-X-PLAYLIST-TYPE:EVENT\n"))),
        ),
        of(
            Finding::TargetDurationChanged,
            after_two(clean, |now| list(now, "").replace("DURATION:1", "DURATION:2")),
        ),
        of(
            Finding::DiscontinuityMismatch,
            after_two(clean, |now| list(now, "#EXT-X-DISCONTINUITY-SEQUENCE:7\n")),
        ),
        of(
            Finding::DateTimeSkew,
            seen(with_list(|stream| list(stream.now(), "#EXT-X-PROGRAM-DATE-TIME:2026-01-02T03:04:05Z\n"))),
        ),
        of(
            Finding::ImpossibleDate,
            seen(with_list(|stream| list(stream.now(), "#EXT-X-PROGRAM-DATE-TIME:2020-01-02T03:04:05Z\n"))),
        ),
        of(
            Finding::SegmentNotReady,
            seen(with_segment(|number, now| number == now + WINDOW - 1, || answer("404 Not Found", "", b""))),
        ),
        of(
            Finding::SegmentExpired,
            seen(with_segment(|number, now| number <= now + 2, || answer("410 Gone", "", b""))),
        ),
        of(Finding::SegmentEmpty, seen(with_segment(|number, _| number == 5, || answer("200 OK", "", b"")))),
        of(
            Finding::BandwidthExceeded,
            seen(Box::new(|stream, path| match path {
                "/live.m3u8" => playlist("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=7000\nmedia.m3u8\n"),
                "/media.m3u8" => playlist(&stream.list()),
                _ => segment(),
            })),
        ),
        of(
            Finding::WrongContentType,
            seen(with_headers("Content-Type: text/plain\r\nCache-Control: no-cache\r\n")),
        ),
        of(
            Finding::UnidentifiedPlaylist,
            seen(Box::new(|stream, path| match path {
                "/live.m3u8" => playlist("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=9000\nmedia\n"),
                "/media" => answer("200 OK", "Content-Type: text/plain\r\n", stream.list().as_bytes()),
                _ => segment(),
            })),
        ),
        of(
            Finding::WindowTooShort,
            seen(with_list(|stream| list(stream.now(), "").replace("DURATION:1", "DURATION:2"))),
        ),
        of(
            Finding::HoldBackTooLong,
            seen(with_list(|stream| list(stream.now(), "#EXT-X-SERVER-CONTROL:HOLD-BACK=9\n"))),
        ),
        of(Finding::NoCacheHeader, seen(with_headers("Content-Type: audio/mpegurl\r\n"))),
        of(
            Finding::CachedTooLong,
            seen(with_headers("Content-Type: audio/mpegurl\r\nAge: 2\r\nExpires: 0\r\n")),
        ),
        of(
            Finding::FreshTooLong,
            seen(with_headers("Content-Type: audio/mpegurl\r\nCache-Control: max-age=30\r\n")),
        ),
        of(
            Finding::NotGzipped,
            seen(with_list(|stream| list(stream.now(), &format!("#{}\n", "x".repeat(2_000))))),
        ),
        of(
            Finding::ForeignHost,
            seen(with_list(|stream| list(stream.now(), "").replace(",\n", ",\nhttp://ads.example.net/"))),
        ),
        of(
            Finding::UnreachableAddress,
            seen(with_list(|stream| list(stream.now(), "").replace(",\n", ",\nhttp://169.254.1.1/"))),
        ),
        of(
            Finding::RedirectOnReload,
            (
                Box::new(|stream, path| match path {
                    "/live.m3u8" => answer("302 Found", "Location: /real.m3u8\r\n", b""),
                    "/real.m3u8" => playlist(&stream.list()),
                    _ => segment(),
                }),
                &["--player", "native"],
            ),
        ),
    ]
}

/// Playlists that provoke one finding each, perhaps with consequences.
const PLAYLISTS: &[(Finding, &str)] = &[
    (Finding::TargetDurationExceeded, "#EXT-X-TARGETDURATION:1\n#EXTINF:2,\na\n"),
    (
        Finding::MissingPartHoldBack,
        "#EXT-X-TARGETDURATION:4\n#EXT-X-PART-INF:PART-TARGET=1\n#EXT-X-PART:DURATION=1,URI=\"a\"\n",
    ),
    (
        Finding::SkipUntilTooShort,
        "#EXT-X-VERSION:9\n#EXT-X-TARGETDURATION:4\n#EXT-X-SERVER-CONTROL:CAN-SKIP-UNTIL=23\n#EXTINF:4,\na\n",
    ),
    (
        Finding::PartTooShort,
        "#EXT-X-TARGETDURATION:4\n#EXT-X-PART-INF:PART-TARGET=1\n#EXT-X-PART:DURATION=0.8,URI=\"a\"\n#EXT-X-PART:DURATION=1,URI=\"b\"\n",
    ),
    (
        Finding::HoldBackTooShort,
        "#EXT-X-TARGETDURATION:4\n#EXT-X-SERVER-CONTROL:HOLD-BACK=9\n#EXTINF:1,\na\n",
    ),
    (
        Finding::PartTargetExceeded,
        "#EXT-X-TARGETDURATION:4\n#EXT-X-PART-INF:PART-TARGET=1\n#EXT-X-PART:DURATION=2,URI=\"a\"\n",
    ),
    (
        Finding::InitWithoutIv,
        "#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:4\n#EXT-X-KEY:METHOD=AES-128,URI=\"k\"\n#EXT-X-MAP:URI=\"i\"\n#EXTINF:4,\na\n",
    ),
    (Finding::GapListed, "#EXT-X-TARGETDURATION:4\n#EXT-X-GAP\n#EXTINF:4,\na\n"),
    (Finding::Whitespace, " #EXT-X-TARGETDURATION:4\n#EXTINF:4,\na\n"),
    (Finding::ControlCharacter, "#EXT-X-TARGETDURATION:4\n# a\u{7}b\n#EXTINF:4,\na\n"),
    (
        Finding::DuplicateAttribute,
        "#EXT-X-TARGETDURATION:4\n#EXT-X-START:TIME-OFFSET=1,TIME-OFFSET=2\n#EXTINF:4,\na\n",
    ),
    (
        Finding::KeyNoneWithAttributes,
        "#EXT-X-TARGETDURATION:4\n#EXT-X-KEY:METHOD=NONE,URI=\"k\"\n#EXTINF:4,\na\n",
    ),
    (Finding::BareCarriageReturn, "#EXT-X-TARGETDURATION:4\r#EXTINF:4,\na\n"),
    (Finding::BadTag, "#EXT-X-TARGETDURATION:4\n#EXT-X-VERSION:six\n#EXTINF:4,\na\n"),
    (Finding::BadAttributeList, "#EXT-X-TARGETDURATION:4\n#EXT-X-START:junk,TIME-OFFSET=1\n#EXTINF:4,\na\n"),
    (Finding::BadAttribute, "#EXT-X-TARGETDURATION:4\n#EXT-X-START:TIME-OFFSET=soon\n#EXTINF:4,\na\n"),
    (Finding::WrongQuoting, "#EXT-X-TARGETDURATION:4\n#EXT-X-START:TIME-OFFSET=\"1\"\n#EXTINF:4,\na\n"),
    (Finding::MissingAttribute, "#EXT-X-TARGETDURATION:4\n#EXT-X-START:PRECISE=YES\n#EXTINF:4,\na\n"),
    (
        Finding::UnknownRequirement,
        "#EXT-X-TARGETDURATION:4\n#EXT-X-START:TIME-OFFSET=1,REQ-X=1\n#EXTINF:4,\na\n",
    ),
    (Finding::DuplicateTag, "#EXT-X-TARGETDURATION:4\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\na\n"),
    (Finding::MisplacedTag, "#EXT-X-TARGETDURATION:4\n#EXTINF:4,\na\n#EXT-X-MEDIA-SEQUENCE:7\n"),
    (Finding::BadUri, "#EXT-X-TARGETDURATION:4\n#EXTINF:4,\na\n#EXTINF:4,\nb\u{7}\n"),
    (
        Finding::UnresolvedVariable,
        "#EXT-X-VERSION:11\n#EXT-X-DEFINE:QUERYPARAM=\"q\"\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\na\n",
    ),
    (Finding::VersionTooLow, "#EXT-X-TARGETDURATION:4\n#EXTINF:4.0,\na\n"),
    (Finding::VersionUnknown, "#EXT-X-VERSION:99\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\na\n"),
    (Finding::MissingTargetDuration, "#EXTINF:4,\na\n"),
    (Finding::BadTargetDuration, "#EXT-X-TARGETDURATION:4.5\n#EXTINF:4,\na\n"),
    (Finding::BadMediaSequence, "#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:-1\n#EXTINF:4,\na\n"),
    (Finding::MissingExtinfComma, "#EXT-X-TARGETDURATION:4\n#EXTINF:4\na\n"),
    (Finding::BadExtinf, "#EXT-X-TARGETDURATION:4\n#EXTINF:four,\na\n"),
    (Finding::MissingExtinf, "#EXT-X-TARGETDURATION:4\na\n"),
    (Finding::ExtinfWithoutUri, "#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n#EXTINF:4,\na\n"),
    (
        Finding::BadByteRange,
        "#EXT-X-VERSION:4\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n#EXT-X-BYTERANGE:ten\na\n",
    ),
    (
        Finding::MissingByteRangeOffset,
        "#EXT-X-VERSION:4\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n#EXT-X-BYTERANGE:10\na\n",
    ),
    (Finding::BadKey, "#EXT-X-TARGETDURATION:4\n#EXT-X-KEY:METHOD=AES-128\n#EXTINF:4,\na\n"),
    (Finding::BadDate, "#EXT-X-TARGETDURATION:4\n#EXT-X-PROGRAM-DATE-TIME:yesterday\n#EXTINF:4,\na\n"),
    (Finding::MissingPartInf, "#EXT-X-TARGETDURATION:4\n#EXT-X-PART:DURATION=1,URI=\"p\"\n"),
    (Finding::UnknownValue, "#EXT-X-STREAM-INF:BANDWIDTH=1,VIDEO-RANGE=HDR11\na\n"),
    (Finding::StreamWithoutUri, "#EXT-X-STREAM-INF:BANDWIDTH=1\n#EXT-X-STREAM-INF:BANDWIDTH=1\na\n"),
    (Finding::UriWithoutStream, "#EXT-X-STREAM-INF:BANDWIDTH=1\na\nb\n"),
    (Finding::MissingBandwidth, "#EXT-X-STREAM-INF:CODECS=\"a\"\na\n"),
    (Finding::UnmatchedGroup, "#EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO=\"a\"\na\n"),
];

#[test]
fn each_finding_is_provoked() {
    let mut missing: BTreeSet<&str> = Finding::ALL.iter().map(|finding| finding.name()).collect();
    // Not in the tables: `PlaylistDiffers` needs several clients and has its own test, a byte order mark stands
    // before the header, `Truncated` needs a huge playlist, and `InsecureUrl` an origin with TLS.
    missing.remove(Finding::PlaylistDiffers.name());
    missing.remove(Finding::InsecureUrl.name());
    let mark = check("-", &[], "\u{feff}#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\na\n");
    assert!(missing.remove(Finding::ByteOrderMark.name()) && kinds(&mark).contains("byte_order_mark"));
    let many = format!("#EXTM3U\n#EXT-X-TARGETDURATION:1\n{}", "#EXTINF:1,\na\n".repeat(100_001));
    assert!(
        missing.remove(Finding::Truncated.name()) && kinds(&check("-", &[], &many)).contains("truncated")
    );
    for (finding, text) in PLAYLISTS {
        let found = kinds(&check("-", &[], &format!("#EXTM3U\n{text}")));
        assert!(found.contains(finding.name()), "{}: {found:?}", finding.name());
        missing.remove(finding.name());
    }
    // The checks sleep most of the time, so run all at once.
    let found: Vec<_> = std::thread::scope(|scope| {
        let running: Vec<_> = streams()
            .into_iter()
            .map(|(finding, script, options)| (finding, scope.spawn(move || found_in(script, options))))
            .collect();
        running.into_iter().map(|(finding, check)| (finding, check.join().unwrap())).collect()
    });
    for (finding, check) in found {
        assert!(kinds(&check).contains(finding.name()), "{}: {}", finding.name(), check["findings"]);
        missing.remove(finding.name());
    }
    assert_eq!(missing, BTreeSet::new(), "findings that nothing here provokes");
}

#[test]
fn a_clean_stream_and_clean_playlists_have_no_finding() {
    let clean = found_in(with_list(Stream::list), &[]);
    assert_eq!(
        (kinds(&clean), clean["exit_code"].as_i64()),
        (BTreeSet::new(), Some(0)),
        "{}",
        clean["findings"]
    );
    assert!(clean["run"]["playback"]["started"] == 1, "{}", clean["run"]);
    for text in [
        "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\na\n",
        "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\na\n",
        include_str!("../data/live_fmp4.m3u8"),
        include_str!("../data/low_latency.m3u8"),
        include_str!("../data/multivariant.m3u8"),
    ] {
        assert_eq!(kinds(&check("-", &[], text)), BTreeSet::new(), "{text}");
    }
}

#[test]
fn clients_that_are_given_different_lists_are_noticed_and_reports_say_so() {
    let (began, requests) = (Instant::now(), AtomicUsize::new(0));
    let origin = Scripted::start(move |path| {
        if path != "/live.m3u8" {
            return segment();
        }
        // Every other response comes from an edge that lags three segments behind.
        let lag = 3 * (requests.fetch_add(1, Ordering::Relaxed) as u64 % 2);
        playlist(&list(began.elapsed().as_secs() + 3 - lag, ""))
    });
    let options = ["-c", "6", "--ramp-time", "0", "-d", "4s"];
    let run = Program::start(&origin.url("/live.m3u8"), &options).end_within(Duration::from_secs(40));
    let findings = run.report.value()["findings"].as_array().unwrap();
    let found = findings.iter().find(|finding| finding["kind"] == Finding::PlaylistDiffers.name());
    let found = found.unwrap_or_else(|| panic!("{findings:?}"));
    assert!(found["detail"].as_str().unwrap().starts_with("live.m3u8: up to segment "), "{found}");
    assert!(found["count"].as_u64() > Some(0) && found["first_s"].as_f64() <= found["last_s"].as_f64());
    let (_, text) = run.outputs().find(|(name, _)| *name == "report.txt").unwrap();
    assert!(text.contains("  warning  playlist_differs_between_clients"), "{text}");
}
