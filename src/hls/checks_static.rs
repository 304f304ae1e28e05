//! Checks of a single media playlist as a whole: the findings that no single line of it shows.

use std::time::Duration;

use jiff::SignedDuration;

use crate::vocabulary::Finding;

use super::{
    media::{Media, PlaylistType},
    playlist_finding::PlaylistFindings,
    resource::KeyMethod,
    segment::Segment,
};

/// Minimum HOLD-BACK in target durations (RFC 8216bis section 4.4.3.8).
const HOLD_BACK_TARGET_DURATIONS: u32 = 3;
/// Minimum CAN-SKIP-UNTIL in target durations (section 4.4.3.8).
const SKIP_TARGET_DURATIONS: u32 = 6;
/// Minimum length of a part that is not the last of its segment, in percent of the part target (section 4.4.4.9).
const PART_LEAST_PERCENT: u32 = 85;
/// Minimum PART-HOLD-BACK in part targets.
const HOLD_BACK_PART_TARGETS: u32 = 2;
/// Tolerance for rounding: EXTINF is written with three digits or more, so a sum may fall this much short.
const ROUNDING: Duration = Duration::from_millis(10);
/// Line number for findings of the playlist as a whole.
const WHOLE: u32 = 0;

/// Notes the findings of `media`, whose lines have all been read.
pub(super) fn check(media: &Media, findings: &mut PlaylistFindings) {
    check_hold_back(media, findings);
    for segment in &media.segments {
        if segment.gap() && !segment.uri().as_str().is_empty() {
            findings.note(Finding::GapListed, WHOLE);
        }
        if init_lacks_vector(segment) {
            findings.note(Finding::InitWithoutIv, WHOLE);
        }
    }
    for _ in 0..contradicting_dates(media) {
        findings.note(Finding::DateTimeSkew, WHOLE);
    }
    if let Some(target) = media.part_target {
        check_parts(media, target, findings);
    }
}

/// Checks the lengths of parts. Only the last part of a segment may be short, and the newest part may become that.
fn check_parts(media: &Media, target: Duration, findings: &mut PlaylistFindings) {
    let unfinished = media.unfinished.iter().map(|unfinished| unfinished.parts.as_slice());
    for parts in media.segments.part_lists().chain(unfinished) {
        for part in parts {
            if part.duration > target {
                findings.note(Finding::PartTargetExceeded, WHOLE);
            }
        }
        let (_, others) = parts.split_last().unzip();
        let least = target * PART_LEAST_PERCENT / 100;
        for part in others.unwrap_or_default() {
            if part.duration < least {
                findings.note(Finding::PartTooShort, WHOLE);
            }
        }
    }
}

fn check_hold_back(media: &Media, findings: &mut PlaylistFindings) {
    let part_hold_back = media.server_control.and_then(|control| control.part_hold_back);
    if media.part_target.is_some() && part_hold_back.is_none() {
        findings.note(Finding::MissingPartHoldBack, WHOLE);
    }
    let Some(control) = media.server_control.filter(|_| media.playlist_type != Some(PlaylistType::Vod))
    else {
        return;
    };
    let below = |hold_back: Option<Duration>, least: Duration| {
        hold_back.is_some_and(|hold_back| hold_back + ROUNDING < least)
    };
    let part_target = media.part_target.unwrap_or_default();
    if below(control.hold_back, media.target_duration * HOLD_BACK_TARGET_DURATIONS)
        || below(control.part_hold_back, part_target * HOLD_BACK_PART_TARGETS)
    {
        findings.note(Finding::HoldBackTooShort, WHOLE);
    }
    if below(control.can_skip_until, media.target_duration * SKIP_TARGET_DURATIONS) {
        findings.note(Finding::SkipUntilTooShort, WHOLE);
    }
}

/// Reports whether the segment's initialization section lacks the IV that its decryption needs (section 4.4.4.5).
fn init_lacks_vector(segment: Segment<'_>) -> bool {
    let keys = segment.init().and_then(|init| init.keys.as_deref()).unwrap_or_default();
    keys.iter().any(|key| key.method == KeyMethod::Aes128 && key.iv.is_none())
}

