//! Playlists: text to values, as RFC 8216bis (draft-pantos-hls-rfc8216bis-22) says, and what a client reads from them.
//!
//! * [`parse()`] is a total function over bytes: it never panics, takes linear time and is bounded by `vocabulary::limits`.
//! * One bad line never costs the rest of a playlist: it is left out and counted in [`PlaylistFindings`]. An error is only
//!   what makes the whole unusable: no playlist at all, a broken encoding, an undefined variable, two kinds in one.
//! * No text of a playlist is printed raw: [`Text`] and [`Reference`] have no `Display`.
//!
//! quick-m3u8 takes tags and numbers apart; the line rules, attribute lists, everything that is carried over from
//! line to line, and the model are ours.

pub mod checks_reload;
mod checks_static;
pub mod choice;
mod date_range;
pub mod decrypt;
mod low_latency;
mod media;
mod memory;
mod merge;
mod multivariant;
mod parse;
mod playlist_finding;
mod segment;
mod segments;
mod text;
mod variables;
pub mod wall_clock;

pub use checks_reload::{Loaded, Watch};
pub use choice::{VariantChoice, choose};
pub use date_range::DateRange;
pub use low_latency::{
    HintKind, Part, PreloadHint, RenditionReport, ServerControl, SkipSupport, Skipped, Unfinished,
};
pub use media::{Media, PlaylistType, Start};
pub use merge::MergeError;
pub use multivariant::{
    ContentSteering, Multivariant, Rendition, RenditionKind, Resolution, SessionData, Variant,
};
pub use parse::{ParseError, Playlist, parse, parse_in};
pub use playlist_finding::{PlaylistFinding, PlaylistFindings};
pub use segment::{ByteRange, Init, Key, KeyMethod, Segment};
pub use segments::Segments;
pub use text::{Reference, Text};
pub use variables::{Context, Variables};
