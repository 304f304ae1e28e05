//! Runs through proxies: what the proxy is asked for, that the counts are those of the origin, and that a failure of the
//! proxy is told from one of the origin.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::program::{Ended, Program};
use crate::relay::{Manner, Relay};
use crate::scripted::{Answer, Scripted};
use crate::secure::Secure;

const LIMIT: Duration = Duration::from_secs(60);
const VOD: &str = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\na.ts\n#EXTINF:1,\nb.ts\n#EXT-X-ENDLIST\n";
const CLIENTS: usize = 2;

fn run(url: &str, proxy: &str, options: &[&str]) -> Ended {
    let base = ["-c", "2", "--ramp-time", "0", "-d", "4s", "--proxy", proxy];
    Program::start(url, &[&base, options].concat()).end_within(LIMIT)
}

/// Returns a script that plays, and the number of its requests.
fn counted() -> (impl Fn(&str) -> Answer + Send + Sync + 'static, Arc<AtomicU64>) {
    let asked = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&asked);
    let script = move |path: &str| {
        count.fetch_add(1, Ordering::Relaxed);
        if path.starts_with("/vod.m3u8") { Answer::playlist(VOD) } else { Answer::segment() }
    };
    (script, asked)
}

/// Checks that all requests were as many as the origin has seen.
fn assert_equals(run: &Ended, asked: &AtomicU64) {
    run.assert_exit_code(0);
    let asked = asked.load(Ordering::Relaxed);
    assert_eq!(asked, 3 * CLIENTS as u64);
    assert_eq!(run.report.outcomes(), [("ok", asked)], "{}", run.stderr());
    assert_eq!(run.report.count("/connections/opened"), CLIENTS as u64);
}

#[test]
fn an_http_proxy_gets_whole_urls_without_tls_and_opens_tunnels_with_it() {
    let (script, asked) = counted();
    let origin = Scripted::start(script);
    let proxy = Relay::start(Manner::Relay);
    let plain = run(&origin.url("/vod.m3u8?a=b"), &proxy.url("http", ""), &[]);
    assert_equals(&plain, &asked);
    let seen = proxy.seen();
    assert_eq!(seen.len(), 3 * CLIENTS);
    assert_eq!(seen[0], format!("GET {}", origin.url("/vod.m3u8?a=b")));
    assert_eq!(plain.report.text("/run/proxy"), proxy.url("http", ""));
    // The edge is the proxy: nothing is known about addresses behind it.
    let edges = plain.report.value()["audience"]["edges"].as_object().unwrap();
    assert_eq!(format!("http://{}", edges.keys().next().unwrap()), proxy.url("http", ""));

    let (script, asked) = counted();
    let origin = Secure::start(script);
    let proxy = Relay::start(Manner::Relay);
    let secure = run(&origin.url("/vod.m3u8"), &proxy.url("http", ""), &["--insecure"]);
    assert_equals(&secure, &asked);
    let expected = origin.url("").replace("https://", "CONNECT ");
    assert_eq!(proxy.seen(), vec![expected; CLIENTS]);
}

#[test]
fn a_socks_proxy_gets_an_address_or_a_name_as_the_scheme_says() {
    for (scheme, login, manner, name) in [
        ("socks5", "", Manner::Relay, "127.0.0.1"),
        ("socks5h", "", Manner::Relay, "cdn.example"),
        ("socks5h", "user:pass@", Manner::RelayFor("user", "pass"), "cdn.example"),
    ] {
        let (script, asked) = counted();
        let origin = Scripted::start(script);
        let port = origin.port();
        let proxy = Relay::start(manner);
        let resolve = format!("cdn.example:{port}:127.0.0.1");
        let url = format!("http://cdn.example:{port}/vod.m3u8");
        let run = run(&url, &proxy.url(scheme, login), &["--resolve", &resolve]);
        assert_equals(&run, &asked);
        assert_eq!(proxy.seen(), vec![format!("SOCKS {name}:{port}"); CLIENTS], "{scheme}");
    }
}

