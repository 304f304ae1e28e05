//! Streams of every shape that ffmpeg writes, and the requests of a client for each, from nginx's log.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use hlswarm::testing::hls::Decryptor;
use hlswarm::testing::hls::{self, Playlist};
use hlswarm::testing::vocabulary::Finding;
use hlswarm::testing::vocabulary::Kind;

use crate::access_log::Entry;
use crate::media::{Media, Packaging, SEGMENT_SECONDS, VARIANTS};
use crate::origin::Origin;
use crate::program::{Ended, Program};
use crate::requirements;

const CLIENTS: u64 = 2;
/// Segments of a generated stream.
const SEGMENTS: u64 = 4;
const SECONDS: u64 = SEGMENTS * SEGMENT_SECONDS as u64;
const END_LIMIT: Duration = Duration::from_secs(SECONDS + 40);
const POLL: Duration = Duration::from_millis(20);

/// A running ffmpeg, until it ends by itself or is dropped.
struct Maker(Child);

impl Maker {
    /// Starts ffmpeg in the origin's folder `name`.
    fn start(origin: &Origin, name: &str, arguments: &str) -> Self {
        let folder = origin.file(name);
        fs::create_dir_all(&folder).unwrap();
        let source = Media::ready().vod_playlist(Packaging::MpegTs, &VARIANTS[2]);
        let arguments = arguments.replace("@SOURCE@", source.to_str().unwrap());
        let mut command = Command::new(requirements::path_of("ffmpeg"));
        command.args(["-nostdin", "-v", "error", "-y"]).args(arguments.split_whitespace());
        Self(command.current_dir(folder).stdin(Stdio::null()).spawn().unwrap())
    }

    fn finish(mut self) {
        assert!(self.0.wait().unwrap().success(), "ffmpeg failed");
    }
}

impl Drop for Maker {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Waits until a file of the origin holds `text` at least `times` times.
fn wait_for(file: &Path, text: &str, times: usize) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while fs::read_to_string(file).unwrap_or_default().matches(text).count() < times {
        assert!(Instant::now() < deadline, "{} does not hold {text}", file.display());
        thread::sleep(POLL);
    }
}

fn play(origin: &Origin, path: &str, options: &[&str]) -> Ended {
    let clients = CLIENTS.to_string();
    let options = [&["-c", &clients, "--ramp-time", "0"], options].concat();
    Program::start(&origin.url(path), &options).end_within(END_LIMIT)
}

/// Checks that every client played the whole stream without a stall.
fn assert_played(run: &Ended) {
    run.assert_exit_code(0);
    assert_eq!(run.report.count("/playback/finished_clients"), CLIENTS);
    assert_eq!(
        (run.report.count("/playback/stalls"), run.report.count("/playback/segments_skipped")),
        (0, 0)
    );
    let played = run.report.number("/playback/play_s");
    let expected = (CLIENTS * SECONDS) as f64;
    assert!((played - expected).abs() < 0.1, "{played} s were played of {expected}");
}

fn first_byte(entry: &Entry) -> Option<(u64, u64)> {
    let (first, last) = entry.range.strip_prefix("bytes=")?.split_once('-')?;
    Some((first.parse().ok()?, last.parse().ok()?))
}

#[test]
fn byte_ranges_of_one_file_are_fetched_piece_by_piece() {
    let Some(mut origin) = Origin::start() else { return };
    let recipe = format!(
        "-i @SOURCE@ -t {SECONDS} -c copy -f hls -hls_time {SEGMENT_SECONDS} -hls_playlist_type vod \
         -hls_flags single_file -hls_segment_filename all.ts list.m3u8"
    );
    Maker::start(&origin, "/ranges", &recipe).finish();
    let run = play(&origin, "/ranges/list.m3u8", &[]);
    assert_played(&run);
    let file = fs::metadata(origin.file("/ranges/all.ts")).unwrap().len();
    let segments = origin.stop_and_read_log().of_kind(Kind::Segment);
    assert_eq!((segments.requests(), segments.bytes()), (CLIENTS * SEGMENTS, CLIENTS * file));
    assert!(segments.entries().iter().all(|entry| entry.status == 206));
}

