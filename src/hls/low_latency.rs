//! Elements of low-latency playlists: parts, hints, reports, delta updates, delivery directives.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;

use super::{
    resource::{ByteRange, Init, Key},
    text::{Reference, Text},
};

/// Partial segment (RFC 8216bis section 4.4.4.9).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its URL.
    pub uri: Reference,
    /// Its duration.
    pub duration: Duration,
    /// Its byte range within the resource; the whole resource if absent.
    pub byte_range: Option<ByteRange>,
    /// Decoding can begin here.
    pub independent: bool,
    /// The part does not exist and must not be requested.
    pub gap: bool,
}

/// Parts of a segment that is not finished: those after the last segment of the playlist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfinished {
    /// Media sequence number that the segment will have.
    pub sequence: u64,
    /// Discontinuity sequence number that the segment will have.
    pub discontinuity_sequence: u64,
    /// Initialization section that its parts need.
    pub init: Option<Arc<Init>>,
    /// Keys that apply to it; see [`Segment::keys`](super::Segment::keys).
    pub keys: Option<Arc<[Key]>>,
    /// Wall-clock time of its first sample, if the playlist states it.
    pub date_time: Option<Timestamp>,
    /// Its parts so far, at least one.
    pub parts: Vec<Part>,
}

/// Delta updates that a server offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum SkipSupport {
    /// None.
    #[default]
    None,
    /// Segments can be skipped: `_HLS_skip=YES`.
    Segments,
    /// Date ranges as well: `_HLS_skip=v2`.
    DateRanges,
}

/// Delivery features of the server, and the distance from the end at which clients shall play (section 4.4.3.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct ServerControl {
    /// Segments further than this from the end of the playlist can be skipped.
    pub can_skip_until: Option<Duration>,
    /// Delta updates that the server offers.
    pub skip: SkipSupport,
    /// The server can delay its response to a reload until the playlist has news.
    pub can_block_reload: bool,
    /// Minimum distance from the end at which to play; if absent, three target durations.
    pub hold_back: Option<Duration>,
    /// Minimum distance from the end when playing parts.
    pub part_hold_back: Option<Duration>,
}

/// Kind of resource that a preload hint announces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HintKind {
    /// A part.
    Part,
    /// An initialization section.
    Init,
}

/// Resource that will be needed soon (section 4.4.5.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreloadHint {
    /// Kind of resource.
    pub kind: HintKind,
    /// URL at which it will be.
    pub uri: Reference,
    /// Its first byte within the resource.
    pub offset: u64,
    /// Number of bytes; up to the end if absent.
    pub length: Option<u64>,
}

/// Progress of another rendition (section 4.4.5.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenditionReport {
    /// URL of the media playlist of that rendition.
    pub uri: Reference,
    /// Its last sequence number; if absent, that of the playlist that carries the report.
    pub last_sequence: Option<u64>,
    /// Its last part, counted from 0; if absent, that of the playlist that carries the report.
    pub last_part: Option<u64>,
}

/// Content that a delta update leaves out (section 4.4.5.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Number of segments skipped at the beginning of the playlist.
    pub segments: u64,
    /// IDs of the date ranges that were removed recently.
    pub removed_date_ranges: Vec<Text>,
}
