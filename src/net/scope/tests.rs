//! The scope as a table: target, URL, answer.

use super::*;

fn url(text: &str) -> SecretUrl {
    SecretUrl::parse(text).expect(text)
}

fn options(hosts: &[&str]) -> ScopeOptions {
    let hosts = hosts.iter().map(|host| host.parse().expect("a host")).collect();
    ScopeOptions { hosts, ..ScopeOptions::default() }
}

/// Returns the scope of a run against `target`, whose host has these addresses.
fn scope(target: &str, addresses: &[&str], options: ScopeOptions) -> Scope {
    let scope = Scope::new(&url(target), &[], options);
    scope.learn(&addresses.iter().map(|address| address.parse().expect("an address")).collect::<Vec<_>>());
    scope
}

/// Returns the scope of a run against a host on the Internet.
fn public(hosts: &[&str]) -> Scope {
    scope("https://live.example.com/a.m3u8", &["93.184.215.14"], options(hosts))
}

fn answer(scope: &Scope, text: &str) -> Option<Fault> {
    scope.check(&url(text), Lead::Given).err().map(Refusal::fault)
}

#[test]
fn the_target_and_its_domain_are_in_scope_and_every_other_host_is_not() {
    let scope = public(&[]);
    for text in [
        "https://live.example.com/b.ts",
        "https://live.example.com:8443/b.ts",
        "https://LIVE.example.com./b.ts",
        "https://example.com/b.ts",
        "https://cdn.example.com/b.ts",
        "https://a.b.example.com/b.ts",
    ] {
        assert_eq!(answer(&scope, text), None, "{text}");
    }
    for text in [
        "https://example.net/",
        "https://badexample.com/",
        "https://live.example.com.evil.net/",
        "https://com/",
        "https://localhost.evil.net/",
        "https://93.184.215.14/",
        "https://[2606:4700::1]/",
        // A name that means this machine is refused as a name: its address does not matter.
        "https://localhost/",
    ] {
        assert_eq!(answer(&scope, text), Some(Fault::PolicyHost), "{text}");
    }
}

#[test]
fn hosts_of_one_hoster_belong_to_different_owners() {
    let scope = scope("https://d111.cloudfront.net/a.m3u8", &["13.32.0.1"], options(&[]));
    assert_eq!(answer(&scope, "https://d222.cloudfront.net/"), Some(Fault::PolicyHost));
    assert_eq!(answer(&scope, "https://d111.cloudfront.net:444/"), None);
}

#[test]
fn an_address_in_a_url_is_judged_in_every_spelling() {
    for text in [
        "http://169.254.169.254/latest/meta-data/",
        "http://[fd00:ec2::254]/",
        "http://[fe80::1]/",
        "http://0.0.0.0/",
        "http://0/",
        "http://[::]/",
        "http://255.255.255.255/",
        "http://224.0.0.1/",
        "http://127.0.0.1/",
        "http://127.1/",
        "http://0x7f000001/",
        "http://2130706433/",
        "http://017700000001/",
        "http://%31%32%37.0.0.1/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::ffff:a9fe:a9fe]/",
        "http://[64:ff9b::10.0.0.1]/",
        "http://10.0.0.1/",
        "http://192.168.0.1:8080/",
        "http://[fd12::1]/",
    ] {
        assert_eq!(answer(&public(&[]), text), Some(Fault::PolicyAddress), "{text}");
        let all = ScopeOptions { follow_cdn: true, ..options(&["*.example.net"]) };
        let scope = scope("http://live.example.com/", &["93.184.215.14"], all);
        assert_eq!(answer(&scope, text), Some(Fault::PolicyAddress), "--follow-cdn: {text}");
    }
}

/// Returns the class of an address that a connection to `host` must not use.
fn refused_at(scope: &Scope, host: &str, address: &str) -> Option<AddressClass> {
    let endpoint = url(&format!("http://{host}/")).endpoint();
    scope.refuses_at(&endpoint, address.parse().expect(address))
}

