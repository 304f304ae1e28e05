//! Quirks of real origins that no rule foresees: each once, as its muxer or packager writes it.

use std::time::Duration;

use super::*;
use crate::hls::KeyMethod;

#[test]
fn the_ffmpeg_muxer_dates_behind_extinf_and_doubles_discontinuities() {
    let list = media(
        "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:3\n#EXT-X-INDEPENDENT-SEGMENTS\n\
         #EXT-X-DISCONTINUITY\n#EXT-X-DISCONTINUITY\n#EXTINF:4.000000,\n#EXT-X-PROGRAM-DATE-TIME:2026-01-02T03:04:05.678+0000\n\
         live3.ts\n#EXTINF:4.000000,\n#EXT-X-PROGRAM-DATE-TIME:2026-01-02T03:04:09.678+0000\nlive4.ts\n\
         #EXTINF:4.000000,\nlive5.ts\n",
    );
    assert_eq!(kinds(&list.findings), []);
    let dates: Vec<_> =
        list.segments.iter().map(|segment| segment.date_time().map(|date| date.to_string())).collect();
    assert_eq!(
        dates,
        [Some("2026-01-02T03:04:05.678Z".to_owned()), Some("2026-01-02T03:04:09.678Z".to_owned()), None]
    );
    // Both tags count: a server that removes them raises the discontinuity sequence by two.
    assert_eq!(nth(&list, 0).discontinuity_sequence(), 2);
}

#[test]
fn the_ffmpeg_muxer_leaves_lines_empty_and_codecs_out() {
    let list = multivariant(
        "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-STREAM-INF:BANDWIDTH=140800\nlow.m3u8\n\n\
         #EXT-X-STREAM-INF:BANDWIDTH=640800\nhigh.m3u8\n\n",
    );
    assert_eq!((list.variants.len(), kinds(&list.findings)), (2, vec![]));
}

#[test]
fn the_dash_muxer_announces_segments_with_a_tag_that_never_was_a_standard() {
    let list = media(
        "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:1\n#EXT-X-MAP:URI=\"init.m4s\"\n\
         #EXTINF:4,\na.m4s\n#EXTINF:4,\nb.m4s\n#EXTINF:4,\nc.m4s\n#EXT-X-PREFETCH:d.m4s\n",
    );
    assert_eq!((list.segments.len(), kinds(&list.findings)), (3, vec![]));
}

#[test]
fn nginx_rtmp_writes_the_target_duration_late_and_begins_with_a_discontinuity() {
    let list = media(
        "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-TARGETDURATION:2\n#EXT-X-DISCONTINUITY\n\
         #EXT-X-KEY:METHOD=AES-128,URI=\"k-0.key\",IV=0x00000000000000000000000000000000\n#EXTINF:2.000,\nk-0.ts\n#EXTINF:2.000,\nk-1.ts\n\
         #EXT-X-KEY:METHOD=AES-128,URI=\"k-2.key\",IV=0x00000000000000000000000000000002\n#EXTINF:2.000,\nk-2.ts\n",
    );
    assert_eq!((list.target_duration, kinds(&list.findings)), (Duration::from_secs(2), vec![]));
    let keys: Vec<_> =
        list.segments.iter().map(|segment| segment.keys()[0].uri.as_ref().expect("named").as_str()).collect();
    assert_eq!(keys, ["k-0.key", "k-0.key", "k-2.key"]);
    let old = multivariant(
        "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-STREAM-INF:PROGRAM-ID=1,BANDWIDTH=500000\nlow.m3u8\n",
    );
    assert_eq!((old.variants[0].bandwidth, kinds(&old.findings)), (500_000, vec![]));
}

#[test]
fn shaka_packager_comments_twice_and_encrypts_behind_a_clear_lead() {
    let list = media(
        "#EXTM3U\n#EXT-X-VERSION:6\n## Generated with a packager\n\n#EXT-X-TARGETDURATION:5\n#EXT-X-MAP:URI=\"i.mp4\"\n\
         #EXTINF:4.000,\n1.m4s\n#EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"data:text/plain;base64,AA==\",KEYFORMAT=\"identity\"\n\
         #EXTINF:4.000,\n2.m4s\n#EXTINF:4.000,\n3.m4s\n",
    );
    assert_eq!((list.media_sequence, kinds(&list.findings)), (0, vec![]));
    let methods: Vec<_> =
        list.segments.iter().map(|segment| segment.keys().first().map(|key| key.method)).collect();
    assert_eq!(methods, [None, Some(KeyMethod::SampleAes), Some(KeyMethod::SampleAes)]);
    let list = multivariant(
        "#EXTM3U\n## Generated with a packager\n\n#EXT-X-MEDIA:TYPE=AUDIO,URI=\"a.m3u8\",GROUP-ID=\"au\",LANGUAGE=\"en\",NAME=\"s\",DEFAULT=NO,AUTOSELECT=YES,CHANNELS=\"2\"\n\n\
         #EXT-X-STREAM-INF:BANDWIDTH=1,AVERAGE-BANDWIDTH=1,CODECS=\"avc1.64001e\",RESOLUTION=640x360,FRAME-RATE=25.000,VIDEO-RANGE=SDR,AUDIO=\"au\",CLOSED-CAPTIONS=NONE\nv.m3u8\n",
    );
    assert_eq!((list.variants[0].closed_captions.clone(), kinds(&list.findings)), (None, vec![]));
}

