//! P1 to P15: bytes that an origin can send instead of those of a sound playlist.

use std::io::Write as _;
use std::time::Duration;

use base64::Engine as _;
use bytes::Bytes;
use flate2::write::GzEncoder;
use flate2::{Compress, Compression, FlushCompress};

use crate::many_rows::{long_playlists, unfinished_playlists};
use crate::origin::{Answer, Log, Step};
use crate::program::Ended;
use crate::rows::{Case, Row, row};
use crate::segment_rows::lasted_a_minute;
use crate::streams::{PATIENT, vod, vod_of};
use crate::terminal_rows::errors_view;

const MIB: usize = 1 << 20;
/// Largest playlist that is read.
const PLAYLIST_BYTES: u64 = 8 << 20;

/// Returns the rows.
pub fn rows() -> Vec<Row> {
    [texts(), sizes(), compressed()].into_iter().flatten().collect()
}

/// Returns an answer with a length of 100 MB, of which the client may read as much as it likes.
fn huge(begin: &str, line: &'static str) -> Answer {
    Answer::head("200 OK", "Content-Length: 100000000\r\n")
        .send(begin.to_owned())
        .then(Step::Flood(line.into()))
}

fn texts() -> Vec<Row> {
    let page = format!("<html>\u{1b}]52;c;ZXZpbA==\u{7}\u{202e}gnp.exe \u{1b}[2J{}", "x".repeat(5_000));
    let html = |body: String| Answer::whole("200 OK", &["Content-Type: text/html"], body);
    let typed = |line: &[u8]| {
        let list = vod(2);
        let head = format!("\r\nContent-Length: {}\r\n\r\n{list}", list.len());
        Answer::raw([b"HTTP/1.1 200 OK\r\nContent-Type: ", line, head.as_bytes()].concat())
    };
    let spelled = |label, text: String| {
        Case::text(label, text).clients(1).holds(|run, log| {
            assert_eq!(log.requests().len(), 4, "one playlist and three segments");
            assert_eq!(run.count("/kinds/segment/outcomes/ok"), 3);
        })
    };
    let lines = vod(3);
    let utf16 = vod(3).encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
    let with = |what: &[u8]| {
        [b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\ns", what, b".ts\n#EXT-X-ENDLIST\n"].concat()
    };
    vec![
        row("P1", "an empty body with 200").case(Case::text("empty", "").fails("playlist.not_m3u8")),
        row("P2", "an HTML page with 200")
            .case(
                Case::playlists("hostile page", html(page.clone()))
                    .fails("playlist.not_m3u8")
                    .explains("playlist.not_m3u8", "text/html: <html>"),
            )
            .job("on the screen", move || errors_view(None, &html(page), "playlist.not_m3u8")),
        row("P3", "the right body with a wrong content type")
            .case(Case::playlists("text/plain", typed(b"text/plain")).finding("wrong_content_type"))
            .case(Case::playlists("hostile type", typed(b"a/\xc2\x9b31m\xe2\x80\xaegnp<script>"))),
        row("P4", "a byte order mark")
            .case(Case::text("UTF-8", format!("\u{feff}{}", vod(2))).finding("byte_order_mark")),
        row("P5", "line ends of every kind")
            .case(spelled("LF", lines.clone()))
            .case(spelled("CRLF", lines.replace('\n', "\r\n")))
            .case(spelled("CR", lines.replace('\n', "\r")).finding("bare_carriage_return"))
            .case(spelled("mixed", lines.replacen('\n', "\r\n", 3).replacen("ts\n", "ts\r", 1)))
            .case(spelled("spaces", lines.replace('\n', " \t\n")).finding("whitespace"))
            .case(spelled("no last", lines.trim_end().to_owned())),
        row("P6", "bytes that are no text")
            .case(Case::text("NUL", with(b"\0")).fails("playlist.syntax"))
            .case(Case::text("invalid UTF-8", with(b"\xff\xfe")).fails("playlist.syntax")),
        row("P7", "UTF-16").case(Case::text("little endian", utf16).fails("playlist.not_m3u8")),
    ]
}

/// Fails unless each playlist was read up to the limit and not much further.
fn read_to_the_limit(run: &Ended, _: &Log) {
    let limited = "/kinds/playlist/outcome_bytes/playlist.limit";
    let each = run.count(limited) / run.count("/kinds/playlist/outcomes/playlist.limit");
    assert!((PLAYLIST_BYTES..PLAYLIST_BYTES + (1 << 20)).contains(&each), "{each} bytes of each were read");
}

/// Returns an answer that is fast enough to be no stall, for longer than a whole response may take.
fn steady(begin: &str, line: &str) -> Answer {
    let piece = Bytes::from(line.repeat(1_024 / line.len() + 1));
    let begun = Answer::head("200 OK", "Content-Length: 1000000\r\n").send(begin.to_owned());
    (0..160).fold(begun, |answer, _| answer.then(Step::Pause(Duration::from_millis(500))).send(piece.clone()))
}

fn sizes() -> Vec<Row> {
    const LINES: &str = "#EXTINF:2,\nsegment.ts\n";
    let begin = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n";
    let endless = Answer::head("200 OK", "Transfer-Encoding: chunked\r\n")
        .send(format!("{:x}\r\n{begin}\r\n", begin.len()))
        .then(Step::Flood(format!("{:x}\r\n{LINES}\r\n", LINES.len()).into()));
    let variants = |count: usize| -> String {
        (0..count)
            .map(|number| format!("#EXT-X-STREAM-INF:BANDWIDTH={}\nv{number}.m3u8\n", 1_000 + number))
            .collect()
    };
    let many = format!("#EXTM3U\n{}", variants(50_000));
    let million = Answer::head("200 OK", "Content-Length: 45000000\r\n")
        .send("#EXTM3U\n")
        .then(Step::Flood("#EXT-X-STREAM-INF:BANDWIDTH=1000\nvariant.m3u8\n".into()));
    let long = vod_of((0..300_000).map(|number| number.to_string()));
    vec![
        row("P8", "a playlist of 100 MB")
            .case(
                Case::playlists("with a length", huge(begin, LINES))
                    .fails("playlist.limit")
                    .holds(read_to_the_limit),
            )
            .job("8 MB for each of 60, unfinished", unfinished_playlists),
        row("P9", "a playlist that never ends")
            .case(Case::playlists("chunked", endless).fails("playlist.limit").holds(read_to_the_limit))
            .case(
                Case::playlists("two kilobytes a second", steady(begin, LINES))
                    .clients(1)
                    .options(&["--timeout", PATIENT])
                    .fails("timeout.total")
                    .alone()
                    .holds(|run, _| lasted_a_minute(run)),
            ),
        row("P10", "a line without end")
            .case(Case::playlists("50 MB", huge("#EXTM3U\n#", "aaaaaaaa")).fails("playlist.limit"))
            .case(
                Case::text("100 kB", format!("{begin}#EXTINF:2,\n{}.ts\n", "a".repeat(100_000)))
                    .fails("playlist.limit"),
            ),
        row("P11", "a million variants")
            .case(
                Case::new("50,000 in two megabytes", move |asked| match asked.path.as_str() {
                    "/m.m3u8" => Answer::playlist(many.clone()),
                    _ if asked.is_playlist() => Answer::playlist(vod(2)),
                    _ => Answer::segment(),
                })
                .finding("truncated"),
            )
            .case(Case::playlists("a million", million).fails("playlist.limit")),
        row("P12", "a million segments")
            .case(Case::text("300,000", long).finding("truncated").until_asked(6, "/"))
            .case(Case::playlists("a million", huge(begin, LINES)).fails("playlist.limit"))
            .job("100,000 for each of many", long_playlists),
    ]
}

/// Returns 512 MiB of `#` as blocks that each decode alone: a deflate stream after its first full flush.
fn deflated(gzip: bool) -> Vec<u8> {
    let mut begin = match gzip {
        true => GzEncoder::new(Vec::new(), Compression::fast()).finish().unwrap()[..10].to_vec(),
        false => Vec::new(),
    };
    let mut compress = Compress::new(Compression::best(), !gzip);
    let mut block = |text: &[u8]| {
        let mut out = Vec::with_capacity(64 * 1024);
        compress.compress_vec(text, &mut out, FlushCompress::Full).unwrap();
        out
    };
    begin.extend(block(b"#EXTM3U\n"));
    let piece = block(&vec![b'#'; MIB]);
    begin.extend(piece.repeat(512));
    begin
}

/// Returns a Zstandard frame of 512 MiB in blocks of one repeated byte (RFC 8878 section 3.1.1.2).
fn zstd() -> Vec<u8> {
    const BLOCK: u32 = 128 * 1024;
    const RLE: u32 = 1 << 1;
    // Magic number, no content size, window of 8 MiB; then one raw block of text.
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0, 13 << 3, 8 << 3, 0, 0];
    frame.extend(b"#EXTM3U\n");
    let header = (BLOCK << 3 | RLE).to_le_bytes();
    for _ in 0..(512 * MIB as u32 / BLOCK) {
        frame.extend([header[0], header[1], header[2], b'#']);
    }
    frame
}

