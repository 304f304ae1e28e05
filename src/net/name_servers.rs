//! The name servers of the system, tried as alternatives to one another.
//!
//! * A silent or broken server costs at most a quarter of a second, once: the next one is asked beside it, and the
//!   one that answered is asked first from then on.
//! * "The name does not exist" is an answer; the failure of a server is not.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ResolverConfig, ResolverOpts};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{RData, RecordType};
use hickory_resolver::system_conf::read_system_conf;
use tokio::time::timeout;

use super::io_fault;
use super::race::race;
use crate::vocabulary::limits;
use crate::vocabulary::outcome::Fault;

/// A family of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Family {
    /// Reports whether an address is of this family.
    pub const fn has(self, address: IpAddr) -> bool {
        address.is_ipv4() == matches!(self, Self::V4)
    }
}

/// Addresses, possibly none, and the time at which they expire.
type Answered = (Vec<IpAddr>, Instant);

/// The name servers of one worker.
#[derive(Clone)]
pub(super) struct NameServers {
    /// One resolver for each server, so that this module controls their order and the waits.
    servers: Arc<[TokioResolver]>,
    /// Index of the server that answered last.
    first: Arc<AtomicUsize>,
}

impl NameServers {
    /// Reads the name servers from the system's configuration. Without any, only the hosts file resolves names.
    pub(super) fn from_system() -> Result<Self, Fault> {
        let (config, options) = read_system_conf().unwrap_or_default();
        Self::new(config, &options)
    }

    fn new(config: ResolverConfig, options: &ResolverOpts) -> Result<Self, Fault> {
        let (domain, search, servers) = config.into_parts();
        let none = servers.is_empty().then(Vec::new);
        let alone = servers.into_iter().map(|server| vec![server]).chain(none);
        let resolvers = alone.map(|server| {
            let config = ResolverConfig::from_parts(domain.clone(), search.clone(), server);
            let builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
            builder.with_options(options.clone()).build()
        });
        let servers: Result<_, NetError> = resolvers.collect();
        Ok(Self { servers: servers.map_err(|error| fault(&error))?, first: Arc::default() })
    }

    /// Looks up the addresses of a name.
    ///
    /// # Errors
    /// One of `dns.*`, `timeout.dns` or `local.*`, when no server gave an answer.
    pub(super) async fn lookup(&self, name: &str, family: Family) -> Result<Answered, Fault> {
        let first = self.first.load(Ordering::Relaxed);
        let others = (0..self.servers.len()).filter(|at| *at != first);
        let mut order = [first].into_iter().chain(others).collect::<Vec<_>>().into_iter();
        let ask = race(&mut order, |at| self.ask(at, name, family));
        let ended = timeout(limits::DNS_TIMEOUT, ask).await.map_err(|_| Fault::TimeoutDns)?;
        let (at, answered) = ended.map_err(|faults| {
            let telling = faults.into_iter().min_by_key(|fault| !fault.is_local());
            telling.unwrap_or(Fault::DnsServerFailure)
        })?;
        self.first.store(at, Ordering::Relaxed);
        Ok(answered)
    }

    async fn ask(&self, at: usize, name: &str, family: Family) -> Result<Answered, Fault> {
        let server = self.servers.get(at).ok_or(Fault::DnsServerFailure)?;
        let kind = if family == Family::V6 { RecordType::AAAA } else { RecordType::A };
        match server.lookup(name, kind).await {
            Ok(found) => {
                let addresses = found.answers().iter().filter_map(|record| match &record.data {
                    RData::A(address) => Some(IpAddr::V4(address.0)),
                    RData::AAAA(address) => Some(IpAddr::V6(address.0)),
                    _ => None,
                });
                Ok((addresses.collect(), found.valid_until()))
            }
            Err(error) if error.is_nx_domain() || error.is_no_records_found() => {
                Ok((Vec::new(), Instant::now()))
            }
            Err(error) => Err(fault(&error)),
        }
    }
}

