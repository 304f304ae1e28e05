//! Entry point for fuzzing the reloads of a playlist; see [`crate::fuzzing`].

use std::{sync::Arc, time::Duration};

use crate::vocabulary::{budget::Budget, limits};

use super::{
    Context, Differences, Loaded, Media, Multivariant, Playlist, Variables, VariantChoice, Watch, choose,
    contradiction, parse_in, text::Reference,
};

/// Maximum number of loads in one input: enough for a change, its reversal and an update of both.
const LOADS: usize = 4;
/// Time from one load to the next.
const INTERVAL: Duration = Duration::from_secs(4);
/// Query of the URL that the loads come from, for `QUERYPARAM`.
const QUERY: &str = "q=1&token=%7B$q%7D&v=a%0Ab";

/// Parses any bytes as successive loads of one URL. Compares, merges and keeps them as clients do.
///
/// A NUL byte, which no playlist can hold, separates two loads.
pub fn reloads(data: &[u8]) {
    let budget = Arc::new(Budget::default());
    let (mut imported, mut before) = (Variables::default(), None::<Media>);
    let (mut watch, differences) = (Watch::default(), Differences::default());
    for (number, bytes) in (0_u32..).zip(data.split(|byte| *byte == 0).take(LOADS)) {
        let context = Context { query: Some(QUERY), imported: Some(&imported) };
        let Ok(mut playlist) = parse_in(bytes, &context) else { continue };
        assert!(playlist.charge_to(&budget, bytes.len()).is_ok(), "{} bytes exceed the budget", bytes.len());
        let since = INTERVAL * number;
        let loaded = Loaded { since, until: since + Duration::from_millis(100) };
        let playlist = Arc::new(playlist);
        watch.take(&playlist, loaded, &differences, &mut |_, detail| assert_harmless(&detail()));
        watch.unchanged(loaded, &mut |_, detail| assert_harmless(&detail()));
        match &*playlist {
            Playlist::Multivariant(multivariant) => {
                assert_multivariant_sound(multivariant);
                imported = multivariant.variables.clone();
            }
            Playlist::Media(media) => {
                assert_media_sound(media);
                before = Some(follow(before.as_ref(), media));
            }
        }
    }
}

/// Compares a load with the one before it, and returns the playlist that the client has then.
fn follow(before: Option<&Media>, now: &Media) -> Media {
    let Some(before) = before else { return now.clone() };
    contradiction(before, now).iter().for_each(|text| assert_harmless(text));
    let Ok(merged) = now.clone().merged_with(before) else { return now.clone() };
    assert_media_sound(&merged);
    assert!(merged.skipped.is_none() && merged.segments.len() >= now.segments.len());
    assert!(now.segments.is_empty() || merged.last_sequence() == now.last_sequence());
    merged
}

/// Asserts that a text can be shown: it has no control character and fits into a report.
fn assert_harmless(text: &str) {
    assert!(text.len() < 4_096 && !text.chars().any(char::is_control), "{text:?}");
}

/// Asserts the invariants of any multivariant playlist.
pub(super) fn assert_multivariant_sound(multivariant: &Multivariant) {
    assert!(multivariant.variants.len() <= limits::PLAYLIST_VARIANTS);
    let variants = multivariant.variants.iter().chain(&multivariant.i_frame_variants);
    variants.for_each(|variant| assert_usable(&variant.uri));
    for choice in [VariantChoice::Highest, VariantChoice::Lowest, VariantChoice::All] {
        choose(multivariant, choice);
    }
}

/// Asserts the invariants of any media playlist.
pub(super) fn assert_media_sound(media: &Media) {
    let mut pairs = media.segments.iter().zip(media.segments.iter().skip(1));
    assert!(pairs.clone().all(|(one, next)| Some(next.sequence()) == one.sequence().checked_add(1)));
    assert!(pairs.all(|(one, next)| next.discontinuity_sequence() >= one.discontinuity_sequence()));
    let longest = limits::PLAYLIST_DURATION;
    assert!(media.segments.len() <= limits::PLAYLIST_SEGMENTS);
    assert!(media.total_duration() <= longest * u32::try_from(media.segments.len()).unwrap_or(u32::MAX));
    assert!(media.target_duration <= longest);
    for segment in &media.segments {
        assert_eq!(media.segment(segment.sequence()), Some(segment));
        if !segment.uri().as_str().is_empty() || !segment.gap() {
            assert_usable(&segment.uri());
        }
        if let Some(range) = segment.byte_range() {
            assert!(range.length > 0 && range.offset.checked_add(range.length).is_some());
        }
        segment.parts().iter().for_each(|part| assert_usable(&part.uri));
    }
    assert!(media.is_same_list_as(media));
    assert!(media.clone().merged_with(media).is_ok() || media.skipped.is_some());
}

fn assert_usable<T: AsRef<str>>(uri: &Reference<T>) {
    assert!(!uri.as_str().is_empty() && !uri.as_str().chars().any(char::is_control), "{uri:?}");
    [uri.shown(), uri.shown_path()].iter().for_each(|text| assert_harmless(text));
}
