//! Tests of the columns: their size, their numbers, ranges of them.

use super::*;
use crate::hls::parse::tests::media;

/// Builds a list of `count` segments with `lines` before each.
fn list(count: usize, lines: &str, uri: impl Fn(usize) -> String) -> Segments {
    let segments =
        (0..count).map(|n| format!("{}#EXTINF:4,\n{}\n", lines.replace("{n}", &n.to_string()), uri(n)));
    let text = segments.collect::<String>();
    media(&format!("#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:4\n{text}#EXT-X-ENDLIST\n")).segments
}

fn bytes_each(list: &Segments) -> f64 {
    list.heap_bytes() as f64 / list.len() as f64
}

#[test]
fn a_segment_of_a_long_list_costs_a_few_bytes() {
    let token = "0123456789abcdef".repeat(8);
    for (lines, most) in [
        ("", 14.0),
        ("#EXT-X-PROGRAM-DATE-TIME:2026-01-02T03:04:05.678Z\n", 16.0),
        ("#EXT-X-MAP:URI=\"init.mp4\"\n#EXT-X-KEY:METHOD=AES-128,URI=\"k\"\n", 14.0),
        ("#EXT-X-BYTERANGE:1000@{n}\n", 18.0),
    ] {
        let bytes = bytes_each(&list(10_800, lines, |n| format!("segment-{n:08}.ts?token={token}")));
        assert!(bytes < most, "{bytes} bytes for each with {lines}");
    }
}

#[test]
fn the_newest_of_a_list_keep_their_numbers_and_all_they_have() {
    let lines = "#EXT-X-DISCONTINUITY\n#EXT-X-MAP:URI=\"i{n}\"\n#EXT-X-BYTERANGE:9@{n}\n";
    let mut all = list(500, lines, |n| format!("{n}.ts"));
    all.number(7, 3);
    let newest = all.clone().newest(200);
    assert!(newest.iter().eq(all.range(300..500)));
    assert_eq!(newest.first().expect("some").sequence(), 307);
    assert_eq!(newest.first().expect("some").discontinuity_sequence(), 304);
    assert_eq!(all.clone().newest(500), all);
}

#[test]
fn a_range_beyond_the_list_ends_with_it() {
    let list = list(3, "", |n| n.to_string());
    assert_eq!(list.range(1..9).len(), 2);
    assert_eq!(list.range(5..9).len(), 0);
    assert_eq!((list.get(3), list.range(0..0).next()), (None, None));
    assert_eq!(list.iter().rev().map(|segment| segment.sequence()).collect::<Vec<_>>(), [2, 1, 0]);
}