#[test]
fn sound_and_subtitles_are_fetched_beside_the_pictures_over_a_second_connection() {
    let Some(mut origin) = Origin::start() else { return };
    fs::create_dir_all(origin.file("/separate")).unwrap();
    let subtitles = "1\n00:00:00,500 --> 00:00:03,000\none\n\n2\n00:00:04,000 --> 00:00:07,000\ntwo\n";
    fs::write(origin.file("/separate/subtitles.srt"), subtitles).unwrap();
    let recipe = format!(
        "-i @SOURCE@ -i subtitles.srt -t {SECONDS} -map 0:v -map 0:a -map 1:s -c copy -c:s webvtt -f hls \
         -hls_time {SEGMENT_SECONDS} -hls_playlist_type vod -hls_segment_filename %v_%d.ts \
         -var_stream_map v:0,agroup:sound,sgroup:text,s:0@a:0,agroup:sound list_%v.m3u8"
    );
    // `@` stands for the space in the one argument that holds one.
    let folder = origin.file("/separate");
    let source = Media::ready().vod_playlist(Packaging::MpegTs, &VARIANTS[2]);
    let arguments: Vec<String> = recipe
        .replace("@SOURCE@", source.to_str().unwrap())
        .split_whitespace()
        .map(|argument| argument.replace('@', " "))
        .collect();
    let made = Command::new(requirements::path_of("ffmpeg"))
        .args(["-nostdin", "-v", "error", "-y"])
        .args(arguments)
        .current_dir(folder)
        .status();
    assert!(made.unwrap().success());
    // ffmpeg leaves out variants of unknown bit rate, such as those of copied media, so write the playlist by hand.
    let master = "#EXTM3U\n\
        #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"sound\",NAME=\"eng\",DEFAULT=YES,URI=\"list_1.m3u8\"\n\
        #EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID=\"text\",NAME=\"eng\",DEFAULT=YES,URI=\"list_0_vtt.m3u8\"\n\
        #EXT-X-STREAM-INF:BANDWIDTH=200000,AUDIO=\"sound\",SUBTITLES=\"text\"\nlist_0.m3u8\n";
    fs::write(origin.file("/separate/master.m3u8"), master).unwrap();
    let run = play(&origin, "/separate/master.m3u8", &[]);
    assert_played(&run);
    let log = origin.stop_and_read_log();
    let count = |part: &str| log.only(|entry| entry.uri.contains(part)).requests();
    for list in ["master.m3u8", "list_0.m3u8", "list_1.m3u8", "list_0_vtt.m3u8"] {
        assert_eq!(count(list), CLIENTS, "{list}");
    }
    for segments in ["/0_", "/1_", ".vtt"] {
        assert_eq!(count(segments), CLIENTS * SEGMENTS, "{segments}");
    }
    // Audio and subtitles share the second connection of each client.
    assert_eq!(log.by_connection().len() as u64, 2 * CLIENTS);
    assert_eq!(run.report.count("/connections/opened"), 2 * CLIENTS);
    assert_eq!(log.fetched_twice(), []);
}

#[test]
fn discontinuities_are_played_across() {
    let Some(mut origin) = Origin::start() else { return };
    let half = SECONDS / 2;
    let recipe = format!(
        "-i @SOURCE@ -t {half} -c copy -f hls -hls_time {SEGMENT_SECONDS} -hls_list_size 0 \
         -hls_flags append_list+discont_start -hls_segment_filename %d.ts list.m3u8"
    );
    for _ in 0..2 {
        Maker::start(&origin, "/torn", &recipe).finish();
    }
    let list = fs::read_to_string(origin.file("/torn/list.m3u8")).unwrap();
    assert!(list.matches("#EXT-X-DISCONTINUITY\n").count() >= 2, "{list}");
    let run = play(&origin, "/torn/list.m3u8", &[]);
    assert_played(&run);
    assert_eq!(origin.stop_and_read_log().of_kind(Kind::Segment).requests(), CLIENTS * SEGMENTS);
}

