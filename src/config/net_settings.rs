//! The connection settings of the clients of a run, and the checks of what they leave to connect to.

use std::net::{IpAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use super::{ConfigError, header_source};
use crate::cli::{NoCache, ProxyChoice, RequestArgs};
use crate::net::scope::{Scope, ScopeOptions};
use crate::net::{
    self, Family, Headers, InitialCookies, Proxies, ResolveEntry, TlsOptions, TlsSettings, Transport,
};
use crate::player::Profile;
use crate::vocabulary::SecretUrl;
use crate::vocabulary::limits::SOURCES;

/// Connection settings of a run, apart from what follows from a target and a player.
pub(super) struct Connections {
    /// Given header lines.
    pub(super) given: Vec<String>,
    pub(super) user_agent: String,
    /// The run id as every request carries it.
    pub(super) run_id: String,
    /// Asks caches for nothing (`--no-cache`).
    pub(super) avoids_caches: bool,
    tls: TlsSettings,
    transport: Transport,
    resolve: Vec<ResolveEntry>,
    scope: ScopeOptions,
    timeout: Duration,
    cookies: Arc<InitialCookies>,
    keeps_cookies: bool,
}

impl Connections {
    /// Reads the options and their files.
    ///
    /// # Errors
    /// See [`ConfigError`].
    pub(super) fn new(args: RequestArgs, run_id: &str) -> Result<Self, ConfigError> {
        let given = header_source::all(args.headers, &args.headers_from_env)?;
        let unique =
            args.no_cache.filter(|mode| *mode == NoCache::Query).map(|_| format!("hlswarm={run_id}-").into());
        let cookies = args.cookie_jar.as_deref().map(InitialCookies::read).transpose()?.unwrap_or_default();
        let transport = Transport {
            version: args.transport.version(),
            family: args.transport.family(),
            sources: args.transport.sources.clone().into(),
            proxies: proxies(args.transport.proxy.clone()).map_err(ConfigError::Transport)?,
            unique,
        };
        can_be_sources(&transport).map_err(ConfigError::Transport)?;
        let tls = TlsOptions {
            identity: args.transport.identity(),
            ca_file: args.cacert,
            insecure: args.insecure,
            http: transport.version,
            versions: [args.transport.tls_min, args.transport.tls_max],
        };
        Ok(Self {
            given,
            user_agent: args.user_agent,
            run_id: format!("hlswarm {run_id}"),
            avoids_caches: args.no_cache == Some(NoCache::Header),
            tls: TlsSettings::new(&tls)?,
            transport,
            resolve: args.resolve,
            scope: args.scope.into(),
            timeout: args.timeout,
            cookies: Arc::new(cookies),
            keeps_cookies: !args.no_cookies,
        })
    }

    /// Returns the settings of clients that play `target` in the manner of this player.
    ///
    /// # Errors
    /// See [`ConfigError`].
    pub(super) fn settings(
        &self,
        target: &SecretUrl,
        profile: &Profile,
    ) -> Result<net::Settings, ConfigError> {
        if let Some(family) = self.transport.family {
            leaves_addresses(target, &self.resolve, family).map_err(ConfigError::Transport)?;
        }
        let literal = target.endpoint().host.parse().map(|address: IpAddr| vec![address]);
        if let Some(why) = literal.ok().and_then(|addresses| self.transport.lacks_source(target, &addresses))
        {
            return Err(ConfigError::Transport(why));
        }
        let mut headers = Headers::new(target, &self.user_agent, &self.run_id, &self.given)?;
        if self.avoids_caches {
            headers = headers.without_caches();
        }
        Ok(net::Settings {
            tls: self.tls.clone(),
            transport: self.transport.clone(),
            resolve: self.resolve.clone(),
            scope: Arc::new(Scope::new(target, &self.resolve, self.scope.clone())),
            timeout: self.timeout,
            headers,
            cookies: Arc::clone(&self.cookies),
            keeps_cookies: self.keeps_cookies,
            http_profile: profile.http_profile,
            budget: Arc::default(),
        })
    }
}

/// Checks that the one family of addresses leaves some of the target, and of each entry of `--resolve`.
fn leaves_addresses(target: &SecretUrl, resolve: &[ResolveEntry], family: Family) -> Result<(), String> {
    let (option, name) = match family {
        Family::V4 => ("-4", "IPv4"),
        Family::V6 => ("-6", "IPv6"),
    };
    let literal: Option<IpAddr> = target.endpoint().host.parse().ok();
    if let Some(other) = literal.filter(|address| !family.has(*address)) {
        return Err(format!(
            "{option}: the URL has the address {other}; expected a name or an {name} address"
        ));
    }
    match resolve.iter().find(|entry| entry.is_only_of_other(family)) {
        Some(entry) => Err(format!("{option}: --resolve {} has no {name} address", entry.name())),
        None => Ok(()),
    }
}

/// Returns the proxies of a run; `None` without any.
fn proxies(choice: Option<ProxyChoice>) -> Result<Option<Proxies>, String> {
    let proxies = match choice {
        None => return Ok(None),
        Some(ProxyChoice::Given(proxy)) => Proxies::all(proxy),
        Some(ProxyChoice::Environment) => {
            let named = Proxies::from_environment(|name| std::env::var(name).ok());
            named.map_err(|error| format!("--proxy env: {error}"))?
        }
    };
    Ok(Some(proxies).filter(|proxies| *proxies != Proxies::default()))
}

/// Checks that connections can come from each of the given addresses. Binding a UDP socket sends nothing.
fn can_be_sources(transport: &Transport) -> Result<(), String> {
    if transport.sources.len() > SOURCES {
        return Err(format!("--local-addr: expected at most {SOURCES} addresses"));
    }
    for source in &*transport.sources {
        if transport.family.is_some_and(|family| !family.has(*source)) {
            return Err(format!("--local-addr {source}: -4 or -6 leaves out connections from it"));
        }
        UdpSocket::bind((*source, 0)).map_err(|error| {
            format!("--local-addr {source}: {error}; expected an address of this machine")
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_family_must_leave_an_address_to_connect_to() {
        let said = |url: &str, resolve: &[&str], family| {
            let url = SecretUrl::parse(url).expect(url);
            let entries: Vec<_> = resolve.iter().map(|text| text.parse().expect(text)).collect();
            leaves_addresses(&url, &entries, family).err().unwrap_or_default()
        };
        let (v4, v6) = (Family::V4, Family::V6);
        for (url, resolve, family, expected) in [
            ("http://h/a", &["h:80:127.0.0.1,[::1]", "-x:80"][..], v4, ""),
            ("http://127.0.0.1/a", &[], v4, ""),
            ("http://[::1]/a", &[], v6, ""),
            (
                "http://[::1]/a",
                &[],
                v4,
                "-4: the URL has the address ::1; expected a name or an IPv4 address",
            ),
            ("http://0x7f.1/a", &[], v6, "-6: the URL has the address 127.0.0.1"),
            ("http://h/a", &["h:80:127.0.0.1"], v6, "-6: --resolve h:80 has no IPv6 address"),
        ] {
            let said = said(url, resolve, family);
            assert!(said.starts_with(expected) && said.is_empty() == expected.is_empty(), "{url}: {said}");
        }
    }
}
