//! Rules about media playlists and their segments (sections 4.4.3 and 4.4.4).

use std::{sync::Arc, time::Duration};

use super::*;
use crate::hls::{ByteRange, KeyMethod, PlaylistType, Segment};

fn uris(media: &Media) -> Vec<String> {
    media.segments.iter().map(|segment| segment.uri().as_str().to_owned()).collect()
}

fn key_uris(segment: Segment<'_>) -> Vec<&str> {
    segment.keys().iter().filter_map(|key| key.uri.as_ref()).map(|uri| uri.as_str()).collect()
}

#[test]
fn sequence_numbers_count_from_media_sequence_wherever_it_stands() {
    for lines in [
        "#EXT-X-MEDIA-SEQUENCE:41\n#EXTINF:4,\na\n#EXTINF:4,\nb\n",
        "#EXTINF:4,\na\n#EXTINF:4,\nb\n#EXT-X-MEDIA-SEQUENCE:41\n",
    ] {
        let sequences: Vec<_> = media_of(lines).segments.iter().map(Segment::sequence).collect();
        assert_eq!(sequences, [41, 42]);
    }
}

#[test]
fn a_media_sequence_that_is_no_number_is_0_and_one_beyond_64_bits_an_error() {
    for bad in ["abc", "-1", "", "1.5"] {
        let media = media_of(&format!("#EXT-X-MEDIA-SEQUENCE:{bad}\n"));
        assert_eq!(media.media_sequence, 0);
        assert_eq!(kinds(&media.findings), [Finding::BadMediaSequence], "{bad}");
    }
    for (number, faulty) in
        [("99999999999999999999", true), ("18446744073709551615", true), ("18446744073709551614", false)]
    {
        let text =
            format!("#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:{number}\n#EXTINF:4,\na\n");
        assert_eq!(parse(text.as_bytes()).is_err_and(|error| error.fault == Fault::PlaylistSyntax), faulty);
    }
}

#[test]
fn the_target_duration_may_be_missing_or_odd() {
    for (line, seconds, finding) in [
        ("", 6.0, Some(Finding::MissingTargetDuration)),
        ("#EXT-X-TARGETDURATION:8", 8.0, None),
        ("#EXT-X-TARGETDURATION:6.5", 6.5, Some(Finding::BadTargetDuration)),
        ("#EXT-X-TARGETDURATION:4000000000", 366.0 * 86_400.0, None),
        ("#EXT-X-TARGETDURATION:99999999999999999999", 366.0 * 86_400.0, Some(Finding::BadTargetDuration)),
        ("#EXT-X-TARGETDURATION:0", 0.0, Some(Finding::BadTargetDuration)),
        ("#EXT-X-TARGETDURATION:-1", 6.0, Some(Finding::BadTargetDuration)),
        ("#EXT-X-TARGETDURATION:abc", 6.0, Some(Finding::BadTargetDuration)),
        ("#EXT-X-TARGETDURATION:1e12", 366.0 * 86_400.0, Some(Finding::BadTargetDuration)),
    ] {
        let media = media(&format!("#EXTM3U\n{line}\n#EXTINF:6,\na\n"));
        assert_eq!(media.target_duration.as_secs_f64(), seconds, "{line}");
        assert_eq!(kinds(&media.findings).first().copied(), finding, "{line}");
    }
}

#[test]
fn an_odd_extinf_keeps_its_segment() {
    for (value, seconds) in
        [("0,", 0.0), ("-1,", 0.0), ("NaN,", 0.0), ("inf,", 0.0), ("x", 0.0), ("", 0.0), (".36,", 0.36)]
    {
        let media = media_of(&format!("#EXTINF:{value}\na\n"));
        assert_eq!(nth(&media, 0).duration().as_secs_f64(), seconds, "{value}");
    }
    let longest = media_of("#EXTINF:1e308,\na\n#EXTINF:1e308,\nb\n");
    assert_eq!(longest.total_duration(), Duration::from_secs(2 * 366 * 86_400));
    assert_eq!(kinds(&longest.findings), [Finding::BadExtinf, Finding::TargetDurationExceeded]);
}

