//! Checks of one media playlist over time: the findings between one load and the next (RFC 8216bis sections 6.2.1 and
//! 6.2.2).
//!
//! * A finding needs proof. Times are bounds: a playlist counts as unchanged from the end of the load that brought
//!   the change to the start of the load that brought nothing new. So neither a slow network nor a slow client can
//!   make a stream look worse than it is.
//! * A check costs the same for a playlist of any length: it compares the newest [`COMPARED`] segments.
//! * A playlist that went back has only that finding: all other differences are consequences.
//! * URLs that differ prove nothing by themselves: the server may have signed them again.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;

use crate::vocabulary::Finding;

use super::{
    media::{Media, PlaylistType},
    parse::Playlist,
    segment::Segment,
};

/// Maximum number of segments compared between two playlists: the newest that both have.
const COMPARED: usize = 32;
/// Tolerance for the date of a segment between two loads: some servers round it.
const DATE_TOLERANCE: Duration = Duration::from_millis(100);

/// Minimum length, in target durations, of a live playlist that removes segments (section 6.2.2).
const WINDOW_TARGET_DURATIONS: u32 = 3;
/// Tolerance for rounding: EXTINF is written with three digits or more, so a sum may fall this much short.
const ROUNDING: Duration = Duration::from_millis(10);

/// Callback for a finding, with a function that formats its detail.
pub type Found<'a> = dyn FnMut(Finding, &dyn Fn() -> String) + 'a;

/// Start and end of a load, as times since the start of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// Time at which the request was made.
    pub since: Duration,
    /// Time at which the response was complete.
    pub until: Duration,
}

/// History of one client's loads of one media playlist.
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
    /// Compares a load with the previous ones. Ignores multivariant playlists.
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
        // Replace it even if nothing changed: of equal playlists, the newest is the one that clients share.
        before.playlist = Arc::clone(playlist);
    }

    /// Handles a reload that the server answered with "not modified" (304).
    pub fn unchanged(&mut self, loaded: Loaded, found: &mut Found<'_>) {
        if let Some(before) = &self.before
            && let Some(known) = before.playlist.media()
        {
            check_stale(known, before.changed, loaded, found);
        }
    }

    /// Returns the playlist that was loaded last.
    pub fn media(&self) -> Option<&Media> {
        self.before.as_ref()?.playlist.media()
    }
}

/// Reports whether a playlist has news compared with the previous one: another end, other parts, or a changed
/// segment.
fn brings_news(before: &Media, now: &Media) -> bool {
    end(before) != end(now)
        || before.endlist != now.endlist
        || before.unfinished_parts() != now.unfinished_parts()
        || changed_segment(before, now).is_some()
}

/// Checks that a live playlist grows within one and a half target durations (section 6.2.1).
fn check_stale(media: &Media, changed: Loaded, loaded: Loaded, found: &mut Found<'_>) {
    if media.endlist || media.playlist_type == Some(PlaylistType::Vod) {
        return;
    }
    let unchanged = loaded.since.saturating_sub(changed.until);
    let allowed = media.target_duration * 3 / 2;
    if !allowed.is_zero() && unchanged > allowed {
        found(Finding::PlaylistStale, &|| {
            format!(
                "no update for {:.1} s, target duration {} s",
                unchanged.as_secs_f64(),
                media.target_duration.as_secs_f64()
            )
        });
    }
}

/// Reports the findings between two different playlists. `passed` is the maximum time between them.
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
        found(Finding::SegmentRemoved, &|| format!("began with segment {was_first}, now with {first}"));
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

/// Checks that a live playlist does not remove a segment that leaves it shorter than three target durations (section
/// 6.2.2). Called only when a segment was removed: a young playlist may still grow, whatever its first number.
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

/// Returns the sequence number after that of the last segment.
fn end(media: &Media) -> u64 {
    media.last_sequence().map_or(media.media_sequence, |last| last.saturating_add(1))
}

fn span(first: u64, end: u64) -> String {
    if end > first { format!("segments {first} to {}", end - 1) } else { format!("no segments from {first}") }
}

/// Reports whether `new` segments of the playlist's mean length cannot have been made in `passed` and two target
/// durations.
fn came_too_fast(now: &Media, new: u64, passed: Duration) -> bool {
    let listed = now.segments.len().max(1) as f64;
    let mean = now.total_duration().as_secs_f64() / listed;
    mean * new as f64 > (passed + now.target_duration * 2).as_secs_f64()
}

/// Compares the newest segments that both playlists have; reports each finding once.
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

/// Pairs the newest segments that both playlists have, at most [`COMPARED`], newest first.
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

/// Returns the newest segment whose number certainly refers to different media than before.
///
/// * A different duration or byte range proves it, and so does a URL that belonged to another number.
/// * A different file name proves it only if most names stayed the same: a server that signs its URLs for each load
///   may change all of them: host, folders, names and queries.
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

/// Iterates over the newest segments of a playlist, at most [`COMPARED`], newest first.
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

/// Returns the distance by which the date of a segment has moved between two playlists, if it has.
fn date_skew(before: &Media, now: &Media, sequence: u64) -> Option<Duration> {
    let skew = date(now, sequence)?.duration_since(date(before, sequence)?).unsigned_abs();
    (skew > DATE_TOLERANCE).then_some(skew)
}

/// Returns the date of a segment, as written or extrapolated. Returns `None` early if no segment from [`COMPARED`]
/// before it on has a date.
fn date(media: &Media, sequence: u64) -> Option<Timestamp> {
    let first = media.index_of(sequence)?.saturating_sub(COMPARED);
    let dated =
        media.segments.range(first..media.segments.len()).any(|segment| segment.date_time().is_some());
    if dated { media.date_time_of(sequence) } else { None }
}

/// Describes a contradiction between two clients' loads of one URL, where the load of `later` began after that of
/// `earlier` had ended: `later` ends more than a segment earlier, or refers to different media.
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
