//! A media playlist (RFC 8216bis sections 4.4.3 to 4.4.5) and what a player asks of it.
//!
//! * The sequence numbers of [`Media::segments`] rise by exactly one from segment to segment.
//! * The first of them is [`Media::media_sequence`], unless a delta update skipped segments or more were listed
//!   than are kept.
//! * The sum of all durations is finite: each is bounded, and so is their number.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::vocabulary::{Finding, budget::Charge};

use super::{
    date_range::DateRange,
    low_latency::{PreloadHint, RenditionReport, ServerControl, Skipped, Unfinished},
    playlist_finding::PlaylistFindings,
    segment::Segment,
    segments::Segments,
};

/// How a playlist may change (section 4.4.3.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlaylistType {
    /// Segments are only added.
    Event,
    /// Nothing changes.
    Vod,
}

/// Where to begin (section 4.4.2.2).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Start {
    /// Seconds from the beginning, or from the end where negative; finite.
    pub time_offset: f64,
    /// Not from the beginning of the segment, but exactly there.
    pub precise: bool,
}

/// A media playlist.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Media {
    /// The protocol version; 1 where the playlist does not say.
    pub version: u64,
    /// No segment is longer. 0 is possible: whoever paces by it needs a floor.
    pub target_duration: Duration,
    /// The sequence number of the first segment that the playlist lists or skips.
    pub media_sequence: u64,
    /// The discontinuity sequence number of that segment.
    pub discontinuity_sequence: u64,
    /// No segment will be added.
    pub endlist: bool,
    /// How the playlist may change; absent: live, segments come and go.
    pub playlist_type: Option<PlaylistType>,
    /// The segments hold one I-frame each.
    pub i_frames_only: bool,
    /// Every segment can be decoded alone.
    pub independent_segments: bool,
    /// The segments, oldest first.
    pub segments: Segments,
    /// The parts behind the last segment.
    pub unfinished: Option<Unfinished>,
    /// Where to begin.
    pub start: Option<Start>,
    /// What the server offers and how far from the end to play.
    pub server_control: Option<ServerControl>,
    /// No part is longer; absent where there are no parts.
    pub part_target: Option<Duration>,
    /// What will be needed soon.
    pub preload_hints: Vec<PreloadHint>,
    /// How far other renditions are.
    pub rendition_reports: Vec<RenditionReport>,
    /// What this delta update leaves out; absent in a complete playlist.
    pub skipped: Option<Skipped>,
    /// Ranges of time, in the order of the playlist.
    pub date_ranges: Vec<DateRange>,
    /// What was wrong and tolerated.
    pub flaws: PlaylistFindings,
    /// What of the budget it takes.
    pub(super) charge: Charge,
}

impl Media {
    /// The sum of the durations of all segments.
    pub fn total_duration(&self) -> Duration {
        self.segments.iter().map(Segment::duration).sum()
    }

    /// The sequence number of the newest segment.
    pub fn last_sequence(&self) -> Option<u64> {
        self.segments.last().map(Segment::sequence)
    }

