//! Media playlist (RFC 8216bis sections 4.4.3 to 4.4.5) and the queries that a player makes on it.
//!
//! * The sequence numbers of [`Media::segments`] rise by exactly one from segment to segment.
//! * The first of them is [`Media::media_sequence`], unless a delta update skipped segments, or the playlist listed
//!   more than are kept.
//! * The sum of all durations is finite: each is bounded, and so is their number.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::vocabulary::{Finding, budget::Charge};

use super::{
    low_latency::{PreloadHint, RenditionReport, ServerControl, Skipped, Unfinished},
    playlist_finding::PlaylistFindings,
    segment::Segment,
    segments::Segments,
    text::Text,
};

/// Kind of change that a playlist allows (section 4.4.3.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlaylistType {
    /// Segments are only added.
    Event,
    /// Nothing changes.
    Vod,
}

/// Position at which to start (section 4.4.2.2).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Start {
    /// Seconds from the beginning or, if negative, from the end; finite.
    pub time_offset: f64,
}

/// Media playlist.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Media {
    /// Protocol version; 1 if the playlist does not state it.
    pub version: u64,
    /// Maximum duration of a segment. May be 0: code that paces by it needs a floor.
    pub target_duration: Duration,
    /// Sequence number of the first segment that the playlist lists or skips.
    pub media_sequence: u64,
    /// Discontinuity sequence number of that segment.
    pub discontinuity_sequence: u64,
    /// No segment will be added.
    pub endlist: bool,
    /// Kind of change that the playlist allows; if absent, it is live: segments come and go.
    pub playlist_type: Option<PlaylistType>,
    /// Each segment holds a single I-frame.
    pub i_frames_only: bool,
    /// Every segment can be decoded independently.
    pub independent_segments: bool,
    /// The segments, oldest first.
    pub segments: Segments,
    /// The parts after the last segment.
    pub unfinished: Option<Unfinished>,
    /// Position at which to start.
    pub start: Option<Start>,
    /// Delivery features of the server, and the distance from the end at which to play.
    pub server_control: Option<ServerControl>,
    /// Maximum duration of a part; absent if there are no parts.
    pub part_target: Option<Duration>,
    /// Resources that will be needed soon.
    pub preload_hints: Vec<PreloadHint>,
    /// Progress of other renditions.
    pub rendition_reports: Vec<RenditionReport>,
    /// Content that this delta update leaves out; absent in a complete playlist.
    pub skipped: Option<Skipped>,
    /// Identifiers of the date ranges (RFC 8216bis section 4.4.5.1): advertisements, chapters, interstitials.
    pub date_ranges: Vec<Text>,
    /// Flaws that were tolerated.
    pub findings: PlaylistFindings,
    /// Charge to the budget.
    pub(super) charge: Charge,
}

impl Media {
    /// Returns the sum of the durations of all segments.
    pub fn total_duration(&self) -> Duration {
        self.segments.iter().map(Segment::duration).sum()
    }

    /// Returns the sequence number of the newest segment.
    pub fn last_sequence(&self) -> Option<u64> {
        self.segments.last().map(Segment::sequence)
    }

    /// Finds the segment with `sequence` in constant time.
    pub fn segment(&self, sequence: u64) -> Option<Segment<'_>> {
        self.index_of(sequence).and_then(|index| self.segments.get(index))
    }

    /// Returns the index of `sequence` in [`Media::segments`].
    pub fn index_of(&self, sequence: u64) -> Option<usize> {
        let first = self.segments.first()?.sequence();
        let index = usize::try_from(sequence.checked_sub(first)?).ok()?;
        (index < self.segments.len()).then_some(index)
    }

    /// Returns the wall-clock time at which the newest segment ends, if it follows from the dates of the playlist.
    pub fn ends_at(&self) -> Option<Timestamp> {
        let last = self.segments.last()?;
        let length = SignedDuration::try_from(last.duration()).unwrap_or(SignedDuration::MAX);
        self.date_time_of(last.sequence())?.checked_add(length).ok()
    }

    /// Counts the listed parts, including those of the unfinished segment.
    pub fn part_count(&self) -> usize {
        self.segments.parts().count() + self.unfinished_parts()
    }

    /// Returns the number of parts after the newest segment.
    pub fn unfinished_parts(&self) -> usize {
        self.unfinished.as_ref().map_or(0, |unfinished| unfinished.parts.len())
    }

    /// Reports in constant time whether a reload brought nothing new.
    ///
    /// A segment is identified by its number: newly signed URLs do not make a different playlist. hls.js compares in
    /// the same way.
    pub fn is_same_list_as(&self, before: &Self) -> bool {
        self.media_sequence == before.media_sequence
            && self.endlist == before.endlist
            && self.segments.len() == before.segments.len()
            && self.unfinished_parts() == before.unfinished_parts()
    }

    /// Reports whether the sequence numbers are a stand-in because the playlist's own could not be read.
    pub fn is_unnumbered(&self) -> bool {
        self.findings.get(Finding::BadMediaSequence).is_some()
    }

    /// Returns this playlist as it will be when its window has moved on by `count` segments. The segments keep their
    /// URLs, lengths and dates.
    pub fn slid(&self, count: u64) -> Self {
        let mut slid = self.clone();
        slid.media_sequence = slid.media_sequence.saturating_add(count);
        slid.segments.slide(count);
        slid
    }

    /// Returns the wall-clock time of the first sample of `sequence`: as written, or extrapolated from an earlier
    /// segment of the same timeline (section 6.3.3).
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
    fn a_window_that_has_moved_on_has_the_same_segments_under_later_numbers() {
        let before = media(LIVE);
        let slid = before.slid(2);
        assert_eq!((slid.media_sequence, slid.last_sequence()), (9, Some(11)));
        assert_eq!(slid.segment(10).expect("listed").uri().as_str(), "b.ts");
        assert!(!slid.is_same_list_as(&before) && before.slid(0).is_same_list_as(&before));
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
        assert_eq!((broken.date_time_of(9), broken.ends_at()), (None, None));
        assert_eq!(list.ends_at().map(|end| end.to_string()).as_deref(), Some("2026-01-02T03:04:16.5Z"));
    }
}
