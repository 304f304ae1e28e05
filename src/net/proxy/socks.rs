//! Tunnel through a SOCKS 5 proxy (RFC 1928), with a password if there is one (RFC 1929). Every message has a known
//! length, so nothing that belongs to the host is read.

use std::net::IpAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{Destination, Refused, broken};
use crate::vocabulary::outcome::Fault;

const VERSION: u8 = 5;
const CONNECT: u8 = 1;
const NO_LOGIN: u8 = 0;
const PASSWORD: u8 = 2;
const V4: u8 = 1;
const NAME: u8 = 3;
const V6: u8 = 4;

/// Opens a tunnel.
pub(super) async fn open(
    stream: &mut TcpStream,
    login: Option<&(String, String)>,
    destination: Destination<'_>,
) -> Result<(), Refused> {
    let request = request(destination)?;
    let methods: &[u8] = if login.is_some() { &[NO_LOGIN, PASSWORD] } else { &[NO_LOGIN] };
    send(stream, &[&[VERSION, methods.len() as u8], methods].concat()).await?;
    let [version, method] = receive(stream).await?;
    match (version, method, login) {
        (VERSION, NO_LOGIN, _) => {}
        (VERSION, PASSWORD, Some((user, password))) => {
            let [user, password] =
                [user, password].map(|text| [&[text.len() as u8], text.as_bytes()].concat());
            send(stream, &[&[1][..], &user, &password].concat()).await?;
            if receive::<2>(stream).await?.get(1) != Some(&0) {
                return refused("the SOCKS proxy refuses user and password");
            }
        }
        (VERSION, ..) if login.is_none() => return refused("the SOCKS proxy asks for user and password"),
        (VERSION, ..) => return refused("the SOCKS proxy takes no password"),
        _ => return refused("the proxy does not speak SOCKS 5"),
    }
    send(stream, &request).await?;
    let [version, reply, _, kind] = receive(stream).await?;
    if version != VERSION {
        return refused("the proxy does not speak SOCKS 5");
    }
    if reply != 0 {
        return Err(refusal(reply));
    }
    // The address from which the proxy connects, and its port, are of no use.
    let length = match kind {
        V4 => 4,
        V6 => 16,
        NAME => usize::from(u8::from_be_bytes(receive(stream).await?)),
        _ => return refused("the proxy does not speak SOCKS 5"),
    };
    let mut address = [0; u8::MAX as usize + 2];
    let address = address.get_mut(..length + 2).unwrap_or_default();
    stream.read_exact(address).await.map_err(|error| broken(&error))?;
    Ok(())
}

/// Returns the request for a tunnel.
fn request(destination: Destination<'_>) -> Result<Vec<u8>, Refused> {
    let mut request = vec![VERSION, CONNECT, 0];
    let (address, port) = match destination {
        Destination::Address(address) => (Ok(address.ip()), address.port()),
        Destination::Host(endpoint) => (endpoint.host.parse().map_err(|_| &endpoint.host), endpoint.port),
    };
    match address {
        Ok(IpAddr::V4(address)) => {
            request.push(V4);
            request.extend(address.octets());
        }
        Ok(IpAddr::V6(address)) => {
            request.push(V6);
            request.extend(address.octets());
        }
        Err(name) => {
            let Ok(length) = u8::try_from(name.len()) else {
                return refused("the name is too long for SOCKS");
            };
            request.extend([NAME, length]);
            request.extend(name.as_bytes());
        }
    }
    request.extend(port.to_be_bytes());
    Ok(request)
}

async fn send(stream: &mut TcpStream, bytes: &[u8]) -> Result<(), Refused> {
    stream.write_all(bytes).await.map_err(|error| broken(&error))
}

async fn receive<const LENGTH: usize>(stream: &mut TcpStream) -> Result<[u8; LENGTH], Refused> {
    let mut bytes = [0; LENGTH];
    stream.read_exact(&mut bytes).await.map_err(|error| broken(&error))?;
    Ok(bytes)
}

fn refused<T>(reason: &str) -> Result<T, Refused> {
    Err((Fault::ConnProxy, reason.to_owned()))
}

/// Returns the failure that a reply means: of the host, if the proxy says so, else of the proxy.
fn refusal(reply: u8) -> Refused {
    let (fault, words) = match reply {
        1 => (Fault::ConnProxy, "a general failure"),
        2 => (Fault::ConnProxy, "not allowed by its rules"),
        3 => (Fault::ConnUnreachable, "network unreachable"),
        4 => (Fault::ConnUnreachable, "host unreachable"),
        5 => (Fault::ConnRefused, "connection refused"),
        6 => (Fault::ConnUnreachable, "TTL expired"),
        7 => (Fault::ConnProxy, "command not supported"),
        8 => (Fault::ConnProxy, "address type not supported"),
        _ => (Fault::ConnProxy, "an unknown failure"),
    };
    (fault, format!("the SOCKS proxy reports: {words}"))
}