#[test]
fn following_cdns_opens_no_private_network_even_if_the_target_is_in_one() {
    let follow = |hosts| ScopeOptions { follow_cdn: true, ..options(hosts) };
    let by_name =
        scope("http://live.example.com/", &["10.0.0.1"], follow(&["named.example.net", "10.0.0.7"]));
    let by_address = scope("http://10.0.0.1/", &[], follow(&["named.example.net", "10.0.0.7"]));
    for scope in [&by_name, &by_address] {
        for text in ["http://10.0.0.2/", "http://127.0.0.1/", "http://[fd00::1]/", "http://localhost/"] {
            assert_eq!(answer(scope, text), Some(Fault::PolicyHost), "{text}");
        }
        for text in ["http://93.184.215.14/", "http://ads.example.net/", "http://10.0.0.7/"] {
            assert_eq!(answer(scope, text), None, "{text}");
        }
        for (host, address, class) in [
            ("ads.example.net", "10.0.0.2", Some(AddressClass::Private)),
            ("ads.example.net", "::ffff:10.0.0.2", Some(AddressClass::Private)),
            ("ads.example.net", "127.0.0.1", Some(AddressClass::Loopback)),
            ("ads.example.net", "169.254.169.254", Some(AddressClass::LinkLocal)),
            ("ads.example.net", "93.184.215.14", None),
            // The operator named the address, or the host.
            ("ads.example.net", "10.0.0.7", None),
            ("named.example.net", "10.0.0.2", None),
        ] {
            assert_eq!(refused_at(scope, host, address), class, "{host} {address}");
        }
    }
    for (scope, host) in
        [(&by_name, "live.example.com"), (&by_name, "cdn.example.com"), (&by_address, "10.0.0.1")]
    {
        assert_eq!(refused_at(scope, host, "10.0.0.1"), None, "{host} is in scope anyway");
    }
}

#[test]
fn the_operator_adds_hosts_and_private_addresses_but_none_that_is_never_used() {
    let scope = public(&["ads.example.net", "*.cdn.example.org", "10.0.0.7", "169.254.169.254"]);
    for (text, expected) in [
        ("https://ads.example.net/", None),
        ("https://a.b.cdn.example.org/", None),
        ("https://cdn.example.org/", Some(Fault::PolicyHost)),
        ("https://x.ads.example.net/", Some(Fault::PolicyHost)),
        ("https://10.0.0.7:81/", None),
        ("https://10.0.0.8/", Some(Fault::PolicyAddress)),
        ("https://169.254.169.254/", Some(Fault::PolicyAddress)),
    ] {
        assert_eq!(answer(&scope, text), expected, "{text}");
    }
    let follow = ScopeOptions { follow_cdn: true, ..ScopeOptions::default() };
    let follow = super::Scope::new(&url("https://live.example.com/"), &[], follow);
    assert_eq!(answer(&follow, "https://ads.example.net/"), None);
}

#[test]
fn a_host_that_the_operator_resolves_is_in_scope_at_that_port() {
    let entries =
        ["cdn.example.net:443:10.0.0.7", "*:8080:127.0.0.1", "gone.example:443:::1", "-gone.example:443"];
    let entries: Vec<ResolveEntry> = entries.iter().map(|entry| entry.parse().expect("an entry")).collect();
    let scope = Scope::new(&url("https://live.example.com/"), &entries, ScopeOptions::default());
    scope.learn(&["93.184.215.14".parse().expect("an address")]);
    for (text, expected) in [
        ("https://cdn.example.net/", None),
        ("https://cdn.example.net:444/", Some(Fault::PolicyHost)),
        ("http://any.example.net:8080/", None),
        ("https://gone.example/", Some(Fault::PolicyHost)),
    ] {
        assert_eq!(answer(&scope, text), expected, "{text}");
    }
    let from = url("https://cdn.example.net/a");
    for (text, expected) in [
        ("https://cdn.example.net/b", Ok(())),
        ("https://cdn.example.net:8443/b", Err(Refusal::Host)),
        ("http://cdn.example.net/b", Err(Refusal::Host)),
    ] {
        assert_eq!(scope.check(&url(text), Lead::Redirect(&from)), expected, "a redirect to {text}");
    }
    for (address, refused) in [("10.0.0.7", false), ("127.0.0.1", false), ("10.0.0.8", true), ("::1", true)] {
        assert_eq!(scope.refuses(address.parse().expect(address)).is_some(), refused, "{address}");
    }
}

#[test]
fn a_target_on_loopback_has_all_of_loopback() {
    let localhost = scope("http://localhost/", &["127.0.0.1", "::1"], options(&[]));
    let resolved = scope("http://cdn.example/", &["127.0.0.1"], options(&[]));
    for scope in [&scope("http://127.0.0.1:80/", &[], options(&[])), &localhost, &resolved] {
        for text in [
            "http://127.0.0.1:81/",
            "http://127.0.0.2/",
            "http://localhost/",
            "http://a.localhost/",
            "http://[::1]/",
        ] {
            assert_eq!(answer(scope, text), None, "{text}");
        }
        for (text, fault) in [
            ("http://10.0.0.1/", Fault::PolicyHost),
            ("http://ads.example.net/", Fault::PolicyHost),
            ("http://169.254.169.254/", Fault::PolicyAddress),
            ("http://0.0.0.0/", Fault::PolicyAddress),
        ] {
            assert_eq!(answer(scope, text), Some(fault), "{text}");
        }
    }
}

