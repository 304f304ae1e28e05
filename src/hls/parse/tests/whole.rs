//! Rules about the playlist as a whole: kind, version, variables, limits.

use std::fmt::Write as _;

use super::*;
use crate::{hls::Variables, vocabulary::limits};

const STREAM: &str = "#EXT-X-STREAM-INF:BANDWIDTH=1\nv.m3u8\n";
const SEGMENT: &str = "#EXTINF:4,\na.ts\n";

#[test]
fn tags_of_both_kinds_in_one_playlist_are_an_error() {
    for text in [format!("#EXTM3U\n{STREAM}{SEGMENT}"), format!("#EXTM3U\n{SEGMENT}{STREAM}")] {
        assert_eq!(fault(text.as_bytes()), Fault::PlaylistSyntax, "{text}");
    }
}

#[test]
fn session_tags_alone_make_a_multivariant_playlist_and_do_no_harm_in_a_media_playlist() {
    let session = "#EXT-X-SESSION-KEY:METHOD=AES-128,URI=\"k\"\n";
    assert_eq!(multivariant(&format!("#EXTM3U\n{session}")).session_keys.len(), 1);
    let media = media(&format!("#EXTM3U\n#EXT-X-TARGETDURATION:4\n{session}{SEGMENT}"));
    assert_eq!((media.segments.len(), kinds(&media.findings)), (1, vec![Finding::MisplacedTag]));
}

#[test]
fn a_playlist_without_any_tag_is_an_empty_media_playlist() {
    assert!(media("#EXTM3U\n").segments.is_empty());
}

#[test]
fn unknown_tags_and_comments_are_ignored_without_a_word() {
    let media = media_of(&format!("#EXT-X-CUE-OUT:30\n#EXT\n# comment\n## more\n\n{SEGMENT}"));
    assert_eq!(media.segments.len(), 1);
    assert!(media.findings.is_empty(), "{:?}", media.findings);
}

#[test]
fn a_bad_line_costs_nothing_but_itself() {
    let lines = format!("{SEGMENT}#EXT-X-BITRATE:x\n#EXT-X-PLAYLIST-TYPE:LIVE\n#EXT-X-MAP:junk\n{SEGMENT}");
    let media = media_of(&lines);
    assert_eq!(media.segments.len(), 2);
    let expected = [Finding::BadTag, Finding::BadAttributeList, Finding::MissingAttribute];
    assert_eq!(kinds(&media.findings), expected);
    assert_eq!(media.findings.get(Finding::BadTag).expect("noted").line, 6);
}

#[test]
fn all_line_ends_give_the_same_playlist() {
    let text =
        format!("#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-KEY:METHOD=AES-128,URI=\"k\"\n{SEGMENT}b.ts");
    let expected = media(&text).segments;
    for end in ["\r\n", "\r", " \t\n"] {
        assert_eq!(media(&text.replace('\n', end)).segments, expected, "{end:?}");
    }
}

#[test]
fn a_byte_order_mark_a_bare_cr_and_white_space_are_warned_of() {
    let list = media("\u{feff}#EXTM3U\r#EXT-X-TARGETDURATION:4 \n");
    let expected = [Finding::ByteOrderMark, Finding::BareCarriageReturn, Finding::Whitespace];
    assert_eq!(kinds(&list.findings), expected);
}

#[test]
fn a_version_that_is_too_low_is_warned_of_where_it_shows() {
    for (version, line, low) in [
        (2, "#EXTINF:4.5,\na.ts", true),
        (3, "#EXTINF:4.5,\na.ts", false),
        (3, "#EXT-X-BYTERANGE:1@0\n#EXTINF:4,\na.ts", true),
        (5, "#EXT-X-MAP:URI=\"i\"", true),
        (6, "#EXT-X-MAP:URI=\"i\"", false),
        (1, "#EXT-X-KEY:METHOD=AES-128,URI=\"k\",IV=0x1", true),
        (7, "#EXT-X-DEFINE:NAME=\"a\",VALUE=\"b\"", true),
        (8, "#EXT-X-SKIP:SKIPPED-SEGMENTS=1", true),
    ] {
        let media = media(&format!("#EXTM3U\n#EXT-X-VERSION:{version}\n#EXT-X-TARGETDURATION:5\n{line}\n"));
        assert_eq!(media.findings.get(Finding::VersionTooLow).is_some(), low, "{version} {line}");
        assert_eq!(media.version, version);
    }
    assert_eq!(
        kinds(&media("#EXTM3U\n#EXT-X-VERSION:14\n#EXT-X-TARGETDURATION:5").findings),
        [Finding::VersionUnknown]
    );
}

#[test]
fn a_start_is_read_and_needs_its_offset() {
    let start = media_of("#EXT-X-START:TIME-OFFSET=-12.5,PRECISE=YES\n").start.expect("a start");
    assert_eq!(start.time_offset, -12.5);
    assert_eq!(media_of("#EXT-X-START:PRECISE=YES\n").start, None);
}

