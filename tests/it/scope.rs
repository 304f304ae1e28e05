//! Hosts, schemes and addresses outside the scope of a run: nothing is sent there, and the reports say so.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::program::{Ended, Program};
use crate::scripted::{Answer, Scripted};
use crate::secure::Secure;

const LIMIT: Duration = Duration::from_secs(40);

/// Returns a VOD of two segments, the second at `second`.
fn vod(second: &str) -> String {
    format!("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\na.ts\n#EXTINF:1,\n{second}\n#EXT-X-ENDLIST\n")
}

/// Starts an origin of a VOD whose second segment is at `second`.
fn origin(second: String) -> Scripted {
    Scripted::start(
        move |path| {
            if path.ends_with(".m3u8") { Answer::playlist(&vod(&second)) } else { Answer::segment() }
        },
    )
}

/// Starts an origin that redirects every request to `location`.
fn redirects(location: String) -> Scripted {
    Scripted::start(move |_| {
        Answer::whole("302 Found", "text/plain", b"").with(&format!("Location: {location}"))
    })
}

/// Starts an origin that counts its requests.
fn counting() -> (Scripted, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&asked);
    let origin = Scripted::start(move |path| {
        seen.fetch_add(1, Ordering::Relaxed);
        if path.ends_with(".m3u8") { Answer::playlist(&vod("b.ts")) } else { Answer::segment() }
    });
    (origin, asked)
}

fn run(url: &str, options: &[&str]) -> Ended {
    let base = ["-c", "1", "-d", "4s"];
    Program::start(url, &[&base, options].concat()).end_within(LIMIT)
}

/// Returns the count of a finding in the report.
fn finding(run: &Ended, kind: &str) -> u64 {
    let findings = run.report.value().pointer("/findings").unwrap().as_array().unwrap();
    let found = findings.iter().find(|finding| finding["kind"] == kind);
    found.map_or(0, |finding| finding["count"].as_u64().unwrap())
}

#[test]
fn a_host_of_another_owner_is_refused_counted_and_named() {
    let origin = origin("http://ads.example.net/b.ts".to_owned());
    let run = run(&origin.url("/vod.m3u8"), &[]);
    let refused = run.report.count("/outcomes/policy.host");
    assert!(refused > 0, "{:?}", run.report.outcomes());
    assert_eq!(run.report.count("/audience/hosts/ads.example.net/refused"), refused);
    assert_eq!(run.report.count("/audience/hosts/ads.example.net/requests"), 0);
    assert_eq!(finding(&run, "foreign_host"), refused);
    let all: u64 = run.report.outcomes().iter().map(|(_, count)| count).sum();
    assert_eq!(run.report.count("/requests/finished"), all);
    let text = run.outputs().find(|(name, _)| *name == "report.txt").unwrap().1;
    assert!(text.contains("--allow-host ads.example.net"), "{text}");
}

#[test]
fn a_host_that_the_operator_resolves_is_loaded_and_named() {
    let (other, asked) = counting();
    let port = other.port();
    let origin = origin(format!("http://ads.example.net:{port}/b.ts"));
    let resolve = format!("ads.example.net:{port}:127.0.0.1");
    let run = run(&origin.url("/vod.m3u8"), &["--resolve", &resolve]);
    run.assert_exit_code(0);
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    assert_eq!(run.report.outcomes(), [("ok", 3)]);
    assert_eq!(run.report.count("/audience/hosts/ads.example.net/requests"), 1);
}

#[test]
fn a_redirect_to_another_host_is_not_followed_and_takes_no_credentials_along() {
    let (other, asked) = counting();
    let to = format!("http://localhost:{}/m.m3u8", other.port());
    let refused = run(&redirects(to.clone()).url("/m.m3u8"), &["--header", "X-Key: hunter2"]);
    refused.assert_exit_code(3);
    assert_eq!(asked.load(Ordering::Relaxed), 0);
    assert!(refused.report.count("/outcomes/policy.host") > 0, "{:?}", refused.report.outcomes());
    assert!(!refused.stderr().contains("--skip-preflight"), "{}", refused.stderr());

    let allowed = run(&redirects(to).url("/m.m3u8"), &["--allow-host", "localhost"]);
    allowed.assert_exit_code(0);
    assert_eq!(asked.load(Ordering::Relaxed), 3);
}

