//! Resolves names to addresses: from the `--resolve` table, from literals, then through the system's name servers, as
//! in RFC 8305 sections 3 and 4.
//!
//! * AAAA and A are queried at the same time. Connecting begins with the first AAAA answer, or 50 ms after an A
//!   answer; later answers join the addresses that are still to be tried.
//! * Each worker runs one lookup at a time for a name and keeps the answer for its TTL (at least one second, at most
//!   five minutes): a thousand clients that join at once cause one query, not a thousand. A lookup continues when the
//!   client that started it leaves.
//! * The addresses of a host are dealt out among the clients, as name servers deal them out among real viewers: each
//!   client begins with the next one, and with the same one each time.
//! * An address that another one had to replace is tried last for a minute, so a dead one delays one connection of a
//!   worker, not each.
//! * "Does not exist" and "no answer" are different faults; the resolver of the C library does not distinguish them.

use std::cell::RefCell;
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::time::timeout;

use super::name_servers::{Family, NameServers};
use super::race::{ATTEMPT_DELAY, Alternatives};
use super::resolve_entry::{self, ResolveEntry};
use crate::vocabulary::outcome::Fault;
use crate::vocabulary::secret_url::Endpoint;

/// Minimum time for which an answer is used.
const TTL_MIN: Duration = Duration::from_secs(1);
/// Maximum time for which an answer is used, whatever its TTL.
const TTL_MAX: Duration = Duration::from_secs(300);
/// Maximum number of names that are remembered; a stream has a handful.
const NAMES: usize = 1_000;
/// Time for which an address that another one had to replace is tried last.
const AVOIDED: Duration = Duration::from_secs(60);
/// Time to wait for AAAA once A has arrived (RFC 8305 section 8).
const RESOLUTION_DELAY: Duration = Duration::from_millis(50);

/// Known addresses of a name, by family.
#[derive(Clone, Debug, Default)]
struct Answer {
    v6: Found,
    v4: Found,
}

/// The addresses of one family.
#[derive(Clone, Debug, Default)]
enum Found {
    #[default]
    Pending,
    /// Addresses, never empty, and the time at which they expire.
    Addresses(Vec<IpAddr>, Instant),
    Failed(Fault),
}

impl Found {
    fn new(ended: Result<(Vec<IpAddr>, Instant), Fault>) -> Self {
        match ended {
            Ok((addresses, _)) if addresses.is_empty() => Self::Failed(Fault::DnsNotFound),
            Ok((addresses, until)) => Self::Addresses(addresses, until),
            Err(fault) => Self::Failed(fault),
        }
    }

    fn is_pending(&self) -> bool {
        matches!(self, Self::Pending)
    }

    fn addresses(&self) -> &[IpAddr] {
        if let Self::Addresses(addresses, _) = self { addresses } else { &[] }
    }
}

impl Answer {
    fn of(&mut self, family: Family) -> &mut Found {
        match family {
            Family::V6 => &mut self.v6,
            Family::V4 => &mut self.v4,
        }
    }

    fn is_complete(&self) -> bool {
        !self.v6.is_pending() && !self.v4.is_pending()
    }

    fn is_usable(&self) -> bool {
        self.is_complete() || !self.v6.addresses().is_empty()
    }

    /// Reports whether the answer may be used at `now`: while its lookup is in progress, and until the first of its
    /// families expires.
    fn is_fresh(&self, now: Instant) -> bool {
        let untils = [&self.v6, &self.v4].into_iter().filter_map(|found| match found {
            Found::Addresses(_, until) => Some(*until),
            Found::Pending | Found::Failed(_) => None,
        });
        !self.is_complete() || untils.min().is_some_and(|until| now < until)
    }

    /// Returns the fault of a name without addresses: failures of the lookup rank before "does not exist".
    fn fault(&self) -> Fault {
        let faults = [&self.v6, &self.v4].into_iter().filter_map(|found| match found {
            Found::Failed(fault) => Some(*fault),
            Found::Pending | Found::Addresses(..) => None,
        });
        let telling = faults.filter(|fault| *fault != Fault::DnsNotFound);
        telling.min_by_key(|fault| !fault.is_local()).unwrap_or(Fault::DnsNotFound)
    }

