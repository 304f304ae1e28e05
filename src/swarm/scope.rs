//! The scope of the run, as clients meet it: a URL that is refused is counted and reported, and hosts other than the
//! target's are counted one by one.

use std::mem::ManuallyDrop;

use crate::net::scope::{Lead, Scope, host_of};
use crate::player::Fetch;
use crate::stats::{Detail, Meter};
use crate::vocabulary::outcome::{Class, Fault};
use crate::vocabulary::{Finding, SecretUrl};

/// Returns the way in which a client came to the URL of `fetch`.
pub(super) fn lead_to(fetch: &Fetch) -> Lead<'static> {
    if fetch.secure { Lead::SecurePlaylist } else { Lead::Given }
}

/// Decides whether a client may request `url`, to which it came by `lead`.
///
/// # Errors
/// The fault with which the request ends if it may not: nothing is sent.
pub(super) fn admit(scope: &Scope, meter: &Meter, url: &SecretUrl, lead: Lead<'_>) -> Result<(), Fault> {
    scope.check(url, lead).map_err(|refusal| {
        let host = host_of(url);
        if !scope.is_at_home(url) {
            meter.host_refused(&host);
        }
        meter.explain(refusal.fault(), || Detail::Host(refusal.explain(&host)));
        meter.find(refusal.finding(), || Detail::Host(refusal.explain(&host)));
        refusal.fault()
    })
}

/// Refuses a URL that no player requests: of another scheme, or broken.
pub(super) fn refuse_scheme(meter: &Meter, url: &SecretUrl) -> Fault {
    meter.explain(Fault::PolicyScheme, || url.refusal());
    meter.find(Finding::BadUri, || url.refusal());
    Fault::PolicyScheme
}

/// Returns the reason of a fault that the network reports. If the scope refused a host, it is all about that.
pub(super) fn reason(fault: Fault, reason: &str) -> Detail {
    let reason = reason.to_owned();
    if fault.class() == Class::Policy { Detail::Host(reason) } else { Detail::Text(reason) }
}

/// A request for the host of a URL, sent by a client at a place that knows the scope. Dropping it counts the request,
/// unless the host is the target's: the usual case costs one comparison. A request that is cancelled counts too,
/// because it may have been sent.
pub(super) struct HostRequest<'a, P: AsRef<Scope>> {
    pub(super) place: &'a P,
    pub(super) meter: &'a Meter,
    pub(super) url: &'a SecretUrl,
}

impl<P: AsRef<Scope>> HostRequest<'_, P> {
    /// Counts a refusal in place of the request: with this fault no connection was opened, so nothing was sent.
    pub(super) fn refuse(self, fault: Fault) {
        let request = ManuallyDrop::new(self);
        let host = host_of(request.url);
        if request.is_elsewhere() {
            request.meter.host_refused(&host);
        }
        let is_foreign = fault == Fault::PolicyHost;
        let finding = if is_foreign { Finding::ForeignHost } else { Finding::UnreachableAddress };
        request.meter.find(finding, || Detail::Host(format!("no address of {host} is in scope")));
    }

    fn is_elsewhere(&self) -> bool {
        !self.place.as_ref().is_at_home(self.url)
    }
}

