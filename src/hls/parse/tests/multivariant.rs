//! Rules about multivariant playlists (section 4.4.6).

use super::*;
use crate::hls::RenditionKind;
use crate::hls::multivariant::Resolution;

/// Returns a multivariant playlist with these lines.
fn list_of(lines: &str) -> Multivariant {
    multivariant(&format!("#EXTM3U\n#EXT-X-VERSION:13\n{lines}"))
}

#[test]
fn the_attributes_of_a_variant_are_read() {
    let list = list_of(
        "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"aac\",NAME=\"x\"\n#EXT-X-STREAM-INF:BANDWIDTH=800000,AVERAGE-BANDWIDTH=700000,CODECS=\"avc1.4d401e,mp4a.40.2\",\
         RESOLUTION=640x360,FRAME-RATE=29.97,AUDIO=\"aac\",CLOSED-CAPTIONS=NONE,VIDEO-RANGE=SDR,REQ-VIDEO-LAYOUT=\"CH-MONO\"\nv.m3u8\n",
    );
    let [variant] = list.variants.as_slice() else { panic!("{:?}", list.variants) };
    assert_eq!(
        (variant.uri.as_str(), variant.bandwidth, variant.average_bandwidth),
        ("v.m3u8", 800_000, Some(700_000))
    );
    assert_eq!(shown(&variant.codecs), Some("avc1.4d401e,mp4a.40.2"));
    assert_eq!(variant.resolution, Some(Resolution { width: 640, height: 360 }));
    assert_eq!((variant.frame_rate, shown(&variant.audio)), (Some(29.97), Some("aac")));
    assert_eq!((shown(&variant.closed_captions), shown(&variant.video_range)), (None, Some("SDR")));
    assert!(list.findings.is_empty(), "{:?}", list.findings);
}

#[test]
fn a_missing_or_bad_bandwidth_falls_back_to_the_average() {
    let list = list_of("#EXT-X-STREAM-INF:AVERAGE-BANDWIDTH=7\na\n#EXT-X-STREAM-INF:BANDWIDTH=x\nb\n");
    let bandwidths: Vec<_> = list.variants.iter().map(|variant| variant.bandwidth).collect();
    assert_eq!(bandwidths, [7, 0]);
    assert_eq!(list.findings.get(Finding::MissingBandwidth).expect("noted").count, 2);
}

#[test]
fn values_in_the_wrong_quotes_are_read_and_warned_of() {
    let list = list_of("#EXT-X-STREAM-INF:BANDWIDTH=\"9\",FRAME-RATE=\"25\",CODECS=avc1\nv\n");
    let variant = &list.variants[0];
    assert_eq!(
        (variant.bandwidth, variant.frame_rate, shown(&variant.codecs)),
        (9, Some(25.0), Some("avc1"))
    );
    assert_eq!(kinds(&list.findings), [Finding::WrongQuoting]);
}

#[test]
fn a_tag_or_comment_between_a_variant_and_its_address_is_not_its_address() {
    let list = list_of("#EXT-X-STREAM-INF:BANDWIDTH=1\n\n# comment\n#EXT-X-UNKNOWN\nv.m3u8\n");
    assert_eq!(list.variants[0].uri.as_str(), "v.m3u8");
}

#[test]
fn a_variant_without_address_and_an_address_without_variant_are_left_out() {
    let list = list_of(
        "#EXT-X-STREAM-INF:BANDWIDTH=1\n#EXT-X-STREAM-INF:BANDWIDTH=2\nb\nc\n#EXT-X-STREAM-INF:BANDWIDTH=3\n",
    );
    assert_eq!(list.variants.len(), 1);
    assert_eq!((list.variants[0].bandwidth, list.variants[0].uri.as_str()), (2, "b"));
    assert_eq!(kinds(&list.findings), [Finding::StreamWithoutUri, Finding::UriWithoutStream]);
}