#[test]
fn single_labels_and_private_addresses_are_hosts_of_their_own() {
    let label = scope("http://origin/", &["10.0.0.1"], options(&[]));
    assert_eq!(answer(&label, "http://origin:8080/"), None);
    assert_eq!(answer(&label, "http://cache/"), Some(Fault::PolicyHost));
    assert_eq!(answer(&label, "http://127.0.0.1/"), Some(Fault::PolicyHost), "another host");
    let address = scope("http://10.0.0.1/", &[], options(&[]));
    assert_eq!(answer(&address, "http://[::ffff:10.0.0.1]:81/"), None, "the same in another spelling");
    assert_eq!(answer(&address, "http://10.0.0.2/"), Some(Fault::PolicyHost));
}

#[test]
fn http_after_https_is_a_downgrade_wherever_it_comes_from() {
    let (plain, secure) = (url("http://live.example.com/b"), url("https://live.example.com/a"));
    let scope = public(&[]);
    for (to, lead, refused) in [
        (&plain, Lead::Given, false),
        (&plain, Lead::SecurePlaylist, true),
        (&plain, Lead::Redirect(&secure), true),
        (&plain, Lead::Redirect(&plain), false),
        (&secure, Lead::SecurePlaylist, false),
        (&secure, Lead::Redirect(&plain), false),
    ] {
        let expected = if refused { Err(Refusal::Downgrade) } else { Ok(()) };
        assert_eq!(scope.check(to, lead), expected, "{to} {lead:?}");
    }
    for text in ["http://ads.example.net/", "http://93.184.215.14/"] {
        let refused = scope.check(&url(text), Lead::SecurePlaylist);
        assert_eq!(refused, Err(Refusal::Host), "--allow-downgrade would not load {text}");
    }
    let private = scope.check(&url("http://10.0.0.1/"), Lead::SecurePlaylist);
    assert_eq!(private, Err(Refusal::Address(AddressClass::Private)));
    let allowed = ScopeOptions { allow_downgrade: true, ..ScopeOptions::default() };
    let allowed = super::Scope::new(&secure, &[], allowed);
    assert_eq!(allowed.check(&plain, Lead::Redirect(&secure)), Ok(()));
}

#[test]
fn a_redirect_stays_at_a_host_that_is_in_scope_and_needs_more_than_a_name_to_leave_an_address() {
    let scope = scope("http://127.0.0.1/", &[], options(&["ads.example.net"]));
    for (from, to, expected) in [
        ("http://127.0.0.1/", "http://127.0.0.1:81/", None),
        ("http://127.0.0.1/", "http://127.0.0.2/", None),
        ("http://127.0.0.1/", "http://ads.example.net/", None),
        ("http://127.0.0.1/", "http://localhost/", Some(Fault::PolicyHost)),
        ("http://localhost/", "http://localhost/b", None),
        ("http://ads.example.net/", "http://evil.example.org/", Some(Fault::PolicyHost)),
        ("http://127.0.0.1/", "http://169.254.169.254/", Some(Fault::PolicyAddress)),
    ] {
        let refused = scope.check(&url(to), Lead::Redirect(&url(from))).err().map(Refusal::fault);
        assert_eq!(refused, expected, "{from} {to}");
    }
}

#[test]
fn private_addresses_belong_to_private_targets_and_the_first_lookup_decides() {
    let refused = |scope: &Scope| {
        let addresses =
            ["93.184.215.14", "10.0.0.1", "127.0.0.1", "::1", "::ffff:10.0.0.1", "169.254.169.254"];
        addresses.map(|address| scope.refuses(address.parse().expect(address)).is_some())
    };
    let rebound = public(&[]);
    assert_eq!(rebound.network(), Some(Network::Public));
    // The name resolves to the intranet the next time.
    rebound.learn(&["10.0.0.1".parse().expect("an address")]);
    assert_eq!(refused(&rebound), [false, true, true, true, true, true]);

    for (addresses, network) in [
        (&["10.0.0.1"][..], Network::Private),
        (&["127.0.0.1", "10.0.0.1"], Network::Private),
        (&["::1"], Network::Loopback),
    ] {
        let private = scope("http://origin.example.com/", addresses, options(&[]));
        assert_eq!(
            (private.network(), refused(&private)),
            (Some(network), [false, false, false, false, false, true])
        );
    }
    let mixed = scope("http://origin.example.com/", &["10.0.0.1", "93.184.215.14"], options(&[]));
    assert_eq!(mixed.network(), Some(Network::Public), "one public address suffices");

    let unknown = scope("http://origin.example.com/", &[], options(&[]));
    assert_eq!((unknown.network(), refused(&unknown)), (None, refused(&rebound)), "unknown counts as public");
    unknown.learn(&["169.254.169.254".parse().expect("an address")]);
    assert_eq!(unknown.network(), None, "no host has such an address");
}