    /// The segment with `sequence`, found in constant time.
    pub fn segment(&self, sequence: u64) -> Option<Segment<'_>> {
        self.index_of(sequence).and_then(|index| self.segments.get(index))
    }

    /// The place of `sequence` in the list.
    pub fn index_of(&self, sequence: u64) -> Option<usize> {
        let first = self.segments.first()?.sequence();
        let index = usize::try_from(sequence.checked_sub(first)?).ok()?;
        (index < self.segments.len()).then_some(index)
    }

    /// How many parts are listed, those of the unfinished segment included.
    pub fn part_count(&self) -> usize {
        self.segments.parts().count() + self.unfinished_parts()
    }

    pub(super) fn unfinished_parts(&self) -> usize {
        self.unfinished.as_ref().map_or(0, |unfinished| unfinished.parts.len())
    }

    /// Returns true when a reload brought nothing new, in constant time.
    ///
    /// A segment is its number: URLs that were signed anew make no other list (hls.js compares the same way).
    pub fn is_same_list_as(&self, before: &Self) -> bool {
        self.media_sequence == before.media_sequence
            && self.endlist == before.endlist
            && self.segments.len() == before.segments.len()
            && self.unfinished_parts() == before.unfinished_parts()
    }

    /// Returns true when the sequence numbers are a stand-in, because the playlist's own could not be read.
    pub fn is_unnumbered(&self) -> bool {
        self.flaws.get(Finding::BadMediaSequence).is_some()
    }

    /// The wall-clock time of the first sample of `sequence`: as written, or counted on from an earlier segment
    /// of the same timeline (section 6.3.3).
    pub fn date_time_of(&self, sequence: u64) -> Option<Timestamp> {
        let mut passed = Duration::ZERO;
        let index = self.index_of(sequence)?;
        let timeline = self.segments.get(index)?.discontinuity_sequence();
        for segment in self.segments.range(0..index + 1).rev() {
            if segment.discontinuity_sequence() != timeline {
                return None;
            }
            if segment.sequence() != sequence {
                passed += segment.duration();
            }
            if let Some(date_time) = segment.date_time() {
                return date_time.checked_add(SignedDuration::try_from(passed).ok()?).ok();
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hls::parse::tests::media;

    const LIVE: &str = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:7\n\
        #EXT-X-PROGRAM-DATE-TIME:2026-01-02T03:04:05Z\n#EXTINF:4,\na.ts\n#EXTINF:3.5,\nb.ts\n#EXTINF:4,\nc.ts\n";

    #[test]
    fn a_segment_is_found_by_its_sequence_number() {
        let media = media(LIVE);
        assert_eq!(media.last_sequence(), Some(9));
        assert_eq!(media.segment(8).expect("listed").uri().as_str(), "b.ts");
        for absent in [0, 6, 10, u64::MAX] {
            assert_eq!(media.segment(absent), None, "{absent}");
        }
        assert_eq!(media.total_duration(), Duration::from_millis(11_500));
    }

    #[test]
    fn a_list_is_the_same_until_its_numbers_move() {
        let before = media(LIVE);
        assert!(media(LIVE).is_same_list_as(&before));
        for changed in [
            format!("{LIVE}#EXTINF:4,\nd.ts\n"),
            format!("{LIVE}#EXT-X-ENDLIST\n"),
            format!("{LIVE}#EXT-X-PART:DURATION=1,URI=\"d.0.ts\"\n"),
            LIVE.replace("SEQUENCE:7", "SEQUENCE:8"),
        ] {
            assert!(!media(&changed).is_same_list_as(&before), "{changed}");
        }
    }

    #[test]
    fn a_list_whose_urls_were_signed_anew_is_the_same_list() {
        let before = media(LIVE);
        for signed in [
            LIVE.replace(".ts", ".ts?token=2"),
            LIVE.replace(",\n", ",\nhttps://edge2.test/signed-2/"),
            LIVE.replace(".ts", "-signed-2.ts"),
        ] {
            assert!(media(&signed).is_same_list_as(&before), "{signed}");
        }
    }

    #[test]
    fn numbers_that_cannot_be_read_are_a_stand_in() {
        assert!(!media(LIVE).is_unnumbered());
        assert!(media(&LIVE.replace("SEQUENCE:7", "SEQUENCE:-7")).is_unnumbered());
    }

    #[test]
    fn dates_are_counted_on_within_one_timeline_only() {
        let list = media(LIVE);
        let date = |sequence| list.date_time_of(sequence).map(|date| date.to_string());
        assert_eq!(date(7).as_deref(), Some("2026-01-02T03:04:05Z"));
        assert_eq!(date(9).as_deref(), Some("2026-01-02T03:04:12.5Z"));
        assert_eq!(date(10), None);
        let broken = media(&LIVE.replace("#EXTINF:3.5", "#EXT-X-DISCONTINUITY\n#EXTINF:3.5"));
        assert_eq!(broken.date_time_of(9), None);
    }
}
