//! Scope of a run: the hosts, schemes and addresses that its clients may use.
//!
//! * In scope is the host that the operator gave, with all ports, and every host of the same registrable domain. A host
//!   elsewhere needs `--allow-host`, a `--resolve` entry or `--follow-cdn`: a load test must not hit a third party
//!   because a playlist says so.
//! * Names are checked before a request, addresses when a connection is opened, on the address that is connected to:
//!   a name may resolve to anything, and to something else the next time.
//! * Link-local addresses, the metadata services of clouds and addresses that no host has are never used. Private and
//!   loopback addresses are used only if the target itself is at such an address, so that a stream on the Internet
//!   cannot make clients load an intranet. The first lookup of the target decides this for the whole run.
//! * `--follow-cdn` is for public hosts: what only it brings into scope is never loaded from a private address.
//! * A run with many clients that needs no confirmation because its target is private stays on private networks.
//! * A target on loopback has all of loopback in scope: its addresses are all this machine.
//! * Behind a proxy that resolves names, only the hosts of URLs can be judged, not the addresses of names: a target with a
//!   name counts as public, and a run that stays private uses no other name. The proxy itself is the operator's choice.
//! * After `https`, plain `http` is refused: it would show in the clear what was asked for in secret.
//!
//! All clients of a run share one scope. A request to the target's own host costs one comparison.

mod address;
mod explanation;
#[cfg(any(test, fuzzing))]
pub(super) mod fuzzing;
mod host;

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::OnceLock;

use super::resolve_entry::{self, ResolveEntry};
use crate::vocabulary::outcome::Fault;
use crate::vocabulary::secret_url::Endpoint;
use crate::vocabulary::{Finding, SecretUrl};

pub use address::AddressClass;
pub use host::AllowedHost;
use host::{HostRef, registrable_domain};

/// Choices of the operator that widen the scope.
#[derive(Clone, Debug, Default)]
pub struct ScopeOptions {
    /// Hosts in addition to the target's (`--allow-host`).
    pub hosts: Vec<AllowedHost>,
    /// Uses every public host (`--follow-cdn`).
    pub follow_cdn: bool,
    /// Uses `http` after `https` (`--allow-downgrade`).
    pub allow_downgrade: bool,
}

/// Network that the target is in, which decides whether private addresses are in scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// All addresses of the target are of this machine.
    Loopback,
    /// All are of this machine or a private network.
    Private,
    /// At least one is public.
    Public,
}

/// Way in which a client came to a URL.
#[derive(Clone, Copy, Debug)]
pub enum Lead<'a> {
    /// The operator gave it, or a playlist names it that was not loaded over `https`.
    Given,
    /// A playlist names it that was loaded over `https`.
    SecurePlaylist,
    /// The response from this URL redirects to it.
    Redirect(&'a SecretUrl),
}

/// Reason why a URL is out of scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Its host is an address of this class.
    Address(AddressClass),
    /// It is `http` after `https`.
    Downgrade,
    /// Its host is not in scope.
    Host,
}

impl Refusal {
    /// Returns the fault that the request ends with.
    pub const fn fault(self) -> Fault {
        match self {
            Self::Address(_) => Fault::PolicyAddress,
            Self::Downgrade => Fault::PolicyScheme,
            Self::Host => Fault::PolicyHost,
        }
    }

    /// Returns the finding about the stream.
    pub const fn finding(self) -> Finding {
        match self {
            Self::Address(_) => Finding::UnreachableAddress,
            Self::Downgrade => Finding::InsecureUrl,
            Self::Host => Finding::ForeignHost,
        }
    }
}

/// Host that the operator gave.
#[derive(Clone, Debug)]
enum Home {
    Address(IpAddr),
    Name { name: Box<str>, domain: Option<Box<str>> },
}

/// Hosts, schemes and addresses that the clients of a run may use.
#[derive(Debug)]
pub struct Scope {
    home: Home,
    /// Addresses that the operator wrote down: in scope, unless their class is never used.
    given_addresses: Vec<IpAddr>,
    resolve: Vec<ResolveEntry>,
    options: ScopeOptions,
    /// Set with the first known addresses of the target; a later answer does not change it.
    network: OnceLock<Network>,
    /// Set if public addresses are out of scope; see [`Scope::stay_private`]. Holds the hosts of `--authorised-for`.
    private_only: OnceLock<Vec<AllowedHost>>,
}

