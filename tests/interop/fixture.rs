//! Tests of the fixture itself: the origin's responses, its sliding stream, and its log.

use std::fs;
use std::net::TcpStream;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use hlswarm::testing::vocabulary::Kind;

use crate::http_get::{connect, connect_tls, get};
use crate::live::{WINDOW, media_sequence};
use crate::media::{SEGMENT_SECONDS, SEGMENTS, VARIANTS};
use crate::origin::Origin;

const PACKET_BYTES: usize = 188;
const SYNC_BYTE: u8 = 0x47;
/// The stream publishes a window at most this long after it is due, even on a busy machine.
const SLIDE_LIMIT: Duration = Duration::from_secs(10 * SEGMENT_SECONDS as u64);
const POLL: Duration = Duration::from_millis(20);

fn lines_without_tags(playlist: &str) -> Vec<String> {
    playlist.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
}

#[test]
fn every_live_variant_lists_a_window_of_segments_that_can_be_fetched() {
    let Some(origin) = Origin::start() else { return };
    for (stream, ending) in [("ts", ".ts"), ("fmp4", ".m4s")] {
        let multivariant = get(origin.plain_port(), &format!("/{stream}/master.m3u8"));
        assert_eq!(multivariant.status, 200);
        let variants = lines_without_tags(multivariant.text());
        assert_eq!(variants, VARIANTS.map(|variant| format!("{}/index.m3u8", variant.name)));
        for variant in &VARIANTS {
            let folder = format!("/{stream}/{}", variant.name);
            let playlist = get(origin.plain_port(), &format!("{folder}/index.m3u8"));
            let segments = lines_without_tags(playlist.text());
            assert_eq!(segments.len() as u64, WINDOW);
            for segment in segments {
                assert!(segment.ends_with(ending), "{segment}");
                assert_eq!(get(origin.plain_port(), &format!("{folder}/{segment}")).status, 200, "{segment}");
            }
        }
    }
}

#[test]
fn segments_are_what_their_packaging_says() {
    let Some(origin) = Origin::start() else { return };
    let packets = get(origin.plain_port(), "/ts/v0/live_0.ts").body;
    assert!(!packets.is_empty() && packets.len().is_multiple_of(PACKET_BYTES));
    assert!(packets.chunks(PACKET_BYTES).all(|packet| packet[0] == SYNC_BYTE));
    assert_eq!(&get(origin.plain_port(), "/fmp4/v0/init.mp4").body[4..8], b"ftyp");
    assert!(get(origin.plain_port(), "/fmp4/v0/live_0.m4s").body.windows(4).any(|name| name == b"moof"));
}

#[test]
fn the_window_slides_by_one_segment_a_segment_duration() {
    let Some(origin) = Origin::start() else { return };
    // A reading with the times before and after it: it may take long on a busy machine.
    let read = || {
        let before = Instant::now();
        let text = get(origin.plain_port(), "/fmp4/v1/index.m3u8").text().to_owned();
        (before, text, Instant::now())
    };
    let (first_from, first, first_to) = read();
    let deadline = Instant::now() + SLIDE_LIMIT;
    let (second_from, second, second_to) = loop {
        let now = read();
        if media_sequence(&now.1) >= media_sequence(&first) + 2 {
            break now;
        }
        assert!(Instant::now() < deadline, "the playlist is stale");
        thread::sleep(POLL);
    };
    let slides = media_sequence(&second) - media_sequence(&first);
    // The first segments have left, and all others are where they were.
    let [first, second] = [first, second].map(|text| lines_without_tags(&text));
    let kept = first.get(slides as usize..).unwrap_or_default();
    assert_eq!(second.get(..kept.len()), Some(kept), "{slides} slides");
    // As many slides as segment durations have passed, to less than one.
    let slid = slides as f64 * f64::from(SEGMENT_SECONDS);
    let [least, most] = [second_from - first_to, second_to - first_from].map(|time| time.as_secs_f64());
    let one = f64::from(SEGMENT_SECONDS);
    assert!(slid > least - one && slid < most + one, "{slid} s of media in {least} to {most} s");
}

#[test]
fn the_vod_ends_and_lasts_as_long_as_one_round() {
    let Some(origin) = Origin::start() else { return };
    let playlist = get(origin.plain_port(), "/vod/v2/index.m3u8");
    assert!(playlist.text().trim_end().ends_with("#EXT-X-ENDLIST"));
    let durations: Vec<f64> = playlist
        .text()
        .lines()
        .filter_map(|line| line.strip_prefix("#EXTINF:"))
        .map(|line| line.trim_end_matches(',').parse().unwrap())
        .collect();
    assert_eq!(durations.len() as u64, SEGMENTS);
    let seconds: f64 = durations.iter().sum();
    assert!((seconds - SEGMENTS as f64 * f64::from(SEGMENT_SECONDS)).abs() < 0.1, "{seconds} s");
    for segment in lines_without_tags(playlist.text()) {
        assert_eq!(get(origin.plain_port(), &format!("/vod/v2/{segment}")).status, 200);
    }
}

