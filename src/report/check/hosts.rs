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
    /// URLs in the playlists that were read; 0: only a redirect led there; `null`: there were too many hosts to count.
    pub urls: Option<u64>,
    /// Outcome with which a run refuses it, such as `policy.host`; `null`: a run loads it.
    pub refused: Option<&'static str>,
}

/// Collector of the hosts of a stream.
#[derive(Debug, Default)]
pub struct Hosts {
    /// URLs of each host, and the reason for which a run refuses it.
    named: BTreeMap<String, (u64, Option<Refusal>)>,
    /// True if the playlists name more hosts than are kept.
    is_full: bool,
}

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
        if self.named.len() >= HOSTS && !self.named.contains_key(&*host) {
            self.is_full = true;
            return;
        }
        let (count, refused) = self.named.entry(host.into_owned()).or_default();
        *count += urls;
        *refused = refused.or(refusal);
    }

    /// Returns all hosts, also those that only redirects of the run led to. `scope` is that of the run.
    pub fn with_run(self, run: &Report, scope: &Scope) -> Vec<HostSeen> {
        self.with(run.audience.hosts.keys(), |seen| {
            run.audience.hosts.get(&seen.host).filter(|host| host.refused > 0)?;
            let is_named = seen.urls.is_some_and(|urls| urls > 0);
            // The scope has judged the URLs of a host that playlists name, and it would not refuse them.
            let by_name = if is_named { None } else { refused_name(scope, &seen.host) };
            by_name.or_else(|| refused_in(run))
        })
    }

    /// Returns all hosts, with those that the run met. `refused_in` returns the fault with which it refused a host.
    fn with<'a>(
        self,
        met: impl Iterator<Item = &'a String>,
        refused_in: impl Fn(&HostSeen) -> Option<Fault>,
    ) -> Vec<HostSeen> {
        let seen = |host, urls, refused: Option<Refusal>| {
            let seen = HostSeen { host, urls, refused: None };
            let refused = refused.map(Refusal::fault).or_else(|| refused_in(&seen));
            HostSeen { refused: refused.map(Fault::name), ..seen }
        };
        let named = self.named.into_iter();
        let mut hosts: Vec<_> =
            named.map(|(name, (urls, refusal))| seen(shown(&name), Some(urls), refusal)).collect();
        // If hosts were left out, a playlist may have led to another one as well as a redirect.
        let urls = (!self.is_full).then_some(0);
        let others = met.filter(|name| hosts.iter().all(|seen| seen.host != **name));
        let others: Vec<_> = others.map(|name| seen(name.clone(), urls, None)).collect();
        hosts.extend(others);
        hosts
    }
}

fn shown(name: &str) -> String {
    Untrusted::new(name).shown_in(NAME_COLUMNS)
}

/// Reports whether a reference surely stays at the host of its playlist: no scheme, and no host after two slashes. The
/// parser of URLs ignores spaces before a reference; what it does with other characters only it knows.
fn is_relative(reference: &str) -> bool {
    let reference = reference.trim_start_matches(' ');
    let path = reference.split(['?', '#']).next().unwrap_or_default();
    let is_relative =
        !path.contains(':') && !reference.starts_with(['/', '\\']) || is_absolute_path(reference);
    is_relative && !reference.contains(char::is_control)
}

fn is_absolute_path(reference: &str) -> bool {
    let mut letters = reference.chars();
    letters.next() == Some('/') && letters.next().is_some_and(|next| !matches!(next, '/' | '\\'))
}

/// Returns the fault of a URL at this host, as far as its name shows it.
fn refused_name(scope: &Scope, name: &str) -> Option<Fault> {
    let host = if name.contains(':') { format!("https://[{name}]/") } else { format!("https://{name}/") };
    Some(scope.check(&SecretUrl::parse(&host).ok()?, Lead::Given).err()?.fault())
}

/// Returns the fault with which the run refused a host that is in scope: its address when a connection was opened, or
/// the scheme to which a redirect led.
fn refused_in(run: &Report) -> Option<Fault> {
    let happened = |fault: &Fault| run.outcomes.get((*fault).into()) > 0;
    [Fault::PolicyAddress, Fault::PolicyScheme, Fault::PolicyHost].into_iter().find(happened)
}

/// Writes the hosts, those that are refused first.
pub(super) fn hosts(hosts: &[HostSeen], page: &mut Page) {
    let mut hosts: Vec<_> = hosts.iter().collect();
    hosts.sort_by_key(|seen| (seen.refused.is_none(), std::cmp::Reverse(seen.urls)));
    for (place, seen) in hosts.iter().take(LISTED).enumerate() {
        let label = if place == 0 { "hosts" } else { "" };
        let urls = match seen.urls {
            None => units::UNKNOWN.to_owned(),
            Some(0) => "by a redirect".to_owned(),
            Some(urls) => units::plural(urls, "URL"),
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
            (" a.ts", true),
            (" //b", false),
            ("  http://b/a.ts", false),
            ("/\t/b", false),
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
        let seen: Vec<_> = hosts
            .named
            .iter()
            .map(|(name, (urls, no))| (name.as_str(), *urls, no.map(Refusal::fault)))
            .collect();
        let expected = [
            ("169.254.169.254", 1, Some(Fault::PolicyAddress)),
            ("ads.example.net", 1, Some(Fault::PolicyHost)),
            ("cdn.example.com", 2, Some(Fault::PolicyScheme)),
            ("live.example.com", 2, None),
        ];
        assert_eq!(seen, expected);
    }

    #[test]
    fn a_host_beyond_those_that_are_kept_is_not_said_to_come_from_a_redirect() {
        let url = |number| SecretUrl::parse(&format!("http://{number}.example.com/")).expect("a URL");
        let met = ["7.example.com", "999.example.com"].map(str::to_owned);
        for (named, urls) in [(HOSTS, Some(0)), (HOSTS + 1, None)] {
            let mut hosts = Hosts::default();
            (0..named).for_each(|number| hosts.count(&url(number), 1, None));
            let refused = |seen: &HostSeen| seen.host.starts_with("999").then_some(Fault::PolicyAddress);
            let seen = hosts.with(met.iter(), refused);
            assert_eq!(seen.len(), HOSTS + 1);
            let last = HostSeen { host: met[1].clone(), urls, refused: Some("policy.addr") };
            assert_eq!(seen.last(), Some(&last), "{named} hosts");
            let mut page = Page::default();
            super::hosts(&seen, &mut page);
            let line = page.0.lines().next().expect("a line").to_owned();
            assert_eq!(line.contains("by a redirect"), urls.is_some(), "{line}");
        }
    }
}
