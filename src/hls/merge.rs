//! Merges a delta update with the previous playlist (RFC 8216bis sections 6.2.5.1 and 6.3.7).
//!
//! Built for tests and fuzzing only: no client requests delta updates yet. It is kept because low latency needs it,
//! and because its properties test the parser: numbers, timelines and keys must survive a merge.
//!
//! * After a merge the client has the same playlist as from a complete response.
//! * The result keeps as many segments as any playlist, the newest.
//! * If the update does not fit, nothing is guessed: the client requests the playlist again without `_HLS_skip`.

use std::collections::HashSet;

use crate::vocabulary::limits;

use super::{
    low_latency::Skipped,
    media::Media,
    segment::{Iter, Segment},
    segments::{NewSegment, Segments},
    text::Text,
};

/// Error: the previous playlist lacks some of the segments that the update skips.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the previous playlist lacks segments that the delta update skips")]
pub struct MergeError;

impl Media {
    /// Completes this delta update with the skipped segments and date ranges of `previous`. A playlist that skips
    /// nothing is returned unchanged.
    ///
    /// # Errors
    /// [`MergeError`] if `previous` lacks a skipped segment; the client must then request the complete playlist.
    pub fn merged_with(mut self, previous: &Self) -> Result<Self, MergeError> {
        let Some(skipped) = self.skipped.take() else { return Ok(self) };
        let kept = skipped_segments(previous, self.media_sequence, skipped.segments)?;
        // The skipped segments must end where the listed ones begin.
        let follows =
            |last: Segment<'_>, first: Segment<'_>| last.sequence().checked_add(1) == Some(first.sequence());
        let last = kept.clone().next_back();
        if last.zip(self.segments.first()).is_some_and(|(last, first)| !follows(last, first)) {
            return Err(MergeError);
        }
        let first =
            kept.clone().next().or(self.segments.first()).map_or(self.media_sequence, Segment::sequence);
        let mut segments = Segments::default();
        // The two playlists may begin with different discontinuity sequence numbers.
        for segment in kept {
            let timeline = segment.discontinuity_sequence().saturating_sub(self.discontinuity_sequence);
            segments.push(NewSegment { timeline, ..segment.to_new() });
        }
        // Listed segments inherit the state that the skipped tags would have left.
        for segment in &self.segments {
            let mut segment = segment.to_new();
            if let Some(last) = last {
                let discontinuities =
                    last.discontinuity_sequence().saturating_sub(self.discontinuity_sequence);
                carry_over(last, discontinuities, &mut segment);
            }
            segments.push(segment);
        }
        if let Some(last) = last {
            self.carry_over(last);
        }
        segments.number(first, self.discontinuity_sequence);
        self.segments = segments.newest(limits::PLAYLIST_SEGMENTS);
        self.segments.shrink();
        self.restore_date_ranges(previous, &skipped);
        Ok(self)
    }

    /// Applies the tags of the skipped segments, of which `last` is the last, to the parts after the last segment.
    fn carry_over(&mut self, last: Segment<'_>) {
        let discontinuities = last.discontinuity_sequence().saturating_sub(self.discontinuity_sequence);
        if let Some(unfinished) = &mut self.unfinished {
            unfinished.discontinuity_sequence =
                unfinished.discontinuity_sequence.saturating_add(discontinuities);
            unfinished.init = unfinished.init.take().or_else(|| last.init().cloned());
            unfinished.keys = unfinished.keys.take().or_else(|| last.shared_keys().cloned());
        }
    }

    /// Restores the date ranges that the update neither repeats nor removes.
    fn restore_date_ranges(&mut self, previous: &Self, skipped: &Skipped) {
        let gone = skipped.removed_date_ranges.iter();
        let known: HashSet<Text> = self.date_ranges.iter().chain(gone).cloned().collect();
        let kept = previous.date_ranges.iter().filter(|id| !known.contains(*id));
        self.date_ranges.splice(..0, kept.cloned());
    }
}

/// Applies the tags of the skipped segments, of which `last` is the last, to a later segment.
fn carry_over(last: Segment<'_>, discontinuities: u64, segment: &mut NewSegment) {
    segment.timeline = segment.timeline.saturating_add(discontinuities);
    segment.init = segment.init.take().or_else(|| last.init().cloned());
    segment.keys = segment.keys.take().or_else(|| last.shared_keys().cloned());
    if segment.byte_range.is_none() {
        segment.bitrate = segment.bitrate.or(last.bitrate());
    }
}

