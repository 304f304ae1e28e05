//! A URL that may carry secrets: user and password, tokens in the query, tokens in the path.
//!
//! * `Display` and `Debug` never print userinfo, fragment or a query value, nor anything that looks like a token in
//!   the path ([`secret_shape`]). Each method that returns secrets says so, for instance [`SecretUrl::wire`], whose
//!   text goes to a socket only.
//! * A URL from the operator or a redirect must be `http` or `https`. A playlist may refer to anything: a reference
//!   that cannot be requested stays in place as a URL whose [`Access`] says so, and nothing is opened for it.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use url::{Position, Url};

use super::fingerprint::fingerprint;
use super::percent::{percent_decoded, percent_decoded_bytes};
use super::secret_shape::{self, HIDDEN, shown_segment};
use super::{limits, untrusted::Untrusted};

/// Maximum width of a scheme when shown, in columns.
const REFUSED_COLUMNS: usize = 20;

/// Base64 with or without padding, and with stray trailing bits, as browsers read `data:` URLs.
const FORGIVING_BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// A URL whose secrets are never printed.
///
/// Clones share it: a client passes the URL of its playlist on with each request.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SecretUrl(Arc<Url>);

/// The way to obtain the resource at a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Request it.
    Request,
    /// Read it from the URL itself: `data:`.
    Inline,
    /// Not at all: another scheme, or not a URL.
    Refused,
}

/// Placeholder for a text that is not a URL. It is refused, like every scheme except `http`, `https` and `data`.
const BROKEN: &str = "about:invalid";

/// Reason why a text is not a URL that can be requested. Contains none of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// The scheme is neither `http` nor `https`.
    #[error("only http:// and https:// are accepted")]
    Scheme,
    /// The URL has no host.
    #[error("the URL has no host")]
    Host,
    /// The text is not a URL, is longer than [`limits::URL_BYTES`], or contains control characters.
    #[error("this is not a URL")]
    Syntax,
}

/// Scheme, host and port: the target of a connection and the scope of credentials.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// True if the connection uses TLS.
    pub tls: bool,
    /// The host as in the URL, without the brackets of an IPv6 literal.
    pub host: String,
    /// The port; the scheme's default if the URL has none.
    pub port: u16,
}

impl Endpoint {
    /// Returns `host:port` for the `Host` header, with an IPv6 literal in brackets and without a default port.
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        let default = if self.tls { 443 } else { 80 };
        if self.port == default { host } else { format!("{host}:{}", self.port) }
    }
}