#[test]
fn a_refusal_says_what_would_help() {
    let scope = public(&[]);
    for (text, expected) in [
        ("https://ads.example.net/x", "--allow-host ads.example.net loads it"),
        ("https://a_b.example.net./x", "--allow-host a_b.example.net loads it"),
        // An option would not accept these hosts, or would take them for more than one host, or for an option.
        ("https://a$b`c`.example.net/", "a$b`c`.example.net is not in the scope of this run"),
        ("https://*.example.net/", "*.example.net is not in the scope of this run"),
        ("https://-x.example.net/", "-x.example.net is not in the scope of this run"),
        (
            "http://10.0.0.1/",
            "10.0.0.1 is a private address, and the target is public; --allow-host 10.0.0.1 loads it",
        ),
        ("http://[::1]/", "::1 is a loopback address, and the target is public; --allow-host ::1 loads it"),
        ("http://169.254.169.254/", "169.254.169.254 is a link-local address"),
        ("http://0.0.0.0/", "0.0.0.0 is not the address of a host"),
    ] {
        let url = url(text);
        let refusal = scope.check(&url, Lead::Given).expect_err(text);
        assert_eq!(refusal.explain(&host_of(&url)), expected);
    }
    let addresses = ["93.184.215.14", "10.0.0.1"].map(|address| address.parse().expect(address));
    let said = "cdn.example.com, at 10.0.0.1, is a private address, and the target is public; \
                --allow-host 10.0.0.1 loads it";
    let endpoint = url("https://cdn.example.com/").endpoint();
    assert_eq!(scope.explain(&endpoint, &addresses).as_deref(), Some(said));
    assert_eq!(scope.explain(&endpoint, &addresses[..1]), None);
    let literal = url("https://10.0.0.1/").endpoint();
    let of_literal = scope.explain(&literal, &addresses[1..]).expect("refused");
    assert!(of_literal.starts_with("10.0.0.1 is a private address"), "{of_literal}");
    let private = ScopeOptions { follow_cdn: true, ..options(&[]) };
    let private = super::Scope::new(&url("http://10.0.0.1/"), &[], private);
    let followed = "10.0.0.1 is a private address, which --follow-cdn does not load; --allow-host cdn.example.com loads it";
    assert_eq!(private.explain(&endpoint, &addresses[1..]).as_deref(), Some(followed));
    assert_eq!(private.explain(&endpoint, &addresses[..1]), None);
    private.stay_private(Vec::new());
    let public =
        "93.184.215.14 is a public address, and the target is private; --allow-host cdn.example.com loads it";
    assert_eq!(private.explain(&endpoint, &addresses[..1]).as_deref(), Some(public));
}

#[test]
fn behind_a_proxy_addresses_in_urls_are_judged_and_a_private_run_uses_only_names_that_were_given() {
    let follow = ScopeOptions { follow_cdn: true, ..options(&["named.example.net", "*.example.org"]) };
    let scope = scope("http://10.0.0.1/", &[], follow);
    let refused = |host: &str| scope.refuses_behind_proxy(&url(&format!("http://{host}/")).endpoint());
    let unnamed = ["93.184.215.14", "ads.example.net", "cdn.example.org"];
    for host in unnamed {
        assert_eq!(refused(host), None, "{host}");
    }
    assert_eq!(refused("10.0.0.2"), Some(Fault::PolicyAddress));
    scope.stay_private(vec!["also.example.net".parse().expect("a host")]);
    for host in unnamed {
        assert_eq!(refused(host), Some(Fault::PolicyHost), "{host}");
        let said = scope.explain_behind_proxy(&url(&format!("http://{host}/")).endpoint()).expect("refused");
        assert!(said.ends_with(&format!("the target is private; --allow-host {host} loads it")), "{said}");
    }
    for host in ["10.0.0.1", "named.example.net", "also.example.net.", "localhost"] {
        assert_eq!(refused(host), None, "{host}");
    }
}