#[test]
fn the_moved_playlist_is_a_redirect() {
    let Some(origin) = Origin::start() else { return };
    let response = get(origin.plain_port(), "/moved/master.m3u8");
    assert_eq!(response.status, 302);
    assert!(response.header("location").unwrap().ends_with("/ts/master.m3u8"));
}

#[test]
fn the_log_holds_every_request_with_its_kind_bytes_and_connection() {
    let Some(mut origin) = Origin::start() else { return };
    let mut kept_alive = connect(origin.plain_port());
    let paths = ["/fmp4/master.m3u8", "/fmp4/v0/init.mp4", "/fmp4/v0/live_0.m4s", "/nothing"];
    let bytes = paths.map(|path| kept_alive.get(path, "").body.len() as u64);
    let part = connect(origin.plain_port()).get("/ts/v0/live_0.ts?a=b", "Range: bytes=0-99\r\n");
    assert_eq!((part.status, part.body.len()), (206, 100));
    drop(kept_alive);

    let log = origin.stop_and_read_log();
    let connections = log.by_connection();
    let [first, second] = connections.values().collect::<Vec<_>>()[..] else { panic!("{connections:?}") };
    assert_eq!(first.iter().map(|entry| entry.uri.as_str()).collect::<Vec<_>>(), paths);
    assert_eq!(first.iter().map(|entry| entry.body_bytes).collect::<Vec<_>>(), bytes);
    assert_eq!(first.iter().map(|entry| entry.status).collect::<Vec<_>>(), [200, 200, 200, 404]);
    let kinds = [Kind::Playlist, Kind::Init, Kind::Segment, Kind::Unknown];
    assert_eq!(first.iter().map(|entry| entry.kind()).collect::<Vec<_>>(), kinds);
    assert!(log.entries().iter().all(|entry| entry.is_complete() && entry.protocol == "HTTP/1.1"));
    assert!(
        log.entries().iter().all(|entry| entry.user_agent == "fixture" && entry.port == origin.plain_port())
    );
    assert_eq!((second[0].query.as_str(), second[0].range.as_str()), ("a=b", "bytes=0-99"));
    assert_eq!(
        (log.of_kind(Kind::Segment).requests(), log.of_kind(Kind::Segment).bytes()),
        (2, bytes[2] + 100)
    );
}

#[test]
fn a_response_is_as_long_as_its_file() {
    let Some(origin) = Origin::start() else { return };
    let path = "/fmp4/v0/init.mp4";
    assert_eq!(get(origin.plain_port(), path).body, fs::read(origin.file(path)).unwrap());
}

#[test]
fn the_tls_port_offers_http2_and_gzips_playlists_on_request() {
    let Some(mut origin) = Origin::start() else { return };
    let port = origin.tls_port();
    assert_eq!(connect_tls(port, &origin.certificate(), &["h2", "http/1.1"]).protocol(), Some("h2"));
    let mut connection = connect_tls(port, &origin.certificate(), &["http/1.1"]);
    let plain = connection.get("/ts/master.m3u8", "");
    assert_eq!((plain.status, plain.header("content-encoding")), (200, None));
    let gzipped = connection.get("/ts/master.m3u8", "Accept-Encoding: gzip\r\n");
    assert_eq!(gzipped.header("content-encoding"), Some("gzip"));
    let log = origin.stop_and_read_log();
    let codings: Vec<&str> = log.entries().iter().map(|entry| entry.content_coding.as_str()).collect();
    assert_eq!(codings, ["", "gzip"]);
    assert!(origin.tls_url("/").starts_with("https://localhost:"));
    assert!(origin.url("/").starts_with("http://127.0.0.1:"));
}

#[test]
fn a_stopped_origin_refuses_connections_and_serves_again_on_the_same_port() {
    let Some(mut origin) = Origin::start() else { return };
    let port = origin.plain_port();
    assert_eq!(get(port, "/ts/master.m3u8").status, 200);
    origin.stop();
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
    origin.start_again();
    assert_eq!(get(port, "/ts/master.m3u8").status, 200);
    assert_eq!(origin.stop_and_read_log().requests(), 2);
}

#[test]
fn a_dropped_origin_leaves_no_process_and_no_folder() {
    let Some(origin) = Origin::start() else { return };
    let folder = origin.certificate().parent().unwrap().to_owned();
    let pid = fs::read_to_string(folder.join("nginx.pid")).unwrap();
    let runs = || Command::new("kill").args(["-0", pid.trim()]).output().unwrap().status.success();
    assert!(runs());
    drop(origin);
    assert!(!runs());
    assert!(!folder.exists());
}