#[test]
fn an_event_is_followed_until_it_ends_and_the_run_ends_with_it() {
    let Some(mut origin) = Origin::start() else { return };
    let recipe = format!(
        "-re -i @SOURCE@ -t {SECONDS} -c copy -f hls -hls_time {SEGMENT_SECONDS} -hls_playlist_type event \
         -hls_flags temp_file -hls_segment_filename %d.ts list.m3u8"
    );
    let maker = Maker::start(&origin, "/event", &recipe);
    wait_for(&origin.file("/event/list.m3u8"), "#EXTINF", 1);
    let run = play(&origin, "/event/list.m3u8", &[]);
    maker.finish();
    run.assert_exit_code(0);
    assert_eq!(run.report.count("/playback/finished_clients"), CLIENTS);
    let log = origin.stop_and_read_log();
    let segments = log.of_kind(Kind::Segment);
    assert_eq!(segments.requests(), CLIENTS * SEGMENTS, "joined with the first segment, played to the last");
    assert_eq!(log.fetched_twice(), []);
    assert!(log.of_kind(Kind::Playlist).requests() > CLIENTS * 2, "it was loaded again");
}

#[test]
fn a_window_over_one_file_whose_sequence_number_stands_still_is_not_followed() {
    let Some(mut origin) = Origin::start() else { return };
    let recipe = format!(
        "-re -stream_loop -1 -i @SOURCE@ -c copy -f hls -hls_time {SEGMENT_SECONDS} -hls_list_size 4 \
         -hls_flags single_file -hls_segment_filename all.ts list.m3u8"
    );
    let maker = Maker::start(&origin, "/still", &recipe);
    wait_for(&origin.file("/still/list.m3u8"), "#EXTINF", 4);
    let run =
        Program::start(&origin.url("/still/list.m3u8"), &["-c", "1", "-d", "14s"]).end_within(END_LIMIT);
    drop(maker);
    run.assert_exit_code(0);
    let list = fs::read_to_string(origin.file("/still/list.m3u8")).unwrap();
    assert!(list.contains("#EXT-X-MEDIA-SEQUENCE:0\n"), "{list}");
    let segments = origin.stop_and_read_log().of_kind(Kind::Segment);
    let ranges: Vec<_> = segments.entries().iter().filter_map(first_byte).collect();
    // hls.js, ffmpeg and Chromium's own player fetch the numbers of the first window and nothing after them.
    assert!((1..=4).contains(&ranges.len()), "a number is fetched once: {ranges:?}");
    assert!(ranges.windows(2).all(|two| two[1].0 == two[0].1 + 1), "in order, none twice: {ranges:?}");
    assert_eq!(run.report.count("/playback/stalls"), 1);
    let findings = run.report.value()["findings"].as_array().unwrap();
    let changed = findings.iter().find(|finding| finding["kind"] == Finding::SegmentChanged.name());
    assert!(changed.is_some(), "a number that stands for other media is found: {findings:?}");
}

/// Key of each segment; the first key holds for two segments.
const KEYS: [u8; SEGMENTS as usize] = [0, 0, 1, 2];

