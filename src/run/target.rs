//! Preflight of the target: whose host is it, and how many clients may load it?
//!
//! A load test of a public host that belongs to another is an attack, and a mistyped URL suffices for one. So a large
//! load needs a confirmation that names the host. Private hosts are the operator's own and need none.

use std::net::IpAddr;

use crate::config::RunConfig;
use crate::load::{Bound, ClientLimit};
use crate::net::locate;
use crate::net::scope::{AddressClass, Network, Scope, host_of};
use crate::vocabulary::limits::CLIENTS_UNCONFIRMED;
use crate::vocabulary::outcome::Fault;
use crate::vocabulary::{SecretUrl, units};

/// Looks up the target, which fixes the scope of the run, and lowers `limit` to what may be loaded without a
/// confirmation. Sends nothing to the target.
///
/// # Errors
/// One line that says why the target may not be loaded, or not by so many clients.
pub(super) async fn check(config: &RunConfig, limit: ClientLimit) -> Result<ClientLimit, String> {
    let (target, net) = (&config.clients.player.entry, &config.clients.net);
    let found = locate(net, target).await;
    if let Ok(addresses) = &found {
        net.scope.learn(addresses);
        refuse_useless(target, addresses)?;
    }
    confirm(config, &net.scope, found.err(), limit)
}

/// Refuses a target that has no address to which a client may ever connect.
fn refuse_useless(target: &SecretUrl, addresses: &[IpAddr]) -> Result<(), String> {
    let classes = addresses.iter().map(|address| AddressClass::of(*address));
    match classes.clone().find(|class| class.is_never_used()) {
        Some(class) if classes.clone().all(AddressClass::is_never_used) => Err(format!(
            "{} is {class}, which no run may load; give the URL with a public, private or loopback address",
            host_of(target)
        )),
        _ => Ok(()),
    }
}

/// Checks whether the number of clients needs a confirmation. A host whose addresses are not known counts as public.
fn confirm(
    config: &RunConfig,
    scope: &Scope,
    unknown: Option<Fault>,
    limit: ClientLimit,
) -> Result<ClientLimit, String> {
    let (target, clients) = (&config.clients.player.entry, config.plan.profile.clients);
    let is_public = scope.network().is_none_or(|network| network == Network::Public);
    let is_confirmed = config.authorised_for.as_ref().is_some_and(|host| host.is_host_of(target));
    if !is_public || is_confirmed || limit.clients <= CLIENTS_UNCONFIRMED {
        return Ok(limit);
    }
    if clients > CLIENTS_UNCONFIRMED {
        return Err(unconfirmed(config, unknown));
    }
    Ok(ClientLimit { clients: CLIENTS_UNCONFIRMED, bound: Bound::Unconfirmed })
}

/// Returns the line for a load that needs a confirmation.
fn unconfirmed(config: &RunConfig, unknown: Option<Fault>) -> String {
    let host = host_of(&config.clients.player.entry);
    let asked = units::plural(config.plan.profile.clients.into(), "client");
    let why = match unknown {
        None => format!("{host} is public"),
        Some(Fault::DnsNotFound) => {
            return format!("the host {host} does not exist (dns.nx): is the URL right?");
        }
        Some(fault) => format!("{host} may be public (its addresses are unknown: {})", fault.name()),
    };
    let given = match &config.authorised_for {
        None => String::new(),
        Some(other) => format!(", not --authorised-for {other}"),
    };
    format!(
        "{why}, and {asked} were asked for; confirm that you may load it with --authorised-for {host}{given}, or ask for at most {CLIENTS_UNCONFIRMED}"
    )
}
