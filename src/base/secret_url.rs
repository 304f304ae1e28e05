//! An address that may carry secrets: user and password, tokens in the query, tokens in the path.
//!
//! * `Display` and `Debug` never print userinfo, fragment or a query value, nor a path segment that looks like a
//!   token; [`SecretUrl::wire`] is the only way to the real text, and it goes to a socket only.
//! * Only `http` and `https` exist: every other scheme fails where the text is parsed, before anything is opened.

use std::fmt;

use url::{Position, Url};

use super::{limits, untrusted::Untrusted};

/// A path segment of at least this length without a dot is taken for a token and not printed.
const TOKEN_LENGTH: usize = 32;

/// An `http` or `https` address whose secrets are never printed.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SecretUrl(Url);

/// Why a text is not an address that can be requested. Holds none of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// The scheme is neither `http` nor `https`.
    #[error("only http:// and https:// addresses are accepted")]
    Scheme,
    /// There is no host.
    #[error("the address has no host")]
    Host,
    /// The text is not an address, is longer than [`limits::URL_BYTES`], or holds control characters.
    #[error("this is not an address")]
    Syntax,
}

/// Scheme, host and port: what a connection is made to and what credentials are scoped to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// Whether the connection is TLS.
    pub tls: bool,
    /// The host as it stands in the address, without the brackets of an IPv6 literal.
    pub host: String,
    /// The port, the default of the scheme filled in.
    pub port: u16,
}

impl Endpoint {
    /// `host:port`, an IPv6 literal in brackets, a default port left out: the `Host` header.
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        let default = if self.tls { 443 } else { 80 };
        if self.port == default { host } else { format!("{host}:{}", self.port) }
    }
}

impl SecretUrl {
    /// Parses an absolute address.
    ///
    /// # Errors
    /// See [`UrlError`].
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        Self::checked(text, Url::parse)
    }

    /// Resolves `reference` (RFC 3986) against this address.
    ///
    /// # Errors
    /// See [`UrlError`]; an empty reference is [`UrlError::Syntax`], because in a playlist it is a mistake.
    pub fn join(&self, reference: &str) -> Result<Self, UrlError> {
        if reference.is_empty() {
            return Err(UrlError::Syntax);
        }
        Self::checked(reference, |text| self.0.join(text))
    }

    fn checked(text: &str, parse: impl Fn(&str) -> Result<Url, url::ParseError>) -> Result<Self, UrlError> {
        if text.len() > limits::URL_BYTES || text.chars().any(|c| c.is_control()) {
            return Err(UrlError::Syntax);
        }
        let url = parse(text).map_err(|error| match error {
            url::ParseError::EmptyHost => UrlError::Host,
            _ => UrlError::Syntax,
        })?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(UrlError::Scheme);
        }
        if url.host_str().is_none_or(str::is_empty) {
            return Err(UrlError::Host);
        }
        Ok(Self(url))
    }

    /// Where a connection for this address goes.
    pub fn endpoint(&self) -> Endpoint {
        let tls = self.0.scheme() == "https";
        let host = match self.0.host() {
            Some(url::Host::Ipv6(address)) => address.to_string(),
            _ => self.0.host_str().unwrap_or_default().to_owned(),
        };
        Endpoint { tls, host, port: self.0.port_or_known_default().unwrap_or(if tls { 443 } else { 80 }) }
    }

    /// Whether `endpoint` is the one of this address; allocates nothing.
    pub fn is_at(&self, endpoint: &Endpoint) -> bool {
        let host = self.0.host_str().unwrap_or_default();
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        (self.0.scheme() == "https") == endpoint.tls
            && bare == endpoint.host
            && self.0.port_or_known_default() == Some(endpoint.port)
    }

    /// Path and query as they go onto the wire. Holds secrets: never print it.
    pub fn wire_path(&self) -> &str {
        &self.0[Position::BeforePath..Position::AfterQuery]
    }

    /// The whole address without userinfo and fragment as it goes onto the wire. Holds secrets: never print it.
    pub fn wire(&self) -> String {
        format!("{}://{}{}", self.0.scheme(), self.endpoint().authority(), self.wire_path())
    }

    /// Whether the path ends like this, in whatever case.
    pub fn path_ends_with(&self, ending: &str) -> bool {
        let path = self.0.path();
        let from = path.len().checked_sub(ending.len());
        from.and_then(|from| path.get(from..)).is_some_and(|end| end.eq_ignore_ascii_case(ending))
    }

    /// The query without its `?`. Holds secrets: never print it.
    pub fn query(&self) -> Option<&str> {
        self.0.query()
    }

    /// User and password, percent-decoded, if the address carries them. Secrets: never print them.
    pub fn credentials(&self) -> Option<(String, String)> {
        if self.0.username().is_empty() && self.0.password().is_none() {
            return None;
        }
        let decode = |text: &str| percent_decoded(text);
        Some((decode(self.0.username()), decode(self.0.password().unwrap_or_default())))
    }

    /// The last part of the path as it may be shown: what a person calls the file.
    pub fn file_name(&self) -> String {
        let name = self.0.path().rsplit('/').next().unwrap_or_default();
        Untrusted::new(shown_segment(name)).shown()
    }
}

