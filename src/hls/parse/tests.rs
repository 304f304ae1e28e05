//! Tests of the readers: one small test for each rule of RFC 8216bis, in files by topic.

mod data;
mod low_latency;
mod media;
mod multivariant;
mod properties;
mod quirks;
mod whole;

use super::*;
use crate::hls::{Segment, Text};

/// Parses `text` as a media playlist.
pub(in crate::hls) fn media(text: &str) -> Media {
    match parse(text.as_bytes()) {
        Ok(Playlist::Media(media)) => media,
        other => panic!("{other:?}"),
    }
}

/// Parses `text` as a multivariant playlist.
pub(in crate::hls) fn multivariant(text: &str) -> Multivariant {
    match parse(text.as_bytes()) {
        Ok(Playlist::Multivariant(multivariant)) => multivariant,
        other => panic!("{other:?}"),
    }
}

/// Returns a media playlist with a sound head and these lines.
fn media_of(lines: &str) -> Media {
    media(&format!("#EXTM3U\n#EXT-X-VERSION:13\n#EXT-X-TARGETDURATION:10\n{lines}"))
}

/// Returns the fault of bytes that are not a usable playlist.
fn fault(bytes: &[u8]) -> Fault {
    parse(bytes).expect_err("refused").fault
}

/// Returns the findings in `findings`, in the order of first appearance.
fn kinds(findings: &PlaylistFindings) -> Vec<Finding> {
    findings.iter().map(|known| known.finding).collect()
}

/// Returns the segment at `index`.
fn nth(media: &Media, index: usize) -> Segment<'_> {
    media.segments.get(index).expect("listed")
}

fn shown(text: &Option<Text>) -> Option<&str> {
    text.as_ref().map(Text::as_str)
}
