//! Whole playlists as files under `tests/data`, each for one reason.

use super::*;
use crate::hls::ByteRange;

macro_rules! file {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/", $name))
    };
}

#[test]
fn a_live_window_of_fragmented_mp4_is_sound() {
    let list = media(file!("live_fmp4.m3u8"));
    assert!(list.findings.is_empty(), "{:?}", list.findings);
    assert_eq!((list.media_sequence, list.last_sequence(), list.endlist), (1041, Some(1046), false));
    assert_eq!(list.total_duration().as_secs_f64(), 12.0);
    assert!(list.segments.iter().all(|segment| segment.init().is_some()));
}

#[test]
fn a_low_latency_playlist_is_sound() {
    let list = media(file!("low_latency.m3u8"));
    assert!(list.findings.is_empty(), "{:?}", list.findings);
    assert_eq!((list.segments.len(), list.part_count()), (3, 6));
    assert_eq!(list.unfinished.as_ref().map(|unfinished| unfinished.sequence), Some(269));
    assert_eq!((list.preload_hints.len(), list.rendition_reports.len()), (1, 2));
}

#[test]
fn byte_ranges_in_one_file_follow_one_another() {
    let list = media(file!("byte_ranges.m3u8"));
    assert!(list.findings.is_empty(), "{:?}", list.findings);
    let ranges: Vec<_> = list.segments.iter().filter_map(Segment::byte_range).collect();
    assert_eq!(ranges.len(), 3);
    assert!(ranges.windows(2).all(|pair| pair[0].end() == pair[1].offset));
    assert_eq!(ranges[0], ByteRange { offset: 720, length: 75_232 });
}

#[test]
fn a_multivariant_playlist_with_audio_and_subtitles_is_sound() {
    let list = multivariant(file!("multivariant.m3u8"));
    assert!(list.findings.is_empty(), "{:?}", list.findings);
    assert_eq!((list.variants.len(), list.renditions.len(), list.i_frame_variants.len()), (3, 3, 1));
}

#[test]
fn what_many_origins_get_wrong_is_tolerated_and_named() {
    let list = media(file!("bad_many_origins.m3u8"));
    assert_eq!(list.segments.len(), 3);
    assert_eq!(
        kinds(&list.findings),
        [
            Finding::Whitespace,
            Finding::MissingExtinfComma,
            Finding::BadDate,
            Finding::MissingExtinf,
            Finding::ExtinfWithoutUri,
            Finding::MissingTargetDuration,
            Finding::VersionTooLow,
        ]
    );
}

#[test]
fn an_error_page_is_no_playlist() {
    let error = parse(file!("bad_error_page.html").as_bytes()).expect_err("refused");
    assert_eq!(error.fault, Fault::PlaylistNotM3u8);
    assert!(error.to_string().contains("<!DOCTYPE html>"), "{error}");
}

#[test]
fn a_media_playlist_appended_to_a_multivariant_one_is_refused() {
    assert_eq!(fault(file!("bad_both_kinds.m3u8").as_bytes()), Fault::PlaylistSyntax);
}
