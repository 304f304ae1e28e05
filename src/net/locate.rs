//! Lookup of the target before a run: whose network will it load?

use std::net::IpAddr;
use std::time::Duration;

use tokio::time::timeout;

use super::Settings;
use super::resolve::Resolver;
use crate::vocabulary::outcome::Fault;
use crate::vocabulary::secret_url::Endpoint;
use crate::vocabulary::{SecretUrl, limits};

/// Maximum time of the lookup: a second more than that of each family. Some name servers never answer for one of the
/// two, and the other alone is then the whole answer.
const LOCATE_LIMIT: Duration = limits::DNS_TIMEOUT.saturating_add(Duration::from_secs(1));

/// Returns the addresses of the host of `url`, as the clients of a run with these settings will find them; none if a
/// proxy resolves its name. Sends nothing to that host.
///
/// # Errors
/// One of `dns.*`, `timeout.dns` or `local.*`.
pub async fn locate(settings: &Settings, url: &SecretUrl) -> Result<Vec<IpAddr>, Fault> {
    if settings.transport.hides(&url.endpoint()) {
        return Ok(Vec::new());
    }
    all_addresses(&Resolver::new(&settings.resolve, settings.transport.family), &url.endpoint()).await
}

/// Returns the addresses of both families: one alone may be private where the other is public.
async fn all_addresses(resolver: &Resolver, endpoint: &Endpoint) -> Result<Vec<IpAddr>, Fault> {
    let look_up = async {
        let mut addresses = resolver.resolve(endpoint, 0).await?;
        addresses.complete().await;
        Ok(addresses.known_so_far())
    };
    timeout(LOCATE_LIMIT, look_up).await.unwrap_or(Err(Fault::TimeoutDns))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::name_servers::tests::Server;
    use crate::net::resolve::tests::{endpoint, with_servers};

    #[tokio::test]
    async fn an_address_that_comes_late_counts_too() {
        let (v6, v4) = ([0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7], [93, 184, 215, 14]);
        let resolver = with_servers(vec![Server::LateV4(v4, v6)]).await;
        let found = all_addresses(&resolver, &endpoint("live.example", 80)).await;
        assert_eq!(found, Ok(vec![v6.into(), v4.into()]));
    }
}
