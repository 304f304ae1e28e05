//! URLs with secrets: what is sent, what is shown, and the URLs that they lead to.

use super::*;

#[test]
fn a_fingerprint_tells_targets_apart_and_has_no_part_in_secrets() {
    let of = |text: &str| SecretUrl::parse(text).expect("a URL").fingerprint();
    let plain = of("https://a.test/live/master.m3u8?token=1");
    assert_eq!(plain, of("https://user:password@a.test:443/live/master.m3u8?token=2#begin"));
    assert_eq!(of("https://a.test/a?aHVudGVyMg=="), of("https://a.test/a?b3RoZXI="));
    let others = ["http://a.test/live/master.m3u8?token=1", "https://a.test/live/master.m3u8"];
    assert!(others.into_iter().chain(["https://a.test/other.m3u8?token=1"]).all(|other| of(other) != plain));
}

fn url(text: &str) -> SecretUrl {
    SecretUrl::parse(text).expect(text)
}

#[test]
fn no_secret_is_printed() {
    let secret = url(
        "https://user:hunter2@cdn.example:8443/live/0123456789abcdef0123456789abcdef/a.m3u8?token=hunter2&x=1#hunter2",
    );
    for text in [secret.to_string(), format!("{secret:?}")] {
        assert!(!text.contains("hunter2"), "{text}");
        assert!(!text.contains("user"), "{text}");
        assert!(!text.contains("0123456789"), "{text}");
        assert!(text.contains("cdn.example:8443/live/***/a.m3u8?***"), "{text}");
    }
    assert_eq!(secret.wire_path(), "/live/0123456789abcdef0123456789abcdef/a.m3u8?token=hunter2&x=1");
    assert_eq!(secret.credentials(), Some(("user".into(), "hunter2".into())));
}

#[test]
fn a_value_of_a_client_stands_in_its_url_and_is_shown_in_none_that_it_leads_to() {
    let template = url("http://h/live/{user}/x-{token}/a.m3u8?t={token}&u=%7Buser%7D&n={none}");
    assert_eq!(template.placeholders(), ["user", "token", "token", "user", "none"]);
    let value = |name: &str| match name {
        "user" => Some("me"),
        "token" => Some("plain b?c/d&e=é"),
        _ => None,
    };
    let filled = template.filled(value).expect("short");
    let wire = "/live/me/x-plain%20b%3Fc%2Fd&e=%C3%A9/a.m3u8?t=plain%20b?c/d%26e=%C3%A9&u=me&n={none}";
    assert_eq!(filled.wire_path(), wire);
    assert_eq!(filled.to_string(), "http://h/live/***/x-***/a.m3u8?***");
    let media = filled.refer("plain%20b%3Fc/d&e=%C3%A9.ts").refer("https://cdn/me/medium/s1.ts");
    assert_eq!(media.to_string(), "https://cdn/***/medium/s1.ts", "a short one is no part of a word");
    let named = filled.refer("plain%20b%3Fc/d&e=%C3%A9.ts");
    assert_eq!((named.file_name().as_str(), named.unshared().has_secrets()), ("***.ts", true), "{named}");
    let long = "x".repeat(limits::URL_BYTES);
    assert_eq!(template.filled(|_| Some(long.as_str())), Err(UrlError::Syntax));
    assert_eq!(url("http://h/{x}?{x}").filled(|_| None).expect("short").wire_path(), "/%7Bx%7D?{x}");
}

#[test]
fn a_value_stays_within_the_part_of_the_url_that_has_its_placeholder() {
    let fill = |template: &str, value: &str| {
        url(template).filled(|_| Some(value)).map(|filled| filled.wire_path().to_owned())
    };
    for (template, value, wire) in [
        ("http://h/{t}/a", "x/../y?b#c", "/x%2F..%2Fy%3Fb%23c/a"),
        ("http://h/{t}/a", "100%", "/100%25/a"),
        ("http://h/{t}/a", "a%2Fb%c3%A9", "/a%2Fb%c3%A9/a"),
        ("http://h/{t}/a", "...", "/.../a"),
        ("http://h/x-{t}/a", "..", "/x-../a"),
        ("http://h/a?t={t}&u=1", "x&y#z+/==%", "/a?t=x%26y%23z%2B/==%25&u=1"),
        ("http://h/a?u=1&{t}", "b=1&c=2", "/a?u=1&b=1&c=2"),
        ("http://h/a?{t}={t}", "b", "/a?b=b"),
    ] {
        assert_eq!(fill(template, value).as_deref(), Ok(wire), "{template} {value}");
    }
    for value in [".", "..", "%2e%2E", ".%2e"] {
        for template in ["http://h/{t}", "http://h/live/{t}", "http://h/live/{t}/a"] {
            assert_eq!(fill(template, value), Err(UrlError::DotSegment), "{template} {value}");
        }
        assert!(fill("http://h/live/a?t={t}", value).is_ok());
    }
    let shown = url("http://h/{t}/a").filled(|_| Some("hunter2/hunter2")).expect("short").to_string();
    assert_eq!(shown, "http://h/***/a");
}