#[test]
fn extinf_may_lack_its_comma_its_address_or_itself() {
    let media = media_of("#EXTINF:4\na\n#EXTINF:3,\n#EXTINF:5,title, with comma\nb\nc\n#EXTINF:6,\n");
    assert_eq!(uris(&media), ["a", "b", "c"]);
    assert_eq!(media.total_duration(), Duration::from_secs(9));
    let expected = [Finding::MissingExtinfComma, Finding::ExtinfWithoutUri, Finding::MissingExtinf];
    assert_eq!(kinds(&media.findings), expected);
    assert_eq!(media.findings.get(Finding::ExtinfWithoutUri).expect("noted").count, 2);
}

#[test]
fn a_segment_longer_than_the_target_duration_is_warned_of_after_rounding() {
    assert!(media_of("#EXTINF:10.4,\na\n").findings.is_empty());
    assert_eq!(kinds(&media_of("#EXTINF:10.5,\na\n").findings), [Finding::TargetDurationExceeded]);
}

#[test]
fn a_segment_whose_address_cannot_be_requested_keeps_its_number_as_a_gap() {
    let media = media_of("#EXTINF:4,\na\n#EXTINF:4,\nb\x1b[2J\n#EXTINF:4,\nc\n");
    assert_eq!(uris(&media), ["a", "", "c"]);
    assert!(nth(&media, 1).gap() && !nth(&media, 2).gap());
    assert_eq!(nth(&media, 2).sequence(), 2);
    assert_eq!(kinds(&media.findings), [Finding::ControlCharacter, Finding::BadUri]);
}

#[test]
fn a_playlist_without_any_usable_address_is_an_error() {
    assert_eq!(fault(b"#EXTM3U\n#EXTINF:4,\na\x1bb\n"), Fault::PlaylistSemantic);
}

#[test]
fn a_range_without_offset_continues_the_same_resource_only() {
    let media = media_of(
        "#EXTINF:4,\n#EXT-X-BYTERANGE:10@5\na\n#EXTINF:4,\n#EXT-X-BYTERANGE:20\na\n#EXT-X-BYTERANGE:7\n#EXTINF:4,\nb\n#EXTINF:4,\nb\n",
    );
    let ranges: Vec<_> = media.segments.iter().map(Segment::byte_range).collect();
    let range = |offset, length| Some(ByteRange { offset, length });
    assert_eq!(ranges, [range(5, 10), range(15, 20), range(0, 7), None]);
    assert_eq!(kinds(&media.findings), [Finding::MissingByteRangeOffset]);
}

#[test]
fn a_range_that_is_empty_no_number_or_too_far_is_left_out() {
    for bad in ["0@1", "x@1", "1@x", "-1", "", "2@18446744073709551615"] {
        let media = media_of(&format!("#EXT-X-BYTERANGE:{bad}\n#EXTINF:4,\na\n"));
        assert_eq!(nth(&media, 0).byte_range(), None);
        assert!(media.findings.get(Finding::BadByteRange).is_some(), "{bad}");
    }
    let chain = media_of(
        "#EXT-X-BYTERANGE:9@18446744073709551600\n#EXTINF:4,\na\n#EXT-X-BYTERANGE:9\n#EXTINF:4,\na\n",
    );
    assert_eq!(nth(&chain, 1).byte_range(), None);
}

#[test]
fn an_init_section_holds_until_the_next_and_is_shared() {
    let media = media_of(
        "#EXT-X-MAP:URI=\"i\",BYTERANGE=\"7@3\"\n#EXTINF:4,\na\n#EXTINF:4,\nb\n#EXT-X-MAP:URI=\"j\"\n#EXTINF:4,\nc\n",
    );
    let inits: Vec<_> = media.segments.iter().map(|segment| segment.init().expect("an init")).collect();
    assert!(Arc::ptr_eq(inits[0], inits[1]));
    assert_eq!(inits[0].byte_range, Some(ByteRange { offset: 3, length: 7 }));
    assert_eq!((inits[0].uri.as_str(), inits[2].uri.as_str()), ("i", "j"));
}

