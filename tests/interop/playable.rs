//! Plays the streams of the built-in origin in real players: ffmpeg decodes every frame, hls.js plays in a browser,
//! and an analyser of transport streams finds no errors.

use std::fs;
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use hlswarm::testing::origin::{Origin as BuiltIn, Settings};
use tokio::runtime::Runtime;

use crate::browser::{self, Page};
use crate::http_get::get;
use crate::origin::Origin;
use crate::requirements;

const SEGMENTS: u32 = 4;
/// Frames in a segment of one second.
const FRAME_RATE: u32 = 25;
const SIZES: [(&str, u32, u32); 3] = [("v0", 1920, 1080), ("v1", 1280, 720), ("v2", 640, 360)];
/// Time in which a browser plays all streams, however busy the machine is.
const BROWSER_LIMIT: Duration = Duration::from_secs(120);
const POLL: Duration = Duration::from_millis(50);

/// A built-in origin that runs until it is dropped.
struct Streams {
    _runtime: Runtime,
    port: u16,
}

impl Streams {
    fn serve(settings: Settings) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let settings = Settings { listen: ([127, 0, 0, 1], 0).into(), ..settings };
        let origin = runtime.block_on(BuiltIn::bind(settings)).unwrap();
        let port = origin.addresses().plain.port();
        runtime.spawn(origin.run(std::future::pending()));
        Self { _runtime: runtime, port }
    }

    fn vod() -> Self {
        let segment_duration = Duration::from_secs(1);
        Self::serve(Settings { segment_duration, vod_segments: SEGMENTS, ..Settings::default() })
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }
}

/// Runs a program, which must succeed and write nothing to standard error; returns its standard output.
fn run(program: &str, arguments: &[&str]) -> String {
    let mut command = Command::new(requirements::path_of(program));
    let Output { status, stdout, stderr } = command.args(arguments).stdin(Stdio::null()).output().unwrap();
    let complaints = String::from_utf8_lossy(&stderr);
    assert!(status.success() && complaints.is_empty(), "{program} {arguments:?}: {complaints}");
    String::from_utf8(stdout).unwrap()
}

#[test]
fn ffmpeg_decodes_every_picture_of_the_built_in_streams() {
    if !requirements::met() {
        return;
    }
    let streams = Streams::vod();
    for container in ["ts", "fmp4"] {
        for (variant, width, height) in SIZES {
            let url = streams.url(&format!("/vod/{container}/{variant}/index.m3u8"));
            let entries = "stream=width,height,nb_read_frames,avg_frame_rate";
            let options =
                ["-v", "warning", "-count_frames", "-show_entries", entries, "-of", "csv=p=0", &url];
            let told = run("ffprobe", &options);
            let expected = format!("{width},{height},{FRAME_RATE}/1,{}", SEGMENTS * FRAME_RATE);
            assert!(told.lines().any(|line| line.trim_end_matches(',') == expected), "{url}: {told}");
        }
    }
}

#[test]
fn ffmpeg_plays_the_built_in_live_streams_across_a_discontinuity() {
    if !requirements::met() {
        return;
    }
    // From the start the window holds the discontinuity before segment 30, so the test need not wait. Playback begins
    // shortly before it, and long after the segments that leave the window while a busy machine decodes.
    let segment_duration = Duration::from_millis(500);
    let streams = Streams::serve(Settings { segment_duration, window: 60, ..Settings::default() });
    for container in ["ts", "fmp4"] {
        let url = streams.url(&format!("/live/{container}/v2/index.m3u8"));
        let input = ["-nostdin", "-v", "error", "-xerror", "-live_start_index", "25", "-i", &url];
        run("ffmpeg", &[&input[..], &["-frames:v", "120", "-f", "null", "-"]].concat());
    }
}

#[test]
fn hls_js_plays_the_built_in_streams_in_a_browser() {
    let Some(origin) = Origin::start() else { return };
    let streams = Streams::serve(Settings::default());
    let paths = [
        "/live/ts/master.m3u8",
        "/live/fmp4/master.m3u8",
        "/vod/ts/v0/index.m3u8",
        "/vod/fmp4/v2/index.m3u8",
    ];
    let urls = paths.map(|path| streams.url(path));
    let html = include_str!("playable.html").replace("@STREAMS@", &format!("{urls:?}"));
    let Some(_browser) = browser::open_page(&origin, Page { html: &html, first_request: "/opened" }) else {
        return;
    };
    let deadline = Instant::now() + BROWSER_LIMIT;
    let asked = |part: &str| -> Vec<String> {
        let log = origin.log();
        log.entries().iter().map(|entry| entry.uri.clone()).filter(|uri| uri.contains(part)).collect()
    };
    while asked("/played/").len() < paths.len() {
        assert_eq!(asked("/failed/"), [] as [&str; 0], "after {:?}", asked("/played/"));
        assert!(Instant::now() < deadline, "only {:?} of {paths:?}", asked("/played/"));
        thread::sleep(POLL);
    }
}

#[test]
fn an_analyser_finds_no_gap_in_the_clock_of_the_built_in_transport_streams() {
    if requirements::optional("tsreport").is_none() {
        requirements::skip("tstools");
        return;
    }
    let streams = Streams::vod();
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    for (variant, ..) in SIZES {
        let file = folder.path().join(format!("{variant}.ts"));
        let segment = |number| get(streams.port, &format!("/vod/ts/{variant}/segment_{number}.ts")).body;
        fs::write(&file, (0..SEGMENTS).flat_map(segment).collect::<Vec<u8>>()).unwrap();
        let told = run("tsreport", &["-buffering", file.to_str().unwrap()]);
        let pictures = SEGMENTS * FRAME_RATE;
        for expected in [
            format!("PCRs found: {pictures}, Bad (>.1s) gaps: 0,"),
            "Linear PCR prediction errors: min=0t, max=0t".to_owned(),
            "DTS-last DTS: min=3600t, max=3600t".to_owned(),
            "duplicate packets: 0".to_owned(),
        ] {
            assert!(told.contains(&expected), "{expected} is not in {told}");
        }
        assert!(!told.contains("###") && !told.contains("!!!"), "{told}");
    }
}
