//! Contents of a playlist as plain values.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::Serialize;

use crate::hls::{
    KeyMethod, Media, Multivariant, Playlist, PlaylistType, Rendition, RenditionKind, Segment, SkipSupport,
    Text, Variant,
};

/// The contents of a playlist. Fields that do not apply to its kind are `null`; texts are safe to print, URLs have no
/// query and no tokens.
#[derive(Clone, Debug, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Understood {
    /// `multivariant` or `media`; `null`: it could not be read.
    pub kind: Option<&'static str>,
    /// Protocol version; 1 if the playlist does not state one.
    pub version: Option<u64>,
    /// `live`, `event` or `vod`; a playlist with EXT-X-ENDLIST is `vod`.
    pub presentation: Option<&'static str>,
    /// Number of segments.
    pub segments: Option<u64>,
    /// Number of parts, including those of the unfinished segment.
    pub parts: Option<u64>,
    /// Parts of the unfinished segment.
    pub unfinished_parts: Option<u64>,
    /// Total duration of these parts, in seconds.
    pub unfinished_duration_s: Option<f64>,
    /// Number of preload hints.
    pub preload_hints: Option<u64>,
    /// Target duration: the longest that a segment may be, in seconds.
    pub target_duration: Option<f64>,
    /// Part target: the longest that a part may be, in seconds.
    pub part_target: Option<f64>,
    /// Media sequence number of the first segment.
    pub media_sequence: Option<u64>,
    /// Media sequence number of the newest segment.
    pub last_sequence: Option<u64>,
    /// Discontinuity sequence number at the beginning of the playlist.
    pub discontinuity_sequence: Option<u64>,
    /// Number of discontinuities in the playlist.
    pub discontinuities: Option<u64>,
    /// True if the playlist has EXT-X-ENDLIST: nothing will be added.
    pub endlist: Option<bool>,
    /// Total duration of all segments, in seconds.
    pub duration_s: Option<f64>,
    /// Number of segments marked as missing (EXT-X-GAP).
    pub gaps: Option<u64>,
    /// Number of segments that are a byte range of their resource.
    pub byte_ranges: Option<u64>,
    /// Number of different initialization sections.
    pub initialization_sections: Option<u64>,
    /// Encryption methods, in the order of the playlist.
    pub encryption: Option<Vec<&'static str>>,
    /// First EXT-X-PROGRAM-DATE-TIME, RFC 3339 in UTC.
    pub first_date_time: Option<String>,
    /// Number of date ranges.
    pub date_ranges: Option<u64>,
    /// Delivery directives that the server offers (EXT-X-SERVER-CONTROL).
    pub server_control: Option<ServerControl>,
    /// Number of segments that this delta update skips.
    pub skipped_segments: Option<u64>,
    /// True if every segment can be decoded without others (EXT-X-INDEPENDENT-SEGMENTS).
    pub independent_segments: Option<bool>,
    /// True if segments contain only I-frames.
    pub i_frames_only: Option<bool>,
    /// Number of variants.
    pub variants: Option<u64>,
    /// Number of renditions of audio, video, subtitles and captions.
    pub renditions: Option<u64>,
    /// Number of I-frame variants.
    pub i_frame_variants: Option<u64>,
    /// Number of session data and session key entries.
    pub session_entries: Option<u64>,
    /// True if content steering is offered.
    pub content_steering: Option<bool>,
    /// URI of the steering manifest, without query and tokens.
    pub steering_uri: Option<String>,
    /// The variants.
    pub variant_list: Option<Vec<VariantSeen>>,
    /// The renditions.
    pub rendition_list: Option<Vec<RenditionSeen>>,
}

/// Delivery directives that a server offers (EXT-X-SERVER-CONTROL).
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ServerControl {
    /// True if the server supports blocking reloads.
    pub blocking_reload: bool,
    /// Delta updates skip segments older than this, in seconds.
    pub skip_until_s: Option<f64>,
    /// True if delta updates also skip date ranges.
    pub skip_date_ranges: bool,
    /// Minimum distance from the end of the playlist, in seconds (HOLD-BACK).
    pub hold_back_s: Option<f64>,
    /// Minimum distance when playing parts, in seconds (PART-HOLD-BACK).
    pub part_hold_back_s: Option<f64>,
}

/// A variant.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct VariantSeen {
    /// URI of its playlist, without query and tokens.
    pub uri: String,
    /// Peak bits per second.
    pub bandwidth: u64,
    /// Average bits per second.
    pub average_bandwidth: Option<u64>,
    /// Resolution, such as `1920x1080`.
    pub resolution: Option<String>,
    /// Frames per second.
    pub frame_rate: Option<f64>,
    /// Codecs in the format of RFC 6381.
    pub codecs: Option<String>,
    /// Group of its audio renditions.
    pub audio: Option<String>,
    /// Group of its subtitle renditions.
    pub subtitles: Option<String>,
}

/// A rendition of audio, video, subtitles or captions.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RenditionSeen {
    /// `audio`, `video`, `subtitles` or `closed-captions`.
    pub kind: &'static str,
    /// Group that variants refer to.
    pub group: String,
    /// Human-readable name.
    pub name: String,
    /// Language tag (RFC 5646).
    pub language: Option<String>,
    /// True if it is played unless the viewer chooses another.
    pub default: bool,
    /// URI of its playlist, without query and tokens; `null`: the media is in the variant itself.
    pub uri: Option<String>,
}