impl SecretUrl {
    /// Parses an absolute URL.
    ///
    /// # Errors
    /// See [`UrlError`].
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        Self::checked(text, Url::parse)
    }

    /// Resolves `reference` (RFC 3986) against this URL.
    ///
    /// # Errors
    /// See [`UrlError`]; an empty reference is [`UrlError::Syntax`], because in a playlist it is a mistake.
    pub fn join(&self, reference: &str) -> Result<Self, UrlError> {
        if reference.is_empty() {
            return Err(UrlError::Syntax);
        }
        Self::checked(reference, |text| self.0.join(text))
    }

    /// Resolves any reference of a playlist against this URL; see [`SecretUrl::access`] for the result.
    pub fn refer(&self, reference: &str) -> Self {
        self.join(reference).unwrap_or_else(|_| {
            // It was not joined. If it is not http or https, it is either absolute or broken.
            let other = Url::parse(reference).ok().filter(|url| !is_web(url));
            Self(other.map_or_else(|| self.broken(), Arc::new))
        })
    }

    fn broken(&self) -> Arc<Url> {
        Url::parse(BROKEN).map_or_else(|_| Arc::clone(&self.0), Arc::new)
    }

    /// Returns a copy that shares nothing with this URL: worker threads that count the clones of one URL would wait
    /// for one another.
    #[must_use]
    pub fn unshared(&self) -> Self {
        Self(Arc::new(Url::clone(&self.0)))
    }

    /// Returns the way to obtain the resource at this URL.
    pub fn access(&self) -> Access {
        match self.0.scheme() {
            "http" | "https" => Access::Request,
            "data" => Access::Inline,
            _ => Access::Refused,
        }
    }

    /// Explains to the operator why the URL is refused; shows nothing but the scheme.
    pub fn refusal(&self) -> String {
        match self.0.scheme() {
            "about" => "this is not a URL".to_owned(),
            scheme => format!("{}: URLs are not requested", Untrusted::new(scheme).shown_in(REFUSED_COLUMNS)),
        }
    }

    /// Returns the bytes in a `data:` URL (RFC 2397, read as the Fetch standard says).
    ///
    /// # Errors
    /// [`UrlError::Syntax`] if it contains none.
    pub fn inline(&self) -> Result<Vec<u8>, UrlError> {
        let (media_type, text) = self.wire_path().split_once(',').ok_or(UrlError::Syntax)?;
        let bytes = percent_decoded_bytes(text);
        let coding = media_type.rsplit(';').next().unwrap_or_default().trim();
        if !coding.eq_ignore_ascii_case("base64") {
            return Ok(bytes);
        }
        let dense: Vec<u8> = bytes.into_iter().filter(|byte| !byte.is_ascii_whitespace()).collect();
        FORGIVING_BASE64.decode(dense).map_err(|_| UrlError::Syntax)
    }

    fn checked(text: &str, parse: impl Fn(&str) -> Result<Url, url::ParseError>) -> Result<Self, UrlError> {
        if text.len() > limits::URL_BYTES || text.chars().any(|c| c.is_control()) {
            return Err(UrlError::Syntax);
        }
        let url = parse(text).map_err(|error| match error {
            url::ParseError::EmptyHost => UrlError::Host,
            _ => UrlError::Syntax,
        })?;
        if !is_web(&url) {
            return Err(UrlError::Scheme);
        }
        if url.host_str().is_none_or(str::is_empty) {
            return Err(UrlError::Host);
        }
        Ok(Self(Arc::new(url)))
    }

    /// Returns the endpoint that a connection for this URL goes to.
    pub fn endpoint(&self) -> Endpoint {
        let tls = self.0.scheme() == "https";
        let host = match self.0.host() {
            Some(url::Host::Ipv6(address)) => address.to_string(),
            _ => self.0.host_str().unwrap_or_default().to_owned(),
        };
        Endpoint { tls, host, port: self.0.port_or_known_default().unwrap_or(if tls { 443 } else { 80 }) }
    }

    /// Returns the host, as the URL standard parses it: `0x7f000001` is the address 127.0.0.1. `None` without a host.
    pub fn host(&self) -> Option<url::Host<&str>> {
        self.0.host()
    }

    /// Reports whether the URL is `https`.
    pub fn is_secure(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// Reports whether this URL is at `endpoint`; allocates nothing.
    pub fn is_at(&self, endpoint: &Endpoint) -> bool {
        let is_host = || match self.0.host() {
            // An address has several spellings, and that of a URL is not that of an endpoint for each of them.
            Some(url::Host::Ipv6(address)) => endpoint.host.parse() == Ok(address),
            _ => self.0.host_str().unwrap_or_default() == endpoint.host,
        };
        (self.0.scheme() == "https") == endpoint.tls
            && is_host()
            && self.0.port_or_known_default() == Some(endpoint.port)
    }

    /// Returns path and query as sent on the wire. Contains secrets: never print it.
    pub fn wire_path(&self) -> &str {
        &self.0[Position::BeforePath..Position::AfterQuery]
    }

    /// Returns the whole URL without userinfo and fragment, as sent on the wire. Contains secrets: never print it.
    pub fn wire(&self) -> String {
        format!("{}://{}{}", self.0.scheme(), self.endpoint().authority(), self.wire_path())
    }

    /// Reports whether the path has this ending, ignoring ASCII case.
    pub fn path_ends_with(&self, ending: &str) -> bool {
        let path = self.0.path();
        let from = path.len().checked_sub(ending.len());
        from.and_then(|from| path.get(from..)).is_some_and(|end| end.eq_ignore_ascii_case(ending))
    }

    /// Returns the query without its `?`. Contains secrets: never print it.
    pub fn query(&self) -> Option<&str> {
        self.0.query()
    }

    /// Returns user and password, percent-decoded, if the URL carries them. Secrets: never print them.
    pub fn credentials(&self) -> Option<(String, String)> {
        if self.0.username().is_empty() && self.0.password().is_none() {
            return None;
        }
        let decode = |text: &str| percent_decoded(text);
        Some((decode(self.0.username()), decode(self.0.password().unwrap_or_default())))
    }

    /// Returns a fingerprint of the endpoint, the path and the names of the query: two runs with the same one had the
    /// same target. User, password and values of the query are left out, because a weak one could be guessed from it.
    pub fn fingerprint(&self) -> String {
        let authority = self.endpoint().authority();
        let names: Vec<_> = self.0.query_pairs().map(|(name, _)| name).collect();
        let place = [self.0.scheme(), &authority, self.0.path()];
        fingerprint(place.into_iter().chain(names.iter().map(AsRef::as_ref)))
    }

    /// Reports whether the URL has a secret in a usual place: user, password, query, or a token in the path.
    pub fn has_secrets(&self) -> bool {
        let path = self.0.path();
        self.credentials().is_some() || self.0.query().is_some() || secret_shape::shown_path(path) != path
    }

    /// Returns the last segment of the path, the file's name, safe to print.
    pub fn file_name(&self) -> String {
        if !is_web(&self.0) {
            return self.to_string();
        }
        let name = self.0.path().rsplit('/').next().unwrap_or_default();
        Untrusted::new(&shown_segment(name)).shown()
    }
}