#[test]
fn http_after_https_is_refused_in_a_redirect_and_in_a_playlist_unless_allowed() {
    let (plain, asked) = counting();
    let moved = plain.url("/vod.m3u8");
    let redirecting = Secure::start(move |_| {
        Answer::whole("302 Found", "text/plain", b"").with(&format!("Location: {moved}"))
    });
    let list = vod(&plain.url("/b.ts"));
    let naming =
        Secure::start(
            move |path| {
                if path.ends_with(".m3u8") { Answer::playlist(&list) } else { Answer::segment() }
            },
        );
    for (origin, followed) in [(&redirecting, 3), (&naming, 1)] {
        let (url, certificate) = (origin.url("/vod.m3u8"), origin.certificate().to_str().unwrap());
        let refused = run(&url, &["--cacert", certificate]);
        assert!(refused.report.count("/outcomes/policy.scheme") > 0, "{:?}", refused.report.outcomes());
        assert!(finding(&refused, "insecure_url") > 0);
        assert_eq!(asked.swap(0, Ordering::Relaxed), 0, "nothing is sent in the clear");

        let allowed = run(&url, &["--cacert", certificate, "--allow-downgrade"]);
        allowed.assert_exit_code(0);
        assert_eq!(asked.swap(0, Ordering::Relaxed), followed);
    }
}

#[test]
fn an_address_that_no_run_may_use_is_never_connected_to() {
    for second in
        ["http://169.254.169.254/latest", "http://0.0.0.0:9/b.ts", "http://[::ffff:169.254.1.1]/b.ts"]
    {
        let run = run(&origin(second.to_owned()).url("/vod.m3u8"), &["--follow-cdn"]);
        let refused = run.report.count("/outcomes/policy.addr");
        assert!(refused > 0, "{second}: {:?}", run.report.outcomes());
        assert_eq!(finding(&run, "unreachable_address"), refused, "{second}");
    }
}

#[test]
fn a_name_is_judged_by_the_address_that_it_resolves_to() {
    let second = "http://ads.example.net:81/b.ts".to_owned();
    let options = ["--resolve", "ads.example.net:81:169.254.169.254"];
    let run = run(&origin(second).url("/vod.m3u8"), &options);
    let refused = run.report.count("/outcomes/policy.addr");
    assert!(refused > 0, "{:?}", run.report.outcomes());
    assert_eq!(run.report.count("/audience/hosts/ads.example.net/refused"), refused);
    assert_eq!(run.report.count("/audience/hosts/ads.example.net/requests"), 0, "nothing was sent");
    assert_eq!(
        run.report.text("/failure_details/policy.addr"),
        "ads.example.net, at 169.254.169.254, is a link-local address"
    );
}

#[test]
fn a_private_target_opens_no_public_host_to_many_clients_and_no_private_one_to_follow_cdn() {
    let origin = origin("http://cdn.example.net:81/b.ts".to_owned());
    // An address for documentation (RFC 5737): public by its class, and nothing is ever sent to it.
    let public = ["--resolve", "cdn.example.net:81:192.0.2.1", "-c", "51", "--ramp-rate", "1"];
    let refused = run(&origin.url("/vod.m3u8"), &public);
    assert!(refused.report.count("/outcomes/policy.host") > 0, "{:?}", refused.report.outcomes());
    assert_eq!(
        refused.report.text("/failure_details/policy.host"),
        "192.0.2.1 is a public address, and the target is private; --allow-host cdn.example.net loads it"
    );
    assert_eq!(refused.report.count("/audience/hosts/cdn.example.net/requests"), 0);
    assert!(finding(&refused, "foreign_host") > 0);

    let private = self::origin("http://10.0.0.9:81/b.ts".to_owned());
    let refused = run(&private.url("/vod.m3u8"), &["--follow-cdn"]);
    assert!(refused.report.count("/outcomes/policy.host") > 0, "{:?}", refused.report.outcomes());
    assert_eq!(refused.report.text("/failure_details/policy.host"), "--allow-host 10.0.0.9 loads it");
}