#[test]
fn a_key_holds_until_the_next_of_its_format_and_none_ends_all() {
    let media = media_of(
        "#EXTINF:4,\n0\n#EXT-X-KEY:METHOD=AES-128,URI=\"k1\"\n#EXTINF:4,\n1\n\
         #EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"f\",KEYFORMAT=\"com.x\"\n#EXTINF:4,\n2\n\
         #EXT-X-KEY:METHOD=AES-128,URI=\"k2\",KEYFORMAT=\"identity\"\n#EXTINF:4,\n3\n\
         #EXT-X-KEY:METHOD=NONE\n#EXTINF:4,\n4\n",
    );
    let keys: Vec<_> = media.segments.iter().map(key_uris).collect();
    assert_eq!(keys, [vec![], vec!["k1"], vec!["k1", "f"], vec!["f", "k2"], vec![]]);
    assert_eq!(nth(&media, 2).keys()[1].method, KeyMethod::SampleAes);
    assert!(nth(&media, 3).keys()[1].is_identity());
    assert!(media.findings.is_empty(), "{:?}", media.findings);
}

#[test]
fn a_key_is_shared_by_its_segments_and_holds_for_the_init_section_behind_it() {
    let media = media_of(
        "#EXT-X-KEY:METHOD=AES-128,URI=\"k\",IV=0x10\n#EXT-X-MAP:URI=\"i\"\n#EXT-X-KEY:METHOD=NONE\n#EXTINF:4,\na\n#EXTINF:4,\nb\n",
    );
    let init = nth(&media, 1).init().expect("an init");
    assert_eq!(init.keys.as_deref().expect("keys")[0].iv, Some(16_u128.to_be_bytes()));
    assert!(nth(&media, 1).keys().is_empty());
}

#[test]
fn every_method_that_is_defined_is_known() {
    for (name, method) in [
        ("AES-128", KeyMethod::Aes128),
        ("SAMPLE-AES", KeyMethod::SampleAes),
        ("SAMPLE-AES-CTR", KeyMethod::SampleAesCtr),
        ("AES-256-GCM", KeyMethod::Aes256Gcm),
    ] {
        let media = media_of(&format!("#EXT-X-KEY:METHOD={name},URI=\"k\"\n#EXTINF:4,\na\n"));
        assert_eq!((nth(&media, 0).keys()[0].method, kinds(&media.findings)), (method, vec![]), "{name}");
    }
}

#[test]
fn what_is_clear_needs_no_attribute_but_the_method() {
    assert_eq!(kinds(&media_of("#EXT-X-KEY:METHOD=NONE\n#EXTINF:4,\na\n").findings), []);
    let media = media_of("#EXT-X-KEY:METHOD=NONE,URI=\"k\"\n#EXTINF:4,\na\n");
    assert_eq!(
        (nth(&media, 0).keys(), kinds(&media.findings)),
        (&[][..], vec![Finding::KeyNoneWithAttributes])
    );
}

#[test]
fn a_control_character_is_noticed_wherever_it_stands_but_between_ids_that_are_skipped() {
    for line in ["#EXTINF:4,a\tb", "# a\u{1b}[2J", "#EXT-X-UNKNOWN:\u{7f}", "#EXTINF:4,\u{9b}31m"] {
        let media = media_of(&format!("{line}\n#EXTINF:4,\na\n"));
        assert!(media.findings.get(Finding::ControlCharacter).is_some(), "{line:?}");
    }
    let skip = |ids: &str| {
        let media = media_of(&format!(
            "#EXT-X-SKIP:SKIPPED-SEGMENTS=1,RECENTLY-REMOVED-DATERANGES=\"{ids}\"\n#EXTINF:4,\na\n"
        ));
        media.findings.get(Finding::ControlCharacter).is_some()
    };
    assert!(!skip("a\tb") && skip("a\t\u{7}b"));
    assert!(media_of("#EXTINF:4,ü\u{2028}\na\n").findings.is_empty());
}

#[test]
fn an_attribute_that_stands_twice_is_noticed_and_the_last_one_counts() {
    let media = media_of("#EXT-X-MAP:URI=\"i\",URI=\"j\"\n#EXTINF:4,\na\n");
    assert_eq!(nth(&media, 0).init().expect("an init").uri.as_str(), "j");
    assert_eq!(kinds(&media.findings), [Finding::DuplicateAttribute]);
}