    /// Returns all addresses, alternating between families, IPv6 first (RFC 8305 section 4). Each family begins with the
    /// address whose turn it is.
    fn interleaved(&self, turn: u64) -> impl Iterator<Item = IpAddr> {
        let families = [self.v6.addresses(), self.v4.addresses()];
        let in_turn = move |addresses: &[IpAddr], at: usize| {
            let first = turn.checked_rem(addresses.len() as u64)? as usize;
            addresses.get((first + at) % addresses.len()).copied().filter(|_| at < addresses.len())
        };
        let most = families.iter().map(|addresses| addresses.len()).max().unwrap_or_default();
        (0..most).flat_map(move |at| families.map(|addresses| in_turn(addresses, at))).flatten()
    }
}

/// A name whose lookup is in progress or complete.
#[derive(Clone, Debug)]
struct Name {
    answer: watch::Receiver<Answer>,
    avoided: Rc<Avoided>,
}

/// Addresses that another one had to replace, and the times from which they are tried like others again.
#[derive(Debug, Default)]
struct Avoided(RefCell<Vec<(IpAddr, Instant)>>);

impl Avoided {
    /// Records the address of a successful connection, and those that were tried before it in vain.
    fn connected(&self, to: IpAddr, tried: &[IpAddr], now: Instant) {
        let mut avoided = self.0.borrow_mut();
        avoided.retain(|(address, until)| *until > now && !tried.contains(address));
        let in_vain = tried.iter().filter(|address| **address != to);
        avoided.extend(in_vain.map(|address| (*address, now + AVOIDED)));
    }

    fn has(&self, address: IpAddr, now: Instant) -> bool {
        self.0.borrow().iter().any(|(avoided, until)| *avoided == address && *until > now)
    }
}

/// Addresses to try for a connection: known ones, and those that a lookup in progress may add.
#[derive(Debug)]
pub(super) struct Addresses {
    port: u16,
    answer: watch::Receiver<Answer>,
    tried: Vec<IpAddr>,
    avoided: Rc<Avoided>,
    /// Turn of the client among several addresses.
    turn: u64,
    /// True if the addresses came from name servers, by a query or a kept answer.
    pub(super) looked_up: bool,
}

impl Addresses {
    fn known(addresses: Vec<IpAddr>, port: u16, avoided: Rc<Avoided>, turn: u64) -> Self {
        let (v6, v4) = addresses.into_iter().partition(IpAddr::is_ipv6);
        let found = |addresses: Vec<IpAddr>| Found::new(Ok((addresses, Instant::now())));
        // The sender is dropped, which closes the channel: no more addresses will follow.
        let (_, answer) = watch::channel(Answer { v6: found(v6), v4: found(v4) });
        Self { port, answer, tried: Vec::new(), avoided, turn, looked_up: false }
    }

    /// Remembers the address of a successful connection.
    pub(super) fn worked(&self, address: IpAddr) {
        self.avoided.connected(address, &self.tried, Instant::now());
    }

    /// Waits until the lookups of both families have ended, each at its own time limit.
    pub(super) async fn complete(&mut self) {
        // A lookup whose task is gone adds no more addresses.
        _ = self.answer.wait_for(Answer::is_complete).await;
    }

    /// Returns the addresses that are known so far.
    pub(super) fn known_so_far(&self) -> Vec<IpAddr> {
        self.answer.borrow().interleaved(self.turn).collect()
    }

    fn peek(&self) -> Option<IpAddr> {
        let answer = self.answer.borrow();
        let untried = |address: &IpAddr| !self.tried.contains(address);
        let now = Instant::now();
        let is_good = |address: &IpAddr| untried(address) && !self.avoided.has(*address, now);
        let good = answer.interleaved(self.turn).find(is_good);
        good.or_else(|| answer.interleaved(self.turn).find(untried))
    }
}

impl Alternatives for Addresses {
    type Item = SocketAddr;

    fn take_next(&mut self) -> Option<SocketAddr> {
        let next = self.peek()?;
        self.tried.push(next);
        Some(SocketAddr::new(next, self.port))
    }

    fn has_next(&self) -> bool {
        self.peek().is_some()
    }

