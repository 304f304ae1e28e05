//! One media playlist over time: what is wrong from one load to the next (RFC 8216bis sections 6.2.1 and 6.2.2).
//!
//! * Only what is proven is found. Times are bounds: a list counts as unchanged from the end of the load that brought
//!   the change to the start of the load that brought nothing new, so neither a slow network nor a slow client can
//!   make a stream look worse than it is.
//! * A load costs the same for a list of any length: [`COMPARED`] segments are looked at, the newest.
//! * A list that went back says only that: whatever else differs is a consequence.
//! * URLs that differ prove nothing by themselves: they may have been signed anew.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;

use crate::vocabulary::Finding;

use super::{
    media::{Media, PlaylistType},
    parse::Playlist,
    segment::Segment,
};

/// Segments of two lists that are compared, the newest that both have.
const COMPARED: usize = 32;
/// The date of a segment may differ by this much between two loads: some servers round it.
const DATE_TOLERANCE: Duration = Duration::from_millis(100);

/// A live list that slides holds at least this many target durations (section 6.2.2).
const WINDOW_TARGET_DURATIONS: u32 = 3;
/// EXTINF is written with three digits or more: a sum that is this much too short is none.
const ROUNDING: Duration = Duration::from_millis(10);

/// Is told of a finding, and can ask for a line about it.
pub type Found<'a> = dyn FnMut(Finding, &dyn Fn() -> String) + 'a;

/// When a load began and when its response was complete, as times since the start of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// When the request was made.
    pub since: Duration,
    /// When the response was there.
    pub until: Duration,
}

/// The loads of one media playlist by one client so far.
#[derive(Debug, Default)]
pub struct Watch {
    before: Option<Before>,
}

#[derive(Debug)]
struct Before {
    playlist: Arc<Playlist>,
    /// The load that brought the last change.
    changed: Loaded,
}

impl Watch {
    /// Compares a load with the ones before. A multivariant playlist is none of this one's business.
    pub fn take(&mut self, playlist: &Arc<Playlist>, loaded: Loaded, found: &mut Found<'_>) {
        let Some(media) = playlist.media() else { return };
        let Some(before) = &mut self.before else {
            self.before = Some(Before { playlist: Arc::clone(playlist), changed: loaded });
            return;
        };
        let Some(known) = before.playlist.media() else { return };
        if !Arc::ptr_eq(playlist, &before.playlist) {
            compare(known, media, loaded.until.saturating_sub(before.changed.since), found);
        }
        if brings_news(known, media) {
            before.changed = loaded;
        } else {
            check_stale(known, before.changed, loaded, found);
        }
        // Kept also when nothing changed: of equal lists the newest is the one that is shared.
        before.playlist = Arc::clone(playlist);
    }

    /// The server said that the list has not changed (304).
    pub fn unchanged(&mut self, loaded: Loaded, found: &mut Found<'_>) {
        if let Some(before) = &self.before
            && let Some(known) = before.playlist.media()
        {
            check_stale(known, before.changed, loaded, found);
        }
    }

    /// The list that was loaded last.
    pub fn media(&self) -> Option<&Media> {
        self.before.as_ref()?.playlist.media()
    }
}

/// Whether a list has something at its end that the one before had not.
fn brings_news(before: &Media, now: &Media) -> bool {
    end(before) != end(now)
        || before.endlist != now.endlist
        || before.unfinished_parts() != now.unfinished_parts()
        || changed_segment(before, now).is_some()
}

/// A live list must grow within one and a half target durations (section 6.2.1).
fn check_stale(media: &Media, changed: Loaded, loaded: Loaded, found: &mut Found<'_>) {
    if media.endlist || media.playlist_type == Some(PlaylistType::Vod) {
        return;
    }
    let unchanged = loaded.since.saturating_sub(changed.until);
    let allowed = media.target_duration * 3 / 2;
    if !allowed.is_zero() && unchanged > allowed {
        found(Finding::PlaylistStale, &|| {
            format!(
                "nothing new for {:.1} s, target duration {} s",
                unchanged.as_secs_f64(),
                media.target_duration.as_secs_f64()
            )
        });
    }
}

