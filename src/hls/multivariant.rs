//! A multivariant playlist (RFC 8216bis section 4.4.6): which streams there are to choose from.

use crate::vocabulary::budget::Charge;

use super::{
    media::Start,
    playlist_finding::PlaylistFindings,
    segment::Key,
    text::{Reference, Text},
    variables::Variables,
};

/// A multivariant playlist.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Multivariant {
    /// The protocol version; 1 where the playlist does not say.
    pub version: u64,
    /// The variants, in the order of the playlist.
    pub variants: Vec<Variant>,
    /// Alternative audio, video, subtitles and captions.
    pub renditions: Vec<Rendition>,
    /// Variants of I-frames only, for fast forward and the like.
    pub i_frame_variants: Vec<Variant>,
    /// Data about the presentation.
    pub session_data: Vec<SessionData>,
    /// Keys that can be loaded ahead.
    pub session_keys: Vec<Key>,
    /// Where to ask for the order of pathways.
    pub content_steering: Option<ContentSteering>,
    /// Every segment of every variant can be decoded alone.
    pub independent_segments: bool,
    /// Where to begin.
    pub start: Option<Start>,
    /// The variables that its media playlists may import.
    pub variables: Variables,
    /// What was wrong and tolerated.
    pub flaws: PlaylistFindings,
    /// What of the budget it takes.
    pub(super) charge: Charge,
}

impl Multivariant {
    /// The renditions of one group, in the order of the playlist.
    pub fn group<'a>(
        &'a self,
        kind: RenditionKind,
        group: &'a Text,
    ) -> impl Iterator<Item = &'a Rendition> + 'a {
        self.renditions.iter().filter(move |rendition| rendition.kind == kind && rendition.group == *group)
    }
}

/// One way to play the presentation (section 4.4.6.2; section 4.4.6.3 for I-frames only).
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Variant {
    /// Its media playlist.
    pub uri: Reference,
    /// Peak bits per second; where the playlist does not say, the average; else 0.
    pub bandwidth: u64,
    /// Average bits per second.
    pub average_bandwidth: Option<u64>,
    /// Comma-separated RFC 6381 codecs.
    pub codecs: Option<Text>,
    /// Codecs with backward-compatible enhancement.
    pub supplemental_codecs: Option<Text>,
    /// Width and height of the picture.
    pub resolution: Option<Resolution>,
    /// Pictures per second, at most.
    pub frame_rate: Option<f64>,
    /// How much the author prefers it, higher is better.
    pub score: Option<f64>,
    /// `SDR`, `HLG` or `PQ`.
    pub video_range: Option<Text>,
    /// `TYPE-0`, `TYPE-1` or `NONE`.
    pub hdcp_level: Option<Text>,
    /// What devices must be able to do, `KEYFORMAT:CPC/...`.
    pub allowed_cpc: Option<Text>,
    /// Stereoscopic and the like.
    pub video_layout: Option<Text>,
    /// Names it across reloads.
    pub stable_id: Option<Text>,
    /// Group of its audio renditions.
    pub audio: Option<Text>,
    /// Group of its video renditions.
    pub video: Option<Text>,
    /// Group of its subtitles.
    pub subtitles: Option<Text>,
    /// Group of its captions; absent also for `NONE`.
    pub closed_captions: Option<Text>,
    /// The pathway that it belongs to; absent: `.`.
    pub pathway: Option<Text>,
}

/// Width and height in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resolution {
    /// Pixels across.
    pub width: u64,
    /// Pixels down.
    pub height: u64,
}

/// What a rendition carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum RenditionKind {
    /// Sound.
    #[default]
    Audio,
    /// Pictures.
    Video,
    /// Text in a playlist of its own.
    Subtitles,
    /// Text within the video.
    ClosedCaptions,
}

/// An alternative of a variant (section 4.4.6.1).
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Rendition {
    /// What it carries.
    pub kind: RenditionKind,
    /// Its media playlist; absent: it is within that of the variant.
    pub uri: Option<Reference>,
    /// The group that variants name; empty where the playlist does not say.
    pub group: Text,
    /// What people call it; empty where the playlist does not say.
    pub name: Text,
    /// RFC 5646 language.
    pub language: Option<Text>,
    /// A language that goes with it.
    pub associated_language: Option<Text>,
    /// Names it across reloads.
    pub stable_id: Option<Text>,
    /// To be played unless the viewer chose another.
    pub default: bool,
    /// To be played when it fits the environment.
    pub autoselect: bool,
    /// Essential to play.
    pub forced: bool,
    /// The captions within the video: `CC1`, `SERVICE7`.
    pub instream_id: Option<Text>,
    /// Comma-separated media characteristics.
    pub characteristics: Option<Text>,
    /// Channels of sound, `6`, `16/JOC`.
    pub channels: Option<Text>,
    /// Bits per sample.
    pub bit_depth: Option<u64>,
    /// Samples per second.
    pub sample_rate: Option<u64>,
}

/// Data about the presentation (section 4.4.6.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionData {
    /// Which data.
    pub id: Text,
    /// The data itself.
    pub value: Option<Text>,
    /// Or where it is.
    pub uri: Option<Reference>,
    /// `JSON` or `RAW`.
    pub format: Option<Text>,
    /// RFC 5646 language of the value.
    pub language: Option<Text>,
}

/// Where to ask for the order of pathways (section 4.4.6.6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContentSteering {
    /// The steering manifest.
    pub server_uri: Reference,
    /// The pathway to begin with; absent: `.`.
    pub pathway: Option<Text>,
}