    /// Waits for [`ATTEMPT_DELAY`] at most: once every known address has failed, the fault must not wait for a slow
    /// lookup.
    async fn more(&mut self) -> bool {
        if self.answer.borrow().is_complete() {
            return false;
        }
        matches!(timeout(ATTEMPT_DELAY, self.answer.changed()).await, Ok(Ok(())))
    }
}

/// Resolver of one worker, with the names that it knows.
pub(super) struct Resolver {
    table: Vec<ResolveEntry>,
    /// The only family of addresses; `None`: both.
    family: Option<Family>,
    /// Addresses to avoid, for each entry of the table.
    table_avoided: Vec<Rc<Avoided>>,
    system: RefCell<Option<NameServers>>,
    known: RefCell<HashMap<String, Name>>,
}

impl Resolver {
    /// Creates a resolver with the entries of `--resolve`, for addresses of `family` only, if there is one.
    pub(super) fn new(given: &[ResolveEntry], family: Option<Family>) -> Self {
        let table = resolve_entry::table(given);
        Self {
            family,
            table_avoided: table.iter().map(|_| Rc::default()).collect(),
            table,
            system: RefCell::default(),
            known: RefCell::default(),
        }
    }

    /// Resolves an endpoint and returns as soon as there is an address to begin with. `turn` chooses the first of several.
    ///
    /// # Errors
    /// One of `dns.*`, `timeout.dns` or `local.*`; `policy.addr` if a known address is of the other family.
    pub(super) async fn resolve(&self, endpoint: &Endpoint, turn: u64) -> Result<Addresses, Fault> {
        if let Some(addresses) = self.without_lookup(endpoint, turn) {
            // Without one, all of them are of the family that the operator left out.
            return if addresses.has_next() { Ok(addresses) } else { Err(Fault::PolicyAddress) };
        }
        let Name { mut answer, avoided } = self.look_up(&endpoint.host)?;
        let usable = answer.wait_for(|answer| answer.is_usable() || !answer.v4.addresses().is_empty());
        usable.await.map_err(|_| Fault::DnsServerFailure)?;
        // If only IPv4 addresses have arrived, IPv6 gets a short time to follow.
        _ = timeout(RESOLUTION_DELAY, answer.wait_for(Answer::is_usable)).await;
        let addresses =
            Addresses { port: endpoint.port, answer, tried: Vec::new(), avoided, turn, looked_up: true };
        if addresses.has_next() { Ok(addresses) } else { Err(addresses.answer.borrow().fault()) }
    }

    fn without_lookup(&self, endpoint: &Endpoint, turn: u64) -> Option<Addresses> {
        let listed = resolve_entry::find(&self.table, endpoint);
        if let Some((entry, avoided)) =
            listed.and_then(|at| self.table.get(at).zip(self.table_avoided.get(at)))
        {
            return Some(self.known(entry.addresses(), endpoint.port, Rc::clone(avoided), turn));
        }
        let literal = endpoint.host.parse().ok()?;
        Some(self.known(&[literal], endpoint.port, Rc::default(), turn))
    }

    /// Returns those of the known addresses that are of the wanted family.
    fn known(&self, addresses: &[IpAddr], port: u16, avoided: Rc<Avoided>, turn: u64) -> Addresses {
        let is_wanted = |address: &IpAddr| self.family.is_none_or(|family| family.has(*address));
        let addresses = addresses.iter().copied().filter(is_wanted).collect();
        Addresses::known(addresses, port, avoided, turn)
    }

    /// Returns the known answer for a name, or starts a lookup.
    fn look_up(&self, host: &str) -> Result<Name, Fault> {
        let mut known = self.known.borrow_mut();
        if let Some(name) = known.get(host)
            && name.answer.borrow().is_fresh(Instant::now())
        {
            return Ok(name.clone());
        }
        let answer = begin(self.system()?, host.to_owned(), self.family);
        if known.len() >= NAMES && !known.contains_key(host) {
            known.clear();
        }
        let avoided = known.get(host).map(|name| Rc::clone(&name.avoided)).unwrap_or_default();
        let name = Name { answer, avoided };
        known.insert(host.to_owned(), name.clone());
        Ok(name)
    }

