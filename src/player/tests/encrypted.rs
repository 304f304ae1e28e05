//! Keys and initialization sections: resources that must arrive before a segment.

use super::*;
use crate::player::profiles::WEB;

/// Builds a film of ten segments whose key changes with every second one.
fn rotating(method: &'static str, more: &'static str) -> Origin {
    Origin::new(move |_, _| {
        let segment = |n: u64| {
            let key = format!("#EXT-X-KEY:METHOD={method},URI=\"key_{}\"{more}\n", n / 2);
            format!("{}#EXTINF:2,\nsegment_{n}.ts\n", if n.is_multiple_of(2) { key } else { String::new() })
        };
        let lines: String = (0..10).map(segment).collect();
        format!("#EXTM3U\n#EXT-X-TARGETDURATION:2\n{lines}#EXT-X-ENDLIST\n")
    })
}

fn files(origin: &Origin) -> Vec<&str> {
    origin.asked.iter().map(|asked| asked.file.as_str()).collect()
}

#[test]
fn a_key_is_fetched_once_for_each_address_before_its_first_segment() {
    let mut origin = rotating("AES-128", "");
    play(&mut player(&WEB, Duration::ZERO), &mut origin, Duration::ZERO, HOUR);
    let files = files(&origin);
    assert_eq!(origin.count(|what| matches!(what, Resource::Key(_))), 5, "{files:?}");
    let at = |name: &str| files.iter().position(|file| *file == name).expect(name);
    assert_eq!(at("key_1") + 1, at("segment_2.ts"));
    let third = &origin.asked[at("segment_3.ts")];
    let decryption = third.decryption.as_ref().expect("encrypted");
    assert_eq!((decryption.key.file_name().as_str(), decryption.iv), ("key_1", 3_u128.to_be_bytes()));
}

#[test]
fn an_initialization_vector_that_is_named_is_used_and_samples_are_left_to_others() {
    let mut origin = rotating("AES-128", ",IV=0x000102030405060708090a0b0c0d0e0f");
    play(&mut player(&WEB, Duration::ZERO), &mut origin, Duration::ZERO, HOUR);
    let iv = origin.asked.iter().find_map(|asked| asked.decryption.as_ref()).expect("encrypted").iv;
    assert_eq!(iv, std::array::from_fn(|index| index as u8));
    let mut origin = rotating("SAMPLE-AES", "");
    play(&mut player(&WEB, Duration::ZERO), &mut origin, Duration::ZERO, HOUR);
    assert_eq!(origin.count(|what| matches!(what, Resource::Key(_))), 5);
    assert!(origin.asked.iter().all(|asked| asked.decryption.is_none()));
}

#[test]
fn keys_of_other_systems_are_not_asked_for() {
    for more in [",KEYFORMAT=\"com.apple.streamingkeydelivery\"", ",KEYFORMAT=\"urn:uuid:edef8ba9\""] {
        let mut origin = rotating("SAMPLE-AES", more);
        let run = play(&mut player(&WEB, Duration::ZERO), &mut origin, Duration::ZERO, HOUR);
        assert_eq!((origin.count(|what| matches!(what, Resource::Key(_))), run.tally.play), (0, 20 * SECOND));
    }
}

#[test]
fn an_initialization_section_is_fetched_once_before_the_first_segment() {
    let list = |range: &'static str| {
        Origin::new(move |now, _| {
            let map = format!("#EXT-X-MAP:URI=\"init.mp4\"{range}\n#EXTINF");
            window(now.as_secs() / 2, 6, 2).replacen("#EXTINF", &map, 1)
        })
    };
    for (range, expected) in [("", None), (",BYTERANGE=\"700@5\"", Some((5, 704)))] {
        let mut origin = list(range);
        play(&mut player(&WEB, Duration::ZERO), &mut origin, Duration::ZERO, 60 * SECOND);
        let inits: Vec<_> =
            origin.asked.iter().filter(|asked| matches!(asked.what, Resource::Init(_))).collect();
        assert_eq!((inits.len(), inits[0].range), (1, expected));
        assert_eq!(files(&origin)[2..4], ["init.mp4", "segment_3.ts"]);
    }
}