#[test]
fn variants_of_which_none_can_be_requested_are_an_error() {
    assert_eq!(fault(b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\na\x1bb\n"), Fault::PlaylistSemantic);
}

#[test]
fn renditions_are_found_by_their_group() {
    let list = list_of(
        "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"English\",LANGUAGE=\"en\",DEFAULT=YES,AUTOSELECT=YES,URI=\"en.m3u8\",CHANNELS=\"2\"\n\
         #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"Svenska\",URI=\"sv.m3u8\"\n\
         #EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID=\"a\",NAME=\"English\",FORCED=YES,URI=\"s.m3u8\"\n\
         #EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO=\"a\",SUBTITLES=\"none\"\nv.m3u8\n",
    );
    let group = list.variants[0].audio.as_ref().expect("a group");
    let audio: Vec<_> = list.group(RenditionKind::Audio, group).collect();
    assert_eq!(audio.len(), 2);
    assert!(audio[0].default && audio[0].autoselect && !audio[1].default);
    assert_eq!((audio[1].name.as_str(), shown(&audio[0].channels)), ("Svenska", Some("2")));
    assert_eq!(kinds(&list.findings), [Finding::UnmatchedGroup]);
}

#[test]
fn a_rendition_needs_a_type_and_should_have_group_and_name() {
    let list = list_of(
        "#EXT-X-MEDIA:GROUP-ID=\"a\",NAME=\"x\"\n#EXT-X-MEDIA:TYPE=ODOUR,GROUP-ID=\"a\",NAME=\"x\"\n#EXT-X-MEDIA:TYPE=VIDEO\n",
    );
    assert_eq!(list.renditions.len(), 1);
    assert_eq!(list.findings.get(Finding::MissingAttribute).expect("noted").count, 3);
    assert_eq!(list.findings.get(Finding::UnknownValue).expect("noted").count, 1);
}

#[test]
fn a_word_that_is_not_defined_is_kept_with_a_flaw() {
    let list = list_of(
        "#EXT-X-STREAM-INF:BANDWIDTH=1,VIDEO-RANGE=PQ,HDCP-LEVEL=NONE\na\n#EXT-X-STREAM-INF:BANDWIDTH=1,VIDEO-RANGE=X\nb\n",
    );
    assert_eq!(
        (shown(&list.variants[1].video_range), kinds(&list.findings)),
        (Some("X"), vec![Finding::UnknownValue])
    );
}

#[test]
fn i_frame_variants_have_their_address_among_their_attributes() {
    let list = list_of(
        "#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=5,URI=\"i.m3u8\"\n#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=5\n",
    );
    assert_eq!(list.i_frame_variants.len(), 1);
    assert_eq!(list.i_frame_variants[0].uri.as_str(), "i.m3u8");
    assert_eq!(list.variants, []);
}

#[test]
fn data_about_the_session_is_read() {
    let list = list_of(
        "#EXT-X-SESSION-DATA:DATA-ID=\"com.x.title\",VALUE=\"T\",LANGUAGE=\"en\"\n#EXT-X-SESSION-DATA:VALUE=\"T\"\n\
         #EXT-X-SESSION-KEY:METHOD=SAMPLE-AES,URI=\"k\"\n#EXT-X-SESSION-KEY:METHOD=NONE\n\
         #EXT-X-CONTENT-STEERING:SERVER-URI=\"/steer\",PATHWAY-ID=\"A\"\n#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-START:TIME-OFFSET=3\n",
    );
    assert_eq!((list.session_data.len(), list.session_keys.len()), (1, 1));
    assert_eq!(shown(&list.session_data[0].value), Some("T"));
    let steering = list.content_steering.as_ref().expect("read");
    assert_eq!((steering.server_uri.as_str(), shown(&steering.pathway)), ("/steer", Some("A")));
    assert!(list.independent_segments && list.start.is_some());
    assert_eq!(kinds(&list.findings), [Finding::MissingAttribute, Finding::BadKey]);
}
