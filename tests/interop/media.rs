//! Media of the origin: a video test pattern with a tone, which ffmpeg encodes once and which is kept under
//! `target/`.
//!
//! - Every variant has [`SEGMENTS`] segments of [`SEGMENT_SECONDS`] seconds, as MPEG-TS and as fMP4 with an init
//!   section.
//! - A folder is complete when its `recipe` file holds the command that made it; a different command encodes it
//!   again.
//! - Processes that start together wait for the one that encodes.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::requirements;

/// Duration of every segment.
pub const SEGMENT_SECONDS: u32 = 2;
/// Segments of every variant: the whole of the VOD, and one round of the live stream.
pub const SEGMENTS: u64 = 18;

const FRAMES_PER_SECOND: u32 = 10;
const AUDIO_BITS_PER_SECOND: u32 = 48_000;
/// Allowance for the container: peak bitrate as a multiple of the bitrates of video and audio.
const PEAK_FACTOR: f64 = 1.5;

/// One rung of the ladder.
pub struct Variant {
    pub name: &'static str,
    pub size: &'static str,
    pub video_bits_per_second: u32,
}

/// The ladder, best first. Small frames are cheap to encode, and only the bytes need to differ by variant.
pub const VARIANTS: [Variant; 3] = [
    Variant { name: "v0", size: "320x180", video_bits_per_second: 300_000 },
    Variant { name: "v1", size: "256x144", video_bits_per_second: 150_000 },
    Variant { name: "v2", size: "160x90", video_bits_per_second: 60_000 },
];

/// Packaging of the segments.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Packaging {
    MpegTs,
    Fmp4,
}

impl Packaging {
    pub const ALL: [Self; 2] = [Self::MpegTs, Self::Fmp4];

    /// Returns the folder of this packaging, in the cache and on the origin.
    pub const fn folder(self) -> &'static str {
        match self {
            Self::MpegTs => "ts",
            Self::Fmp4 => "fmp4",
        }
    }

    /// Returns the extension of a segment's name.
    pub const fn ending(self) -> &'static str {
        match self {
            Self::MpegTs => "ts",
            Self::Fmp4 => "m4s",
        }
    }
}

/// The encoded media: a folder of `<packaging>/<variant>/` with `segment_N.*`, `init.mp4` and `vod.m3u8`.
#[derive(Clone)]
pub struct Media {
    folder: PathBuf,
}

impl Media {
    /// Returns the kept media, and encodes what is missing first.
    pub fn ready() -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("interop-media");
        fs::create_dir_all(&folder).unwrap();
        let lock = File::create(folder.join("lock")).unwrap();
        lock.lock().unwrap();
        for packaging in Packaging::ALL {
            for variant in &VARIANTS {
                encode(variant, packaging, &folder.join(packaging.folder()).join(variant.name));
            }
        }
        Self { folder }
    }

    /// Returns the file of segment `number` of the endless stream, which repeats the media.
    pub fn segment(&self, packaging: Packaging, variant: &Variant, number: u64) -> PathBuf {
        let name = format!("segment_{}.{}", number % SEGMENTS, packaging.ending());
        self.folder_of(packaging, variant).join(name)
    }

    /// Returns the init section of an fMP4 variant.
    pub fn init(&self, variant: &Variant) -> PathBuf {
        self.folder_of(Packaging::Fmp4, variant).join("init.mp4")
    }

    /// Returns the playlist of one whole round, as ffmpeg wrote it.
    pub fn vod_playlist(&self, packaging: Packaging, variant: &Variant) -> PathBuf {
        self.folder_of(packaging, variant).join("vod.m3u8")
    }

    fn folder_of(&self, packaging: Packaging, variant: &Variant) -> PathBuf {
        self.folder.join(packaging.folder()).join(variant.name)
    }
}

/// Returns the multivariant playlist that every stream of the origin uses.
pub fn multivariant_playlist() -> String {
    let mut text = String::from("#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n");
    for variant in &VARIANTS {
        let average = variant.video_bits_per_second + AUDIO_BITS_PER_SECOND;
        let peak = f64::from(average) * PEAK_FACTOR;
        text += &format!(
            "#EXT-X-STREAM-INF:BANDWIDTH={peak:.0},AVERAGE-BANDWIDTH={average},RESOLUTION={},\
             CODECS=\"avc1.42c00d,mp4a.40.2\",FRAME-RATE={FRAMES_PER_SECOND}.000\n{}/index.m3u8\n",
            variant.size, variant.name
        );
    }
    text
}

fn encode(variant: &Variant, packaging: Packaging, folder: &Path) {
    let arguments = recipe(variant, packaging);
    let recipe = arguments.join(" ");
    let kept = folder.join("recipe");
    if fs::read_to_string(&kept).is_ok_and(|made_by| made_by == recipe) {
        return;
    }
    let _ = fs::remove_dir_all(folder);
    fs::create_dir_all(folder).unwrap();
    let encoded = Command::new(requirements::path_of("ffmpeg"))
        .args(&arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(encoded.status.success(), "ffmpeg {recipe}: {}", String::from_utf8_lossy(&encoded.stderr));
    fs::write(kept, recipe).unwrap();
}

/// Returns ffmpeg's arguments, with names relative to the folder of the variant.
fn recipe(variant: &Variant, packaging: Packaging) -> Vec<String> {
    let Variant { size, video_bits_per_second, .. } = variant;
    let keyframe_every = FRAMES_PER_SECOND * SEGMENT_SECONDS;
    let seconds = SEGMENTS * u64::from(SEGMENT_SECONDS);
    let ending = packaging.ending();
    let source = format!(
        "-nostdin -v error -y -f lavfi -i testsrc2=size={size}:rate={FRAMES_PER_SECOND} \
         -f lavfi -i sine=frequency=440:sample_rate=48000 -t {seconds}"
    );
    let picture = format!(
        "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -b:v {video_bits_per_second} \
         -maxrate {video_bits_per_second} -bufsize {video_bits_per_second} \
         -g {keyframe_every} -keyint_min {keyframe_every} -sc_threshold 0"
    );
    let sound = format!("-c:a aac -b:a {AUDIO_BITS_PER_SECOND}");
    let segments = match packaging {
        Packaging::MpegTs => "",
        Packaging::Fmp4 => "-hls_segment_type fmp4 -hls_fmp4_init_filename init.mp4",
    };
    let playlist = format!(
        "-f hls -hls_time {SEGMENT_SECONDS} -hls_list_size 0 -hls_playlist_type vod {segments} \
         -hls_segment_filename segment_%d.{ending} vod.m3u8"
    );
    [source, picture, sound, playlist]
        .iter()
        .flat_map(|part| part.split_whitespace())
        .map(str::to_owned)
        .collect()
}
