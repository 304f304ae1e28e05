//! Variants with separate audio: ffmpeg itself beside `--player ffmpeg` and `--player web`, on one live stream that
//! ffmpeg writes. Their user agents identify them in nginx's log.
//!
//! The test compares counts, not times: a busy machine delays all players alike.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use hlswarm::testing::vocabulary::Kind;

use crate::access_log::Entry;
use crate::media::{Media, Packaging, VARIANTS};
use crate::origin::Origin;
use crate::players::imitate_for;
use crate::requests::Requests;
use crate::requirements;

/// Segments that every playlist must list before players begin.
const LISTED: usize = 5;
const LISTED_LIMIT: Duration = Duration::from_secs(60);
/// Playing time: about six segments.
const PLAYED: Duration = Duration::from_secs(13);
const POLL: Duration = Duration::from_millis(20);
/// Names of the variants, the lower one first, and of the audio renditions, the default one first.
const LOW: &str = "0";
const HIGH: &str = "1";
const AUDIO: &str = "2";
const OTHER_AUDIO: &str = "3";
const MASTER: &str = "#EXTM3U\n#EXT-X-VERSION:7\n\
    #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"one\",DEFAULT=YES,AUTOSELECT=YES,URI=\"list_2.m3u8\"\n\
    #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"other\",URI=\"list_3.m3u8\"\n\
    #EXT-X-STREAM-INF:BANDWIDTH=250000,RESOLUTION=160x90,CODECS=\"avc1.42c00d,mp4a.40.2\",AUDIO=\"a\"\nlist_0.m3u8\n\
    #EXT-X-STREAM-INF:BANDWIDTH=900000,RESOLUTION=320x180,CODECS=\"avc1.42c00d,mp4a.40.2\",AUDIO=\"a\"\nlist_1.m3u8\n";

/// A running ffmpeg; it is killed when dropped.
struct Ffmpeg(Child);

impl Ffmpeg {
    fn start(command: &mut Command) -> Self {
        Self(command.stdin(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Ffmpeg {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts to write the stream into the folder `/separate` of the origin, and returns once players can begin.
fn publish(origin: &Origin) -> Ffmpeg {
    let folder = origin.file("/separate");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("master.m3u8"), MASTER).unwrap();
    let mut command = Command::new(requirements::path_of("ffmpeg"));
    command.args(["-nostdin", "-v", "quiet"]).current_dir(&folder);
    let media = Media::ready();
    for variant in [&VARIANTS[0], &VARIANTS[2]] {
        command.args(["-re", "-stream_loop", "-1", "-i"]);
        command.arg(media.vod_playlist(Packaging::MpegTs, variant));
    }
    let output = "-map 1:v -map 0:v -map 0:a -map 1:a -c copy -bsf:a aac_adtstoasc -f hls -hls_time 2 \
        -hls_list_size 6 -hls_flags temp_file -hls_segment_type fmp4 -hls_fmp4_init_filename init_%v.mp4 \
        -hls_segment_filename %v_%d.m4s";
    command.args(output.split_whitespace());
    command.args(["-var_stream_map", "v:0,agroup:a v:1,agroup:a a:0,agroup:a a:1,agroup:a", "list_%v.m3u8"]);
    let writer = Ffmpeg::start(&mut command);
    let deadline = Instant::now() + LISTED_LIMIT;
    for name in [LOW, HIGH, AUDIO, OTHER_AUDIO] {
        let list = folder.join(format!("list_{name}.m3u8"));
        while fs::read_to_string(&list).unwrap_or_default().matches("#EXTINF").count() < LISTED {
            assert!(Instant::now() < deadline, "the stream does not begin");
            thread::sleep(POLL);
        }
    }
    writer
}

/// Counts the requests for one playlist, its initialization section and its segments.
fn counts(requests: &Requests, name: &str) -> [usize; 3] {
    let of = |kind, part: String| requests.of_kind(kind).filter(|entry| entry.uri.contains(&part)).count();
    [
        of(Kind::Playlist, format!("list_{name}.")),
        of(Kind::Init, format!("init_{name}.")),
        of(Kind::Segment, format!("/{name}_")),
    ]
}

fn connections(requests: &Requests) -> usize {
    let kinds = [Kind::Playlist, Kind::Init, Kind::Segment];
    let all = kinds.into_iter().flat_map(|kind| requests.of_kind(kind));
    let mut numbers: Vec<u64> = all.map(|entry| entry.connection).collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers.len()
}

/// Returns the number of the first segment of a playlist that was requested.
fn first_segment(requests: &Requests, name: &str) -> u64 {
    let number = |entry: &Entry| {
        entry.uri.rsplit('/').next()?.strip_prefix(&format!("{name}_"))?.strip_suffix(".m4s")?.parse().ok()
    };
    requests.of_kind(Kind::Segment).find_map(number).unwrap()
}

#[test]
fn separate_audio_is_fetched_as_ffmpeg_and_hls_js_do() {
    let Some(mut origin) = Origin::start() else { return };
    let writer = publish(&origin);
    let url = origin.url("/separate/master.m3u8");
    let ours = ["ffmpeg", "web"].map(|name| imitate_for(name, &url, PLAYED));
    let mut command = Command::new(requirements::path_of("ffmpeg"));
    let real =
        Ffmpeg::start(command.args(["-nostdin", "-v", "quiet", "-i", &url, "-c", "copy", "-f", "null", "-"]));
    thread::sleep(PLAYED);
    drop(real);
    for program in ours {
        program.end_within(Duration::from_secs(20));
    }
    drop(writer);
    let log = origin.stop_and_read_log();
    let [real, ffmpeg, web] = ["Lavf/", "as-ffmpeg", "as-web"].map(|agent| Requests::of(&log, agent));

    // ffmpeg probes every playlist: it fetches two segments even of those that it does not play.
    for name in [LOW, OTHER_AUDIO] {
        let ([lists, inits, segments], theirs) = (counts(&ffmpeg, name), counts(&real, name));
        assert_eq!([lists, inits], [theirs[0], theirs[1]], "{name}");
        // ffmpeg itself reads until it knows the frame rate: a third segment where segments are short.
        assert!(segments == 2 && (2..=3).contains(&theirs[2]), "{name}: {segments}, ffmpeg {}", theirs[2]);
    }
    // For the played playlists it loads the initialization section again with each reload.
    for name in [HIGH, AUDIO] {
        let (ours, theirs) = (counts(&ffmpeg, name), counts(&real, name));
        assert!(theirs[1] >= 3, "{theirs:?}");
        let near = ours.iter().zip(theirs).all(|(ours, theirs)| ours.abs_diff(theirs) <= 2);
        assert!(near, "{name}: {ours:?}, ffmpeg {theirs:?}");
    }
    let [ours, theirs] = [&ffmpeg, &real].map(connections);
    assert!(ours.abs_diff(theirs) <= 4, "{ours} connections, ffmpeg {theirs}");

    // hls.js fetches one segment of the variant that fits its first estimate, then the best variant, and one audio
    // rendition beside the video.
    assert_eq!(counts(&web, LOW), [1, 1, 1]);
    assert_eq!(counts(&web, OTHER_AUDIO), [0, 0, 0]);
    for name in [HIGH, AUDIO] {
        assert_eq!(counts(&web, name)[1], 1, "{name}");
        assert!(counts(&web, name)[2] >= 5, "{name}: {:?}", counts(&web, name));
    }
    assert_eq!(first_segment(&web, HIGH), first_segment(&web, LOW) + 1);
}
