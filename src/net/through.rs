//! Connects to a host through a proxy.
//!
//! * A failure of the proxy is `conn.proxy`, so that it is not taken for one of the host. A proxy that says why it cannot
//!   reach the host (SOCKS) is believed. One that stays silent may wait for the host: `timeout.connect`.
//! * The scope judges what is known here: with a proxy that resolves names, the host alone, before the proxy hears of it.
//! * The edge of such a connection is the proxy: nothing here knows the address behind it.

use std::net::SocketAddr;
use std::time::Instant;

use tokio::net::TcpStream;

use super::ConnectTimings;
use super::connect::{Connector, attempt, telling};
use super::deadline::Deadline;
use super::proxy::{Destination, Proxy};
use super::race::{Alternatives as _, race};
use crate::vocabulary::clock::micros;
use crate::vocabulary::limits;
use crate::vocabulary::outcome::{Class, Fault};
use crate::vocabulary::secret_url::Endpoint;

impl Connector<'_> {
    /// Connects to the host of `endpoint` through `proxy`. Returns the address of the proxy.
    pub(super) async fn through(
        &self,
        proxy: &Proxy,
        endpoint: &Endpoint,
        deadline: &Deadline,
        timings: &mut ConnectTimings,
    ) -> Result<(SocketAddr, TcpStream), Fault> {
        if proxy.resolves_names()
            && let Some(fault) = self.scope.refuses_behind_proxy(endpoint)
        {
            self.reason.set(self.scope.explain_behind_proxy(endpoint));
            return Err(fault);
        }
        let begun = Instant::now();
        let reached = if self.transport.forward_proxy(endpoint).is_some() {
            self.reach_proxy(proxy, deadline).await
        } else if proxy.resolves_names() {
            self.tunnel(proxy, Destination::Host(endpoint), deadline).await
        } else {
            self.tunnel_to_address(proxy, endpoint, deadline, timings).await
        };
        timings.connect_us = Some(micros(begun.elapsed()));
        reached
    }

    /// Opens a tunnel to the first address of `endpoint` that is in scope and can be reached.
    async fn tunnel_to_address(
        &self,
        proxy: &Proxy,
        endpoint: &Endpoint,
        deadline: &Deadline,
        timings: &mut ConnectTimings,
    ) -> Result<(SocketAddr, TcpStream), Fault> {
        let mut addresses = self.addresses(endpoint, deadline, timings).await?;
        let mut faults = Vec::new();
        while let Some(peer) = addresses.take_next() {
            match self.scope.refuses_at(endpoint, peer.ip()) {
                Some(class) => faults.push(class.fault()),
                None => match self.tunnel(proxy, Destination::Address(peer), deadline).await {
                    Ok(reached) => {
                        addresses.worked(peer.ip());
                        return Ok(reached);
                    }
                    Err(fault) => faults.push(fault),
                },
            }
        }
        let fault = telling(faults.into_iter());
        if fault.class() == Class::Policy {
            self.reason.set(self.scope.explain(endpoint, &addresses.known_so_far()));
        }
        Err(fault)
    }

    async fn tunnel(
        &self,
        proxy: &Proxy,
        destination: Destination<'_>,
        deadline: &Deadline,
    ) -> Result<(SocketAddr, TcpStream), Fault> {
        let (edge, mut stream) = self.reach_proxy(proxy, deadline).await?;
        deadline.enter(Fault::TimeoutConnect, limits::CONNECT_TIMEOUT);
        proxy.open(&mut stream, destination).await.map_err(|(fault, reason)| {
            self.reason.set(Some(reason).filter(|reason| !reason.is_empty()));
            fault
        })?;
        Ok((edge, stream))
    }

    /// Connects to the proxy itself.
    async fn reach_proxy(
        &self,
        proxy: &Proxy,
        deadline: &Deadline,
    ) -> Result<(SocketAddr, TcpStream), Fault> {
        let failed = |fault: Fault| {
            if fault.is_local() {
                return fault;
            }
            self.reason.set(Some(format!("the proxy {proxy}: {}", fault.meaning())));
            Fault::ConnProxy
        };
        deadline.enter(Fault::ConnProxy, limits::DNS_TIMEOUT);
        let turn = self.transport.turn(self.client);
        let mut addresses = self.resolver.resolve(proxy.endpoint(), turn).await.map_err(failed)?;
        deadline.enter(Fault::ConnProxy, limits::CONNECT_TIMEOUT);
        let ended =
            race(&mut addresses, |peer| attempt(peer, None, self.transport.source(peer.ip(), self.client)))
                .await;
        let (edge, stream) = ended.map_err(|faults| failed(telling(faults.into_iter())))?;
        addresses.worked(edge.ip());
        _ = stream.set_nodelay(true);
        Ok((edge, stream))
    }
}