/// What is wrong between two different lists, `passed` being the most time that can lie between them.
fn compare(before: &Media, now: &Media, passed: Duration, found: &mut Found<'_>) {
    let ends = |media: &Media| (media.media_sequence, end(media));
    let ((was_first, was_end), (first, end)) = (ends(before), ends(now));
    if first < was_first || end < was_end {
        let detail = || format!("{} before, {} now", span(was_first, was_end), span(first, end));
        return found(Finding::SequenceWentBack, &detail);
    }
    if first > was_end && came_too_fast(now, end - was_end, passed) {
        found(Finding::SequenceJump, &|| {
            let seconds = passed.as_secs_f64();
            format!("{} before, {} at most {seconds:.1} s later", span(was_first, was_end), span(first, end))
        });
    }
    if first > was_first && before.playlist_type.is_some() {
        found(Finding::SegmentRemoved, &|| format!("it began with {was_first}, now with {first}"));
    }
    if first > was_first && !before.segments.is_empty() {
        check_window(now, found);
    }
    if before.target_duration != now.target_duration {
        let [was, is] = [before, now].map(|media| media.target_duration.as_secs_f64());
        found(Finding::TargetDurationChanged, &|| format!("{was} s before, {is} s now"));
    }
    compare_segments(before, now, found);
}

/// A live list must not lose a segment that leaves it shorter than three target durations (section 6.2.2). One that
/// never was as long may still grow, whatever its first number.
fn check_window(media: &Media, found: &mut Found<'_>) {
    if media.endlist || media.playlist_type.is_some() || media.skipped.is_some() {
        return;
    }
    let length = media.total_duration() + ROUNDING;
    let shown = || {
        format!("{:.1} s in {}", media.total_duration().as_secs_f64(), span(media.media_sequence, end(media)))
    };
    if length < media.target_duration * WINDOW_TARGET_DURATIONS {
        found(Finding::WindowTooShort, &shown);
    }
    let hold_back = media.server_control.and_then(|control| control.hold_back);
    if hold_back.is_some_and(|hold_back| length < hold_back) {
        found(Finding::HoldBackTooLong, &shown);
    }
}

/// The number behind the last segment.
fn end(media: &Media) -> u64 {
    media.last_sequence().map_or(media.media_sequence, |last| last.saturating_add(1))
}

fn span(first: u64, end: u64) -> String {
    if end > first { format!("segments {first} to {}", end - 1) } else { format!("no segment from {first}") }
}

/// Whether `new` segments as long as those of the list cannot have been made in this time and two target durations.
fn came_too_fast(now: &Media, new: u64, passed: Duration) -> bool {
    let listed = now.segments.len().max(1) as f64;
    let mean = now.total_duration().as_secs_f64() / listed;
    mean * new as f64 > (passed + now.target_duration * 2).as_secs_f64()
}

/// Compares the newest segments that both lists have; each finding once.
fn compare_segments(before: &Media, now: &Media, found: &mut Found<'_>) {
    let mut pairs = common(before, now);
    if let Some((was, is)) = changed_segment(before, now) {
        found(Finding::SegmentChanged, &|| format!("segment {}: {}", is.sequence(), change(was, is)));
    }
    let timeline =
        |(was, is): &(Segment<'_>, Segment<'_>)| was.discontinuity_sequence() != is.discontinuity_sequence();
    if let Some((was, is)) = pairs.clone().find(timeline) {
        found(Finding::DiscontinuityMismatch, &|| {
            let [was, now] = [was, is].map(Segment::discontinuity_sequence);
            format!("segment {}: {was} before, {now} now", is.sequence())
        });
    }
    if let Some((_, newest)) = pairs.next()
        && let Some(skew) = date_skew(before, now, newest.sequence())
    {
        found(Finding::DateTimeSkew, &|| {
            format!("segment {}: its date moved by {:.3} s", newest.sequence(), skew.as_secs_f64())
        });
    }
}

