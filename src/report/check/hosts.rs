//! The hosts of a stream, and those that a run would refuse.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::hls::Playlist;
use crate::net::scope::{Lead, Refusal, Scope, host_of};
use crate::report::Report;
use crate::report::page::Page;
use crate::vocabulary::outcome::Fault;
use crate::vocabulary::secret_url::Access;
use crate::vocabulary::{SecretUrl, Untrusted, units};

/// Maximum number of hosts that are kept of a stream.
const HOSTS: usize = 100;
/// Maximum number of hosts that are listed in the text.
const LISTED: usize = 20;
/// Longest name of a host, in columns.
const NAME_COLUMNS: usize = 253;

/// A host that the stream leads to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct HostSeen {
    /// Name or address.
    pub host: String,
    /// URLs in the playlists that were read; 0: only a redirect led there.
    pub urls: u64,
    /// Outcome with which a run refuses it, such as `policy.host`; `null`: a run loads it.
    pub refused: Option<&'static str>,
}

/// Collector of the hosts of a stream.
#[derive(Debug, Default)]
pub struct Hosts(BTreeMap<String, (u64, Option<Refusal>)>);

impl Hosts {
    /// Adds the hosts that a playlist from `url` names, judged by the scope of the run.
    pub fn add(&mut self, scope: &Scope, url: &SecretUrl, playlist: &Playlist) {
        let lead = if url.is_secure() { Lead::SecurePlaylist } else { Lead::Given };
        let mut at_base = 0;
        playlist.for_each_reference(|reference| {
            // Most references are relative: they need not be resolved, only counted.
            if is_relative(reference) {
                at_base += 1;
                return;
            }
            let target = url.refer(reference);
            if target.access() == Access::Request {
                self.count(&target, 1, scope.check(&target, lead).err());
            }
        });
        self.count(url, at_base, None);
    }

    fn count(&mut self, url: &SecretUrl, urls: u64, refusal: Option<Refusal>) {
        let host = host_of(url);
        if self.0.len() >= HOSTS && !self.0.contains_key(&*host) {
            return;
        }
        let (count, refused) = self.0.entry(host.into_owned()).or_default();
        *count += urls;
        *refused = refused.or(refusal);
    }

    /// Returns all hosts, also those that only redirects of the run led to.
    pub fn with_run(self, run: &Report) -> Vec<HostSeen> {
        let mut seen: Vec<_> = self
            .0
            .into_iter()
            .map(|(name, (urls, refusal))| {
                let refused = refusal.map(Refusal::fault).or_else(|| refused_in(run, &name));
                HostSeen { host: shown(&name), urls, refused: refused.map(Fault::name) }
            })
            .collect();
        let redirected = run.audience.hosts.keys().filter(|name| seen.iter().all(|seen| seen.host != **name));
        let redirected: Vec<_> = redirected
            .map(|name| HostSeen {
                host: name.clone(),
                urls: 0,
                refused: refused_in(run, name).map(Fault::name),
            })
            .collect();
        seen.extend(redirected);
        seen
    }
}

fn shown(name: &str) -> String {
    Untrusted::new(name).shown_in(NAME_COLUMNS)
}

/// Reports whether a reference surely stays at the host of its playlist: no scheme, and no host after two slashes.
fn is_relative(reference: &str) -> bool {
    let path = reference.split(['?', '#']).next().unwrap_or_default();
    !path.contains(':') && !reference.starts_with(['/', '\\']) || is_absolute_path(reference)
}

fn is_absolute_path(reference: &str) -> bool {
    let mut letters = reference.chars();
    letters.next() == Some('/') && letters.next().is_some_and(|next| !matches!(next, '/' | '\\'))
}

/// Returns the fault with which the run refused a host that its URLs did not give away: because of its address, or of
/// a redirect.
fn refused_in(run: &Report, name: &str) -> Option<Fault> {
    run.audience.hosts.get(name).filter(|host| host.refused > 0)?;
    let policy = [Fault::PolicyAddress, Fault::PolicyHost, Fault::PolicyScheme];
    policy.into_iter().find(|fault| run.outcomes.contains_key(fault.name()))
}

/// Writes the hosts, those that are refused first.
pub(super) fn hosts(hosts: &[HostSeen], page: &mut Page) {
    let mut hosts: Vec<_> = hosts.iter().collect();
    hosts.sort_by_key(|seen| (seen.refused.is_none(), std::cmp::Reverse(seen.urls)));
    for (place, seen) in hosts.iter().take(LISTED).enumerate() {
        let label = if place == 0 { "hosts" } else { "" };
        let urls = match seen.urls {
            0 => "by a redirect".to_owned(),
            urls => units::plural(urls, "URL"),
        };
        let refused = seen.refused.map_or(String::new(), |outcome| format!(", a run refuses it: {outcome}"));
        page.line(format!("{label:<8}{}  {urls}{refused}", seen.host));
    }
    if hosts.len() > LISTED {
        page.line(format!("        and {} more", units::plural((hosts.len() - LISTED) as u64, "host")));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hls::parse;
    use crate::net::scope::ScopeOptions;

    #[test]
    fn a_reference_that_may_lead_elsewhere_is_resolved() {
        for (reference, relative) in [
            ("a.ts", true),
            ("../a.ts?u=http://b/", true),
            ("/a.ts", true),
            ("?a", true),
            ("//b/a.ts", false),
            ("/\\b/a.ts", false),
            ("\\\\b/a.ts", false),
            ("http://b/a.ts", false),
            ("http:b", false),
            ("data:,a", false),
            (" //b", true),
        ] {
            assert_eq!(is_relative(reference), relative, "{reference}");
        }
    }

    #[test]
    fn the_hosts_of_a_playlist_are_counted_and_judged() {
        let url = SecretUrl::parse("https://live.example.com/a.m3u8").expect("a URL");
        let scope = Scope::new(&url, &[], ScopeOptions::default());
        let text = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\na.ts\n#EXTINF:1,\n/b.ts\n\
            #EXTINF:1,\nhttps://cdn.example.com/c.ts\n#EXTINF:1,\nhttps://ads.example.net/d.ts\n\
            #EXTINF:1,\nhttps://169.254.169.254/e\n#EXTINF:1,\nhttp://cdn.example.com/f\n#EXTINF:1,\nftp://x.example/g\n";
        let playlist = parse(text.as_bytes()).expect("a playlist");
        let mut hosts = Hosts::default();
        hosts.add(&scope, &url, &playlist);
        let seen: Vec<_> =
            hosts.0.iter().map(|(name, (urls, no))| (name.as_str(), *urls, no.map(Refusal::fault))).collect();
        let expected = [
            ("169.254.169.254", 1, Some(Fault::PolicyAddress)),
            ("ads.example.net", 1, Some(Fault::PolicyHost)),
            ("cdn.example.com", 2, Some(Fault::PolicyScheme)),
            ("live.example.com", 2, None),
        ];
        assert_eq!(seen, expected);
    }
}