#[test]
fn variables_are_replaced_in_addresses_and_quoted_attributes() {
    let media = media_of(
        "#EXT-X-DEFINE:NAME=\"host\",VALUE=\"cdn\"\n#EXT-X-DEFINE:NAME=\"iv\",VALUE=\"ff\"\n\
         #EXT-X-KEY:METHOD=AES-128,URI=\"{$host}/k\",IV=0x{$iv}\n#EXTINF:4,{$unknown}\n{$host}/a.ts\n",
    );
    let segment = nth(&media, 0);
    assert_eq!(segment.uri().as_str(), "cdn/a.ts");
    assert_eq!(segment.keys()[0].uri.as_ref().expect("an address").as_str(), "cdn/k");
    assert_eq!(segment.keys()[0].iv, Some(255_u128.to_be_bytes()));
}

#[test]
fn an_undefined_variable_and_one_defined_twice_fail_the_playlist() {
    for lines in [
        "#EXTINF:4,\n{$x}.ts\n",
        "#EXTINF:4,\n{$x}.ts\n#EXT-X-DEFINE:NAME=\"x\",VALUE=\"1\"\n",
        "#EXT-X-DEFINE:NAME=\"x\",VALUE=\"1\"\n#EXT-X-DEFINE:NAME=\"x\",VALUE=\"1\"\n",
        "#EXT-X-DEFINE:NAME=\"not a name\",VALUE=\"1\"\n",
    ] {
        assert_eq!(fault(format!("#EXTM3U\n{lines}").as_bytes()), Fault::PlaylistSyntax, "{lines}");
    }
}

const FROM_OUTSIDE: &str = "#EXTM3U\n#EXT-X-VERSION:11\n#EXT-X-TARGETDURATION:4\n#EXT-X-DEFINE:IMPORT=\"host\"\n\
    #EXT-X-DEFINE:QUERYPARAM=\"token\"\n#EXTINF:4,\n{$host}/a.ts?{$token}\n";

#[test]
fn variables_come_from_the_query_and_from_the_multivariant_playlist() {
    let above = multivariant(&format!("#EXTM3U\n#EXT-X-DEFINE:NAME=\"host\",VALUE=\"cdn\"\n{STREAM}"));
    let context = Context { query: Some("x=1&token=a%2Fb"), imported: Some(&above.variables) };
    let Ok(Playlist::Media(media)) = parse_in(FROM_OUTSIDE.as_bytes(), &context) else {
        panic!("a media playlist")
    };
    assert_eq!(nth(&media, 0).uri().as_str(), "cdn/a.ts?a/b");
    let variables = Variables::default();
    for context in [
        Context { query: None, imported: Some(&above.variables) },
        Context { query: Some("token=1"), imported: Some(&variables) },
        Context { query: Some("token="), imported: Some(&above.variables) },
    ] {
        let error = parse_in(FROM_OUTSIDE.as_bytes(), &context).expect_err("undefined");
        assert_eq!(error.fault, Fault::PlaylistSyntax);
    }
}

#[test]
fn where_nothing_is_known_variables_from_outside_stay_as_they_are_written() {
    let media = media(FROM_OUTSIDE);
    assert_eq!(nth(&media, 0).uri().as_str(), "{$host}/a.ts?{$token}");
    assert_eq!(kinds(&media.findings), [Finding::UnresolvedVariable]);
}

#[test]
fn variables_cannot_blow_a_playlist_up() {
    let value = "x".repeat(60_000);
    let mut text = format!("#EXTM3U\n#EXT-X-DEFINE:NAME=\"a\",VALUE=\"{value}\"\n");
    for _ in 0..1000 {
        text.push_str("{$a}\n");
    }
    assert_eq!(fault(text.as_bytes()), Fault::PlaylistLimit);
    let line = format!("#EXTM3U\n#EXT-X-DEFINE:NAME=\"a\",VALUE=\"{value}\"\n{{$a}}{{$a}}\n");
    assert_eq!(fault(line.as_bytes()), Fault::PlaylistLimit);
}

#[test]
fn a_tag_that_demands_the_unknown_is_ignored_with_its_address() {
    let list = multivariant(&format!("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=9,REQ-X=\"1\"\nx.m3u8\n{STREAM}"));
    assert_eq!(list.variants.len(), 1);
    assert_eq!(list.variants[0].uri.as_str(), "v.m3u8");
    assert_eq!(kinds(&list.findings), [Finding::UnknownRequirement]);
}

#[test]
fn of_a_long_vod_the_first_segments_are_kept_and_of_a_long_live_list_the_newest() {
    let count = 2 * limits::PLAYLIST_SEGMENTS + 7;
    let mut text = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:5\n".to_owned();
    for number in 0..count {
        writeln!(text, "#EXTINF:1,\n{number}").expect("into a string");
    }
    let live = media(&text);
    assert_eq!(live.segments.len(), limits::PLAYLIST_SEGMENTS);
    assert_eq!(live.last_sequence(), Some(5 + count as u64 - 1));
    assert_eq!(live.segments.last().expect("some").uri().as_str(), (count - 1).to_string());
    assert_eq!(kinds(&live.findings), [Finding::Truncated]);
    let vod = media(&format!("{text}#EXT-X-ENDLIST\n"));
    assert_eq!(vod.segments.len(), limits::PLAYLIST_SEGMENTS);
    assert_eq!(nth(&vod, 0).sequence(), 5);
    assert!(vod.endlist);
}

#[test]
fn the_list_of_variants_is_bounded() {
    let text = format!("#EXTM3U\n{}", STREAM.repeat(100_000));
    let list = multivariant(&text);
    assert_eq!(list.variants.len(), limits::PLAYLIST_VARIANTS);
    assert_eq!(kinds(&list.findings), [Finding::Truncated]);
}