/// The newest segments that both lists have, at most [`COMPARED`], the newest first.
fn common<'a>(
    one: &'a Media,
    other: &'a Media,
) -> impl Iterator<Item = (Segment<'a>, Segment<'a>)> + Clone + 'a {
    let last = one.last_sequence().min(other.last_sequence());
    let up_to = move |media: &'a Media| {
        let count = last.and_then(|last| media.index_of(last)).map_or(0, |index| index + 1);
        media.segments.range(0..count).rev()
    };
    up_to(one).zip(up_to(other)).take(COMPARED)
}

/// The newest segment whose number surely names other media than before.
///
/// * Another duration or byte range proves it, and so does a URL that another number had.
/// * Another file name proves it only where most names stayed: a server that signs its URLs for each load may change
///   all of them, host, folders, names and queries.
fn changed_segment<'a>(before: &'a Media, now: &'a Media) -> Option<(Segment<'a>, Segment<'a>)> {
    let pairs = common(before, now);
    let moved = |is: Segment<'_>| newest(before).any(|was| was.has_same_source(is));
    let proven = |(was, is): &(Segment<'_>, Segment<'_>)| {
        !was.has_same_extent(*is) || (!was.has_same_source(*is) && moved(*is))
    };
    if let Some(changed) = pairs.clone().find(proven) {
        return Some(changed);
    }
    let kept_name = |(was, is): &(Segment<'_>, Segment<'_>)| was.uri().file_name() == is.uri().file_name();
    let renamed = pairs.clone().find(|pair| !kept_name(pair))?;
    let (all, kept) = (pairs.clone().count(), pairs.filter(kept_name).count());
    (kept * 2 > all).then_some(renamed)
}

/// The newest segments of a list, at most [`COMPARED`], the newest first.
fn newest(media: &Media) -> impl Iterator<Item = Segment<'_>> {
    media.segments.iter().rev().take(COMPARED)
}

fn change(was: Segment<'_>, is: Segment<'_>) -> String {
    let range = |segment: Segment<'_>| {
        segment
            .byte_range()
            .map_or(String::new(), |range| format!(" bytes {}+{}", range.offset, range.length))
    };
    let [was, is] = [was, is].map(|segment| {
        format!("{}{} of {} s", segment.uri().shown(), range(segment), segment.duration().as_secs_f64())
    });
    format!("{was} before, {is} now")
}

/// By how much the date of a segment that both lists have has moved, if it has.
fn date_skew(before: &Media, now: &Media, sequence: u64) -> Option<Duration> {
    let skew = date(now, sequence)?.duration_since(date(before, sequence)?).unsigned_abs();
    (skew > DATE_TOLERANCE).then_some(skew)
}

/// The date of a segment, as written or counted on from one of the [`COMPARED`] before it.
fn date(media: &Media, sequence: u64) -> Option<Timestamp> {
    let first = media.index_of(sequence)?.saturating_sub(COMPARED);
    let dated =
        media.segments.range(first..media.segments.len()).any(|segment| segment.date_time().is_some());
    if dated { media.date_time_of(sequence) } else { None }
}

/// What is wrong when `later` was loaded by another client after the load of `earlier` had ended, both from the same
/// address: it ends more than a segment before, or names other media.
pub fn contradiction(earlier: &Media, later: &Media) -> Option<String> {
    let (was_end, end) = (end(earlier), end(later));
    if end.saturating_add(1) < was_end {
        return Some(format!(
            "up to segment {} for one client, then up to {} for another",
            was_end - 1,
            end.saturating_sub(1)
        ));
    }
    let timeline =
        |(was, is): &(Segment<'_>, Segment<'_>)| was.discontinuity_sequence() != is.discontinuity_sequence();
    let (was, is) = changed_segment(earlier, later).or_else(|| common(earlier, later).find(timeline))?;
    Some(format!("segment {}: {} (another client)", is.sequence(), change(was, is)))
}

#[cfg(test)]
#[path = "checks_reload/tests.rs"]
mod tests;