/// Returns the `count` segments of `previous` from sequence number `first` on.
fn skipped_segments(previous: &Media, first: u64, count: u64) -> Result<Iter<'_>, MergeError> {
    if count == 0 {
        return Ok(previous.segments.range(0..0));
    }
    let begin = previous.index_of(first).ok_or(MergeError)?;
    let count = usize::try_from(count).map_err(|_| MergeError)?;
    let end = begin.checked_add(count).filter(|end| *end <= previous.segments.len()).ok_or(MergeError)?;
    Ok(previous.segments.range(begin..end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hls::parse::tests::media;

    const FULL: &str = "#EXTM3U\n#EXT-X-VERSION:10\n#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:5\n\
        #EXT-X-DISCONTINUITY-SEQUENCE:2\n#EXT-X-MAP:URI=\"init.mp4\"\n\
        #EXT-X-KEY:METHOD=AES-128,URI=\"k\"\n#EXTINF:4,\n5.mp4\n#EXT-X-DISCONTINUITY\n#EXTINF:4,\n6.mp4\n#EXTINF:4,\n7.mp4\n\
        #EXT-X-DATERANGE:ID=\"a\",START-DATE=\"2026-01-01T00:00:00Z\"\n\
        #EXT-X-DATERANGE:ID=\"b\",START-DATE=\"2026-01-01T00:00:00Z\"\n";

    const DELTA: &str = "#EXTM3U\n#EXT-X-VERSION:10\n#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:6\n\
        #EXT-X-DISCONTINUITY-SEQUENCE:2\n\
        #EXT-X-SKIP:SKIPPED-SEGMENTS=2,RECENTLY-REMOVED-DATERANGES=\"a\"\n#EXTINF:4,\n8.mp4\n\
        #EXT-X-DATERANGE:ID=\"c\",START-DATE=\"2026-01-01T00:00:00Z\"\n";

    #[test]
    fn a_delta_update_becomes_the_complete_playlist() {
        let delta = media(DELTA);
        assert_eq!(delta.segments.first().map(Segment::sequence), Some(8));
        let merged = delta.merged_with(&media(FULL)).expect("fits");
        assert_eq!(merged.skipped, None);
        let names: Vec<_> = merged.segments.iter().map(|segment| segment.uri().as_str().to_owned()).collect();
        assert_eq!(names, ["6.mp4", "7.mp4", "8.mp4"]);
        let sequences: Vec<_> = merged.segments.iter().map(Segment::sequence).collect();
        assert_eq!(sequences, [6, 7, 8]);
    }

    #[test]
    fn init_keys_and_discontinuities_of_skipped_segments_hold_behind_them() {
        let merged = media(DELTA).merged_with(&media(FULL)).expect("fits");
        let newest = merged.segments.last().expect("three segments");
        assert_eq!(newest.discontinuity_sequence(), 3);
        assert_eq!(newest.init().expect("carried over").uri.as_str(), "init.mp4");
        assert_eq!(newest.keys().len(), 1);
    }

    #[test]
    fn date_ranges_stay_unless_they_are_removed() {
        let merged = media(DELTA).merged_with(&media(FULL)).expect("fits");
        let ids: Vec<_> = merged.date_ranges.iter().map(Text::as_str).collect();
        assert_eq!(ids, ["b", "c"]);
    }

    #[test]
    fn an_update_that_skips_what_is_not_known_is_refused() {
        for (from, to) in
            [("SEQUENCE:6", "SEQUENCE:9"), ("SEQUENCE:6", "SEQUENCE:4"), ("SEGMENTS=2", "SEGMENTS=9")]
        {
            let delta = media(&DELTA.replacen(from, to, 1));
            assert_eq!(delta.merged_with(&media(FULL)), Err(MergeError), "{to}");
        }
    }

    #[test]
    fn a_complete_playlist_stays_as_it_is() {
        assert_eq!(media(FULL).merged_with(&media(DELTA)), Ok(media(FULL)));
    }
}