/// 64 MiB of `#` after the first line of a playlist: the output of Brotli's own encoder.
const BROTLI: &str =
    "z///fwDEMc4XHXDgcfs6fgtk7P0//UYD+f//D4AEQBwWgO79P////wGQAIjDAtC9/+f//z8AEgBxWAC69/9xAABAYiR0CQA=";
/// The same with a window of a gigabyte, which is not part of Brotli (RFC 7932) but of an extension: the output of the
/// encoder of the crate `brotli`.
const LARGE_WINDOW: &str =
    "ER7///8BEMc4X3TAgcft6/gtEMbe/9NvNJD///8ASADEYQGge//P//9/ACQA4rAA0L3/5///PwASAHFYAOje/8cBAAAJgDAgAAA=";

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn compressed() -> Vec<Row> {
    let coded =
        |coding: &str, body: Vec<u8>| Answer::playlist_with(&[&format!("Content-Encoding: {coding}")], body);
    let bomb = |label, coding, body| {
        Case::playlists(label, coded(coding, body)).clients(1).holds(|run, _| {
            let limits = ["body.ratio", "playlist.limit"];
            assert!(run.outcomes().iter().all(|outcome| limits.contains(outcome)), "{:?}", run.outcomes());
        })
    };
    let whole = gzip(vod(400).as_bytes());
    let flipped = {
        let mut bytes = whole.clone();
        bytes[60] ^= 255;
        bytes
    };
    let wrong_sum = [&whole[..whole.len() - 8], &[0; 4], &whole[whole.len() - 4..]].concat();
    let broken = |label, body: Vec<u8>| {
        let length = body.len() as u64;
        Case::playlists(label, coded("gzip", body)).fails("body.decode").holds(move |run, _| {
            let playlists = run.count("/kinds/playlist/outcomes/body.decode");
            assert_eq!(run.count("/kinds/playlist/outcome_bytes/body.decode"), playlists * length, "bytes");
        })
    };
    let twice = gzip(&gzip(vod(2).as_bytes()));
    let decoded = |text| base64::engine::general_purpose::STANDARD.decode(text).unwrap();
    vec![
        row("P13", "bombs of compressed text")
            .case(bomb("gzip", "gzip", deflated(true)).fails("playlist.limit"))
            .case(bomb("deflate", "deflate", deflated(false)).fails("playlist.limit"))
            .case(bomb("br", "br", decoded(BROTLI)).clients(4).fails("body.ratio"))
            .case(
                Case::playlists("br, a large window", coded("br", decoded(LARGE_WINDOW)))
                    .fails("body.decode"),
            )
            .case(bomb("zstd", "zstd", zstd()).fails("body.ratio"))
            .case(bomb("empty members", "gzip", gzip(b"").repeat(100_000)).fails("body.ratio")),
        row("P14", "one coding within another")
            .case(Case::playlists("one line", coded("gzip, gzip", twice.clone())).fails("body.decode"))
            .case(
                Case::playlists("two lines", coded("gzip\r\nContent-Encoding: gzip", twice))
                    .fails("body.decode"),
            ),
        row("P15", "compressed text that is broken")
            .case(broken("cut", whole[..whole.len() - 20].to_vec()))
            .case(broken("flipped", flipped))
            .case(broken("wrong checksum", wrong_sum))
            .case(broken("not compressed", vod(4).into_bytes())),
    ]
}
