//! Place at which a client continues in another media playlist of the same presentation: a variant that it switches
//! to, or audio beside its video.
//!
//! * A place is a time: the media time of a stream that has ended, the date of a live one. The sequence numbers of
//!   variants need not agree (RFC 8216bis section 6.3.2).
//! * Between live playlists without dates, the client takes the same sequence number if it is listed, as hls.js does:
//!   nearly all packagers number their variants alike.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::durations::duration;
use crate::hls::{Media, Playlist, Segment, Segments};

/// A segment with no more than this left after the place is skipped, because encoders cut audio and video slightly
/// apart. hls.js has the same tolerance.
const TOLERANCE: Duration = Duration::from_millis(250);

/// Place in a media playlist: before the segment with number `next`.
#[derive(Clone, Debug)]
pub(super) struct Join {
    /// The media playlist that holds the place.
    pub(super) playlist: Arc<Playlist>,
    pub(super) next: u64,
}

impl Join {
    /// Returns the number of the segment of `media` that begins at this place or contains it, or the number after the
    /// last segment. `None`: the place is not listed.
    pub(super) fn find(&self, media: &Media) -> Option<u64> {
        let from = self.playlist.media()?;
        if from.endlist && media.endlist {
            return holding(&media.segments, media_time(from, self.next));
        }
        match date(from, self.next).zip(first_date(media)) {
            Some((place, first)) => {
                let since = place.duration_since(first);
                holding(&media.segments, Duration::try_from(since).ok()?)
            }
            None => {
                let end = media.last_sequence()?.saturating_add(1);
                (media.segments.first()?.sequence()..=end).contains(&self.next).then_some(self.next)
            }
        }
    }
}

/// Returns the time from the first segment to the one with number `next`.
fn media_time(media: &Media, next: u64) -> Duration {
    media.segments.iter().take_while(|segment| segment.sequence() < next).map(duration).sum()
}

/// Returns the date at which the segment with number `next` begins, or the previous one ends.
fn date(media: &Media, next: u64) -> Option<Timestamp> {
    media.date_time_of(next).or_else(|| {
        let last = next.checked_sub(1)?;
        let length = SignedDuration::try_from(duration(media.segment(last)?)).ok()?;
        media.date_time_of(last)?.checked_add(length).ok()
    })
}

fn first_date(media: &Media) -> Option<Timestamp> {
    media.date_time_of(media.segments.first()?.sequence())
}

/// Returns the segment that contains the place `time` after the first one begins, or the number after the last one.
fn holding(segments: &Segments, time: Duration) -> Option<u64> {
    let mut ends = Duration::ZERO;
    let holds = |segment: &Segment<'_>| {
        ends += duration(*segment);
        ends > time + TOLERANCE.min(duration(*segment) / 2)
    };
    let found = segments.iter().find(holds).map(Segment::sequence);
    found.or_else(|| segments.last()?.sequence().checked_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hls::parse;

    /// Builds a playlist of segments of these lengths, from number `first` on, dated from noon plus `date` seconds if
    /// given.
    fn list(first: u64, lengths: &[f64], date: Option<f64>, end: &str) -> Arc<Playlist> {
        let dated =
            date.map(|seconds| format!("#EXT-X-PROGRAM-DATE-TIME:2026-01-01T12:00:{seconds:06.3}Z\n"));
        let lines = lengths.iter().map(|length| format!("#EXTINF:{length},\ns.ts\n"));
        let text = format!(
            "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:{first}\n{}{}{end}",
            dated.unwrap_or_default(),
            lines.collect::<String>()
        );
        Arc::new(parse(text.as_bytes()).expect("a playlist"))
    }

    fn find(from: &Arc<Playlist>, next: u64, to: &Arc<Playlist>) -> Option<u64> {
        Join { playlist: Arc::clone(from), next }.find(to.media().expect("a media playlist"))
    }

    #[test]
    fn a_stream_that_has_ended_goes_on_at_the_same_time() {
        const END: &str = "#EXT-X-ENDLIST\n";
        let video = list(0, &[4.0; 10], None, END);
        let audio = list(7, &[3.99, 4.01, 3.99, 4.01, 3.99, 4.01], None, END);
        assert_eq!([0, 1, 3, 5].map(|next| find(&video, next, &audio)), [7, 8, 10, 12].map(Some));
        let halves = list(0, &[2.0; 20], None, END);
        assert_eq!(find(&video, 3, &halves), Some(6));
        assert_eq!(find(&halves, 7, &video), Some(3), "the segment that holds the place");
        assert_eq!(find(&video, 10, &halves), Some(20), "everything was played");
    }

    #[test]
    fn a_live_stream_goes_on_at_the_same_date_whatever_its_numbers_are() {
        let one = list(100, &[4.0; 6], Some(0.0), "");
        let other = list(7, &[4.0; 6], Some(3.9), "");
        assert_eq!([102, 105, 106].map(|next| find(&one, next, &other)), [8, 11, 12].map(Some));
        assert_eq!(find(&other, 7, &one), Some(101));
        let later = list(50, &[4.0; 3], Some(30.0), "");
        assert_eq!(find(&one, 102, &later), None, "the place has left the window");
    }

    #[test]
    fn without_dates_the_same_number_is_taken_if_it_is_listed() {
        let one = list(100, &[4.0; 6], None, "");
        let other = list(103, &[4.0; 6], None, "");
        assert_eq!([102, 103, 106].map(|next| find(&one, next, &other)), [None, Some(103), Some(106)]);
        assert_eq!(find(&one, 106, &list(5, &[4.0; 6], None, "")), None);
    }
}
