//! Proxies that the environment names, as curl reads it.
//!
//! * `http_proxy`, `https_proxy`, `all_proxy` and `no_proxy`, in small letters before capital ones. curl does not read
//!   `HTTP_PROXY`, because a web server could set it for a script; `--proxy env` is given by the operator.
//! * `no_proxy` is a list of names with everything below them, addresses and networks, or `*` for all hosts.

use std::net::IpAddr;
use std::sync::Arc;

use super::{Proxies, Proxy};

/// Hosts that are loaded without a proxy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Exceptions(Vec<Exception>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Exception {
    All,
    /// A name and every name below it.
    Name(String),
    /// Addresses that begin with as many bits of this one.
    Network(IpAddr, u8),
}

impl Exceptions {
    fn read(list: &str) -> Self {
        let parts = list.split([',', ' ', '\t']).filter(|part| !part.is_empty());
        Self(parts.map(Exception::read).collect())
    }

    /// Reports whether a host is among them.
    pub(super) fn have(&self, host: &str) -> bool {
        self.0.iter().any(|exception| exception.has(host))
    }
}

impl Exception {
    fn read(text: &str) -> Self {
        if text == "*" {
            return Self::All;
        }
        let bare = |text: &str| text.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().ok();
        if let Some(address) = bare(text) {
            return Self::Network(address, 128);
        }
        let network =
            text.split_once('/').and_then(|(address, bits)| Some((bare(address)?, bits.parse().ok()?)));
        if let Some((address, bits)) = network {
            return Self::Network(address, bits);
        }
        Self::Name(text.trim_matches('.').to_ascii_lowercase())
    }

    fn has(&self, host: &str) -> bool {
        match self {
            Self::All => true,
            Self::Network(network, bits) => {
                host.parse().is_ok_and(|address| is_within(address, *network, *bits))
            }
            Self::Name(name) => {
                let host = host.strip_suffix('.').unwrap_or(host);
                let below = host.strip_suffix(name.as_str());
                !name.is_empty() && below.is_some_and(|before| before.is_empty() || before.ends_with('.'))
            }
        }
    }
}

fn is_within(address: IpAddr, network: IpAddr, bits: u8) -> bool {
    let (address, network, width) = match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) => {
            (u128::from(u32::from(address)), u128::from(u32::from(network)), 32)
        }
        (IpAddr::V6(address), IpAddr::V6(network)) => (u128::from(address), u128::from(network), 128),
        _ => return false,
    };
    let others = width - u32::from(bits).min(width);
    // A shift by all 128 bits leaves nothing to compare.
    (address ^ network).checked_shr(others).unwrap_or_default() == 0
}

impl Proxies {
    /// Returns the proxies that the environment names; `variable` returns the value of one. None may be there.
    ///
    /// # Errors
    /// One line with the name of the variable. Shows nothing of its value.
    pub fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let value = |name: &str| {
            [name.to_owned(), name.to_ascii_uppercase()].into_iter().find_map(|name| {
                let value = variable(&name).filter(|value| !value.is_empty())?;
                Some((name, value))
            })
        };
        let read = |name: &str| match value(name).or_else(|| value("all_proxy")) {
            Some((name, text)) => {
                let proxy = text.parse::<Proxy>();
                proxy.map(|proxy| Some(Arc::new(proxy))).map_err(|error| format!("{name}: {error}"))
            }
            None => Ok(None),
        };
        let except = value("no_proxy").map(|(_, list)| Exceptions::read(&list)).unwrap_or_default();
        Ok(Self { http: read("http_proxy")?, https: read("https_proxy")?, except })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocabulary::secret_url::Endpoint;

    /// Returns the proxies of `http://host` and `https://host` with these variables.
    fn of(variables: &[(&str, &str)], host: &str) -> Result<[String; 2], String> {
        let variable = |name: &str| {
            let found = variables.iter().find(|(is, _)| *is == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let proxies = Proxies::from_environment(variable)?;
        let of = |tls| proxies.of(&Endpoint { tls, host: host.to_owned(), port: 1 }).map(ToString::to_string);
        Ok([false, true].map(|tls| of(tls).unwrap_or_default()))
    }

    #[test]
    fn variables_are_read_as_curl_reads_them() {
        let [a, b, c] = ["http://a:1", "http://b:2", "socks5h://c:3"];
        for (variables, expected) in [
            (&[][..], ["", ""]),
            (&[("http_proxy", a)], [a, ""]),
            (&[("https_proxy", a)], ["", a]),
            (&[("HTTPS_PROXY", a), ("https_proxy", b)], ["", b]),
            (&[("HTTP_PROXY", a)], [a, ""]),
            (&[("ALL_PROXY", c), ("http_proxy", a)], [a, c]),
            (&[("http_proxy", ""), ("all_proxy", c)], [c, c]),
            (&[("http_proxy", a), ("NO_PROXY", "*")], ["", ""]),
        ] {
            assert_eq!(of(variables, "h").as_ref(), Ok(&expected.map(str::to_owned)), "{variables:?}");
        }
        let said = of(&[("https_proxy", "ftp://u:hunter2@h")], "h").expect_err("wrong");
        assert!(said.starts_with("https_proxy: expected http://") && !said.contains("hunter2"), "{said}");
    }

    #[test]
    fn hosts_without_a_proxy_are_names_addresses_and_networks() {
        let is_free = |list: &str, host: &str| {
            of(&[("http_proxy", "http://a"), ("no_proxy", list)], host).expect("variables")[0].is_empty()
        };
        for (list, host) in [
            ("example.com", "example.com"),
            ("x, .Example.com", "cdn.example.com"),
            ("example.com", "cdn.example.com."),
            ("127.0.0.1", "127.0.0.1"),
            ("10.0.0.0/8", "10.9.8.7"),
            ("[::1]", "::1"),
            ("fd00::/8", "fd12::1"),
            ("0.0.0.0/0 ::/0", "::5"),
        ] {
            assert!(is_free(list, host), "{list} {host}");
        }
        for (list, host) in [
            ("example.com", "notexample.com"),
            ("cdn.example.com", "example.com"),
            ("10.0.0.0/8", "11.0.0.1"),
            ("10.0.0.0/8", "fd00::1"),
            ("127.0.0.1", "127.0.0.2"),
            (".", "h"),
            ("10.0.0.0/8", "h"),
        ] {
            assert!(!is_free(list, host), "{list} {host}");
        }
    }
}
