//! Preflight of the target: whose host is it, and how many clients may load it?
//!
//! A load test of a public host that belongs to another is an attack, and a mistyped URL suffices for one. So a large
//! load needs a confirmation that names the host. Private hosts are the operator's own and need none; but then the
//! public hosts that a private stream leads to are out of scope, unless the operator names them.

use std::net::IpAddr;

use crate::config::{RunConfig, Show};
use crate::load::{Bound, ClientLimit};
use crate::net::locate;
use crate::net::scope::{AddressClass, Network, host_of};
use crate::swarm::ClientKind;
use crate::vocabulary::limits::CLIENTS_UNCONFIRMED;
use crate::vocabulary::outcome::Fault;
use crate::vocabulary::{SecretUrl, units};

/// Looks up the targets, which fixes the scope of each, and lowers `limit` to what may be loaded without a confirmation.
/// Sends nothing to them.
///
/// # Errors
/// One line that says why a target may not be loaded, or not by so many clients.
pub(super) async fn check(config: &RunConfig, mut limit: ClientLimit) -> Result<ClientLimit, String> {
    for kind in config.clients.cast.of_targets() {
        let (target, net) = (&kind.player.entry, &kind.net);
        let found = locate(net, target).await;
        if let Ok(addresses) = &found {
            net.scope.learn(addresses);
            refuse_useless(target, addresses)?;
            net.transport.lacks_source(target, addresses).map_or(Ok(()), Err)?;
        }
        limit = confirm(config, kind, found.err(), limit)?;
    }
    Ok(limit)
}

/// Refuses a target that has no address to which a client may ever connect.
fn refuse_useless(target: &SecretUrl, addresses: &[IpAddr]) -> Result<(), String> {
    let classes = addresses.iter().map(|address| AddressClass::new(*address));
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
    kind: &ClientKind,
    unknown: Option<Fault>,
    limit: ClientLimit,
) -> Result<ClientLimit, String> {
    let (target, scope, clients) = (&kind.player.entry, &kind.net.scope, config.plan.profile.clients);
    let is_public = scope.network().is_none_or(|network| network == Network::Public);
    // A confirmation names the host itself: a pattern could be given by habit.
    let is_confirmed = config.authorised_for.iter().any(|host| host.is_exactly(target));
    if is_confirmed || limit.clients <= CLIENTS_UNCONFIRMED {
        return Ok(limit);
    }
    if !is_public {
        if most_clients(config, limit) > CLIENTS_UNCONFIRMED {
            scope.stay_private(config.authorised_for.clone());
        }
        return Ok(limit);
    }
    if clients > CLIENTS_UNCONFIRMED {
        return Err(unconfirmed(config, kind, unknown));
    }
    Ok(ClientLimit { clients: CLIENTS_UNCONFIRMED, bound: Bound::Unconfirmed })
}

/// Returns the number of clients that the run can reach: keys of the live screen and the control socket raise it to the
/// limit.
fn most_clients(config: &RunConfig, limit: ClientLimit) -> u32 {
    let has_keys = config.output.show == Show::Screen && !config.output.read_only;
    if has_keys || config.output.control.is_some() { limit.clients } else { config.plan.profile.clients }
}

