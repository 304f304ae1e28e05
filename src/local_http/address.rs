//! Address of a server that only this machine can reach.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

use crate::vocabulary::Untrusted;

/// A Unix socket, or a port of the loopback interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// Path of a Unix socket.
    Unix(PathBuf),
    /// Address of the loopback interface.
    Tcp(SocketAddr),
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "expected a path for a Unix socket, 127.0.0.1:PORT or [::1]:PORT".to_owned();
        if let Ok(address) = text.parse::<SocketAddr>() {
            let only_here = "expected an address that only this machine can reach, such as 127.0.0.1:PORT";
            return if address.ip().is_loopback() {
                Ok(Self::Tcp(address))
            } else {
                Err(only_here.to_owned())
            };
        }
        // Something such as `localhost:80` or `17092` is not meant to become a file.
        let end = text.rsplit(':').next().unwrap_or_default();
        let is_port = !end.is_empty() && end.bytes().all(|byte| byte.is_ascii_digit());
        let is_address = text.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
        if text.is_empty() || is_address || text.contains("://") || (is_port && !text.contains('/')) {
            return Err(wrong());
        }
        Ok(Self::Unix(text.into()))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => f.write_str(&Untrusted::new(&path.to_string_lossy()).shown()),
            Self::Tcp(address) => address.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_path_or_a_port_of_this_machine() {
        for path in ["/run/a.sock", "a.sock", "./17092", "dir:1/a:2"] {
            assert_eq!(path.parse(), Ok(Address::Unix(path.into())), "{path}");
        }
        for text in ["127.0.0.1:17092", "[::1]:0", "127.0.0.9:1"] {
            let address = text.parse::<Address>();
            assert!(matches!(address, Ok(Address::Tcp(_))), "{text}");
            assert_eq!(address.map(|address| address.to_string()).as_deref(), Ok(text));
        }
        for text in [
            "",
            "17092",
            "127.0.0.1",
            "[::1]",
            "localhost:80",
            ":80",
            "http://127.0.0.1:80/",
            "0.0.0.0:80",
            "192.0.2.1:80",
            "[::]:1",
        ] {
            let wrong = text.parse::<Address>().expect_err(text);
            assert!(wrong.starts_with("expected "), "{text}: {wrong}");
        }
    }
}