    /// Returns the system's name servers, read from its configuration with the first name that needs them.
    fn system(&self) -> Result<NameServers, Fault> {
        let mut system = self.system.borrow_mut();
        if let Some(servers) = &*system {
            return Ok(servers.clone());
        }
        Ok(system.insert(NameServers::from_system()?).clone())
    }
}

/// Clamps the expiry that an answer states to [`TTL_MIN`] and [`TTL_MAX`] from `now`.
fn kept_until(says: Instant, now: Instant) -> Instant {
    says.clamp(now + TTL_MIN, now + TTL_MAX)
}

/// Starts to look up a name in a task that runs to its end even if no client waits for it.
fn begin(servers: NameServers, host: String, only: Option<Family>) -> watch::Receiver<Answer> {
    let (sender, answer) = watch::channel(Answer::default());
    tokio::spawn(async move {
        let ask = async |family| {
            if only.is_some_and(|only| only != family) {
                // As if the name had none: "does not exist" ranks below every answer of the other family.
                return sender.send_modify(|answer| *answer.of(family) = Found::Failed(Fault::DnsNotFound));
            }
            let found = servers.lookup(&host, family).await;
            let kept = found.map(|(mut addresses, until)| {
                // A name server that gives each worker another order would deal them out twice.
                addresses.sort_unstable();
                (addresses, kept_until(until, Instant::now()))
            });
            sender.send_modify(|answer| *answer.of(family) = Found::new(kept));
        };
        tokio::join!(ask(Family::V6), ask(Family::V4));
    });
    answer
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::net::name_servers::tests::{Server, name_servers};

    const V4: [u8; 4] = [10, 0, 0, 7];
    const V6: [u8; 16] = [0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7];

    pub(in crate::net) fn endpoint(host: &str, port: u16) -> Endpoint {
        Endpoint { tls: false, host: host.to_owned(), port }
    }

    pub(in crate::net) async fn with_servers(servers: Vec<Server>) -> Resolver {
        let resolver = Resolver::new(&[], None);
        resolver.system.replace(Some(name_servers(servers).await));
        resolver
    }

    fn all(addresses: &mut Addresses) -> Vec<String> {
        std::iter::from_fn(|| addresses.take_next()).map(|address| address.to_string()).collect()
    }

    #[tokio::test]
    async fn literals_and_the_table_need_no_lookup() {
        let resolver =
            Resolver::new(&["cdn.invalid:443:127.0.0.9,127.0.0.8,::1".parse().expect("valid")], None);
        for (host, port, expected) in [
            ("127.0.0.1", 80, &["127.0.0.1:80"][..]),
            ("::1", 81, &["[::1]:81"]),
            ("cdn.invalid", 443, &["[::1]:443", "127.0.0.9:443", "127.0.0.8:443"]),
        ] {
            let mut found = resolver.resolve(&endpoint(host, port), 0).await.expect(host);
            assert_eq!(all(&mut found), expected);
            assert!(!found.looked_up && !found.more().await);
        }
    }

    #[tokio::test]
    async fn both_families_are_tried_and_the_one_that_had_to_be_replaced_comes_last() {
        let resolver = with_servers(vec![Server::Knows(Some(V4), Some(V6))]).await;
        let mut found = resolver.resolve(&endpoint("cdn.example", 80), 0).await.expect("an address");
        while found.more().await {}
        assert_eq!(all(&mut found), ["[fd00::7]:80", "10.0.0.7:80"]);
        found.worked(V4.into());
        let mut again = resolver.resolve(&endpoint("cdn.example", 443), 0).await.expect("an address");
        assert_eq!(all(&mut again), ["10.0.0.7:443", "[fd00::7]:443"]);
    }

    #[tokio::test]
    async fn a_family_that_is_never_answered_holds_nobody_up() {
        let resolver = with_servers(vec![Server::OnlyV4(V4)]).await;
        let mut found = resolver.resolve(&endpoint("cdn.example", 80), 0).await.expect("an address");
        assert_eq!(all(&mut found), ["10.0.0.7:80"]);
        assert!(found.answer.borrow().v6.is_pending(), "it was not waited for");
    }

    #[test]
    fn an_answer_is_used_as_long_as_it_says_within_limits() {
        let now = Instant::now();
        for (says, expected) in [(0, 1), (60, 60), (86_400, 300)] {
            assert_eq!(kept_until(now + Duration::from_secs(says), now), now + Duration::from_secs(expected));
        }
        let found = |seconds| Found::Addresses(vec![V4.into()], now + Duration::from_secs(seconds));
        let answer = Answer { v4: found(60), v6: found(20) };
        assert!(answer.is_fresh(now + Duration::from_secs(19)));
        assert!(
            !answer.is_fresh(now + Duration::from_secs(20)),
            "one family is asked for again with the other"
        );
        let pending = Answer { v4: found(0), v6: Found::Pending };
        assert!(pending.is_fresh(now), "its lookup is under way");
        let failed = Answer { v4: Found::Failed(Fault::DnsNotFound), v6: Found::Failed(Fault::TimeoutDns) };
        assert!(!failed.is_fresh(now));
        assert_eq!(failed.fault(), Fault::TimeoutDns);
    }

    #[tokio::test]
    async fn a_name_without_addresses_does_not_exist_and_a_broken_server_says_nothing() {
        let missing = with_servers(vec![Server::Knows(None, None)]).await;
        let fault = missing.resolve(&endpoint("cdn.example", 80), 0).await.expect_err("no address");
        assert_eq!(fault, Fault::DnsNotFound);
        let broken = with_servers(vec![Server::Broken]).await;
        let fault = broken.resolve(&endpoint("cdn.example", 80), 0).await.expect_err("no address");
        assert_eq!(fault, Fault::DnsServerFailure);
    }

    #[tokio::test]
    async fn clients_that_join_at_once_are_one_question() {
        let resolver = with_servers(vec![Server::Knows(Some(V4), None)]).await;
        let endpoint = endpoint("cdn.example", 80);
        let (one, other) = tokio::join!(resolver.resolve(&endpoint, 0), resolver.resolve(&endpoint, 0));
        let [one, other] = [one, other].map(|found| found.expect("an address"));
        assert!(one.answer.same_channel(&other.answer));
    }

    #[tokio::test]
    async fn the_addresses_of_a_host_are_dealt_out_among_its_clients() {
        let resolver =
            Resolver::new(&["h:1:127.0.0.2,127.0.0.3,127.0.0.4,::2,::3".parse().expect("valid")], None);
        let orders =
            async |turn| all(&mut resolver.resolve(&endpoint("h", 1), turn).await.expect("addresses"));
        assert_eq!(orders(0).await, ["[::2]:1", "127.0.0.2:1", "[::3]:1", "127.0.0.3:1", "127.0.0.4:1"]);
        assert_eq!(orders(1).await, ["[::3]:1", "127.0.0.3:1", "[::2]:1", "127.0.0.4:1", "127.0.0.2:1"]);
        assert_eq!(orders(6).await, orders(0).await);
        // One that had to be replaced is tried last by all clients, until it works again.
        let mut second = resolver.resolve(&endpoint("h", 1), 1).await.expect("addresses");
        let tried = [second.take_next(), second.take_next()].map(|peer| peer.expect("a peer").ip());
        second.worked(tried[1]);
        assert_eq!(orders(1).await, ["127.0.0.3:1", "[::2]:1", "127.0.0.4:1", "127.0.0.2:1", "[::3]:1"]);
        assert_eq!(orders(0).await.last().map(String::as_str), Some("[::3]:1"));
        let mut all_of_it = resolver.resolve(&endpoint("h", 1), 0).await.expect("addresses");
        while all_of_it.take_next().is_some() {}
        all_of_it.worked(tried[0]);
        assert_eq!(orders(1).await.first().map(String::as_str), Some("[::3]:1"));
    }

    #[test]
    fn an_address_is_avoided_for_a_minute() {
        let (avoided, now) = (Avoided::default(), Instant::now());
        let [dead, alive] = [V4, [10, 0, 0, 8]].map(IpAddr::from);
        avoided.connected(alive, &[dead, alive], now);
        assert!(avoided.has(dead, now + Duration::from_secs(59)) && !avoided.has(alive, now));
        assert!(!avoided.has(dead, now + AVOIDED));
        avoided.connected(alive, &[alive], now + AVOIDED);
        assert!(avoided.0.borrow().is_empty());
    }
}
