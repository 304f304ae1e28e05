//! The scope of the run, as clients meet it: a URL that is refused is counted and reported, and hosts other than the
//! target's are counted one by one.

use crate::net::scope::{Lead, Scope, host_of};
use crate::player::Fetch;
use crate::stats::Meter;
use crate::vocabulary::outcome::Fault;
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
        meter.explain(refusal.fault(), || refusal.explain(&host));
        meter.find(refusal.finding(), || refusal.explain(&host));
        refusal.fault()
    })
}

/// Counts a request for the host of `url`, unless it is the target's: the usual case costs one comparison.
pub(super) fn count_host(scope: &Scope, meter: &Meter, url: &SecretUrl) {
    if !scope.is_at_home(url) {
        meter.host_requested(&host_of(url));
    }
}

/// Reports that no connection was opened for `url`, because its host is at an address out of scope.
pub(super) fn refuse_address(scope: &Scope, meter: &Meter, url: &SecretUrl) {
    let host = host_of(url);
    if !scope.is_at_home(url) {
        meter.host_refused(&host);
    }
    meter.find(Finding::UnreachableAddress, || format!("no address of {host} is in scope"));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::scope::ScopeOptions;
    use crate::stats::{HostTotals, Registry};
    use crate::vocabulary::Clock;

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
                count_host(&scope, &meter, &url);
            }
        }
        let (host, address) = (Some(Fault::PolicyHost), Some(Fault::PolicyAddress));
        assert_eq!(admitted, [None, None, host, host, address]);
        let expected = [
            ("169.254.169.254", HostTotals { requests: 0, refused: 1 }),
            ("ads.example.net", HostTotals { requests: 0, refused: 2 }),
            ("localhost", HostTotals { requests: 1, refused: 0 }),
        ];
        let audience = registry.audience();
        let hosts: Vec<_> = audience.hosts.iter().map(|(name, totals)| (name.as_str(), *totals)).collect();
        assert_eq!(hosts, expected);
        let explained: Vec<_> = registry.explanations().into_iter().map(|(fault, _)| fault).collect();
        assert_eq!(explained, [Fault::PolicyHost, Fault::PolicyAddress]);
    }
}