/// Returns the line for a load that needs a confirmation.
fn unconfirmed(config: &RunConfig, kind: &ClientKind, unknown: Option<Fault>) -> String {
    let (target, net) = (&kind.player.entry, &kind.net);
    let host = host_of(target);
    let asked = units::plural(config.plan.profile.clients.into(), "client");
    let why = match unknown {
        None if net.transport.hides(&target.endpoint()) => {
            format!("{host} may be public (the proxy resolves its name)")
        }
        None => format!("{host} is public"),
        Some(Fault::DnsNotFound) => {
            return format!("the host {host} does not exist (dns.nx): is the URL right?");
        }
        Some(fault) => format!("{host} may be public (its addresses are unknown: {})", fault.name()),
    };
    let given = match config.authorised_for.first() {
        None => String::new(),
        Some(_) if config.clients.cast.targets.len() > 1 => " too".to_owned(),
        Some(other) => format!(", not --authorised-for {other}"),
    };
    if config.search.is_some() {
        return format!(
            "{why}, and the search may try {asked}; confirm that you may load it with --authorised-for {host}{given}, or give --max-clients {CLIENTS_UNCONFIRMED}"
        );
    }
    format!(
        "{why}, and {asked} were asked for; confirm that you may load it with --authorised-for {host}{given}, or ask for at most {CLIENTS_UNCONFIRMED}"
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::cli;
    use crate::config::{self, run_config};
    use crate::load::SearchPlan;

    /// Checks a run against `live.example.com` at this address with these options.
    async fn checked(address: &str, options: &[&str]) -> Result<ClientLimit, String> {
        let config = config_of(address, options);
        check(&config, ClientLimit::default()).await
    }

    fn config_of(address: &str, options: &[&str]) -> RunConfig {
        let resolve = format!("live.example.com:80:{address}");
        let fixed = ["hlswarm", "run", "http://live.example.com/a.m3u8", "--resolve", &resolve];
        let line = fixed.iter().chain(options).map(std::ffi::OsString::from);
        let Ok(cli::Command::Run(args)) = cli::parse(line).map(|cli| cli.command) else { panic!("a run") };
        let targets = config::targets(args.stream.all()).expect("URLs");
        run_config(targets, args.load, String::new()).expect("a configuration")
    }

    /// Reports whether a run against a private host with these options may load a public host of its domain.
    async fn loads_public_cdn(options: &[&str], limit: u32) -> bool {
        let config = config_of("10.0.0.1", options);
        let limit = ClientLimit { clients: limit, ..ClientLimit::default() };
        assert_eq!(check(&config, limit).await, Ok(limit), "{options:?}");
        let cdn = SecretUrl::parse("http://cdn.example.com/a.ts").expect("a URL").endpoint();
        config.clients.cast.first.net.scope.refuses_at(&cdn, [93, 184, 215, 14].into()).is_none()
    }

    #[tokio::test]
    async fn a_private_target_lets_no_crowd_of_clients_load_a_public_host() {
        for options in [
            &["-c", "51"][..],
            &["-c", "51", "--no-tui"],
            // Keys may raise the number of clients.
            &["-c", "5"],
            &["-c", "5", "--no-tui", "--control", "run.sock"],
            &["-c", "51", "--allow-host", "*.example.com"],
            &["-c", "51", "--authorised-for", "example.com"],
        ] {
            assert!(!loads_public_cdn(options, 1_000).await, "{options:?}");
        }
        for options in [
            &["-c", "5", "--no-tui"][..],
            &["-c", "5", "--read-only"],
            &["-c", "51", "--allow-host", "cdn.example.com"],
            &["-c", "51", "--allow-host", "93.184.215.14"],
            &["-c", "51", "--authorised-for", "cdn.example.com"],
            &["-c", "51", "--authorised-for", "live.example.com"],
        ] {
            assert!(loads_public_cdn(options, 1_000).await, "{options:?}");
        }
        assert!(loads_public_cdn(&["-c", "5"], 50).await, "this machine carries no more than 50");
    }

    #[tokio::test]
    async fn a_public_host_is_loaded_by_few_clients_unless_it_is_confirmed() {
        let few = ClientLimit { clients: CLIENTS_UNCONFIRMED, bound: Bound::Unconfirmed };
        let named = ["--authorised-for", "LIVE.example.com"];
        let public = "93.184.215.14";
        assert_eq!(checked(public, &["-c", "50"]).await, Ok(few), "keys of the console raise it no further");
        assert_eq!(checked(public, &named).await, Ok(ClientLimit::default()));
        assert_eq!(checked(public, &[&named[..], &["-c", "9k"]].concat()).await, Ok(ClientLimit::default()));
        for private in ["127.0.0.1", "10.0.0.1,[::1]", "[fd00::1]"] {
            assert_eq!(checked(private, &["-c", "9k"]).await, Ok(ClientLimit::default()), "{private}");
        }
        for (options, expected) in [
            (&["-c", "51"][..], "51 clients were asked for"),
            (&["-c", "51", "--authorised-for", "example.com"], ", not --authorised-for example.com"),
            (&["-c", "51", "--authorised-for", "*.example.com"], ", not --authorised-for *.example.com"),
        ] {
            let refused = checked(public, options).await.expect_err("refused");
            assert!(refused.starts_with("live.example.com is public"), "{refused}");
            assert!(refused.contains(expected), "{refused}");
        }
        let search = SearchPlan {
            first: 10,
            most: 9_000,
            settle: Duration::ZERO,
            hold: Duration::ZERO,
            precision: 0.0,
            repeats: 1,
        };
        let config = RunConfig { search: Some(search), ..config_of(public, &["-c", "9k"]) };
        let refused = check(&config, ClientLimit::default()).await.expect_err("refused");
        assert!(refused.contains("the search may try 9,000 clients"), "{refused}");
        assert!(refused.ends_with("or give --max-clients 50"), "{refused}");
        assert!(
            checked("10.0.0.1,93.184.215.14", &["-c", "51"]).await.is_err(),
            "one public address suffices"
        );
    }

    #[tokio::test]
    async fn a_target_that_no_run_may_load_is_refused() {
        for address in ["169.254.169.254", "0.0.0.0", "[ff02::1],[fe80::1]"] {
            let refused = checked(address, &[]).await.expect_err(address);
            assert!(refused.contains("which no run may load"), "{refused}");
        }
        assert!(checked("169.254.169.254,10.0.0.1", &[]).await.is_ok(), "the other address may be loaded");
    }
}