fn is_web(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https")
}

impl fmt::Display for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !is_web(&self.0) {
            // It may contain a key.
            return write!(f, "{}:***", Untrusted::new(self.0.scheme()).shown_in(REFUSED_COLUMNS));
        }
        let path = secret_shape::shown_path(self.0.path());
        let mut text = format!("{}://{}{path}", self.0.scheme(), self.endpoint().authority());
        if self.0.query().is_some_and(|query| !query.is_empty()) {
            text.push('?');
            text.push_str(HIDDEN);
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

    #[test]
    fn a_fingerprint_tells_targets_apart_and_has_no_part_in_secrets() {
        let of = |text: &str| SecretUrl::parse(text).expect("a URL").fingerprint();
        let plain = of("https://a.test/live/master.m3u8?token=1");
        assert_eq!(plain, of("https://user:password@a.test:443/live/master.m3u8?token=2#begin"));
        let others = ["http://a.test/live/master.m3u8?token=1", "https://a.test/live/master.m3u8"];
        assert!(
            others.into_iter().chain(["https://a.test/other.m3u8?token=1"]).all(|other| of(other) != plain)
        );
    }

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
    fn a_reference_that_cannot_be_requested_keeps_its_place_and_is_refused() {
        let base = url("http://h/live/a.m3u8");
        for (reference, access, shown) in [
            ("s1.ts", Access::Request, "http://h/live/s1.ts"),
            ("//cdn/s1.ts", Access::Request, "http://cdn/s1.ts"),
            ("ftp://hunter2@h/s1.ts", Access::Refused, "ftp:***"),
            ("file:///etc/hunter2", Access::Refused, "file:***"),
            ("javascript:hunter2()", Access::Refused, "javascript:***"),
            ("crypto+file:/hunter2", Access::Refused, "crypto+file:***"),
            ("http://[::1/hunter2.ts", Access::Refused, "about:***"),
            ("http://h:99999/hunter2.ts", Access::Refused, "about:***"),
            ("https://", Access::Refused, "about:***"),
            ("data:text/plain,hunter2", Access::Inline, "data:***"),
            ("DATA:;base64,hunter2", Access::Inline, "data:***"),
            ("", Access::Refused, "about:***"),
        ] {
            let url = base.refer(reference);
            assert_eq!((url.access(), url.to_string().as_str()), (access, shown), "{reference}");
            assert!(!format!("{url:?}{}{}", url.file_name(), url.refusal()).contains("hunter2"));
        }
        let relative_to_data = base.refer("data:,x").refer("s1.ts");
        assert_eq!(relative_to_data.access(), Access::Refused);
        assert_eq!(base.refer("ftp://h/x").refusal(), "ftp: URLs are not requested");
        let long = format!("s.ts?{}", "x".repeat(limits::URL_BYTES));
        assert_eq!(base.refer(&long).access(), Access::Refused);
    }

    #[test]
    fn data_addresses_hold_their_bytes_as_browsers_read_them() {
        let base = url("http://h/a.m3u8");
        for (text, expected) in [
            ("data:,a%20b?c#fragment", Some(&b"a b?c"[..])),
            ("data:application/octet-stream;base64,AAECAw==", Some(&[0, 1, 2, 3])),
            ("data:;BASE64,AAECAw", Some(&[0, 1, 2, 3])),
            ("data:;base64,AA%0AEC%20Aw%3D%3D", Some(&[0, 1, 2, 3])),
            ("data:text/plain;charset=utf-8,%c3%a4", Some("ä".as_bytes())),
            ("data:;base64,", Some(&[])),
            ("data:;base64,A", None),
            ("data:;base64,*", None),
            ("data:no comma", None),
        ] {
            assert_eq!(base.refer(text).inline().ok().as_deref(), expected, "{text}");
        }
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
        assert!(!url("https://[::2]:9/y").is_at(&endpoint));
        for text in ["http://[::ffff:127.0.0.1]:9/", "http://[::ffff:7f00:1]:9/", "http://[::1.2.3.4]:9/"] {
            let url = url(text);
            assert!(url.is_at(&url.endpoint()), "{text}: std prints another form than the parser of URLs");
        }
    }
}