#[test]
fn a_proxy_that_refuses_is_not_taken_for_the_origin() {
    let say = |text: &str| Manner::Say(text.as_bytes().to_vec());
    for (scheme, manner, outcome, reason) in [
        (
            "http",
            say("HTTP/1.1 403 hunter2\r\n\r\n"),
            "conn.proxy",
            "the proxy answered CONNECT with 403 Forbidden",
        ),
        (
            "http",
            say("HTTP/1.1 502 hunter2\r\n\r\n"),
            "conn.proxy",
            "the proxy answered CONNECT with 502 Bad Gateway",
        ),
        (
            "http",
            Manner::RelayFor("u", "p"),
            "conn.proxy",
            "the proxy answered CONNECT with 407 Proxy Authentication Required",
        ),
        ("http", say(""), "conn.proxy", "the proxy closed the connection"),
        ("http", Manner::Say(vec![b'x'; 200_000]), "conn.proxy", "the proxy sent a head without end"),
        ("http", Manner::Silent, "timeout.connect", ""),
        ("socks5h", Manner::Reply(2), "conn.proxy", "the SOCKS proxy reports: not allowed by its rules"),
        ("socks5h", Manner::Reply(4), "conn.unreachable", "the SOCKS proxy reports: host unreachable"),
        ("socks5", Manner::Reply(5), "conn.refused", "the SOCKS proxy reports: connection refused"),
        ("socks5", Manner::RelayFor("u", "p"), "conn.proxy", "the SOCKS proxy asks for user and password"),
        ("socks5", say("HTTP/1.1 400 Bad Request\r\n\r\n"), "conn.proxy", "the proxy does not speak SOCKS 5"),
        ("socks5", say("\x05"), "conn.proxy", "the proxy closed the connection"),
    ] {
        let proxy = Relay::start(manner);
        let run = run("https://127.0.0.1:9/vod.m3u8", &proxy.url(scheme, ""), &["-d", "8s"]);
        run.assert_exit_code(3);
        let names: Vec<_> = run.report.outcomes().into_iter().map(|(name, _)| name).collect();
        let names: Vec<_> = names.into_iter().filter(|name| *name != "cut").collect();
        assert_eq!(names, [outcome], "{reason}");
        assert_eq!(run.report.text(&format!("/failure_details/{outcome}")), reason);
    }
}

#[test]
fn a_proxy_that_is_not_there_and_one_that_asks_for_a_password_are_said() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let gone = run("http://127.0.0.1:9/vod.m3u8", &format!("http://{free}"), &[]);
    gone.assert_exit_code(3);
    let why = gone.report.text("/failure_details/conn.proxy");
    assert_eq!(why, format!("the proxy http://{free}: The connection was refused."));
    // A response to a whole URL may be one of the origin, except for this status.
    let asks = Relay::start(Manner::RelayFor("u", "p"));
    let asked = run("http://127.0.0.1:9/vod.m3u8", &asks.url("http", ""), &[]);
    let names: Vec<_> = asked.report.outcomes().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["http.407"]);
}

#[test]
fn the_scope_by_host_holds_behind_a_proxy_too() {
    let list = VOD.replace("a.ts", "http://ads.example/a.ts").replace("b.ts", "http://10.0.0.9/b.ts");
    let origin = Scripted::start(move |_| Answer::playlist(&list));
    let proxy = Relay::start(Manner::Relay);
    let url = format!("http://cdn.example:{}/vod.m3u8", origin.port());
    let run = run(&url, &proxy.url("http", ""), &[]);
    let outcomes = run.report.outcomes();
    assert!(outcomes.iter().any(|(name, _)| *name == "policy.host"), "{outcomes:?}");
    assert!(proxy.seen().iter().all(|seen| seen.starts_with("GET http://cdn.example")), "{:?}", proxy.seen());
    // It is not known whether the target is public: many clients need a confirmation.
    let many = ["-c", "60", "--skip-preflight"];
    let refused = self::run(&url, &proxy.url("http", ""), &many);
    refused.assert_exit_code(5);
    let said = refused.stderr();
    assert!(said.contains("cdn.example may be public (the proxy resolves its name)"), "{said}");
}

#[test]
fn a_private_target_keeps_many_clients_private_behind_a_proxy_too() {
    let list = VOD.replace("a.ts", "http://93.184.215.14/a.ts").replace("b.ts", "http://ads.example/b.ts");
    let origin = Scripted::start(move |_| Answer::playlist(&list));
    for scheme in ["http", "socks5h"] {
        let proxy = Relay::start(Manner::Relay);
        let url = origin.url("/vod.m3u8");
        let run = run(&url, &proxy.url(scheme, ""), &["-c", "51", "--follow-cdn"]);
        let outcomes = run.report.outcomes();
        assert!(outcomes.iter().any(|(name, _)| *name == "policy.host"), "{outcomes:?}");
        let (seen, own) = (proxy.seen(), format!("127.0.0.1:{}", origin.port()));
        assert!(!seen.is_empty() && seen.iter().all(|seen| seen.contains(&own)), "{scheme}: {seen:?}");
    }
}
