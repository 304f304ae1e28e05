//! Lookup of the target before a run: whose network will it load?

use std::net::IpAddr;
use std::time::Duration;

use tokio::time::timeout;

use super::Settings;
use super::race::Alternatives as _;
use super::resolve::Resolver;
use crate::vocabulary::SecretUrl;
use crate::vocabulary::outcome::Fault;

/// Maximum time of the lookup. A name server that is slower than this delays the clients themselves, which then say
/// so; the start of the run need not wait longer.
const LOCATE_LIMIT: Duration = Duration::from_secs(2);

/// Returns the addresses of the host of `url`, as the clients of a run with these settings will find them. Sends
/// nothing to that host.
///
/// # Errors
/// One of `dns.*`, `timeout.dns` or `local.*`.
pub async fn locate(settings: &Settings, url: &SecretUrl) -> Result<Vec<IpAddr>, Fault> {
    let resolver = Resolver::new(&settings.resolve);
    let endpoint = url.endpoint();
    let look_up = async {
        let mut addresses = resolver.resolve(&endpoint).await?;
        while addresses.more().await {}
        Ok(addresses.known_so_far())
    };
    timeout(LOCATE_LIMIT, look_up).await.unwrap_or(Err(Fault::TimeoutDns))
}