#[test]
fn only_http_and_https_are_accepted() {
    for text in ["file:///etc/passwd", "data:text/plain,x", "ftp://h/x", "javascript:alert(1)", "gopher://h/"]
    {
        assert_eq!(SecretUrl::parse(text), Err(UrlError::Scheme), "{text}");
        assert_eq!(url("http://h/a.m3u8").join(text), Err(UrlError::Scheme), "{text}");
    }
    assert_eq!(SecretUrl::parse("no address"), Err(UrlError::Syntax));
    assert_eq!(SecretUrl::parse("http://"), Err(UrlError::Host));
    assert_eq!(url("http://h/a").join("b\r\nHost: evil"), Err(UrlError::Syntax));
    assert_eq!(url("http://h/a").join(""), Err(UrlError::Syntax));
}

#[test]
fn a_reference_that_cannot_be_requested_keeps_its_place_and_is_refused() {
    let base = url("http://h/live/a.m3u8");
    for (reference, access, shown) in [
        ("s1.ts", Access::Request, "http://h/live/s1.ts"),
        ("//cdn/s1.ts", Access::Request, "http://cdn/s1.ts"),
        ("ftp://hunter2@h/s1.ts", Access::Refused, "ftp:***"),
        ("file:///etc/hunter2", Access::Refused, "file:***"),
        ("javascript:hunter2()", Access::Refused, "javascript:***"),
        ("crypto+file:/hunter2", Access::Refused, "crypto+file:***"),
        ("http://[::1/hunter2.ts", Access::Refused, "about:***"),
        ("http://h:99999/hunter2.ts", Access::Refused, "about:***"),
        ("https://", Access::Refused, "about:***"),
        ("data:text/plain,hunter2", Access::Inline, "data:***"),
        ("DATA:;base64,hunter2", Access::Inline, "data:***"),
        ("", Access::Refused, "about:***"),
    ] {
        let url = base.refer(reference);
        assert_eq!((url.access(), url.to_string().as_str()), (access, shown), "{reference}");
        assert!(!format!("{url:?}{}{}", url.file_name(), url.refusal()).contains("hunter2"));
    }
    let relative_to_data = base.refer("data:,x").refer("s1.ts");
    assert_eq!(relative_to_data.access(), Access::Refused);
    assert_eq!(base.refer("ftp://h/x").refusal(), "ftp: URLs are not requested");
    let long = format!("s.ts?{}", "x".repeat(limits::URL_BYTES));
    assert_eq!(base.refer(&long).access(), Access::Refused);
}

#[test]
fn data_addresses_hold_their_bytes_as_browsers_read_them() {
    let base = url("http://h/a.m3u8");
    for (text, expected) in [
        ("data:,a%20b?c#fragment", Some(&b"a b?c"[..])),
        ("data:application/octet-stream;base64,AAECAw==", Some(&[0, 1, 2, 3])),
        ("data:;BASE64,AAECAw", Some(&[0, 1, 2, 3])),
        ("data:;base64,AA%0AEC%20Aw%3D%3D", Some(&[0, 1, 2, 3])),
        ("data:text/plain;charset=utf-8,%c3%a4", Some("ä".as_bytes())),
        ("data:;base64,", Some(&[])),
        ("data:;base64,A", None),
        ("data:;base64,*", None),
        ("data:no comma", None),
    ] {
        assert_eq!(base.refer(text).inline().ok().as_deref(), expected, "{text}");
    }
}

#[test]
fn references_resolve_as_rfc_3986_says() {
    let base = url("http://h:81/a/b/c.m3u8?q=1");
    for (reference, expected) in [
        ("x.ts", "http://h:81/a/b/x.ts"),
        ("./x.ts", "http://h:81/a/b/x.ts"),
        ("../x.ts", "http://h:81/a/x.ts"),
        ("/x.ts?y=2", "http://h:81/x.ts?y=2"),
        ("//other/x.ts", "http://other/x.ts"),
        ("?z", "http://h:81/a/b/c.m3u8?z"),
        ("https://o/x.ts", "https://o/x.ts"),
        ("a b.ts", "http://h:81/a/b/a%20b.ts"),
    ] {
        assert_eq!(base.join(reference).expect(reference).wire(), expected, "{reference}");
    }
}

#[test]
fn an_endpoint_names_what_a_connection_needs() {
    let endpoint = url("https://[::1]:9/x").endpoint();
    assert_eq!((endpoint.tls, endpoint.host.as_str(), endpoint.port), (true, "::1", 9));
    assert_eq!(endpoint.authority(), "[::1]:9");
    assert_eq!(url("http://h/x").endpoint().authority(), "h");
    assert!(url("https://[::1]:9/y").is_at(&endpoint));
    assert!(!url("http://[::1]:9/y").is_at(&endpoint));
    assert!(!url("https://[::1]/y").is_at(&endpoint));
    assert!(!url("https://[::2]:9/y").is_at(&endpoint));
    for text in ["http://[::ffff:127.0.0.1]:9/", "http://[::ffff:7f00:1]:9/", "http://[::1.2.3.4]:9/"] {
        let url = url(text);
        assert!(url.is_at(&url.endpoint()), "{text}: std prints another form than the parser of URLs");
    }
}
