//! Differences between two versions of a media playlist, apart from when they were loaded.
//!
//! Most clients of a worker go from the same version to the same next one, so each pair is compared once.
//!
//! * A comparison costs the same for a playlist of any length: it compares the newest [`COMPARED`] segments.
//! * A playlist that went back has only that finding: all other differences are consequences.
//! * URLs that differ prove nothing by themselves: the server may have signed them again.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{Arc, Weak};
use std::time::Duration;

use jiff::Timestamp;

use crate::vocabulary::Finding;

use super::{media::Media, parse::Playlist, segment::Segment};

/// Maximum number of pairs that are remembered: those of some variants and renditions, now and a moment ago.
const PAIRS: usize = 64;

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

/// Differences between a media playlist and the one before it.
#[derive(Debug, Default)]
pub(super) struct Difference {
    /// True if the later playlist has news for a player.
    pub(super) brings_news: bool,
    /// Number of segments by which the end moved, if segments are missing between the two playlists.
    pub(super) jump: Option<u64>,
    /// Findings that hold whenever the two were loaded, each with its detail.
    pub(super) findings: Vec<(Finding, String)>,
}

/// The comparisons of one worker, most recently used first.
#[derive(Debug, Default)]
pub struct Differences(RefCell<Vec<Compared>>);

#[derive(Debug)]
struct Compared {
    // A weak reference keeps its address from being used again, and nothing else.
    before: Weak<Playlist>,
    now: Weak<Playlist>,
    difference: Rc<Difference>,
}

impl Differences {
    /// Compares two media playlists, or returns what a comparison of the same two found; `None` unless both are media
    /// playlists.
    pub(super) fn between(&self, before: &Arc<Playlist>, now: &Arc<Playlist>) -> Option<Rc<Difference>> {
        let mut known = self.0.borrow_mut();
        let is_it = |it: &Compared| {
            std::ptr::eq(it.before.as_ptr(), Arc::as_ptr(before))
                && std::ptr::eq(it.now.as_ptr(), Arc::as_ptr(now))
        };
        if let Some(place) = known.iter().position(is_it) {
            known.get_mut(..=place)?.rotate_right(1);
            return known.first().map(|it| Rc::clone(&it.difference));
        }
        let (was, is) = (before.media()?, now.media()?);
        let difference = Rc::new(Difference { brings_news: brings_news(was, is), ..compare(was, is) });
        known.truncate(PAIRS - 1);
        let [before, now] = [before, now].map(Arc::downgrade);
        known.insert(0, Compared { before, now, difference: Rc::clone(&difference) });
        Some(difference)
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

/// Compares two different playlists; leaves [`Difference::brings_news`] as it is by default.
fn compare(before: &Media, now: &Media) -> Difference {
    let mut difference = Difference::default();
    let found: &mut Found<'_> = &mut |finding, detail| difference.findings.push((finding, detail()));
    let ends = |media: &Media| (media.media_sequence, end(media));
    let ((was_first, was_end), (first, end)) = (ends(before), ends(now));
    if first < was_first || end < was_end {
        let detail = || format!("{} before, {} now", span(was_first, was_end), span(first, end));
        found(Finding::SequenceWentBack, &detail);
        return difference;
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
    difference.jump = (first > was_end).then(|| end - was_end);
    difference
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
pub(super) fn end(media: &Media) -> u64 {
    media.last_sequence().map_or(media.media_sequence, |last| last.saturating_add(1))
}

pub(super) fn span(first: u64, end: u64) -> String {
    if end > first { format!("segments {first} to {}", end - 1) } else { format!("no segments from {first}") }
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
