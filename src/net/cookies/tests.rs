//! Tests of the jar as a client uses it: responses set cookies, requests carry them.

use super::*;
use std::time::Duration;

/// A client that receives responses and sends requests.
#[derive(Default)]
struct Client {
    jar: Jar,
    /// The wall clock, in seconds since 1970.
    unix_s: i64,
}

fn at(url: &str) -> (Endpoint, String) {
    let url = crate::vocabulary::SecretUrl::parse(url).expect(url);
    (url.endpoint(), url.wire_path().to_owned())
}

impl Client {
    fn set(&self, url: &str, line: &str) -> &Self {
        let (endpoint, path) = at(url);
        let received = Received { at: Instant::now(), unix_s: self.unix_s };
        self.jar.take(&endpoint, &path, &[line.as_bytes().into()], received);
        self
    }

    fn sent_with(&self, url: &str, given: Option<&str>) -> Option<String> {
        let (endpoint, path) = at(url);
        let mut sent = None;
        self.jar.line(&endpoint, &path, given.map(str::as_bytes), &mut |line| {
            assert!(sent.replace(String::from_utf8_lossy(line).into_owned()).is_none(), "one line");
        });
        sent
    }

    fn sent(&self, url: &str) -> String {
        self.sent_with(url, None).unwrap_or_default()
    }
}

#[test]
fn a_cookie_without_domain_goes_back_to_its_host_alone_on_any_port_and_scheme() {
    let client = Client::default();
    client.set("http://cdn.example:81/live/a.m3u8", "sid=1; Path=/; HttpOnly; SameSite=Lax");
    for home in ["http://cdn.example:81/x.ts", "http://cdn.example/y?z", "https://cdn.example/"] {
        assert_eq!(client.sent(home), "sid=1", "{home}");
    }
    for elsewhere in ["http://a.cdn.example/", "http://example/", "http://xcdn.example/", "http://127.0.0.1/"]
    {
        assert_eq!(client.sent(elsewhere), "", "{elsewhere}");
    }
}

#[test]
fn a_cookie_with_domain_goes_to_hosts_below_it() {
    let client = Client::default();
    client.set("http://edge.cdn.example/", "sid=1; Domain=.CDN.example; Path=/");
    for inside in ["http://cdn.example/", "http://a.b.cdn.example/"] {
        assert_eq!(client.sent(inside), "sid=1", "{inside}");
    }
    for outside in ["http://example/", "http://evilcdn.example/", "http://cdn.example.org/"] {
        assert_eq!(client.sent(outside), "", "{outside}");
    }
}

#[test]
fn a_host_sets_no_cookie_for_others() {
    for (url, domain) in [
        ("http://a.example/", "b.example"),
        ("http://a.example/", "b.a.example"),
        ("http://a.example/", "example"),
        ("http://shop.co.uk/", "co.uk"),
        ("http://a.example/", "example."),
        ("http://127.0.0.1/", "0.0.1"),
        ("http://127.0.0.1/", "1"),
    ] {
        let client = Client::default();
        client.set(url, &format!("sid=1; Path=/; Domain={domain}"));
        assert!(client.jar.cookies.borrow().is_empty(), "{url} {domain}");
    }
    let client = Client::default();
    client
        .set("http://127.0.0.1/", "a=1; Domain=127.0.0.1")
        .set("http://localhost/", "b=2; Domain=localhost");
    assert_eq!(client.sent("http://127.0.0.1/"), "a=1");
    assert_eq!(client.sent("http://localhost/"), "b=2");
    assert_eq!(client.sent("http://a.localhost/"), "", "its own name makes it a cookie of the host");
}

#[test]
fn paths_are_whole_folders_and_default_to_that_of_the_request() {
    let client = Client::default();
    client.set("http://h/live/one/a.m3u8?x=/y", "a=1");
    assert_eq!(client.sent("http://h/live/one/s.ts"), "a=1");
    assert_eq!(client.sent("http://h/live/one"), "a=1");
    for outside in ["http://h/live/", "http://h/live/oneness/", "http://h/"] {
        assert_eq!(client.sent(outside), "", "{outside}");
    }
    client.set("http://h/", "b=2; Path=/live/").set("http://h/", "c=3; Path=relative");
    assert_eq!(client.sent("http://h/live/one/s.ts"), "a=1; b=2; c=3", "longer paths first");
    assert_eq!(client.sent("http://h/live"), "c=3");
}

