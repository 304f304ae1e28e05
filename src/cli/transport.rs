//! Options for the way to the origin: the version of HTTP, the addresses and TLS.

use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;

use crate::net::{ClientFiles, Family, HttpVersion, Proxy, ProxyError, TlsVersion};

/// Options for the way to the origin.
#[derive(Debug, Default, Args)]
pub struct TransportArgs {
    /// Use HTTP/1.1 alone
    #[arg(long = "http1.1", alias = "http1-1", conflicts_with = "http2", help_heading = "Connections")]
    pub http1: bool,
    /// Use HTTP/2 alone, for http:// URLs with prior knowledge (as curl's --http2-prior-knowledge)
    #[arg(long, help_heading = "Connections")]
    pub http2: bool,
    /// Connect to IPv4 addresses only
    #[arg(short = '4', long, conflicts_with = "ipv6", help_heading = "Connections")]
    pub ipv4: bool,
    /// Connect to IPv6 addresses only
    #[arg(short = '6', long, help_heading = "Connections")]
    pub ipv6: bool,
    /// Address of this machine to connect from; several, repeatable or with commas between them, are dealt out among the
    /// clients, and each has local ports of its own
    #[arg(long = "local-addr", value_name = "ADDR", value_delimiter = ',', value_parser = super::values::address, help_heading = "Connections")]
    pub sources: Vec<IpAddr>,
    /// Proxy for all requests, such as http://HOST:3128, socks5://HOST:1080, or socks5h:// to let it resolve names; or env
    /// for those that http_proxy, https_proxy, all_proxy and no_proxy name [default: none, whatever the environment says]
    #[arg(long, value_name = "URL", help_heading = "Connections")]
    pub proxy: Option<ProxyChoice>,
    /// Lowest version of TLS: 1.2 or 1.3 [default: 1.2]
    #[arg(long, value_name = "VERSION", help_heading = "Connections")]
    pub tls_min: Option<TlsVersion>,
    /// Highest version of TLS: 1.2 or 1.3 [default: 1.3]
    #[arg(long, value_name = "VERSION", help_heading = "Connections")]
    pub tls_max: Option<TlsVersion>,
    /// Certificate of the clients, a PEM file; offered to hosts that ask for one, but not to those that only --follow-cdn
    /// loads
    #[arg(long, value_name = "FILE", help_heading = "Connections")]
    pub client_cert: Option<PathBuf>,
    /// Its private key, a PEM file [default: in the file of --client-cert]
    #[arg(long, value_name = "FILE", requires = "client_cert", help_heading = "Connections")]
    pub client_key: Option<PathBuf>,
}

/// Proxy of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProxyChoice {
    /// Those that the environment names.
    Environment,
    /// This one.
    Given(Proxy),
}

impl FromStr for ProxyChoice {
    type Err = ProxyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "env" => Ok(Self::Environment),
            url => url.parse().map(Self::Given),
        }
    }
}

impl TransportArgs {
    /// Reports whether the command line shows the password of a proxy.
    pub fn shows_password(&self) -> bool {
        matches!(&self.proxy, Some(ProxyChoice::Given(proxy)) if proxy.has_login())
    }

    /// Returns the files of the clients' own certificate.
    pub fn identity(&self) -> Option<ClientFiles> {
        let certificate = self.client_cert.clone()?;
        Some(ClientFiles { certificate, key: self.client_key.clone() })
    }

    /// Returns the version of HTTP.
    pub fn version(&self) -> HttpVersion {
        match (self.http1, self.http2) {
            (true, _) => HttpVersion::Http1,
            (_, true) => HttpVersion::Http2,
            _ => HttpVersion::Agreed,
        }
    }

    /// Returns the only family of addresses; `None`: both.
    pub fn family(&self) -> Option<Family> {
        match (self.ipv4, self.ipv6) {
            (true, _) => Some(Family::V4),
            (_, true) => Some(Family::V6),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Command, Usage, combine, parse, plan_file, resolved};
    use super::*;
    use std::ffi::OsString;

    fn args(line: &str) -> Vec<OsString> {
        std::iter::once("hlswarm").chain(line.split_whitespace()).map(OsString::from).collect()
    }

    fn given(line: &str) -> TransportArgs {
        match parse(args(line)).expect(line).command {
            Command::Run(run) => run.load.requests.transport,
            Command::Check(check) => check.requests.transport,
            other => panic!("{other:?}"),
        }
    }

    fn wrong(line: &str) -> String {
        match parse(args(line)) {
            Err(Usage::Wrong(text)) => text,
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn version_and_family_are_one_or_the_other() {
        let plain = given("run http://h/a");
        assert_eq!((plain.version(), plain.family()), (HttpVersion::Agreed, None));
        let four = given("run http://h/a --http1.1 -4");
        assert_eq!((four.version(), four.family()), (HttpVersion::Http1, Some(Family::V4)));
        let six = given("check http://h/a --http2 --ipv6");
        assert_eq!((six.version(), six.family()), (HttpVersion::Http2, Some(Family::V6)));
        for (line, expected) in [
            ("run http://h/a -4 -6", "--ipv4 cannot be used together with --ipv6"),
            ("run http://h/a --http1.1 --http2", "--http1.1 cannot be used together with --http2"),
            ("run http://h/a --http1", "unknown option"),
            (
                "run http://h/a --local-addr eth0",
                "--local-addr 'eth0': expected an IP address of this machine",
            ),
            ("run http://h/a --proxy ftp://u:hunter2@h", "--proxy: expected http://HOST:PORT, socks5://"),
            ("run http://h/a --proxy hunter2:hunter2", "--proxy: expected http://HOST:PORT, socks5://"),
            ("run http://h/a --tls-min 1.1", "--tls-min '1.1': expected 1.2 or 1.3"),
            ("run http://h/a --client-key k.pem", "--client-cert <FILE> is missing"),
            ("run http://h/a -4 -c -4", "--clients '-4': expected 1 to"),
        ] {
            let said = wrong(line);
            assert!(said.starts_with(expected), "{line}: {said}");
        }
    }

    #[test]
    fn a_plan_file_and_a_variable_can_set_an_option_with_a_dot() {
        let text = resolved(args("run http://h/a --http1.1 -4"));
        assert!(text.contains("\n\"http1.1\" = true\n") && text.contains("\nipv4 = true\n"), "{text}");
        let variable = || [("HLSWARM_HTTP1_1".into(), "1".into())].into_iter();
        let none = || std::iter::empty();
        let line = args("run p.toml");
        let place = plan_file(&line).expect("a plan file");
        let again = combine(line, Some((place, "p.toml", &text)), none()).expect("a plan").args;
        let again: Vec<_> = again.iter().map(|arg| arg.to_string_lossy()).collect();
        assert!(given(&again.get(1..).expect("arguments").join(" ")).http1);
        let combined = combine(args("run http://h/a"), None, variable()).expect("a variable").args;
        assert!(
            parse(combined).is_ok_and(
                |cli| matches!(cli.command, Command::Run(run) if run.load.requests.transport.http1)
            )
        );
    }
}
