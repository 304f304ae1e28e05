//! What low-latency playlists add: parts, hints, reports, delta updates, delivery directives.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;

use super::{
    segment::{ByteRange, Init, Key},
    text::{Reference, Text},
};

/// A partial segment (RFC 8216bis section 4.4.4.9).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Where it is.
    pub uri: Reference,
    /// How long it plays.
    pub duration: Duration,
    /// Which part of the resource it is; all of it if absent.
    pub byte_range: Option<ByteRange>,
    /// Decoding can begin here.
    pub independent: bool,
    /// It does not exist and must not be requested.
    pub gap: bool,
}

/// The parts of a segment that is not finished: those behind the last segment of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfinished {
    /// The media sequence number that the segment will have.
    pub sequence: u64,
    /// The discontinuity sequence number that the segment will have.
    pub discontinuity_sequence: u64,
    /// The initialization section that its parts need.
    pub init: Option<Arc<Init>>,
    /// The keys that hold for it; see [`Segment::keys`](super::Segment::keys).
    pub keys: Option<Arc<[Key]>>,
    /// The wall-clock time of its first sample, where the playlist says so.
    pub date_time: Option<Timestamp>,
    /// Its parts so far, at least one.
    pub parts: Vec<Part>,
}

/// Which delta updates a server offers.
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

/// What the server offers and how far from the end a client shall play (section 4.4.3.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct ServerControl {
    /// What older than this before the end of the list can be skipped.
    pub can_skip_until: Option<Duration>,
    /// Which delta updates there are.
    pub skip: SkipSupport,
    /// The server holds a reload back until its news are there.
    pub can_block_reload: bool,
    /// The distance from the end at which to play, at least; absent: three target durations.
    pub hold_back: Option<Duration>,
    /// The same when playing parts.
    pub part_hold_back: Option<Duration>,
}

/// What a preload hint is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HintKind {
    /// A part.
    Part,
    /// An initialization section.
    Init,
}

/// A resource that will be needed soon (section 4.4.5.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreloadHint {
    /// What it will be.
    pub kind: HintKind,
    /// Where it will be.
    pub uri: Reference,
    /// Its first byte within the resource.
    pub offset: u64,
    /// How many bytes; up to the end if absent.
    pub length: Option<u64>,
}

/// How far another rendition is (section 4.4.5.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenditionReport {
    /// The media playlist of that rendition.
    pub uri: Reference,
    /// Its last sequence number; absent: that of the list which carries the report.
    pub last_sequence: Option<u64>,
    /// Its last part, counted from 0; absent: that of the list which carries the report.
    pub last_part: Option<u64>,
}

/// What a delta update leaves out (section 4.4.5.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// How many segments at the beginning of the list.
    pub segments: u64,
    /// The IDs of the date ranges that have gone recently.
    pub removed_date_ranges: Vec<Text>,
}
