//! Estimates the memory of a playlist, for the [`Budget`] that all playlists are charged to.
//!
//! The estimate errs upwards: even a short text counts with the header of a shared text.

use std::sync::Arc;

use crate::vocabulary::budget::{Budget, Charge, OverBudget};

use super::{
    low_latency::{Part, PreloadHint, RenditionReport},
    media::Media,
    multivariant::{Multivariant, Rendition, SessionData, Variant},
    parse::Playlist,
    resource::{Init, Key},
    text::{Reference, Text},
};

/// Bytes of the counters of a shared text, and of the allocator's overhead.
const SHARED_BYTES: usize = 32;

impl Playlist {
    /// Charges the playlist, parsed from `text_bytes` of text, to `budget` for as long as it is kept.
    ///
    /// # Errors
    /// [`OverBudget`] if the budget does not have that many bytes left.
    pub fn charge_to(&mut self, budget: &Arc<Budget>, text_bytes: usize) -> Result<(), OverBudget> {
        match self {
            Self::Media(media) => media.charge = Charge::new(budget, media.heap_bytes())?,
            Self::Multivariant(multivariant) => {
                multivariant.charge = Charge::new(budget, multivariant.heap_bytes(text_bytes))?;
            }
        }
        Ok(())
    }
}

impl Media {
    pub(super) fn heap_bytes(&self) -> usize {
        let unfinished = self.unfinished.as_ref().map(|unfinished| &unfinished.parts);
        let parts: usize = unfinished.into_iter().flatten().map(Part::heap_bytes).sum();
        size_of::<Self>()
            + self.segments.heap_bytes()
            + parts
            + self.date_ranges.iter().map(|id| size_of::<Text>() + id.heap_bytes()).sum::<usize>()
            + self.preload_hints.iter().map(PreloadHint::heap_bytes).sum::<usize>()
            + self.rendition_reports.iter().map(RenditionReport::heap_bytes).sum::<usize>()
    }
}

impl Multivariant {
    /// Returns the bytes on the heap. The texts are pieces of the `text_bytes` of the source; as many again are
    /// counted for their headers.
    fn heap_bytes(&self, text_bytes: usize) -> usize {
        size_of::<Self>()
            + (self.variants.capacity() + self.i_frame_variants.capacity()) * size_of::<Variant>()
            + self.renditions.capacity() * size_of::<Rendition>()
            + self.session_data.capacity() * size_of::<SessionData>()
            + self.session_keys.capacity() * size_of::<Key>()
            + text_bytes * 2
    }
}

impl Part {
    pub(super) fn heap_bytes(&self) -> usize {
        size_of::<Self>() + self.uri.heap_bytes()
    }
}

impl Init {
    /// Returns the bytes on the heap without its keys, which are shared with the segments.
    pub(super) fn heap_bytes(&self) -> usize {
        size_of::<Self>() + SHARED_BYTES + self.uri.heap_bytes()
    }
}

impl Key {
    pub(super) fn heap_bytes(&self) -> usize {
        let texts = [&self.format, &self.format_versions].into_iter().flatten().map(Text::heap_bytes);
        let uri = self.uri.as_ref().map_or(0, Reference::heap_bytes);
        size_of::<Self>() + SHARED_BYTES + uri + texts.sum::<usize>()
    }
}

impl PreloadHint {
    fn heap_bytes(&self) -> usize {
        size_of::<Self>() + self.uri.heap_bytes()
    }
}

impl RenditionReport {
    fn heap_bytes(&self) -> usize {
        size_of::<Self>() + self.uri.heap_bytes()
    }
}

impl Text {
    fn heap_bytes(&self) -> usize {
        SHARED_BYTES + self.as_str().len()
    }
}

impl Reference {
    fn heap_bytes(&self) -> usize {
        SHARED_BYTES + self.as_str().len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hls::parse;

    fn charged(text: &str) -> usize {
        let budget = Arc::new(Budget::default());
        let mut playlist = parse(text.as_bytes()).expect("a playlist");
        playlist.charge_to(&budget, text.len()).expect("room");
        let used = budget.used();
        drop(playlist);
        assert_eq!(budget.used(), 0);
        used
    }

    #[test]
    fn a_playlist_is_charged_for_all_that_it_keeps_until_it_is_dropped() {
        let empty = charged("#EXTM3U\n#EXT-X-TARGETDURATION:4\n");
        for line in [
            "#EXTINF:4,\n{long}\n",
            "#EXT-X-KEY:METHOD=AES-128,URI=\"{long}\"\n#EXTINF:4,\na\n",
            "#EXT-X-MAP:URI=\"{long}\"\n#EXTINF:4,\na\n",
            "#EXT-X-PART:DURATION=1,URI=\"{long}\"\n",
            "#EXT-X-PART:DURATION=1,URI=\"{long}\"\n#EXTINF:4,\na\n",
            "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"{long}\"\n",
            "#EXT-X-RENDITION-REPORT:URI=\"{long}\"\n",
            "#EXT-X-DATERANGE:ID=\"{long}\"\n",
        ] {
            let line = line.replace("{long}", &"x".repeat(10_000));
            let used = charged(&format!("#EXTM3U\n#EXT-X-TARGETDURATION:4\n{line}"));
            assert!((10_000..12_000).contains(&(used - empty)), "{} for {}", used - empty, &line[..40]);
        }
        let variants = "#EXT-X-STREAM-INF:BANDWIDTH=1\na\n".repeat(1_000);
        assert!(charged(&format!("#EXTM3U\n{variants}")) > 1_000 * size_of::<Variant>());
    }

    #[test]
    fn a_playlist_that_the_budget_does_not_hold_is_not_charged() {
        let budget = Arc::new(Budget::new(100));
        let mut playlist = parse(b"#EXTM3U\n#EXTINF:4,\na\n").expect("a playlist");
        assert_eq!(playlist.charge_to(&budget, 0), Err(OverBudget));
        assert_eq!(budget.used(), 0);
    }
}
