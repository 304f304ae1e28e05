//! Cost of many clients of one hostile origin: jobs of rows P8, P12 and S11. Other rows bound a few clients
//! by what a healthy run needs; these hold the program to its stated limits.

use std::time::Duration;

use bytes::Bytes;
use rustix::process::Signal;

use crate::expectations::assert_sound;
use crate::http2::{END_HEADERS, HEADERS, Peer, SEGMENT, frame, origin};
use crate::origin::{Answer, Origin, Step};
use crate::program::{Ended, Program, Start};
use crate::rows::ENTRY;
use crate::streams::{PATIENT, vod_of};

/// Prepares a run of this many clients that do not leave, without one that goes ahead.
fn many(origin: &Origin, clients: usize) -> Start {
    load(Start::run(&origin.url(ENTRY)), clients)
}

fn load(start: Start, clients: usize) -> Start {
    start.with(&["-c", &clients.to_string(), "--player", "persistent"]).with(&[
        "--skip-preflight",
        "--insecure",
        "--timeout",
        PATIENT,
    ])
}

/// Returns the number of lines in the record that contain `text`.
fn recorded(program: &Program, text: &str) -> usize {
    program.read("record.ndjson").matches(text).count()
}

/// Ends a run; its counts must be sound. Its memory is for the caller to judge.
fn end(program: Program) -> Ended {
    program.signal(Signal::INT);
    let run = program.end();
    assert_eq!(run.killed_by(), None, "it was killed by a signal");
    assert!(!run.report.is_null(), "{:?}, no report: {}", run.exit_code(), run.output("stderr"));
    assert_eq!(run.count("/internal/panics"), 0, "panics");
    assert_sound(&run);
    run
}

/// Each of 60 clients is sent most of a playlist of the largest accepted size, and then nothing: a text of its own, as
/// equal ones are kept once.
pub fn unfinished_playlists() {
    const CLIENTS: usize = 60;
    const PIECE: usize = 64 * 1024;
    const PIECES: usize = 120;
    const MOST_KIB: u64 = 100_000;
    let origin = Origin::start(|asked| {
        let line = format!("#EXTINF:2,\nviewer-{:03}/segment.ts\n", asked.connection);
        let piece = Bytes::from(line.repeat(PIECE / line.len()));
        let begun =
            Answer::head("200 OK", "Content-Length: 8388608\r\n").send("#EXTM3U\n#EXT-X-TARGETDURATION:2\n");
        (0..PIECES).fold(begun, |answer, _| answer.send(piece.clone())).then(Step::Silence)
    });
    let mut program = many(&origin, CLIENTS).with(&["--ramp-time", "0"]).start();
    let all = |program: &Program| recorded(program, "\"kind\":\"fault\"") >= CLIENTS;
    assert!(program.wait_until("a fault of each client", all));
    let run = end(program);
    let mut outcomes = run.outcomes();
    outcomes.sort_unstable();
    assert_eq!(
        outcomes,
        ["playlist.limit", "timeout.idle"],
        "some wait, and there is no room for the others"
    );
    assert!(
        run.used.peak_anonymous_kib < MOST_KIB,
        "{} KiB for {CLIENTS} clients",
        run.used.peak_anonymous_kib
    );
}

/// Each of 30 clients plays a VOD of its own of 100,000 segments. An unoptimised program takes a second of processor
/// time for each of them: fewer have to do.
pub fn long_playlists() {
    const CLIENTS: usize = if cfg!(debug_assertions) { 6 } else { 30 };
    const SEGMENTS: usize = 100_000;
    const MOST_KIB: u64 = 2_000;
    // Each worker thread keeps texts of playlists that other clients may reuse. Two workers have theirs after as many
    // clients, and what the others add is their own.
    const FIRST: usize = 2;
    let list = vod_of((0..SEGMENTS).map(|number| format!("viewer/{number}.ts")));
    let origin = Origin::start(move |asked| match asked.is_playlist() {
        true => Answer::playlist(list.replace("viewer", &asked.connection.to_string())),
        false => Answer::segment(),
    });
    let start = Start::run_by("exec taskset -c 0,1 \"$0\" \"$@\"", &origin.url(ENTRY));
    let mut program = load(start, CLIENTS).with(&["--ramp-rate", "3"]).long().start();
    let play = |clients: usize| move |program: &Program| recorded(program, "\"to\":\"playing\"") >= clients;
    assert!(program.wait_until("the first players", play(FIRST)));
    let first = program.memory_kib("RssAnon");
    assert!(program.wait_until("players", play(CLIENTS)));
    let kept = program.memory_kib("RssAnon");
    let run = end(program);
    // While many of them arrive at once, there may be no room for one more: then its client loads it again.
    assert!(run.outcomes().iter().all(|outcome| ["ok", "playlist.limit"].contains(outcome)));
    assert!(run.count("/playback/started") >= CLIENTS as u64);
    let each = kept.saturating_sub(first) / (CLIENTS - FIRST) as u64;
    assert!(each < MOST_KIB, "{each} KiB for each client");
}

/// Returns a run of 40 clients whose segments are answered over HTTP/2 by `script`, and the processor time for each
/// segment's request, when the origin has seen three of each client.
fn over_http2(
    script: impl Fn(&mut Peer<'_>) -> std::io::Result<()> + Send + Sync + 'static,
) -> (Ended, Duration) {
    let origin = origin(b"", 100, script);
    let mut program = many(&origin, HTTP2_CLIENTS).with(&["--ramp-time", "0"]).start();
    let enough = |_: &Program| origin.log.count(SEGMENT) >= 3 * HTTP2_CLIENTS;
    assert!(program.wait_until("segments", enough));
    let each = program.cpu_time() / origin.log.count(SEGMENT) as u32;
    (end(program), each)
}

const HTTP2_CLIENTS: usize = 40;

/// Each of 40 clients is sent interim responses over HTTP/2 without end.
pub fn interim_responses() {
    const MOST_KIB: u64 = 64;
    // A handshake for each request, and the responses until the limit ends it: measured as processor time for each
    // request, which other programs do not change. A client that reads them without end has no limit.
    const MOST_TIMES: u32 = 10;
    const MOST_BESIDE: Duration = Duration::from_millis(2);
    let (healthy, usual_time) = over_http2(|peer| peer.segment());
    assert_eq!(healthy.outcomes(), ["ok"]);
    let (run, time) =
        over_http2(|peer| peer.flood(&frame(HEADERS, END_HEADERS, peer.stream, b"\x08\x03103")));
    assert_eq!(run.segment_outcomes(), ["conn.proto"]);
    let [most, usual] = [&run, &healthy].map(|run| run.used.peak_anonymous_kib);
    let each = most.saturating_sub(usual) / HTTP2_CLIENTS as u64;
    assert!(each < MOST_KIB, "{each} KiB for each client beyond a healthy one");
    let most_time = usual_time * MOST_TIMES + MOST_BESIDE;
    assert!(time < most_time, "{time:?} for each request, {usual_time:?} for a healthy one");
}