impl Scope {
    /// Builds the scope of a run against `target`, with the given entries of `--resolve`.
    pub fn new(target: &SecretUrl, resolve: &[ResolveEntry], options: ScopeOptions) -> Self {
        let home = match HostRef::from_url(target) {
            Some(HostRef::Address(address)) => Home::Address(address),
            Some(HostRef::Name(name)) => {
                Home::Name { name: name.into(), domain: registrable_domain(name).map(Into::into) }
            }
            // A target always has a host. If not, nothing is in scope.
            None => Home::Name { name: Box::default(), domain: None },
        };
        let resolve = resolve_entry::table(resolve);
        let listed = resolve.iter().flat_map(ResolveEntry::addresses).copied();
        let given_addresses = listed.chain(options.hosts.iter().filter_map(AllowedHost::address)).collect();
        Self {
            home,
            given_addresses,
            resolve,
            options,
            network: OnceLock::new(),
            private_only: OnceLock::new(),
        }
    }

    /// Builds the scope of a test against `target`.
    #[cfg(test)]
    pub fn for_test(target: &SecretUrl) -> std::sync::Arc<Self> {
        std::sync::Arc::new(Self::new(target, &[], ScopeOptions::default()))
    }

    /// Decides whether a URL that a client came to by `lead` may be requested.
    ///
    /// # Errors
    /// The reason if it may not. Whether its address may be connected to is another question: [`Scope::refuses_at`].
    pub fn check(&self, url: &SecretUrl, lead: Lead<'_>) -> Result<(), Refusal> {
        let host = HostRef::from_url(url).ok_or(Refusal::Host)?;
        let is_home = self.is_home(host);
        if let HostRef::Address(address) = host
            && !is_home
            && let Some(class) = self.refuses(address)
        {
            return Err(Refusal::Address(class));
        }
        let is_resolved = || !self.resolve.is_empty() && self.is_resolved_by_operator(&url.endpoint());
        if !is_home && !self.has(host, lead, is_resolved) && !self.follows(host) {
            return Err(Refusal::Host);
        }
        // The scheme matters only at a host that may be loaded: --allow-downgrade would not load another.
        let is_downgrade = !self.options.allow_downgrade && !url.is_secure() && lead.is_secure();
        if is_downgrade { Err(Refusal::Downgrade) } else { Ok(()) }
    }

    /// Reports whether a URL is at the target's own host.
    pub fn is_at_home(&self, url: &SecretUrl) -> bool {
        HostRef::from_url(url).is_some_and(|host| self.is_home(host))
    }

    fn is_home(&self, host: HostRef<'_>) -> bool {
        match (&self.home, host) {
            (Home::Address(home), HostRef::Address(address)) => *home == address,
            (Home::Name { name: home, .. }, HostRef::Name(name)) => **home == *name,
            _ => false,
        }
    }

    /// Reports whether a host other than the target's is in scope, also without `--follow-cdn`. `is_resolved` reports
    /// whether an entry of `--resolve` is for it.
    fn has(&self, host: HostRef<'_>, lead: Lead<'_>, is_resolved: impl FnOnce() -> bool) -> bool {
        self.is_related(host)
            || self.is_on_loopback_too(host, lead)
            || self.options.hosts.iter().any(|allowed| allowed.is(host))
            || is_resolved()
    }

    /// Reports whether `--follow-cdn` brings a host into scope. It is for public hosts: a private address of the
    /// target must not open the network around it. A name is judged again by its address, at each connection.
    fn follows(&self, host: HostRef<'_>) -> bool {
        self.options.follow_cdn && !host.is_private()
    }

    /// Reports whether the host has the target's registrable domain.
    fn is_related(&self, host: HostRef<'_>) -> bool {
        let (Home::Name { domain: Some(domain), .. }, HostRef::Name(name)) = (&self.home, host) else {
            return false;
        };
        registrable_domain(name) == Some(&**domain)
    }

    /// Reports whether both the target and this host are this machine. A redirect takes a client to another place for
    /// good, so it is held to what the URL itself shows: an address, not the name `localhost`, unless it stays there.
    fn is_on_loopback_too(&self, host: HostRef<'_>, lead: Lead<'_>) -> bool {
        let shows = match (host, lead) {
            (HostRef::Name(_), Lead::Redirect(from)) => HostRef::from_url(from) == Some(host),
            _ => true,
        };
        shows && host.is_loopback() && self.is_on_loopback()
    }

    fn is_on_loopback(&self) -> bool {
        let home = match &self.home {
            Home::Address(address) => HostRef::Address(*address),
            Home::Name { name, .. } => HostRef::Name(name),
        };
        home.is_loopback() || self.network.get() == Some(&Network::Loopback)
    }

    /// Reports whether the operator said where this endpoint is: then no third party is reached through its name.
    fn is_resolved_by_operator(&self, endpoint: &Endpoint) -> bool {
        self.resolve.iter().any(|entry| entry.is_for(endpoint))
    }

    /// Learns the network of the target from its addresses; only the first call has an effect.
    pub fn learn(&self, addresses: &[IpAddr]) {
        if let Some(network) = network_of(addresses) {
            self.network.get_or_init(|| network);
        }
    }