#[test]
fn secure_cookies_come_and_go_over_tls_only() {
    let client = Client::default();
    client.set("http://h/", "a=1; Secure").set("https://h/", "b=2; Secure").set("https://h/", "c=3");
    assert_eq!(client.sent("http://h/"), "c=3");
    assert_eq!(client.sent("https://h/"), "b=2; c=3");
    client.set("http://h/", "b=evil");
    assert_eq!(client.sent("https://h/"), "b=2; c=3", "a plain response does not replace a secure cookie");
    client.set("https://h/", "b=2");
    assert_eq!(client.sent("http://h/"), "b=2; c=3", "a secure one does");
    client.set("https://h/", "b=2; Secure");
    client.set("https://h/", "__Host-d=4; Secure; Path=/x").set("https://h/", "__Secure-e=5");
    assert_eq!(client.sent("https://h/x"), "b=2; c=3");
    client.set("https://h/", "__Host-d=4; Secure; Path=/").set("https://h/", "__Secure-e=5; Secure");
    assert_eq!(client.sent("https://h/"), "b=2; c=3; __Host-d=4; __Secure-e=5");
}

#[test]
fn lifetimes_end_cookies_and_max_age_beats_expires() {
    let now_s = 1_800_000_000;
    let past = "Thu, 01 Jan 1970 00:00:00 GMT";
    let future = "Wed, 31-Dec-2087 23:59:59 GMT";
    for (attributes, is_kept) in [
        ("", true),
        ("; Max-Age=60", true),
        ("; Max-Age=0", false),
        ("; Max-Age=-1", false),
        ("; Max-Age=99999999999999999999", true),
        ("; Max-Age=soon", true),
        (&format!("; Expires={future}"), true),
        (&format!("; Expires={past}"), false),
        (&format!("; Max-Age=60; Expires={past}"), true),
        (&format!("; Max-Age=0; Expires={future}"), false),
        ("; Expires=tomorrow", true),
    ] {
        let client = Client { unix_s: now_s, ..Client::default() };
        client.set("http://h/", "a=old").set("http://h/", &format!("a=1{attributes}"));
        assert_eq!(client.sent("http://h/"), if is_kept { "a=1" } else { "" }, "{attributes}");
    }
    let client = Client::default();
    let (endpoint, path) = at("http://h/");
    let long_ago = Received { at: Instant::now() - Duration::from_secs(61), unix_s: now_s };
    client.jar.take(&endpoint, &path, &[b"a=1; Max-Age=60".as_slice().into()], long_ago);
    client.jar.take(&endpoint, &path, &[b"b=1; Max-Age=600".as_slice().into()], long_ago);
    assert_eq!(client.sent("http://h/"), "b=1");
}

#[test]
fn a_line_that_could_add_a_header_is_ignored() {
    let client = Client::default();
    for line in
        ["a=1\r\nEvil: 1", "a=\0", "a\x7f=1", "=1", "novalue", "", ";a=1", "a=1; Path=/\n", "a=\t1\tx"]
    {
        client.set("http://h/", line);
        assert_eq!(client.sent("http://h/"), "", "{line:?}");
    }
    client.set("http://h/", " a = b = c ; Path=/");
    assert_eq!(client.sent("http://h/"), "a=b = c");
}

#[test]
fn a_cookie_replaces_the_one_of_the_same_name_domain_and_path() {
    let client = Client::default();
    client.set("http://h/", "a=1").set("http://h/", "b=2").set("http://h/", "a=3");
    assert_eq!(client.sent("http://h/"), "a=3; b=2", "its place stays");
    client.set("http://h/", "a=4; Path=/x");
    assert_eq!(client.sent("http://h/x"), "a=4; a=3; b=2");
}

#[test]
fn a_hostile_server_fills_the_budget_and_no_more() {
    let client = Client::default();
    for number in 0..10_000 {
        client.set("http://h/", &format!("n{number}={}", "x".repeat(number % 5_000)));
    }
    let cookies = client.jar.cookies.borrow();
    assert!(cookies.len() <= limits::COOKIES_PER_CLIENT);
    assert!(cookies.iter().map(Cookie::bytes).sum::<usize>() <= limits::COOKIE_JAR_BYTES);
    drop(cookies);
    for number in 0..200 {
        client.set("http://h/", &format!("m{number}=1"));
    }
    let names: Vec<_> = client.sent("http://h/").split("; ").map(str::to_owned).collect();
    let newest: Vec<_> =
        (200 - limits::COOKIES_PER_CLIENT..200).map(|number| format!("m{number}=1")).collect();
    assert_eq!(names, newest, "the oldest make room");
}

#[test]
fn what_the_operator_gave_goes_along_unless_the_server_has_set_that_name() {
    let client = Client::default();
    let sent = |given| client.sent_with("http://h/", given);
    assert_eq!(sent(None), None);
    assert_eq!(sent(Some("t=1; u=2")).as_deref(), Some("t=1; u=2"));
    client.set("http://h/", "u=3").set("http://h/", "v=4");
    assert_eq!(sent(Some("t=1; u=2;")).as_deref(), Some("t=1; u=3; v=4"));
    assert_eq!(client.sent_with("http://other/", Some("t=1; u=2")).as_deref(), Some("t=1; u=2"));
}
