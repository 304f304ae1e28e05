//! Properties that every input must have, checked on random combinations of the lines below and on other bytes.

use std::{sync::Arc, time::Duration};

use proptest::prelude::*;

use super::*;
use crate::hls::fuzzing::{assert_media_sound, assert_multivariant_sound};
use crate::hls::{Differences, Loaded, Watch};

/// Lines from which playlists are assembled, sound and broken ones.
const LINES: &[&str] = &[
    "#EXTM3U",
    "#EXT-X-VERSION:9",
    "#EXT-X-TARGETDURATION:4",
    "#EXT-X-TARGETDURATION:-1",
    "#EXT-X-MEDIA-SEQUENCE:18446744073709551614",
    "#EXT-X-MEDIA-SEQUENCE:7",
    "#EXT-X-DISCONTINUITY-SEQUENCE:18446744073709551615",
    "#EXT-X-DISCONTINUITY",
    "#EXTINF:4.0,",
    "#EXTINF:1e308,",
    "#EXTINF:NaN",
    "#EXT-X-BYTERANGE:10@18446744073709551600",
    "#EXT-X-BYTERANGE:10",
    "#EXT-X-KEY:METHOD=AES-128,URI=\"k\",IV=0xFF",
    "#EXT-X-KEY:METHOD=NONE",
    "#EXT-X-MAP:URI=\"i\",BYTERANGE=\"7@0\"",
    "#EXT-X-PROGRAM-DATE-TIME:2026-01-02T03:04:05Z",
    "#EXT-X-GAP",
    "#EXT-X-BITRATE:18446744073709551615",
    "#EXT-X-PART-INF:PART-TARGET=0.5",
    "#EXT-X-PART:DURATION=0.5,URI=\"p\",BYTERANGE=\"5\"",
    "#EXT-X-SKIP:SKIPPED-SEGMENTS=3",
    "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"p\"",
    "#EXT-X-RENDITION-REPORT:URI=\"r\",LAST-MSN=1",
    "#EXT-X-SERVER-CONTROL:CAN-SKIP-UNTIL=24,HOLD-BACK=-1",
    "#EXT-X-DATERANGE:ID=\"d\",START-DATE=\"2026-01-02T03:04:05Z\",X=1",
    "#EXT-X-DEFINE:NAME=\"v\",VALUE=\"w{$v}\"",
    "#EXT-X-DEFINE:QUERYPARAM=\"q\"",
    "#EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO=\"a\"",
    "#EXT-X-STREAM-INF:BANDWIDTH=1,REQ-X=1",
    "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"n\",URI=\"a\"",
    "#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1,URI=\"i\"",
    "#EXT-X-SESSION-DATA:DATA-ID=\"d\"",
    "#EXT-X-ENDLIST",
    "#EXT",
    "#",
    "",
    "a.ts",
    "{$v}.ts",
    "b\u{1b}[2J.ts",
    "ü ö?token=1",
];

/// Asserts the invariants of any result.
fn assert_sound(bytes: &[u8]) {
    match parse(bytes) {
        Ok(Playlist::Media(media)) => assert_media_sound(&media),
        Ok(Playlist::Multivariant(multivariant)) => assert_multivariant_sound(&multivariant),
        Err(error) => assert!(error.fault.name().starts_with("playlist."), "{error}"),
    }
}

/// Generates playlists assembled from [`LINES`], most with a header.
fn assembled() -> impl Strategy<Value = Vec<u8>> {
    let lines = proptest::collection::vec(proptest::sample::select(LINES), 0..40);
    let ends = proptest::sample::select(vec!["\n", "\r\n", "\r", " \n"]);
    (lines, ends).prop_map(|(lines, end)| format!("#EXTM3U{end}{}", lines.join(end)).into_bytes())
}

proptest! {
    #[test]
    fn any_lines_in_any_order_give_a_sound_playlist_or_an_error(bytes in assembled()) {
        assert_sound(&bytes);
    }

    #[test]
    fn flipped_bytes_and_splices_give_a_sound_playlist_or_an_error(
        bytes in assembled(),
        flips in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 0..8),
        (from, to) in (any::<proptest::sample::Index>(), any::<proptest::sample::Index>()),
    ) {
        let mut bytes = bytes;
        for (at, byte) in flips {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let (from, to) = (from.index(bytes.len()), to.index(bytes.len()));
        let piece = bytes[from.min(to)..from.max(to)].to_vec();
        bytes.splice(to..to, piece);
        assert_sound(&bytes);
    }

    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..500)) {
        assert_sound(&bytes);
        assert_sound(&[b"#EXTM3U\n", bytes.as_slice()].concat());
    }

    #[test]
    fn a_delta_update_of_any_playlist_merges_or_is_refused(new in assembled(), old in assembled()) {
        if let (Ok(Playlist::Media(new)), Ok(Playlist::Media(old))) = (parse(&new), parse(&old))
            && let Ok(merged) = new.merged_with(&old)
        {
            assert_media_sound(&merged);
        }
    }

    #[test]
    fn any_lists_in_succession_are_compared_and_a_list_never_contradicts_itself(
        lists in proptest::collection::vec(assembled(), 1..5),
    ) {
        let (mut watch, differences) = (Watch::default(), Differences::default());
        let lists = lists.iter().filter_map(|bytes| parse(bytes).ok());
        for (list, seconds) in lists.flat_map(|list| [list.clone(), list]).map(Arc::new).zip(0_u64..) {
            let since = Duration::from_secs(seconds);
            let mut found = Vec::new();
            watch.take(&list, Loaded { since, until: since }, &differences, &mut |finding, detail| found.push((finding, detail())));
            // Each playlist comes twice, a second apart.
            let only_stale = found.iter().all(|(finding, _)| *finding == Finding::PlaylistStale);
            prop_assert!(only_stale || seconds % 2 == 0, "{found:?}");
        }
    }
}
