//! Compares the dates of a live playlist with the wall clock of this machine.
//!
//! * The newest segment of a live playlist was completed a moment ago. If its dates say otherwise, a clock or a time
//!   zone is wrong, there or here, and nothing computed from them is true.
//! * A few seconds prove nothing: clocks differ, encoders date the end of a segment, and caches keep playlists.

use jiff::{SignedDuration, Timestamp};

use super::media::Media;

/// Maximum time by which the end of a live playlist may lie in the future: hosts' clocks are badly synchronised.
const AHEAD: SignedDuration = SignedDuration::from_secs(60);
/// Maximum age of the end of a live playlist: encoders, packagers and caches delay a stream by less.
const BEHIND: SignedDuration = SignedDuration::from_mins(10);

/// Returns the time between the end of a live playlist by its dates and `now`, if no stream can be that old or that
/// far ahead. Returns `None` if the age is plausible, or the playlist is not live or has no dates.
pub fn impossible_age(media: &Media, now: Timestamp) -> Option<SignedDuration> {
    let age = now.duration_since(media.ends_at().filter(|_| !media.endlist)?);
    (age < -AHEAD || age > BEHIND).then_some(age)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hls::parse::tests::media;

    /// Returns the age at `now` of a playlist that ends at twelve o'clock; `more` is inserted before its first
    /// segment.
    fn age(more: &str, now: &str) -> Option<f64> {
        let list =
            media(&format!("#EXTM3U\n#EXT-X-TARGETDURATION:4\n{more}\n#EXTINF:4,\na\n#EXTINF:4,\nb\n"));
        let now = format!("2026-01-02T{now}Z").parse().expect("a time");
        impossible_age(&list, now).map(|age| age.as_secs_f64())
    }

    const DATED: &str = "#EXT-X-PROGRAM-DATE-TIME:2026-01-02T11:59:52Z";

    #[test]
    fn an_age_that_no_live_stream_has_is_impossible() {
        for (now, expected) in [
            ("11:58:59", Some(-61.0)),
            ("11:59:00", None),
            ("12:00:04", None),
            ("12:10:00", None),
            ("12:10:01", Some(601.0)),
            ("13:00:03", Some(3_603.0)),
            ("11:00:03", Some(-3_597.0)),
        ] {
            assert_eq!(age(DATED, now), expected, "{now}");
        }
    }

    #[test]
    fn without_dates_or_at_its_end_a_list_has_no_age() {
        assert_eq!(age("", "13:00:00"), None);
        assert_eq!(age(&format!("{DATED}\n#EXT-X-ENDLIST"), "13:00:00"), None);
        assert_eq!(age(&DATED.replace("2026", "2200"), "13:00:00").map(|age| age < -60.0), Some(true));
    }
}