    /// Returns the network of the target, if it is known.
    pub fn network(&self) -> Option<Network> {
        match self.home {
            Home::Address(address) => network_of(&[address]),
            Home::Name { .. } => self.network.get().copied(),
        }
    }

    /// Returns the class of an address that a connection to `endpoint` must not use; `None` if it may.
    pub fn refuses_at(&self, endpoint: &Endpoint, address: IpAddr) -> Option<AddressClass> {
        self.refuses(address).or_else(|| {
            let class = AddressClass::new(address.to_canonical());
            let is_stray = match class {
                AddressClass::Public => {
                    let hosts = [HostRef::from_endpoint(endpoint), HostRef::Address(address.to_canonical())];
                    self.private_only.get().is_some_and(|also| !self.is_named(&hosts, also))
                }
                _ => self.is_only_followed(endpoint) && !self.is_given(address),
            };
            is_stray.then_some(class)
        })
    }

    /// Returns the fault of a connection to `endpoint` through a proxy that resolves names; `None` if it may be opened.
    /// An address in the URL is judged as without a proxy. A name may lead to any address: a run that stays on private
    /// networks uses only the target's own, those of loopback and those that the operator named.
    pub(super) fn refuses_behind_proxy(&self, endpoint: &Endpoint) -> Option<Fault> {
        let host = HostRef::from_endpoint(endpoint);
        if let HostRef::Address(address) = host {
            return self.refuses_at(endpoint, address).map(AddressClass::fault);
        }
        let confirmed = self.private_only.get()?;
        let may = self.is_home(host) || host.is_loopback() || self.is_named(&[host], confirmed);
        (!may).then_some(Fault::PolicyHost)
    }

    /// Takes public addresses out of scope for the rest of the run, except those of hosts that `--allow-host` or
    /// `confirmed` (`--authorised-for`) name. For a run that may have many clients only because its target is on a
    /// private network: the confirmation that a public host needs would otherwise be missing for the public hosts of
    /// its stream. Only the first call has an effect.
    pub fn stay_private(&self, confirmed: Vec<AllowedHost>) {
        self.private_only.get_or_init(|| confirmed);
    }

    /// Reports whether the operator named one of these very hosts. A pattern could be given by habit.
    fn is_named(&self, hosts: &[HostRef<'_>], confirmed: &[AllowedHost]) -> bool {
        let mut named = self.options.hosts.iter().chain(confirmed);
        named.any(|named| hosts.iter().any(|host| named.names(*host)))
    }

    /// Reports whether only `--follow-cdn` has brought this endpoint into scope.
    pub(super) fn is_only_followed(&self, endpoint: &Endpoint) -> bool {
        let host = HostRef::from_endpoint(endpoint);
        let is_resolved = || self.is_resolved_by_operator(endpoint);
        self.options.follow_cdn && !self.is_home(host) && !self.has(host, Lead::Given, is_resolved)
    }

    /// Reports whether the operator wrote down this address.
    fn is_given(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.given_addresses.iter().any(|given| given.to_canonical() == address)
    }

    /// Reports whether this endpoint is at the target's own host.
    pub(super) fn is_home_of(&self, endpoint: &Endpoint) -> bool {
        match &self.home {
            Home::Address(_) => false,
            Home::Name { name, .. } => **name == *endpoint.host.strip_suffix('.').unwrap_or(&endpoint.host),
        }
    }

    /// Returns the class of an address that must not be connected to; `None` if it may be.
    pub fn refuses(&self, address: IpAddr) -> Option<AddressClass> {
        let address = address.to_canonical();
        let class = AddressClass::new(address);
        // Until the target's network is known, it counts as public.
        let is_public = || self.network().is_none_or(|network| network == Network::Public);
        let refused = class.is_never_used() || (class.is_private() && is_public() && !self.is_given(address));
        refused.then_some(class)
    }
}

impl Lead<'_> {
    /// Reports whether the URL was learned over TLS.
    fn is_secure(self) -> bool {
        match self {
            Self::Given => false,
            Self::SecurePlaylist => true,
            Self::Redirect(from) => from.is_secure(),
        }
    }
}

/// Returns the network of a target with these addresses; `None` if there are none that a host can have.
fn network_of(addresses: &[IpAddr]) -> Option<Network> {
    let classes = addresses.iter().map(|address| AddressClass::new(*address));
    let networks = classes.filter_map(|class| match class {
        AddressClass::Public => Some(Network::Public),
        AddressClass::Private => Some(Network::Private),
        AddressClass::Loopback => Some(Network::Loopback),
        _ => None,
    });
    networks.max_by_key(|network| *network as u8)
}

/// Returns the host of a URL as reports name it; empty if it has none.
pub fn host_of(url: &SecretUrl) -> Cow<'_, str> {
    match HostRef::from_url(url) {
        Some(HostRef::Name(name)) => name.into(),
        Some(HostRef::Address(address)) => address.to_string().into(),
        None => Cow::default(),
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