/// Makes a stream whose key changes, and the same stream in the clear. Runs one ffmpeg for each segment, so that no
/// key depends on when ffmpeg reads the key info.
fn encrypt(origin: &Origin) {
    let folder = origin.file("/secret");
    fs::create_dir_all(folder.join("clear")).unwrap();
    let mut list = format!(
        "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:{SEGMENT_SECONDS}\n#EXT-X-PLAYLIST-TYPE:VOD\n"
    );
    for (number, key) in (0..SEGMENTS).zip(KEYS) {
        fs::write(folder.join(format!("{key}.key")), [key.wrapping_mul(37) ^ 0x5a; 16]).unwrap();
        fs::write(folder.join("key_info"), format!("{key}.key\n{key}.key\n")).unwrap();
        let segment = Media::ready().segment(Packaging::MpegTs, &VARIANTS[2], number);
        let output = format!("-map 0 -c copy -copyts -f hls -hls_time 60 -start_number {number}");
        let recipe = format!(
            "-i {} {output} -hls_key_info_file key_info -hls_segment_filename %d.ts part.m3u8 \
             {output} -hls_segment_filename clear/%d.ts clear/part.m3u8",
            segment.display()
        );
        Maker::start(origin, "/secret", &recipe).finish();
        let part = fs::read_to_string(folder.join("part.m3u8")).unwrap();
        let key = part.lines().find(|line| line.starts_with("#EXT-X-KEY")).unwrap();
        list += &format!("{key}\n#EXTINF:{SEGMENT_SECONDS}.0,\n{number}.ts\n");
    }
    fs::write(folder.join("list.m3u8"), list + "#EXT-X-ENDLIST\n").unwrap();
}

/// Returns the payload of an encrypted file, decrypted with the key in the file `key`.
fn payload(file: &Path, key: &Path, iv: [u8; 16]) -> Vec<u8> {
    let mut plain = Vec::new();
    let mut decryptor = Decryptor::new(&fs::read(key).unwrap().try_into().unwrap(), &iv);
    decryptor.take(&fs::read(file).unwrap(), &mut |piece| plain.extend_from_slice(piece));
    decryptor.finish(&mut |piece| plain.extend_from_slice(piece)).unwrap();
    plain
}

#[test]
fn keys_that_change_are_fetched_once_and_what_they_undo_is_the_clear_stream() {
    let Some(mut origin) = Origin::start() else { return };
    encrypt(&origin);
    let folder: PathBuf = origin.file("/secret");
    let text = fs::read(folder.join("list.m3u8")).unwrap();
    let Ok(Playlist::Media(list)) = hls::parse(&text) else { panic!("no media playlist") };
    let mut keys = Vec::new();
    for segment in &list.segments {
        let key = &segment.keys()[0];
        let (uri, iv) = (key.uri.as_ref().unwrap().as_str(), key.iv.unwrap());
        let uri_of_segment = segment.uri();
        let name = uri_of_segment.as_str();
        let clear = fs::read(folder.join("clear").join(name)).unwrap();
        assert!(payload(&folder.join(name), &folder.join(uri), iv) == clear, "{name}");
        keys.push(uri.to_owned());
    }
    keys.dedup();
    assert_eq!(keys, ["0.key", "1.key", "2.key"]);

    let run = play(&origin, "/secret/list.m3u8", &["--decrypt"]);
    assert_played(&run);
    assert_eq!(run.report.count("/requests/key"), CLIENTS * keys.len() as u64);

    // With a wrong key, a run without `--decrypt` notices nothing, and with it each try fails.
    fs::write(folder.join(&keys[1]), [0; 16]).unwrap();
    assert_played(&play(&origin, "/secret/list.m3u8", &[]));
    let wrong = play(&origin, "/secret/list.m3u8", &["--decrypt", "--player", "ffmpeg"]);
    let undone_by_it = list.segments.iter().filter(|s| s.keys()[0].uri.as_ref().unwrap().as_str() == keys[1]);
    let segments = undone_by_it.count() as u64;
    assert_eq!(wrong.report.count("/outcomes/body.decode"), CLIENTS * segments * 2);
    assert_eq!(wrong.report.count("/playback/segments_skipped"), CLIENTS * segments);
    let log = origin.stop_and_read_log();
    assert_eq!(log.of_kind(Kind::Key).requests(), 3 * CLIENTS * keys.len() as u64);
}