#[test]
fn a_key_without_address_known_method_or_sound_iv_still_says_that_data_is_encrypted() {
    for bad in [
        "METHOD=AES-128",
        "METHOD=ROT13,URI=\"k\"",
        "URI=\"k\"",
        "METHOD=AES-128,URI=\"k\",IV=0x+1",
        "METHOD=AES-128,URI=\"k\",IV=99",
    ] {
        let media = media_of(&format!("#EXT-X-KEY:{bad}\n#EXTINF:4,\na\n"));
        assert_eq!(nth(&media, 0).keys().len(), 1);
        assert_eq!(kinds(&media.findings), [Finding::BadKey], "{bad}");
    }
}

#[test]
fn each_discontinuity_tag_raises_the_discontinuity_sequence() {
    let media = media_of(
        "#EXT-X-DISCONTINUITY-SEQUENCE:5\n#EXTINF:4,\na\n#EXT-X-DISCONTINUITY\n#EXT-X-DISCONTINUITY\n#EXTINF:4,\nb\n#EXTINF:4,\nc\n",
    );
    let timelines: Vec<_> = media
        .segments
        .iter()
        .map(|segment| (segment.discontinuity(), segment.discontinuity_sequence()))
        .collect();
    assert_eq!(timelines, [(false, 5), (true, 7), (false, 7)]);
}

#[test]
fn a_bitrate_holds_for_the_segments_behind_it_that_are_no_sub_ranges() {
    let media =
        media_of("#EXT-X-BITRATE:200\n#EXTINF:4,\na\n#EXT-X-BYTERANGE:9@0\n#EXTINF:4,\nb\n#EXTINF:4,\nc\n");
    let bitrates: Vec<_> = media.segments.iter().map(Segment::bitrate).collect();
    assert_eq!(bitrates, [Some(200_000), None, Some(200_000)]);
}

#[test]
fn a_date_may_stand_behind_extinf_and_have_any_zone() {
    for (text, expected) in [
        ("2026-01-02T03:04:05.250Z", "2026-01-02T03:04:05.25Z"),
        ("2026-01-02T03:04:05+01:00", "2026-01-02T02:04:05Z"),
        ("2026-01-02T03:04:05+0100", "2026-01-02T02:04:05Z"),
        ("2026-01-02T03:04:05", "2026-01-02T03:04:05Z"),
    ] {
        let media = media_of(&format!("#EXTINF:4,\n#EXT-X-PROGRAM-DATE-TIME:{text}\na\n"));
        assert_eq!(nth(&media, 0).date_time().expect(text).to_string(), expected);
    }
    let bad = media_of("#EXT-X-PROGRAM-DATE-TIME:yesterday\n#EXTINF:4,\na\n");
    assert_eq!((nth(&bad, 0).date_time(), kinds(&bad.findings)), (None, vec![Finding::BadDate]));
}

#[test]
fn a_gap_holds_for_one_segment() {
    let media = media_of("#EXT-X-GAP\n#EXTINF:4,\na\n#EXTINF:4,\nb\n");
    assert!(nth(&media, 0).gap() && !nth(&media, 1).gap());
}

#[test]
fn tags_of_the_list_are_read_wherever_they_stand() {
    let media = media_of(
        "#EXTINF:4,\na\n#EXT-X-PLAYLIST-TYPE:EVENT\n#EXT-X-I-FRAMES-ONLY\n#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-ENDLIST\n",
    );
    assert_eq!(media.playlist_type, Some(PlaylistType::Event));
    assert!(media.endlist && media.i_frames_only && media.independent_segments);
}

#[test]
fn a_date_range_is_known_by_its_id_and_its_values_are_checked() {
    let media = media_of(
        "#EXT-X-DATERANGE:ID=\"ad\",CLASS=\"c\",START-DATE=\"2026-01-02T03:04:05Z\",DURATION=30.5,END-ON-NEXT=YES,SCTE35-OUT=0xFC,X-COM=\"a,b\"\n\
         #EXT-X-DATERANGE:CLASS=\"c\"\n#EXT-X-DATERANGE:ID=\"b\",END-DATE=\"never\"\n",
    );
    let ids: Vec<_> = media.date_ranges.iter().map(Text::as_str).collect();
    assert_eq!(ids, ["ad", "b"]);
    assert_eq!(kinds(&media.findings), [Finding::MissingAttribute, Finding::BadDate]);
}
