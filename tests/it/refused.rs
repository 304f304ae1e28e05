//! URIs in a playlist that no player requests: each is counted and reported as a finding. Also data URIs, whose
//! content is in the playlist itself.

use std::time::Duration;

use crate::program::{Ended, Program};
use crate::scripted::{Answer, Scripted};

const LIMIT: Duration = Duration::from_secs(40);

const KEY: &str = "data:application/octet-stream;base64,AAECAwQFBgcICQoLDA0ODw==";
const SEGMENT: &str = "data:video/mp2t;base64,R0BHQEdA";

/// Starts an origin of a VOD of two segments.
fn origin(head: &str, second: &str) -> Scripted {
    let list = format!(
        "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:1\n{head}#EXTINF:1,\na.ts\n#EXTINF:1,\n{second}\n#EXT-X-ENDLIST\n"
    );
    Scripted::start(
        move |path| {
            if path.ends_with(".m3u8") { Answer::playlist(&list) } else { Answer::segment() }
        },
    )
}

fn run(origin: &Scripted, options: &[&str]) -> Ended {
    let base = ["-c", "1", "-d", "20s"];
    Program::start(&origin.url("/vod.m3u8"), &[&base, options].concat()).end_within(LIMIT)
}

/// Returns the name of each kind of finding in the report.
fn findings(run: &Ended) -> Vec<String> {
    let findings = run.report.value().pointer("/findings").unwrap().as_array().unwrap();
    findings.iter().map(|finding| finding["kind"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn what_cannot_be_requested_is_one_request_with_one_outcome_each_and_a_finding() {
    for second in
        ["ftp://cdn.example/b.ts", "file:///etc/passwd", "http://[::1/b.ts", "data:video/mp2t;base64,*"]
    {
        let origin = origin("", second);
        let run = run(&origin, &["-d", "4s"]);
        let outcome = if second.starts_with("data:") { "body.decode" } else { "policy.scheme" };
        let refused = run.report.count(&format!("/outcomes/{outcome}"));
        assert!(refused > 0, "{second}: {:?}", run.report.outcomes());
        let all: u64 = run.report.outcomes().iter().map(|(_, count)| count).sum();
        assert_eq!(run.report.count("/requests/started"), all, "{second}");
        assert_eq!(run.report.count("/requests/finished"), all, "{second}");
        assert!(findings(&run).contains(&"bad_uri".to_owned()), "{second}: {:?}", findings(&run));
        for (name, output) in run.outputs() {
            assert!(!output.contains("passwd"), "{name}");
        }
    }
}

#[test]
fn a_variant_that_cannot_be_requested_is_said() {
    let origin = Scripted::start(|_| {
        Answer::playlist("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1000\nhttp://[::1/v.m3u8\n")
    });
    let run = run(&origin, &["-d", "3s"]);
    run.assert_exit_code(3);
    assert!(run.report.count("/outcomes/policy.scheme") > 0, "{:?}", run.report.outcomes());
}

#[test]
fn data_in_the_playlist_is_played_without_a_request() {
    let head = format!("#EXT-X-MAP:URI=\"{SEGMENT}\"\n#EXT-X-KEY:METHOD=AES-128,URI=\"{KEY}\"\n");
    let origin = origin(&head, SEGMENT);
    let run = run(&origin, &[]);
    run.assert_exit_code(0);
    assert_eq!(run.report.outcomes(), [("ok", 2)], "the playlist and the first segment");
    assert_eq!(run.report.count("/requests/key") + run.report.count("/requests/init"), 0);
    assert!(run.report.number("/playback/play_s") > 1.9);
}

#[test]
fn a_key_in_the_playlist_decrypts_and_media_that_it_cannot_decrypt_is_a_fault() {
    let origin = origin(&format!("#EXT-X-KEY:METHOD=AES-128,URI=\"{KEY}\"\n"), "b.ts");
    let run = run(&origin, &["--decrypt", "-d", "4s"]);
    // 1,880 bytes are not a whole number of cipher blocks.
    assert!(run.report.count("/outcomes/body.decode") > 0, "{:?}", run.report.outcomes());
}