/// Counts the pairs of neighbouring dates of one timeline whose distance differs by more than half a target duration
/// from the media between them.
fn contradicting_dates(media: &Media) -> usize {
    let tolerance = media.target_duration / 2;
    let mut contradictions = 0;
    let mut expected = None;
    for segment in &media.segments {
        if segment.discontinuity() {
            expected = None;
        }
        if let Some(date) = segment.date_time() {
            let away = expected.map(|expected| date.duration_since(expected).unsigned_abs());
            contradictions += usize::from(away.is_some_and(|away| away > tolerance));
            expected = Some(date);
        }
        let length = SignedDuration::try_from(segment.duration()).unwrap_or_default();
        expected = expected.and_then(|date| date.checked_add(length).ok());
    }
    contradictions
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hls::parse::tests::media;

    fn found(lines: &str) -> Vec<Finding> {
        let head = "#EXTM3U\n#EXT-X-VERSION:10\n#EXT-X-TARGETDURATION:4\n";
        media(&format!("{head}{lines}")).findings.iter().map(|known| known.finding).collect()
    }

    const THREE: &str = "#EXTINF:4,\na\n#EXTINF:4,\nb\n#EXTINF:3.999,\nc\n";
    const PART_INF: &str = "#EXT-X-SERVER-CONTROL:PART-HOLD-BACK=3\n#EXT-X-PART-INF:PART-TARGET=1\n";

    #[test]
    fn one_list_alone_does_not_tell_whether_a_segment_has_left_it() {
        let two =
            "#EXT-X-MEDIA-SEQUENCE:7\n#EXT-X-SERVER-CONTROL:HOLD-BACK=13\n#EXTINF:4,\na\n#EXTINF:4,\nb\n";
        assert_eq!(found(two), []);
    }

    #[test]
    fn what_the_server_offers_has_a_least_length() {
        let with = |control: &str| {
            found(&format!("#EXT-X-SERVER-CONTROL:{control}\n#EXT-X-PART-INF:PART-TARGET=0.5\n{THREE}"))
        };
        assert_eq!(with("HOLD-BACK=12,PART-HOLD-BACK=1,CAN-SKIP-UNTIL=24"), []);
        assert_eq!(with("HOLD-BACK=11,PART-HOLD-BACK=1"), [Finding::HoldBackTooShort]);
        assert_eq!(with("PART-HOLD-BACK=0.9"), [Finding::HoldBackTooShort]);
        assert_eq!(with("PART-HOLD-BACK=1,CAN-SKIP-UNTIL=23.9"), [Finding::SkipUntilTooShort]);
        assert_eq!(with("HOLD-BACK=12"), [Finding::MissingPartHoldBack]);
        assert_eq!(
            found(&format!("#EXT-X-PART-INF:PART-TARGET=0.5\n{THREE}")),
            [Finding::MissingPartHoldBack]
        );
    }

    #[test]
    fn only_the_last_part_of_a_segment_may_be_short() {
        let with = |durations: &[&str], end: &str| {
            let parts = durations.iter().map(|it| format!("#EXT-X-PART:DURATION={it},URI=\"p\"\n"));
            found(&format!("{PART_INF}{}{end}", parts.collect::<String>()))
        };
        for end in ["", "#EXTINF:4,\na\n"] {
            assert_eq!(with(&["1", "0.85", "0.1"], end), []);
            assert_eq!(with(&["1", "0.849", "1"], end), [Finding::PartTooShort]);
            assert_eq!(with(&["0.1"], end), []);
        }
    }

    #[test]
    fn parts_gaps_and_initialization_sections_are_looked_at() {
        assert_eq!(
            found(&format!(
                "{PART_INF}#EXT-X-PART:DURATION=1,URI=\"a\"\n#EXT-X-PART:DURATION=1.1,URI=\"b\"\n"
            )),
            [Finding::PartTargetExceeded]
        );
        assert_eq!(found(&format!("#EXT-X-GAP\n{THREE}")), [Finding::GapListed]);
        let init = |key: &str| found(&format!("#EXT-X-KEY:{key},URI=\"k\"\n#EXT-X-MAP:URI=\"i\"\n{THREE}"));
        assert_eq!(init("METHOD=AES-128"), [Finding::InitWithoutIv]);
        assert_eq!(init("METHOD=AES-128,IV=0x1"), []);
        assert_eq!(init("METHOD=SAMPLE-AES"), []);
    }

    #[test]
    fn dates_contradict_durations_by_more_than_half_a_target_duration() {
        let dated = |seconds: &str, between: &str| {
            found(&format!(
                "#EXT-X-PROGRAM-DATE-TIME:2026-01-02T03:04:05Z\n#EXTINF:4,\na\n{between}\
                 #EXT-X-PROGRAM-DATE-TIME:2026-01-02T03:04:{seconds}Z\n#EXTINF:4,\nb\n"
            ))
        };
        assert_eq!(dated("09", ""), []);
        assert_eq!(dated("10.9", ""), []);
        assert_eq!(dated("11.1", ""), [Finding::DateTimeSkew]);
        assert_eq!(dated("06.9", ""), [Finding::DateTimeSkew]);
        assert_eq!(dated("40", "#EXT-X-DISCONTINUITY\n"), []);
        assert_eq!(dated("13", "#EXTINF:4,\nbetween\n"), []);
    }
}
