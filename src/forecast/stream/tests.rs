//! Sizes of segments, from the statements of playlists and from measurements.

use super::*;
use crate::hls::parse;

const MASTER: &str = "http://o.test/master.m3u8";
const HIGH: &str = "http://o.test/high.m3u8";
const LIVE: &str = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:7\n#EXTINF:2,\na.ts\n#EXTINF:2,\nb.ts\n\
    #EXTINF:2,\nc.ts\n";

fn url(text: &str) -> SecretUrl {
    SecretUrl::parse(text).expect("a URL")
}

fn probed(what: Resource, at: &str, wire_bytes: u64, got: Got) -> Probed {
    let took = Duration::from_millis(5);
    Probed {
        what,
        is_other: false,
        url: url(at),
        base: url(at),
        hops: 0,
        wire_bytes,
        took,
        http2: false,
        got,
    }
}

fn playlist(what: Resource, at: &str, text: &str) -> Probed {
    let playlist = Arc::new(parse(text.as_bytes()).expect("a playlist"));
    probed(what, at, text.len() as u64, Got::Playlist(playlist, Duration::ZERO, None))
}

/// Returns the model of a stream with these attributes of its variant, after so many segments of this size.
fn model(variant: &str, media: &str, segments: u64, bytes: u64) -> StreamModel {
    let mut model = StreamModel::default();
    let master = format!("#EXTM3U\n#EXT-X-STREAM-INF:{variant}\nhigh.m3u8\n");
    model.learn(playlist(Resource::Entry, MASTER, &master));
    model.learn(playlist(Resource::Playlist(0), HIGH, media));
    for sequence in 7..7 + segments {
        model.learn(probed(Resource::Segment(0, sequence), "http://o.test/x.ts", bytes, Got::Media));
    }
    model
}

fn rate(model: &StreamModel) -> (u64, RateSource) {
    let rate = model.bit_rate().expect("a rate");
    (rate.bits_per_second.round() as u64, rate.source)
}

#[test]
fn a_size_comes_from_the_best_source_that_is_known() {
    let variant = "BANDWIDTH=1000000";
    assert_eq!(rate(&model(variant, LIVE, 0, 0)), (900_000, RateSource::Bandwidth));
    assert_eq!(rate(&model(variant, LIVE, 3, 200_000)), (800_000, RateSource::Measured));
    let average = "BANDWIDTH=1000000,AVERAGE-BANDWIDTH=700000";
    assert_eq!(rate(&model(average, LIVE, 3, 200_000)), (700_000, RateSource::AverageBandwidth));
    let tagged = LIVE.replace("#EXTINF", "#EXT-X-BITRATE:650\n#EXTINF");
    assert_eq!(rate(&model(average, &tagged, 3, 200_000)), (650_000, RateSource::BitrateTags));
    let ranges = LIVE.replace(",\n", ",\n#EXT-X-BYTERANGE:150000@0\n");
    assert_eq!(rate(&model(average, &ranges, 3, 200_000)), (600_000, RateSource::ByteRanges));
}

#[test]
fn an_average_that_the_measurement_contradicts_is_not_used() {
    for average in [250_000, 2_400_000] {
        let variant = format!("BANDWIDTH=3000000,AVERAGE-BANDWIDTH={average}");
        assert_eq!(rate(&model(&variant, LIVE, 3, 200_000)), (800_000, RateSource::Measured), "{average}");
    }
}

#[test]
fn a_segment_is_as_large_as_its_length_and_its_tags_say() {
    let model = model("BANDWIDTH=1000000", &LIVE.replace("#EXTINF:2,\nc", "#EXTINF:1,\nc"), 2, 200_000);
    let place = model.tracks[0].expect("played");
    let media = model.at(place).and_then(Known::media).expect("a media playlist");
    let bytes = |sequence| model.segment_bytes(place, media.segment(sequence)).map(f64::round);
    assert_eq!([bytes(7), bytes(9)], [Some(200_000.0), Some(100_000.0)]);
    // A segment that is not listed has the mean length.
    assert_eq!(bytes(99), Some(166_667.0));
}

#[test]
fn a_stream_is_known_after_three_segments_of_the_variant_that_is_played() {
    let variant = "BANDWIDTH=1000000";
    assert!(!model(variant, LIVE, 2, 1_000).is_complete());
    assert!(model(variant, LIVE, 3, 1_000).is_complete());
    let film =
        "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:7\n#EXTINF:2,\na.ts\n#EXT-X-ENDLIST\n";
    assert!(model(variant, film, 1, 1_000).is_complete(), "it has no more");
    let mut switched = model(variant, LIVE, 3, 1_000);
    switched.learn(playlist(Resource::Playlist(0), "http://o.test/other.m3u8", LIVE));
    assert!(!switched.is_complete(), "nothing of the other variant has arrived");
    assert!(!StreamModel::default().is_complete());
}

#[test]
fn a_stream_without_an_end_of_urls_is_bounded() {
    let mut model = model("BANDWIDTH=1000000", LIVE, 3, 1_000);
    for number in 0..2_000 {
        let at = format!("http://host-{number}.test/init.mp4");
        model.learn(probed(Resource::Init(0), &at, 700, Got::Media));
        model.learn(playlist(Resource::Playlist(number), &format!("http://o.test/{number}.m3u8"), LIVE));
    }
    assert!(model.known.len() <= KNOWN && model.http2.len() <= KNOWN && model.tracks.len() <= KNOWN);
    assert!(model.is_complete() || model.known.len() == KNOWN);
}