#[test]
fn gstreamer_writes_whole_seconds() {
    let list = media(
        "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-ALLOW-CACHE:NO\n#EXT-X-MEDIA-SEQUENCE:2\n#EXT-X-TARGETDURATION:4\n\n\
         #EXTINF:4,\nsegment00002.ts\n#EXTINF:4,\nsegment00003.ts\n#EXTINF:4,\nsegment00004.ts\n",
    );
    assert_eq!((list.total_duration(), kinds(&list.findings)), (Duration::from_secs(12), vec![]));
}

#[test]
fn gpac_has_spaces_behind_colons_quotes_numbers_and_names_groups_late() {
    let list = multivariant(
        "#EXTM3U\n#EXT-X-VERSION: 6\n#EXT-X-INDEPENDENT-SEGMENTS\n\
         #EXT-X-STREAM-INF:BANDWIDTH=500000,CODECS=\"avc1.64001e\",RESOLUTION=640x360,FRAME-RATE=\"25\",AUDIO=\"audio1\"\nv.m3u8\n\
         #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"audio1\",NAME=\"a\",LANGUAGE=\"en\",AUTOSELECT=YES,URI=\"a.m3u8\"\n",
    );
    assert_eq!((list.version, list.variants[0].frame_rate), (6, Some(25.0)));
    assert_eq!(kinds(&list.findings), [Finding::WrongQuoting]);
    let ahead = media(
        "#EXTM3U\n#EXT-X-VERSION: 6\n#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE: 4\n#EXTINF:4,\na4.m4s\n\
         #EXTINF:4,\na5.m4s\n#EXTINF:4,\na6.m4s\n#EXTINF:0,\na7.m4s\n",
    );
    // The last segment does not exist yet, but is listed all the same.
    assert_eq!((ahead.last_sequence(), nth(&ahead, 3).duration()), (Some(7), Duration::ZERO));
}

#[test]
fn addresses_keep_their_sessions_hosts_dots_and_queries() {
    let list = media(
        "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\nhttps://vod.example/a/1.ts;session=1\n#EXTINF:4,\n./segment/17.1.m4s\n\
         #EXTINF:4,\nsegment.ts?segment=fileSequence3.ts\n#EXTINF:4,\n../b/aHR0cDovL2gvYS50cw==.ts\n",
    );
    let base = crate::vocabulary::SecretUrl::parse("http://h:81/live/x.m3u8;session=1").expect("an address");
    let wire: Vec<_> = list
        .segments
        .iter()
        .map(|segment| base.join(segment.uri().as_str()).expect("usable").wire())
        .collect();
    assert_eq!(
        wire,
        [
            "https://vod.example/a/1.ts;session=1",
            "http://h:81/live/segment/17.1.m4s",
            "http://h:81/live/segment.ts?segment=fileSequence3.ts",
            "http://h:81/b/aHR0cDovL2gvYS50cw==.ts"
        ]
    );
}

#[test]
fn low_latency_origins_report_by_absolute_path_and_hold_parts_back_twice() {
    let list = media(
        "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:4\n#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=2.0\n\
         #EXT-X-PART-INF:PART-TARGET=1.0\n#EXT-X-MEDIA-SEQUENCE:17\n#EXT-X-MAP:URI=\"init.mp4\"\n#EXTINF:4,\n./segment/17.m4s\n\
         #EXTINF:4,\n./segment/18.m4s\n#EXTINF:4,\n./segment/19.m4s\n#EXT-X-PART:DURATION=1,INDEPENDENT=YES,URI=\"./segment/20.0.m4s\"\n\
         #EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"./segment/20.1.m4s\"\n\
         #EXT-X-RENDITION-REPORT:URI=\"/1m/list.m3u8\",LAST-MSN=20,LAST-PART=0\n",
    );
    assert_eq!((list.part_count(), kinds(&list.findings)), (1, vec![]));
    assert_eq!(list.rendition_reports[0].uri.as_str(), "/1m/list.m3u8");
}

#[test]
fn an_address_that_players_do_not_request_is_a_flaw_unless_it_is_that_of_a_key() {
    for (uri, expected) in [
        ("ftp://h/a.ts", vec![Finding::BadUri]),
        ("FILE:///a.ts", vec![Finding::BadUri]),
        ("a:b.ts", vec![Finding::BadUri]),
        ("data:video/mp2t,x", vec![]),
        ("HTTPS://h/a.ts", vec![]),
        ("dir/a:b.ts", vec![]),
        ("a.ts?t=x:y", vec![]),
        ("1:2.ts", vec![]),
    ] {
        let list = media(&format!("#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n{uri}\n#EXT-X-ENDLIST\n"));
        assert_eq!(kinds(&list.findings), expected, "{uri}");
        assert_eq!(nth(&list, 0).uri().as_str(), uri);
    }
    let list = media(
        "#EXTM3U\n#EXT-X-VERSION:5\n#EXT-X-TARGETDURATION:4\n#EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"skd://k\",KEYFORMAT=\"com.apple.streamingkeydelivery\"\n\
         #EXTINF:4,\na.ts\n#EXT-X-ENDLIST\n",
    );
    assert_eq!(kinds(&list.findings), []);
}