/// Returns the fault of a failed lookup. Sockets and files that this machine lacks are not the name server's fault.
fn fault(error: &NetError) -> Fault {
    match error {
        NetError::Io(error) => Some(io_fault::fault(error)).filter(|fault| fault.is_local()),
        NetError::Timeout => Some(Fault::TimeoutDns),
        _ => None,
    }
    .unwrap_or(Fault::DnsServerFailure)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolveHosts};
    use std::time::Duration;
    use tokio::net::UdpSocket;

    use crate::net::race::ATTEMPT_DELAY;

    /// Delay of a late answer.
    const LATE: Duration = ATTEMPT_DELAY.saturating_mul(2);

    /// Fake name server.
    pub(in crate::net) enum Server {
        Silent,
        /// Answers SERVFAIL to every query.
        Broken,
        /// Answers A and AAAA with these addresses, if any.
        Knows(Option<[u8; 4]>, Option<[u8; 16]>),
        /// Answers A, but never AAAA.
        OnlyV4([u8; 4]),
        /// Answers AAAA at once, and A later than the next attempt to connect begins.
        LateV4([u8; 4], [u8; 16]),
    }

    impl Server {
        /// Returns the answer to a query: the query itself with an answer section.
        fn answer(&self, query: &[u8]) -> Option<Vec<u8>> {
            let question_end = 12 + query.get(12..)?.iter().position(|byte| *byte == 0)? + 5;
            let kind = *query.get(question_end - 3)?;
            let (code, data): (u8, Option<Vec<u8>>) = match self {
                Self::Silent => return None,
                Self::Broken => (2, None),
                Self::Knows(v4, v6) => (0, if kind == 1 { v4.map(Vec::from) } else { v6.map(Vec::from) }),
                Self::OnlyV4(v4) if kind == 1 => (0, Some(v4.to_vec())),
                Self::OnlyV4(_) => return None,
                Self::LateV4(v4, v6) => (0, Some(if kind == 1 { v4.to_vec() } else { v6.to_vec() })),
            };
            let mut answer = query.get(..question_end)?.to_vec();
            answer[2..4].copy_from_slice(&[0x81, 0x80 | code]);
            answer[6..12].copy_from_slice(&[0, u8::from(data.is_some()), 0, 0, 0, 0]);
            if let Some(data) = data {
                // A pointer to the name, the type, class IN, a TTL of one minute, the data.
                answer.extend([0xc0, 12, 0, kind, 0, 1, 0, 0, 0, 60, 0, data.len() as u8]);
                answer.extend(data);
            }
            Some(answer)
        }
    }

    /// Starts fake name servers on loopback.
    pub(in crate::net) async fn name_servers(servers: Vec<Server>) -> NameServers {
        let mut configured = Vec::new();
        for server in servers {
            let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
            let address = socket.local_addr().expect("bound");
            let mut connection = ConnectionConfig::udp();
            connection.port = address.port();
            configured.push(NameServerConfig::new(address.ip(), true, vec![connection]));
            tokio::spawn(async move {
                let (mut query, socket) = ([0; 512], Arc::new(socket));
                while let Ok((length, from)) = socket.recv_from(&mut query).await {
                    let Some(answer) = server.answer(&query[..length]) else { continue };
                    let is_late = matches!(&server, Server::LateV4(v4, _) if answer.ends_with(v4));
                    let (socket, wait) = (Arc::clone(&socket), if is_late { LATE } else { Duration::ZERO });
                    tokio::spawn(async move {
                        tokio::time::sleep(wait).await;
                        _ = socket.send_to(&answer, from).await;
                    });
                }
            });
        }
        let mut options = ResolverOpts::default();
        options.use_hosts_file = ResolveHosts::Never;
        NameServers::new(ResolverConfig::from_parts(None, Vec::new(), configured), &options)
            .expect("resolvers")
    }

    async fn found(servers: &NameServers, family: Family) -> Result<Vec<IpAddr>, Fault> {
        servers.lookup("cdn.example.", family).await.map(|(addresses, _)| addresses)
    }

    #[tokio::test]
    async fn a_silent_or_broken_name_server_is_passed_over_and_remembered() {
        let ours = [10, 0, 0, 7];
        let knows = Server::Knows(Some(ours), None);
        let servers = name_servers(vec![Server::Silent, Server::Broken, knows]).await;
        assert_eq!(found(&servers, Family::V4).await, Ok(vec![ours.into()]));
        assert_eq!(servers.first.load(Ordering::Relaxed), 2);
        assert_eq!(found(&servers, Family::V6).await, Ok(vec![]), "an answer, too");
    }

    #[tokio::test]
    async fn what_no_server_can_say_is_not_what_does_not_exist() {
        let servers = name_servers(vec![Server::Broken, Server::Broken]).await;
        assert_eq!(found(&servers, Family::V4).await, Err(Fault::DnsServerFailure));
    }

    #[test]
    fn files_that_this_machine_lacks_are_its_own_fault() {
        let error = NetError::from(std::io::Error::from(rustix::io::Errno::MFILE));
        assert_eq!(fault(&error), Fault::LocalFiles);
        assert_eq!(fault(&NetError::Timeout), Fault::TimeoutDns);
    }

    #[tokio::test(start_paused = true)]
    async fn servers_that_are_all_silent_end_in_time() {
        let servers = name_servers(vec![Server::Silent, Server::Silent]).await;
        let begun = tokio::time::Instant::now();
        assert_eq!(found(&servers, Family::V4).await, Err(Fault::TimeoutDns));
        assert!(begun.elapsed() <= limits::DNS_TIMEOUT + Duration::from_millis(10));
    }
}
