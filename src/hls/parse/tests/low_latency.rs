//! Rules about parts, hints, reports, delta updates and delivery directives.

use std::time::Duration;

use super::*;
use crate::hls::low_latency::HintKind;
use crate::hls::{ByteRange, SkipSupport};

#[test]
fn parts_belong_to_the_segment_behind_them_and_the_last_ones_to_the_unfinished() {
    let media = media_of(
        "#EXT-X-MEDIA-SEQUENCE:8\n#EXT-X-SERVER-CONTROL:PART-HOLD-BACK=1.5\n#EXT-X-PART-INF:PART-TARGET=0.5\n\
         #EXT-X-MAP:URI=\"i\"\n\
         #EXT-X-PART:DURATION=0.5,URI=\"8.0\",INDEPENDENT=YES\n#EXT-X-PART:DURATION=0.4,URI=\"8.1\",GAP=YES\n#EXTINF:0.9,\n8\n\
         #EXT-X-DISCONTINUITY\n#EXT-X-PART:DURATION=0.5,URI=\"9.0\"\n",
    );
    let parts = nth(&media, 0).parts();
    assert_eq!(parts.len(), 2);
    assert!(parts[0].independent && !parts[0].gap && parts[1].gap);
    assert_eq!(parts[1].duration, Duration::from_millis(400));
    let unfinished = media.unfinished.as_ref().expect("parts behind the last segment");
    assert_eq!((unfinished.sequence, unfinished.discontinuity_sequence), (9, 1));
    assert_eq!(unfinished.init.as_ref().expect("carried over").uri.as_str(), "i");
    assert_eq!((media.part_count(), media.part_target), (3, Some(Duration::from_millis(500))));
    assert_eq!(kinds(&media.findings), []);
}

#[test]
fn the_range_of_a_part_continues_that_of_the_part_before() {
    let media = media_of(
        "#EXT-X-SERVER-CONTROL:PART-HOLD-BACK=3\n#EXT-X-PART-INF:PART-TARGET=1\n\
         #EXT-X-PART:DURATION=1,URI=\"a\",BYTERANGE=\"10@0\"\n\
         #EXT-X-PART:DURATION=1,URI=\"a\",BYTERANGE=\"5\"\n#EXT-X-PART:DURATION=1,URI=\"b\",BYTERANGE=\"5\"\n",
    );
    let ranges: Vec<_> =
        media.unfinished.as_ref().expect("parts").parts.iter().map(|part| part.byte_range).collect();
    let range = |offset, length| Some(ByteRange { offset, length });
    assert_eq!(ranges, [range(0, 10), range(10, 5), range(0, 5)]);
    assert_eq!(kinds(&media.findings), [Finding::MissingByteRangeOffset]);
}

#[test]
fn a_part_without_address_is_left_out_and_parts_need_part_inf() {
    let media = media_of("#EXT-X-PART:DURATION=1\n#EXT-X-PART:URI=\"a\"\n");
    assert_eq!(media.part_count(), 1);
    assert_eq!(kinds(&media.findings), [Finding::MissingAttribute, Finding::MissingPartInf]);
}

#[test]
fn server_control_tells_what_is_offered() {
    let control = media_of(
        "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=24,CAN-SKIP-DATERANGES=YES,HOLD-BACK=12,PART-HOLD-BACK=1.5\n",
    )
    .server_control
    .expect("read");
    assert!(control.can_block_reload);
    assert_eq!(
        (control.skip, control.can_skip_until),
        (SkipSupport::DateRanges, Some(Duration::from_secs(24)))
    );
    assert_eq!(control.hold_back, Some(Duration::from_secs(12)));
    assert_eq!(control.part_hold_back, Some(Duration::from_millis(1500)));
    let plain = media_of("#EXT-X-SERVER-CONTROL:CAN-SKIP-DATERANGES=YES\n").server_control.expect("read");
    assert_eq!((plain.skip, plain.can_block_reload), (SkipSupport::None, false));
}

#[test]
fn hints_and_reports_are_read_and_need_their_attributes() {
    let media = media_of(
        "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"p\",BYTERANGE-START=7\n#EXT-X-PRELOAD-HINT:TYPE=MAP,URI=\"m\",BYTERANGE-LENGTH=3\n\
         #EXT-X-PRELOAD-HINT:TYPE=OTHER,URI=\"x\"\n#EXT-X-RENDITION-REPORT:URI=\"../a.m3u8\",LAST-MSN=9,LAST-PART=2\n#EXT-X-RENDITION-REPORT:LAST-MSN=9\n",
    );
    let hints: Vec<_> = media
        .preload_hints
        .iter()
        .map(|hint| (hint.kind, hint.uri.as_str(), hint.offset, hint.length))
        .collect();
    assert_eq!(hints, [(HintKind::Part, "p", 7, None), (HintKind::Init, "m", 0, Some(3))]);
    let [report] = media.rendition_reports.as_slice() else { panic!("{:?}", media.rendition_reports) };
    assert_eq!((report.last_sequence, report.last_part), (Some(9), Some(2)));
    assert_eq!(media.findings.get(Finding::MissingAttribute).expect("noted").count, 2);
}

#[test]
fn skipped_segments_count_in_the_numbering() {
    let media = media_of(
        "#EXT-X-MEDIA-SEQUENCE:10\n#EXT-X-SKIP:SKIPPED-SEGMENTS=3,RECENTLY-REMOVED-DATERANGES=\"a\tb\"\n#EXTINF:4,\nx\n",
    );
    assert_eq!((media.media_sequence, nth(&media, 0).sequence()), (10, 13));
    let skipped = media.skipped.expect("a delta update");
    let removed: Vec<_> = skipped.removed_date_ranges.iter().map(|id| id.as_str()).collect();
    assert_eq!((skipped.segments, removed), (3, vec!["a", "b"]));
}

#[test]
fn a_skip_beyond_64_bits_is_an_error() {
    let text = b"#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:10\n#EXT-X-SKIP:SKIPPED-SEGMENTS=18446744073709551615\n";
    assert_eq!(fault(text), Fault::PlaylistSyntax);
}
