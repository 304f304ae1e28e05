//! Multivariant playlist (RFC 8216bis section 4.4.6): the streams to choose from.

use crate::vocabulary::budget::Charge;

use super::{
    media::Start,
    playlist_finding::PlaylistFindings,
    resource::Key,
    text::{Reference, Text},
    variables::Variables,
};

/// Multivariant playlist.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Multivariant {
    /// Protocol version; 1 if the playlist does not state it.
    pub version: u64,
    /// Variants, in the order of the playlist.
    pub variants: Vec<Variant>,
    /// Alternative audio, video, subtitles and captions.
    pub renditions: Vec<Rendition>,
    /// Variants of I-frames only, for instance for fast forward.
    pub i_frame_variants: Vec<Variant>,
    /// Data about the presentation.
    pub session_data: Vec<SessionData>,
    /// Keys that can be loaded in advance.
    pub session_keys: Vec<Key>,
    /// Server that sets the order of pathways.
    pub content_steering: Option<ContentSteering>,
    /// Every segment of every variant can be decoded independently.
    pub independent_segments: bool,
    /// Position at which to start.
    pub start: Option<Start>,
    /// The variables that its media playlists may import.
    pub variables: Variables,
    /// Flaws that were tolerated.
    pub findings: PlaylistFindings,
    /// Charge to the budget.
    pub(super) charge: Charge,
}

impl Multivariant {
    /// Returns the renditions of one group, in the order of the playlist.
    pub fn group<'a>(
        &'a self,
        kind: RenditionKind,
        group: &'a Text,
    ) -> impl Iterator<Item = &'a Rendition> + 'a {
        self.renditions.iter().filter(move |rendition| rendition.kind == kind && rendition.group == *group)
    }

    /// Returns the audio and the subtitles that have playlists of their own, in the order of the playlist.
    pub fn own_playlists(&self) -> impl Iterator<Item = &Rendition> {
        let is_loaded = |kind| matches!(kind, RenditionKind::Audio | RenditionKind::Subtitles);
        self.renditions.iter().filter(move |rendition| rendition.uri.is_some() && is_loaded(rendition.kind))
    }
}

/// One way to play the presentation (section 4.4.6.2; section 4.4.6.3 for I-frames only).
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Variant {
    /// URL of its media playlist.
    pub uri: Reference,
    /// Peak bits per second; if the playlist does not state it, the average; else 0.
    pub bandwidth: u64,
    /// Average bits per second.
    pub average_bandwidth: Option<u64>,
    /// Comma-separated RFC 6381 codecs.
    pub codecs: Option<Text>,
    /// Width and height of the video.
    pub resolution: Option<Resolution>,
    /// Maximum frames per second.
    pub frame_rate: Option<f64>,
    /// `SDR`, `HLG` or `PQ`.
    pub video_range: Option<Text>,
    /// `TYPE-0`, `TYPE-1` or `NONE`.
    pub hdcp_level: Option<Text>,
    /// Group of its audio renditions.
    pub audio: Option<Text>,
    /// Group of its video renditions.
    pub video: Option<Text>,
    /// Group of its subtitles.
    pub subtitles: Option<Text>,
    /// Group of its captions; absent also for `NONE`.
    pub closed_captions: Option<Text>,
    /// Pathway that it belongs to; if absent, `.`.
    pub pathway: Option<Text>,
}

/// Width and height in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resolution {
    /// Width in pixels.
    pub width: u64,
    /// Height in pixels.
    pub height: u64,
}

/// Media type of a rendition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum RenditionKind {
    /// Audio.
    #[default]
    Audio,
    /// Video.
    Video,
    /// Text in a playlist of its own.
    Subtitles,
    /// Text within the video.
    ClosedCaptions,
}

/// An alternative of a variant (section 4.4.6.1).
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Rendition {
    /// Media type.
    pub kind: RenditionKind,
    /// URL of its media playlist; if absent, the media is part of the variant.
    pub uri: Option<Reference>,
    /// Group that variants name; empty if the playlist does not state it.
    pub group: Text,
    /// Name for people; empty if the playlist does not state it.
    pub name: Text,
    /// RFC 5646 language.
    pub language: Option<Text>,
    /// Play it unless the viewer chose another.
    pub default: bool,
    /// Play it if it suits the environment.
    pub autoselect: bool,
    /// Audio channels, `6`, `16/JOC`.
    pub channels: Option<Text>,
}

/// Data about the presentation (section 4.4.6.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionData {
    /// Identifies the data.
    pub id: Text,
    /// The data itself.
    pub value: Option<Text>,
    /// URL of the data, if it is not in the playlist.
    pub uri: Option<Reference>,
    /// `JSON` or `RAW`.
    pub format: Option<Text>,
    /// RFC 5646 language of the value.
    pub language: Option<Text>,
}

/// Server that sets the order of pathways (section 4.4.6.6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContentSteering {
    /// URL of the steering manifest.
    pub server_uri: Reference,
    /// Pathway to start with; if absent, `.`.
    pub pathway: Option<Text>,
}