#[test]
fn a_redirect_to_what_no_player_requests_is_explained_and_found() {
    for (location, why) in [
        ("file:///etc/passwd", "file: URLs are not requested"),
        ("ftp://cdn.example/b.ts", "ftp: URLs are not requested"),
        ("http://[::1/b.ts", "this is not a URL"),
        ("", "this is not a URL"),
    ] {
        let run = run(&redirects(location.to_owned()).url("/m.m3u8"), &["--skip-preflight", "-d", "2s"]);
        let refused = run.report.count("/outcomes/policy.scheme");
        assert!(refused > 0, "{location}: {:?}", run.report.outcomes());
        assert_eq!(run.report.text("/failure_details/policy.scheme"), why, "{location}");
        assert_eq!(finding(&run, "bad_uri"), refused, "{location}");
        assert!(run.outputs().all(|(_, output)| !output.contains("passwd")));
    }
}

#[test]
fn a_large_load_of_a_public_host_needs_its_name_and_sends_nothing_without() {
    let target = "http://live.example.com:9/a.m3u8";
    // An address for documentation (RFC 5737): public by its class, and nothing is ever sent to it.
    let base = ["-c", "51", "--resolve", "live.example.com:9:192.0.2.1"];
    for (more, expected) in [
        (&[][..], "live.example.com is public, and 51 clients were asked for"),
        (&["--authorised-for", "example.com"], ", not --authorised-for example.com"),
    ] {
        let ended = Program::start(target, &[&base, more].concat()).end_within(LIMIT);
        ended.assert_exit_code(5);
        let said = ended.stderr();
        assert!(said.contains(expected) && said.lines().count() == 1, "{said}");
        assert!(said.contains("--authorised-for live.example.com"), "{said}");
    }
    let never = run("http://0.0.0.0:9/a.m3u8", &[]);
    never.assert_exit_code(5);
    assert!(never.stderr().contains("0.0.0.0 is not the address of a host"), "{}", never.stderr());
}

#[test]
fn check_names_the_hosts_of_a_stream_and_those_that_a_run_refuses() {
    let origin = origin("http://ads.example.net/b.ts".to_owned());
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_hlswarm"))
        .args(["check", &origin.url("/vod.m3u8"), "-d", "2s", "--json"])
        .output()
        .unwrap();
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let expected = serde_json::json!([
        {"host": "127.0.0.1", "urls": 1, "refused": null},
        {"host": "ads.example.net", "urls": 1, "refused": "policy.host"},
    ]);
    assert_eq!(json["hosts"], expected, "{json}");
}

#[test]
fn check_says_of_each_host_why_a_run_refuses_it() {
    let list = vod("http://evil.example.net:81/b.ts").replace("a.ts", "c.ts");
    let origin = Scripted::start(move |path| match path {
        "/c.ts" => {
            Answer::whole("302 Found", "text/plain", b"").with("Location: http://third.example.org/c.ts")
        }
        _ => Answer::playlist(&list),
    });
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_hlswarm"))
        .args(["check", &origin.url("/vod.m3u8"), "-d", "6s", "--json", "--player", "ffmpeg"])
        .args(["--resolve", "evil.example.net:81:169.254.169.254"])
        .output()
        .unwrap();
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let expected = serde_json::json!([
        {"host": "127.0.0.1", "urls": 1, "refused": null},
        {"host": "evil.example.net", "urls": 1, "refused": "policy.addr"},
        {"host": "third.example.org", "urls": 0, "refused": "policy.host"},
    ]);
    assert_eq!(json["hosts"], expected, "{json}");
}
