//! Tests of the result and the text of a check.

use super::*;
use crate::vocabulary::Severity;
use crate::vocabulary::untrusted::HOSTILE;

fn check(text: &str) -> CheckReport {
    CheckReport::from_bytes("a.m3u8".to_owned(), text.as_bytes())
}

#[test]
fn a_clean_live_playlist_is_code_0_and_says_what_it_is() {
    let check = check(include_str!("../../../tests/data/live_fmp4.m3u8"));
    assert_eq!((check.exit_code, check.findings.len()), (0, 0));
    let page = super::text(&check);
    for expected in [
        "kind    media playlist, live, version",
        "initialization section",
        "no problems found",
        "exit code 0",
    ] {
        assert!(page.contains(expected), "{expected} is not in\n{page}");
    }
}

#[test]
fn a_flaw_is_shown_with_its_line_and_decides_the_code() {
    let late = check("#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:5,\na\n#EXTINF:9,\nb\n");
    let page = super::text(&late);
    assert_eq!(late.exit_code, 3);
    assert!(page.contains("error    target_duration_exceeded                1x  line 5"), "{page}");
    assert!(page.contains("exit code 3: 1 error: target_duration_exceeded"), "{page}");
    let forgiven = check("#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4\na\n");
    assert_eq!((forgiven.exit_code, forgiven.findings[0].severity), (0, Severity::Warning));
}

#[test]
fn what_cannot_be_read_is_said_in_one_place() {
    let check = check("<html>\x1b[2J");
    let page = super::text(&check);
    assert_eq!(check.exit_code, 3);
    assert!(page.contains("playlist.not_m3u8: <html>^[[2J") && !page.contains("no problems"), "{page}");
}

#[test]
fn a_text_that_is_no_playlist_is_shown_without_the_secrets_of_its_urls() {
    let list = check("https://u:hunter2@h/a.ts?token=hunter2\n");
    for page in [super::text(&list), list.json().expect("serialisable")] {
        assert!(page.contains("https://h/a.ts***") && !page.contains("hunter2"), "{page}");
    }
}

#[test]
fn every_line_is_at_most_80_columns_and_harmless_whatever_a_playlist_says() {
    for text in HOSTILE {
        let variant = format!(
            "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,CODECS=\"{text}\",AUDIO=\"{text}\"\n{text}.m3u8\n\
             #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"{text}\",NAME=\"{text}\",URI=\"https://u:p@h/{text}?t=hunter2\"\n"
        );
        for playlist in [variant, format!("#EXTM3U\n#EXTINF:1,\n{text}\n"), (*text).to_owned()] {
            let check = check(&playlist);
            for page in [super::text(&check), check.json().expect("serialisable")] {
                let control = page.chars().find(|c| c.is_control() && *c != '\n');
                assert_eq!(control, None, "{page:?}");
                assert!(!page.contains("hunter2"), "{page}");
            }
            for line in super::text(&check).lines() {
                assert!(line.chars().count() <= 80, "{line}");
            }
        }
    }
}
