//! The dates of a live playlist beside the wall clock of this machine.
//!
//! * The newest segment of a live list was finished a moment ago. Dates that put its end elsewhere come from a clock or
//!   a time zone that is wrong, there or here: nothing that is computed from them is true.
//! * A few seconds are no proof: clocks differ, encoders date the end of a segment, and caches keep lists.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::media::Media;

/// The end of a live list may lie this far in the future: clocks of hosts that are synchronised badly.
const AHEAD: SignedDuration = SignedDuration::from_secs(60);
/// The end of a live list may be this old: encoders, packagers and caches delay a stream by less.
const BEHIND: SignedDuration = SignedDuration::from_mins(10);

/// The time that has passed at `now` since the end of a live list by its dates, where no stream can be that old or that
/// new. `None`: it is plausible, not live or without dates.
pub fn impossible_age(media: &Media, now: Timestamp) -> Option<SignedDuration> {
    let last = media.segments.last().filter(|_| !media.endlist)?;
    let end = media.date_time_of(last.sequence())?.checked_add(whole(last.duration())).ok()?;
    let age = now.duration_since(end);
    (age < -AHEAD || age > BEHIND).then_some(age)
}

fn whole(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hls::parse::tests::media;

    /// The age of a list that ends at twelve o'clock, at this time; `more` is written before its first segment.
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
