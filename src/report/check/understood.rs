//! What was understood of a playlist, as plain values.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::Serialize;

use crate::hls::{
    KeyMethod, Media, Multivariant, Playlist, PlaylistType, Rendition, RenditionKind, Segment, SkipSupport,
    Text, Variant,
};

/// What was understood of a playlist. What does not exist in its kind of playlist is `null`; texts are safe to
/// print, addresses without query and tokens.
#[derive(Clone, Debug, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Understood {
    /// `multivariant` or `media`; `null`: it could not be read.
    pub kind: Option<&'static str>,
    /// The protocol version, 1 where the playlist does not say.
    pub version: Option<u64>,
    /// `live`, `event` or `vod`; one with EXT-X-ENDLIST is `vod`.
    pub presentation: Option<&'static str>,
    /// How many segments.
    pub segments: Option<u64>,
    /// How many parts, those of the segment that is not finished included.
    pub parts: Option<u64>,
    /// Parts of the segment that is not finished.
    pub unfinished_parts: Option<u64>,
    /// The sum of their durations, in seconds.
    pub unfinished_duration_s: Option<f64>,
    /// Preload hints.
    pub preload_hints: Option<u64>,
    /// The longest that a segment may be, in seconds.
    pub target_duration: Option<f64>,
    /// The longest that a part may be, in seconds.
    pub part_target: Option<f64>,
    /// The sequence number that the list begins with.
    pub media_sequence: Option<u64>,
    /// The sequence number of the newest segment.
    pub last_sequence: Option<u64>,
    /// The discontinuity sequence number that the list begins with.
    pub discontinuity_sequence: Option<u64>,
    /// Discontinuities within the list.
    pub discontinuities: Option<u64>,
    /// Nothing will be added.
    pub endlist: Option<bool>,
    /// The sum of all durations, in seconds.
    pub duration_s: Option<f64>,
    /// Segments that are marked as missing.
    pub gaps: Option<u64>,
    /// Segments that are a byte range of their resource.
    pub byte_ranges: Option<u64>,
    /// Different initialization sections.
    pub initialization_sections: Option<u64>,
    /// Methods of encryption, in the order of the list.
    pub encryption: Option<Vec<&'static str>>,
    /// The first date that the list names, RFC 3339 in UTC.
    pub first_date_time: Option<String>,
    /// Date ranges.
    pub date_ranges: Option<u64>,
    /// What the server offers.
    pub server_control: Option<ServerControl>,
    /// Segments that this delta update leaves out.
    pub skipped_segments: Option<u64>,
    /// Segments hold I-frames only.
    pub i_frames_only: Option<bool>,
    /// How many variants.
    pub variants: Option<u64>,
    /// How many alternatives of audio, video, subtitles and captions.
    pub renditions: Option<u64>,
    /// How many variants of I-frames.
    pub i_frame_variants: Option<u64>,
    /// Entries of session data and session keys.
    pub session_entries: Option<u64>,
    /// Whether content steering is offered.
    pub content_steering: Option<bool>,
    /// The variants one by one.
    pub variant_list: Option<Vec<VariantSeen>>,
    /// The renditions one by one.
    pub rendition_list: Option<Vec<RenditionSeen>>,
}

/// What a server offers (EXT-X-SERVER-CONTROL).
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ServerControl {
    /// Reloads that wait for news.
    pub blocking_reload: bool,
    /// Delta updates leave out what is older than this, in seconds.
    pub skip_until_s: Option<f64>,
    /// Delta updates leave date ranges out too.
    pub skip_date_ranges: bool,
    /// The least distance from the end, in seconds.
    pub hold_back_s: Option<f64>,
    /// The same when playing parts.
    pub part_hold_back_s: Option<f64>,
}

/// A variant.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct VariantSeen {
    /// Its playlist, as far as it may be shown.
    pub uri: String,
    /// Peak bits per second.
    pub bandwidth: u64,
    /// Average bits per second.
    pub average_bandwidth: Option<u64>,
    /// `1920x1080`.
    pub resolution: Option<String>,
    /// Pictures per second.
    pub frame_rate: Option<f64>,
    /// RFC 6381 codecs.
    pub codecs: Option<String>,
    /// Group of its audio.
    pub audio: Option<String>,
    /// Group of its subtitles.
    pub subtitles: Option<String>,
}

/// An alternative of audio, video, subtitles or captions.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RenditionSeen {
    /// `audio`, `video`, `subtitles` or `closed-captions`.
    pub kind: &'static str,
    /// The group that variants name.
    pub group: String,
    /// What people call it.
    pub name: String,
    /// RFC 5646 language.
    pub language: Option<String>,
    /// To be played unless the viewer chose another.
    pub default: bool,
    /// Its playlist, as far as it may be shown; `null`: it is within its variant.
    pub uri: Option<String>,
}

impl From<&Playlist> for Understood {
    fn from(playlist: &Playlist) -> Self {
        let of_kind = match playlist {
            Playlist::Multivariant(multivariant) => Self::of_multivariant(multivariant),
            Playlist::Media(media) => Self::of_media(media),
        };
        Self { kind: Some(playlist.kind()), ..of_kind }
    }
}

impl Understood {
    fn of_media(media: &Media) -> Self {
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
            i_frames_only: Some(media.i_frames_only),
            ..Self::default()
        }
    }

    fn of_multivariant(playlist: &Multivariant) -> Self {
        Self {
            version: Some(playlist.version),
            variants: count(playlist.variants.len()),
            renditions: count(playlist.renditions.len()),
            i_frame_variants: count(playlist.i_frame_variants.len()),
            session_entries: count(playlist.session_data.len() + playlist.session_keys.len()),
            content_steering: Some(playlist.content_steering.is_some()),
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