impl<P: AsRef<Scope>> Drop for HostRequest<'_, P> {
    fn drop(&mut self) {
        if self.is_elsewhere() {
            self.meter.host_requested(&host_of(self.url));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    use crate::net::scope::ScopeOptions;
    use crate::stats::{HostTotals, Registry};
    use crate::vocabulary::Clock;

    impl AsRef<Self> for Scope {
        fn as_ref(&self) -> &Self {
            self
        }
    }

    #[test]
    fn a_refusal_is_counted_explained_and_found_and_the_targets_host_costs_nothing() {
        let url = |text: &str| SecretUrl::parse(text).expect(text);
        let registry = Registry::new(1);
        let client = registry.add();
        let meter = client.meter(0, Clock::start());
        let scope = Scope::new(&url("http://127.0.0.1/"), &[], ScopeOptions::default());
        let mut admitted = Vec::new();
        for text in [
            "http://127.0.0.1:81/a.ts",
            "http://localhost/a.ts",
            "http://ads.example.net/a.ts?token=hunter2",
            "http://ads.example.net/b.ts",
            "http://169.254.169.254/",
        ] {
            let url = url(text);
            admitted.push(admit(&scope, &meter, &url, Lead::Given).err());
            if admitted.last() == Some(&None) {
                drop(HostRequest { place: &scope, meter: &meter, url: &url });
            }
        }
        let (rebound, home) = (url("http://rebound.example.com/"), url("http://127.0.0.1/"));
        for url in [&rebound, &home] {
            HostRequest { place: &scope, meter: &meter, url }.refuse(Fault::PolicyAddress);
        }
        let (host, address) = (Some(Fault::PolicyHost), Some(Fault::PolicyAddress));
        assert_eq!(admitted, [None, None, host, host, address]);
        let expected = [
            ("169.254.169.254", HostTotals { requests: 0, refused: 1 }),
            ("ads.example.net", HostTotals { requests: 0, refused: 2 }),
            ("localhost", HostTotals { requests: 1, refused: 0 }),
            ("rebound.example.com", HostTotals { requests: 0, refused: 1 }),
        ];
        let audience = registry.audience();
        let hosts: Vec<_> = audience.hosts.iter().map(|(name, totals)| (name.as_str(), *totals)).collect();
        assert_eq!(hosts, expected);
        let explained: Vec<_> = registry.explanations().into_iter().map(|(fault, _)| fault).collect();
        assert_eq!(explained, [Fault::PolicyHost, Fault::PolicyAddress]);
    }
    #[test]
    fn a_host_is_named_once_and_whole_in_details_although_it_looks_like_a_token() {
        let registry = Registry::new(1);
        let client = registry.add();
        let meter = client.meter(0, Clock::start());
        let url = |text: &str| SecretUrl::parse(text).expect(text);
        let scope = Scope::new(&url("http://live.example.com/"), &[], ScopeOptions::default());
        let host = format!("c4af3793bf76b33c.{}.mediapackage.us-west-2.amazonaws.com", "long-name".repeat(6));
        let refused = admit(&scope, &meter, &url(&format!("http://{host}/a?token=hunter2")), Lead::Given);
        assert_eq!(refused, Err(Fault::PolicyHost));
        let advice = format!("--allow-host {host} loads it");
        assert_eq!(registry.explanations(), [(Fault::PolicyHost, advice.as_str().into())]);
        let at = "c4af3793bf76b33c.example.com, at 10.0.0.1, is a private address";
        meter.explain(Fault::PolicyAddress, || reason(Fault::PolicyAddress, at));
        meter
            .explain(Fault::TlsCert, || reason(Fault::TlsCert, "issued by 0123456789abcdef0123456789abcdef"));
        let explained: Vec<_> = registry.explanations().into_iter().map(|(_, text)| text).collect();
        assert_eq!(explained, ["issued by ***".into(), advice.as_str().into(), at.into()] as [Arc<str>; 3]);
        let mut rows = Vec::new();
        registry.findings(&mut rows);
        assert_eq!((rows[0].finding, &*rows[0].detail), (Finding::ForeignHost, advice.as_str()));
    }

    #[test]
    fn a_url_that_no_player_requests_is_explained_and_found() {
        let registry = Registry::new(1);
        let client = registry.add();
        let meter = client.meter(0, Clock::start());
        let base = SecretUrl::parse("http://127.0.0.1/").expect("a URL");
        for (location, expected) in [
            ("file:///etc/passwd", "file: URLs are not requested"),
            ("ftp://cdn.example/b.ts", "file: URLs are not requested"),
            ("http://[::1/b.ts", "file: URLs are not requested"),
            ("", "file: URLs are not requested"),
        ] {
            assert_eq!(refuse_scheme(&meter, &base.refer(location)), Fault::PolicyScheme);
            assert_eq!(registry.explanations(), [(Fault::PolicyScheme, expected.into())], "the first counts");
        }
        let mut rows = Vec::new();
        registry.findings(&mut rows);
        assert_eq!((rows[0].finding, rows[0].count), (Finding::BadUri, 4));
    }
}
