//! Explanations of refusals to the operator, with the option that would help, if there is one.
//!
//! A host comes from a playlist or a response. An option is advised only with a host that the option accepts and that
//! means no more than this one host: operators paste it into a shell. Each host is named once, because names are long.

use std::net::IpAddr;

use super::{AddressClass, AllowedHost, Refusal, Scope};
use crate::vocabulary::secret_url::Endpoint;

impl Refusal {
    /// Explains the refusal of a URL at `host`.
    pub fn explain(self, host: &str) -> String {
        match self {
            Self::Address(class) => refused_address(host, host, class),
            Self::Downgrade => format!("http://{host} after https; --allow-downgrade loads it"),
            Self::Host if AllowedHost::accepts(host) => format!("--allow-host {host} loads it"),
            Self::Host => format!("{host} is not in the scope of this run"),
        }
    }
}

impl Scope {
    /// Explains why no connection to `endpoint` may be opened at any of `addresses`.
    pub(in crate::net) fn explain(&self, endpoint: &Endpoint, addresses: &[IpAddr]) -> Option<String> {
        let (address, class) =
            addresses.iter().find_map(|address| Some((address, self.refuses_at(endpoint, *address)?)))?;
        let (host, at) = (&*endpoint.host, address.to_string());
        if self.refuses(*address).is_none() {
            let is_followed = class.is_private();
            let why =
                if is_followed { "which --follow-cdn does not load" } else { "and the target is private" };
            return Some(format!("{at} is {class}, {why}{}", load_by_option(host)));
        }
        let name = if at == host { at.clone() } else { format!("{host}, at {at},") };
        Some(refused_address(&name, &at, class))
    }

    /// Explains why no connection to `endpoint` may be opened through a proxy that resolves names.
    pub(in crate::net) fn explain_behind_proxy(&self, endpoint: &Endpoint) -> Option<String> {
        let host = &*endpoint.host;
        match host.parse() {
            Ok(address) => self.explain(endpoint, &[address]),
            Err(_) => Some(format!(
                "{host} may be public (the proxy resolves its name), and the target is private{}",
                load_by_option(host)
            )),
        }
    }
}

/// Explains why an address is refused for every host. The host is in scope, so an option has to name the address.
fn refused_address(name: &str, address: &str, class: AddressClass) -> String {
    match class {
        class if class.is_never_used() => format!("{name} is {class}"),
        class => format!("{name} is {class}, and the target is public{}", load_by_option(address)),
    }
}

/// Returns the advice to load `host` by an option; empty if the option would not accept it.
fn load_by_option(host: &str) -> String {
    if AllowedHost::accepts(host) { format!("; --allow-host {host} loads it") } else { String::new() }
}