/// The bytes that a percent-encoded text stands for, as UTF-8 as far as they are.
pub(crate) fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let code = after.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match code.and_then(|hex| u8::from_str_radix(hex, 16).ok()).filter(|_| first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A path segment, or `***` where it is long enough to be a token.
pub(crate) fn shown_segment(segment: &str) -> &str {
    if segment.len() >= TOKEN_LENGTH && !segment.contains('.') { "***" } else { segment }
}

impl fmt::Display for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path: Vec<_> = self.0.path().split('/').map(shown_segment).collect();
        let mut text = format!("{}://{}{}", self.0.scheme(), self.endpoint().authority(), path.join("/"));
        if self.0.query().is_some_and(|query| !query.is_empty()) {
            text.push_str("?***");
        }
        f.write_str(&Untrusted::new(&text).shown())
    }
}

impl fmt::Debug for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> SecretUrl {
        SecretUrl::parse(text).expect(text)
    }

    #[test]
    fn no_secret_is_printed() {
        let secret = url(
            "https://user:hunter2@cdn.example:8443/live/0123456789abcdef0123456789abcdef/a.m3u8?token=hunter2&x=1#hunter2",
        );
        for text in [secret.to_string(), format!("{secret:?}")] {
            assert!(!text.contains("hunter2"), "{text}");
            assert!(!text.contains("user"), "{text}");
            assert!(!text.contains("0123456789"), "{text}");
            assert!(text.contains("cdn.example:8443/live/***/a.m3u8?***"), "{text}");
        }
        assert_eq!(secret.wire_path(), "/live/0123456789abcdef0123456789abcdef/a.m3u8?token=hunter2&x=1");
        assert_eq!(secret.credentials(), Some(("user".into(), "hunter2".into())));
    }

    #[test]
    fn only_http_and_https_are_accepted() {
        for text in
            ["file:///etc/passwd", "data:text/plain,x", "ftp://h/x", "javascript:alert(1)", "gopher://h/"]
        {
            assert_eq!(SecretUrl::parse(text), Err(UrlError::Scheme), "{text}");
            assert_eq!(url("http://h/a.m3u8").join(text), Err(UrlError::Scheme), "{text}");
        }
        assert_eq!(SecretUrl::parse("no address"), Err(UrlError::Syntax));
        assert_eq!(SecretUrl::parse("http://"), Err(UrlError::Host));
        assert_eq!(url("http://h/a").join("b\r\nHost: evil"), Err(UrlError::Syntax));
        assert_eq!(url("http://h/a").join(""), Err(UrlError::Syntax));
    }

    #[test]
    fn references_resolve_as_rfc_3986_says() {
        let base = url("http://h:81/a/b/c.m3u8?q=1");
        for (reference, expected) in [
            ("x.ts", "http://h:81/a/b/x.ts"),
            ("./x.ts", "http://h:81/a/b/x.ts"),
            ("../x.ts", "http://h:81/a/x.ts"),
            ("/x.ts?y=2", "http://h:81/x.ts?y=2"),
            ("//other/x.ts", "http://other/x.ts"),
            ("?z", "http://h:81/a/b/c.m3u8?z"),
            ("https://o/x.ts", "https://o/x.ts"),
            ("a b.ts", "http://h:81/a/b/a%20b.ts"),
        ] {
            assert_eq!(base.join(reference).expect(reference).wire(), expected, "{reference}");
        }
    }

    #[test]
    fn an_endpoint_names_what_a_connection_needs() {
        let endpoint = url("https://[::1]:9/x").endpoint();
        assert_eq!((endpoint.tls, endpoint.host.as_str(), endpoint.port), (true, "::1", 9));
        assert_eq!(endpoint.authority(), "[::1]:9");
        assert_eq!(url("http://h/x").endpoint().authority(), "h");
        assert!(url("https://[::1]:9/y").is_at(&endpoint));
        assert!(!url("http://[::1]:9/y").is_at(&endpoint));
        assert!(!url("https://[::1]/y").is_at(&endpoint));
    }
}