impl From<&Playlist> for Understood {
    fn from(playlist: &Playlist) -> Self {
        let of_kind = match playlist {
            Playlist::Multivariant(multivariant) => Self::from_multivariant(multivariant),
            Playlist::Media(media) => Self::from_media(media),
        };
        Self { kind: Some(playlist.kind()), ..of_kind }
    }
}

impl Understood {
    fn from_media(media: &Media) -> Self {
        let how_many =
            |what: fn(Segment<'_>) -> bool| count(media.segments.iter().filter(|it| what(*it)).count());
        let unfinished =
            media.unfinished.as_ref().map(|unfinished| unfinished.parts.as_slice()).unwrap_or_default();
        Self {
            version: Some(media.version),
            presentation: Some(presentation(media)),
            segments: count(media.segments.len()),
            parts: count(media.part_count()),
            unfinished_parts: count(unfinished.len()),
            unfinished_duration_s: Some(
                unfinished.iter().map(|part| part.duration).sum::<Duration>().as_secs_f64(),
            ),
            preload_hints: count(media.preload_hints.len()),
            target_duration: Some(media.target_duration.as_secs_f64()),
            part_target: media.part_target.map(|target| target.as_secs_f64()),
            media_sequence: Some(media.media_sequence),
            last_sequence: media.last_sequence(),
            discontinuity_sequence: Some(media.discontinuity_sequence),
            discontinuities: how_many(|segment| segment.discontinuity()),
            endlist: Some(media.endlist),
            duration_s: Some(media.total_duration().as_secs_f64()),
            gaps: how_many(|segment| segment.gap()),
            byte_ranges: how_many(|segment| segment.byte_range().is_some()),
            initialization_sections: count(initialization_sections(media)),
            encryption: Some(encryption(media)),
            first_date_time: media.segments.iter().find_map(Segment::date_time).map(|at| at.to_string()),
            date_ranges: count(media.date_ranges.len()),
            server_control: media.server_control.map(|control| ServerControl {
                blocking_reload: control.can_block_reload,
                skip_until_s: control.can_skip_until.map(|until| until.as_secs_f64()),
                skip_date_ranges: control.skip == SkipSupport::DateRanges,
                hold_back_s: control.hold_back.map(|distance| distance.as_secs_f64()),
                part_hold_back_s: control.part_hold_back.map(|distance| distance.as_secs_f64()),
            }),
            skipped_segments: media.skipped.as_ref().map(|skipped| skipped.segments),
            independent_segments: Some(media.independent_segments),
            i_frames_only: Some(media.i_frames_only),
            ..Self::default()
        }
    }

    fn from_multivariant(playlist: &Multivariant) -> Self {
        Self {
            version: Some(playlist.version),
            variants: count(playlist.variants.len()),
            renditions: count(playlist.renditions.len()),
            i_frame_variants: count(playlist.i_frame_variants.len()),
            session_entries: count(playlist.session_data.len() + playlist.session_keys.len()),
            independent_segments: Some(playlist.independent_segments),
            content_steering: Some(playlist.content_steering.is_some()),
            steering_uri: playlist.content_steering.as_ref().map(|steering| steering.server_uri.shown_path()),
            variant_list: Some(playlist.variants.iter().map(VariantSeen::from).collect()),
            rendition_list: Some(playlist.renditions.iter().map(RenditionSeen::from).collect()),
            ..Self::default()
        }
    }
}

impl From<&Variant> for VariantSeen {
    fn from(variant: &Variant) -> Self {
        Self {
            uri: variant.uri.shown_path(),
            bandwidth: variant.bandwidth,
            average_bandwidth: variant.average_bandwidth,
            resolution: variant.resolution.map(|pixels| format!("{}x{}", pixels.width, pixels.height)),
            frame_rate: variant.frame_rate,
            codecs: variant.codecs.as_ref().map(Text::shown),
            audio: variant.audio.as_ref().map(Text::shown),
            subtitles: variant.subtitles.as_ref().map(Text::shown),
        }
    }
}

impl From<&Rendition> for RenditionSeen {
    fn from(rendition: &Rendition) -> Self {
        Self {
            kind: match rendition.kind {
                RenditionKind::Audio => "audio",
                RenditionKind::Video => "video",
                RenditionKind::Subtitles => "subtitles",
                RenditionKind::ClosedCaptions => "closed-captions",
            },
            group: rendition.group.shown(),
            name: rendition.name.shown(),
            language: rendition.language.as_ref().map(Text::shown),
            default: rendition.default,
            uri: rendition.uri.as_ref().map(|uri| uri.shown_path()),
        }
    }
}

fn count(count: usize) -> Option<u64> {
    Some(count as u64)
}

fn presentation(media: &Media) -> &'static str {
    match media.playlist_type {
        _ if media.endlist => "vod",
        Some(PlaylistType::Vod) => "vod",
        Some(PlaylistType::Event) => "event",
        None => "live",
    }
}

fn initialization_sections(media: &Media) -> usize {
    media
        .segments
        .inits()
        .map(|init| (init.uri.as_str(), init.byte_range.map(|range| range.offset)))
        .collect::<BTreeSet<_>>()
        .len()
}

fn encryption(media: &Media) -> Vec<&'static str> {
    let mut methods = Vec::new();
    for key in media.segments.keys() {
        let method = match key.method {
            KeyMethod::Aes128 => "AES-128",
            KeyMethod::SampleAes => "SAMPLE-AES",
            KeyMethod::SampleAesCtr => "SAMPLE-AES-CTR",
            KeyMethod::Aes256Gcm => "AES-256-GCM",
            KeyMethod::Unknown => "unknown",
        };
        if !methods.contains(&method) {
            methods.push(method);
        }
    }
    methods
}
