//! HLS playlists: the parser from text to values, following RFC 8216bis (draft-pantos-hls-rfc8216bis-22), and the
//! queries that a client makes on them.
//!
//! * [`parse()`] is a total function over bytes: it never panics, takes linear time and is bounded by
//!   `vocabulary::limits`.
//! * A bad line never costs the rest of a playlist: it is skipped and counted in [`PlaylistFindings`](playlist_finding::PlaylistFindings). Only a finding
//!   that makes the whole unusable is an error: bytes that are not a playlist, a broken encoding, an undefined
//!   variable, lines of both kinds.
//! * No text of a playlist is printed raw: [`Text`] and [`Reference`](text::Reference) have no `Display`.
//!
//! quick-m3u8 splits tags and parses numbers. The line rules, attribute lists, all state carried from line to line,
//! and the model are our own.

pub mod checks_reload;
mod checks_static;
pub mod choice;
pub mod decrypt;
mod difference;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod low_latency;
mod media;
mod memory;
#[cfg(any(test, fuzzing))]
mod merge;
mod multivariant;
mod parse;
mod parse_error;
mod playlist_finding;
mod references;
mod resource;
mod segment;
mod segments;
mod text;
mod variables;
pub mod wall_clock;

pub use checks_reload::{Loaded, Watch};
pub use choice::{VariantChoice, choose};
pub use difference::{Differences, contradiction};
pub use low_latency::SkipSupport;
pub use media::{Media, PlaylistType, Start};
pub use multivariant::{Multivariant, Rendition, RenditionKind, Variant};
pub use parse::{Playlist, parse, parse_in};
pub use parse_error::ParseError;
pub use resource::{ByteRange, Init, Key, KeyMethod};
pub use segment::Segment;
pub use segments::Segments;
pub use text::Text;
pub use variables::{Context, Variables};
